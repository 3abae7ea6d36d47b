//! What the reader saw, as text and as JSON, so that an author can check a file without starting anything.
//!
//! The JSON is a stable interface: fields are added, never renamed or removed.

use std::fmt::Write as _;

use domain::runbook::{
    CodeBlock, Command, Document, Finding, Item, Part, PartContent, PartKind, Procedure, Prose, Step, StepContent,
    StepKind, plain,
};
use serde_json::{Map, Value, json};

/// The documents as JSON, indented.
///
/// # Panics
///
/// Never: every value has text keys.
pub fn json(documents: &[Document]) -> String {
    let seen: Vec<Value> = documents.iter().map(document).collect();
    let mut text = serde_json::to_string_pretty(&json!({ "documents": seen, "findings": crate::lint::all(documents) }))
        .expect("values have string keys");
    text.push('\n');
    text
}

fn document(document: &Document) -> Value {
    json!({
        "path": document.path,
        "title": document.title,
        "updated": document.updated,
        "procedures": document.procedures.iter().map(procedure).collect::<Vec<_>>(),
        "findings": document.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

/// One finding as JSON.
pub(crate) fn finding(finding: &Finding) -> Value {
    let mut value = Map::new();
    value.insert("line".to_owned(), finding.line.into());
    value.insert("level".to_owned(), json!(finding.level));
    value.insert("code".to_owned(), finding.code.clone().into());
    value.insert("message".to_owned(), finding.message.clone().into());
    if let Some(procedure) = &finding.procedure {
        value.insert("procedure".to_owned(), procedure.as_str().into());
    }
    if let Some(file) = &finding.file {
        value.insert("file".to_owned(), file.clone().into());
    }
    Value::Object(value)
}

fn procedure(procedure: &Procedure) -> Value {
    json!({
        "slug": procedure.slug,
        "title": procedure.title,
        "emoji": procedure.emoji,
        "subtitle": procedure.subtitle,
        "line": procedure.line,
        "end_line": procedure.end_line,
        "summary": procedure.summary(),
        "risk": procedure.risk(),
        "parts": procedure.parts.iter().filter(|part| part.kind != PartKind::Summary).map(part).collect::<Vec<_>>(),
    })
}

/// The name of a kind of part.
fn kind(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Trigger => "trigger",
        PartKind::Steps => "steps",
        PartKind::Rollback => "rollback",
        PartKind::Outcome => "outcome",
        PartKind::Escalation => "escalation",
        PartKind::Summary | PartKind::Prose => "prose",
        PartKind::Stray => "stray",
    }
}

fn part(part: &Part) -> Value {
    let mut value = Map::new();
    value.insert("kind".to_owned(), kind(part.kind).into());
    value.insert("title".to_owned(), part.title.clone().into());
    value.insert("line".to_owned(), part.line.into());
    value.insert("items".to_owned(), items(part).into());
    let prose: Vec<String> = part
        .content
        .iter()
        .filter_map(|content| match content {
            PartContent::Prose { prose: Prose::List { .. } } => None,
            PartContent::Prose { prose } => Some(text_of(prose)),
            _ => None,
        })
        .filter(|text| !text.is_empty())
        .collect();
    value.insert("prose".to_owned(), prose.into());
    if part.kind == PartKind::Steps || part.steps().next().is_some() {
        value.insert("steps".to_owned(), part.steps().map(step).collect::<Vec<_>>().into());
    }
    Value::Object(value)
}

/// The list items of a part, those of its lists of prose too.
fn items(part: &Part) -> Vec<String> {
    let mut found = Vec::new();
    for content in &part.content {
        match content {
            PartContent::Item { item } => item_texts(item, &mut found),
            PartContent::Prose { prose: Prose::List { items, .. } } => {
                found.extend(items.iter().map(|item| item.iter().map(text_of).collect::<Vec<_>>().join(" ")));
            }
            _ => {}
        }
    }
    found
}

fn item_texts(item: &Item, found: &mut Vec<String>) {
    found.push(plain(&item.words).trim().to_owned());
    item.items.iter().for_each(|item| item_texts(item, found));
}

fn text_of(prose: &Prose) -> String {
    let several =
        |prose: &[Prose]| prose.iter().map(text_of).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    match prose {
        Prose::Paragraph { words, .. } | Prose::Heading { words, .. } => plain(words).trim().to_owned(),
        Prose::List { items, .. } => items.iter().map(|item| several(item)).collect::<Vec<_>>().join("\n"),
        Prose::Quote { content, .. } => several(content),
        Prose::Table { head, rows, .. } => {
            let row = |cells: &Vec<Vec<_>>| cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | ");
            std::iter::once(row(head)).chain(rows.iter().map(row)).collect::<Vec<_>>().join("\n")
        }
        Prose::Code { text, .. } => text.trim_end().to_owned(),
        Prose::Rule { .. } => String::new(),
    }
}

fn step(step: &Step) -> Value {
    let mut notes = Vec::new();
    let mut prose_texts = Vec::new();
    let mut item_list = Vec::new();
    let mut blocks = Vec::new();
    for content in &step.content {
        match content {
            StepContent::Prose { prose } => prose_texts.push(text_of(prose)),
            StepContent::Note { prose } => notes.push(prose.iter().map(text_of).collect::<Vec<_>>().join("\n")),
            StepContent::Item { item } => item_texts(item, &mut item_list),
            StepContent::Block { block: code } => blocks.push(block(code)),
        }
    }
    json!({
        "number": step.number,
        "title": step.title,
        "line": step.line,
        "kind": match step.kind {
            StepKind::Commands => "commands",
            StepKind::Manual => "manual",
            StepKind::Connect => "connect",
        },
        "risk": step.risk(),
        "prose": prose_texts,
        "notes": notes,
        "items": item_list,
        "blocks": blocks,
    })
}

fn block(block: &CodeBlock) -> Value {
    json!({
        "line": block.line,
        "language": block.language,
        "commands": block.commands.iter().map(command).collect::<Vec<_>>(),
    })
}

fn command(command: &Command) -> Value {
    json!({
        "line": command.line,
        "text": command.text,
        "label": command.label,
        "risk": command.risk,
        "rule": command.rule,
        "reason": command.reason,
        "raised": command.raised,
        "watch": command.watch,
        "screen": command.screen,
        "choice": command.choice.as_ref().map(|choice| &choice.when),
        "choice_group": command.choice.as_ref().map(|choice| choice.group),
        "choice_exclusive": command.choice.as_ref().map(|choice| choice.exclusive),
        "placeholders": command.placeholders.iter().map(|placeholder| &placeholder.text).collect::<Vec<_>>(),
        "missing": command.placeholders.iter().filter(|placeholder| placeholder.parameter.is_none())
            .map(|placeholder| &placeholder.text).collect::<Vec<_>>(),
        "pipeline": command.pipeline,
    })
}

/// The documents as an outline for people.
pub fn text(documents: &[Document]) -> String {
    let mut out = String::new();
    for document in documents {
        let _ = writeln!(out, "{}: {}", document.path, document.title);
        for procedure in &document.procedures {
            procedure_text(procedure, &mut out);
        }
        if !document.findings.is_empty() {
            let _ = writeln!(out, "\n  findings");
            for finding in &document.findings {
                let _ = writeln!(out, "    {}", crate::lint::line(document, finding));
            }
        }
        out.push('\n');
    }
    out
}

fn procedure_text(procedure: &Procedure, out: &mut String) {
    let _ = writeln!(
        out,
        "\n  {} ({}), line {}, {}",
        procedure.title,
        procedure.slug,
        procedure.line,
        procedure.risk().word()
    );
    for part in procedure.parts.iter().filter(|part| part.kind != PartKind::Summary) {
        let title = if part.title.is_empty() { "without a heading" } else { &part.title };
        let _ = writeln!(out, "    {:>5}  {}: {title}", part.line, kind(part.kind));
        if part.steps().next().is_none() {
            for item in items(part) {
                let _ = writeln!(out, "           - {item}");
            }
        }
        for step in part.steps() {
            step_text(step, out);
        }
    }
}

fn step_text(step: &Step, out: &mut String) {
    let kind = match step.kind {
        StepKind::Commands => "",
        StepKind::Manual => ", by hand",
        StepKind::Connect => ", connects",
    };
    let _ = writeln!(out, "    {:>5}  {}. {}{kind}", step.line, step.number, step.title);
    for item in step.items() {
        let _ = writeln!(out, "              [ ] {}", plain(&item.words).trim());
    }
    for command in step.commands() {
        let watch = if command.watch { ", watch" } else { "" };
        let choice = command.choice.as_ref().map(|choice| format!(", choice: {}", choice.when)).unwrap_or_default();
        let missing: Vec<&str> =
            command.placeholders.iter().filter(|one| one.parameter.is_none()).map(|one| one.text.as_str()).collect();
        let missing = if missing.is_empty() { String::new() } else { format!(", needs {}", missing.join(", ")) };
        let _ = writeln!(
            out,
            "    {:>5}     {} ({}: {}){watch}{choice}{missing}",
            command.line,
            command.risk.word(),
            command.rule,
            command.reason
        );
        for line in command.text.lines() {
            let _ = writeln!(out, "              {line}");
        }
    }
}
