//! What stands among the rows of a log: lines, the borders of commands, screens, and what is not shown.

use std::sync::Arc;

use domain::Timestamp;

use super::row::Row;

/// One thing in the rows of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A line of output.
    Row(Arc<Row>),
    /// A command begins.
    Begins {
        /// Its number in the step.
        command: u32,
        /// Its text.
        text: String,
        /// Whether its output can be seen.
        fold: Fold,
    },
    /// A command has ended.
    Ended {
        /// Its number in the step.
        command: u32,
        /// How.
        words: String,
    },
    /// The screen of a full-screen program.
    Screen {
        /// The number of its command in the step.
        command: u32,
        /// The name of the program, as far as the command tells.
        name: String,
    },
    /// What is not shown.
    Note {
        /// Up to which byte.
        to: u64,
        /// What there is to say.
        words: String,
    },
}

/// Whether the output of a command can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fold {
    /// It is shown.
    Open,
    /// Its reader has folded it.
    Folded,
}

/// Why there is no output to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Something runs and has printed nothing yet.
    Runs {
        /// Since when.
        since: Timestamp,
        /// The first line of the command, when one runs.
        command: Option<String>,
    },
    /// The attempt has ended and nothing was printed.
    Ended,
}

/// What tells entries apart. What is drawn differently has another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A line of output, or a piece of one.
    Row {
        /// Its place.
        place: u64,
        /// How often it was drawn.
        drawn: u64,
        /// Its bytes.
        bytes: (u64, u64),
    },
    /// The begin of a command.
    Begins(u32, Fold),
    /// The end of a command.
    Ended(u32),
    /// The screen that a command paints.
    Screen(u32),
    /// The note, with the byte up to which it speaks.
    Note(u64),
}

impl Entry {
    /// Tells entries of one log apart.
    pub fn key(&self) -> Key {
        match self {
            Self::Note { to, .. } => Key::Note(*to),
            Self::Row(row) => Key::Row { place: row.place, drawn: row.drawn, bytes: (row.from, row.to) },
            Self::Begins { command, fold, .. } => Key::Begins(*command, *fold),
            Self::Screen { command, .. } => Key::Screen(*command),
            Self::Ended { command, .. } => Key::Ended(*command),
        }
    }
}
