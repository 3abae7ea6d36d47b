//! The state of a step and of its commands, and what a person may start in it.

use serde::{Deserialize, Serialize};

use super::{Attempt, Stamp, at};
use crate::Timestamp;
use crate::attempt::{CommandEnd, Outcome};
use crate::plan::PlanStep;
use crate::runbook::{Choice, Item};

/// The state of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Its commands, as in the plan.
    pub commands: Vec<CommandState>,
    /// Its ticks, in order.
    pub ticks: Vec<Option<Tick>>,
    /// Where its next attempt begins, when the step has a directory of its own: that at first, then where its last attempt has
    /// left the shell, or what a person has set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
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

    pub(in crate::run) fn is_bad(&self) -> bool {
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
