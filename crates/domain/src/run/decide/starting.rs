//! Whether commands of a step may be started.

use std::collections::BTreeMap;

use super::{Facts, idle, lock, plan_step};
use crate::Risk;
use crate::attempt::{ENVIRONMENT_LIMIT, Work};
use crate::plan::{PlanCommand, PlanParameter, PlanStep};
use crate::run::event::{Event, Who};
use crate::run::refusal::Refusal;
use crate::run::state::{Run, StepStatus};

pub(super) fn run_commands(
    run: &Run,
    (step, attempt): (u32, u32),
    commands: &[u32],
    confirmation: Option<&str>,
    who: &Who,
    facts: &Facts,
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
    // The tour's scratch folder is the run's own: nobody else is in the way of it.
    let locks = !plan.scratch && worst(plan, commands).is_some_and(|worst| worst.risk >= Risk::Disrupts);
    let lock = if locks { lock::with_attempt(run, facts)? } else { None };
    let changed = changed_secrets(run, step, commands, facts)?;
    let mut run = run.clone();
    run.secrets.extend(changed.clone());
    let work = run.work(step, commands, who).ok_or_else(|| Refusal::Nothing(format!("step {step}")))?;
    carried(&work)?;
    let digest = work.digest();
    let intent = Event::AttemptStarted { step, attempt, commands: commands.to_vec(), digest };
    let changed = changed.into_iter().map(|(name, version)| Event::SecretChanged { name, version });
    Ok(confirmed.into_iter().chain(lock).chain(changed).chain([intent]).collect())
}

/// The secrets of some commands that have another version than the run knows.
fn changed_secrets(run: &Run, step: u32, commands: &[u32], facts: &Facts) -> Result<BTreeMap<String, String>, Refusal> {
    let mut changed = BTreeMap::new();
    for (name, known) in run.secrets_of(step, commands) {
        match facts.secrets.get(&name) {
            Some(Ok(version)) if *version != known => {
                changed.insert(name, version.clone());
            }
            Some(Err(why)) => return Err(Refusal::Secret { name, why: why.clone() }),
            _ => {}
        }
    }
    Ok(changed)
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
