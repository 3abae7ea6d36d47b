//! Sessions of signed-in browsers.
//!
//! Ids come in as the cookie carries them. Only their SHA-256 is stored, and it is made here and nowhere else: who reads the
//! database cannot sign in with what stands there. A session that has ended cannot come back: saving never makes a row.
//! The times that come in are those of expiries, which never go back; what writes here also remembers the time, so that a
//! restart does not take it back either.

use std::fmt;

use domain::{Digest, PersonId, Timestamp};

use crate::{Error, Store, Write};

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Unless it is used before.
    pub idle: Timestamp,
    /// In any case.
    pub ends: Timestamp,
}

/// Where a session was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// The address of the browser, as the portal saw it.
    pub address: String,
    /// The browser, as it called itself.
    pub agent: String,
    /// Until when it counts as proven who it is, for whoever has no password to be asked for.
    pub proven: Timestamp,
}

/// A session in the list of its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// What names it: nobody is signed in by that.
    pub fingerprint: String,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// Where it was begun.
    pub device: Device,
}

/// A session that has not ended.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Whose it is.
    pub person: PersonId,
    /// What the HTTP side keeps in it, as JSON.
    pub data: String,
    /// When it began.
    pub created: Timestamp,
    /// When it ends.
    pub lifetime: Lifetime,
}

impl fmt::Debug for StoredSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredSession").field("person", &self.person).finish_non_exhaustive()
    }
}

/// What is stored in the place of a session's id.
pub fn fingerprint(id: &str) -> String {
    Digest::of(id.as_bytes()).as_str().to_owned()
}

#[derive(sqlx::FromRow)]
struct Row {
    person: String,
    data: String,
    created: i64,
    idle: i64,
    ends: i64,
}

impl From<Row> for StoredSession {
    fn from(row: Row) -> Self {
        Self {
            person: PersonId(row.person),
            data: row.data,
            created: Timestamp(row.created),
            lifetime: Lifetime { idle: Timestamp(row.idle), ends: Timestamp(row.ends) },
        }
    }
}

impl Store {
    /// Begins a session.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when the id is in use, [`Error::Gone`] when the person is not there or may not sign in any more.
    pub async fn create_session(
        &self,
        id: &str,
        person: &PersonId,
        data: &str,
        device: &Device,
        now: Timestamp,
        lifetime: Lifetime,
    ) -> Result<(), Error> {
        let mut write = self.begin().await?;
        write.standing(person).await?.ok_or(Error::Gone)?;
        sqlx::query(
            "INSERT INTO sessions (id, person, data, created, seen, idle, ends, address, agent, proven) \
             VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9)",
        )
        .bind(fingerprint(id))
        .bind(person.as_str())
        .bind(data)
        .bind(now.0)
        .bind(lifetime.idle.0)
        .bind(lifetime.ends.0)
        .bind(&device.address)
        .bind(&device.agent)
        .bind(device.proven.0)
        .execute(write.connection())
        .await
        .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        write.note_time(now).await?;
        write.commit().await
    }

    /// Keeps new data in a session and moves its idle end. Its absolute end never moves.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when the session has ended: it does not come back.
    pub async fn save_session(&self, id: &str, data: &str, now: Timestamp, idle: Timestamp) -> Result<(), Error> {
        let mut write = self.begin().await?;
        let saved = sqlx::query(
            "UPDATE sessions SET data = $2, idle = $3, seen = $4 WHERE id = $1 AND idle > $4 AND ends > $4",
        )
        .bind(fingerprint(id))
        .bind(data)
        .bind(idle.0)
        .bind(now.0)
        .execute(write.connection())
        .await?;
        if saved.rows_affected() != 1 {
            return Err(Error::Gone);
        }
        write.note_time(now).await?;
        write.commit().await
    }

    /// A session that has not ended, of a person who may sign in.
    pub async fn session(&self, id: &str, now: Timestamp) -> Result<Option<StoredSession>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT person, data, sessions.created, idle, ends FROM sessions JOIN people ON people.id = sessions.person \
             WHERE sessions.id = $1 AND idle > $2 AND ends > $2 AND enabled = 1",
        )
        .bind(fingerprint(id))
        .bind(now.0)
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(row.map(StoredSession::from))
    }

    /// The sessions of a person that have not ended, the last used first.
    pub async fn sessions_of(&self, person: &PersonId, now: Timestamp) -> Result<Vec<ListedSession>, Error> {
        let rows: Vec<(String, i64, i64, String, String, i64)> = sqlx::query_as(
            "SELECT id, created, seen, address, agent, proven FROM sessions WHERE person = $1 AND idle > $2 AND ends > $2 \
             ORDER BY seen DESC, created DESC, id",
        )
        .bind(person.as_str())
        .bind(now.0)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let listed = |(fingerprint, created, seen, address, agent, proven)| ListedSession {
            fingerprint,
            created: Timestamp(created),
            seen: Timestamp(seen),
            device: Device { address, agent, proven: Timestamp(proven) },
        };
        Ok(rows.into_iter().map(listed).collect())
    }

    /// Whether it counts as proven in a session that has not ended who it is, for whoever has no password to be asked for.
    pub async fn is_proven(&self, id: &str, person: &PersonId, now: Timestamp) -> Result<bool, Error> {
        let query = sqlx::query_scalar(
            "SELECT COUNT(*) FROM sessions WHERE id = $1 AND person = $2 AND proven > $3 AND idle > $3 AND ends > $3",
        );
        let query = query.bind(fingerprint(id)).bind(person.as_str()).bind(now.0);
        let proven: i64 = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(proven == 1)
    }

    /// Ends a session, if it has not ended.
    pub async fn delete_session(&self, id: &str) -> Result<(), Error> {
        let mut write = self.begin().await?;
        let delete = sqlx::query("DELETE FROM sessions WHERE id = $1").bind(fingerprint(id));
        delete.execute(write.connection()).await?;
        write.commit().await
    }
}

impl Write {
    /// Ends all sessions of a person but the one to keep; gives how many.
    pub async fn end_sessions(&mut self, person: &PersonId, keep: Option<&str>) -> Result<u64, Error> {
        let ended = sqlx::query("DELETE FROM sessions WHERE person = $1 AND id <> $2")
            .bind(person.as_str())
            // No fingerprint is empty.
            .bind(keep.map(fingerprint).unwrap_or_default())
            .execute(self.connection())
            .await?;
        Ok(ended.rows_affected())
    }

    /// Ends the session of a person with this fingerprint; whether there was one.
    pub async fn end_session(&mut self, person: &PersonId, fingerprint: &str) -> Result<bool, Error> {
        let query = sqlx::query("DELETE FROM sessions WHERE person = $1 AND id = $2");
        let ended = query.bind(person.as_str()).bind(fingerprint).execute(self.connection()).await?;
        Ok(ended.rows_affected() == 1)
    }

    /// Removes the sessions that have run out and what was shown in them, and expired tokens; gives how many sessions.
    pub async fn sweep_sessions(&mut self, now: Timestamp) -> Result<u64, Error> {
        let swept = sqlx::query("DELETE FROM sessions WHERE idle <= $1 OR ends <= $1")
            .bind(now.0)
            .execute(self.connection())
            .await?;
        let late = sqlx::query("DELETE FROM authenticator_offers WHERE ends <= $1").bind(now.0);
        late.execute(self.connection()).await?;
        let expired = sqlx::query("DELETE FROM tokens WHERE expires <= $1").bind(now.0);
        expired.execute(self.connection()).await?;
        self.note_time(now).await?;
        Ok(swept.rows_affected())
    }
}

#[cfg(test)]
mod tests;
