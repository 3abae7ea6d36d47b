//! Where a reader wants to go in a log, typed into the field in which one searches: `:18000`, `:22:13:04`, `:$2`.

use domain::Timestamp;

const DAY: i64 = 86_400_000;

/// A place in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A line, from 1.
    Line(u64),
    /// What was printed at this time of the day or after it, in milliseconds since midnight, UTC.
    Time(i64),
    /// A command of the step, from 1.
    Command(u32),
}

impl Goal {
    /// Reads what somebody typed; `None` for what is to be looked for as text.
    pub fn read(text: &str) -> Option<Self> {
        let place = text.trim().strip_prefix(':')?;
        if let Some(command) = place.strip_prefix('$') {
            return command.parse().ok().filter(|command| *command > 0).map(Self::Command);
        }
        let parts: Vec<&str> = place.split(':').collect();
        match parts.as_slice() {
            [line] => line.replace(',', "").parse().ok().filter(|line| *line > 0).map(Self::Line),
            [hours, minutes] => time(hours, minutes, "0"),
            [hours, minutes, seconds] => time(hours, minutes, seconds),
            _ => None,
        }
    }
}

fn time(hours: &str, minutes: &str, seconds: &str) -> Option<Goal> {
    let part = |text: &str, most: i64| text.parse::<i64>().ok().filter(|number| (0..most).contains(number));
    let (hours, minutes, seconds) = (part(hours, 24)?, part(minutes, 60)?, part(seconds, 60)?);
    Some(Goal::Time(((hours * 60 + minutes) * 60 + seconds) * 1000))
}

/// The moment of a time of the day, in something that began at a moment: on the day of its begin, or on the next one.
pub fn moment(begun: Timestamp, of_the_day: i64) -> Timestamp {
    let midnight = begun.0.div_euclid(DAY) * DAY;
    let that_day = midnight + of_the_day;
    // Whoever names the minute means all of it.
    if that_day + 59_999 < begun.0 { Timestamp(that_day + DAY) } else { Timestamp(that_day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_time_and_a_command_are_goals() {
        assert_eq!(Goal::read(":18000"), Some(Goal::Line(18_000)));
        assert_eq!(Goal::read(" :18,000 "), Some(Goal::Line(18_000)));
        assert_eq!(Goal::read(":22:13"), Some(Goal::Time(79_980_000)));
        assert_eq!(Goal::read(":22:13:04"), Some(Goal::Time(79_984_000)));
        assert_eq!(Goal::read(":$2"), Some(Goal::Command(2)));
    }

    #[test]
    fn everything_else_is_a_text() {
        for text in ["", "18000", ":", ":0", ":x", ":24:00", ":22:60", ":1:2:3:4", ":$0", ":$", "a:1", "::1"] {
            assert_eq!(Goal::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_before_the_begin_is_one_of_the_next_day() {
        let begun = Timestamp(20 * DAY + 82_800_000);
        let of = |of_the_day| moment(begun, of_the_day).0 - 20 * DAY;

        assert_eq!(of(82_900_000), 82_900_000);
        assert_eq!(of(82_800_000 - 30_000), 82_770_000, "the minute in which it began");
        assert_eq!(of(3_600_000), DAY + 3_600_000, "an hour past midnight");
    }
}
