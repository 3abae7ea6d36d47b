//! From bytes to a document: decoding, structure, parts, addresses, side file, findings.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use domain::runbook::{Document, Finding, Inline, Level, Part, PartKind, Procedure, ProcedureSettings, Prose, plain};
use domain::{Digest, Slug};
use regex::Regex;

use crate::encoding::{self, Repair};
use crate::links::{self, Anchors, Leads};
use crate::markdown::{self, Kind, Node};
use crate::parts::{self, Context};
use crate::side_file::SideFile;
use crate::stray::{self, Found};
use crate::structure::{self, Piece};
use crate::{coverage, lint, retired, side_file};

/// Documents larger than this are refused.
pub const LARGEST: usize = 32 << 20;

/// Why a document cannot be read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing is in it but white space.
    #[error("{path}: the file is empty, so there is nothing to show; write a procedure into it or remove it")]
    Empty {
        /// The document's path.
        path: String,
    },
    /// It is not UTF-8.
    #[error("{path}:{line}: the file is not UTF-8{hint}, so it was not read; save it as UTF-8", hint = if *.sixteen { " but looks like UTF-16" } else { "" })]
    NotUtf8 {
        /// The document's path.
        path: String,
        /// The line of the first byte that does not belong.
        line: usize,
        /// Whether it begins like UTF-16.
        sixteen: bool,
    },
    /// It is too large.
    #[error("{path}: the file has {size} bytes and more than {LARGEST} are not read; split it into several documents")]
    TooLarge {
        /// The document's path.
        path: String,
        /// Its size in bytes.
        size: usize,
    },
}

/// Reads one document with its side file. Pure: the same bytes always give the same document.
///
/// `path` is only a name: it stands in messages, and a document without a heading is titled by it.
pub fn read(path: &str, bytes: &[u8], side: Option<(&str, &[u8])>) -> Result<Document, ReadError> {
    read_among(path, bytes, side, &mut HashSet::new())
}

/// Reads one document and says how many of its lines only the last net kept. For a document that is read well that is none:
/// tests ask for it, because the net hides whatever the reading loses.
#[doc(hidden)]
pub fn read_and_count(path: &str, bytes: &[u8]) -> Result<(Document, usize), ReadError> {
    read_caught(path, bytes, None, &mut HashSet::new())
}

/// Reads a document whose procedures need addresses that no other document has.
pub(crate) fn read_among(
    path: &str,
    bytes: &[u8],
    side: Option<(&str, &[u8])>,
    taken: &mut HashSet<Slug>,
) -> Result<Document, ReadError> {
    read_caught(path, bytes, side, taken).map(|(document, _)| document)
}

/// The document, and how many lines the last net kept.
fn read_caught(
    path: &str,
    bytes: &[u8],
    side: Option<(&str, &[u8])>,
    taken: &mut HashSet<Slug>,
) -> Result<(Document, usize), ReadError> {
    let text = text_of(path, bytes)?;
    let repair = Repair::of(&text);
    let nodes = markdown::parse(&text, repair);
    let lines: Vec<&str> = text.lines().collect();
    let mut reading = Reading {
        path,
        lines: &lines,
        repair,
        taken,
        findings: Vec::new(),
        anchors: Anchors::default(),
        context: Context { repair, notes: Vec::new() },
    };
    let side_text = side.map(|(name, bytes)| SideFile::read(name, bytes));
    let mut document = reading.document(nodes);
    document.digest = Digest::of(bytes);
    document.side_digest = side.map(|(_, bytes)| Digest::of(bytes));
    document.visible_to = side_text.as_ref().and_then(SideFile::visible_to).cloned();
    let Reading { mut findings, anchors, context, .. } = reading;
    let caught = coverage::keep_what_is_missing(&mut document, &lines, repair);
    for (line, anchor) in links::resolve(&mut document, &anchors) {
        let from = (line as usize).saturating_sub(1).min(lines.len());
        let offset = lines[from..].iter().take(2_000).position(|text| text.contains(&anchor)).unwrap_or(0);
        let line = line.saturating_add(u32::try_from(offset).unwrap_or(0));
        findings.push(finding(
            line,
            Level::Warning,
            "dead-link",
            format!("No heading of this file answers to {anchor}; correct the link."),
        ));
    }
    let literal = side_file::apply(&mut document, side_text, &mut findings);
    lint::document(&document, &lines, repair, (&context.notes, &literal), &mut findings);
    for procedure in &mut document.procedures {
        procedure.retired = retired::called_by(procedure);
    }
    document.findings = settled(findings, &document);
    Ok((document, caught))
}

fn text_of(path: &str, bytes: &[u8]) -> Result<String, ReadError> {
    let path = path.to_owned();
    if bytes.len() > LARGEST {
        return Err(ReadError::TooLarge { path, size: bytes.len() });
    }
    let text = encoding::decode(bytes).map_err(|error| ReadError::NotUtf8 {
        path: path.clone(),
        line: error.line,
        sixteen: error.sixteen,
    })?;
    if text.trim().is_empty() { Err(ReadError::Empty { path }) } else { Ok(text) }
}

/// A finding about the document itself.
pub(crate) fn finding(line: u32, level: Level, code: &str, message: String) -> Finding {
    Finding { line, level, code: code.to_owned(), message, procedure: None, file: None }
}

/// Findings in order, each once, with the procedure in whose lines they are.
fn settled(mut findings: Vec<Finding>, document: &Document) -> Vec<Finding> {
    for finding in &mut findings {
        if finding.procedure.is_none() && finding.file.is_none() {
            let after = document.procedures.partition_point(|procedure| procedure.line <= finding.line);
            finding.procedure = document
                .procedures
                .get(after.wrapping_sub(1))
                .filter(|procedure| finding.line <= procedure.end_line)
                .map(|procedure| procedure.slug.clone());
        }
    }
    findings.sort_by(|one, other| (&one.file, one).cmp(&(&other.file, other)));
    findings.dedup();
    findings
}

struct Reading<'r> {
    path: &'r str,
    lines: &'r [&'r str],
    repair: Repair,
    taken: &'r mut HashSet<Slug>,
    findings: Vec<Finding>,
    anchors: Anchors,
    context: Context,
}

/// A procedure between cutting and reading.
struct Half {
    slug: Slug,
    title: String,
    emoji: Option<String>,
    line: u32,
}

impl Reading<'_> {
    fn document(&mut self, nodes: Vec<Node>) -> Document {
        let stem = self.path.rsplit('/').next().unwrap_or(self.path).trim_end_matches(".md").to_owned();
        let title = title(&nodes).unwrap_or_else(|| stem.clone());
        let mut beside = Vec::new();
        links::subtitles(&nodes, &mut beside);
        let mut preamble = Vec::new();
        let mut halves = Vec::new();
        let mut drafts = Vec::new();
        for piece in structure::pieces(nodes) {
            match piece {
                Piece::Between(nodes) => {
                    for node in &nodes {
                        self.anchors.heading(node, None);
                    }
                    preamble.extend(nodes);
                }
                Piece::Procedure(draft) => {
                    let half = self.half(draft.heading.as_ref(), &draft.nodes, &stem);
                    draft
                        .heading
                        .iter()
                        .chain(&draft.nodes)
                        .for_each(|node| self.anchors.heading(node, Some(&half.slug)));
                    drafts.push(parts::drafts(draft.nodes, half.line));
                    halves.push(half);
                }
            }
        }
        let found = stray::mark(&mut drafts, self.lines);
        let procedures = halves.into_iter().zip(drafts).map(|(half, drafts)| self.procedure(half, drafts)).collect();
        let mut document = Document {
            path: self.path.to_owned(),
            title,
            digest: Digest::of(b""),
            side_digest: None,
            updated: updated(self.lines, self.repair),
            preamble: preamble_of(preamble),
            procedures,
            findings: Vec::new(),
            visible_to: None,
        };
        self.say_what_is_stray(&found, &document);
        self.subtitles(&mut document, &beside);
        if document.procedures.is_empty() {
            self.findings.push(finding(
                1,
                Level::Note,
                "no-procedure",
                "No procedure was found in this file: it is shown as text.".to_owned(),
            ));
        }
        document
    }

    fn half(&mut self, heading: Option<&Node>, nodes: &[Node], stem: &str) -> Half {
        let line = heading.or(nodes.first()).map_or(1, |node| node.line);
        let words = match heading.map(|node| &node.kind) {
            Some(Kind::Heading { words, .. }) => plain(words),
            _ => stem.to_owned(),
        };
        let (emoji, title) = links::split_emoji(&words);
        let title = if title.is_empty() { stem.to_owned() } else { title };
        Half { slug: self.free_slug(&title, line), title, emoji, line }
    }

    fn free_slug(&mut self, title: &str, line: u32) -> Slug {
        let wanted = links::slug(title);
        let mut slug = Slug(wanted.clone());
        let mut count = 1_u32;
        while !self.taken.insert(slug.clone()) {
            count += 1;
            slug = Slug(format!("{wanted}-{count}"));
        }
        if count > 1 {
            let message = format!(
                "Another procedure is already called “{title}”, so this one has the address {slug}; give it a title of its own."
            );
            self.findings.push(Finding {
                procedure: Some(slug.clone()),
                ..finding(line, Level::Warning, "duplicate-title", message)
            });
        }
        slug
    }

    fn procedure(&mut self, half: Half, drafts: Vec<parts::Draft>) -> Procedure {
        let end_line = drafts
            .iter()
            .filter(|draft| draft.kind != PartKind::Stray)
            .map(|draft| draft.end_line)
            .max()
            .unwrap_or(half.line);
        let parts: Vec<Part> = drafts.into_iter().flat_map(|draft| parts::read(draft, &mut self.context)).collect();
        let Half { slug, title, emoji, line } = half;
        Procedure {
            slug,
            title,
            emoji,
            subtitle: None,
            line,
            end_line: end_line.max(line),
            parts,
            settings: ProcedureSettings::default(),
            retired: Vec::new(),
        }
    }

    fn say_what_is_stray(&mut self, found: &[Found], document: &Document) {
        for Found { host, line, title, copy_of } in found {
            let Some(procedure) = document.procedures.get(*host) else { continue };
            let original = copy_of.and_then(|index| document.procedures.get(index));
            let (code, message) = match original {
                Some(original) => (
                    "stray-part",
                    format!(
                        "From here on stands a copy of the parts of “{}” (line {}) without its heading, after the end of “{}”; it is shown but can never be run. Delete it, or give it a heading.",
                        original.title, original.line, procedure.title
                    ),
                ),
                None => (
                    "repeated-part",
                    format!(
                        "“{}” has a second part “{title}” here; it is kept, but perhaps a heading is missing above it.",
                        procedure.title
                    ),
                ),
            };
            self.findings.push(Finding {
                procedure: Some(procedure.slug.clone()),
                ..finding(*line, Level::Warning, code, message)
            });
        }
    }

    /// What the table of contents says beside the link to a procedure.
    fn subtitles(&self, document: &mut Document, beside: &[(String, String)]) {
        let places: HashMap<Slug, usize> =
            document.procedures.iter().enumerate().map(|(index, procedure)| (procedure.slug.clone(), index)).collect();
        for (anchor, text) in beside {
            let Leads::Procedure(slug) = self.anchors.find(anchor) else { continue };
            if let Some(procedure) = places.get(slug).and_then(|index| document.procedures.get_mut(*index)) {
                procedure.subtitle.get_or_insert_with(|| text.clone());
            }
        }
    }
}

/// The first level-1 heading, without its emoji.
fn title(nodes: &[Node]) -> Option<String> {
    nodes.iter().find_map(|node| match &node.kind {
        Kind::Heading { level: 1, words, .. } => Some(links::split_emoji(&plain(words)).1),
        _ => None,
    })
}

/// The preamble without the heading that is the document's title, and without rules at its ends.
fn preamble_of(mut nodes: Vec<Node>) -> Vec<Prose> {
    let is_plain_title = |node: &Node| matches!(&node.kind, Kind::Heading { level: 1, words, .. } if words.iter().all(|word| matches!(word, Inline::Text { .. })));
    if let Some(at) = nodes.iter().position(|node| matches!(node.kind, Kind::Heading { level: 1, .. }))
        && is_plain_title(&nodes[at])
    {
        nodes.remove(at);
    }
    while nodes.last().is_some_and(|node| node.kind == Kind::Rule) {
        nodes.pop();
    }
    nodes.into_iter().map(parts::prose).collect()
}

static UPDATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\blast[ -](?:updated|reviewed|modified|revised)(?:\s+on)?\W{0,6}\s*([0-9A-Za-z][^<>*_|]{2,40})")
        .expect("a fixed pattern")
});

/// What stands behind "Last Updated:", wherever it stands.
fn updated(lines: &[&str], repair: Repair) -> Option<String> {
    let found = lines.iter().find_map(|line| UPDATED.captures(line))?;
    Some(repair.text(found[1].trim().trim_end_matches(['.', ')'])))
}
