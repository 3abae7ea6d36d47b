//! When a line of the escalation part is due, by its own words.
//!
//! Understood are:
//!
//! - `Notify the team lead immediately`: when the run starts. Nothing else may stand in the line: beside the names of contacts only
//!   words of [`CALLS`], for nobody can list what makes a line conditional.
//!
//! And with nothing in the rest of the line that could be a condition or a doubt:
//!
//! - `If a step fails: …`, `If restore fails: …`, `… if step 3 fails`: when a step fails, any or the one that is named.
//! - `After 15 minutes: …`, `… after 15 minutes without a decision`, `If nobody decides within 15 minutes: …`.
//!
//! Everything else is for a person: who is called by mistake at night does not come the next time.

use super::Due;
use super::naming::{GAP, Names, is_border, trimmed, words_of};
use crate::plan::PlanStep;
use crate::runbook::PartKind;

/// What may stand in a line beside contacts for which it is due when the run starts.
const CALLS: [&str; 33] = [
    "immediate",
    "immediately",
    "notify",
    "notification",
    "call",
    "tell",
    "page",
    "inform",
    "alert",
    "contact",
    "escalate",
    "escalation",
    "send",
    "message",
    "warn",
    "ping",
    "ring",
    "phone",
    "please",
    "must",
    "be",
    "notified",
    "called",
    "told",
    "paged",
    "informed",
    "to",
    "of",
    "the",
    "a",
    "an",
    "and",
    "both",
];

/// Words that make a line conditional, beside the forms that are understood.
const CONDITIONS: [&str; 27] = [
    "if",
    "for",
    "when",
    "whenever",
    "unless",
    "case",
    "event",
    "on",
    "upon",
    "where",
    "wherever",
    "soon",
    "sign",
    "provided",
    "providing",
    "assuming",
    "depending",
    "whether",
    "once",
    "should",
    "after",
    "until",
    "before",
    "except",
    "only",
    "during",
    "while",
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

/// When a line with these words is due, in a procedure whose plan has these steps and whose side file binds these names.
pub fn due(words: &str, steps: &[PlanStep], names: &Names) -> Due {
    let words = words_of(words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (words, reader) = (trimmed(&words), Reader { steps, names });
    let due = reader.after_wait(words).or_else(|| reader.after_failure(words)).or_else(|| reader.at_start(words));
    due.unwrap_or(Due::ByHand)
}

/// What has to be known to read a line.
struct Reader<'a> {
    steps: &'a [PlanStep],
    names: &'a Names,
}

impl Reader<'_> {
    /// Whether nothing in words is a condition, a label or a doubt. Somebody's name is none, whatever its words are.
    fn are_plain(&self, words: &[&str]) -> bool {
        let (left, _) = self.names.cut(words);
        !left.iter().any(|word| *word == ":" || CONDITIONS.contains(word) || DOUBTS.contains(word))
    }

    /// What comes after a form that begins a line: nothing, or a border and words that are plain.
    fn closes(&self, rest: &[&str]) -> bool {
        match rest {
            [] => true,
            [border, rest @ ..] => is_border(border) && self.are_plain(rest),
        }
    }

    fn at_start(&self, words: &[&str]) -> Option<Due> {
        let (left, _) = self.names.cut(words);
        let urgent = left.iter().any(|word| matches!(*word, "immediately" | "immediate"));
        let is_known = |word: &&str| *word == GAP || is_border(word) || CALLS.contains(word);
        (urgent && left.iter().all(is_known)).then_some(Due::AtStart)
    }

    fn after_failure(&self, words: &[&str]) -> Option<Due> {
        if let ["if" | "when", rest @ ..] = words
            && let Some(end) = rest.iter().position(|word| fails(word))
            && self.closes(&rest[end + 1..])
            && let Some(due) = failing(&rest[..end], self.steps)
        {
            return Some(due);
        }
        let [head @ .., last] = words else { return None };
        let condition = head.iter().rposition(|word| matches!(*word, "if" | "when"))?;
        let (before, subject) = (trimmed(&head[..condition]), &head[condition + 1..]);
        let is_clear = fails(last) && !before.is_empty() && self.are_plain(before);
        if is_clear { failing(subject, self.steps) } else { None }
    }

    fn after_wait(&self, words: &[&str]) -> Option<Due> {
        let ms = self.begins_with_a_wait(words).or_else(|| self.ends_with_a_wait(words));
        let ms = ms.or_else(|| self.nobody_decides(words))?;
        Some(Due::AfterWait { ms })
    }

    /// `After 15 minutes: …`, `After 15 minutes without a decision: …`
    fn begins_with_a_wait(&self, words: &[&str]) -> Option<u64> {
        let (ms, rest) = wait(words.strip_prefix(&["after"])?)?;
        let rest = without_a_decision(rest).unwrap_or(rest);
        (!rest.is_empty() && self.closes(rest)).then_some(ms)
    }

    /// `… after 15 minutes`, `… after 15 minutes without a decision`
    fn ends_with_a_wait(&self, words: &[&str]) -> Option<u64> {
        let place = words.iter().rposition(|word| *word == "after")?;
        let before = trimmed(&words[..place]);
        let (ms, rest) = wait(&words[place + 1..])?;
        let rest = without_a_decision(rest).unwrap_or(rest);
        (rest.is_empty() && !before.is_empty() && self.are_plain(before)).then_some(ms)
    }

    /// `If nobody decides within 15 minutes: …`, `If there is no decision after 15 minutes: …`
    fn nobody_decides(&self, words: &[&str]) -> Option<u64> {
        let ["if" | "when", words @ ..] = words else { return None };
        let words = words.strip_prefix(&["there", "is"]).unwrap_or(words);
        let [who @ ("nobody" | "no"), what, "within" | "for" | "after" | "in", rest @ ..] = words else { return None };
        let known = if *who == "nobody" { DECIDES.contains(what) } else { DECISIONS.contains(what) };
        let (ms, rest) = wait(rest)?;
        (known && self.closes(rest)).then_some(ms)
    }
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
