//! One line of output, and how it is cut where a command ends inside it.

use std::sync::Arc;

use domain::terminal::{Line, Terminal};

/// What a row keeps of the text that it was drawn from, in bytes. One that was written over and over is not cut any more.
const RAW: usize = 64 * 1024;

/// One line of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place among all rows that went through this page, for telling rows apart.
    pub(super) place: u64,
    /// How often it was drawn before it was finished.
    pub(super) drawn: u64,
    /// Its number; `None` when it goes on from the line before.
    pub number: Option<u64>,
    /// The byte at which it begins.
    pub from: u64,
    /// The byte after it.
    pub to: u64,
    /// What it says.
    pub line: Line,
    /// What it was drawn from, when it can still be cut.
    pub(super) raw: Option<Raw>,
    /// So many bytes at its end are not shown, because the line is too long.
    pub left_out: u64,
}

/// What a row was drawn from. The portal hears of a command's end after its output: only then is known where a row that
/// has no end of its own has to be cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw {
    /// The terminal as it stood before.
    start: Terminal,
    text: String,
}

impl Raw {
    /// Nothing yet, from where a terminal stands.
    pub(super) fn from_here(terminal: &Terminal) -> Self {
        Self { start: terminal.without_rows(), text: String::new() }
    }

    /// With one more piece of text; `None` when it becomes too much.
    pub(super) fn add(self, piece: &str) -> Option<Self> {
        let Self { start, text } = self;
        (text.len() + piece.len() <= RAW).then(|| Self { start, text: text + piece })
    }
}

impl Row {
    /// How many bytes of text it has.
    pub(super) fn weight(&self) -> usize {
        self.line.spans.iter().map(|span| span.text.len()).sum()
    }

    /// The row in pieces, cut at bytes inside it; `None` when nobody can tell where they are.
    pub(super) fn cut(&self, cuts: &[u64]) -> Option<Vec<Arc<Self>>> {
        let raw = self.raw.as_ref().filter(|raw| raw.text.len() as u64 == self.to - self.from)?;
        let place = |byte: u64| usize::try_from(byte - self.from).ok();
        let mut terminal = raw.start.clone();
        let mut from = self.from;
        let mut rows = Vec::new();
        for to in cuts.iter().copied().chain([self.to]) {
            let line = draw(&mut terminal, raw.text.get(place(from)?..place(to)?)?);
            // In the stored bytes it is one line: what comes after a cut has no number of its own.
            let number = self.number.filter(|_| from == self.from);
            rows.push(Arc::new(Self { number, from, to, line, raw: None, ..*self }));
            from = to;
        }
        Some(rows)
    }
}

/// Draws a piece of text as a line that ends with it.
fn draw(terminal: &mut Terminal, text: &str) -> Line {
    if let Some(line) = terminal.push(text).pop() {
        return line;
    }
    terminal.push("\n").pop().unwrap_or_default()
}
