//! `out.times`: when output was printed, for timestamps and for replaying it.
//!
//! The first line is JSON and says at which moment the others begin to count. Each of them is a byte of `out.log` and the milliseconds
//! since then: from this byte on it was printed then or later. A shim that takes up what another one has left begins with a line of
//! JSON of its own. Nothing but what pages show hangs on this file, and so nothing in it is signed: what a step writes into it moves
//! the hands of a clock beside its own output.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, TIMES};

/// Between two moments that are noted at first.
const PAUSE: Duration = Duration::from_millis(20);

/// After so many moments the pause is twice as long, after as many again four times: what a step of days has noted is read at once.
const DOUBLED: u32 = 20_000;

/// A pause doubles so often at most.
const LONGEST: u32 = 10;

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

/// When the bytes in a range were printed: the last moment that is known at its begin, and those within it.
pub(crate) fn times(folder: &Folder, range: Range<u64>) -> io::Result<Vec<(u64, Timestamp)>> {
    let mut times: Vec<(u64, Timestamp)> = Vec::new();
    for moment in read(folder)?.moments() {
        if moment.0 >= range.end {
            break;
        }
        if moment.0 <= range.start {
            times.clear();
        }
        times.push(moment);
    }
    Ok(times)
}

/// The first byte that was printed at a moment or later; one behind all others when there is none.
pub(crate) fn printed_at(folder: &Folder, at: Timestamp) -> io::Result<u64> {
    let text = read(folder)?;
    let found = text.moments().find(|(_, moment)| *moment >= at);
    Ok(found.map_or(u64::MAX, |(byte, _)| byte))
}

/// All moments that are known, in order.
pub(crate) fn all(folder: &Folder) -> io::Result<Vec<(u64, Timestamp)>> {
    Ok(read(folder)?.moments().collect())
}

struct Text(Vec<u8>);

/// An attempt of an older portal has none.
fn read(folder: &Folder) -> io::Result<Text> {
    match folder.read(TIMES) {
        Ok(text) => Ok(Text(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound || crate::folder::is_misplaced(&error) => {
            Ok(Text(Vec::new()))
        }
        Err(error) => Err(error),
    }
}

impl Text {
    /// The moments, in order. What goes back, or cannot be read, is passed over.
    fn moments(&self) -> impl Iterator<Item = (u64, Timestamp)> + '_ {
        let mut begin: Option<i64> = None;
        let mut last = (0, i64::MIN);
        self.0.split(|byte| *byte == b'\n').filter_map(move |line| {
            if line.first() == Some(&b'{') {
                begin = serde_json::from_slice::<Begin>(line).ok().map(|begin| begin.at).or(begin);
                return None;
            }
            let (byte, since) = std::str::from_utf8(line).ok()?.split_once(' ')?;
            let moment = (byte.parse::<u64>().ok()?, begin?.checked_add(since.parse::<u32>().ok()?.into())?);
            if moment.0 < last.0 || moment.1 < last.1 {
                return None;
            }
            last = moment;
            Some((moment.0, Timestamp(moment.1)))
        })
    }
}

#[cfg(test)]
mod tests {
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
        let within = |range| plain(times(&folder, range).unwrap());

        assert_eq!(within(0..25), [(0, 1000), (10, 1500), (20, 1900)]);
        assert_eq!(within(15..30), [(10, 1500), (20, 1900)]);
        assert_eq!(within(40..50), [(30, 2500)]);
        let at = |moment| printed_at(&folder, Timestamp(moment)).unwrap();
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
