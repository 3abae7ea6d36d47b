//! The control groups of an attempt: one of cgroup v2 that ends everything at once, and where limits are asked for, the
//! ones that hold them.
//!
//! The group of cgroup v2 ends also what forks faster than one can look. Where it is missing, the shim being the reaper of
//! every orphan does the same, a little later. Limits are held by it where its controllers reach down to it, else by the
//! hierarchies of version 1 beside it, where they can be written.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use crate::processes::proc_path;

/// What a group can limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Processes,
    Memory,
}

impl Controller {
    const ALL: [Self; 2] = [Self::Processes, Self::Memory];

    /// The kernel's word for it.
    const fn name(self) -> &'static str {
        match self {
            Self::Processes => "pids",
            Self::Memory => "memory",
        }
    }

    /// The file of version 1 that takes the limit; that of version 2 is `NAME.max`.
    const fn old_limit(self) -> &'static str {
        match self {
            Self::Processes => "pids.max",
            Self::Memory => "memory.limit_in_bytes",
        }
    }

    /// The file and the word in it that count how often the limit was felt, in version 2 and 1.
    const fn counters(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::Processes => [("pids.events", "max"), ("pids.events", "max")],
            Self::Memory => [("memory.events", "oom_kill"), ("memory.oom_control", "oom_kill")],
        }
    }
}

/// A control group that holds one attempt. The shim itself stays outside.
pub(crate) struct Cgroup {
    path: PathBuf,
}

/// A limit that a group holds.
pub(crate) struct Held {
    group: PathBuf,
    counter: (&'static str, &'static str),
    /// A group of version 1, which a process has to enter by itself.
    old: bool,
}

impl Cgroup {
    /// Makes the group below the portal's own one; `None` where that cannot be. The first place that has the controllers is
    /// the best.
    pub(crate) fn create(name: &str, wanted: &[Controller]) -> Option<Self> {
        let mut made: Option<Self> = None;
        for parent in candidates() {
            let Some(group) = Self::create_in(&parent, name, wanted) else { continue };
            if wanted.iter().all(|controller| group.has(*controller)) {
                return Some(group);
            }
            // Dropping the other removes it.
            made = made.or(Some(group));
        }
        made
    }

    fn create_in(parent: &Path, name: &str, wanted: &[Controller]) -> Option<Self> {
        for controller in wanted {
            // Not where the parent holds processes itself, or belongs to somebody else.
            let _ = fs::write(parent.join("cgroup.subtree_control"), format!("+{}", controller.name()));
        }
        let path = parent.join(name);
        fs::create_dir(&path).ok()?;
        let group = Self { path };
        group.path.join("cgroup.kill").exists().then_some(group)
    }

    fn has(&self, controller: Controller) -> bool {
        self.path.join(format!("{}.max", controller.name())).exists()
    }

    /// Lets the group hold a limit, if it can.
    pub(crate) fn hold(&self, controller: Controller, limit: u64) -> Option<Held> {
        let file = self.path.join(format!("{}.max", controller.name()));
        fs::write(file, limit.to_string()).ok()?;
        if controller == Controller::Memory {
            // Memory on a disk would be memory without a limit. Not every kernel has it.
            let _ = fs::write(self.path.join("memory.swap.max"), "0");
        }
        let [counter, _] = controller.counters();
        Some(Held { group: self.path.clone(), counter, old: false })
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

impl Held {
    /// Makes a group of version 1 for one limit, if that can be.
    pub(crate) fn old(name: &str, controller: Controller, limit: u64) -> Option<Self> {
        let parents = old_candidates(controller).into_iter();
        let group = parents.map(|parent| parent.join(name)).find(|path| fs::create_dir(path).is_ok())?;
        let [_, counter] = controller.counters();
        let held = Self { group, counter, old: true };
        fs::write(held.group.join(controller.old_limit()), limit.to_string()).ok()?;
        Some(held)
    }

    /// Where a process writes a zero to enter the group; `None` when it is born in it.
    pub(crate) fn entrance(&self) -> io::Result<Option<File>> {
        self.old.then(|| File::options().write(true).open(self.group.join("cgroup.procs"))).transpose()
    }

    /// How often the limit was felt.
    pub(crate) fn felt(&self) -> u64 {
        let (file, word) = self.counter;
        let text = fs::read_to_string(self.group.join(file)).unwrap_or_default();
        let count = |line: &str| line.strip_prefix(word)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(count).unwrap_or(0)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.old {
            let _ = fs::remove_dir(&self.group);
        }
    }
}

/// Removes the groups of this name that a dead shim left behind. Says whether they are gone.
pub(crate) fn remove_left_behind(name: &str) -> bool {
    let old = Controller::ALL.into_iter().flat_map(old_candidates);
    let groups = candidates().into_iter().chain(old).map(|parent| parent.join(name));
    // Every one of them is tried, also after one that stays.
    groups.filter(|group| fs::remove_dir(group).is_err() && group.exists()).count() == 0
}

/// Whether a process lives in a group of this name.
pub(crate) fn holds(pid: Pid, name: &str) -> bool {
    let groups = fs::read_to_string(proc_path(pid, "cgroup")).unwrap_or_default();
    groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).any(|path| path.split('/').any(|part| part == name))
}

/// Where a group of cgroup v2 could be made: below our own group; beside it, which is where a unit with delegated controllers
/// has them; else at the top of the mount.
fn candidates() -> Vec<PathBuf> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(mount) = mount_point(&mountinfo) else { return Vec::new() };
    let own = mount.join(own_group(&own, str::is_empty));
    let beside = own.parent().filter(|parent| parent.starts_with(&mount)).map(Path::to_owned);
    distinct([Some(own), beside, Some(mount)])
}

/// The same for a hierarchy of version 1.
fn old_candidates(controller: Controller) -> Vec<PathBuf> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(mount) = old_mount_point(&mountinfo, controller) else { return Vec::new() };
    let lists_it = |controllers: &str| controllers.split(',').any(|word| word == controller.name());
    distinct([Some(mount.join(own_group(&own, lists_it))), None, Some(mount)])
}

fn distinct(places: [Option<PathBuf>; 3]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for place in places.into_iter().flatten() {
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// Our own group below its mount, by the list of controllers in `/proc/self/cgroup`; that of version 2 is empty.
fn own_group(text: &str, is_meant: impl Fn(&str) -> bool) -> &str {
    let group = |line: &'_ str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let found = is_meant(fields.next()?);
        let start = line.len() - fields.next()?.len();
        found.then_some(start)
    };
    text.lines().find_map(|line| line.get(group(line)?..)).unwrap_or_default().trim_start_matches('/')
}

/// Where cgroup v2 is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside version 1.
fn mount_point(mountinfo: &str) -> Option<PathBuf> {
    mounts(mountinfo).find(|mount| mount.kind == "cgroup2").map(|mount| mount.place.into())
}

fn old_mount_point(mountinfo: &str, controller: Controller) -> Option<PathBuf> {
    let has_it = |mount: &Mount<'_>| mount.options.split(',').any(|option| option == controller.name());
    mounts(mountinfo).find(|mount| mount.kind == "cgroup" && has_it(mount)).map(|mount| mount.place.into())
}

struct Mount<'a> {
    place: &'a str,
    kind: &'a str,
    options: &'a str,
}

fn mounts(mountinfo: &str) -> impl Iterator<Item = Mount<'_>> {
    mountinfo.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let (kind, _source, options) = (after.next()?, after.next()?, after.next()?);
        Some(Mount { place: before.split(' ').nth(4)?, kind, options })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "31 23 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro\n\
                          32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n\
                          33 31 0:28 / /sys/fs/cgroup/pids rw shared:11 - cgroup cgroup rw,pids\n";

    #[test]
    fn the_mounts_are_found_also_beside_each_other() {
        assert_eq!(mount_point(HYBRID), Some(PathBuf::from("/sys/fs/cgroup/unified")));
        assert_eq!(old_mount_point(HYBRID, Controller::Processes), Some(PathBuf::from("/sys/fs/cgroup/pids")));
        assert_eq!(old_mount_point(HYBRID, Controller::Memory), None);
        assert_eq!(mount_point("31 23 0:26 / /sys/fs/cgroup ro - cgroup cgroup rw\n"), None);
        assert_eq!(mount_point("nonsense"), None);
    }

    #[test]
    fn our_own_group_is_found_in_each_hierarchy() {
        let text = "9:name=systemd:/\n8:cpu,pids:/a/b\n0::/system.slice/x.service\n";

        assert_eq!(own_group(text, str::is_empty), "system.slice/x.service");
        assert_eq!(own_group(text, |list| list.split(',').any(|word| word == "pids")), "a/b");
        assert_eq!(own_group("", str::is_empty), "");
    }
}
