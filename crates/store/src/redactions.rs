//! What is to be covered in stored output, as a list, derived from the folded runs.

use domain::RunId;
use domain::policy::Sight;
use domain::run::Run;
use sqlx::QueryBuilder;

use crate::sight::only_of_seen;
use crate::{Connection, Db, Error, Store};

const UPSERT: &str = "INSERT INTO redactions (run, number, asked, open) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (run, number) DO UPDATE SET open = excluded.open";

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
    pub async fn waiting_redactions(&self, limit: u32, sight: &Sight) -> Result<Vec<(RunId, u32)>, Error> {
        let mut query = QueryBuilder::<Db>::new("SELECT run, number FROM redactions WHERE open = 1");
        only_of_seen(&mut query, "redactions.run", sight);
        query.push(" ORDER BY asked, run, number LIMIT ").push_bind(limit);
        let rows: Vec<(i64, u32)> = query.build_query_as().fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(|(run, number)| (RunId(run), number)).collect())
    }

    /// How many of them there are.
    pub async fn count_waiting_redactions(&self, sight: &Sight) -> Result<u32, Error> {
        let mut query = QueryBuilder::<Db>::new("SELECT COUNT(*) FROM redactions WHERE open = 1");
        only_of_seen(&mut query, "redactions.run", sight);
        let count: i64 = query.build_query_scalar().fetch_one(&mut *self.reader().await?).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
