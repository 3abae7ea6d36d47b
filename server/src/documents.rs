//! The commands `lint` and `show`: documents are read, nothing is started, nothing is written.

use std::process::ExitCode;

use domain::runbook::Document;

use crate::cli::{Format, ReadArguments};
use crate::{complain, print};

/// Something was found.
const FOUND: u8 = 1;

/// A file could not be read.
const UNREADABLE: u8 = 2;

/// Prints what there is to say about documents.
pub fn lint(arguments: &ReadArguments) -> ExitCode {
    let (documents, all) = read(arguments);
    let text = match arguments.format {
        Format::Text => runbook::lint_text(&documents),
        Format::Json => runbook::lint_json(&documents),
    };
    let printed = print(&text);
    let found = documents.iter().any(|document| !document.findings.is_empty());
    match (all, found) {
        (false, _) => ExitCode::from(UNREADABLE),
        (true, true) => ExitCode::from(FOUND),
        (true, false) => printed,
    }
}

/// Prints what the reader saw.
pub fn show(arguments: &ReadArguments) -> ExitCode {
    let (documents, all) = read(arguments);
    let text = match arguments.format {
        Format::Text => runbook::show::text(&documents),
        Format::Json => runbook::show::json(&documents),
    };
    let printed = print(&text);
    if all { printed } else { ExitCode::from(UNREADABLE) }
}

/// The documents that could be read, and whether that is all of them. Each other one is one sentence on standard error.
fn read(arguments: &ReadArguments) -> (Vec<Document>, bool) {
    let mut documents = Vec::new();
    for file in &arguments.files {
        match runbook::read_file(file) {
            Ok(document) => documents.push(document),
            Err(error) => complain(&in_full(&error)),
        }
    }
    let all = documents.len() == arguments.files.len();
    (documents, all)
}

/// An error with what caused it, in one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}
