//! The runbook documents that are open: read again when the folder has changed, never watched by a timer.
//!
//! Looking costs one listing of the folder. Reading happens only when a name, a size or a time of change differs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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

/// Stands first among the problems while the folder cannot be read.
const STALE: &str = "The folder of runbook documents cannot be read now, so everything here is as it was read last";

impl Library {
    /// The same documents, with the reason why they may be old. They are read as soon as the folder can be.
    fn that_cannot_be_read_again(&self, error: &runbook::FolderError) -> Self {
        tracing::warn!(error = error as &dyn std::error::Error, "the runbook documents could not be read again");
        let problems = self.problems.iter().filter(|problem| !problem.starts_with(STALE)).cloned();
        Self {
            documents: self.documents.clone(),
            problems: std::iter::once(format!("{STALE}: {error}.")).chain(problems).collect(),
            read: self.read,
            fingerprint: Digest::of(b"cannot be read"),
        }
    }

    /// A procedure and its document by its address.
    pub fn procedure(&self, slug: &Slug) -> Option<(&Arc<Document>, &Procedure)> {
        self.documents.iter().find_map(|document| Some((document, document.procedure(slug)?)))
    }
}

/// The folder of documents. Cloning it is cheap: all clones are the same one.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
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
        let (path, library) = (folder.to_owned(), Mutex::new(Arc::new(library)));
        Ok(Self(Arc::new(Folder { path, library, reading: tokio::sync::Mutex::new(()) })))
    }

    /// The documents as they are on the disk now. What cannot be listed any more stays as it was read last, and says so.
    ///
    /// A page that is not waited for any more does not stop a reading: the next page finds what it has read.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<Library>, Error> {
        let folder = Arc::clone(&self.0);
        let reading = tokio::spawn(async move {
            let _one = folder.reading.lock().await;
            let looker = Arc::clone(&folder);
            tokio::task::spawn_blocking(move || looker.look(now)).await
        });
        reading.await.and_then(|looked| looked).map_err(|_| Error::Broken("reading the documents"))
    }

    /// The text of a document; `None` when the file holds other bytes by now, or cannot be read.
    pub async fn text(&self, document: &Document) -> Result<Option<String>, Error> {
        let (path, digest) = (self.0.path.join(&document.path), document.digest.clone());
        let text = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(path).ok().filter(|bytes| Digest::of(bytes) == digest)?;
            String::from_utf8(bytes).ok()
        });
        text.await.map_err(|_| Error::Broken("reading a document"))
    }
}

impl Folder {
    /// Reads again when something differs.
    fn look(&self, now: Timestamp) -> Arc<Library> {
        let last = self.last();
        let library = match runbook::fingerprint(&self.path) {
            Ok(fingerprint) if fingerprint == last.fingerprint => return last,
            Ok(fingerprint) => read(&self.path, fingerprint, now),
            Err(error) => Err(error),
        };
        let library = library.unwrap_or_else(|error| last.that_cannot_be_read_again(&error));
        tracing::info!(documents.count = library.documents.len(), "read the runbook documents again");
        let library = Arc::new(library);
        *self.library.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&library);
        library
    }

    fn last(&self) -> Arc<Library> {
        Arc::clone(&self.library.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(folder: &Path, fingerprint: Digest, read: Timestamp) -> Result<Library, runbook::FolderError> {
    let folder = runbook::read_folder(folder)?;
    let documents = folder.documents.into_iter().map(Arc::new).collect();
    let problems = folder.problems.iter().map(ToString::to_string).collect();
    Ok(Library { documents, problems, read, fingerprint })
}
