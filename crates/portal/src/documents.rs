//! The runbook documents that are open: read again when the folder has changed, never watched by a timer.
//!
//! Looking costs one listing of the folder. Reading happens only when a name, a size or a time of change differs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use domain::runbook::{Document, Procedure};
use domain::{Digest, Slug, Timestamp};

use crate::Error;
use crate::error::OpenError;

/// What was read, and when.
#[derive(Debug)]
pub struct Library {
    /// The documents, by path.
    pub documents: Vec<Arc<Document>>,
    /// What could not be read, a sentence each.
    pub problems: Vec<String>,
    /// When it was read.
    pub read: Timestamp,
    fingerprint: Digest,
}

impl Library {
    /// A procedure and its document by its address.
    pub fn procedure(&self, slug: &Slug) -> Option<(&Arc<Document>, &Procedure)> {
        self.documents.iter().find_map(|document| Some((document, document.procedure(slug)?)))
    }
}

/// The folder of documents.
#[derive(Debug)]
pub struct Documents {
    folder: PathBuf,
    library: Mutex<Arc<Library>>,
    /// One reading at a time: a burst of pages after an edit reads once.
    reading: tokio::sync::Mutex<()>,
}

impl Documents {
    /// Reads the folder for the first time.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let refused = |error: &dyn std::fmt::Display| OpenError::Runbooks {
            folder: folder.display().to_string(),
            why: error.to_string(),
        };
        let fingerprint = runbook::fingerprint(folder).map_err(|error| refused(&error))?;
        let library = read(folder, fingerprint, now).map_err(|error| refused(&error))?;
        let library = Mutex::new(Arc::new(library));
        Ok(Self { folder: folder.to_owned(), library, reading: tokio::sync::Mutex::new(()) })
    }

    /// The documents as they are on the disk now. What cannot be listed any more stays as it was read last.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<Library>, Error> {
        let _one = self.reading.lock().await;
        let (folder, last) = (self.folder.clone(), self.last());
        let fresh = tokio::task::spawn_blocking(move || {
            let fingerprint = runbook::fingerprint(&folder).ok()?;
            if fingerprint == last.fingerprint {
                return None;
            }
            match read(&folder, fingerprint, now) {
                Ok(library) => Some(library),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the runbook documents could not be read again"
                    );
                    None
                }
            }
        });
        if let Some(library) = fresh.await.map_err(|_| Error::Broken("reading the documents"))? {
            tracing::info!(documents.count = library.documents.len(), "read the runbook documents again");
            *self.library.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(library);
        }
        Ok(self.last())
    }

    fn last(&self) -> Arc<Library> {
        Arc::clone(&self.library.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

fn read(folder: &Path, fingerprint: Digest, read: Timestamp) -> Result<Library, runbook::FolderError> {
    let folder = runbook::read_folder(folder)?;
    let documents = folder.documents.into_iter().map(Arc::new).collect();
    let problems = folder.problems.iter().map(ToString::to_string).collect();
    Ok(Library { documents, problems, read, fingerprint })
}
