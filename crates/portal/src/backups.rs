//! Backups: the whole of a data folder, copied while its portal works or does not, and put back.
//!
//! # What a backup is
//!
//! A folder that is laid out as a data folder is: `portal.db`, `keys`, `checkpoints`, `runs`. Beside them lie `backup.json`, which
//! says what is in it, and `SHA256SUMS`, one line for each file as `sha256sum -c` reads it. The two bind each other. Its
//! checkpoints, events and outputs fit each other, so that `audit verify` holds for it as for the data folder.
//!
//! # How it comes about while the portal works
//!
//! Nothing is locked, and nobody waits: what lies in a data folder only ever grows, with one exception. So it is a matter of order.
//!
//! 1. The checkpoints: none of them knows an event that the database does not have a moment later.
//! 2. The database, as it is at one moment. It says which attempts there are.
//! 3. The keys, and the folder of each of these attempts. One that has ended does not change any more. One that has not is
//!    copied as far as it is ([`engine::Kept`]), and whoever opens the copy finds it interrupted.
//! 4. The exception: something in an output was covered meanwhile. Where the copied database says so, it is covered in the copy,
//!    too; where only the portal's own database says so by now, the copy is thrown away and made anew.
//!
//! It is written under another name beside its place, and gets its own when everything is on the disk.
//!
//! - [`Backup`] makes one, [`Restore`] checks one and puts it into a place; [`Course`] tells how far they are, and ends them.

mod draft;
mod files;
mod making;
mod manifest;
mod restoring;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use making::{Backup, BackupError};
pub use manifest::Manifest;
pub use restoring::{Restore, RestoreError};

/// The database, in a data folder and in a backup.
const DATABASE: &str = "portal.db";

/// The folder of keys, there and there.
const KEYS: &str = "keys";

/// The folder of checkpoints.
const CHECKPOINTS: &str = "checkpoints";

/// The folder of runs, with one folder for each, and in that one for each attempt.
const RUNS: &str = "runs";

/// How far a long copy is, for whoever waits, and the wish that it ends.
#[derive(Debug, Default)]
pub struct Course {
    files: AtomicU64,
    bytes: AtomicU64,
    stopped: AtomicBool,
}

impl Course {
    /// Files that were read to their end.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Bytes that were read.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Ends the copy soon; what was made of it goes away.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn note_bytes(&self, count: usize) {
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn note_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the driver has to say about a failure, as a fragment.
fn why(error: &store::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests;
