//! When a line of the escalation part is due, by its own words.
//!
//! Understood are, with nothing else in the line that could be a condition or a doubt:
//!
//! - `Notify the team lead immediately`: when the run starts.
//! - `If a step fails: …`, `If restore fails: …`, `… if step 3 fails`: when a step fails, any or the one that is named.
//! - `After 15 minutes: …`, `… after 15 minutes without a decision`, `If nobody decides within 15 minutes: …`.
//!
//! Everything else is for a person: who is called by mistake at night does not come the next time.

use super::Due;
use crate::plan::PlanStep;
use crate::runbook::PartKind;

/// Words that make a line conditional, beside the forms that are understood.
const CONDITIONS: [&str; 15] = [
    "if", "for", "when", "whenever", "unless", "case", "once", "should", "after", "until", "before", "except", "only",
    "during", "while",
];

/// Words after which nobody knows whether it is meant.
const DOUBTS: [&str; 15] = [
    "not",
    "never",
    "no",
    "don't",
    "dont",
    "cannot",
    "without",
    "optional",
    "optionally",
    "may",
    "might",
    "can",
    "could",
    "consider",
    "later",
];

/// What somebody waits for.
const DECISIONS: [&str; 6] = ["decision", "approval", "answer", "response", "reply", "reaction"];

/// What nobody does.
const DECIDES: [&str; 7] = ["decides", "answers", "approves", "responds", "replies", "reacts", "decided"];

/// Words for whatever it is that fails.
const ANY_STEP: [&str; 8] = ["step", "command", "this", "it", "anything", "procedure", "run", "runbook"];

const ARTICLES: [&str; 6] = ["a", "an", "any", "the", "this", "that"];

/// More words than this do not name a step.
const SUBJECT: usize = 6;

/// When a line with these words is due, in a procedure whose plan has these steps.
pub fn due(words: &str, steps: &[PlanStep]) -> Due {
    let words = words_of(words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = trimmed(&words);
    after_wait(words).or_else(|| after_failure(words, steps)).or_else(|| at_start(words)).unwrap_or(Due::ByHand)
}

/// The words in lower case; `:` stands for everything that divides a line into a label and the rest, `,` for other borders.
fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.to_lowercase().chars() {
        let character = if character == '\u{2019}' { '\'' } else { character };
        if character.is_alphanumeric() || "'-_#@".contains(character) {
            word.push(character);
            continue;
        }
        words.push(std::mem::take(&mut word));
        match character {
            ':' | '\u{2013}' | '\u{2014}' => words.push(":".to_owned()),
            ',' | ';' | '.' | '(' | ')' => words.push(",".to_owned()),
            _ => {}
        }
    }
    words.push(word);
    for word in &mut words {
        if word == "-" {
            ":".clone_into(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_border(word: &str) -> bool {
    word == ":" || word == ","
}

/// Without borders at both ends.
fn trimmed<'w, 't>(mut words: &'w [&'t str]) -> &'w [&'t str] {
    while let [first, rest @ ..] = words
        && is_border(first)
    {
        words = rest;
    }
    while let [rest @ .., last] = words
        && is_border(last)
    {
        words = rest;
    }
    words
}

/// Whether nothing in them is a condition, a label or a doubt.
fn are_plain(words: &[&str]) -> bool {
    !words.iter().any(|word| *word == ":" || CONDITIONS.contains(word) || DOUBTS.contains(word))
}

/// What comes after a form that begins a line: nothing, or a border and words that are plain.
fn closes(rest: &[&str]) -> bool {
    match rest {
        [] => true,
        [border, rest @ ..] => is_border(border) && are_plain(rest),
    }
}

fn at_start(words: &[&str]) -> Option<Due> {
    let urgent = words.iter().any(|word| matches!(*word, "immediately" | "immediate"));
    (urgent && are_plain(words)).then_some(Due::AtStart)
}

fn after_failure(words: &[&str], steps: &[PlanStep]) -> Option<Due> {
    if let ["if" | "when", rest @ ..] = words
        && let Some(end) = rest.iter().position(|word| fails(word))
        && closes(&rest[end + 1..])
        && let Some(due) = failing(&rest[..end], steps)
    {
        return Some(due);
    }
    let [head @ .., last] = words else { return None };
    let condition = head.iter().rposition(|word| matches!(*word, "if" | "when"))?;
    let (before, subject) = (trimmed(&head[..condition]), &head[condition + 1..]);
    if fails(last) && !before.is_empty() && are_plain(before) { failing(subject, steps) } else { None }
}

fn fails(word: &str) -> bool {
    matches!(word, "fails" | "fail" | "failed")
}

/// The steps whose failure is meant; `None` when that is not sure.
fn failing(subject: &[&str], steps: &[PlanStep]) -> Option<Due> {
    if subject.is_empty() || subject.len() > SUBJECT {
        return None;
    }
    if let [word] = subject
        && ANY_STEP.contains(word)
    {
        return Some(Due::AfterFailure { steps: Vec::new() });
    }
    let named: Vec<&str> = subject.iter().filter(|word| !ARTICLES.contains(word)).copied().collect();
    let places: Vec<u32> = match named.as_slice() {
        [] => return None,
        [word] if ANY_STEP.contains(word) => return Some(Due::AfterFailure { steps: Vec::new() }),
        ["step", number] => places(steps, |step| {
            step.is_on_the_way() && number.parse::<u32>().is_ok_and(|number| number == step.number)
        }),
        ["rollback"] => places(steps, |step| step.part == PartKind::Rollback),
        named => places(steps, |step| {
            let title = words_of(&step.title);
            step.is_on_the_way() && named.iter().all(|word| title.iter().any(|other| other == word))
        }),
    };
    (!places.is_empty()).then_some(Due::AfterFailure { steps: places })
}

fn places(steps: &[PlanStep], is_meant: impl Fn(&PlanStep) -> bool) -> Vec<u32> {
    (1..).zip(steps).filter(|(_, step)| is_meant(step)).map(|(place, _)| place).collect()
}

fn after_wait(words: &[&str]) -> Option<Due> {
    let ms = begins_with_a_wait(words).or_else(|| ends_with_a_wait(words)).or_else(|| nobody_decides(words))?;
    Some(Due::AfterWait { ms })
}

/// `After 15 minutes: …`, `After 15 minutes without a decision: …`
fn begins_with_a_wait(words: &[&str]) -> Option<u64> {
    let (ms, rest) = wait(words.strip_prefix(&["after"])?)?;
    let rest = without_a_decision(rest).unwrap_or(rest);
    (!rest.is_empty() && closes(rest)).then_some(ms)
}

/// `… after 15 minutes`, `… after 15 minutes without a decision`
fn ends_with_a_wait(words: &[&str]) -> Option<u64> {
    let place = words.iter().rposition(|word| *word == "after")?;
    let before = trimmed(&words[..place]);
    let (ms, rest) = wait(&words[place + 1..])?;
    let rest = without_a_decision(rest).unwrap_or(rest);
    (rest.is_empty() && !before.is_empty() && are_plain(before)).then_some(ms)
}

/// `If nobody decides within 15 minutes: …`, `If there is no decision after 15 minutes: …`
fn nobody_decides(words: &[&str]) -> Option<u64> {
    let ["if" | "when", words @ ..] = words else { return None };
    let words = words.strip_prefix(&["there", "is"]).unwrap_or(words);
    let [who @ ("nobody" | "no"), what, "within" | "for" | "after" | "in", rest @ ..] = words else { return None };
    let known = if *who == "nobody" { DECIDES.contains(what) } else { DECISIONS.contains(what) };
    let (ms, rest) = wait(rest)?;
    (known && closes(rest)).then_some(ms)
}

/// What is left behind `without a decision`, where that stands there.
fn without_a_decision<'w, 't>(words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    let ["without", rest @ ..] = words else { return None };
    let rest = if let ["a" | "an" | "any", rest @ ..] = rest { rest } else { rest };
    let [what, rest @ ..] = rest else { return None };
    DECISIONS.contains(what).then_some(rest)
}

/// A time in minutes or hours at the beginning, in milliseconds, and what comes after it.
fn wait<'w, 't>(words: &'w [&'t str]) -> Option<(u64, &'w [&'t str])> {
    let [first, rest @ ..] = words else { return None };
    let digits = first.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok().filter(|number| *number > 0)?;
    let unit = &first[digits.len()..];
    let (unit, rest) = match (unit, rest) {
        ("", [unit, rest @ ..]) => (*unit, rest),
        ("", []) => return None,
        (unit, rest) => (unit, rest),
    };
    let one = match unit {
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        _ => return None,
    };
    Some((number.checked_mul(one)?, rest))
}
