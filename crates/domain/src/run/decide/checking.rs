//! Checks: who asked, what came of them, and who overruled one.

use super::{Facts, bounded, reasoned};
use crate::check::{CheckEnd, CheckId, Held, PlanCheck, given_up};
use crate::run::checks::CheckStanding;
use crate::run::event::{Event, Who};
use crate::run::fold::evolve_event;
use crate::run::refusal::Refusal;
use crate::run::state::{Run, StepStatus};

/// Begins checks. What is being asked already is not asked twice.
pub(super) fn start(run: &Run, checks: &[CheckId], facts: &Facts) -> Result<Vec<Event>, Refusal> {
    if checks.is_empty() {
        return Err(Refusal::Nothing("check".to_owned()));
    }
    let mut events: Vec<Event> = Vec::new();
    for id in checks {
        let plan = run.plan.check(*id).ok_or_else(|| Refusal::Nothing("such check".to_owned()))?;
        let twice = events.iter().any(|event| matches!(event, Event::CheckStarted { check, .. } if check == id));
        if !twice && run.check_standing(*id, facts.now) != CheckStanding::Asked {
            events.push(Event::CheckStarted { check: *id, until: given_up(&plan.check, facts.now) });
        }
    }
    if events.is_empty() { Err(Refusal::Checking) } else { Ok(events) }
}

/// The checks that follow a step, when it has ended well as a whole by the end of an attempt.
pub(super) fn after(run: &Run, step: u32, ended: &Event, facts: &Facts) -> Vec<Event> {
    let Some(plan) = run.plan.step(step).filter(|plan| !plan.after.is_empty()) else { return Vec::new() };
    let then = evolve_event(run.clone(), ended, &Who::Portal, facts.now);
    if !matches!(then.status(step), StepStatus::Done | StepStatus::Difference) {
        return Vec::new();
    }
    let started = |check: &PlanCheck| Event::CheckStarted {
        check: CheckId { step: Some(step), number: check.number },
        until: given_up(&check.check, facts.now),
    };
    plan.after.iter().map(started).collect()
}

/// What came of a check, once, and while the run is open.
pub(super) fn end(run: &Run, number: u32, end: &CheckEnd) -> Vec<Event> {
    let is_open = run.end.is_none() && run.check(number).is_some_and(|record| record.end.is_none());
    let event = || Event::CheckEnded { number, end: end.clone().shortened() };
    is_open.then(event).into_iter().collect()
}

/// Says why a check that did not hold does not count. One that was not asked, or asked before a step ran, cannot be overruled:
/// nobody knows what it would say.
pub(super) fn overrule(run: &Run, check: CheckId, reason: &str, facts: &Facts) -> Result<Event, Refusal> {
    bounded(reason)?;
    run.plan.check(check).ok_or_else(|| Refusal::Nothing("such check".to_owned()))?;
    let Some((number, record)) = run.last_check(check) else {
        return Err(Refusal::CheckFirst("This was not checked yet"));
    };
    match record.standing(facts.now) {
        CheckStanding::Asked => Err(Refusal::CheckFirst("This is being checked")),
        CheckStanding::Overruled | CheckStanding::Answered(Held::Yes) if !record.stale => Err(Refusal::Over),
        _ if record.stale => Err(Refusal::CheckFirst("A step has run since this was checked")),
        _ => Ok(Event::CheckOverruled { number, reason: reasoned(reason)? }),
    }
}
