//! The facts of a run: pace, values, notes, what it was made of.

use domain::plan::PlanParameter;
use domain::run::{Note, Run};
use domain::runbook::ParameterKind;
use domain::view::{EscalationGround, SuggestedBy, Usual, alert_words};
use leptos::prelude::*;

use super::actions::ValueForm;
use super::control::{Directory, lock_words};
use super::escalation::Escalation;
use super::look::Looking;
use super::notices::{RefusedHere, answering};
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::command_text::{Visible, visible};
use crate::components::pace::{Pace, usual_words};
use crate::components::words::readers;
use crate::deeds::{Deeds, Hands, Place};
use crate::live::Live;

/// The column of facts.
#[component]
pub fn Facts(usual: Option<Usual>, suggestion: Option<SuggestedBy>, escalation: EscalationGround) -> impl IntoView {
    let live = Live::here();
    let hands = Hands::of(&live.actor());
    let since = live.run.with_untracked(|run| run.started.at);
    view! {
        <aside class="aside stack" aria-label="Facts of this run">
            <section class="panel">
                <header>
                    <h2>"Pace"</h2>
                    <span>{usual.map(|usual| format!("usual {}", usual_words(usual)))}</span>
                </header>
                <Pace since until=None usual />
            </section>
            <Looking hands />
            <Values hands />
            <Notes hands />
            <Escalation hands ground=escalation />
            <ThisRun hands suggestion />
        </aside>
    }
    .into_any()
}

/// The parameters with their values, each with a form to set it.
#[component]
fn Values(hands: Hands) -> impl IntoView {
    let live = Live::here();
    let parameters = live.run.with_untracked(|run| run.plan.parameters.clone());
    let rows: Vec<AnyView> = parameters
        .into_iter()
        .map(|parameter| match parameter.kind {
            ParameterKind::Secret => view! { <SecretRow parameter /> }.into_any(),
            _ => view! { <ValueRow parameter hands /> }.into_any(),
        })
        .collect();
    let place = Place::Values;
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" on:submit=answering(place)>
                <header>
                    <h2>"Values"</h2>
                </header>
                <dl class="facts" data-lay="stacked">{rows}</dl>
                <RefusedHere place />
            </section>
        }
        .into_any()
    })
}

/// A secret has a name and a version; its value is with the portal's configuration.
#[component]
fn SecretRow(parameter: PlanParameter) -> impl IntoView {
    let live = Live::here();
    let name = parameter.name.clone();
    let version = Memo::new(move |_| live.run.with(|run| run.secrets.get(&name).cloned()));
    let words = move || match version.get() {
        Some(version) => format!("a secret, version {}", version.get(..8).unwrap_or(&version)),
        None => "a secret, not set when the run was created".to_owned(),
    };
    view! {
        <dt>{parameter.label()}</dt>
        <dd>
            <span class="quiet">{words}</span>
        </dd>
    }
    .into_any()
}

#[component]
fn ValueRow(parameter: PlanParameter, hands: Hands) -> impl IntoView {
    let live = Live::here();
    let name = parameter.name.clone();
    let value = Memo::new(move |_| live.run.with(|run| run.values.get(&name).cloned()));
    let change = hands.then(|| {
        view! {
            <details class="fold">
                <summary>{move || if value.with(Option::is_some) { "Change" } else { "Set" }}</summary>
                <ValueForm parameter=parameter.clone() place="fact" />
            </details>
        }
    });
    view! {
        <dt>{parameter.label()}</dt>
        <dd>
            {move || match value.get() {
                Some(value) => view! { <span class="value"><Visible text=value /></span> }.into_any(),
                None => view! { <span class="quiet">"open"</span> }.into_any(),
            }}
            {change}
        </dd>
    }
    .into_any()
}

/// What people wrote, and a field to write more.
#[component]
pub fn Notes(hands: Hands) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let notes = Memo::new(move |_| live.run.with(|run| run.notes.clone()));
    let list = move || notes.with(|notes| live.run.with_untracked(|run| note_list(run, notes)));
    let place = Place::Notes;
    let field = NodeRef::<leptos::html::Textarea>::new();
    let answer = deeds.note.value();
    Effect::new(move |_| {
        if let (Some(Ok(())), Some(field)) = (answer.get(), field.get_untracked()) {
            field.set_value("");
        }
    });
    let form = hands.then(|| {
        view! {
            <ActionForm action=deeds.note attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="step" value=move || live.shown.get() />
                <textarea class="input" id="note" name="text" data-key="n" aria-label="Note on the step that is shown" required node_ref=field></textarea>
                <button class="btn" type="submit" disabled=deeds.note.pending()>
                    "Write note"
                </button>
            </ActionForm>
        }
    });
    view! {
        <section class="panel" on:submit=answering(place)>
            <header>
                <h2>"Notes"</h2>
            </header>
            {list}
            {form}
            <RefusedHere place />
        </section>
    }
    .into_any()
}

fn note_list(run: &Run, notes: &[Note]) -> Vec<AnyView> {
    notes
        .iter()
        .map(|note| {
            let step = note
                .step
                .and_then(|step| run.plan.step(step))
                .map(|plan| format!("step {}, ", super::rail::number(plan)));
            view! {
                <blockquote class="reason small">
                    <p>{lines(&note.text)}</p>
                    <footer>{note.stamp.by.name().to_owned()}", "{step}<Ago at=note.stamp.at /></footer>
                </blockquote>
            }
            .into_any()
        })
        .collect()
}

/// What a person wrote, with their line breaks.
pub fn lines(text: &str) -> Vec<AnyView> {
    let line = |(place, line): (usize, &str)| {
        let line = visible(line);
        if place == 0 { line } else { view! { <br /> {line} }.into_any() }
    };
    text.lines().enumerate().map(line).collect()
}

/// `production: deploy@prod.example.com`
pub fn target_words(run: &Run) -> AnyView {
    let target = &run.plan.target;
    visible(format!("{}: {}", target.name, target.reach))
}

/// What the run was made of.
#[component]
pub fn ThisRun(hands: Hands, suggestion: Option<SuggestedBy>) -> impl IntoView {
    let live = Live::here();
    let run = live.run.get_untracked();
    let place = Place::Run;
    let names = Memo::new(move |_| live.run.with(|run| run.carried.as_ref().map(|carried| carried.names.join(", "))));
    let exported = move || {
        names.get().map(|names| {
            view! {
                <dt>"Exported variables"</dt>
                <dd>
                    <code>{names}</code>
                </dd>
            }
        })
    };
    let limit = run.plan.visible_to.as_ref().map(|groups| {
        view! {
            <dt>"Limited to"</dt>
            <dd>{readers(groups)}</dd>
        }
    });
    let suggested = suggestion.map(|by| {
        view! {
            <dt>"Suggested by"</dt>
            <dd>
                {visible(alert_words(&by.alert, &by.service))}
                ", which fired "
                <Ago at=by.since />
            </dd>
        }
    });
    view! {
        <section class="panel" on:submit=answering(place)>
            <header>
                <h2>"This run"</h2>
            </header>
            <dl class="facts">
                <dt>"Target"</dt>
                <dd>{target_words(&run)}</dd>
                <dt>"Works in it"</dt>
                <dd>{move || live.run.with(|run| run.holder.by.name().to_owned())}</dd>
                <dt>"Lock"</dt>
                <dd>{move || live.run.with(lock_words)}</dd>
                <dt>"Directory"</dt>
                <Directory hands />
                {exported}
                <dt>"Reason"</dt>
                <dd>{if run.reason.is_empty() { "none given".to_owned() } else { run.reason.clone() }}</dd>
                {suggested}
                {limit}
                <dt>"Plan"</dt>
                <dd>
                    <code title=run.plan.digest().to_string()>{run.plan.digest().short()}</code>
                </dd>
                <dt>"Document"</dt>
                <dd>
                    {run.plan.document.clone()}
                    ", "
                    <code title=run.plan.document_digest.to_string()>{run.plan.document_digest.short()}</code>
                </dd>
            </dl>
            <RefusedHere place />
        </section>
    }
    .into_any()
}
