//! Covering a part of stored output: finding it, saying what the output will be, and writing a mask over it.
//!
//! All of it reads an output of any length piece by piece. It is for attempts that have ended: a shim that lives writes itself.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use domain::redaction::{ByteRange, RANGES_LIMIT, cover};
use domain::{Digest, Hasher};

use crate::folder::{Folder, LINES, LOG, TAIL};
use crate::output::{PIECE, Unreadable, read_at};

/// What an output is, and what it is when some places in it are covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// Its length in bytes, now and then.
    pub bytes: u64,
    /// Its SHA-256 now.
    pub old: Digest,
    /// Its SHA-256 then.
    pub new: Digest,
}

/// Every place at which a text stands, overlapping ones as one; at most one more than can be covered at once.
pub(crate) fn find(folder: &Folder, text: &[u8]) -> io::Result<Vec<ByteRange>> {
    let mut finder = Finder::new(text);
    pieces(&open(folder)?, |_, piece| finder.push(piece))?;
    Ok(finder.found)
}

/// The numbers, from 1, of the lines in which some sorted places begin.
pub(crate) fn lines_of(folder: &Folder, places: &[u64]) -> io::Result<Vec<u64>> {
    let (mut line, mut numbers) = (1, Vec::with_capacity(places.len()));
    pieces(&open(folder)?, |at, piece| {
        let mut seen = 0;
        for place in &places[numbers.len()..] {
            let Some(until) = usize::try_from(place - at).ok().filter(|until| *until < piece.len()) else { break };
            line += memchr::memchr_iter(b'\n', &piece[seen..until]).count() as u64;
            seen = until;
            numbers.push(line);
        }
        line += memchr::memchr_iter(b'\n', &piece[seen..]).count() as u64;
        numbers.len() < places.len()
    })?;
    Ok(numbers)
}

/// What covering some sorted places makes of an output. Nothing is written.
pub(crate) fn would_be(folder: &Folder, ranges: &[ByteRange]) -> io::Result<Redacted> {
    measure(&open(folder)?, ranges)
}

/// Covers some sorted places, durably, if that makes the output what it has to be then; an output that is not, or not any more,
/// what this was decided about stays as it is. Done again, or after it was broken off anywhere, it comes to the same.
pub(crate) fn redact(folder: &Folder, ranges: &[ByteRange], new: &Digest) -> io::Result<()> {
    let file = folder.open_to_write_over(LOG).map_err(Unreadable::error)?;
    if measure(&file, ranges)?.new != *new {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not the output that is to be covered"));
    }
    for range in ranges {
        write_over(&file, *range)?;
    }
    file.sync_all()?;
    // It tells colours of what was covered.
    folder.remove(LINES)?;
    // What a shim that was ended from outside had put aside is in no record, and has bytes of this output.
    folder.remove(TAIL)
}

fn open(folder: &Folder) -> io::Result<File> {
    folder.open(LOG).map_err(Unreadable::error)
}

/// Hands out a file piece by piece with the place of each, as long as `take` wants more.
fn pieces(file: &File, mut take: impl FnMut(u64, &mut [u8]) -> bool) -> io::Result<()> {
    let (mut buffer, mut at) = (vec![0; PIECE], 0);
    loop {
        let count = read_at(file, &mut buffer, at)?;
        if count == 0 || !take(at, &mut buffer[..count]) {
            return Ok(());
        }
        at += count as u64;
    }
}

fn measure(file: &File, ranges: &[ByteRange]) -> io::Result<Redacted> {
    let (mut old, mut new, mut bytes) = (Hasher::default(), Hasher::default(), 0);
    let mut failed = Ok(());
    pieces(file, |at, piece| {
        failed = old.write_all(piece);
        cover(piece, at, ranges);
        failed = std::mem::replace(&mut failed, Ok(())).and_then(|()| new.write_all(piece));
        bytes = at + piece.len() as u64;
        failed.is_ok()
    })?;
    failed?;
    Ok(Redacted { bytes, old: old.digest(), new: new.digest() })
}

fn write_over(file: &File, range: ByteRange) -> io::Result<()> {
    let (mut buffer, mut at) = (vec![0; PIECE], range.from);
    while at < range.to {
        let most = usize::try_from(range.to - at).unwrap_or(PIECE).min(PIECE);
        let piece = &mut buffer[..most];
        file.read_exact_at(piece, at)?;
        cover(piece, at, &[range]);
        file.write_all_at(piece, at)?;
        at += most as u64;
    }
    Ok(())
}

/// Finds a text in pieces of output (Knuth, Morris, Pratt): where a piece ends does not matter, and no byte is read twice.
struct Finder<'t> {
    text: &'t [u8],
    /// For each begin of the text: how much of it is again a begin of the text, at its end.
    borders: Vec<usize>,
    /// How much of the text stands before the next byte.
    matched: usize,
    at: u64,
    found: Vec<ByteRange>,
}

impl<'t> Finder<'t> {
    fn new(text: &'t [u8]) -> Self {
        let mut borders = vec![0; text.len()];
        for place in 1..text.len() {
            let shorter = step(text, &borders, borders[place - 1], text[place]);
            borders[place] = shorter;
        }
        Self { text, borders, matched: 0, at: 0, found: Vec::new() }
    }

    /// Takes the next piece; says whether more is wanted.
    fn push(&mut self, piece: &[u8]) -> bool {
        if self.text.is_empty() {
            return false;
        }
        for byte in piece {
            self.matched = step(self.text, &self.borders, self.matched, *byte);
            self.at += 1;
            if self.matched == self.text.len() {
                self.matched = self.borders[self.matched - 1];
                self.note();
            }
        }
        self.found.len() <= RANGES_LIMIT
    }

    fn note(&mut self) {
        let range = ByteRange { from: self.at - self.text.len() as u64, to: self.at };
        let more = self.found.len() <= RANGES_LIMIT;
        match self.found.last_mut() {
            Some(last) if last.to >= range.from => last.to = range.to,
            _ if more => self.found.push(range),
            _ => {}
        }
    }
}

/// How much of the text has come after one more byte, when `matched` bytes of it had.
fn step(text: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && text[matched] != byte {
        matched = borders[matched - 1];
    }
    if text[matched] == byte { matched + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use domain::{AttemptId, RunId};
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    const ID: AttemptId = AttemptId { run: RunId(3), step: 2, attempt: 1 };

    fn stored(output: &[u8]) -> (Folder, TempDir) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), ID);
        folder.create().unwrap();
        std::fs::write(folder.path().join(LOG), output).unwrap();
        (folder, root)
    }

    fn read(folder: &Folder) -> Vec<u8> {
        std::fs::read(folder.path().join(LOG)).unwrap()
    }

    fn pairs(ranges: &[ByteRange]) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.from, range.to)).collect()
    }

    fn ranges(pairs: &[(u64, u64)]) -> Vec<ByteRange> {
        pairs.iter().map(|(from, to)| ByteRange { from: *from, to: *to }).collect()
    }

    #[test]
    fn a_text_is_found_across_the_border_of_two_reads() {
        for before in [0, 1, PIECE - 6, PIECE - 5, PIECE - 1, PIECE, 3 * PIECE - 2] {
            let mut output = vec![b'.'; before];
            output.extend_from_slice(b"hunter2\nand hunter2");
            output.extend(vec![b'.'; PIECE]);
            let (folder, _root) = stored(&output);

            let found = find(&folder, b"hunter2").unwrap();

            let before = before as u64;
            assert_eq!(pairs(&found), [(before, before + 7), (before + 12, before + 19)], "{before}");
        }
    }

    #[test]
    fn no_occurrence_is_passed_over_because_it_lies_in_another() {
        let (folder, _root) = stored(b"aaaa-aabaabaa-");

        assert_eq!(pairs(&find(&folder, b"aaa").unwrap()), [(0, 4)]);
        assert_eq!(pairs(&find(&folder, b"aabaa").unwrap()), [(5, 13)]);
        assert_eq!(find(&folder, b"b-").unwrap(), []);
        assert_eq!(find(&folder, b"").unwrap(), []);
    }

    #[test]
    fn a_text_that_stands_everywhere_ends_the_search_after_more_places_than_can_be_covered() {
        let (folder, _root) = stored(&b"ab".repeat(5_000_000));

        assert_eq!(find(&folder, b"a").unwrap().len(), RANGES_LIMIT + 1);
    }

    #[test]
    fn the_lines_of_places_are_counted() {
        let (folder, _root) = stored(b"one\ntwo\r\n\nfour");

        assert_eq!(lines_of(&folder, &[0, 3, 4, 9, 10, 13]).unwrap(), [1, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn the_lines_of_places_are_counted_across_reads() {
        let (folder, _root) = stored(&b"123456789\n".repeat(20_000));

        assert_eq!(
            lines_of(&folder, &[5, 65_535, 65_536, 131_080, 199_999]).unwrap(),
            [1, 6_554, 6_554, 13_109, 20_000]
        );
    }

    #[test]
    fn what_is_covered_is_what_was_said_and_nothing_else() {
        let output = [b"user: olga\npassword: hunter2\n".as_slice(), &vec![b'x'; 2 * PIECE]].concat();
        let (folder, _root) = stored(&output);
        std::fs::write(folder.path().join(TAIL), "hunter2").unwrap();
        let places = ranges(&[(21, 28), (40, 40 + PIECE as u64)]);
        let would = would_be(&folder, &places).unwrap();
        assert_eq!(read(&folder), output, "nothing is written by looking");

        redact(&folder, &places, &would.new).unwrap();

        let covered = read(&folder);
        assert!(covered.starts_with(b"user: olga\npassword: *******\nxxxxxxxxxxx*"));
        assert_eq!((covered.len(), memchr::memchr_iter(b'*', &covered).count()), (output.len(), 7 + PIECE));
        assert_eq!((Digest::of(&output), Digest::of(&covered)), (would.old, would.new));
        assert!(!folder.path().join(TAIL).exists());
    }

    #[test]
    fn covering_that_was_broken_off_is_finished_and_one_that_is_done_stays_done() {
        let output = b"one hunter2\ntwo hunter2\n";
        let places = ranges(&[(4, 11), (16, 23)]);
        for half in
            [&output[..], b"one ***ter2\ntwo hunter2\n", b"one *******\ntwo hunter2\n", b"one *******\ntwo *******\n"]
        {
            let (folder, _root) = stored(output);
            let new = would_be(&folder, &places).unwrap().new;
            std::fs::write(folder.path().join(LOG), half).unwrap();

            redact(&folder, &places, &new).unwrap();

            assert_eq!(read(&folder), b"one *******\ntwo *******\n");
        }
    }

    #[test]
    fn another_output_than_was_decided_about_stays_as_it_is() {
        let (folder, _root) = stored(b"one hunter2\n");
        let places = ranges(&[(4, 11)]);
        let new = would_be(&folder, &places).unwrap().new;
        for other in [&b"two hunter2\n"[..], b"one hunter2\nmore", b"one"] {
            std::fs::write(folder.path().join(LOG), other).unwrap();

            assert_eq!(redact(&folder, &places, &new).unwrap_err().kind(), io::ErrorKind::InvalidData);

            assert_eq!(read(&folder), other);
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let (folder, root) = stored(b"");
        let elsewhere = root.path().join("elsewhere");
        std::fs::write(&elsewhere, "one hunter2\n").unwrap();
        std::fs::remove_file(folder.path().join(LOG)).unwrap();
        symlink(&elsewhere, folder.path().join(LOG)).unwrap();

        assert!(redact(&folder, &ranges(&[(4, 11)]), &Digest::of(b"one *******\n")).is_err());

        assert_eq!(std::fs::read(&elsewhere).unwrap(), b"one hunter2\n");
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(output in "[ab]{0,60}", text in "[ab]{1,4}", size in 1_usize..9) {
            let mut finder = Finder::new(text.as_bytes());
            for piece in output.as_bytes().chunks(size) {
                finder.push(piece);
            }

            let mut hit = vec![false; output.len()];
            for place in 0..output.len() {
                if output[place..].starts_with(&text) {
                    hit[place..place + text.len()].fill(true);
                }
            }
            let mut found = vec![false; output.len()];
            for range in &finder.found {
                found[usize::try_from(range.from).unwrap()..usize::try_from(range.to).unwrap()].fill(true);
            }
            prop_assert_eq!(found, hit);
        }
    }
}
