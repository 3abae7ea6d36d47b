//! Checking a bundle: nothing in it is believed that does not follow from the signature.

use std::collections::BTreeMap;
use std::io::{self, Read};

use domain::audit::{Checkpoint, Head, SignedCheckpoint};
use domain::run::{Entry, Event, Who};
use domain::{AttemptId, Digest, Hasher, RunId, Timestamp};
use serde::Deserialize;
use tar::Archive;

use super::{Before, CHAIN, CHECKPOINT, KEY, Line, README, output_name};
use crate::PublicKey;

/// No entry but an output is larger than this.
const LARGEST: u64 = 1 << 30;

/// Why a bundle proves nothing: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BadBundle {
    /// It is no bundle.
    #[error("This is no evidence bundle: {0}")]
    Unreadable(String),
    /// Something in it is not what was signed.
    #[error("{0}")]
    False(String),
}

impl From<io::Error> for BadBundle {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

/// What a bundle proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The run.
    pub run: RunId,
    /// The fingerprint of the key that signed.
    pub fingerprint: String,
    /// Whether that is the key of whoever checks, and not only the one in the bundle.
    pub trusted: bool,
    /// The checkpoint behind the last event.
    pub checkpoint: Checkpoint,
    /// The events of the run, from the first, without a gap. Those of later versions of the portal are counted only.
    pub entries: Vec<Entry>,
    /// How many events of the run there are.
    pub events: u64,
    /// The outputs that are what the events say.
    pub outputs: Vec<BoundOutput>,
    /// The outputs that events speak of and that are not in the bundle.
    pub missing: Vec<BoundOutput>,
}

/// An output that an event speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundOutput {
    /// Of which attempt.
    pub id: AttemptId,
    /// How many bytes.
    pub bytes: u64,
}

/// What stands in the tar file, outputs by length and digest alone.
#[derive(Debug, Default)]
struct Entries {
    small: BTreeMap<String, Vec<u8>>,
    outputs: BTreeMap<String, (u64, Digest)>,
}

/// An event of the run, as far as every version of the portal writes it.
#[derive(Debug, Deserialize)]
struct Record {
    stream: String,
    version: u64,
    at: Timestamp,
    by: Option<Who>,
    event: serde_json::Value,
}

/// Checks a bundle with the key that is trusted, or else with the one that lies in it.
///
/// # Errors
///
/// One sentence about the first thing that does not hold.
pub fn check(bundle: impl Read, trusted: Option<&PublicKey>) -> Result<Proof, BadBundle> {
    let entries = read(bundle)?;
    let inside = PublicKey::from_pem(&entries.text(KEY)?).map_err(|error| BadBundle::Unreadable(error.to_string()))?;
    let key = trusted.unwrap_or(&inside);
    let signed: SignedCheckpoint = parsed(entries.text(CHECKPOINT)?.as_bytes(), CHECKPOINT)?;
    if !key.verifies(&signed) {
        return Err(BadBundle::False("The checkpoint was not signed with this key: nothing is proven.".to_owned()));
    }
    let records = walk(&entries.text(CHAIN)?, &signed.checkpoint)?;
    let run = run_of(&records)?;
    let known: Vec<Entry> = records.iter().filter_map(entry).collect();
    let (outputs, missing) = outputs(run, &known, &entries)?;
    Ok(Proof {
        run,
        fingerprint: key.fingerprint(),
        trusted: trusted.is_some(),
        checkpoint: signed.checkpoint,
        events: records.len() as u64,
        entries: known,
        outputs,
        missing,
    })
}

fn read(bundle: impl Read) -> Result<Entries, BadBundle> {
    let mut entries = Entries::default();
    for entry in Archive::new(bundle).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.display().to_string();
        let twice = if [README, KEY, CHECKPOINT, CHAIN].contains(&name.as_str()) {
            let mut bytes = Vec::new();
            entry.take(LARGEST).read_to_end(&mut bytes)?;
            entries.small.insert(name.clone(), bytes).is_some()
        } else {
            let mut hash = Hasher::default();
            let length = io::copy(&mut entry, &mut hash)?;
            entries.outputs.insert(name.clone(), (length, hash.digest())).is_some()
        };
        if twice {
            return Err(BadBundle::False(format!("{name} is in it twice.")));
        }
    }
    Ok(entries)
}

impl Entries {
    fn text(&self, name: &str) -> Result<String, BadBundle> {
        let bytes = self.small.get(name).ok_or_else(|| BadBundle::Unreadable(format!("{name} is missing")))?;
        String::from_utf8(bytes.clone()).map_err(|_| BadBundle::Unreadable(format!("{name} is no text")))
    }
}

/// Walks from the place before the run to the checkpoint; gives the records of the run on the way.
fn walk(chain: &str, checkpoint: &Checkpoint) -> Result<Vec<Record>, BadBundle> {
    let mut lines = chain.lines();
    let before: Before = parsed(lines.next().unwrap_or_default().as_bytes(), CHAIN)?;
    let mut head = Head { seq: before.seq, hash: before.hash };
    let mut records = Vec::new();
    for line in lines {
        let digest = match parsed(line.as_bytes(), CHAIN)? {
            Line::Digest(digest) => Digest::parse(&digest),
            Line::Record(record) => {
                records.push(parsed(record.as_bytes(), CHAIN)?);
                Some(Digest::of(record.as_bytes()))
            }
        };
        let digest = digest.ok_or_else(|| BadBundle::Unreadable(format!("{CHAIN} has a digest that is none")))?;
        head = head.then(&digest);
    }
    if (head.seq, head.hash.as_str()) == (checkpoint.seq, checkpoint.head.as_str()) {
        return Ok(records);
    }
    Err(BadBundle::False(format!(
        "The events do not lead to the checkpoint of event {}: at least one was changed, left out, added or moved.",
        checkpoint.seq
    )))
}

/// The run that all records are of, numbered without a gap.
fn run_of(records: &[Record]) -> Result<RunId, BadBundle> {
    let stream = records.first().map(|record| record.stream.clone()).unwrap_or_default();
    let run = stream.strip_prefix("run:").and_then(|run| run.parse().ok()).map(RunId);
    let run = run.ok_or_else(|| BadBundle::False("There is no event of a run in it.".to_owned()))?;
    for (expected, record) in (1..).zip(records) {
        if record.stream != stream || record.version != expected {
            return Err(BadBundle::False(format!("Event {expected} of run {run} is missing.")));
        }
    }
    Ok(run)
}

fn entry(record: &Record) -> Option<Entry> {
    let event: Event = serde_json::from_value(record.event.clone()).ok()?;
    Some(Entry { version: record.version, at: record.at, by: record.by.clone()?, event })
}

/// The outputs, each held against the last event that says something about it; and those that are missing.
fn outputs(run: RunId, known: &[Entry], entries: &Entries) -> Result<(Vec<BoundOutput>, Vec<BoundOutput>), BadBundle> {
    let bound: BTreeMap<AttemptId, (u64, &Digest)> = known
        .iter()
        .filter_map(|entry| entry.event.output(run))
        .map(|(id, bytes, digest)| (id, (bytes, digest)))
        .collect();
    for name in entries.outputs.keys() {
        if !bound.keys().any(|id| output_name(*id) == *name) {
            return Err(BadBundle::False(format!("{name} is in it, and no event knows it.")));
        }
    }
    let (mut proven, mut missing) = (Vec::new(), Vec::new());
    for (id, (bytes, digest)) in bound {
        let name = output_name(id);
        match entries.outputs.get(&name) {
            Some((length, found)) if (*length, found) == (bytes, digest) => proven.push(BoundOutput { id, bytes }),
            Some(_) => return Err(BadBundle::False(format!("{name} is not what the attempt printed."))),
            None if bytes == 0 => {}
            None => missing.push(BoundOutput { id, bytes }),
        }
    }
    Ok((proven, missing))
}

fn parsed<'de, T: Deserialize<'de>>(bytes: &'de [u8], name: &str) -> Result<T, BadBundle> {
    serde_json::from_slice(bytes).map_err(|error| BadBundle::Unreadable(format!("{name} cannot be read: {error}")))
}
