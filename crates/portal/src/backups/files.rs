//! Files: copied piece by piece, opened without following a link, made for their owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use domain::{Digest, Hasher};
use engine::is_plain_name;
use rustix::fs::{Mode, OFlags};

use super::Course;

/// What of a file is in memory at once.
const PIECE: usize = 256 << 10;

/// Why a file was not copied.
#[derive(Debug)]
pub(super) enum Failed {
    /// It could not be read.
    Read(io::Error),
    /// The copy could not be written.
    Write(io::Error),
    /// Nobody wants it any more.
    Stopped,
}

/// Copies everything that comes; gives its length and its SHA-256.
pub(super) fn stream(mut from: impl Read, mut to: impl Write, course: &Course) -> Result<(u64, Digest), Failed> {
    let (mut piece, mut hash, mut bytes) = (vec![0; PIECE], Hasher::default(), 0);
    loop {
        if course.is_stopped() {
            return Err(Failed::Stopped);
        }
        let count = match from.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(Failed::Read)?,
        };
        if count == 0 {
            course.note_file();
            return Ok((bytes, hash.digest()));
        }
        to.write_all(&piece[..count]).and_then(|()| hash.write_all(&piece[..count])).map_err(Failed::Write)?;
        course.note_bytes(count);
        bytes += count as u64;
    }
}

/// Reads everything that comes; gives its length and its SHA-256.
pub(super) fn measure(from: impl Read, course: &Course) -> Result<(u64, Digest), Failed> {
    stream(from, io::sink(), course)
}

/// Opens a file by its name below a folder, as `runs/12/1-1/out.log`. No link in the name is followed, and nothing is opened
/// that is not a file.
pub(super) fn open_below(root: &Path, name: &str) -> io::Result<File> {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::open(root, flags, Mode::empty())?;
    let folder = folder
        .split('/')
        .filter(|name| !name.is_empty())
        .try_fold(root, |above, name| rustix::fs::openat(above, name, flags | OFlags::NOFOLLOW, Mode::empty()))?;
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::openat(&folder, file, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a file"))
}

/// The names of the files of a folder, and how many other things lie in it. A folder that is not there has none.
pub(super) fn names_in(folder: &Path) -> io::Result<(Vec<String>, u64)> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        entries => entries?,
    };
    let (mut names, mut strange) = (Vec::new(), 0);
    for entry in entries {
        let entry = entry?;
        match entry.file_name().into_string() {
            Ok(name) if is_plain_name(&name) && entry.file_type()?.is_file() => names.push(name),
            _ => strange += 1,
        }
    }
    names.sort();
    Ok((names, strange))
}

/// Makes a file that is not there.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a folder with those above it, unless they are there.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes everything below a folder durable: all of it at once, because the files of a million attempts would take hours one by
/// one, and the portal's own disk would be busy with it.
pub(super) fn make_durable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Makes the names in a folder durable.
pub(super) fn make_names_durable(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Whether a disk is full, or what its user may have of it.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
