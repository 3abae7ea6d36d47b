//! Taking and losing the lock of a target.

use super::{Facts, may, reasoned};
use crate::RunId;
use crate::policy::Verb;
use crate::run::event::{Event, Who};
use crate::run::lock::Holder;
use crate::run::refusal::Refusal;
use crate::run::state::Run;

/// The lock that an attempt takes with it; nothing when the run holds it already.
pub(super) fn with_attempt(run: &Run, facts: &Facts) -> Result<Option<Event>, Refusal> {
    match &facts.lock {
        _ if run.holds_lock() => Ok(None),
        Some(holder) => Err(Refusal::Locked(Box::new(holder.clone()))),
        None => Ok(Some(taken(run, None, String::new()))),
    }
}

/// Takes the lock from the run that holds it.
pub(super) fn take(run: &Run, who: &Who, facts: &Facts, reason: &str) -> Result<Event, Refusal> {
    let reason = reasoned(reason)?;
    let holder = match &facts.lock {
        _ if run.holds_lock() => return Err(Refusal::Over),
        None => return Err(Refusal::LockFree(run.plan.target.name.clone())),
        Some(holder) => holder,
    };
    if holder.running {
        return Err(Refusal::LockInUse(holder.run));
    }
    if may(who, Verb::Overrule, facts).is_ok() || holder.is_abandoned(facts.now) {
        return Ok(taken(run, Some(holder.run), reason));
    }
    Err(alive(holder))
}

fn taken(run: &Run, from: Option<RunId>, reason: String) -> Event {
    Event::LockTaken { target: run.plan.target.name.clone(), from, reason }
}

fn alive(holder: &Holder) -> Refusal {
    Refusal::LockAlive { run: holder.run, by: holder.by.clone(), active: holder.active.time_of_day() }
}

/// Another run has taken the lock; nothing when this run is known not to hold it any more.
pub(super) fn lose(run: &Run, to: RunId, by: &str, reason: &str) -> Vec<Event> {
    if !run.holds_lock() && run.unreadable.is_none() {
        return Vec::new();
    }
    let (target, by, reason) = (run.plan.target.name.clone(), by.to_owned(), reason.to_owned());
    vec![Event::LockLost { target, to, by, reason }]
}
