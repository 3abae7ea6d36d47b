//! The stage: what runs or ran in the step that is shown, its output, and what can be done next.

use domain::run::{Attempt, AttemptEnding, CommandState, Run, StepStatus};
use domain::time;
use leptos::prelude::*;

use super::actions::NextDeeds;
use super::rail::{attempt_status, number};
use crate::components::ago::{Ago, TimeOfDay};
use crate::components::glyph::{Glyph, Sign};
use crate::components::log_view::LogView;
use crate::components::risk::RiskMark;
use crate::components::state::StateMark;
use crate::keys;
use crate::live::Live;

/// How far back the page before goes, in bytes.
const EARLIER: u64 = 96 * 1024;

/// The stage; nothing before the first attempt.
#[component]
pub fn Stage() -> impl IntoView {
    let live = Live::here();
    let shown = Memo::new(move |_| live.log.with(|log| (log.step(), log.attempt())));
    let has_attempt = Memo::new(move |_| shown.get().1 > 0);
    // An end that one looks back at takes the height it needs; one that comes while one looks moves nothing.
    let still = Memo::new(move |_| {
        let (step, attempt) = shown.get();
        live.run.with_untracked(|run| {
            run.attempt(domain::AttemptId { run: run.id, step, attempt }).is_some_and(|attempt| attempt.end.is_some())
        })
    });
    focus_what_comes_next(live);
    move || {
        has_attempt.get().then(|| {
            view! {
                <section
                    class="stage"
                    aria-labelledby="cmdline"
                    id="output"
                    data-still=move || still.get().then_some("")
                >
                    <StageHead />
                    <LogView />
                    <div class="stage-foot">
                        <NextDeeds />
                    </div>
                </section>
                <WithoutScripts />
            }
        })
    }
}

/// When the step that is shown ends well, Enter runs the next one: the focus goes to its button, unless somebody types.
fn focus_what_comes_next(live: Live) {
    let status = Memo::new(move |_| live.run.with(|run| run.status(live.shown.get())));
    Effect::new(move |before: Option<StepStatus>| {
        let now = status.get();
        if matches!(before, Some(StepStatus::Running | StepStatus::Watching)) && now.is_over() {
            request_animation_frame(keys::focus_the_primary);
        }
        now
    });
}

#[component]
fn StageHead() -> impl IntoView {
    let live = Live::here();
    let head = move || live.run.with(|run| live.log.with(|log| head_of(run, log.step(), log.attempt())));
    // Apart from the head, because it changes with every piece of output.
    let amount = move || {
        live.log.with(|log| {
            let lines =
                if log.is_whole() { format!("{} lines, ", time::thousands(log.lines())) } else { String::new() };
            format!("{lines}{}", time::size(log.to()))
        })
    };
    let facts = move || live.run.with(|run| live.log.with(|log| facts_of(live, run, log.step(), log.attempt())));
    let raw = move || {
        let run = live.id();
        live.log.with(|log| format!("/runs/{run}/output/{}/{}", log.step(), log.attempt()))
    };
    view! {
        <div class="stage-head">
            {head} <div class="sub">
                {facts} <span>{amount}</span>
                <a href=raw rel="external">
                    <Glyph sign=Sign::Download />
                    "Raw output"
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// The command that runs, or the step when none does; and its class.
fn head_of(run: &Run, step: u32, attempt: u32) -> Option<AnyView> {
    let plan = run.plan.step(step)?;
    let running = running_command(run, step, attempt);
    let title = match running {
        Some(command) => view! { <h2 class="cmdline" id="cmdline">{command.script.clone()}</h2> }.into_any(),
        None => view! {
            <h2 id="cmdline">
                <span class="no">{number(plan)}</span>
                {plan.title.clone()}
            </h2>
        }
        .into_any(),
    };
    let risk = running.map_or(plan.risk, |command| command.risk);
    Some(view! { {title} <RiskMark risk /> }.into_any())
}

/// Where the attempt stands, who began it, how long it took.
fn facts_of(live: Live, run: &Run, step: u32, attempt: u32) -> Option<AnyView> {
    let of = run.attempt(domain::AttemptId { run: run.id, step, attempt })?;
    let watch = running_command(run, step, attempt).is_some_and(|command| command.watch);
    Some(
        view! {
            {attempt_mark(of, watch)}
            <span>
                {format!("attempt {attempt} by {}", of.started.by.name())} " since " <TimeOfDay at=of.started.at />
            </span>
            {elapsed(live, of)}
            {ending(of)}
        }
        .into_any(),
    )
}

fn running_command(run: &Run, step: u32, attempt: u32) -> Option<&domain::plan::PlanCommand> {
    let (plan, state) = run.plan.step(step).zip(run.step(step))?;
    plan.commands.iter().zip(&state.commands).find_map(|(command, state)| match state {
        CommandState::Running { attempt: of, .. } if *of == attempt => Some(command),
        _ => None,
    })
}

fn attempt_mark(attempt: &Attempt, watch: bool) -> AnyView {
    let status = attempt_status(attempt);
    match (status, &attempt.stop, watch) {
        (StepStatus::Running, Some(stop), _) => {
            let word = format!("stopping, asked by {}", stop.by.name());
            view! { <StateMark status word /> }.into_any()
        }
        (StepStatus::Running, None, true) => {
            view! { <StateMark status=StepStatus::Watching word="watching, ends when you stop it" /> }.into_any()
        }
        _ => view! { <StateMark status /> }.into_any(),
    }
}

fn elapsed(live: Live, attempt: &Attempt) -> AnyView {
    let since = attempt.started.at;
    match attempt.end.as_ref().map(|end| (&end.ending, end.at)) {
        None => view! { <span>{move || time::span(live.clock.now().since(since))}</span> }.into_any(),
        Some((AttemptEnding::Known(exit), at)) => {
            let span = time::span(exit.duration_ms);
            view! { <span>{span}", ended "<Ago at /></span> }.into_any()
        }
        Some((AttemptEnding::Unknown { .. }, at)) => view! { <span>"ended "<Ago at /></span> }.into_any(),
    }
}

/// What an end needs in words: why it is unknown, what still runs, what was left out.
pub fn ending(attempt: &Attempt) -> Option<AnyView> {
    let end = attempt.end.as_ref()?;
    let mut words = Vec::new();
    match &end.ending {
        AttemptEnding::Unknown { reason } => {
            words.push(format!("Nobody knows how it ended: {reason}. Nothing is repeated by itself"));
        }
        AttemptEnding::Known(exit) => {
            if let domain::attempt::AttemptResult::NotStarted { reason } = &exit.result {
                words.push(format!("Nothing was run: {reason}"));
            }
            if exit.dropped > 0 {
                words.push(format!("{} of output over the limit were not kept", time::size(exit.dropped)));
            }
            if !exit.held.is_empty() {
                words.push(format!("ended with the shell, because they held the output: {}", exit.held.join(", ")));
            }
        }
    }
    if !end.survivors.is_empty() {
        words.push(format!("still running: {}", end.survivors.join(", ")));
    }
    (!words.is_empty()).then(|| view! { <span class="ending">{words.join(". ")}"."</span> }.into_any())
}

/// Without scripts: the stored output in pages, and how to see more.
#[component]
fn WithoutScripts() -> impl IntoView {
    view! {
        <div class="callout without-scripts" data-tone="quiet">
            <Glyph sign=Sign::Info />
            <p class="head">"Live output needs the page’s program"</p>
            <p>"Reading, running, ticking and closing work without it. Load the page again to see new lines."</p>
        </div>
        <Pages />
    }
    .into_any()
}

/// The stored output in pages: where there is more before or after what is shown.
#[component]
pub fn Pages() -> impl IntoView {
    let live = Live::here();
    move || {
        live.log.with(|log| {
            let place = format!("?step={}&attempt={}", log.step(), log.attempt());
            let (from, to) = (log.from(), log.to());
            let earlier = from.saturating_sub(EARLIER);
            let newest = if log.is_page() { "" } else { "without-scripts" };
            view! {
                <nav class="actions pages" aria-label="Pages of the output">
                    {(from > 0)
                        .then(|| view! { <a class="btn" data-kind="quiet" rel="external" href=format!("{place}&from=0#output")>"First output"</a> })}
                    {(from > 0)
                        .then(|| {
                            view! { <a class="btn" data-kind="quiet" rel="external" href=format!("{place}&from={earlier}#output")>"Earlier output"</a> }
                        })}
                    {log
                        .is_page()
                        .then(|| view! { <a class="btn" data-kind="quiet" rel="external" href=format!("{place}&from={to}#output")>"Later output"</a> })}
                    <a class=format!("btn {newest}") data-kind="quiet" rel="external" href=format!("{place}#output")>
                        "Newest output"
                    </a>
                </nav>
            }
        })
    }
}
