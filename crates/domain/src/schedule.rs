//! When something is due by itself: the five fields of cron, in a zone.
//!
//! Pure: the zones of the tz database are part of the program, so that the same schedule is due at the same moment wherever the portal
//! runs, and the present moment comes in from outside.
//!
//! Where a clock is put forward, what would be due in the hour that is left out is due as much later, once. Where it is put back,
//! what would be due twice is due the first time alone.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Timestamp;

/// Days that are looked through for the next moment: each date meets each weekday in them, also a 29 February.
const DAYS: u32 = 366 * 41;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The most days that a month has.
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A zone of the tz database.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone with a name, as `Europe/Berlin` or `UTC`.
    pub fn parse(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }
}

/// A set of small numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set(u64);

impl Set {
    fn has(self, number: u32) -> bool {
        number < 64 && (self.0 >> number) & 1 == 1
    }

    fn within(self, low: u32, high: u32) -> impl Iterator<Item = u32> {
        (low..=high).filter(move |number| self.has(*number))
    }
}

/// What the day of the month and the day of the week say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    /// At least one of the fields begins with a star: both have to fit.
    Both,
    /// Neither does: one of them has to fit, as cron has it since ever.
    Either,
}

/// The five fields of cron: minute, hour, day of the month, month, day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
    together: Days,
}

impl Cron {
    /// Reads five fields. Each is a list of numbers, names (of months and days of the week), ranges and `*`, and may have a pace
    /// behind a slash. Sunday is 0 and 7.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let star = days.starts_with('*') || weekdays.starts_with('*');
        let Set(week) = set(weekdays, 0, 7, &WEEKDAYS, 0)?;
        Some(Self {
            minutes: set(minutes, 0, 59, &[], 0)?,
            hours: set(hours, 0, 23, &[], 0)?,
            days: set(days, 1, 31, &[], 0)?,
            months: set(months, 1, 12, &MONTHS, 1)?,
            weekdays: Set(week | (week >> 7)),
            together: if star { Days::Both } else { Days::Either },
        })
    }

    /// Whether it is due at all: on a 30 February nothing ever is.
    pub fn is_ever_due(self) -> bool {
        let dates = || self.months.within(1, 12).any(|month| self.days.within(1, longest(month)).next().is_some());
        self.together == Days::Either || dates()
    }

    /// The first moment after another one at which it is due in a zone; `None` when it never is.
    pub fn next(self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let from = jiff::Timestamp::from_millisecond(after.0).ok()?;
        // What is left out of a day may be due a little later than the day itself.
        let mut date = zone.0.to_datetime(from).date().yesterday().ok()?;
        for _ in 0..DAYS {
            if self.has(date)
                && let Some(first) = self.moments(date, zone).filter(|moment| *moment > after).min()
            {
                return Some(first);
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn has(self, date: Date) -> bool {
        let (month, day) = (number(date.month()), number(date.day()));
        let weekday = number(date.weekday().to_sunday_zero_offset());
        let (day, weekday) = (self.days.has(day), self.weekdays.has(weekday));
        let fits = match self.together {
            Days::Both => day && weekday,
            Days::Either => day || weekday,
        };
        self.months.has(month) && fits
    }

    fn moments(self, date: Date, zone: &Zone) -> impl Iterator<Item = Timestamp> {
        let clock = (0..24_i8).flat_map(|hour| (0..60_i8).map(move |minute| (hour, minute)));
        let due =
            clock.filter(move |(hour, minute)| self.hours.has(number(*hour)) && self.minutes.has(number(*minute)));
        due.filter_map(move |(hour, minute)| {
            let moment = zone.0.to_timestamp(date.at(hour, minute, 0, 0)).ok()?;
            Some(Timestamp(moment.as_millisecond()))
        })
    }
}

fn number(small: i8) -> u32 {
    u32::try_from(small).unwrap_or_default()
}

fn longest(month: u32) -> u32 {
    let place = usize::try_from(month.saturating_sub(1)).unwrap_or_default();
    LONGEST.get(place).copied().unwrap_or_default()
}

/// The numbers of a field. `first` is the number of the first name.
fn set(field: &str, low: u32, high: u32, names: &[&str], first: u32) -> Option<Set> {
    let value = |text: &str| {
        let by_name = (first..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(number, _)| number);
        let digits = !text.is_empty() && text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = by_name.or_else(|| text.parse().ok().filter(|_| digits));
        number.filter(|number| (low..=high).contains(number))
    };
    let mut set = 0_u64;
    for piece in field.split(',') {
        let (range, pace) = match piece.split_once('/') {
            Some((range, pace)) => (range, Some(pace.parse::<u32>().ok().filter(|pace| (1..=59).contains(pace))?)),
            None => (piece, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (value(from)?, value(to)?),
            // A number with a pace goes on from there.
            None if pace.is_some() => (value(range)?, high),
            None => (value(range)?, value(range)?),
        };
        if from > to {
            return None;
        }
        let step = usize::try_from(pace.unwrap_or(1)).unwrap_or(1);
        for number in (from..=to).step_by(step) {
            set |= 1 << number;
        }
    }
    Some(Set(set))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    /// The next moments after one.
    fn due(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (cron, zone) = (Cron::parse(cron).unwrap(), Zone::parse(zone).unwrap());
        let next = |after: &Timestamp| cron.next(&zone, *after);
        std::iter::successors(next(&at(after)), next).take(count).map(Timestamp::iso).collect()
    }

    #[test]
    fn a_schedule_is_due_by_the_clock_of_its_zone() {
        assert_eq!(
            due("0 9 * * *", "Asia/Manila", "2026-11-23T21:58:04Z", 2),
            ["2026-11-24T01:00:00Z", "2026-11-25T01:00:00Z"]
        );
        assert_eq!(
            due("*/20 6-7 * * mon-fri", "UTC", "2026-11-20T07:20:00Z", 3),
            ["2026-11-20T07:40:00Z", "2026-11-23T06:00:00Z", "2026-11-23T06:20:00Z"]
        );
        assert_eq!(due("0 0 29 2 *", "UTC", "2026-11-23T00:00:00Z", 1), ["2028-02-29T00:00:00Z"]);
        assert_eq!(
            due("30 4 1,15 * fri", "UTC", "2026-11-23T00:00:00Z", 3),
            ["2026-11-27T04:30:00Z", "2026-12-01T04:30:00Z", "2026-12-04T04:30:00Z"]
        );
        assert_eq!(due("0 12 * jan 7", "UTC", "2026-11-23T00:00:00Z", 1), ["2027-01-03T12:00:00Z"]);
    }

    #[test]
    fn what_lies_in_an_hour_that_is_left_out_is_due_once_and_later() {
        // On 28 March 2027 the clock in Berlin goes from 2:00 to 3:00.
        let days = due("30 2 * * *", "Europe/Berlin", "2027-03-27T00:00:00Z", 3);

        assert_eq!(days, ["2027-03-27T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]);
        let quarters = due("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:30:00Z", 3);
        assert_eq!(quarters, ["2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z", "2027-03-28T02:00:00Z"]);
    }

    #[test]
    fn what_lies_in_an_hour_that_comes_twice_is_due_the_first_time() {
        // On 31 October 2027 the clock in Berlin goes from 3:00 to 2:00.
        let days = due("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", 2);

        assert_eq!(days, ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]);
    }

    #[test]
    fn what_is_never_due_is_known_to_be() {
        for never in ["0 0 30 2 *", "0 0 31 feb,apr,jun *", "0 0 31 9,11 */2"] {
            let cron = Cron::parse(never).unwrap();
            assert!(!cron.is_ever_due(), "{never}");
            assert_eq!(cron.next(&Zone::parse("UTC").unwrap(), at("2026-11-23T00:00:00Z")), None, "{never}");
        }
        assert!(Cron::parse("0 0 30 2 1").unwrap().is_ever_due(), "it is due on Mondays of February");
        assert!(Cron::parse("0 0 29 2 *").unwrap().is_ever_due());
    }

    #[test]
    fn what_is_no_schedule_and_no_zone_is_refused() {
        let others = [
            "",
            "every day",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "1,,2 * * * *",
            "+1 * * * *",
            "* * * * feb",
            "@daily",
        ];

        for text in others {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
        for zone in ["", "Europe/Nowhere", "../UTC", "local", "+02:00"] {
            assert!(Zone::parse(zone).is_none(), "{zone}");
        }
        assert!(
            ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"].iter().all(|zone| Zone::parse(zone).is_some())
        );
    }

    proptest! {
        #[test]
        fn the_next_moment_is_the_first_that_fits_and_lies_after(
            minute in 0_u32..60, hour in 0_u32..24, zone in 0_usize..4, after in 1_700_000_000_000_i64..1_900_000_000_000
        ) {
            let zone = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"][zone];
            let cron = Cron::parse(&format!("{minute} {hour} * * *")).unwrap();

            let next = cron.next(&Zone::parse(zone).unwrap(), Timestamp(after)).unwrap();

            let waited = next.since(Timestamp(after));
            prop_assert!(next > Timestamp(after) && waited <= 26 * 3_600_000, "{} after {}", next, after);
            prop_assert_eq!(next.0 % 60_000, 0);
        }

        #[test]
        fn whatever_is_written_is_read_or_refused(text in ".{0,40}") {
            if let Some(cron) = Cron::parse(&text) {
                prop_assert_eq!(cron.next(&Zone::parse("UTC").unwrap(), Timestamp(0)).is_some(), cron.is_ever_due());
            }
        }
    }
}
