//! Requests for approval in a run, what became of them, and how long they hold.

mod noting;
mod shaped;
mod standing;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use shaped::Shaped;

use super::state::Stamp;
use crate::approval::{Difference, Evidence, Need};
use crate::attempt::Work;
use crate::{AttemptId, Digest, PersonId, Timestamp};

/// A set of commands that is to be approved, with exactly what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The numbers of the commands, ascending.
    pub commands: Vec<u32>,
    /// What they do, with everything that they are given.
    pub work: Box<Work>,
    /// Whether it is of the document's rollback: it holds only where the approval says so, and only after a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// What made the approval necessary when it was asked for; `None` in requests of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
}

impl Covered {
    /// The digest that the intent has to have.
    pub fn digest(&self) -> Digest {
        self.work.digest()
    }

    /// A digest that is the same for a set that does the same on the same target, whoever asks and in whichever step.
    pub fn same(&self) -> Digest {
        Digest::of_canonical(&self.what())
    }

    /// The target, the directory, the scripts, and the values but those that only tell for whom they work.
    fn what(&self) -> (&String, &String, Vec<&String>, BTreeMap<&String, &String>) {
        let work = &self.work;
        let values = work.environment.iter().filter(|(name, _)| !is_acting(name)).collect();
        (&work.target, &work.directory, work.commands.iter().map(|command| &command.script).collect(), values)
    }
}

/// A request for approval, or the breaking of the glass, which is an approval that its maker gave alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is to be approved.
    pub covers: Vec<Covered>,
    /// Who asked, and when.
    pub asked: Stamp,
    /// Why.
    pub reason: String,
    /// What the portal saw then.
    pub evidence: Evidence,
    /// When it expires, if nobody has decided until then.
    pub expires: Timestamp,
    /// How many different leads have to approve.
    pub leads: u32,
    /// The digest of the rules under which it was made.
    pub rules: Digest,
    /// Milliseconds within which a covered step has to start.
    pub start_within_ms: u64,
    /// Milliseconds for which the rollback may start after a failure.
    pub rollback_within_ms: u64,
    /// Who approved, oldest first.
    pub approvals: Vec<Approval>,
    /// How it came to an end, other than by being used.
    pub end: Option<RequestEnd>,
    /// The attempts that were started under it, oldest first.
    pub uses: Vec<AttemptId>,
    /// Set when it was made by breaking the glass.
    pub glass: Option<Glass>,
}

/// One lead's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who, and when.
    pub stamp: Stamp,
    /// Whether one retry of the same bytes is approved, too.
    pub retry: bool,
    /// Whether the document's rollback is approved, too.
    pub rollback: bool,
    /// What the lead had to say; may be empty.
    pub comment: String,
    /// The kind of second factor that was proven for it, in words.
    pub factor: String,
}

/// How a request came to an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum RequestEnd {
    /// A lead said no.
    Rejected {
        /// Who, and when.
        stamp: Stamp,
        /// Why.
        reason: String,
    },
    /// It was taken back.
    Cancelled {
        /// By whom, and when.
        stamp: Stamp,
        /// Why; may be empty.
        reason: String,
    },
    /// Nobody decided in time.
    Expired {
        /// When that was recorded.
        at: Timestamp,
    },
    /// Something that it covers, or its ground, is not any more as it was.
    Void {
        /// When.
        at: Timestamp,
        /// What.
        why: Vec<Difference>,
    },
}

/// The breaking of the glass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glass {
    /// Who looked at it afterwards, and what they had to say.
    pub review: Option<(Stamp, String)>,
}

/// Where a request stands, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Nobody has decided yet, or not enough leads.
    Waiting,
    /// It may be used.
    Approved,
    /// All that it covers was started.
    Used,
    /// A lead said no.
    Rejected,
    /// It was taken back.
    Cancelled,
    /// Its time is over.
    Expired,
    /// What it covers has changed.
    Void,
}

impl RequestStatus {
    /// All of them, in the order in which pages list them.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Approved, Self::Used, Self::Rejected, Self::Cancelled, Self::Expired, Self::Void];

    /// The status in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Rejected => "rejected",
            Self::Cancelled => "taken back",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// Whether it may still let something start.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Approved)
    }
}

impl Request {
    /// When enough leads had approved.
    pub fn approved_at(&self) -> Option<Timestamp> {
        let place = usize::try_from(self.leads.max(1)).ok()?.checked_sub(1)?;
        if self.glass.is_some() {
            return Some(self.asked.at);
        }
        self.approvals.get(place).map(|approval| approval.stamp.at)
    }

    /// Whether what has ended badly so often may be started once more: once where every lead has approved that. What was started
    /// by breaking the glass may be started again as long as it fails: that is no second glass.
    pub fn may_retry(&self, bad: usize) -> bool {
        self.glass.is_some() || self.retry() && bad == 1
    }

    /// Whether every lead who approved has approved one retry, too.
    pub fn retry(&self) -> bool {
        !self.approvals.is_empty() && self.approvals.iter().all(|approval| approval.retry)
    }

    /// Whether every lead who approved has approved the rollback, too.
    pub fn rollback(&self) -> bool {
        !self.approvals.is_empty() && self.approvals.iter().all(|approval| approval.rollback)
    }

    /// What has to be started for the request to be used up: all but the rollback.
    pub fn steps(&self) -> impl Iterator<Item = &Covered> {
        self.covers.iter().filter(|covered| !covered.rollback)
    }

    /// Why a lead said no, if one did.
    pub fn rejected_because(&self) -> Option<&str> {
        match &self.end {
            Some(RequestEnd::Rejected { reason, .. }) => Some(reason),
            _ => None,
        }
    }

    /// Whether some commands of a step are among what it covers.
    pub fn lets(&self, step: u32, commands: &[u32]) -> bool {
        self.covers.iter().any(|covered| covered.step == step && is_part_of(commands, &covered.commands))
    }

    /// Whose role has to hold at the start: who approved, or who went on alone.
    pub fn responsible(&self) -> impl Iterator<Item = &PersonId> {
        let alone = self.glass.as_ref().and_then(|_| self.asked.by.id());
        self.approvers().chain(alone)
    }

    /// Who approved, by id.
    pub fn approvers(&self) -> impl Iterator<Item = &PersonId> {
        self.approvals.iter().filter_map(|approval| approval.stamp.by.id())
    }

    /// A digest that is the same for another request that asks for the same on the same target, whoever asks.
    pub fn same(&self) -> Digest {
        Digest::of_canonical(&self.steps().map(Covered::what).collect::<Vec<_>>())
    }
}

/// Whether a variable only tells for whom a command works.
pub(super) fn is_acting(name: &str) -> bool {
    name.starts_with("PORTAL_") || name.starts_with("GIT_AUTHOR_") || name.starts_with("GIT_COMMITTER_")
}

/// Whether commands are the whole of others, or their end.
pub(super) fn is_part_of(commands: &[u32], whole: &[u32]) -> bool {
    !commands.is_empty() && whole.ends_with(commands)
}
