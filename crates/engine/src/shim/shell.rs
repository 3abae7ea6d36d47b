//! The shell of an attempt: started on a terminal or on pipes, with nothing of ours but its three descriptors.
//!
//! The shim is the leader of the session and owns its terminal; the shell is a process group in the foreground of it. So the
//! terminal outlives the shell: nothing that it wrote last is lost when it ends, and what it leaves behind is still there to
//! be named.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use domain::attempt::Work;
use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios, Winsize};

use super::limits::Holding;
use super::{birth, driver};
use crate::cgroup::Cgroup;

/// Columns and rows of the terminal of every step. They never change.
pub const WINDOW: (u16, u16) = (160, 48);
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The variable by which the processes of an attempt are found when its shim is dead.
pub(crate) const TOKEN_VARIABLE: &str = "PORTAL_ATTEMPT";

/// A shell that was started.
pub(crate) struct Shell {
    pub pid: Pid,
    /// Where commands and input go. Never blocks.
    pub feed: OwnedFd,
    /// Where everything comes out. Never blocks.
    pub output: OwnedFd,
    pub terminal: Option<Terminal>,
}

/// The shim's own end of the terminal.
pub(crate) struct Terminal {
    /// Keeps the terminal open, and takes the shim's own last mark. Never blocks.
    pub end: OwnedFd,
    modes: Termios,
}

/// What the shell gets as its standard input and output, and what stays with the shim.
struct Ends {
    input: OwnedFd,
    printed: OwnedFd,
    feed: OwnedFd,
    output: OwnedFd,
    terminal: Option<Terminal>,
}

impl Shell {
    /// Starts the shell, in the group if that can be, or says in a sentence why not.
    pub(crate) fn start(
        work: &Work,
        given: BTreeMap<String, String>,
        session: &str,
        token: &str,
        cgroup: Option<&Cgroup>,
        limits: &Holding,
    ) -> Result<(Self, bool), String> {
        let program = find(work)?;
        if !Path::new(&work.directory).is_dir() {
            return Err(format!("The directory {} is not there, or may not be entered.", work.directory));
        }
        let trouble = |error: io::Error| format!("The terminal of the step could not be made: {error}.");
        let ends = if work.tty { terminal() } else { pipes() }.map_err(trouble)?;
        let (name, own) = work.interpreter.split_first().expect("the interpreter was found");
        let errors = ends.printed.try_clone().map_err(trouble)?;
        let mut command = Command::new(&program);
        command
            .arg0(name)
            .args(own)
            .args(driver::arguments(work, session))
            .env_clear()
            .envs(&work.environment)
            .envs(given)
            .env(TOKEN_VARIABLE, token)
            .current_dir(&work.directory)
            .process_group(0)
            .stdin(Stdio::from(ends.input))
            .stdout(Stdio::from(ends.printed))
            .stderr(Stdio::from(errors));
        limits.bind(&mut command).map_err(|error| format!("The limits of the step could not be set: {error}."))?;
        let (pid, inside) = birth::start(&mut command, cgroup)
            .map_err(|error| format!("The shell {name} could not be started in {}: {error}.", work.directory))?;
        Ok((Self { pid, feed: ends.feed, output: ends.output, terminal: ends.terminal }, inside))
    }

    /// Lets it have the terminal. It may have asked for input before, and was halted for that.
    pub(crate) fn to_foreground(&self) {
        self.take_foreground();
        self.signal(Signal::CONT);
    }

    /// Puts the terminal back to what the driver needs, whatever a full-screen program or a job left of it.
    pub(crate) fn restore(&self) {
        if let Some(terminal) = &self.terminal {
            let _ = rustix::termios::tcsetattr(&terminal.end, OptionalActions::Now, &terminal.modes);
            self.take_foreground();
        }
    }

    /// Sends a signal to what a person would reach with Ctrl-C.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = rustix::process::kill_process_group(self.foreground().unwrap_or(self.pid), signal);
    }

    /// The process group to which what is typed belongs.
    pub(crate) fn foreground(&self) -> Option<Pid> {
        self.terminal.as_ref().and_then(|terminal| rustix::termios::tcgetpgrp(&terminal.end).ok())
    }

    /// Whether the terminal hands over single keys now, and not lines.
    pub(crate) fn takes_keys(&self) -> bool {
        self.modes_now().is_some_and(|modes| !modes.contains(LocalModes::ICANON))
    }

    /// Whether Ctrl-C is a signal now, and not a key like others.
    pub(crate) fn takes_signals(&self) -> bool {
        self.modes_now().is_some_and(|modes| modes.contains(LocalModes::ISIG))
    }

    fn modes_now(&self) -> Option<LocalModes> {
        let terminal = self.terminal.as_ref()?;
        rustix::termios::tcgetattr(&terminal.end).ok().map(|modes| modes.local_modes)
    }

    /// Where it is now. Of one that was removed below it, where that was. Where it began is called as it was given, whatever links
    /// lead there: a step that stays has not moved.
    pub(crate) fn directory(&self, begun: &str) -> Option<String> {
        let here = crate::processes::proc_path(self.pid, "cwd");
        let place = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
        if place(&here).is_some_and(|here| place(Path::new(begun)) == Some(here)) {
            return Some(begun.to_owned());
        }
        let link = std::fs::read_link(here).ok()?;
        let path = link.into_os_string().into_string().ok()?;
        let gone = path.strip_suffix(" (deleted)").filter(|_| !Path::new(&path).exists()).map(str::to_owned);
        Some(gone.unwrap_or(path))
    }

    fn take_foreground(&self) {
        if let Some(terminal) = &self.terminal {
            let _ = rustix::termios::tcsetpgrp(&terminal.end, self.pid);
        }
    }
}

/// Finds the interpreter as a shell would, with the `PATH` of the step.
fn find(work: &Work) -> Result<PathBuf, String> {
    let Some(name) = work.interpreter.first() else { return Err("No shell is configured for this target.".to_owned()) };
    let is_program = |path: &PathBuf| path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(is_program).ok_or_else(|| absent(name, "on this machine"));
    }
    let path = path_of(&work.environment);
    path.split(':').map(|folder| Path::new(folder).join(name)).find(is_program).ok_or_else(|| absent(name, "in PATH"))
}

fn absent(name: &str, place: &str) -> String {
    format!("The shell {name} is not there ({place}). Install it, or give the target another shell.")
}

pub(super) fn path_of(environment: &BTreeMap<String, String>) -> &str {
    environment.get("PATH").map_or(USUAL_PATH, String::as_str)
}

/// A terminal that does not translate what is printed and does not repeat what is typed.
fn terminal() -> io::Result<Ends> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let input = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    let end = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    let mut modes = rustix::termios::tcgetattr(&end)?;
    // The translation of line feeds makes short lines six times slower, and the log wants the bytes as they are.
    modes.output_modes.remove(OutputModes::OPOST);
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHOE | LocalModes::ECHOK | LocalModes::ECHONL);
    rustix::termios::tcsetattr(&end, OptionalActions::Now, &modes)?;
    let size = Winsize { ws_col: WINDOW.0, ws_row: WINDOW.1, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&end, size)?;
    rustix::process::ioctl_tiocsctty(&end)?;
    rustix::fs::fcntl_setfl(&master, OFlags::NONBLOCK)?;
    rustix::fs::fcntl_setfl(&end, OFlags::NONBLOCK)?;
    Ok(Ends {
        printed: input.try_clone()?,
        input,
        feed: master.try_clone()?,
        output: master,
        terminal: Some(Terminal { end, modes }),
    })
}

fn pipes() -> io::Result<Ends> {
    let (input, feed) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (output, printed) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    rustix::fs::fcntl_setfl(&feed, OFlags::NONBLOCK)?;
    rustix::fs::fcntl_setfl(&output, OFlags::NONBLOCK)?;
    Ok(Ends { input, printed, feed, output, terminal: None })
}
