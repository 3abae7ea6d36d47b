//! The state of a run: what its events add up to.

mod attempt;
mod change;
mod step;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use attempt::{Attempt, AttemptEnd, AttemptEnding, Ground, RestEnd};
pub use change::{Change, ChangeKind};
pub use step::{CommandState, Offer, Skip, StepState, StepStatus, Tick, ticks};

use super::away::Away;
use super::checks::CheckRecord;
use super::escalating::EscalationRecord;
use super::event::{Verdict, Who};
use super::redaction::Redaction;
use super::request::{Request, Shaped};
use crate::attempt::{AttemptResult, Carried, Intent};
use crate::plan::{Plan, PlanStep};
use crate::{AttemptId, Digest, PersonId, RunId, Timestamp};

/// A run as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// The version of its last event.
    pub version: u64,
    /// What it will do.
    pub plan: Plan,
    /// Who started it, and when.
    pub started: Stamp,
    /// Why.
    pub reason: String,
    /// The values of the parameters that have one.
    pub values: BTreeMap<String, String>,
    /// Every value that was set on the way, oldest first.
    #[serde(default)]
    pub values_set: Vec<ValueSet>,
    /// The directory in which the next attempt begins, of a step that has none of its own.
    pub directory: String,
    /// The version of each secret that the next attempt would get.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The exported variables that the next attempt gets.
    #[serde(default)]
    pub carried: Option<Carried>,
    /// Whether someone typed the name of a production target.
    pub target_confirmed: bool,
    /// The steps, as in the plan.
    pub steps: Vec<StepState>,
    /// The ticks of the expected outcome.
    pub outcome: Vec<Option<Tick>>,
    /// The notes, oldest first.
    pub notes: Vec<Note>,
    /// Who works in it, and since when.
    pub holder: Stamp,
    /// When its last event was recorded.
    pub touched: Timestamp,
    /// Whether it keeps its target to itself, or did.
    pub lock: Option<Lock>,
    /// Why it is to be closed as soon as the step that runs has ended.
    pub abort: Option<String>,
    /// When services were away because of it, oldest first.
    pub away: Vec<Away>,
    /// What was changed in the run itself, oldest first.
    pub changes: Vec<Change>,
    /// What was asked for approval, oldest first.
    #[serde(default)]
    pub requests: Vec<Request>,
    /// Who has shaped it, and how first.
    #[serde(default)]
    pub shapers: BTreeMap<PersonId, Shaped>,
    /// Why its operator went on into an outage without an approval of what comes later.
    #[serde(default)]
    pub outage: Option<(Stamp, String)>,
    /// The checks that were asked, oldest first.
    #[serde(default)]
    pub checks: Vec<CheckRecord>,
    /// What was asked to be covered in its output, oldest first.
    #[serde(default)]
    pub redactions: Vec<Redaction>,
    /// Who was told that the document names for that, oldest first.
    #[serde(default)]
    pub escalations: Vec<EscalationRecord>,
    /// How it was closed.
    pub end: Option<End>,
    /// Set when an event of this run is not known to this version of the portal: the run can then only be read.
    #[serde(default)]
    pub unreadable: Option<String>,
}

/// By whom, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Who.
    pub by: Who,
    /// When.
    pub at: Timestamp,
}

/// How a run stands to the lock of its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum Lock {
    /// It holds the lock, to its end.
    Held {
        /// Since when.
        since: Timestamp,
    },
    /// Another run has taken it.
    Lost {
        /// Which.
        to: RunId,
    },
}

/// A value that somebody gave a parameter after the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueSet {
    /// The parameter's name.
    pub name: String,
    /// The value.
    pub value: String,
    /// By whom, and when.
    pub stamp: Stamp,
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The step it is about.
    pub step: Option<u32>,
    /// The note.
    pub text: String,
    /// By whom, and when.
    pub stamp: Stamp,
}

/// How a run was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// What came of it.
    pub verdict: Verdict,
    /// What the person had to say.
    pub comment: String,
    /// By whom, and when.
    pub stamp: Stamp,
}

impl Run {
    /// The state of a step by its place in the plan, from 1.
    pub fn step(&self, step: u32) -> Option<&StepState> {
        at(&self.steps, step)
    }

    /// Whether it keeps its target to itself now.
    pub fn holds_lock(&self) -> bool {
        self.end.is_none() && matches!(self.lock, Some(Lock::Held { .. }))
    }

    /// Whether a person is the one who works in it.
    pub fn is_held_by(&self, who: &Who) -> bool {
        match (&self.holder.by, who) {
            (Who::Person(holder), Who::Person(actor)) => holder.id == actor.id,
            (holder, who) => holder == who,
        }
    }

    /// The attempt that has not ended, if there is one. At most one attempt of a run is open at a time.
    pub fn open_attempt(&self) -> Option<AttemptId> {
        (1..).zip(&self.steps).find_map(|(step, state)| {
            let last = state.attempts.last()?;
            let attempt = u32::try_from(state.attempts.len()).ok()?;
            last.end.is_none().then_some(AttemptId { run: self.id, step, attempt })
        })
    }

    /// One attempt by its id.
    pub fn attempt(&self, id: AttemptId) -> Option<&Attempt> {
        at(&self.step(id.step)?.attempts, id.attempt)
    }

    /// What was recorded of an attempt before anything of it ran.
    pub fn intent(&self, id: AttemptId) -> Option<Intent> {
        self.attempt(id).map(|attempt| Intent { id, digest: attempt.digest.clone() })
    }

    /// What an attempt did and how long it took, in milliseconds; `None` unless it ran the whole step to a good end.
    pub fn took(&self, id: AttemptId) -> Option<(Digest, u64)> {
        let (plan, attempt) = (self.plan.step(id.step)?, self.attempt(id)?);
        let AttemptEnding::Known(exit) = &attempt.end.as_ref()?.ending else { return None };
        let whole = attempt.commands.len() == plan.commands.len() && exit.result == AttemptResult::Completed;
        whole.then(|| (self.plan.work_of(plan), exit.duration_ms))
    }

    /// The place that the next step gets which is added to the plan.
    pub fn next_place(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The number that the next line, key or batch of keys gets which is sent to a command.
    pub fn next_input(&self) -> u32 {
        let sent = self.changes.iter().map(|change| match change.kind {
            ChangeKind::InputSent { .. } => 1,
            ChangeKind::KeysTyped { batches, .. } => batches,
            _ => 0,
        });
        sent.fold(1, u32::saturating_add)
    }

    /// Whether a command of an attempt is known to have begun.
    pub fn has_begun(&self, id: AttemptId) -> bool {
        let commands = self.step(id.step).map_or(&[][..], |state| &state.commands);
        commands.iter().any(|state| match state.as_run() {
            CommandState::Running { attempt, .. } | CommandState::Ended { attempt, .. } => *attempt == id.attempt,
            _ => false,
        })
    }

    /// Where a step stands.
    pub fn status(&self, step: u32) -> StepStatus {
        match (self.plan.step(step), self.step(step)) {
            (Some(plan), Some(state)) => state.status(plan),
            _ => StepStatus::Waiting,
        }
    }

    /// The first step that is not over, among the steps before the rollback.
    pub fn current_step(&self) -> Option<u32> {
        let of_steps = |step: &u32| self.plan.step(*step).is_some_and(PlanStep::is_on_the_way);
        (1..).take(self.steps.len()).filter(of_steps).find(|step| !self.status(*step).is_over())
    }

    /// The step that says where the run stands: the one that runs, else the first that stopped on the way and waits for a
    /// person, else the next one to do. `None` when all steps are over.
    pub fn stands_at(&self) -> Option<u32> {
        let waits = |step: &u32| self.status(*step).needs_a_person();
        let stopped = || (1..).take(self.steps.len()).find(waits);
        self.open_attempt().map(|open| open.step).or_else(stopped).or_else(|| self.current_step())
    }

    /// Everything in a step that is still to be run, cut where the document has a choice: also what is not offered yet.
    pub fn sets(&self, step: u32) -> Vec<Offer> {
        match (self.plan.step(step), self.step(step)) {
            (Some(plan), Some(state)) if state.skipped.is_none() => state.sets(plan),
            _ => Vec::new(),
        }
    }

    /// What a person may start in a step now: the next commands in a row, or one set for each choice.
    pub fn offers(&self, step: u32) -> Vec<Offer> {
        match (self.plan.step(step), self.step(step)) {
            (Some(plan), Some(state)) if state.skipped.is_none() => state.offers(plan),
            _ => Vec::new(),
        }
    }
}

fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number).ok()?.checked_sub(1)?)
}
