//! Findings that need more than one command: what a shell carries along, what nothing saved, which project is meant.

use std::collections::HashMap;

use domain::Risk;
use domain::runbook::{Command, Document, Finding, Level, Part, Procedure, Step, StepKind};

use super::commands;
use crate::reader::finding;
use crate::risk;
use crate::secrets::Secrets;
use crate::shell::{Shell, Word, pipeline};
use crate::side_file::sets;

/// What there is to say about a procedure and its steps.
pub(super) fn procedure(procedure: &Procedure, findings: &mut Vec<Finding>) {
    let mut saved = false;
    let mut secrets = Secrets::of(&procedure.settings.parameters);
    for part in &procedure.parts {
        for step in part.steps() {
            directories(step, findings);
            saved = backups(step, saved, findings);
            for command in step.commands() {
                placeholders(command, (step, procedure), findings);
                findings.extend(interactive(command, step));
                findings.extend(secrets.follow(&command.text).map(|wrong| {
                    finding(
                        command.line,
                        Level::Error,
                        "secret-argument",
                        format!("{wrong}. So this command cannot start."),
                    )
                }));
                findings.extend(
                    commands::command(command)
                        .into_iter()
                        .map(|said| finding(command.line, said.level, said.code, said.message)),
                );
            }
        }
    }
}

/// Placeholders that nothing fills.
fn placeholders(command: &Command, (step, procedure): (&Step, &Procedure), findings: &mut Vec<Finding>) {
    for placeholder in command.placeholders.iter().filter(|placeholder| placeholder.parameter.is_none()) {
        let text = &placeholder.text;
        // Taken back from a parameter of its words: that has a finding of its own.
        if procedure.settings.parameters.iter().any(|parameter| {
            parameter.placeholder == *text && step.commands().any(|one| sets(one).contains(&parameter.name))
        }) {
            continue;
        }
        let offset = command.text.lines().position(|line| line.contains(text.as_str())).unwrap_or(0);
        let line = command.line.saturating_add(u32::try_from(offset).unwrap_or(0));
        let host = step.kind == StepKind::Connect && command.pipeline.first().is_some_and(|program| program == "ssh");
        let (level, message) = if host {
            (
                Level::Note,
                format!(
                    "“{text}” stands for a host; the run's target takes its place. List it under literal in the side file to say so."
                ),
            )
        } else {
            (
                Level::Warning,
                format!(
                    "“{text}” stands for a value that no parameter fills, so this command cannot start; declare it in the side file, or list it under literal."
                ),
            )
        };
        findings.push(finding(line, level, "unfilled-placeholder", message));
    }
}

/// An `ssh HOST` that is no connect step.
fn interactive(command: &Command, step: &Step) -> Option<Finding> {
    (step.kind != StepKind::Connect && risk::is_interactive(&command.text)).then(|| {
        let message = "This opens a shell on another machine, where nobody types, and what follows would run on the portal's machine, so it cannot start. Write ssh HOST 'command', or give ssh (with cd, if need be) a step of its own: there the run's target stands for the host.";
        finding(command.line, Level::Error, "interactive-ssh", message.to_owned())
    })
}

fn words(command: &Command) -> Vec<Vec<Word>> {
    Shell::parse(&command.text).map(|shell| pipeline(&shell)).unwrap_or_default()
}

/// `cd backend` … `cd frontend`: the second one is looked for inside the first.
fn directories(step: &Step, findings: &mut Vec<Finding>) {
    let mut inside: Option<String> = None;
    for command in step.commands().filter(|command| command.text.starts_with("cd")) {
        let members = words(command);
        let [only] = members.as_slice() else { continue };
        let [program, directory] = only.as_slice() else { continue };
        if program.text != "cd" {
            continue;
        }
        let to = directory.text.as_str();
        let relative = !to.starts_with(['/', '~', '$', '.', '-']) && !to.starts_with("..");
        match (&inside, relative) {
            (Some(from), true) => {
                let message = format!(
                    "The step runs in one shell, so {to} is looked for inside {from}, where the cd before it went; write cd ../{to}, or ( cd {from} && … ) there."
                );
                findings.push(finding(command.line, Level::Warning, "cd-in-a-row", message));
            }
            (None, true) => inside = Some(to.to_owned()),
            _ => inside = None,
        }
    }
}

/// Says where something is destroyed that no command before it has saved. Returns whether something is saved now.
fn backups(step: &Step, mut saved: bool, findings: &mut Vec<Finding>) -> bool {
    let mut said = false;
    for command in step.commands() {
        if command.risk == Risk::Destroys && !saved && !said {
            said = true;
            let message = format!(
                "This destroys ({}), and nothing before it saves the present state; add a step that does, so that there is a way back.",
                command.reason
            );
            findings.push(finding(command.line, Level::Warning, "no-backup", message));
        }
        saved |= saves(command);
    }
    saved
}

/// Whether a command saves something.
fn saves(command: &Command) -> bool {
    if command.risk == Risk::Destroys {
        return false;
    }
    let programs = [
        "mongodump",
        "mongoexport",
        "pg_dump",
        "pg_dumpall",
        "pg_basebackup",
        "mysqldump",
        "mariadb-dump",
        "borg",
        "restic",
        "iptables-save",
        "ufw-save",
        "duplicity",
    ];
    words(command).iter().any(|words| {
        let words = risk::innermost(words);
        let name = words.first().map_or("", |word| word.text.as_str());
        let has = |text: &str| words.iter().any(|word| word.text == text);
        let backup_word = words.iter().skip(1).any(|word| {
            let lower = word.text.to_lowercase();
            ["backup", ".bak", "snapshot", ".orig", ".old", "saved", "before"].iter().any(|part| lower.contains(part))
        });
        programs.contains(&name)
            || (name == "git" && (has("stash") || has("branch") || has("tag") || has("commit")))
            || (name == "docker" && (has("tag") || has("commit") || has("save") || has("export")))
            || (matches!(name, "cp" | "rsync" | "tar" | "tee" | "zfs" | "aws" | "rclone" | "scp" | "zip" | "etcdctl")
                && backup_word)
            || name == "tar" && command.risk == Risk::Changes && !has("-x")
    }) || (command.risk == Risk::Changes
        && command.rule.starts_with('>')
        && command.text.to_lowercase().contains("backup"))
}

/// Watchtower: one finding per document, where it is a procedure's subject or where a command names it first.
pub(super) fn watchtower(document: &Document, findings: &mut Vec<Finding>) {
    let named = |text: &str| text.to_lowercase().contains("watchtower");
    let steps = || document.procedures.iter().flat_map(|procedure| &procedure.parts).flat_map(Part::steps);
    let title = document.procedures.iter().find(|procedure| named(&procedure.title)).map(|procedure| procedure.line);
    let command = || steps().flat_map(Step::commands).find(|command| named(&command.text)).map(|command| command.line);
    if let Some(line) = title.or_else(command) {
        let message = "Watchtower is archived since December 2025 and gets no more corrections; plan for another way to update containers.".to_owned();
        findings.push(finding(line, Level::Warning, "watchtower-archived", message));
    }
}

/// Compose files in different folders are different projects.
pub(super) fn projects(document: &Document, findings: &mut Vec<Finding>) {
    let mut used: Vec<(u32, String, String)> = Vec::new();
    for command in
        document.procedures.iter().flat_map(|procedure| &procedure.parts).flat_map(Part::steps).flat_map(Step::commands)
    {
        used.extend(
            words(command).iter().filter_map(|words| compose_file(words)).filter(|file| is_fixed(file, command)).map(
                |file| {
                    let folder =
                        file.rsplit_once('/').map_or(".", |(folder, _)| folder).trim_start_matches("./").to_owned();
                    (command.line, file, folder)
                },
            ),
        );
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for (_, _, folder) in &used {
        *counts.entry(folder.as_str()).or_insert(0) += 1;
    }
    let Some((usual, most)) = counts.iter().max_by_key(|(folder, count)| (**count, std::cmp::Reverse(**folder))) else {
        return;
    };
    for (line, file, folder) in used.iter().filter(|(_, _, folder)| folder != usual && *most > 1) {
        let message = format!(
            "{file} lies in {}, and the other compose files in {usual}: compose takes that for another project, with containers of its own; keep it in {usual}, or add -p.",
            if folder == "." { "the project's directory" } else { folder.as_str() }
        );
        findings.push(finding(*line, Level::Warning, "other-project", message));
    }
}

/// The compose file that a command names, when it names no project.
fn compose_file(words: &[Word]) -> Option<String> {
    let words = risk::unwrapped(words);
    let name = words.first()?.text.as_str();
    let compose = matches!(name, "docker-compose" | "podman-compose")
        || (name == "docker" && words.get(1).is_some_and(|word| word.text == "compose"));
    let named = words.iter().any(|word| matches!(word.text.as_str(), "-p" | "--project-name" | "--project-directory"));
    let file = words.windows(2).find(|pair| matches!(pair[0].text.as_str(), "-f" | "--file"))?;
    (compose && !named && !file[1].text.starts_with('$')).then(|| file[1].text.clone())
}

/// Whether no part of a file's name is a placeholder: a value may lie anywhere.
fn is_fixed(file: &str, command: &Command) -> bool {
    !command.placeholders.iter().any(|placeholder| file.contains(&placeholder.text))
}
