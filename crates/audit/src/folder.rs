//! The folder of checkpoints: one file of lines for each month, to which lines are only ever added.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::audit::{Checkpoint, SignedCheckpoint};

use crate::PublicKey;

/// What the files are called, behind the month.
const ENDING: &str = ".jsonl";

/// The public key, for whoever finds the folder.
const KEY: &str = "public-key.pem";

/// No line is longer than this.
const LINE: u64 = 1024;

/// Where checkpoints lie. It is worth the more the fewer people can write both to it and to the database.
#[derive(Clone, Debug)]
pub struct CheckpointFolder {
    path: PathBuf,
}

/// A line of a file of checkpoints.
#[derive(Clone, Debug)]
pub struct StoredCheckpoint {
    /// The file and the line, as `2026-11.jsonl, line 12`.
    pub place: String,
    /// The checkpoint; `None` when the line is none.
    pub signed: Option<SignedCheckpoint>,
}

impl CheckpointFolder {
    /// Names the folder; nothing is made yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder and puts the public key into it, unless both are there.
    ///
    /// # Errors
    ///
    /// When it cannot be made or written.
    pub fn prepare(&self, key: &PublicKey) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o750).create(&self.path)?;
        match OpenOptions::new().create_new(true).write(true).mode(0o644).open(self.path.join(KEY)) {
            Ok(mut file) => file.write_all(key.pem().as_bytes()).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Adds a checkpoint at the end, durably.
    ///
    /// # Errors
    ///
    /// When it cannot be written; it then counts as not written.
    pub fn append(&self, signed: &SignedCheckpoint) -> io::Result<()> {
        let path = self.path.join(format!("{}{ENDING}", month(signed.checkpoint.at)));
        let made = !path.try_exists()?;
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o640).open(path)?;
        let mut line = serde_json::to_vec(signed).map_err(io::Error::other)?;
        line.push(b'\n');
        if !ends_a_line(&mut file)? {
            // The power was lost in the middle of a line, which was never said to be there.
            line.insert(0, b'\n');
        }
        file.write_all(&line)?;
        file.sync_all()?;
        if made { File::open(&self.path)?.sync_all() } else { Ok(()) }
    }

    /// All lines, oldest first. A folder that is not there has none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn read(&self) -> io::Result<Vec<StoredCheckpoint>> {
        let mut all = Vec::new();
        for name in self.names()? {
            let text = std::fs::read(self.path.join(&name))?;
            for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
                let place = format!("{name}, line {number}");
                match serde_json::from_slice(line) {
                    Ok(signed) => all.push(StoredCheckpoint { place, signed: Some(signed) }),
                    // The portal is just writing it, or the power was lost then: it was never said to be there.
                    Err(error) if error.is_eof() && !line.ends_with(b"\n") => {}
                    Err(_) => all.push(StoredCheckpoint { place, signed: None }),
                }
            }
        }
        Ok(all)
    }

    /// The last line that is a checkpoint, without reading all.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn latest(&self) -> io::Result<Option<SignedCheckpoint>> {
        for name in self.names()?.iter().rev() {
            let text = tail(&self.path.join(name))?;
            let found = text.rsplit(|byte| *byte == b'\n').find_map(|line| serde_json::from_slice(line).ok());
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first checkpoint of a key that covers an event, which was recorded at a moment.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn covering(&self, seq: u64, at: Timestamp, key: &PublicKey) -> io::Result<Option<SignedCheckpoint>> {
        let first = month(at);
        for name in self.names()?.iter().filter(|name| **name >= first) {
            for line in BufReader::new(File::open(self.path.join(name))?).split(b'\n') {
                let signed = serde_json::from_slice::<SignedCheckpoint>(&line?).ok();
                let found = signed.filter(|signed| signed.checkpoint.seq >= seq && key.verifies(signed));
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// Whether a checkpoint, whoever has signed it, still lies in the folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn holds(&self, checkpoint: &Checkpoint) -> io::Result<bool> {
        let file = match File::open(self.path.join(format!("{}{ENDING}", month(checkpoint.at)))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        for line in BufReader::new(file).split(b'\n') {
            let found = serde_json::from_slice::<SignedCheckpoint>(&line?);
            if found.is_ok_and(|signed| signed.checkpoint == *checkpoint) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names of the files that belong here: those of checkpoints, and the public key if it is there. A folder that is not
    /// there has none.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<String>> {
        let mut names = self.names()?;
        names.extend(self.path.join(KEY).is_file().then(|| KEY.to_owned()));
        Ok(names)
    }

    /// Whether the folder lies on the same file system as another place: who can write there can often write here.
    ///
    /// # Errors
    ///
    /// When one of the two cannot be looked at.
    pub fn is_beside(&self, other: &Path) -> io::Result<bool> {
        Ok(self.path.metadata()?.dev() == other.metadata()?.dev())
    }

    /// The files, oldest first.
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry?.file_name().into_string().ok().filter(|name| name.ends_with(ENDING)));
        }
        names.sort();
        Ok(names)
    }
}

/// The month of a moment, as `2026-11`.
fn month(at: Timestamp) -> String {
    at.iso().chars().take(7).collect()
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == [b'\n'])
}

/// The last lines of a file.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LINE)))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use domain::Digest;

    use super::*;
    use crate::Signer;

    fn signed(seq: u64, at: i64) -> SignedCheckpoint {
        Signer::new([7; 32]).sign(Checkpoint { seq, head: Digest::of(b"x"), at: Timestamp(at) })
    }

    fn folder() -> (CheckpointFolder, tempfile::TempDir) {
        let place = tempfile::tempdir().unwrap();
        let folder = CheckpointFolder::new(place.path().join("checkpoints"));
        folder.prepare(&Signer::new([7; 32]).public()).unwrap();
        (folder, place)
    }

    #[test]
    fn checkpoints_are_read_in_the_order_in_which_they_were_written_over_months() {
        let (folder, _place) = folder();
        let written = [signed(1, 0), signed(2, 86_400_000 * 40), signed(3, 86_400_000 * 41)];

        assert!(folder.latest().unwrap().is_none());
        for signed in &written {
            folder.append(signed).unwrap();
        }

        let read: Vec<_> = folder.read().unwrap().into_iter().filter_map(|stored| stored.signed).collect();
        assert_eq!(read, written);
        assert_eq!(folder.latest().unwrap().as_ref(), Some(&written[2]));
        assert_eq!(folder.names().unwrap(), ["1970-01.jsonl", "1970-02.jsonl"]);
    }

    #[test]
    fn a_line_that_the_power_cut_off_does_not_take_the_next_one_with_it() {
        let (folder, _place) = folder();
        folder.append(&signed(1, 0)).unwrap();
        let mut file = OpenOptions::new().append(true).open(folder.path().join("1970-01.jsonl")).unwrap();
        file.write_all(b"{\"seq\":2,\"he").unwrap();

        folder.append(&signed(3, 1)).unwrap();

        let read: Vec<_> = folder
            .read()
            .unwrap()
            .into_iter()
            .map(|stored| stored.signed.map(|signed| signed.checkpoint.seq))
            .collect();
        assert_eq!(read, [Some(1), None, Some(3)]);
        assert_eq!(folder.latest().unwrap(), Some(signed(3, 1)));
    }

    #[test]
    fn a_checkpoint_is_held_until_its_file_is_moved_away() {
        let (folder, _place) = folder();
        let (kept, other) = (signed(1, 0), signed(2, 0));
        folder.append(&kept).unwrap();
        assert_eq!(folder.files().unwrap(), ["1970-01.jsonl", "public-key.pem"]);

        let holds = |signed: &SignedCheckpoint| folder.holds(&signed.checkpoint).unwrap();
        assert_eq!([holds(&kept), holds(&other), holds(&signed(1, 86_400_000 * 40))], [true, false, false]);
        std::fs::remove_file(folder.path().join("1970-01.jsonl")).unwrap();

        assert!(!holds(&kept));
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_checkpoints() {
        let folder = CheckpointFolder::new("/nowhere/at/all".into());
        assert!(folder.files().unwrap().is_empty());

        assert!(folder.read().unwrap().is_empty());
        assert!(folder.latest().unwrap().is_none());
    }
}
