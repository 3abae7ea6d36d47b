//! Files of the attempt that have to be there in the end, whatever the step and the disk do meanwhile.
//!
//! A step that works as the portal's user can write into the folder of its attempt. It gains nothing by that: what the shim
//! has to say it says through the files that it made itself, and puts them back into their places.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::FallocateFlags;

/// Bytes that are kept free for an exit record.
const RECORD: u64 = 16 << 10;

/// A file that can be written although the disk is full by then: its space was taken when it was made.
pub(crate) struct Reserved {
    name: &'static str,
    draft: String,
    file: File,
}

impl Reserved {
    /// Takes the space, in the present folder. Where the file system cannot do that, it is a file like any other.
    pub(crate) fn create(name: &'static str) -> io::Result<Self> {
        let draft = format!(".{name}");
        clear(&draft)?;
        let file = new_file(&draft)?;
        reserve(&file, RECORD);
        Ok(Self { name, draft, file })
    }

    /// Writes the file so that it is there whole or not at all, also after the power was lost.
    pub(crate) fn commit(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !is_at(&self.file, &self.draft) {
            clear(&self.draft)?;
            self.file = new_file(&self.draft)?;
        }
        self.file.write_all_at(bytes, 0)?;
        self.file.set_len(bytes.len() as u64)?;
        self.file.sync_all()?;
        move_to(&self.draft, self.name)
    }
}

/// Whether a disk is full, or what its user may have of it is: that can pass.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Takes space behind the end of a file, which [`release`] gives back. Its length stays.
pub(crate) fn reserve(file: &File, bytes: u64) {
    let _ = rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes);
}

/// Gives back what was reserved and not used.
pub(crate) fn release(file: &File) -> io::Result<()> {
    file.set_len(file.metadata()?.len())
}

/// Whether the file of this name is this very file. A disk that cannot say is no reason to accuse anybody.
pub(crate) fn is_at(file: &File, name: &str) -> bool {
    match Path::new(name).symlink_metadata().and_then(|found| Ok((found, file.metadata()?))) {
        Ok((found, own)) => (found.dev(), found.ino(), found.file_type().is_file()) == (own.dev(), own.ino(), true),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Puts a copy of what was read into the place of this name, and gives it, open for reading and appending.
pub(crate) fn put(name: &str, mut content: impl io::Read) -> io::Result<File> {
    let draft = format!(".{name}");
    clear(&draft)?;
    let mut file = new_file(&draft)?;
    io::copy(&mut content, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    move_to(&draft, name)?;
    OpenOptions::new().read(true).append(true).open(name)
}

fn new_file(name: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(name)
}

/// A file or a link gives way to a renamed file by itself; a folder does not.
fn move_to(draft: &str, name: &str) -> io::Result<()> {
    if Path::new(name).symlink_metadata().is_ok_and(|found| found.is_dir()) {
        clear(name)?;
    }
    std::fs::rename(draft, name)?;
    File::open(".")?.sync_all()
}

/// Takes away what stands in a place. What is in a folder is kept under another name: nobody knows what it is.
fn clear(name: &str) -> io::Result<()> {
    match Path::new(name).symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::rename(name, format!("{name}.found-{}", super::token())),
        Ok(_) => std::fs::remove_file(name),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_that_is_used_up_is_a_full_disk_and_a_broken_disk_is_not() {
        let is_full = |number: rustix::io::Errno| is_full(&io::Error::from_raw_os_error(number.raw_os_error()));

        assert!(is_full(rustix::io::Errno::NOSPC) && is_full(rustix::io::Errno::DQUOT));
        assert!(!is_full(rustix::io::Errno::IO));
    }
}
