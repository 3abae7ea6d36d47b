//! What can be asked of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decide::Wanted;
use super::event::Verdict;
use crate::approval::Evidence;
use crate::attempt::{Exit, Input, Mark};
use crate::check::{CheckEnd, CheckId};
use crate::escalation::Addressee;
use crate::plan::{Plan, PlanStep};
use crate::policy::Verb;
use crate::redaction::ByteRange;
use crate::{Digest, RunId};

/// What a person or a shim wants to happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    /// Create a run.
    Start {
        /// What it will do.
        plan: Box<Plan>,
        /// Why.
        reason: String,
        /// Values that are given now.
        values: BTreeMap<String, String>,
    },
    /// Give a parameter its value.
    SetValue {
        /// The parameter's name.
        name: String,
        /// The value.
        value: String,
    },
    /// Run commands of a step.
    RunCommands {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The number that the attempt will have: a form that is sent twice starts one attempt.
        attempt: u32,
        /// The numbers of the commands, ascending.
        commands: Vec<u32>,
        /// What the person typed where the portal asks for the target's name.
        confirmation: Option<String>,
        /// Why the step is to take a service away although a later one still waits for its approval.
        #[serde(default)]
        outage: Option<String>,
    },
    /// Ask leads to approve commands that need it.
    RequestApproval {
        /// The number that the request will have in the run, from 1: a form that is sent twice asks once.
        request: u32,
        /// The steps and commands.
        wanted: Vec<Wanted>,
        /// Why.
        reason: String,
        /// What the portal has seen about it.
        evidence: Box<Evidence>,
    },
    /// Approve a request.
    Grant {
        /// The request's number in the run, from 1.
        request: u32,
        /// Whether one retry of the same bytes is approved, too.
        retry: bool,
        /// Whether the document's rollback is approved, too.
        rollback: bool,
        /// A comment; may be empty.
        comment: String,
    },
    /// Say no to a request.
    Reject {
        /// The request's number in the run, from 1.
        request: u32,
        /// Why.
        reason: String,
    },
    /// Take a request back, also one that was approved and not used yet.
    CancelApproval {
        /// The request's number in the run, from 1.
        request: u32,
        /// Why; may be empty.
        reason: String,
    },
    /// Go on alone, without an approval.
    BreakGlass {
        /// The number that it will have among the run's requests, from 1.
        request: u32,
        /// The steps and commands.
        wanted: Vec<Wanted>,
        /// Why.
        reason: String,
    },
    /// Look at a broken glass afterwards.
    ReviewGlass {
        /// The request's number in the run, from 1.
        request: u32,
        /// What there is to say.
        comment: String,
    },
    /// Ask for something in the output of an attempt to be covered.
    AskRedaction {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step, from 1.
        attempt: u32,
        /// The bytes: sorted, apart from each other, inside the output.
        ranges: Vec<ByteRange>,
        /// Why.
        reason: String,
        /// How many bytes the output has, as it was found.
        bytes: u64,
        /// Its SHA-256, as it was found.
        output: Digest,
    },
    /// Confirm that something is covered.
    ConfirmRedaction {
        /// The redaction's number in the run, from 1.
        number: u32,
        /// The SHA-256 of the output, as it was found now.
        old: Digest,
        /// What it will be.
        new: Digest,
    },
    /// Say no to covering something.
    RejectRedaction {
        /// The redaction's number in the run, from 1.
        number: u32,
        /// Why.
        reason: String,
    },
    /// From the portal's clock: nobody has decided a request in time.
    Expire {
        /// The request's number in the run, from 1.
        request: u32,
    },
    /// Pass over one command.
    SkipCommand {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The command's number.
        command: u32,
        /// Why.
        reason: String,
    },
    /// Pass over a step.
    SkipStep {
        /// The step's place in the plan, from 1.
        step: u32,
        /// Why.
        reason: String,
    },
    /// Mark a manual step as done.
    CompleteStep {
        /// The step's place in the plan, from 1.
        step: u32,
    },
    /// End the watch that runs; the next command goes on.
    EndWatch {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt that is meant.
        attempt: u32,
        /// The number of the watch that is meant: a form that is sent twice does not end the watch after it.
        command: u32,
    },
    /// Stop the attempt that runs.
    Stop {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt that is meant.
        attempt: u32,
    },
    /// Tick a line.
    Tick {
        /// The step's place in the plan; `None` is the expected outcome.
        step: Option<u32>,
        /// The line's place among the ticks, from 1.
        item: u32,
        /// A note; may be empty.
        note: String,
    },
    /// Take a tick back.
    Untick {
        /// The step's place in the plan; `None` is the expected outcome.
        step: Option<u32>,
        /// The line's place among the ticks, from 1.
        item: u32,
    },
    /// Ask for checks.
    StartChecks {
        /// Which; those that are being asked already are passed over.
        checks: Vec<CheckId>,
    },
    /// Say why a check that did not hold does not stand against the outcome.
    OverruleCheck {
        /// Which.
        check: CheckId,
        /// Why.
        reason: String,
    },
    /// Write a note.
    AddNote {
        /// The step it is about.
        step: Option<u32>,
        /// The note.
        text: String,
    },
    /// Tell somebody whom the document names for that.
    Escalate {
        /// The number that it will have among the run's escalations, from 1: a form that is sent twice tells once.
        number: u32,
        /// Whom, and by which ways.
        to: Vec<Addressee>,
        /// The hand-over.
        text: String,
    },
    /// Go on with a run that another person works in.
    TakeOver {
        /// Why.
        reason: String,
    },
    /// Take the target's lock from the run that holds it.
    TakeLock {
        /// Why.
        reason: String,
    },
    /// Let the next attempt begin in another directory; of the step at which the run stands alone, when that has its own.
    SetDirectory {
        /// The directory, absolute.
        path: String,
    },
    /// Add a step that is not in the document.
    AddStep {
        /// The place in the plan that it will have, from 1: a form that is sent twice adds one step.
        place: u32,
        /// The step; its `ad_hoc` says why, and after which step.
        step: Box<PlanStep>,
    },
    /// Send something to the command that runs.
    SendInput {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt that is meant.
        attempt: u32,
        /// The command that is meant: an answer to one is not given to the next.
        command: u32,
        /// The number that it will have among all that was sent in this run, from 1: a form that is sent twice answers one
        /// question.
        number: u32,
        /// What.
        input: Input,
    },
    /// Give the run up: what runs is stopped, and the run is closed.
    Abort {
        /// Why.
        reason: String,
    },
    /// Close the run.
    Finish {
        /// What came of it.
        verdict: Verdict,
        /// A comment; may be empty when the outcome was reached.
        comment: String,
    },
    /// From the portal: another run has taken the lock.
    LoseLock {
        /// The run that holds it now.
        to: RunId,
        /// Who took it.
        by: String,
        /// Why.
        reason: String,
    },
    /// From the portal's clock: a line of the escalation may be due.
    EscalateDue {
        /// The line's number, from 1.
        line: u32,
        /// Whom it names, and by which ways they are told.
        to: Vec<Addressee>,
        /// The hand-over.
        text: String,
    },
    /// From the portal: what came of a check.
    EndCheck {
        /// The check's number in the run, from 1.
        number: u32,
        /// What.
        end: CheckEnd,
    },
    /// From the shim: a border in the output.
    Note {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// What the shim noted.
        mark: Mark,
    },
    /// From the shim: its last record.
    Settle {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// The record.
        exit: Box<Exit>,
    },
    /// From the portal: the shim is gone without a last record.
    Interrupt {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// Why that is known.
        reason: String,
        /// Bytes of output that are there.
        bytes: u64,
        /// Their SHA-256, where they could be read.
        output: Option<Digest>,
        /// Processes that still run.
        survivors: Vec<String>,
    },
    /// From the portal: what an attempt had left behind was ended.
    EndSurvivors {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number.
        attempt: u32,
        /// The processes that could not be ended.
        left: Vec<String>,
    },
}

impl Command {
    /// The verb that a command needs; `None` for what only the portal itself may say.
    pub const fn verb(&self) -> Option<Verb> {
        match self {
            Self::Start { .. } => Some(Verb::StartRun),
            Self::Stop { .. } | Self::EndWatch { .. } | Self::Abort { .. } => Some(Verb::Stop),
            Self::SetValue { .. }
            | Self::RunCommands { .. }
            | Self::SkipCommand { .. }
            | Self::SkipStep { .. }
            | Self::CompleteStep { .. }
            | Self::Tick { .. }
            | Self::Untick { .. }
            | Self::StartChecks { .. }
            | Self::OverruleCheck { .. }
            | Self::AddNote { .. }
            | Self::Escalate { .. }
            | Self::TakeOver { .. }
            | Self::TakeLock { .. }
            | Self::SetDirectory { .. }
            | Self::AddStep { .. }
            | Self::SendInput { .. }
            | Self::RequestApproval { .. }
            | Self::CancelApproval { .. }
            | Self::Finish { .. } => Some(Verb::WorkRun),
            Self::BreakGlass { .. } => Some(Verb::BreakGlass),
            Self::Grant { .. }
            | Self::Reject { .. }
            | Self::ReviewGlass { .. }
            | Self::ConfirmRedaction { .. }
            | Self::RejectRedaction { .. } => Some(Verb::Approve),
            Self::AskRedaction { .. } => Some(Verb::Redact),
            Self::Expire { .. }
            | Self::LoseLock { .. }
            | Self::EscalateDue { .. }
            | Self::EndCheck { .. }
            | Self::Note { .. }
            | Self::Settle { .. }
            | Self::Interrupt { .. }
            | Self::EndSurvivors { .. } => None,
        }
    }
}
