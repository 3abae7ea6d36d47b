//! How the shell is born: inside its control group from its first instant.
//!
//! Moving a process into a group afterwards makes the kernel wait for every processor, some 25 ms; being born there costs
//! nothing. The standard library cannot do that, so this is the one place that forks by hand.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc;
use rustix::process::Pid;

use crate::cgroup::Cgroup;

const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Starts the program in the group, or, where that cannot be, outside of it. Says which.
pub(crate) fn start(command: &mut Command, cgroup: Option<&Cgroup>) -> io::Result<(Pid, bool)> {
    if let Some(pid) = cgroup.and_then(|cgroup| start_inside(command, cgroup).ok()) {
        return Ok((pid, true));
    }
    Ok((Pid::from_child(&command.spawn()?), false))
}

fn start_inside(command: &mut Command, cgroup: &Cgroup) -> io::Result<Pid> {
    let folder = cgroup.open()?;
    let mut arguments = libc::clone_args {
        flags: CLONE_INTO_CGROUP,
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: libc::SIGCHLD.unsigned_abs().into(),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: folder.as_raw_fd().unsigned_abs().into(),
    };
    #[expect(unsafe_code, reason = "the standard library has no way to start a process inside a control group")]
    // SAFETY: a fork by another name. The shim has one thread, so the copy may do whatever the original may; it replaces
    // itself by the program or exits, and never returns from here. The arguments live until the call is over.
    let pid = unsafe {
        match libc::syscall(libc::SYS_clone3, &raw mut arguments, size_of::<libc::clone_args>()) {
            0 => {
                // Returns only when it could not be done. The sentence goes into the output, where the step's log is.
                let error = command.exec();
                let _ = rustix::io::write(rustix::stdio::stderr(), format!("{error}\n").as_bytes());
                libc::_exit(127)
            }
            pid => pid,
        }
    };
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    let pid = pid.ok_or_else(io::Error::last_os_error)?;
    // The child does the same; whoever comes second finds it done.
    let _ = rustix::process::setpgid(Some(pid), Some(pid));
    Ok(pid)
}
