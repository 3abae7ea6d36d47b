//! The chain of events: each row carries the hash of the one before it, over the bytes as they are stored.

use domain::run::Who;
use domain::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Connection, Error, Store, Write, counted, stored};

/// What the first row has for its predecessor.
const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Rows that verification reads at a time: its memory does not grow with the history.
const PIECE: i64 = 1000;

/// What is stored and hashed for each event.
#[derive(Debug, Serialize)]
struct Record<'a, E> {
    seq: u64,
    stream: &'a str,
    version: u64,
    at: Timestamp,
    by: Option<&'a Who>,
    v: i64,
    event: &'a E,
}

/// An event on its way into the chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a, E> {
    /// What it happened to.
    pub stream: &'a str,
    /// Its place in the stream.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it; nobody for what a stranger tried.
    pub by: Option<&'a Who>,
    /// Its name.
    pub kind: &'a str,
    /// The version of its stored form.
    pub v: i64,
    /// The event.
    pub event: &'a E,
}

/// The end of the chain.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Head {
    seq: i64,
    hash: String,
}

async fn head(connection: &mut Connection) -> Result<Option<Head>, Error> {
    Ok(sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?)
}

/// Adds one event at the end.
///
/// # Errors
///
/// [`Error::Moved`] when the stream has an event of this version already.
pub(crate) async fn extend<E: Serialize>(connection: &mut Connection, link: Link<'_, E>) -> Result<(), Error> {
    let head = head(connection).await?.unwrap_or_else(|| Head { seq: 0, hash: BEGINNING.to_owned() });
    let seq = head.seq + 1;
    let Link { stream, version, at, by, kind, v, event } = link;
    let record = serde_json::to_string(&Record { seq: counted(seq), stream, version, at, by, v, event })
        .map_err(|error| Error::Inconsistent(format!("an event of {stream} cannot be written down: {error}")))?;
    let hash = link_hash(&head.hash, &record);
    sqlx::query(
        "INSERT INTO events (seq, stream, version, kind, v, at, record, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(seq)
    .bind(stream)
    .bind(stored(version))
    .bind(kind)
    .bind(v)
    .bind(at.0)
    .bind(&record)
    .bind(&head.hash)
    .bind(hash.as_str())
    .execute(connection)
    .await
    .map_err(|error| Error::unless_unique(error, Error::Moved))?;
    Ok(())
}

fn link_hash(previous: &str, record: &str) -> Digest {
    Digest::of(format!("{previous}\n{record}").as_bytes())
}

impl Write {
    pub(crate) async fn chain_is_empty(&mut self) -> Result<bool, Error> {
        Ok(head(self.connection()).await?.is_none())
    }
}

/// What verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// Every event is as it was recorded, in order, up to the head.
    Whole {
        /// How many events there are.
        events: u64,
        /// The hash of the last one.
        head: String,
    },
    /// Somebody has changed something.
    Broken(Broken),
}

/// The first place at which the chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The place in the chain, from 1.
    pub seq: u64,
    /// What is wrong there, in a sentence.
    pub why: String,
}

#[derive(Debug, sqlx::FromRow)]
struct Row {
    seq: i64,
    stream: String,
    version: i64,
    kind: String,
    v: i64,
    at: i64,
    record: String,
    previous: String,
    hash: String,
}

/// The fields of a record that columns repeat.
#[derive(Debug, Deserialize)]
struct Repeated {
    seq: i64,
    stream: String,
    version: i64,
    at: i64,
    v: i64,
    event: Kind,
}

#[derive(Debug, Deserialize)]
struct Kind {
    kind: String,
}

impl Store {
    /// Walks the whole chain, piece by piece, and names the first record that is not as it was recorded.
    pub async fn verify_chain(&self) -> Result<Chain, Error> {
        let mut connection = self.reader().await?;
        let mut walk = Head { seq: 0, hash: BEGINNING.to_owned() };
        loop {
            let rows = piece(&mut connection, walk.seq).await?;
            let Some(last) = rows.last().map(|row| row.seq) else { break };
            for row in &rows {
                if let Err(why) = step(&mut walk, row) {
                    return Ok(broken(walk.seq + 1, why));
                }
            }
            debug_assert_eq!(walk.seq, last, "a whole piece ends at its last row");
        }
        if let Some(why) = cut_tail(&mut connection).await? {
            return Ok(broken(walk.seq + 1, why));
        }
        Ok(Chain::Whole { events: counted(walk.seq), head: walk.hash })
    }
}

fn broken(seq: i64, why: String) -> Chain {
    Chain::Broken(Broken { seq: counted(seq), why })
}

async fn piece(connection: &mut Connection, after: i64) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as(
        "SELECT seq, stream, version, kind, v, at, record, previous, hash FROM events \
         WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after)
    .bind(PIECE)
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// Checks one row against the one before it, and moves on to it.
fn step(walk: &mut Head, row: &Row) -> Result<(), String> {
    let expected = walk.seq + 1;
    if row.seq != expected {
        return Err(format!("Event {expected} is missing: the next one that is there is {}.", row.seq));
    }
    if row.previous != walk.hash {
        return Err(format!(
            "Event {expected} does not follow the event before it: one of the two was replaced or moved."
        ));
    }
    if row.hash != link_hash(&row.previous, &row.record).as_str() {
        return Err(format!("The record of event {expected} was changed: its hash does not fit it any more."));
    }
    let repeated: Repeated = serde_json::from_str(&row.record)
        .map_err(|error| format!("The record of event {expected} cannot be read: {error}."))?;
    let same = (repeated.seq, repeated.version, repeated.at, repeated.v) == (row.seq, row.version, row.at, row.v);
    if !same || repeated.stream != row.stream || repeated.event.kind != row.kind {
        return Err(format!("A column of event {expected} was changed: it does not say what the record says."));
    }
    *walk = Head { seq: row.seq, hash: row.hash.clone() };
    Ok(())
}

/// A run whose list row knows more events than there are: the end of the chain was cut off.
/// (Who also changes the list row is found by the checkpoints that lie outside the database.)
async fn cut_tail(connection: &mut Connection) -> Result<Option<String>, Error> {
    let cut: Option<(i64, i64)> = sqlx::query_as(
        "SELECT id, version FROM runs WHERE version <> \
         (SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = 'run:' || runs.id) ORDER BY id LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    Ok(cut.map(|(run, version)| format!("Run {run} had {version} events, and their last ones are missing.")))
}

#[cfg(test)]
mod tests;
