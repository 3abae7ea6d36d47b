use std::collections::BTreeSet;
use std::ops::Range;

use domain::attempt::Outcome;
use domain::terminal::{Colour, Style};
use domain::view::LinesPiece;

use super::borders::Part;
use super::entry::{Fold, Key};
use super::pieces::{Edges, Pieces};
use super::*;

/// A stored piece of output from a byte on.
fn view(from: u64, text: &str, length: u64) -> LogView {
    LogView {
        step: 1,
        attempt: 2,
        from,
        to: from + text.len() as u64,
        length,
        text: text.to_owned(),
        line: None,
        style: Style::default(),
        screens: Vec::new(),
        times: Vec::new(),
    }
}

/// What stands in the rows that are seen.
fn texts(log: &Log) -> Vec<String> {
    rows(log).iter().map(|row| row.line.text()).collect()
}

fn rows(log: &Log) -> Vec<Arc<Row>> {
    log.finished().cloned().chain(log.open_rows()).collect()
}

/// Number and text of each row.
fn numbered(log: &Log) -> Vec<(Option<u64>, String)> {
    rows(log).iter().map(|row| (row.number, row.line.text())).collect()
}

fn numbers(pairs: &[(u64, &str)]) -> Vec<(Option<u64>, String)> {
    pairs.iter().map(|(number, text)| ((*number > 0).then_some(*number), (*text).to_owned())).collect()
}

fn said(log: &Log) -> String {
    match log.note() {
        Some(Entry::Note { words, .. }) => words,
        _ => String::new(),
    }
}

/// The rows as they stand with commands that end at these bytes: number and text.
fn cut(log: &Log, cuts: &[u64]) -> Vec<(Option<u64>, String)> {
    borders::rows_cut_at(rows(log), cuts).iter().map(|row| (row.number, row.line.text())).collect()
}

fn keys(log: &Log) -> Vec<Key> {
    rows(log).into_iter().map(|row| Entry::Row(row).key()).collect()
}

#[test]
fn what_is_let_go_leaves_no_row_and_comes_again_under_other_keys() {
    let mut tail = Log::tail(&view(30, "one\ntwo\n", 40));
    let mut piece = Log::page(&view(10, "three\nfour\n", 40));
    let before = keys(&tail);

    tail.forget();
    piece.forget();

    assert_eq!((texts(&tail), tail.from(), tail.to(), tail.is_page()), (vec![], 0, 0, false), "all of it comes again");
    assert_eq!((texts(&piece), piece.from(), piece.to(), piece.is_page()), (vec![], 10, 10, true));
    assert!(tail.is_of(1, 2) && tail.is_empty() && piece.is_empty());
    tail.skip_to(30, None, Style::default());
    tail.push("***\n***\n", 8);
    assert!(keys(&tail).iter().all(|key| !before.contains(key)));
}

#[test]
fn rows_know_the_byte_at_which_they_begin() {
    let mut log = Log::empty(1, 1);

    log.push("one\ntw", 6);
    log.push("o\nthree", 7);

    assert_eq!(numbered(&log), numbers(&[(1, "one"), (2, "two"), (3, "three")]));
    assert_eq!(rows(&log).iter().map(|row| row.from).collect::<Vec<_>>(), [0, 4, 8]);
    assert_eq!((log.to(), log.lines()), (13, 3));
}

#[test]
fn only_the_last_rows_are_kept_and_the_rest_is_told() {
    let mut log = Log::empty(1, 1);
    let text = "x\n".repeat(ROWS + 10);

    log.push(&text, text.len() as u64);

    assert_eq!(log.rows.len(), ROWS);
    assert_eq!(log.rows[0].number, Some(11));
    assert_eq!(said(&log), "The first 20 B, 10 lines, of the output are not shown here.");
    assert_eq!(log.span(None), 11..ROWS as u64 + 11);
    assert_eq!(log.span(Some(5)), ROWS as u64 + 6..ROWS as u64 + 11);
}

#[test]
fn of_long_lines_fewer_are_kept() {
    let mut log = Log::empty(1, 1);
    let text = format!("{}\n", "y".repeat(10_000)).repeat(200);

    log.push(&text, text.len() as u64);

    assert!(log.rows.len() < 60 && log.text <= TEXT, "{} rows, {} bytes", log.rows.len(), log.text);
    assert_eq!(rows(&log).last().and_then(|row| row.number), Some(200));
}

#[test]
fn a_page_that_was_asked_for_begins_at_its_first_row() {
    let text = "y\n".repeat(ROWS + 10);
    let length = text.len() as u64;

    let log = Log::page(&view(100, &text, 100 + length));

    assert_eq!((log.from(), log.to()), (100, 100 + 2 * ROWS as u64));
    assert_eq!(said(&log), "The first 100 B of the output are not shown here; lines are counted from here.");
    assert_eq!(log.length(), 100 + length);
}

#[test]
fn a_tail_whose_first_line_is_known_counts_from_the_first_byte() {
    let known = LogView { line: Some(900), ..view(5_000, "one\ntwo\n", 5_008) };

    let mut log = Log::tail(&known);
    log.push("three", 5);

    assert_eq!(numbered(&log), numbers(&[(900, "one"), (901, "two"), (902, "three")]));
    assert_eq!((log.lines(), log.is_counted()), (902, true));
    assert_eq!(said(&log), "The first 5.0 KB, 899 lines, of the output are not shown here.");
}

#[test]
fn a_gap_begins_the_rows_anew() {
    let mut log = Log::empty(1, 1);
    log.push("one\n", 4);
    let red = Style { text: Colour::Indexed(1), ..Style::default() };

    log.skip_to(1000, Some(77), red);
    log.push("late\n", 5);

    assert_eq!(numbered(&log), numbers(&[(77, "late")]));
    assert_eq!(log.rows[0].line.spans[0].style, red, "in the colour that was chosen before it");
    assert_eq!(log.to(), 1005);
}

#[test]
fn output_without_an_end_stays_with_its_command() {
    let mut log = Log::empty(1, 1);

    // Both commands wrote into one line of the stored output, and came in one piece.
    log.push("first\nno end", 12);
    log.push("second\nthird\n", 13);

    assert_eq!(cut(&log, &[12, 12]), numbers(&[(1, "first"), (2, "no end"), (0, "second"), (3, "third")]));
    assert_eq!(cut(&log, &[]).len(), 3, "as long as nothing is known of a border, it is one line");
}

#[test]
fn a_line_that_is_not_finished_is_cut_as_well_and_keeps_its_colour() {
    let mut log = Log::empty(1, 1);

    log.push("\u{1b}[31mred", 8);
    log.push("also red", 8);

    let rows = borders::rows_cut_at(rows(&log), &[8]);
    assert_eq!(rows.iter().map(|row| row.line.text()).collect::<Vec<_>>(), ["red", "also red"]);
    assert_eq!(rows[0].line.spans[0].style, rows[1].line.spans[0].style);
    let keys: Vec<Key> = rows.iter().map(|row| Entry::Row(Arc::clone(row)).key()).collect();
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn nothing_is_cut_inside_a_character_or_where_nobody_can_tell_the_place() {
    let mut log = Log::empty(1, 1);
    log.push("ü\u{fffd}\n", 4);

    assert_eq!(cut(&log, &[1]), numbers(&[(1, "ü\u{fffd}")]));
}

#[test]
fn a_line_that_is_too_long_for_one_row_has_one_number() {
    let mut log = Log::empty(1, 1);
    let endless = "z".repeat(40_000);

    log.push(&format!("{endless}\nnext\n"), 40_006);

    let found: Vec<Option<u64>> = rows(&log).iter().map(|row| row.number).collect();
    assert_eq!(found, [Some(1), None, None, Some(2)]);
    assert_eq!(log.lines(), 2);
}

#[test]
fn several_downloads_stand_in_their_rows_and_numbers_are_those_of_the_stored_lines() {
    let mut log = Log::empty(1, 1);
    let mut push = |text: &str| log.push(text, text.len() as u64);

    push("pull\nweb 10 %\ndb 20 %\n");
    push("\u{1b}[2A\u{1b}[Kweb 60 %\n");
    push("\u{1b}[Kdb 90 %\n");
    push("\u{1b}[2A\u{1b}[Kweb 70 %");

    let expected = [(1, "pull"), (2, "web 70 %"), (3, "db 90 %")];
    assert_eq!(numbered(&log), numbers(&expected), "while it is in the middle of it");
    log.push("\r\u{1b}[2Bdone\n", 10);
    let expected = [(1, "pull"), (2, "web 70 %"), (3, "db 90 %"), (6, "done")];
    assert_eq!(numbered(&log), numbers(&expected), "the stored lines 4 and 5 were written over");
    assert_eq!(log.lines(), 6);
    assert!(rows(&log).iter().map(|row| row.from).is_sorted());
}

#[test]
fn rows_that_are_written_anew_have_other_keys_each_time() {
    let mut log = Log::empty(1, 1);
    let mut seen = Vec::new();
    for percent in 0..20 {
        let text = format!("\u{1b}[2A\u{1b}[Kweb {percent} %\n\u{1b}[Kdb {percent} %\n");
        log.push(&text, text.len() as u64);
        let now = keys(&log);
        let mut apart = now.clone();
        apart.dedup();
        assert_eq!(apart.len(), now.len());
        assert!(now.iter().all(|key| !seen.contains(key)), "what is drawn differently has another key");
        seen.extend(now);
    }
    assert_eq!(texts(&log), ["web 19 %", "db 19 %"]);
}

#[test]
fn a_stored_piece_does_not_name_what_comes_after_it() {
    let log = Log::page(&view(10, "one\n", 30));

    assert_eq!(log.later(), Some(14));
}

/// Some lines out of a log, as the server gives them.
fn lines(line: u64, from: u64, pieces: &[(u64, &str)], to: u64) -> LinesView {
    let piece = |(from, text): &(u64, &str)| {
        let (from, text) = (*from, (*text).to_owned());
        LinesPiece { from, to: from + text.len() as u64, text }
    };
    let pieces = pieces.iter().map(piece).collect();
    LinesView { step: 1, attempt: 2, line, from, to, pieces, lines: 1_000, length: 90_000, ..LinesView::default() }
}

#[test]
fn lines_out_of_the_middle_have_their_numbers_and_their_places() {
    let log = Log::of_lines(&lines(500, 8_000, &[(8_000, "five\nsix\n")], 8_009));

    assert_eq!(numbered(&log), numbers(&[(500, "five"), (501, "six")]));
    assert_eq!((log.from(), log.to(), log.lines(), log.is_counted()), (8_000, 8_009, 1_000, true));
    assert_eq!(log.span(Some(ROWS)), 500..502);
}

#[test]
fn of_a_line_that_is_too_long_its_begin_or_its_end_is_a_row_of_its_own() {
    // The second line goes on for many bytes; of the fourth, a progress, only the end is here.
    let pieces = [(0, "one\nlong"), (1_000, "three\n"), (5_000, "\r99 %\r100 %\nfive\n")];

    let log = Log::of_lines(&lines(1, 0, &pieces, 5_017));

    let expected = [(1, "one"), (2, "long"), (3, "three"), (4, "100 %"), (5, "five")];
    assert_eq!(numbered(&log), numbers(&expected));
    let rows = rows(&log);
    assert_eq!(rows.iter().map(|row| row.left_out).collect::<Vec<_>>(), [0, 992, 0, 0, 0]);
    assert_eq!((rows[1].to, rows[2].from, rows[3].from), (1_000, 1_000, 1_006));
}

#[test]
fn a_row_knows_when_it_was_printed() {
    let mut view = lines(500, 8_000, &[(8_000, "five\nsix\n")], 8_009);
    view.times = vec![(7_000, Timestamp(70)), (8_005, Timestamp(80))];

    let mut log = Log::of_lines(&view);

    assert_eq!([6_999, 8_000, 8_005].map(|byte| log.moment(byte)), [None, Some(Timestamp(70)), Some(Timestamp(80))]);
    log.note_moment(Timestamp(99));
    assert_eq!(log.moment(8_009), Some(Timestamp(99)));
}

/// A screen of one row, painted with a stretch of the output.
fn screen(command: u32, from: u64, to: Option<u64>) -> Screen {
    Screen { command, from, to, rows: vec![Vec::new()], cursor: None }
}

/// The rows that are seen beside the screens.
fn beside(log: &Log) -> Vec<(Option<u64>, String)> {
    let cuts: Vec<u64> = log.screens.iter().flat_map(|screen| [Some(screen.from), screen.to]).flatten().collect();
    let rows = borders::rows_cut_at(rows(log), &cuts).into_iter().filter(|row| !log.is_of_a_screen(row));
    rows.map(|row| (row.number, row.line.text())).collect()
}

#[test]
fn a_stored_screen_takes_the_place_of_what_it_is_painted_with() {
    let text = "before\nasked: paint paint\npaint\nafter\nlast\n";
    let stored = LogView { screens: vec![screen(1, 14, Some(32))], ..view(0, text, text.len() as u64) };

    let log = Log::tail(&stored);

    assert_eq!(beside(&log), numbers(&[(1, "before"), (2, "asked: "), (4, "after"), (5, "last")]));
    assert_eq!((log.to(), log.lines()), (text.len() as u64, 5), "its lines count as those of the stored output");
}

#[test]
fn what_was_drawn_as_text_is_hidden_once_it_is_known_for_a_screen() {
    let mut log = Log::empty(1, 1);
    let shown = |log: &Log| beside(log).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
    log.push("top\n", 4);
    log.push("load 1\nload 2", 13);

    assert!(!log.paint(screen(1, 4, None).since(None)));
    log.push("load 3\n", 7);
    assert_eq!(shown(&log), ["top"]);
    assert!(log.has_live_screen());

    assert!(!log.paint(screen(1, 4, Some(24)).since(None)));
    log.push("bye\n", 4);
    assert_eq!(shown(&log), ["top", "bye"]);
    assert!(!log.has_live_screen());
}

#[test]
fn a_log_that_is_nothing_but_a_screen_begins_with_it() {
    let mut log = Log::empty(1, 1);
    assert!(!log.paint(screen(1, 0, None).since(None)));

    log.push("paint", 5);

    assert_eq!((log.from(), log.to(), said(&log)), (0, 5, String::new()));
}

#[test]
fn a_screen_that_is_found_to_be_text_has_to_be_had_as_text() {
    let mut log = Log::empty(1, 1);
    let known = screen(1, 0, None);
    assert!(!log.paint(known.since(None)));
    log.push("passed over", 11);

    let gone = known.none();
    assert!(log.paint(gone.since(Some(&known))));
    assert_eq!(log.screen(1), None);
    assert!(!log.paint(gone.since(None)), "of one that was never there nothing is missing");
}

#[test]
fn a_screen_keeps_its_place_among_the_borders_and_its_key() {
    let mut log = Log::empty(1, 1);
    log.push("x", 1);
    assert!(!log.paint(screen(3, 1, None).since(None)));

    let entry = Entry::Screen { command: 3, name: "top".to_owned() };

    assert_eq!(entry.key(), Key::Screen(3));
    assert!(log.has_screen_in_sight(&screen(3, 1, None), 0));
    log.skip_to(100, None, Style::default());
    assert!(log.has_screen_in_sight(&screen(3, 1, None), 100), "it is drawn although its first bytes are not here");
    assert!(!log.has_screen_in_sight(&screen(3, 1, Some(50)), 100));
}

#[test]
fn a_long_line_of_which_nothing_is_seen_counts_as_a_line() {
    let log = Log::of_lines(&lines(1, 0, &[(0, "\u{1b}[31m"), (1_000, "next\n")], 1_005));

    assert_eq!(numbered(&log), numbers(&[(2, "next")]));
}

/// A run in whose first step commands have printed these bytes, one after the other, and ended.
fn ran(commands: &[Range<u64>]) -> Run {
    let end = CommandEnd {
        code: Some(0),
        statuses: vec![0],
        duration_ms: 1_000,
        outcome: Outcome::Success,
        explanation: None,
    };
    let ended = |bytes: &Range<u64>| CommandState::Ended {
        attempt: 2,
        at: Timestamp(0),
        from: bytes.start,
        to: bytes.end,
        end: end.clone(),
    };
    let mut run = crate::deeds::tests::run(&[]);
    run.steps[0].commands = commands.iter().map(ended).collect();
    run
}

/// Three commands: the second prints far more than is drawn.
fn three() -> (Log, Run) {
    let mut log = Log::empty(1, 2);
    let text = format!("{}{}{}", "a\n".repeat(3), "b\n".repeat(500), "c\n".repeat(2));
    log.push(&text, text.len() as u64);
    (log, ran(&[0..6, 6..1_006, 1_006..1_010]))
}

/// What stands in a log, each in a word or two.
fn shape(entries: &[Entry]) -> Vec<String> {
    let word = |entry: &Entry| match entry {
        Entry::Row(row) => row.line.text(),
        Entry::Begins { command, fold: Fold::Open, .. } => format!("begin {command}"),
        Entry::Begins { command, fold: Fold::Folded, .. } => format!("folded {command}"),
        Entry::Ended { command, .. } => format!("end {command}"),
        Entry::Screen { command, .. } => format!("screen {command}"),
        Entry::Note { .. } => "note".to_owned(),
    };
    entries.iter().map(word).collect()
}

/// The last ten rows of a log, with some commands folded.
fn last_ten(log: &Log, run: &Run, folded: &[u32]) -> Vec<String> {
    shape(&log.entries(run, &Part { last: Some(10), folded: folded.iter().copied().collect() }))
}

#[test]
fn the_end_of_a_folded_command_does_not_stand_there_without_its_begin() {
    let (log, run) = three();

    assert_eq!(last_ten(&log, &run, &[])[7..], ["b", "end 2", "begin 3", "c", "c", "end 3"]);
    assert_eq!(last_ten(&log, &run, &[2]), ["end 1", "folded 2", "end 2", "begin 3", "c", "c", "end 3"]);
    let piece = [lines(504, 1_006, &[(1_006, "c\nc\n")], 1_010)];
    let entries = Pieces::of_views(&log, &piece, 505).entries(&run, &BTreeSet::from([2]), Edges::default());
    assert_eq!(shape(&entries), ["end 1", "folded 2", "end 2", "begin 3", "c", "c", "end 3"]);
}

#[test]
fn where_all_commands_are_folded_each_has_its_begin_and_then_its_end() {
    let (log, run) = three();
    let expected = ["folded 1", "end 1", "folded 2", "end 2", "folded 3", "end 3"];
    let everything = Edges { begin: true, end: true };

    assert_eq!(last_ten(&log, &run, &[1, 2, 3]), expected, "while one follows");
    let all = BTreeSet::from([1, 2, 3]);
    let nothing = Pieces::of_views(&log, &[], 505);
    assert_eq!(shape(&nothing.entries(&run, &all, everything)), expected, "when one has let go");
    let later = ran(&[0..6, 6..1_006, 1_006..1_010, 1_010..9_000]);
    let entries = shape(&nothing.entries(&later, &all, everything));
    assert_eq!(entries[6..], ["begin 4"], "what it prints later is not here, so its end is not, either");
}

#[test]
fn a_fold_between_two_pieces_stands_there_once() {
    let (log, run) = three();
    let pieces = [lines(1, 0, &[(0, "a\na\na\n")], 6), lines(504, 1_006, &[(1_006, "c\nc\n")], 1_010)];

    let entries = Pieces::of_views(&log, &pieces, 505).entries(&run, &BTreeSet::from([2]), Edges::default());

    let expected =
        ["begin 1", "a", "a", "a", "end 1", "folded 2", "end 2", "begin 3", "c", "c", "end 3"].map(str::to_owned);
    assert_eq!(shape(&entries), expected);
}

#[test]
fn in_a_stored_piece_of_a_folded_command_it_can_be_shown_again() {
    let (_, run) = three();
    let log = Log::page(&view(100, &"b\n".repeat(10), 1_010));

    let entries = log.entries(&run, &Part { last: None, folded: BTreeSet::from([2]) });

    assert_eq!(shape(&entries), ["note", "end 1", "folded 2"]);
}

#[test]
fn a_reader_who_has_let_go_sees_no_border_of_what_came_later() {
    let mut log = Log::empty(1, 2);
    log.push("x\n", 2);
    let held = Pieces::of_tail(&log, 400);

    let run = ran(&[0..2, 2..50, 50..60]);

    let entries = held.entries(&run, &BTreeSet::new(), Edges::default());
    assert_eq!(shape(&entries), ["begin 1", "x", "end 1", "begin 2"]);
}

#[test]
fn a_screen_is_there_where_one_looks_and_folds_away_with_its_command() {
    let mut painted = lines(1, 0, &[(0, "paint\n")], 6);
    painted.screens = vec![screen(1, 0, Some(6))];
    let run = ran(&[0..6, 6..12]);

    let pieces = Pieces::of_views(&Log::empty(1, 2), &[painted], 1);

    assert!(pieces.screen(1).is_some() && pieces.screen(2).is_none());
    let seen = |folded: &[u32]| shape(&pieces.entries(&run, &folded.iter().copied().collect(), Edges::default()));
    assert_eq!(seen(&[]), ["begin 1", "screen 1", "end 1", "begin 2"]);
    assert_eq!(seen(&[1]), ["folded 1", "end 1", "begin 2"]);
}

#[test]
fn of_what_was_covered_neither_screens_nor_times_are_left() {
    let mut log = Log::empty(1, 2);
    log.note_moment(Timestamp(7));
    log.push("text\n", 5);
    assert!(!log.paint(screen(1, 5, None).since(None)));

    log.forget();

    assert_eq!((log.screen(1), log.moment(0), texts(&log)), (None, None, vec![]));
}
