//! Second factors, and the tries at what a person knows.
//!
//! Secrets come in sealed and go out sealed. What serves once is used up by the very statement that finds it unused.

use domain::factor::Factors;
use domain::{PersonId, Timestamp};

use crate::sessions::fingerprint;
use crate::{Connection, Error, Store, Write};

/// What a try is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The present password.
    Password,
    /// A second factor.
    Factor,
}

impl Tried {
    const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Factor => "factor",
        }
    }
}

/// An authenticator app that is being set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffer {
    /// Secret and recovery codes, sealed.
    pub sealed: String,
    /// When it is too late.
    pub ends: Timestamp,
}

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPasskey {
    /// The credential's id.
    pub id: String,
    /// As its owner calls it.
    pub name: String,
    /// Public key, counter and flags, as JSON.
    pub credential: String,
    /// When it was added.
    pub since: Timestamp,
    /// When it last proved somebody.
    pub used: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct PasskeyRow {
    id: String,
    name: String,
    credential: String,
    since: i64,
    used: Option<i64>,
}

impl From<PasskeyRow> for StoredPasskey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            credential: row.credential,
            since: Timestamp(row.since),
            used: row.used.map(Timestamp),
        }
    }
}

const COUNTS: &str = "SELECT (SELECT COUNT(*) FROM authenticators WHERE person = $1), \
    (SELECT COUNT(*) FROM recovery_codes WHERE person = $1), (SELECT COUNT(*) FROM passkeys WHERE person = $1)";
const PASSKEYS: &str = "SELECT id, name, credential, since, used FROM passkeys WHERE person = $1 ORDER BY since, id";
const OFFER: &str = "SELECT sealed, ends FROM authenticator_offers WHERE person = $1 AND session = $2 AND ends > $3";

async fn factors(connection: &mut Connection, person: &PersonId) -> Result<Factors, Error> {
    let (authenticators, codes, passkeys): (i64, i64, i64) =
        sqlx::query_as(COUNTS).bind(person.as_str()).fetch_one(connection).await?;
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Factors { authenticator: authenticators > 0, recovery_codes: count(codes), passkeys: count(passkeys) })
}

async fn passkeys(connection: &mut Connection, person: &PersonId) -> Result<Vec<StoredPasskey>, Error> {
    let rows: Vec<PasskeyRow> = sqlx::query_as(PASSKEYS).bind(person.as_str()).fetch_all(connection).await?;
    Ok(rows.into_iter().map(StoredPasskey::from).collect())
}

async fn offer(
    connection: &mut Connection,
    person: &PersonId,
    session: &str,
    now: Timestamp,
) -> Result<Option<StoredOffer>, Error> {
    let query = sqlx::query_as(OFFER).bind(person.as_str()).bind(fingerprint(session)).bind(now.0);
    let row: Option<(String, i64)> = query.fetch_optional(connection).await?;
    Ok(row.map(|(sealed, ends)| StoredOffer { sealed, ends: Timestamp(ends) }))
}

impl Store {
    /// Which second factors a person has.
    pub async fn factors(&self, person: &PersonId) -> Result<Factors, Error> {
        factors(&mut *self.reader().await?, person).await
    }

    /// When the authenticator app of a person was switched on, if there is one.
    pub async fn authenticator_since(&self, person: &PersonId) -> Result<Option<Timestamp>, Error> {
        let query = sqlx::query_scalar("SELECT since FROM authenticators WHERE person = $1").bind(person.as_str());
        Ok(query.fetch_optional(&mut *self.reader().await?).await?.map(Timestamp))
    }

    /// The passkeys of a person, oldest first.
    pub async fn passkeys(&self, person: &PersonId) -> Result<Vec<StoredPasskey>, Error> {
        passkeys(&mut *self.reader().await?, person).await
    }

    /// The authenticator app that a person is setting up in this session.
    pub async fn offer(&self, person: &PersonId, session: &str, now: Timestamp) -> Result<Option<StoredOffer>, Error> {
        offer(&mut *self.reader().await?, person, session, now).await
    }
}

/// Tries.
impl Write {
    /// The moments of the tries of a person after a moment, oldest first. Older ones are forgotten.
    pub async fn tries(&mut self, person: &PersonId, what: Tried, after: Timestamp) -> Result<Vec<Timestamp>, Error> {
        sqlx::query("DELETE FROM tries WHERE person = $1 AND what = $2 AND at <= $3")
            .bind(person.as_str())
            .bind(what.word())
            .bind(after.0)
            .execute(self.connection())
            .await?;
        let query = sqlx::query_scalar("SELECT at FROM tries WHERE person = $1 AND what = $2 ORDER BY at");
        let moments: Vec<i64> = query.bind(person.as_str()).bind(what.word()).fetch_all(self.connection()).await?;
        Ok(moments.into_iter().map(Timestamp).collect())
    }

    /// Counts a try; gives its number, by which it is taken back when it succeeds.
    pub async fn count_try(&mut self, person: &PersonId, what: Tried, now: Timestamp) -> Result<i64, Error> {
        let counted = sqlx::query("INSERT INTO tries (person, what, at) VALUES ($1, $2, $3)")
            .bind(person.as_str())
            .bind(what.word())
            .bind(now.0)
            .execute(self.connection())
            .await?;
        self.note_time(now).await?;
        Ok(counted.last_insert_rowid())
    }

    /// Takes back a try that succeeded.
    pub async fn take_back_try(&mut self, number: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM tries WHERE id = $1").bind(number).execute(self.connection()).await?;
        Ok(())
    }

    /// Takes back all tries at what a person knows.
    pub async fn forget_tries(&mut self, person: &PersonId) -> Result<(), Error> {
        sqlx::query("DELETE FROM tries WHERE person = $1").bind(person.as_str()).execute(self.connection()).await?;
        Ok(())
    }
}

/// The authenticator app and its recovery codes.
impl Write {
    /// Which second factors a person has at this moment.
    pub async fn factors(&mut self, person: &PersonId) -> Result<Factors, Error> {
        factors(self.connection(), person).await
    }

    /// Keeps what is shown while a person sets up an authenticator app. It replaces an earlier one.
    pub async fn set_offer(&mut self, person: &PersonId, session: &str, offer: &StoredOffer) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO authenticator_offers (person, session, sealed, ends) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (person) DO UPDATE SET session = $2, sealed = $3, ends = $4",
        )
        .bind(person.as_str())
        .bind(fingerprint(session))
        .bind(&offer.sealed)
        .bind(offer.ends.0)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The authenticator app that a person is setting up in this session.
    pub async fn offer(
        &mut self,
        person: &PersonId,
        session: &str,
        now: Timestamp,
    ) -> Result<Option<StoredOffer>, Error> {
        offer(self.connection(), person, session, now).await
    }

    /// Forgets what was shown while a person set up an authenticator app.
    pub async fn clear_offer(&mut self, person: &PersonId) -> Result<(), Error> {
        let query = sqlx::query("DELETE FROM authenticator_offers WHERE person = $1").bind(person.as_str());
        query.execute(self.connection()).await?;
        Ok(())
    }

    /// Switches an authenticator app on, in the place of the one before. The code of `step` and all before it are used.
    pub async fn set_authenticator(
        &mut self,
        person: &PersonId,
        secret: &str,
        step: i64,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO authenticators (person, secret, since, step) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (person) DO UPDATE SET secret = $2, since = $3, step = $4",
        )
        .bind(person.as_str())
        .bind(secret)
        .bind(now.0)
        .bind(step)
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The sealed secret of the authenticator app of a person.
    pub async fn authenticator(&mut self, person: &PersonId) -> Result<Option<String>, Error> {
        let query = sqlx::query_scalar("SELECT secret FROM authenticators WHERE person = $1").bind(person.as_str());
        Ok(query.fetch_optional(self.connection()).await?)
    }

    /// Uses up the code of a time step and all before it; whether it was still unused.
    pub async fn use_step(&mut self, person: &PersonId, step: i64) -> Result<bool, Error> {
        let used = sqlx::query("UPDATE authenticators SET step = $2 WHERE person = $1 AND step < $2")
            .bind(person.as_str())
            .bind(step)
            .execute(self.connection())
            .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Gives a person these recovery codes, and takes all earlier ones away.
    pub async fn set_recovery_codes(&mut self, person: &PersonId, hashes: &[String]) -> Result<(), Error> {
        let clear = sqlx::query("DELETE FROM recovery_codes WHERE person = $1").bind(person.as_str());
        clear.execute(self.connection()).await?;
        for hash in hashes {
            let insert = sqlx::query("INSERT INTO recovery_codes (person, hash) VALUES ($1, $2)");
            insert.bind(person.as_str()).bind(hash).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// Uses up a recovery code; whether there was one.
    pub async fn use_recovery_code(&mut self, person: &PersonId, hash: &str) -> Result<bool, Error> {
        let query = sqlx::query("DELETE FROM recovery_codes WHERE person = $1 AND hash = $2");
        let used = query.bind(person.as_str()).bind(hash).execute(self.connection()).await?;
        Ok(used.rows_affected() == 1)
    }

    /// Removes the authenticator app of a person with its recovery codes; whether there was one.
    pub async fn remove_authenticator(&mut self, person: &PersonId) -> Result<bool, Error> {
        self.set_recovery_codes(person, &[]).await?;
        let query = sqlx::query("DELETE FROM authenticators WHERE person = $1").bind(person.as_str());
        Ok(query.execute(self.connection()).await?.rows_affected() == 1)
    }
}

/// Passkeys.
impl Write {
    /// The passkeys of a person at this moment, oldest first.
    pub async fn passkeys(&mut self, person: &PersonId) -> Result<Vec<StoredPasskey>, Error> {
        passkeys(self.connection(), person).await
    }

    /// Adds a passkey.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when it belongs to somebody already.
    pub async fn insert_passkey(&mut self, person: &PersonId, passkey: &StoredPasskey) -> Result<(), Error> {
        sqlx::query("INSERT INTO passkeys (id, person, name, credential, since) VALUES ($1, $2, $3, $4, $5)")
            .bind(&passkey.id)
            .bind(person.as_str())
            .bind(&passkey.name)
            .bind(&passkey.credential)
            .bind(passkey.since.0)
            .execute(self.connection())
            .await
            .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        Ok(())
    }

    /// Keeps a passkey as it is after it proved its owner.
    pub async fn passkey_used(&mut self, id: &str, credential: &str, now: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE passkeys SET credential = $2, used = $3 WHERE id = $1")
            .bind(id)
            .bind(credential)
            .bind(now.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Removes a passkey of a person; gives its name when there was one.
    pub async fn remove_passkey(&mut self, person: &PersonId, id: &str) -> Result<Option<String>, Error> {
        let query = sqlx::query_scalar("DELETE FROM passkeys WHERE person = $1 AND id = $2 RETURNING name");
        Ok(query.bind(person.as_str()).bind(id).fetch_optional(self.connection()).await?)
    }

    /// Removes all passkeys of a person; gives how many there were.
    pub async fn remove_passkeys(&mut self, person: &PersonId) -> Result<u64, Error> {
        let query = sqlx::query("DELETE FROM passkeys WHERE person = $1").bind(person.as_str());
        Ok(query.execute(self.connection()).await?.rows_affected())
    }
}

#[cfg(test)]
mod tests;
