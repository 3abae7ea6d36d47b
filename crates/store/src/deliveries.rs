//! The outbox: notices on their way, one row for each receiver.
//!
//! A row is written with the event that it tells of, and changed only after a try. If the portal dies in between, the row is
//! still waiting and is tried again with the same key: a receiver may get a notice twice, and never not at all.

use domain::notice::{Channel, Notice};
use domain::view::{DeliveryRow, DeliveryState};
use domain::{PersonId, Timestamp};

use crate::words::{parse, word};
use crate::{Error, Store, Write};

/// A notice that is to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// A random text; sent along, so that a receiver can drop what comes twice.
    pub key: String,
    /// By which way.
    pub channel: Channel,
    /// Whom the mail is for; `None` for a webhook.
    pub person: Option<PersonId>,
    /// What it says.
    pub notice: Notice,
    /// When the event was recorded.
    pub made: Timestamp,
}

/// A delivery whose time has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// What it says; `None` when another version of the portal wrote it and this one cannot read it.
    pub notice: Option<Notice>,
    /// When the event was recorded.
    pub made: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// The person, where it is for one.
    pub to: Option<Recipient>,
}

/// A person whom mail is for, as their account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their address; `None` when they have none any more, or may not sign in any more.
    pub address: Option<String>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has taken it.
    Delivered,
    /// It did not succeed, and is tried again then.
    Later {
        /// When.
        next: Timestamp,
        /// Why it did not succeed.
        error: String,
    },
    /// It will not succeed.
    GivenUp {
        /// Why.
        error: String,
    },
}

impl Outcome {
    fn columns(&self, now: Timestamp) -> (DeliveryState, Timestamp, &str) {
        match self {
            Self::Delivered => (DeliveryState::Delivered, now, ""),
            Self::Later { next, error } => (DeliveryState::Waiting, *next, error),
            Self::GivenUp { error } => (DeliveryState::GivenUp, now, error),
        }
    }
}

const INSERT: &str = "INSERT INTO deliveries (key, channel, person, notice, made, state, at) \
     VALUES ($1, $2, $3, $4, $5, 'waiting', $5)";
const DUE: &str = "SELECT d.id, d.key, d.notice, d.made, d.tries, d.person, p.name, CASE WHEN p.enabled = 1 THEN p.mail END AS mail \
     FROM deliveries d LEFT JOIN people p ON p.id = d.person \
     WHERE d.channel = $1 AND d.state = 'waiting' AND d.at <= $2 ORDER BY d.at, d.id LIMIT $3";
const NEXT_DUE: &str = "SELECT MIN(at) FROM deliveries WHERE channel = $1 AND state = 'waiting'";
const SETTLE: &str = "UPDATE deliveries SET tries = tries + 1, state = $2, at = $3, error = $4 \
     WHERE id = $1 AND state = 'waiting'";
const WAITING_CHANNELS: &str = "SELECT DISTINCT channel FROM deliveries WHERE state = 'waiting'";
const DROP_CHANNEL: &str = "UPDATE deliveries SET state = 'given_up', at = $2, error = $3 \
     WHERE channel = $1 AND state = 'waiting'";
const PRUNE: &str = "DELETE FROM deliveries WHERE id IN \
     (SELECT id FROM deliveries WHERE state <> 'waiting' AND at < $1 ORDER BY at LIMIT $2)";
const LAST: &str = "SELECT d.id, d.channel, p.name, d.notice, d.made, d.tries, d.state, d.at, d.error \
     FROM deliveries d LEFT JOIN people p ON p.id = d.person ORDER BY d.id DESC LIMIT $1";

#[derive(sqlx::FromRow)]
struct DueRow {
    id: i64,
    key: String,
    notice: String,
    made: i64,
    tries: u32,
    person: Option<String>,
    name: Option<String>,
    mail: Option<String>,
}

impl From<DueRow> for Due {
    fn from(row: DueRow) -> Self {
        Self {
            id: row.id,
            key: row.key,
            notice: serde_json::from_str(&row.notice).ok(),
            made: Timestamp(row.made),
            tries: row.tries,
            to: row.person.zip(row.name).map(|(person, name)| Recipient {
                person: PersonId(person),
                name,
                address: row.mail,
            }),
        }
    }
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: i64,
    channel: String,
    name: Option<String>,
    notice: String,
    made: i64,
    tries: u32,
    state: String,
    at: i64,
    error: String,
}

impl TryFrom<ListedRow> for DeliveryRow {
    type Error = Error;

    fn try_from(row: ListedRow) -> Result<Self, Error> {
        let notice: Option<Notice> = serde_json::from_str(&row.notice).ok();
        Ok(Self {
            id: row.id,
            channel: Channel::parse(&row.channel).map_or(row.channel, |channel| channel.name().to_owned()),
            to: row.name.unwrap_or_default(),
            what: notice
                .as_ref()
                .map_or_else(|| "Another version of the portal wrote this.".to_owned(), Notice::subject),
            about: notice.as_ref().and_then(Notice::about),
            made: Timestamp(row.made),
            tries: row.tries,
            state: parse(&row.state)?,
            at: Timestamp(row.at),
            error: row.error,
        })
    }
}

impl Store {
    /// The deliveries of a channel whose time has come, the one that waits longest first.
    pub async fn due_deliveries(&self, channel: &Channel, now: Timestamp, limit: u32) -> Result<Vec<Due>, Error> {
        let query = sqlx::query_as(DUE).bind(channel.to_string()).bind(now.0).bind(limit);
        let rows: Vec<DueRow> = query.fetch_all(&mut *self.reader().await?).await?;
        Ok(rows.into_iter().map(Due::from).collect())
    }

    /// When the next delivery of a channel is due.
    pub async fn next_delivery(&self, channel: &Channel) -> Result<Option<Timestamp>, Error> {
        let query = sqlx::query_scalar(NEXT_DUE).bind(channel.to_string());
        let at: Option<i64> = query.fetch_one(&mut *self.reader().await?).await?;
        Ok(at.map(Timestamp))
    }

    /// The last deliveries, newest first.
    pub async fn last_deliveries(&self, limit: u32) -> Result<Vec<DeliveryRow>, Error> {
        let rows: Vec<ListedRow> = sqlx::query_as(LAST).bind(limit).fetch_all(&mut *self.reader().await?).await?;
        rows.into_iter().map(DeliveryRow::try_from).collect()
    }
}

impl Write {
    /// Puts a notice into the outbox.
    pub async fn deliver(&mut self, delivery: &NewDelivery) -> Result<(), Error> {
        let notice = serde_json::to_string(&delivery.notice)
            .map_err(|_| Error::Inconsistent("a notice cannot be written".to_owned()))?;
        sqlx::query(INSERT)
            .bind(&delivery.key)
            .bind(delivery.channel.to_string())
            .bind(delivery.person.as_ref().map(PersonId::as_str))
            .bind(notice)
            .bind(delivery.made.0)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Records what came of a try.
    pub async fn settle(&mut self, id: i64, now: Timestamp, outcome: &Outcome) -> Result<(), Error> {
        let (state, at, error) = outcome.columns(now);
        sqlx::query(SETTLE).bind(id).bind(word(&state)).bind(at.0).bind(error).execute(self.connection()).await?;
        Ok(())
    }

    /// Drops the oldest deliveries that came to their end before a moment, at most so many; gives how many those were.
    pub async fn prune_deliveries(&mut self, before: Timestamp, most: u32) -> Result<u64, Error> {
        let query = sqlx::query(PRUNE).bind(before.0).bind(most);
        Ok(query.execute(self.connection()).await?.rows_affected())
    }

    /// Gives up what waits for channels that are not there any more.
    pub async fn give_up_other_channels(&mut self, known: &[Channel], now: Timestamp, why: &str) -> Result<(), Error> {
        let waiting: Vec<String> = sqlx::query_scalar(WAITING_CHANNELS).fetch_all(self.connection()).await?;
        for channel in waiting.iter().filter(|waiting| !known.iter().any(|known| known.to_string() == **waiting)) {
            sqlx::query(DROP_CHANNEL).bind(channel).bind(now.0).bind(why).execute(self.connection()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
