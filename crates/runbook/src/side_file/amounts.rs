//! Times, sizes and numbers of processes, as a side file writes them.

use super::table::{Findings, Table};

/// `90s`, `5m`, `2h`, `1d`, `500ms` in milliseconds.
pub(super) fn duration(text: &str, key: &str, line: u32, findings: &mut Findings) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok().filter(|number| *number > 0);
    let duration = factor.and_then(|factor| number?.checked_mul(factor));
    if duration.is_none() {
        let message = format!("The {key} {text} is no time, so it has no effect; write it as 90s, 5m, 2h or 1d.");
        findings.error(line, "bad-value", message);
    }
    duration
}

/// The fewest processes of a step: the shell, a pipeline, and a little room.
const FEWEST: i64 = 10;

pub(super) fn processes(table: &Table<'_>, findings: &mut Findings) -> Option<u32> {
    let number = table.number("processes", findings)?;
    let processes = u32::try_from(number).ok().filter(|_| number >= FEWEST);
    if processes.is_none() {
        let message = format!("processes = {number} has no effect; a step needs room for {FEWEST} at least.");
        findings.error(table.line, "bad-value", message);
    }
    processes
}

/// The smallest size that makes sense: a shell alone has some megabytes of memory.
const SMALLEST: u64 = 16 << 20;

/// `64MiB`, `512MiB`, `2GiB` in bytes.
pub(super) fn size_of(key: &str, table: &Table<'_>, findings: &mut Findings) -> Option<u64> {
    let text = table.text(key, findings)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "MiB" | "M" => Some(1 << 20),
        "GiB" | "G" => Some(1 << 30),
        _ => None,
    };
    let number = digits.trim().parse::<u64>().ok();
    let size = factor.and_then(|factor| number?.checked_mul(factor)).filter(|size| *size >= SMALLEST);
    if size.is_none() {
        let message =
            format!("The {key} {text} is no size, so it has no effect; write it as 64MiB or 2GiB, 16MiB at least.");
        findings.error(table.line, "bad-value", message);
    }
    size
}
