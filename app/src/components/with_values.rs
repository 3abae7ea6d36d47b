//! A command to be pasted into a shell, for the day when the portal cannot reach a host: folder, values, command.

use std::collections::{BTreeMap, BTreeSet};

use domain::plan::PlanCommand;

/// The command as it will run, with a line above it for the folder and for each of its values.
///
/// A value that is not known yet is given the document's own words for it: an empty variable could make the command
/// do something else.
pub fn with_values(command: &PlanCommand, values: &BTreeMap<String, String>, directory: Option<&str>) -> String {
    let mut lines: Vec<String> = directory.map(|directory| format!("cd {}", quoted(directory))).into_iter().collect();
    let mut given = BTreeSet::new();
    for placeholder in &command.placeholders {
        let Some(name) = &placeholder.parameter else { continue };
        if given.insert(name) {
            let value = values.get(name).unwrap_or(&placeholder.text);
            lines.push(format!("{name}={}", quoted(value)));
        }
    }
    lines.push(command.script.clone());
    lines.join("\n")
}

/// A word of the shell that stands for exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use domain::Risk;
    use domain::runbook::Placeholder;

    use super::*;

    fn command(script: &str, placeholders: &[(&str, Option<&str>)]) -> PlanCommand {
        let placeholders = placeholders
            .iter()
            .map(|(text, name)| Placeholder { text: (*text).to_owned(), parameter: name.map(str::to_owned) })
            .collect();
        PlanCommand {
            text: script.to_owned(),
            script: script.to_owned(),
            label: None,
            risk: Risk::Reads,
            rule: String::new(),
            reason: String::new(),
            lowered: None,
            watch: false,
            screen: false,
            choice: None,
            placeholders,
            pipeline: Vec::new(),
            by_portal: None,
            blocked: None,
            exports: Vec::new(),
        }
    }

    #[test]
    fn what_is_copied_is_what_is_shown_with_its_values_above_it() {
        let command = command(
            "ls -l \"$folder\" \"$folder/new\"",
            &[("/path/to/backups", Some("folder")), ("backups", Some("folder"))],
        );
        let values = BTreeMap::from([("folder".to_owned(), "/srv/o'brien".to_owned())]);

        let copied = with_values(&command, &values, Some("/srv/app"));

        assert_eq!(copied, "cd '/srv/app'\nfolder='/srv/o'\\''brien'\nls -l \"$folder\" \"$folder/new\"");
    }

    #[test]
    fn a_value_that_is_not_known_is_never_empty() {
        let command = command("rm -r \"$folder\"/old", &[("/path/to/backups", Some("folder"))]);

        let copied = with_values(&command, &BTreeMap::new(), None);

        assert_eq!(copied, "folder='/path/to/backups'\nrm -r \"$folder\"/old");
    }

    #[test]
    fn a_command_without_values_is_copied_as_it_is() {
        let copied = with_values(&command("uptime", &[("HOST", None)]), &BTreeMap::new(), None);

        assert_eq!(copied, "uptime");
    }
}
