//! Opening the database: look first, without touching anything; write only to what is ours.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Timestamp;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::error::{Cause, OpenError};
use crate::{Connection, Db, Error, Store};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// "RbkP": marks a database file as one of the portal.
const APPLICATION_ID: u32 = 0x5262_6B50;

/// Below this version, resetting the write-ahead log can damage a database (<https://www.sqlite.org/wal.html#walresetbug>).
const OLDEST_LIBRARY: [u32; 3] = [3, 51, 3];

/// How long anybody waits for their turn, before being told to come back later.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that read.
const READERS: u32 = 4;

/// A file up to this size is checked page by page at every start; a larger one would take too long for that.
const CHECKED: u64 = 256 << 20;

impl Store {
    /// Opens a database, or makes a new one where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] with one sentence. A file that is not ours, is damaged or is newer has not been touched then.
    pub async fn open(path: &Path, now: Timestamp) -> Result<Self, Error> {
        Self::inspect(path).await?.open(now).await
    }

    /// Looks whether a database can be opened, and writes nothing, neither into the file nor beside it. One that is not there
    /// can be made.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] with one sentence when the file is not ours, damaged or newer.
    pub async fn inspect(path: &Path) -> Result<Inspected, Error> {
        Inspected::patiently(path, PATIENCE).await
    }
    /// The first event of a new chain, and the end of sessions that ran out meanwhile.
    async fn greet(&self, now: Timestamp) -> Result<(), Error> {
        let mut write = self.begin().await?;
        if write.chain_is_empty().await? {
            write.audit(None, now, "database_created", serde_json::json!({})).await?;
        }
        write.sweep_sessions(now).await?;
        write.commit().await
    }
}

/// A place where a database can be opened: there is none, or one of ours that is whole.
pub struct Inspected {
    place: Place,
    found: Found,
}

impl Inspected {
    async fn patiently(path: &Path, patience: Duration) -> Result<Self, Error> {
        let place = Place::of(path, patience);
        place.check_library().await?;
        let found = place.look()?;
        if let Found::Ours { bytes } = found {
            place.inspect(bytes).await?;
        }
        Ok(Self { place, found })
    }

    /// Opens the database for reading alone, while its portal may or may not run.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] with one sentence; there has to be a database.
    pub async fn read(self) -> Result<Store, Error> {
        if let Found::Nothing = self.found {
            return Err(OpenError::Unusable { file: self.place.file.clone(), why: "there is none".to_owned() }.into());
        }
        Ok(self.place.read().await?)
    }

    /// Opens the database, or makes it.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] with one sentence.
    pub async fn open(self, now: Timestamp) -> Result<Store, Error> {
        if let Found::Nothing = self.found {
            self.place.begin().await?;
        }
        let store = self.place.connect().await?;
        self.place.migrate(&store).await?;
        store.greet(now).await?;
        Ok(store)
    }
}

/// What stands where the database should be.
enum Found {
    Nothing,
    Ours { bytes: u64 },
}

/// Where the database is.
struct Place {
    path: PathBuf,
    /// The path for messages.
    file: String,
    /// How long anybody waits for the writer, and `SQLite` for another process.
    patience: Duration,
}

impl Place {
    fn of(path: &Path, patience: Duration) -> Self {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { file: path.display().to_string(), path, patience }
    }

    async fn check_library(&self) -> Result<(), OpenError> {
        let mut memory =
            SqliteConnectOptions::new().in_memory(true).connect().await.map_err(|error| self.why(&error))?;
        let found: String = sqlx::query_scalar("SELECT sqlite_version()")
            .fetch_one(&mut memory)
            .await
            .map_err(|error| self.why(&error))?;
        if is_new_enough(&found) { Ok(()) } else { Err(OpenError::OldLibrary { found }) }
    }

    /// Reads the file's header as plain bytes: `SQLite` itself would already leave traces beside the file.
    fn look(&self) -> Result<Found, OpenError> {
        let file = self.file.clone();
        let unusable = |error: std::io::Error| OpenError::Unusable { file: file.clone(), why: error.to_string() };
        let mut opened = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            opened => opened.map_err(unusable)?,
        };
        let bytes = opened.metadata().map_err(unusable)?.len();
        let mut head = [0; 100];
        match opened.read(&mut head).map_err(unusable)? {
            0 => return Ok(Found::Nothing),
            100 if head.starts_with(b"SQLite format 3\0") => {}
            _ => return Err(OpenError::NoDatabase { file }),
        }
        if number(&head, 68) != APPLICATION_ID {
            return Err(OpenError::Foreign { file });
        }
        if bytes < expected_size(&head) && !self.has_beside("-wal") {
            return Err(OpenError::Damaged { file, why: "the file ends too early".to_owned() });
        }
        Ok(Found::Ours { bytes })
    }

    /// Whether a file of this name lies beside the database and holds something.
    fn has_beside(&self, suffix: &str) -> bool {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        std::fs::metadata(name).is_ok_and(|beside| beside.len() > 0)
    }

    /// Makes the file and marks it as ours before anything else is written, and before the write-ahead log is turned on:
    /// the mark then always stands in the file itself.
    async fn begin(&self) -> Result<(), OpenError> {
        let unwritable =
            |error: std::io::Error| OpenError::Unwritable { file: self.file.clone(), why: error.to_string() };
        let made = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path);
        drop(made.map_err(unwritable)?);
        if let Some(folder) = self.path.parent() {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
        }
        let mut connection = self.options().connect().await.map_err(|error| self.why(&error))?;
        // The driver takes literals only.
        const { assert!(APPLICATION_ID == 1_382_181_712) };
        sqlx::query("PRAGMA application_id = 1382181712")
            .execute(&mut connection)
            .await
            .map_err(|error| self.why(&error))?;
        connection.close().await.map_err(|error| self.why(&error))
    }

    /// Looks into a database of ours without writing: is it whole, and do we know its schema?
    async fn inspect(&self, bytes: u64) -> Result<(), OpenError> {
        if self.has_beside("-journal") {
            // A portal died while it marked a new file: SQLite takes that back when it opens the file for writing.
            return Ok(());
        }
        // Without a log beside it the file is all there is, and SQLite need not make one to read it.
        let options = self.options().read_only(true).immutable(!self.has_beside("-wal"));
        let mut connection = options.connect().await.map_err(|error| self.why(&error))?;
        let found = schema(&mut connection).await.map_err(|error| self.why(&error))?;
        let known = newest_schema();
        if found > known {
            return Err(OpenError::Newer { file: self.file.clone(), found, known });
        }
        if bytes <= CHECKED {
            self.check(&mut connection).await?;
        }
        connection.close().await.map_err(|error| self.why(&error))
    }

    async fn check(&self, connection: &mut Connection) -> Result<(), OpenError> {
        let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
            .fetch_one(connection)
            .await
            .map_err(|error| self.why(&error))?;
        if verdict == "ok" {
            return Ok(());
        }
        // Its first line only names the database; the console gets one sentence.
        let why = verdict.lines().filter(|line| !line.starts_with("***")).collect::<Vec<_>>().join("; ");
        Err(OpenError::Damaged { file: self.file.clone(), why })
    }

    async fn connect(&self) -> Result<Store, OpenError> {
        let writing =
            self.options().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full).foreign_keys(true);
        let writer = whole_again(self.pool(1)).connect_with(writing).await.map_err(|error| self.why(&error))?;
        let reading = self.options().read_only(true);
        // All of them at once: nobody's page waits for a connection that is only being opened.
        let readers = self.pool(READERS).min_connections(READERS);
        let readers = readers.connect_with(reading).await.map_err(|error| self.why(&error))?;
        Ok(Store { writer, readers })
    }

    /// Connections that read. Where nobody can write beside the file nobody changes it either, and `SQLite` needs no file of
    /// its own there; but for a log that lies beside it, as in a snapshot of a disk: what stands there must not be passed over.
    async fn read(&self) -> Result<Store, OpenError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
        let options = self.options().read_only(true).immutable(!writable && !self.has_beside("-wal"));
        let readers = self.pool(READERS).connect_with(options).await.map_err(|error| self.why(&error))?;
        Ok(Store { writer: readers.clone(), readers })
    }

    async fn migrate(&self, store: &Store) -> Result<(), OpenError> {
        let file = self.file.clone();
        MIGRATIONS.run(&store.writer).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => OpenError::Newer { file, found, known: newest_schema() },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => self.why(&error),
            other => OpenError::Schema { file, why: other.to_string() },
        })
    }

    fn options(&self) -> SqliteConnectOptions {
        // A trigger or view that somebody put into the file must not run functions with effects.
        SqliteConnectOptions::new().filename(&self.path).busy_timeout(self.patience).pragma("trusted_schema", "OFF")
    }

    fn pool(&self, connections: u32) -> PoolOptions<Db> {
        PoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.patience)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    }

    fn why(&self, error: &sqlx::Error) -> OpenError {
        let file = self.file.clone();
        let why = match error {
            sqlx::Error::Database(error) => error.message().to_owned(),
            other => other.to_string(),
        };
        match Cause::of(error) {
            Cause::Busy => OpenError::Busy { file },
            Cause::Full => OpenError::Full { file },
            Cause::Unwritable => OpenError::Unwritable { file, why },
            Cause::Damaged => OpenError::Damaged { file, why },
            Cause::Other => OpenError::Unusable { file, why },
        }
    }
}

/// The newest schema that this portal knows.
pub fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// When the disk is full `SQLite` takes a transaction back by itself, and the driver goes on believing in it: such a connection
/// could never begin another one. A new one can, as soon as there is room again.
fn whole_again(pool: PoolOptions<Db>) -> PoolOptions<Db> {
    pool.before_acquire(|connection: &mut Connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
}

/// The version of the schema that a database has.
pub(crate) async fn schema(connection: &mut Connection) -> Result<i64, sqlx::Error> {
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    if there == 0 {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations").fetch_one(connection).await
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    OLDEST_LIBRARY.map(|_| parts.next().unwrap_or_default()) >= OLDEST_LIBRARY
}

/// The bytes that a database has by its own header, as far as the header is to be trusted
/// (<https://www.sqlite.org/fileformat.html#in_header_database_size>).
fn expected_size(head: &[u8; 100]) -> u64 {
    let page = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    if number(head, 24) == number(head, 92) { page * u64::from(number(head, 28)) } else { 0 }
}

fn number(head: &[u8; 100], at: usize) -> u32 {
    u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

#[cfg(test)]
mod tests;
