//! Why something may not happen, in sentences for people.

use super::lock::Holder;
use crate::attempt::ENVIRONMENT_LIMIT;
use crate::policy::Forbidden;
use crate::{RunId, Timestamp};

/// The longest text that a person may write into a reason, a note or a comment, in bytes.
pub const TEXT_LIMIT: usize = 16 * 1024;

/// Why something may not happen. Its text is a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The role does not allow it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The account was disabled meanwhile.
    #[error("Your account is disabled. Nothing was changed")]
    Disabled,
    /// There is no such run.
    #[error("There is no such run")]
    NoRun,
    /// The run exists already.
    #[error("The run exists already")]
    Exists,
    /// The run holds an event that this version of the portal does not know.
    #[error("This run can only be read: {0}")]
    ReadOnly(String),
    /// The run is closed.
    #[error("{by} closed this run at {at}. Nothing was changed; start a new run to go on")]
    Finished {
        /// Who closed it.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Something runs.
    #[error(
        "Step {step} of this run is running since {since}, started by {by}. Nothing else was started; wait or stop it"
    )]
    Busy {
        /// The number that the document gives the step.
        step: u32,
        /// Who started it.
        by: String,
        /// Since when, as a time of day.
        since: String,
    },
    /// Another person works in the run.
    #[error("{by} works in this run since {since}. Nothing was changed; take the run over first")]
    Theirs {
        /// Who.
        by: String,
        /// Since when, as a time of day.
        since: String,
    },
    /// Another run keeps the target to itself.
    #[error("{0}. Nothing was started; wait for its end, or take the lock over")]
    Locked(Box<Holder>),
    /// The run that holds the lock is at work.
    #[error("A step of run {0} is running on this target. The lock was not taken; wait for its end, or stop it there")]
    LockInUse(RunId),
    /// The run that holds the lock was worked in a short while ago.
    #[error(
        "Run {run} was last worked in at {active}, by {by}. The lock was not taken: an operator may take it after 30 minutes \
         without an event, a lead at any time"
    )]
    LockAlive {
        /// The run that holds it.
        run: RunId,
        /// Who works in it.
        by: String,
        /// When something happened in it last, as a time of day.
        active: String,
    },
    /// No other run holds the lock.
    #[error("No other run holds the target {0}. Nothing was changed; start the step")]
    LockFree(String),
    /// The page was behind.
    #[error("{by} started this step at {since}. It was not started again")]
    Started {
        /// Who was faster.
        by: String,
        /// When, as a time of day.
        since: String,
    },
    /// No such step, command, line or parameter.
    #[error("This run has no {0}. Nothing was changed")]
    Nothing(String),
    /// The commands cannot be started together.
    #[error("{0}. Nothing was started")]
    Together(&'static str),
    /// A secret cannot be read.
    #[error("The secret {name} cannot be used: {why}. Nothing was started; tell the administrator")]
    Secret {
        /// Its name.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A value is missing.
    #[error("Set {} first. Nothing was started", .0.join(", "))]
    Missing(Vec<String>),
    /// A word in the command stands for a value that nobody declared.
    #[error("{} stands for a value, and the document's side file does not say which. Nothing was started; declare it as a parameter", quoted(.0))]
    Undeclared(Vec<String>),
    /// The command cannot run at all.
    #[error("{0}. Nothing was started")]
    Blocked(String),
    /// A value does not fit its parameter.
    #[error("{name}: {why}. The value was not set")]
    Misfit {
        /// The parameter's label.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The values are more than an environment carries.
    #[error(
        "The values of these commands have {} bytes together, and {} is the most that one start carries. Nothing was started; \
         run fewer commands at once, or put a long value into a file", crate::time::thousands(*.0 as u64), crate::time::thousands(ENVIRONMENT_LIMIT as u64)
    )]
    TooMuch(usize),
    /// It destroys.
    #[error(
        "\"{rule}\" destroys: it needs the approval of a lead. Approvals are not part of this version, so the portal does not run it. \
         Nothing was started; skip it with a reason, or do it outside and note what you did"
    )]
    NeedsApproval {
        /// The words that gave the class.
        rule: String,
    },
    /// The name of the target has to be typed.
    #[error("{what} Nothing was started; type {target} to go on")]
    NeedsConfirmation {
        /// Why.
        what: &'static str,
        /// The target's name.
        target: String,
    },
    /// Nothing waits for a line.
    #[error("This command does not wait for input now. Nothing was sent; wait until the page says that it may")]
    NotWaiting,
    /// No program takes single keys.
    #[error("No full-screen program runs in this command now. Nothing was sent")]
    NoScreen,
    /// A reason is missing.
    #[error("Say why. Nothing was changed")]
    NoReason,
    /// A text is too long.
    #[error("The text has {0} bytes, and {TEXT_LIMIT} is the most. Nothing was changed")]
    TooLong(usize),
    /// Nothing runs that could be stopped.
    #[error("This step does not run any more. Nothing was stopped")]
    NotRunning,
    /// It is over already.
    #[error("This is done already. Nothing was changed")]
    Over,
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
