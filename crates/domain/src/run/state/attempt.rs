//! One attempt at a step: where it began, how it ended, and what it has left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::attempt::{AttemptResult, Carried, Exit};
use crate::{Digest, Timestamp};

/// One attempt at a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The numbers of its commands.
    pub commands: Vec<u32>,
    /// The digest of its work.
    pub digest: Digest,
    /// Who started it, and when.
    pub started: Stamp,
    /// Where it began.
    #[serde(default)]
    pub began: Ground,
    /// The values of the parameters that its commands use, as they were then.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The watches that somebody ended, by their number.
    #[serde(default)]
    pub watches_ended: Vec<(u32, Stamp)>,
    /// Who asked it to stop.
    pub stop: Option<Stamp>,
    /// How it ended, once it has.
    pub end: Option<AttemptEnd>,
    /// Who asked to end what it had left behind, oldest first.
    #[serde(default)]
    pub rest_asked: Vec<Stamp>,
    /// What came of that, oldest first.
    #[serde(default)]
    pub rest_ended: Vec<RestEnd>,
}

/// What an attempt finds of what those before it have left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The directory.
    pub directory: String,
    /// The variables.
    pub carried: Option<Carried>,
}

/// What came of it when somebody asked to end what an attempt had left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestEnd {
    /// When that was recorded.
    pub at: Timestamp,
    /// The processes that could not be ended.
    pub left: Vec<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptEnd {
    /// How.
    pub ending: AttemptEnding,
    /// When that was recorded.
    pub at: Timestamp,
    /// Bytes of output.
    pub bytes: u64,
    /// What the output is as far as the record knows: its SHA-256, also after something in it was covered.
    #[serde(default)]
    pub output: Option<Digest>,
    /// Processes that still ran then, or could not be ended.
    pub survivors: Vec<String>,
}

/// Known or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub enum AttemptEnding {
    /// The shim's last record.
    Known(Box<Exit>),
    /// Interrupted, outcome unknown.
    Unknown {
        /// Why that is known.
        reason: String,
    },
}

impl Attempt {
    /// The processes of it that were still there when it was looked at last, once it has ended.
    pub fn rest(&self) -> &[String] {
        let at_its_end = self.end.as_ref().map_or(&[][..], |end| &end.survivors);
        self.rest_ended.last().map_or(at_its_end, |last| &last.left)
    }

    /// Whether it has ended, and processes of it are still there as far as is known.
    pub fn left_something(&self) -> bool {
        !self.rest().is_empty()
    }

    /// Whether it has ended without having run anything.
    pub fn ran_nothing(&self) -> bool {
        matches!(self.result(), Some(AttemptResult::NotStarted { .. }))
    }

    /// Whether it has ended badly: a failure, a stop, or nobody knows how.
    pub fn is_bad(&self) -> bool {
        let Some(end) = &self.end else { return false };
        match &end.ending {
            AttemptEnding::Unknown { .. } => true,
            AttemptEnding::Known(exit) => {
                !matches!(exit.result, AttemptResult::Completed | AttemptResult::Difference { .. })
            }
        }
    }

    /// Whether it has ended at a difference, with commands left to run.
    pub fn has_paused(&self) -> bool {
        matches!(self.result(), Some(AttemptResult::Difference { .. }))
    }

    /// What it has left for later attempts; what it found where it did not say.
    pub(in crate::run) fn left(&self) -> Ground {
        let known = self.end.as_ref().and_then(|end| match &end.ending {
            AttemptEnding::Known(exit) => Some(exit),
            AttemptEnding::Unknown { .. } => None,
        });
        let directory = known.and_then(|exit| exit.directory.clone()).unwrap_or_else(|| self.began.directory.clone());
        let exported = known.and_then(|exit| exit.exported.as_ref().map(|exported| Carried::of(exit.id, exported)));
        Ground { directory, carried: exported.unwrap_or_else(|| self.began.carried.clone()) }
    }

    fn result(&self) -> Option<&AttemptResult> {
        match &self.end.as_ref()?.ending {
            AttemptEnding::Known(exit) => Some(&exit.result),
            AttemptEnding::Unknown { .. } => None,
        }
    }
}
