//! The side file: what a document cannot say itself.
//!
//! `NAME.portal.toml` beside `NAME.md`. Everything is optional. A key that is not known, a value that does not fit and a
//! name that matches nothing are findings with the nearest known name; they cost that key and nothing else. A file
//! that is no TOML is one finding, and the document is read without it. Only `visible_to` is different: a mistake there, or a file
//! that cannot be read and has it, limits the document to administrators.
//!
//! Scopes, the innermost wins: the top of the file, `[procedure."Title"]`, `.step."Step title"`, `.command.N` (counted
//! from 1 over all blocks of the step). The step of a rollback that has no titles of its own is called `Rollback`.
//!
//! | scope | keys |
//! | --- | --- |
//! | document | `literal` (words that look like placeholders and are none) |
//! | document, procedure | `target`, `targets`, `directory`, `mask_files`, `visible_to`, `shell = { pipefail }`, `parameter.NAME` |
//! | procedure | `alerts`, `from_alert` (a parameter and the label that fills it, each), `contacts`, `escalate` (`after` or `when`, `to`), `retention` (`forever`, `90d`), `schedule = { cron, zone, owner }`, `outcome."Line"` (a check), `step."Title"` |
//! | step | `target`, `directory`, `timeout` (`90s`, `5m`, `2h`, `1d`), `output` and `memory` (`64MiB`, `2GiB`), `processes`, `tty`, `interactive`, `risk`, `evidence`, `after` (checks), `parameter.NAME`, `command.N` |
//! | command | `risk`, `parameter.NAME` |
//!
//! A parameter has `placeholder` and `type`, and may have `default`, `help`, `example`. Types: `text` (`pattern`), `number`
//! (`min`, `max`, `decimal = true`), `choice` (`choices`), `path` (`root`), `compose-service` (`file`), `container`, `image`, `backup-file` (`root`,
//! `pattern`), `git-revision`, `secret`. Its name is also the variable that carries the value.
//!
//! A check has `check` and: `http` (`url`, `expect`), `command` (`run`, which may only read, `expect`), `container` (`container`), `log`
//! (`run`, `pattern`, `window`), `certificate` (`host`, `days`), `promql` (`url`, `query`).
//!
//! `risk` raises a class and never lowers it.

mod amounts;
mod apply;
mod check;
mod checks;
mod escalate;
mod parameter;
mod procedure;
mod prose;
mod settings;
mod step;
mod table;

use domain::Risk;
use domain::escalation::Rule;
use domain::policy::Groups;
use domain::runbook::{Check, Schedule, StepSettings};
use toml::de::DeTable;

pub(crate) use apply::{apply, sets, words_of_part};
pub use checks::{checks_after, checks_of_outcome, matching};
use parameter::Declared;
use procedure::procedure;
pub use prose::{filled_in_outcome, filled_in_step};
use settings::settings;
use table::{Findings, Table};

/// A side file, read.
#[derive(Debug)]
pub(crate) struct SideFile {
    /// What was found while reading it.
    findings: Findings,
    settings: Settings,
    literal: Vec<String>,
    parameters: Vec<Declared>,
    procedures: Vec<ProcedureEntry>,
}

/// Keys of a document and of a procedure.
#[derive(Debug, Default)]
struct Settings {
    targets: Option<Vec<String>>,
    directory: Option<String>,
    mask_files: Option<Vec<String>>,
    visible_to: Option<Groups>,
    pipefail: Option<bool>,
}

#[derive(Debug)]
struct ProcedureEntry {
    title: String,
    line: u32,
    settings: Settings,
    alerts: Vec<String>,
    from_alert: Vec<(u32, String, String)>,
    contacts: Vec<(u32, String, String)>,
    escalate: Vec<(u32, Rule)>,
    retention: Option<String>,
    schedule: Option<Schedule>,
    outcome: Vec<(u32, String, Check)>,
    parameters: Vec<Declared>,
    steps: Vec<StepEntry>,
}

#[derive(Debug)]
struct StepEntry {
    title: String,
    line: u32,
    settings: StepSettings,
    parameters: Vec<Declared>,
    commands: Vec<CommandEntry>,
}

#[derive(Debug)]
struct CommandEntry {
    number: u32,
    line: u32,
    risk: Option<Risk>,
    parameters: Vec<Declared>,
}

const SHARED: [&str; 6] = ["target", "targets", "directory", "mask_files", "visible_to", "shell"];

impl SideFile {
    /// Reads a side file. Never fails: what cannot be read is a finding.
    pub(crate) fn read(file: &str, bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
        let mut side = Self {
            findings: Findings::new(file, &text),
            settings: Settings::default(),
            literal: Vec::new(),
            parameters: Vec::new(),
            procedures: Vec::new(),
        };
        if matches!(text, std::borrow::Cow::Owned(_)) {
            side.broken(&text, 1, "is not UTF-8, so nothing in it has an effect; save it as UTF-8.");
            return side;
        }
        match DeTable::parse(&text) {
            Ok(table) => side.root(Table::new(table.get_ref(), 1)),
            Err(error) => {
                let line = error.span().map_or(1, |span| side.findings.line(span.start));
                let reason = error.message().trim().replace('\n', "; ");
                let message = format!("is no TOML ({reason}), so nothing in it has an effect; correct this line.");
                side.broken(&text, line, &message);
            }
        }
        side
    }

    /// The file cannot be read. What it would limit stays limited: to whom is not known, so that only administrators see it.
    fn broken(&mut self, text: &str, line: u32, why: &str) {
        // In an encoding of two bytes there is a zero between the letters.
        let limits = text.replace('\0', "").contains("visible_to");
        let until = if limits { " It limits who sees the document: until then only administrators do." } else { "" };
        self.settings.visible_to = limits.then(Groups::new);
        self.findings.error(line, "side-file-broken", format!("The side file {why}{until}"));
    }

    /// The groups to which it limits the document as a whole.
    pub(crate) fn visible_to(&self) -> Option<&Groups> {
        self.settings.visible_to.as_ref()
    }

    fn root(&mut self, table: Table<'_>) {
        let findings = &mut self.findings;
        let known: Vec<&str> = SHARED.into_iter().chain(["literal", "parameter", "procedure"]).collect();
        table.only(&known, findings);
        self.settings = settings(&table, findings);
        self.literal = table.texts("literal", findings).unwrap_or_default();
        self.parameters = parameter::all(&table, findings);
        self.procedures = table
            .named("procedure", findings)
            .into_iter()
            .map(|(title, table)| procedure(title, &table, findings))
            .collect();
    }
}
