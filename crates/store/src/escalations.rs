//! Who is called into which run, as a list, and the runs in which something may be due; derived from the folded runs.

use domain::policy::Sight;
use domain::run::{Run, Who};
use domain::view::EscalatedRow;
use domain::{PersonId, RunId, Timestamp};
use sqlx::QueryBuilder;

use crate::sight::only_seen;
use crate::{Connection, Db, Error, Store};

const LAST: &str = "SELECT COALESCE(MAX(number), 0) FROM escalations WHERE run = $1";
const INSERT: &str = "INSERT INTO escalations (run, number, person, by_name, why, at, open) \
     VALUES ($1, $2, $3, $4, $5, $6, 1) ON CONFLICT (run, number, person) DO NOTHING";
// Only what changes is written.
const KEEP_OPEN: &str = "UPDATE escalations SET open = 1 - open \
     WHERE run = $1 AND open <> (CASE WHEN $2 = 1 AND person <> $3 THEN 1 ELSE 0 END)";
const MAY_BE_DUE: &str = "INSERT INTO escalating (run, due) VALUES ($1, $2) \
     ON CONFLICT (run) DO UPDATE SET due = excluded.due WHERE escalating.due <> excluded.due";
const IS_NOT_DUE: &str = "DELETE FROM escalating WHERE run = $1";
const ESCALATING: &str = "SELECT run FROM escalating WHERE due <= $1 ORDER BY run";
const NEXT_DUE: &str = "SELECT MIN(due) FROM escalating WHERE due > $1";

/// Writes what a run's events have changed in the rows of its escalations.
pub(crate) async fn write(connection: &mut Connection, run: &Run) -> Result<(), Error> {
    if !run.escalations.is_empty() {
        insert_new(connection, run).await?;
        let holder = holder(run).map_or("", PersonId::as_str);
        let keep_open = sqlx::query(KEEP_OPEN).bind(run.id.0).bind(i64::from(run.end.is_none())).bind(holder);
        keep_open.execute(&mut *connection).await?;
    }
    if run.plan.escalation.is_by_itself() {
        let query = match run.escalation_due() {
            Some(due) => sqlx::query(MAY_BE_DUE).bind(run.id.0).bind(due.0),
            None => sqlx::query(IS_NOT_DUE).bind(run.id.0),
        };
        query.execute(connection).await?;
    }
    Ok(())
}

/// Writes the escalations that have no rows yet: what was told does not change.
async fn insert_new(connection: &mut Connection, run: &Run) -> Result<(), Error> {
    let last: i64 = sqlx::query_scalar(LAST).bind(run.id.0).fetch_one(&mut *connection).await?;
    for (number, record) in (1_u32..).zip(&run.escalations).filter(|(number, _)| i64::from(*number) > last) {
        let by = if record.line.is_some() { "The portal" } else { record.stamp.by.name() };
        for person in record.to.iter().filter_map(|to| to.person.as_ref()) {
            sqlx::query(INSERT)
                .bind(run.id.0)
                .bind(number)
                .bind(person.as_str())
                .bind(by)
                .bind(run.because_words(record.line, record.because))
                .bind(record.stamp.at.0)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// Who works in a run: they are not called into it.
fn holder(run: &Run) -> Option<&PersonId> {
    match &run.holder.by {
        Who::Person(holder) => Some(&holder.id),
        Who::Portal => None,
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    run: i64,
    number: u32,
    title: String,
    target: String,
    by_name: String,
    why: String,
    at: i64,
}

impl From<Row> for EscalatedRow {
    fn from(row: Row) -> Self {
        Self {
            run: RunId(row.run),
            number: row.number,
            title: row.title,
            target: row.target,
            by: row.by_name,
            why: row.why,
            at: Timestamp(row.at),
        }
    }
}

impl Store {
    /// The open runs into which a person is called and in which somebody else works, by the last call for each, newest first.
    pub async fn escalated_to(&self, person: &PersonId, limit: u32, sight: &Sight) -> Result<Vec<EscalatedRow>, Error> {
        let mut query = QueryBuilder::<Db>::new(
            "SELECT escalations.run, escalations.number, runs.title, runs.target, escalations.by_name, escalations.why, \
             escalations.at FROM escalations JOIN runs ON runs.id = escalations.run \
             WHERE escalations.open = 1 AND escalations.person = ",
        );
        query.push_bind(person.as_str().to_owned());
        query.push(
            " AND NOT EXISTS (SELECT 1 FROM escalations AS later WHERE later.run = escalations.run \
             AND later.person = escalations.person AND later.number > escalations.number)",
        );
        only_seen(&mut query, sight);
        query.push(" ORDER BY escalations.at DESC, escalations.run DESC LIMIT ").push_bind(limit);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(EscalatedRow::from).collect())
    }

    /// The open runs in which something may be due at a moment without a person who decides so, by number.
    pub async fn escalating_runs(&self, now: Timestamp) -> Result<Vec<RunId>, Error> {
        let query = sqlx::query_scalar(ESCALATING).bind(now.0);
        let runs: Vec<i64> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(runs.into_iter().map(RunId).collect())
    }

    /// When something may be due next after a moment; `None` when that needs something to happen first.
    pub async fn next_escalation(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let query = sqlx::query_scalar(NEXT_DUE).bind(now.0);
        let next: Option<i64> = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(next.map(Timestamp))
    }
}

#[cfg(test)]
mod tests;
