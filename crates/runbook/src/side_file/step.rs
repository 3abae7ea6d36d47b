//! `.step."Step title"` and `.command.N`: what is set for one step, and for one command of it.

use domain::Risk;
use domain::attempt::Limits;
use domain::runbook::{Check, StepSettings};

use super::amounts::{duration, processes, size_of};
use super::check::check;
use super::settings::directory;
use super::table::{self, Findings, Table, as_table};
use super::{CommandEntry, StepEntry, parameter};

const EVIDENCE: [&str; 3] = ["backup-file", "disk-space", "containers"];

pub(super) fn step(title: &str, table: &Table<'_>, findings: &mut Findings) -> StepEntry {
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
