//! The stage: what runs or ran in the step that is shown, its output, and what can be done next.

use domain::attempt::{AttemptResult, Exit};
use domain::policy::Verb;
use domain::run::{Attempt, AttemptEnding, CommandState, Run, StepStatus};
use domain::view::{Tempo, UsualStep};
use domain::{AttemptId, time};
use leptos::prelude::*;

use super::actions::NextDeeds;
use super::moment::Moment;
use super::notices::{RefusedHere, answering};
use super::rail::{attempt_status, number};
use super::redaction::{Covered, Covering};
use super::stopping::EndRest;
use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::components::log_view::LogView;
use crate::components::risk::RiskMark;
use crate::components::state::StateMark;
use crate::deeds::Place;
use crate::keys;
use crate::live::log::Log;
use crate::live::{Live, raw_output};
use crate::record::rest_words;

/// How far back the page before goes, in bytes.
const EARLIER: u64 = 96 * 1024;

/// The stage; nothing before the first attempt.
#[component]
pub fn Stage() -> impl IntoView {
    let live = Live::here();
    let shown = Memo::new(move |_| live.log.with(|log| (log.step(), log.attempt())));
    focus_what_comes_next(live);
    view! {
        <For each=move || Some(shown.get()).filter(|shown| shown.1 > 0) key=|shown| *shown let((step, attempt))>
            <Attempted step attempt />
        </For>
    }
    .into_any()
}

/// One attempt on the stage.
#[component]
fn Attempted(step: u32, attempt: u32) -> impl IntoView {
    let live = Live::here();
    let id = AttemptId { run: live.id(), step, attempt };
    // An end that one looks back at takes the height it needs; one that comes while one looks moves nothing.
    let still = live.run.with_untracked(|run| run.attempt(id).is_some_and(|attempt| attempt.end.is_some()));
    view! {
        <section class="stage" aria-labelledby="cmdline" id="output" data-still=still.then_some("")>
            <StageHead id />
            <Covered id />
            <LogView step attempt />
            <div class="stage-foot" id="deeds" data-deeds="" on:submit=answering(Place::Deeds(step))>
                <NextDeeds step />
                <RefusedHere place=Place::Deeds(step) />
            </div>
        </section>
        <Covering id />
        <WithoutScripts />
    }
    .into_any()
}

/// When a step that was started here is over, Enter runs the next one: the focus goes to its button.
fn focus_what_comes_next(live: Live) {
    let stands = Memo::new(move |_| {
        let step = live.shown.get();
        (step, live.run.with(|run| run.status(step)))
    });
    Effect::new(move |before: Option<(u32, StepStatus)>| {
        let (step, status) = stands.get();
        // A short step may have run between two looks: that it was not over before is enough.
        let was_open = before.is_some_and(|(before, status)| before == step && !status.is_over());
        let id = live.on_stage();
        if was_open && status.is_over() && live.has_started(id.step, id.attempt) {
            request_animation_frame(keys::focus_the_primary);
        }
        (step, status)
    });
}

#[component]
fn StageHead(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    view! {
        <div class="stage-head">
            <Heading id />
            <div class="sub">
                <Standing id />
                <span>{move || live.log.with(amount)}</span>
                <LastOutput id />
                <a href=raw_output(id) rel="external">
                    <Glyph sign=Sign::Download />
                    "Raw output"
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// How much output there is, and which of it is here.
fn amount(log: &Log) -> String {
    if log.is_page() {
        let [from, to, length] = [log.from(), log.to(), log.length()].map(time::size);
        return format!("{from} to {to} of {length}");
    }
    let lines = match log.lines() {
        _ if !log.is_counted() => String::new(),
        // What paints a screen prints no lines.
        0 if log.to() > 0 => String::new(),
        1 => "1 line, ".to_owned(),
        lines => format!("{} lines, ", time::thousands(lines)),
    };
    format!("{lines}{}", time::size(log.to()))
}

/// The command that runs, or the step when none does; and its class.
#[component]
fn Heading(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let plan = live.run.with_untracked(|run| run.plan.step(id.step).cloned());
    let running = Memo::new(move |_| live.run.with(|run| running_command(run, id)));
    move || {
        let plan = plan.as_ref()?;
        let command = running.get().and_then(|number| plan.command(number));
        let risk = command.map_or(plan.risk, |command| command.risk);
        let title = match command {
            Some(command) => view! { <h2 class="cmdline" id="cmdline">{command.script.clone()}</h2> }.into_any(),
            None => view! {
                <h2 id="cmdline">
                    <span class="no">{number(plan)}</span>
                    {plan.title.clone()}
                </h2>
            }
            .into_any(),
        };
        Some(view! { {title} <RiskMark risk /> })
    }
}

/// Where the attempt stands, who began it, how long it took.
#[component]
fn Standing(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let attempt = Memo::new(move |_| live.run.with(|run| run.attempt(id).cloned()));
    let watch = Memo::new(move |_| live.run.with(|run| run.status(id.step) == StepStatus::Watching));
    let may_stop = live.actor().may(Verb::Stop).is_ok();
    move || {
        let attempt = attempt.get()?;
        let by = format!("attempt {} by {} since ", id.attempt, attempt.started.by.name());
        Some(view! {
            {attempt_mark(&attempt, watch.get())}
            <span>{by}<Moment at=attempt.started.at /></span>
            {elapsed(live, &attempt)}
            {live.usual(id.step).map(|usual| beside_usual(live, &attempt, usual))}
            {ending(&attempt)}
            {(may_stop && attempt.left_something()).then(|| view! { <EndRest id /> })}
        })
    }
}

/// While the attempt is open: when it last printed something, as far as this page has seen it.
#[component]
fn LastOutput(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let open = Memo::new(move |_| live.run.with(|run| run.open_attempt() == Some(id)));
    move || {
        let heard = live.heard.get().filter(|_| open.get())?;
        let ago = move || format!("last output {}", heard.ago(live.clock.now()));
        Some(view! { <span>{ago}</span> })
    }
}

/// The number of the command that runs in an attempt.
fn running_command(run: &Run, id: AttemptId) -> Option<u32> {
    let state = run.step(id.step)?;
    let number = state.running()?;
    match state.command(number)? {
        CommandState::Running { attempt, .. } if *attempt == id.attempt => Some(number),
        _ => None,
    }
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

/// How long the step usually takes, and whether this attempt stands out. Only a whole step that ended well, or that still
/// runs, is compared: how long a failure took says nothing.
fn beside_usual(live: Live, attempt: &Attempt, usual: UsualStep) -> AnyView {
    let about =
        format!("usually {}, at most {} in nine of ten", time::span(usual.median_ms), time::span(usual.high_ms));
    let since = attempt.started.at;
    let ended = attempt.end.as_ref().map(|end| match &end.ending {
        AttemptEnding::Known(exit) if exit.result == AttemptResult::Completed => Some(exit.duration_ms),
        _ => None,
    });
    let tempo = move || match ended {
        Some(Some(span)) => usual.tempo(span, true),
        Some(None) => None,
        None => usual.tempo(live.clock.now().since(since), false),
    };
    let tempo = Memo::new(move |_| tempo());
    view! {
        <span title=about>{format!("usual {}", time::span(usual.median_ms))}</span>
        {move || tempo.get().map(|tempo| view! { <span class="tempo">{tempo_words(tempo)}</span> })}
    }
    .into_any()
}

const fn tempo_words(tempo: Tempo) -> &'static str {
    match tempo {
        Tempo::SuspiciouslyFast => "suspiciously fast: see whether it did anything",
        Tempo::Slow => "slower than usual",
    }
}

/// What an end needs in words: why it is unknown, what still runs, what was left out.
pub fn ending(attempt: &Attempt) -> Option<AnyView> {
    let end = attempt.end.as_ref()?;
    let mut words = Vec::new();
    match &end.ending {
        AttemptEnding::Unknown { reason } => words.push(unknown_words(reason)),
        AttemptEnding::Known(exit) => {
            if let domain::attempt::AttemptResult::NotStarted { reason } = &exit.result {
                words.push(format!("Nothing was run: {}", reason.trim_end_matches('.')));
            }
            words.extend(left_out(exit));
            let notes = &exit.notes;
            // Whole sentences get their full stop with the others.
            let more = notes.unstored.iter().chain(&notes.unmasked).chain(&notes.not_kept);
            let sentences = notes.limited.iter().chain(&notes.unenforced).chain(&notes.tampered).chain(more);
            words.extend(sentences.map(|sentence| sentence.trim_end_matches('.').to_owned()));
            if !exit.held.is_empty() {
                words.push(format!("ended with the shell, because they held the output: {}", exit.held.join(", ")));
            }
        }
    }
    words.extend(rest_words(attempt));
    (!words.is_empty()).then(|| view! { <span class="ending">{words.join(". ")}"."</span> }.into_any())
}

/// Why nobody knows how it ended. What was not even started has no end that is missing.
fn unknown_words(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    if reason.starts_with("The step was not started") {
        return reason.to_owned();
    }
    format!("Nobody knows how it ended: {reason}. Nothing is repeated by itself")
}

/// Output that was not kept: how much, from where on, and why.
fn left_out(exit: &Exit) -> Option<String> {
    let why = match &*exit.notes {
        notes if notes.disk_full => "because the disk was full",
        notes if notes.unstored.is_empty() => "over the limit",
        _ => "because the disk failed",
    };
    let place = exit.cut.map_or_else(String::new, |cut| format!(", from byte {} on", time::thousands(cut)));
    (exit.dropped > 0).then(|| format!("{} of output were not kept{place}, {why}", time::size(exit.dropped)))
}

/// Without the page's program: the stored output in pages, and how to see more.
#[component]
fn WithoutScripts() -> impl IntoView {
    view! {
        <div class="callout without-scripts" data-tone="quiet">
            <Glyph sign=Sign::Info />
            <p class="head">"Live output needs the page’s program"</p>
            <p>
                "It has not loaded. Reading, running, ticking and closing work without it. Load the page again to see new lines."
            </p>
        </div>
        <Pages />
    }
    .into_any()
}

/// The stored output in pages: where there is more before or after what is shown.
#[component]
pub fn Pages() -> impl IntoView {
    let live = Live::here();
    // With the page's program a log is all there by scrolling, unless a piece of it was asked for.
    let class_name = if live.log.with_untracked(Log::is_page) { "btn" } else { "btn without-scripts" };
    let begins = Memo::new(move |_| live.log.with(Log::from));
    let later = Memo::new(move |_| live.log.with(Log::later));
    let has_earlier = Memo::new(move |_| begins.get() > 0);
    let from = move |byte: u64| format!("{}&from={byte}#output", place(live));
    let earlier = move || from(begins.get().saturating_sub(EARLIER));
    view! {
        <nav class="actions pages" aria-label="Pages of the output">
            <Show when=move || has_earlier.get()>
                <PageLink href=Signal::derive(move || from(0)) words="First output" class_name />
                <PageLink href=Signal::derive(earlier) words="Earlier output" class_name />
            </Show>
            {move || {
                later.get().map(|byte| view! { <PageLink href=Signal::stored(from(byte)) words="Later output" class_name /> })
            }}
            <a
                class=class_name
                data-kind="quiet"
                rel="external"
                href=move || format!("{}#output", place(live))
            >
                "Newest output"
            </a>
        </nav>
    }
    .into_any()
}

/// The query that names the attempt on the stage.
fn place(live: Live) -> String {
    live.log.with(|log| format!("?step={}&attempt={}", log.step(), log.attempt()))
}

#[component]
fn PageLink(href: Signal<String>, words: &'static str, class_name: &'static str) -> impl IntoView {
    view! {
        <a class=class_name data-kind="quiet" rel="external" href=href>
            {words}
        </a>
    }
    .into_any()
}
