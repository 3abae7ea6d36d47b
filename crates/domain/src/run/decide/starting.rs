//! Whether commands of a step may be started.

use std::collections::BTreeMap;

use super::approval::{self, Coverage};
use super::{Facts, idle, lock, plan_step, reasoned};
use crate::Risk;
use crate::attempt::{ENVIRONMENT_LIMIT, Work};
use crate::plan::{PlanCommand, PlanStep};
use crate::run::event::{Event, Who};
use crate::run::refusal::Refusal;
use crate::run::state::{Run, StepStatus};

/// What the person has said with the start.
#[derive(Clone, Copy, Default)]
pub(super) struct Said<'a> {
    /// The target's name, where the portal asks for it.
    pub confirmation: Option<&'a str>,
    /// Why a service is to be taken away although a later step still waits for its approval.
    pub outage: Option<&'a str>,
}

pub(super) fn run_commands(
    run: &Run,
    (step, attempt): (u32, u32),
    commands: &[u32],
    said: Said<'_>,
    who: &Who,
    facts: &Facts,
) -> Result<Vec<Event>, Refusal> {
    let plan = plan_step(run, step)?;
    first_of_its_number(run, step, attempt)?;
    idle(run)?;
    if run.status(step) == StepStatus::Skipped && run.step(step).is_some_and(|state| state.skipped.is_some()) {
        return Err(Refusal::Over);
    }
    startable(run, step, plan, commands)?;
    let class = worst(plan, commands).map(|worst| worst.risk).unwrap_or_default();
    let need = facts.rules.need(&run.plan, plan, class, facts.now);
    let outage = outage(run, step, class, said.outage, facts)?;
    let confirmed = confirm(run, plan, class, said.confirmation)?;
    // The tour's scratch folder is the run's own: nobody else is in the way of it.
    let locks = !plan.scratch && class >= Risk::Disrupts;
    let lock = if locks { lock::with_attempt(run, facts)? } else { None };
    let changed = changed_secrets(run, step, commands, facts)?;
    let mut run = run.clone();
    run.secrets.extend(changed.clone());
    let work = run.work(step, commands, who).ok_or_else(|| Refusal::Nothing(format!("step {step}")))?;
    carried(&work)?;
    let approval = match need.map(|need| approval::coverage(&run, step, commands, &work, &need, facts)) {
        None => None,
        Some(Coverage::By(request)) => Some(request),
        Some(Coverage::Void(request, why)) => return Ok(vec![Event::ApprovalVoided { request, why }]),
        Some(Coverage::Refused(refusal)) => return Err(refusal),
    };
    let digest = work.digest();
    let intent = Event::AttemptStarted { step, attempt, commands: commands.to_vec(), digest, approval };
    let changed = changed.into_iter().map(|(name, version)| Event::SecretChanged { name, version });
    Ok(confirmed.into_iter().chain(outage).chain(lock).chain(changed).chain([intent]).collect())
}

/// The secrets of some commands that have another version than the run knows.
pub(super) fn changed_secrets(
    run: &Run,
    step: u32,
    commands: &[u32],
    facts: &Facts,
) -> Result<BTreeMap<String, String>, Refusal> {
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

pub(super) fn startable(run: &Run, step: u32, plan: &PlanStep, commands: &[u32]) -> Result<(), Refusal> {
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
    if missing.is_empty() { Ok(()) } else { Err(Refusal::Missing(run.plan.labels(&missing))) }
}

/// What no environment carries fails before anything starts, and not half-way with a sentence of the system.
pub(super) fn carried(work: &Work) -> Result<(), Refusal> {
    let has = work.environment_bytes();
    if has > ENVIRONMENT_LIMIT { Err(Refusal::TooMuch(has)) } else { Ok(()) }
}

fn group(command: &PlanCommand) -> Option<u32> {
    command.choice.as_ref().map(|choice| choice.group)
}

/// The command with the highest class.
pub(super) fn worst<'a>(plan: &'a PlanStep, commands: &[u32]) -> Option<&'a PlanCommand> {
    commands.iter().filter_map(|number| plan.command(*number)).max_by_key(|command| command.risk)
}

/// What takes a service away while a later step still waits for its approval asks for a reason, once in a run: the service
/// would be away until somebody decides.
fn outage(run: &Run, step: u32, class: Risk, said: Option<&str>, facts: &Facts) -> Result<Option<Event>, Refusal> {
    let on_the_way = run.plan.step(step).is_some_and(PlanStep::is_on_the_way);
    if class != Risk::Disrupts || !on_the_way || run.outage.is_some() {
        return Ok(None);
    }
    let Some(later) = approval::unapproved_after(run, step, facts) else { return Ok(None) };
    match said.map(str::trim).filter(|said| !said.is_empty()) {
        Some(said) => Ok(Some(Event::OutageAccepted { step, reason: reasoned(said)? })),
        None => Err(Refusal::Outage { step: plan_step(run, later)?.title.clone() }),
    }
}

/// What disrupts a production target asks once for its name; the tour's scratch step asks for it, too.
fn confirm(run: &Run, plan: &PlanStep, class: Risk, confirmation: Option<&str>) -> Result<Option<Event>, Refusal> {
    let target = &run.plan.target;
    let typed = confirmation.is_some_and(|typed| typed.trim() == target.name);
    let asks = |what| Refusal::NeedsConfirmation { what, target: target.name.clone() };
    match class {
        Risk::Destroys if plan.scratch => {
            if typed {
                Ok(None)
            } else {
                Err(asks("This step removes the tour's own scratch folder."))
            }
        }
        Risk::Disrupts | Risk::Destroys if target.production && !run.target_confirmed => match (typed, class) {
            (true, _) => Ok(Some(Event::TargetConfirmed)),
            (false, Risk::Destroys) => Err(asks("This step destroys on a production target.")),
            (false, _) => Err(asks("This step takes a service away for a while on a production target.")),
        },
        _ => Ok(None),
    }
}
