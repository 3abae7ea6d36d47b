//! What was asked to be covered in the output of a run, and what became of it.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::state::{Run, Stamp};
use crate::redaction::{ByteRange, covered_bytes};
use crate::{AttemptId, Digest, RunId, time};

/// Somebody wants something in the output of an attempt to be covered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redaction {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The attempt's number in the step, from 1.
    pub attempt: u32,
    /// The bytes.
    pub ranges: Vec<ByteRange>,
    /// Why.
    pub reason: String,
    /// How many bytes the output has.
    pub bytes: u64,
    /// What the output was when it was asked: its SHA-256.
    pub output: Digest,
    /// Who asked, and when.
    pub asked: Stamp,
    /// What became of it; `None` while it waits for another person.
    pub end: Option<RedactionEnd>,
}

/// What became of a redaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum RedactionEnd {
    /// Somebody said no, or whoever had asked took it back.
    Rejected {
        /// Who, and when.
        stamp: Stamp,
        /// Why.
        reason: String,
        /// The kind of second factor that was proven for it, in words; empty where none was.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        factor: String,
    },
    /// It was confirmed, and covered.
    Covered {
        /// Who, and when.
        stamp: Stamp,
        /// What the output is then: its SHA-256.
        new: Digest,
        /// The kind of second factor that was proven for it, in words.
        factor: String,
    },
}

impl Redaction {
    /// How many bytes are to be covered.
    pub fn covers(&self) -> u64 {
        covered_bytes(&self.ranges)
    }

    /// How much it is: `12 bytes in 2 places`
    pub fn amount(&self) -> String {
        let counted = |count: u64, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{} {one}s", time::thousands(count)),
        };
        format!("{} in {}", counted(self.covers(), "byte"), counted(self.ranges.len() as u64, "place"))
    }

    /// The output that it is about.
    pub const fn attempt_of(&self, run: RunId) -> AttemptId {
        AttemptId { run, step: self.step, attempt: self.attempt }
    }

    /// Who confirmed it, and when.
    pub fn covered(&self) -> Option<&Stamp> {
        match &self.end {
            Some(RedactionEnd::Covered { stamp, .. }) => Some(stamp),
            _ => None,
        }
    }
}

impl Run {
    /// One redaction by its number, from 1.
    pub fn redaction(&self, number: u32) -> Option<&Redaction> {
        self.redactions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The redactions with their numbers, oldest first.
    pub fn numbered_redactions(&self) -> impl Iterator<Item = (u32, &Redaction)> {
        (1..).zip(&self.redactions)
    }

    /// The redactions of one attempt with their numbers, oldest first.
    pub fn redactions_of(&self, id: AttemptId) -> impl Iterator<Item = (u32, &Redaction)> {
        self.numbered_redactions()
            .filter(move |(_, redaction)| (redaction.step, redaction.attempt) == (id.step, id.attempt))
    }

    /// The redactions that wait for another person, with their numbers, oldest first.
    pub fn waiting_redactions(&self) -> impl Iterator<Item = (u32, &Redaction)> {
        self.numbered_redactions().filter(|(_, redaction)| redaction.end.is_none())
    }

    /// The places of an attempt's output of which the record says that they are covered, whatever the disk has taken yet.
    pub fn covered_places(&self, id: AttemptId) -> Vec<Vec<ByteRange>> {
        let covered = self.redactions_of(id).filter(|(_, redaction)| redaction.covered().is_some());
        covered.map(|(_, redaction)| redaction.ranges.clone()).collect()
    }

    /// The redaction of an attempt that waits for another person; one at most.
    pub fn waiting_redaction(&self, id: AttemptId) -> Option<(u32, &Redaction)> {
        self.redactions_of(id).find(|(_, redaction)| redaction.end.is_none())
    }

    pub(super) fn note_redaction(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::RedactionAsked { step, attempt, ranges, reason, bytes, output } => {
                let (ranges, reason, output) = (ranges.clone(), reason.clone(), output.clone());
                let (step, attempt, bytes) = (*step, *attempt, *bytes);
                self.redactions.push(Redaction {
                    step,
                    attempt,
                    ranges,
                    reason,
                    bytes,
                    output,
                    asked: stamp,
                    end: None,
                });
            }
            Event::RedactionRejected { number, reason, factor } => {
                let (reason, factor) = (reason.clone(), factor.clone());
                self.end_redaction(*number, RedactionEnd::Rejected { stamp, reason, factor });
            }
            Event::OutputRedacted { number, step, attempt, new, factor, .. } => {
                self.end_redaction(*number, RedactionEnd::Covered { stamp, new: new.clone(), factor: factor.clone() });
                self.set_output(*step, *attempt, new);
            }
            _ => {}
        }
    }

    fn end_redaction(&mut self, number: u32, end: RedactionEnd) {
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        if let Some(redaction) = place.and_then(|place| self.redactions.get_mut(place)) {
            redaction.end = Some(end);
        }
    }
}
