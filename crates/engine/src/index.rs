//! `out.idx`: the borders in the output, line by line, each signed with the key of its attempt.
//!
//! A step that runs as the portal's own user can write into this file. What it writes is passed over: a line counts only with
//! its signature, and only once, in its order. A genuine line that was taken out is missed at the end by the shim, which
//! still knows what it wrote.

use domain::attempt::{Exit, Mark};
use serde::{Deserialize, Serialize};

use crate::key::AttemptKey;

/// The first format in which lines are signed; see [`domain::attempt::FORMAT`].
const SIGNED: u32 = 2;
const SIGNATURE: &str = ",\"mac\":\"";

/// Not a [`Mark`]: an older portal passes over it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Cut {
    /// Always "cut".
    pub mark: String,
    /// The byte of `out.log` from which output is left out.
    pub offset: u64,
    /// Wall clock, milliseconds since 1970.
    pub at: i64,
    /// Whether that is because the disk is full, and not because of the cap.
    #[serde(default)]
    pub disk_full: bool,
}

/// A line of the index. Kinds that this portal does not know are passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Mark(Mark),
    Cut(Cut),
}

#[derive(Deserialize)]
struct Place {
    n: u64,
}

/// The line of a border: the `n`th, from 0.
pub(crate) fn line(border: &impl Serialize, n: u64, key: &AttemptKey) -> String {
    let body = serde_json::to_string(border).expect("a border is always JSON");
    let open = format!("{},\"n\":{n}", body.strip_suffix('}').expect("a border is an object"));
    let mac = key.sign(&signed(&open));
    format!("{open}{SIGNATURE}{mac}\"}}\n")
}

/// What is signed of a line. The first word keeps it apart from an exit record.
fn signed(open: &str) -> String {
    format!("border\n{open}}}")
}

/// Where a genuine line stands among the others.
fn genuine(line: &[u8], key: &AttemptKey) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\"}\n")?;
    let (open, mac) = line.rsplit_once(SIGNATURE)?;
    key.verifies(&signed(open), mac).then_some(())?;
    serde_json::from_str::<Place>(&format!("{open}}}")).ok().map(|place| place.n)
}

/// The genuine lines of an index, in their order, each with its end.
pub(crate) fn genuine_lines(text: &[u8], key: &AttemptKey) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if genuine(line, key) == Some(lines.len() as u64) {
            lines.push(String::from_utf8_lossy(line).into_owned());
        }
    }
    lines
}

/// What stands in a stretch of `out.idx`.
#[derive(Default)]
pub(crate) struct Lines {
    pub marks: Vec<Mark>,
    /// Where the output was cut, if it was in this stretch.
    pub cut: Option<Cut>,
    /// Bytes of whole lines.
    pub bytes: usize,
}

/// Reads an index, stretch by stretch.
pub(crate) struct Reader {
    key: Option<AttemptKey>,
    /// The place of the next genuine line, or a later one.
    next: u64,
}

impl Reader {
    /// For the index of an attempt. Lines without a signature count only where the genuine record of its shim says that it
    /// wrote such ones: anything else that says so could have been written by the step.
    pub(crate) fn new(key: AttemptKey, record: Option<&Exit>) -> Self {
        let signs = record.is_none_or(|exit| exit.v >= SIGNED);
        Self { key: signs.then_some(key), next: 0 }
    }

    /// What comes next is the beginning.
    pub(crate) fn restart(&mut self) {
        self.next = 0;
    }

    pub(crate) fn read(&mut self, text: &[u8]) -> Lines {
        let mut found = Lines::default();
        for line in text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            found.bytes += line.len();
            if !self.counts(line) {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(Line::Mark(mark)) => found.marks.push(mark),
                Ok(Line::Cut(cut)) if cut.mark == "cut" => found.cut = Some(cut),
                _ => {}
            }
        }
        found
    }

    fn counts(&mut self, line: &[u8]) -> bool {
        let Some(key) = &self.key else { return true };
        let Some(n) = genuine(line, key).filter(|n| *n >= self.next) else { return false };
        self.next = n + 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> AttemptKey {
        AttemptKey::from_hex(&"07".repeat(32)).unwrap()
    }

    fn started(command: u32) -> Mark {
        Mark::Started { command, offset: 0, at: 5 }
    }

    fn read(text: &str, key: Option<AttemptKey>) -> Vec<Mark> {
        Reader { key, next: 0 }.read(text.as_bytes()).marks
    }

    #[test]
    fn unknown_kinds_and_half_lines_are_passed_over() {
        let text = "{\"mark\":\"started\",\"command\":1,\"offset\":0,\"at\":5,\"later\":1}\n\
                    {\"mark\":\"weather\",\"sun\":true}\n{\"mark\":\"cut\",\"offset\":7,\"at\":5}\nnonsense\n{\"mark\":\"sta";

        let found = Reader { key: None, next: 0 }.read(text.as_bytes());

        assert_eq!(found.marks, [started(1)]);
        assert_eq!(found.cut.map(|cut| (cut.offset, cut.disk_full)), Some((7, false)));
        assert_eq!(found.bytes, text.len() - "{\"mark\":\"sta".len());
    }

    #[test]
    fn a_line_counts_only_with_its_signature() {
        let genuine = line(&started(1), 0, &key());
        let other = line(&started(1), 0, &AttemptKey::from_hex(&"08".repeat(32)).unwrap());
        let bare = serde_json::to_string(&started(1)).unwrap() + "\n";

        assert_eq!(read(&genuine, Some(key())), [started(1)]);
        for forged in
            [other, bare, genuine.replace("\"command\":1", "\"command\":2"), genuine.replace("\"n\":0", "\"n\":1")]
        {
            assert_eq!(read(&forged, Some(key())), [], "{forged}");
        }
    }

    #[test]
    fn a_line_counts_once_and_never_after_a_later_one() {
        let lines: Vec<String> = (0..3).map(|n| line(&started(n), u64::from(n), &key())).collect();
        let text = [0, 0, 2, 1, 2].map(|n: usize| lines[n].as_str()).concat();

        assert_eq!(read(&text, Some(key())), [started(0), started(2)]);
    }

    #[test]
    fn lines_without_a_signature_count_where_the_record_says_that_its_shim_wrote_such_ones() {
        let bare = serde_json::to_string(&started(1)).unwrap() + "\n";
        let read = |record: Option<&Exit>| Reader::new(key(), record).read(bare.as_bytes()).marks;
        let record = |v: u32| Exit { v, ..exit() };

        assert_eq!(read(Some(&record(1))), [started(1)]);
        assert_eq!(read(Some(&record(2))), []);
        assert_eq!(read(None), []);
    }

    fn exit() -> Exit {
        let text = r#"{"v":1,"id":{"run":1,"step":1,"attempt":1},"digest":"0","result":{"result":"completed"},"bytes":0,
            "output":"0","directory":null,"at":0,"duration_ms":0}"#;
        serde_json::from_str(&text.replace("\"0\"", &format!("\"{}\"", "0".repeat(64)))).unwrap()
    }

    #[test]
    fn an_older_portal_reads_a_signed_line() {
        let text = line(&started(4), 9, &key());

        assert_eq!(serde_json::from_str::<Mark>(&text).unwrap(), started(4));
    }
}
