//! The places of lines, in memory: made while output is read from its first byte to its last.

use domain::terminal::{Style, Terminal, whole_characters};
use memchr::memchr3;
use serde::{Deserialize, Serialize};

use super::LinePlace;

/// The place of a line is kept when so many bytes lie before it, behind the last that is kept: whatever is looked for is not much farther
/// from one, and of lines that are short there are not more of them.
pub(super) const EVERY: u64 = 64 << 10;

const ESCAPE: u8 = 0x1b;

/// The first byte of a character that is a sequence's begin by itself, and of a few others.
const LEAD: u8 = 0xc2;

/// The place of a line, as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The number of the line, from 1.
    pub line: u64,
    /// The byte at which it begins.
    pub at: u64,
    /// The style in which it begins.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub style: Style,
}

fn is_plain(style: &Style) -> bool {
    *style == Style::default()
}

impl From<Entry> for LinePlace {
    fn from(Entry { line, at, style }: Entry) -> Self {
        Self { line, at, style }
    }
}

/// Where lines begin.
pub(super) struct LineMap {
    /// Of the first line behind each [`EVERY`] bytes.
    entries: Vec<Entry>,
    scanner: Scanner,
}

impl Default for LineMap {
    fn default() -> Self {
        Self { entries: Vec::new(), scanner: Scanner::from(first()) }
    }
}

/// Where every output begins.
fn first() -> LinePlace {
    LinePlace { line: 1, ..LinePlace::default() }
}

impl LineMap {
    /// What others have kept; `None` when that cannot be the places of lines.
    pub(super) fn kept(entries: Vec<Entry>) -> Option<Self> {
        let begins = entries.first().is_some_and(|first| first.line > 1 && first.at >= EVERY);
        let goes_on = |pair: &[Entry]| pair[0].line < pair[1].line && pair[0].at.saturating_add(EVERY) <= pair[1].at;
        let last = *entries.last().filter(|_| begins && entries.windows(2).all(goes_on))?;
        Some(Self { entries, scanner: Scanner::from(LinePlace::from(last)) })
    }

    /// Reads the next piece of the output.
    pub(super) fn push(&mut self, piece: &[u8]) {
        let entries = &mut self.entries;
        self.scanner.read(piece, |LinePlace { line, at, style }| {
            if at >= entries.last().map_or(0, |last| last.at) + EVERY {
                entries.push(Entry { line, at, style });
            }
            true
        });
    }

    /// The byte up to which it was read.
    pub(super) fn at(&self) -> u64 {
        self.scanner.at
    }

    /// The line in which the output ends.
    pub(super) fn last(&self) -> LinePlace {
        LinePlace { line: self.scanner.line, at: self.scanner.begin, style: self.scanner.style }
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many lines an output of this length has, with a last one that has no end.
    pub(super) fn count(&self, length: u64) -> u64 {
        self.scanner.line - u64::from(self.scanner.begin >= length)
    }

    /// The nearest place that is known at a byte or before it.
    pub(super) fn before_byte(&self, byte: u64) -> LinePlace {
        if byte >= self.last().at {
            return self.last();
        }
        self.nearest(self.entries.partition_point(|entry| entry.at <= byte))
    }

    /// The nearest place that is known of a line or of one before it.
    pub(super) fn before_line(&self, line: u64) -> LinePlace {
        if line >= self.last().line {
            return self.last();
        }
        self.nearest(self.entries.partition_point(|entry| entry.line <= line))
    }

    fn nearest(&self, behind: usize) -> LinePlace {
        behind.checked_sub(1).and_then(|place| self.entries.get(place)).map_or_else(first, |entry| (*entry).into())
    }
}

/// Reads output line by line, and knows in which style each begins.
pub(super) struct Scanner {
    /// The number of the line in which it stands.
    line: u64,
    /// The byte at which that begins.
    begin: u64,
    /// The style in which that begins.
    style: Style,
    /// The byte that comes next.
    at: u64,
    /// Reads the sequences, and nothing else.
    pen: Terminal,
    /// The begin of a character that the pen has to read and that is not whole yet.
    open: Vec<u8>,
}

impl From<LinePlace> for Scanner {
    fn from(LinePlace { line, at, style }: LinePlace) -> Self {
        Self { line, begin: at, style, at, pen: Terminal::with_style(style), open: Vec::new() }
    }
}

impl Scanner {
    /// Reads a piece, and tells of each line that begins behind a line feed in it, as long as somebody wants to know. What is read of
    /// a piece after that does not count.
    pub(super) fn read(&mut self, piece: &[u8], mut begins: impl FnMut(LinePlace) -> bool) {
        let mut rest = piece;
        while !rest.is_empty() {
            // In text only line feeds count and what may begin a sequence; in a sequence, which is short, every byte does.
            let next = if self.is_in_text() { memchr3(b'\n', ESCAPE, LEAD, rest) } else { Some(0) };
            let Some(next) = next else {
                self.at += rest.len() as u64;
                return;
            };
            let byte = rest[next];
            self.at += next as u64 + 1;
            rest = &rest[next + 1..];
            self.step(byte);
            if byte == b'\n' {
                self.line += 1;
                (self.begin, self.style) = (self.at, self.pen.style());
                if !begins(LinePlace { line: self.line, at: self.at, style: self.style }) {
                    return;
                }
            }
        }
    }

    fn is_in_text(&self) -> bool {
        self.pen.is_in_text() && self.open.is_empty()
    }

    /// Hands the pen whole characters, made of the bytes as those of a page are.
    fn step(&mut self, byte: u8) {
        if byte == b'\n' && self.is_in_text() {
            return;
        }
        self.open.push(byte);
        let whole = whole_characters(&self.open, false);
        self.pen.push(&String::from_utf8_lossy(&self.open[..whole]));
        self.open.drain(..whole);
        if self.pen.is_in_text() {
            self.pen = Terminal::with_style(self.pen.style());
        }
    }
}
