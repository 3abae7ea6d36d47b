//! A link: a program that runs at the target, with its three pipes here.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::target::Reach;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;

use super::quoted;
use super::ssh::Connection;
use crate::exec;

/// Where the portal's own texts find their tools.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The ways to a target.
#[derive(Clone, Debug)]
pub(crate) enum Transport {
    /// None is needed: a program of this machine.
    Here,
    /// Over ssh.
    Ssh(Connection),
    /// Into a container: the portal's own binary, and which container.
    Exec {
        /// The binary.
        program: PathBuf,
        /// [`domain::target::Container`] as JSON.
        container: String,
    },
}

impl Transport {
    /// The way to a target. `folder` is where the connection is kept, `group` who shares it, and `own` the portal's binary.
    ///
    /// # Errors
    ///
    /// When its configuration cannot be written.
    pub(crate) fn to(reach: &Reach, folder: &Path, group: &str, own: &Path) -> io::Result<Self> {
        Ok(match reach {
            Reach::Local => Self::Here,
            Reach::Ssh(ssh) => Self::Ssh(Connection::prepare(ssh, folder, group)?),
            Reach::Container(container) => {
                Self::Exec { program: own.to_owned(), container: serde_json::to_string(container)? }
            }
        })
    }

    /// Starts one of the portal's own texts there, with words as its `$1`, `$2` …; what follows on its standard input is the
    /// text's own. The words may be anything but NUL: they are data in the text's first lines.
    ///
    /// # Errors
    ///
    /// With the reason in a sentence, when there is no way to the target or nothing can be started here.
    pub(crate) fn start(&self, text: &str, words: &[&str]) -> Result<Link, String> {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let text = format!("set -- {}\n{text}", words.join(" "));
        let line = format!("eval \"$(dd bs=1 count={} 2>/dev/null)\"", text.len());
        let mut command = self.command(&line)?;
        let unready = |error: io::Error| format!("The way to the target could not be taken ({}).", error.kind());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C or the end of whoever began it is none of its business.
            .process_group(0)
            .spawn()
            .map_err(unready)?;
        let mut stdin = child.stdin.take().expect("it was asked for");
        // That it is gone already shows in what it says.
        let _ = stdin.write_all(text.as_bytes());
        let (output, answers) = (child.stdout.take(), child.stderr.take());
        Ok(Link {
            requests: stdin.into(),
            output: output.expect("it was asked for").into(),
            answers: answers.expect("it was asked for").into(),
            child,
        })
    }

    /// A command that runs a line of POSIX shell at the target. With an environment of two variables: what a login adds is nobody's plan.
    fn command(&self, line: &str) -> Result<Command, String> {
        match self {
            Self::Here => {
                let mut command = Command::new("env");
                command.args(["-i", PATH, "sh", "-c", line]);
                Ok(command)
            }
            Self::Ssh(connection) => {
                connection.client(&format!("exec env -i HOME=\"$HOME\" {PATH} sh -c {}", quoted(line)))
            }
            Self::Exec { program, container } => {
                let mut command = Command::new(program);
                command.arg0("runbook-portal").args([exec::COMMAND, container, "sh", "-c", line]);
                Ok(command)
            }
        }
    }
}

/// A way that has closed its output ends within this time.
const END: Duration = Duration::from_millis(500);
/// Longer than that nothing is that somebody waits for.
const LONGEST_LINE: usize = 64 << 10;

fn wait(ends: &[PollFd<'_>], deadline: Instant) -> io::Result<()> {
    let left = deadline.checked_duration_since(Instant::now()).ok_or(io::ErrorKind::TimedOut)?;
    let timeout = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
    let _ = poll(&mut ends.to_vec(), Some(&timeout));
    Ok(())
}

/// A program at the target. Dropping it ends the way there, and not what was left running.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its standard input.
    pub requests: OwnedFd,
    /// Its standard output.
    pub output: OwnedFd,
    /// Its standard error, and that of the way there.
    pub answers: OwnedFd,
    child: Child,
}

impl Link {
    /// From now on nothing waits for the far end.
    pub(crate) fn never_block(&self) -> io::Result<()> {
        for end in [&self.requests, &self.output, &self.answers] {
            rustix::fs::fcntl_setfl(end, OFlags::NONBLOCK)?;
        }
        Ok(())
    }

    /// The code of the program, once it and the way there have ended, which is waited for until a moment; `None` when they have
    /// not, or when a signal has ended them.
    pub(crate) fn ended(&mut self, deadline: Instant) -> Option<i32> {
        if let Ok(None) = self.child.try_wait()
            && let Ok(child) = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty())
        {
            let _ = wait(&[PollFd::new(&child, PollFlags::IN)], deadline);
        }
        self.child.try_wait().ok().flatten().and_then(|status| status.code())
    }
}

impl Link {
    /// Writes all of it, within a time.
    ///
    /// # Errors
    ///
    /// When it could not be written: the way there has ended, or nobody reads.
    pub(crate) fn send(&mut self, mut bytes: &[u8], within: Duration) -> io::Result<()> {
        self.never_block()?;
        let deadline = Instant::now() + within;
        while !bytes.is_empty() {
            wait(&[PollFd::new(&self.requests, PollFlags::OUT)], deadline)?;
            match rustix::io::write(&self.requests, bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The rest of the first line of its output that begins so, within a time.
    ///
    /// # Errors
    ///
    /// When none came.
    pub(crate) fn line(&mut self, opening: &str, within: Duration) -> io::Result<String> {
        let deadline = Instant::now() + within;
        let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
        while heard.len() < LONGEST_LINE {
            wait(&[PollFd::new(&self.output, PollFlags::IN)], deadline)?;
            match rustix::io::read(&self.output, &mut piece) {
                Ok(0) => break,
                Ok(count) => heard.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let text = String::from_utf8_lossy(&heard);
            let mut whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            // What a login has printed before, without an end of its line, is none of it.
            if let Some((_, rest)) = whole.find_map(|line| line.split_once(opening)) {
                return Ok(rest.trim_end().to_owned());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// What has kept the way there from being taken, when nothing was run because of it: a sentence, and whether the target is gone.
    /// Waits a moment for the end of a way that ends.
    /// `heard` is what it has complained of before.
    pub(crate) fn refusal(&mut self, heard: &str) -> Option<(String, bool)> {
        let code = self.ended(Instant::now() + END).and_then(|code| u8::try_from(code).ok())?;
        let (gone, nothing) = (code == exec::GONE, code == exec::NOT_DONE);
        let mut said = vec![0; 4096];
        let length = rustix::io::read(&self.answers, &mut said).unwrap_or(0);
        let said = heard.to_owned() + &String::from_utf8_lossy(said.get(..length).unwrap_or_default());
        let said = said.trim().to_owned();
        // A program that is there may end with such a code as well, and does not say why in a line of its own.
        ((gone || nothing) && !said.is_empty() && !said.starts_with("portal-far")).then_some((said, gone))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
