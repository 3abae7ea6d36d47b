//! Everything that descends from the shim, and how it is ended.
//!
//! The shim is the reaper of every orphan below it: nothing can leave this family by a double fork or a new session.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::time::Timespec;

use crate::cgroup::Cgroup;
use crate::processes::{self, Process};

/// Longer than that nothing needs to die, unless the kernel holds it.
const LIMIT: Duration = Duration::from_secs(2);
/// Rounds in which only direct children are killed: that empties chains that fork and exit faster than one can look.
const ROUNDS: u32 = 20;

/// The family of an attempt.
pub(crate) struct Children<'a> {
    own: Pid,
    shell: Pid,
    cgroup: Option<&'a Cgroup>,
    /// How the shell ended, once it has: its code, or 128 and the signal.
    pub ended: Option<i32>,
}

impl<'a> Children<'a> {
    pub(crate) fn new(shell: Pid, cgroup: Option<&'a Cgroup>) -> Self {
        Self { own: rustix::process::getpid(), shell, cgroup, ended: None }
    }

    /// Collects the dead. Says whether anybody is left.
    pub(crate) fn reap(&mut self) -> bool {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.shell => {
                    let signal = status.terminating_signal().map(|signal| 128 + signal);
                    self.ended = status.exit_status().or(signal);
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Everything alive below the shim.
    pub(crate) fn alive(&self) -> Vec<Process> {
        processes::descendants(self.own)
    }

    /// Everything alive but the shell.
    pub(crate) fn alive_below_shell(&self) -> Vec<Process> {
        self.alive().into_iter().filter(|process| process.pid != self.shell || self.ended.is_some()).collect()
    }

    /// Whether this process is known not to belong to the attempt.
    pub(crate) fn exclude(&self, pid: Pid) -> bool {
        processes::is_outside(pid, self.own)
    }

    pub(crate) fn kill_shell(&self) {
        if self.ended.is_none() {
            processes::signal(self.shell, Signal::KILL);
        }
    }

    /// Kills everything, and names what cannot be killed.
    pub(crate) fn end_all(&mut self) -> Vec<String> {
        let begun = Instant::now();
        loop {
            if let Some(cgroup) = &self.cgroup {
                cgroup.kill();
            }
            for _ in 0..ROUNDS {
                let direct = processes::children(self.own);
                for pid in &direct {
                    processes::signal(*pid, Signal::KILL);
                }
                if !self.reap() {
                    return Vec::new();
                }
                if direct.is_empty() {
                    break;
                }
            }
            for process in self.alive() {
                processes::signal(process.pid, Signal::KILL);
            }
            if !self.reap() {
                return Vec::new();
            }
            if begun.elapsed() > LIMIT {
                return self.alive().iter().map(Process::title).collect();
            }
            breathe();
        }
    }
}

/// Lets the dying die.
fn breathe() {
    let nothing: &mut [PollFd<'_>] = &mut [];
    let _ = poll(nothing, Some(&Timespec { tv_sec: 0, tv_nsec: 500_000 }));
}
