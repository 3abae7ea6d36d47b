use std::fmt::Write as _;

use domain::terminal::{Colour, Style, Terminal};
use domain::{AttemptId, RunId};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::folder::LINES;

const ID: AttemptId = AttemptId { run: RunId(3), step: 2, attempt: 1 };

fn key() -> AttemptKey {
    AttemptKey::from_hex(&"07".repeat(32)).unwrap()
}

struct Stored {
    folder: Folder,
    _root: TempDir,
}

impl Stored {
    fn with(output: &[u8]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), ID);
        folder.create().unwrap();
        std::fs::write(folder.path().join(LOG), output).unwrap();
        Self { folder, _root: root }
    }

    fn add(&self, output: &[u8]) {
        use std::io::Write as _;
        self.folder.open_to_append(LOG).unwrap().write_all(output).unwrap();
    }

    /// What a portal knows that was just started.
    fn read(&self) -> Read {
        let mut lines = Lines::default();
        let (file, length) = lines.update(&self.folder, &key()).unwrap();
        Read { lines, file, length }
    }

    fn kept(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join(LINES)).unwrap_or_default()
    }
}

struct Read {
    lines: Lines,
    file: File,
    length: u64,
}

impl Read {
    fn line(&self, line: u64) -> (u64, u64) {
        let found = self.lines.line(&self.file, line).unwrap();
        (found.line, found.at)
    }

    fn line_at(&self, byte: u64) -> (u64, u64) {
        let found = self.lines.line_at(&self.file, byte).unwrap();
        (found.line, found.at)
    }

    fn stretch(&self, line: u64, most: u64) -> Stretch {
        let first = self.lines.line(&self.file, line).unwrap();
        self.lines.stretch(&self.file, self.length, first, most).unwrap()
    }

    fn count(&self) -> u64 {
        self.lines.count(self.length)
    }
}

/// `seq 1 count`, with the byte at which each line begins.
fn numbers(count: u64) -> (String, Vec<u64>) {
    let mut begins = Vec::new();
    let mut text = String::new();
    for number in 1..=count {
        begins.push(text.len() as u64);
        writeln!(text, "{number}").unwrap();
    }
    (text, begins)
}

#[test]
fn every_line_is_found_by_its_number_and_by_its_bytes() {
    let (text, begins) = numbers(50_000);
    let read = Stored::with(text.as_bytes()).read();
    // The first line whose place is kept.
    let kept = begins.iter().position(|at| *at >= 64 << 10).unwrap() as u64 + 1;

    assert_eq!(read.count(), 50_000);
    for line in [1, 2, kept - 1, kept, kept + 1, 2 * kept, 49_999, 50_000] {
        let at = begins[usize::try_from(line).unwrap() - 1];
        assert_eq!(read.line(line), (line, at));
        assert_eq!([read.line_at(at), read.line_at(at + 1)], [(line, at); 2], "line {line}");
    }
    assert_eq!(read.line(99_999), (50_001, text.len() as u64), "what is not there yet comes after the last");
}

#[test]
fn lines_are_had_as_bytes_and_of_a_long_output_without_reading_it_from_its_begin() {
    let bytes = |read: &Read, from, to| {
        let found = read.lines.bytes_of(&read.file, read.length, from, to).unwrap();
        found.map(|range| (range.from, range.to))
    };

    let few = Stored::with(b"one\ntwo\r\n\nfour").read();
    assert_eq!([bytes(&few, 1, 1), bytes(&few, 2, 2), bytes(&few, 2, 3)], [Some((0, 4)), Some((4, 9)), Some((4, 10))]);
    assert_eq!([bytes(&few, 4, 4), bytes(&few, 1, 4)], [Some((10, 14)), Some((0, 14))]);
    let odd = [(5, 5), (3, 2), (0, 1), (4, 5), (4, u64::MAX)];
    assert_eq!(odd.map(|(from, to)| bytes(&few, from, to)), [None; 5]);
    assert_eq!(bytes(&Stored::with(b"one\n").read(), 2, 2), None);

    // What stands before it is gone from the disk: whoever read it from the begin would count other lines.
    let (text, begins) = numbers(50_000);
    let stored = Stored::with(text.as_bytes());
    let many = stored.read();
    let gone = usize::try_from(begins[45_000] - 100_000).unwrap();
    let rest = " ".repeat(gone) + &text[gone..];
    std::fs::write(stored.folder.path().join(LOG), rest).unwrap();
    assert_eq!(bytes(&many, 45_001, 45_002), Some((begins[45_000], begins[45_002])));
}

#[test]
fn the_next_line_that_begins_is_found_and_behind_a_last_one_without_an_end_there_is_none_yet() {
    let text = format!("one\n{}", "x".repeat(200_000));
    let (all, read) = (text.len() as u64, Stored::with(text.as_bytes()).read());
    let from = |byte| {
        let found = read.lines.line_from(&read.file, byte, read.length).unwrap();
        (found.line, found.at)
    };

    assert_eq!([from(0), from(1), from(4)], [(1, 0), (2, 4), (2, 4)]);
    assert_eq!([from(5), from(100_000), from(all)], [(3, all); 3]);
}

#[test]
fn a_last_line_without_an_end_is_a_line_and_an_empty_output_has_none() {
    assert_eq!(Stored::with(b"").read().count(), 0);
    assert_eq!(Stored::with(b"\n").read().count(), 1);
    assert_eq!(Stored::with(b"one\ntw").read().count(), 2);
}

#[test]
fn it_grows_with_the_output_and_another_portal_goes_on_where_it_stands() {
    let (text, begins) = numbers(40_000);
    let (half, rest) = text.as_bytes().split_at(100_000);
    let stored = Stored::with(half);
    let mut first = stored.read();
    let before = stored.kept();

    stored.add(rest);
    (first.file, first.length) = first.lines.update(&stored.folder, &key()).unwrap();

    let after = stored.kept();
    assert!(after.starts_with(&before) && after.len() > before.len(), "it is added to, and not written anew");
    assert_eq!(String::from_utf8(after.clone()).unwrap().lines().count(), 3);
    for read in [first, stored.read()] {
        assert_eq!((read.count(), read.line(35_000)), (40_000, (35_000, begins[34_999])));
    }
    assert_eq!(stored.kept(), after);
}

#[test]
fn what_is_missing_or_written_by_others_is_made_anew() {
    let (text, begins) = numbers(40_000);
    let stored = Stored::with(text.as_bytes());
    stored.read();
    let genuine = stored.kept();
    let path = stored.folder.path().join(LINES);
    let foreign = {
        let other = Stored::with(text.as_bytes());
        Lines::default().update(&other.folder, &AttemptKey::from_hex(&"08".repeat(32)).unwrap()).unwrap();
        other.kept()
    };
    let text_of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut lines: Vec<String> = text_of(&genuine).lines().map(|line| line.to_owned() + "\n").collect();
    lines.reverse();
    let reversed = lines.concat();

    for other in
        [Vec::new(), foreign, b"nonsense\n".to_vec(), reversed.into_bytes(), [genuine.as_slice(), b"x"].concat()]
    {
        std::fs::write(&path, &other).unwrap();

        let read = stored.read();

        assert_eq!(read.line(35_000), (35_000, begins[34_999]), "{:?}", String::from_utf8_lossy(&other));
        assert_eq!(stored.kept(), genuine);
    }
}

#[test]
fn places_of_another_output_are_not_believed() {
    let (text, _) = numbers(40_000);
    let stored = Stored::with(text.as_bytes());
    stored.read();

    std::fs::write(stored.folder.path().join(LOG), "short\n").unwrap();
    assert_eq!(stored.read().count(), 1);
    std::fs::write(stored.folder.path().join(LOG), "x".repeat(text.len())).unwrap();
    assert_eq!(stored.read().count(), 1);
}

#[test]
fn nothing_is_written_through_a_link_and_what_cannot_be_written_is_no_harm() {
    let (text, begins) = numbers(40_000);
    let stored = Stored::with(text.as_bytes());
    let elsewhere = stored.folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "as it was").unwrap();
    std::os::unix::fs::symlink(&elsewhere, stored.folder.path().join(LINES)).unwrap();

    assert_eq!(stored.read().line(35_000), (35_000, begins[34_999]));

    assert_eq!(std::fs::read(&elsewhere).unwrap(), b"as it was");
}

#[test]
fn a_line_deep_in_a_log_begins_in_its_colour() {
    let mut text = "\u{1b}[1;31mred from here\n".to_owned();
    text.push_str(&"x\n".repeat(60_000));
    text.push_str("\u{1b}]0;a title\u{7}\u{1b}[0mplain\nlast\n");
    let log = Stored::with(text.as_bytes()).read();
    let style = |line| log.lines.line(&log.file, line).unwrap().style;

    let red = Style { text: Colour::Indexed(1), bold: true, ..Style::default() };
    assert_eq!([style(1), style(2), style(50_000), style(60_002)], [Style::default(), red, red, red]);
    assert_eq!(style(60_003), Style::default());
}

#[test]
fn a_sequence_that_begins_with_a_single_character_colours_the_next_line_as_well() {
    for text in ["\u{9b}31mred\nnext", "\u{9d}title\u{9c}\u{9b}31mred\nnext", "\u{1b}[\u{9b}31mred\nnext"] {
        let log = Stored::with(text.as_bytes()).read();

        let style = log.lines.line(&log.file, 2).unwrap().style;

        let mut terminal = Terminal::default();
        terminal.push(text);
        assert_eq!((style, style.text), (terminal.style(), Colour::Indexed(1)), "{text:?}");
    }
}

#[test]
fn a_stretch_is_some_whole_lines() {
    let (text, begins) = numbers(5_000);
    let read = Stored::with(text.as_bytes()).read();

    let stretch = read.stretch(3_000, 10);

    let (from, to) = (begins[2_999], begins[3_009]);
    assert_eq!((stretch.first.line, stretch.count, stretch.to), (3_000, 10, to));
    assert_eq!(stretch.shown, [ByteRange { from, to }]);
    assert_eq!((stretch.lines, stretch.length), (5_000, text.len() as u64));
    assert_eq!(read.stretch(4_999, 10).count, 2, "there are no more");
    assert_eq!((read.stretch(6_000, 10).count, read.stretch(6_000, 10).shown.len()), (0, 0));
}

#[test]
fn of_a_line_that_is_too_long_its_begin_is_shown_and_of_a_progress_its_end() {
    let long = "x".repeat(1 << 20);
    let progress = "10 %\r".repeat(50_000) + "100 %";
    let text = format!("one\n{long}\ntwo\n{progress}\nthree");
    let read = Stored::with(text.as_bytes()).read();

    let stretch = read.stretch(1, 100);

    let shown: Vec<&str> = stretch
        .shown
        .iter()
        .map(|range| &text[usize::try_from(range.from).unwrap()..usize::try_from(range.to).unwrap()])
        .collect();
    assert_eq!((stretch.count, stretch.to), (5, text.len() as u64));
    assert_eq!(shown.len(), 3);
    assert!(shown[0].starts_with("one\nxxx") && shown[0].len() < 20_000, "{}", shown[0].len());
    assert_eq!(shown[1], "two\n");
    assert!(shown[2].starts_with("\r10 %") && shown[2].ends_with("%\r100 %\nthree"), "{}", shown[2].len());
}

#[test]
fn one_line_of_many_megabytes_is_a_stretch_of_one_line() {
    let text = "y".repeat(8 << 20);
    let read = Stored::with(text.as_bytes()).read();

    let stretch = read.stretch(1, 400);

    assert_eq!((stretch.count, stretch.lines, stretch.to), (1, 1, 8 << 20));
    assert_eq!(stretch.shown, [ByteRange { from: 0, to: 16 << 10 }]);
}

#[test]
fn a_stretch_is_not_much_longer_than_a_page() {
    let text = format!("{}\n", "z".repeat(999)).repeat(5_000);
    let read = Stored::with(text.as_bytes()).read();

    let stretch = read.stretch(2, 4_000);

    assert!((256..300).contains(&stretch.count), "{}", stretch.count);
}

#[test]
fn the_maps_of_attempts_that_nobody_looks_at_any_more_are_let_go() {
    let maps = Maps::<Lines>::default();
    let id = |run| AttemptId { run: RunId(run), ..ID };
    let first = maps.of(id(0));
    for run in 1..i64::try_from(KEPT).unwrap() {
        maps.of(id(run));
    }

    assert!(Arc::ptr_eq(&first, &maps.of(id(0))));
    maps.of(id(1_000));
    assert!(Arc::ptr_eq(&first, &maps.of(id(0))), "the one that was not asked for longest went");
}

/// Output with many sequences, line feeds and broken characters in it.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let texts = prop_oneof![
        "[a-z]{0,6}",
        Just("\n".to_owned()),
        Just("\u{1b}[".to_owned()),
        Just("\u{1b}]".to_owned()),
        Just("\u{1b}(".to_owned()),
        Just("\u{1b}".to_owned()),
        Just("\u{7}".to_owned()),
        Just("31m".to_owned()),
        Just("\u{1b}[1;32m".to_owned()),
        Just("\u{1b}[0m".to_owned()),
        Just("\r".to_owned()),
        Just("\u{9b}".to_owned()),
        Just("\u{9b}35m".to_owned()),
        Just("\u{9c}".to_owned()),
        Just("\u{9d}".to_owned()),
        Just("\u{85}\u{a0}\u{20ac}".to_owned()),
    ];
    let bytes = prop::sample::select(vec![0xc2_u8, 0x9b, 0x9c, 0xe2, 0x82, 0xff]).prop_map(|byte| vec![byte]);
    let piece = prop_oneof![5 => texts.prop_map(String::into_bytes), 1 => bytes];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn each_line_begins_where_and_as_a_terminal_would_begin_it(printed in output(), size in 1_usize..9) {
        let mut scanner = Scanner::from(LinePlace { line: 1, ..LinePlace::default() });
        let mut found = Vec::new();
        for piece in printed.chunks(size) {
            scanner.read(piece, |place| {
                found.push(place);
                true
            });
        }

        let mut terminal = Terminal::default();
        let mut expected = Vec::new();
        let mut at = 0;
        for line in printed.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            terminal.push(&String::from_utf8_lossy(line));
            at += line.len() as u64;
            expected.push(LinePlace { line: expected.len() as u64 + 2, at, style: terminal.style() });
        }
        prop_assert_eq!(found, expected);
    }
}
