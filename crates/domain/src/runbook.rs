//! What a runbook document says once it has been read: procedures, parts, steps, commands.
//!
//! Only data. How Markdown and shell text become this is the business of the `runbook` crate; what may be
//! done with it is decided in [`crate::run`]. Prose is kept as a tree of words, never as HTML, so that no page
//! can show markup that came from a document.

use serde::{Deserialize, Serialize};

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
    /// Whether it never ends by itself.
    pub watch: bool,
    /// Whether it draws a full screen (`top`, `docker stats`).
    pub screen: bool,
    /// The comment that makes it a choice, when there is one.
    pub choice: Option<Choice>,
    /// The words in it that stand for a value, in order of first appearance, each once.
    pub placeholders: Vec<Placeholder>,
    /// The program of each member when the command is one pipeline, in order; else the one program.
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

/// A block of prose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Prose {
    /// A paragraph; also the text of raw HTML, tags removed.
    Paragraph {
        /// Its line, 1-based.
        line: u32,
        /// Its words.
        words: Vec<Inline>,
    },
    /// A heading inside a part.
    Heading {
        /// Its line, 1-based.
        line: u32,
        /// 1 to 6.
        level: u8,
        /// Its words.
        words: Vec<Inline>,
    },
    /// A list that is not made of steps or ticks.
    List {
        /// Its line, 1-based.
        line: u32,
        /// The first number of an ordered list.
        start: Option<u64>,
        /// Its items.
        items: Vec<Vec<Prose>>,
    },
    /// A quote.
    Quote {
        /// Its line, 1-based.
        line: u32,
        /// What it holds.
        content: Vec<Prose>,
    },
    /// A table.
    Table {
        /// Its line, 1-based.
        line: u32,
        /// The cells of the head.
        head: Vec<Vec<Inline>>,
        /// The cells of each row.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// Code that is shown, not run.
    Code {
        /// Its line, 1-based.
        line: u32,
        /// The language as written.
        language: Option<String>,
        /// The text.
        text: String,
    },
    /// A rule between sections.
    Rule {
        /// Its line, 1-based.
        line: u32,
    },
}

/// A run of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Inline {
    /// Plain words.
    Text {
        /// The words.
        text: String,
    },
    /// Inline code.
    Code {
        /// The code.
        text: String,
    },
    /// Emphasised words.
    Emphasis {
        /// The words.
        words: Vec<Inline>,
    },
    /// Strong words.
    Strong {
        /// The words.
        words: Vec<Inline>,
    },
    /// Struck words.
    Struck {
        /// The words.
        words: Vec<Inline>,
    },
    /// A link.
    Link {
        /// Where it leads. Only `http`, `https`, `mailto`, and addresses inside the portal.
        href: String,
        /// The words.
        words: Vec<Inline>,
    },
    /// A line break that the author asked for.
    Break,
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

/// What the side file says about a procedure, after merging the outer scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureSettings {
    /// The targets that a run may use; empty means the portal's default.
    pub targets: Vec<String>,
    /// The directory in which a run begins.
    pub directory: Option<String>,
    /// Files whose values are masked in all output.
    pub mask_files: Vec<String>,
    /// Whether the shell stops a pipeline at its first failing member.
    pub pipefail: bool,
    /// Whom it is limited to; `None` means every signed-in person.
    pub visible_to: Option<Vec<String>>,
    /// The names of alerts that suggest it.
    pub alerts: Vec<String>,
    /// People and channels by the words that the escalation part uses.
    pub contacts: Vec<(String, String)>,
    /// How long its runs are kept, as written (`forever`, `90d`).
    pub retention: Option<String>,
    /// When it is due by itself.
    pub schedule: Option<Schedule>,
    /// The parameters of this procedure and its steps, in the order of the side file.
    pub parameters: Vec<Parameter>,
    /// Checks bound to lines of the expected outcome, by the line's words.
    pub outcome: Vec<(String, Check)>,
}

/// What the side file says about a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSettings {
    /// The directory of this step, when it is not the procedure's.
    pub directory: Option<String>,
    /// The target of this step, when it is not the procedure's.
    pub target: Option<String>,
    /// What is collected for the approver.
    pub evidence: Vec<String>,
    /// Milliseconds after which the step is stopped.
    pub timeout_ms: Option<u64>,
    /// `false` gives pipes instead of a terminal.
    pub tty: Option<bool>,
    /// Whether the operator has a full keyboard.
    pub interactive: bool,
    /// A class that is higher than the rules say.
    pub risk: Option<Risk>,
    /// Checks after the step.
    pub after: Vec<Check>,
}

/// When a procedure is due by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Five fields of cron.
    pub cron: String,
    /// A zone of the tz database.
    pub zone: String,
    /// The person who answers for it.
    pub owner: String,
}

/// A check that the side file binds to an outcome or a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
pub enum Check {
    /// An HTTP request answers with a status.
    Http {
        /// Where.
        url: String,
        /// The status.
        expect: u16,
    },
    /// A command ends with a code.
    Command {
        /// The command; must be of class *reads*.
        run: String,
        /// The code.
        expect: i32,
    },
    /// A container is healthy.
    Container {
        /// Its name or compose service.
        container: String,
    },
    /// A log stays without a match.
    Log {
        /// The command that prints the log.
        run: String,
        /// A regular expression.
        pattern: String,
        /// For how long, as `5m`, in milliseconds.
        window_ms: u64,
    },
    /// A certificate is valid for long enough.
    Certificate {
        /// Host and port.
        host: String,
        /// Days.
        days: u32,
    },
    /// A PromQL query answers with a value.
    Promql {
        /// Prometheus' address.
        url: String,
        /// The query.
        query: String,
    },
}

/// A typed value that the side file declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name: lower-case letters, digits and `_`; also the variable that carries the value.
    pub name: String,
    /// The words in the document that it fills.
    pub placeholder: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// Where it holds.
    pub scope: ParameterScope,
    /// The value it begins with.
    pub default: Option<String>,
    /// One sentence for the person who fills it.
    pub help: Option<String>,
    /// A value that shows the form.
    pub example: Option<String>,
}

/// Where a parameter of the side file holds; the innermost wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "scope", rename_all = "snake_case")]
pub enum ParameterScope {
    /// In the whole document.
    Document,
    /// In one procedure.
    Procedure,
    /// In one step.
    Step {
        /// The step's title.
        step: String,
    },
    /// In one command of one step.
    Command {
        /// The step's title.
        step: String,
        /// The command's number in the step, from 1.
        command: u32,
    },
}

/// What values a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ParameterKind {
    /// Words that match a pattern as a whole.
    Text {
        /// A regular expression, anchored at both ends by the portal.
        pattern: Option<String>,
    },
    /// A whole number.
    Number {
        /// The smallest.
        min: Option<i64>,
        /// The largest.
        max: Option<i64>,
    },
    /// One of a list.
    Choice {
        /// The list.
        choices: Vec<String>,
    },
    /// A path beneath a root.
    Path {
        /// The root; `/` when absent.
        root: Option<String>,
    },
    /// A service of a compose project.
    ComposeService {
        /// The compose file.
        file: Option<String>,
    },
    /// A running container.
    Container,
    /// An image.
    Image,
    /// A file picked from a listing.
    BackupFile {
        /// The folder.
        root: String,
        /// A glob for the names.
        pattern: Option<String>,
    },
    /// A commit, tag or branch.
    GitRevision,
    /// A named secret; the value comes from the portal's environment or a file, never from a person.
    Secret,
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

/// The words without their form.
pub fn plain(words: &[Inline]) -> String {
    words
        .iter()
        .map(|word| match word {
            Inline::Text { text } | Inline::Code { text } => text.clone(),
            Inline::Emphasis { words }
            | Inline::Strong { words }
            | Inline::Struck { words }
            | Inline::Link { words, .. } => plain(words),
            Inline::Break => " ".to_owned(),
        })
        .collect()
}
