//! What a backup says about itself: `backup.json`, and the list of its files, `SHA256SUMS`.

use std::io::{self, BufRead, Read as _};

use domain::time::{counted, size, thousands};
use domain::{Digest, Timestamp};
use engine::is_plain_name;
use serde::{Deserialize, Serialize};

use super::{CHECKPOINTS, DATABASE, KEYS, RUNS};

/// The file that says what is in a backup.
pub(super) const MANIFEST: &str = "backup.json";

/// The file that lists its files, as `sha256sum -c` reads it.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The form in which this portal writes backups, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// No line of the list is longer than this.
const LINE_LIMIT: u64 = 4096;

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub format: u32,
    /// The version of the portal that made it.
    pub portal: String,
    /// The version of the database's schema.
    pub schema: i64,
    /// The moment of which the database is, in milliseconds since 1970.
    pub at: Timestamp,
    /// The same, for people.
    pub time: String,
    /// How many events there are.
    pub events: u64,
    /// The hash of the last one.
    pub head: String,
    /// How many runs.
    pub runs: u64,
    /// How many attempts.
    pub attempts: u64,
    /// How many of them had not ended.
    pub open: u64,
    /// How many files there are, besides this one and `SHA256SUMS`.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// The SHA-256 of the lines of `SHA256SUMS`, without the one of this file.
    pub sums: Digest,
    /// What was not as it should be when it was made, each in a sentence.
    pub notes: Vec<String>,
}

impl Manifest {
    /// What is in it, in words: the part of a sentence.
    pub fn words(&self) -> String {
        let head = Digest::parse(&self.head).map_or_else(|| self.head.clone(), |head| head.short());
        let open = match self.open {
            0 => String::new(),
            open => format!(" ({} of them not ended)", thousands(open)),
        };
        format!(
            "{} up to {head}, {}, {}{open}, {} with {}",
            counted(self.events, "event"),
            counted(self.runs, "run"),
            counted(self.attempts, "attempt"),
            counted(self.files, "file"),
            size(self.bytes)
        )
    }
}

/// A file of a backup, as the list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Summed {
    /// Its name from the backup's own folder on.
    pub(super) name: String,
    /// Its SHA-256.
    pub(super) digest: Digest,
}

impl Summed {
    /// Its line in the list.
    pub(super) fn line(&self) -> String {
        format!("{}  {}\n", self.digest, self.name)
    }

    /// A line of the list. `None` for one that no backup has: a name that leads elsewhere above all.
    fn parse(line: &str) -> Option<Self> {
        let (digest, name) = line.strip_suffix('\n')?.split_once("  ")?;
        belongs(name).then_some(())?;
        Some(Self { digest: Digest::parse(digest)?, name: name.to_owned() })
    }
}

/// Whether a file of this name can be in a backup.
fn belongs(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let known = matches!(parts[..], [DATABASE | MANIFEST] | [KEYS | CHECKPOINTS, _] | [RUNS, _, _, _]);
    known && parts.iter().all(|part| is_plain_name(part))
}

/// Reads the list line by line.
pub(super) struct Sums<R>(R);

impl<R: BufRead> Sums<R> {
    pub(super) fn new(list: R) -> Self {
        Self(list)
    }

    fn line(&mut self) -> io::Result<Option<Summed>> {
        let mut line = String::new();
        if self.0.by_ref().take(LINE_LIMIT).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "it has a line that no portal has written");
        Summed::parse(&line).map(Some).ok_or_else(bad)
    }
}

impl<R: BufRead> Iterator for Sums<R> {
    type Item = io::Result<Summed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summed(name: &str) -> Summed {
        Summed { name: name.to_owned(), digest: Digest::of(name.as_bytes()) }
    }

    #[test]
    fn the_list_is_read_as_it_is_written() {
        let names = ["portal.db", "keys/shim.key", "checkpoints/2026-11.jsonl", "runs/12/1-1/out.log", "backup.json"];
        let text: String = names.iter().map(|name| summed(name).line()).collect();

        let read: Vec<Summed> = Sums::new(text.as_bytes()).map(Result::unwrap).collect();

        assert_eq!(read, names.map(summed));
        assert!(text.starts_with(&format!("{}  portal.db\n", Digest::of(b"portal.db"))));
    }

    #[test]
    fn a_name_that_leads_elsewhere_or_that_no_backup_has_ends_the_reading() {
        for name in [
            "../portal.db",
            "/etc/passwd",
            "keys/../../x",
            "keys/.hidden",
            "keys/a/b",
            "keys",
            "runs/12/out.log",
            "runs/../../../x",
            "runs//1-1/x",
            "portal.toml",
            "SHA256SUMS",
            "",
            "keys/two words",
        ] {
            let text = summed("portal.db").line() + &summed(name).line();

            let read: Vec<_> = Sums::new(text.as_bytes()).take(2).collect();

            assert!(matches!(read[..], [Ok(_), Err(_)]), "{name}");
        }
    }

    #[test]
    fn a_list_that_was_cut_or_is_no_list_ends_the_reading() {
        let line = summed("portal.db").line();
        for text in [line.trim_end(), &line[1..], &line.replace("  ", " "), &"x".repeat(10_000), "\n"] {
            assert!(Sums::new(text.as_bytes()).next().unwrap().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_in_a_backup_is_told_in_words() {
        let manifest = Manifest {
            format: FORMAT,
            portal: "0.1.0".to_owned(),
            schema: 8,
            at: Timestamp(0),
            time: Timestamp(0).iso(),
            events: 1204,
            head: Digest::of(b"x").as_str().to_owned(),
            runs: 88,
            attempts: 61,
            open: 2,
            files: 372,
            bytes: 1_900_000,
            sums: Digest::of(b""),
            notes: Vec::new(),
        };

        let expected = format!(
            "1,204 events up to {}, 88 runs, 61 attempts (2 of them not ended), 372 files with 1.9 MB",
            Digest::of(b"x").short()
        );
        assert_eq!(manifest.words(), expected);
        assert!(Manifest { open: 0, ..manifest.clone() }.words().contains("61 attempts, 372 files"));
        assert!(Manifest { open: 0, runs: 1, attempts: 1, ..manifest }.words().contains("1 run, 1 attempt, 372 files"));
    }
}
