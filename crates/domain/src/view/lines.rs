//! Lines of a log, as a page is given them: a window of a few hundred, however many there are.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::screen::Screen;
use crate::terminal::Style;

/// Some lines of an attempt's output, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesView {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The attempt's number.
    pub attempt: u32,
    /// The line that was asked for.
    pub asked: u64,
    /// The number of the first of the lines, from 1.
    pub line: u64,
    /// How many there are.
    pub count: u64,
    /// The byte at which the first begins.
    pub from: u64,
    /// The byte after the last.
    pub to: u64,
    /// The style in which the first begins.
    pub style: Style,
    /// Their text. Between two pieces, and behind the last, a long line was left out in part.
    pub pieces: Vec<LinesPiece>,
    /// How many lines the whole output has, with a last one that has no end.
    pub lines: u64,
    /// How many bytes are stored.
    pub length: u64,
    /// The screens of full-screen programs that were painted with bytes of these lines.
    pub screens: Vec<Screen>,
    /// The lines of each command of the attempt.
    pub commands: Vec<CommandLines>,
    /// When some of the bytes were printed: from each of these on, at that moment or later.
    #[serde(default)]
    pub times: Vec<(u64, Timestamp)>,
}

/// A piece of the text of some lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinesPiece {
    /// The first byte of the piece.
    pub from: u64,
    /// The byte after it.
    pub to: u64,
    /// The bytes as text; what is not UTF-8 stands as U+FFFD.
    pub text: String,
}

/// The lines that begin in the output of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandLines {
    /// The command's number in the step.
    pub command: u32,
    /// The first of them.
    pub first: u64,
    /// The one after the last.
    pub end: u64,
}

/// Lines as plain text, to be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainText {
    /// The text: without colours, with progress in its last state.
    pub text: String,
    /// How many lines it has.
    pub lines: u64,
    /// The line with which what was asked for goes on, when that was too much at once.
    pub rest: Option<u64>,
}
