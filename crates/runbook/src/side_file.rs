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

mod apply;
mod checks;
mod escalate;
mod parameter;
mod prose;
mod table;

use domain::Risk;
use domain::attempt::Limits;
use domain::escalation::Rule;
use domain::policy::{GroupName, Groups};
use domain::runbook::{Check, Schedule, StepSettings};
use domain::schedule::{Cron, Zone};
use toml::de::DeTable;

pub(crate) use apply::{apply, sets, words_of_part};
pub use checks::{checks_after, checks_of_outcome, matching};
use parameter::Declared;
pub use prose::{filled_in_outcome, filled_in_step};
use table::{Findings, Table, as_table};

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
const EVIDENCE: [&str; 3] = ["backup-file", "disk-space", "containers"];

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

fn settings(table: &Table<'_>, findings: &mut Findings) -> Settings {
    let one = table.text("target", findings).map(|target| vec![target]);
    let several = table.texts("targets", findings);
    if one.is_some() && several.is_some() {
        findings.warning(table.line, "bad-value", "Both target and targets are given here; targets counts.".to_owned());
    }
    let shell = table.table("shell", findings);
    let pipefail = shell.and_then(|shell| {
        shell.only(&["pipefail"], findings);
        shell.flag("pipefail", findings)
    });
    Settings {
        targets: several.or(one),
        directory: directory(table, findings),
        mask_files: table.texts("mask_files", findings),
        visible_to: visible_to(table, findings),
        pipefail,
    }
}

/// The groups to which it is limited. A mistake here never shows more: who is meant is not known, so that nobody sees it but
/// administrators.
fn visible_to(table: &Table<'_>, findings: &mut Findings) -> Option<Groups> {
    let value = table.get("visible_to")?;
    let line = findings.line(value.span().start);
    let Some(names) = value.get_ref().as_array() else {
        let is = value.get_ref().type_str();
        let message = format!(
            "The key visible_to takes a list of groups, as [\"platform\"], not {is}; until it is corrected only administrators \
             see what it is about."
        );
        findings.error(line, "wrong-type", message);
        return Some(Groups::new());
    };
    let mut groups = Groups::new();
    for name in names {
        let text = name.get_ref().as_str().unwrap_or_default();
        if let Some(group) = GroupName::parse(text) {
            groups.insert(group);
        } else {
            let line = findings.line(name.span().start);
            findings.error(line, "bad-value", no_group(text));
        }
    }
    Some(groups)
}

fn no_group(text: &str) -> String {
    format!(
        "“{text}” is no name of a group, so nobody sees this by it; a name has 1 to {} lower-case letters, digits, hyphens and \
         underscores.",
        GroupName::LONGEST
    )
}

fn directory(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let directory = table.text("directory", findings)?;
    if directory.starts_with('/') {
        return Some(directory);
    }
    findings.error(
        table.line,
        "bad-value",
        format!("The directory {directory} is not absolute, so it has no effect; begin it with /."),
    );
    None
}

fn procedure(title: &str, table: &Table<'_>, findings: &mut Findings) -> ProcedureEntry {
    let own = ["alerts", "from_alert", "contacts", "escalate", "retention", "schedule", "outcome", "parameter", "step"];
    let known: Vec<&str> = SHARED.into_iter().chain(own).collect();
    table.only(&known, findings);
    ProcedureEntry {
        title: title.to_owned(),
        line: table.line,
        settings: settings(table, findings),
        alerts: table.texts("alerts", findings).unwrap_or_default(),
        from_alert: pairs("from_alert", table, findings),
        contacts: pairs("contacts", table, findings),
        escalate: escalate::read(table, findings),
        retention: retention(table, findings),
        schedule: table.table("schedule", findings).and_then(|schedule| self::schedule(&schedule, findings)),
        outcome: table
            .named("outcome", findings)
            .into_iter()
            .filter_map(|(words, table)| Some((table.line, words.to_owned(), check(&table, findings)?)))
            .collect(),
        parameters: parameter::all(table, findings),
        steps: table.named("step", findings).into_iter().map(|(title, table)| step(title, &table, findings)).collect(),
    }
}

/// A table of texts by name, with their lines.
fn pairs(key: &str, table: &Table<'_>, findings: &mut Findings) -> Vec<(u32, String, String)> {
    let Some(pairs) = table.table(key, findings) else { return Vec::new() };
    pairs
        .entries(findings)
        .into_iter()
        .filter_map(|(name, line, _)| Some((line, name.to_owned(), pairs.text(name, findings)?)))
        .collect()
}

fn retention(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let retention = table.text("retention", findings)?;
    let days = retention.strip_suffix('d').is_some_and(|days| days.parse::<u32>().is_ok_and(|days| days > 0));
    if days || retention == "forever" {
        return Some(retention);
    }
    let message =
        format!("The retention {retention} is not understood, so it has no effect; write forever, or days as 90d.");
    findings.error(table.line, "bad-value", message);
    None
}

fn schedule(table: &Table<'_>, findings: &mut Findings) -> Option<Schedule> {
    table.only(&["cron", "zone", "owner"], findings);
    let (cron, zone, owner) =
        (table.required("cron", findings), table.required("zone", findings), table.required("owner", findings));
    let (cron, zone, owner) = (cron?, zone?, owner?);
    let Some(due) = Cron::parse(&cron) else {
        let message = format!(
            "The schedule {cron} is no cron expression of five fields, so it has no effect; write one as \"0 9 * * *\"."
        );
        findings.error(table.line, "bad-value", message);
        return None;
    };
    if Zone::parse(&zone).is_none() {
        let message = format!(
            "The zone {zone} is no zone of the tz database, so the schedule has no effect; write one as \"Europe/Berlin\"."
        );
        findings.error(table.line, "bad-value", message);
        return None;
    }
    if !due.is_ever_due() {
        let message =
            format!("The schedule {cron} is never due: no month has such a day. Correct the day or the month.");
        findings.error(table.line, "never-due", message);
    }
    Some(Schedule { cron, zone, owner })
}

fn step(title: &str, table: &Table<'_>, findings: &mut Findings) -> StepEntry {
    let known = [
        "target",
        "directory",
        "timeout",
        "output",
        "processes",
        "memory",
        "tty",
        "interactive",
        "risk",
        "evidence",
        "after",
        "parameter",
        "command",
    ];
    table.only(&known, findings);
    StepEntry {
        title: title.to_owned(),
        line: table.line,
        settings: StepSettings {
            directory: directory(table, findings),
            target: table.text("target", findings),
            evidence: evidence(table, findings),
            timeout_ms: table
                .text("timeout", findings)
                .and_then(|text| duration(&text, "timeout", table.line, findings)),
            output: size_of("output", table, findings),
            limits: Limits { processes: processes(table, findings), memory: size_of("memory", table, findings) },
            tty: table.flag("tty", findings),
            interactive: table.flag("interactive", findings).unwrap_or(false),
            risk: risk(table, findings),
            after: after(table, findings),
        },
        parameters: parameter::all(table, findings),
        commands: commands(table, findings),
    }
}

fn evidence(table: &Table<'_>, findings: &mut Findings) -> Vec<String> {
    let mut evidence = table.texts("evidence", findings).unwrap_or_default();
    evidence.retain(|name| {
        let known = EVIDENCE.contains(&name.as_str());
        if !known {
            let near = table::nearest(name, EVIDENCE)
                .map_or_else(|| format!("known are {}", EVIDENCE.join(", ")), |near| format!("did you mean {near}?"));
            findings.error(table.line, "bad-value", format!("Nobody knows how to collect the evidence {name}; {near}"));
        }
        known
    });
    evidence
}

fn risk(table: &Table<'_>, findings: &mut Findings) -> Option<Risk> {
    let word = table.text("risk", findings)?;
    let classes = [Risk::Reads, Risk::Changes, Risk::Disrupts, Risk::Destroys];
    let risk = classes.into_iter().find(|risk| risk.word() == word);
    if risk.is_none() {
        let message = format!(
            "The risk class {word} is not known, so it has no effect; write reads, changes, disrupts or destroys."
        );
        findings.error(table.line, "bad-value", message);
    }
    risk
}

fn after(table: &Table<'_>, findings: &mut Findings) -> Vec<Check> {
    let Some(value) = table.get("after") else { return Vec::new() };
    let Some(checks) = value.get_ref().as_array() else {
        let line = findings.line(value.span().start);
        findings.error(
            line,
            "wrong-type",
            "The key after takes a list of checks, as [{ check = \"container\", container = \"…\" }].".to_owned(),
        );
        return Vec::new();
    };
    checks.iter().filter_map(|value| check(&as_table(value, "after", findings)?, findings)).collect()
}

fn commands(table: &Table<'_>, findings: &mut Findings) -> Vec<CommandEntry> {
    let mut commands = Vec::new();
    for (name, command) in table.named("command", findings) {
        command.only(&["risk", "parameter"], findings);
        match name.parse::<u32>() {
            Ok(number) if number > 0 => commands.push(CommandEntry {
                number,
                line: command.line,
                risk: risk(&command, findings),
                parameters: parameter::all(&command, findings),
            }),
            _ => {
                let message =
                    format!("Commands are named by their number in the step, counted from 1; {name} is none.");
                findings.error(command.line, "unknown-command", message);
            }
        }
    }
    commands
}

/// `90s`, `5m`, `2h`, `1d`, `500ms` in milliseconds.
fn duration(text: &str, key: &str, line: u32, findings: &mut Findings) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok().filter(|number| *number > 0);
    let duration = factor.and_then(|factor| number?.checked_mul(factor));
    if duration.is_none() {
        let message = format!("The {key} {text} is no time, so it has no effect; write it as 90s, 5m, 2h or 1d.");
        findings.error(line, "bad-value", message);
    }
    duration
}

/// The fewest processes of a step: the shell, a pipeline, and a little room.
const FEWEST: i64 = 10;

fn processes(table: &Table<'_>, findings: &mut Findings) -> Option<u32> {
    let number = table.number("processes", findings)?;
    let processes = u32::try_from(number).ok().filter(|_| number >= FEWEST);
    if processes.is_none() {
        let message = format!("processes = {number} has no effect; a step needs room for {FEWEST} at least.");
        findings.error(table.line, "bad-value", message);
    }
    processes
}

/// The smallest size that makes sense: a shell alone has some megabytes of memory.
const SMALLEST: u64 = 16 << 20;

/// `64MiB`, `512MiB`, `2GiB` in bytes.
fn size_of(key: &str, table: &Table<'_>, findings: &mut Findings) -> Option<u64> {
    let text = table.text(key, findings)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "MiB" | "M" => Some(1 << 20),
        "GiB" | "G" => Some(1 << 30),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok();
    let size = factor.and_then(|factor| number?.checked_mul(factor)).filter(|size| *size >= SMALLEST);
    if size.is_none() {
        let message =
            format!("The {key} {text} is no size, so it has no effect; write it as 64MiB or 2GiB, 16MiB at least.");
        findings.error(table.line, "bad-value", message);
    }
    size
}

const CHECKS: [&str; 6] = ["http", "command", "container", "log", "certificate", "promql"];

fn check(table: &Table<'_>, findings: &mut Findings) -> Option<Check> {
    let kind = table.required("check", findings)?;
    let mut keys = |known: &[&str]| table.only(known, findings);
    match kind.as_str() {
        "http" => keys(&["check", "url", "expect"]),
        "command" => keys(&["check", "run", "expect"]),
        "container" => keys(&["check", "container"]),
        "log" => keys(&["check", "run", "pattern", "window"]),
        "certificate" => keys(&["check", "host", "days"]),
        "promql" => keys(&["check", "url", "query"]),
        _ => {}
    }
    match kind.as_str() {
        "http" => {
            let expect = table.number("expect", findings).unwrap_or(200);
            let expect = in_range::<u16>(expect, "expect", table.line, findings)?;
            Some(Check::Http { url: url(table, findings)?, expect })
        }
        "command" => {
            let expect = table.number("expect", findings).unwrap_or(0);
            let expect = in_range::<i32>(expect, "expect", table.line, findings)?;
            Some(Check::Command { run: reading(table, findings)?, expect })
        }
        "container" => Some(Check::Container { container: table.required("container", findings)? }),
        "log" => {
            let window = table.text("window", findings).unwrap_or_else(|| "5m".to_owned());
            let window_ms = duration(&window, "window", table.line, findings)?;
            let window_ms = bounded_window(window_ms, table.line, findings)?;
            let pattern = table.required("pattern", findings)?;
            parameter::expression(&pattern, table.line, findings)?;
            Some(Check::Log { run: reading(table, findings)?, pattern, window_ms })
        }
        "certificate" => {
            let days = in_range::<u32>(table.number("days", findings).unwrap_or(14), "days", table.line, findings)?;
            Some(Check::Certificate { host: table.required("host", findings)?, days })
        }
        "promql" => Some(Check::Promql { url: url(table, findings)?, query: table.required("query", findings)? }),
        other => {
            let hint = table::nearest(other, CHECKS)
                .map_or_else(|| format!("known are {}", CHECKS.join(", ")), |near| format!("did you mean {near}?"));
            findings.error(
                table.line,
                "bad-value",
                format!("The check {other} is not known, so it has no effect; {hint}"),
            );
            None
        }
    }
}

/// Longer than that nobody waits for the end of a run.
const LONGEST_WINDOW_MS: u64 = 3_600_000;

fn bounded_window(window_ms: u64, line: u32, findings: &mut Findings) -> Option<u64> {
    let fits = window_ms <= LONGEST_WINDOW_MS;
    if !fits {
        let message = "A window is an hour at most, so the check has no effect; write a shorter one, as 5m.".to_owned();
        findings.error(line, "bad-value", message);
    }
    fits.then_some(window_ms)
}

fn in_range<T: TryFrom<i64>>(number: i64, key: &str, line: u32, findings: &mut Findings) -> Option<T> {
    let fitting = T::try_from(number).ok();
    if fitting.is_none() {
        findings.error(
            line,
            "bad-value",
            format!("The number {number} is out of range for {key}, so the check has no effect."),
        );
    }
    fitting
}

fn url(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let url = table.required("url", findings)?;
    if url.starts_with("http://") || url.starts_with("https://") {
        return Some(url);
    }
    findings.error(
        table.line,
        "bad-value",
        format!("The address {url} does not begin with http:// or https://, so the check has no effect."),
    );
    None
}

/// The command of a check: it may only read.
fn reading(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let run = table.required("run", findings)?;
    let verdict = crate::risk::classify(&run);
    if verdict.risk == Risk::Reads {
        return Some(run);
    }
    let message = format!(
        "A check may only read, and “{}” makes this command one that {} ({}), so the check has no effect.",
        verdict.rule,
        verdict.risk.word(),
        verdict.reason
    );
    findings.error(table.line, "check-not-reading", message);
    None
}
