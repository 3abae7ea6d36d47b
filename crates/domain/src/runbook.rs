//! What a runbook document says once it has been read: procedures, parts, steps, commands.
//!
//! Only data. How Markdown and shell text become this is the business of the `runbook` crate; what may be
//! done with it is decided in [`crate::run`]. Prose is kept as a tree of words, never as HTML, so that no page
//! can show markup that came from a document.

mod filling;
mod prose;
mod settings;

use serde::{Deserialize, Serialize};

pub use filling::{Piece, filled_address, is_telling, pieces_of_code, pieces_of_prose, whole_words};
pub use prose::{Inline, Prose, plain};
pub use settings::{Check, Parameter, ParameterKind, ParameterScope, ProcedureSettings, Schedule, StepSettings};

use crate::policy::Groups;
use crate::{Digest, Risk, Slug};

/// One Markdown file, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The file's path below the folder of documents, with `/` between its parts.
    pub path: String,
    /// The title as people should read it: repaired, without the leading emoji.
    pub title: String,
    /// SHA-256 of the file's bytes as they are.
    pub digest: Digest,
    /// SHA-256 of the side file's bytes, if there is one.
    pub side_digest: Option<Digest>,
    /// What stands in a line "Last Updated: …", as written.
    pub updated: Option<String>,
    /// Everything before the first procedure, between procedures and after the last one that belongs to none.
    pub preamble: Vec<Prose>,
    /// The procedures in document order.
    pub procedures: Vec<Procedure>,
    /// What lint says about this document and its side file, ordered by line.
    pub findings: Vec<Finding>,
    /// The groups to which the side file limits the document as a whole; each procedure has its own limit in its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_to: Option<Groups>,
}

/// One procedure: a page of the portal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// Its address, unique among all documents that are open.
    pub slug: Slug,
    /// Its title without the emoji.
    pub title: String,
    /// The emoji that the author put before the title, repaired.
    pub emoji: Option<String>,
    /// What a table of contents says beside the link to it.
    pub subtitle: Option<String>,
    /// First line of the procedure, 1-based.
    pub line: u32,
    /// Last line of the procedure, 1-based, stray parts not counted.
    pub end_line: u32,
    /// The parts in document order; stray ones at their place.
    pub parts: Vec<Part>,
    /// What the side file says about this procedure, merged from the outer scopes.
    pub settings: ProcedureSettings,
    /// The retired software that its commands call, each once, at the first command that does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Finding>,
}

/// A part of a procedure: the text below one of its headings, or the text before the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What the part is for.
    pub kind: PartKind,
    /// The heading as written, repaired; empty for the summary.
    pub title: String,
    /// The line of the heading (of the first text for the summary), 1-based.
    pub line: u32,
    /// Last line of the part, 1-based.
    pub end_line: u32,
    /// What the part holds, in order.
    pub content: Vec<PartContent>,
}

/// What a part is for, known by a table of synonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// The text between the procedure's heading and its first part.
    Summary,
    /// When to use the procedure.
    Trigger,
    /// What to do.
    Steps,
    /// How to go back.
    Rollback,
    /// How one sees that it worked.
    Outcome,
    /// Whom to call.
    Escalation,
    /// Anything else: shown in its place.
    Prose,
    /// A copy of another procedure's parts without its heading: shown in its place, never runnable.
    Stray,
}

/// One thing in a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PartContent {
    /// Text.
    Prose {
        /// The text.
        prose: Prose,
    },
    /// An item of the part's list: a trigger condition, an expected outcome, an escalation line.
    Item {
        /// The item.
        item: Item,
    },
    /// A step (of the steps, or of a rollback that has something to do).
    Step {
        /// The step.
        step: Step,
    },
}

/// An item of a list that a person can tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its line, 1-based.
    pub line: u32,
    /// Its own words.
    pub words: Vec<Inline>,
    /// The bullets below it.
    pub items: Vec<Item>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number as counted in the part, from 1.
    pub number: u32,
    /// Its title: the bold lead, the heading, or a sentence made from its first command.
    pub title: String,
    /// Its line, 1-based.
    pub line: u32,
    /// Who does it.
    pub kind: StepKind,
    /// What it holds, in order.
    pub content: Vec<StepContent>,
    /// What the side file says about this step.
    pub settings: StepSettings,
}

/// Who does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The portal runs its commands.
    Commands,
    /// A person does it and ticks it off.
    Manual,
    /// `ssh HOST` and `cd DIR` only: selects target and directory for what follows.
    Connect,
}

/// One thing in a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum StepContent {
    /// Text of the step that is not a tick.
    Prose {
        /// The text.
        prose: Prose,
    },
    /// A note in a quote or an admonition.
    Note {
        /// The text inside the quote.
        prose: Vec<Prose>,
    },
    /// A bullet, or a line of a block that holds only comments: ticked by a person.
    Item {
        /// The bullet.
        item: Item,
    },
    /// A block of code.
    Block {
        /// The block.
        block: CodeBlock,
    },
}

/// A fenced or indented block of code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBlock {
    /// The line of the fence (of the first code line when indented), 1-based.
    pub line: u32,
    /// The language as written after the fence, if any.
    pub language: Option<String>,
    /// The block's text without its indentation, as written.
    pub text: String,
    /// Its commands; empty when the block is only shown (another language, only comments).
    pub commands: Vec<Command>,
}

/// One top-level command of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its first line in the file, 1-based.
    pub line: u32,
    /// Its exact source, without the block's indentation and prompt; may span lines.
    pub text: String,
    /// The comment above it.
    pub label: Option<String>,
    /// What it can do at worst.
    pub risk: Risk,
    /// The words that gave the class, as `mongorestore --drop`.
    pub rule: String,
    /// The rule in a sentence, as "--drop deletes each collection before it is restored".
    pub reason: String,
    /// Whether the side file gave the class: it raised the command, or its values can make more of it than its text says.
    #[serde(default)]
    pub raised: bool,
    /// Whether it never ends by itself.
    pub watch: bool,
    /// Whether it draws a full screen (`top`, `docker stats`).
    pub screen: bool,
    /// The comment that makes it a choice, when there is one.
    pub choice: Option<Choice>,
    /// The words in it that stand for a value, in order of first appearance, each once.
    pub placeholders: Vec<Placeholder>,
    /// The program of each member when the whole command is one program or one pipeline, in order; else empty: nothing that
    /// one of several programs says may decide what the command's end means.
    pub pipeline: Vec<String>,
}

/// Why a command is not run in a row with the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Commands with the same number belong to the same alternative. Counted from 1 in the step.
    pub group: u32,
    /// What the document says about it, as "Option 2: Revert last commit".
    pub when: String,
    /// Whether the groups exclude each other ("Option 1", "Option 2") or the group is merely optional ("if needed").
    pub exclusive: bool,
}

/// A word that stands for a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placeholder {
    /// The word as it stands in the document.
    pub text: String,
    /// The parameter of the side file that fills it; `None` means that nobody declared it and the command cannot start.
    pub parameter: Option<String>,
}

/// Something that lint says about a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The line it is about, 1-based.
    pub line: u32,
    /// How much it matters.
    pub level: Level,
    /// Its fixed name, as `stray-part`.
    pub code: String,
    /// One sentence: what is there, and what to do.
    pub message: String,
    /// The procedure it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedure: Option<Slug>,
    /// Set when the finding is about the side file: its path below the folder of documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Something cannot work.
    Error,
    /// Something will surprise.
    Warning,
    /// Something to know.
    Note,
}

impl PartKind {
    const fn anchor(self) -> Option<&'static str> {
        match self {
            Self::Summary => Some("summary"),
            Self::Trigger => Some("trigger"),
            Self::Steps => Some("step"),
            Self::Rollback => Some("rollback"),
            Self::Outcome => Some("outcome"),
            Self::Escalation => Some("escalation"),
            Self::Prose | Self::Stray => None,
        }
    }
}

impl Document {
    /// The procedure with this address.
    pub fn procedure(&self, slug: &Slug) -> Option<&Procedure> {
        self.procedures.iter().find(|procedure| &procedure.slug == slug)
    }
}

impl Procedure {
    /// The words of the summary's first paragraph, plain.
    pub fn summary(&self) -> String {
        self.parts
            .iter()
            .filter(|part| part.kind == PartKind::Summary)
            .flat_map(|part| &part.content)
            .find_map(|content| match content {
                PartContent::Prose { prose: Prose::Paragraph { words, .. } } => Some(plain(words)),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// The steps of the parts of one kind, in order.
    pub fn steps(&self, kind: PartKind) -> impl Iterator<Item = &Step> {
        self.parts.iter().filter(move |part| part.kind == kind).flat_map(Part::steps)
    }

    /// The expected outcome, line by line.
    pub fn outcome(&self) -> impl Iterator<Item = &Item> {
        self.parts.iter().filter(|part| part.kind == PartKind::Outcome).flat_map(Part::items)
    }

    /// The id of a part on the procedure's page. There may be several parts of one kind: the first has the name of the kind.
    pub fn anchor(&self, index: usize) -> String {
        let kind = self.parts.get(index).map_or(PartKind::Prose, |part| part.kind);
        let is_first = || self.parts.iter().position(|part| part.kind == kind) == Some(index);
        match kind.anchor() {
            Some(name) if is_first() => name.to_owned(),
            _ => format!("part-{}", index + 1),
        }
    }

    /// The worst class of its steps (the rollback not counted).
    pub fn risk(&self) -> Risk {
        self.steps(PartKind::Steps).map(Step::risk).max().unwrap_or(Risk::Reads)
    }
}

impl Part {
    /// The steps of this part.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.content.iter().filter_map(|content| match content {
            PartContent::Step { step } => Some(step),
            _ => None,
        })
    }

    /// The items of this part.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.content.iter().filter_map(|content| match content {
            PartContent::Item { item } => Some(item),
            _ => None,
        })
    }
}

impl Step {
    /// Its commands, block after block.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.content.iter().flat_map(|content| match content {
            StepContent::Block { block } => block.commands.as_slice(),
            _ => &[],
        })
    }

    /// Its ticks.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.content.iter().filter_map(|content| match content {
            StepContent::Item { item } => Some(item),
            _ => None,
        })
    }

    /// The worst class of its commands, raised by the side file.
    pub fn risk(&self) -> Risk {
        self.commands().map(|command| command.risk).chain(self.settings.risk).max().unwrap_or(Risk::Reads)
    }
}
