//! What a person is told about a value that does not fit its parameter.

use std::collections::BTreeMap;

use domain::plan::{Plan, PlanParameter};
use domain::runbook::{ParameterKind, Placeholder};
use runbook::Misfit;

/// The values that do not fit, each with the reason. Names that the plan does not know are the gate's business.
pub fn misfits(plan: &Plan, values: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let why = |name, value| {
        let parameter = plan.parameter(name)?;
        misfit(parameter, value).or_else(|| option(plan, parameter, value))
    };
    values.iter().filter_map(|(name, value)| Some((name.clone(), why(name, value)?))).collect()
}

/// Why a free text that begins with a hyphen is not taken: some program of the plan would read it as an option. A side file that
/// means it says so with a pattern.
fn option(plan: &Plan, parameter: &PlanParameter, value: &str) -> Option<String> {
    if parameter.kind != (ParameterKind::Text { pattern: None }) || !value.starts_with('-') {
        return None;
    }
    let commands = plan.steps.iter().flat_map(|step| &step.commands);
    let program = commands.into_iter().find_map(|command| {
        let filled = |placeholder: &&Placeholder| placeholder.parameter.as_ref() == Some(&parameter.name);
        command.placeholders.iter().filter(filled).find_map(|filled| runbook::option_of(&command.text, &filled.text))
    })?;
    Some(format!("a value that begins with a hyphen would be an option to {program}, not a value; write it without"))
}

fn misfit(parameter: &PlanParameter, value: &str) -> Option<String> {
    Some(match runbook::misfit(&parameter.kind, value)? {
        Misfit::Form(expected) => with_example(expected, parameter),
        Misfit::Pattern(pattern) => expected(parameter, &pattern),
    })
}

/// What a text should be: in the words of the side file, and in its pattern only where there are no words.
fn expected(parameter: &PlanParameter, pattern: &str) -> String {
    let help = parameter.help.as_deref().map(|help| help.trim().trim_end_matches('.'));
    match (help.filter(|help| !help.is_empty()), &parameter.example) {
        (Some(help), _) => with_example(format!("this value is not taken. {help}"), parameter),
        (None, Some(_)) => with_example("this value is not taken".to_owned(), parameter),
        (None, None) => format!("this value is not taken; the whole of it has to match the pattern {pattern}"),
    }
}

fn with_example(expected: String, parameter: &PlanParameter) -> String {
    match &parameter.example {
        Some(example) => format!("{expected}; one that fits is {example}"),
        None => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterKind, help: Option<&str>, example: Option<&str>) -> PlanParameter {
        PlanParameter {
            name: "backup_file".to_owned(),
            placeholder: "VALUE".to_owned(),
            kind,
            default: None,
            help: help.map(str::to_owned),
            example: example.map(str::to_owned),
        }
    }

    fn text() -> ParameterKind {
        ParameterKind::Text { pattern: Some("[a-z]{2,}".to_owned()) }
    }

    #[test]
    fn a_misfit_is_explained_in_the_words_of_the_side_file() {
        let told = misfit(&parameter(text(), Some("Lower-case letters, two or more."), Some("web")), "A").unwrap();

        assert_eq!(told, "this value is not taken. Lower-case letters, two or more; one that fits is web");
    }

    #[test]
    fn a_pattern_is_shown_only_where_there_are_no_words() {
        let told = |help, example| misfit(&parameter(text(), help, example), "A").unwrap();

        assert_eq!(told(None, Some("web")), "this value is not taken; one that fits is web");
        assert!(!told(Some("Two letters."), None).contains("[a-z]"));
        assert_eq!(told(None, None), "this value is not taken; the whole of it has to match the pattern [a-z]{2,}");
    }

    #[test]
    fn a_rule_of_the_portal_comes_with_the_example() {
        let kind = ParameterKind::Path { root: Some("/srv/backups".to_owned()) };
        let told = misfit(&parameter(kind, Some("Where it is."), Some("/srv/backups/a")), "/etc").unwrap();

        assert_eq!(told, "the path has to lie beneath /srv/backups/; one that fits is /srv/backups/a");
    }

    #[test]
    fn a_value_that_fits_is_no_misfit() {
        assert_eq!(misfit(&parameter(text(), None, None), "web"), None);
    }

    #[test]
    fn a_free_text_is_no_option_of_the_program_that_gets_it() {
        let told = |plan: &Plan, value: &str| misfits(plan, &[("branch".to_owned(), value.to_owned())].into());
        let mut plan = testkit::plan();

        let refused = told(&plan, "--output=/etc/passwd");
        let fits = told(&plan, "main -x");
        plan.parameters[0].kind = ParameterKind::Text { pattern: Some("--[a-z]+".to_owned()) };
        let meant = told(&plan, "--all");

        let why = "a value that begins with a hyphen would be an option to git, not a value; write it without";
        assert_eq!(refused, [("branch".to_owned(), why.to_owned())]);
        assert_eq!((fits, meant), (Vec::new(), Vec::new()));
    }
}
