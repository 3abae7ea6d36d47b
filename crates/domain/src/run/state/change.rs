//! What is changed in the run itself: who works in it, its lock, its plan, what was typed.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::attempt::Key;
use crate::{RunId, Timestamp};

/// Something that was changed in the run itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// By whom, and when.
    pub stamp: Stamp,
    /// What.
    pub kind: ChangeKind,
}

/// What can be changed in the run itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeKind {
    /// Another person works in it.
    TakenOver {
        /// Why.
        reason: String,
    },
    /// It took the lock of its target.
    LockTaken {
        /// From which run, if one held it.
        from: Option<RunId>,
        /// Why, then.
        reason: String,
    },
    /// Another run took the lock.
    LockLost {
        /// Which.
        to: RunId,
        /// Who did it.
        by: String,
        /// Why.
        reason: String,
    },
    /// The next attempt begins elsewhere.
    DirectorySet {
        /// Where.
        path: String,
        /// The step that it is for alone, by its place in the plan, when that has a directory of its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u32>,
    },
    /// A step that is not in the document.
    StepAdded {
        /// Its place in the plan, from 1.
        step: u32,
    },
    /// Something was sent to a command.
    InputSent {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The command's number.
        command: u32,
        /// The key, when it was one; `None` for a line.
        key: Option<Key>,
    },
    /// Somebody typed with a full keyboard, for a while.
    KeysTyped {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The command's number.
        command: u32,
        /// How many bytes, together.
        bytes: u64,
        /// How often something was sent.
        batches: u32,
        /// When the last of it was.
        until: Timestamp,
    },
    /// A secret has another value than at the last attempt.
    SecretChanged {
        /// Its name.
        name: String,
    },
    /// It is to be closed.
    AbortAsked {
        /// Why.
        reason: String,
    },
}
