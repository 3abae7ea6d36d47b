//! The attempts of all runs, as a list: which are open, and that none has the number of another.

use domain::run::Event;
use domain::{AttemptId, RunId, Timestamp};

use crate::{Connection, Error, Store};

/// Follows an event that begins or ends an attempt.
///
/// The table's own rules are the last defence of "one intent for each number, one open at a time".
pub(crate) async fn note(connection: &mut Connection, run: RunId, at: Timestamp, event: &Event) -> Result<(), Error> {
    match event {
        Event::AttemptStarted { step, attempt, .. } => {
            begin(connection, AttemptId { run, step: *step, attempt: *attempt }, at).await
        }
        Event::AttemptEnded { step, attempt, .. } | Event::AttemptInterrupted { step, attempt, .. } => {
            end(connection, AttemptId { run, step: *step, attempt: *attempt }, at).await
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

async fn end(connection: &mut Connection, id: AttemptId, at: Timestamp) -> Result<(), Error> {
    let ended =
        sqlx::query("UPDATE attempts SET ended = $4 WHERE run = $1 AND step = $2 AND attempt = $3 AND ended IS NULL")
            .bind(id.run.0)
            .bind(id.step)
            .bind(id.attempt)
            .bind(at.0)
            .execute(connection)
            .await?;
    match ended.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::Inconsistent(format!("attempt {id} is not open"))),
    }
}

impl Store {
    /// Every attempt that has not ended, of all runs.
    pub async fn open_attempts(&self) -> Result<Vec<AttemptId>, Error> {
        let rows: Vec<(i64, u32, u32)> =
            sqlx::query_as("SELECT run, step, attempt FROM attempts WHERE ended IS NULL ORDER BY run")
                .fetch_all(&mut *self.reader().await?)
                .await?;
        Ok(rows.into_iter().map(|(run, step, attempt)| AttemptId { run: RunId(run), step, attempt }).collect())
    }
}
