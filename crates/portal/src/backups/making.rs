//! Making a backup.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::CheckpointFolder;
use domain::redaction::{ByteRange, together};
use domain::time::Clock;
use domain::{AttemptId, Digest, Timestamp};
use engine::{Kept, is_plain_name};
use store::{CoveredOutput, ListedAttempt, Store};
use tokio::task::block_in_place;

use super::draft::{Draft, Written};
use super::manifest::FORMAT;
use super::{CHECKPOINTS, Course, DATABASE, KEYS, Manifest, RUNS, files, why};
use crate::CheckpointSettings;

/// So often a copy is made anew because something was covered in an output meanwhile. Two people have to do that each time.
const TRIES: u32 = 5;

/// Attempts that are listed at once.
const PAGE: u32 = 1000;

/// A backup that is to be made.
#[derive(Clone)]
pub struct Backup {
    /// The data folder. Its portal may work.
    pub data: PathBuf,
    /// Where its checkpoints are.
    pub checkpoints: CheckpointSettings,
    /// The folder that is to become the backup.
    pub to: PathBuf,
    /// The version of this portal.
    pub portal: String,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// How far it is.
    pub course: Arc<Course>,
}

/// Why there is no backup. Each text is one sentence for the console.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something already.
    #[error(
        "{place} is there already, and it is not an empty folder. No backup was made; name a folder that is not there"
    )]
    Taken {
        /// Where it was to be.
        place: String,
    },
    /// It cannot be there.
    #[error(
        "There can be no backup at {place}: {why}. No backup was made; name a folder that is not there, in one that is there and that you may write to"
    )]
    Place {
        /// Where it was to be.
        place: String,
        /// Why it cannot.
        why: String,
    },
    /// Something of the data cannot be read.
    #[error("{file} cannot be read ({why}). No backup was made; run this as the user that owns the data folder")]
    Unreadable {
        /// The file or folder.
        file: String,
        /// Why.
        why: String,
    },
    /// Something of the backup cannot be written.
    #[error(
        "{name} cannot be written for {place} ({why}). No backup was made, and nothing is left of it; look at that disk, or name another place"
    )]
    Unwritable {
        /// Where the backup was to be.
        place: String,
        /// The file in it.
        name: String,
        /// Why.
        why: String,
    },
    /// The disk is full.
    #[error(
        "There is no room for the backup {place}. No backup was made, and nothing is left of it; make room, or name a place on another disk"
    )]
    Full {
        /// Where it was to be.
        place: String,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Open(store::OpenError),
    /// The database cannot be read.
    #[error(
        "The database cannot be copied: {why}. No backup was made; try again, and if that does not help, look at the disk"
    )]
    Database {
        /// Why.
        why: String,
    },
    /// Something was covered in an output, again and again.
    #[error(
        "Something in the stored output was covered while it was copied, {} times in a row. No backup was made; try again",
        TRIES
    )]
    Covered,
    /// Whoever wanted it does not want it any more.
    #[error("The backup was stopped. No backup was made, and nothing is left of it")]
    Stopped,
}

impl BackupError {
    pub(super) fn place(place: &Path, why: impl Into<String>) -> Self {
        Self::Place { place: place.display().to_string(), why: why.into() }
    }

    pub(super) fn unreadable(file: impl Into<String>, error: &io::Error) -> Self {
        Self::Unreadable { file: file.into(), why: error.to_string() }
    }
}

impl From<store::Error> for BackupError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Open(error) => Self::Open(error),
            other => Self::Database { why: why(&other) },
        }
    }
}

/// Everything that is recorded as covered in the output of an attempt, and what the output is then.
struct Covered {
    ranges: Vec<ByteRange>,
    new: Digest,
}

impl Backup {
    /// Makes it, and says what is in it. Works on the thread that asks, in a runtime that has others.
    ///
    /// # Errors
    ///
    /// One sentence. Nothing is left of it then.
    pub async fn make(&self) -> Result<Manifest, BackupError> {
        let to = place(&self.to, &self.data)?;
        let store = Store::inspect(&self.data.join(DATABASE)).await?.read().await?;
        let made = self.try_often(&store, &to).await;
        store.close().await;
        made
    }

    async fn try_often(&self, store: &Store, to: &Path) -> Result<Manifest, BackupError> {
        for _ in 0..TRIES {
            let mut draft = block_in_place(|| Draft::begin(to, &self.course))?;
            let manifest = self.copy(store, &mut draft).await?;
            if fits_still(store, &manifest).await? {
                return block_in_place(|| draft.finish(manifest));
            }
        }
        Err(BackupError::Covered)
    }

    async fn copy(&self, store: &Store, draft: &mut Draft) -> Result<Manifest, BackupError> {
        block_in_place(|| self.copy_checkpoints(draft))?;
        let at = self.clock.now();
        self.copy_database(store, draft).await?;
        block_in_place(|| self.copy_keys(draft))?;
        let copied = Store::inspect(&draft.path(DATABASE)).await?.read().await?;
        let manifest = self.copy_attempts(&copied, draft, at).await;
        copied.close().await;
        manifest
    }

    fn copy_checkpoints(&self, draft: &mut Draft) -> Result<(), BackupError> {
        let folder = CheckpointFolder::new(self.checkpoints.folder(&self.data));
        let shown = folder.path().display().to_string();
        let names = folder.files().map_err(|error| BackupError::unreadable(&*shown, &error))?;
        if names.is_empty() {
            draft.note(format!("There was no checkpoint in {shown}: nothing in this backup proves its events."));
        }
        for name in names.iter().filter(|name| is_plain_name(name)) {
            let path = folder.path().join(name);
            let file = File::open(&path).and_then(present);
            let file = file.map_err(|error| BackupError::unreadable(path.display().to_string(), &error))?;
            draft.add(&format!("{CHECKPOINTS}/{name}"), file)?;
        }
        Ok(())
    }

    async fn copy_database(&self, store: &Store, draft: &mut Draft) -> Result<(), BackupError> {
        let path = draft.path(DATABASE);
        let text = path.to_str().ok_or_else(|| BackupError::place(&path, "its name is not text in UTF-8"))?;
        // Made here, so that nobody else can ever read it.
        files::create(&path).map_err(|error| draft.unwritable(DATABASE, &error))?;
        let course = Arc::clone(&self.course);
        match store.copy_into(text, move || !course.is_stopped()).await {
            Err(_) if self.course.is_stopped() => return Err(BackupError::Stopped),
            Err(store::Error::Full) => return Err(BackupError::Full { place: self.to.display().to_string() }),
            copied => copied?,
        }
        let written = block_in_place(|| draft.measure(DATABASE))?;
        draft.list(&written)
    }

    fn copy_keys(&self, draft: &mut Draft) -> Result<(), BackupError> {
        let folder = self.data.join(KEYS);
        let unreadable = |name: &str, error| BackupError::unreadable(folder.join(name).display().to_string(), &error);
        let (names, strange) = files::names_in(&folder).map_err(|error| unreadable("", error))?;
        if strange > 0 {
            draft.note(strange_things("the folder of keys", strange));
        }
        for name in names {
            let file = files::open_below(&folder, &name).and_then(present).map_err(|error| unreadable(&name, error))?;
            draft.add(&format!("{KEYS}/{name}"), file)?;
        }
        Ok(())
    }

    /// Copies the folder of every attempt that the copied database knows, and says what there is in all.
    async fn copy_attempts(&self, copied: &Store, draft: &mut Draft, at: Timestamp) -> Result<Manifest, BackupError> {
        let head = copied.chain_head().await?;
        let covered = all_covered(copied.covered_behind(0).await?);
        let (mut attempts, mut open, mut last) = (0, 0, None);
        loop {
            let page = copied.attempts_behind(last, PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.id);
            attempts += page.len() as u64;
            open += page.iter().filter(|listed| listed.open).count() as u64;
            block_in_place(|| {
                page.iter().try_for_each(|listed| self.copy_attempt(draft, *listed, covered.get(&listed.id)))
            })?;
        }
        let (schema, runs) = (copied.schema().await?, copied.count_runs().await?);
        Ok(Manifest {
            format: FORMAT,
            portal: self.portal.clone(),
            schema,
            at,
            time: at.iso(),
            events: head.seq,
            head: head.hash,
            runs,
            attempts,
            open,
            files: 0,
            bytes: 0,
            sums: Digest::of(b""),
            notes: Vec::new(),
        })
    }

    fn copy_attempt(
        &self,
        draft: &mut Draft,
        listed: ListedAttempt,
        covered: Option<&Covered>,
    ) -> Result<(), BackupError> {
        let id = listed.id;
        let folder = format!("{RUNS}/{}/{}-{}", id.run, id.step, id.attempt);
        let output = format!("{folder}/{}", Kept::OUTPUT);
        let mut written = self.copy_kept(draft, id, &folder)?;
        if listed.open && written.iter().all(|file| file.name() != output) {
            // It may have begun since. Without an output the copy would say that nothing of it was run.
            written.push(draft.write(&output, io::empty())?);
        }
        if let Some(covered) = covered {
            written = cover(draft, id, covered, (written, &output))?;
        }
        written.iter().try_for_each(|file| draft.list(file))
    }

    /// Copies the files of an attempt as they are now. An attempt that never began has none.
    fn copy_kept(&self, draft: &mut Draft, id: AttemptId, folder: &str) -> Result<Vec<Written>, BackupError> {
        let unreadable =
            |error: io::Error| BackupError::unreadable(self.data.join(folder).display().to_string(), &error);
        let Some(kept) = Kept::look(&self.data.join(RUNS), id).map_err(unreadable)? else { return Ok(Vec::new()) };
        if kept.strange() > 0 {
            draft.note(strange_things(&format!("the folder of {}", attempt_words(id)), kept.strange()));
        }
        let mut written = Vec::with_capacity(kept.names().len());
        for name in kept.names() {
            if let Some(file) = kept.open(name).map_err(unreadable)? {
                let file = present(file).map_err(unreadable)?;
                written.push(draft.write(&format!("{folder}/{name}"), file)?);
            }
        }
        Ok(written)
    }
}

/// Whether nothing was covered in an output behind what the copied database knows: a copied output may or may not have been
/// covered already then, and nothing in the copy says so.
pub(super) async fn fits_still(store: &Store, manifest: &Manifest) -> Result<bool, BackupError> {
    Ok(store.covered_behind(manifest.events).await?.is_empty())
}

/// Where the backup is to be: not there yet, beside nothing of the portal's own, and named so that every tool can take it.
fn place(to: &Path, data: &Path) -> Result<PathBuf, BackupError> {
    let refused = |why: &str| BackupError::place(to, why);
    let absolute = std::path::absolute(to).map_err(|error| refused(&error.to_string()))?;
    let (above, name) = absolute.parent().zip(absolute.file_name()).ok_or_else(|| refused("it has no name"))?;
    let above = above.canonicalize().map_err(|error| {
        refused(&format!("the folder {}, in which it would be, cannot be used ({error})", above.display()))
    })?;
    if data.canonicalize().is_ok_and(|data| above.starts_with(data)) {
        return Err(refused("that is in the data folder, which it would be lost with"));
    }
    let to = above.join(name);
    let empty = match std::fs::read_dir(&to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(to),
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => false,
    };
    if !empty {
        return Err(BackupError::Taken { place: to.display().to_string() });
    }
    // The top of a disk cannot be exchanged for another folder.
    if is_mounted(&above, &to) { Err(refused("it is the top of a disk; name a folder on it")) } else { Ok(to) }
}

/// Whether a folder is the top of another disk than the folder above it.
fn is_mounted(above: &Path, folder: &Path) -> bool {
    let device = |path: &Path| path.metadata().map(|found| found.dev());
    matches!((device(above), device(folder)), (Ok(above), Ok(folder)) if above != folder)
}

/// A file as far as it is now: who goes on writing to it keeps nobody here for ever.
fn present(file: File) -> io::Result<io::Take<File>> {
    let length = file.metadata()?.len();
    Ok(file.take(length))
}

/// What is covered, by attempt.
fn all_covered(all: Vec<CoveredOutput>) -> BTreeMap<AttemptId, Covered> {
    let mut covered: BTreeMap<AttemptId, Covered> = BTreeMap::new();
    for CoveredOutput { id, ranges, new } in all {
        let entry = covered.entry(id).or_insert_with(|| Covered { ranges: Vec::new(), new: new.clone() });
        entry.ranges = together(entry.ranges.iter().copied().chain(ranges));
        entry.new = new;
    }
    covered
}

/// Covers in the copy what the record says is covered: the portal may have been about to do it.
fn cover(
    draft: &mut Draft,
    id: AttemptId,
    covered: &Covered,
    (written, output): (Vec<Written>, &str),
) -> Result<Vec<Written>, BackupError> {
    let done = engine::cover_stored(&draft.path(RUNS), id, &covered.ranges, &covered.new);
    match done {
        Err(error) if files::is_full(&error) => return Err(draft.unwritable(output, &error)),
        Err(error) => draft.note(format!(
            "Something in the output of {} is recorded as covered and could not be covered in this backup ({error}): it is as it is \
             in the data folder. `audit verify` says more.",
            attempt_words(id)
        )),
        Ok(()) => {}
    }
    let left = written.into_iter().filter(|file| draft.path(file.name()).exists());
    left.map(|file| if file.name() == output { draft.measure(output) } else { Ok(file) }).collect()
}

fn attempt_words(id: AttemptId) -> String {
    format!("run {}, step {}, attempt {}", id.run, id.step, id.attempt)
}

fn strange_things(place: &str, count: u64) -> String {
    format!(
        "In {place} lie things that no portal has put there ({count}): links, folders, strange names. They are not in this \
         backup."
    )
}
