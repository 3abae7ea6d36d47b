//! Moments and spans, and how people read them.
//!
//! The domain never asks what time it is: moments come in from outside.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Where moments come from: the system's clock in life, a fixed one in tests.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

const DAY: i64 = 86_400_000;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Timestamp {
    /// Milliseconds from `earlier` to this moment, never negative.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// The moment so many milliseconds later.
    #[must_use]
    pub fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add_unsigned(milliseconds))
    }

    /// The moment so many milliseconds earlier.
    #[must_use]
    pub fn minus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(milliseconds))
    }

    /// As `2026-11-23T21:58:04Z`, for machines and for the attribute `datetime`.
    pub fn iso(self) -> String {
        let (year, month, day) = self.date();
        let (hour, minute, second) = self.clock();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The moment that is written as RFC 3339 says, as `2026-11-23T21:58:04.5Z` or `2026-11-23T23:58:04+02:00`; `None` for
    /// what says no moment, or not in which zone.
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok().map(|moment: jiff::Timestamp| Self(moment.as_millisecond()))
    }

    /// As `Mon 23 Nov 2026, 21:58:04 UTC`, for people who want it exactly.
    pub fn absolute(self) -> String {
        let (year, month, day) = self.date();
        let weekday = WEEKDAYS[usize::try_from(self.0.div_euclid(DAY).rem_euclid(7)).unwrap_or(0)];
        let name = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
        format!("{weekday} {day} {name} {year}, {} UTC", self.time_of_day())
    }

    /// As `21:58:04`, in UTC.
    pub fn time_of_day(self) -> String {
        let (hour, minute, second) = self.clock();
        format!("{hour:02}:{minute:02}:{second:02}")
    }

    /// Whole minutes since midnight, in UTC.
    pub fn minute_of_day(self) -> u32 {
        u32::try_from(self.0.rem_euclid(DAY) / 60_000).unwrap_or(0)
    }

    /// As `4 min ago`, seen from `now`.
    pub fn ago(self, now: Self) -> String {
        let seconds = now.since(self) / 1000;
        match seconds {
            0..5 => "just now".to_owned(),
            5..60 => format!("{seconds} s ago"),
            60..3600 => format!("{} min ago", seconds / 60),
            3600..86_400 => format!("{} h ago", seconds / 3600),
            86_400..172_800 => "yesterday".to_owned(),
            _ => format!("{} days ago", seconds / 86_400),
        }
    }

    /// The moment that is written as `Nov 27 16:56:06 2027 GMT`, as the end of a certificate is.
    pub fn of_certificate(text: &str) -> Option<Self> {
        let moment = DateTime::strptime("%b %e %H:%M:%S %Y GMT", text.trim()).ok()?;
        Some(Self(TimeZone::UTC.to_timestamp(moment).ok()?.as_millisecond()))
    }

    fn clock(self) -> (i64, i64, i64) {
        let seconds = self.0.rem_euclid(DAY) / 1000;
        (seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// Year, month and day by the civil calendar (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    fn date(self) -> (i64, i64, i64) {
        let days = self.0.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

/// A span in milliseconds as people read it: `40 ms`, `1.4 s`, `12 s`, `9 min 48 s`, `2 h 05 min`, and from two days on `3 d 07 h`.
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..10 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..172_800 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A number of bytes as people read it: `312 B`, `41 KB`, `1.9 MB`.
pub fn size(bytes: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    match STEPS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes < unit * 10 => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

/// A whole number with its thousands set apart, as `18,436`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 run`, `2 runs`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_told_as_one() {
        assert_eq!([0, 1, 1204].map(|number| counted(number, "run")), ["0 runs", "1 run", "1,204 runs"]);
    }

    #[test]
    fn a_moment_is_written_with_its_weekday_and_zone() {
        let moment = Timestamp(1_795_471_084_000);

        assert_eq!(moment.iso(), "2026-11-23T21:58:04Z");
        assert_eq!(moment.absolute(), "Mon 23 Nov 2026, 21:58:04 UTC");
        assert_eq!(Timestamp(951_782_400_000).iso(), "2000-02-29T00:00:00Z");
        assert_eq!(Timestamp(-1).iso(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn the_end_of_a_certificate_is_read_as_it_is_written() {
        let end = |text: &str| Timestamp::of_certificate(text).map(Timestamp::iso);

        assert_eq!(end("Nov 23 21:58:04 2026 GMT").as_deref(), Some("2026-11-23T21:58:04Z"));
        assert_eq!(end("Nov  3 01:08:04 2026 GMT").as_deref(), Some("2026-11-03T01:08:04Z"));
        for wrong in ["", "Nov 31 21:58:04 2026 GMT", "Nov 23 21:58:04 2026", "23 Nov 2026"] {
            assert_eq!(end(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_moment_is_read_as_it_is_written_in_whatever_zone() {
        let moment = Timestamp(1_795_471_084_000);

        assert_eq!(Timestamp::parse("2026-11-23T21:58:04Z"), Some(moment));
        assert_eq!(Timestamp::parse("2026-11-23T23:58:04.25+02:00"), Some(moment.plus(250)));
        assert_eq!(Timestamp::parse("2026-11-23T16:28:04.123456789-05:30"), Some(moment.plus(123)));
        assert_eq!(Timestamp::parse("0001-01-01T00:00:00Z"), Some(Timestamp(-62_135_596_800_000)));
        for milliseconds in [0, 951_782_400_000, 1_709_164_800_000, -1_000, 4_102_444_799_000] {
            let moment = Timestamp(milliseconds);
            assert_eq!(Timestamp::parse(&moment.iso()), Some(moment), "{moment}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        let others = [
            "",
            "now",
            "2026-11-23",
            "2026-11-23T21:58:04",
            "2026-13-23T21:58:04Z",
            "2026-11-23T24:58:04Z",
            "2026-11-23T21:58:04Zz",
            "2026-11-23T21:58:04+2:00",
            "2026-11-23T21:58:04.x5Z",
            "99999-11-23T21:58:04Z",
            "+026-11-23T21:58:04Z",
            "2026-11-23T21:58:04\u{e9}",
        ];

        for text in others {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_has_the_unit_that_fits_it() {
        let spans = [400, 12_000, 588_000, 7_500_000, 172_799_999, 172_800_000, 284_400_000].map(span);

        assert_eq!(spans, ["400 ms", "12 s", "9 min 48 s", "2 h 05 min", "47 h 59 min", "2 d 00 h", "3 d 07 h"]);
    }

    #[test]
    fn the_past_is_told_from_now() {
        let now = Timestamp(100 * DAY);

        let told = [1_000, 42_000, 240_000, 7_200_000, DAY, 3 * DAY].map(|past| Timestamp(now.0 - past).ago(now));

        assert_eq!(told, ["just now", "42 s ago", "4 min ago", "2 h ago", "yesterday", "3 days ago"]);
        assert_eq!(Timestamp(now.0 + 5).ago(now), "just now");
    }

    #[test]
    fn sizes_and_counts_are_short() {
        assert_eq!([312, 41_000, 1_900_000].map(size), ["312 B", "41 KB", "1.9 MB"]);
        assert_eq!([7, 1000, 18_436, 1_000_000].map(thousands), ["7", "1,000", "18,436", "1,000,000"]);
    }
}
