//! `out.times`: when output was printed, for timestamps and for replaying it.
//!
//! The first line is JSON and says at which moment the others begin to count. Each of them is a byte of `out.log` and the milliseconds
//! since then: from this byte on it was printed then or later. A shim that takes up what another one has left begins with a line of
//! JSON of its own. Nothing but what pages show hangs on this file, and so nothing in it is signed: what a step writes into it moves
//! the hands of a clock beside its own output.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, RECORD_LIMIT, TIMES};

/// Between two moments that are noted at first.
const PAUSE: Duration = Duration::from_millis(20);

/// After so many moments the pause is twice as long, after as many again four times: what a step of days has noted is read at once.
const DOUBLED: u32 = 20_000;

/// A pause doubles so often at most.
const LONGEST: u32 = 10;

/// The place of one moment in so many is kept: from there on a reader looks for others.
const EVERY: usize = 256;

/// From where on the lines below count.
#[derive(Serialize, Deserialize)]
struct Begin {
    /// The version of this file.
    v: u32,
    /// Wall clock, milliseconds since 1970.
    at: i64,
}

/// The file, as a shim writes it.
#[derive(Debug, Default)]
pub(crate) struct TimesFile {
    file: Option<File>,
    begun: Option<Instant>,
    noted: Option<Instant>,
    count: u32,
}

impl TimesFile {
    /// Notes that what begins at a byte has just been printed; not for every byte. What cannot be noted is only a moment less.
    pub(crate) fn note(&mut self, byte: u64, now: Instant) {
        let pause = PAUSE * (1 << (self.count / DOUBLED).min(LONGEST));
        if self.noted.is_some_and(|noted| now.duration_since(noted) < pause) {
            return;
        }
        self.noted = Some(now);
        self.count = self.count.saturating_add(1);
        if self.write(byte, now).is_err() {
            self.file = None;
        }
    }

    /// Makes the file with its first moment, in the present folder. One that could not be written once is left alone.
    fn write(&mut self, byte: u64, now: Instant) -> io::Result<()> {
        let mut lines = Vec::new();
        let begun = if let Some(begun) = self.begun {
            begun
        } else {
            self.begun = Some(now);
            self.file = Some(open()?);
            serde_json::to_writer(&mut lines, &Begin { v: 1, at: crate::shim::clock::now() })?;
            lines.push(b'\n');
            now
        };
        writeln!(lines, "{byte} {}", now.duration_since(begun).as_millis())?;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(&lines))
    }
}

fn open() -> io::Result<File> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags).open(TIMES)
}

/// All moments that are known, in order.
pub(crate) fn all(folder: &Folder) -> io::Result<Vec<(u64, Timestamp)>> {
    let (mut moments, mut place) = (Vec::new(), Place::default());
    if let Some(file) = stored(folder)? {
        read(&file, &mut place, RECORD_LIMIT, |_, moment| {
            moments.push(moment);
            true
        })?;
    }
    Ok(moments)
}

/// An attempt of an older portal has none.
fn stored(folder: &Folder) -> io::Result<Option<File>> {
    match folder.open(TIMES) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound || crate::folder::is_misplaced(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A place in the file between two lines, and what has to be known there of those before it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The first byte of the next line.
    at: u64,
    /// From which moment on it counts.
    begin: Option<i64>,
    /// The last moment.
    last: (u64, i64),
}

impl Default for Place {
    fn default() -> Self {
        Self { at: 0, begin: None, last: (0, i64::MIN) }
    }
}

impl Place {
    /// Passes the next line. What goes back, or cannot be read, is no moment.
    fn pass(&mut self, line: &[u8]) -> Option<(u64, Timestamp)> {
        self.at += line.len() as u64 + 1;
        if line.first() == Some(&b'{') {
            self.begin = serde_json::from_slice::<Begin>(line).ok().map(|begin| begin.at).or(self.begin);
            return None;
        }
        let (byte, since) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let moment = (byte.parse::<u64>().ok()?, self.begin?.checked_add(since.parse::<u32>().ok()?.into())?);
        if moment.0 < self.last.0 || moment.1 < self.last.1 {
            return None;
        }
        self.last = moment;
        Some((moment.0, Timestamp(moment.1)))
    }
}

/// Reads on from a place to a byte of the file; tells of each moment, and of the place before it, as long as somebody wants to know.
/// A line that has no end yet is not read.
fn read(
    mut file: &File,
    place: &mut Place,
    until: u64,
    mut take: impl FnMut(Place, (u64, Timestamp)) -> bool,
) -> io::Result<()> {
    file.seek(SeekFrom::Start(place.at))?;
    let mut lines = BufReader::new(file.take(until.saturating_sub(place.at)));
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok(());
        }
        let before = *place;
        if place.pass(&line).is_some_and(|moment| !take(before, moment)) {
            return Ok(());
        }
    }
}

/// Where some of the moments stand in the file, so that those of a stretch are found without reading all of them. It grows with the
/// file: whoever asks for something brings it up to date.
#[derive(Debug, Default)]
pub(crate) struct TimesMap {
    /// One moment in every [`EVERY`], with the place before it.
    known: Vec<(Place, (u64, Timestamp))>,
    /// Up to where the file was read.
    end: Place,
    /// How many moments were.
    count: usize,
}

impl TimesMap {
    /// When the bytes in a range were printed: the last moment that is known at its begin, and those within it.
    pub(crate) fn times(&mut self, folder: &Folder, range: Range<u64>) -> io::Result<Vec<(u64, Timestamp)>> {
        let Some(file) = self.update(folder)? else { return Ok(Vec::new()) };
        let mut place = self.before(self.known.partition_point(|(_, (byte, _))| *byte <= range.start));
        let mut times: Vec<(u64, Timestamp)> = Vec::new();
        read(&file, &mut place, self.end.at, |_, moment| {
            if moment.0 >= range.end {
                return false;
            }
            if moment.0 <= range.start {
                times.clear();
            }
            times.push(moment);
            true
        })?;
        Ok(times)
    }

    /// The first byte that was printed at a moment or later; one behind all others when there is none.
    pub(crate) fn printed_at(&mut self, folder: &Folder, at: Timestamp) -> io::Result<u64> {
        let Some(file) = self.update(folder)? else { return Ok(u64::MAX) };
        let mut place = self.before(self.known.partition_point(|(_, (_, moment))| *moment < at));
        let mut found = u64::MAX;
        read(&file, &mut place, self.end.at, |_, (byte, moment)| {
            if moment >= at {
                found = byte;
            }
            moment < at
        })?;
        Ok(found)
    }

    /// Reads what has come; gives the file, if there is one.
    fn update(&mut self, folder: &Folder) -> io::Result<Option<File>> {
        let file = stored(folder)?;
        let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|metadata| metadata.len()))?;
        let length = length.min(RECORD_LIMIT);
        if length < self.end.at {
            *self = Self::default();
        }
        if let Some(file) = &file {
            let (known, count) = (&mut self.known, &mut self.count);
            read(file, &mut self.end, length, |place, moment| {
                if count.is_multiple_of(EVERY) {
                    known.push((place, moment));
                }
                *count += 1;
                true
            })?;
        }
        Ok(file)
    }

    /// The place of the last of so many moments that are known.
    fn before(&self, many: usize) -> Place {
        many.checked_sub(1).and_then(|last| self.known.get(last)).map_or_else(Place::default, |(place, _)| *place)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use domain::{AttemptId, RunId};
    use tempfile::TempDir;

    use super::*;

    fn stored(text: &str) -> (Folder, TempDir) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), AttemptId { run: RunId(1), step: 1, attempt: 1 });
        folder.create().unwrap();
        std::fs::write(folder.path().join(TIMES), text).unwrap();
        (folder, root)
    }

    fn plain(times: Vec<(u64, Timestamp)>) -> Vec<(u64, i64)> {
        times.into_iter().map(|(byte, at)| (byte, at.0)).collect()
    }

    #[test]
    fn a_stretch_has_the_moment_of_its_begin_and_those_within_it() {
        let (folder, _root) = stored("{\"v\":1,\"at\":1000}\n0 0\n10 500\n20 900\n30 1500\n");
        let within = |range| plain(TimesMap::default().times(&folder, range).unwrap());

        assert_eq!(within(0..25), [(0, 1000), (10, 1500), (20, 1900)]);
        assert_eq!(within(15..30), [(10, 1500), (20, 1900)]);
        assert_eq!(within(40..50), [(30, 2500)]);
        let at = |moment| TimesMap::default().printed_at(&folder, Timestamp(moment)).unwrap();
        assert_eq!([at(0), at(1501), at(1900), at(9999)], [0, 20, 20, u64::MAX]);
    }

    #[test]
    fn another_shim_counts_from_its_own_begin() {
        let (folder, _root) = stored("{\"v\":1,\"at\":1000}\n0 0\n10 500\n{\"v\":1,\"at\":9000}\n12 0\n14 20\n");

        assert_eq!(plain(all(&folder).unwrap()), [(0, 1000), (10, 1500), (12, 9000), (14, 9020)]);
    }

    #[test]
    fn what_goes_back_or_cannot_be_read_is_passed_over() {
        let (folder, _root) = stored(
            "5 5\n{\"v\":1,\"at\":1000}\nnonsense\n10 500\n9 600\n11 400\n12 x\n{oops\n13 99999999999999\n20 700\n21",
        );

        assert_eq!(plain(all(&folder).unwrap()), [(10, 1500), (20, 1700)]);
        let (none, _root) = stored("");
        std::fs::remove_file(none.path().join(TIMES)).unwrap();
        assert_eq!(all(&none).unwrap(), []);
    }

    /// `count` moments behind some others, ten bytes and a second apart.
    fn many(from: u64, count: u64) -> String {
        let mut text = String::new();
        for number in from..from + count {
            writeln!(text, "{} {}", 10 * number, 1_000 * number).unwrap();
        }
        text
    }

    #[test]
    fn the_moments_of_a_stretch_are_found_as_the_file_grows_and_without_reading_all_of_it() {
        let text = "{\"v\":1,\"at\":0}\n".to_owned() + &many(0, 2_000);
        let (folder, _root) = stored(&text);
        let mut map = TimesMap::default();
        for byte in [0, 5, 2_559, 2_560, 2_561, 9_999, 19_990, 90_000] {
            let last = i64::try_from(byte / 10 * 10).unwrap().min(19_990);
            let found = plain(map.times(&folder, byte..byte + 1).unwrap());
            assert_eq!(found, [(last.unsigned_abs(), 100 * last)], "{byte}");
            assert_eq!(map.printed_at(&folder, Timestamp(100 * last)).unwrap(), last.unsigned_abs());
        }

        // What stands before it is gone: whoever began to read there would find nothing.
        let more = "-".repeat(text.len() / 2) + &text[text.len() / 2..] + &many(2_000, 1_000) + "30000 3000";
        std::fs::write(folder.path().join(TIMES), more).unwrap();

        assert_eq!(plain(map.times(&folder, 29_000..29_011).unwrap()), [(29_000, 2_900_000), (29_010, 2_901_000)]);
        assert_eq!(map.printed_at(&folder, Timestamp(2_990_500)).unwrap(), 29_910);
        let last = plain(map.times(&folder, 40_000..40_001).unwrap());
        assert_eq!(last, [(29_990, 2_999_000)], "what comes then has no end yet");
    }

    #[test]
    fn a_file_that_has_become_shorter_is_read_anew() {
        let (folder, _root) = stored(&("{\"v\":1,\"at\":0}\n".to_owned() + &many(0, 300)));
        let mut map = TimesMap::default();
        map.times(&folder, 0..1).unwrap();

        std::fs::write(folder.path().join(TIMES), "{\"v\":1,\"at\":1000}\n7 5\n").unwrap();

        assert_eq!(plain(map.times(&folder, 0..9).unwrap()), [(7, 1005)]);
    }

    #[test]
    fn of_a_burst_its_begin_is_noted() {
        let mut file = TimesFile { file: tempfile::tempfile().ok(), ..TimesFile::default() };
        let begun = Instant::now();
        file.begun = Some(begun);
        let after = |milliseconds| begun + Duration::from_millis(milliseconds);

        for (byte, at) in [(0, 0), (10, 5), (20, 19), (30, 20), (40, 39), (50, 1000)] {
            file.note(byte, after(at));
        }

        let mut written = file.file.unwrap();
        let mut text = String::new();
        io::Seek::rewind(&mut written).unwrap();
        io::Read::read_to_string(&mut written, &mut text).unwrap();
        assert_eq!(text, "0 0\n30 20\n50 1000\n");
    }

    #[test]
    fn a_step_of_days_is_noted_less_often() {
        let mut file = TimesFile { begun: Some(Instant::now()), count: 2 * DOUBLED, ..TimesFile::default() };
        let begun = Instant::now();

        file.note(0, begun);
        file.note(1, begun + 3 * PAUSE);
        assert_eq!(file.noted, Some(begun));
        file.note(2, begun + 4 * PAUSE);
        assert_eq!(file.noted, Some(begun + 4 * PAUSE));
    }
}
