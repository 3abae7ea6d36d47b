//! Parameters of the side file: their types, and whether a default fits.

use domain::runbook::{Parameter, ParameterKind, ParameterScope};
use regex::Regex;

use super::table::{Findings, Table, nearest};
use crate::fit::{self, Misfit};

/// A parameter with the line on which it is declared.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) line: u32,
    pub(super) parameter: Parameter,
}

const TYPES: [&str; 10] = [
    "text",
    "number",
    "choice",
    "path",
    "compose-service",
    "container",
    "image",
    "backup-file",
    "git-revision",
    "secret",
];

/// Variables in small letters that steer a shell or common programs. A parameter's name is a variable, too.
const STEERING: [&str; 8] =
    ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy", "rsync_proxy", "histchars", "auto_resume"];

/// The parameters of a scope, in the order of the file.
pub(super) fn all(table: &Table<'_>, findings: &mut Findings) -> Vec<Declared> {
    table.named("parameter", findings).into_iter().filter_map(|(name, table)| one(name, &table, findings)).collect()
}

fn one(name: &str, table: &Table<'_>, findings: &mut Findings) -> Option<Declared> {
    let valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !valid {
        let message = format!(
            "The parameter name {name} cannot be a variable; use lower-case letters, digits and _, beginning with a letter."
        );
        findings.error(table.line, "bad-value", message);
        return None;
    }
    if STEERING.contains(&name) {
        let message =
            format!("{name} is a variable by which programs decide what to do; give the parameter another name.");
        findings.error(table.line, "bad-value", message);
        return None;
    }
    let placeholder = table.required("placeholder", findings);
    let kind = table.required("type", findings);
    let (placeholder, word) = (placeholder?, kind?);
    if placeholder.trim().is_empty() {
        findings.error(
            table.line,
            "bad-value",
            format!("The placeholder of {name} is empty; write the words that stand in the document."),
        );
        return None;
    }
    let kind = kind_of(&word, table, findings)?;
    let parameter = Parameter {
        name: name.to_owned(),
        placeholder,
        default: value("default", &kind, table, findings),
        example: value("example", &kind, table, findings),
        kind,
        scope: ParameterScope::Document,
        help: table.text("help", findings),
    };
    Some(Declared { line: table.line, parameter })
}

/// A value that the side file gives itself.
fn value(key: &str, kind: &ParameterKind, table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    table.text(key, findings).filter(|value| fits(kind, key, value, table.line, findings))
}

fn kind_of(word: &str, table: &Table<'_>, findings: &mut Findings) -> Option<ParameterKind> {
    let own: &[&str] = match word {
        "text" => &["pattern"],
        "number" => &["min", "max", "decimal"],
        "choice" => &["choices"],
        "path" => &["root"],
        "compose-service" => &["file"],
        "backup-file" => &["root", "pattern"],
        _ => &[],
    };
    let known: Vec<&str> =
        ["placeholder", "type", "default", "help", "example"].into_iter().chain(own.iter().copied()).collect();
    if TYPES.contains(&word) {
        table.only(&known, findings);
    }
    match word {
        "text" => {
            let pattern = table.text("pattern", findings);
            let pattern = pattern.filter(|pattern| expression(pattern, table.line, findings).is_some());
            Some(ParameterKind::Text { pattern })
        }
        "number" => number(table, findings),
        "choice" => {
            let choices = table.texts("choices", findings).unwrap_or_default();
            if choices.is_empty() {
                findings.error(
                    table.line,
                    "missing-key",
                    "A choice needs its choices, as choices = [\"…\", \"…\"].".to_owned(),
                );
                return None;
            }
            Some(ParameterKind::Choice { choices })
        }
        "path" => Some(ParameterKind::Path {
            root: table.text("root", findings).filter(|root| is_root(root, table.line, findings)),
        }),
        "compose-service" => Some(ParameterKind::ComposeService { file: table.text("file", findings) }),
        "container" => Some(ParameterKind::Container),
        "image" => Some(ParameterKind::Image),
        "backup-file" => {
            let root = table.required("root", findings).filter(|root| is_root(root, table.line, findings))?;
            let pattern = table.text("pattern", findings).filter(|names| is_glob(names, table.line, findings));
            Some(ParameterKind::BackupFile { root, pattern })
        }
        "git-revision" => Some(ParameterKind::GitRevision),
        "secret" => {
            if table.get("default").is_some() {
                findings.error(
                    table.line,
                    "bad-value",
                    "A secret has no default: its value never stands in a file beside a document.".to_owned(),
                );
            }
            Some(ParameterKind::Secret)
        }
        other => {
            let hint = nearest(other, TYPES)
                .map_or_else(|| format!("known are {}", TYPES.join(", ")), |near| format!("did you mean {near}?"));
            findings.error(
                table.line,
                "bad-value",
                format!("The type {other} is not known, so the parameter has no effect; {hint}"),
            );
            None
        }
    }
}

fn number(table: &Table<'_>, findings: &mut Findings) -> Option<ParameterKind> {
    let (min, max) = (table.number("min", findings), table.number("max", findings));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        findings.error(
            table.line,
            "bad-value",
            format!("No number is at least {min} and at most {max}; correct min or max."),
        );
        return None;
    }
    Some(ParameterKind::Number { min, max, decimal: table.flag("decimal", findings).unwrap_or(false) })
}

/// Whether a glob for the names of files can be read and may fit any: a name has no slash.
fn is_glob(names: &str, line: u32, findings: &mut Findings) -> bool {
    if names.contains('/') {
        let message = format!(
            "The pattern {names} is one of the file's own name, which has no slash, so it has no effect; root says where the file lies."
        );
        findings.error(line, "bad-value", message);
        return false;
    }
    readable(fit::glob(names), &format!("The pattern {names} is no glob"), line, findings).is_some()
}

fn is_root(root: &str, line: u32, findings: &mut Findings) -> bool {
    let valid = root.starts_with('/') && !root.split('/').any(|part| part == "..");
    if !valid {
        findings.error(
            line,
            "bad-value",
            format!("The root {root} is not an absolute path without .., so it has no effect."),
        );
    }
    valid
}

/// A regular expression for a whole value.
pub(super) fn expression(pattern: &str, line: u32, findings: &mut Findings) -> Option<Regex> {
    readable(fit::anchored(pattern), &format!("The pattern {pattern} is no regular expression"), line, findings)
}

/// What a pattern says, or the finding that nobody can read it.
fn readable(pattern: Result<Regex, regex::Error>, what: &str, line: u32, findings: &mut Findings) -> Option<Regex> {
    pattern
        .map_err(|error| {
            let reason = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            findings.error(line, "bad-value", format!("{what} ({reason}), so it has no effect."));
        })
        .ok()
}

/// Whether a default or an example is a value that the parameter would take.
fn fits(kind: &ParameterKind, what: &str, value: &str, line: u32, findings: &mut Findings) -> bool {
    if *kind == ParameterKind::Secret {
        return false;
    }
    let misfit = fit::misfit(kind, value);
    if let Some(misfit) = &misfit {
        let why = match misfit {
            Misfit::Pattern(pattern) => format!("it does not match {pattern} as a whole"),
            Misfit::Form(expected) => expected.clone(),
        };
        let message = format!("The {what} {value} is no value that this parameter takes ({why}), so there is none.");
        findings.error(line, "bad-value", message);
    }
    misfit.is_none()
}
