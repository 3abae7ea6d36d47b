//! Why something may not happen, in sentences for people.

use super::lock::Holder;
use super::request::{RequestStatus, Shaped};
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
    /// Nobody is there, and this takes a person.
    #[error("What starts by itself only reads, and does nothing else. Nothing was started; a person has to do this")]
    ByItself,
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
    /// It needs an approval, and nobody has asked for one.
    #[error("{} needs the approval of a lead. Nothing was started; ask for it first", needing(rule, why.as_deref()))]
    NeedsApproval {
        /// The sentence of the administrator's rule that asks for it; `None` when it destroys.
        why: Option<String>,
        /// The words that gave the class.
        rule: String,
    },
    /// Nobody, or not everybody, has decided yet.
    #[error(
        "A lead has still to approve this (asked at {asked}, {missing} missing, until {until}). Nothing was started"
    )]
    Undecided {
        /// When it was asked for, as a time of day.
        asked: String,
        /// Until when it can be decided, as a time of day.
        until: String,
        /// How many approvals are missing.
        missing: u32,
    },
    /// The request was decided, or came to an end in another way.
    #[error("This request is {}{}. Nothing was changed; ask again if it is still needed", status.word(), decided_by(by, at))]
    Decided {
        /// Where it stands.
        status: RequestStatus,
        /// Who did it; empty when nobody did.
        by: String,
        /// When, as a time of day.
        at: String,
    },
    /// Its time to start is over.
    #[error("The approval held until {0}. Nothing was started; ask again")]
    TooLate(String),
    /// What was approved has been started already.
    #[error("This approval was for one start, and that is used. Nothing was started; ask again")]
    Spent,
    /// Only a part of what was approved is to be started.
    #[error(
        "What was approved are these commands together. Nothing was started; start all of them, or ask for what you need"
    )]
    Whole,
    /// The approval does not cover the rollback.
    #[error("The approval does not cover the rollback. Nothing was started; ask for it")]
    NoRollback,
    /// The rollback is approved for the case that something fails.
    #[error("The rollback is approved for the case that an approved step fails, and none has. Nothing was started")]
    NothingFailed,
    /// More leads have to approve by now.
    #[error("{0} leads have to approve this now. Nothing was started; ask again")]
    MoreLeads(u32),
    /// A file to which the approval is bound cannot be looked at now.
    #[error(
        "The approval is bound to {file}, which could not be looked at: {why}. Nothing was started; try again, or ask anew"
    )]
    Unseen {
        /// Which.
        file: String,
        /// Why, as the end of a sentence.
        why: String,
    },
    /// An approval that was given does not hold any more.
    #[error("The approval does not hold any more: {0}. Nothing was started; ask again")]
    Void(String),
    /// The approver has shaped the run.
    #[error("You have {}, so another lead has to decide. Nothing was decided", .0.words())]
    Shaped(Shaped),
    /// No second factor was proven.
    #[error("This takes your second factor. Nothing was decided; give its code")]
    NoFactor,
    /// What is asked for needs no approval.
    #[error("\"{0}\" needs no approval. Nothing was asked; start it")]
    NoNeed(String),
    /// The same was asked for already.
    #[error("The approval of \"{0}\" was asked for already. It was not asked again")]
    Asked(String),
    /// A later step still has no approval.
    #[error(
        "This step takes a service away, and \"{step}\" after it has no approval yet: the service would be away until a lead decides. \
         Nothing was started; wait for the decision, or say why it cannot wait"
    )]
    Outage {
        /// The later step's title.
        step: String,
    },
    /// Nobody, or not this person, may start without an approval.
    #[error("Your role may not start this without an approval. Nothing was started; ask a lead")]
    NoGlass,
    /// An earlier emergency was not looked at yet.
    #[error(
        "What you started without an approval in run {0} was not reviewed yet. Nothing was started; ask another lead to review it first"
    )]
    Unreviewed(RunId),
    /// The own emergency cannot be reviewed.
    #[error("You started this without an approval yourself, so another lead has to review it. Nothing was changed")]
    OwnGlass,
    /// What is to be covered cannot be covered.
    #[error("{0}. Nothing was asked; name another place")]
    NoPlace(&'static str),
    /// The attempt has not ended.
    #[error("This attempt has not ended. Nothing was asked; cover something in its output when it has")]
    NotEnded,
    /// Something in this output waits to be covered already.
    #[error(
        "{by} asked at {at} to cover something in this output, and nobody has confirmed or rejected that yet. Nothing was asked"
    )]
    RedactionWaits {
        /// Who asked.
        by: String,
        /// When, as a time of day.
        at: String,
    },
    /// The redaction was confirmed or rejected already.
    #[error("{by} decided on this at {at}. Nothing was changed")]
    RedactionOver {
        /// Who.
        by: String,
        /// When, as a time of day.
        at: String,
    },
    /// Who asks does not confirm.
    #[error("You asked for this yourself, so another person has to confirm it. Nothing was covered")]
    OwnRedaction,
    /// The output is not what the record knows, or what was asked about.
    #[error(
        "The stored output is not the one that the record knows, or that was asked about. Nothing was covered; have the record \
         verified, and ask again"
    )]
    OutputChanged,
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
    /// Only single lines, and the keys that end a full-screen program.
    #[error("This step has no full keyboard: its side file does not say that it is interactive. Nothing was sent")]
    NoKeyboard,
    /// What was typed cannot be sent.
    #[error("{0}. Nothing was sent")]
    Keys(&'static str),
    /// The expected outcome is not proven by its checks.
    #[error(
        "The outcome was not found to be reached: {}. Nothing was closed; check again, overrule a check with a reason, or close the \
         run with another verdict", .0.join("; ")
    )]
    Unproven(Vec<String>),
    /// The checks were begun by this very deed.
    #[error("The expected outcome is not checked yet, and {} being asked now. Nothing was closed; close the run when all hold", checks(*.0))]
    BeingChecked(usize),
    /// Everything that was asked for is being asked already.
    #[error("This is being checked already. It was not asked again")]
    Checking,
    /// There is no answer that could be overruled.
    #[error("{0}. Nothing was overruled; check it first")]
    CheckFirst(&'static str),
    /// The page with the call was made before somebody else was called.
    #[error(
        "Somebody was called into this run since this page was made. Your call of {0} was not made; look who was called, and \
         call again"
    )]
    CalledMeanwhile(String),
    /// People have called others into this run as often as is of use.
    #[error(
        "People have called others into this run {times} times, and that is the most. {to} was not called; call them in \
         another way"
    )]
    CalledOften {
        /// How often.
        times: usize,
        /// Whom, in the document's words.
        to: String,
    },
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

/// `1 check is`, `3 checks are`
fn checks(count: usize) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", crate::time::counted(count as u64, "check"))
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// ` by Lena at 10:12:04`, or ` since 10:12:04`
fn decided_by(by: &str, at: &str) -> String {
    if by.is_empty() { format!(" since {at}") } else { format!(": {by} decided at {at}") }
}

/// `"rm -rf"`, or `"systemctl stop" (no outage without a lead)`
fn needing(rule: &str, why: Option<&str>) -> String {
    why.map_or_else(|| format!("\"{rule}\""), |why| format!("\"{rule}\" ({why})"))
}
