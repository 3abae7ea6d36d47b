//! A side file and its document put together: settings, parameters, placeholders, raised classes.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use domain::escalation::{Names, Rule};
use domain::run::ticks;
use domain::runbook::{
    Command, Document, Finding, Item, Level, Parameter, ParameterKind, ParameterScope, Part, PartContent, PartKind,
    Procedure, ProcedureSettings, Step, StepContent, StepKind, plain,
};
use regex::Regex;

use super::parameter::Declared;
use super::table::{Findings, nearest};
use super::{ProcedureEntry, Settings, SideFile, StepEntry, escalate};
use crate::parts::normal;
use crate::placeholder::{self, Declared as Filled, occurrences};
use crate::reader::finding;
use crate::risk::{self, Freedom};
use crate::shell::{Shell, assigned};

/// Writes what the side file says into the document, and the placeholders of every command. Returns the words that look
/// like placeholders and are none.
pub(crate) fn apply(document: &mut Document, side: Option<SideFile>, findings: &mut Vec<Finding>) -> Vec<String> {
    let Some(mut side) = side else {
        document.procedures.iter_mut().for_each(|procedure| drop(fill(procedure, &[], &[])));
        return Vec::new();
    };
    let Document { procedures, .. } = document;
    let entries = std::mem::take(&mut side.procedures);
    let mut of_procedure: HashMap<usize, ProcedureEntry> = HashMap::new();
    for entry in entries {
        match find(procedures.iter().map(|procedure| procedure.title.as_str()), &entry.title)
            .or_else(|| procedures.iter().position(|procedure| procedure.slug.as_str() == entry.title))
        {
            Some(index) => {
                of_procedure.insert(index, entry);
            }
            None => unmatched(
                &mut side.findings,
                entry.line,
                "unknown-procedure",
                "procedure",
                &entry.title,
                procedures.iter().map(|one| one.title.as_str()),
            ),
        }
    }
    let mut used = vec![false; side.parameters.len()];
    for (index, procedure) in procedures.iter_mut().enumerate() {
        findings.extend(one(procedure, of_procedure.remove(&index), &mut side, &mut used));
    }
    for (declared, used) in side.parameters.iter().zip(used) {
        if !used {
            unused(&mut side.findings, declared, document.procedures.iter());
        }
    }
    findings.extend(side.findings.found);
    side.literal
}

/// The place of a title among others: word by word, or without case and punctuation.
fn find<'t>(titles: impl Iterator<Item = &'t str> + Clone, wanted: &str) -> Option<usize> {
    let mut exact = titles.clone();
    exact.position(|title| title == wanted).or_else(|| {
        let wanted = normal(wanted);
        let mut titles = titles;
        titles.position(|title| normal(title) == wanted)
    })
}

fn unmatched<'t>(
    findings: &mut Findings,
    line: u32,
    code: &str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'t str>,
) {
    let hint = nearest(name, known)
        .map_or_else(|| "correct the name or remove it.".to_owned(), |near| format!("did you mean “{near}”?"));
    findings.warning(
        line,
        code,
        format!("The document has no {what} “{name}”, so what stands here has no effect; {hint}"),
    );
}

/// One procedure with its entry. Returns what there is to say about the document.
fn one(
    procedure: &mut Procedure,
    entry: Option<ProcedureEntry>,
    side: &mut SideFile,
    used: &mut [bool],
) -> Vec<Finding> {
    let findings = &mut side.findings;
    let mut settings = ProcedureSettings::default();
    merge(&side.settings, &mut settings);
    let mut parameters: Vec<Declared> = Vec::new();
    let mut own = Vec::new();
    let mut from_alert = Vec::new();
    if let Some(entry) = entry {
        merge(&entry.settings, &mut settings);
        settings.alerts = entry.alerts;
        from_alert = entry.from_alert;
        settings.retention = entry.retention;
        settings.schedule = entry.schedule;
        settings.contacts = contacts(&entry.contacts, &entry.escalate, procedure, findings);
        settings.escalate = escalate::bound(entry.escalate, &settings.contacts, findings);
        settings.outcome = outcome(entry.outcome, procedure, findings);
        own.extend(entry.parameters.into_iter().map(|declared| scoped(declared, ParameterScope::Procedure)));
        for step in entry.steps {
            own.extend(of_step(step, procedure, findings));
        }
    }
    for (declared, used) in side.parameters.iter().zip(used) {
        if occurs(&declared.parameter, procedure) {
            *used = true;
            if !own.iter().any(|inner| replaces(inner, declared)) {
                parameters.push(declared.clone());
            }
        }
    }
    for declared in &own {
        if !occurs(&declared.parameter, procedure) {
            unused(findings, declared, std::iter::once(&*procedure));
        }
    }
    parameters.extend(own);
    let parameters = each_name_once(parameters, procedure, findings);
    settings.parameters = parameters.into_iter().map(|declared| declared.parameter).collect();
    settings.from_alert = filled_by_alerts(from_alert, &settings, findings);
    let declared = settings.parameters.clone();
    procedure.settings = settings;
    fill(procedure, &declared, &side.literal)
}

fn merge(from: &Settings, into: &mut ProcedureSettings) {
    if let Some(targets) = &from.targets {
        into.targets.clone_from(targets);
    }
    if let Some(directory) = &from.directory {
        into.directory = Some(directory.clone());
    }
    if let Some(mask_files) = &from.mask_files {
        into.mask_files.clone_from(mask_files);
    }
    if let Some(visible_to) = &from.visible_to {
        into.visible_to = Some(visible_to.clone());
    }
    if let Some(pipefail) = from.pipefail {
        into.pipefail = pipefail;
    }
}

/// The parameters that a label of an alert fills. Whoever fires an alert writes its labels, so that only a parameter takes one that
/// says itself which values fit.
fn filled_by_alerts(
    entries: Vec<(u32, String, String)>,
    settings: &ProcedureSettings,
    findings: &mut Findings,
) -> Vec<(String, String)> {
    let mut filled = Vec::new();
    for (line, name, label) in entries {
        let Some(parameter) = settings.parameters.iter().find(|parameter| parameter.name == name) else {
            let known = settings.parameters.iter().map(|parameter| parameter.name.as_str());
            let hint = nearest(&name, known)
                .map_or_else(|| "correct the name or remove it.".to_owned(), |near| format!("did you mean {near}?"));
            let message = format!("There is no parameter {name} here, so that no label of an alert fills it; {hint}");
            findings.warning(line, "unknown-parameter", message);
            continue;
        };
        let why = match &parameter.kind {
            ParameterKind::Text { pattern: None } => "has no pattern, so that any text would fit; give it one",
            ParameterKind::Secret => "is a secret, which no alert fills; remove this",
            _ => {
                filled.push((name, label));
                continue;
            }
        };
        findings.error(line, "bad-value", format!("The parameter {name} takes no label of an alert: it {why}."));
    }
    filled
}

fn scoped(mut declared: Declared, scope: ParameterScope) -> Declared {
    declared.parameter.scope = scope;
    declared
}

/// Whom the side file binds. A contact is named by the lines of the escalation part, or by a rule of the side file.
fn contacts(
    entries: &[(u32, String, String)],
    rules: &[(u32, Rule)],
    procedure: &Procedure,
    findings: &mut Findings,
) -> Vec<(String, String)> {
    let names = Names::of(entries.iter().map(|(_, words, _)| words.as_str()));
    let lines = lines_of(procedure, PartKind::Escalation);
    let called: HashSet<usize> = lines.iter().flat_map(|line| names.in_text(line)).collect();
    let by_rule: HashSet<String> =
        rules.iter().flat_map(|(_, rule)| &rule.to).map(|words| words.to_lowercase()).collect();
    for (place, (line, words, _)) in entries.iter().enumerate() {
        if !called.contains(&place) && !by_rule.contains(&words.to_lowercase()) {
            let message = format!(
                "The escalation part of “{}” does not name “{words}”, so no line of it calls them; write the words that stand there, or name them in escalate.",
                procedure.title
            );
            findings.warning(*line, "unknown-contact", message);
        }
    }
    entries.iter().map(|(_, words, who)| (words.clone(), who.clone())).collect()
}

fn lines_of(procedure: &Procedure, kind: PartKind) -> Vec<String> {
    let mut lines = Vec::new();
    for part in procedure.parts.iter().filter(|part| part.kind == kind) {
        words_of_part(part, &mut |words| lines.push(words.trim().to_owned()));
    }
    lines
}

fn outcome(
    entries: Vec<(u32, String, domain::runbook::Check)>,
    procedure: &Procedure,
    findings: &mut Findings,
) -> Vec<(String, domain::runbook::Check)> {
    // What is ticked can be checked: the heading of lines, or a paragraph, is neither.
    let items: Vec<&Item> = procedure.outcome().collect();
    let lines: Vec<String> = ticks(items).into_iter().map(|item| plain(&item.words).trim().to_owned()).collect();
    let mut outcome: Vec<(String, domain::runbook::Check)> = Vec::new();
    for (line, words, check) in entries {
        match find(lines.iter().map(String::as_str), &words) {
            Some(index) if outcome.iter().any(|(bound, _)| *bound == lines[index]) => {
                let message = format!(
                    "The line \u{201c}{words}\u{201d} has a check already, so this one has no effect; remove it."
                );
                findings.error(line, "duplicate-check", message);
            }
            Some(index) => outcome.push((lines[index].clone(), check)),
            None => unmatched(
                findings,
                line,
                "unknown-outcome",
                "line of the expected outcome",
                &words,
                lines.iter().map(String::as_str),
            ),
        }
    }
    outcome
}

/// A step's entry: its settings go to the step, its parameters are returned with their scope.
fn of_step(entry: StepEntry, procedure: &mut Procedure, findings: &mut Findings) -> Vec<Declared> {
    let titles: Vec<String> = steps(procedure).map(|step| step.title.clone()).collect();
    let Some(index) = find(titles.iter().map(String::as_str), &entry.title) else {
        let what = format!("step in “{}” called", procedure.title);
        unmatched(findings, entry.line, "unknown-step", &what, &entry.title, titles.iter().map(String::as_str));
        return Vec::new();
    };
    let title = titles[index].clone();
    if titles.iter().filter(|other| normal(other) == normal(&title)).count() > 1 {
        let message = format!(
            "“{}” has several steps called “{title}”: the settings here are for the first of them, the parameters for all; give the steps different titles.",
            procedure.title
        );
        findings.warning(entry.line, "same-title", message);
    }
    let mut parameters: Vec<Declared> = entry
        .parameters
        .into_iter()
        .map(|declared| scoped(declared, ParameterScope::Step { step: title.clone() }))
        .collect();
    let Some(step) = steps_mut(procedure).nth(index) else { return parameters };
    let worst = step.commands().map(|command| command.risk).max().unwrap_or_default();
    step.settings = entry.settings;
    if step.settings.risk.is_some_and(|risk| risk < worst) {
        let message = format!(
            "The rules class this step as one that {}, and a side file can only raise that; remove the key.",
            worst.word()
        );
        findings.error(entry.line, "risk-lowered", message);
        step.settings.risk = None;
    }
    for command in entry.commands {
        let scope = ParameterScope::Command { step: title.clone(), command: command.number };
        let count = step.commands().count();
        let Some(found) = commands_mut(step).nth(command.number.saturating_sub(1) as usize) else {
            let message = format!(
                "The step “{title}” has {count} commands and no number {}, so what stands here has no effect.",
                command.number
            );
            findings.warning(command.line, "unknown-command", message);
            continue;
        };
        raise(found, command.risk, command.line, findings);
        parameters.extend(command.parameters.into_iter().map(|declared| scoped(declared, scope.clone())));
    }
    parameters
}

fn raise(command: &mut Command, risk: Option<domain::Risk>, line: u32, findings: &mut Findings) {
    let Some(risk) = risk else { return };
    if risk < command.risk {
        let message = format!(
            "The rules class this command as one that {}, and a side file can only raise that; remove the key.",
            command.risk.word()
        );
        findings.error(line, "risk-lowered", message);
    } else if risk > command.risk {
        command.reason = format!("the side file raises this command from {} to {}", command.risk.word(), risk.word());
        "side file".clone_into(&mut command.rule);
        command.risk = risk;
        command.raised = true;
    }
}

fn steps(procedure: &Procedure) -> impl Iterator<Item = &Step> {
    procedure.parts.iter().flat_map(Part::steps)
}

fn steps_mut(procedure: &mut Procedure) -> impl Iterator<Item = &mut Step> {
    procedure.parts.iter_mut().flat_map(|part| &mut part.content).filter_map(|content| match content {
        PartContent::Step { step } => Some(step),
        _ => None,
    })
}

fn commands_mut(step: &mut Step) -> impl Iterator<Item = &mut Command> {
    step.content.iter_mut().flat_map(|content| match content {
        StepContent::Block { block } => block.commands.as_mut_slice(),
        _ => &mut [],
    })
}

/// Whether a procedure's parameter stands for one of the whole document: the same name and the same words, another type.
fn replaces(inner: &Declared, outer: &Declared) -> bool {
    let (inner, outer) = (&inner.parameter, &outer.parameter);
    inner.scope == ParameterScope::Procedure && inner.name == outer.name && inner.placeholder == outer.placeholder
}

/// The first parameter of each name: a run has one value for it, and that value is judged by one type.
fn each_name_once(parameters: Vec<Declared>, procedure: &Procedure, findings: &mut Findings) -> Vec<Declared> {
    let mut kept: Vec<Declared> = Vec::with_capacity(parameters.len());
    for declared in parameters {
        let name = &declared.parameter.name;
        if kept.iter().any(|other| other.parameter.name == *name) {
            let message = format!(
                "“{}” already has a parameter {name} in an outer or earlier scope, so this one has no effect; give it a name of its own.",
                procedure.title
            );
            findings.error(declared.line, "duplicate-parameter", message);
        } else {
            kept.push(declared);
        }
    }
    kept
}

/// Whether a parameter's placeholder stands where the parameter holds.
fn occurs(parameter: &Parameter, procedure: &Procedure) -> bool {
    let placeholder = parameter.placeholder.as_str();
    let in_commands = steps(procedure).any(|step| {
        step.commands().zip(1_u32..).any(|(command, number)| {
            holds(&parameter.scope, &step.title, number) && !occurrences(&command.text, placeholder).is_empty()
        })
    });
    let wide =
        matches!(parameter.scope, ParameterScope::Document | ParameterScope::Procedure | ParameterScope::Step { .. });
    in_commands || (wide && in_prose(procedure, placeholder))
}

fn in_prose(procedure: &Procedure, placeholder: &str) -> bool {
    let mut found = false;
    for part in procedure.parts.iter().filter(|part| part.kind != PartKind::Stray) {
        words_of_part(part, &mut |words| found |= !occurrences(words, placeholder).is_empty());
    }
    found
}

fn holds(scope: &ParameterScope, title: &str, number: u32) -> bool {
    match scope {
        ParameterScope::Document | ParameterScope::Procedure => true,
        ParameterScope::Step { step } => step == title,
        ParameterScope::Command { step, command } => step == title && *command == number,
    }
}

fn unused<'p>(findings: &mut Findings, declared: &Declared, procedures: impl Iterator<Item = &'p Procedure>) {
    let placeholder = &declared.parameter.placeholder;
    let mut candidates: Vec<String> = Vec::new();
    for procedure in procedures {
        for command in steps(procedure).flat_map(Step::commands).take(2_000) {
            candidates
                .extend(placeholder::of_command(&command.text, &[], &[], &[]).into_iter().map(|found| found.text));
        }
    }
    let hint = nearest(placeholder, candidates.iter().map(String::as_str))
        .map_or_else(|| "correct it or remove the parameter.".to_owned(), |near| format!("did you mean “{near}”?"));
    let message = format!(
        "The placeholder “{placeholder}” of {} stands nowhere in its scope, so it fills nothing; {hint}",
        declared.parameter.name
    );
    findings.warning(declared.line, "unused-parameter", message);
}

static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)(?:^|[\s;(&|])(?:([A-Z_][A-Z0-9_]*)\+?=|(?:read|mapfile|readarray|getopts)\s[^;|&\n]*?\b([A-Z_][A-Z0-9_]*)|for\s+([A-Z_][A-Z0-9_]*)\s)")
        .expect("a fixed pattern")
});

/// Writes the placeholders of each command. Returns what is to be said about values that would be lost.
fn fill(procedure: &mut Procedure, parameters: &[Parameter], literal: &[String]) -> Vec<Finding> {
    let assigned: Vec<String> = steps(procedure)
        .flat_map(Step::commands)
        .flat_map(|command| ASSIGNED.captures_iter(&command.text))
        .filter_map(|found| found.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned()))
        .collect();
    let mut findings = Vec::new();
    for step in steps_mut(procedure) {
        let title = step.title.clone();
        // The portal itself does what `ssh HOST` says there.
        let connects = step.kind == StepKind::Connect;
        for (command, number) in commands_mut(step).zip(1_u32..) {
            let filled = in_scope(parameters, &title, number);
            command.placeholders = placeholder::of_command(&command.text, &filled, literal, &assigned);
            if !(connects && command.pipeline.first().is_some_and(|program| program == "ssh")) {
                findings.extend(raise_by_values(command, parameters));
            }
        }
        if !parameters.is_empty() {
            findings.extend(take_back(step));
        }
    }
    findings
}

/// A value may begin with a dash where the program reads an option, or choose its subcommand: then the command has the class of
/// the worst that it can become.
fn raise_by_values(command: &mut Command, parameters: &[Parameter]) -> Option<Finding> {
    let kind = |name: &str| parameters.iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.kind);
    let values: Vec<(&str, Freedom)> = command
        .placeholders
        .iter()
        .filter_map(|one| Some((one.text.as_str(), Freedom::of(kind(one.parameter.as_deref()?)?))))
        .collect();
    if values.is_empty() {
        return None;
    }
    let verdict = risk::classify_with(&command.text, &values);
    if verdict.risk <= command.risk {
        return None;
    }
    (command.risk, command.rule, command.reason) = (verdict.risk, verdict.rule, verdict.reason);
    command.raised = true;
    let message = format!(
        "With its values this command {}: {}. Give the parameter a pattern whose values cannot do that, write -- before the placeholder, or write it behind other text, as in ./VALUE or --name=VALUE.",
        command.risk.word(),
        command.reason
    );
    Some(finding(command.line, Level::Warning, "value-as-option", message))
}

/// The commands of a step share one shell. Where one of them sets a variable that has a parameter's name, the value would be
/// lost, so nothing fills that placeholder in the others; in the command itself the placing says so.
fn take_back(step: &mut Step) -> Vec<Finding> {
    let sets: Vec<(u32, Vec<String>)> = step.commands().map(|command| (command.line, sets(command))).collect();
    let mut findings = Vec::new();
    for command in commands_mut(step) {
        let line = command.line;
        for placeholder in &mut command.placeholders {
            let Some(name) = placeholder.parameter.clone() else { continue };
            let Some((at, _)) = sets.iter().find(|(_, names)| names.contains(&name)) else { continue };
            if *at != line {
                placeholder.parameter = None;
            }
            let message = format!(
                "This sets a variable called {name}, and so is the parameter that fills “{}” in this step: its value would be lost, so the command with it cannot start. Rename the parameter in the side file.",
                placeholder.text
            );
            findings.push(finding(*at, Level::Error, "captured-parameter", message));
        }
    }
    findings
}

/// The variables that a command sets.
pub(crate) fn sets(command: &Command) -> Vec<String> {
    Shell::parse(&command.text).map(|shell| assigned(&shell)).unwrap_or_default()
}

/// The parameters that hold for a command; of two for the same words the innermost.
pub(super) fn in_scope<'p>(parameters: &'p [Parameter], title: &str, number: u32) -> Vec<Filled<'p>> {
    let mut holding: Vec<&Parameter> =
        parameters.iter().filter(|parameter| holds(&parameter.scope, title, number)).collect();
    holding.sort_by(|one, other| other.scope.cmp(&one.scope));
    let mut filled: Vec<Filled<'p>> = Vec::new();
    for parameter in holding {
        if !filled.iter().any(|other| other.text == parameter.placeholder) {
            filled.push(Filled { text: &parameter.placeholder, parameter: &parameter.name });
        }
    }
    filled
}

/// Calls for the words of each paragraph, item and note of a part.
pub(crate) fn words_of_part(part: &Part, visit: &mut dyn FnMut(&str)) {
    for content in &part.content {
        match content {
            PartContent::Prose { prose } => words_of_prose(prose, visit),
            PartContent::Item { item } => words_of_item(item, visit),
            PartContent::Step { step } => {
                visit(&step.title);
                for content in &step.content {
                    match content {
                        StepContent::Prose { prose } => words_of_prose(prose, visit),
                        StepContent::Note { prose } => prose.iter().for_each(|prose| words_of_prose(prose, visit)),
                        StepContent::Item { item } => words_of_item(item, visit),
                        StepContent::Block { .. } => {}
                    }
                }
            }
        }
    }
}

fn words_of_item(item: &Item, visit: &mut dyn FnMut(&str)) {
    visit(&plain(&item.words));
    item.items.iter().for_each(|item| words_of_item(item, visit));
}

fn words_of_prose(prose: &domain::runbook::Prose, visit: &mut dyn FnMut(&str)) {
    use domain::runbook::Prose;
    match prose {
        Prose::Paragraph { words, .. } | Prose::Heading { words, .. } => visit(&plain(words)),
        Prose::List { items, .. } => items.iter().flatten().for_each(|prose| words_of_prose(prose, visit)),
        Prose::Quote { content, .. } => content.iter().for_each(|prose| words_of_prose(prose, visit)),
        Prose::Table { head, rows, .. } => {
            head.iter().chain(rows.iter().flatten()).for_each(|cell| visit(&plain(cell)));
        }
        Prose::Code { text, .. } => visit(text),
        Prose::Rule { .. } => {}
    }
}
