//! `out.log` and `out.idx`: output as it came, and the borders in it.
//!
//! The first bytes are appended at once and then at most once in a millisecond, so that a follower is woken early and not
//! for every line. More than the cap is not kept: the first half stays in the log, the last half is held in a ring in
//! `out.tail` and appended when the step has ended, and what lay between is counted to the byte.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use domain::Digest;
use domain::attempt::Mark;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::mask::Mask;
use crate::folder::{INDEX, LOG, TAIL};

/// Between two appends of a burst.
const PAUSE: Duration = Duration::from_millis(1);
/// A piece that is as long as this is appended as it is; shorter ones are gathered.
const LONG: usize = 16 << 10;

/// The output of an attempt, as it is written.
pub(crate) struct Log {
    /// Away while it is at work.
    mask: Option<Box<Mask>>,
    out: File,
    index: File,
    /// Lines of the index that could not be written yet, because the disk was full.
    unwritten: Vec<u8>,
    gathered: Vec<u8>,
    appended: Option<Instant>,
    /// Bytes that came, gathered ones included.
    total: u64,
    /// Bytes in `out.log`.
    written: u64,
    /// Bytes that `out.log` may hold while the step runs.
    head: u64,
    tail: u64,
    ring: Option<Ring>,
    cut: Option<u64>,
}

/// What a log was in the end.
pub(crate) struct LogEnd {
    pub bytes: u64,
    pub dropped: u64,
    pub cut: Option<u64>,
    pub digest: Digest,
}

/// Not a [`Mark`]: an older portal passes over it.
#[derive(Serialize)]
struct CutLine {
    mark: &'static str,
    offset: u64,
    at: i64,
}

impl Log {
    /// Makes the files in the present folder. That they are there already is an error.
    pub(crate) fn create(cap: u64, mask: Mask) -> io::Result<Self> {
        let make = |name: &str| OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(name);
        Ok(Self {
            mask: Some(Box::new(mask)),
            index: make(INDEX)?,
            out: make(LOG)?,
            unwritten: Vec::new(),
            gathered: Vec::with_capacity(4 * LONG),
            appended: None,
            total: 0,
            written: 0,
            head: cap / 2,
            tail: cap - cap / 2,
            ring: None,
            cut: None,
        })
    }

    /// A border between commands: nothing that was printed before belongs to a secret that is printed after it. Gives the
    /// bytes that the commands have printed so far, masked, whether kept or not.
    pub(crate) fn border(&mut self, now: Instant) -> u64 {
        if let Some(mut mask) = self.mask.take() {
            self.add(mask.flush(), now);
            self.mask = Some(mask);
        }
        self.total
    }

    /// Takes output.
    pub(crate) fn append(&mut self, bytes: &[u8], now: Instant) {
        if let Some(mut mask) = self.mask.take() {
            self.add(mask.push(bytes), now);
            self.mask = Some(mask);
        }
    }

    /// What masks the output.
    pub(crate) fn mask(&self) -> &Mask {
        self.mask.as_ref().expect("it is at work only while output is taken")
    }

    fn add(&mut self, bytes: &[u8], now: Instant) {
        if bytes.is_empty() {
            return;
        }
        self.total += bytes.len() as u64;
        let due = self.appended.is_none_or(|last| now.duration_since(last) >= PAUSE);
        if bytes.len() >= LONG || (due && self.gathered.is_empty()) {
            self.flush(now);
            self.keep(bytes);
            self.appended = Some(now);
            return;
        }
        self.gathered.extend_from_slice(bytes);
        if due || self.gathered.len() >= 4 * LONG {
            self.flush(now);
        }
    }

    /// When gathered output has to be appended.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.appended.filter(|_| !self.gathered.is_empty()).map(|last| last + PAUSE)
    }

    /// Appends what was gathered.
    pub(crate) fn flush(&mut self, now: Instant) {
        if !self.gathered.is_empty() {
            let gathered = std::mem::take(&mut self.gathered);
            self.keep(&gathered);
            self.gathered = gathered;
            self.gathered.clear();
            self.appended = Some(now);
        }
    }

    /// Notes a border, after the output before it.
    pub(crate) fn mark(&mut self, mark: &Mark, now: Instant) {
        self.flush(now);
        self.note(mark);
    }

    /// Puts the kept end behind the kept beginning, makes both files durable, and tells what they are.
    pub(crate) fn finish(&mut self) -> io::Result<LogEnd> {
        let now = Instant::now();
        self.border(now);
        self.flush(now);
        if let Some(ring) = &mut self.ring {
            // A former try may have broken off in the middle.
            self.out.set_len(self.written)?;
            ring.empty_into(&mut self.out)?;
            self.written = self.out.metadata()?.len();
            self.ring = None;
        }
        self.write_index()?;
        self.out.sync_data()?;
        self.index.sync_data()?;
        let _ = std::fs::remove_file(TAIL);
        let dropped = self.total - self.written;
        Ok(LogEnd { bytes: self.written, dropped, cut: self.cut.filter(|_| dropped > 0), digest: self.digest()? })
    }

    fn note(&mut self, line: &impl Serialize) {
        serde_json::to_writer(&mut self.unwritten, line).expect("a mark is always JSON");
        self.unwritten.push(b'\n');
        // A full disk: kept, and tried again with the next mark and at the end.
        let _ = self.write_index();
    }

    fn write_index(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            let count = self.index.write(&self.unwritten)?;
            self.unwritten.drain(..count);
        }
        Ok(())
    }

    fn keep(&mut self, mut bytes: &[u8]) {
        while self.cut.is_none() && !bytes.is_empty() {
            let room = usize::try_from(self.head - self.written).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            match if now.is_empty() { Ok(0) } else { self.out.write(now) } {
                Ok(0) => self.begin_cut(true),
                Ok(count) => {
                    self.written += count as u64;
                    bytes = now.get(count..).filter(|rest| !rest.is_empty()).unwrap_or(later);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.begin_cut(false),
            }
        }
        if let Some(ring) = &mut self.ring {
            ring.push(bytes);
        }
    }

    /// From here on nothing is appended. After a full disk there is no end to keep either.
    fn begin_cut(&mut self, with_tail: bool) {
        self.cut = Some(self.written);
        if with_tail && self.tail > 0 {
            self.ring = Ring::create(self.tail).ok();
        }
        self.note(&CutLine { mark: "cut", offset: self.written, at: super::clock::now() });
    }

    fn digest(&self) -> io::Result<Digest> {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        loop {
            match self.out.read_at(&mut buffer, at)? {
                0 => break,
                count => {
                    hash.update(buffer.get(..count).expect("no more is read than fits"));
                    at += count as u64;
                }
            }
        }
        Ok(Digest::parse(&hex::encode(hash.finalize())).expect("SHA-256 has 64 hexadecimal digits"))
    }
}

/// The last bytes of an output, in a file of fixed size.
struct Ring {
    file: File,
    size: u64,
    pushed: u64,
    broken: bool,
}

impl Ring {
    fn create(size: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(TAIL)?;
        Ok(Self { file, size, pushed: 0, broken: false })
    }

    fn push(&mut self, bytes: &[u8]) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let skipped = bytes.len().saturating_sub(size);
        self.pushed += skipped as u64;
        let mut bytes = bytes.get(skipped..).unwrap_or_default();
        while !bytes.is_empty() {
            let at = self.pushed % self.size;
            let room = usize::try_from(self.size - at).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.broken |= self.file.write_all_at(now, at).is_err();
            self.pushed += now.len() as u64;
            bytes = later;
        }
    }

    /// Appends the bytes in their order. When the disk was full meanwhile they have holes, and none of them is kept.
    fn empty_into(&mut self, out: &mut File) -> io::Result<()> {
        if self.broken {
            return Ok(());
        }
        let kept = self.pushed.min(self.size);
        let start = if self.pushed > self.size { self.pushed % self.size } else { 0 };
        for (from, count) in [(start, kept.min(self.size - start)), (0, kept.saturating_sub(self.size - start))] {
            let mut part =
                io::BufReader::with_capacity(256 << 10, RingPart { file: &self.file, at: from, left: count });
            io::copy(&mut part, out)?;
        }
        Ok(())
    }
}

struct RingPart<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for RingPart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..limit).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
