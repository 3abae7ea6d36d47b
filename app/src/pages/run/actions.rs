//! What can be done next with the step that is shown: buttons that say verb and object.

use domain::Risk;
use domain::plan::{PlanParameter, PlanStep};
use domain::policy::Verb;
use domain::run::{CommandState, Offer, Refusal, Run, StepState, StepStatus};
use domain::runbook::PartKind;
use leptos::form::ActionForm;
use leptos::prelude::*;

use super::rail::number;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::parameter::{parameter_help, parameter_input};
use crate::components::risk::RiskMark;
use crate::deeds::{Deeds, list, next_attempt, objection};
use crate::live::Live;

/// Whether a deed is the one next thing on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is: it has the key and the loud button.
    Primary,
    /// It is one among others.
    Plain,
}

/// The deeds of the step that is shown, or the way to the next one.
#[component]
pub fn NextDeeds() -> impl IntoView {
    let live = Live::here();
    move || {
        let shown = live.shown.get();
        live.run.with(|run| deeds_of(live, run, shown))
    }
}

fn deeds_of(live: Live, run: &Run, step: u32) -> AnyView {
    if live.actor().may(Verb::WorkRun).is_err() {
        return view! { <p class="quiet small">"Your role reads runs; it does not work in them."</p> }.into_any();
    }
    if let Some(open) = run.open_attempt() {
        return if open.step == step { stopping(run, step, open.attempt) } else { elsewhere(live, run, open.step) };
    }
    let Some(plan) = run.plan.step(step) else { return ().into_any() };
    if run.status(step).is_over() {
        return going_on(live, run, step);
    }
    let deed = if plan.is_run() { starting(live, run, step, plan) } else { completing(run, step, plan) };
    let words = format!("step {}", number(plan));
    view! {
        {deed}
        <SkipStep step words />
    }
    .into_any()
}

/// `Run step 2: Restart the backend service`
fn run_words(run: &Run, step: u32, plan: &PlanStep) -> String {
    let part = if plan.part == PartKind::Rollback { "rollback step" } else { "step" };
    let state = run.step(step);
    let tried = state.is_some_and(|state| !state.attempts.is_empty());
    let begun = state.is_some_and(|state| state.commands.iter().any(CommandState::is_over));
    let (all, again) = match (tried, begun) {
        (_, true) => ("the rest of ", ""),
        (true, false) => ("", " again"),
        (false, false) => ("", ""),
    };
    format!("Run {all}{part} {}{again}: {}", plan.number, plan.title)
}

fn starting(live: Live, run: &Run, step: u32, plan: &PlanStep) -> AnyView {
    let offers = run.offers(step);
    let many = offers.len() > 1;
    let views: Vec<AnyView> = offers
        .iter()
        .map(|offer| {
            let weight = if many { Weight::Plain } else { Weight::Primary };
            let words = match (&offer.choice, many) {
                (Some(choice), _) => format!("Run “{}”", choice.when),
                (None, _) => run_words(run, step, plan),
            };
            offer_form(live, run, step, offer, words, weight)
        })
        .collect();
    let lead = many
        .then(|| view! { <p class="note">"The document offers a choice. Nothing runs all alternatives in a row."</p> });
    view! { <div class="offers">{lead}{views}</div> }.into_any()
}

/// One set of commands that can be started, or why it cannot.
pub fn offer_form(live: Live, run: &Run, step: u32, offer: &Offer, words: String, weight: Weight) -> AnyView {
    match objection(run, &live.actor(), step, offer) {
        None => run_form(run, step, offer, None, words, weight),
        Some(Refusal::NeedsConfirmation { what, target }) => {
            run_form(run, step, offer, Some((what.to_owned(), target)), words, weight)
        }
        Some(Refusal::Missing(names)) => missing(run, &names, &words),
        Some(refusal) => {
            let sentence = refusal.to_string();
            view! {
                <div class="refused">
                    <button class="btn" type="button" disabled>
                        <Glyph sign=Sign::NeedsApproval />
                        {words}
                    </button>
                    <p class="note">{sentence}"."</p>
                </div>
            }
            .into_any()
        }
    }
}

fn run_form(
    run: &Run,
    step: u32,
    offer: &Offer,
    confirmation: Option<(String, String)>,
    words: String,
    weight: Weight,
) -> AnyView {
    let deeds = Deeds::here();
    let risk = worst(run, step, offer);
    let kind = match (risk, confirmation.is_some(), weight) {
        (Risk::Destroys, ..) => "destroys",
        (Risk::Disrupts, true, _) => "disrupts",
        (_, _, Weight::Primary) => "primary",
        _ => "plain",
    };
    let asks = confirmation.is_some();
    let has_key = weight == Weight::Primary && !asks;
    let sign = if risk < Risk::Disrupts { Sign::Play } else { Sign::Risk(risk) };
    let field = confirmation.map(|(what, target)| confirmation_field(what, &target, weight));
    let fields = hidden(
        run.id,
        &[
            ("step", step.to_string()),
            ("attempt", next_attempt(run, step).to_string()),
            ("commands", list(&offer.commands)),
        ],
    );
    view! {
        <ActionForm action=deeds.run attr:class="deed" attr:data-asks=asks.then_some("")>
            {fields}
            {field}
            <button
                class="btn"
                data-kind=kind
                data-key=has_key.then_some("r")
                type="submit"
                disabled=deeds.run.pending()
            >
                <Glyph sign />
                {words}
                {has_key.then(|| view! { <kbd>"r"</kbd> })}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Where the name of the target is typed. Only the field of the page's one primary deed has a key.
fn confirmation_field(what: String, target: &str, weight: Weight) -> AnyView {
    let name = view! { <code>{target.to_owned()}</code> };
    let label = if weight == Weight::Primary {
        view! { "Type " {name} " to go on" }.into_any()
    } else {
        view! { "To run this alone, type " {name} }.into_any()
    };
    view! {
        <p class="note">{what}</p>
        <div class="field confirm">
            <label>
                {label}
                <input
                    class="input"
                    data-mono=""
                    data-key=(weight == Weight::Primary).then_some("r")
                    name="confirmation"
                    autocomplete="off"
                    spellcheck="false"
                    required
                />
            </label>
        </div>
    }
    .into_any()
}

fn worst(run: &Run, step: u32, offer: &Offer) -> Risk {
    let plan = run.plan.step(step);
    let commands = offer.commands.iter().filter_map(|number| plan?.command(*number));
    commands.map(|command| command.risk).max().unwrap_or_default()
}

/// Values that the commands need first.
fn missing(run: &Run, names: &[String], words: &str) -> AnyView {
    let forms: Vec<AnyView> = names
        .iter()
        .filter_map(|name| run.plan.parameter(name))
        .map(|parameter| value_form(run, parameter, "needed"))
        .collect();
    view! {
        <div class="refused">
            {forms}
            <button class="btn" type="button" disabled>
                {words.to_owned()}
            </button>
            <p class="note">{format!("Needs a value for {} first.", names.join(", "))}</p>
        </div>
    }
    .into_any()
}

/// A form that gives a parameter its value. The same parameter can stand at two places of a page.
pub fn value_form(run: &Run, parameter: &PlanParameter, place: &'static str) -> AnyView {
    let deeds = Deeds::here();
    let id = format!("{place}-{}", parameter.name);
    let label = parameter.name.replace('_', " ");
    let fields = hidden(run.id, &[("name", parameter.name.clone())]);
    let value = run.values.get(&parameter.name).or(parameter.default.as_ref()).cloned();
    let input = parameter_input(parameter, value, "value".to_owned(), id.clone());
    let help = parameter_help(parameter);
    let words = format!("Set {label}");
    view! {
        <ActionForm action=deeds.value attr:class="value-form">
            {fields} <div class="field">
                <label for=id>{label}</label>
                <div class="note-line">
                    {input} <button class="btn" type="submit" disabled=deeds.value.pending()>
                        {words}
                    </button>
                </div>
                {help}
            </div>
        </ActionForm>
    }
    .into_any()
}

/// A manual step, or one that only selects target and directory.
fn completing(run: &Run, step: u32, plan: &PlanStep) -> AnyView {
    let deeds = Deeds::here();
    let fields = hidden(run.id, &[("step", step.to_string())]);
    let words = format!("Mark step {} as done: {}", number(plan), plan.title);
    view! {
        <ActionForm action=deeds.complete attr:class="deed">
            {fields}
            <button class="btn" data-kind="primary" data-key="r" type="submit" disabled=deeds.complete.pending()>
                <Glyph sign=Sign::State(StepStatus::Done) />
                {words}
                <kbd>"r"</kbd>
            </button>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn SkipStep(step: u32, words: String) -> impl IntoView {
    let deeds = Deeds::here();
    let live = Live::here();
    let button = format!("Skip {words}");
    view! {
        <details class="fold skip">
            <summary>
                <Glyph sign=Sign::Fold />
                {format!("Skip {words}…")}
            </summary>
            <ActionForm action=deeds.skip_step attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="step" value=step />
                <div class="field">
                    <label>
                        "Why it is skipped"
                        <input class="input" name="reason" autocomplete="off" required />
                    </label>
                </div>
                <button class="btn" type="submit" disabled=deeds.skip_step.pending()>
                    <Glyph sign=Sign::State(StepStatus::Skipped) />
                    {button}
                </button>
            </ActionForm>
        </details>
    }
    .into_any()
}

fn stopping(run: &Run, step: u32, attempt: u32) -> AnyView {
    let deeds = Deeds::here();
    let words = run.plan.step(step).map(number).unwrap_or_default();
    let asked = run.attempt(domain::AttemptId { run: run.id, step, attempt }).and_then(|attempt| attempt.stop.as_ref());
    if let Some(stop) = asked {
        let sentence = format!(
            "{} asked step {words} to stop. It is ended for good when it does not end by itself.",
            stop.by.name()
        );
        return view! { <p class="note">{sentence}</p> }.into_any();
    }
    let watching = run.status(step) == StepStatus::Watching;
    let these = [("step", step.to_string()), ("attempt", attempt.to_string())];
    let watch = run.step(step).and_then(StepState::running).filter(|_| watching);
    let end_watch = watch.map(|watch| {
        let [step, attempt] = these.clone();
        let fields = hidden(run.id, &[step, attempt, ("command", watch.to_string())]);
        view! {
            <ActionForm action=deeds.end_watch attr:class="deed">
                {fields}
                <button class="btn" data-kind="primary" data-key="x" type="submit" disabled=deeds.end_watch.pending()>
                    <Glyph sign=Sign::Stop />
                    "Stop watch and go on"
                    <kbd>"x"</kbd>
                </button>
            </ActionForm>
        }
    });
    let stop_kind = if watching { "quiet" } else { "primary" };
    let fields = hidden(run.id, &these);
    let stop_words = format!("Stop step {words}");
    view! {
        {end_watch}
        <ActionForm action=deeds.stop attr:class="deed">
            {fields}
            <button
                class="btn"
                data-kind=stop_kind
                data-key=(!watching).then_some("x")
                type="submit"
                disabled=deeds.stop.pending()
            >
                <Glyph sign=Sign::Stop />
                {stop_words}
                {(!watching).then(|| view! { <kbd>"x"</kbd> })}
            </button>
        </ActionForm>
        {then(run, step)}
    }
    .into_any()
}

/// The command after the one that runs.
fn then(run: &Run, step: u32) -> Option<AnyView> {
    let plan = run.plan.step(step)?;
    let state = run.step(step)?;
    let next = plan.command(state.running()? + 1).filter(|next| next.choice.is_none())?;
    Some(
        view! {
            <p class="next">
                "then "
                <code>{next.script.lines().next().unwrap_or_default().to_owned()}</code>
                <RiskMark risk=next.risk />
            </p>
        }
        .into_any(),
    )
}

fn elsewhere(live: Live, run: &Run, open: u32) -> AnyView {
    let words =
        run.plan.step(open).map(|plan| format!("Open step {}, which is running", number(plan))).unwrap_or_default();
    view! {
        <a class="btn" href=format!("?step={open}") on:click=move |_| live.show(open, None)>
            {words}
        </a>
    }
    .into_any()
}

/// The step that is shown is over: the next one, with its bytes in sight, or the end of the run.
fn going_on(live: Live, run: &Run, shown: u32) -> AnyView {
    let Some(next) = run.current_step().filter(|next| *next != shown) else {
        return view! {
            <a class="btn" data-kind="primary" data-key="r" href="#finish" rel="external">
                {format!("Close run {}…", run.id)}
                <kbd>"r"</kbd>
            </a>
        }
        .into_any();
    };
    let Some(plan) = run.plan.step(next) else { return ().into_any() };
    let offers = run.offers(next);
    match offers.as_slice() {
        [only] if plan.is_run() && only.choice.is_none() && objection(run, &live.actor(), next, only).is_none() => {
            view! {
                {run_form(run, next, only, None, run_words(run, next, plan), Weight::Primary)}
                {what_it_runs(plan, only)}
            }
            .into_any()
        }
        _ => view! {
            <a
                class="btn"
                data-kind="primary"
                data-key="r"
                href=format!("?step={next}")
                on:click=move |_| live.show(next, None)
            >
                {format!("Open step {}: {}", number(plan), plan.title)}
                <kbd>"r"</kbd>
            </a>
        }
        .into_any(),
    }
}

fn what_it_runs(plan: &PlanStep, offer: &Offer) -> AnyView {
    let commands: Vec<AnyView> = offer
        .commands
        .iter()
        .filter_map(|number| plan.command(*number))
        .map(|command| {
            view! { <li><code>{command.script.clone()}</code>" "<RiskMark risk=command.risk /></li> }.into_any()
        })
        .collect();
    view! { <ul class="next-commands" aria-label="What it runs">{commands}</ul> }.into_any()
}
