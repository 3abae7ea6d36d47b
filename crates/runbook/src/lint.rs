//! What there is to say about a document: each finding with its line, a fixed code, and a sentence that says what to do.

mod commands;
mod procedures;

use std::fmt::Write as _;

use domain::runbook::{Document, Finding, Level, PartContent, PartKind, Prose, StepContent};
use serde_json::{Value, json};

use crate::code::{self, Note, Problem};
use crate::encoding::Repair;
use crate::placeholder;
use crate::reader::finding;
use crate::show;
use crate::side_file::words_of_part;

/// Everything that can be said once the document is complete.
pub(crate) fn document(
    document: &Document,
    lines: &[&str],
    repair: Repair,
    (notes, literal): (&[Note], &[String]),
    findings: &mut Vec<Finding>,
) {
    encoding(lines, repair, findings);
    findings.extend(notes.iter().map(block));
    for procedure in &document.procedures {
        procedures::procedure(procedure, findings);
        prose(procedure, lines, literal, findings);
        parts(procedure, findings);
    }
    procedures::projects(document, findings);
    procedures::watchtower(document, findings);
}

fn encoding(lines: &[&str], repair: Repair, findings: &mut Vec<Finding>) {
    let broken: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| repair.changes(line)).map(|(index, _)| index).collect();
    let Some(first) = broken.first() else { return };
    let count = broken.len();
    let more = if count > 1 { format!(" {count} lines are like that.") } else { String::new() };
    let message = format!(
        "The text here was decoded as Windows-1252 and encoded again; it is repaired for display only.{more} Save the file as UTF-8 with its real characters."
    );
    findings.push(finding(u32::try_from(first + 1).unwrap_or(u32::MAX), Level::Warning, "encoding", message));
}

/// What was noticed in a block of code.
fn block(note: &Note) -> Finding {
    let say = |level, code: &str, message: String| finding(note.line, level, code, message);
    match &note.problem {
        Problem::OpenFence => say(
            Level::Error,
            "open-fence",
            "This block is never closed, so everything below it is in it and none of it can be run; close it with a line of ```.".to_owned(),
        ),
        Problem::Unparsable => say(
            Level::Error,
            "unparsable-block",
            "This shell text cannot be parsed, so it is one command that can only be run whole; correct it.".to_owned(),
        ),
        Problem::UnparsableWithoutLanguage => say(
            Level::Note,
            "unparsable-block",
            "This block has no language and is no shell text, so it is shown and not run; name its language, as ```text.".to_owned(),
        ),
        Problem::TooLong => say(
            Level::Warning,
            "long-block",
            format!("This block has more than {} KiB, so it is shown and not run; put it into a script.", crate::shell::LONGEST / 1024),
        ),
        Problem::UnknownLanguage { language, nearest } => {
            let hint = nearest.map_or_else(|| "if it is meant to run, call it bash.".to_owned(), |near| format!("did you mean {near}?"));
            say(Level::Warning, "unknown-language", format!("The language {language} is not known, so the block is shown and not run; {hint}"))
        }
        Problem::Hidden { character } => say(
            Level::Error,
            "hidden-character",
            format!("A character that nobody sees (U+{:04X}) stands in this command; remove it.", u32::from(*character)),
        ),
    }
}

/// Placeholders in text that nothing fills.
fn prose(procedure: &domain::runbook::Procedure, lines: &[&str], literal: &[String], findings: &mut Vec<Finding>) {
    let declared: Vec<placeholder::Declared<'_>> = procedure
        .settings
        .parameters
        .iter()
        .map(|parameter| placeholder::Declared { text: &parameter.placeholder, parameter: &parameter.name })
        .collect();
    for part in procedure.parts.iter().filter(|part| part.kind != PartKind::Stray) {
        let mut missing: Vec<String> = Vec::new();
        words_of_part(part, &mut |words| {
            missing.extend(
                placeholder::of_prose(words, &declared, literal)
                    .into_iter()
                    .filter(|found| found.parameter.is_none())
                    .map(|found| found.text),
            );
        });
        missing.sort();
        missing.dedup();
        for text in missing {
            let line = line_of(lines, part.line, part.end_line, &text);
            let message = format!(
                "“{text}” stands for a value that no parameter fills; declare it in the side file, or list it under literal."
            );
            findings.push(finding(line, Level::Warning, "unfilled-placeholder", message));
        }
    }
}

/// The first line of a range that holds a text and is not in a block.
fn line_of(lines: &[&str], from: u32, to: u32, text: &str) -> u32 {
    let range = (from as usize).saturating_sub(1)..(to as usize).min(lines.len());
    let mut fenced = false;
    for (line, number) in lines.get(range).unwrap_or_default().iter().zip(from..) {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && line.contains(text) {
            return number;
        }
    }
    from
}

/// Blocks between steps whose language nobody knows, and commands in parts that cannot be run.
fn parts(procedure: &domain::runbook::Procedure, findings: &mut Vec<Finding>) {
    for part in procedure.parts.iter().filter(|part| matches!(part.kind, PartKind::Steps | PartKind::Rollback)) {
        for content in &part.content {
            if let PartContent::Prose { prose: Prose::Code { line, language: Some(language), .. } } = content
                && let Some(problem) = code::unknown_language(language)
            {
                findings.push(block(&Note { line: *line, problem }));
            }
        }
    }
    for part in procedure.parts.iter().filter(|part| part.kind == PartKind::Prose && !part.title.is_empty()) {
        let code = part.content.iter().find_map(|content| match content {
            PartContent::Prose { prose: Prose::Code { line, language: Some(language), .. } }
                if code::is_shell_language(language) =>
            {
                Some(*line)
            }
            _ => None,
        });
        if let Some(line) = code {
            let message = format!(
                "“{}” is no part that the portal runs, so the commands in it are shown only; call it Steps, Diagnosis or Rollback if they are to be run.",
                part.title
            );
            findings.push(finding(line, Level::Note, "unknown-part", message));
        }
    }
    let steps = procedure.parts.iter().flat_map(domain::runbook::Part::steps);
    let quoted = steps.flat_map(|step| &step.content).filter_map(|content| match content {
        StepContent::Note { prose } => prose.iter().find_map(|prose| match prose {
            Prose::Code { line, language: Some(language), .. } if code::is_shell_language(language) => Some(*line),
            _ => None,
        }),
        _ => None,
    });
    for line in quoted {
        findings.push(finding(line, Level::Note, "quoted-commands", "These commands stand in a quote, so they are shown and not run; take them out of the quote if they are to be run.".to_owned()));
    }
}

/// One finding as a line of text.
pub(crate) fn line(document: &Document, finding: &Finding) -> String {
    let path = finding.file.as_deref().unwrap_or(&document.path);
    format!("{path}:{}: {}: {}", finding.line, level(finding.level), finding.message)
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// All findings as text, one line each: `file:line: level: message`.
pub fn lint_text(documents: &[Document]) -> String {
    let mut text = String::new();
    for document in documents {
        for finding in &document.findings {
            let _ = writeln!(text, "{}", line(document, finding));
        }
    }
    text
}

/// All findings as JSON: `{"findings": [{"path": …, "line": …, "level": …, "code": …, "message": …}]}`.
///
/// # Panics
///
/// Never: every value has text keys.
pub fn lint_json(documents: &[Document]) -> String {
    let mut text =
        serde_json::to_string_pretty(&json!({ "findings": all(documents) })).expect("values have string keys");
    text.push('\n');
    text
}

/// The findings of all documents, each with the path of its document.
pub(crate) fn all(documents: &[Document]) -> Vec<Value> {
    let with_path = |document: &Document, finding: &Finding| {
        let mut value = show::finding(finding);
        if let Value::Object(fields) = &mut value {
            fields.insert("path".to_owned(), document.path.clone().into());
        }
        value
    };
    documents
        .iter()
        .flat_map(|document| document.findings.iter().map(move |finding| with_path(document, finding)))
        .collect()
}
