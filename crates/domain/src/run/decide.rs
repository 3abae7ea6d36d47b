//! The gate: what may happen next.

mod approval;
mod checking;
mod escalating;
mod holding;
mod input;
mod lock;
mod redaction;
mod starting;

use std::collections::BTreeMap;

use super::by_itself;
use super::command::Command;
use super::event::{Event, Verdict, Who};
use super::lock::Holder;
use super::refusal::{Refusal, TEXT_LIMIT};
use super::state::{Attempt, CommandState, Run, StepState, StepStatus, Tick};
use crate::approval::{ApprovalRules, FileIdentity};
use crate::attempt::{Condition, Mark};
use crate::plan::{Plan, PlanStep};
use crate::policy::{Role, Verb};
use crate::{AttemptId, PersonId, RunId, Timestamp, time};

pub use approval::Wanted;

/// The longest value of a parameter, in bytes: one entry of an environment holds 131,071 with its name, and so does one word of
/// a command, in which other text may stand around the value (measured on Linux).
pub const VALUE_LIMIT: usize = 96 * 1024;

/// What a decision needs from outside the run, read inside the transaction that records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The time; for what is about approvals that by which they run out.
    pub now: Timestamp,
    /// The time that the machine's clock shows.
    pub clock: Timestamp,
    /// The person's role at this moment; `None` when the account is disabled or gone.
    pub standing: Option<Role>,
    /// Values of the command that do not fit their parameter: name and reason.
    pub misfits: Vec<(String, String)>,
    /// The other run that holds the lock of the target, if one does.
    pub lock: Option<Holder>,
    /// What the command that runs is found to be doing.
    pub condition: Condition,
    /// The secrets that the plan names: the version of each, or why it cannot be read. Who does not know leaves them out.
    pub secrets: BTreeMap<String, Result<String, String>>,
    /// The administrator's settings about approvals, as they are now.
    pub rules: ApprovalRules,
    /// The present roles of everybody who has approved something in the run; who is missing is disabled.
    pub standings: BTreeMap<PersonId, Role>,
    /// The kind of second factor that this person has proven for this very command, in words.
    pub factor: Option<String>,
    /// The files to which an approval of the run is bound, as they are now, by path; or why one could not be looked at.
    pub bound: BTreeMap<String, Result<FileIdentity, String>>,
    /// A run in which this person broke the glass, and nobody has reviewed it.
    pub unreviewed: Option<RunId>,
}

impl Facts {
    /// The facts of a decision that needs nothing but the time and who asks.
    pub const fn alone(now: Timestamp, standing: Option<Role>) -> Self {
        Self {
            now,
            clock: now,
            standing,
            misfits: Vec::new(),
            lock: None,
            condition: Condition::NONE,
            secrets: BTreeMap::new(),
            rules: ApprovalRules::DEFAULT,
            standings: BTreeMap::new(),
            factor: None,
            bound: BTreeMap::new(),
            unreviewed: None,
        }
    }
}

/// Decides whether a command may happen and which events it makes.
///
/// In a run with an event that this version does not know nobody works. What the portal itself has found is recorded there
/// all the same: else its attempt would stay open and its target locked for ever.
///
/// # Errors
///
/// A [`Refusal`] with a sentence for the person; nothing has changed then.
pub fn decide(run: Option<&Run>, command: &Command, who: &Who, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    authorise(command, who, facts)?;
    if who.is_schedule() {
        by_itself::may(run, command)?;
    }
    let run = match (run, command) {
        (None, Command::Start { plan, reason, values }) => return start(plan, reason, values, facts),
        (Some(_), Command::Start { .. }) => return Err(Refusal::Exists),
        (None, _) => return Err(Refusal::NoRun),
        (Some(run), _) => run,
    };
    let events = on(run, command, who, facts)?;
    let voids = approval::voids(run, &events, who, facts);
    Ok(before_the_end(events, voids))
}

/// What follows from events comes after them, and before the end of the run.
fn before_the_end(mut events: Vec<Event>, more: Vec<Event>) -> Vec<Event> {
    let end = events.iter().position(|event| matches!(event, Event::RunFinished { .. })).unwrap_or(events.len());
    events.splice(end..end, more);
    events
}

fn on(run: &Run, command: &Command, who: &Who, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Note { step, attempt, mark } => Ok(note(run, *step, *attempt, mark)),
        Command::Settle { step, attempt, exit } => {
            let event = || Event::AttemptEnded { step: *step, attempt: *attempt, exit: exit.clone() };
            let mut events = end(run, *step, *attempt, event);
            let after = match &events[..] {
                [ended] => checking::after(run, *step, ended, facts),
                _ => Vec::new(),
            };
            events.extend(after);
            Ok(events)
        }
        Command::Interrupt { step, attempt, reason, bytes, output, survivors } => Ok(end(run, *step, *attempt, || {
            let (reason, output, survivors) = (reason.clone(), output.clone(), survivors.clone());
            Event::AttemptInterrupted { step: *step, attempt: *attempt, reason, bytes: *bytes, output, survivors }
        })),
        Command::LoseLock { to, by, reason } => Ok(lock::lose(run, *to, by, reason)),
        Command::Expire { request } => Ok(approval::expire(run, *request, facts)),
        // A glass can be reviewed after the end of its run.
        Command::ReviewGlass { request, comment } => {
            readable(run)?;
            Ok(vec![approval::review(run, *request, comment, who)?])
        }
        // What should not be in the record is mostly found when its run is closed.
        Command::AskRedaction { .. } | Command::ConfirmRedaction { .. } | Command::RejectRedaction { .. } => {
            readable(run)?;
            Ok(vec![redact(run, command, who, facts)?])
        }
        Command::EndCheck { number, end } => Ok(checking::end(run, *number, end)),
        Command::EscalateDue { line, to, text } => Ok(escalating::due(run, *line, to, text, facts)),
        Command::EndSurvivors { step, attempt, left } => Ok(end_survivors(run, *step, *attempt, left)),
        // What ends something stays possible to the last: also in a run that is closed, or that cannot be read to its end.
        Command::Stop { step, attempt } => stop(run, *step, *attempt).map(|event| vec![event]),
        _ => by_person(run, command, who, facts),
    }
}

fn redact(run: &Run, command: &Command, who: &Who, facts: &Facts) -> Result<Event, Refusal> {
    match command {
        Command::AskRedaction { step, attempt, ranges, reason, bytes, output } => {
            redaction::ask(run, (*step, *attempt), ranges, reason, (*bytes, output))
        }
        Command::ConfirmRedaction { number, old, new } => redaction::confirm(run, *number, (old, new), who, facts),
        Command::RejectRedaction { number, reason } => redaction::reject(run, *number, reason, who, facts),
        _ => Err(Refusal::NoRun),
    }
}

fn authorise(command: &Command, who: &Who, facts: &Facts) -> Result<(), Refusal> {
    match (command.verb(), who) {
        (None, Who::Portal) => Ok(()),
        (Some(verb), Who::Person(_)) => may(who, verb, facts),
        (Some(_), Who::Portal) | (None, Who::Person(_)) => Err(Refusal::Disabled),
    }
}

/// Whether a person may use a verb, as their account stands at this moment and by the way on which they came.
fn may(who: &Who, verb: Verb, facts: &Facts) -> Result<(), Refusal> {
    match (who, facts.standing) {
        (Who::Person(actor), Some(role)) => Ok(actor.with_role(role).may(verb)?),
        _ => Err(Refusal::Disabled),
    }
}

fn start(plan: &Plan, reason: &str, values: &BTreeMap<String, String>, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    bounded(reason)?;
    for (name, value) in values {
        fits(plan, name, value, facts)?;
    }
    let reason = reason.trim().to_owned();
    Ok(vec![Event::RunStarted { plan: Box::new(plan.clone()), reason, values: values.clone() }])
}

fn readable(run: &Run) -> Result<(), Refusal> {
    run.unreadable.as_ref().map_or(Ok(()), |why| Err(Refusal::ReadOnly(why.clone())))
}

fn by_person(run: &Run, command: &Command, who: &Who, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    readable(run)?;
    not_closed(run)?;
    if holding::is_for_the_holder(command) {
        holding::holds(run, who)?;
    }
    let event = match command {
        Command::TakeOver { reason } => holding::take_over(run, who, reason)?,
        Command::Abort { reason } => return holding::abort(run, who, facts, reason),
        Command::TakeLock { reason } => lock::take(run, who, facts, reason)?,
        Command::SetDirectory { path } => set_directory(run, path)?,
        Command::AddStep { place, step } => add_step(run, *place, step)?,
        Command::SendInput { step, attempt, command, number, input } => {
            if *number != run.next_input() {
                return Err(Refusal::Over);
            }
            input::send(run, (*step, *attempt, *command), input, facts.condition)?
        }
        Command::SetValue { name, value } => {
            fits(&run.plan, name, value, facts)?;
            Event::ValueSet { name: name.clone(), value: value.clone() }
        }
        Command::RunCommands { step, attempt, commands, confirmation, outage } => {
            let said = starting::Said { confirmation: confirmation.as_deref(), outage: outage.as_deref() };
            return starting::run_commands(run, (*step, *attempt), commands, said, who, facts);
        }
        Command::RequestApproval { request, wanted, reason, evidence } => {
            return approval::ask(run, (*request, wanted), reason, evidence, facts);
        }
        Command::Grant { request, retry, rollback, comment } => {
            approval::grant(run, *request, (*retry, *rollback), comment, who, facts)?
        }
        Command::Reject { request, reason } => approval::reject(run, *request, reason, facts)?,
        Command::CancelApproval { request, reason } => approval::cancel(run, *request, reason, who, facts)?,
        Command::BreakGlass { request, wanted, reason } => {
            return approval::break_glass(run, (*request, wanted), reason, facts);
        }
        Command::SkipCommand { step, command, reason } => skip_command(run, *step, *command, reason)?,
        Command::SkipStep { step, reason } => skip_step(run, *step, reason)?,
        Command::CompleteStep { step } => complete_step(run, *step)?,
        Command::EndWatch { step, attempt, command } => end_watch(run, *step, *attempt, *command)?,
        Command::Tick { step, item, note } => {
            bounded(note)?;
            if tick(run, *step, *item)?.is_some() {
                return Err(Refusal::Over);
            }
            Event::ItemTicked { step: *step, item: *item, note: note.trim().to_owned() }
        }
        Command::Untick { step, item } => {
            if tick(run, *step, *item)?.is_none() {
                return Err(Refusal::Over);
            }
            Event::ItemUnticked { step: *step, item: *item }
        }
        Command::StartChecks { checks } => return checking::start(run, checks, facts),
        Command::OverruleCheck { check, reason } => checking::overrule(run, *check, reason, facts)?,
        Command::AddNote { step, text } => add_note(run, *step, text)?,
        Command::Escalate { number, to, text } => escalating::by_hand(run, *number, to, text, who)?,
        Command::Finish { verdict, comment } => finish(run, *verdict, comment, facts)?,
        Command::Start { .. }
        | Command::Expire { .. }
        | Command::ReviewGlass { .. }
        | Command::AskRedaction { .. }
        | Command::ConfirmRedaction { .. }
        | Command::RejectRedaction { .. }
        | Command::LoseLock { .. }
        | Command::EscalateDue { .. }
        | Command::EndCheck { .. }
        | Command::Note { .. }
        | Command::Settle { .. }
        | Command::Interrupt { .. }
        | Command::EndSurvivors { .. }
        | Command::Stop { .. } => {
            return Err(Refusal::NoRun);
        }
    };
    Ok(vec![event])
}

fn add_note(run: &Run, step: Option<u32>, text: &str) -> Result<Event, Refusal> {
    if let Some(step) = step {
        plan_step(run, step)?;
    }
    Ok(Event::NoteAdded { step, text: reasoned(text)? })
}

fn skip_command(run: &Run, step: u32, command: u32, reason: &str) -> Result<Event, Refusal> {
    let plan = plan_step(run, step)?;
    let state = run.step(step).and_then(|state| state.command(command));
    let nothing = || Refusal::Nothing(format!("command {command} in step {}", plan.number));
    match state.ok_or_else(nothing)? {
        CommandState::Running { .. } => Err(busy(run)),
        state if state.is_over() || run.status(step) == StepStatus::Skipped => Err(Refusal::Over),
        _ => {
            idle(run)?;
            Ok(Event::CommandSkipped { step, command, reason: reasoned(reason)? })
        }
    }
}

fn skip_step(run: &Run, step: u32, reason: &str) -> Result<Event, Refusal> {
    plan_step(run, step)?;
    idle_in(run, step)?;
    if run.status(step).is_over() {
        return Err(Refusal::Over);
    }
    Ok(Event::StepSkipped { step, reason: reasoned(reason)? })
}

fn complete_step(run: &Run, step: u32) -> Result<Event, Refusal> {
    let plan = plan_step(run, step)?;
    if plan.is_run() {
        return Err(Refusal::Together("This step has commands: run them, or skip it with a reason"));
    }
    if run.status(step).is_over() {
        return Err(Refusal::Over);
    }
    Ok(Event::StepDone { step })
}

fn end_watch(run: &Run, step: u32, attempt: u32, command: u32) -> Result<Event, Refusal> {
    open(run, step, attempt)?;
    let runs = run.step(step).and_then(StepState::running) == Some(command);
    if runs && run.status(step) == StepStatus::Watching {
        Ok(Event::WatchEnded { step, attempt, command })
    } else {
        Err(Refusal::NotRunning)
    }
}

fn stop(run: &Run, step: u32, attempt: u32) -> Result<Event, Refusal> {
    let found = run.attempt(AttemptId { run: run.id, step, attempt });
    if found.is_some_and(Attempt::left_something) {
        // As often as somebody asks: what could not be ended once may be ended now.
        return Ok(Event::StopRequested { step, attempt });
    }
    not_closed(run)?;
    open(run, step, attempt)?;
    // Who asked first stays in the record; the ladder is on its way.
    let asked = found.is_some_and(|attempt| attempt.stop.is_some());
    if asked { Err(Refusal::Over) } else { Ok(Event::StopRequested { step, attempt }) }
}

/// The longest path that a directory may have, in bytes (`PATH_MAX` of Linux, without its NUL).
const PATH_LIMIT: usize = 4095;

fn set_directory(run: &Run, path: &str) -> Result<Event, Refusal> {
    idle(run)?;
    let misfit = |why: &str| Refusal::Misfit { name: "directory".to_owned(), why: why.to_owned() };
    match path {
        _ if path.contains(char::is_control) => Err(misfit("a path has no line feeds or other control characters")),
        _ if path.len() > PATH_LIMIT => Err(misfit("the path is longer than 4,095 bytes")),
        _ if !path.starts_with('/') => Err(misfit("say the whole path, beginning with /")),
        _ if path == run.next_directory() => Err(Refusal::Over),
        path => Ok(Event::DirectorySet { path: path.to_owned() }),
    }
}

/// More steps than this are not an exception any more: the document should be changed.
const ADDED_LIMIT: usize = 100;

/// A step with more commands than this is a document of its own.
const COMMANDS_LIMIT: usize = 200;

fn add_step(run: &Run, place: u32, step: &PlanStep) -> Result<Event, Refusal> {
    if place != run.next_place() {
        return Err(Refusal::Over);
    }
    if step.commands.len() > COMMANDS_LIMIT {
        return Err(Refusal::Together("An added step has 200 commands at most; change the document"));
    }
    let Some(ad_hoc) = &step.ad_hoc else { return Err(Refusal::Nothing("step to add".to_owned())) };
    reasoned(&ad_hoc.reason)?;
    if ad_hoc.after != 0 {
        plan_step(run, ad_hoc.after)?;
    }
    if run.plan.steps.iter().filter(|step| step.ad_hoc.is_some()).count() >= ADDED_LIMIT {
        return Err(Refusal::Together("100 steps were added to this run already; change the document"));
    }
    for command in &step.commands {
        bounded(&command.text)?;
    }
    Ok(Event::StepAdded { step: Box::new(step.clone()) })
}

fn finish(run: &Run, verdict: Verdict, comment: &str, facts: &Facts) -> Result<Event, Refusal> {
    idle(run)?;
    bounded(comment)?;
    if verdict != Verdict::Reached && comment.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    let unproven = if verdict == Verdict::Reached { run.unproven(facts.now) } else { Vec::new() };
    if !unproven.is_empty() {
        return Err(Refusal::Unproven(unproven));
    }
    Ok(Event::RunFinished { verdict, comment: comment.trim().to_owned() })
}

/// What came of it when somebody asked to end what an attempt had left behind.
fn end_survivors(run: &Run, step: u32, attempt: u32, left: &[String]) -> Vec<Event> {
    let found = run.attempt(AttemptId { run: run.id, step, attempt });
    let event = || Event::SurvivorsEnded { step, attempt, left: left.to_vec() };
    found.filter(|found| found.left_something()).map(|_| event()).into_iter().collect()
}

/// A mark of the shim as an event, once: marks are read again after a restart.
fn note(run: &Run, step: u32, attempt: u32, mark: &Mark) -> Vec<Event> {
    let state = |command: u32| run.step(step).and_then(|state| state.command(command));
    match mark {
        Mark::Started { command, offset, at } => match state(*command) {
            Some(CommandState::Waiting) if is_part(run, step, attempt, *command) => {
                let (command, offset, at) = (*command, *offset, Timestamp(*at));
                vec![Event::CommandStarted { step, attempt, command, offset, at }]
            }
            _ => Vec::new(),
        },
        Mark::Ended { command, offset, at, end } => match state(*command) {
            Some(CommandState::Running { attempt: of, .. }) if *of == attempt && is_open(run, step, attempt) => {
                let (command, offset, at, end) = (*command, *offset, Timestamp(*at), end.clone());
                vec![Event::CommandEnded { step, attempt, command, offset, at, end }]
            }
            _ => Vec::new(),
        },
    }
}

fn is_open(run: &Run, step: u32, attempt: u32) -> bool {
    run.open_attempt().is_some_and(|open| (open.step, open.attempt) == (step, attempt))
}

/// Whether a command belongs to the attempt that is open: a mark about any other is not believed.
fn is_part(run: &Run, step: u32, attempt: u32, command: u32) -> bool {
    let id = AttemptId { run: run.id, step, attempt };
    is_open(run, step, attempt) && run.attempt(id).is_some_and(|open| open.commands.contains(&command))
}

/// The end of the open attempt, and of the run when somebody has given it up.
fn end(run: &Run, step: u32, attempt: u32, event: impl FnOnce() -> Event) -> Vec<Event> {
    if !is_open(run, step, attempt) {
        return Vec::new();
    }
    let closes = run.abort.clone().map(|comment| Event::RunFinished { verdict: Verdict::Aborted, comment });
    [event()].into_iter().chain(closes).collect()
}

fn open(run: &Run, step: u32, attempt: u32) -> Result<(), Refusal> {
    if is_open(run, step, attempt) { Ok(()) } else { Err(Refusal::NotRunning) }
}

fn plan_step(run: &Run, step: u32) -> Result<&PlanStep, Refusal> {
    run.plan.step(step).ok_or_else(|| Refusal::Nothing(format!("step {step}")))
}

/// The tick of a line, if it is ticked.
fn tick(run: &Run, step: Option<u32>, item: u32) -> Result<Option<&Tick>, Refusal> {
    let lines = match step {
        None => &run.outcome,
        Some(step) => {
            run.step(step).map(|state| &state.ticks).ok_or_else(|| Refusal::Nothing(format!("step {step}")))?
        }
    };
    let place = usize::try_from(item).ok().and_then(|item| item.checked_sub(1));
    let line =
        place.and_then(|place| lines.get(place)).ok_or_else(|| Refusal::Nothing(format!("line {item} to tick")))?;
    Ok(line.as_ref())
}

fn not_closed(run: &Run) -> Result<(), Refusal> {
    match &run.end {
        Some(end) => Err(Refusal::Finished { by: end.stamp.by.name().to_owned(), at: end.stamp.at }),
        None => Ok(()),
    }
}

fn idle(run: &Run) -> Result<(), Refusal> {
    if run.open_attempt().is_some() { Err(busy(run)) } else { Ok(()) }
}

fn idle_in(run: &Run, step: u32) -> Result<(), Refusal> {
    if run.open_attempt().is_some_and(|open| open.step == step) { Err(busy(run)) } else { Ok(()) }
}

fn busy(run: &Run) -> Refusal {
    let open = run.open_attempt();
    let number = open.and_then(|id| run.plan.step(id.step)).map_or(0, |step| step.number);
    let started = open.and_then(|id| run.attempt(id)).map(|attempt| &attempt.started);
    Refusal::Busy {
        step: number,
        by: started.map_or_else(String::new, |stamp| stamp.by.name().to_owned()),
        since: started.map_or_else(String::new, |stamp| stamp.at.time_of_day()),
    }
}

fn fits(plan: &Plan, name: &str, value: &str, facts: &Facts) -> Result<(), Refusal> {
    let parameter = plan.parameter(name).ok_or_else(|| Refusal::Nothing(format!("parameter \"{name}\"")))?;
    let misfit = |why: String| Refusal::Misfit { name: parameter.label(), why };
    if plan.is_secret(name) {
        return Err(misfit("a secret is named in the portal's configuration and never typed".to_owned()));
    }
    if value.contains('\0') {
        return Err(misfit("a value cannot contain a NUL byte".to_owned()));
    }
    if value.len() > VALUE_LIMIT {
        let (has, most) = (time::thousands(value.len() as u64), time::thousands(VALUE_LIMIT as u64));
        return Err(misfit(format!("the value has {has} bytes, and {most} is the most; put it into a file")));
    }
    match facts.misfits.iter().find(|(misfit, _)| misfit == name) {
        Some((_, why)) => Err(misfit(why.clone())),
        None => Ok(()),
    }
}

/// What every decision takes, a yes, a no, and going on without either: the second factor of whoever decides, in words. To take
/// back what one has asked for oneself is no decision.
fn proven(facts: &Facts) -> Result<String, Refusal> {
    facts.factor.clone().ok_or(Refusal::NoFactor)
}

fn bounded(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_LIMIT { Err(Refusal::TooLong(text.len())) } else { Ok(()) }
}

fn reasoned(text: &str) -> Result<String, Refusal> {
    bounded(text)?;
    let text = text.trim();
    if text.is_empty() { Err(Refusal::NoReason) } else { Ok(text.to_owned()) }
}
