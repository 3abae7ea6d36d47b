//! What the document says about the step that is shown, with the state of each command and the ticks.

use domain::AttemptId;
use domain::attempt::CommandEnd;
use domain::plan::{PlanCommand, PlanStep};
use domain::run::{CommandState, Offer, Run};
use leptos::form::ActionForm;
use leptos::prelude::*;

use super::actions::{NextDeeds, Weight, offer_form};
use super::rail::{command_status, number};
use super::ticks::tick_line;
use crate::components::command::CommandCard;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::state::StateMark;
use crate::components::step_content::step_content;
use crate::deeds::{Deeds, Hands};
use crate::live::Live;
use crate::live::log::end_words;
use domain::run::StepStatus;

/// The card of the step that is shown.
#[component]
pub fn StepCard() -> impl IntoView {
    let live = Live::here();
    // Before the first attempt the deeds stand here; afterwards they stand under the output.
    let has_stage = Memo::new(move |_| live.log.with(|log| log.attempt() > 0));
    move || {
        let step = live.shown.get();
        live.run.with(|run| run.plan.step(step).map(|plan| card(live, run, step, plan, has_stage.get())))
    }
}

fn card(live: Live, run: &Run, step: u32, plan: &PlanStep, has_stage: bool) -> AnyView {
    let hands = Hands::of(&live.actor());
    let skipped = run.step(step).and_then(|state| state.skipped.as_ref()).map(|skip| {
        let sentence = format!("{} skipped this step: {}", skip.stamp.by.name(), skip.reason);
        view! { <p class="note">{sentence}</p> }
    });
    let content = step_content(
        &plan.content,
        &plan.commands,
        |number, command| command_card(live, run, step, number, command, hands),
        |number, item| {
            let tick = run.step(step).and_then(|state| state.ticks.get(index(number))).cloned().flatten();
            tick_line(run.id, step, number, item, tick, hands)
        },
    );
    let status = run.status(step);
    view! {
        <section class="step" aria-labelledby="step-title" aria-current=(!has_stage).then_some("step")>
            <header>
                <span class="no">{number(plan)}</span>
                <h2 id="step-title">{plan.title.clone()}</h2>
                <StateMark status />
            </header>
            {skipped}
            {content}
            {(!has_stage).then(|| view! { <div class="deeds"><NextDeeds /></div> })}
        </section>
    }
    .into_any()
}

/// Numbers count from 1, lists from 0.
fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1)
}

fn command_card(live: Live, run: &Run, step: u32, number: u32, command: &PlanCommand, hands: Hands) -> AnyView {
    let state = run.step(step).and_then(|state| state.command(number)).cloned().unwrap_or_default();
    let mark = state_line(&state, command);
    let alone =
        (hands == Hands::On && run.end.is_none() && run.open_attempt().is_none() && command.by_portal.is_none())
            .then(|| alone(live, run, step, number, &state));
    view! { <CommandCard command=command.clone() values=run.values.clone() state=mark below=alone /> }.into_any()
}

/// Where a command stands, once there is something to say.
fn state_line(state: &CommandState, command: &PlanCommand) -> Option<AnyView> {
    let status = command_status(state, command.watch);
    let words = match state {
        CommandState::Waiting => return None,
        CommandState::Running { .. } => status.word().to_owned(),
        CommandState::Ended { end, .. } => end_words(end),
        CommandState::Interrupted { .. } => "interrupted, nobody knows how it ended".to_owned(),
        CommandState::Skipped(skip) => format!("skipped by {}: {}", skip.stamp.by.name(), skip.reason),
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

/// A single command: run alone, run again, skip with a reason.
fn alone(live: Live, run: &Run, step: u32, number: u32, state: &CommandState) -> AnyView {
    let deeds = Deeds::here();
    let again = matches!(state, CommandState::Ended { .. } | CommandState::Interrupted { .. });
    let words = if again { format!("Run command {number} again") } else { format!("Run command {number} alone") };
    let offer = Offer { commands: vec![number], choice: None };
    let skip = (!state.is_over()).then(|| {
        let fields = hidden(run.id, &[("step", step.to_string()), ("command", number.to_string())]);
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
    });
    view! {
        <details class="fold alone">
            <summary>
                <Glyph sign=Sign::Fold />
                "Alone…"
            </summary>
            <div class="alone-deeds">
                {offer_form(live, run, step, &offer, words, Weight::Plain)}
                {skip}
            </div>
        </details>
    }
    .into_any()
}

/// The address of the raw output of an attempt.
pub fn raw_output(id: AttemptId) -> String {
    format!("/runs/{}/output/{}/{}", id.run, id.step, id.attempt)
}
