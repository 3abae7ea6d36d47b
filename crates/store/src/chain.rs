//! The chain of events: each row carries the hash of the one before it, over the bytes as they are stored.

use std::borrow::Cow;

use domain::audit::Head;
use domain::run::Who;
use domain::{Digest, Timestamp};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use crate::{Connection, Error, Store, Write, counted, stored};

/// Rows that a walk reads with one statement: a long one would keep the write-ahead log from being folded into the file.
const PIECE: i64 = 10_000;

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

/// The end of the chain; `None` before the first event.
async fn head(connection: &mut Connection) -> Result<Option<Head>, Error> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetch_optional(connection).await?;
    Ok(row.map(|(seq, hash)| Head { seq: counted(seq), hash }))
}

/// Adds one event at the end.
///
/// # Errors
///
/// [`Error::Moved`] when the stream has an event of this version already.
pub(crate) async fn extend<E: Serialize>(connection: &mut Connection, link: Link<'_, E>) -> Result<(), Error> {
    let head = head(connection).await?.unwrap_or_else(Head::beginning);
    let seq = head.seq + 1;
    let Link { stream, version, at, by, kind, v, event } = link;
    let record = serde_json::to_string(&Record { seq, stream, version, at, by, v, event })
        .map_err(|error| Error::Inconsistent(format!("an event of {stream} cannot be written down: {error}")))?;
    let next = head.then(&Digest::of(record.as_bytes()));
    sqlx::query(
        "INSERT INTO events (seq, stream, version, kind, v, at, record, previous, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(stored(seq))
    .bind(stream)
    .bind(stored(version))
    .bind(kind)
    .bind(v)
    .bind(at.0)
    .bind(&record)
    .bind(&head.hash)
    .bind(&next.hash)
    .execute(connection)
    .await
    .map_err(|error| Error::unless_unique(error, Error::Moved))?;
    Ok(())
}

impl Write {
    pub(crate) async fn chain_is_empty(&mut self) -> Result<bool, Error> {
        Ok(head(self.connection()).await?.is_none())
    }
}

/// How far a walk along the chain came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chain {
    /// To the end: every event is as it was recorded, in order.
    Whole(Head),
    /// To the first place at which it does not hold.
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

/// An event that was found to hold, as a walk along the chain hands it out.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    /// The place behind it.
    pub head: &'a Head,
    /// What it happened to.
    pub stream: &'a str,
    /// Its name.
    pub kind: &'a str,
    /// The stored bytes.
    pub record: &'a str,
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
struct Repeated<'a> {
    seq: i64,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    version: i64,
    at: i64,
    v: i64,
    #[serde(borrow)]
    event: Kind<'a>,
}

#[derive(Debug, Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

impl Store {
    /// Walks the whole chain, hands out every event that holds, and names the first record that is not as it was recorded.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn walk_chain(&self, mut visit: impl FnMut(Walked<'_>)) -> Result<Chain, Error> {
        let mut connection = self.reader().await?;
        let mut head = Head::beginning();
        loop {
            let before = head.seq;
            if let Some(why) = walk_piece(&mut connection, &mut head, &mut visit).await? {
                return Ok(Chain::Broken(Broken { seq: head.seq + 1, why }));
            }
            if head.seq == before {
                break;
            }
        }
        Ok(match cut_tail(&mut connection).await? {
            Some(why) => Chain::Broken(Broken { seq: head.seq + 1, why }),
            None => Chain::Whole(head),
        })
    }

    /// Walks the whole chain.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn verify_chain(&self) -> Result<Chain, Error> {
        self.walk_chain(|_| {}).await
    }

    /// The end of the chain; the place before the first event while there is none.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn chain_head(&self) -> Result<Head, Error> {
        Ok(head(&mut *self.reader().await?).await?.unwrap_or_else(Head::beginning))
    }

    /// The hash of the event at a place, if there is one.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn chain_hash(&self, seq: u64) -> Result<Option<String>, Error> {
        let mut connection = self.reader().await?;
        let hash = sqlx::query_scalar("SELECT hash FROM events WHERE seq = $1").bind(stored(seq));
        Ok(hash.fetch_optional(&mut *connection).await?)
    }
}

/// Walks the next events, at most [`PIECE`] of them; gives what is wrong at the first that does not hold.
async fn walk_piece(
    connection: &mut Connection,
    head: &mut Head,
    visit: &mut impl FnMut(Walked<'_>),
) -> Result<Option<String>, Error> {
    let mut rows = sqlx::query_as::<_, Row>(
        "SELECT seq, stream, version, kind, v, at, record, previous, hash FROM events \
         WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(stored(head.seq))
    .bind(PIECE)
    .fetch(connection);
    loop {
        let row = match rows.try_next().await {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(None),
            // Text that is no text, a number that is no number: not what was recorded.
            Err(error @ sqlx::Error::ColumnDecode { .. }) => {
                return Ok(Some(format!("Event {} cannot be read: {error}.", head.seq + 1)));
            }
            Err(error) => return Err(error.into()),
        };
        match step(head, &row) {
            Ok(next) => *head = next,
            Err(why) => return Ok(Some(why)),
        }
        visit(Walked { head, stream: &row.stream, kind: &row.kind, record: &row.record });
    }
}

/// Checks one row against the one before it, and gives the place behind it.
fn step(head: &Head, row: &Row) -> Result<Head, String> {
    let Row { previous, hash, record, .. } = row;
    let next = head.follow(&domain::audit::Link { seq: counted(row.seq), previous, hash, record })?;
    let repeated: Repeated<'_> = serde_json::from_str(record)
        .map_err(|error| format!("The record of event {} cannot be read: {error}.", next.seq))?;
    let same = (repeated.seq, repeated.version, repeated.at, repeated.v) == (row.seq, row.version, row.at, row.v);
    if !same || repeated.stream != row.stream || repeated.event.kind != row.kind {
        return Err(format!("A column of event {} was changed: it does not say what the record says.", next.seq));
    }
    Ok(next)
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
