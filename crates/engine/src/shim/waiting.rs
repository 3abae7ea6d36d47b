//! Whether a program waits for something to be typed.
//!
//! The kernel says of every process of ours in which call it sleeps (`/proc/PID/syscall`): a read of the terminal, or a wait
//! for the terminal alone, is a program that wants an answer. One that waits for the terminal among other things, as `ssh`
//! with a running command does, is busy elsewhere.
//!
//! A thread beside the first one that reads the terminal may have been put there for whatever may be typed, as `docker exec -it`
//! does, and it may be the one that asks: a program in Go asks from any of its threads. A program of another user (`sudo`) cannot be
//! looked into at all. Both are taken to wait behind an unfinished line, which is what a prompt looks like.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

use nix::libc;
use rustix::process::Pid;

use super::shell::Terminal;
use crate::processes::{Process, proc_path};

/// Who waits for more things than that at once waits for something else.
const MANY: usize = 64;

/// The file that a terminal is, and its number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    number: i32,
}

/// What one process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    WaitsForInput,
    /// A thread beside the first reads the terminal.
    Listens,
    SomethingElse,
    /// Who may know?
    Hidden,
}

impl Identity {
    pub(crate) fn of(terminal: &Terminal) -> Option<Self> {
        let stat = rustix::fs::fstat(&terminal.end).ok()?;
        let (major, minor) = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
        let number = (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12);
        Some(Self { device: stat.st_dev, inode: stat.st_ino, number: number.try_into().ok()? })
    }

    /// Whether an open file of a process is this terminal, by its own name or as "the terminal that I have".
    fn is_open_as(self, process: &Process, descriptor: u64) -> bool {
        let path = proc_path(process.pid, "fd").join(descriptor.to_string());
        std::fs::metadata(path).is_ok_and(|file| {
            let own = rustix::fs::makedev(5, 0) == file.rdev() && process.terminal == self.number;
            own || (file.dev(), file.ino()) == (self.device, self.inode)
        })
    }
}

/// Whether one of the processes, all of them in the foreground, waits for something to be typed into the terminal.
pub(crate) fn for_input<'a>(
    terminal: Identity,
    mut foreground: impl Iterator<Item = &'a Process>,
    line_is_open: bool,
) -> bool {
    foreground.any(|process| match doing(process, terminal) {
        Doing::WaitsForInput => true,
        Doing::Listens => line_is_open,
        Doing::SomethingElse => false,
        Doing::Hidden => line_is_open && process.sleeps && process.terminal == terminal.number,
    })
}

fn doing(process: &Process, terminal: Identity) -> Doing {
    let Ok(first) = std::fs::read_to_string(proc_path(process.pid, "syscall")) else { return Doing::Hidden };
    if reads(process, &first, terminal) {
        return Doing::WaitsForInput;
    }
    let listens = others(process.pid).any(|thread| reads(process, &thread, terminal));
    if listens { Doing::Listens } else { Doing::SomethingElse }
}

/// Whether a thread of a process sleeps in a call that waits for the terminal and for nothing else.
fn reads(process: &Process, thread: &str, terminal: Identity) -> bool {
    let waited_for = call(thread).and_then(|(number, arguments)| waited_for(process.pid, number, arguments));
    waited_for.is_some_and(|descriptors| {
        !descriptors.is_empty() && descriptors.into_iter().all(|descriptor| terminal.is_open_as(process, descriptor))
    })
}

/// In which calls the threads beside the first are.
fn others(pid: Pid) -> impl Iterator<Item = String> {
    let first = pid.as_raw_nonzero().to_string();
    let threads = std::fs::read_dir(proc_path(pid, "task")).into_iter().flatten().flatten();
    let others = threads.filter(move |thread| thread.file_name().to_str() != Some(&first));
    others.filter_map(|thread| std::fs::read_to_string(thread.path().join("syscall")).ok())
}

/// The number of the call and its first two arguments; `None` when the process runs, or sleeps outside of a call.
fn call(text: &str) -> Option<(i64, [u64; 2])> {
    let mut words = text.split_ascii_whitespace();
    let number = words.next()?.parse().ok().filter(|number| *number >= 0)?;
    let mut argument = || u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok();
    Some((number, [argument()?, argument()?]))
}

/// The descriptors from which a process that sleeps in a call wants to read.
fn waited_for(pid: Pid, number: i64, [first, second]: [u64; 2]) -> Option<Vec<u64>> {
    match number {
        libc::SYS_read | libc::SYS_readv => Some(vec![first]),
        libc::SYS_ppoll => polled(pid, first, second),
        libc::SYS_pselect6 => selected(pid, first, second),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => polled(pid, first, second),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => selected(pid, first, second),
        _ => None,
    }
}

fn polled(pid: Pid, address: u64, count: u64) -> Option<Vec<u64>> {
    let count = usize::try_from(count).ok().filter(|count| *count <= MANY)?;
    let entries = memory(pid, address, count * 8)?;
    let wanted = |entry: &[u8]| {
        let (descriptor, rest) = entry.split_first_chunk::<4>()?;
        let (events, _) = rest.split_first_chunk::<2>()?;
        let reads = i16::from_ne_bytes(*events) & libc::POLLIN != 0;
        u64::try_from(i32::from_ne_bytes(*descriptor)).ok().filter(|_| reads)
    };
    Some(entries.chunks_exact(8).filter_map(wanted).collect())
}

fn selected(pid: Pid, count: u64, address: u64) -> Option<Vec<u64>> {
    let limit = usize::try_from(count).ok().filter(|limit| *limit <= libc::FD_SETSIZE)?;
    // Words of the machine: the kernel reads whole ones.
    let set = memory(pid, address, limit.div_ceil(64) * 8)?;
    let is_wanted = |number: &u64| {
        let byte = usize::try_from(number / 8).ok().and_then(|at| set.get(at));
        byte.is_some_and(|byte| byte >> (number % 8) & 1 == 1)
    };
    Some((0..count).filter(is_wanted).take(MANY).collect())
}

fn memory(pid: Pid, address: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    File::open(proc_path(pid, "mem")).ok()?.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_and_a_process_that_runs_is_in_no_call() {
        assert_eq!(call("0 0x3 0x5620b4fafcf0 0x2000 0x0 0x0 0x0 0x7ff 0x7f3\n"), Some((0, [3, 0x5620_b4fa_fcf0])));
        assert_eq!(call("running\n"), None);
        assert_eq!(call("-1 0x7ffc871a8838 0x7f3162ad\n"), None);
        assert_eq!(call(""), None);
    }
}
