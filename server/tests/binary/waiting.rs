//! Waiting for something to happen, woken by the kernel where it can tell.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;
use rustix::time::Timespec;

/// Longer than anything takes on a machine that is busy; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Watches a folder for what is made in it, moved into it or written.
struct Watch(Inotify);

impl Watch {
    fn on(folder: &Path) -> Option<Self> {
        let inotify = Inotify::init().unwrap();
        let mask = WatchMask::CREATE | WatchMask::MOVED_TO | WatchMask::MODIFY | WatchMask::ONLYDIR;
        inotify.watches().add(folder, mask).ok()?;
        Some(Self(inotify))
    }

    /// Waits for the next thing; gives up after a while.
    fn next(&mut self) {
        let mut interests = [PollFd::new(&self.0, PollFlags::IN)];
        let patience = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut interests, Some(&patience)).unwrap();
        drop(self.0.read_events(&mut [0; 4096]));
    }
}

/// Returns in the instant in which `there` holds, looking whenever something happens in the folder that is nearest above a
/// path; says whether it came to that in time.
fn watched(path: &Path, patience: Duration, mut there: impl FnMut(&Path) -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < patience {
        let folder = nearest(path);
        let Some(mut watch) = Watch::on(folder) else { continue };
        // The watch is there: what happens from now on is heard, and what happened before is seen here.
        if there(path) {
            return true;
        }
        if nearest(path) == folder {
            watch.next();
        }
    }
    there(path)
}

/// The folder that is there and nearest above a path.
fn nearest(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap()
}

/// Waits until a path is there.
pub fn appears(path: &Path, patience: Duration) -> bool {
    watched(path, patience, Path::exists)
}

/// A file as it is now, to tell when somebody has written to it.
pub struct Unwritten {
    path: PathBuf,
    state: Option<(u64, SystemTime)>,
}

impl Unwritten {
    pub fn now(path: PathBuf) -> Self {
        let state = state(&path);
        Self { path, state }
    }

    /// Waits until somebody has.
    pub fn wait(&self, patience: Duration) -> bool {
        watched(&self.path, patience, |path| state(path) != self.state)
    }
}

fn state(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = path.metadata().ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// The processes of the machine that work in a folder or below it, and whose command line says something.
pub fn processes(folder: &Path, says: &str) -> Vec<Pid> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    let is_meant = |pid: &Pid| {
        let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains(says) && std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&folder))
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)).filter(is_meant).collect()
}

/// Asks again and again, where nobody tells. Fails the test after [`PATIENCE`].
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
