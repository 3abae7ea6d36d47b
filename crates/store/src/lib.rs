//! All SQL of the portal: the chain of events, the lists that are derived from it, people, their sessions and tokens.
//!
//! No rule lives here. What may happen is decided in [`domain::run::decide`] by the use case that holds the transaction;
//! this crate only makes sure that what was decided is stored once, in order, and cannot be changed unseen.
//!
//! - [`Write`] is the one transaction at a time that may change something. Whoever has read inside it and appends what
//!   follows from it cannot be overtaken.
//! - Everything else is a plain method of [`Store`] and reads from its own connections, which never wait for the writer.
//! - Whatever hands out runs, or something of them, takes the [`Sight`](domain::policy::Sight) of whom it is for, and leaves out
//!   what that does not see as if it were not there.
//!
//! # How to append
//!
//! [`Write::load`] folds a run; the use case decides; [`Write::append`] takes the folded run back, with the new events, and
//! gives the run as it stands then. The version that is compared is the one of the run that is handed in, so that a state
//! from anywhere else is as safe as one that was just loaded: it is refused with [`Error::Moved`] when it is old.

mod actions;
mod approvals;
mod attempts;
mod auditing;
mod chain;
mod copying;
mod deliveries;
mod error;
mod escalations;
mod events;
mod factors;
mod figures;
mod health;
mod meta;
mod opening;
mod people;
mod projection;
mod redactions;
mod runs;
mod schedules;
mod sessions;
mod sight;
mod suggestions;
mod tokens;
mod words;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool, Sqlite, Transaction};

pub use auditing::{ChainPiece, EvidenceRow};
pub use chain::{Broken, Chain, Walked};
pub use copying::{CoveredOutput, ListedAttempt};
pub use deliveries::{Due, NewDelivery, Outcome, Recipient};
pub use error::{Error, OpenError};
pub use factors::{StoredOffer, StoredPasskey, Tried};
pub use health::StoredLook;
pub use opening::{Inspected, newest_schema};
pub use people::Credentials;
pub use runs::HistoryQuery;
pub use schedules::StoredSchedule;
pub use sessions::{Device, Lifetime, ListedSession, StoredSession, fingerprint};
pub use suggestions::{NewSuggestion, StoredSuggestion};
pub use tokens::TokenHolder;

/// The database behind the portal, named once.
type Db = Sqlite;

/// A connection to it.
type Connection = <Db as Database>::Connection;

/// The database of a portal. Cloning it is cheap: all clones are the same one.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection: whoever wants to write waits for it.
    writer: Pool<Db>,
    readers: Pool<Db>,
}

/// A transaction that may write. There is one at a time; dropping it takes everything back.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Db>,
}

impl Store {
    /// Begins the one transaction that may write.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when others have held it for too long.
    pub async fn begin(&self) -> Result<Write, Error> {
        Ok(Write { transaction: self.writer.begin_with("BEGIN IMMEDIATE").await? })
    }

    /// Closes all connections; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn reader(&self) -> Result<PoolConnection<Db>, Error> {
        Ok(self.readers.acquire().await?)
    }
}

impl Write {
    /// Makes everything durable.
    ///
    /// # Errors
    ///
    /// After an error here it is not known whether the change is stored: the caller reads it back before it answers.
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.transaction.commit().await?)
    }

    fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }
}

/// A whole number as the database keeps it.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count from the database; never negative there.
fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
