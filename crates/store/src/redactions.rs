//! What is to be covered in stored output, as a list, derived from the folded runs.

use domain::RunId;
use domain::run::Run;

use crate::{Connection, Error, Store};

const UPSERT: &str = "INSERT INTO redactions (run, number, asked, open) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (run, number) DO UPDATE SET open = excluded.open";
const OPEN: &str = "SELECT run, number FROM redactions WHERE open = 1 ORDER BY asked, run, number LIMIT $1";
const COUNT: &str = "SELECT COUNT(*) FROM redactions WHERE open = 1";

/// Writes the rows of a run's redactions anew.
pub(crate) async fn write(connection: &mut Connection, run: &Run) -> Result<(), Error> {
    for (number, redaction) in run.numbered_redactions() {
        sqlx::query(UPSERT)
            .bind(run.id.0)
            .bind(number)
            .bind(redaction.asked.at.0)
            .bind(i64::from(redaction.end.is_none()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

impl Store {
    /// Redactions that wait for another person, oldest first: the run and the number of each.
    pub async fn waiting_redactions(&self, limit: u32) -> Result<Vec<(RunId, u32)>, Error> {
        let query = sqlx::query_as(OPEN).bind(limit);
        let rows: Vec<(i64, u32)> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(|(run, number)| (RunId(run), number)).collect())
    }

    /// How many of them there are.
    pub async fn count_waiting_redactions(&self) -> Result<u32, Error> {
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *self.reader().await?).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
