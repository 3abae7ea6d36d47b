//! `[procedure."Title"]`: its own keys, and the steps in it.

use domain::runbook::Schedule;
use domain::schedule::{Cron, Zone};

use super::check::check;
use super::settings::settings;
use super::step::step;
use super::table::{Findings, Table};
use super::{ProcedureEntry, SHARED, escalate, parameter};

pub(super) fn procedure(title: &str, table: &Table<'_>, findings: &mut Findings) -> ProcedureEntry {
    let own = ["alerts", "from_alert", "contacts", "escalate", "retention", "schedule", "outcome", "parameter", "step"];
    let known: Vec<&str> = SHARED.into_iter().chain(own).collect();
    table.only(&known, findings);
    ProcedureEntry {
        title: title.to_owned(),
        line: table.line,
        settings: settings(table, findings),
        alerts: table.texts("alerts", findings).unwrap_or_default(),
        from_alert: pairs("from_alert", table, findings),
        contacts: pairs("contacts", table, findings),
        escalate: escalate::read(table, findings),
        retention: retention(table, findings),
        schedule: table.table("schedule", findings).and_then(|schedule| self::schedule(&schedule, findings)),
        outcome: table
            .named("outcome", findings)
            .into_iter()
            .filter_map(|(words, table)| Some((table.line, words.to_owned(), check(&table, findings)?)))
            .collect(),
        parameters: parameter::all(table, findings),
        steps: table.named("step", findings).into_iter().map(|(title, table)| step(title, &table, findings)).collect(),
    }
}

/// A table of texts by name, with their lines.
fn pairs(key: &str, table: &Table<'_>, findings: &mut Findings) -> Vec<(u32, String, String)> {
    let Some(pairs) = table.table(key, findings) else { return Vec::new() };
    pairs
        .entries(findings)
        .into_iter()
        .filter_map(|(name, line, _)| Some((line, name.to_owned(), pairs.text(name, findings)?)))
        .collect()
}

fn retention(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let retention = table.text("retention", findings)?;
    let days = retention.strip_suffix('d').is_some_and(|days| days.parse::<u32>().is_ok_and(|days| days > 0));
    if days || retention == "forever" {
        return Some(retention);
    }
    let message =
        format!("The retention {retention} is not understood, so it has no effect; write forever, or days as 90d.");
    findings.error(table.line, "bad-value", message);
    None
}

fn schedule(table: &Table<'_>, findings: &mut Findings) -> Option<Schedule> {
    table.only(&["cron", "zone", "owner"], findings);
    let (cron, zone, owner) =
        (table.required("cron", findings), table.required("zone", findings), table.required("owner", findings));
    let (cron, zone, owner) = (cron?, zone?, owner?);
    let Some(due) = Cron::parse(&cron) else {
        let message = format!(
            "The schedule {cron} is no cron expression of five fields, so it has no effect; write one as \"0 9 * * *\"."
        );
        findings.error(table.line, "bad-value", message);
        return None;
    };
    if Zone::parse(&zone).is_none() {
        let message = format!(
            "The zone {zone} is no zone of the tz database, so the schedule has no effect; write one as \"Europe/Berlin\"."
        );
        findings.error(table.line, "bad-value", message);
        return None;
    }
    if !due.is_ever_due() {
        let message =
            format!("The schedule {cron} is never due: no month has such a day. Correct the day or the month.");
        findings.error(table.line, "never-due", message);
    }
    Some(Schedule { cron, zone, owner })
}
