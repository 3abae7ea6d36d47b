//! What an attempt keeps in its folder, for whoever copies it: also while its shim writes there.
//!
//! A copy that is made meanwhile is of no one moment. It must not say more than was so at any of them, and that is a matter of
//! order: the record of the end counts only where it was there before anything was read, for then nothing changes any more; and
//! the output is read last, so that it is never shorter than what the borders say.

use std::fs::File;
use std::io;
use std::path::Path;

use domain::redaction::ByteRange;
use domain::{AttemptId, Digest};
use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;

use crate::folder::{Folder, LINES, LOG, is_misplaced};
use crate::redact;

/// The files of an attempt, as they were found in its folder.
#[derive(Debug)]
pub struct Kept {
    folder: Folder,
    names: Vec<String>,
    strange: u64,
}

impl Kept {
    /// The name of the file that has the output.
    pub const OUTPUT: &'static str = LOG;

    /// Looks into the folder of an attempt below a folder of runs. `None` when it has none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn look(root: &Path, id: AttemptId) -> io::Result<Option<Self>> {
        let mut kept = Self { folder: Folder::new(root, id), names: Vec::new(), strange: 0 };
        match kept.list() {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(None),
            // A step that works as the portal's user has put something else into its place.
            Err(Errno::NOTDIR | Errno::LOOP) => kept.strange = 1,
            Err(error) => return Err(error.into()),
        }
        kept.names.sort_by_key(|name| (name == LOG, name.clone()));
        Ok(Some(kept))
    }

    fn list(&mut self) -> rustix::io::Result<()> {
        let folder = self.folder.descend_to_list()?;
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                self.strange += 1;
                continue;
            };
            // What begins with a dot is a draft, and the folder itself.
            if name.starts_with('.') {
                continue;
            }
            match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => self.take(name, FileType::from_raw_mode(stat.st_mode)),
                // It went away since.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, name: &str, is: FileType) {
        match is {
            // The portal makes it anew from the output.
            FileType::RegularFile if name == LINES => {}
            FileType::RegularFile if is_plain_name(name) => self.names.push(name.to_owned()),
            // They are of processes, and lead nowhere once those are gone.
            FileType::Socket | FileType::Fifo => {}
            _ => self.strange += 1,
        }
    }

    /// The names of its files, in the order in which they are to be copied.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many things lie there that no shim has put there: links, folders, files with strange names.
    pub const fn strange(&self) -> u64 {
        self.strange
    }

    /// Opens one of the files. `None` when it went away since, or something else stands in its place.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn open(&self, name: &str) -> io::Result<Option<File>> {
        match self.folder.open(name) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound || is_misplaced(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a name is one that every system and every tool takes as it stands.
pub fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(plain)
}

/// Covers some sorted places in the output of an attempt below a folder of runs, as [`crate::Engine::redact`] does. No portal
/// need run for that.
///
/// # Errors
///
/// When that does not make it `new`, or it cannot be written.
pub fn cover_stored(root: &Path, id: AttemptId, ranges: &[ByteRange], new: &Digest) -> io::Result<()> {
    redact::redact(&Folder::new(root, id), ranges, new)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use domain::RunId;
    use tempfile::TempDir;

    use super::*;
    use crate::folder::{CONTROL, EXIT, INDEX, LOCK, SPEC, TAIL};

    const ID: AttemptId = AttemptId { run: RunId(3), step: 2, attempt: 1 };

    fn folder() -> (Folder, TempDir) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path(), ID);
        folder.create().unwrap();
        for name in [LOG, INDEX, SPEC, LOCK, TAIL, LINES, ".exit.json"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        (folder, root)
    }

    fn look(root: &TempDir) -> Kept {
        Kept::look(root.path(), ID).unwrap().unwrap()
    }

    #[test]
    fn the_output_is_copied_last_and_drafts_and_what_is_made_anew_are_not() {
        let (_folder, root) = folder();

        let kept = look(&root);

        assert_eq!(kept.names(), [LOCK, INDEX, TAIL, SPEC, LOG]);
        assert_eq!(kept.strange(), 0);
        let mut text = String::new();
        kept.open(LOG).unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, LOG);
    }

    #[test]
    fn a_record_of_the_end_that_came_after_the_look_is_not_among_the_files() {
        let (folder, root) = folder();

        let before = look(&root);
        std::fs::rename(folder.path().join(".exit.json"), folder.path().join(EXIT)).unwrap();

        assert!(!before.names().contains(&EXIT.to_owned()));
        assert!(look(&root).names().contains(&EXIT.to_owned()));
    }

    #[test]
    fn links_and_folders_and_strange_names_are_counted_and_sockets_are_left_out() {
        let (folder, root) = folder();
        symlink("/etc/passwd", folder.path().join("passwd")).unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        std::fs::write(folder.path().join("two\nlines"), "").unwrap();
        std::fs::write(folder.path().join("-rf"), "").unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join(CONTROL)).unwrap();

        let kept = look(&root);

        assert_eq!((kept.names().len(), kept.strange()), (5, 4));
    }

    #[test]
    fn nothing_is_read_through_a_link_that_came_after_the_look() {
        let (folder, root) = folder();
        let kept = look(&root);
        std::fs::remove_file(folder.path().join(LOG)).unwrap();
        symlink("/etc/passwd", folder.path().join(LOG)).unwrap();
        std::fs::remove_file(folder.path().join(TAIL)).unwrap();

        assert!(kept.open(LOG).unwrap().is_none());
        assert!(kept.open(TAIL).unwrap().is_none());
    }

    #[test]
    fn an_attempt_without_a_folder_has_nothing_and_a_link_in_its_place_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        assert!(Kept::look(root.path(), ID).unwrap().is_none());
        assert!(Kept::look(&root.path().join("runs"), ID).unwrap().is_none());
        std::fs::create_dir(root.path().join("3")).unwrap();
        symlink("/etc", root.path().join("3/2-1")).unwrap();

        let kept = look(&root);

        assert_eq!((kept.names().len(), kept.strange()), (0, 1));
    }
}
