//! Real machinery for tests of targets: an OpenSSH server, a network that can be cut, a Docker engine, containers.
//!
//! Nothing here stands in for anything. What this machine does not have is said on standard error after `SKIPPED: `, and the test
//! that needs it has proved nothing: `make test` installs all of it. Everything is ended by its process id, at the latest with
//! the process of the tests.

mod contained;
mod cut;
mod dockerd;
mod processes;
mod secured;
mod sshd;

pub use contained::{Contained, Image};
pub use cut::Cut;
pub use dockerd::Dockerd;
pub use processes::{Process, connected_to};
pub use secured::Secured;
pub use sshd::{Sshd, free_port};

use std::path::{Path, PathBuf};

/// Finds a program where the system's administrators have theirs, too.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].into_iter().chain(path.split(':'));
    folders.map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// Says what is missing. The test that needs it ends without having tested anything.
fn skipped(what: &str) {
    eprintln!("SKIPPED: {what}");
}
