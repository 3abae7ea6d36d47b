//! Nothing of a file is ever dropped: a line whose words are nowhere in the document is added as it is.
//!
//! This is the last net. It catches what Markdown itself does not show (a definition of a link that nobody uses, cells
//! beyond the head of a table) and, should the reading ever lose something, that too.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use domain::runbook::{Document, Inline, PartContent, Prose};
use regex::Regex;
use serde_json::Value;

use crate::encoding::Repair;
use crate::markdown;

static MARKERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:\s*(?:>|[-*+]\s|\d{1,9}[.)](?:\s|$)|\[[ xX]\]\s))+").expect("a fixed pattern"));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"&#?[A-Za-z0-9]{1,31};").expect("a fixed pattern"));
static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"</?[A-Za-z][^<>]*>?").expect("a fixed pattern"));
static FENCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*(?:`{3,}|~{3,})\s*\S*").expect("a fixed pattern"));
static ALERT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*>\s*\[!\w+\]\s*$").expect("a fixed pattern"));

/// Adds the lines whose words are nowhere in the document.
pub(crate) fn keep_what_is_missing(document: &mut Document, lines: &[&str], repair: Repair) {
    let known = words_of(document);
    for (index, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let raw_missing = || words(&essence(line)).any(|word| !known.contains(&word));
        let repaired = repair.text(line);
        if raw_missing() && words(&essence(&repaired)).any(|word| !known.contains(&word)) {
            let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            add(document, line, repaired.trim().to_owned());
        }
    }
}

/// A line without the signs of Markdown and HTML that carry no words.
fn essence(line: &str) -> String {
    if ALERT.is_match(line) {
        return String::new();
    }
    let line = MARKERS.replace(line, "");
    let line = FENCE.replace(&line, "");
    let line = ENTITY.replace_all(&line, " ");
    TAG.replace_all(
        &line,
        |found: &regex::Captures<'_>| if markdown::is_tag(&found[0]) { " ".to_owned() } else { found[0].to_owned() },
    )
    .into_owned()
}

fn words(text: &str) -> impl Iterator<Item = u64> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(hash)
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

fn words_of(document: &Document) -> HashSet<u64> {
    let mut known = HashSet::new();
    let value = serde_json::to_value(document).expect("a document is plain data");
    let mut open = vec![&value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => known.extend(words(text)),
            Value::Array(values) => open.extend(values),
            Value::Object(values) => open.extend(values.values()),
            _ => {}
        }
    }
    known
}

fn add(document: &mut Document, line: u32, text: String) {
    let prose = Prose::Paragraph { line, words: vec![Inline::Text { text }] };
    let after = document.procedures.partition_point(|procedure| procedure.line <= line);
    let part = document.procedures.get_mut(after.wrapping_sub(1)).and_then(|procedure| {
        let at = procedure.parts.iter().rposition(|part| part.line <= line).unwrap_or(0);
        procedure.parts.get_mut(at)
    });
    match part {
        Some(part) => part.content.push(PartContent::Prose { prose }),
        None => document.preamble.push(prose),
    }
}
