//! A stretch of lines: which bytes they are, and which of them one shows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use domain::redaction::ByteRange;

use super::{LinePlace, Lines};

/// The most bytes of one stretch.
const MOST: u64 = 256 << 10;

/// A line that is longer is not shown as a whole.
const LONG: u64 = 64 << 10;

/// What is shown of a line that is too long.
const SHOWN: u64 = 16 << 10;

/// Some lines of an output, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The first of them.
    pub first: LinePlace,
    /// How many there are.
    pub count: u64,
    /// The byte after the last of them.
    pub to: u64,
    /// What of these bytes is to be shown, in order. Between two of them, and at the end, a long line was left out in part: its begin is
    /// shown, or, when it was written over and over, its end.
    pub shown: Vec<ByteRange>,
    /// How many lines the whole output has, with a last one that has no end.
    pub lines: u64,
    /// How many bytes it has.
    pub length: u64,
}

impl Lines {
    /// At most so many lines from one on, and not many more bytes than a page takes.
    pub(crate) fn stretch(&self, file: &File, length: u64, first: LinePlace, most: u64) -> io::Result<Stretch> {
        let mut stretch = Stretch { first, to: first.at, lines: self.count(length), length, ..Stretch::default() };
        if most == 0 {
            return Ok(stretch);
        }
        let mut begins: Vec<u64> = Vec::new();
        let mut shown = 0;
        self.scan(file, first, u64::MAX, |next| {
            let bytes = next.at - begins.last().copied().unwrap_or(first.at);
            shown += if bytes > LONG { SHOWN } else { bytes };
            begins.push(next.at);
            (begins.len() as u64) < most && shown < MOST
        })?;
        let behind = begins.last().copied().unwrap_or(first.at);
        // The last line may have no end.
        if (begins.len() as u64) < most && shown < MOST && behind < length {
            begins.push(length);
        }
        for end in begins {
            stretch.add(file, end)?;
        }
        Ok(stretch)
    }
}

impl Stretch {
    /// Adds the next line, up to a byte.
    fn add(&mut self, file: &File, end: u64) -> io::Result<()> {
        let line = ByteRange { from: self.to, to: end };
        let part = if line.bytes() > LONG { part_of(file, line)? } else { line };
        match self.shown.last_mut() {
            Some(last) if last.to == part.from => last.to = part.to,
            _ => self.shown.push(part),
        }
        self.count += 1;
        self.to = end;
        Ok(())
    }
}

/// What is shown of a line that is too long: its begin; of one that was written over until its end, what was written last.
fn part_of(file: &File, line: ByteRange) -> io::Result<ByteRange> {
    let from = line.to.saturating_sub(SHOWN).max(line.from);
    let mut end = vec![0; usize::try_from(line.to - from).unwrap_or_default()];
    file.read_exact_at(&mut end, from)?;
    // One before the line feed is a part of the end of the line.
    let text = end.strip_suffix(b"\n").unwrap_or(&end);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    match memchr::memchr(b'\r', text) {
        Some(returned) => Ok(ByteRange { from: from + returned as u64, to: line.to }),
        None => Ok(ByteRange { from: line.from, to: line.from + SHOWN }),
    }
}
