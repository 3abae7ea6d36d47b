//! Putting a bundle together.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom, Write};

use domain::audit::{Head, SignedCheckpoint};
use domain::{AttemptId, Digest};
use tar::{Builder, EntryType, Header};

use super::{Before, CHAIN, CHECKPOINT, KEY, Line, README, output_name};
use crate::PublicKey;

const TEXT: &str = include_str!("README.txt");

/// Writes the entries of a bundle, in their order. The same run at the same place gives the same bytes.
pub struct BundleWriter<W: Write + Seek> {
    tar: Builder<W>,
    /// Seconds since 1970: when the checkpoint was signed.
    at: u64,
}

impl<W: Write + Seek> fmt::Debug for BundleWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleWriter").field("at", &self.at).finish_non_exhaustive()
    }
}

impl<W: Write + Seek> BundleWriter<W> {
    /// Begins a bundle with what it is checked by.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn new(to: W, key: &PublicKey, checkpoint: &SignedCheckpoint) -> io::Result<Self> {
        let at = u64::try_from(checkpoint.checkpoint.at.0 / 1000).unwrap_or_default();
        let mut bundle = Self { tar: Builder::new(to), at };
        bundle.add(README, TEXT.as_bytes())?;
        bundle.add(KEY, key.pem().as_bytes())?;
        bundle.add(CHECKPOINT, &serde_json::to_vec(checkpoint)?)?;
        Ok(bundle)
    }

    /// Adds the chain: a file of lines that [`ChainWriter`] has written.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written.
    pub fn chain(&mut self, mut lines: impl Read + Seek) -> io::Result<()> {
        let length = lines.seek(SeekFrom::End(0))?;
        lines.rewind()?;
        self.stream(CHAIN, length, lines)
    }

    /// Adds the output of an attempt, which has `length` bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or has fewer bytes.
    pub fn output(&mut self, id: AttemptId, length: u64, bytes: impl Read) -> io::Result<()> {
        self.stream(&output_name(id), length, bytes)
    }

    /// Ends the bundle and gives back what it was written to.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<W> {
        self.tar.into_inner()
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.stream(name, bytes.len() as u64, bytes)
    }

    fn stream(&mut self, name: &str, length: u64, bytes: impl Read) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(length);
        header.set_mode(0o644);
        header.set_mtime(self.at);
        let mut bytes = Counted { bytes: bytes.take(length), left: length };
        self.tar.append_data(&mut header, name, &mut bytes)?;
        if bytes.left == 0 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// Knows whether everything was there that was promised: the tar's header is written before its bytes.
struct Counted<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Writes the lines of `chain.jsonl`.
#[derive(Debug)]
pub struct ChainWriter<W: Write> {
    to: W,
}

impl<W: Write> ChainWriter<W> {
    /// Begins with nothing.
    pub const fn new(to: W) -> Self {
        Self { to }
    }

    /// The first line: the place before the first event of the run.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn before(&mut self, head: &Head) -> io::Result<()> {
        self.line(&Before { seq: head.seq, hash: head.hash.clone() })
    }

    /// An event of the run.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn record(&mut self, record: String) -> io::Result<()> {
        self.line(&Line::Record(record))
    }

    /// An event of something else.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn digest(&mut self, digest: &Digest) -> io::Result<()> {
        self.line(&Line::Digest(digest.as_str().to_owned()))
    }

    /// What it was written to.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn line(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, line)?;
        self.to.write_all(b"\n")
    }
}
