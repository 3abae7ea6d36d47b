//! The state of a run: what its events add up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::away::Away;
use super::checks::CheckRecord;
use super::escalating::EscalationRecord;
use super::event::{Verdict, Who};
use super::redaction::Redaction;
use super::request::{Request, Shaped};
use crate::attempt::{AttemptResult, Carried, CommandEnd, Exit, Intent, Key, Outcome};
use crate::plan::{Plan, PlanStep};
use crate::runbook::{Choice, Item};
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
    /// The directory in which the next attempt begins.
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

/// The state of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Its commands, as in the plan.
    pub commands: Vec<CommandState>,
    /// Its ticks, in order.
    pub ticks: Vec<Option<Tick>>,
    /// Set when it was skipped.
    pub skipped: Option<Skip>,
    /// Set when it was marked as done.
    pub done: Option<Stamp>,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// The state of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CommandState {
    /// Not run yet, or not reached.
    #[default]
    Waiting,
    /// It runs.
    Running {
        /// In which attempt.
        attempt: u32,
        /// Since when.
        since: Timestamp,
        /// Where its output begins.
        from: u64,
    },
    /// It ended.
    Ended {
        /// In which attempt.
        attempt: u32,
        /// When.
        at: Timestamp,
        /// Where its output begins.
        from: u64,
        /// Where its output ends.
        to: u64,
        /// How.
        end: CommandEnd,
    },
    /// It ran when its shim was lost: nobody knows how it ended.
    Interrupted {
        /// In which attempt.
        attempt: u32,
    },
    /// It was passed over.
    Skipped(Skip),
}

/// Passed over: why and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Why.
    pub reason: String,
    /// By whom, and when.
    pub stamp: Stamp,
    /// How the command had ended before, if it was run: a skip takes nothing out of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Box<CommandState>>,
}

/// A tick: by whom, when, with which note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// What the person had to say; may be empty.
    pub note: String,
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

/// Where a step stands, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Nothing of it was done.
    Waiting,
    /// A command of it runs.
    Running,
    /// A watch of it runs.
    Watching,
    /// Some of it is done; a person decides how to go on (a difference, a choice, or unticked lines).
    Paused,
    /// All of it ended well.
    Done,
    /// All of it ended, with differences.
    Difference,
    /// A command failed.
    Failed,
    /// It was stopped by a person, or its time was up.
    Stopped,
    /// Nobody knows how it ended.
    Interrupted,
    /// It was passed over.
    Skipped,
}

impl StepStatus {
    /// The status in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Watching => "watching",
            Self::Paused => "paused",
            Self::Done => "ok",
            Self::Difference => "difference",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Skipped => "skipped",
        }
    }

    /// Whether it was begun and goes on only when a person decides how.
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::Paused | Self::Failed | Self::Stopped | Self::Interrupted)
    }

    /// Whether the run may go past the step.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Difference | Self::Skipped)
    }
}

/// A set of commands that a person may start with one deed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The numbers of the commands, in order.
    pub commands: Vec<u32>,
    /// The choice that they belong to.
    pub choice: Option<Choice>,
}

/// The lines of a list that are ticked: the innermost ones, depth first. A line with lines below it is their heading.
pub fn ticks<'a>(items: impl IntoIterator<Item = &'a Item>) -> Vec<&'a Item> {
    items.into_iter().flat_map(|item| if item.items.is_empty() { vec![item] } else { ticks(&item.items) }).collect()
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

impl StepState {
    /// The state of a command by its number, from 1.
    pub fn command(&self, number: u32) -> Option<&CommandState> {
        at(&self.commands, number)
    }

    /// The number of the command that runs.
    pub fn running(&self) -> Option<u32> {
        let runs = |state: &CommandState| matches!(state, CommandState::Running { .. });
        (1..).zip(&self.commands).find_map(|(number, state)| runs(state).then_some(number))
    }
}

impl CommandState {
    /// Its state as it was when it was run last: a skip after that is looked through.
    pub fn as_run(&self) -> &Self {
        match self {
            Self::Skipped(Skip { after: Some(after), .. }) => after.as_run(),
            state => state,
        }
    }

    /// How it ended the last time that it was run.
    pub fn last_end(&self) -> Option<&CommandEnd> {
        match self.as_run() {
            Self::Ended { end, .. } => Some(end),
            _ => None,
        }
    }

    /// What its end means, once it has ended.
    pub fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Ended { end, .. } => Some(end.outcome),
            _ => None,
        }
    }

    /// Whether a step may go past it.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Skipped(_)) || self.outcome().is_some_and(Outcome::is_good)
    }

    pub(super) fn is_bad(&self) -> bool {
        matches!(self, Self::Interrupted { .. }) || self.outcome() == Some(Outcome::Failure)
    }
}

impl Outcome {
    /// Whether a step may go past a command that ended so.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Success | Self::Difference | Self::Watched)
    }
}

impl PlanStep {
    /// Whether the portal has anything to run in this step.
    pub fn is_run(&self) -> bool {
        self.commands.iter().any(|command| command.by_portal.is_none())
    }
}

fn at<T>(list: &[T], number: u32) -> Option<&T> {
    list.get(usize::try_from(number).ok()?.checked_sub(1)?)
}
