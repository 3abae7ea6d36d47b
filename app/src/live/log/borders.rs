//! The rows with what stands among them: where commands begin and end, screens in the place of what they are painted with, and
//! commands whose output is folded away.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use domain::run::{CommandState, Run};
use domain::screen::Screen;

use super::entry::{Entry, Fold};
use super::row::Row;
use super::{Log, end_words};

/// Which of the rows one wants to see.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Only so many of the last; without a number all of them, and what is not here is said.
    pub last: Option<usize>,
    /// The commands whose output is folded away.
    pub folded: BTreeSet<u32>,
}

impl Log {
    /// The rows, with the commands of the run at their places.
    pub fn entries(&self, run: &Run, part: &Part) -> Vec<Entry> {
        let rows = self.last_rows(part.last);
        let from = part.last.map_or(self.from(), |last| self.first_byte(last));
        let borders = self.borders(run, from, &part.folded);
        let folded = self.folded_bytes(run, &part.folded);
        let is_folded = |row: &Row| folded.iter().any(|bytes| bytes.contains(&row.from));
        let rows = rows_cut_at(rows, &self.cuts(&borders));
        let rows = rows.into_iter().filter(|row| !self.is_of_a_screen(row) && !is_folded(row));
        let mut borders = borders.into_iter().peekable();
        let note = self.note().filter(|_| part.last.is_none() || !self.counted);
        let mut entries: Vec<Entry> = note.into_iter().collect();
        for row in rows {
            while let Some((_, entry)) = borders.next_if(|(at, _)| *at <= row.from) {
                entries.push(entry);
            }
            entries.push(Entry::Row(row));
        }
        entries.extend(borders.map(|(_, entry)| entry));
        entries
    }

    /// The borders of folded commands in some bytes that are not here.
    pub fn folded_entries(&self, run: &Run, bytes: Range<u64>, folded: &BTreeSet<u32>) -> Vec<Entry> {
        let borders = self.borders_of_commands(run, folded);
        borders.into_iter().filter(|(at, _)| bytes.contains(at)).map(|(_, entry)| entry).collect()
    }

    /// The byte at which so many of the last rows begin.
    pub fn first_byte(&self, last: usize) -> u64 {
        let rows = self.last_rows(Some(last));
        // While all rows are among them, what is no row and stands before the first is so, too: a screen, and the begin of its command.
        rows.first().filter(|_| rows.len() >= last).map_or(self.from(), |row| row.from)
    }

    /// The number of the first line in so many of the last rows, and of the one that comes after the last.
    pub fn span(&self, last: Option<usize>) -> Range<u64> {
        let rows = self.last_rows(last);
        let first = rows.iter().find_map(|row| row.number).unwrap_or(self.ended + 1);
        first..self.ended + 1 + u64::from(self.terminal.open().is_some())
    }

    fn last_rows(&self, last: Option<usize>) -> Vec<Arc<Row>> {
        let open = self.open_rows();
        let finished = self.finished();
        let passed = last.map_or(0, |last| finished.len().saturating_sub(last.saturating_sub(open.len())));
        finished.skip(passed).cloned().chain(open).collect()
    }

    fn cuts(&self, borders: &[(u64, Entry)]) -> Vec<u64> {
        let mut cuts: Vec<u64> = borders.iter().map(|(at, _)| *at).collect();
        cuts.extend(self.screens.iter().filter_map(|screen| screen.to));
        cuts.sort_unstable();
        cuts
    }

    /// Whether a row is what a screen was painted with, or the empty rest of a line beside it.
    pub(super) fn is_of_a_screen(&self, row: &Row) -> bool {
        let is_empty = row.line.spans.is_empty();
        self.screens.iter().any(|screen| {
            let beside = row.to == screen.from || Some(row.from) == screen.to;
            screen.is_painted_with(row.from) || (is_empty && beside)
        })
    }

    /// The bytes from one border of a screen to the next, in order.
    pub(super) fn borders_of_screens(&self, stretch: Range<u64>) -> Vec<u64> {
        let borders = self.screens.iter().flat_map(|screen| [Some(screen.from), screen.to]).flatten();
        let mut borders: Vec<u64> = borders.filter(|border| stretch.contains(border)).collect();
        borders.sort_unstable();
        borders.dedup();
        borders
    }

    /// Where commands of this attempt and their screens begin and end, in order, as far as that is in sight from a byte on. Of what is
    /// folded away before that byte the begins are in sight as well: an end does not stand there without its command, and nobody could
    /// show it again.
    fn borders(&self, run: &Run, from: u64, folded: &BTreeSet<u32>) -> Vec<(u64, Entry)> {
        let begin = self.folded_up_to(run, from, folded);
        let mut borders = self.borders_of_commands(run, folded);
        borders.retain(|(at, _)| *at >= begin && (!self.page || *at <= self.to));
        let screens = self.screens.iter().filter(|screen| !folded.contains(&screen.command));
        for screen in screens.filter(|screen| self.has_screen_in_sight(screen, from)) {
            let place = borders.partition_point(|(at, _)| *at <= screen.from);
            let plan = run.plan.step(self.step).and_then(|step| step.command(screen.command));
            let name = plan.and_then(|plan| plan.script.lines().next()).unwrap_or_default().to_owned();
            borders.insert(place, (screen.from, Entry::Screen { command: screen.command, name }));
        }
        borders
    }

    fn borders_of_commands(&self, run: &Run, folded: &BTreeSet<u32>) -> Vec<(u64, Entry)> {
        let mut borders = Vec::new();
        for (command, bytes, state) in self.commands(run) {
            let plan = run.plan.step(self.step).and_then(|step| step.command(command));
            let text = plan.map(|plan| plan.script.clone()).unwrap_or_default();
            let fold = if folded.contains(&command) { Fold::Folded } else { Fold::Open };
            borders.push((bytes.start, Entry::Begins { command, text, fold }));
            if let CommandState::Ended { end, .. } = state {
                borders.push((bytes.end, Entry::Ended { command, words: end_words(end) }));
            }
        }
        borders
    }

    /// The byte from which on everything up to another is folded away.
    fn folded_up_to(&self, run: &Run, byte: u64, folded: &BTreeSet<u32>) -> u64 {
        let reaches = |bytes: &Range<u64>, begin| bytes.start < begin && bytes.end >= begin;
        let folds = self.folded_bytes(run, folded).into_iter().rev();
        folds.fold(byte, |begin, bytes| if reaches(&bytes, begin) { bytes.start } else { begin })
    }

    /// The bytes that folded commands have printed.
    fn folded_bytes(&self, run: &Run, folded: &BTreeSet<u32>) -> Vec<Range<u64>> {
        let commands = self.commands(run).filter(|(command, ..)| folded.contains(command));
        commands.map(|(_, bytes, _)| bytes).collect()
    }

    /// The commands that ran in this attempt, with what they have printed; that of one that runs has no end.
    fn commands<'r>(&self, run: &'r Run) -> impl Iterator<Item = (u32, Range<u64>, &'r CommandState)> + use<'r> {
        let own = self.attempt;
        let states = run.step(self.step).map(|step| step.commands.as_slice()).unwrap_or_default();
        (1..).zip(states).filter_map(move |(number, state)| match state.as_run() {
            state @ CommandState::Running { attempt, from, .. } if *attempt == own => {
                Some((number, *from..u64::MAX, state))
            }
            state @ CommandState::Ended { attempt, from, to, .. } if *attempt == own => {
                Some((number, *from..*to, state))
            }
            _ => None,
        })
    }

    /// Whether a screen stands among what is seen from a byte on.
    pub(super) fn has_screen_in_sight(&self, screen: &Screen, from: u64) -> bool {
        screen.to.is_none_or(|to| to > from) && self.later().is_none_or(|later| screen.from < later)
    }
}

/// The rows; where a command ended or began inside one, it ends there.
pub(super) fn rows_cut_at(rows: Vec<Arc<Row>>, cuts: &[u64]) -> Vec<Arc<Row>> {
    let mut pieces = Vec::with_capacity(rows.len() + 1);
    for row in rows {
        let first = cuts.partition_point(|at| *at <= row.from);
        let mut inside: Vec<u64> = cuts[first..].iter().copied().take_while(|at| *at < row.to).collect();
        inside.dedup();
        let cut = if inside.is_empty() { None } else { row.cut(&inside) };
        match cut {
            Some(cut) => pieces.extend(cut),
            None => pieces.push(row),
        }
    }
    pieces
}
