//! A backup that is being written, under a name that nobody takes for that of a whole one.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Digest, Hasher};
use tempfile::TempDir;

use super::files::{self, Failed};
use super::manifest::{MANIFEST, SUMS, Summed};
use super::{BackupError, Course, Manifest};

/// A file that lies in the draft and is not listed yet.
#[derive(Debug)]
pub(super) struct Written {
    summed: Summed,
    bytes: u64,
}

impl Written {
    pub(super) fn name(&self) -> &str {
        &self.summed.name
    }
}

/// A backup that is being written. It goes away by itself unless it is finished.
pub(super) struct Draft {
    folder: TempDir,
    to: PathBuf,
    sums: BufWriter<File>,
    hash: Hasher,
    files: u64,
    bytes: u64,
    /// What is not as it should be, in sentences.
    notes: Vec<String>,
    course: Arc<Course>,
}

impl Draft {
    /// Begins beside the place that the backup is to have.
    pub(super) fn begin(to: &Path, course: &Arc<Course>) -> Result<Self, BackupError> {
        let beside = |error: io::Error| BackupError::place(to, error.to_string());
        let (above, name) = to.parent().zip(to.file_name()).ok_or_else(|| BackupError::place(to, "it has no name"))?;
        let prefix = format!(".{}.unfinished-", name.display());
        let folder = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(above)
            .map_err(beside)?;
        let sums = BufWriter::new(files::create(&folder.path().join(SUMS)).map_err(beside)?);
        let (to, course) = (to.to_owned(), Arc::clone(course));
        Ok(Self { folder, to, sums, hash: Hasher::default(), files: 0, bytes: 0, notes: Vec::new(), course })
    }

    /// Where a file of it lies.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Notes what is not as it should be.
    pub(super) fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Writes a file, and lists it.
    pub(super) fn add(&mut self, name: &str, from: impl Read) -> Result<(), BackupError> {
        let written = self.write(name, from)?;
        self.list(&written)
    }

    /// Writes a file that is listed later.
    pub(super) fn write(&self, name: &str, from: impl Read) -> Result<Written, BackupError> {
        let path = self.path(name);
        let above = path.parent().unwrap_or(self.folder.path());
        files::create_folder(above).map_err(|error| self.unwritable(name, &error))?;
        let to = files::create(&path).map_err(|error| self.unwritable(name, &error))?;
        let copied = files::stream(from, to, &self.course);
        self.written(name, copied)
    }

    /// Reads a file again that something else has written or changed.
    pub(super) fn measure(&self, name: &str) -> Result<Written, BackupError> {
        let file = File::open(self.path(name)).map_err(|error| self.unwritable(name, &error))?;
        self.written(name, files::measure(file, &self.course))
    }

    fn written(&self, name: &str, copied: Result<(u64, Digest), Failed>) -> Result<Written, BackupError> {
        match copied {
            Ok((bytes, digest)) => Ok(Written { summed: Summed { name: name.to_owned(), digest }, bytes }),
            Err(Failed::Read(error)) => Err(BackupError::unreadable(name, &error)),
            Err(Failed::Write(error)) => Err(self.unwritable(name, &error)),
            Err(Failed::Stopped) => Err(BackupError::Stopped),
        }
    }

    /// Lists a file that was written.
    pub(super) fn list(&mut self, written: &Written) -> Result<(), BackupError> {
        let line = written.summed.line();
        let listed = self.sums.write_all(line.as_bytes()).and_then(|()| self.hash.write_all(line.as_bytes()));
        listed.map_err(|error| self.unwritable(SUMS, &error))?;
        self.files += 1;
        self.bytes += written.bytes;
        Ok(())
    }

    /// Makes it whole: what it says about itself, the list, everything on the disk, and only then its name.
    pub(super) fn finish(mut self, manifest: Manifest) -> Result<Manifest, BackupError> {
        let (sums, notes) = (std::mem::take(&mut self.hash).digest(), std::mem::take(&mut self.notes));
        let manifest = Manifest { files: self.files, bytes: self.bytes, sums, notes, ..manifest };
        self.say(&manifest).map_err(|error| self.unwritable(MANIFEST, &error))?;
        files::make_durable(self.folder.path()).map_err(|error| self.unwritable(SUMS, &error))?;
        if self.course.is_stopped() {
            return Err(BackupError::Stopped);
        }
        std::fs::rename(self.folder.path(), &self.to)
            .map_err(|error| BackupError::place(&self.to, error.to_string()))?;
        // Its name is another one from here on, and nothing goes away by itself any more.
        let Self { folder, to, .. } = self;
        drop(folder.keep());
        match to.parent().map_or(Ok(()), files::make_names_durable) {
            Ok(()) => Ok(manifest),
            Err(error) => {
                drop(std::fs::remove_dir_all(&to));
                Err(BackupError::place(&to, error.to_string()))
            }
        }
    }

    /// Writes what it says about itself. That binds the list of all other files, and is the last line of it.
    fn say(&mut self, manifest: &Manifest) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        files::create(&self.path(MANIFEST))?.write_all(&text)?;
        let summed = Summed { name: MANIFEST.to_owned(), digest: Digest::of(&text) };
        self.sums.write_all(summed.line().as_bytes())?;
        self.sums.flush()
    }

    /// Why something of the backup could not be written, or read again.
    pub(super) fn unwritable(&self, name: &str, error: &io::Error) -> BackupError {
        let place = self.to.display().to_string();
        if files::is_full(error) {
            return BackupError::Full { place };
        }
        BackupError::Unwritable { place, name: name.to_owned(), why: error.to_string() }
    }
}
