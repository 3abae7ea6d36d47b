//! Reading what was printed, from any byte, for any number of readers.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use domain::{AttemptId, Digest};
use rustix::io::{Errno, ReadWriteFlags};

use crate::folder::{Folder, LOG};

/// The largest piece that is read at once: more only costs memory.
pub const PIECE: usize = 64 << 10;

/// The output of one attempt, open for reading. Clones share the file; each reader has its own place.
#[derive(Clone, Debug)]
pub struct Output(Arc<File>);

/// Why the output of an attempt cannot be read, as a sentence for a page. It travels inside an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be read: {reason}")]
pub struct Unreadable {
    reason: String,
    #[source]
    source: io::Error,
}

impl Unreadable {
    pub(crate) fn error(source: io::Error) -> io::Error {
        let kind = source.kind();
        let reason = if source.raw_os_error().is_some() { kind.to_string() } else { source.to_string() };
        io::Error::new(kind, Self { reason, source })
    }
}

/// Reads into a buffer from a place on, whatever signals come meanwhile; none when nothing is there.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The length of the output that an attempt has left below a folder of runs, and its SHA-256. No portal need run for that.
///
/// # Errors
///
/// When there is none, or it cannot be read.
pub async fn stored_digest(root: PathBuf, id: AttemptId) -> io::Result<(u64, Digest)> {
    let read = move || {
        let mut file = Folder::new(&root, id).open(LOG).map_err(Unreadable::error)?;
        let mut hash = domain::Hasher::default();
        let bytes = io::copy(&mut file, &mut hash)?;
        Ok((bytes, hash.digest()))
    };
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
}

impl Output {
    pub(crate) fn open(folder: &Folder) -> io::Result<Self> {
        folder.open(LOG).map(|file| Self(Arc::new(file))).map_err(Unreadable::error)
    }

    /// At most `limit` bytes (and at most [`PIECE`]) from a place on; none when nothing is there yet.
    ///
    /// What is in memory is read at once; only what has to come from the disk is read on a thread that may wait.
    pub async fn read(&self, from: u64, limit: usize) -> io::Result<Bytes> {
        let mut buffer = vec![0; limit.min(PIECE)];
        match rustix::io::preadv2(&self.0, &mut [IoSliceMut::new(&mut buffer)], from, ReadWriteFlags::NOWAIT) {
            Ok(count) => {
                buffer.truncate(count);
                Ok(buffer.into())
            }
            Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => {
                self.read_from_disk(from, buffer).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All of it from the first byte on, for who may wait for the disk.
    pub fn reader(&self) -> impl io::Read + use<> {
        Reader { file: Arc::clone(&self.0), at: 0 }
    }

    async fn read_from_disk(&self, from: u64, mut buffer: Vec<u8>) -> io::Result<Bytes> {
        let file = Arc::clone(&self.0);
        let read = move || {
            let count = read_at(&file, &mut buffer, from)?;
            buffer.truncate(count);
            Ok(buffer.into())
        };
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}

/// A place of its own in the file that others read, too.
struct Reader {
    file: Arc<File>,
    at: u64,
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
