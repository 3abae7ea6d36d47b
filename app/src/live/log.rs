//! Output as rows: the last of them, where they begin in the stored bytes, and what is not shown.

pub mod row;

use std::collections::VecDeque;
use std::sync::Arc;

use domain::run::{CommandState, Run};
use domain::screen::{Repaint, Screen};
use domain::terminal::{Line, Terminal};
use domain::view::LogView;
use domain::{AttemptId, Timestamp, time};
use row::{Raw, Row};

/// How many rows a page holds.
pub const ROWS: usize = 2000;

/// One thing in the rows of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A line of output.
    Row(Arc<Row>),
    /// A command begins.
    Begins {
        /// Its number in the step.
        command: u32,
        /// Its text.
        text: String,
    },
    /// A command has ended.
    Ended {
        /// Its number in the step.
        command: u32,
        /// How.
        words: String,
    },
    /// The screen of a full-screen program.
    Screen {
        /// The number of its command in the step.
        command: u32,
        /// The name of the program, as far as the command tells.
        name: String,
    },
    /// What is not shown.
    Note {
        /// Up to which byte.
        to: u64,
        /// What there is to say.
        words: String,
    },
}

/// Why there is no output to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Something runs and has printed nothing yet.
    Runs {
        /// Since when.
        since: Timestamp,
        /// The first line of the command, when one runs.
        command: Option<String>,
    },
    /// The attempt has ended and nothing was printed.
    Ended,
}

/// What tells entries apart. What is drawn differently has another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A line of output, or a piece of one.
    Row {
        /// Its place.
        place: u64,
        /// How often it was drawn.
        drawn: u64,
        /// Its bytes.
        bytes: (u64, u64),
    },
    /// The begin of a command.
    Begins(u32),
    /// The end of a command.
    Ended(u32),
    /// The screen that a command paints.
    Screen(u32),
    /// The note, with the byte up to which it speaks.
    Note(u64),
}

impl Entry {
    /// Tells entries of one log apart.
    pub fn key(&self) -> Key {
        match self {
            Self::Note { to, .. } => Key::Note(*to),
            Self::Row(row) => Key::Row { place: row.place, drawn: row.drawn, bytes: (row.from, row.to) },
            Self::Begins { command, .. } => Key::Begins(*command),
            Self::Screen { command, .. } => Key::Screen(*command),
            Self::Ended { command, .. } => Key::Ended(*command),
        }
    }
}

/// The output of one attempt, as far as this page holds it.
#[derive(Clone, Debug)]
pub struct Log {
    step: u32,
    attempt: u32,
    /// Set when it is a piece that was asked for, which does not grow.
    page: bool,
    terminal: Terminal,
    rows: VecDeque<Arc<Row>>,
    place: u64,
    drawn: u64,
    number: u64,
    /// The byte at which what is here begins.
    begin: u64,
    /// The byte at which the unfinished line begins.
    open_from: u64,
    /// What the unfinished line was drawn from.
    raw: Option<Raw>,
    /// The first byte that is not here yet.
    to: u64,
    /// How many bytes are stored, as far as is known.
    length: u64,
    /// Set when earlier bytes are stored that this page does not have: then lines are counted from here.
    skipped: Option<u64>,
    /// The screens of full-screen programs. They stand in the place of the bytes that they are painted with.
    screens: Vec<Screen>,
}

impl Log {
    /// No output yet.
    pub fn empty(step: u32, attempt: u32) -> Self {
        Self {
            step,
            attempt,
            page: false,
            terminal: Terminal::default(),
            rows: VecDeque::new(),
            place: 0,
            drawn: 0,
            number: 0,
            begin: 0,
            open_from: 0,
            raw: Some(Raw::default()),
            to: 0,
            length: 0,
            skipped: None,
            screens: Vec::new(),
        }
    }

    /// A piece of stored output that was asked for. It does not grow.
    pub fn page(view: &LogView) -> Self {
        let (text, bytes) = first_rows(view);
        Self { page: true, ..Self::from_piece(view, text, bytes) }
    }

    /// The end of what is stored; more may follow.
    pub fn tail(view: &LogView) -> Self {
        Self::from_piece(view, &view.text, view.to - view.from)
    }

    fn from_piece(view: &LogView, text: &str, bytes: u64) -> Self {
        let mut log = Self::empty(view.step, view.attempt);
        log.skip_to(view.from);
        log.screens.clone_from(&view.screens);
        log.push(text, bytes);
        log.length = view.length;
        log
    }

    /// Lets everything go but which output it is, and of a piece that was asked for where it begins.
    pub fn forget(&mut self) {
        let begin = if self.page { self.begin } else { 0 };
        let Self { step, attempt, page, place, length, .. } = *self;
        // A row that comes in the place of another has another key.
        let empty = Self { page, place, length, ..Self::empty(step, attempt) };
        *self = empty;
        self.skip_to(begin);
    }

    /// Whether nothing of the output is here.
    pub fn is_empty(&self) -> bool {
        self.to == self.begin
    }

    /// The step's place in the plan.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The attempt's number; 0 for none.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether it is the output of this attempt.
    pub fn is_of(&self, step: u32, attempt: u32) -> bool {
        (self.step, self.attempt) == (step, attempt)
    }

    /// Whether it is a piece that was asked for, which does not grow.
    pub fn is_page(&self) -> bool {
        self.page
    }

    /// The first byte that is not here yet.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// How many bytes are stored, as far as is known.
    pub fn length(&self) -> u64 {
        self.length.max(self.to)
    }

    /// The byte at which the next stored piece begins, when this one is not the last.
    pub fn later(&self) -> Option<u64> {
        (self.page && self.to < self.length).then_some(self.to)
    }

    /// The byte at which what is here begins.
    pub fn from(&self) -> u64 {
        self.begin
    }

    /// How many lines went through, counted from where this page began.
    pub fn lines(&self) -> u64 {
        self.number + u64::from(self.terminal.open().is_some())
    }

    /// Whether lines are counted from the first byte.
    pub fn is_whole(&self) -> bool {
        self.skipped.is_none()
    }

    /// Goes on at another byte; what lies between is not here.
    pub fn skip_to(&mut self, byte: u64) {
        if byte > self.to {
            self.terminal = Terminal::default();
            self.raw = Some(Raw::default());
            self.rows.clear();
            self.number = 0;
            self.skipped = Some(byte);
            (self.to, self.begin, self.open_from) = (byte, byte, byte);
        }
    }

    /// Adds output that stands for so many stored bytes.
    pub fn push(&mut self, text: &str, bytes: u64) {
        let end = self.to + bytes;
        let mut rest = text;
        for border in self.borders_of_screens(self.to + 1..end).into_iter().chain([end]) {
            let wanted = usize::try_from(border - self.to).unwrap_or(usize::MAX);
            let cut = if border == end { rest.len() } else { rest.floor_char_boundary(wanted) };
            let (piece, later) = rest.split_at(cut);
            if self.screens.iter().any(|screen| screen.is_painted_with(self.to)) {
                self.pass(border);
            } else {
                self.add_text(piece, border);
            }
            rest = later;
        }
        self.drawn += 1;
    }

    /// The bytes of a stretch at which screens begin and end, in order.
    fn borders_of_screens(&self, stretch: std::ops::Range<u64>) -> Vec<u64> {
        let borders = self.screens.iter().flat_map(|screen| [Some(screen.from), screen.to]).flatten();
        let mut borders: Vec<u64> = borders.filter(|border| stretch.contains(border)).collect();
        borders.sort_unstable();
        borders.dedup();
        borders
    }

    /// Adds text up to a byte.
    fn add_text(&mut self, text: &str, end: u64) {
        let mut at = self.to;
        for piece in text.split_inclusive('\n') {
            at = (at + piece.len() as u64).min(end);
            self.read(piece, at);
        }
        self.to = end;
    }

    /// Passes over bytes that a screen is painted with, up to one. What comes after them begins a line.
    fn pass(&mut self, end: u64) {
        self.end_line();
        (self.to, self.open_from) = (end, end);
    }

    /// Ends the line that is not finished.
    fn end_line(&mut self) {
        if let Some(row) = self.open_row() {
            self.number += u64::from(row.number.is_some());
            self.keep(row);
        }
        self.terminal = Terminal::default();
        self.raw = Some(Raw::default());
        self.open_from = self.to;
    }

    /// Takes what is new of a screen. Gives back whether output is missing now: what was taken for a screen is text.
    #[must_use]
    pub fn paint(&mut self, repaint: Repaint) -> bool {
        let known = self.screens.iter().position(|screen| screen.command == repaint.command);
        let mut screen = known.map(|place| self.screens.remove(place)).unwrap_or_default();
        screen.apply(repaint);
        if screen.is_none() {
            return known.is_some();
        }
        // What of it was taken for text does not go on behind it.
        if known.is_none() && screen.from < self.to {
            self.end_line();
        }
        self.screens.push(screen);
        self.screens.sort_unstable_by_key(|screen| screen.from);
        false
    }
    /// Reads a piece with at most one end of a line in it, up to a byte.
    fn read(&mut self, piece: &str, to: u64) {
        self.raw = self.raw.take().and_then(|raw| raw.add(piece));
        let lines = self.terminal.push(piece);
        if lines.is_empty() {
            return;
        }
        // A line that was too long for one row is in no row alone.
        let mut raw = self.raw.take().filter(|_| lines.len() == 1 && piece.ends_with('\n'));
        for line in lines {
            self.add(line, to, raw.take());
        }
        self.raw = Some(Raw::from_here(&self.terminal));
    }

    fn add(&mut self, line: Line, to: u64, raw: Option<Raw>) {
        let number = (!line.continued).then(|| {
            self.number += 1;
            self.number
        });
        let row = Row { place: self.place + 1, drawn: 0, number, from: self.open_from, to, line, raw };
        self.open_from = to;
        self.keep(Arc::new(row));
    }

    fn keep(&mut self, row: Arc<Row>) {
        self.place = row.place;
        self.rows.push_back(row);
        if self.rows.len() > ROWS {
            self.rows.pop_front();
            self.begin = self.rows.front().map_or(self.open_from, |row| row.from);
        }
    }

    fn open_row(&self) -> Option<Arc<Row>> {
        let line = self.terminal.open()?;
        let number = (!line.continued).then_some(self.number + 1);
        let (place, drawn, from, to) = (self.place + 1, self.drawn, self.open_from, self.to);
        Some(Arc::new(Row { place, drawn, number, from, to, line, raw: self.raw.clone() }))
    }

    /// The rows, with the commands of the run at their places.
    pub fn entries(&self, run: &Run) -> Vec<Entry> {
        let borders = self.borders(run);
        let mut cuts: Vec<u64> = borders.iter().map(|(at, _)| *at).collect();
        cuts.extend(self.screens.iter().filter_map(|screen| screen.to));
        cuts.sort_unstable();
        let rows = self.rows_cut_at(&cuts).into_iter().filter(|row| !self.is_of_a_screen(row));
        let mut borders = borders.into_iter().peekable();
        let mut entries: Vec<Entry> = self.note().into_iter().collect();
        for row in rows {
            while let Some((_, entry)) = borders.next_if(|(at, _)| *at <= row.from) {
                entries.push(entry);
            }
            entries.push(Entry::Row(row));
        }
        entries.extend(borders.map(|(_, entry)| entry));
        entries
    }

    /// Whether a row is what a screen was painted with, or the empty rest of a line beside it.
    fn is_of_a_screen(&self, row: &Row) -> bool {
        let is_empty = row.line.spans.is_empty();
        self.screens.iter().any(|screen| {
            let beside = row.to == screen.from || Some(row.from) == screen.to;
            screen.is_painted_with(row.from) || (is_empty && beside)
        })
    }

    /// The screen that a command has painted.
    pub fn screen(&self, command: u32) -> Option<&Screen> {
        self.screens.iter().find(|screen| screen.command == command)
    }

    /// Whether a full-screen program shows its screen now.
    pub fn has_live_screen(&self) -> bool {
        self.screens.last().is_some_and(|screen| screen.to.is_none())
    }

    /// The rows; where a command ended or began inside one, it ends there.
    fn rows_cut_at(&self, cuts: &[u64]) -> Vec<Arc<Row>> {
        let mut rows = Vec::with_capacity(self.rows.len() + 1);
        for row in self.rows.iter().cloned().chain(self.open_row()) {
            let mut inside: Vec<u64> = cuts.iter().copied().filter(|at| (row.from + 1..row.to).contains(at)).collect();
            inside.dedup();
            let pieces = if inside.is_empty() { None } else { row.cut(&inside) };
            match pieces {
                Some(pieces) => rows.extend(pieces),
                None => rows.push(row),
            }
        }
        rows
    }

    /// Whether there is nothing to see where one looks for output, and why.
    pub fn quiet(&self, run: &Run) -> Option<Quiet> {
        let attempt = run.attempt(AttemptId { run: run.id, step: self.step, attempt: self.attempt })?;
        if self.page {
            return None;
        }
        if let Some(end) = &attempt.end {
            return (end.bytes == 0 && self.to == 0).then_some(Quiet::Ended);
        }
        let (plan, state) = run.plan.step(self.step).zip(run.step(self.step))?;
        let running = plan.commands.iter().zip(&state.commands).find_map(|(command, state)| match state {
            CommandState::Running { since, from, .. } => Some((command, *since, *from)),
            _ => None,
        });
        let Some((command, since, from)) = running else {
            let since = attempt.started.at;
            return (self.to == 0).then_some(Quiet::Runs { since, command: None });
        };
        let command = command.script.lines().next().map(str::to_owned);
        (self.to <= from).then_some(Quiet::Runs { since, command })
    }

    fn note(&self) -> Option<Entry> {
        let to = self.from();
        let lines = match self.skipped {
            None => format!(", {} lines,", time::thousands(self.number.saturating_sub(self.rows.len() as u64))),
            Some(_) => String::new(),
        };
        let counted = if self.is_whole() { "" } else { "; lines are counted from here" };
        let words = format!("The first {}{lines} of the output are not shown here{counted}.", time::size(to));
        (to > 0 || !self.is_whole()).then_some(Entry::Note { to, words })
    }

    /// Where commands of this attempt and their screens begin and end, in order, as far as that is in sight.
    fn borders(&self, run: &Run) -> Vec<(u64, Entry)> {
        let mut borders = self.borders_of_commands(run);
        borders.retain(|(at, _)| self.has_in_sight(*at));
        for screen in self.screens.iter().filter(|screen| self.has_screen_in_sight(screen)) {
            let place = borders.partition_point(|(at, _)| *at <= screen.from);
            let plan = run.plan.step(self.step).and_then(|step| step.command(screen.command));
            let name = plan.and_then(|plan| plan.script.lines().next()).unwrap_or_default().to_owned();
            borders.insert(place, (screen.from, Entry::Screen { command: screen.command, name }));
        }
        borders
    }

    fn borders_of_commands(&self, run: &Run) -> Vec<(u64, Entry)> {
        let (Some(plan), Some(state)) = (run.plan.step(self.step), run.step(self.step)) else { return Vec::new() };
        let mut borders = Vec::new();
        for ((number, command), state) in (1..).zip(&plan.commands).zip(&state.commands) {
            let begins = || Entry::Begins { command: number, text: command.script.clone() };
            match state.as_run() {
                CommandState::Running { attempt, from, .. } if *attempt == self.attempt => {
                    borders.push((*from, begins()));
                }
                CommandState::Ended { attempt, from, to, end, .. } if *attempt == self.attempt => {
                    borders.push((*from, begins()));
                    let words = end_words(end);
                    borders.push((*to, Entry::Ended { command: number, words }));
                }
                _ => {}
            }
        }
        borders
    }

    fn has_screen_in_sight(&self, screen: &Screen) -> bool {
        screen.to.is_none_or(|to| to > self.from()) && self.later().is_none_or(|later| screen.from < later)
    }

    /// Whether a border belongs to what is here: not what began before the first row, nor what comes after a stored piece.
    fn has_in_sight(&self, byte: u64) -> bool {
        byte >= self.from() && self.later().is_none_or(|later| byte <= later)
    }
}

/// How a command ended, as `exit 0 after 9 min 48 s`.
pub fn end_words(end: &domain::attempt::CommandEnd) -> String {
    let code = end.code.map_or_else(|| "exit unknown".to_owned(), |code| format!("exit {code}"));
    let duration = time::span(end.duration_ms);
    match &end.explanation {
        Some(explanation) => format!("{code} after {duration}: {explanation}"),
        None => format!("{code} after {duration}"),
    }
}

/// The first rows of a piece that was asked for, and how many bytes they stand for.
///
/// Bytes that are no text were replaced by a longer mark; then nobody can tell, and all of the piece is taken.
fn first_rows(view: &LogView) -> (&str, u64) {
    let bytes = view.to - view.from;
    let cut = view.text.match_indices('\n').nth(ROWS - 1).map(|(at, _)| at + 1);
    match cut {
        Some(cut) if view.text.len() as u64 == bytes => (&view.text[..cut], cut as u64),
        _ => (&view.text, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(log: &Log) -> Vec<String> {
        log.rows.iter().chain(&log.open_row()).map(|row| row.line.text()).collect()
    }

    fn said(log: &Log) -> String {
        match log.note() {
            Some(Entry::Note { words, .. }) => words,
            _ => String::new(),
        }
    }

    /// The rows as they stand with commands that end at these bytes: number and text.
    fn cut(log: &Log, cuts: &[u64]) -> Vec<(Option<u64>, String)> {
        log.rows_cut_at(cuts).iter().map(|row| (row.number, row.line.text())).collect()
    }

    #[test]
    fn what_is_let_go_leaves_no_row_and_comes_again_under_other_keys() {
        let view = |from, text: &str| {
            let to = from + text.len() as u64;
            LogView { step: 1, attempt: 2, from, to, length: 40, text: text.to_owned(), screens: Vec::new() }
        };
        let keys = |log: &Log| log.rows.iter().map(|row| Entry::Row(Arc::clone(row)).key()).collect::<Vec<_>>();
        let mut tail = Log::tail(&view(30, "one\ntwo\n"));
        let mut piece = Log::page(&view(10, "three\nfour\n"));
        let before = keys(&tail);

        tail.forget();
        piece.forget();

        assert_eq!(
            (texts(&tail), tail.from(), tail.to(), tail.is_page()),
            (vec![], 0, 0, false),
            "all of it comes again"
        );
        assert_eq!((texts(&piece), piece.from(), piece.to(), piece.is_page()), (vec![], 10, 10, true));
        assert!(tail.is_of(1, 2) && tail.is_empty() && piece.is_empty());
        tail.skip_to(30);
        tail.push("***\n***\n", 8);
        assert!(keys(&tail).iter().all(|key| !before.contains(key)));
    }

    #[test]
    fn rows_know_the_byte_at_which_they_begin() {
        let mut log = Log::empty(1, 1);

        log.push("one\ntw", 6);
        log.push("o\nthree", 7);

        assert_eq!(texts(&log), ["one", "two", "three"]);
        assert_eq!(log.rows.iter().map(|row| row.from).collect::<Vec<_>>(), [0, 4]);
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
    }

    #[test]
    fn a_page_that_was_asked_for_begins_at_its_first_row() {
        let text = "y\n".repeat(ROWS + 10);
        let length = text.len() as u64;
        let view = LogView {
            step: 1,
            attempt: 1,
            from: 100,
            to: 100 + length,
            length: 100 + length,
            text,
            screens: Vec::new(),
        };

        let log = Log::page(&view);

        assert_eq!((log.from(), log.to()), (100, 100 + 2 * ROWS as u64));
        assert!(said(&log).starts_with("The first 100 B of the output are not shown here"));
        assert_eq!(log.length(), 100 + length);
    }

    #[test]
    fn a_gap_begins_the_rows_anew() {
        let mut log = Log::empty(1, 1);
        log.push("one\n", 4);

        log.skip_to(1000);
        log.push("late\n", 5);

        assert_eq!(texts(&log), ["late"]);
        assert_eq!(log.to(), 1005);
    }

    #[test]
    fn output_without_an_end_stays_with_its_command() {
        let mut log = Log::empty(1, 1);

        // Both commands wrote into one line of the stored output, and came in one piece.
        log.push("first\nno end", 12);
        log.push("second\nthird\n", 13);

        let expected = [(Some(1), "first"), (Some(2), "no end"), (None, "second"), (Some(3), "third")];
        assert_eq!(cut(&log, &[12, 12]), expected.map(|(number, text)| (number, text.to_owned())));
        assert_eq!(cut(&log, &[]).len(), 3, "as long as nothing is known of a border, it is one line");
    }

    #[test]
    fn a_line_that_is_not_finished_is_cut_as_well_and_keeps_its_colour() {
        let mut log = Log::empty(1, 1);

        log.push("\u{1b}[31mred", 8);
        log.push("also red", 8);

        let rows = log.rows_cut_at(&[8]);
        assert_eq!(rows.iter().map(|row| row.line.text()).collect::<Vec<_>>(), ["red", "also red"]);
        assert_eq!(rows[0].line.spans[0].style, rows[1].line.spans[0].style);
        let keys: Vec<Key> = rows.iter().map(|row| Entry::Row(Arc::clone(row)).key()).collect();
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn nothing_is_cut_inside_a_character_or_where_nobody_can_tell_the_place() {
        let mut log = Log::empty(1, 1);
        log.push("ü\u{fffd}\n", 4);

        assert_eq!(cut(&log, &[1]), [(Some(1), "ü\u{fffd}".to_owned())]);
    }

    #[test]
    fn a_stored_piece_does_not_name_what_comes_after_it() {
        let view = LogView {
            step: 1,
            attempt: 1,
            from: 10,
            to: 14,
            length: 30,
            text: "one\n".to_owned(),
            screens: Vec::new(),
        };

        let log = Log::page(&view);

        assert_eq!(log.later(), Some(14));
        assert_eq!([9, 10, 14, 15].map(|byte| log.has_in_sight(byte)), [false, true, true, false]);
    }

    /// A screen of one row, painted with a stretch of the output.
    fn screen(command: u32, from: u64, to: Option<u64>) -> Screen {
        Screen { command, from, to, rows: vec![Vec::new()], cursor: None }
    }

    /// The rows that are seen beside the screens.
    fn beside(log: &Log) -> Vec<String> {
        let cuts: Vec<u64> = log.screens.iter().flat_map(|screen| [Some(screen.from), screen.to]).flatten().collect();
        let rows = log.rows_cut_at(&cuts);
        rows.iter().filter(|row| !log.is_of_a_screen(row)).map(|row| row.line.text()).collect()
    }

    #[test]
    fn a_stored_screen_takes_the_place_of_what_it_is_painted_with() {
        let text = "before\nasked: paint paint\npaint\nafter\nlast\n";
        let (from, to) = (14, 32);
        let view = LogView {
            step: 1,
            attempt: 1,
            from: 0,
            to: text.len() as u64,
            length: text.len() as u64,
            text: text.to_owned(),
            screens: vec![screen(1, from, Some(to))],
        };

        let log = Log::tail(&view);

        assert_eq!(beside(&log), ["before", "asked: ", "after", "last"]);
        assert_eq!((log.to(), log.lines()), (text.len() as u64, 4));
    }

    #[test]
    fn what_was_drawn_as_text_is_hidden_once_it_is_known_for_a_screen() {
        let mut log = Log::empty(1, 1);
        log.push("top\n", 4);
        log.push("load 1\nload 2", 13);

        assert!(!log.paint(screen(1, 4, None).since(None)));
        log.push("load 3\n", 7);
        assert_eq!(beside(&log), ["top"]);
        assert!(log.has_live_screen());

        assert!(!log.paint(screen(1, 4, Some(24)).since(None)));
        log.push("bye\n", 4);
        assert_eq!(beside(&log), ["top", "bye"]);
        assert!(!log.has_live_screen());
    }

    #[test]
    fn a_log_that_is_nothing_but_a_screen_begins_with_it() {
        let mut log = Log::empty(1, 1);
        assert!(!log.paint(screen(1, 0, None).since(None)));

        log.push("paint", 5);

        assert_eq!((log.from(), log.to(), said(&log)), (0, 5, String::new()));
        assert!(log.has_in_sight(0) && log.has_in_sight(5));
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
        assert!(log.has_screen_in_sight(&screen(3, 1, None)));
        log.skip_to(100);
        assert!(log.has_screen_in_sight(&screen(3, 1, None)), "it is drawn although its first bytes are not here");
        assert!(!log.has_screen_in_sight(&screen(3, 1, Some(50))));
    }
}
