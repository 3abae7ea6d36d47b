//! The lock of a target: what takes a service away runs in one run at a time, across all procedures.
//!
//! A run takes the lock with its first attempt that disrupts or destroys and holds it to its end, so that a restart does not
//! fall into another person's restore. Runs that only read never exclude each other.

use std::fmt;

use super::state::{Lock, Run};
use crate::policy::Sight;
use crate::{RunId, Timestamp};

/// After so many milliseconds without an event in the run that holds it, an operator may take a lock.
pub const ABANDONED_AFTER_MS: u64 = 30 * 60 * 1000;

/// The run that keeps a target to itself, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub run: RunId,
    /// The title of its procedure; `None` when it is limited to others than the person who asks.
    pub title: Option<String>,
    /// The target.
    pub target: String,
    /// Who works in it.
    pub by: String,
    /// Since when it holds the lock.
    pub since: Timestamp,
    /// When its last event was recorded.
    pub active: Timestamp,
    /// Whether a step of it runs.
    pub running: bool,
    /// When it will probably end, from how long its procedure usually takes.
    pub expected: Option<Timestamp>,
}

impl Holder {
    /// The holder that a run is which the lists say holds a lock, for the person who asks; `None` when it does not. `usual` is
    /// how long its procedure usually takes, in milliseconds.
    pub fn of(run: &Run, usual: Option<u64>, sight: &Sight) -> Option<Self> {
        let since = match run.lock {
            Some(Lock::Held { since }) if run.holds_lock() => since,
            // It may have taken the lock with an event that is not known here.
            _ if run.unreadable.is_some() && run.end.is_none() => run.touched,
            _ => return None,
        };
        let seen = sight.sees_run(&run.plan);
        Some(Self {
            run: run.id,
            title: seen.then(|| run.plan.title.clone()),
            target: run.plan.target.name.clone(),
            by: run.holder.by.name().to_owned(),
            since,
            active: run.touched,
            running: run.open_attempt().is_some(),
            expected: usual.filter(|_| seen).map(|usual| run.started.at.plus(usual)),
        })
    }

    /// Whether nothing has happened in the run for so long that an operator may take its lock.
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        now.since(self.active) >= ABANDONED_AFTER_MS
    }
}

/// `production is held by run 12, "Restore from Backup", since 10:12: Olga Marin works in it, expected until about 10:40`, or
/// `production is held by run 12, which is limited to others, since 10:12: Olga Marin works in it`
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, title, target, by, since, .. } = self;
        write!(f, "{target} is held by run {run}, ")?;
        match title {
            Some(title) => write!(f, "\"{title}\"")?,
            None => f.write_str("which is limited to others")?,
        }
        write!(f, ", since {}: {by} works in it", since.time_of_day())?;
        match self.expected {
            Some(expected) => write!(f, ", expected until about {}", expected.time_of_day()),
            None => Ok(()),
        }
    }
}
