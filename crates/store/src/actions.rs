//! The keys of requests: sending one again finds what it did the first time.

use domain::{ActionKey, PersonId, RunId, Timestamp};

use crate::{Error, Store, Write};

const RUN_BY_KEY: &str = "SELECT run FROM actions WHERE key = $1";

impl Store {
    /// The run that a request with this key has started. Asked when it is not known whether a commit arrived.
    pub async fn run_by_key(&self, key: &ActionKey) -> Result<Option<RunId>, Error> {
        let run = sqlx::query_scalar(RUN_BY_KEY).bind(key.as_str());
        Ok(run.fetch_optional(&mut *self.reader().await?).await?.map(RunId))
    }
}

impl Write {
    /// The run that a request with this key has started.
    pub async fn run_by_key(&mut self, key: &ActionKey) -> Result<Option<RunId>, Error> {
        let run = sqlx::query_scalar(RUN_BY_KEY).bind(key.as_str());
        Ok(run.fetch_optional(self.connection()).await?.map(RunId))
    }

    /// Keeps which run a request has started.
    ///
    /// # Errors
    ///
    /// [`Error::Moved`] when the key has been used.
    pub async fn remember_key(
        &mut self,
        key: &ActionKey,
        run: RunId,
        by: &PersonId,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("INSERT INTO actions (key, run, person, at) VALUES ($1, $2, $3, $4)")
            .bind(key.as_str())
            .bind(run.0)
            .bind(by.as_str())
            .bind(now.0)
            .execute(self.connection())
            .await
            .map_err(|error| Error::unless_unique(error, Error::Moved))?;
        Ok(())
    }
}
