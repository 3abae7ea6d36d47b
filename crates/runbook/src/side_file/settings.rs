//! The keys that a document and a procedure have in common.

use domain::policy::{GroupName, Groups};

use super::Settings;
use super::table::{Findings, Table};

pub(super) fn settings(table: &Table<'_>, findings: &mut Findings) -> Settings {
    let one = table.text("target", findings).map(|target| vec![target]);
    let several = table.texts("targets", findings);
    if one.is_some() && several.is_some() {
        findings.warning(table.line, "bad-value", "Both target and targets are given here; targets counts.".to_owned());
    }
    let shell = table.table("shell", findings);
    let pipefail = shell.and_then(|shell| {
        shell.only(&["pipefail"], findings);
        shell.flag("pipefail", findings)
    });
    Settings {
        targets: several.or(one),
        directory: directory(table, findings),
        mask_files: table.texts("mask_files", findings),
        visible_to: visible_to(table, findings),
        pipefail,
    }
}

/// The groups to which it is limited. A mistake here never shows more: who is meant is not known, so that nobody sees it but
/// administrators.
fn visible_to(table: &Table<'_>, findings: &mut Findings) -> Option<Groups> {
    let value = table.get("visible_to")?;
    let line = findings.line(value.span().start);
    let Some(names) = value.get_ref().as_array() else {
        let is = value.get_ref().type_str();
        let message = format!(
            "The key visible_to takes a list of groups, as [\"platform\"], not {is}; until it is corrected only administrators \
             see what it is about."
        );
        findings.error(line, "wrong-type", message);
        return Some(Groups::new());
    };
    let mut groups = Groups::new();
    for name in names {
        let text = name.get_ref().as_str().unwrap_or_default();
        if let Some(group) = GroupName::parse(text) {
            groups.insert(group);
        } else {
            let line = findings.line(name.span().start);
            findings.error(line, "bad-value", no_group(text));
        }
    }
    Some(groups)
}

fn no_group(text: &str) -> String {
    format!(
        "“{text}” is no name of a group, so nobody sees this by it; a name has 1 to {} lower-case letters, digits, hyphens and \
         underscores.",
        GroupName::LONGEST
    )
}

pub(super) fn directory(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let directory = table.text("directory", findings)?;
    if directory.starts_with('/') {
        return Some(directory);
    }
    findings.error(
        table.line,
        "bad-value",
        format!("The directory {directory} is not absolute, so it has no effect; begin it with /."),
    );
    None
}
