//! The places of lines as they are kept in `out.lines`, each signed.
//!
//! What cannot be written is only time that is lost: the next portal reads the output again.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use super::map::{Entry, LineMap};
use crate::folder::{Folder, LINES};
use crate::key::AttemptKey;
use crate::record::Signed;

/// Keeps its signatures apart from those of other records.
const KIND: &str = "lines by bytes";

/// What is known of the file.
#[derive(Default)]
pub(super) struct Stored {
    /// How many places are in it.
    written: usize,
    /// Whether what is in it is what was written or read here; else it is written anew.
    known: bool,
    /// Whether it cannot be written.
    broken: bool,
}

impl Stored {
    /// What is kept, as far as it belongs to an output; `None` without that.
    pub(super) fn load(&mut self, folder: &Folder, key: &AttemptKey, output: &File) -> Option<LineMap> {
        *self = Self::default();
        let text = folder.read(LINES).ok()?;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let entries: Vec<Entry> = lines.iter().map_while(|line| Signed::open(KIND, line, key)).collect();
        (self.written, self.known) = (entries.len(), entries.len() == lines.len());
        let last = entries.last().copied();
        let map = LineMap::kept(entries).filter(|_| last.is_some_and(|last| begins_a_line(output, last.at)));
        self.known &= map.is_some();
        map
    }

    /// Writes what is new.
    pub(super) fn save(&mut self, folder: &Folder, key: &AttemptKey, entries: &[Entry]) {
        let is_new = !self.known || entries.len() > self.written;
        if self.broken || entries.is_empty() || !is_new {
            return;
        }
        let from = if self.known { self.written } else { 0 };
        match self.write(folder, key, entries.get(from..).unwrap_or_default()) {
            Ok(()) => (self.written, self.known) = (entries.len(), true),
            Err(_) => self.broken = true,
        }
    }

    fn write(&self, folder: &Folder, key: &AttemptKey, entries: &[Entry]) -> io::Result<()> {
        let mut text = Vec::new();
        for entry in entries {
            text.extend(Signed::new(KIND, entry, key).to_bytes());
            text.push(b'\n');
        }
        let mut file = if self.known { folder.open_to_append(LINES)? } else { folder.begin_anew(LINES)? };
        file.write_all(&text)
    }
}

fn begins_a_line(output: &File, at: u64) -> bool {
    let mut byte = [0];
    at > 0 && output.read_exact_at(&mut byte, at - 1).is_ok() && byte == *b"\n"
}
