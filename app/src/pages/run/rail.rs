//! The steps of a run with state and time; attempts and commands of the step on the stage below it.

use domain::attempt::{AttemptResult, Outcome};
use domain::plan::PlanStep;
use domain::run::{Attempt, AttemptEnding, CommandState, Run, StepState, StepStatus, ticks};
use domain::runbook::{PartKind, plain};
use domain::time;
use leptos::prelude::*;

use crate::components::glyph::{Glyph, Sign};
use crate::live::Live;

/// The rail beside the stage.
#[component]
pub fn Rail() -> impl IntoView {
    let live = Live::here();
    let steps = move || live.run.with(|run| list(live, run, PartKind::Steps));
    let rollback = move || {
        live.run.with(|run| {
            let has = run.plan.steps.iter().any(|step| step.part == PartKind::Rollback);
            has.then(|| {
                let steps = list(live, run, PartKind::Rollback);
                view! {
                    <p class="rail-head">"Rollback"</p>
                    <ol class="rail-list">{steps}</ol>
                }
            })
        })
    };
    let outcome = move || live.run.with(outcome);
    view! {
        <ol class="rail-list">{steps}</ol>
        {rollback}
        {outcome}
        <p class="rail-keys quiet small needs-scripts">
            <span><kbd>"j"</kbd>" "<kbd>"k"</kbd>" step"</span>
            <span><kbd>"r"</kbd>" run"</span>
            <span><kbd>"x"</kbd>" stop"</span>
        </p>
    }
    .into_any()
}

/// On a phone the rail in one line, above the stage.
#[component]
pub fn Strip() -> impl IntoView {
    let live = Live::here();
    let steps = move || {
        live.run.with(|run| {
            let shown = live.shown.get();
            each(run, PartKind::Steps)
                .chain(each(run, PartKind::Rollback))
                .map(|(step, plan)| {
                    let status = run.status(step);
                    let here = step == shown;
                    let name = if here { format!("{} {}", number(plan), plan.title) } else { number(plan) };
                    view! {
                        <a
                            href=format!("?step={step}")
                            data-state=status.word()
                            aria-current=here.then_some("step")
                            on:click=move |_| live.show(step, None)
                        >
                            <Glyph sign=Sign::State(status) label=status.word() />
                            {name}
                        </a>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <nav class="strip" aria-label="Steps, short">
            {steps}
        </nav>
    }
    .into_any()
}

/// The number that the document gives a step; the rollback counts for itself.
pub fn number(plan: &PlanStep) -> String {
    match plan.part {
        PartKind::Rollback => format!("R{}", plan.number),
        _ => plan.number.to_string(),
    }
}

fn each(run: &Run, part: PartKind) -> impl Iterator<Item = (u32, &PlanStep)> {
    (1..).zip(&run.plan.steps).filter(move |(_, plan)| plan.part == part)
}

fn list(live: Live, run: &Run, part: PartKind) -> Vec<AnyView> {
    let shown = live.shown.get();
    each(run, part).map(|(step, plan)| row(live, run, step, plan, step == shown)).collect()
}

fn row(live: Live, run: &Run, step: u32, plan: &PlanStep, here: bool) -> AnyView {
    let status = run.status(step);
    let Some(state) = run.step(step) else { return ().into_any() };
    let why = why(plan, state, status);
    let below = here.then(|| below(live, step, plan, state)).flatten();
    view! {
        <li data-state=status.word()>
            <a
                href=format!("?step={step}")
                data-step-link=""
                aria-current=here.then_some("step")
                on:click=move |_| live.show(step, None)
            >
                <Glyph sign=Sign::State(status) label=status.word() />
                <span class="name">
                    <span class="no">{number(plan)}</span>
                    {plan.title.clone()}
                    {why.map(|why| view! { <span class="why">{why}</span> })}
                </span>
                {clock_of(live, state)}
            </a>
            {below}
        </li>
    }
    .into_any()
}

/// What is worth a second line: what runs next, why it was skipped, what stopped it.
fn why(plan: &PlanStep, state: &StepState, status: StepStatus) -> Option<String> {
    if let Some(skip) = &state.skipped {
        return Some(format!("{}: {}", skip.stamp.by.name(), skip.reason));
    }
    match status {
        StepStatus::Waiting if plan.is_run() => Some(plan.risk.word().to_owned()),
        StepStatus::Waiting => Some("by a person".to_owned()),
        StepStatus::Failed | StepStatus::Difference | StepStatus::Paused => {
            state.commands.iter().rev().find_map(|command| {
                let CommandState::Ended { end, .. } = command else { return None };
                let code = end.code.filter(|_| end.outcome != Outcome::Success)?;
                Some(format!("exit {code}"))
            })
        }
        StepStatus::Interrupted => Some("outcome unknown".to_owned()),
        StepStatus::Done => state.done.as_ref().map(|stamp| format!("done by {}", stamp.by.name())),
        _ => None,
    }
}

/// How long the attempts of a step took together; it ticks while one is open.
fn clock_of(live: Live, state: &StepState) -> AnyView {
    let spans: u64 = state.attempts.iter().map(ended_span).sum();
    let open = state.attempts.iter().find(|attempt| attempt.end.is_none()).map(|attempt| attempt.started.at);
    match (open, spans) {
        (None, 0) => view! { <span class="t"></span> }.into_any(),
        (None, spans) => view! { <span class="t">{time::span(spans)}</span> }.into_any(),
        (Some(since), spans) => {
            view! { <span class="t">{move || time::span(spans + live.clock.now().since(since))}</span> }.into_any()
        }
    }
}

fn ended_span(attempt: &Attempt) -> u64 {
    match attempt.end.as_ref().map(|end| (&end.ending, end.at)) {
        Some((AttemptEnding::Known(exit), _)) => exit.duration_ms,
        Some((AttemptEnding::Unknown { .. }, at)) => at.since(attempt.started.at),
        None => 0,
    }
}

fn below(live: Live, step: u32, plan: &PlanStep, state: &StepState) -> Option<AnyView> {
    // The last attempt is told by its commands.
    let earlier = state.attempts.len().saturating_sub(1);
    let attempts =
        (1..).zip(&state.attempts[..earlier]).map(|(number, attempt)| attempt_row(live, step, number, attempt));
    let commands = plan.commands.iter().zip(&state.commands).map(|(command, state)| {
        let status = command_status(state, command.watch);
        let first = command.text.lines().next().unwrap_or_default().to_owned();
        let detail = match state {
            CommandState::Ended { end, .. } => time::span(end.duration_ms),
            _ => String::new(),
        };
        view! {
            <li data-state=status.word()>
                <span class="entry">
                    <Glyph sign=Sign::State(status) label=status.word() />
                    <code class="name">{first}</code>
                    <span class="t">{detail}</span>
                </span>
            </li>
        }
        .into_any()
    });
    let rows: Vec<AnyView> = attempts.chain(commands).collect();
    (!rows.is_empty()).then(|| view! { <ol>{rows}</ol> }.into_any())
}

fn attempt_row(live: Live, step: u32, number: u32, attempt: &Attempt) -> AnyView {
    let status = attempt_status(attempt);
    let words = match attempt.end.as_ref().map(|end| &end.ending) {
        Some(AttemptEnding::Unknown { reason }) => Some(reason.clone()),
        _ => None,
    };
    view! {
        <li data-state=status.word()>
            <a
                href=format!("?step={step}&attempt={number}")
                on:click=move |_| live.show(step, Some(number))
            >
                <Glyph sign=Sign::State(status) label=status.word() />
                <span class="name">{format!("Attempt {number}")}{words.map(|words| view! { <span class="why">{words}</span> })}</span>
                <span class="t">{time::span(ended_span(attempt))}</span>
            </a>
        </li>
    }
    .into_any()
}

/// How an attempt ended, as one of the words for steps.
pub fn attempt_status(attempt: &Attempt) -> StepStatus {
    match attempt.end.as_ref().map(|end| &end.ending) {
        None => StepStatus::Running,
        Some(AttemptEnding::Unknown { .. }) => StepStatus::Interrupted,
        Some(AttemptEnding::Known(exit)) => match exit.result {
            AttemptResult::Completed => StepStatus::Done,
            AttemptResult::Difference { .. } => StepStatus::Difference,
            AttemptResult::Stopped | AttemptResult::TimedOut => StepStatus::Stopped,
            AttemptResult::Failed { .. } | AttemptResult::ShellEnded { .. } | AttemptResult::NotStarted { .. } => {
                StepStatus::Failed
            }
        },
    }
}

/// Where a command stands, as one of the words for steps.
pub fn command_status(state: &CommandState, watch: bool) -> StepStatus {
    match state {
        CommandState::Waiting => StepStatus::Waiting,
        CommandState::Running { .. } if watch => StepStatus::Watching,
        CommandState::Running { .. } => StepStatus::Running,
        CommandState::Interrupted { .. } => StepStatus::Interrupted,
        CommandState::Skipped(_) => StepStatus::Skipped,
        CommandState::Ended { end, .. } => match end.outcome {
            Outcome::Success | Outcome::Watched => StepStatus::Done,
            Outcome::Difference => StepStatus::Difference,
            Outcome::Failure => StepStatus::Failed,
            Outcome::Stopped => StepStatus::Stopped,
        },
    }
}

fn outcome(run: &Run) -> Option<AnyView> {
    let lines: Vec<AnyView> = ticks(&run.plan.outcome)
        .into_iter()
        .zip(&run.outcome)
        .map(|(item, tick)| {
            let status = if tick.is_some() { StepStatus::Done } else { StepStatus::Waiting };
            view! {
                <li data-state=status.word()>
                    <a href="#finish" rel="external">
                        <Glyph sign=Sign::State(status) label=if tick.is_some() { "ticked" } else { "not ticked" } />
                        <span class="name">{plain(&item.words)}</span>
                        <span class="t"></span>
                    </a>
                </li>
            }
            .into_any()
        })
        .collect();
    (!lines.is_empty()).then(|| {
        view! {
            <p class="rail-head">"Expected outcome"</p>
            <ol class="rail-list" data-plain="">{lines}</ol>
        }
        .into_any()
    })
}
