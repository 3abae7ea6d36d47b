//! What must hold for any bytes whatever, of everything that reads what others wrote: documents, output of steps, frames, JSON,
//! webhooks of alerts.
//!
//! Each function takes bytes and panics when something does not hold. `make audit` lets libFuzzer look for such bytes, from the
//! committed seeds; `make test` tries the seeds themselves, their beginnings, and some that were changed by chance.

use domain::alert::{MOST, MOST_APART, Outcome, Standing, Webhook, follows};
use domain::frame::{Framed, LineDecoder};
use domain::terminal::{Line, Terminal, whole_characters};
use domain::{Digest, Timestamp};
use serde_json::{Map, Value};

/// Divides a document from its side file in the bytes of [`document`]; no text in UTF-8 has it.
const BETWEEN: u8 = 0xFF;

/// What must hold of something that reads any bytes; panics when it does not.
pub type Promise = fn(&[u8]);

/// All of them by name, as the folders of their seeds are called.
pub const ALL: [(&str, Promise); 5] =
    [("document", document), ("output", output), ("frames", frames), ("canonical", canonical), ("alerts", alerts)];

/// A document with its side file is read or refused; the same bytes always give the same; every finding has a line of it.
///
/// # Panics
///
/// When it is not so.
pub fn document(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == BETWEEN);
    let (text, side) = end.map_or((bytes, None), |end| (&bytes[..end], Some(&bytes[end + 1..])));
    let read = || runbook::read("fuzz.md", text, side.map(|side| ("fuzz.portal.toml", side)));
    let Ok(document) = read() else { return };
    assert_eq!(read().as_ref(), Ok(&document), "the same bytes, another document");
    let stored = serde_json::to_string(&document).expect("a document can be stored");
    let again = serde_json::from_str(&stored).expect("what was stored can be read");
    assert_eq!(document, again, "a document is another one after it was stored");
}

/// Output becomes lines without any control character, whatever it is and however it is cut into pieces.
///
/// # Panics
///
/// When it is not so.
pub fn output(bytes: &[u8]) {
    let whole = lines_of(&[bytes]);
    for line in &whole {
        assert!(!line.text().contains(|character: char| character.is_control()), "a control character in {line:?}");
    }
    let (head, tail) = bytes.split_at(usize::from(bytes.first().copied().unwrap_or(0)).min(bytes.len()));
    assert_eq!(lines_of(&[head, tail]), whole, "cut at {}", head.len());
}

/// The lines of output that comes in pieces; a character that was cut in two waits for its rest.
fn lines_of(pieces: &[&[u8]]) -> Vec<Line> {
    let (mut terminal, mut lines, mut rest) = (Terminal::default(), Vec::new(), Vec::new());
    for (index, piece) in pieces.iter().enumerate() {
        rest.extend_from_slice(piece);
        let shown = whole_characters(&rest, index + 1 == pieces.len());
        let waits = rest.split_off(shown);
        lines.extend(terminal.push(&String::from_utf8_lossy(&rest)));
        rest = waits;
    }
    lines.extend(terminal.open());
    lines
}

/// A stream is cut into the same lines however the network cuts it; what is a frame is one again after it was written.
///
/// # Panics
///
/// When it is not so.
pub fn frames(bytes: &[u8]) {
    let whole = LineDecoder::default().push(bytes);
    let mut decoder = LineDecoder::default();
    let single: Vec<String> = bytes.iter().flat_map(|byte| decoder.push(&[*byte])).collect();
    assert_eq!(single, whole, "byte by byte");
    for framed in whole.iter().filter_map(|line| serde_json::from_str::<Framed>(line).ok()) {
        let Ok(written) = serde_json::to_string(&framed) else { continue };
        let read: Framed = serde_json::from_str(&written).expect("a frame that was written can be read");
        assert_eq!(framed, read);
    }
}

/// A webhook of alerts is read or refused. What is read keeps to its bounds, and the same again opens nothing more.
///
/// # Panics
///
/// When it is not so.
pub fn alerts(bytes: &[u8]) {
    let now = Timestamp(1_800_000_000_000);
    let Ok(webhook) = Webhook::read(bytes, now) else { return };
    assert!(webhook.told.len() <= MOST, "{} things", webhook.told.len());
    for told in &webhook.told {
        assert!(!told.name.trim().is_empty() && told.since <= now && told.latest <= now, "{told:?}");
        let Outcome::Opened(firing) = follows(None, told) else { continue };
        assert!(!firing.is_empty() && firing.len() <= MOST_APART, "{told:?}");
        let standing = Standing { firing, dismissed: None };
        assert!(matches!(follows(Some(&standing), told), Outcome::Again(_)), "{told:?}");
    }
}

/// The digest of JSON does not depend on the order of its fields.
///
/// # Panics
///
/// When it does.
pub fn canonical(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    assert_eq!(Digest::of_canonical(&value), Digest::of_canonical(&reversed(value.clone())), "{value}");
}

/// The same with the fields of every object the other way round.
fn reversed(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().rev().map(|(name, field)| (name, reversed(field)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(reversed).collect(),
        other => other,
    }
}
