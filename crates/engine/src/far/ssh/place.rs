//! What a connection has on this disk: its configuration, its logs, its lock, and its socket.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use domain::Digest;
use rustix::fs::FlockOperation;

/// Characters of a digest that tell connections apart.
const NAME: usize = 16;

/// Longer than that no path of a socket may be, with what ssh appends while it makes it.
const LONGEST_SOCKET: usize = 90;

/// The files of one connection.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The configuration.
    pub config: PathBuf,
    /// What the client has logged.
    pub log: PathBuf,
    /// What the clients of the machines on the way have logged.
    pub way: PathBuf,
    /// Held by who makes the connection. It holds why that failed the last time, after a word that is another one each time.
    pub lock: PathBuf,
    /// By which the connection is shared; none where there is no place for one.
    pub socket: Option<PathBuf>,
}

impl Place {
    /// Names them, and makes their folder, which only the portal can read.
    pub fn new(folder: &Path, digest: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // Short, for the socket's sake, and without a space: ssh hands the name of its configuration on unquoted.
        Ok(Self::named(folder, short(digest)))
    }

    fn named(folder: &Path, name: &str) -> Self {
        let at = |end: &str| folder.join(format!("{name}{end}"));
        Self { config: at(".conf"), log: at(".log"), way: at(".way"), lock: at(".lock"), socket: socket(&at("")) }
    }

    /// Writes the configuration unless it stands there; says whether it did.
    pub fn configure(&self, text: &str) -> io::Result<bool> {
        if std::fs::read_to_string(&self.config).is_ok_and(|there| there == text) {
            return Ok(false);
        }
        let draft = self.config.with_extension(format!("draft-{}", crate::shim::token()));
        create(&draft)?.write_all(text.as_bytes())?;
        std::fs::rename(draft, &self.config)?;
        Ok(true)
    }

    /// Empties the logs; gives that of the way.
    pub fn fresh_logs(&self) -> io::Result<File> {
        let _ = (std::fs::remove_file(&self.log), std::fs::remove_file(&self.way));
        create(&self.log)?;
        create(&self.way)
    }

    /// The lock, not yet held.
    pub fn open_lock(&self) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&self.lock)
    }

    /// The last failure, under its own word, in a sentence; none when it has not failed since it last stood.
    pub fn failure(&self) -> Option<(String, String)> {
        let noted = std::fs::read_to_string(&self.lock).ok()?;
        noted.split_once('\n').map(|(word, reason)| (word.to_owned(), reason.to_owned()))
    }

    /// Notes what came of a try.
    pub fn note(&self, failure: Option<&String>) -> io::Result<()> {
        let note = failure.map(|reason| format!("{}\n{reason}", crate::shim::token()));
        std::fs::write(&self.lock, note.unwrap_or_default())
    }

    /// Whether somebody has the connection. ssh takes its socket away when it ends, unless it is killed.
    fn is_in_use(&self) -> bool {
        self.socket.as_ref().is_none_or(|socket| UnixStream::connect(socket).is_ok())
    }

    /// Removes all of it, unless somebody uses it or is about to.
    fn clear(&self) {
        let Ok(lock) = self.open_lock() else { return };
        if rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() || self.is_in_use() {
            return;
        }
        for path in [&self.config, &self.log, &self.way, &self.lock].into_iter().chain(&self.socket) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Clears away the connections of a folder that nobody uses any more, but for one that is just begun.
pub(super) fn clear(folder: &Path, but: &Place) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let configs = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "conf"));
    for config in configs.filter(|config| *config != but.config) {
        if let Some(name) = config.file_stem().and_then(|name| name.to_str()) {
            Place::named(folder, name).clear();
        }
    }
}

fn short(digest: &str) -> &str {
    digest.get(..NAME).unwrap_or(digest)
}

/// Where the socket of a connection lies: beside its files, or in a short private folder when their path is too long for one.
fn socket(beside: &Path) -> Option<PathBuf> {
    if beside.as_os_str().len() <= LONGEST_SOCKET {
        return Some(beside.to_owned());
    }
    let user = rustix::process::geteuid().as_raw();
    // Not by a variable: the portal and its shims have to find the same one.
    let folder = private(&Path::new("/tmp").join(format!("runbook-portal-{user}")), user)?;
    Some(folder.join(short(&Digest::of(beside.as_os_str().as_encoded_bytes()).to_string())))
}

/// A folder that is a user's alone; none when somebody else has put something there.
fn private(folder: &Path, user: u32) -> Option<PathBuf> {
    let _ = DirBuilder::new().mode(0o700).create(folder);
    let seen = std::fs::symlink_metadata(folder).ok()?;
    (seen.is_dir() && seen.uid() == user && seen.mode() & 0o777 == 0o700).then(|| folder.to_owned())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create_new(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn begun(folder: &Path, digest: &str) -> Place {
        let place = Place::new(folder, digest).unwrap();
        assert!(place.configure("Host target\n").unwrap());
        place.fresh_logs().unwrap();
        place.note(None).unwrap();
        place
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_of_a_connection_go_when_nobody_uses_it_and_stay_while_somebody_does() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let places = ["used", "killed", "ended", "awaited", "new"].map(|name| begun(folder, name));
        let _used = UnixListener::bind(folder.join("used")).unwrap();
        drop(UnixListener::bind(folder.join("killed")).unwrap());
        let awaited = File::open(&places[3].lock).unwrap();
        rustix::fs::flock(&awaited, FlockOperation::LockExclusive).unwrap();

        clear(folder, &places[4]);

        let left = |name: &str| ["conf", "lock", "log", "way"].map(|end| format!("{name}.{end}"));
        let mut expected = [left("awaited"), left("new"), left("used")].concat();
        expected.push("used".to_owned());
        expected.sort();
        assert_eq!(names(folder), expected);
    }

    #[test]
    fn a_socket_has_a_short_path_wherever_the_data_lie() {
        let long = Path::new("/").join("x".repeat(100));

        let (one, other) = (socket(&long.join("a")), socket(&long.join("b")));

        assert_eq!(socket(Path::new("/data/ssh/a")), Some("/data/ssh/a".into()));
        assert!(one.as_ref().is_some_and(|path| path.as_os_str().len() <= LONGEST_SOCKET), "{one:?}");
        assert_ne!(one, other);
    }

    #[test]
    fn a_place_for_sockets_is_the_users_own_or_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let user = rustix::process::geteuid().as_raw();
        let at = |name: &str| folder.join(name);
        symlink(folder, at("link")).unwrap();
        std::fs::create_dir(at("open")).unwrap();
        std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o755)).unwrap();

        assert_eq!(private(&at("made"), user), Some(at("made")));
        assert_eq!(private(&at("made"), user), Some(at("made")), "and found again");
        assert_eq!(private(&at("made"), user + 1), None, "somebody else's");
        assert_eq!(private(&at("link"), user), None);
        assert_eq!(private(&at("open"), user), None);
    }
}
