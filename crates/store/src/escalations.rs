//! Who is called into which run, as a list, and the runs in which something may be due; derived from the folded runs.

use domain::policy::Sight;
use domain::run::{Run, Who};
use domain::view::EscalatedRow;
use domain::{PersonId, RunId, Timestamp};
use sqlx::QueryBuilder;

use crate::sight::only_seen;
use crate::{Connection, Db, Error, Store};

const UPSERT: &str = "INSERT INTO escalations (run, number, person, by_name, why, at, open) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (run, number, person) DO UPDATE SET open = excluded.open";
const MAY_BE_DUE: &str = "INSERT INTO escalating (run) VALUES ($1) ON CONFLICT (run) DO NOTHING";
const IS_NOT_DUE: &str = "DELETE FROM escalating WHERE run = $1";
const ESCALATING: &str = "SELECT run FROM escalating ORDER BY run";

/// Writes the rows of a run's escalations anew.
pub(crate) async fn write(connection: &mut Connection, run: &Run) -> Result<(), Error> {
    for (number, record) in (1_u32..).zip(&run.escalations) {
        for person in record.to.iter().filter_map(|to| to.person.as_ref()) {
            let open = run.end.is_none() && !is_held_by(run, person);
            let by = if record.line.is_some() { "The portal" } else { record.stamp.by.name() };
            sqlx::query(UPSERT)
                .bind(run.id.0)
                .bind(number)
                .bind(person.as_str())
                .bind(by)
                .bind(run.because_words(record.line, record.because))
                .bind(record.stamp.at.0)
                .bind(i64::from(open))
                .execute(&mut *connection)
                .await?;
        }
    }
    if run.plan.escalation.is_by_itself() {
        let query = if run.end.is_none() { MAY_BE_DUE } else { IS_NOT_DUE };
        sqlx::query(query).bind(run.id.0).execute(connection).await?;
    }
    Ok(())
}

fn is_held_by(run: &Run, person: &PersonId) -> bool {
    matches!(&run.holder.by, Who::Person(holder) if holder.id == *person)
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

    /// The open runs in which something may be due without a person who decides so, by number.
    pub async fn escalating_runs(&self) -> Result<Vec<RunId>, Error> {
        let runs: Vec<i64> = sqlx::query_scalar(ESCALATING).fetch_all(&mut *self.reader().await?).await?;
        Ok(runs.into_iter().map(RunId).collect())
    }
}

#[cfg(test)]
mod tests;
