//! What the end of a command means: the rules that turn exit codes into [`Outcome`]s.
//!
//! A shell reports only how the last member of a pipeline ended. `curl … | jq .` ends with 0 although nothing was asked,
//! and `grep` ends with 1 when all is well. These rules read every member's code, so that neither passes for the other.

use crate::attempt::Outcome;

/// What a shell says when a program was ended because nobody read its output any more (128 + SIGPIPE).
const BROKEN_PIPE: i32 = 141;

/// How `curl`, which ignores SIGPIPE, says the same.
const CURL_CANNOT_WRITE: i32 = 23;

/// Judges a command that has ended, and says why in a sentence where the code alone does not.
///
/// `pipeline` names the program of each member, `statuses` are their codes as far as the shell tells (`PIPESTATUS`), `code`
/// is `$?`, and `answered` is the HTTP status that the output begins with when [`asks_for_status`] said to look for one.
pub fn judge(pipeline: &[String], statuses: &[i32], code: i32, answered: Option<u16>) -> (Outcome, Option<String>) {
    let members = Members::new(pipeline, statuses, code);
    if let Some(culprit) = members.failed_earlier() {
        return (Outcome::Failure, Some(members.blame(culprit)));
    }
    let (program, last) = members.last();
    if last == 0 {
        return members.after_good_end(answered);
    }
    if last == 1 && is_comparison(program) {
        if members.earlier_unknown() {
            let sentence = format!("{program} ended 1, and this shell does not tell how the members before it ended");
            return (Outcome::Failure, Some(sentence));
        }
        return (Outcome::Difference, Some(difference(program)));
    }
    (Outcome::Failure, known_code(program, last))
}

/// Whether the command is a `curl` that shows the head of the answer, so that the answer's status can be judged.
pub fn asks_for_status(pipeline: &[String], script: &str) -> bool {
    let shows_head = |word: &str| match word.strip_prefix("--") {
        Some(long) => matches!(long, "head" | "include" | "show-headers"),
        None => is_short_flags(word) && word.contains(['I', 'i']),
    };
    pipeline.first().is_some_and(|program| base(program) == "curl") && script.split_ascii_whitespace().any(shows_head)
}

/// The status of the answer whose head stands at the beginning of some output: the last one when redirects were followed.
///
/// Lines before the first head (a progress meter) are passed over; a body is not read.
pub fn answered_status(output: &[u8]) -> Option<u16> {
    let mut lines = output.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut status = status_line(lines.by_ref().find(|line| line.starts_with(b"HTTP/"))?)?;
    loop {
        // To the blank line that ends this head; another head follows only when there was a redirect or a proxy.
        lines.by_ref().find(|line| line.is_empty());
        match lines.next().and_then(status_line) {
            Some(next) => status = next,
            None => return Some(status),
        }
    }
}

fn status_line(line: &[u8]) -> Option<u16> {
    let mut words = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next()?.parse().ok()
}

/// `-sSI`, but not `-` or a value that only begins with a dash.
fn is_short_flags(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|flags| !flags.is_empty() && flags.bytes().all(|flag| flag.is_ascii_alphabetic()))
}

/// The members of a pipeline, each with its code.
struct Members<'a> {
    names: &'a [String],
    statuses: &'a [i32],
    code: i32,
}

impl<'a> Members<'a> {
    fn new(names: &'a [String], statuses: &'a [i32], code: i32) -> Self {
        Self { names, statuses, code }
    }

    /// The codes before the last one.
    fn earlier(&self) -> &'a [i32] {
        self.statuses.split_last().map_or(&[], |(_, earlier)| earlier)
    }

    /// Whether there are members before the last whose codes the shell does not tell.
    fn earlier_unknown(&self) -> bool {
        self.statuses.is_empty() && self.names.len() > 1
    }

    /// The program of the member at `index`, if the names belong to these codes. A loop or a group has no name.
    fn name(&self, index: usize) -> Option<&'a str> {
        let known = self.names.len() == self.statuses.len().max(1) || self.statuses.is_empty();
        self.names.get(index).filter(|name| known && !name.is_empty()).map(|name| base(name))
    }

    /// The program and the code of the last member.
    ///
    /// With `pipefail` the shell reports the failure of an earlier member as its own: then the last one ended well.
    fn last(&self) -> (&'a str, i32) {
        let place = self.statuses.len().max(1) - 1;
        let place = if self.statuses.is_empty() { self.names.len().max(1) - 1 } else { place };
        let reported = self.statuses.iter().rev().find(|status| **status != 0);
        let borrowed = self.statuses.last() == Some(&0) && reported == Some(&self.code);
        (self.name(place).unwrap_or_default(), if borrowed { 0 } else { self.code })
    }

    /// The first member before the last that did not end well.
    fn failed_earlier(&self) -> Option<usize> {
        let failed = |(index, status): (usize, &i32)| match (*status, self.name(index).unwrap_or_default()) {
            (0 | BROKEN_PIPE, _) | (CURL_CANNOT_WRITE, "curl") => None,
            (1, program) if is_comparison(program) => None,
            _ => Some(index),
        };
        self.earlier().iter().enumerate().find_map(failed)
    }

    /// The sentence about a member before the last that failed: what it missed, and what the others saw of it.
    fn blame(&self, culprit: usize) -> String {
        let code = self.statuses.get(culprit).copied().unwrap_or_default();
        let who = self.name(culprit).map_or_else(|| format!("member {} of the pipeline", culprit + 1), str::to_owned);
        let rest: Vec<&str> = (culprit + 1..self.statuses.len()).filter_map(|index| self.name(index)).collect();
        let rest = if rest.is_empty() { "what follows".to_owned() } else { listed(&rest) };
        match (who.as_str(), code) {
            ("curl", 5..=7) => format!("{who} ended {code}: nothing was asked, {rest} saw nothing"),
            ("curl", 22) => format!("curl ended 22: the server answered with an error, {rest} saw nothing of it"),
            ("curl", 28) => format!("curl ended 28: its time was up, {rest} saw at most a part"),
            (_, 126) => format!("{who} could not be run (126): {rest} saw nothing"),
            (_, 127) => format!("{who} was not found (127): {rest} saw nothing"),
            _ => format!("{who} {}: {rest} saw at most a part of its output", ended(code)),
        }
    }

    /// The last member ended well and none before it failed: what is left are differences.
    fn after_good_end(&self, answered: Option<u16>) -> (Outcome, Option<String>) {
        if let Some(status) = answered.filter(|status| *status >= 400) {
            return (Outcome::Difference, Some(format!("the server answered {status}")));
        }
        let differs = |(index, status): (usize, &i32)| (*status == 1).then(|| self.name(index)).flatten();
        if let Some(program) = self.earlier().iter().enumerate().find_map(differs) {
            return (Outcome::Difference, Some(difference(program)));
        }
        let unknown = self.earlier_unknown().then(|| {
            let (_, before) = self.names.split_last().expect("there are members before the last");
            let before: Vec<&str> =
                before.iter().map(|name| if name.is_empty() { "a part of it" } else { base(name) }).collect();
            format!("this shell does not tell how {} ended", listed(&before))
        });
        (Outcome::Success, unknown)
    }
}

/// Programs that say with 1 that they found a difference, or nothing.
fn is_comparison(program: &str) -> bool {
    matches!(program, "grep" | "egrep" | "fgrep" | "zgrep" | "diff" | "comm" | "cmp")
}

fn difference(program: &str) -> String {
    match program {
        "diff" | "cmp" => format!("{program} ended 1: the two differ"),
        "comm" => "comm ended 1: an input is not in order".to_owned(),
        _ => format!("{program} ended 1: no line matched"),
    }
}

/// What the code of a last or only program means, where that is worth a sentence.
fn known_code(program: &str, code: i32) -> Option<String> {
    match (program, code) {
        ("curl", 5..=7) => Some(format!("curl ended {code}: nothing was asked")),
        ("curl", 22) => Some("curl ended 22: the server answered with an error".to_owned()),
        ("curl", 28) => Some("curl ended 28: its time was up".to_owned()),
        (_, 126) => Some("the program could not be run (126)".to_owned()),
        (_, 127) => Some("the program was not found (127)".to_owned()),
        (_, 129..=192) if program.is_empty() => Some(format!("the command {}", ended(code))),
        (_, 129..=192) => Some(format!("{program} {}", ended(code))),
        _ => None,
    }
}

fn ended(code: i32) -> String {
    let name = match code - 128 {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        6 => "SIGABRT",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        signal @ 1..=64 => return format!("was ended by signal {signal}"),
        _ => return format!("ended {code}"),
    };
    format!("was ended by {name}")
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// "jq", "sort and head", "sed, sort and head".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Difference, Failure, Success};

    fn judged(pipeline: &str, statuses: &[i32], code: i32) -> (Outcome, Option<String>) {
        let names: Vec<String> = pipeline.split_whitespace().map(str::to_owned).collect();
        judge(&names, statuses, code, None)
    }

    fn outcome(pipeline: &str, statuses: &[i32], code: i32) -> Outcome {
        judged(pipeline, statuses, code).0
    }

    fn sentence(pipeline: &str, statuses: &[i32], code: i32) -> String {
        judged(pipeline, statuses, code).1.unwrap_or_default()
    }

    #[test]
    fn a_pipeline_whose_first_member_failed_is_never_a_success() {
        for code in (1..=255).filter(|code| *code != 141) {
            assert_eq!(outcome("mongodump gzip", &[code, 0], 0), Failure, "{code}");
            assert_eq!(outcome("mongodump sed gzip", &[0, code, 0], 0), Failure, "{code}");
        }
    }

    #[test]
    fn the_sentence_says_that_nothing_was_asked() {
        assert_eq!(sentence("curl jq", &[7, 0], 0), "curl ended 7: nothing was asked, jq saw nothing");
        assert_eq!(sentence("curl sed jq", &[6, 0, 0], 0), "curl ended 6: nothing was asked, sed and jq saw nothing");
        assert_eq!(sentence("curl", &[7], 7), "curl ended 7: nothing was asked");
    }

    #[test]
    fn a_failed_member_hides_behind_no_comparison() {
        assert_eq!(outcome("curl grep", &[7, 1], 1), Failure);
        assert_eq!(sentence("curl grep", &[7, 1], 1), "curl ended 7: nothing was asked, grep saw nothing");
    }

    #[test]
    fn a_comparison_that_ended_with_1_is_a_difference_when_all_before_it_ended_well() {
        for program in ["grep", "egrep", "diff", "comm", "cmp", "/usr/bin/grep"] {
            assert_eq!(outcome(program, &[1], 1), Difference, "{program}");
            assert_eq!(outcome(program, &[], 1), Difference, "{program} in a shell without PIPESTATUS");
            assert_eq!(outcome(&format!("cat {program}"), &[0, 1], 1), Difference, "{program}");
            assert_eq!(outcome(&format!("cat {program} tail"), &[0, 1, 0], 0), Difference, "{program}");
            assert_eq!(outcome(program, &[2], 2), Failure, "{program}");
        }
    }

    #[test]
    fn a_comparison_after_members_of_unknown_end_is_a_failure_that_says_so() {
        assert_eq!(outcome("curl grep", &[], 1), Failure);
        assert!(sentence("curl grep", &[], 1).contains("does not tell"));
    }

    #[test]
    fn a_success_after_members_of_unknown_end_says_that_they_are_unknown() {
        assert_eq!(judged("curl jq", &[], 0), (Success, Some("this shell does not tell how curl ended".to_owned())));
    }

    #[test]
    fn a_member_whose_reader_had_enough_did_not_fail() {
        assert_eq!(judged("yes head", &[141, 0], 0), (Success, None));
        assert_eq!(judged("curl head", &[23, 0], 0), (Success, None));
        assert_eq!(outcome("curl", &[23], 23), Failure);
        assert_eq!(outcome("yes", &[141], 141), Failure);
    }

    #[test]
    fn pipefail_does_not_turn_a_broken_pipe_into_a_failure() {
        assert_eq!(judged("yes head", &[141, 0], 141), (Success, None));
        assert_eq!(outcome("curl jq", &[7, 0], 7), Failure);
        assert_eq!(outcome("cat grep sort", &[0, 1, 0], 1), Difference);
    }

    #[test]
    fn a_negated_command_is_judged_by_what_the_shell_made_of_it() {
        assert_eq!(outcome("curl", &[7], 0), Success);
        assert_eq!(outcome("test", &[0], 1), Failure);
        assert_eq!(outcome("cat test", &[0, 0], 1), Failure);
    }

    #[test]
    fn codes_that_belong_to_another_pipeline_than_the_names_still_count() {
        assert_eq!(outcome("cd", &[3, 0], 0), Failure);
        assert_eq!(
            sentence("cd", &[3, 0], 0),
            "member 1 of the pipeline ended 3: what follows saw at most a part of its output"
        );
        assert_eq!(outcome("", &[], 0), Success);
        assert_eq!(outcome("", &[], 1), Failure);
    }

    #[test]
    fn a_head_of_400_and_above_is_a_difference_and_below_it_a_success() {
        let curl = ["curl".to_owned()];
        for (status, expected) in [(200, Success), (301, Success), (399, Success), (400, Difference), (503, Difference)]
        {
            assert_eq!(judge(&curl, &[0], 0, Some(status)).0, expected, "{status}");
        }
        assert_eq!(judge(&curl, &[7], 7, Some(503)).0, Failure);
        assert_eq!(judge(&curl, &[0], 0, Some(503)).1.as_deref(), Some("the server answered 503"));
    }

    #[test]
    fn only_a_curl_that_shows_the_head_is_asked_for_its_status() {
        let curl = ["curl".to_owned()];
        for script in
            ["curl -I http://x", "curl -sSI http://x", "curl -i http://x", "curl http://x --head", "curl --include x"]
        {
            assert!(asks_for_status(&curl, script), "{script}");
        }
        for script in ["curl http://x", "curl -s http://x/-I-", "curl --insecure x", "curl - x"] {
            assert!(!asks_for_status(&curl, script), "{script}");
        }
        assert!(!asks_for_status(&["grep".to_owned()], "grep -i x"));
        assert!(!asks_for_status(&[], "-I"));
    }

    #[test]
    fn the_status_is_that_of_the_last_head_and_never_one_of_the_body() {
        assert_eq!(answered_status(b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n"), Some(503));
        assert_eq!(answered_status(b"HTTP/1.1 301 Moved\r\nL: x\r\n\r\nHTTP/2 404\r\n\r\n"), Some(404));
        assert_eq!(answered_status(b"  % Total\r\nHTTP/2 200\r\n\r\nbody\n\nHTTP/1.1 500 no\n"), Some(200));
        assert_eq!(answered_status(b"HTTP/1.1 oops"), None);
        assert_eq!(answered_status(b"no head \xff at all"), None);
        assert_eq!(answered_status(b""), None);
    }

    #[test]
    fn a_member_without_a_name_is_called_by_its_place_and_is_no_comparison() {
        let group = [String::new(), "sort".to_owned()];
        let (end, sentence) = judge(&group, &[1, 0], 0, None);

        assert_eq!(end, Failure);
        assert_eq!(
            sentence.as_deref(),
            Some("member 1 of the pipeline ended 1: sort saw at most a part of its output")
        );
        assert_eq!(judge(&[], &[1], 1, None), (Failure, None));
    }

    #[test]
    fn a_signal_is_named() {
        assert_eq!(sentence("mongorestore", &[137], 137), "mongorestore was ended by SIGKILL");
        assert_eq!(sentence("", &[], 143), "the command was ended by SIGTERM");
        assert_eq!(sentence("x", &[127], 127), "the program was not found (127)");
    }

    #[test]
    fn every_code_of_a_single_program_but_0_is_a_failure_or_a_difference() {
        for code in 0..=255 {
            let expected = if code == 0 { Success } else { Failure };
            assert_eq!(outcome("docker", &[code], code), expected, "{code}");
        }
    }
}
