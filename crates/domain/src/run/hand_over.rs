//! What somebody has to know who is called into a run: which procedure, where it stands, what was done and how it ended.
//!
//! Values of parameters stand apart: not every channel tells them. Secrets have none.

use std::fmt::Write as _;

use super::course::course_words;
use super::request::RequestStatus;
use super::state::{Run, StepStatus};
use crate::plan::PlanStep;
use crate::runbook::PartKind;
use crate::text::one_line;
use crate::{Timestamp, time};

/// The longest titles and reasons, in characters.
const TITLE: usize = 120;
const REASON: usize = 400;

/// The longest value, in characters.
const VALUE: usize = 200;

/// Steps that are listed, by their number and by their bytes together; more are counted. With the rest of a hand-over they are
/// less than a text may have.
const STEPS: usize = 60;
const STEP_BYTES: usize = 8 * 1024;

/// Requests that are listed, and exit codes of a step; more are counted.
const REQUESTS: usize = 10;
const CODES: usize = 10;

/// The hand-over of a run as it stands at a moment, without a value of a parameter: lines of plain text.
pub fn hand_over(run: &Run, now: Timestamp) -> String {
    let title = one_line(&run.plan.title, TITLE);
    let mut text = format!("Run {}: {title} on {}\n", run.id, run.plan.target.name);
    // Writing to a string does not fail.
    let _ = writeln!(text, "Started by {}, {}", run.started.by.name_and_token(), run.started.at.absolute());
    if !run.reason.is_empty() {
        let _ = writeln!(text, "Reason: {}", one_line(&run.reason, REASON));
    }
    let _ = writeln!(text, "Works in it: {}, since {}", run.holder.by.name_and_token(), run.holder.at.absolute());
    let course = run.course();
    let _ = writeln!(text, "Where it stands: {}", course_words(&course));
    if let Some((step, plan)) = run.stands_at().and_then(|step| Some((step, run.plan.step(step)?))) {
        let _ = writeln!(text, "Now: {}, {}", named(plan), run.status(step).word());
    }
    text += &waiting_requests(run, now);
    let begun: Vec<u32> = course.iter().filter(|leg| leg.status != StepStatus::Waiting).map(|leg| leg.step).collect();
    if !begun.is_empty() {
        text.push_str("Steps:\n");
        text += &begun_steps(run, &begun);
    }
    text
}

/// A line for each request that waits for a decision.
fn waiting_requests(run: &Run, now: Timestamp) -> String {
    let requests = (1_u32..).zip(&run.requests);
    let waiting = requests.filter(|(_, request)| run.request_status(request, now) == RequestStatus::Waiting);
    let mut lines: Vec<String> = waiting
        .map(|(number, request)| {
            let (asked, until) = (request.asked.at.absolute(), request.expires.absolute());
            format!("Waits for a decision: request {}-{number}, asked {asked}, until {until}\n", run.id)
        })
        .collect();
    if lines.len() > REQUESTS {
        let more = time::counted((lines.len() - REQUESTS) as u64, "more request");
        lines.truncate(REQUESTS);
        lines.push(format!("Waits for a decision: {more}\n"));
    }
    lines.concat()
}

/// A line for each of these steps.
fn begun_steps(run: &Run, steps: &[u32]) -> String {
    let mut text = String::new();
    for (listed, step) in steps.iter().enumerate() {
        let line = format!("- {}\n", step_line(run, *step));
        if listed == STEPS || text.len() + line.len() > STEP_BYTES {
            let more = time::counted((steps.len() - listed) as u64, "more step");
            return format!("{text}- and {more}\n");
        }
        text.push_str(&line);
    }
    text
}

/// The values of a run, a line each. A secret is only named.
pub fn values_to_hand_over(run: &Run) -> Vec<String> {
    let line = |name: &str, label: String| match run.values.get(name) {
        _ if run.plan.is_secret(name) => format!("{label}: a secret"),
        Some(value) => format!("{label}: {}", one_line(value, VALUE)),
        None => format!("{label}: open"),
    };
    run.plan.parameters.iter().map(|parameter| line(&parameter.name, parameter.label())).collect()
}

/// `step 3, “Restore database”`
fn named(plan: &PlanStep) -> String {
    let title = one_line(&plan.title, TITLE);
    match plan.part {
        _ if plan.ad_hoc.is_some() => format!("added step \u{201c}{title}\u{201d}"),
        PartKind::Rollback => format!("rollback step {}, \u{201c}{title}\u{201d}", plan.number),
        _ => format!("step {}, \u{201c}{title}\u{201d}", plan.number),
    }
}

/// `step 3, “Restore database”: failed, exit codes 0, 1`
fn step_line(run: &Run, step: u32) -> String {
    let name = run.plan.step(step).map_or_else(String::new, named);
    let commands = run.step(step).map_or(&[][..], |state| &state.commands);
    let codes: Vec<String> = commands
        .iter()
        .filter_map(|command| Some(command.last_end()?.code.map_or_else(|| "?".to_owned(), |code| code.to_string())))
        .collect();
    let codes = match codes.as_slice() {
        [] => String::new(),
        [code] => format!(", exit code {code}"),
        codes if codes.len() > CODES => {
            format!(", the last {CODES} of {} exit codes {}", codes.len(), codes[codes.len() - CODES..].join(", "))
        }
        codes => format!(", exit codes {}", codes.join(", ")),
    };
    format!("{name}: {}{codes}", run.status(step).word())
}
