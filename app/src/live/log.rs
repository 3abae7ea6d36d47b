//! Output as rows: the last of them, where they begin in the stored bytes, and what is not shown.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::run::{CommandState, Run};
use domain::terminal::{Line, Terminal};
use domain::time;
use domain::view::LogView;

/// How many rows a page holds.
pub const ROWS: usize = 2000;

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place among all rows that went through this page, for telling rows apart.
    place: u64,
    /// How often it was drawn before it was finished.
    drawn: u64,
    /// Its number; `None` when it goes on from the line before.
    pub number: Option<u64>,
    /// The byte at which it begins.
    pub from: u64,
    /// What it says.
    pub line: Line,
}

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
    /// Something that is not output.
    Note(String),
}

impl Entry {
    /// Tells entries apart.
    pub fn key(&self) -> (u8, u64, u64) {
        match self {
            Self::Note(_) => (0, 0, 0),
            Self::Row(row) => (1, row.place, row.drawn),
            Self::Begins { command, .. } => (2, u64::from(*command), 0),
            Self::Ended { command, .. } => (3, u64::from(*command), 0),
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
    /// The byte at which the unfinished line begins.
    open_from: u64,
    /// The first byte that is not here yet.
    to: u64,
    /// Set when earlier bytes are stored that this page does not have: then lines are counted from here.
    skipped: Option<u64>,
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
            open_from: 0,
            to: 0,
            skipped: None,
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
        log.push(text, bytes);
        log
    }

    /// The step's place in the plan.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// The attempt's number; 0 for none.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether it is a piece that was asked for, which does not grow.
    pub fn is_page(&self) -> bool {
        self.page
    }

    /// The first byte that is not here yet.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// The byte at which what is here begins.
    pub fn from(&self) -> u64 {
        self.rows.front().map_or(self.open_from, |row| row.from)
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
            self.rows.clear();
            self.number = 0;
            self.skipped = Some(byte);
            self.to = byte;
            self.open_from = byte;
        }
    }

    /// Adds output that stands for so many stored bytes.
    pub fn push(&mut self, text: &str, bytes: u64) {
        let begin = self.to;
        let mut at = begin;
        for piece in text.split_inclusive('\n') {
            at = (at + piece.len() as u64).min(begin + bytes);
            let lines = self.terminal.push(piece);
            for line in lines {
                self.add(line, at);
            }
        }
        self.to = begin + bytes;
        self.drawn += 1;
    }

    fn add(&mut self, line: Line, next_from: u64) {
        let number = (!line.continued).then(|| {
            self.number += 1;
            self.number
        });
        self.place += 1;
        let row = Row { place: self.place, drawn: 0, number, from: self.open_from, line };
        self.open_from = next_from;
        self.rows.push_back(Arc::new(row));
        if self.rows.len() > ROWS {
            self.rows.pop_front();
        }
    }

    fn open_row(&self) -> Option<Arc<Row>> {
        let line = self.terminal.open()?;
        let number = (!line.continued).then_some(self.number + 1);
        Some(Arc::new(Row { place: self.place + 1, drawn: self.drawn, number, from: self.open_from, line }))
    }

    /// The rows, with the commands of the run at their places.
    pub fn entries(&self, run: &Run) -> Vec<Entry> {
        let mut borders = self.borders(run).into_iter().peekable();
        let mut entries: Vec<Entry> = self.note().into_iter().map(Entry::Note).collect();
        let from = self.from();
        let whole = self.is_whole() && self.rows.len() < ROWS;
        for row in self.rows.iter().cloned().chain(self.open_row()) {
            while let Some((_, entry)) = borders.next_if(|(at, _)| *at <= row.from) {
                entries.push(entry);
            }
            entries.push(Entry::Row(row));
        }
        entries.extend(borders.map(|(_, entry)| entry));
        if !whole {
            // What began before the first row has its border there, not here.
            let gone = |entry: &Entry| self.begins_before(run, entry, from);
            entries.retain(|entry| !gone(entry));
        }
        entries
    }

    fn begins_before(&self, run: &Run, entry: &Entry, from: u64) -> bool {
        let (command, ended) = match entry {
            Entry::Begins { command, .. } => (*command, false),
            Entry::Ended { command, .. } => (*command, true),
            Entry::Row(_) | Entry::Note(_) => return false,
        };
        match run.step(self.step).and_then(|step| step.command(command)) {
            Some(CommandState::Running { from: at, .. }) => *at < from,
            Some(CommandState::Ended { from: begin, to, .. }) => (if ended { *to } else { *begin }) < from,
            _ => false,
        }
    }

    fn note(&self) -> Option<String> {
        let hidden = self.from();
        let lines = match self.skipped {
            None => format!(", {} lines,", time::thousands(self.number.saturating_sub(self.rows.len() as u64))),
            Some(_) => String::new(),
        };
        let counted = if self.is_whole() { "" } else { "; lines are counted from here" };
        (hidden > 0 || !self.is_whole())
            .then(|| format!("The first {}{lines} of the output are not shown here{counted}.", time::size(hidden)))
    }

    /// Where commands of this attempt begin and end, in order.
    fn borders(&self, run: &Run) -> Vec<(u64, Entry)> {
        let (Some(plan), Some(state)) = (run.plan.step(self.step), run.step(self.step)) else { return Vec::new() };
        let mut borders = Vec::new();
        for ((number, command), state) in (1..).zip(&plan.commands).zip(&state.commands) {
            let begins = || Entry::Begins { command: number, text: command.script.clone() };
            match state {
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
        assert_eq!(log.note().unwrap(), "The first 20 B, 10 lines, of the output are not shown here.");
    }

    #[test]
    fn a_page_that_was_asked_for_begins_at_its_first_row() {
        let text = "y\n".repeat(ROWS + 10);
        let length = text.len() as u64;
        let view = LogView { step: 1, attempt: 1, from: 100, to: 100 + length, length: 100 + length, text };

        let log = Log::page(&view);

        assert_eq!((log.from(), log.to()), (100, 100 + 2 * ROWS as u64));
        assert!(log.note().unwrap().starts_with("The first 100 B of the output are not shown here"));
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
}
