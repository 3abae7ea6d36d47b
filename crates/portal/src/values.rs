//! Whether a value fits its parameter.

use std::collections::BTreeMap;

use domain::plan::{Plan, PlanParameter};
use domain::runbook::ParameterKind;
use regex::Regex;

/// The values that do not fit, each with the reason. Names that the plan does not know are the gate's business.
pub fn misfits(plan: &Plan, values: &BTreeMap<String, String>) -> Vec<(String, String)> {
    values.iter().filter_map(|(name, value)| Some((name.clone(), misfit(plan.parameter(name)?, value)?))).collect()
}

fn misfit(parameter: &PlanParameter, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("a value is missing".to_owned());
    }
    match &parameter.kind {
        ParameterKind::Text { pattern } => pattern.as_deref().and_then(|pattern| unlike(pattern, value)),
        ParameterKind::Number { min, max } => outside(*min, *max, value),
        ParameterKind::Choice { choices } => {
            (!choices.iter().any(|choice| choice == value)).then(|| format!("choose one of {}", choices.join(", ")))
        }
        ParameterKind::Path { root } => off_root(root.as_deref().unwrap_or("/"), value),
        ParameterKind::BackupFile { root, .. } => off_root(root, value),
        ParameterKind::Secret => Some("a secret is named in the portal's configuration and never typed".to_owned()),
        ParameterKind::ComposeService { .. }
        | ParameterKind::Container
        | ParameterKind::Image
        | ParameterKind::GitRevision => unlike("[A-Za-z0-9][A-Za-z0-9._/:@-]*", value),
    }
}

fn unlike(pattern: &str, value: &str) -> Option<String> {
    match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) if regex.is_match(value) => None,
        Ok(_) => Some(format!("the value has to look like {pattern}")),
        Err(_) => Some(format!("the pattern {pattern} of the side file cannot be read, so no value fits it")),
    }
}

fn outside(min: Option<i64>, max: Option<i64>, value: &str) -> Option<String> {
    let Ok(number) = value.parse::<i64>() else { return Some("write a whole number".to_owned()) };
    match (min, max) {
        (Some(min), _) if number < min => Some(format!("{min} is the smallest")),
        (_, Some(max)) if number > max => Some(format!("{max} is the largest")),
        _ => None,
    }
}

/// A path must be absolute, without `..`, and beneath its root. Links are the target's business: a path is only text here.
fn off_root(root: &str, value: &str) -> Option<String> {
    let root = root.trim_end_matches('/');
    if !value.starts_with('/') {
        return Some("write an absolute path, beginning with /".to_owned());
    }
    if value.split('/').any(|part| part == "..") {
        return Some("a path cannot contain ..".to_owned());
    }
    let beneath = value == root || value.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
    (!beneath).then(|| format!("the path has to lie in {root}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(kind: ParameterKind, value: &str) -> Option<String> {
        let parameter = PlanParameter {
            name: "value".to_owned(),
            placeholder: "VALUE".to_owned(),
            kind,
            default: None,
            help: None,
            example: None,
        };
        misfit(&parameter, value)
    }

    #[test]
    fn a_text_matches_its_pattern_as_a_whole() {
        let kind = || ParameterKind::Text { pattern: Some("a|b".to_owned()) };

        assert_eq!(judged(kind(), "a"), None);
        assert_eq!(judged(kind(), "ab").unwrap(), "the value has to look like a|b");
        assert_eq!(judged(kind(), "a\n").unwrap(), "the value has to look like a|b");
        assert!(judged(ParameterKind::Text { pattern: Some("(".to_owned()) }, "a").is_some());
        assert_eq!(judged(ParameterKind::Text { pattern: None }, "anything; $(at all)"), None);
    }

    #[test]
    fn a_path_stays_beneath_its_root() {
        let kind = || ParameterKind::Path { root: Some("/srv/backups/".to_owned()) };

        assert_eq!(judged(kind(), "/srv/backups/a.dump"), None);
        for outside in ["srv/backups/a", "/srv/backups/../x", "/srv/backupsx/a", "/etc/passwd"] {
            assert!(judged(kind(), outside).is_some(), "{outside}");
        }
        assert_eq!(judged(ParameterKind::Path { root: None }, "/anywhere"), None);
    }

    #[test]
    fn choices_and_numbers_are_exact() {
        let choice = || ParameterKind::Choice { choices: vec!["red".to_owned(), "blue".to_owned()] };
        let number = || ParameterKind::Number { min: Some(1), max: Some(3) };

        assert_eq!(judged(choice(), "red"), None);
        assert_eq!(judged(choice(), "green").unwrap(), "choose one of red, blue");
        assert_eq!(judged(number(), "2"), None);
        assert_eq!(judged(number(), "4").unwrap(), "3 is the largest");
        assert_eq!(judged(number(), "two").unwrap(), "write a whole number");
        assert!(judged(ParameterKind::Secret, "hunter2").is_some());
        assert_eq!(judged(choice(), "").unwrap(), "a value is missing");
    }
}
