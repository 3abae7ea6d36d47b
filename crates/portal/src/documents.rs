//! The runbook documents that are open: read again when the folder has changed, never watched by a timer.
//!
//! Looking costs one listing of the folder. Reading happens only when a name, a size or a time of change differs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::policy::{Groups, Sight};
use domain::runbook::{Document, Finding, PartKind, Procedure, Schedule};
use domain::{Digest, Slug, Timestamp};
use tokio::sync::watch;

use crate::Error;
use crate::error::OpenError;

/// What was read, and when. Who looks into it gets what they see, by [`Contents::seen_by`].
#[derive(Debug)]
pub struct Contents {
    documents: Vec<Arc<Document>>,
    problems: Vec<String>,
    read: Timestamp,
    fingerprint: Digest,
}

/// The documents as somebody sees them.
#[derive(Debug)]
pub struct Library {
    /// The documents, by path. One of which nothing is for them is not here.
    pub documents: Vec<Arc<Document>>,
    /// What could not be read, a sentence each.
    pub problems: Vec<String>,
    /// When it was read.
    pub read: Timestamp,
    /// The paths of the documents of which only a part is here.
    parts: BTreeSet<String>,
}

/// Stands first among the problems while the folder cannot be read.
const STALE: &str = "The folder of runbook documents cannot be read now, so everything here is as it was read last";

fn stale(error: &runbook::FolderError) -> String {
    format!("{STALE}: {error}.")
}

impl Contents {
    /// The same documents, with the reason why they may be old. They are read as soon as the folder can be.
    fn that_cannot_be_read_again(&self, error: &runbook::FolderError) -> Self {
        tracing::warn!(error = error as &dyn std::error::Error, "the runbook documents could not be read again");
        let problems = self.problems.iter().filter(|problem| !problem.starts_with(STALE)).cloned();
        Self {
            documents: self.documents.clone(),
            problems: std::iter::once(stale(error)).chain(problems).collect(),
            read: self.read,
            fingerprint: Digest::of(b"cannot be read"),
        }
    }

    /// The procedures that are limited to groups.
    pub fn limits(&self) -> impl Iterator<Item = (&Slug, &Groups)> {
        let procedures = self.documents.iter().flat_map(|document| &document.procedures);
        procedures.filter_map(|procedure| Some((&procedure.slug, procedure.settings.visible_to.as_ref()?)))
    }

    /// The procedures that are due by themselves.
    pub fn scheduled(&self) -> impl Iterator<Item = (&Procedure, &Schedule)> {
        let procedures = self.documents.iter().flat_map(|document| &document.procedures);
        procedures.filter_map(|procedure| Some((procedure, procedure.settings.schedule.as_ref()?)))
    }

    /// The procedures that name an alert.
    pub fn named_by<'c>(&'c self, alert: &'c str) -> impl Iterator<Item = &'c Procedure> {
        let procedures = self.documents.iter().flat_map(|document| &document.procedures);
        procedures.filter(move |procedure| procedure.settings.alerts.iter().any(|named| named == alert))
    }

    /// Every group that a side file names.
    pub fn groups(&self) -> Groups {
        let documents = self.documents.iter().filter_map(|document| document.visible_to.as_ref());
        documents.chain(self.limits().map(|(_, limit)| limit)).flatten().cloned().collect()
    }

    /// The documents as somebody sees them.
    pub fn seen_by(&self, sight: &Sight) -> Library {
        let mut documents = Vec::with_capacity(self.documents.len());
        let mut parts = BTreeSet::new();
        for document in &self.documents {
            let seen = document.procedures.iter().filter(|procedure| is_seen(procedure, sight)).count();
            if seen == document.procedures.len() && sight.sees(document.visible_to.as_ref()) {
                documents.push(Arc::clone(document));
            } else if seen > 0 {
                parts.insert(document.path.clone());
                documents.push(Arc::new(part(document, sight)));
            }
        }
        Library { documents, problems: self.problems.clone(), read: self.read, parts }
    }
}

fn is_seen(procedure: &Procedure, sight: &Sight) -> bool {
    sight.sees(procedure.settings.visible_to.as_ref())
}

/// The procedures of a document that somebody sees, and what lint says about these.
///
/// Nothing else of it is there: the text around them may list the others, and a stray part is a copy of one of them.
fn part(document: &Document, sight: &Sight) -> Document {
    let (seen, hidden): (Vec<&Procedure>, Vec<&Procedure>) =
        document.procedures.iter().partition(|procedure| is_seen(procedure, sight));
    let about = |finding: &&Finding| {
        let own = seen.iter().any(|procedure| finding.procedure.as_ref() == Some(&procedure.slug));
        own && !hidden.iter().any(|procedure| finding.message.contains(&procedure.title))
    };
    let findings = document.findings.iter().filter(about).cloned().collect();
    Document {
        path: document.path.clone(),
        title: document.title.clone(),
        digest: document.digest.clone(),
        side_digest: document.side_digest.clone(),
        updated: document.updated.clone(),
        preamble: Vec::new(),
        procedures: seen.into_iter().map(without_strays).collect(),
        findings,
        visible_to: document.visible_to.clone(),
    }
}

fn without_strays(procedure: &Procedure) -> Procedure {
    let mut procedure = procedure.clone();
    procedure.parts.retain(|part| part.kind != PartKind::Stray);
    procedure
}

impl Library {
    /// A procedure and its document by its address.
    pub fn procedure(&self, slug: &Slug) -> Option<(&Arc<Document>, &Procedure)> {
        self.documents.iter().find_map(|document| Some((document, document.procedure(slug)?)))
    }

    /// Whether only a part of a document is here.
    pub fn is_part(&self, document: &Document) -> bool {
        self.parts.contains(&document.path)
    }
}

/// The folder of documents. Cloning it is cheap: all clones are the same one.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    contents: watch::Sender<Arc<Contents>>,
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
        let contents = read(folder, fingerprint, now).map_err(|error| refused(&error))?;
        let (path, contents) = (folder.to_owned(), watch::Sender::new(Arc::new(contents)));
        Ok(Self(Arc::new(Folder { path, contents, reading: tokio::sync::Mutex::new(()) })))
    }

    /// The documents as they are on the disk now. What cannot be listed any more stays as it was read last, and says so.
    ///
    /// A page that is not waited for any more does not stop a reading: the next page finds what it has read.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<Contents>, Error> {
        let folder = Arc::clone(&self.0);
        let reading = tokio::spawn(async move {
            let _one = folder.reading.lock().await;
            let looker = Arc::clone(&folder);
            tokio::task::spawn_blocking(move || looker.look(now)).await
        });
        reading.await.and_then(|looked| looked).map_err(|_| Error::Broken("reading the documents"))
    }

    /// The documents as they were read last, without a look at the disk.
    pub fn last(&self) -> Arc<Contents> {
        self.0.last()
    }

    /// The documents whenever they are read again, from now on.
    pub fn changes(&self) -> watch::Receiver<Arc<Contents>> {
        self.0.contents.subscribe()
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
    fn look(&self, now: Timestamp) -> Arc<Contents> {
        let last = self.last();
        let contents = match runbook::fingerprint(&self.path) {
            Ok(fingerprint) if fingerprint == last.fingerprint => return last,
            Ok(fingerprint) => read(&self.path, fingerprint, now),
            Err(error) => Err(error),
        };
        let contents = match contents {
            Ok(contents) => contents,
            // Nobody is told the same again, so that nobody looks again for that.
            Err(error) if last.problems.contains(&stale(&error)) => return last,
            Err(error) => last.that_cannot_be_read_again(&error),
        };
        tracing::info!(documents.count = contents.documents.len(), "read the runbook documents again");
        let contents = Arc::new(contents);
        self.contents.send_replace(Arc::clone(&contents));
        contents
    }

    fn last(&self) -> Arc<Contents> {
        Arc::clone(&self.contents.borrow())
    }
}

fn read(folder: &Path, fingerprint: Digest, read: Timestamp) -> Result<Contents, runbook::FolderError> {
    let folder = runbook::read_folder(folder)?;
    let documents = folder.documents.into_iter().map(Arc::new).collect();
    let problems = folder.problems.iter().map(ToString::to_string).collect();
    Ok(Contents { documents, problems, read, fingerprint })
}
