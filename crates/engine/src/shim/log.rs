//! `out.log` and `out.idx`: output as it came, and the borders in it.
//!
//! The first bytes are appended at once and then at most once in a millisecond, so that a follower is woken early and not
//! for every line. More than the cap is not kept: the first half stays in the log, the last half is held in a ring in
//! `out.tail` and appended when the step has ended, and what lay between is counted to the byte. When the disk is full, or fails,
//! the log ends there; the borders and the exit record have their space already.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::time::{Duration, Instant};

use domain::Digest;
use domain::attempt::{CommandRange, Mark};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::mask::Mask;
use super::place;
use crate::folder::{INDEX, LOG, TAIL};
use crate::index::{self, Cut};
use crate::inspect;
use crate::key::AttemptKey;
use crate::times::TimesFile;

/// Between two appends of a burst.
const PAUSE: Duration = Duration::from_millis(1);
/// A piece that is as long as this is appended as it is; shorter ones are gathered.
const LONG: usize = 16 << 10;
/// Bytes that are kept free for the index: it is written also when the disk is full.
const INDEX_SPACE: u64 = 32 << 10;

/// The output of an attempt, as it is written.
pub(crate) struct Log {
    /// Away while it is at work.
    mask: Option<Box<Mask>>,
    out: File,
    index: File,
    key: AttemptKey,
    /// Every line of the index, to know it again.
    lines: Vec<String>,
    /// Bytes in `out.idx`, as far as they are known.
    indexed: u64,
    /// Lines that another shim has written and that come again.
    known: VecDeque<String>,
    /// Bytes that another shim has written and that come again.
    there: u64,
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
    /// When it was printed.
    times: TimesFile,
    cut: Option<u64>,
    /// Why output was left out, when that is not because of the cap.
    loss: Option<Loss>,
    /// Where each command has printed, counting every byte.
    ranges: Vec<CommandRange>,
    tampered: Vec<String>,
    /// What the disk did besides, each in a sentence.
    trouble: Vec<String>,
}

/// Why a disk has not taken output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// It is full, or what its user may have of it is.
    Full,
    /// It failed.
    Failed(io::ErrorKind),
}

impl Loss {
    fn of(error: &io::Error) -> Self {
        if place::is_full(error) { Self::Full } else { Self::Failed(error.kind()) }
    }
}

/// What a log was in the end.
pub(crate) struct LogEnd {
    pub bytes: u64,
    pub dropped: u64,
    pub cut: Option<u64>,
    pub disk_full: bool,
    /// What the disk has not taken for another reason, each in a sentence.
    pub unstored: Vec<String>,
    pub digest: Digest,
    /// Where each command's output is, when some was left out.
    pub ranges: Vec<CommandRange>,
    pub tampered: Vec<String>,
}

impl Log {
    /// Makes the files in the present folder. That they are there already is an error.
    pub(crate) fn create(cap: u64, key: AttemptKey, mask: Mask) -> io::Result<Self> {
        let make = |name: &str| OpenOptions::new().read(true).append(true).create_new(true).mode(0o600).open(name);
        let index = make(INDEX)?;
        place::reserve(&index, INDEX_SPACE);
        Ok(Self::new(index, make(LOG)?, cap, key, mask))
    }

    /// Takes up the files of a shim that has died, whose output is about to come again from its first byte: the same bytes
    /// between the same borders. What is there stays as it is.
    pub(crate) fn reopen(cap: u64, key: AttemptKey, mask: Mask) -> io::Result<Self> {
        let open = |name: &str| {
            let flags = nix::libc::O_NOFOLLOW;
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(name)
        };
        let (mut index, out) = (open(INDEX)?, open(LOG)?);
        let mut text = Vec::new();
        index.read_to_end(&mut text)?;
        let known = index::genuine_lines(&text, &key);
        let (there, indexed) = (out.metadata()?.len(), text.len() as u64);
        Ok(Self { known: known.into(), there, indexed, ..Self::new(index, out, cap, key, mask) })
    }

    fn new(index: File, out: File, cap: u64, key: AttemptKey, mask: Mask) -> Self {
        Self {
            known: VecDeque::new(),
            there: 0,
            mask: Some(Box::new(mask)),
            index,
            out,
            key,
            lines: Vec::new(),
            indexed: 0,
            unwritten: Vec::new(),
            gathered: Vec::with_capacity(4 * LONG),
            appended: None,
            total: 0,
            written: 0,
            head: cap / 2,
            tail: cap - cap / 2,
            ring: None,
            times: TimesFile::default(),
            cut: None,
            loss: None,
            ranges: Vec::new(),
            tampered: Vec::new(),
            trouble: Vec::new(),
        }
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
            self.keep(bytes, now);
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
            self.keep(&gathered, now);
            self.gathered = gathered;
            self.gathered.clear();
            self.appended = Some(now);
        }
    }

    /// The border that another shim has noted and that comes again next.
    pub(crate) fn noted_before(&self) -> Option<Mark> {
        self.known.front().and_then(|line| serde_json::from_str(line).ok())
    }

    /// Notes a border, after the output before it.
    pub(crate) fn mark(&mut self, mark: &Mark, now: Instant) {
        self.flush(now);
        match *mark {
            Mark::Started { command, offset, .. } => {
                self.ranges.push(CommandRange { command, from: offset, to: offset });
            }
            Mark::Ended { offset, .. } => {
                if let Some(range) = self.ranges.last_mut() {
                    range.to = offset;
                }
            }
        }
        self.note(mark);
    }

    /// Puts the kept end behind the kept beginning, makes both files durable, and tells what they are.
    ///
    /// What the disk does not take is said and not waited for: how the step ended is worth more. An error means that the folder is
    /// gone, or that there is no room to put a file back that was taken away; then this can be tried again.
    pub(crate) fn finish(&mut self) -> io::Result<LogEnd> {
        let now = Instant::now();
        self.border(now);
        self.flush(now);
        self.adopt();
        self.restore_log()?;
        if let Some(mut ring) = self.ring.take() {
            self.append_ring(&mut ring);
        }
        let _ = self.write_index();
        self.restore_index()?;
        let _ = place::release(&self.index);
        if let Err(error) = self.out.sync_data().and_then(|()| self.index.sync_data()) {
            self.say(format!("The output could not be made durable ({}): some of it may be missing.", error.kind()));
        }
        let _ = std::fs::remove_file(TAIL);
        let digest = self.digest();
        let dropped = self.total.saturating_sub(self.written);
        let cut = self.cut.filter(|_| dropped > 0);
        let disk_full = cut.is_some() && self.loss == Some(Loss::Full);
        let (ranges, tampered) = (self.exact_ranges(dropped), self.tampered.clone());
        let unstored = self.failed(cut).into_iter().chain(self.trouble.clone()).collect();
        Ok(LogEnd { bytes: self.written, dropped, cut, disk_full, unstored, digest, ranges, tampered })
    }

    /// What another shim has noted and written before, and what has not come again, stays: its target is gone.
    fn adopt(&mut self) {
        self.lines.extend(self.known.drain(..));
        self.written += std::mem::take(&mut self.there);
        self.total = self.total.max(self.written);
    }

    /// With its end, or as if there had been none to keep.
    fn append_ring(&mut self, ring: &mut Ring) {
        match ring.empty_into(&mut self.out) {
            Ok(count) => self.written += count,
            Err(error) => {
                self.loss.get_or_insert(Loss::of(&error));
                // What was appended of it stands at no place that is known.
                if self.out.set_len(self.written).is_err() {
                    self.written = self.out.metadata().map_or(self.written, |found| found.len());
                }
            }
        }
    }

    /// From where on output could not be stored, when the disk has failed.
    fn failed(&self, cut: Option<u64>) -> Option<String> {
        let (Some(Loss::Failed(kind)), Some(cut)) = (self.loss, cut) else { return None };
        Some(format!("The output could not be stored from byte {cut} on, because the disk failed ({kind})."))
    }

    fn say(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.trouble.contains(&sentence) {
            self.trouble.push(sentence);
        }
    }

    fn exact_ranges(&self, dropped: u64) -> Vec<CommandRange> {
        let Some(cut) = self.cut.filter(|_| dropped > 0) else { return Vec::new() };
        let place = |printed| inspect::place(printed, cut, dropped);
        self.ranges
            .iter()
            .map(|range| CommandRange { from: place(range.from), to: place(range.to), ..*range })
            .collect()
    }

    /// Sees to it that `out.log` is the file that was written here, and says so when it was not.
    fn restore_log(&mut self) -> io::Result<()> {
        let found = self.out.metadata().map_or(self.written, |found| found.len());
        if found != self.written {
            self.tamper(format!(
                "out.log was changed by another process while the step ran: it has {found} bytes where {} were written. \
                 Its text cannot be trusted.",
                self.written
            ));
            // The kept end comes behind what was written here. Without one, what is there is what the record is about.
            if self.ring.is_none() || self.out.set_len(self.written).is_err() {
                self.written = found;
            }
        }
        if !place::is_at(&self.out, LOG) {
            match place::put(LOG, FilePart { file: &self.out, at: 0, left: u64::MAX }) {
                Err(error) if is_worth_another_try(&error) => return Err(error),
                Err(error) => {
                    let why = error.kind();
                    self.tamper(format!(
                        "out.log was taken away while the step ran. It could not be put back ({why})."
                    ));
                }
                Ok(file) => {
                    self.out = file;
                    self.tamper("out.log was taken away while the step ran. What was printed was put back.".to_owned());
                }
            }
        }
        Ok(())
    }

    /// The same for `out.idx`, which is known to the byte.
    fn restore_index(&mut self) -> io::Result<()> {
        let whole = self.lines.concat();
        let mut found = Vec::new();
        // What cannot be read is only a beginning, and no reason to accuse anybody.
        let _ = FilePart { file: &self.index, at: 0, left: whole.len() as u64 + 1 }.read_to_end(&mut found);
        let at_its_place = place::is_at(&self.index, INDEX);
        if found != whole.as_bytes() || !at_its_place {
            // Only a full disk leaves a beginning of it.
            if !at_its_place || !whole.as_bytes().starts_with(&found) {
                let sentence =
                    "out.idx was changed by another process while the step ran. What the portal noted was put back.";
                self.tamper(sentence.to_owned());
            }
            match place::put(INDEX, whole.as_bytes()) {
                Ok(file) => self.index = file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                // How the attempt ended is worth more than where its commands did.
                Err(_) => {}
            }
            self.unwritten.clear();
        }
        Ok(())
    }

    fn tamper(&mut self, sentence: String) {
        if !self.tampered.contains(&sentence) {
            self.tampered.push(sentence);
        }
    }

    fn note(&mut self, border: &impl Serialize) {
        if let Some(line) = self.known.pop_front() {
            return self.lines.push(line);
        }
        let line = index::line(border, self.lines.len() as u64, &self.key);
        // Half a line of somebody else must not swallow this one.
        if self.unwritten.is_empty() && self.index.metadata().is_ok_and(|found| found.len() != self.indexed) {
            self.unwritten.push(b'\n');
        }
        self.unwritten.extend_from_slice(line.as_bytes());
        self.lines.push(line);
        // A full disk: kept, and tried again with the next mark and at the end.
        let _ = self.write_index();
    }

    fn write_index(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            let count = self.index.write(&self.unwritten)?;
            self.unwritten.drain(..count);
        }
        self.indexed = self.index.metadata()?.len();
        Ok(())
    }

    fn keep(&mut self, mut bytes: &[u8], now: Instant) {
        bytes = self.pass_over(bytes);
        let at = self.written;
        while self.cut.is_none() && !bytes.is_empty() {
            let room = usize::try_from(self.head - self.written).unwrap_or(usize::MAX).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            match if now.is_empty() { Ok(0) } else { self.out.write(now) } {
                Ok(0) => self.begin_cut(None),
                Ok(count) => {
                    self.written += count as u64;
                    bytes = now.get(count..).filter(|rest| !rest.is_empty()).unwrap_or(later);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.begin_cut(Some(Loss::of(&error))),
            }
        }
        if self.written > at {
            self.times.note(at, now);
        }
        if let Some(ring) = &mut self.ring {
            ring.push(bytes);
        }
    }

    /// Passes over what another shim has written before, and gives the rest.
    fn pass_over<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let again = usize::try_from(self.there).unwrap_or(usize::MAX).min(bytes.len());
        let (known, new) = bytes.split_at(again);
        let mut found = vec![0; again];
        if self.out.read_exact_at(&mut found, self.written).is_err() || found != known {
            self.say(
                "The output was written by two processes, one after the other, which have not masked it alike: a value to be masked \
                 has changed meanwhile. It may have a gap or a repetition.",
            );
        }
        self.there -= again as u64;
        self.written += again as u64;
        new
    }

    /// From here on nothing is appended. Where the disk takes no more there is no end to keep either.
    fn begin_cut(&mut self, loss: Option<Loss>) {
        self.cut = Some(self.written);
        self.loss = loss;
        if loss.is_none() && self.tail > 0 {
            self.ring = Ring::create(self.tail).ok();
        }
        let disk_full = loss == Some(Loss::Full);
        self.note(&Cut { mark: "cut".to_owned(), offset: self.written, at: super::clock::now(), disk_full });
    }

    /// The digest of what is there. What cannot be read back counts as not stored.
    fn digest(&mut self) -> Digest {
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut at = 0;
        loop {
            match self.out.read_at(&mut buffer, at) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.loss = Some(Loss::of(&error));
                    self.cut = Some(self.cut.map_or(at, |cut| cut.min(at)));
                    self.written = at;
                    break;
                }
                Ok(count) => {
                    hash.update(buffer.get(..count).expect("no more is read than fits"));
                    at += count as u64;
                }
            }
        }
        Digest::parse(&hex::encode(hash.finalize())).expect("SHA-256 has 64 hexadecimal digits")
    }
}

/// The last bytes of an output, in a file of fixed size.
struct Ring {
    file: File,
    size: u64,
    pushed: u64,
    /// Why it has holes.
    broken: Option<io::Error>,
}

impl Ring {
    fn create(size: u64) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(TAIL)?;
        Ok(Self { file, size, pushed: 0, broken: None })
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
            if let Err(error) = self.file.write_all_at(now, at) {
                self.broken.get_or_insert(error);
            }
            self.pushed += now.len() as u64;
            bytes = later;
        }
    }

    /// Appends the bytes in their order, and says how many there were. When the disk took no more meanwhile they have holes, and
    /// none of them is kept.
    fn empty_into(&mut self, out: &mut File) -> io::Result<u64> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let kept = self.pushed.min(self.size);
        let start = if self.pushed > self.size { self.pushed % self.size } else { 0 };
        for (from, count) in [(start, kept.min(self.size - start)), (0, kept.saturating_sub(self.size - start))] {
            let mut part =
                io::BufReader::with_capacity(256 << 10, FilePart { file: &self.file, at: from, left: count });
            io::copy(&mut part, out)?;
        }
        Ok(kept)
    }
}

/// Whether room may come, or there is nobody left to tell.
fn is_worth_another_try(error: &io::Error) -> bool {
    place::is_full(error) || error.kind() == io::ErrorKind::NotFound
}

struct FilePart<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for FilePart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read_at(buffer.get_mut(..limit).unwrap_or_default(), self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
