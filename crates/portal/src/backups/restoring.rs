//! Checking a backup, and putting it into the place of a data folder.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::CheckpointFolder;
use domain::audit::Checkpoint;
use domain::{Digest, Hasher};
use rustix::io::Errno;
use store::Store;
use tokio::task::block_in_place;

use super::files::{self, Failed};
use super::manifest::{FORMAT, MANIFEST, SUMS, Summed, Sums};
use super::{CHECKPOINTS, Course, DATABASE, KEYS, Manifest, RUNS, why};
use crate::CheckpointSettings;
use crate::settings::{LOCK, RESTORING, take_lock};

/// What a backup says about itself is never longer.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// What a backup has, in the order in which it comes into its place. The database is the last: without it there is nothing.
const PARTS: [&str; 4] = [KEYS, CHECKPOINTS, RUNS, DATABASE];

/// A backup that is to be checked or restored.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The folder of the backup.
    pub from: PathBuf,
    /// How far it is.
    pub course: Arc<Course>,
}

/// Why nothing was restored. Each text is one sentence for the console.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// It is no backup, or not all of one.
    #[error("{folder} is not a whole backup: {why}. Nothing was restored; take another one")]
    NoBackup {
        /// The folder.
        folder: String,
        /// What is wrong.
        why: String,
    },
    /// A file is another one than it was.
    #[error("{file} is not as it was when the backup was made: {why}. Nothing was restored; take another backup")]
    Changed {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// A newer portal has made it.
    #[error("The backup {folder} was made by a newer portal ({portal}). Nothing was restored; use that one")]
    Newer {
        /// The folder.
        folder: String,
        /// The portal's version.
        portal: String,
    },
    /// Something of it cannot be read.
    #[error("{file} cannot be read: {why}. Nothing was restored")]
    Unreadable {
        /// The file or folder.
        file: String,
        /// Why.
        why: String,
    },
    /// Its database cannot be used.
    #[error(transparent)]
    Database(store::OpenError),
    /// Somebody works there.
    #[error(
        "A portal works with the data folder {folder}. Nothing was restored; stop it and move the folder aside, or name another one with --data"
    )]
    InUse {
        /// The folder.
        folder: String,
    },
    /// There is something already.
    #[error(
        "The data folder {folder} is not empty. Nothing was restored; move what is there aside and keep it, or name another folder with --data"
    )]
    Occupied {
        /// The folder.
        folder: String,
    },
    /// It cannot be written there.
    #[error("{place} cannot be written ({why}). Nothing was restored, and nothing is left of it")]
    Unwritable {
        /// The file or folder.
        place: String,
        /// Why.
        why: String,
    },
    /// The disk is full.
    #[error(
        "There is no room for the backup in {folder}. Nothing was restored, and nothing is left of it; make room, or name a folder on another disk with --data"
    )]
    Full {
        /// The data folder.
        folder: String,
    },
    /// Whoever wanted it does not want it any more.
    #[error("It was stopped. Nothing was restored, and nothing is left of it")]
    Stopped,
}

impl RestoreError {
    fn no_backup(folder: &Path, why: impl Into<String>) -> Self {
        Self::NoBackup { folder: folder.display().to_string(), why: why.into() }
    }

    fn changed(file: &Path, why: impl Into<String>) -> Self {
        Self::Changed { file: file.display().to_string(), why: why.into() }
    }

    fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self::Unreadable { file: file.display().to_string(), why: error.to_string() }
    }

    fn unwritable(folder: &Path, place: &Path, error: &io::Error) -> Self {
        if files::is_full(error) {
            return Self::Full { folder: folder.display().to_string() };
        }
        Self::Unwritable { place: place.display().to_string(), why: error.to_string() }
    }
}

impl Restore {
    /// Reads the backup from its first byte to its last and holds it against what it says about itself. Nothing is written. Works
    /// on the thread that asks, in a runtime that has others.
    ///
    /// # Errors
    ///
    /// One sentence that names the first file that is not as it was.
    pub async fn check(&self) -> Result<Manifest, RestoreError> {
        let manifest = block_in_place(|| {
            let text = self.text()?;
            let manifest = self.manifest(&text)?;
            self.check_list(&manifest, &Digest::of(&text))?;
            self.check_files(&manifest)?;
            Ok::<_, RestoreError>(manifest)
        })?;
        self.check_database(&manifest).await?;
        Ok(manifest)
    }

    /// Checks the backup, and puts it into a data folder that is not there or empty.
    ///
    /// # Errors
    ///
    /// One sentence. The data folder is as it was then.
    pub async fn put(&self, data: &Path) -> Result<Manifest, RestoreError> {
        refuse_occupied(data)?;
        let manifest = self.check().await?;
        block_in_place(|| Place::take(data)?.fill(self))?;
        Ok(manifest)
    }

    /// The last checkpoint that lies outside of data folders and knows events that a backup does not have.
    pub fn checkpoint_behind(manifest: &Manifest, checkpoints: &CheckpointSettings) -> Option<Checkpoint> {
        let folder = CheckpointFolder::new(checkpoints.folder.clone()?);
        let last = folder.latest().ok()??.checkpoint;
        (last.seq > manifest.events).then_some(last)
    }

    /// What the backup says about itself, as it stands there.
    fn text(&self) -> Result<Vec<u8>, RestoreError> {
        let mut text = Vec::new();
        let read =
            files::open_below(&self.from, MANIFEST).and_then(|file| file.take(MANIFEST_LIMIT).read_to_end(&mut text));
        match read {
            Ok(_) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(RestoreError::no_backup(&self.from, format!("there is no {MANIFEST}")))
            }
            Err(error) => Err(self.missing(MANIFEST, &error)),
        }
    }

    fn manifest(&self, text: &[u8]) -> Result<Manifest, RestoreError> {
        understood(text).map_err(|why| match why {
            Misread::Newer(portal) => RestoreError::Newer { folder: self.from.display().to_string(), portal },
            Misread::Bad(why) => RestoreError::changed(&self.from.join(MANIFEST), why),
        })
    }

    /// The list and what binds it, before any of the two is believed.
    fn check_list(&self, manifest: &Manifest, own: &Digest) -> Result<(), RestoreError> {
        let (mut hash, mut bound) = (Hasher::default(), false);
        for summed in self.list()? {
            let summed = self.listed(summed)?;
            if summed.name == MANIFEST {
                self.compare(&summed, own)?;
                bound = true;
            } else {
                hash.write_all(summed.line().as_bytes()).map_err(|error| self.missing(SUMS, &error))?;
            }
        }
        if bound && hash.digest() == manifest.sums {
            return Ok(());
        }
        Err(RestoreError::changed(&self.from.join(SUMS), format!("{MANIFEST} speaks of another one")))
    }

    fn check_files(&self, manifest: &Manifest) -> Result<(), RestoreError> {
        let (mut files, mut bytes) = (0, 0);
        for summed in self.list()? {
            let summed = self.listed(summed)?;
            if summed.name == MANIFEST {
                continue;
            }
            let (length, digest) = self.measured(&summed.name)?;
            self.compare(&summed, &digest)?;
            files += 1;
            bytes += length;
        }
        if (files, bytes) == (manifest.files, manifest.bytes) {
            return Ok(());
        }
        Err(RestoreError::changed(&self.from.join(SUMS), format!("{MANIFEST} has another number of files or bytes")))
    }

    fn compare(&self, summed: &Summed, digest: &Digest) -> Result<(), RestoreError> {
        if *digest == summed.digest {
            return Ok(());
        }
        Err(RestoreError::changed(&self.from.join(&summed.name), format!("{SUMS} has another SHA-256 of it")))
    }

    fn list(&self) -> Result<Sums<BufReader<File>>, RestoreError> {
        let list = files::open_below(&self.from, SUMS);
        list.map(|list| Sums::new(BufReader::new(list))).map_err(|error| self.missing(SUMS, &error))
    }

    fn listed(&self, line: io::Result<Summed>) -> Result<Summed, RestoreError> {
        line.map_err(|error| RestoreError::changed(&self.from.join(SUMS), error.to_string()))
    }

    fn measured(&self, name: &str) -> Result<(u64, Digest), RestoreError> {
        let file = files::open_below(&self.from, name).map_err(|error| self.missing(name, &error))?;
        files::measure(file, &self.course).map_err(|failed| self.unread(name, failed))
    }

    fn missing(&self, name: &str, error: &io::Error) -> RestoreError {
        let file = self.from.join(name);
        match (error.kind(), Errno::from_io_error(error)) {
            (io::ErrorKind::NotFound, _) => RestoreError::changed(&file, "it is gone"),
            (io::ErrorKind::InvalidData, _) | (_, Some(Errno::LOOP | Errno::NOTDIR | Errno::NXIO)) => {
                RestoreError::changed(&file, "something else stands in its place")
            }
            _ => RestoreError::unreadable(&file, error),
        }
    }

    fn unread(&self, name: &str, failed: Failed) -> RestoreError {
        match failed {
            Failed::Read(error) | Failed::Write(error) => RestoreError::unreadable(&self.from.join(name), &error),
            Failed::Stopped => RestoreError::Stopped,
        }
    }

    /// The database is one of ours, whole, not newer, and the one that is spoken of.
    async fn check_database(&self, manifest: &Manifest) -> Result<(), RestoreError> {
        let file = self.from.join(DATABASE);
        let failed = |error: store::Error| match error {
            store::Error::Open(error) => RestoreError::Database(error),
            other => RestoreError::Unreadable { file: file.display().to_string(), why: why(&other) },
        };
        let store = Store::inspect(&file).await.map_err(failed)?.read().await.map_err(failed)?;
        let head = store.chain_head().await;
        store.close().await;
        let head = head.map_err(failed)?;
        if (head.seq, &head.hash) == (manifest.events, &manifest.head) {
            return Ok(());
        }
        Err(RestoreError::changed(&file, format!("{MANIFEST} speaks of another last event")))
    }
}

/// Why what a backup says about itself is not believed.
enum Misread {
    Newer(String),
    Bad(String),
}

/// What a backup says about itself, if this portal knows the form of it and of its database.
fn understood(text: &[u8]) -> Result<Manifest, Misread> {
    let bad = |error: serde_json::Error| Misread::Bad(error.to_string());
    let value: serde_json::Value = serde_json::from_slice(text).map_err(bad)?;
    let form = value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT));
    let schema = value["schema"].as_i64().is_some_and(|schema| schema > store::newest_schema());
    if form || schema {
        return Err(Misread::Newer(value["portal"].as_str().unwrap_or("it does not say which").to_owned()));
    }
    serde_json::from_value(value).map_err(bad)
}

/// Says no before anything is read when there is no place.
fn refuse_occupied(data: &Path) -> Result<(), RestoreError> {
    let folder = || data.display().to_string();
    let found = match std::fs::read_dir(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RestoreError::unreadable(data, &error)),
        Ok(entries) => entries.count(),
    };
    if is_in_use(data) {
        return Err(RestoreError::InUse { folder: folder() });
    }
    if found > 0 { Err(RestoreError::Occupied { folder: folder() }) } else { Ok(()) }
}

/// Whether somebody holds the lock of a data folder. Nothing is made there by looking.
fn is_in_use(data: &Path) -> bool {
    let lock = File::open(data.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A data folder that is being filled. Nobody else works in it meanwhile, and unless it is filled it is as it was.
struct Place {
    data: PathBuf,
    made: bool,
    filled: bool,
    _lock: File,
}

impl Place {
    fn take(data: &Path) -> Result<Self, RestoreError> {
        let unwritable = |error: &io::Error| RestoreError::unwritable(data, data, error);
        let made = match DirBuilder::new().mode(0o700).create(data) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(unwritable(&error)),
        };
        // Whoever came first has it: there is nothing yet that belongs to this place.
        let lock = take_lock(data).map_err(|error| match error {
            TryLockError::WouldBlock => RestoreError::InUse { folder: data.display().to_string() },
            TryLockError::Error(error) => unwritable(&error),
        })?;
        let others = std::fs::read_dir(data).map_err(|error| unwritable(&error))?.flatten();
        if others.map(|entry| entry.file_name()).any(|name| name != LOCK) {
            return Err(RestoreError::Occupied { folder: data.display().to_string() });
        }
        Ok(Self { data: data.to_owned(), made, filled: false, _lock: lock })
    }

    /// Copies everything beside its place in the data folder, compares it once more, and moves it when it is on the disk.
    fn fill(mut self, restore: &Restore) -> Result<(), RestoreError> {
        let root = self.data.join(RESTORING);
        files::create_folder(&root).map_err(|error| self.unwritable(&root, &error))?;
        for summed in restore.list()? {
            let summed = restore.listed(summed)?;
            if summed.name != MANIFEST {
                self.copy(restore, &summed, &root)?;
            }
        }
        files::make_durable(&root).map_err(|error| self.unwritable(&root, &error))?;
        if restore.course.is_stopped() {
            return Err(RestoreError::Stopped);
        }
        self.move_in(&root).map_err(|error| self.unwritable(&self.data, &error))?;
        self.filled = true;
        Ok(())
    }

    fn copy(&self, restore: &Restore, summed: &Summed, root: &Path) -> Result<(), RestoreError> {
        let (name, path) = (&*summed.name, root.join(&summed.name));
        let from = files::open_below(&restore.from, name).map_err(|error| restore.missing(name, &error))?;
        let above = path.parent().unwrap_or(root);
        let to = files::create_folder(above).and_then(|()| files::create(&path));
        let to = to.map_err(|error| self.unwritable(&path, &error))?;
        let copied = files::stream(from, to, &restore.course);
        let (_, digest) = copied.map_err(|failed| match failed {
            Failed::Write(error) => self.unwritable(&path, &error),
            other => restore.unread(name, other),
        })?;
        restore.compare(summed, &digest)
    }

    /// A backup without runs has no folder of them.
    fn move_in(&self, root: &Path) -> io::Result<()> {
        for part in PARTS {
            match std::fs::rename(root.join(part), self.data.join(part)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        std::fs::remove_dir(root)?;
        files::make_names_durable(&self.data)?;
        self.data.parent().map_or(Ok(()), files::make_names_durable)
    }

    fn unwritable(&self, place: &Path, error: &io::Error) -> RestoreError {
        RestoreError::unwritable(&self.data, place, error)
    }
}

impl Drop for Place {
    /// What cannot be removed keeps the portal from being started on half of it.
    fn drop(&mut self) {
        if self.filled {
            return;
        }
        // The mark of a broken restore goes last.
        for part in PARTS.iter().rev().chain(&[RESTORING]) {
            let path = self.data.join(part);
            drop(std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path)));
        }
        drop(std::fs::remove_file(self.data.join(LOCK)));
        if self.made {
            drop(std::fs::remove_dir(&self.data));
        }
    }
}
