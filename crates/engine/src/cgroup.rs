//! The control group of an attempt, where cgroup v2 is there and can be written.
//!
//! It ends everything at once, also what forks faster than one can look. Where it is missing, the shim being the reaper of
//! every orphan does the same, a little later.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use rustix::process::Pid;

use crate::processes::proc_path;

/// A control group that holds one attempt. The shim itself stays outside.
pub(crate) struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes the group below the portal's own one; `None` where that cannot be.
    pub(crate) fn create(name: &str) -> Option<Self> {
        let made =
            candidates().into_iter().map(|parent| parent.join(name)).find(|path| fs::create_dir(path).is_ok())?;
        let group = Self { path: made };
        if group.path.join("cgroup.kill").exists() { Some(group) } else { None }
    }

    /// The group itself, to start a process in it; what that starts is in it too.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Kills everything in it.
    pub(crate) fn kill(&self) {
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }
}

impl Drop for Cgroup {
    /// The group goes with its attempt. While something cannot be killed it stays, and shows what.
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

/// Removes the group of this name that a dead shim left behind. Says whether it is gone.
pub(crate) fn remove_left_behind(name: &str) -> bool {
    let mut groups = candidates().into_iter().map(|parent| parent.join(name));
    groups.all(|group| fs::remove_dir(&group).is_ok() || !group.exists())
}

/// Whether a process lives in the group of this name.
pub(crate) fn holds(pid: Pid, name: &str) -> bool {
    let group = fs::read_to_string(proc_path(pid, "cgroup")).unwrap_or_default();
    group.lines().filter_map(|line| line.strip_prefix("0::")).any(|path| path.split('/').any(|part| part == name))
}

/// Where the group could be made: below our own group, else at the top of the mount.
fn candidates() -> Vec<PathBuf> {
    let Some(mount) = fs::read_to_string("/proc/self/mountinfo").ok().and_then(|text| mount_point(&text)) else {
        return Vec::new();
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let own = mount.join(own);
    if own == mount { vec![mount] } else { vec![own, mount] }
}

/// Where cgroup v2 is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside version 1.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        after.starts_with("cgroup2 ").then(|| before.split(' ').nth(4)).flatten().map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_found_also_beside_version_1() {
        let text = "31 23 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro\n\
                    32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n";

        assert_eq!(mount_point(text), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(mount_point("31 23 0:26 / /sys/fs/cgroup ro - cgroup cgroup rw\n"), None);
        assert_eq!(mount_point("nonsense"), None);
    }
}
