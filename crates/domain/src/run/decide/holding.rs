//! Who works in a run, and who may end it for them.

use super::{Facts, idle, may, reasoned};
use crate::policy::Verb;
use crate::run::command::Command;
use crate::run::event::{Event, Verdict, Who};
use crate::run::refusal::Refusal;
use crate::run::state::Run;

/// What only the person does who works in the run: two hands at one wheel would not know of each other. Anybody with the
/// right may stop what runs, tick what they have seen, and write a note.
pub(super) const fn is_for_the_holder(command: &Command) -> bool {
    matches!(
        command,
        Command::SetValue { .. }
            | Command::SetDirectory { .. }
            | Command::RunCommands { .. }
            | Command::SkipCommand { .. }
            | Command::SkipStep { .. }
            | Command::CompleteStep { .. }
            | Command::AddStep { .. }
            | Command::SendInput { .. }
            | Command::RequestApproval { .. }
            | Command::BreakGlass { .. }
            | Command::TakeLock { .. }
            | Command::OverruleCheck { .. }
            | Command::Finish { .. }
    )
}

pub(super) fn holds(run: &Run, who: &Who) -> Result<(), Refusal> {
    if run.is_held_by(who) { Ok(()) } else { Err(theirs(run)) }
}

fn theirs(run: &Run) -> Refusal {
    Refusal::Theirs { by: run.holder.by.name().to_owned(), since: run.holder.at.time_of_day() }
}

/// Works on in another person's run, while nothing runs in it.
pub(super) fn take_over(run: &Run, who: &Who, reason: &str) -> Result<Event, Refusal> {
    idle(run)?;
    if run.is_held_by(who) {
        return Err(Refusal::Over);
    }
    Ok(Event::RunTakenOver { reason: reasoned(reason)? })
}

/// Gives the run up: at once when nothing runs in it, else as soon as the step has stopped.
pub(super) fn abort(run: &Run, who: &Who, facts: &Facts, reason: &str) -> Result<Vec<Event>, Refusal> {
    if !run.is_held_by(who) {
        may(who, Verb::Overrule, facts)?;
    }
    let reason = reasoned(reason)?;
    let Some(open) = run.open_attempt() else {
        return Ok(vec![Event::RunFinished { verdict: Verdict::Aborted, comment: reason }]);
    };
    if run.abort.is_some() {
        return Err(Refusal::Over);
    }
    let stops = run.attempt(open).is_some_and(|attempt| attempt.stop.is_none());
    let stop = stops.then_some(Event::StopRequested { step: open.step, attempt: open.attempt });
    Ok([Event::AbortRequested { reason }].into_iter().chain(stop).collect())
}
