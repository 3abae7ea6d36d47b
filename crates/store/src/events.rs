//! Events in and out: appending to a run, folding a run, and what happens to no run.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use domain::policy::Sight;
use domain::run::{Entry, Event, Run, Who, evolve};
use domain::{RunId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::QueryBuilder;

use crate::chain::{self, Link};
use crate::sight::only_seen;
use crate::{Connection, Db, Error, Store, Write, attempts, counted, projection, stored};

/// The stream of everything that happens to no run.
pub(crate) const PORTAL: &str = "portal";

pub(crate) fn stream(run: RunId) -> String {
    format!("run:{run}")
}

/// A stored event of a run.
#[derive(Debug, sqlx::FromRow)]
struct Row {
    version: i64,
    kind: String,
    v: i64,
    record: String,
}

/// What a record of a run holds, besides what the row repeats.
#[derive(Debug, Deserialize)]
struct Record {
    at: Timestamp,
    by: Who,
    event: Event,
}

impl Row {
    /// The entry; `None` when this version of the portal does not know the event.
    fn entry(&self) -> Option<Entry> {
        if self.v > Event::VERSION {
            return None;
        }
        let Record { at, by, event } = serde_json::from_str(&self.record).ok()?;
        Some(Entry { version: counted(self.version), at, by, event })
    }

    /// When it was recorded, also of an event that this version does not know.
    fn at(&self) -> Option<Timestamp> {
        #[derive(Deserialize)]
        struct Head {
            at: Timestamp,
        }
        serde_json::from_str::<Head>(&self.record).ok().map(|head| head.at)
    }

    fn unknown(&self) -> String {
        format!(
            "its event {} is of a kind that this version of the portal does not know ({}, version {})",
            self.version, self.kind, self.v
        )
    }
}

async fn rows(connection: &mut Connection, run: RunId, after: u64) -> Result<Vec<Row>, Error> {
    let rows = sqlx::query_as(
        "SELECT version, kind, v, record FROM events WHERE stream = $1 AND version > $2 ORDER BY version",
    )
    .bind(stream(run))
    .bind(stored(after))
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// The run that its events add up to.
pub(crate) async fn fold(connection: &mut Connection, id: RunId) -> Result<Option<Run>, Error> {
    let rows = rows(connection, id, 0).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let mut unknown = None;
    let run = rows.iter().fold(None, |run: Option<Run>, row| {
        if let Some(entry) = row.entry() {
            return evolve(id, run, &entry);
        }
        unknown.get_or_insert_with(|| row.unknown());
        run.map(|run| Run { version: counted(row.version), touched: row.at().unwrap_or(run.touched), ..run })
    });
    match run {
        Some(run) => Ok(Some(Run { unreadable: unknown, ..run })),
        None => Err(Error::Inconsistent(format!("run {id} cannot be read at all: {}", first.unknown()))),
    }
}

/// The runs among some that somebody sees.
async fn seen(connection: &mut Connection, among: &[RunId], sight: &Sight) -> Result<BTreeSet<RunId>, Error> {
    if among.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut query = QueryBuilder::<Db>::new("SELECT id FROM runs WHERE runs.id IN (");
    let mut ids = query.separated(", ");
    for id in among {
        ids.push_bind(id.0);
    }
    query.push(")");
    only_seen(&mut query, sight);
    let found: Vec<i64> = query.build_query_scalar().fetch_all(connection).await?;
    Ok(found.into_iter().map(RunId).collect())
}

/// A run, when somebody sees it. One that they do not see is not even read, so that it takes no longer than one that is not there.
async fn fold_seen(connection: &mut Connection, id: RunId, sight: &Sight) -> Result<Option<Run>, Error> {
    let hidden = sight.groups().is_some() && seen(&mut *connection, &[id], sight).await?.is_empty();
    if hidden { Ok(None) } else { fold(connection, id).await }
}

impl Store {
    /// A run as it stands, for somebody who sees it.
    pub async fn run(&self, id: RunId, sight: &Sight) -> Result<Option<Run>, Error> {
        fold_seen(&mut *self.reader().await?, id, sight).await
    }

    /// The runs among some that are there and that somebody sees.
    pub async fn seen(&self, among: &[RunId], sight: &Sight) -> Result<BTreeSet<RunId>, Error> {
        seen(&mut *self.reader().await?, among, sight).await
    }

    /// The events of a run after a version, oldest first. What this version of the portal does not know is left out.
    pub async fn entries(&self, run: RunId, after: u64) -> Result<Vec<Entry>, Error> {
        let rows = rows(&mut *self.reader().await?, run, after).await?;
        Ok(rows.iter().filter_map(Row::entry).collect())
    }
}

impl Write {
    /// A run as it stands, inside the transaction, for somebody who sees it.
    pub async fn load(&mut self, run: RunId, sight: &Sight) -> Result<Option<Run>, Error> {
        fold_seen(self.connection(), run, sight).await
    }

    /// The number that the next run gets.
    pub async fn next_run(&mut self) -> Result<RunId, Error> {
        let last: i64 =
            sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM runs").fetch_one(self.connection()).await?;
        Ok(RunId(last + 1))
    }

    /// Appends events to a run, and gives the run as it stands then with its new entries.
    ///
    /// `run` is the folded run that the events were decided on; `None` for a new one. Chain, lists and attempts change in
    /// this transaction or not at all. A run with events that are not known is continued behind them: they stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`] when the run is not at that version any more: nothing of it may be committed then.
    pub async fn append(
        &mut self,
        run: Option<Run>,
        id: RunId,
        by: &Who,
        now: Timestamp,
        events: &[Event],
    ) -> Result<(Run, Vec<Entry>), Error> {
        let seen = run.as_ref().map_or(0, |run| run.version);
        let numbered = (seen + 1..).zip(events);
        let entries: Vec<Entry> =
            numbered.map(|(version, event)| Entry { version, at: now, by: by.clone(), event: event.clone() }).collect();
        let run = entries.iter().fold(run, |run, entry| evolve(id, run, entry));
        let Some(run) = run.filter(|run| run.id == id) else {
            return Err(Error::Inconsistent(format!("these events do not make or continue run {id}")));
        };
        if !entries.is_empty() {
            self.record(&run, seen, &entries).await?;
        }
        Ok((run, entries))
    }

    async fn record(&mut self, run: &Run, seen: u64, entries: &[Entry]) -> Result<(), Error> {
        let connection = self.connection();
        let known = run.unreadable.is_none() || entries.iter().any(|entry| ends_lock(&entry.event));
        // What is not known may have taken the lock, or let it go.
        let target =
            if known { projection::target_held(run) } else { projection::target_noted(connection, run.id).await? };
        projection::write(connection, run, seen, target).await?;
        let stream = stream(run.id);
        for Entry { version, at, by, event } in entries {
            let (kind, v) = (event.kind(), Event::VERSION);
            let link = Link { stream: &stream, version: *version, at: *at, by: Some(by), kind, v, event };
            chain::extend(connection, link).await?;
            attempts::note(connection, run, *at, event).await?;
        }
        Ok(())
    }

    /// Records something that happens to no run: a sign-in, a change of people, a refusal. It stands in the same chain.
    pub async fn audit(&mut self, by: Option<&Who>, now: Timestamp, kind: &str, body: Value) -> Result<(), Error> {
        let connection = self.connection();
        let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = $1")
            .bind(PORTAL)
            .fetch_one(&mut *connection)
            .await?;
        let event = json!({ "kind": kind, "body": body });
        let link = Link { stream: PORTAL, version: counted(last) + 1, at: now, by, kind, v: 1, event: &event };
        chain::extend(connection, link).await
    }

    /// Makes the lists anew from the events: they hold nothing that is not there.
    pub async fn rebuild(&mut self) -> Result<(), Error> {
        let connection = self.connection();
        sqlx::query("DELETE FROM escalating").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM escalations").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM redactions").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM approval_sets").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM approvals").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM attempts").execute(&mut *connection).await?;
        sqlx::query("DELETE FROM runs").execute(&mut *connection).await?;
        let mut after = 0;
        while let ControlFlow::Continue(seq) = rebuild_next(connection, after).await? {
            after = seq;
        }
        Ok(())
    }
}

const fn ends_lock(event: &Event) -> bool {
    matches!(event, Event::LockLost { .. } | Event::RunFinished { .. })
}

/// Makes the list rows of the run that began first after a place in the chain; gives that run's own place.
async fn rebuild_next(connection: &mut Connection, after: i64) -> Result<ControlFlow<(), i64>, Error> {
    let next: Option<(i64, String)> = sqlx::query_as(
        "SELECT seq, stream FROM events WHERE seq > $1 AND version = 1 AND stream LIKE 'run:%' ORDER BY seq LIMIT 1",
    )
    .bind(after)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((seq, stream)) = next else { return Ok(ControlFlow::Break(())) };
    let Some(id) = stream.strip_prefix("run:").and_then(|id| id.parse().ok()).map(RunId) else {
        return Err(Error::Inconsistent(format!("the stream {stream} is of no run")));
    };
    if let Some(run) = fold(connection, id).await? {
        projection::write(connection, &run, 0, projection::target_held(&run)).await?;
        for entry in rows(connection, id, 0).await?.iter().filter_map(Row::entry) {
            attempts::note(connection, &run, entry.at, &entry.event).await?;
        }
    }
    Ok(ControlFlow::Continue(seq))
}

#[cfg(test)]
mod tests;
