//! What passes between the portal and a shim: the handover, requests with their answers, and the signed exit record.
//!
//! An old shim may meet a new portal: fields and kinds are only ever added, and what is unknown is passed over.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::attempt::{Intent, Key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::key::AttemptKey;

/// How long a step is given to end by itself, rung by rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ladder {
    /// Milliseconds after SIGINT.
    pub interrupt_ms: u64,
    /// Milliseconds after SIGTERM; then it is killed.
    pub terminate_ms: u64,
    /// Milliseconds for what is still there when the shell has ended, between SIGTERM and the kill.
    pub held_ms: u64,
}

impl Default for Ladder {
    fn default() -> Self {
        Self { interrupt_ms: 5_000, terminate_ms: 10_000, held_ms: 500 }
    }
}

/// What a shim is told over its standard input, and nowhere else.
#[derive(Serialize, Deserialize)]
pub(crate) struct Handover {
    /// [`domain::attempt::FORMAT`].
    pub v: u32,
    /// The key of the attempt, in hexadecimal digits.
    pub key: String,
    /// What the record says of the attempt. An older portal does not tell.
    #[serde(default)]
    pub intent: Option<Intent>,
    /// Whether the attempt has begun with another shim that has died, at a target where it runs on.
    #[serde(default)]
    pub resume: bool,
    /// Whether somebody has asked it to stop, before that shim has died or since.
    #[serde(default)]
    pub stop: bool,
    /// Where the connections to targets are kept.
    #[serde(default)]
    pub connections: PathBuf,
    /// How it stops.
    #[serde(default)]
    pub ladder: Ladder,
    /// The secrets that are masked in its output.
    #[serde(default)]
    pub secrets: Vec<Secret>,
}

/// A named secret on its way to a shim.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its name; also the variable that carries its value.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the commands of the attempt get it. Others are masked only.
    pub used: bool,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).field("used", &self.used).finish_non_exhaustive()
    }
}

/// What an operator can ask of an attempt that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Steer {
    /// Ends the watch that runs; the next command goes on.
    EndWatch {
        /// The watch that is meant: one that has ended meanwhile is not mistaken for the next.
        command: u32,
    },
    /// Stops the whole attempt, step by step: SIGINT, SIGTERM, kill.
    Stop,
    /// Types one line into the terminal of the command that runs. A full-screen program does not get it.
    Input {
        /// The command that is meant: an answer to one is not given to the next.
        command: u32,
        /// The line, without its end and without control characters.
        line: String,
    },
    /// Presses one key, where a program takes single keys.
    Key {
        /// The command that is meant.
        command: u32,
        /// The key.
        key: Key,
    },
    /// Types whatever there is on a keyboard; only into a step whose work says that it is interactive.
    Keys {
        /// The command that is meant.
        command: u32,
        /// The bytes as a terminal sends them.
        bytes: Vec<u8>,
    },
}

/// What the terminal sends for a key.
pub(crate) const fn byte_of(key: Key) -> u8 {
    match key {
        Key::Quit => b'q',
        Key::Interrupt => 3,
    }
}

/// The shim's answer to a [`Steer`].
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It was begun; the end shows in the marks.
    Done,
    /// It was not, for a reason in a sentence.
    Refused {
        /// The reason.
        sentence: String,
    },
}

impl Answer {
    pub(crate) fn refused(sentence: &str) -> Self {
        Self::Refused { sentence: sentence.to_owned() }
    }
}

/// A record as the very text that was signed: `exit.json`, and the present state beside it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Signed {
    body: String,
    mac: String,
}

impl Signed {
    /// The kind keeps records of different kinds apart; that of an exit record is empty.
    pub(crate) fn new(kind: &str, record: &impl Serialize, key: &AttemptKey) -> Self {
        let body = serde_json::to_string(record).expect("a record has string keys only");
        let mac = key.sign(&format!("{kind}{body}"));
        Self { body, mac }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("two strings are always JSON")
    }

    /// The record in it, if the key has signed it as one of this kind.
    pub(crate) fn open<T: DeserializeOwned>(kind: &str, bytes: &[u8], key: &AttemptKey) -> Option<T> {
        let signed: Self = serde_json::from_slice(bytes).ok()?;
        let genuine = key.verifies(&format!("{kind}{}", signed.body), &signed.mac);
        genuine.then(|| serde_json::from_str(&signed.body).ok()).flatten()
    }
}

/// Writes a file that is there whole or not at all, also after the power was lost: write, fsync, rename, fsync the folder.
pub(crate) fn write_durably(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!(".{name}"));
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, folder.join(name))?;
    File::open(folder)?.sync_all()
}
