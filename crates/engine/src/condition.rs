//! `state`: what the command that runs is found to be doing, as its shim sees it from outside.
//!
//! A small file of its own and not a line of `out.idx`: a condition comes and goes many times and only the present one is of
//! interest, while the index is kept for ever. It is overwritten in its place, whole, in one write: that wakes followers like
//! everything else in the folder, and works on a full disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use domain::attempt::Condition;

use crate::folder::STATE;
use crate::key::AttemptKey;
use crate::record::Signed;

/// A condition and its signature are shorter than that.
const SIZE: usize = 512;

/// The file, as its shim writes it.
pub(crate) struct StateFile {
    file: File,
    key: AttemptKey,
    written: Condition,
}

impl StateFile {
    /// Makes it in the present folder, with its whole length.
    pub(crate) fn create(key: AttemptKey) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(STATE)?;
        let state = Self { file, key, written: Condition::default() };
        state.write(Condition::default())?;
        Ok(state)
    }

    /// The condition that followers know.
    pub(crate) fn known(&self) -> Condition {
        self.written
    }

    /// Tells followers. What cannot be told is only an observation less.
    pub(crate) fn tell(&mut self, condition: Condition) {
        if condition != self.written && self.write(condition).is_ok() {
            self.written = condition;
        }
    }

    fn write(&self, condition: Condition) -> io::Result<()> {
        let mut bytes = Signed::new("state", &condition, &self.key).to_bytes();
        bytes.resize(SIZE, b' ');
        self.file.write_all_at(&bytes, 0)
    }
}

/// The condition in such a file, if the key has signed it.
pub(crate) fn read(bytes: &[u8], key: &AttemptKey) -> Option<Condition> {
    Signed::open("state", bytes, key)
}
