//! `out.lines`: where the lines of an output begin, one in every 64 KiB (`map`), and in which style.
//!
//! It is the portal's own and can be made anew from the output at any time: by it the line 900,000 of a log is found as soon as the
//! line 9. It grows with the output, whoever asks for a line brings it up to date. A step that works as the portal's user gains nothing by
//! writing into it: a line of it counts only with a signature of its own kind, and in its place.

mod map;
mod stored;
mod stretch;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::AttemptId;
use domain::redaction::ByteRange;
use domain::terminal::Style;

use crate::folder::{Folder, LOG};
use crate::key::AttemptKey;
use crate::output::{Unreadable, read_at};
use map::{LineMap, Scanner};
pub use stretch::Stretch;

/// Attempts whose maps stay in memory.
const KEPT: usize = 32;

/// What is read at once.
const READ: usize = 256 << 10;

/// Where a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinePlace {
    /// Its number, from 1.
    pub line: u64,
    /// The byte at which it begins.
    pub at: u64,
    /// The style in which it begins.
    pub style: Style,
}

/// The maps of the attempts that somebody has looked at lately.
#[derive(Default)]
pub(crate) struct Maps<T>(Mutex<VecDeque<(AttemptId, Arc<Mutex<T>>)>>);

impl<T: Default> Maps<T> {
    /// The map of an attempt; whoever asks for another one at the same time does not wait for this.
    pub(crate) fn of(&self, id: AttemptId) -> Arc<Mutex<T>> {
        let mut maps = lock(&self.0);
        let known = maps.iter().position(|(known, _)| *known == id).and_then(|place| maps.remove(place));
        let entry = known.unwrap_or_else(|| (id, Arc::default()));
        let map = Arc::clone(&entry.1);
        maps.push_back(entry);
        if maps.len() > KEPT {
            maps.pop_front();
        }
        map
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines of one output, as far as it was read.
#[derive(Default)]
pub(crate) struct Lines {
    map: Option<LineMap>,
    stored: stored::Stored,
}

impl Lines {
    /// Brings it up to date; gives the output, and how many bytes of it are known now.
    pub(crate) fn update(&mut self, folder: &Folder, key: &AttemptKey) -> io::Result<(File, u64)> {
        let file = folder.open(LOG).map_err(Unreadable::error)?;
        let length = file.metadata()?.len();
        let map = match self.map.take().filter(|map| map.at() <= length) {
            Some(map) => map,
            None => self.stored.load(folder, key, &file).unwrap_or_default(),
        };
        let map = self.map.insert(map);
        pieces(&file, map.at(), length, |piece| map.push(piece))?;
        self.stored.save(folder, key, map.entries());
        Ok((file, length))
    }

    fn map(&self) -> &LineMap {
        self.map.as_ref().expect("it is brought up to date first")
    }

    /// How many lines there are, with a last one that has no end.
    pub(crate) fn count(&self, length: u64) -> u64 {
        self.map().count(length)
    }

    /// The line in which a byte stands. Behind the last byte it is the line that comes next.
    pub(crate) fn line_at(&self, file: &File, byte: u64) -> io::Result<LinePlace> {
        let mut found = self.map().before_byte(byte);
        self.scan(file, found, byte, |place| {
            let goes_on = place.at <= byte;
            if goes_on {
                found = place;
            }
            goes_on
        })?;
        Ok(found)
    }

    /// A line by its number; of one that is not there yet, the one after the last.
    pub(crate) fn line(&self, file: &File, line: u64) -> io::Result<LinePlace> {
        let mut found = self.map().before_line(line);
        if found.line < line {
            self.scan(file, found, u64::MAX, |place| {
                found = place;
                place.line < line
            })?;
        }
        Ok(found)
    }

    /// The bytes of some lines of an output of this length, from one to another, both with it. `None` when it does not have them.
    pub(crate) fn bytes_of(&self, file: &File, length: u64, from: u64, to: u64) -> io::Result<Option<ByteRange>> {
        let (first, behind) = (self.line(file, from)?, self.line(file, to.saturating_add(1))?);
        // The last line may have no end; behind a line feed at the end no other line begins.
        let end = if behind.line > to { behind.at } else { length };
        let is_there = first.line == from && from <= to && to <= behind.line && first.at < end;
        Ok(is_there.then_some(ByteRange { from: first.at, to: end }))
    }

    /// The first line that begins at a byte of an output of this length or behind it; behind the last, the one that comes next.
    pub(crate) fn line_from(&self, file: &File, byte: u64, length: u64) -> io::Result<LinePlace> {
        let found = self.line_at(file, byte)?;
        if found.at >= byte {
            return Ok(found);
        }
        let next = self.line(file, found.line + 1)?;
        // The last line may have no end: behind it stands nothing yet.
        Ok(if next.line > found.line { next } else { LinePlace { line: found.line + 1, at: length, ..found } })
    }

    /// Tells of each line that begins behind a place, and at a byte or before it, as long as somebody wants to know. What is known to
    /// be the last line is not read.
    fn scan(
        &self,
        file: &File,
        from: LinePlace,
        until: u64,
        mut begins: impl FnMut(LinePlace) -> bool,
    ) -> io::Result<()> {
        let until = self.map().last().at.min(until);
        let mut scanner = Scanner::from(from);
        let mut over = false;
        pieces_while(file, from.at, until, |piece| {
            scanner.read(piece, |place| {
                over = over || !begins(place);
                !over
            });
            !over
        })
    }
}

/// Hands out a stretch of a file piece by piece.
fn pieces(file: &File, from: u64, to: u64, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    pieces_while(file, from, to, |piece| {
        take(piece);
        true
    })
}

/// The same as long as more is wanted.
fn pieces_while(file: &File, from: u64, to: u64, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut at = from;
    let mut buffer = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(READ).min(READ)];
    while at < to {
        let most = usize::try_from(to - at).unwrap_or(READ).min(buffer.len());
        let count = read_at(file, &mut buffer[..most], at)?;
        at += count as u64;
        if count == 0 || !take(&buffer[..count]) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
