//! What the page of the audit shows.

use serde::{Deserialize, Serialize};

use crate::audit::{Checkpoint, Part, Verification};
use crate::run::Who;
use crate::{RunId, Timestamp};

/// What the record is worth: how far it has come, and what proves it outside the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// Events that there are.
    pub events: u64,
    /// The last checkpoint that was written.
    pub last: Option<Checkpoint>,
    /// The folder of checkpoints.
    pub folder: String,
    /// Whether it lies on the same file system as the data folder: who can change one can often change the other.
    pub beside: bool,
    /// The fingerprint of the public key.
    pub fingerprint: String,
    /// Why the last checkpoint could not be written, in a sentence.
    pub trouble: Option<String>,
    /// What was found wrong when the portal was opened, in a sentence.
    pub broken: Option<String>,
}

/// The last verification since the portal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum VerificationState {
    /// There was none.
    #[default]
    Never,
    /// It runs.
    Running {
        /// What it looks at.
        part: Part,
        /// How many of them it has seen.
        seen: u64,
        /// How many there are, where that is known.
        of: Option<u64>,
    },
    /// It has ended.
    Done {
        /// When.
        at: Timestamp,
        /// How long it took, in milliseconds.
        took_ms: u64,
        /// What it has found.
        verification: Verification,
    },
    /// It could not be made.
    Failed {
        /// When.
        at: Timestamp,
        /// Why, in a sentence.
        why: String,
    },
}

/// One event of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its place in the chain.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who did it; nobody for what a stranger tried.
    pub by: Option<Who>,
    /// The run that it happened to; `None` for what happened to no run.
    pub run: Option<RunId>,
    /// Its name, as it is stored.
    pub kind: String,
    /// What else it says, as `name: value`; empty for events of runs, whose page tells them.
    pub details: Vec<(String, String)>,
    /// Whether it is about a run that is limited to others than the person who looks: only its place and its moment are told.
    #[serde(default)]
    pub hidden: bool,
}

/// A piece of the chain, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// What proves it.
    pub info: CheckpointInfo,
    /// The last verification.
    pub verification: VerificationState,
    /// The events.
    pub rows: Vec<AuditRow>,
    /// The place before which older ones go on; `None` at the first event.
    pub older: Option<u64>,
    /// Whether only what happened to no run is shown.
    pub portal_only: bool,
    /// The portal's time.
    pub now: Timestamp,
}
