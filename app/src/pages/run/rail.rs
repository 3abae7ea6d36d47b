//! The steps of a run with state and time; attempts and commands of the step on the stage below it.

use domain::attempt::Outcome;
use domain::check::CheckId;
use domain::plan::PlanStep;
use domain::run::{Attempt, AttemptEnding, CommandState, Run, StepState, StepStatus, Tick, ticks};
use domain::runbook::{Item, PartKind, Piece, Placeholder, pieces_of_code, pieces_of_prose, plain};
use domain::{Timestamp, time};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;

use super::checks::Shown;
use crate::clock::Clock;
use crate::components::command_text::{Visible, visible};
use crate::components::filled::told;
use crate::components::glyph::{Glyph, Sign};
use crate::live::Live;
use crate::record::end_of;

/// The rail beside the stage.
#[component]
pub fn Rail() -> impl IntoView {
    let live = Live::here();
    let [steps, rollback] = [PartKind::Steps, PartKind::Rollback].map(|part| rows(live, part));
    let rollback = (!rollback.is_empty()).then(|| {
        view! {
            <p class="rail-head">"Rollback"</p>
            <ol class="rail-list">{rollback}</ol>
        }
    });
    let clock = Clock::here();
    let ticked = Memo::new(move |_| live.run.with(|run| outcome_status(run, clock.now())));
    let outcome = move || ticked.with(|ticked| live.run.with_untracked(|run| outcome(live, run, ticked)));
    view! {
        <ol class="rail-list">{steps}</ol>
        {rollback}
        <Added />
        {outcome}
        <p class="rail-keys quiet small needs-scripts">
            <span><kbd>"j"</kbd>" "<kbd>"k"</kbd>" step"</span>
            <span><kbd>"r"</kbd>" run"</span>
            <span><kbd>"x"</kbd>" stop"</span>
        </p>
    }
    .into_any()
}

/// The steps that were added; a new one comes while one looks.
#[component]
fn Added() -> impl IntoView {
    let live = Live::here();
    let added = Memo::new(move |_| live.run.with(added));
    view! {
        <p class="rail-head" hidden=move || added.with(Vec::is_empty)>
            "Not in the document"
        </p>
        <ol class="rail-list" hidden=move || added.with(Vec::is_empty)>
            <For each=move || added.get() key=|step| *step let(step)>
                {live.run.with_untracked(|run| run.plan.step(step).cloned()).map(|plan| view! { <Row step plan /> })}
            </For>
        </ol>
    }
    .into_any()
}

/// On a phone the rail in one line, above the stage.
#[component]
pub fn Strip() -> impl IntoView {
    let live = Live::here();
    let strip = NodeRef::<html::Nav>::new();
    let links = live.run.with_untracked(|run| {
        let steps = each(run, PartKind::Steps).chain(each(run, PartKind::Rollback));
        steps
            .map(|(step, plan)| view! { <StripLink step number=number(plan) title=plan.title.clone() /> }.into_any())
            .collect::<Vec<_>>()
    });
    Effect::new(move |_| {
        live.shown.track();
        request_animation_frame(move || {
            if let Some(strip) = strip.try_get_untracked().flatten() {
                show_the_current(&strip);
            }
        });
    });
    view! {
        <nav class="strip" aria-label="Steps, short" node_ref=strip>
            {links}
            <For each=move || live.run.with(added) key=|step| *step let(step)>
                {live
                    .run
                    .with_untracked(|run| run.plan.step(step).cloned())
                    .map(|plan| view! { <StripLink step number=number(&plan) title=plan.title /> })}
            </For>
        </nav>
    }
    .into_any()
}

#[component]
fn StripLink(step: u32, number: String, title: String) -> impl IntoView {
    let live = Live::here();
    let here = Memo::new(move |_| live.shown.get() == step);
    let status = Memo::new(move |_| live.run.with(|run| run.status(step)));
    let name = move || if here.get() { format!("{number} {title}") } else { number.clone() };
    view! {
        <a
            href=format!("?step={step}")
            data-state=move || status.get().word()
            aria-current=move || here.get().then_some("step")
            on:click=move |_| live.show(step, None)
        >
            {move || state_sign(status.get())}
            {name}
        </a>
    }
    .into_any()
}

/// Moves the strip, and nothing else on the page, so that the current step is in its middle.
fn show_the_current(strip: &web_sys::HtmlElement) {
    let find = |selector| {
        let found = strip.query_selector(selector).ok().flatten();
        found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok())
    };
    if let (Some(first), Some(current)) = (find("a"), find("[aria-current]")) {
        let place = current.offset_left() - first.offset_left();
        strip.set_scroll_left(place - (strip.client_width() - current.offset_width()) / 2);
    }
}

fn state_sign(status: StepStatus) -> AnyView {
    view! { <Glyph sign=Sign::State(status) label=status.word() /> }.into_any()
}

/// The number that the document gives a step; the rollback counts for itself.
pub fn number(plan: &PlanStep) -> String {
    match plan.part {
        _ if plan.ad_hoc.is_some() => "+".to_owned(),
        PartKind::Rollback => format!("R{}", plan.number),
        _ => plan.number.to_string(),
    }
}

fn each(run: &Run, part: PartKind) -> impl Iterator<Item = (u32, &PlanStep)> {
    (1..).zip(&run.plan.steps).filter(move |(_, plan)| plan.part == part && plan.ad_hoc.is_none())
}

/// The steps that were added in the run, by their place in the plan.
fn added(run: &Run) -> Vec<u32> {
    (1..).zip(&run.plan.steps).filter(|(_, plan)| plan.ad_hoc.is_some()).map(|(step, _)| step).collect()
}

fn rows(live: Live, part: PartKind) -> Vec<AnyView> {
    live.run.with_untracked(|run| {
        each(run, part).map(|(step, plan)| view! { <Row step plan=plan.clone() /> }.into_any()).collect()
    })
}

#[component]
fn Row(step: u32, plan: PlanStep) -> impl IntoView {
    let live = Live::here();
    let here = Memo::new(move |_| live.shown.get() == step);
    let status = Memo::new(move |_| live.run.with(|run| run.status(step)));
    let state = Memo::new(move |_| live.run.with(|run| run.step(step).cloned()).unwrap_or_default());
    let (number, title) = (number(&plan), plan.title.clone());
    let plan = StoredValue::new(plan);
    let why = move || plan.with_value(|plan| state.with(|state| why(plan, state, status.get())));
    let below = move || here.get().then(|| plan.with_value(|plan| state.with(|state| below(live, step, plan, state))));
    view! {
        <li data-state=move || status.get().word()>
            <a
                href=format!("?step={step}")
                data-step-link=""
                aria-current=move || here.get().then_some("step")
                on:click=move |_| live.show(step, None)
            >
                {move || state_sign(status.get())}
                <span class="name">
                    <span class="no">{number}</span>
                    {visible(title)}
                    {move || why().map(|why| view! { <span class="why">{visible(why)}</span> })}
                </span>
                <span class="t">{move || state.with(|state| clock_of(live, state))}</span>
            </a>
            {move || below().flatten()}
        </li>
    }
    .into_any()
}

/// What is worth a second line: what runs next, why it was skipped, what stopped it.
pub fn why(plan: &PlanStep, state: &StepState, status: StepStatus) -> Option<String> {
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
                // A pipeline can end with 0 and have failed: the member that did is named first.
                let member = end.explanation.as_deref().and_then(|why| why.split(':').next());
                Some(member.map_or_else(|| format!("exit {code}"), str::to_owned))
            })
        }
        StepStatus::Interrupted => Some("outcome unknown".to_owned()),
        StepStatus::Done => state.done.as_ref().map(|stamp| format!("done by {}", stamp.by.name())),
        _ => None,
    }
}

/// How long the attempts of a step took together; it ticks while one is open.
fn clock_of(live: Live, state: &StepState) -> String {
    let spans: u64 = state.attempts.iter().map(ended_span).sum();
    let open = state.attempts.iter().find(|attempt| attempt.end.is_none()).map(|attempt| attempt.started.at);
    match (open, spans) {
        (None, 0) => String::new(),
        (None, spans) => time::span(spans),
        (Some(since), spans) => time::span(spans + live.clock.now().since(since)),
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
        let first = command.text.lines().next().unwrap_or_default();
        let first = with_values(live, pieces_of_code(first, &command.placeholders));
        let detail = match state {
            CommandState::Ended { end, .. } => time::span(end.duration_ms),
            _ => String::new(),
        };
        view! {
            <li data-state=status.word()>
                <span class="entry">
                    <Glyph sign=Sign::State(status) label=status.word() />
                    <code class="name">{move || view! { <Visible text=first.get() /> }}</code>
                    <span class="t">{detail}</span>
                </span>
            </li>
        }
        .into_any()
    });
    let placeholders = live.run.with_untracked(|run| run.plan.words_of(step));
    let items = ticks(plan.items())
        .into_iter()
        .zip(&state.ticks)
        .map(|(item, tick)| item_row(live, &placeholders, item, tick.as_ref()));
    let rows: Vec<AnyView> = attempts.chain(commands).chain(items).collect();
    (!rows.is_empty()).then(|| view! { <ol>{rows}</ol> }.into_any())
}

/// Words of the document with the values that are known now.
fn with_values(live: Live, pieces: Vec<Piece>) -> Memo<String> {
    Memo::new(move |_| live.run.with(|run| told(pieces.clone(), &run.values)))
}

/// The words of a line that is ticked.
fn line_words(live: Live, placeholders: &[Placeholder], item: &Item) -> impl Fn() -> AnyView + Send + use<> {
    let words = with_values(live, pieces_of_prose(&plain(&item.words), placeholders));
    move || view! { <Visible text=words.get() /> }.into_any()
}

/// A line that a person ticks in the step.
fn item_row(live: Live, placeholders: &[Placeholder], item: &Item, tick: Option<&Tick>) -> AnyView {
    let words = line_words(live, placeholders, item);
    let (status, label) = tick_status(tick.is_some());
    let why = tick.map(|tick| format!("ticked by {}", tick.stamp.by.name()));
    view! {
        <li data-state=status.word()>
            <span class="entry">
                <Glyph sign=Sign::State(status) label />
                <span class="name">{words}{why.map(|why| view! { <span class="why">{why}</span> })}</span>
                <span class="t"></span>
            </span>
        </li>
    }
    .into_any()
}

/// The sign of a line to tick, and the word that it stands for.
pub const fn tick_status(ticked: bool) -> (StepStatus, &'static str) {
    if ticked { (StepStatus::Done, "ticked") } else { (StepStatus::Waiting, "not ticked") }
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
    attempt.end.as_ref().map_or(StepStatus::Running, |end| end_of(&end.ending).0)
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

/// Where each line of the expected outcome stands: ticked or not, or what the portal found.
fn outcome_status(run: &Run, now: Timestamp) -> Vec<(StepStatus, &'static str)> {
    let of_line = |(number, tick): (u32, &Option<Tick>)| {
        let id = CheckId { step: None, number };
        if run.plan.check(id).is_none() {
            return tick_status(tick.is_some());
        }
        let shown = Shown::of(run, id, now);
        (shown.status(), shown.word())
    };
    (1..).zip(&run.outcome).map(of_line).collect()
}

fn outcome(live: Live, run: &Run, lines: &[(StepStatus, &'static str)]) -> Option<AnyView> {
    let placeholders = run.plan.words_of(0);
    let lines: Vec<AnyView> = ticks(&run.plan.outcome)
        .into_iter()
        .zip(lines)
        .map(|(item, (status, label))| {
            let (status, label) = (*status, *label);
            let words = line_words(live, &placeholders, item);
            view! {
                <li data-state=status.word()>
                    <a href="#finish" rel="external">
                        <Glyph sign=Sign::State(status) label />
                        <span class="name">{words}</span>
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
