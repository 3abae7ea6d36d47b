//! What the checks of a procedure ask, with the words that stand for values.

use domain::check::PlanCheck;
use domain::run::ticks;
use domain::runbook::{Check, Parameter, ParameterKind, Placeholder, Procedure, Step, plain};

use super::apply::in_scope;
use crate::bind::bind;
use crate::code::programs;
use crate::placeholder::{Declared, of_command};
use crate::risk::{Freedom, classify_with};

/// The checks of the expected outcome, by the numbers of the lines that are ticked.
pub fn checks_of_outcome(procedure: &Procedure) -> Vec<PlanCheck> {
    let lines: Vec<String> = ticks(procedure.outcome()).into_iter().map(|item| plain(&item.words)).collect();
    let number = |words: &str| (1..).zip(&lines).find(|(_, line)| line.trim() == words).map(|(number, _)| number);
    let bound = procedure.settings.outcome.iter();
    bound.filter_map(|(words, check)| Some(planned(number(words)?, check, procedure, ""))).collect()
}

/// The checks after a step, in order.
pub fn checks_after(procedure: &Procedure, step: &Step) -> Vec<PlanCheck> {
    let checks = (1..).zip(&step.settings.after);
    checks.map(|(number, check)| planned(number, check, procedure, &step.title)).collect()
}

/// The lines of a log that a pattern matches.
pub fn matching(pattern: &str, lines: &[String]) -> Vec<String> {
    // The side file was refused with a pattern that cannot be read: then there is no such check.
    let Ok(pattern) = regex::Regex::new(pattern) else { return Vec::new() };
    lines.iter().filter(|line| pattern.is_match(line)).cloned().collect()
}

fn planned(number: u32, check: &Check, procedure: &Procedure, step: &str) -> PlanCheck {
    let parameters = &procedure.settings.parameters;
    // What holds for one command alone holds for no check.
    let declared = in_scope(parameters, step, 0);
    let mut placeholders: Vec<Placeholder> = Vec::new();
    for text in texts(check) {
        // Words that nobody declared are the author's own here: the side file says what it means.
        let found = of_command(text, &declared, &[], &[]).into_iter().filter(|found| found.parameter.is_some());
        for placeholder in found {
            if !placeholders.contains(&placeholder) {
                placeholders.push(placeholder);
            }
        }
    }
    let (script, pipeline, wrong) = match check {
        Check::Command { run, .. } | Check::Log { run, .. } => {
            let (script, wrong) = scripted(run, &placeholders, parameters, &declared);
            (Some(script), programs(run), wrong)
        }
        _ => (None, Vec::new(), None),
    };
    let secret = secret(&placeholders, parameters);
    PlanCheck { number, check: check.clone(), placeholders, script, pipeline, blocked: secret.or(wrong) }
}

/// The texts of a check in which words may stand for a value.
fn texts(check: &Check) -> Vec<&str> {
    match check {
        Check::Http { url, .. } => vec![url.as_str()],
        Check::Command { run, .. } | Check::Log { run, .. } => vec![run.as_str()],
        Check::Container { container } => vec![container.as_str()],
        Check::Certificate { host, .. } => vec![host.as_str()],
        Check::Promql { url, query } => vec![url.as_str(), query.as_str()],
    }
}

/// The command for the shell, or why it cannot be asked.
fn scripted(
    run: &str,
    placeholders: &[Placeholder],
    parameters: &[Parameter],
    declared: &[Declared<'_>],
) -> (String, Option<String>) {
    let bindings: Vec<(&str, &str)> = placeholders
        .iter()
        .filter_map(|placeholder| Some((placeholder.text.as_str(), placeholder.parameter.as_deref()?)))
        .collect();
    let kind = |name: &str| parameters.iter().find(|parameter| parameter.name == name).map(|parameter| &parameter.kind);
    let values: Vec<(&str, Freedom)> = declared
        .iter()
        .filter(|declared| bindings.iter().any(|(text, _)| *text == declared.text))
        .filter_map(|declared| Some((declared.text, Freedom::of(kind(declared.parameter)?))))
        .collect();
    let verdict = classify_with(run, &values);
    if !values.is_empty() && verdict.risk > domain::Risk::Reads {
        let why = format!(
            "With its values the command of this check {}, and a check may only read: {}",
            verdict.risk.word(),
            verdict.reason
        );
        return (run.to_owned(), Some(why));
    }
    match bind(run, &bindings) {
        Ok(script) => (script, None),
        Err(error) => (run.to_owned(), Some(format!("A value cannot be placed in the command of this check: {error}"))),
    }
}

/// A check is given no secret: what it says is shown.
fn secret(placeholders: &[Placeholder], parameters: &[Parameter]) -> Option<String> {
    let is_secret = |name: &str| {
        parameters.iter().any(|parameter| parameter.name == name && parameter.kind == ParameterKind::Secret)
    };
    let found = placeholders.iter().find(|placeholder| placeholder.parameter.as_deref().is_some_and(is_secret))?;
    Some(format!("A check is given no secret, and \u{201c}{}\u{201d} stands for one", found.text))
}
