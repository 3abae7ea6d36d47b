//! Text becomes rows: lines as they end, the one that is not finished, and those to which a program goes back.

use std::sync::Arc;

use domain::terminal::{Line, Style, Terminal};

use super::row::{Raw, Row};
use super::{Log, ROWS, TEXT};

impl Log {
    /// Goes on at another byte, in a line whose number may be known, and in a style; what lies between is not here.
    pub fn skip_to(&mut self, byte: u64, line: Option<u64>, style: Style) {
        if byte > self.to {
            self.terminal = Terminal::with_style(style);
            self.raw = Some(Raw::from_here(&self.terminal));
            self.rows.clear();
            self.back.clear();
            self.text = 0;
            self.counted = line.is_some();
            self.ended = line.map_or(0, |line| line.saturating_sub(1));
            self.numbered = self.ended;
            (self.to, self.begin, self.open_from) = (byte, byte, byte);
        }
    }

    /// Passes over bytes of a line that is too long, up to one: over its begin, when what is here before ends a line, else over its
    /// end.
    pub(super) fn leap(&mut self, byte: u64, before: &str) {
        if byte <= self.to {
            return;
        }
        if !before.ends_with('\n') {
            let left_out = byte - self.to;
            self.to = byte;
            self.end_line_without(left_out);
            self.ended += 1;
        }
        self.to = byte;
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
                self.pass(piece, border);
            } else {
                self.add_text(piece, border);
            }
            rest = later;
        }
        self.drawn += 1;
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

    /// Passes over text that a screen is painted with, up to a byte. What comes after it begins a row.
    fn pass(&mut self, text: &str, end: u64) {
        self.end_line();
        self.ended += text.matches('\n').count() as u64;
        (self.to, self.open_from) = (end, end);
    }

    /// Ends the row that is not finished; its line goes on.
    pub(super) fn end_line(&mut self) {
        self.end_line_without(0);
    }

    fn end_line_without(&mut self, left_out: u64) {
        let open = self.open_rows();
        for _ in 0..self.terminal.gone_back() {
            self.take_back();
        }
        self.back.clear();
        for row in open {
            self.numbered = self.numbered.max(row.number.unwrap_or_default());
            self.keep(Arc::new(Row { left_out, ..(*row).clone() }));
        }
        self.terminal = Terminal::default();
        self.raw = Some(Raw::default());
        self.open_from = self.to;
    }

    /// Reads a piece with at most one end of a line in it, up to a byte.
    fn read(&mut self, piece: &str, to: u64) {
        self.raw = self.raw.take().and_then(|raw| raw.add(piece));
        let lines = self.terminal.push(piece);
        if !lines.is_empty() {
            // A line that was too long for one row is in no row alone.
            let mut raw = self.raw.take().filter(|_| lines.len() == 1 && piece.ends_with('\n'));
            for line in lines {
                self.add(line, to, raw.take());
            }
            self.raw = self.terminal.is_at_the_end().then(|| Raw::from_here(&self.terminal));
        }
        self.ended += u64::from(piece.ends_with('\n'));
    }

    fn add(&mut self, line: Line, to: u64, raw: Option<Raw>) {
        for _ in 0..line.back {
            self.take_back();
        }
        let row = if let Some(before) = self.back.pop() {
            Row { drawn: 0, to, line, raw: None, left_out: 0, ..(*before).clone() }
        } else {
            let row = Row { number: self.next_number(), from: self.open_from, to, ..self.new_row(line, raw) };
            self.open_from = to;
            row
        };
        self.numbered = self.numbered.max(row.number.unwrap_or_default());
        self.keep(Arc::new(row));
    }

    fn new_row(&self, line: Line, raw: Option<Raw>) -> Row {
        Row { place: self.place + 1, drawn: 0, number: None, from: self.open_from, to: self.to, line, raw, left_out: 0 }
    }

    /// The number of the line in which it stands, when no row has it yet.
    fn next_number(&self) -> Option<u64> {
        let number = self.ended + 1;
        (number > self.numbered).then_some(number)
    }

    /// The last row is not finished any more.
    fn take_back(&mut self) {
        if let Some(row) = self.rows.pop_back() {
            self.text -= row.weight();
            self.back.push(row);
        }
    }

    fn keep(&mut self, row: Arc<Row>) {
        self.place = self.place.max(row.place);
        self.text += row.weight();
        self.rows.push_back(row);
        while self.rows.len() > ROWS || (self.text > TEXT && self.rows.len() > 1) {
            self.text -= self.rows.pop_front().map_or(0, |row| row.weight());
            self.begin = self.rows.front().map_or(self.open_from, |row| row.from);
        }
    }

    /// The rows that are finished: all but those to which a program has gone back.
    pub(super) fn finished(&self) -> impl DoubleEndedIterator<Item = &Arc<Row>> + ExactSizeIterator {
        let back = usize::try_from(self.terminal.gone_back()).unwrap_or(usize::MAX);
        self.rows.range(..self.rows.len().saturating_sub(back))
    }

    /// The rows that are not finished, from top to bottom.
    pub(super) fn open_rows(&self) -> Vec<Arc<Row>> {
        let finished = self.finished().len();
        let mut before = self.rows.range(finished..).chain(self.back.iter().rev());
        let lines = self.terminal.open_lines();
        let mut rows = Vec::with_capacity(lines.len());
        let mut fresh = 0;
        for line in lines {
            let row = if let Some(row) = before.next() {
                Row { drawn: self.drawn, to: self.to, line, raw: None, ..(**row).clone() }
            } else {
                let number = self.next_number().filter(|_| fresh == 0 && !line.continued);
                fresh += 1;
                let raw = self.raw.clone().filter(|_| fresh == 1 && self.terminal.is_at_the_end());
                Row { place: self.place + fresh, drawn: self.drawn, number, ..self.new_row(line, raw) }
            };
            rows.push(Arc::new(row));
        }
        rows
    }
}
