//! Accounts.

use std::collections::HashMap;
use std::fmt;

use domain::identity::{Issuer, Source};
use domain::policy::{Actor, GroupName, Groups, Role};
use domain::view::PersonRow;
use domain::{PersonId, Timestamp};
use sqlx::sqlite::SqliteQueryResult;

use crate::words::parse;
use crate::{Connection, Error, Store, Write, counted};

/// What it takes to check a sign-in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Who.
    pub id: PersonId,
    /// The name that they sign in with.
    pub login: String,
    /// The name that others see.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may sign in.
    pub enabled: bool,
    /// The hash of their password, with its parameters; `None` when somebody else vouches for them.
    pub hash: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).field("login", &self.login).finish_non_exhaustive()
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    login: String,
    name: String,
    role: String,
    enabled: i64,
    password: String,
    created: i64,
    seen: Option<i64>,
    mail: Option<String>,
}

impl TryFrom<Row> for Credentials {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: PersonId(row.id),
            login: row.login,
            name: row.name,
            role: parse(&row.role)?,
            enabled: row.enabled == 1,
            hash: Some(row.password).filter(|hash| !hash.is_empty()),
        })
    }
}

/// A row of the list of people.
#[derive(sqlx::FromRow)]
struct Listed {
    #[sqlx(flatten)]
    row: Row,
    sessions: i64,
    tokens: i64,
    factors: i64,
    issuer: Option<String>,
}

impl TryFrom<Listed> for PersonRow {
    type Error = Error;

    fn try_from(Listed { row, sessions, tokens, factors, issuer }: Listed) -> Result<Self, Error> {
        Ok(Self {
            id: PersonId(row.id),
            login: row.login,
            name: row.name,
            role: parse(&row.role)?,
            enabled: row.enabled == 1,
            created: Timestamp(row.created),
            seen: row.seen.map(Timestamp),
            sessions: u32::try_from(sessions).unwrap_or_default(),
            tokens: u32::try_from(tokens).unwrap_or_default(),
            factors: u32::try_from(factors).unwrap_or_default(),
            mail: row.mail,
            groups: Groups::new(),
            source: issuer.as_deref().map(Issuer::source_of),
        })
    }
}

const BY_ID: &str = "SELECT id, login, name, role, enabled, password, created, seen, mail FROM people WHERE id = $1";
const BY_LOGIN: &str =
    "SELECT id, login, name, role, enabled, password, created, seen, mail FROM people WHERE login = $1";
const ALL: &str = "SELECT id, login, name, role, enabled, password, created, seen, mail, \
    (SELECT COUNT(*) FROM sessions WHERE person = people.id AND idle > $1 AND ends > $1) AS sessions, \
    (SELECT COUNT(*) FROM tokens WHERE person = people.id AND expires > $1) AS tokens, \
    (SELECT COUNT(*) FROM authenticators WHERE person = people.id) \
    + (SELECT COUNT(*) FROM passkeys WHERE person = people.id) AS factors, \
    (SELECT issuer FROM identities WHERE person = people.id) AS issuer \
    FROM people ORDER BY name, login";
const STANDING: &str = "SELECT role FROM people WHERE id = $1 AND enabled = 1";
const GROUPS: &str = "SELECT name FROM person_groups WHERE person = $1";

async fn groups(connection: &mut Connection, person: &PersonId) -> Result<Groups, Error> {
    let names: Vec<String> = sqlx::query_scalar(GROUPS).bind(person.as_str()).fetch_all(connection).await?;
    names.iter().map(|name| group(name)).collect()
}

fn group(name: &str) -> Result<GroupName, Error> {
    GroupName::parse(name).ok_or_else(|| Error::Inconsistent(format!("\"{name}\" is no name of a group")))
}

impl Store {
    /// Whether nobody has an account yet.
    pub async fn fresh(&self) -> Result<bool, Error> {
        let people: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM people").fetch_one(&mut *self.reader().await?).await?;
        Ok(people == 0)
    }

    /// Everyone with an account, by name, with their sessions and tokens that have not ended.
    pub async fn people(&self, now: Timestamp) -> Result<Vec<PersonRow>, Error> {
        let mut reader = self.reader().await?;
        let rows: Vec<Listed> = sqlx::query_as(ALL).bind(now.0).fetch_all(&mut *reader).await?;
        let listed = sqlx::query_as("SELECT person, name FROM person_groups");
        let listed: Vec<(String, String)> = listed.fetch_all(&mut *reader).await?;
        let mut groups: HashMap<PersonId, Groups> = HashMap::new();
        for (person, name) in listed {
            groups.entry(PersonId(person)).or_default().insert(group(&name)?);
        }
        let with_groups = |row: Listed| -> Result<PersonRow, Error> {
            let row = PersonRow::try_from(row)?;
            Ok(PersonRow { groups: groups.remove(&row.id).unwrap_or_default(), ..row })
        };
        rows.into_iter().map(with_groups).collect()
    }

    /// The groups that a person is in.
    pub async fn groups_of(&self, person: &PersonId) -> Result<Groups, Error> {
        groups(&mut *self.reader().await?, person).await
    }

    /// Everyone by id and name, by name.
    pub async fn names(&self) -> Result<Vec<(PersonId, String)>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT id, name FROM people ORDER BY name, login")
            .fetch_all(&mut *self.reader().await?)
            .await?;
        Ok(rows.into_iter().map(|(id, name)| (PersonId(id), name)).collect())
    }

    /// What it takes to check a sign-in under a login, which is given in lower case.
    pub async fn person_by_login(&self, login: &str) -> Result<Option<Credentials>, Error> {
        self.credentials_of(BY_LOGIN, login).await
    }

    /// What it takes to check the password of a person.
    pub async fn credentials(&self, person: &PersonId) -> Result<Option<Credentials>, Error> {
        self.credentials_of(BY_ID, person.as_str()).await
    }

    async fn credentials_of(&self, query: &'static str, key: &str) -> Result<Option<Credentials>, Error> {
        let row: Option<Row> = sqlx::query_as(query).bind(key).fetch_optional(&mut *self.reader().await?).await?;
        row.map(Credentials::try_from).transpose()
    }

    /// Who vouches for a person; `None` when they have a password of the portal.
    pub async fn source_of(&self, person: &PersonId) -> Result<Option<Source>, Error> {
        let query = sqlx::query_scalar("SELECT issuer FROM identities WHERE person = $1").bind(person.as_str());
        let issuer: Option<String> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(issuer.as_deref().map(Issuer::source_of))
    }

    /// To whom accounts are bound, and how many to each.
    pub async fn issuers(&self) -> Result<Vec<(String, u64)>, Error> {
        let query = sqlx::query_as("SELECT issuer, COUNT(*) FROM identities GROUP BY issuer ORDER BY issuer");
        let rows: Vec<(String, i64)> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(|(issuer, accounts)| (issuer, counted(accounts))).collect())
    }

    /// Where mail reaches a person.
    pub async fn mail_of(&self, person: &PersonId) -> Result<Option<String>, Error> {
        let query = sqlx::query_scalar("SELECT mail FROM people WHERE id = $1").bind(person.as_str());
        let mail: Option<Option<String>> = query.fetch_optional(&mut *self.reader().await?).await?;
        Ok(mail.flatten())
    }

    /// A person as their account stands; `None` when it is disabled or not there.
    pub async fn actor(&self, person: &PersonId) -> Result<Option<Actor>, Error> {
        let known = self.credentials(person).await?.filter(|known| known.enabled);
        Ok(known.map(|known| Actor::new(known.id, known.name, known.role)))
    }
}

impl Write {
    /// The role of a person at this moment; `None` when the account is disabled or not there.
    pub async fn standing(&mut self, person: &PersonId) -> Result<Option<Role>, Error> {
        let query = sqlx::query_scalar(STANDING).bind(person.as_str());
        let role: Option<String> = query.fetch_optional(self.connection()).await?;
        role.as_deref().map(parse).transpose()
    }

    /// The groups that a person is in, inside the transaction.
    pub async fn groups_of(&mut self, person: &PersonId) -> Result<Groups, Error> {
        groups(self.connection(), person).await
    }

    /// Puts a person into these groups and into no others; gives those that they were in.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn set_groups(&mut self, person: &PersonId, groups: &Groups) -> Result<Groups, Error> {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM people WHERE id = $1").bind(person.as_str());
        let known: i64 = query.fetch_one(self.connection()).await?;
        if known == 0 {
            return Err(Error::Gone);
        }
        let before = self.groups_of(person).await?;
        let query = sqlx::query("DELETE FROM person_groups WHERE person = $1").bind(person.as_str());
        query.execute(self.connection()).await?;
        for name in groups {
            let query = sqlx::query("INSERT INTO person_groups (person, name) VALUES ($1, $2)");
            query.bind(person.as_str()).bind(name.as_str()).execute(self.connection()).await?;
        }
        Ok(before)
    }

    /// How many accounts there are.
    pub async fn count_people(&mut self) -> Result<u64, Error> {
        let people = sqlx::query_scalar("SELECT COUNT(*) FROM people").fetch_one(self.connection()).await?;
        Ok(counted(people))
    }

    /// How many administrators may sign in by themselves. For whom others vouch does not count: with those others they are gone.
    pub async fn count_administrators(&mut self) -> Result<u64, Error> {
        let query = sqlx::query_scalar(
            "SELECT COUNT(*) FROM people WHERE role = 'administrator' AND enabled = 1 \
             AND NOT EXISTS (SELECT 1 FROM identities WHERE person = people.id)",
        );
        Ok(counted(query.fetch_one(self.connection()).await?))
    }

    /// The account that is bound to a subject of an issuer, whether its person may sign in or not.
    pub async fn person_outside(&mut self, issuer: &str, subject: &str) -> Result<Option<Credentials>, Error> {
        let query = sqlx::query_as(
            "SELECT id, login, name, role, enabled, password, created, seen, mail FROM people \
             WHERE id = (SELECT person FROM identities WHERE issuer = $1 AND subject = $2)",
        );
        let row: Option<Row> = query.bind(issuer).bind(subject).fetch_optional(self.connection()).await?;
        row.map(Credentials::try_from).transpose()
    }

    /// Makes an account for whom others vouch, without a password. The login is given in lower case.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when somebody has the login, or is bound to the subject.
    pub async fn insert_outside(
        &mut self,
        person: &Actor,
        login: &str,
        (issuer, subject): (&str, &str),
        now: Timestamp,
    ) -> Result<(), Error> {
        self.insert_person(person, login, "", now).await?;
        sqlx::query("INSERT INTO identities (issuer, subject, person, since) VALUES ($1, $2, $3, $4)")
            .bind(issuer)
            .bind(subject)
            .bind(person.id.as_str())
            .bind(now.0)
            .execute(self.connection())
            .await
            .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        Ok(())
    }

    /// The issuer and the subject to which an account is bound; `None` when its person has a password of the portal.
    pub async fn identity_of(&mut self, person: &PersonId) -> Result<Option<(String, String)>, Error> {
        let query = sqlx::query_as("SELECT issuer, subject FROM identities WHERE person = $1").bind(person.as_str());
        Ok(query.fetch_optional(self.connection()).await?)
    }

    /// Binds an account for which others vouch to another subject, perhaps of another issuer.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when an account is bound to it, [`Error::Gone`] when nobody vouches for the person.
    pub async fn rebind(&mut self, person: &PersonId, (issuer, subject): (&str, &str)) -> Result<(), Error> {
        let rebound = sqlx::query("UPDATE identities SET issuer = $2, subject = $3 WHERE person = $1")
            .bind(person.as_str())
            .bind(issuer)
            .bind(subject)
            .execute(self.connection())
            .await
            .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        there(&rebound)
    }

    /// Makes an account that may sign in. The login is given in lower case.
    ///
    /// # Errors
    ///
    /// [`Error::Taken`] when somebody has the login.
    pub async fn insert_person(
        &mut self,
        person: &Actor,
        login: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO people (id, login, name, role, enabled, password, created) VALUES ($1, $2, $3, $4, 1, $5, $6)",
        )
        .bind(person.id.as_str())
        .bind(login)
        .bind(&person.name)
        .bind(person.role.word())
        .bind(hash)
        .bind(now.0)
        .execute(self.connection())
        .await
        .map_err(|error| Error::unless_unique(error, Error::Taken))?;
        Ok(())
    }

    /// Gives a person another role.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn set_role(&mut self, person: &PersonId, role: Role) -> Result<(), Error> {
        let query = sqlx::query("UPDATE people SET role = $2 WHERE id = $1").bind(person.as_str()).bind(role.word());
        there(&query.execute(self.connection()).await?)
    }

    /// Lets a person sign in, or no longer.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn set_enabled(&mut self, person: &PersonId, enabled: bool) -> Result<(), Error> {
        let query =
            sqlx::query("UPDATE people SET enabled = $2 WHERE id = $1").bind(person.as_str()).bind(i64::from(enabled));
        there(&query.execute(self.connection()).await?)
    }

    /// Gives a person another password.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn set_password(&mut self, person: &PersonId, hash: &str) -> Result<(), Error> {
        let query = sqlx::query("UPDATE people SET password = $2 WHERE id = $1").bind(person.as_str()).bind(hash);
        there(&query.execute(self.connection()).await?)
    }

    /// Says where mail reaches a person; `None`: it does not.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn set_mail(&mut self, person: &PersonId, mail: Option<&str>) -> Result<(), Error> {
        let query = sqlx::query("UPDATE people SET mail = $2 WHERE id = $1").bind(person.as_str()).bind(mail);
        there(&query.execute(self.connection()).await?)
    }

    /// Everybody who may sign in and has a mail address, with their role.
    pub async fn with_mail(&mut self) -> Result<Vec<(PersonId, Role)>, Error> {
        let query = sqlx::query_as("SELECT id, role FROM people WHERE enabled = 1 AND mail IS NOT NULL ORDER BY id");
        let rows: Vec<(String, String)> = query.fetch_all(self.connection()).await?;
        rows.into_iter().map(|(id, role)| Ok((PersonId(id), parse(&role)?))).collect()
    }

    /// Notes that a person has signed in.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] when there is no such person.
    pub async fn seen(&mut self, person: &PersonId, now: Timestamp) -> Result<(), Error> {
        let query = sqlx::query("UPDATE people SET seen = $2 WHERE id = $1").bind(person.as_str()).bind(now.0);
        there(&query.execute(self.connection()).await?)
    }
}

fn there(changed: &SqliteQueryResult) -> Result<(), Error> {
    if changed.rows_affected() == 1 { Ok(()) } else { Err(Error::Gone) }
}

#[cfg(test)]
mod tests;
