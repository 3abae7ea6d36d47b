//! What is due by itself.

use serde::{Deserialize, Serialize};

use crate::{RunId, Timestamp};

/// The schedule of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleView {
    /// The five fields of cron.
    pub cron: String,
    /// The zone by whose clock it is due.
    pub zone: String,
    /// Who answers for it, by the name to sign in with.
    pub owner: String,
    /// When it is due next; `None` when it never is.
    pub next: Option<Timestamp>,
    /// The run that it started last.
    pub run: Option<RunId>,
    /// What was missed since.
    pub missed: Option<Missed>,
}

/// A time at which a schedule was due and started nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// The last of these times.
    pub due: Timestamp,
    /// How many there were since it started a run.
    pub times: u64,
    /// Why, in a sentence.
    pub why: String,
}
