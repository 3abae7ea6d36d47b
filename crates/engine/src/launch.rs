//! Starting a shim: the folder first, then the process.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use domain::AttemptId;
use domain::attempt::Spec;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::folder::{Folder, LOCK, SPEC, TROUBLE};
use crate::record::{Handover, write_durably};
use crate::shim;

/// Why a step was not started. In each case nothing of it was run.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// Nothing is ever started twice.
    #[error("attempt {0} was started before, and nothing is ever started twice")]
    Again(AttemptId),
    /// The disk is full, or the portal may not write there.
    #[error("its folder could not be written ({})", .0.kind())]
    Folder(#[source] io::Error),
    /// The portal's own binary could not be started.
    #[error("the process that runs it could not be started ({})", .0.kind())]
    Shim(#[source] io::Error),
}

/// What the shim gets apart from its key.
struct Prepared {
    lock: File,
    trouble: File,
}

/// Prepares the folder and starts the shim in it.
pub(crate) async fn launch(folder: &Folder, shim: &Path, spec: &Spec, handover: Handover) -> Result<(), LaunchError> {
    let prepared = {
        let (folder, spec) = (folder.clone(), spec.clone());
        let task = tokio::task::spawn_blocking(move || prepare(&folder, &spec));
        task.await.map_err(|error| LaunchError::Folder(io::Error::other(error)))??
    };
    start(folder, shim, prepared, &handover).await.map_err(|error| {
        // Nothing was run, so nothing has to be kept.
        let _ = std::fs::remove_dir_all(folder.path());
        LaunchError::Shim(error)
    })
}

/// Starts another shim for an attempt that runs on at a target although its shim has died.
pub(crate) async fn resume(folder: &Folder, shim: &Path, handover: Handover) -> Result<(), LaunchError> {
    let prepared = {
        let folder = folder.clone();
        let task = tokio::task::spawn_blocking(move || take_up(&folder));
        task.await.map_err(|error| LaunchError::Folder(io::Error::other(error)))?.map_err(LaunchError::Folder)?
    };
    start(folder, shim, prepared, &handover).await.map_err(LaunchError::Shim)
}

fn take_up(folder: &Folder) -> io::Result<Prepared> {
    let open = |name: &str| OpenOptions::new().append(true).open(folder.path().join(name));
    let lock = open(LOCK)?;
    take(&lock)?;
    Ok(Prepared { lock, trouble: open(TROUBLE)? })
}

/// Takes the lock of an attempt that nobody holds. Whoever looks whether somebody does shares it for a moment; that keeps nobody out.
fn take(lock: &File) -> io::Result<()> {
    loop {
        match rustix::fs::flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => {}
            other => return Ok(other?),
        }
        // A living shim shares it with nobody.
        rustix::fs::flock(lock, FlockOperation::NonBlockingLockShared)?;
        std::thread::yield_now();
    }
}

fn prepare(folder: &Folder, spec: &Spec) -> Result<Prepared, LaunchError> {
    folder.create().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => LaunchError::Again(spec.id),
        _ => LaunchError::Folder(error),
    })?;
    fill(folder, spec).map_err(|error| {
        let _ = std::fs::remove_dir_all(folder.path());
        LaunchError::Folder(error)
    })
}

fn fill(folder: &Folder, spec: &Spec) -> io::Result<Prepared> {
    let make = |name: &str| {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600).open(folder.path().join(name))
    };
    let lock = make(LOCK)?;
    // From here until the shim's death the lock is held: there is no moment in which the attempt looks dead.
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
    let trouble = make(TROUBLE)?;
    write_durably(folder.path(), SPEC, &serde_json::to_vec_pretty(spec)?)?;
    Ok(Prepared { lock, trouble })
}

/// Where the Docker engine is: nothing else of the portal's environment is anybody's business.
const ENGINE: [&str; 1] = ["DOCKER_HOST"];

/// Neither a process group nor anything else is set here: this stays the fast way to start a process, and the shim makes
/// itself independent.
async fn start(folder: &Folder, shim: &Path, prepared: Prepared, handover: &Handover) -> io::Result<()> {
    let handover = serde_json::to_vec(handover)?;
    let mut child = Command::new(shim)
        .arg0("runbook-portal")
        .arg(shim::COMMAND)
        .arg(std::path::absolute(folder.path())?)
        .env_clear()
        .envs(ENGINE.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::from(prepared.lock))
        .stderr(Stdio::from(prepared.trouble))
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // That it is gone already shows in the folder.
        let _ = stdin.write_all(&handover).await;
    }
    tokio::spawn(async move { child.wait().await });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use domain::RunId;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn who_only_looks_keeps_nobody_from_taking_an_attempt_up_and_a_shim_does() {
        let root = TempDir::new().unwrap();
        let folder = Folder::new(root.path(), AttemptId { run: RunId(1), step: 1, attempt: 1 });
        std::fs::create_dir_all(folder.path()).unwrap();
        for name in [LOCK, TROUBLE] {
            File::create(folder.path().join(name)).unwrap();
        }
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        folder.wait_until_free().unwrap();
                        folder.is_held().unwrap();
                    }
                });
            }
            // Let go of expressly: programs that other tests start have a copy of what is open until they are themselves.
            let take_and_let_go =
                || take_up(&folder).and_then(|taken| Ok(rustix::fs::flock(&taken.lock, FlockOperation::Unlock)?));
            let refused = (0..2_000).filter(|_| take_and_let_go().is_err()).count();
            done.store(true, Ordering::Relaxed);
            assert_eq!(refused, 0);
        });

        let shim = take_up(&folder).unwrap();

        assert_eq!(take_up(&folder).err().map(|error| error.kind()), Some(io::ErrorKind::WouldBlock));
        drop(shim);
    }
}
