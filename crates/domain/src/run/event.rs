//! What can have happened to a run.

mod kind;
mod verdict;
mod who;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use verdict::Verdict;
pub use who::Who;

use super::escalating::Because;
use super::request::Covered;
use crate::approval::{Difference, Evidence};
use crate::attempt::{CommandEnd, Exit, Key};
use crate::check::{CheckEnd, CheckId};
use crate::escalation::Addressee;
use crate::plan::{Plan, PlanStep};
use crate::redaction::ByteRange;
use crate::{AttemptId, Digest, RunId, Timestamp};

/// One event with its place in the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number in the run, from 1.
    pub version: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who did it.
    pub by: Who,
    /// What happened.
    pub event: Event,
}

/// What happened. Stored under its `kind`; fields are only ever added, and a kind never changes its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The run was created with its plan. Nothing was run yet.
    RunStarted {
        /// What it will do.
        plan: Box<Plan>,
        /// Why, as a reason or a ticket.
        reason: String,
        /// The values that were given at the start.
        values: BTreeMap<String, String>,
    },
    /// A parameter got a value.
    ValueSet {
        /// The parameter's name.
        name: String,
        /// The value.
        value: String,
    },
    /// A secret was found to have another value than before, or to have one now. Only its version is ever recorded.
    SecretChanged {
        /// The secret's name.
        name: String,
        /// Its version: the same value has the same one, and nobody can guess the value from it.
        version: String,
    },
    /// Someone typed the name of a production target.
    TargetConfirmed,
    /// The intent: these commands of this step are about to be started.
    AttemptStarted {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step, from 1.
        attempt: u32,
        /// The numbers of the commands.
        commands: Vec<u32>,
        /// The digest of the work.
        digest: Digest,
        /// The request under which it starts, when it needs an approval.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<u32>,
    },
    /// A command was handed to the shell.
    CommandStarted {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The command's number in the step.
        command: u32,
        /// Where its output begins.
        offset: u64,
        /// When, by the shim's clock.
        at: Timestamp,
    },
    /// A command ended.
    CommandEnded {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The command's number in the step.
        command: u32,
        /// Where its output ends.
        offset: u64,
        /// When, by the shim's clock.
        at: Timestamp,
        /// How.
        end: CommandEnd,
    },
    /// Someone asked a watch to end; the next command goes on.
    WatchEnded {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The watch's number in the step.
        command: u32,
    },
    /// Someone asked the whole attempt to stop.
    StopRequested {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
    },
    /// The shim wrote its last record.
    AttemptEnded {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The record.
        exit: Box<Exit>,
    },
    /// The shim is gone without a last record: nobody knows how it ended.
    AttemptInterrupted {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// Why that is known, in a sentence.
        reason: String,
        /// Bytes of output that are there.
        bytes: u64,
        /// Their SHA-256, where they could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<Digest>,
        /// Processes that still run.
        survivors: Vec<String>,
    },
    /// What an attempt had left behind was ended, as somebody had asked.
    SurvivorsEnded {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The processes that could not be ended.
        left: Vec<String>,
    },
    /// A command was passed over.
    CommandSkipped {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The command's number in the step.
        command: u32,
        /// Why.
        reason: String,
    },
    /// A step was passed over.
    StepSkipped {
        /// The step's place in the plan, from 1.
        step: u32,
        /// Why.
        reason: String,
    },
    /// A manual step was marked as done.
    StepDone {
        /// The step's place in the plan, from 1.
        step: u32,
    },
    /// A line was ticked.
    ItemTicked {
        /// The step's place in the plan; `None` is the expected outcome.
        step: Option<u32>,
        /// The line's place among the ticks, from 1.
        item: u32,
        /// What the person had to say about it.
        note: String,
    },
    /// A tick was taken back.
    ItemUnticked {
        /// The step's place in the plan; `None` is the expected outcome.
        step: Option<u32>,
        /// The line's place among the ticks, from 1.
        item: u32,
    },
    /// The intent: a check is about to be asked. Checks are numbered through the run, from 1.
    CheckStarted {
        /// Which.
        check: CheckId,
        /// When it is given up.
        until: Timestamp,
    },
    /// What came of a check.
    CheckEnded {
        /// The check's number in the run, from 1.
        number: u32,
        /// What.
        end: CheckEnd,
    },
    /// A person said why a check that did not hold does not stand against the outcome.
    CheckOverruled {
        /// The check's number in the run, from 1.
        number: u32,
        /// Why.
        reason: String,
    },
    /// Someone wrote a note.
    NoteAdded {
        /// The step it is about, if it is about one.
        step: Option<u32>,
        /// The note.
        text: String,
    },
    /// Somebody is told whom the document names for that.
    Escalated {
        /// The line of the escalation that was due; `None` when a person decided so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// Whom, and by which ways.
        to: Vec<Addressee>,
        /// Why.
        because: Because,
        /// The hand-over, as it was told.
        text: String,
    },
    /// Someone else works in the run from now on.
    RunTakenOver {
        /// Why.
        reason: String,
    },
    /// The run keeps its target to itself from now on: nothing that disrupts starts there in another run.
    LockTaken {
        /// The target's name.
        target: String,
        /// The run that held it until now.
        from: Option<RunId>,
        /// Why it was taken from another run; empty when it was free.
        reason: String,
    },
    /// Another run has taken the lock.
    LockLost {
        /// The target's name.
        target: String,
        /// The run that holds it now.
        to: RunId,
        /// Who took it.
        by: String,
        /// Why.
        reason: String,
    },
    /// The next attempt begins in another directory. Where that is one of a step with its own, it is for
    /// that step alone ([`Run::apart`](crate::run::Run::apart)).
    DirectorySet {
        /// The directory, absolute.
        path: String,
    },
    /// A step that is not in the document was added at the end of the plan.
    StepAdded {
        /// The step; its `ad_hoc` says why, and after which step.
        step: Box<PlanStep>,
    },
    /// Something was sent to the command that runs. What was typed is not kept, beyond what the program itself printed.
    InputSent {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The command's number in the step.
        command: u32,
        /// The key, when it was one; `None` for a line.
        key: Option<Key>,
    },
    /// Someone typed into an interactive step with a full keyboard. What was typed is not kept, beyond what the program itself
    /// printed.
    KeysTyped {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
        /// The command's number in the step.
        command: u32,
        /// How many bytes it was.
        bytes: u32,
    },
    /// Someone gave the run up while a step was running: it is closed when that has ended.
    AbortRequested {
        /// Why.
        reason: String,
    },
    /// An approval was asked for.
    ApprovalRequested {
        /// What is to be approved.
        covers: Vec<Covered>,
        /// Why.
        reason: String,
        /// What the portal saw then.
        evidence: Box<Evidence>,
        /// When it expires.
        expires: Timestamp,
        /// How many different leads have to approve.
        leads: u32,
        /// The digest of the rules that held then.
        rules: Digest,
        /// Milliseconds within which a covered step has to start.
        start_within_ms: u64,
        /// Milliseconds for which the rollback may start after a failure.
        rollback_within_ms: u64,
    },
    /// A lead approved.
    ApprovalGranted {
        /// The request's number in the run, from 1.
        request: u32,
        /// Whether one retry of the same bytes is approved, too.
        retry: bool,
        /// Whether the document's rollback is approved, too.
        rollback: bool,
        /// What the lead had to say; may be empty.
        comment: String,
        /// The kind of second factor that was proven for it, in words.
        factor: String,
    },
    /// A lead said no.
    ApprovalRejected {
        /// The request's number in the run, from 1.
        request: u32,
        /// Why.
        reason: String,
        /// The kind of second factor that was proven for it, in words; empty in rejections of versions that took none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        factor: String,
    },
    /// A request was taken back.
    ApprovalCancelled {
        /// The request's number in the run, from 1.
        request: u32,
        /// Why; may be empty.
        reason: String,
    },
    /// Nobody decided in time.
    ApprovalExpired {
        /// The request's number in the run, from 1.
        request: u32,
    },
    /// What a request covers, or its ground, is not any more as it was.
    ApprovalVoided {
        /// The request's number in the run, from 1.
        request: u32,
        /// What has changed.
        why: Vec<Difference>,
    },
    /// The operator went on into an outage although a later step had no approval yet.
    OutageAccepted {
        /// The place in the plan of the step that takes a service away, from 1.
        step: u32,
        /// Why.
        reason: String,
    },
    /// Somebody who may do so went on alone, without an approval.
    GlassBroken {
        /// What may start.
        covers: Vec<Covered>,
        /// Why.
        reason: String,
        /// The kind of second factor that was proven for it, in words.
        factor: String,
        /// The digest of the rules that held then.
        rules: Digest,
        /// Milliseconds within which a covered step has to start.
        start_within_ms: u64,
    },
    /// Another lead or an administrator has looked at a broken glass.
    GlassReviewed {
        /// The request's number in the run, from 1.
        request: u32,
        /// What they had to say.
        comment: String,
    },
    /// An administrator wants something in the output of an attempt to be covered. What stands there is not kept, only where.
    RedactionAsked {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step, from 1.
        attempt: u32,
        /// The bytes.
        ranges: Vec<ByteRange>,
        /// Why.
        reason: String,
        /// How many bytes the output has.
        bytes: u64,
        /// What the output is: its SHA-256.
        output: Digest,
    },
    /// Another person said no to it, or whoever had asked took it back.
    RedactionRejected {
        /// The redaction's number in the run, from 1.
        number: u32,
        /// Why.
        reason: String,
        /// The kind of second factor that was proven for it, in words; empty where whoever had asked took it back, and in
        /// rejections of versions that took none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        factor: String,
    },
    /// Another person confirmed it: the output has a mask of equal length in these places from now on.
    OutputRedacted {
        /// The redaction's number in the run, from 1.
        number: u32,
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step, from 1.
        attempt: u32,
        /// The bytes.
        ranges: Vec<ByteRange>,
        /// How many bytes the output has, as before.
        bytes: u64,
        /// What the output was: its SHA-256.
        old: Digest,
        /// What it is now.
        new: Digest,
        /// The kind of second factor that was proven for it, in words.
        factor: String,
    },
    /// The run was closed.
    RunFinished {
        /// What came of it.
        verdict: Verdict,
        /// What the person had to say about it.
        comment: String,
    },
}

impl Event {
    /// Whether it is about a request for approval.
    pub const fn is_about_approval(&self) -> bool {
        matches!(
            self,
            Self::ApprovalRequested { .. }
                | Self::ApprovalGranted { .. }
                | Self::ApprovalRejected { .. }
                | Self::ApprovalCancelled { .. }
                | Self::ApprovalExpired { .. }
                | Self::ApprovalVoided { .. }
                | Self::GlassBroken { .. }
                | Self::GlassReviewed { .. }
        )
    }

    /// Whether it is about covering something in stored output.
    pub const fn is_about_redaction(&self) -> bool {
        matches!(self, Self::RedactionAsked { .. } | Self::RedactionRejected { .. } | Self::OutputRedacted { .. })
    }

    /// The output that the event binds: of which attempt, how many bytes, and their SHA-256.
    pub fn output(&self, run: RunId) -> Option<(AttemptId, u64, &Digest)> {
        let (step, attempt, bytes, digest) = match self {
            Self::AttemptEnded { step, attempt, exit } => (step, attempt, exit.bytes, &exit.output),
            Self::AttemptInterrupted { step, attempt, bytes, output, .. } => (step, attempt, *bytes, output.as_ref()?),
            Self::OutputRedacted { step, attempt, bytes, new, .. } => (step, attempt, *bytes, new),
            _ => return None,
        };
        Some((AttemptId { run, step: *step, attempt: *attempt }, bytes, digest))
    }
}
