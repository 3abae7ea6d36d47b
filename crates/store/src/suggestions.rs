//! What fires and suggests procedures: one row for each name of alerts and service, and the runs that were started from it.

use std::collections::{BTreeMap, BTreeSet};

use domain::view::SuggestedBy;
use domain::{RunId, SuggestionId, Timestamp};
use sqlx::QueryBuilder;

use crate::{Connection, Db, Error, Store, Write, counted, stored};

/// So many suggestions that are over are kept, beside those from which a run was started.
const KEPT: i64 = 1_000;

/// A suggestion as it is stored, until nothing of it fires any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSuggestion {
    /// Which.
    pub id: SuggestionId,
    /// What there is to know about it.
    pub about: NewSuggestion,
    /// When the portal heard of it last.
    pub heard: Timestamp,
    /// How often it did.
    pub times: u64,
    /// When somebody dismissed it.
    pub dismissed: Option<Timestamp>,
}

/// A suggestion that is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSuggestion {
    /// The name of the alerts.
    pub alert: String,
    /// The service that they are about; may be empty.
    pub service: String,
    /// What they say; may be empty.
    pub summary: String,
    /// The labels that procedures ask for.
    pub labels: BTreeMap<String, String>,
    /// Those that fire, each by its mark.
    pub firing: BTreeSet<String>,
    /// Since when the first of them fires.
    pub since: Timestamp,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    alert: String,
    service: String,
    summary: String,
    labels: String,
    firing: String,
    since: i64,
    heard: i64,
    times: i64,
    dismissed: Option<i64>,
}

impl TryFrom<Row> for StoredSuggestion {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let unreadable = |_| Error::Inconsistent(format!("suggestion {} cannot be read", row.id));
        let about = NewSuggestion {
            labels: serde_json::from_str(&row.labels).map_err(unreadable)?,
            firing: serde_json::from_str(&row.firing).map_err(unreadable)?,
            alert: row.alert,
            service: row.service,
            summary: row.summary,
            since: Timestamp(row.since),
        };
        Ok(Self {
            id: SuggestionId(row.id),
            about,
            heard: Timestamp(row.heard),
            times: counted(row.times),
            dismissed: row.dismissed.map(Timestamp),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ByRow {
    id: i64,
    alert: String,
    service: String,
    since: i64,
}

impl From<ByRow> for SuggestedBy {
    fn from(row: ByRow) -> Self {
        Self { id: SuggestionId(row.id), alert: row.alert, service: row.service, since: Timestamp(row.since) }
    }
}

/// Statements that give suggestions begin with what makes a row of one.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, alert, service, summary, labels, firing, since, heard, times, dismissed FROM suggestions ",
            $rest
        )
    };
}

const STANDING: &str = select!("WHERE resolved IS NULL ORDER BY id");
const BY_ID: &str = select!("WHERE id = $1");
const BY_RUN: &str =
    "SELECT id, alert, service, since FROM suggested_runs JOIN suggestions ON id = suggestion WHERE run = $1";

/// A suggestion that is over and from which no run was started is forgotten when a thousand others have come behind it.
const FORGET: &str = "DELETE FROM suggestions WHERE resolved IS NOT NULL AND id <= $1 \
     AND NOT EXISTS (SELECT 1 FROM suggested_runs WHERE suggestion = suggestions.id)";

impl Store {
    /// The suggestions of which something still fires, those that were dismissed as well, in the order in which they came.
    pub async fn standing_suggestions(&self) -> Result<Vec<StoredSuggestion>, Error> {
        let rows: Vec<Row> = sqlx::query_as(STANDING).fetch_all(&mut *self.reader().await?).await?;
        rows.into_iter().map(StoredSuggestion::try_from).collect()
    }

    /// A suggestion, also one that is over.
    pub async fn suggestion(&self, id: SuggestionId) -> Result<Option<StoredSuggestion>, Error> {
        let row: Option<Row> = sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&mut *self.reader().await?).await?;
        row.map(StoredSuggestion::try_from).transpose()
    }

    /// The suggestion from which a run was started.
    pub async fn suggestion_of(&self, run: RunId) -> Result<Option<SuggestedBy>, Error> {
        let row: Option<ByRow> = sqlx::query_as(BY_RUN).bind(run.0).fetch_optional(&mut *self.reader().await?).await?;
        Ok(row.map(SuggestedBy::from))
    }

    /// The runs that were started from suggestions, oldest first. Whoever shows them looks first who sees them.
    pub async fn runs_suggested_by(&self, ids: &[SuggestionId]) -> Result<Vec<(SuggestionId, RunId)>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT suggestion, run FROM suggested_runs WHERE suggestion IN (");
        let mut listed = query.separated(", ");
        for id in ids {
            listed.push_bind(id.0);
        }
        query.push(") ORDER BY run");
        let rows: Vec<(i64, i64)> = query.build_query_as().fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(|(suggestion, run)| (SuggestionId(suggestion), RunId(run))).collect())
    }
}

impl Write {
    /// Opens a suggestion.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`] when there is one of this name and service of which something still fires.
    pub async fn open_suggestion(&mut self, new: &NewSuggestion, now: Timestamp) -> Result<SuggestionId, Error> {
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO suggestions (alert, service, summary, labels, firing, since, opened, heard, times) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1) RETURNING id",
        )
        .bind(&new.alert)
        .bind(&new.service)
        .bind(&new.summary)
        .bind(json(&new.labels)?)
        .bind(json(&new.firing)?)
        .bind(new.since.0)
        .bind(now.0)
        .fetch_one(self.connection())
        .await
        .map_err(|error| Error::unless_unique(error, Error::Moved))?;
        sqlx::query(FORGET).bind(id - KEPT).execute(self.connection()).await?;
        Ok(SuggestionId(id))
    }

    /// Writes down what was heard of a suggestion again.
    pub async fn hear_suggestion(&mut self, heard: &StoredSuggestion) -> Result<(), Error> {
        let query = sqlx::query(
            "UPDATE suggestions SET summary = $2, labels = $3, firing = $4, since = $5, heard = $6, times = $7 \
             WHERE id = $1 AND resolved IS NULL",
        );
        let about = &heard.about;
        let done = query
            .bind(heard.id.0)
            .bind(&about.summary)
            .bind(json(&about.labels)?)
            .bind(json(&about.firing)?)
            .bind(about.since.0)
            .bind(heard.heard.0)
            .bind(stored(heard.times))
            .execute(self.connection())
            .await?;
        one(done.rows_affected())
    }

    /// Nothing of a suggestion fires any more.
    pub async fn close_suggestion(&mut self, id: SuggestionId, now: Timestamp) -> Result<(), Error> {
        set(self.connection(), "UPDATE suggestions SET resolved = $2 WHERE id = $1 AND resolved IS NULL", id, now).await
    }

    /// Somebody dismisses a suggestion.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when it is over, or was dismissed already.
    pub async fn dismiss_suggestion(&mut self, id: SuggestionId, now: Timestamp) -> Result<(), Error> {
        let query = "UPDATE suggestions SET dismissed = $2 WHERE id = $1 AND resolved IS NULL AND dismissed IS NULL";
        set(self.connection(), query, id, now).await
    }

    /// Keeps from which suggestion a run was started.
    pub async fn link_suggestion(&mut self, run: RunId, id: SuggestionId) -> Result<(), Error> {
        sqlx::query("INSERT INTO suggested_runs (run, suggestion) VALUES ($1, $2)")
            .bind(run.0)
            .bind(id.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

async fn set(connection: &mut Connection, query: &'static str, id: SuggestionId, now: Timestamp) -> Result<(), Error> {
    one(sqlx::query(query).bind(id.0).bind(now.0).execute(connection).await?.rows_affected())
}

fn one(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::Gone) }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value)
        .map_err(|error| Error::Inconsistent(format!("a suggestion cannot be written down: {error}")))
}

#[cfg(test)]
mod tests;
