//! Speaking to the shim of an attempt that runs.

use std::io;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::folder::{CONTROL, Folder};
use crate::record::{Answer, Steer};

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

pub(crate) async fn steer(folder: &Folder, request: &Steer) -> Result<(), SteerError> {
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
    let mut socket = BufReader::new(UnixStream::connect(path).await?);
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    socket.write_all(&line).await?;
    let mut answer = String::new();
    if socket.read_line(&mut answer).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&answer)?)
}
