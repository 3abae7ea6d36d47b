//! Nothing of a file is ever dropped: a line whose words are nowhere in the document is added as it is.
//!
//! This is the last net. It catches what Markdown itself does not show (a definition of a link that nobody uses, cells
//! beyond the head of a table) and, should the reading ever lose something, that too.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::LazyLock;

use domain::runbook::{Document, Inline, PartContent, Prose};
use regex::Regex;
use serde::Serialize;
use serde_json::ser::Formatter;

use crate::encoding::Repair;
use crate::markdown;

static MARKERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?:\s*(?:>|[-*+]\s|\d{1,9}[.)](?:\s|$)|\[[ xX]\]\s))+").expect("a fixed pattern"));
static ENTITY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"&#?[A-Za-z0-9]{1,31};").expect("a fixed pattern"));
static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"</?[A-Za-z][^<>]*>?").expect("a fixed pattern"));
static FENCE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*(?:`{3,}|~{3,})\s*\S*").expect("a fixed pattern"));
static ALERT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*>\s*\[!\w+\]\s*$").expect("a fixed pattern"));

/// Adds the lines whose words are nowhere in the document. Returns how many there were.
pub(crate) fn keep_what_is_missing(document: &mut Document, lines: &[&str], repair: Repair) -> usize {
    let known = words_of(document);
    let mut added = 0;
    for (index, line) in lines.iter().enumerate() {
        // Nearly every line ends here: what its signs are does not matter when all of its words are known.
        if words(line).all(|word| known.contains(&word)) || !is_missing(line, &known) {
            continue;
        }
        let repaired = repair.text(line);
        if is_missing(&repaired, &known) {
            let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
            add(document, line, repaired.trim().to_owned());
            added += 1;
        }
    }
    added
}

fn is_missing(line: &str, known: &Known) -> bool {
    words(&essence(line)).any(|word| !known.contains(&word))
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

/// The words of a document, by their hashes.
type Known = HashSet<u64, BuildHasherDefault<Kept>>;

/// The hasher of numbers that are hashes already.
#[derive(Default)]
struct Kept(u64);

impl Hasher for Kept {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn words_of(document: &Document) -> Known {
    let mut collector = Collector::default();
    let mut serializer = serde_json::Serializer::with_formatter(io::sink(), &mut collector);
    document.serialize(&mut serializer).expect("a document is plain data, and a sink takes everything");
    collector.known
}

/// Collects the words of all texts while a document is written to nowhere. Nothing is copied, and nothing of a document can be
/// forgotten here.
#[derive(Default)]
struct Collector {
    known: Known,
    in_key: bool,
}

impl Formatter for &mut Collector {
    fn begin_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W, _: bool) -> io::Result<()> {
        self.in_key = true;
        Ok(())
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.in_key = false;
        Ok(())
    }

    /// A piece of a text between two characters that are written in another way; no such character is one of a word.
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        if !self.in_key {
            self.known.extend(words(fragment));
        }
        Ok(())
    }
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
