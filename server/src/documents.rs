//! The commands `lint` and `show`: documents are read, nothing is written. Only `lint --live` asks anybody else: the targets, by looking.

use std::process::ExitCode;

use domain::runbook::Document;
use portal::Doctor;

use crate::cli::{Format, LintArguments, ReadArguments, ServeArguments};
use crate::{complain, load, print};

/// Something was found.
const FOUND: u8 = 1;

/// A file could not be read, or nobody could look.
const UNREADABLE: u8 = 2;

/// Prints what there is to say about documents.
pub fn lint(arguments: &LintArguments) -> ExitCode {
    let (mut documents, mut all) = read(&arguments.read);
    if arguments.live
        && let Err(sentence) = look(&mut documents, arguments)
    {
        complain(&sentence);
        all = false;
    }
    let text = match arguments.read.format {
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

/// Adds what a look at the targets finds to what lint says.
fn look(documents: &mut [Document], arguments: &LintArguments) -> Result<(), String> {
    let blind = |error: std::io::Error| format!("Nobody can look from here: {error}. Nothing was looked at");
    let place = ServeArguments { config: arguments.config.clone(), ..ServeArguments::default() };
    let targets = load(&place)?.targets;
    let named = arguments.target.as_deref();
    let known: Vec<&str> = targets.iter().map(|target| target.plan.name.as_str()).collect();
    if let Some(unknown) = named.filter(|name| !known.contains(name)) {
        let known = known.join(", ");
        return Err(format!("The configuration names no target {unknown}; it has {known}. Nothing was looked at"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(blind)?;
    runtime.block_on(async {
        let doctor = Doctor::new("/proc/self/exe".into()).map_err(blind)?;
        for document in documents {
            let found = doctor.look(document, &targets, named).await;
            document.findings.extend(found);
            document.findings.sort_by(|one, other| (&one.file, one).cmp(&(&other.file, other)));
        }
        Ok(())
    })
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
