//! Where the user's own file is, on machines that have it.

use std::path::{Path, PathBuf};

/// The path of the file: what `PORTAL_USER_RUNBOOK` names, or the one beside the project. Says so when there is none.
pub fn users_path() -> Option<PathBuf> {
    let beside = |folder: &Path| folder.join("shared/runbooks/brainbytes-operational-runbook.md");
    let named = std::env::var_os("PORTAL_USER_RUNBOOK").map(PathBuf::from);
    let found = named.into_iter().chain(Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(beside));
    let path = found.into_iter().find(|path| path.is_file());
    if path.is_none() {
        eprintln!("user's file: ABSENT");
    }
    path
}
