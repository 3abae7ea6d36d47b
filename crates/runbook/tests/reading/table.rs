//! The hand-made tables of all steps and commands in `tests/expected`.
//!
//! Columns: line, procedure, part, step, class or `manual`/`connect`, watch, choice, the command's whole text with `⏎` for the
//! ends of its lines.

use domain::runbook::{Command, Document, PartKind, Step, StepKind};

/// What was read, in the form of the tables.
pub fn of(document: &Document) -> Vec<String> {
    let mut rows = Vec::new();
    for procedure in &document.procedures {
        for part in &procedure.parts {
            let kind = match part.kind {
                PartKind::Steps => "steps",
                PartKind::Rollback => "rollback",
                _ => continue,
            };
            for step in part.steps() {
                let place = format!("{}\t{kind}\t{}", procedure.slug, step.number);
                rows.push(of_step(step, &place));
                rows.extend(step.commands().map(|command| of_command(command, &place)));
            }
        }
    }
    rows
}

fn of_step(step: &Step, place: &str) -> String {
    let kind = match step.kind {
        StepKind::Commands => "commands",
        StepKind::Manual => "manual",
        StepKind::Connect => "connect",
    };
    let ticks = domain::runbook::Step::items(step).count();
    format!("{}\t{place}\t{kind}\t-\t-\t{ticks} ticks", step.line)
}

fn of_command(command: &Command, place: &str) -> String {
    let watch = if command.watch { "watch" } else { "-" };
    let choice = match &command.choice {
        None => "-".to_owned(),
        Some(choice) if choice.exclusive => format!("one of, {}", choice.group),
        Some(choice) => format!("optional, {}", choice.group),
    };
    let text = command.text.replace('\n', "⏎");
    format!("{}\t{place}\t{}\t{watch}\t{choice}\t{text}", command.line, command.risk.word())
}

/// Compares what was read with a table, row by row.
pub fn compare(document: &Document, table: &str) {
    let read = of(document);
    let expected: Vec<&str> = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();

    for (read, expected) in read.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
    assert_eq!(read.len(), expected.len(), "rows");
}
