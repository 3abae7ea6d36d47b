//! Text that somebody else wrote, on its way to somebody's eyes.
//!
//! What could deceive them is found here, for every page, message and mail: characters that show nothing or turn text around
//! ([`deceives`], after Unicode TR 36), letters that look like others ([`marks`], after UTS 39), and blanks by the thousand.
//! How a mark is drawn is the page's business.

mod alike;
mod hidden;
mod shell;

use std::collections::BTreeMap;

pub use hidden::deceives;

/// As what a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Words for people: a title, a reason, a name, a value, output. Accents and other scripts are what they should be.
    Prose,
    /// Words for a shell: what is not ASCII in a name or a path is marked, what is quoted or a comment is prose.
    Command,
}

/// Why a reader has to be shown more than the character at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It shows nothing, or moves what stands around it.
    Hidden,
    /// It can be taken for another one.
    Alike,
    /// So many blanks and line ends begin here, each of one byte, that what follows could be out of sight.
    Blanks {
        /// Blanks and tabs.
        blanks: usize,
        /// Line ends.
        lines: usize,
    },
}

/// More blanks in a row than an indentation needs.
const BLANKS: usize = 40;

/// What of a text has to be marked: the byte at which it begins, and why.
pub fn marks(text: &str, reading: Reading) -> BTreeMap<usize, Mark> {
    let mut marks: BTreeMap<usize, Mark> =
        alike::places(text, reading).into_iter().map(|at| (at, Mark::Alike)).collect();
    marks.extend(hidden::places(text, reading).into_iter().map(|at| (at, Mark::Hidden)));
    marks.extend(blanks(text));
    marks
}

fn blanks(text: &str) -> Vec<(usize, Mark)> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
    let mut at = 0;
    let mut found = Vec::new();
    for run in text.as_bytes().chunk_by(|one, other| is_blank(one) == is_blank(other)) {
        if run.len() > BLANKS && run.first().is_some_and(is_blank) {
            let lines = text[at..at + run.len()].matches('\n').count();
            found.push((at, Mark::Blanks { blanks: run.len() - lines, lines }));
        }
        at += run.len();
    }
    found
}

/// The text in one line of at most so many characters. What shows nothing is a visible mark, and what was cut off is three dots.
pub fn one_line(text: &str, most: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let hidden = hidden::places(&words, Reading::Prose);
    let show = |(at, character)| if hidden.contains(&at) { '\u{fffd}' } else { character };
    let mut shown = words.char_indices().map(show);
    let mut line: String = shown.by_ref().take(most).collect();
    if shown.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
