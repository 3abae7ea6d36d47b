//! Single values by name.

use crate::{Error, Store, Write};

const META: &str = "SELECT value FROM meta WHERE name = $1";

impl Store {
    /// The value with a name.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar(META).bind(name).fetch_optional(&mut *self.reader().await?).await?)
    }
}

impl Write {
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
