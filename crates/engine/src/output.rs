//! Reading what was printed, from any byte, for any number of readers.

use std::fs::File;
use std::io::{self, IoSliceMut};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
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
    fn error(source: io::Error) -> io::Error {
        let kind = source.kind();
        let reason = if source.raw_os_error().is_some() { kind.to_string() } else { source.to_string() };
        io::Error::new(kind, Self { reason, source })
    }
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

    async fn read_from_disk(&self, from: u64, mut buffer: Vec<u8>) -> io::Result<Bytes> {
        let file = Arc::clone(&self.0);
        let read = move || {
            let count = file.read_at(&mut buffer, from)?;
            buffer.truncate(count);
            Ok(buffer.into())
        };
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}
