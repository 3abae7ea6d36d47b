//! What happened in a run, one sentence per event, in order: told from the state, which keeps who and when.

use domain::attempt::AttemptResult;
use domain::check::Held;
use domain::plan::PlanStep;
use domain::run::{
    Attempt, AttemptEnding, Change, ChangeKind, CheckRecord, CommandState, EscalationRecord, Redaction, RedactionEnd,
    Request, RequestEnd, Run, StepState, StepStatus, Tick, Verdict, ticks,
};
use domain::runbook::{PartKind, plain};
use domain::{Timestamp, time};

/// The sign beside a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Something began.
    Began,
    /// A step or an attempt stands so.
    Stands(StepStatus),
    /// Somebody wrote a note.
    Noted,
    /// The run was closed.
    Closed(Verdict),
}

/// One moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// The sign.
    pub mark: Mark,
    /// What happened.
    pub words: String,
    /// More about it.
    pub more: Option<String>,
}

/// The moments of a run, oldest first.
pub fn timeline(run: &Run) -> Vec<Moment> {
    let mut moments =
        vec![moment(run.started.at, Mark::Began, format!("{} started the run", run.started.by.name()), reason(run))];
    for (plan, state) in run.plan.steps.iter().zip(&run.steps) {
        moments.extend(step_moments(plan, state));
    }
    for (item, tick) in ticks(&run.plan.outcome).into_iter().zip(&run.outcome) {
        moments.extend(tick.as_ref().map(|tick| ticked(tick, &plain(&item.words))));
    }
    moments.extend(run.checks.iter().flat_map(|record| check_moments(run, record)));
    moments.extend(run.values_set.iter().map(|set| {
        let words = format!("{} set {}", set.stamp.by.name(), set.name.replace('_', " "));
        moment(set.stamp.at, Mark::Noted, words, Some(set.value.clone()))
    }));
    moments.extend(run.notes.iter().map(|note| {
        moment(note.stamp.at, Mark::Noted, format!("{} noted", note.stamp.by.name()), Some(note.text.clone()))
    }));
    moments.extend((1..).zip(&run.requests).flat_map(|(number, request)| request_moments(run, number, request)));
    if let Some((stamp, reason)) = &run.outage {
        let words = format!("{} went on into the outage before the approval of a later step", stamp.by.name());
        moments.push(moment(stamp.at, Mark::Noted, words, Some(reason.clone())));
    }
    moments.extend(run.numbered_redactions().flat_map(|(number, redaction)| redaction_moments(run, number, redaction)));
    moments.extend(run.escalations.iter().map(|record| escalation_moment(run, record)));
    moments.extend(run.changes.iter().map(|change| change_moment(run, change)));
    if let Some(end) = &run.end {
        let words = format!("{} closed the run: {}", end.stamp.by.name(), end.verdict.word());
        moments.push(moment(end.stamp.at, Mark::Closed(end.verdict), words, None));
    }
    moments.sort_by_key(|moment| moment.at);
    moments
}

/// What was checked and what came of it, and who overruled it.
fn check_moments(run: &Run, record: &CheckRecord) -> Vec<Moment> {
    let (by, name) = (record.started.by.name(), run.check_name(record.check));
    let answered = match &record.end {
        Some((at, end)) => {
            let status = match end.held {
                Held::Yes => StepStatus::Done,
                Held::No => StepStatus::Failed,
                Held::Unknown => StepStatus::Interrupted,
            };
            let words = format!("{by} checked \u{201c}{name}\u{201d}: {}", end.held.word());
            moment(*at, Mark::Stands(status), words, Some(end.sentence.clone()))
        }
        None => {
            moment(record.started.at, Mark::Began, format!("{by} asked whether \u{201c}{name}\u{201d} holds"), None)
        }
    };
    let overruled = record.overruled.as_ref().map(|tick| {
        let words = format!("{} overruled the check of \u{201c}{name}\u{201d}", tick.stamp.by.name());
        moment(tick.stamp.at, Mark::Stands(StepStatus::Skipped), words, Some(tick.note.clone()))
    });
    std::iter::once(answered).chain(overruled).collect()
}

/// Who was called, by whom or by which line of the procedure, and by which ways.
fn escalation_moment(run: &Run, record: &EscalationRecord) -> Moment {
    let words = format!("{} {} {}", record.by(), record.did(), record.titles_and_ways());
    moment(record.stamp.at, Mark::Noted, words, Some(run.because_words(record.line, record.because)))
}

fn change_moment(run: &Run, change: &Change) -> Moment {
    let (by, target) = (change.stamp.by.name(), &run.plan.target.name);
    let (words, more) = match &change.kind {
        ChangeKind::TakenOver { reason } => (format!("{by} took the run over"), Some(reason.clone())),
        ChangeKind::LockTaken { from: None, .. } => (format!("the run took the lock of {target}"), None),
        ChangeKind::LockTaken { from: Some(from), reason } => {
            (format!("{by} took the lock of {target} from run {from}"), Some(reason.clone()))
        }
        ChangeKind::LockLost { to, by, reason } => {
            (format!("{by} took the lock of {target} for run {to}"), Some(reason.clone()))
        }
        ChangeKind::DirectorySet { path, step } => {
            let alone = step.and_then(|step| run.plan.step(step)).map(|plan| in_sentence(&step_name(plan)));
            let of = alone.map_or_else(String::new, |step| format!(" of {step} alone"));
            (format!("{by} set the directory{of}"), Some(path.clone()))
        }
        ChangeKind::StepAdded { step } => {
            let title = run.plan.step(*step).map(|plan| plan.title.clone());
            (format!("{by} added a step that is not in the document"), title)
        }
        ChangeKind::InputSent { step, command, key } => {
            let what = key.map_or("a line", domain::attempt::Key::word);
            let step = run.plan.step(*step).map_or_else(String::new, |plan| in_sentence(&step_name(plan)));
            (format!("{by} sent {what} to command {command} of {step}"), None)
        }
        ChangeKind::KeysTyped { step, command, bytes, until, .. } => {
            let step = run.plan.step(*step).map_or_else(String::new, |plan| in_sentence(&step_name(plan)));
            let until = until.since(change.stamp.at);
            let words = format!("{by} typed {} with the keyboard into command {command} of {step}", time::size(*bytes));
            (words, (until >= 1000).then(|| format!("within {}", time::span(until))))
        }
        ChangeKind::SecretChanged { name } => {
            (format!("the secret {name} had changed: later attempts get its new value"), None)
        }
        ChangeKind::AbortAsked { reason } => (format!("{by} gave the run up"), Some(reason.clone())),
    };
    moment(change.stamp.at, Mark::Noted, words, more)
}

/// Who asked, who decided how, and how it came to an end.
fn request_moments(run: &Run, number: u32, request: &Request) -> Vec<Moment> {
    let titles = request.steps().filter_map(|covered| run.plan.step(covered.step)).map(|plan| plan.title.clone());
    let steps = titles.collect::<Vec<_>>().join(", ");
    let by = request.asked.by.name();
    let asked = match request.glass {
        Some(_) => format!("{by} chose to go on without an approval: {steps}"),
        None => format!("{by} asked for the approval of {steps}, request {}-{number}", run.id),
    };
    let mut moments = vec![moment(request.asked.at, Mark::Noted, asked, Some(request.reason.clone()))];
    moments.extend(request.approvals.iter().map(|approval| {
        let more = match (approval.retry, approval.rollback) {
            (true, true) => ", with one retry and the rollback",
            (true, false) => ", with one retry",
            (false, true) => ", with the rollback",
            (false, false) => "",
        };
        let words = format!("{} approved {steps}{more}, by {}", approval.stamp.by.name(), approval.factor);
        let comment = (!approval.comment.is_empty()).then(|| approval.comment.clone());
        moment(approval.stamp.at, Mark::Stands(StepStatus::Done), words, comment)
    }));
    let approved = request.approved_at().is_some();
    moments.extend(request.end.as_ref().map(|end| request_end(end, &steps, approved)));
    if let Some((stamp, comment)) = request.glass.as_ref().and_then(|glass| glass.review.as_ref()) {
        let words = format!("{} reviewed that {steps} went on without an approval", stamp.by.name());
        moments.push(moment(stamp.at, Mark::Noted, words, Some(comment.clone())));
    }
    moments
}

/// Who asked for something in an output to be covered, and who confirmed or rejected it.
fn redaction_moments(run: &Run, number: u32, redaction: &Redaction) -> Vec<Moment> {
    let step = run.plan.step(redaction.step).map_or_else(String::new, |plan| in_sentence(&step_name(plan)));
    let what = format!("{} of the output of {step}, attempt {}", redaction.amount(), redaction.attempt);
    let name = format!("redaction {}-{number}", run.id);
    let by = redaction.asked.by.name();
    let asked = moment(
        redaction.asked.at,
        Mark::Noted,
        format!("{by} asked for {what} to be covered, {name}"),
        Some(redaction.reason.clone()),
    );
    let end = redaction.end.as_ref().map(|end| match end {
        RedactionEnd::Covered { stamp, factor, .. } => {
            let words = format!("{} confirmed {name}, by {factor}: {what} are covered", stamp.by.name());
            moment(stamp.at, Mark::Noted, words, None)
        }
        RedactionEnd::Rejected { stamp, reason, factor } => {
            let own = stamp.by.id() == redaction.asked.by.id();
            let did = if own { "took back" } else { "said no to" };
            let by = if factor.is_empty() { String::new() } else { format!(", by {factor}") };
            moment(stamp.at, Mark::Noted, format!("{} {did} {name}{by}", stamp.by.name()), Some(reason.clone()))
        }
    });
    [asked].into_iter().chain(end).collect()
}

fn request_end(end: &RequestEnd, steps: &str, approved: bool) -> Moment {
    match end {
        RequestEnd::Rejected { stamp, reason } => {
            let words = format!("{} said no to {steps}", stamp.by.name());
            moment(stamp.at, Mark::Stands(StepStatus::Failed), words, Some(reason.clone()))
        }
        RequestEnd::Cancelled { stamp, reason } => {
            let reason = (!reason.is_empty()).then(|| reason.clone());
            moment(stamp.at, Mark::Noted, format!("{} took back the request for {steps}", stamp.by.name()), reason)
        }
        RequestEnd::Expired { at } => {
            let words = if approved {
                format!("{steps} was not started in time after its approval")
            } else {
                format!("nobody decided on {steps} in time")
            };
            moment(*at, Mark::Noted, words, None)
        }
        RequestEnd::Void { at, why } => {
            let why = why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let what = if approved { "approval of" } else { "request for" };
            moment(*at, Mark::Noted, format!("the {what} {steps} became void"), Some(why))
        }
    }
}

fn moment(at: Timestamp, mark: Mark, words: String, more: Option<String>) -> Moment {
    Moment { at, mark, words, more }
}

fn reason(run: &Run) -> Option<String> {
    (!run.reason.is_empty()).then(|| run.reason.clone())
}

/// `Step 3`, or `Rollback step 1`.
pub fn step_name(plan: &PlanStep) -> String {
    match plan.part {
        _ if plan.ad_hoc.is_some() => format!("Added step \u{201c}{}\u{201d}", plan.title),
        PartKind::Rollback => format!("Rollback step {}", plan.number),
        _ => format!("Step {}", plan.number),
    }
}

/// The same inside a sentence: titles keep their letters.
pub fn in_sentence(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn step_moments(plan: &PlanStep, state: &StepState) -> Vec<Moment> {
    let name = step_name(plan);
    let mut moments = Vec::new();
    for (number, attempt) in (1..).zip(&state.attempts) {
        moments.extend(attempt_moments(&name, number, attempt));
    }
    for (number, command) in (1..).zip(&state.commands) {
        if let CommandState::Skipped(skip) = command {
            let code = command.last_end().and_then(|end| end.code);
            let had = code.map_or_else(String::new, |code| format!(", which had ended with {code}"));
            let words = format!("{} skipped command {number} of {}{had}", skip.stamp.by.name(), in_sentence(&name));
            moments.push(moment(skip.stamp.at, Mark::Stands(StepStatus::Skipped), words, Some(skip.reason.clone())));
        }
    }
    let items: Vec<_> = ticks(plan.items());
    for (item, tick) in items.into_iter().zip(&state.ticks) {
        moments.extend(tick.as_ref().map(|tick| ticked(tick, &plain(&item.words))));
    }
    if let Some(skip) = &state.skipped {
        let words = format!("{} skipped {}", skip.stamp.by.name(), in_sentence(&name));
        moments.push(moment(skip.stamp.at, Mark::Stands(StepStatus::Skipped), words, Some(skip.reason.clone())));
    }
    if let Some(done) = &state.done {
        let words = format!("{} marked {} as done", done.by.name(), in_sentence(&name));
        moments.push(moment(done.at, Mark::Stands(StepStatus::Done), words, None));
    }
    moments
}

fn ticked(tick: &Tick, line: &str) -> Moment {
    let words = format!("{} ticked: {line}", tick.stamp.by.name());
    let note = (!tick.note.is_empty()).then(|| tick.note.clone());
    moment(tick.stamp.at, Mark::Stands(StepStatus::Done), words, note)
}

fn attempt_moments(name: &str, number: u32, attempt: &Attempt) -> Vec<Moment> {
    let which = if number == 1 { String::new() } else { format!(", attempt {number}") };
    let begun = format!("{} started {}{which}", attempt.started.by.name(), in_sentence(name));
    let values = attempt.values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
    let with = (!values.is_empty()).then(|| format!("with {values}"));
    let mut moments = vec![moment(attempt.started.at, Mark::Began, begun, with)];
    moments.extend(attempt.watches_ended.iter().map(|(command, stamp)| {
        let words = format!("{} ended the watch, command {command} of {}", stamp.by.name(), in_sentence(name));
        moment(stamp.at, Mark::Stands(StepStatus::Done), words, None)
    }));
    if let Some(stop) = &attempt.stop {
        let words = format!("{} stopped {}", stop.by.name(), in_sentence(name));
        moments.push(moment(stop.at, Mark::Stands(StepStatus::Stopped), words, None));
    }
    if let Some(end) = &attempt.end {
        let (status, words) = end_of(&end.ending);
        let survivors = (!end.survivors.is_empty()).then(|| format!("still running: {}", end.survivors.join(", ")));
        moments.push(moment(end.at, Mark::Stands(status), format!("{name}{which}: {words}"), survivors));
    }
    moments.extend(rest_moments(name, &which, attempt));
    moments
}

/// What became of the processes that an attempt had left behind.
fn rest_moments(name: &str, which: &str, attempt: &Attempt) -> Vec<Moment> {
    let rest = format!("what {}{which} had left behind", in_sentence(name));
    let asked = attempt.rest_asked.iter().map(|stamp| {
        moment(stamp.at, Mark::Stands(StepStatus::Stopped), format!("{} asked to end {rest}", stamp.by.name()), None)
    });
    let ended = attempt.rest_ended.iter().map(|ended| {
        let (words, left) = match ended.left.as_slice() {
            [] => (format!("the portal ended {rest}"), None),
            left => {
                (format!("the portal could not end all of {rest}"), Some(format!("still there: {}", left.join(", "))))
            }
        };
        moment(ended.at, Mark::Noted, words, left)
    });
    asked.chain(ended).collect()
}

/// What is known of the processes that an attempt had left behind; nothing when it left none.
pub fn rest_words(attempt: &Attempt) -> Option<String> {
    let survivors = &attempt.end.as_ref()?.survivors;
    let found = survivors.join(", ");
    let by = attempt.rest_asked.last().map(|stamp| stamp.by.name());
    Some(match (by, attempt.rest_ended.last().map(|ended| ended.left.as_slice())) {
        _ if survivors.is_empty() => return None,
        (None, None) => format!("still running: {found}"),
        (Some(by), None) => {
            format!("still running: {found}; {by} asked to end that, and what came of it is not recorded")
        }
        (by, Some([])) => format!("{} ended what was still running: {found}", by.unwrap_or("the portal")),
        (by, Some(left)) => {
            let by = by.unwrap_or("the portal");
            format!("still there although {by} asked to end it, because the system holds it: {}", left.join(", "))
        }
    })
}

/// How an attempt ended, in words.
pub fn end_of(ending: &AttemptEnding) -> (StepStatus, String) {
    match ending {
        AttemptEnding::Unknown { .. } => (StepStatus::Interrupted, "interrupted, outcome unknown".to_owned()),
        AttemptEnding::Known(exit) => match &exit.result {
            AttemptResult::Completed => (StepStatus::Done, "ended well".to_owned()),
            AttemptResult::Difference { command } => {
                (StepStatus::Difference, format!("paused at a difference in command {command}"))
            }
            AttemptResult::Failed { command } => (StepStatus::Failed, format!("command {command} failed")),
            AttemptResult::Stopped => (StepStatus::Stopped, "stopped".to_owned()),
            AttemptResult::TimedOut => (StepStatus::Stopped, "its time was up".to_owned()),
            AttemptResult::ShellEnded { command, code } => {
                let code = code.map_or_else(String::new, |code| format!(" with {code}"));
                (StepStatus::Failed, format!("the shell ended{code} in command {command}"))
            }
            AttemptResult::Unknown { .. } => (StepStatus::Interrupted, "interrupted, outcome unknown".to_owned()),
            AttemptResult::NotStarted { reason } => (StepStatus::Failed, format!("not started: {reason}")),
        },
    }
}
