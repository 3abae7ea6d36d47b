//! A database that goes away with the test.

use std::ops::Deref;
use std::path::PathBuf;

use store::Store;
use tempfile::TempDir;

use crate::NOW;

/// A database in a folder of its own. The folder goes away with it.
#[derive(Debug)]
pub struct TempStore {
    store: Store,
    folder: TempDir,
}

impl TempStore {
    /// The database's file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("portal.db")
    }
}

impl Deref for TempStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// A new database, opened at [`NOW`].
///
/// # Panics
///
/// When the machine has no place for temporary files: no test can go on then.
pub async fn temp_store() -> TempStore {
    let folder = tempfile::tempdir().expect("a place for temporary files");
    let store = Store::open(&folder.path().join("portal.db"), NOW).await.expect("a new database opens");
    TempStore { store, folder }
}
