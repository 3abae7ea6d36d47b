//! A check as a side file writes it: what it asks, and whether it only reads.

use domain::Risk;
use domain::runbook::Check;

use super::amounts::duration;
use super::parameter;
use super::table::{self, Findings, Table};

const CHECKS: [&str; 6] = ["http", "command", "container", "log", "certificate", "promql"];

pub(super) fn check(table: &Table<'_>, findings: &mut Findings) -> Option<Check> {
    let kind = table.required("check", findings)?;
    let mut keys = |known: &[&str]| table.only(known, findings);
    match kind.as_str() {
        "http" => keys(&["check", "url", "expect"]),
        "command" => keys(&["check", "run", "expect"]),
        "container" => keys(&["check", "container"]),
        "log" => keys(&["check", "run", "pattern", "window"]),
        "certificate" => keys(&["check", "host", "days"]),
        "promql" => keys(&["check", "url", "query"]),
        _ => {}
    }
    match kind.as_str() {
        "http" => {
            let expect = table.number("expect", findings).unwrap_or(200);
            let expect = in_range::<u16>(expect, "expect", table.line, findings)?;
            Some(Check::Http { url: url(table, findings)?, expect })
        }
        "command" => {
            let expect = table.number("expect", findings).unwrap_or(0);
            let expect = in_range::<i32>(expect, "expect", table.line, findings)?;
            Some(Check::Command { run: reading(table, findings)?, expect })
        }
        "container" => Some(Check::Container { container: table.required("container", findings)? }),
        "log" => {
            let window = table.text("window", findings).unwrap_or_else(|| "5m".to_owned());
            let window_ms = duration(&window, "window", table.line, findings)?;
            let window_ms = bounded_window(window_ms, table.line, findings)?;
            let pattern = table.required("pattern", findings)?;
            parameter::expression(&pattern, table.line, findings)?;
            Some(Check::Log { run: reading(table, findings)?, pattern, window_ms })
        }
        "certificate" => {
            let days = in_range::<u32>(table.number("days", findings).unwrap_or(14), "days", table.line, findings)?;
            Some(Check::Certificate { host: table.required("host", findings)?, days })
        }
        "promql" => Some(Check::Promql { url: url(table, findings)?, query: table.required("query", findings)? }),
        other => {
            let hint = table::nearest(other, CHECKS)
                .map_or_else(|| format!("known are {}", CHECKS.join(", ")), |near| format!("did you mean {near}?"));
            findings.error(
                table.line,
                "bad-value",
                format!("The check {other} is not known, so it has no effect; {hint}"),
            );
            None
        }
    }
}

/// Longer than that nobody waits for the end of a run.
const LONGEST_WINDOW_MS: u64 = 3_600_000;

fn bounded_window(window_ms: u64, line: u32, findings: &mut Findings) -> Option<u64> {
    let fits = window_ms <= LONGEST_WINDOW_MS;
    if !fits {
        let message = "A window is an hour at most, so the check has no effect; write a shorter one, as 5m.".to_owned();
        findings.error(line, "bad-value", message);
    }
    fits.then_some(window_ms)
}

fn in_range<T: TryFrom<i64>>(number: i64, key: &str, line: u32, findings: &mut Findings) -> Option<T> {
    let fitting = T::try_from(number).ok();
    if fitting.is_none() {
        findings.error(
            line,
            "bad-value",
            format!("The number {number} is out of range for {key}, so the check has no effect."),
        );
    }
    fitting
}

fn url(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let url = table.required("url", findings)?;
    if url.starts_with("http://") || url.starts_with("https://") {
        return Some(url);
    }
    findings.error(
        table.line,
        "bad-value",
        format!("The address {url} does not begin with http:// or https://, so the check has no effect."),
    );
    None
}

/// The command of a check: it may only read.
fn reading(table: &Table<'_>, findings: &mut Findings) -> Option<String> {
    let run = table.required("run", findings)?;
    let verdict = crate::risk::classify(&run);
    if verdict.risk == Risk::Reads {
        return Some(run);
    }
    let message = format!(
        "A check may only read, and “{}” makes this command one that {} ({}), so the check has no effect.",
        verdict.rule,
        verdict.risk.word(),
        verdict.reason
    );
    findings.error(table.line, "check-not-reading", message);
    None
}
