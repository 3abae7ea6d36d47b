//! Speaking to the shim of an attempt that runs: over its socket, and to stop it, where that does not help, by a signal.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::folder::{CONTROL, Folder};
use crate::record::{Answer, Steer};
use crate::{processes, shim};

/// A shim answers within a turn of its loop, unless the machine is on its knees.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request was not followed.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// The attempt does not run.
    #[error("the step does not run any more")]
    Gone,
    /// The shim says why not, in a sentence for people.
    #[error("{0}")]
    Refused(String),
    /// The shim could not be reached.
    #[error("the process that runs the step does not answer")]
    Unreachable(#[source] io::Error),
}

/// Asks over the socket. A step can take that away, or put another one in its place, but it is stopped all the same.
pub(crate) async fn steer(folder: &Folder, request: &Steer) -> Result<(), SteerError> {
    let heard = by_socket(folder, request).await;
    let failed = matches!(heard, Err(SteerError::Gone | SteerError::Unreachable(_)));
    if failed && *request == Steer::Stop {
        let folder = folder.clone();
        if tokio::task::spawn_blocking(move || by_signal(&folder)).await.is_ok_and(|sent| sent) {
            return Ok(());
        }
    }
    heard
}

/// Sends the shim of a folder SIGTERM, while it lives. Says whether there was one to send it to.
fn by_signal(folder: &Folder) -> bool {
    let lives = folder.is_held().unwrap_or(false);
    let shims = processes::all().filter(|pid| lives && hears_signals(*pid, folder));
    shims.filter(|pid| processes::signal_if(*pid, Signal::TERM, || hears_signals(*pid, folder))).count() > 0
}

/// Whether a process was started as the shim of a folder, and has come so far that SIGTERM asks it and does not end it. One of
/// an older portal never comes so far.
fn hears_signals(pid: Pid, folder: &Folder) -> bool {
    let is_shim = processes::arguments(pid).is_some_and(|words| words_of_shim(&words, folder));
    is_shim && processes::blocks(pid, Signal::TERM)
}

/// Whether these are the words with which the shim of a folder is started.
fn words_of_shim(words: &[OsString], folder: &Folder) -> bool {
    let place = |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    match words {
        // A portal that was started elsewhere may write the path in another way.
        [_, command, path, ..] if command == shim::COMMAND => {
            place(path.as_ref()).is_some_and(|found| place(folder.path()) == Some(found))
        }
        _ => false,
    }
}

async fn by_socket(folder: &Folder, request: &Steer) -> Result<(), SteerError> {
    match tokio::time::timeout(PATIENCE, ask(folder, request)).await {
        Ok(Ok(Answer::Done)) => Ok(()),
        Ok(Ok(Answer::Refused { sentence })) => Err(SteerError::Refused(sentence)),
        Ok(Err(error)) if is_gone(&error) => Err(SteerError::Gone),
        Ok(Err(error)) => Err(SteerError::Unreachable(error)),
        Err(elapsed) => Err(SteerError::Unreachable(elapsed.into())),
    }
}

/// It ended before, or while it was asked.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

async fn ask(folder: &Folder, request: &Steer) -> io::Result<Answer> {
    // The path of a socket holds 107 bytes. Through a descriptor of the folder every path is short.
    let place = folder.descend()?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd())).join(CONTROL);
    let socket = UnixStream::connect(path).await?;
    // Not where other processes cannot be looked at: then the one in the place of the shim is believed to be it.
    let listener = socket.peer_cred()?.pid().and_then(Pid::from_raw).and_then(processes::arguments);
    if listener.is_some_and(|words| !words_of_shim(&words, folder)) {
        return Err(io::Error::other("another process listens in the place of the shim"));
    }
    let mut socket = BufReader::new(socket);
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    socket.write_all(&line).await?;
    let mut answer = String::new();
    if socket.read_line(&mut answer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&answer)?)
}
