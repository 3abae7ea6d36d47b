//! Looking at processes through `/proc`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, Signal};

/// A living process, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub pid: Pid,
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// The device number of its terminal, as the kernel writes it; 0 without one.
    pub terminal: i32,
    /// Whether it waits for something.
    pub sleeps: bool,
    name: String,
}

impl Process {
    /// Looks at one process; a dead one that nobody has collected yet does not count.
    pub(crate) fn look(pid: Pid) -> Option<Self> {
        let stat = fs::read_to_string(proc_path(pid, "stat")).ok()?;
        let (head, rest) = stat.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        let (parent, group, _session, terminal) = (number()?, number()?, number()?, number()?);
        let sleeps = matches!(state, "S");
        (!matches!(state, "Z" | "X")).then(|| Self { pid, parent, group, terminal, sleeps, name: name.to_owned() })
    }

    /// As "sleep (pid 4711)".
    pub(crate) fn title(&self) -> String {
        format!("{} (pid {})", self.name.escape_debug(), self.pid.as_raw_nonzero())
    }
}

/// Every process that descends from `ancestor`, nearest first.
pub(crate) fn descendants(ancestor: Pid) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut open = vec![ancestor];
    while let Some(parent) = open.pop() {
        for pid in children(parent) {
            // A dead process can still have living children only for the moment in which they find their new parent.
            open.push(pid);
            found.extend(Process::look(pid));
        }
    }
    found
}

/// The direct children of a process, dead ones that wait to be collected included.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    listed_children(parent).unwrap_or_else(|| searched_children(parent))
}

fn listed_children(parent: Pid) -> Option<Vec<Pid>> {
    let mut found = Vec::new();
    for thread in fs::read_dir(proc_path(parent, "task")).ok()?.flatten() {
        let text = fs::read_to_string(thread.path().join("children")).ok()?;
        found.extend(text.split_ascii_whitespace().filter_map(|word| Pid::from_raw(word.parse().ok()?)));
    }
    Some(found)
}

/// For kernels that keep no list of children.
fn searched_children(parent: Pid) -> Vec<Pid> {
    let is_child = |pid: &Pid| Process::look(*pid).is_some_and(|it| it.parent == parent.as_raw_nonzero().get());
    all().filter(is_child).collect()
}

/// Every process of the machine.
pub(crate) fn all() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

/// Processes and threads of our own user on the whole machine.
pub(crate) fn of_user() -> u64 {
    let own = rustix::process::geteuid().as_raw();
    let is_own = |pid: &Pid| fs::metadata(proc_path(*pid, "stat")).is_ok_and(|file| file.uid() == own);
    all()
        .filter(is_own)
        .map(|pid| fs::read_dir(proc_path(pid, "task")).map_or(1, |threads| threads.count() as u64))
        .sum()
}

/// Whether `pid` is known to be neither `ancestor` nor anything below it. Of a process that is gone, or whose line of parents
/// breaks off, nothing is known.
pub(crate) fn is_outside(pid: Pid, ancestor: Pid) -> bool {
    let mut next = pid;
    while next != ancestor {
        let Some(process) = Process::look(next) else { return false };
        let Some(parent) = Pid::from_raw(process.parent) else { return true };
        next = parent;
    }
    false
}

/// Sends a signal. That the process is gone already is as good.
pub(crate) fn signal(pid: Pid, signal: Signal) {
    let _ = rustix::process::kill_process(pid, signal);
}

/// Sends a signal to a process if it still is what it was taken for; its number cannot have passed to another one in between.
/// Says whether it was sent.
pub(crate) fn signal_if(pid: Pid, signal: Signal, is_meant: impl FnOnce() -> bool) -> bool {
    let handle = rustix::process::pidfd_open(pid, PidfdFlags::empty());
    handle.is_ok_and(|handle| is_meant() && rustix::process::pidfd_send_signal(handle, signal).is_ok())
}

/// Whether a process does not let a signal do what it does by itself.
pub(crate) fn blocks(pid: Pid, signal: Signal) -> bool {
    let status = fs::read_to_string(proc_path(pid, "status")).unwrap_or_default();
    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let blocked = blocked.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    blocked >> (signal.as_raw() - 1) & 1 == 1
}

/// The words with which a process was started; `None` when it is not there, or not to be seen.
pub(crate) fn arguments(pid: Pid) -> Option<Vec<OsString>> {
    let line = fs::read(proc_path(pid, "cmdline")).ok()?;
    Some(line.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect())
}

pub(crate) fn proc_path(pid: Pid, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{}/{name}", pid.as_raw_nonzero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Pid {
        rustix::process::getpid()
    }

    #[test]
    fn a_child_is_a_descendant_and_is_named_with_its_number() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);

        let found = descendants(own()).into_iter().find(|process| process.pid == pid);

        assert_eq!(found.unwrap().title(), format!("sleep (pid {})", child.id()));
        assert!(searched_children(own()).contains(&pid));
        assert!(!is_outside(pid, own()));
        assert!(is_outside(own(), pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_outside(pid, own()), "of one that is gone nothing is known");
    }

    #[test]
    fn a_process_that_is_not_the_one_that_was_meant_gets_no_signal() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_child(&child);

        assert!(!signal_if(pid, Signal::KILL, || false));
        assert!(child.try_wait().unwrap().is_none());
        assert!(signal_if(pid, Signal::KILL, || Process::look(pid).is_some()));
        assert!(!child.wait().unwrap().success());
        assert!(!signal_if(pid, Signal::KILL, || true), "its number is free");
    }

    #[test]
    fn a_dead_process_is_no_survivor() {
        let mut child = std::process::Command::new("true").stdin(std::process::Stdio::null()).spawn().unwrap();
        let pid = Pid::from_child(&child);
        rustix::process::waitid(
            rustix::process::WaitId::Pid(pid),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        )
        .unwrap();

        let found = Process::look(pid);

        assert_eq!(found, None);
        child.wait().unwrap();
    }
}
