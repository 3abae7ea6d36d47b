//! The folder of an attempt: which files lie in it, and how they are opened.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use domain::AttemptId;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};
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
/// When the output was printed; see [`crate::times`].
pub(crate) const TIMES: &str = "out.times";
/// Where the lines of the output begin; see [`crate::lines`].
pub(crate) const LINES: &str = "out.lines";

/// What the command that runs is found to be doing.
pub(crate) const STATE: &str = "state";

/// A file that a step could have put there in place of ours is not read further than this.
pub(crate) const RECORD_LIMIT: u64 = 64 << 20;

/// `data/runs/{run}/{step}-{attempt}`.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    names: [String; 2],
    path: PathBuf,
}

/// Something else stands where a file of the attempt should be: a step that works as the portal's user can put it there.
#[derive(Debug, thiserror::Error)]
#[error("{name} is {found} and not a file")]
struct Misplaced {
    name: String,
    found: &'static str,
}

impl Misplaced {
    fn error(name: &str, found: FileType) -> io::Error {
        let found = match found {
            FileType::Symlink => "a link",
            FileType::Directory => "a folder",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            _ => "a device",
        };
        io::Error::new(io::ErrorKind::InvalidData, Self { name: name.to_owned(), found })
    }
}

/// Whether something else stands where the file should be.
pub(crate) fn is_misplaced(error: &io::Error) -> bool {
    matches!(error.get_ref(), Some(inner) if inner.is::<Misplaced>())
}

impl Folder {
    pub(crate) fn new(root: &Path, id: AttemptId) -> Self {
        let names = [id.run.to_string(), format!("{}-{}", id.step, id.attempt)];
        Self { root: root.to_owned(), path: names.iter().fold(root.to_owned(), |path, name| path.join(name)), names }
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

    /// The folder itself, reached from the root without following a link.
    pub(crate) fn descend(&self) -> io::Result<OwnedFd> {
        Ok(self.descend_to(OFlags::PATH)?)
    }

    /// The same, open so that the names in it can be read.
    pub(crate) fn descend_to_list(&self) -> rustix::io::Result<OwnedFd> {
        self.descend_to(OFlags::RDONLY)
    }

    fn descend_to(&self, access: OFlags) -> rustix::io::Result<OwnedFd> {
        let flags = access | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.root, flags, Mode::empty())?;
        let enter = |above: OwnedFd, name| rustix::fs::openat(above, name, flags | OFlags::NOFOLLOW, Mode::empty());
        self.names.iter().try_fold(root, enter)
    }

    /// Opens a file of the folder for reading, never through a link and never waiting for the far end of a pipe. Anything
    /// else than a file is an error that says what it is.
    pub(crate) fn open(&self, name: &str) -> io::Result<File> {
        self.open_as(name, OFlags::RDONLY)
    }

    /// Opens a file of the folder for reading and for writing over what stands there, as carefully.
    pub(crate) fn open_to_write_over(&self, name: &str) -> io::Result<File> {
        self.open_as(name, OFlags::RDWR)
    }

    /// Opens a file of the folder for adding to it, as carefully. It is made when it is not there.
    pub(crate) fn open_to_append(&self, name: &str) -> io::Result<File> {
        self.make(name, OFlags::APPEND)
    }

    /// The same, with nothing in it.
    pub(crate) fn begin_anew(&self, name: &str) -> io::Result<File> {
        self.make(name, OFlags::APPEND | OFlags::TRUNC)
    }

    fn make(&self, name: &str, how: OFlags) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | how;
        let file = rustix::fs::openat(self.descend()?, name, flags, Mode::RUSR | Mode::WUSR)?;
        match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            other => Err(Misplaced::error(name, other)),
        }
    }

    fn open_as(&self, name: &str, access: OFlags) -> io::Result<File> {
        let folder = self.descend()?;
        let stat = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            other => return Err(Misplaced::error(name, other)),
        }
        let flags = access | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let file = rustix::fs::openat(&folder, name, flags, Mode::empty())?;
        // It may have been exchanged since it was looked at.
        match FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) {
            FileType::RegularFile => Ok(file.into()),
            other => Err(Misplaced::error(name, other)),
        }
    }

    /// The whole of a small file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(name)?.take(RECORD_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes a file of the folder, durably; a link is removed itself. That it is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(self.descend()?, name, AtFlags::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            other => other?,
        }
        File::open(&self.path)?.sync_all()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).symlink_metadata().is_ok()
    }

    /// Bytes in `out.log`; an error when something else stands in its place.
    pub(crate) fn length(&self) -> io::Result<u64> {
        let stat = match rustix::fs::statat(self.descend()?, LOG, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => return Ok(0),
            other => other?,
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(stat.st_size.try_into().unwrap_or(0)),
            other => Err(Misplaced::error(LOG, other)),
        }
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
