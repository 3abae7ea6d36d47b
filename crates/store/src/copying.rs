//! A copy of the whole database as it is at one moment, and what whoever copies the files beside it has to know.

use domain::redaction::ByteRange;
use domain::run::Event;
use domain::{AttemptId, Digest, RunId};
use serde::Deserialize;

use crate::opening::schema;
use crate::{Error, Store, counted, stored};

/// After so many steps of its machine `SQLite` asks whether it should go on: some times in a millisecond.
const STEPS: i32 = 10_000;

/// An attempt of the list, with whether its end was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedAttempt {
    /// Which it is.
    pub id: AttemptId,
    /// Whether it had not ended.
    pub open: bool,
}

/// What the record says is covered in the output of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredOutput {
    /// Whose output it is.
    pub id: AttemptId,
    /// The places, in their order.
    pub ranges: Vec<ByteRange>,
    /// What the output is then.
    pub new: Digest,
}

impl Store {
    /// Writes the database as it is at this moment into a file that is empty or not there, durably. The portal that works with it
    /// goes on meanwhile: this is one long look, for which nobody who writes has to wait. `file` is an absolute path. It ends
    /// early, with an error, when `goes_on` says so.
    ///
    /// By `VACUUM INTO` and not page by page (`sqlite3_backup_step`): the driver offers the second to unsafe code only, it begins
    /// anew whenever another process writes between two of its steps, and done in one step it is no shorter a look than this. The
    /// copy is one file without a log beside it, has nothing of what was deleted, and every row of it was read.
    ///
    /// # Errors
    ///
    /// [`Error::Full`] when there is no room for the copy.
    pub async fn copy_into(&self, file: &str, goes_on: impl FnMut() -> bool + Send + 'static) -> Result<(), Error> {
        let mut connection = self.reader().await?;
        connection.lock_handle().await?.set_progress_handler(STEPS, goes_on);
        let copied = sqlx::query("VACUUM INTO $1").bind(file).execute(&mut *connection).await;
        connection.lock_handle().await?.remove_progress_handler();
        copied?;
        Ok(())
    }

    /// The version of the database's schema.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn schema(&self) -> Result<i64, Error> {
        Ok(schema(&mut *self.reader().await?).await?)
    }

    /// How many runs there are.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn count_runs(&self) -> Result<u64, Error> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM runs").fetch_one(&mut *self.reader().await?).await?;
        Ok(counted(count))
    }

    /// The next attempts of all runs behind one, in the order of their numbers, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn attempts_behind(&self, last: Option<AttemptId>, limit: u32) -> Result<Vec<ListedAttempt>, Error> {
        let (run, step, attempt) = last.map_or((0, 0, 0), |id| (id.run.0, id.step, id.attempt));
        let rows: Vec<(i64, u32, u32, i64)> = sqlx::query_as(
            "SELECT run, step, attempt, ended IS NULL FROM attempts WHERE (run, step, attempt) > ($1, $2, $3) \
             ORDER BY run, step, attempt LIMIT $4",
        )
        .bind(run)
        .bind(step)
        .bind(attempt)
        .bind(limit)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let listed = |(run, step, attempt, open)| {
            let id = AttemptId { run: RunId(run), step, attempt };
            ListedAttempt { id, open: open != 0 }
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// What was recorded as covered behind a place in the chain, oldest first. What this version of the portal does not know is
    /// left out.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn covered_behind(&self, seq: u64) -> Result<Vec<CoveredOutput>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT stream, record FROM events WHERE seq > $1 AND kind = 'output_redacted' ORDER BY seq",
        )
        .bind(stored(seq))
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(rows.iter().filter_map(|(stream, record)| covered(stream, record)).collect())
    }
}

fn covered(stream: &str, record: &str) -> Option<CoveredOutput> {
    #[derive(Deserialize)]
    struct Record {
        event: Event,
    }
    let run = stream.strip_prefix("run:").and_then(|run| run.parse().ok()).map(RunId)?;
    match serde_json::from_str::<Record>(record).ok()?.event {
        Event::OutputRedacted { step, attempt, ranges, new, .. } => {
            Some(CoveredOutput { id: AttemptId { run, step, attempt }, ranges, new })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
