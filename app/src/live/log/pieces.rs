//! What a reader looks at who has let go: some lines of a log that stand still. Where the output of commands is folded away, they are
//! several pieces, with the borders of the folded commands between them.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use domain::Timestamp;
use domain::run::Run;
use domain::screen::Screen;
use domain::view::LinesView;

use super::borders::Part;
use super::entry::Entry;
use super::{Log, ROWS};

/// Pieces of one log, in order.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// The same log, with nothing of it but how long it is.
    none: Log,
    logs: Vec<Log>,
    /// Of each, so many of the last rows.
    last: usize,
    /// How many lines there were when the reader let go.
    pub lines: u64,
}

/// Whether everything before the first piece, and behind the last, is folded away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// Before the first.
    pub begin: bool,
    /// Behind the last.
    pub end: bool,
}

impl Pieces {
    /// The last rows of a log that grows, as they are now.
    pub fn of_tail(log: &Log, last: usize) -> Self {
        Self { none: log.without_rows(), logs: vec![log.held()], last, lines: log.lines() }
    }

    /// Lines of a log as the portal gave them, to a reader who has let go at so many.
    pub fn of_views(log: &Log, views: &[LinesView], lines: u64) -> Self {
        Self { none: log.without_rows(), logs: views.iter().map(Log::of_lines).collect(), last: ROWS, lines }
    }

    /// Everything that is seen of them.
    pub fn entries(&self, run: &Run, folded: &BTreeSet<u32>, edges: Edges) -> Vec<Entry> {
        let part = Part { last: Some(self.last), folded: folded.clone() };
        let Some(first) = self.logs.first() else {
            return self.none.folded_entries(run, 0..self.none.length() + 1, folded);
        };
        let mut entries = Vec::new();
        if edges.begin {
            entries.extend(first.folded_entries(run, 0..first.first_byte(self.last), folded));
        }
        for (place, log) in self.logs.iter().enumerate() {
            entries.extend(log.entries(run, &part));
            let next = self.logs.get(place + 1).map(Log::from);
            // What comes after all that is stored is not looked at.
            let until = next.or_else(|| edges.end.then(|| log.length() + 1));
            // What stands at the very end of a piece is in it.
            entries.extend(until.into_iter().flat_map(|until| log.folded_entries(run, log.to() + 1..until, folded)));
        }
        // A fold between two pieces is at the end of one and before the other.
        let mut seen = HashSet::new();
        entries.retain(|entry| seen.insert(entry.key()));
        entries
    }

    /// The number of the first line, and of the one that comes after the last.
    pub fn span(&self) -> Range<u64> {
        let begin = self.logs.first().map_or(1, |log| log.span(Some(self.last)).start);
        begin..self.logs.last().map_or(begin, |log| log.span(Some(self.last)).end)
    }

    /// Whether a line is in one of them.
    pub fn has(&self, line: u64) -> bool {
        self.logs.iter().any(|log| log.span(Some(self.last)).contains(&line))
    }

    /// How many lines the whole log has, as far as they know; none when they are not counted from the first.
    pub fn known(&self) -> u64 {
        self.logs.iter().filter(|log| log.is_counted()).map(Log::lines).max().unwrap_or_default()
    }

    /// The screen of a command, if one of them has it.
    pub fn screen(&self, command: u32) -> Option<&Screen> {
        self.logs.iter().find_map(|log| log.screen(command))
    }

    /// When a byte was printed, as far as is known.
    pub fn moment(&self, byte: u64) -> Option<Timestamp> {
        let log = self.logs.iter().rev().find(|log| log.from() <= byte).or(self.logs.first())?;
        log.moment(byte)
    }
}

#[cfg(test)]
mod tests {
    use domain::view::LinesPiece;

    use super::*;

    fn view(line: u64, from: u64, text: &str) -> LinesView {
        let to = from + text.len() as u64;
        let pieces = vec![LinesPiece { from, to, text: text.to_owned() }];
        let times = vec![(from, Timestamp(i64::try_from(from).unwrap()))];
        LinesView {
            step: 1,
            attempt: 1,
            line,
            from,
            to,
            pieces,
            lines: 900,
            length: 9_000,
            times,
            ..LinesView::default()
        }
    }

    #[test]
    fn lines_before_and_behind_a_fold_are_two_pieces() {
        let views = [view(10, 100, "ten\neleven\n"), view(800, 8_000, "later\n")];

        let pieces = Pieces::of_views(&Log::empty(1, 1), &views, 850);

        assert_eq!(pieces.span(), 10..801);
        assert_eq!(
            [9, 10, 11, 12, 799, 800, 801].map(|line| pieces.has(line)),
            [false, true, true, false, false, true, false]
        );
        assert_eq!((pieces.known(), pieces.lines), (900, 850));
        assert_eq!([100, 104, 8_001].map(|byte| pieces.moment(byte)), [100, 100, 8_000].map(|at| Some(Timestamp(at))));
    }

    #[test]
    fn what_was_held_of_a_log_that_grows_stands_still() {
        let mut log = Log::empty(1, 1);
        log.push("one\ntwo\nthree\n", 14);

        let pieces = Pieces::of_tail(&log, 2);
        log.push("four\n", 5);

        assert_eq!((pieces.span(), pieces.lines, pieces.known()), (2..4, 3, 3));
        assert_eq!(Pieces::of_views(&Log::empty(1, 1), &[], 3).span(), 1..1);
    }
}
