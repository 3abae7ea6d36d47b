//! One attempt at a step: what the shim is told, what it notes while it works, and what it leaves at the end.
//!
//! These are the contents of `spec.json`, `out.idx` and `exit.json` in the folder of an attempt. Each carries its
//! version, because an old shim may meet a new portal: fields are only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AttemptId, Digest};

/// The version that this portal writes into `spec.json`, `out.idx` and `exit.json`.
pub const FORMAT: u32 = 1;

/// Everything that determines what an attempt does. Written as `spec.json` before the shim starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// [`FORMAT`].
    pub v: u32,
    /// Which attempt this is.
    pub id: AttemptId,
    /// The digest that the intent names: [`Work::digest`] of `work`. The shim refuses other bytes.
    pub digest: Digest,
    /// What is to be done.
    pub work: Work,
}

/// The part of a [`Spec`] that its digest covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The name of the target: the same bytes on another one are other work.
    #[serde(default)]
    pub target: String,
    /// Program and arguments of the shell, as `["bash", "--noprofile", "--norc"]`; the driver is added by the shim.
    pub interpreter: Vec<String>,
    /// Whether the shell stops a pipeline at its first failing member.
    pub pipefail: bool,
    /// Whether the commands run under a terminal.
    pub tty: bool,
    /// The absolute directory in which the shell starts.
    pub directory: String,
    /// The whole environment of the shell: nothing else is inherited.
    pub environment: BTreeMap<String, String>,
    /// The commands, in order.
    pub commands: Vec<WorkCommand>,
    /// Milliseconds after which the attempt is stopped.
    pub timeout_ms: Option<u64>,
    /// Bytes of output kept: the first and the last half of it.
    pub output_cap: u64,
}

/// One command of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkCommand {
    /// Its place among the step's commands, from 1.
    pub number: u32,
    /// The text that the shell gets: the document's bytes with placeholders replaced by variable references.
    pub script: String,
    /// The program of each member of the pipeline, in order.
    pub pipeline: Vec<String>,
    /// Whether it runs until the operator stops it; then the next command goes on.
    pub watch: bool,
}

/// The most bytes of an environment. Linux gives arguments and environment together 2 MiB (a quarter of the usual stack), and
/// a program that is called with the values in its words needs as much again.
pub const ENVIRONMENT_LIMIT: usize = 1 << 20;

impl Work {
    /// The bytes that its environment takes: each entry with its `=`, its end and its place in the table.
    pub fn environment_bytes(&self) -> usize {
        let entry = |(name, value): (&String, &String)| name.len() + value.len() + 2 + size_of::<u64>();
        self.environment.iter().map(entry).sum()
    }

    /// The digest over the canonical form of all of it.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }
}

/// One line of `out.idx`: a border in the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum Mark {
    /// The command was handed to the shell.
    Started {
        /// The command's number in the step.
        command: u32,
        /// The byte of `out.log` at which its output begins.
        offset: u64,
        /// Wall clock, milliseconds since 1970.
        at: i64,
    },
    /// The command ended.
    Ended {
        /// The command's number in the step.
        command: u32,
        /// The byte of `out.log` just after its output.
        offset: u64,
        /// Wall clock, milliseconds since 1970.
        at: i64,
        /// How it ended.
        #[serde(flatten)]
        end: CommandEnd,
    },
}

/// How one command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnd {
    /// `$?` after it; 128 and the signal's number when a signal ended it; `None` when it is not known.
    pub code: Option<i32>,
    /// `PIPESTATUS`: the code of each member of a pipeline. Empty when the shell has none.
    pub statuses: Vec<i32>,
    /// Milliseconds by the monotonic clock.
    pub duration_ms: u64,
    /// What that means.
    pub outcome: Outcome,
    /// The meaning in a sentence where it is not obvious, as "curl ended 7: nothing was asked, jq saw nothing".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// What the end of a command means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it should.
    Success,
    /// A `diff` or `grep` that ended with 1, or an HTTP answer of 400 and above.
    Difference,
    /// It failed, or something before it in the pipeline did.
    Failure,
    /// A watch that the operator ended.
    Watched,
    /// The operator stopped the step while it ran.
    Stopped,
}

/// The body of `exit.json`, the last thing that a shim writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// [`FORMAT`].
    pub v: u32,
    /// Which attempt this is.
    pub id: AttemptId,
    /// The digest of the work that ran.
    pub digest: Digest,
    /// How it ended.
    pub result: AttemptResult,
    /// Bytes in `out.log`.
    pub bytes: u64,
    /// Bytes that the cap left out of `out.log`.
    #[serde(default)]
    pub dropped: u64,
    /// The byte of `out.log` at which they would stand, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u64>,
    /// SHA-256 of `out.log`.
    pub output: Digest,
    /// The directory in which the shell was at the end, when it is known.
    pub directory: Option<String>,
    /// Wall clock at the end, milliseconds since 1970.
    pub at: i64,
    /// Milliseconds by the monotonic clock.
    pub duration_ms: u64,
    /// Processes that could not be ended, as "sleep (pid 4711)".
    #[serde(default)]
    pub survivors: Vec<String>,
    /// Processes that still held the output when the shell had ended and that were ended then.
    #[serde(default)]
    pub held: Vec<String>,
}

/// How an attempt ended as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AttemptResult {
    /// Every command ran.
    Completed,
    /// It stopped after a command that failed.
    Failed {
        /// The command's number in the step.
        command: u32,
    },
    /// It stopped after a command that found a difference while others were still to run.
    Difference {
        /// The command's number in the step.
        command: u32,
    },
    /// The operator stopped it.
    Stopped,
    /// Its time was up.
    TimedOut,
    /// The shell went away in the middle (`exit`, `exec`, a signal).
    ShellEnded {
        /// The command's number in the step.
        command: u32,
        /// The shell's own code, if it has one.
        code: Option<i32>,
    },
    /// It never began; nothing was run.
    NotStarted {
        /// Why, in a sentence.
        reason: String,
    },
}
