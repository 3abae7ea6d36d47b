//! The processes of this machine, as `/proc` shows them.

use std::net::SocketAddr;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

/// One process. Its number alone could be somebody else's by now: it goes with the moment of its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// Whose child it is.
    pub parent: i32,
    /// What its program is called; at most 15 bytes.
    pub name: String,
    started: u64,
}

impl Process {
    /// Every process that runs now.
    ///
    /// # Panics
    ///
    /// Where there is no `/proc`.
    pub fn all() -> Vec<Self> {
        let entries = std::fs::read_dir("/proc").expect("a machine with /proc").flatten();
        entries.filter_map(|entry| Self::look(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    /// What a process is now, if it is there and no mere remnant.
    pub fn look(pid: i32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses, and may hold some itself.
        let (before, rest) = stat.rsplit_once(')')?;
        let name = before.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let is_gone = matches!(fields.first(), Some(&("Z" | "X")));
        let found = Self { pid, parent: fields.get(1)?.parse().ok()?, name, started: fields.get(19)?.parse().ok()? };
        (!is_gone).then_some(found)
    }

    /// Every process that descends from one.
    pub fn below(ancestor: i32) -> Vec<Self> {
        let all = Self::all();
        let mut family = vec![ancestor];
        let mut found = Vec::new();
        while let Some(parent) = family.pop() {
            let children = all.iter().filter(|process| process.parent == parent);
            family.extend(children.clone().map(|process| process.pid));
            found.extend(children.cloned());
        }
        found
    }

    /// Whether it is still there.
    pub fn lives(&self) -> bool {
        Self::look(self.pid).is_some_and(|found| found.started == self.started)
    }

    /// The words with which it was started.
    pub fn words(&self) -> Vec<String> {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// Sends it a signal; nothing, when it is gone.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| self.lives()) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    /// Waits until it is gone.
    pub fn wait(&self) {
        let handle = Pid::from_raw(self.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        // The number may be somebody else's by now: looked at when the handle is there, which holds on to one process.
        let Some(handle) = handle.filter(|_| self.lives()) else { return };
        // It can be read from when its process has ended.
        while poll(&mut [PollFd::new(&handle, PollFlags::IN)], None) == Err(Errno::INTR) {}
    }
}

/// The processes that hold a connection to an address of this machine. Those of other users are seen by root alone.
pub fn connected_to(address: SocketAddr) -> Vec<Process> {
    let sockets: Vec<String> = sockets_to(address).into_iter().map(|inode| format!("socket:[{inode}]")).collect();
    let holds = |process: &Process| {
        let entries = std::fs::read_dir(format!("/proc/{}/fd", process.pid)).into_iter().flatten().flatten();
        let mut links = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        links.any(|link| sockets.iter().any(|socket| link == Path::new(socket)))
    };
    Process::all().into_iter().filter(holds).collect()
}

/// The numbers of the sockets whose far end is this address.
fn sockets_to(address: SocketAddr) -> Vec<String> {
    let SocketAddr::V4(address) = address else { return Vec::new() };
    // As the kernel prints it: the address as one number of this machine's byte order.
    let far = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let rows = table.lines().skip(1).map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(2) == Some(&far.as_str())).filter_map(|row| Some((*row.get(9)?).to_owned())).collect()
}
