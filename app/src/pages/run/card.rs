//! What the document says about the step that is shown, with the state of each command and the ticks.

use std::collections::BTreeMap;

use domain::attempt::CommandEnd;
use domain::plan::{PlanCommand, PlanStep};
use domain::run::{CommandState, Offer, Run, StepStatus, Tick};
use leptos::prelude::*;

use super::actions::{NextDeeds, OfferForm, Weight};
use super::checks::AfterStep;
use super::control::{added_words, own_directory_words};
use super::notices::{RefusedHere, answering};
use super::rail::{command_status, number};
use super::ticks::{Line, tick_line};
use crate::components::action_form::ActionForm;
use crate::components::command::CommandCard;
use crate::components::command_text::visible;
use crate::components::filled::Filling;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::state::StateMark;
use crate::components::step_content::step_content;
use crate::deeds::{Deeds, Hands, Place, holds};
use crate::live::Live;
use crate::live::log::end_words;

/// The card of the step that is shown. Another step has another card: nothing that was typed goes over to it.
#[component]
pub fn StepCard() -> impl IntoView {
    let live = Live::here();
    view! {
        <For each=move || [live.shown.get()] key=|step| *step let(step)>
            {live.run.with_untracked(|run| run.plan.step(step).cloned()).map(|plan| view! { <Card step plan /> })}
        </For>
    }
    .into_any()
}

#[component]
fn Card(step: u32, plan: PlanStep) -> impl IntoView {
    let live = Live::here();
    let hands = Hands::of(&live.actor());
    // Before the first attempt the deeds stand here; afterwards they stand under the output.
    let has_stage = Memo::new(move |_| live.log.with(|log| log.attempt() > 0));
    let status = Memo::new(move |_| live.run.with(|run| run.status(step)));
    provide_filling(live, step);
    let content = step_content(
        &plan.content,
        &plan.commands,
        |number, command| view! { <StepCommand step number command=command.clone() hands /> }.into_any(),
        |number, item| {
            let tick = Memo::new(move |_| live.run.with(|run| tick_of(run, step, number)));
            tick_line(Line { run: live.id(), step, number }, item, tick, hands)
        },
    );
    let added = live.run.with_untracked(|run| added_words(run, &plan));
    let own = Memo::new(move |_| live.run.with(|run| own_directory_words(run, step)));
    let place = Place::Deeds(step);
    view! {
        <section
            class="step"
            aria-labelledby="step-title"
            aria-current=move || (!has_stage.get()).then_some("step")
        >
            <header>
                <span class="no">{number(&plan)}</span>
                <h2 id="step-title">{plan.title.clone()}</h2>
                {move || view! { <StateMark status=status.get() /> }}
            </header>
            <Skipped step />
            {added.map(|words| view! { <p class="note">{words}</p> })}
            {move || own.get().map(|words| view! { <p class="note">{visible(words)}</p> })}
            {content}
            <AfterStep step hands />
            <Show when=move || !has_stage.get()>
                <div class="deeds" id="deeds" data-deeds="" on:submit=answering(place)>
                    <NextDeeds step />
                    <RefusedHere place />
                </div>
            </Show>
        </section>
    }
    .into_any()
}

/// Who skipped the step, and why.
#[component]
fn Skipped(step: u32) -> impl IntoView {
    let live = Live::here();
    let skip = Memo::new(move |_| live.run.with(|run| run.step(step)?.skipped.clone()));
    move || {
        let skip = skip.get()?;
        let sentence = format!("{} skipped this step: {}", skip.stamp.by.name(), skip.reason);
        Some(view! { <p class="note">{sentence}</p> })
    }
}

/// The tick of a line, counted from 1.
fn tick_of(run: &Run, step: u32, number: u32) -> Option<Tick> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    run.step(step)?.ticks.get(place)?.clone()
}

#[component]
fn StepCommand(step: u32, number: u32, command: PlanCommand, hands: Hands) -> impl IntoView {
    let live = Live::here();
    let names: Vec<String> =
        command.placeholders.iter().filter_map(|placeholder| placeholder.parameter.clone()).collect();
    let values = Memo::new(move |_| live.run.with(|run| values_of(run, &names)));
    let state = Memo::new(move |_| live.run.with(|run| run.step(step)?.command(number).cloned()).unwrap_or_default());
    let secrets = live.run.with_untracked(|run| run.plan.secret_names().map(str::to_owned).collect::<Vec<_>>());
    let command = StoredValue::new(command);
    move || {
        let command = command.get_value();
        let mine = hands == Hands::On && command.by_portal.is_none();
        let below = mine.then(|| view! { <Single step number state /> }.into_any());
        let of = command.clone();
        let mark = Some((move || state.with(|state| state_line(state, &of))).into_any());
        view! { <CommandCard command values=values.get() secrets=secrets.clone() state=mark below /> }
    }
}

/// Tells the text of a step what its words stand for; 0 is the expected outcome.
pub fn provide_filling(live: Live, step: u32) {
    let placeholders = live.run.with_untracked(|run| run.plan.words_of(step));
    let values = Memo::new(move |_| live.run.with(|run| run.values.clone()));
    provide_context(Filling { placeholders, values: values.into() });
}

/// The values of some parameters, of those that have one.
fn values_of(run: &Run, names: &[String]) -> BTreeMap<String, String> {
    names
        .iter()
        .filter_map(|name| run.values.get_key_value(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Where a command stands, once there is something to say.
fn state_line(state: &CommandState, command: &PlanCommand) -> Option<AnyView> {
    let status = command_status(state, command.watch);
    let words = match state {
        CommandState::Waiting => return None,
        CommandState::Running { .. } => status.word().to_owned(),
        CommandState::Ended { end, .. } => end_words(end),
        CommandState::Interrupted { .. } => "interrupted, nobody knows how it ended".to_owned(),
        CommandState::Skipped(skip) => {
            let had = state.last_end().map_or_else(String::new, |end| format!("{}; ", end_words(end)));
            format!("{had}skipped by {}: {}", skip.stamp.by.name(), skip.reason)
        }
    };
    let members = match state {
        CommandState::Ended { end, .. } => members(command, end),
        _ => None,
    };
    Some(view! { <p class="outcome"><StateMark status word=words />{members}</p> }.into_any())
}

/// The code of each member of a pipeline, where one of them failed.
fn members(command: &PlanCommand, end: &CommandEnd) -> Option<AnyView> {
    (end.statuses.len() > 1 && end.statuses.iter().any(|status| *status != 0)).then(|| {
        let names = command.pipeline.iter().map(String::as_str).chain(std::iter::repeat("?"));
        let words: Vec<String> = names.zip(&end.statuses).map(|(name, code)| format!("{name} {code}")).collect();
        view! { <code class="members">{words.join(" | ")}</code> }.into_any()
    })
}

/// A single command: run alone, run again, skip with a reason. Out of sight while something runs, which keeps a reason
/// that was begun.
#[component]
fn Single(step: u32, number: u32, state: Memo<CommandState>) -> impl IntoView {
    let live = Live::here();
    let holds = holds(live);
    let idle = Memo::new(move |_| holds.get() && live.run.with(|run| run.open_attempt().is_none()));
    let over = Memo::new(move |_| state.with(CommandState::is_over));
    let words = Memo::new(move |_| state.with(|state| run_words(number, state)));
    let summary = move || {
        if over.get() { format!("{}…", words.get()) } else { format!("Run or skip command {number}…") }
    };
    let offer = Offer { commands: vec![number], choice: None };
    let place = Place::Command(step, number);
    view! {
        <details class="fold alone" hidden=move || !idle.get() on:submit=answering(place)>
            <summary>
                <Glyph sign=Sign::Fold />
                {summary}
            </summary>
            <div class="alone-deeds">
                <OfferForm step offer weight=Weight::Plain words=words.into() />
                <Show when=move || !over.get()>
                    <SkipCommand step number />
                </Show>
            </div>
        </details>
        <RefusedHere place />
    }
    .into_any()
}

/// `Run command 2 alone`
fn run_words(number: u32, state: &CommandState) -> String {
    match state {
        CommandState::Ended { .. } | CommandState::Interrupted { .. } => format!("Run command {number} again"),
        _ => format!("Run command {number} alone"),
    }
}

#[component]
fn SkipCommand(step: u32, number: u32) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let fields = hidden(live.id(), &[("step", step.to_string()), ("command", number.to_string())]);
    view! {
        <ActionForm action=deeds.skip_command attr:class="deed">
            {fields}
            <div class="field">
                <label>
                    "Why it is skipped"
                    <input class="input" name="reason" autocomplete="off" required />
                </label>
            </div>
            <button class="btn" type="submit" disabled=deeds.skip_command.pending()>
                <Glyph sign=Sign::State(StepStatus::Skipped) />
                {format!("Skip command {number}")}
            </button>
        </ActionForm>
    }
    .into_any()
}
