//! Looking through a whole output for a text or an expression, line by line, also while it grows.
//!
//! Looked through is what was printed, without its escape sequences: colours between the letters of a word do not hide it.

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::find::{Found, Gather, Spelling, WANTED_LIMIT, Wanted};
use domain::redaction::{ByteRange, cover};
use regex::bytes::{Regex, RegexBuilder};

use crate::folder::{Folder, LOG};
use crate::output::{Unreadable, read_at};

/// What is read at once.
const READ: usize = 256 << 10;

/// A longer line is looked through in pieces, for a text.
const LONGEST: usize = 1 << 20;

/// The same for an expression: between two pieces somebody may not wait any more.
const LONGEST_OF_EXPRESSION: usize = 64 << 10;

/// So much of a piece is looked through again with the next one.
const OVERLAP: usize = 4 << 10;

/// What an expression may become in memory. The time that it takes for a byte grows with it, at worst.
const SIZE: usize = 256 << 10;

const ESCAPE: u8 = 0x1b;

/// The first byte of a character that begins a sequence by itself.
const LEAD: u8 = 0xc2;

/// Why something cannot be looked for, as a sentence for a page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It goes over the end of a line.
    #[error("What to look for stands in one line. Nothing was looked for; leave out the end of the line.")]
    Lines,
    /// There is nothing to look for.
    #[error("Type what to look for.")]
    Empty,
    /// It is too long.
    #[error("What to look for is at most 1,000 bytes long. Nothing was looked for.")]
    Long,
    /// It is no expression.
    #[error(
        "This is not a regular expression: {0}. Nothing was looked for; write it otherwise, or look for it as text."
    )]
    Unreadable(String),
    /// It takes too much memory.
    #[error("This expression is too large. Nothing was looked for; repeat less in it.")]
    Large,
}

/// What is looked for, ready to be found.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    spelling: Spelling,
}

impl Pattern {
    /// Reads what somebody wants to find.
    ///
    /// # Errors
    ///
    /// When that cannot be looked for.
    pub fn new(wanted: &Wanted) -> Result<Self, BadPattern> {
        let text = match wanted.text.as_str() {
            "" => return Err(BadPattern::Empty),
            text if text.len() > WANTED_LIMIT => return Err(BadPattern::Long),
            text if wanted.spelling == Spelling::Text && text.contains('\n') => return Err(BadPattern::Lines),
            text => text,
        };
        let spelled = match wanted.spelling {
            Spelling::Text => regex::escape(text),
            Spelling::Expression => text.to_owned(),
        };
        let regex = RegexBuilder::new(&spelled)
            .case_insensitive(wanted.spelling == Spelling::Text)
            .size_limit(SIZE)
            .dfa_size_limit(2 * SIZE)
            .build()
            .map_err(bad)?;
        Ok(Self { regex, spelling: wanted.spelling })
    }

    /// So many bytes of a line are looked through at once.
    fn longest(&self) -> usize {
        match self.spelling {
            Spelling::Text => LONGEST,
            Spelling::Expression => LONGEST_OF_EXPRESSION,
        }
    }

    /// Tells of each line of a text in which it is found, by how many line feeds come before it; until it is `over`.
    fn find(&self, text: &[u8], over: &AtomicBool, mut found: impl FnMut(u64)) {
        match self.spelling {
            // Nothing that is looked for as text goes over the end of a line.
            Spelling::Text => self.find_in_all(text, found),
            Spelling::Expression => {
                let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
                let waited_for = (0..).zip(lines).take_while(|_| !over.load(Ordering::Relaxed));
                waited_for.filter(|(_, line)| self.regex.is_match(line)).for_each(|(number, _)| found(number));
            }
        }
    }

    fn find_in_all(&self, text: &[u8], mut found: impl FnMut(u64)) {
        let (mut at, mut counted, mut line) = (0, 0, 0);
        while let Some(hit) = self.regex.find_at(text, at) {
            line += line_feeds(&text[counted..hit.start()]);
            counted = hit.start();
            found(line);
            let Some(end) = memchr::memchr(b'\n', &text[counted..]) else { return };
            at = counted + end + 1;
        }
    }
}

fn bad(error: regex::Error) -> BadPattern {
    match error {
        regex::Error::CompiledTooBig(_) => BadPattern::Large,
        // It comes with a drawing of the place, and says in its last line what is wrong.
        other => {
            let said = other.to_string();
            let last = said.lines().last().unwrap_or_default();
            BadPattern::Unreadable(last.trim_start_matches("error: ").trim_end_matches('.').to_owned())
        }
    }
}

fn line_feeds(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

/// Looks through the output of a folder, with some places in it covered, until its end or until it is `over`.
pub(crate) fn search(
    folder: &Folder,
    pattern: &Pattern,
    around: u64,
    covered: &[Vec<ByteRange>],
    over: &AtomicBool,
) -> io::Result<Found> {
    let file = folder.open(LOG).map_err(Unreadable::error)?;
    let length = file.metadata()?.len();
    let mut seeker = Seeker::new(pattern, around, over);
    let mut at = 0;
    while at < length {
        let most = usize::try_from(length - at).unwrap_or(READ).min(READ).min(pattern.longest());
        let count = read_at(&file, seeker.room(most), at)?;
        if count == 0 {
            break;
        }
        seeker.take(most, count, |piece| covered.iter().for_each(|ranges| cover(piece, at, ranges)));
        // What was read last may not have been looked through as a whole.
        if over.load(Ordering::Relaxed) {
            return Ok(seeker.gather.found(at, length));
        }
        at += count as u64;
    }
    Ok(seeker.end().found(at, length))
}

/// Looks through an output that is read piece by piece.
struct Seeker<'p> {
    pattern: &'p Pattern,
    over: &'p AtomicBool,
    gather: Gather,
    /// What was read and not looked through: the begin of a line.
    rest: Vec<u8>,
    /// The number of the line with which that begins.
    line: u64,
    /// The text without its sequences.
    plain: Vec<u8>,
}

impl<'p> Seeker<'p> {
    fn new(pattern: &'p Pattern, around: u64, over: &'p AtomicBool) -> Self {
        Self { pattern, over, gather: Gather::around(around), rest: Vec::new(), line: 1, plain: Vec::new() }
    }

    /// Room for so many bytes behind the rest.
    fn room(&mut self, most: usize) -> &mut [u8] {
        let begin = self.rest.len();
        self.rest.resize(begin + most, 0);
        &mut self.rest[begin..]
    }

    /// Of the room, so many bytes were read; what has to be covered in them is covered first.
    fn take(&mut self, room: usize, count: usize, cover: impl FnOnce(&mut [u8])) {
        let begin = self.rest.len() - room;
        self.rest.truncate(begin + count);
        cover(&mut self.rest[begin..]);
        match memchr::memrchr(b'\n', &self.rest) {
            Some(last) => {
                self.look(0..last + 1);
                self.rest.drain(..=last);
            }
            None if self.rest.len() > self.pattern.longest() => self.look_through_long(),
            None => {}
        }
    }

    /// Looks through a line without an end so far, piece by piece; the end of the last one is looked through again.
    fn look_through_long(&mut self) {
        let (mut begin, longest) = (0, self.pattern.longest());
        while begin + OVERLAP < self.rest.len() {
            let end = self.rest.len().min(begin + longest);
            self.look(begin..end);
            begin = end - OVERLAP;
        }
        self.rest.drain(..self.rest.len() - OVERLAP);
    }

    /// Looks through a part of the rest.
    fn look(&mut self, part: Range<usize>) {
        let read = &self.rest[part];
        let text = without_sequences(read, &mut self.plain);
        // Behind the last line feed no line begins here.
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let (gather, line) = (&mut self.gather, self.line);
        self.pattern.find(text, self.over, |before| gather.hit(line + before));
        self.line += line_feeds(read);
    }

    /// Looks through the last line, which has no end.
    fn end(mut self) -> Gather {
        if !self.rest.is_empty() {
            self.look(0..self.rest.len());
        }
        self.gather
    }
}

/// A text without its escape sequences, and with all of its line feeds.
fn without_sequences<'t>(text: &'t [u8], plain: &'t mut Vec<u8>) -> &'t [u8] {
    let Some(first) = next_sequence(text) else { return text };
    plain.clear();
    plain.extend_from_slice(&text[..first]);
    let mut rest = &text[first..];
    while !rest.is_empty() {
        rest = &rest[length_of_sequence(rest)..];
        let next = next_sequence(rest).unwrap_or(rest.len());
        plain.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    plain
}

/// Where the next sequence begins: with an escape, or with the character that stands for one and what comes after it.
fn next_sequence(text: &[u8]) -> Option<usize> {
    let begins = |at: usize| matches!(text.get(at + 1), Some(0x90 | 0x98 | 0x9b | 0x9d..=0x9f));
    memchr::memchr2_iter(ESCAPE, LEAD, text).find(|at| text[*at] == ESCAPE || begins(*at))
}

/// How many bytes the sequence has with which a text begins. None goes over the end of a line.
fn length_of_sequence(text: &[u8]) -> usize {
    match text.get(1).copied() {
        Some(0x9b) if text[0] == LEAD => length_of_control(text),
        Some(_) if text[0] == LEAD => length_of_string(text),
        Some(b'[') => length_of_control(text),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => length_of_string(text),
        Some(b' '..=b'/') if text.get(2).is_some_and(|byte| !byte.is_ascii_control()) => 3,
        None | Some(b'\n' | b'\r' | ESCAPE) => 1,
        Some(_) => 2,
    }
}

fn length_of_control(text: &[u8]) -> usize {
    let end = (2..text.len()).find(|at| matches!(text[*at], b'@'..=b'~' | b'\n' | b'\r' | ESCAPE));
    match end {
        Some(end) if matches!(text[end], b'@'..=b'~') => end + 1,
        Some(end) => end,
        None => text.len(),
    }
}

fn length_of_string(text: &[u8]) -> usize {
    let mut at = 2;
    while let Some(byte) = text.get(at) {
        match (*byte, text.get(at + 1)) {
            (b'\n' | b'\r', _) => return at,
            (0x07, _) => return at + 1,
            (ESCAPE, Some(b'\\')) | (LEAD, Some(0x9c)) => return at + 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use domain::{AttemptId, RunId};
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn stored(output: &[u8]) -> (Folder, TempDir) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), AttemptId { run: RunId(1), step: 1, attempt: 1 });
        folder.create().unwrap();
        std::fs::write(folder.path().join(LOG), output).unwrap();
        (folder, root)
    }

    fn pattern(text: &str, spelling: Spelling) -> Result<Pattern, BadPattern> {
        Pattern::new(&Wanted { text: text.to_owned(), spelling })
    }

    fn found(output: &[u8], text: &str, spelling: Spelling) -> Vec<u64> {
        let (folder, _root) = stored(output);
        let pattern = pattern(text, spelling).unwrap();
        let found = search(&folder, &pattern, 1, &[], &AtomicBool::new(false)).unwrap();
        assert!(found.is_complete());
        assert_eq!(found.count, found.lines.len() as u64, "as long as there are few");
        found.lines
    }

    #[test]
    fn a_text_is_found_in_capitals_or_not_and_a_line_counts_once() {
        let output = b"one error, ERROR\ntwo\nError\n\ngr\xc3\xb6\xc3\x9fer\nlast err";

        assert_eq!(found(output, "error", Spelling::Text), [1, 3]);
        assert_eq!(found(output, "GR\u{d6}", Spelling::Text), [5]);
        assert_eq!(found(output, "last err", Spelling::Text), [6], "in a line without an end");
        assert_eq!(found(output, "e.r", Spelling::Text), [0; 0], "a text is no expression");
    }

    #[test]
    fn an_expression_is_held_against_each_line_for_itself() {
        let output = b"GET /a 200\r\nGET /b 504\nPOST /a 504\n\xff\xfe 504 bytes\n";

        assert_eq!(found(output, "^GET .* 504$", Spelling::Expression), [2]);
        assert_eq!(found(output, "200$", Spelling::Expression), [1], "before a carriage return");
        assert_eq!(found(output, "(?i)post", Spelling::Expression), [3]);
        assert_eq!(
            found(output, r"[^x]*", Spelling::Expression),
            [1, 2, 3, 4],
            "no line is swallowed by the one before"
        );
        assert_eq!(found(output, r"\b504\b", Spelling::Expression), [2, 3, 4]);
    }

    #[test]
    fn colours_between_letters_hide_nothing() {
        let output = b"a \x1b[1;31mti\x1b[0mmeout\n\x1b]0;timeout\x07title\n\x1b]8;;http://x\x1b\\click\nend\n";

        assert_eq!(found(output, "timeout", Spelling::Text), [1], "a title is not printed");
        assert_eq!(found(output, "click", Spelling::Text), [3]);
        assert_eq!(found(output, "end", Spelling::Text), [4]);
        let single = "ti\u{9b}1mmeout \u{a0}\n\u{9d}timeout\u{9c}title\n".as_bytes();
        assert_eq!(found(single, "timeout \u{a0}", Spelling::Text), [1], "also when one character begins a sequence");
        assert_eq!(found(single, "timeouttitle", Spelling::Text), [0; 0]);
        assert_eq!(found(single, "title", Spelling::Text), [2]);
    }

    #[test]
    fn a_text_is_found_across_the_border_of_two_reads() {
        for before in [READ - 3, READ - 1, READ, 2 * READ - 2, LONGEST - 3, LONGEST + 1] {
            let output = [vec![b'.'; before], b"needle\nx\nneedle".to_vec(), vec![b'.'; LONGEST]].concat();

            assert_eq!(found(&output, "needle", Spelling::Text), [1, 3], "{before}");
        }
    }

    #[test]
    fn what_is_covered_is_not_found() {
        let (folder, _root) = stored(b"one\npassword hunter2\nhunter3\n");
        let pattern = pattern("hunter", Spelling::Text).unwrap();
        let covered = [vec![ByteRange { from: 13, to: 20 }]];

        let found = search(&folder, &pattern, 1, &covered, &AtomicBool::new(false)).unwrap();

        assert_eq!(found.lines, [3]);
    }

    #[test]
    fn who_does_not_wait_any_more_is_told_how_far_it_came() {
        let (folder, _root) = stored(b"one\n");
        let pattern = pattern("one", Spelling::Text).unwrap();

        let found = search(&folder, &pattern, 1, &[], &AtomicBool::new(true)).unwrap();

        assert_eq!((found.searched, found.length, found.is_complete()), (0, 4, false));
    }

    #[test]
    fn what_cannot_be_looked_for_is_said() {
        let sentence = |text: &str| pattern(text, Spelling::Expression).map(drop).unwrap_err().to_string();

        assert_eq!(sentence(""), "Type what to look for.");
        assert!(sentence("(a").contains("unclosed group"), "{}", sentence("(a"));
        assert_eq!(pattern(r"\w{1000}{1000}", Spelling::Expression).map(drop), Err(BadPattern::Large));
        assert_eq!(pattern(&"x".repeat(1001), Spelling::Text).map(drop), Err(BadPattern::Long));
        assert!(pattern("(a", Spelling::Text).is_ok());
    }

    proptest! {
        #[test]
        fn it_finds_the_lines_that_a_plain_search_finds(output in "[ab\n]{0,80}", text in "[ab]{1,3}") {
            let lines = (1..).zip(output.split('\n')).filter(|(_, line)| line.contains(&text));
            let expected: Vec<u64> = lines.map(|(number, _)| number).collect();

            prop_assert_eq!(found(output.as_bytes(), &text, Spelling::Text), expected.clone());
            prop_assert_eq!(found(output.as_bytes(), &text, Spelling::Expression), expected);
        }

        #[test]
        fn no_sequence_is_longer_than_its_text_and_no_line_is_lost(text in "[a\n\r\u{1b}\\[\\](;?m0-9\u{7}\\\\P]{0,60}") {
            let mut plain = Vec::new();
            let text = text.as_bytes();

            let left = without_sequences(text, &mut plain);

            prop_assert!(!left.contains(&ESCAPE));
            prop_assert!(left.len() <= text.len());
            prop_assert_eq!(line_feeds(left), line_feeds(text));
        }
    }
}
