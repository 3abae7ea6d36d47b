//! Why the store did not do what was asked.

use sqlx::error::DatabaseError;

/// A failed query. Each variant is something that a caller does differently about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Someone else has moved the run on meanwhile: load again and decide again.
    #[error("someone else has moved this on meanwhile")]
    Moved,
    /// The database is in use for too long: try again in a moment.
    #[error("the database is busy")]
    Busy,
    /// There is no room left for the database.
    #[error("the disk of the database is full")]
    Full,
    /// The name is taken.
    #[error("this name is taken")]
    Taken,
    /// What was to be changed is not there any more.
    #[error("there is no such row any more")]
    Gone,
    /// What is stored contradicts itself.
    #[error("the database contradicts itself: {0}")]
    Inconsistent(String),
    /// The database could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The driver failed.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
}

/// Why a database could not be opened. Each text is one sentence for the console.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It belongs to something else.
    #[error(
        "{file} is a database of another program. Nothing was written; name another data folder with --data, or move the file away"
    )]
    Foreign {
        /// The file.
        file: String,
    },
    /// It is no database.
    #[error(
        "{file} is not a database of the portal. Nothing was written; name another data folder with --data, or move the file away"
    )]
    NoDatabase {
        /// The file.
        file: String,
    },
    /// It is damaged.
    #[error(
        "The database {file} is damaged ({why}). Nothing was written; restore it from a backup, or move it away to begin anew"
    )]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A newer portal has written it.
    #[error(
        "The database {file} was written by a newer portal (schema {found}, and this one knows {known}). Nothing was written; start the newer portal"
    )]
    Newer {
        /// The file.
        file: String,
        /// The schema that it has.
        found: i64,
        /// The newest schema that this portal knows.
        known: i64,
    },
    /// Its schema is not the one that its number promises.
    #[error(
        "The schema of the database {file} is not the one of this portal ({why}). Nothing was written; start the portal that made it"
    )]
    Schema {
        /// The file.
        file: String,
        /// What differs.
        why: String,
    },
    /// The file or its folder cannot be written.
    #[error(
        "The database {file} cannot be written ({why}). Nothing was started; change the permissions of the file and its folder, or name another data folder with --data"
    )]
    Unwritable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// There is no room for it.
    #[error("The disk of the database {file} is full. Nothing was started; make room first")]
    Full {
        /// The file.
        file: String,
    },
    /// Another process holds it.
    #[error("The database {file} is in use by another process. Nothing was started; end that process first")]
    Busy {
        /// The file.
        file: String,
    },
    /// The `SQLite` library is one that can damage a database.
    #[error(
        "This portal was built with SQLite {found}, which can damage a database; it takes 3.51.3 or later. Nothing was written; build it again"
    )]
    OldLibrary {
        /// The library's version.
        found: String,
    },
    /// Anything else.
    #[error(
        "The database {file} cannot be used ({why}). Nothing was started; look at the file, or name another data folder with --data"
    )]
    Unusable {
        /// The file.
        file: String,
        /// What happened.
        why: String,
    },
}

/// The codes of `SQLite` that mean something to a caller (<https://www.sqlite.org/rescode.html>).
mod code {
    pub const PERM: i32 = 3;
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const READONLY: i32 = 8;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const CANTOPEN: i32 = 14;
    pub const NOTADB: i32 = 26;
}

/// What a failure of the driver means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Busy,
    Full,
    Unwritable,
    Damaged,
    Other,
}

impl Cause {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Database(error) => Self::of_code(&**error),
            _ => Self::Other,
        }
    }

    fn of_code(error: &dyn DatabaseError) -> Self {
        let extended: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
        // The low byte is the primary code; what stands above only refines it.
        match extended & 0xFF {
            code::BUSY | code::LOCKED => Self::Busy,
            code::FULL => Self::Full,
            code::PERM | code::READONLY | code::CANTOPEN => Self::Unwritable,
            code::CORRUPT | code::NOTADB => Self::Damaged,
            _ => Self::Other,
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match Cause::of(&error) {
            Cause::Busy => Self::Busy,
            Cause::Full => Self::Full,
            Cause::Unwritable | Cause::Damaged | Cause::Other => Self::Driver(error),
        }
    }
}

impl Error {
    /// The error of an insert, when a row with the same key would mean `meaning`.
    pub(crate) fn unless_unique(error: sqlx::Error, meaning: Self) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => meaning,
            _ => error.into(),
        }
    }
}
