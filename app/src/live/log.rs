//! Output as rows: some lines of a log, where they stand in the stored bytes, and what is not here.
//!
//! - `reading`: text becomes rows
//! - [`borders`]: commands and screens find their places among them
//! - [`pieces`]: lines that stand still while the log grows
//! - [`entry`], [`row`]: what stands there

pub mod borders;
pub mod entry;
pub mod pieces;
mod reading;
pub mod row;

use std::collections::VecDeque;
use std::sync::Arc;

use domain::attempt::CommandEnd;
use domain::run::{CommandState, Run};
use domain::screen::{Repaint, Screen};
use domain::terminal::Terminal;
use domain::view::{LinesView, LogView};
use domain::{AttemptId, Timestamp, time};
use entry::{Entry, Quiet};
use row::{Raw, Row};

/// How many rows a page holds.
pub const ROWS: usize = 2000;

/// How much text they have together, in bytes: also of long lines a page does not hold more than it can draw.
const TEXT: usize = 512 * 1024;

/// So many moments are known of the rows.
const MOMENTS: usize = 4096;

/// The output of one attempt, as far as this page holds it.
#[derive(Clone, Debug)]
pub struct Log {
    step: u32,
    attempt: u32,
    /// Set when it is a piece that was asked for, which does not grow.
    page: bool,
    terminal: Terminal,
    rows: VecDeque<Arc<Row>>,
    /// Bytes of text in the rows.
    text: usize,
    /// Rows that a program has gone back to and that do not stand there again yet; the nearest is the last.
    back: Vec<Arc<Row>>,
    place: u64,
    drawn: u64,
    /// How many lines have ended before the one in which it stands.
    ended: u64,
    /// The number of the last line that has a row with its number.
    numbered: u64,
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
    /// How many lines are stored, as far as is known.
    stored: u64,
    /// Whether lines are counted from the first byte, and not from where this begins.
    counted: bool,
    /// The screens of full-screen programs. They stand in the place of the bytes that they are painted with.
    screens: Vec<Screen>,
    /// When bytes were printed: from each of these on, then or later.
    moments: VecDeque<(u64, Timestamp)>,
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
            text: 0,
            back: Vec::new(),
            place: 0,
            drawn: 0,
            ended: 0,
            numbered: 0,
            begin: 0,
            open_from: 0,
            raw: Some(Raw::default()),
            to: 0,
            length: 0,
            stored: 0,
            counted: true,
            screens: Vec::new(),
            moments: VecDeque::new(),
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

    /// Output that is shown once more, of so many bytes: what comes later is not here yet.
    pub fn replay(step: u32, attempt: u32, length: u64) -> Self {
        Self { page: true, length, ..Self::empty(step, attempt) }
    }

    /// Some lines out of a log. They do not grow.
    pub fn of_lines(view: &LinesView) -> Self {
        let mut log = Self { page: true, ..Self::empty(view.step, view.attempt) };
        log.skip_to(view.from, Some(view.line), view.style);
        log.screens.clone_from(&view.screens);
        log.moments = view.times.iter().copied().collect();
        let mut before = "\n";
        for piece in &view.pieces {
            log.leap(piece.from, before);
            log.push(&piece.text, piece.to - piece.from);
            before = &piece.text;
        }
        log.leap(view.to, before);
        (log.length, log.stored) = (view.length, view.lines);
        log
    }

    /// The same as it is now: it does not grow.
    fn held(&self) -> Self {
        Self { page: true, ..self.clone() }
    }

    /// The same, with nothing of it but how long it is.
    fn without_rows(&self) -> Self {
        Self { length: self.length(), ..Self::empty(self.step, self.attempt) }
    }

    fn from_piece(view: &LogView, text: &str, bytes: u64) -> Self {
        let mut log = Self::empty(view.step, view.attempt);
        log.skip_to(view.from, view.line, view.style);
        log.screens.clone_from(&view.screens);
        log.moments = view.times.iter().copied().collect();
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
        self.skip_to(begin, None, domain::terminal::Style::default());
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

    /// How many lines there are, as far as is known; from where this page began, when they are not counted from the first byte.
    pub fn lines(&self) -> u64 {
        let here = self.ended + u64::from(self.terminal.open().is_some());
        here.max(self.stored)
    }

    /// Whether lines are counted from the first byte.
    pub fn is_counted(&self) -> bool {
        self.counted
    }

    /// When a byte was printed, as far as is known.
    pub fn moment(&self, byte: u64) -> Option<Timestamp> {
        let behind = self.moments.partition_point(|(from, _)| *from <= byte);
        behind.checked_sub(1).and_then(|place| self.moments.get(place)).map(|(_, at)| *at)
    }

    /// Notes that what comes next is printed now.
    pub fn note_moment(&mut self, at: Timestamp) {
        self.moments.push_back((self.to, at));
        if self.moments.len() > MOMENTS {
            self.moments.pop_front();
        }
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

    /// The screen that a command has painted.
    pub fn screen(&self, command: u32) -> Option<&Screen> {
        self.screens.iter().find(|screen| screen.command == command)
    }

    /// Whether a full-screen program shows its screen now.
    pub fn has_live_screen(&self) -> bool {
        self.screens.last().is_some_and(|screen| screen.to.is_none())
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

    /// What is not here before the first row.
    fn note(&self) -> Option<Entry> {
        let to = self.from();
        let before = self.rows.iter().find_map(|row| row.number).unwrap_or(self.ended + 1) - 1;
        let (lines, counted) = match self.counted {
            true if before > 0 => (format!(", {},", time::counted(before, "line")), ""),
            true => (String::new(), ""),
            false => (String::new(), "; lines are counted from here"),
        };
        let words = format!("The first {}{lines} of the output are not shown here{counted}.", time::size(to));
        (to > 0).then_some(Entry::Note { to, words })
    }
}

/// How a command ended, as `exit 0 after 9 min 48 s`.
pub fn end_words(end: &CommandEnd) -> String {
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
mod tests;
