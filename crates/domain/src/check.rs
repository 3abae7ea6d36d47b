//! Checks: what the portal itself finds out about an outcome, and what it means.
//!
//! A check is asked at the target, by looking only. What came back is judged here, by rules that know nothing of processes: it
//! held, it did not, or nobody knows. What could not be asked never counts as held.

mod answers;
mod certificate;
mod log;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::runbook::{Check, Piece, Placeholder, pieces_of_code};
use crate::{Timestamp, time};

pub use answers::{Heard, command, container, http, is_starting, promql};
pub use certificate::certificate;
pub use log::{new_line, unreadable_log};

/// Which check of a run: of a line of the expected outcome, or after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckId {
    /// The step's place in the plan, from 1; `None` is the expected outcome.
    pub step: Option<u32>,
    /// The line's place among the ticks of the outcome, or the check's place among those after the step; from 1.
    pub number: u32,
}

/// A check as it was frozen when the run was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCheck {
    /// The line's place among the ticks of the outcome, or the check's place among those after the step; from 1.
    pub number: u32,
    /// What the side file says.
    pub check: Check,
    /// The words in it that stand for a value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placeholders: Vec<Placeholder>,
    /// What the shell gets of a command: placeholders replaced by variable references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The program of each member of a command's pipeline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pipeline: Vec<String>,
    /// Set when it cannot be asked at all, whatever the values: why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<String>,
}

/// Whether what is checked is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// Nobody knows: it could not be looked at.
    Unknown,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckEnd {
    /// Whether it held.
    pub held: Held,
    /// What was seen, in a sentence.
    pub sentence: String,
}

/// The longest sentence about what was seen, in characters.
const LONGEST: usize = 500;

/// A look that has not come back after so long is given up: ten seconds of its own, and others may be before it.
const LOOK_MS: u64 = 120_000;

impl CheckEnd {
    /// It held.
    pub fn yes(sentence: impl Into<String>) -> Self {
        Self { held: Held::Yes, sentence: sentence.into() }
    }

    /// It did not.
    pub fn no(sentence: impl Into<String>) -> Self {
        Self { held: Held::No, sentence: sentence.into() }
    }

    /// Nobody knows.
    pub fn unknown(sentence: impl Into<String>) -> Self {
        Self { held: Held::Unknown, sentence: sentence.into() }
    }

    /// The same with a sentence that is not longer than people read.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        if let Some((end, _)) = self.sentence.char_indices().nth(LONGEST) {
            self.sentence.truncate(end);
            self.sentence.push('…');
        }
        self
    }
}

impl Held {
    /// What pages say of it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Yes => "held",
            Self::No => "did not hold",
            Self::Unknown => "not known",
        }
    }
}

impl Check {
    /// What is checked, in a few words for the page.
    pub fn words(&self) -> String {
        match self {
            Self::Http { url, expect } => format!("{url} answers {expect}"),
            Self::Command { run, expect } => format!("{run} ends with {expect}"),
            Self::Container { container } => format!("{container} is healthy"),
            Self::Log { run, pattern, window_ms } => {
                format!("{run} prints no new match of {pattern} for {}", window(*window_ms))
            }
            Self::Certificate { host, days } => {
                format!("the certificate of {host} is good for {}", time::counted(u64::from(*days), "day"))
            }
            Self::Promql { url, query } => format!("{query} has a result at {url}"),
        }
    }

    /// Milliseconds after which a check is given up.
    pub fn limit_ms(&self) -> u64 {
        match self {
            Self::Log { window_ms, .. } => LOOK_MS.saturating_add(*window_ms),
            _ => LOOK_MS,
        }
    }
}

/// A window as a side file writes it: `5 min`, `90 s`.
pub fn window(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        _ if milliseconds.is_multiple_of(60_000) => format!("{} min", milliseconds / 60_000),
        _ => time::span(milliseconds),
    }
}

impl PlanCheck {
    /// The names of the parameters whose values it uses.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.placeholders.iter().filter_map(|placeholder| placeholder.parameter.as_deref())
    }

    /// What is asked, with the values in their places. Commands are left as they are: their values travel in the environment.
    ///
    /// # Errors
    ///
    /// A sentence, when a value cannot stand where its placeholder does.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Result<Check, String> {
        let put = |text: &str, fit: fn(&str) -> Option<String>| self.put(text, values, fit);
        Ok(match &self.check {
            Check::Http { url, expect } => Check::Http { url: put(url, in_url)?, expect: *expect },
            Check::Container { container } => Check::Container { container: put(container, plain)? },
            Check::Certificate { host, days } => Check::Certificate { host: put(host, plain)?, days: *days },
            Check::Promql { url, query } => Check::Promql { url: put(url, in_url)?, query: put(query, plain)? },
            check @ (Check::Command { .. } | Check::Log { .. }) => check.clone(),
        })
    }

    fn put(
        &self,
        text: &str,
        values: &BTreeMap<String, String>,
        fit: fn(&str) -> Option<String>,
    ) -> Result<String, String> {
        let mut filled = String::new();
        for piece in pieces_of_code(text, &self.placeholders) {
            match piece {
                Piece::Plain(text) => filled.push_str(&text),
                Piece::Filled { text, parameter } => {
                    let value = values.get(&parameter).map_or("", String::as_str);
                    let fitting = fit(value).ok_or_else(|| {
                        format!(
                            "The value of {parameter} cannot stand in place of {text} in a check: nothing was asked."
                        )
                    })?;
                    filled.push_str(&fitting);
                }
            }
        }
        Ok(filled)
    }
}

/// A value as it stands in an address.
fn in_url(value: &str) -> Option<String> {
    let text = value.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'/' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    (!value.is_empty()).then(|| text.collect())
}

/// A value that means nothing but itself, as a name or a number does.
fn plain(value: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/".contains(&byte);
    (!value.is_empty() && !value.starts_with('-') && value.bytes().all(is_plain)).then(|| value.to_owned())
}

/// Where a query goes: Prometheus' address with the query as a part of it.
pub fn query_url(url: &str, query: &str) -> String {
    let encoded: String = query
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("{}/api/v1/query?query={encoded}", url.trim_end_matches('/'))
}

/// When a check that begins now is given up.
pub fn given_up(check: &Check, now: Timestamp) -> Timestamp {
    now.plus(check.limit_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(check: Check) -> PlanCheck {
        let placeholders = vec![Placeholder { text: "NAME".to_owned(), parameter: Some("name".to_owned()) }];
        PlanCheck { number: 1, check, placeholders, script: None, pipeline: Vec::new(), blocked: None }
    }

    fn values(value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("name".to_owned(), value.to_owned())])
    }

    #[test]
    fn a_value_in_an_address_stays_a_value() {
        let check = with(Check::Http { url: "http://localhost/NAME?x=1".to_owned(), expect: 200 });

        let filled = check.filled(&values("a b&c=d#e@f")).unwrap();

        assert_eq!(filled, Check::Http { url: "http://localhost/a%20b%26c%3Dd%23e%40f?x=1".to_owned(), expect: 200 });
    }

    #[test]
    fn a_value_that_would_change_a_query_or_be_an_option_is_not_put_there() {
        let query = with(Check::Promql { url: "http://p:9090".to_owned(), query: "up{job=\"NAME\"} == 1".to_owned() });
        let container = with(Check::Container { container: "NAME".to_owned() });

        assert!(query.filled(&values("a\"} or vector(1)")).unwrap_err().contains("nothing was asked"));
        assert!(container.filled(&values("--help")).is_err());
        assert!(container.filled(&values("")).is_err());
        assert_eq!(
            container.filled(&values("shop-api-1")),
            Ok(Check::Container { container: "shop-api-1".to_owned() })
        );
    }

    #[test]
    fn a_query_is_one_part_of_an_address() {
        assert_eq!(query_url("http://p:9090/", "up == 1"), "http://p:9090/api/v1/query?query=up%20%3D%3D%201");
    }

    #[test]
    fn a_log_is_given_up_after_its_window() {
        let log = Check::Log { run: "cat log".to_owned(), pattern: "x".to_owned(), window_ms: 300_000 };

        assert_eq!(log.limit_ms(), 420_000);
        assert_eq!(log.words(), "cat log prints no new match of x for 5 min");
    }

    #[test]
    fn a_long_sentence_is_cut() {
        assert_eq!(CheckEnd::no("ä".repeat(600)).shortened().sentence.chars().count(), LONGEST + 1);
    }
}
