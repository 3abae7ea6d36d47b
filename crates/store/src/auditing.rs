//! Reading the chain: a page of it, and the part that proves one run.

use domain::audit::{Head, Link};
use domain::run::Who;
use domain::view::AuditRow;
use domain::{Digest, RunId, Timestamp};
use futures::TryStreamExt as _;
use serde::Deserialize;
use serde_json::Value;

use crate::events::{PORTAL, stream};
use crate::{Error, Store, counted, stored};

/// A piece of the chain, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPiece {
    /// The events.
    pub rows: Vec<AuditRow>,
    /// The place before which older ones go on; `None` at the first event.
    pub older: Option<u64>,
}

/// An event on the way from the first one of a run to a checkpoint behind its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvidenceRow {
    /// One of the run, as it is stored.
    Own(String),
    /// One of something else: only what links it.
    Other(Digest),
}

#[derive(Debug, sqlx::FromRow)]
struct Listed {
    seq: i64,
    version: i64,
    stream: String,
    kind: String,
    at: i64,
    record: String,
}

#[derive(Debug, Deserialize)]
struct Record {
    by: Option<Who>,
    event: Value,
}

impl Listed {
    fn row(self) -> AuditRow {
        let record = serde_json::from_str::<Record>(&self.record).ok();
        let run = self.stream.strip_prefix("run:").and_then(|run| run.parse().ok()).map(RunId);
        let body = record.as_ref().and_then(|record| record.event.get("body")).and_then(Value::as_object);
        let details = body.map(|body| body.iter().map(|(name, value)| (name.clone(), plain(value))).collect());
        AuditRow {
            seq: counted(self.seq),
            at: Timestamp(self.at),
            by: record.and_then(|record| record.by),
            run,
            kind: self.kind,
            details: details.unwrap_or_default(),
            hidden: false,
        }
    }
}

/// A value without the quotes and brackets of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) if values.is_empty() => "none".to_owned(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

impl Store {
    /// At most `limit` events before a place, newest first; of all, or only of what happened to no run. The places of the
    /// second kind are those in its own stream.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn chain_piece(&self, before: Option<u64>, limit: u32, portal_only: bool) -> Result<ChainPiece, Error> {
        let query = if portal_only {
            "SELECT seq, version, stream, kind, at, record FROM events WHERE stream = $3 AND version < $1 \
             ORDER BY version DESC LIMIT $2"
        } else {
            "SELECT seq, version, stream, kind, at, record FROM events WHERE seq < $1 AND $3 <> '' \
             ORDER BY seq DESC LIMIT $2"
        };
        let mut connection = self.reader().await?;
        let listed: Vec<Listed> = sqlx::query_as(query)
            .bind(before.map_or(i64::MAX, stored))
            .bind(i64::from(limit))
            .bind(PORTAL)
            .fetch_all(&mut *connection)
            .await?;
        let place = |row: &Listed| counted(if portal_only { row.version } else { row.seq });
        let older = listed.last().map(place).filter(|place| *place > 1 && listed.len() >= limit as usize);
        Ok(ChainPiece { rows: listed.into_iter().map(Listed::row).collect(), older })
    }

    /// The places of a run's first and last event, and when the last one was.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn places_of(&self, run: RunId) -> Result<Option<(u64, u64, Timestamp)>, Error> {
        let mut connection = self.reader().await?;
        let row: (Option<i64>, Option<i64>, Option<i64>) =
            sqlx::query_as("SELECT MIN(seq), MAX(seq), MAX(at) FROM events WHERE stream = $1")
                .bind(stream(run))
                .fetch_one(&mut *connection)
                .await?;
        let (Some(first), Some(last), Some(at)) = row else { return Ok(None) };
        Ok(Some((counted(first), counted(last), Timestamp(at))))
    }

    /// Hands out what leads from the first event of a run to a place behind its last one, in the order of the chain, and gives
    /// the place before the first. Ends early when `visit` fails.
    ///
    /// # Errors
    ///
    /// What `visit` answers with; [`Error::Inconsistent`] when an event of something else is linked in the form of the first
    /// versions, which cannot be shown by its digest.
    pub async fn walk_evidence<E: From<Error>>(
        &self,
        run: RunId,
        (first, last): (u64, u64),
        mut visit: impl FnMut(EvidenceRow) -> Result<(), E>,
    ) -> Result<Head, E> {
        let own = stream(run);
        let mut connection = self.reader().await?;
        let mut rows = sqlx::query_as::<_, (i64, String, String, String, String)>(
            "SELECT seq, stream, previous, hash, record FROM events WHERE seq BETWEEN $1 AND $2 ORDER BY seq",
        )
        .bind(stored(first))
        .bind(stored(last))
        .fetch(&mut *connection);
        let mut before = None;
        while let Some((seq, stream, previous, hash, record)) = rows.try_next().await.map_err(Error::from)? {
            let here = Head { seq: counted(seq) - 1, hash: previous.clone() };
            let link = Link { seq: counted(seq), previous: &previous, hash: &hash, record: &record };
            if !here.is_by_digest(&link) {
                return Err(Error::Inconsistent(format!("event {seq} is not linked by its digest")).into());
            }
            before.get_or_insert(here);
            visit(if stream == own {
                EvidenceRow::Own(record)
            } else {
                EvidenceRow::Other(Digest::of(record.as_bytes()))
            })?;
        }
        before.ok_or_else(|| Error::Gone.into())
    }
}

#[cfg(test)]
mod tests {
    use domain::policy::Role;
    use testkit::{NOW, who};

    use super::*;
    use crate::tests::{begun, continued, note, store};

    #[tokio::test]
    async fn pages_of_the_chain_tile_it_newest_first() {
        let (store, _folder) = store().await;
        let mut run = begun(&store).await;
        for _ in 0..4 {
            run = continued(&store, Some(run), &[note("a")], NOW).await;
        }

        let newest = store.chain_piece(None, 4, false).await.unwrap();
        let rest = store.chain_piece(newest.older, 4, false).await.unwrap();

        let seqs: Vec<u64> = newest.rows.iter().chain(&rest.rows).map(|row| row.seq).collect();
        assert_eq!((seqs, rest.older), (vec![6, 5, 4, 3, 2, 1], None));
        assert_eq!((newest.rows[0].run, newest.rows[0].kind.as_str()), (Some(run.id), "note_added"));
    }

    #[tokio::test]
    async fn what_happened_to_no_run_is_listed_alone_with_its_details() {
        let (store, _folder) = store().await;
        begun(&store).await;
        let mut write = store.begin().await.unwrap();
        write
            .audit(Some(&who(Role::Lead)), NOW, "refused", serde_json::json!({ "what": "people", "count": 2 }))
            .await
            .unwrap();
        write.commit().await.unwrap();

        let newest = store.chain_piece(None, 1, true).await.unwrap();
        let rest = store.chain_piece(newest.older, 1, true).await.unwrap();

        assert_eq!(
            newest.rows[0].details,
            [("what".to_owned(), "people".to_owned()), ("count".to_owned(), "2".to_owned())]
        );
        assert_eq!((rest.rows[0].kind.as_str(), rest.older), ("database_created", None));
    }

    #[tokio::test]
    async fn the_evidence_of_a_run_shows_its_own_events_and_only_digests_of_others() {
        let (store, _folder) = store().await;
        let one = begun(&store).await;
        let other = begun(&store).await;
        continued(&store, Some(one.clone()), &[note("of the first")], NOW).await;
        continued(&store, Some(other), &[note("of the second")], NOW).await;
        let (first, last, _) = store.places_of(one.id).await.unwrap().unwrap();
        let head = store.chain_head().await.unwrap();

        let mut rows = Vec::new();
        let before = store
            .walk_evidence::<Error>(one.id, (first, head.seq), |row| {
                rows.push(row);
                Ok(())
            })
            .await
            .unwrap();

        assert_eq!((first, last, before.seq, rows.len()), (2, 4, 1, 4));
        let walked = rows.iter().fold(before, |head, row| match row {
            EvidenceRow::Own(record) => head.then(&Digest::of(record.as_bytes())),
            EvidenceRow::Other(digest) => head.then(digest),
        });
        assert_eq!(walked, head);
        assert!(!format!("{rows:?}").contains("of the second"));
    }
}
