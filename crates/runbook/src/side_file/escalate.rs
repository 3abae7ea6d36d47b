//! `escalate`: which contacts are told when, beside what the escalation part itself says.

use domain::escalation::{Due, Rule};

use super::amounts::duration;
use super::table::{Findings, Table, as_table, nearest};

/// The rules of a procedure with their lines: one table, or a list of them.
pub(super) fn read(table: &Table<'_>, findings: &mut Findings) -> Vec<(u32, Rule)> {
    let Some(value) = table.get("escalate") else { return Vec::new() };
    let tables: Vec<Table<'_>> = match value.get_ref().as_array() {
        Some(list) => list.iter().filter_map(|value| as_table(value, "escalate", findings)).collect(),
        None => as_table(value, "escalate", findings).into_iter().collect(),
    };
    tables.iter().filter_map(|table| rule(table, findings)).collect()
}

fn rule(table: &Table<'_>, findings: &mut Findings) -> Option<(u32, Rule)> {
    table.only(&["after", "when", "to"], findings);
    let to = table.texts("to", findings).unwrap_or_default();
    let due = due(table, findings)?;
    if to.is_empty() {
        let message = "Nobody is named here, so nobody is told; add to = [\"…\"] with words of the contacts.";
        findings.error(table.line, "bad-value", message.to_owned());
        return None;
    }
    Some((table.line, Rule { due, to }))
}

fn due(table: &Table<'_>, findings: &mut Findings) -> Option<Due> {
    let message = match (table.text("after", findings), table.text("when", findings)) {
        (Some(after), None) => {
            let ms = duration(&after, "after", table.line, findings)?;
            return Some(Due::AfterWait { ms });
        }
        (None, Some(when)) => match when.as_str() {
            "start" => return Some(Due::AtStart),
            "failure" => return Some(Due::AfterFailure { steps: Vec::new() }),
            _ => format!("when = \"{when}\" is not understood, so nobody is told; write \"start\" or \"failure\"."),
        },
        _ => "An escalation has either after = \"15m\" or when = \"start\" or \"failure\", so nobody is told; write one of them."
            .to_owned(),
    };
    findings.error(table.line, "bad-value", message);
    None
}

/// The rules of a procedure, each with the words of its contacts as those are written there.
pub(super) fn bound(entries: Vec<(u32, Rule)>, contacts: &[(String, String)], findings: &mut Findings) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (line, rule) in entries {
        let mut to = Vec::new();
        for words in rule.to {
            let known = contacts.iter().map(|(known, _)| known);
            if let Some(known) = known.clone().find(|known| known.to_lowercase() == words.to_lowercase()) {
                to.push(known.clone());
                continue;
            }
            let hint = nearest(&words, known.map(String::as_str)).map_or_else(
                || "add it to contacts.".to_owned(),
                |near| format!("did you mean \u{201c}{near}\u{201d}?"),
            );
            let message = format!("No contact is called \u{201c}{words}\u{201d}, so nobody is told by it; {hint}");
            findings.warning(line, "unknown-contact", message);
        }
        if !to.is_empty() {
            rules.push(Rule { to, ..rule });
        }
    }
    rules
}
