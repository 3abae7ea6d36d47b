//! Lines that a person ticks, with who ticked them.

use domain::RunId;
use domain::run::{StepStatus, Tick};
use domain::runbook::{Item, plain};
use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::inline;
use crate::deeds::{Deeds, Hands};

/// One line. Step 0 is the expected outcome.
pub fn tick_line(run: RunId, step: u32, number: u32, item: &Item, tick: Option<Tick>, hands: Hands) -> AnyView {
    let words = plain(&item.words);
    let text = inline(item.words.clone());
    match tick {
        Some(tick) => view! {
            <li data-state="ok">
                {match hands {
                    Hands::On => view! { <TakeBack run step number words /> }.into_any(),
                    Hands::Off => done_sign(),
                }}
                <span>{text}</span>
                <span class="by">{format!("ticked by {}, ", tick.stamp.by.name())}<Ago at=tick.stamp.at /></span>
                {(!tick.note.is_empty()).then(|| view! { <span class="saw">{tick.note.clone()}</span> })}
            </li>
        }
        .into_any(),
        None if hands == Hands::On => {
            let id = format!("tick-{step}-{number}");
            view! {
                <li data-state="waiting">
                    <button
                        class="tick-box"
                        type="submit"
                        form=id.clone()
                        aria-label=format!("Tick: {words}")
                        title="Tick"
                    ></button>
                    <span>{text}</span>
                    <span class="by">"not ticked"</span>
                    <TickForm id run step number words />
                </li>
            }
            .into_any()
        }
        None => view! {
            <li data-state="waiting">
                <Glyph sign=Sign::State(StepStatus::Waiting) label="not ticked" />
                <span>{text}</span>
                <span class="by">"not ticked"</span>
            </li>
        }
        .into_any(),
    }
}

fn done_sign() -> AnyView {
    view! { <Glyph sign=Sign::State(StepStatus::Done) label="ticked" /> }.into_any()
}

/// The form behind the box; a note can be written before ticking.
#[component]
fn TickForm(id: String, run: RunId, step: u32, number: u32, words: String) -> impl IntoView {
    let deeds = Deeds::here();
    view! {
        <ActionForm action=deeds.tick attr:id=id attr:class="tick-form">
            <input type="hidden" name="run" value=run.0 />
            <input type="hidden" name="step" value=step />
            <input type="hidden" name="item" value=number />
            <details class="fold">
                <summary>
                    <Glyph sign=Sign::Fold />
                    "Tick with a note"
                </summary>
                <div class="note-line">
                    <input class="input" name="note" aria-label=format!("Note on: {words}") autocomplete="off" />
                    <button class="btn" type="submit">
                        "Tick with note"
                    </button>
                </div>
            </details>
        </ActionForm>
    }
    .into_any()
}

#[component]
fn TakeBack(run: RunId, step: u32, number: u32, words: String) -> impl IntoView {
    let deeds = Deeds::here();
    view! {
        <ActionForm action=deeds.untick attr:class="untick">
            <input type="hidden" name="run" value=run.0 />
            <input type="hidden" name="step" value=step />
            <input type="hidden" name="item" value=number />
            <button class="tick-box" type="submit" data-ticked="" aria-label=format!("Take the tick back: {words}") title="Take the tick back">
                {done_sign()}
            </button>
        </ActionForm>
    }
    .into_any()
}
