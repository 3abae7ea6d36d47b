//! Lines that a person ticks, with who ticked them.

use domain::RunId;
use domain::run::Tick;
use domain::runbook::{Item, plain};
use leptos::prelude::*;

use super::notices::{RefusedHere, answering};
use super::rail::tick_status;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::folded_line::FoldedLine;
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::inline;
use crate::deeds::{Deeds, Hands, Place};

/// A line in a run. Step 0 is the expected outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The run.
    pub run: RunId,
    /// The step's place in the plan.
    pub step: u32,
    /// The line's number in the step.
    pub number: u32,
}

impl Line {
    /// The name of the form that ticks it, or takes its tick back.
    fn form(self, ticked: bool) -> String {
        let deed = if ticked { "untick" } else { "tick" };
        format!("{deed}-{}-{}", self.step, self.number)
    }
}

/// One line. Its parts stay when it is ticked, so that the focus does, too.
pub fn tick_line(line: Line, item: &Item, tick: Memo<Option<Tick>>, hands: Hands) -> AnyView {
    let words = plain(&item.words);
    let text = inline(item.words.clone());
    let ticked = Memo::new(move |_| tick.with(Option::is_some));
    let place = Place::Line(line.step, line.number);
    let (sign, forms) = match hands {
        Hands::On => (
            view! { <TickBox line ticked words=words.clone() /> }.into_any(),
            Some(view! {
                <TickForm line ticked words />
                <UntickForm line />
                <div class="saw"><RefusedHere place /></div>
            }),
        ),
        Hands::Off => ((move || view! { <TickSign ticked=ticked.get() /> }).into_any(), None),
    };
    view! {
        <li
            data-state=move || if ticked.get() { "ok" } else { "waiting" }
            on:submit=answering(place)
        >
            {sign}
            <span>{text}</span>
            {move || by(tick.get())}
            {forms}
        </li>
    }
    .into_any()
}

/// Who ticked, when, and what they saw.
fn by(tick: Option<Tick>) -> AnyView {
    let Some(tick) = tick else { return view! { <span class="by">"not ticked"</span> }.into_any() };
    view! {
        <span class="by">{format!("ticked by {}, ", tick.stamp.by.name())}<Ago at=tick.stamp.at /></span>
        {(!tick.note.is_empty()).then(|| view! { <span class="saw">{tick.note.clone()}</span> })}
    }
    .into_any()
}

#[component]
fn TickSign(ticked: bool) -> impl IntoView {
    let (status, label) = tick_status(ticked);
    view! { <Glyph sign=Sign::State(status) label /> }.into_any()
}

/// The box: one button, which sends the form that ticks or the one that takes the tick back.
#[component]
fn TickBox(line: Line, ticked: Memo<bool>, words: String) -> impl IntoView {
    let does = move || if ticked.get() { "Take the tick back" } else { "Tick" };
    view! {
        <button
            class="tick-box"
            type="submit"
            form=move || line.form(ticked.get())
            data-ticked=move || ticked.get().then_some("")
            aria-label=move || format!("{}: {words}", does())
            title=does
        >
            {move || ticked.get().then(|| view! { <TickSign ticked=true /> })}
        </button>
    }
    .into_any()
}

/// The form behind the empty box; a note can be written before ticking.
#[component]
fn TickForm(line: Line, ticked: Memo<bool>, words: String) -> impl IntoView {
    let deeds = Deeds::here();
    view! {
        <ActionForm
            action=deeds.tick
            attr:id=line.form(false)
            attr:class="tick-form"
            attr:hidden=move || ticked.get()
        >
            <Named line />
            <FoldedLine
                summary="Tick with a note"
                name="note"
                label=format!("Note on: {words}")
                button="Tick with note"
            />
        </ActionForm>
    }
    .into_any()
}

/// The form behind the ticked box.
#[component]
fn UntickForm(line: Line) -> impl IntoView {
    let deeds = Deeds::here();
    view! {
        <ActionForm action=deeds.untick attr:id=line.form(true) attr:hidden=true>
            <Named line />
        </ActionForm>
    }
    .into_any()
}

#[component]
fn Named(line: Line) -> impl IntoView {
    view! {
        <input type="hidden" name="run" value=line.run.0 />
        <input type="hidden" name="step" value=line.step />
        <input type="hidden" name="item" value=line.number />
    }
    .into_any()
}
