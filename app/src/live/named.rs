//! Lines that somebody names: in the address of a page, and by choosing them in a log.

use std::fmt;

/// Lines of a log, from one to another, both with it and counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// The line at which one began.
    first: u64,
    /// The line to which one has gone from there, up or down.
    last: u64,
}

impl Named {
    /// One line.
    pub const fn line(line: u64) -> Self {
        Self { first: line, last: line }
    }

    /// The first of them.
    pub fn from(self) -> u64 {
        self.first.min(self.last)
    }

    /// The last of them.
    pub fn to(self) -> u64 {
        self.first.max(self.last)
    }

    /// How many they are.
    pub fn count(self) -> u64 {
        self.to() - self.from() + 1
    }

    /// Whether a line is one of them.
    pub fn has(self, line: u64) -> bool {
        (self.from()..=self.to()).contains(&line)
    }

    /// From where one began to another line.
    #[must_use]
    pub const fn up_to(self, line: u64) -> Self {
        Self { last: line, ..self }
    }

    /// What choosing a line makes of what was chosen before: with Shift everything up to it, else that line, or nothing when it was
    /// the one.
    pub fn chosen(before: Option<Self>, line: u64, extends: Extends) -> Option<Self> {
        match (before, extends) {
            (Some(before), Extends::Further) => Some(before.up_to(line)),
            (Some(before), Extends::Anew) if before == Self::line(line) => None,
            _ => Some(Self::line(line)),
        }
    }
}

/// Whether a line is chosen alone or together with those between it and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extends {
    /// Alone.
    Anew,
    /// Together.
    Further,
}

impl fmt::Display for Named {
    /// As in an address: `L120`, or `L120-L130`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from(), self.to()) {
            (from, to) if from == to => write!(f, "L{from}"),
            (from, to) => write!(f, "L{from}-L{to}"),
        }
    }
}

/// The element of a line, and the address of it within a page: `s3-L120`.
pub fn anchor(step: u32, lines: Named) -> String {
    format!("s{step}-{lines}")
}

/// What an address names: `#s3-L120`, `#s3-L120-L130`, or without a step, as `#L120`.
pub fn read(hash: &str) -> Option<(Option<u32>, Named)> {
    let text = hash.strip_prefix('#').unwrap_or(hash);
    let (step, lines) = match text.strip_prefix('s').and_then(|rest| rest.split_once('-')) {
        Some((step, lines)) => (Some(step.parse().ok()?), lines),
        None => (None, text),
    };
    let mut numbers = lines.split('-').map(|line| line.strip_prefix('L')?.parse::<u64>().ok().filter(|line| *line > 0));
    let first = numbers.next()??;
    let last = match numbers.next() {
        Some(last) => last?,
        None => first,
    };
    numbers.next().is_none().then_some((step, Named { first, last }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_line_or_several_of_a_step() {
        let lines = |hash: &str| read(hash).map(|(step, lines)| (step, lines.from(), lines.to()));

        assert_eq!(lines("#s3-L120-L130"), Some((Some(3), 120, 130)));
        assert_eq!(lines("#s3-L130-L120"), Some((Some(3), 120, 130)));
        assert_eq!(lines("#s3-L120"), Some((Some(3), 120, 120)));
        assert_eq!(lines("#L7"), Some((None, 7, 7)));
        for odd in ["", "#", "#output", "#s3", "#s3-", "#s3-120", "#sx-L1", "#L0", "#L1-", "#L1-2", "#L1-L2-L3", "#L-1"]
        {
            assert_eq!(lines(odd), None, "{odd}");
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        for lines in [Named::line(9), Named::line(9).up_to(4), Named::line(4).up_to(900_000)] {
            let (step, read) = read(&anchor(12, lines)).unwrap();

            assert_eq!((step, read.from(), read.to()), (Some(12), lines.from(), lines.to()));
        }
    }

    #[test]
    fn lines_are_chosen_one_by_one_and_up_to_another_and_given_up_again() {
        let one = Named::chosen(None, 10, Extends::Anew);
        assert_eq!(one, Some(Named::line(10)));
        let up = Named::chosen(one, 7, Extends::Further).unwrap();
        assert_eq!((up.from(), up.to(), up.count(), up.has(8), up.has(11)), (7, 10, 4, true, false));
        let down = Named::chosen(Some(up), 12, Extends::Further).unwrap();
        assert_eq!((down.from(), down.to()), (10, 12), "from where one began");
        assert_eq!(Named::chosen(Some(down), 12, Extends::Anew), Some(Named::line(12)));
        assert_eq!(Named::chosen(Some(Named::line(12)), 12, Extends::Anew), None);
        assert_eq!(Named::chosen(None, 12, Extends::Further), Some(Named::line(12)));
    }
}
