//! A folder of documents.
//!
//! Every `*.md` below the folder is a document, its side file is the `NAME.portal.toml` beside it. Links are followed only
//! where they stay inside the folder. A file that cannot be read is a [`Problem`] and hides no other.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::Digest;
use domain::policy::Groups;
use domain::runbook::{Document, Finding, Level};

use crate::reader::{self, LARGEST, ReadError, finding};

/// The ending of a side file's name.
pub(crate) const SIDE: &str = ".portal.toml";
/// Folders are looked through this deep.
const DEEPEST: usize = 16;
/// No more files than this are read.
const MOST: usize = 5_000;

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Library {
    /// The documents, ordered by path. No two procedures have the same address.
    pub documents: Vec<Document>,
    /// What could not be read, and what belongs to nothing.
    pub problems: Vec<Problem>,
}

/// A file that is no document, although its name says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its path below the folder of documents; empty when it is about the folder itself.
    pub path: String,
    /// What is the matter.
    pub finding: Finding,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { line, message, .. } = &self.finding;
        if self.path.is_empty() { f.write_str(message) } else { write!(f, "{}:{line}: {message}", self.path) }
    }
}

/// Why a folder or a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder is not there, or is no folder, or may not be opened.
    #[error("the folder of documents {path} cannot be opened, so no document was read; create it or name another")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not there or may not be opened.
    #[error("{path} cannot be opened")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no document.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Reads every document of a folder.
pub fn read_folder(folder: &Path) -> Result<Library, FolderError> {
    let failed = |source| FolderError::Folder { path: folder.to_owned(), source };
    let root = fs::canonicalize(folder).map_err(failed)?;
    fs::read_dir(&root).map_err(failed)?;
    let mut found = Found { root: root.clone(), ..Found::default() };
    found.folder(&root, 0);
    Ok(found.library())
}

/// A digest over the names, sizes and times of change of every file that [`read_folder`] would read. As long as it is the
/// same, reading again would give the same documents.
pub fn fingerprint(folder: &Path) -> Result<Digest, FolderError> {
    let failed = |source| FolderError::Folder { path: folder.to_owned(), source };
    let root = fs::canonicalize(folder).map_err(failed)?;
    fs::read_dir(&root).map_err(failed)?;
    let mut found = Found { root: root.clone(), ..Found::default() };
    found.folder(&root, 0);
    let files: Vec<String> = found
        .documents
        .iter()
        .chain(&found.sides)
        .map(|(name, path)| {
            let data = fs::metadata(path).ok();
            let size = data.as_ref().map_or(0, fs::Metadata::len);
            let changed = data.and_then(|data| data.modified().ok());
            format!("{name}\0{size}\0{changed:?}")
        })
        .chain(found.problems.iter().map(ToString::to_string))
        .collect();
    Ok(Digest::of(files.join("\n").as_bytes()))
}

/// Reads one document with the side file beside it. Its path is its name as given.
pub fn read_file(path: &Path) -> Result<Document, FolderError> {
    let open = |path: &Path| bounded(path).map_err(|source| FolderError::File { path: path.to_owned(), source });
    let bytes = open(path)?;
    let side = side_of(path);
    let side_bytes = if side.is_file() { Some(open(&side)?) } else { None };
    let (name, side) = (path.to_string_lossy(), side.to_string_lossy());
    Ok(reader::read(&name, &bytes, side_bytes.as_deref().map(|bytes| (side.as_ref(), bytes)))?)
}

fn side_of(document: &Path) -> PathBuf {
    let stem = document.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    document.with_file_name(format!("{stem}{SIDE}"))
}

/// A file's bytes, one more than the largest document at most: enough to see that it is too large.
fn bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, LARGEST as u64 + 1), &mut bytes)?;
    Ok(bytes)
}

#[derive(Default)]
struct Found {
    root: PathBuf,
    documents: BTreeMap<String, PathBuf>,
    sides: BTreeMap<String, PathBuf>,
    seen: BTreeSet<PathBuf>,
    /// Side files that are there and were not read.
    closed: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Found {
    fn problem(&mut self, path: &str, code: &str, message: String) {
        let finding = finding(1, Level::Error, code, message);
        self.problems.push(Problem { path: path.to_owned(), finding });
    }

    fn name(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
    }

    fn folder(&mut self, folder: &Path, depth: usize) {
        // A link that leads back to a folder above is not walked again.
        if depth > DEEPEST || !fs::canonicalize(folder).is_ok_and(|real| self.seen.insert(real)) {
            return;
        }
        let name = self.name(folder);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem(
                    &name,
                    "unreadable",
                    format!("This folder cannot be opened ({error}), so nothing in it was read."),
                );
                return;
            }
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            self.entry(&path, depth);
        }
    }

    fn entry(&mut self, path: &Path, depth: usize) {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let wanted = is_document(&file_name) || file_name.ends_with(SIDE);
        if file_name.starts_with('.') {
            return;
        }
        let name = self.name(path);
        let mut until = "";
        if file_name.ends_with(SIDE) {
            self.closed.insert(name.clone());
            until = " Until then only administrators see the document beside it.";
        }
        let Ok(real) = fs::canonicalize(path) else {
            if wanted {
                let message = "This link leads nowhere, so nothing was read; remove it or correct it.";
                self.problem(&name, "unreadable", format!("{message}{until}"));
            }
            return;
        };
        if !real.starts_with(&self.root) {
            if wanted || real.is_dir() {
                let message =
                    "This link leads out of the folder of documents, so it was not followed; put the file itself here.";
                self.problem(&name, "link-outside", format!("{message}{until}"));
            }
        } else if real.is_dir() {
            self.folder(path, depth + 1);
        } else if wanted && !real.is_file() {
            // A pipe would be waited for, for ever.
            let message = "This is no file with text, so it was not read; remove it or give it another name.";
            self.problem(&name, "unreadable", format!("{message}{until}"));
        } else if is_document(&file_name) {
            self.documents.insert(name, path.to_owned());
        } else if file_name.ends_with(SIDE) {
            self.closed.remove(&name);
            self.sides.insert(name, path.to_owned());
        }
    }

    fn library(mut self) -> Library {
        if self.documents.is_empty() {
            let folder = self.root.display().to_string();
            self.problem(
                "",
                "no-document",
                format!("{folder} holds no Markdown file (*.md), so there is no procedure to show; put one there."),
            );
        }
        if self.documents.len() > MOST {
            self.problem(
                "",
                "too-many",
                format!("There are more than {MOST} documents; only the first {MOST} were read."),
            );
        }
        let mut taken = HashSet::new();
        let mut documents = Vec::new();
        for (name, path) in std::mem::take(&mut self.documents).into_iter().take(MOST) {
            let side_name = self.name(&side_of(&path));
            let side = self.sides.remove(&side_name);
            match self.document(&name, &path, side.as_deref(), &mut taken) {
                Ok(document) if self.closed.contains(&side_name) => documents.push(limited(document)),
                Ok(document) => documents.push(document),
                Err(problem) => self.problems.push(*problem),
            }
        }
        for name in std::mem::take(&mut self.sides).into_keys() {
            let document = format!("{}.md", name.trim_end_matches(SIDE));
            self.problem(&name, "side-file-alone", format!("There is no document {document} beside this side file, so nothing in it has an effect; rename one of them."));
        }
        self.problems.sort_by(|one, other| one.path.cmp(&other.path));
        Library { documents, problems: self.problems }
    }

    fn document(
        &self,
        name: &str,
        path: &Path,
        side: Option<&Path>,
        taken: &mut HashSet<domain::Slug>,
    ) -> Result<Document, Box<Problem>> {
        let problem = |path: &str, code: &str, line: usize, message: String| {
            Box::new(Problem {
                path: path.to_owned(),
                finding: finding(u32::try_from(line).unwrap_or(u32::MAX), Level::Error, code, message),
            })
        };
        let open = |name: &str, path: &Path| {
            bounded(path).map_err(|error| {
                problem(name, "unreadable", 1, format!("This file cannot be opened ({error}), so it was not read."))
            })
        };
        let bytes = open(name, path)?;
        let side = match side {
            Some(side) => Some((self.name(side), open(&self.name(side), side)?)),
            None => None,
        };
        let side = side.as_ref().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        reader::read_among(name, &bytes, side, taken).map_err(|error| {
            let (code, line) = match &error {
                ReadError::Empty { .. } => ("empty-file", 1),
                ReadError::NotUtf8 { line, .. } => ("not-utf-8", *line),
                ReadError::TooLarge { .. } => ("too-large", 1),
            };
            let message = error.to_string();
            let message = message.split_once(": ").map_or(message.clone(), |(_, sentence)| sentence.to_owned());
            problem(name, code, line, sentence(&message))
        })
    }
}

/// A document whose side file is there and was not read: whom it limits the document to is not known, so that nobody sees it but
/// administrators.
fn limited(mut document: Document) -> Document {
    document.visible_to = Some(Groups::new());
    for procedure in &mut document.procedures {
        procedure.settings.visible_to = Some(Groups::new());
    }
    document
}

fn is_document(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("md") || ending.eq_ignore_ascii_case("markdown"))
}

/// A fragment as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}
