//! A log that is looked at again and again.

use super::CheckEnd;
use super::answers::{Heard, first};
use crate::attempt::Outcome;
use crate::outcome::judge;

/// The first line that is there more often now than it was at the look before.
pub fn new_line<'l>(before: &[String], now: &'l [String]) -> Option<&'l String> {
    let count = |lines: &[String], wanted: &String| lines.iter().filter(|line| *line == wanted).count();
    now.iter().find(|line| count(now, line) > count(before, line))
}

/// What it means that a log could not be read; `None` when it could. A command that found no line (`grep`) has read it.
pub fn unreadable_log(pipeline: &[String], heard: &Heard) -> Option<CheckEnd> {
    let why = match heard {
        Heard::Ended { code, statuses, lines } => match judge(pipeline, statuses, *code, None) {
            (Outcome::Success, None) | (Outcome::Difference, _) => return None,
            (_, Some(why)) => why,
            (_, None) => format!("its command ended with {code}: {}", first(lines)),
        },
        Heard::Late => "it did not end within 8 s".to_owned(),
        Heard::Without(program) => format!("the target has no {program}"),
        Heard::Nowhere => "the directory where it is asked is not there, or may not be entered".to_owned(),
        Heard::TooMuch => "it is more than the portal reads".to_owned(),
    };
    Some(CheckEnd::unknown(format!("The log could not be read: {why}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[&str]) -> Vec<String> {
        text.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn only_a_line_that_has_come_since_is_new() {
        let before = lines(&["error a", "error b"]);

        assert_eq!(new_line(&before, &lines(&["error a", "error b"])), None);
        assert_eq!(new_line(&before, &lines(&["error b"])), None, "an old one has gone");
        assert_eq!(new_line(&before, &lines(&["error b", "error c"])), Some(&"error c".to_owned()));
        assert_eq!(new_line(&before, &lines(&["error a", "error b", "error a"])), Some(&"error a".to_owned()));
        assert_eq!(new_line(&[], &[]), None);
    }

    #[test]
    fn a_log_that_cannot_be_read_is_never_a_quiet_one() {
        let ended = |code: i32, statuses: &[i32]| Heard::Ended {
            code,
            statuses: statuses.to_vec(),
            lines: lines(&["No such container: api"]),
        };

        let (docker, grep) = (lines(&["docker"]), lines(&["docker", "grep"]));

        assert_eq!(unreadable_log(&docker, &ended(0, &[0])), None);
        assert_eq!(unreadable_log(&grep, &ended(1, &[0, 1])), None);
        let failed = unreadable_log(&docker, &ended(1, &[1])).unwrap();
        assert_eq!(failed.sentence, "The log could not be read: its command ended with 1: No such container: api.");
        assert!(unreadable_log(&grep, &ended(1, &[1, 1])).is_some(), "grep saw nothing of it");
        assert!(unreadable_log(&grep, &ended(0, &[])).is_some(), "nobody knows how docker ended");
        assert!(unreadable_log(&docker, &Heard::Late).is_some());
    }
}
