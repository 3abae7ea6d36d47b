//! Looking for something in a whole log: what is looked for, what came of it, and how one goes from one place to the next.
//!
//! What is counted are lines. Of a million of them nobody is sent all: those around the line at which the reader stands.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The longest text or expression that is looked for, in bytes.
pub const WANTED_LIMIT: usize = 1000;

/// So many lines before the reader's, and so many from it on, are named.
pub const NAMED: usize = 250;

/// How what is looked for is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// As it stands, in capitals or not.
    #[default]
    Text,
    /// As a regular expression, which says itself whether capitals matter.
    Expression,
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The text, or the expression.
    pub text: String,
    /// How it is read.
    #[serde(default)]
    pub spelling: Spelling,
}

/// Where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// How many lines have it, in what was looked through.
    pub count: u64,
    /// How many of them come before the first that is named.
    pub before: u64,
    /// The numbers of those around the reader, in order.
    pub lines: Vec<u64>,
    /// The bytes that were looked through, from the first.
    pub searched: u64,
    /// The bytes that were stored then.
    pub length: u64,
}

/// Where one gets from a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// To this line.
    Line(u64),
    /// To one that is not named here: it has to be asked for around this line.
    Ask(u64),
    /// Nowhere: it is found in no line.
    Nowhere,
}

/// Which way one goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the end.
    Down,
    /// To the begin.
    Up,
}

impl Found {
    /// Whether everything was looked through that was stored.
    pub const fn is_complete(&self) -> bool {
        self.searched >= self.length
    }

    /// The place of a line among those that have it, from 1.
    pub fn place(&self, line: u64) -> Option<u64> {
        self.lines.binary_search(&line).ok().map(|place| self.before + place as u64 + 1)
    }

    /// Where one gets from a line; behind the last one begins again.
    pub fn next(&self, from: u64, way: Way) -> Next {
        if self.count == 0 {
            return Next::Nowhere;
        }
        let (has_first, has_last) = (self.before == 0, self.before + self.lines.len() as u64 == self.count);
        let (first, last) = (self.lines.first().copied(), self.lines.last().copied());
        // Among those that are named none is missing; between a line far from them and the nearest of them some may be.
        let is_known = match way {
            Way::Down => has_first || first.is_some_and(|first| first <= from.saturating_add(1)),
            Way::Up => has_last || last.is_some_and(|last| last.saturating_add(1) >= from),
        };
        if !is_known {
            return Next::Ask(if way == Way::Down { from.saturating_add(1) } else { from });
        }
        let found = match way {
            Way::Down => self.lines.get(self.lines.partition_point(|line| *line <= from)),
            Way::Up => self.lines[..self.lines.partition_point(|line| *line < from)].last(),
        };
        if let Some(line) = found {
            return Next::Line(*line);
        }
        match (way, has_first, has_last) {
            (Way::Down, _, false) => Next::Ask(from.saturating_add(1)),
            (Way::Up, false, _) => Next::Ask(from),
            (Way::Down, true, true) => first.map_or(Next::Nowhere, Next::Line),
            (Way::Up, true, true) => last.map_or(Next::Nowhere, Next::Line),
            (Way::Down, false, true) => Next::Ask(1),
            (Way::Up, true, false) => Next::Ask(u64::MAX),
        }
    }

    /// The line to begin with: the first that has it from a line on, else the first of all.
    pub fn first_from(&self, line: u64) -> Next {
        self.next(line.saturating_sub(1), Way::Down)
    }
}

/// Gathers lines as they are found, from the first to the last.
#[derive(Debug)]
pub struct Gather {
    around: u64,
    count: u64,
    /// How many of them come before the reader.
    passed: u64,
    last: u64,
    above: VecDeque<u64>,
    below: Vec<u64>,
}

impl Gather {
    /// For a reader at a line.
    pub fn around(line: u64) -> Self {
        Self { around: line, count: 0, passed: 0, last: 0, above: VecDeque::new(), below: Vec::new() }
    }

    /// Notes that a line has it. One that is said twice is counted once.
    pub fn hit(&mut self, line: u64) {
        if line <= self.last {
            return;
        }
        self.last = line;
        self.count += 1;
        if line >= self.around {
            if self.below.len() < NAMED {
                self.below.push(line);
            }
            return;
        }
        self.passed += 1;
        self.above.push_back(line);
        if self.above.len() > NAMED {
            self.above.pop_front();
        }
    }

    /// What came of it, once so many of the stored bytes were looked through.
    pub fn found(self, searched: u64, length: u64) -> Found {
        let before = self.passed - self.above.len() as u64;
        let lines = self.above.into_iter().chain(self.below).collect();
        Found { count: self.count, before, lines, searched, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found when so many lines have it, every third one, for a reader at a line.
    fn every_third(count: u64, around: u64) -> Found {
        let mut gather = Gather::around(around);
        for number in 1..=count {
            gather.hit(3 * number);
            gather.hit(3 * number);
        }
        gather.found(7, 7)
    }

    #[test]
    fn one_goes_from_line_to_line_and_begins_again_behind_the_last() {
        let found = every_third(3, 5);

        assert_eq!((found.count, found.before, &*found.lines), (3, 0, &[3, 6, 9][..]));
        assert_eq!([0, 3, 4, 9].map(|from| found.next(from, Way::Down)), [3, 6, 6, 3].map(Next::Line));
        assert_eq!([10, 9, 4, 3].map(|from| found.next(from, Way::Up)), [9, 6, 3, 9].map(Next::Line));
        assert_eq!([found.first_from(6), found.first_from(7), found.first_from(0)], [6, 9, 3].map(Next::Line));
        assert_eq!([3, 6, 7].map(|line| found.place(line)), [Some(1), Some(2), None]);
    }

    #[test]
    fn what_is_found_nowhere_leads_nowhere() {
        let found = every_third(0, 5);

        assert_eq!([Way::Up, Way::Down].map(|way| found.next(5, way)), [Next::Nowhere; 2]);
    }

    #[test]
    fn of_many_lines_those_around_the_reader_are_named_and_the_others_are_asked_for() {
        let many = 10_000;
        let middle = every_third(many, 15_000);

        assert_eq!((middle.count, middle.lines.len()), (many, 2 * NAMED));
        assert_eq!(middle.place(15_000), Some(5_000));
        let (first, last) = (middle.lines[0], middle.lines[2 * NAMED - 1]);
        assert_eq!(
            (middle.next(first, Way::Up), middle.next(last, Way::Down)),
            (Next::Ask(first), Next::Ask(last + 1))
        );

        let begin = every_third(many, 1);
        assert_eq!((begin.before, begin.next(3, Way::Up)), (0, Next::Ask(u64::MAX)));
        let end = every_third(many, u64::MAX);
        assert_eq!((end.place(30_000), end.next(30_000, Way::Down)), (Some(many), Next::Ask(1)));
        assert_eq!(end.next(30_000, Way::Up), Next::Line(29_997));
    }

    #[test]
    fn whoever_asks_for_what_is_not_named_comes_to_every_line() {
        let mut found = every_third(1_000, 1);
        let (mut at, mut seen) = (0, Vec::new());
        for _ in 0..1_000 {
            let next = match found.next(at, Way::Down) {
                Next::Ask(around) => {
                    found = every_third(1_000, around);
                    found.next(at, Way::Down)
                }
                other => other,
            };
            let Next::Line(line) = next else { panic!("no line after {at}") };
            seen.push(line);
            at = line;
        }

        assert_eq!(seen, (1..=1_000).map(|number| 3 * number).collect::<Vec<_>>());
    }
}
