//! Single values by name.

use domain::Timestamp;

use crate::{Error, Store, Write};

/// The latest moment at which a session is known to have been looked at, in milliseconds.
const LATEST: &str = "latest_time";

const META: &str = "SELECT value FROM meta WHERE name = $1";

impl Store {
    /// The value with a name.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(META).bind(name).fetch_optional(&mut *self.reader().await?).await?)
    }
}

impl Store {
    /// The latest time that [`Write::note_time`] was told.
    pub async fn latest_time(&self) -> Result<Option<Timestamp>, Error> {
        let Some(text) = self.meta(LATEST).await? else { return Ok(None) };
        let milliseconds = text.parse().map_err(|_| Error::Inconsistent(format!("{LATEST} is no time")))?;
        Ok(Some(Timestamp(milliseconds)))
    }
}

impl Write {
    /// Remembers a time, unless a later one is remembered: what expires goes on from it, whatever the clock shows then.
    pub async fn note_time(&mut self, now: Timestamp) -> Result<(), Error> {
        let latest = self.meta(LATEST).await?.and_then(|text| text.parse().ok()).unwrap_or(i64::MIN);
        if now.0 > latest { self.set_meta(LATEST, &now.0.to_string()).await } else { Ok(()) }
    }

    /// The value with a name, inside the transaction.
    pub async fn meta(&mut self, name: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(META).bind(name).fetch_optional(self.connection()).await?)
    }

    /// Sets the value with a name.
    pub async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), Error> {
        sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2")
            .bind(name)
            .bind(value)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Removes the value with a name, if there is one.
    pub async fn clear_meta(&mut self, name: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM meta WHERE name = $1").bind(name).execute(self.connection()).await?;
        Ok(())
    }
}
