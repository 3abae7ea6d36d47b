//! Tokens for scripts.
//!
//! What lets a script in comes as the request carries it. Only its SHA-256 is stored, as with the ids of sessions: who reads the
//! database gets in with nothing that stands there. A token that has expired, or whose person is disabled, is found by nobody.

use domain::policy::{Actor, Token};
use domain::view::TokenInfo;
use domain::{PersonId, Timestamp, TokenId};

use crate::sessions::fingerprint;
use crate::words::parse;
use crate::{Connection, Error, Store, Write};

/// For whom a token lets a script in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// The person as their account stands, with what the token lets its script do.
    pub actor: Actor,
    /// When the token was last used.
    pub used: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct HolderRow {
    person: String,
    person_name: String,
    person_role: String,
    id: String,
    name: String,
    role: String,
    scope: String,
    used: Option<i64>,
}

impl TryFrom<HolderRow> for TokenHolder {
    type Error = Error;

    fn try_from(row: HolderRow) -> Result<Self, Error> {
        let person = Actor::new(PersonId(row.person), row.person_name, parse(&row.person_role)?);
        let token = Token { id: TokenId(row.id), name: row.name, scope: parse(&row.scope)? };
        Ok(Self { actor: person.by_token(token, parse(&row.role)?), used: row.used.map(Timestamp) })
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    role: String,
    scope: String,
    made: i64,
    expires: i64,
    used: Option<i64>,
    address: String,
}

impl TryFrom<Row> for TokenInfo {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: TokenId(row.id),
            name: row.name,
            role: parse(&row.role)?,
            scope: parse(&row.scope)?,
            made: Timestamp(row.made),
            expires: Timestamp(row.expires),
            used: row.used.map(Timestamp),
            address: row.address,
        })
    }
}

/// For whom a token lets a script in, by what a column has of it.
macro_rules! holder {
    ($column:literal) => {
        concat!(
            "SELECT people.id AS person, people.name AS person_name, people.role AS person_role, tokens.id, tokens.name, tokens.role, \
             tokens.scope, used FROM tokens JOIN people ON people.id = tokens.person WHERE tokens.",
            $column,
            " = $1 AND expires > $2 AND enabled = 1"
        )
    };
}

/// Statements that give tokens begin or end with what makes a row of one.
macro_rules! columns {
    () => {
        "id, name, role, scope, made, expires, used, address"
    };
}

const BY_HASH: &str = holder!("hash");
const BY_ID: &str = holder!("id");
const OF_PERSON: &str =
    concat!("SELECT ", columns!(), " FROM tokens WHERE person = $1 AND expires > $2 ORDER BY made, id");
const END: &str = concat!("DELETE FROM tokens WHERE person = $1 AND id = $2 AND expires > $3 RETURNING ", columns!());
const END_ALL: &str = concat!("DELETE FROM tokens WHERE person = $1 AND expires > $2 RETURNING ", columns!());

async fn tokens_of(connection: &mut Connection, person: &PersonId, now: Timestamp) -> Result<Vec<TokenInfo>, Error> {
    let query = sqlx::query_as(OF_PERSON).bind(person.as_str()).bind(now.0);
    let rows: Vec<Row> = query.fetch_all(connection).await?;
    rows.into_iter().map(TokenInfo::try_from).collect()
}

impl Store {
    /// For whom this text lets a script in; `None` when it lets nobody in, for whatever reason.
    pub async fn token(&self, text: &str, now: Timestamp) -> Result<Option<TokenHolder>, Error> {
        self.holder(BY_HASH, &fingerprint(text), now).await
    }

    /// For whom the token with this name lets a script in, as things stand now.
    pub async fn token_named(&self, id: &TokenId, now: Timestamp) -> Result<Option<TokenHolder>, Error> {
        self.holder(BY_ID, id.as_str(), now).await
    }

    async fn holder(&self, query: &'static str, key: &str, now: Timestamp) -> Result<Option<TokenHolder>, Error> {
        let query = sqlx::query_as(query).bind(key).bind(now.0);
        let row: Option<HolderRow> = query.fetch_optional(&mut *self.reader().await?).await?;
        row.map(TokenHolder::try_from).transpose()
    }

    /// The tokens of a person that have not expired, oldest first.
    pub async fn tokens_of(&self, person: &PersonId, now: Timestamp) -> Result<Vec<TokenInfo>, Error> {
        tokens_of(&mut *self.reader().await?, person, now).await
    }
}

impl Write {
    /// The tokens of a person that have not expired, oldest first, inside the transaction.
    pub async fn tokens_of(&mut self, person: &PersonId, now: Timestamp) -> Result<Vec<TokenInfo>, Error> {
        tokens_of(self.connection(), person, now).await
    }

    /// Makes a token for a person, who has to be there: `text` is what lets a script in.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when its id or its text is in use.
    pub async fn insert_token(&mut self, person: &PersonId, token: &TokenInfo, text: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO tokens (id, hash, person, name, role, made, expires, scope) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id.as_str())
        .bind(fingerprint(text))
        .bind(person.as_str())
        .bind(&token.name)
        .bind(token.role.word())
        .bind(token.made.0)
        .bind(token.expires.0)
        .bind(token.scope.word())
        .execute(self.connection())
        .await
        .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        self.note_time(token.made).await
    }

    /// Ends a token of a person; gives what it was, when there was one that had not expired.
    pub async fn end_token(
        &mut self,
        person: &PersonId,
        id: &TokenId,
        now: Timestamp,
    ) -> Result<Option<TokenInfo>, Error> {
        let query = sqlx::query_as(END).bind(person.as_str()).bind(id.as_str()).bind(now.0);
        let row: Option<Row> = query.fetch_optional(self.connection()).await?;
        row.map(TokenInfo::try_from).transpose()
    }

    /// Ends all tokens of a person; gives what they were.
    pub async fn end_tokens(&mut self, person: &PersonId, now: Timestamp) -> Result<Vec<TokenInfo>, Error> {
        let query = sqlx::query_as(END_ALL).bind(person.as_str()).bind(now.0);
        let rows: Vec<Row> = query.fetch_all(self.connection()).await?;
        rows.into_iter().map(TokenInfo::try_from).collect()
    }

    /// Keeps when and from where a token was used, unless that was kept for a use after `last`; whether it was.
    pub async fn token_used(
        &mut self,
        id: &TokenId,
        now: Timestamp,
        address: &str,
        last: Timestamp,
    ) -> Result<bool, Error> {
        let query =
            sqlx::query("UPDATE tokens SET used = $2, address = $3 WHERE id = $1 AND (used IS NULL OR used <= $4)");
        let kept = query.bind(id.as_str()).bind(now.0).bind(address).bind(last.0).execute(self.connection()).await?;
        if kept.rows_affected() == 0 {
            return Ok(false);
        }
        self.note_time(now).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
