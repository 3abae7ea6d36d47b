//! The gate: what may happen next.

use std::collections::BTreeMap;

use super::command::Command;
use super::event::{Event, Verdict, Who};
use super::refusal::{Refusal, TEXT_LIMIT};
use super::state::{CommandState, Run, StepState, StepStatus, Tick};
use crate::attempt::{ENVIRONMENT_LIMIT, Mark, Work};
use crate::plan::{Plan, PlanCommand, PlanParameter, PlanStep};
use crate::policy::{Forbidden, Role, allows};
use crate::{AttemptId, Risk, Timestamp, time};

/// The longest value of a parameter, in bytes: one entry of an environment holds 131,071 with its name, and so does one word of
/// a command, in which other text may stand around the value (measured on Linux).
pub const VALUE_LIMIT: usize = 96 * 1024;

/// What a decision needs from outside the run, read inside the transaction that records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// The person's role at this moment; `None` when the account is disabled or gone.
    pub standing: Option<Role>,
    /// Values of the command that do not fit their parameter: name and reason.
    pub misfits: Vec<(String, String)>,
}

/// Decides whether a command may happen and which events it makes.
///
/// # Errors
///
/// A [`Refusal`] with a sentence for the person; nothing has changed then.
pub fn decide(run: Option<&Run>, command: &Command, who: &Who, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    authorise(command, who, facts)?;
    let run = match (run, command) {
        (None, Command::Start { plan, reason, values }) => return start(plan, reason, values, facts),
        (Some(_), Command::Start { .. }) => return Err(Refusal::Exists),
        (None, _) => return Err(Refusal::NoRun),
        (Some(run), _) => run,
    };
    if let Some(why) = &run.unreadable {
        return Err(Refusal::ReadOnly(why.clone()));
    }
    match command {
        Command::Note { step, attempt, mark } => Ok(note(run, *step, *attempt, mark)),
        Command::Settle { step, attempt, exit } => Ok(if_open(run, *step, *attempt, || Event::AttemptEnded {
            step: *step,
            attempt: *attempt,
            exit: exit.clone(),
        })),
        Command::Interrupt { step, attempt, reason, bytes, survivors } => Ok(if_open(run, *step, *attempt, || {
            let (reason, survivors) = (reason.clone(), survivors.clone());
            Event::AttemptInterrupted { step: *step, attempt: *attempt, reason, bytes: *bytes, survivors }
        })),
        _ => by_person(run, command, who, facts),
    }
}

fn authorise(command: &Command, who: &Who, facts: &Facts) -> Result<(), Refusal> {
    match (command.verb(), who) {
        (None, Who::Portal) => Ok(()),
        (Some(verb), Who::Person(_)) => {
            let role = facts.standing.ok_or(Refusal::Disabled)?;
            if allows(role, verb) { Ok(()) } else { Err(Forbidden { role, verb }.into()) }
        }
        (Some(_), Who::Portal) | (None, Who::Person(_)) => Err(Refusal::Disabled),
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

fn by_person(run: &Run, command: &Command, who: &Who, facts: &Facts) -> Result<Vec<Event>, Refusal> {
    if let Some(end) = &run.end {
        return Err(Refusal::Finished { by: end.stamp.by.name().to_owned(), at: end.stamp.at });
    }
    let event = match command {
        Command::SetValue { name, value } => {
            fits(&run.plan, name, value, facts)?;
            Event::ValueSet { name: name.clone(), value: value.clone() }
        }
        Command::RunCommands { step, attempt, commands, confirmation } => {
            return run_commands(run, *step, *attempt, commands, confirmation.as_deref(), who);
        }
        Command::SkipCommand { step, command, reason } => skip_command(run, *step, *command, reason)?,
        Command::SkipStep { step, reason } => skip_step(run, *step, reason)?,
        Command::CompleteStep { step } => complete_step(run, *step)?,
        Command::EndWatch { step, attempt, command } => end_watch(run, *step, *attempt, *command)?,
        Command::Stop { step, attempt } => stop(run, *step, *attempt)?,
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
        Command::AddNote { step, text } => {
            if let Some(step) = step {
                plan_step(run, *step)?;
            }
            Event::NoteAdded { step: *step, text: reasoned(text)? }
        }
        Command::Finish { verdict, comment } => finish(run, *verdict, comment)?,
        Command::Start { .. } | Command::Note { .. } | Command::Settle { .. } | Command::Interrupt { .. } => {
            return Err(Refusal::NoRun);
        }
    };
    Ok(vec![event])
}

fn run_commands(
    run: &Run,
    step: u32,
    attempt: u32,
    commands: &[u32],
    confirmation: Option<&str>,
    who: &Who,
) -> Result<Vec<Event>, Refusal> {
    let plan = plan_step(run, step)?;
    first_of_its_number(run, step, attempt)?;
    idle(run)?;
    if run.status(step) == StepStatus::Skipped && run.step(step).is_some_and(|state| state.skipped.is_some()) {
        return Err(Refusal::Over);
    }
    // First of all what no value can change: nobody should fill in a form for a step that will not start.
    approved(plan, commands)?;
    startable(run, step, plan, commands)?;
    let confirmed = confirm(run, plan, commands, confirmation)?;
    let work = run.work(step, commands, who).ok_or_else(|| Refusal::Nothing(format!("step {step}")))?;
    carried(&work)?;
    let digest = work.digest();
    let intent = Event::AttemptStarted { step, attempt, commands: commands.to_vec(), digest };
    Ok(confirmed.into_iter().chain([intent]).collect())
}

/// The number of an attempt is used once. Who sends a form twice is told who started it, and when.
fn first_of_its_number(run: &Run, step: u32, attempt: u32) -> Result<(), Refusal> {
    let attempts = run.step(step).map_or(&[][..], |state| &state.attempts);
    let next = u32::try_from(attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
    match attempts.last() {
        _ if attempt == next => Ok(()),
        Some(last) => {
            Err(Refusal::Started { by: last.started.by.name().to_owned(), since: last.started.at.time_of_day() })
        }
        None => Err(Refusal::Nothing(format!("attempt {attempt} to start"))),
    }
}

fn startable(run: &Run, step: u32, plan: &PlanStep, commands: &[u32]) -> Result<(), Refusal> {
    let chosen = commands
        .iter()
        .map(|number| {
            plan.command(*number).ok_or_else(|| Refusal::Nothing(format!("command {number} in step {}", plan.number)))
        })
        .collect::<Result<Vec<&PlanCommand>, _>>()?;
    if !chosen.iter().any(|command| command.by_portal.is_none()) {
        return Err(Refusal::Together("There is no command to run in this step"));
    }
    if !commands.is_sorted_by(|one, next| one < next) {
        return Err(Refusal::Together("Commands run in the order of the document, each once"));
    }
    if chosen.windows(2).any(|pair| group(pair[0]) != group(pair[1])) {
        return Err(Refusal::Together(
            "These commands belong to different choices, and alternatives never run in a row",
        ));
    }
    if let Some(why) = chosen.iter().find_map(|command| command.blocked.as_ref()) {
        return Err(Refusal::Blocked(why.clone()));
    }
    let undeclared: Vec<String> = chosen
        .iter()
        .flat_map(|command| &command.placeholders)
        .filter(|placeholder| placeholder.parameter.is_none())
        .map(|placeholder| placeholder.text.clone())
        .collect();
    if !undeclared.is_empty() {
        return Err(Refusal::Undeclared(undeclared));
    }
    let missing = run.missing_values(step, commands);
    let label = |name: &String| run.plan.parameter(name).map_or_else(|| name.clone(), PlanParameter::label);
    if missing.is_empty() { Ok(()) } else { Err(Refusal::Missing(missing.iter().map(label).collect())) }
}

/// What no environment carries fails before anything starts, and not half-way with a sentence of the system.
fn carried(work: &Work) -> Result<(), Refusal> {
    let has = work.environment_bytes();
    if has > ENVIRONMENT_LIMIT { Err(Refusal::TooMuch(has)) } else { Ok(()) }
}

fn group(command: &PlanCommand) -> Option<u32> {
    command.choice.as_ref().map(|choice| choice.group)
}

/// The command with the highest class.
fn worst<'a>(plan: &'a PlanStep, commands: &[u32]) -> Option<&'a PlanCommand> {
    commands.iter().filter_map(|number| plan.command(*number)).max_by_key(|command| command.risk)
}

/// What destroys does not start, but for the tour's own scratch step.
fn approved(plan: &PlanStep, commands: &[u32]) -> Result<(), Refusal> {
    match worst(plan, commands) {
        Some(worst) if worst.risk == Risk::Destroys && !plan.scratch => {
            Err(Refusal::NeedsApproval { rule: worst.rule.clone() })
        }
        _ => Ok(()),
    }
}

/// What disrupts a production target asks once for its name; the tour's scratch step asks for it, too.
fn confirm(run: &Run, plan: &PlanStep, commands: &[u32], confirmation: Option<&str>) -> Result<Option<Event>, Refusal> {
    let target = &run.plan.target;
    let typed = confirmation.is_some_and(|typed| typed.trim() == target.name);
    let asks = |what| Refusal::NeedsConfirmation { what, target: target.name.clone() };
    match worst(plan, commands).map(|worst| worst.risk) {
        Some(Risk::Destroys) if !typed => Err(asks("This step removes the tour's own scratch folder.")),
        Some(Risk::Disrupts) if target.production && !run.target_confirmed => {
            if typed {
                Ok(Some(Event::TargetConfirmed))
            } else {
                Err(asks("This step takes a service away for a while on a production target."))
            }
        }
        _ => Ok(None),
    }
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
    open(run, step, attempt)?;
    // Who asked first stays in the record; the ladder is on its way.
    let asked = run.attempt(AttemptId { run: run.id, step, attempt }).is_some_and(|attempt| attempt.stop.is_some());
    if asked { Err(Refusal::Over) } else { Ok(Event::StopRequested { step, attempt }) }
}

fn finish(run: &Run, verdict: Verdict, comment: &str) -> Result<Event, Refusal> {
    idle(run)?;
    bounded(comment)?;
    if verdict != Verdict::Reached && comment.trim().is_empty() {
        return Err(Refusal::NoReason);
    }
    Ok(Event::RunFinished { verdict, comment: comment.trim().to_owned() })
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

fn if_open(run: &Run, step: u32, attempt: u32, event: impl FnOnce() -> Event) -> Vec<Event> {
    if is_open(run, step, attempt) { vec![event()] } else { Vec::new() }
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

fn bounded(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_LIMIT { Err(Refusal::TooLong(text.len())) } else { Ok(()) }
}

fn reasoned(text: &str) -> Result<String, Refusal> {
    bounded(text)?;
    let text = text.trim();
    if text.is_empty() { Err(Refusal::NoReason) } else { Ok(text.to_owned()) }
}
