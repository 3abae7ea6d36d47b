//! The attempts of all runs, as a list: which are open, and that none has the number of another.

use domain::policy::Sight;
use domain::run::{Event, Run};
use domain::view::UsualStep;
use domain::{AttemptId, Digest, RunId, Timestamp};
use sqlx::QueryBuilder;

use crate::sight::only_of_seen;
use crate::{Connection, Db, Error, Store, counted, stored};

/// Follows an event that begins or ends an attempt.
///
/// The table's own rules are the last defence of "one intent for each number, one open at a time".
pub(crate) async fn note(connection: &mut Connection, run: &Run, at: Timestamp, event: &Event) -> Result<(), Error> {
    let id = |step: &u32, attempt: &u32| AttemptId { run: run.id, step: *step, attempt: *attempt };
    match event {
        Event::AttemptStarted { step, attempt, .. } => begin(connection, id(step, attempt), at).await,
        Event::AttemptEnded { step, attempt, .. } | Event::AttemptInterrupted { step, attempt, .. } => {
            let id = id(step, attempt);
            end(connection, id, at, run.took(id)).await
        }
        _ => Ok(()),
    }
}

async fn begin(connection: &mut Connection, id: AttemptId, at: Timestamp) -> Result<(), Error> {
    sqlx::query("INSERT INTO attempts (run, step, attempt, started) VALUES ($1, $2, $3, $4)")
        .bind(id.run.0)
        .bind(id.step)
        .bind(id.attempt)
        .bind(at.0)
        .execute(connection)
        .await
        .map_err(|error| {
            Error::unless_unique(
                error,
                Error::Inconsistent(format!("attempt {id} exists, or another one of its run is open")),
            )
        })?;
    Ok(())
}

async fn end(
    connection: &mut Connection,
    id: AttemptId,
    at: Timestamp,
    took: Option<(Digest, u64)>,
) -> Result<(), Error> {
    let (work, took) = took.map(|(work, took)| (work.to_string(), stored(took))).unzip();
    let ended = sqlx::query(END)
        .bind(id.run.0)
        .bind(id.step)
        .bind(id.attempt)
        .bind(at.0)
        .bind(work)
        .bind(took)
        .execute(connection)
        .await?;
    match ended.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Inconsistent(format!("attempt {id} is not open"))),
    }
}

const END: &str = "UPDATE attempts SET ended = $4, work = $5, took = $6 \
     WHERE run = $1 AND step = $2 AND attempt = $3 AND ended IS NULL";

/// Earlier attempts that tell how long a step usually takes; fewer than `USUAL_FROM` tell nothing.
const USUAL_OF: u32 = 20;
const USUAL_FROM: usize = 3;

/// How long earlier attempts at the same work took, in runs that somebody sees.
fn usual(work: String, run: RunId, sight: &Sight) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new("SELECT took FROM attempts WHERE work = ");
    query.push_bind(work).push(" AND run <> ").push_bind(run.0);
    only_of_seen(&mut query, "attempts.run", sight);
    query.push(" ORDER BY run DESC LIMIT ").push_bind(USUAL_OF);
    query
}

impl Store {
    /// How long each step of a run usually takes, from the earlier runs in which it did the same, by its place in the plan.
    pub async fn usual_steps(&self, run: &Run, sight: &Sight) -> Result<Vec<Option<UsualStep>>, Error> {
        let mut reader = self.reader().await?;
        let mut usual = Vec::with_capacity(run.plan.steps.len());
        for step in &run.plan.steps {
            let work = run.plan.work_of(step).to_string();
            let mut query = self::usual(work, run.id, sight);
            let took: Vec<i64> = query.build_query_scalar().fetch_all(&mut *reader).await?;
            usual.push(percentiles(took.into_iter().map(counted).collect()));
        }
        Ok(usual)
    }

    /// Every attempt that has not ended, of all runs.
    pub async fn open_attempts(&self) -> Result<Vec<AttemptId>, Error> {
        let rows: Vec<(i64, u32, u32)> =
            sqlx::query_as("SELECT run, step, attempt FROM attempts WHERE ended IS NULL ORDER BY run")
                .fetch_all(&mut *self.reader().await?)
                .await?;
        Ok(rows.into_iter().map(|(run, step, attempt)| AttemptId { run: RunId(run), step, attempt }).collect())
    }
}

/// The 50th and the 90th percentile of some durations by nearest rank.
fn percentiles(mut durations: Vec<u64>) -> Option<UsualStep> {
    if durations.len() < USUAL_FROM {
        return None;
    }
    durations.sort_unstable();
    let rank = |percent: usize| durations[(durations.len() * percent).div_ceil(100) - 1];
    Some(UsualStep { median_ms: rank(50), high_ms: rank(90) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_span_is_told_by_percentiles_and_only_from_three_on() {
        assert_eq!(percentiles(vec![5, 5]), None);
        assert_eq!(percentiles(vec![30, 10, 20]), Some(UsualStep { median_ms: 20, high_ms: 30 }));
        assert_eq!(percentiles((1..=20).collect()), Some(UsualStep { median_ms: 10, high_ms: 18 }));
    }
}
