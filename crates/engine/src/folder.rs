//! The folder of an attempt: which files lie in it, and how they are opened.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use domain::AttemptId;
use domain::attempt::Spec;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

pub(crate) const SPEC: &str = "spec.json";
pub(crate) const LOG: &str = "out.log";
pub(crate) const INDEX: &str = "out.idx";
pub(crate) const EXIT: &str = "exit.json";
pub(crate) const LOCK: &str = "lock";
pub(crate) const CONTROL: &str = "control.sock";
/// What the shim itself has to say when it cannot work; empty in good times.
pub(crate) const TROUBLE: &str = "shim.log";
/// The last half of an output that is longer than its cap, while the step runs.
pub(crate) const TAIL: &str = "out.tail";

/// A file that a step could have put there in place of ours is not read further than this.
const RECORD_LIMIT: u64 = 64 << 20;

/// `data/runs/{run}/{step}-{attempt}`.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn new(root: &Path, id: AttemptId) -> Self {
        Self { path: root.join(id.run.to_string()).join(format!("{}-{}", id.step, id.attempt)) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder. That it is there already is an error: nothing is ever started twice.
    pub(crate) fn create(&self) -> io::Result<()> {
        let run = self.path.parent().expect("the folder of an attempt lies in that of its run");
        DirBuilder::new().recursive(true).mode(0o700).create(run)?;
        DirBuilder::new().mode(0o700).create(&self.path)?;
        File::open(run)?.sync_all()
    }

    /// Opens a file of the folder for reading, never through a link and never waiting for the far end of a pipe.
    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        Ok(rustix::fs::open(self.path.join(name), flags, Mode::empty())?.into())
    }

    /// The whole of a small file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name)?.take(RECORD_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).symlink_metadata().is_ok()
    }

    pub(crate) fn length(&self) -> u64 {
        self.path.join(LOG).symlink_metadata().map_or(0, |metadata| metadata.len())
    }

    pub(crate) fn spec(&self) -> io::Result<Spec> {
        Ok(serde_json::from_slice(&self.read(SPEC)?)?)
    }

    /// Whether a living shim holds the lock.
    pub(crate) fn is_held(&self) -> io::Result<bool> {
        match rustix::fs::flock(self.open(LOCK)?, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Blocks until no shim holds the lock.
    pub(crate) fn wait_until_free(&self) -> io::Result<()> {
        let lock = self.open(LOCK)?;
        loop {
            match rustix::fs::flock(&lock, FlockOperation::LockShared) {
                Err(Errno::INTR) => {}
                other => return Ok(other?),
            }
        }
    }
}
