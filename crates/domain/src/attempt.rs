//! One attempt at a step: what the shim is told, what it notes while it works, and what it leaves at the end.
//!
//! These are the contents of `spec.json`, `out.idx` and `exit.json` in the folder of an attempt. Each carries its
//! version, because an old shim may meet a new portal: fields are only ever added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::keyboard::{Modes, Stroke};
use crate::target::Reach;
use crate::{AttemptId, Digest, is_default};

/// The version that this portal writes into `spec.json`, `out.idx` and `exit.json`.
///
/// - 1: the lines of `out.idx` stand for themselves.
/// - 2: each of them is signed with the key of its attempt, and one that is not does not count.
pub const FORMAT: u32 = 2;

/// What was recorded of an attempt before anything of it ran. Whatever is found in its folder is measured by this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Which attempt it is.
    pub id: AttemptId,
    /// The digest of its work.
    pub digest: Digest,
}

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

impl Spec {
    /// The intent that it follows.
    pub fn intent(&self) -> Intent {
        Intent { id: self.id, digest: self.digest.clone() }
    }
}

/// The part of a [`Spec`] that its digest covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// The name of the target: the same bytes on another one are other work.
    #[serde(default)]
    pub target: String,
    /// Where the target is.
    #[serde(default, skip_serializing_if = "Reach::is_local")]
    pub reach: Reach,
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
    /// Whether the operator has the full keyboard while a command runs, and not only single lines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interactive: bool,
    /// What the attempt may use of the machine.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The secrets that the commands get in their environment, by name and version; never a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Absolute paths of the files whose values are masked in the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask_files: Vec<String>,
    /// The variables that come from an earlier attempt of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
    /// The variables that are kept for the next attempt when they are set in the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<String>,
}

/// What an attempt may use of the machine it runs on; without a number there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Processes and threads at the same time, the shell included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// Bytes of memory of all of them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

impl Limits {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Exported variables that an attempt has left for later ones of its run. Their values stay in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The step of the attempt that has left them.
    pub step: u32,
    /// Its number.
    pub attempt: u32,
    /// Their names.
    pub names: Vec<String>,
    /// The digest of the file with the values. Something random in the file keeps it from telling them.
    pub digest: Digest,
}

impl Carried {
    /// What later attempts get of what one has left; `None` when that is nothing.
    pub fn of(id: AttemptId, exported: &Exported) -> Option<Self> {
        let Exported { names, digest } = exported.clone();
        (!names.is_empty()).then_some(Self { step: id.step, attempt: id.attempt, names, digest })
    }
}

/// What the command that runs is found to be doing. It is observed and not known: say "may be".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Condition {
    /// The number of the command that is meant; 0 while none runs.
    pub command: u32,
    /// It has been silent for about a second, and a program of it waits for something to be typed.
    pub waiting: bool,
    /// A full-screen program has the terminal: it takes single keys and no lines.
    pub screen: bool,
    /// The terminal hands over single keys and not lines; also without a full-screen program, as at "press any key".
    pub raw: bool,
    /// When it printed last, or began (wall clock, milliseconds since 1970), once it has been silent for five seconds.
    pub silent_since: Option<i64>,
    /// What it has asked of its terminal.
    #[serde(skip_serializing_if = "is_default")]
    pub modes: Modes,
    /// Since when there is no link to the target (wall clock, milliseconds since 1970). The step runs on there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_lost_since: Option<i64>,
}

impl Condition {
    /// Nothing is known.
    pub const NONE: Self = Self {
        command: 0,
        waiting: false,
        screen: false,
        raw: false,
        silent_since: None,
        modes: Modes { application_cursor: false, bracketed_paste: false },
        link_lost_since: None,
    };

    /// What a command has asked of its terminal; nothing when another one is meant.
    pub fn modes_of(&self, command: u32) -> Modes {
        if self.command == command { self.modes } else { Modes::default() }
    }
}

/// What a person can send to the command that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// One line, without its end. It is not stored.
    Line {
        /// The line.
        text: String,
    },
    /// One key.
    Key {
        /// Which.
        key: Key,
    },
    /// Whatever a keyboard has, into an interactive step. It is not stored.
    Keys {
        /// What was typed, in order.
        strokes: Vec<Stroke>,
    },
}

/// The keys that end a full-screen program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The letter `q`.
    Quit,
    /// Ctrl-C.
    Interrupt,
}

impl Key {
    /// Both keys.
    pub const ALL: [Self; 2] = [Self::Quit, Self::Interrupt];

    /// The key as forms write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Interrupt => "interrupt",
        }
    }

    /// The key as people call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quit => "q",
            Self::Interrupt => "Ctrl-C",
        }
    }
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

impl Mark {
    /// When a command was handed to the shell, if that is what this says.
    pub fn started(&self, number: u32) -> Option<i64> {
        match *self {
            Self::Started { command, at, .. } if command == number => Some(at),
            _ => None,
        }
    }

    /// How a command ended, if that is what this says.
    pub fn ended(self, number: u32) -> Option<CommandEnd> {
        match self {
            Self::Ended { command, end, .. } if command == number => Some(end),
            _ => None,
        }
    }
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
    /// What was not as it should have been, although the attempt came to its end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notes: Box<Notes>,
    /// How many values of the files to be masked were looked for in the output.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub masked: u32,
    /// The exported variables that it has left for later attempts. `None` when the shell could not be asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported: Option<Exported>,
}

/// What a person should know about an attempt beside how it ended. The lists hold whole sentences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// Limits that this machine could not enforce, or only in part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unenforced: Vec<String>,
    /// Limits that the attempt ran into.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limited: Vec<String>,
    /// Files of the attempt that somebody else than its shim has changed, and what was done about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tampered: Vec<String>,
    /// Files to be masked of which not all was looked for in the output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmasked: Vec<String>,
    /// Exported variables that are not there for later attempts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_kept: Vec<String>,
    /// Whether output was left out because the disk was full, and not because of the cap. [`Exit::cut`] is the place.
    #[serde(skip_serializing_if = "is_default")]
    pub disk_full: bool,
    /// What of the output a disk that failed has not taken. [`Exit::cut`] is the place, where there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unstored: Vec<String>,
    /// The exact place of every command's output, when output was left out: what was noted while the step ran is exact only
    /// before [`Exit::cut`]. Empty otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<CommandRange>,
}

/// Where the output of one command stands in `out.log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRange {
    /// The command's number in the step.
    pub command: u32,
    /// Its first byte.
    pub from: u64,
    /// The byte just after its last one.
    pub to: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The exported variables that an attempt has left: their names, and the digest of the file with their values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// The names.
    pub names: Vec<String>,
    /// The digest of the file.
    pub digest: Digest,
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
    /// It began at a target, and nobody can find out how it ended: it counts as interrupted.
    Unknown {
        /// Why, in a sentence.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_from_before_limits_were_there_keeps_its_digest() {
        let stored = "{\"commands\":[],\"directory\":\"/\",\"environment\":{},\"interpreter\":[\"sh\"],\
                      \"output_cap\":7,\"pipefail\":false,\"target\":\"t\",\"timeout_ms\":null,\"tty\":true}";
        let work: Work = serde_json::from_str(stored).unwrap();

        assert_eq!((work.interactive, work.limits), (false, Limits::default()));
        assert_eq!(work.digest(), Digest::of(stored.as_bytes()));
    }

    #[test]
    fn a_limit_and_the_full_keyboard_are_part_of_what_was_decided() {
        let work: Work = serde_json::from_str(
            "{\"commands\":[],\"directory\":\"/\",\"environment\":{},\"interpreter\":[\"sh\"],\"output_cap\":7,\
             \"pipefail\":false,\"target\":\"t\",\"timeout_ms\":null,\"tty\":true}",
        )
        .unwrap();
        let limits = Limits { processes: Some(100), memory: None };

        assert_ne!(Work { limits, ..work.clone() }.digest(), work.digest());
        assert_ne!(Work { interactive: true, ..work.clone() }.digest(), work.digest());
    }

    #[test]
    fn an_exit_record_from_before_there_were_notes_is_read() {
        let digest = "0".repeat(64);
        let stored = format!(
            "{{\"v\":1,\"id\":{},\"digest\":\"{digest}\",\"result\":{{\"result\":\"completed\"}},\"bytes\":3,\
             \"output\":\"{digest}\",\"directory\":null,\"at\":5,\"duration_ms\":2}}",
            serde_json::to_string(&AttemptId { run: crate::RunId(1), step: 1, attempt: 1 }).unwrap()
        );

        assert_eq!(*serde_json::from_str::<Exit>(&stored).unwrap().notes, Notes::default());
    }
}
