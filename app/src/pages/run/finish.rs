//! The end of a run: the expected outcome, line by line, and the verdict.

use domain::check::CheckId;
use domain::policy::Verb;
use domain::run::{Run, Tick, Verdict};
use domain::runbook::Item;
use leptos::prelude::*;

use super::card::provide_filling;
use super::checks::{CheckAll, check_line};
use super::control::GiveUp;
use super::notices::{RefusedHere, answering};
use super::ticks::{Line, tick_line};
use crate::components::action_form::ActionForm;
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::inline;
use crate::components::state::verdict_name;
use crate::components::step_content::tick_item;
use crate::deeds::{Deeds, Hands, Place, holds};
use crate::live::Live;

/// The expected outcome of a run, line by line: ticked or not, and what the portal found.
pub fn outcome_list(live: Live, hands: Hands) -> Option<AnyView> {
    provide_filling(live, 0);
    let items = live.run.with_untracked(|run| run.plan.outcome.clone());
    let show = |number: u32, item: &Item| {
        let id = CheckId { step: None, number };
        if live.run.with_untracked(|run| run.plan.check(id).is_some()) {
            return check_line(live, id, inline(item.words.clone()).into_any(), hands);
        }
        let tick = Memo::new(move |_| live.run.with(|run| tick_of(run, number)));
        tick_line(Line { run: live.id(), step: 0, number }, item, tick, hands)
    };
    let mut count = 0;
    let lines: Vec<AnyView> = items.iter().map(|item| tick_item(item, &mut count, &show)).collect();
    (!lines.is_empty()).then(|| view! { <ul class="checks">{lines}</ul> }.into_any())
}

/// The tick of a line of the expected outcome, counted from 1.
fn tick_of(run: &Run, number: u32) -> Option<Tick> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    run.outcome.get(place)?.clone()
}

/// How many lines of the expected outcome are ticked, and how many of its checks hold.
pub fn outcome_words(run: &Run) -> String {
    let is_checked = |number: u32| run.plan.check(CheckId { step: None, number }).is_some();
    let by_people: Vec<&Option<Tick>> =
        (1..).zip(&run.outcome).filter(|(number, _)| !is_checked(*number)).map(|(_, tick)| tick).collect();
    let ticked = format!("{} of {} ticked", by_people.iter().filter(|tick| tick.is_some()).count(), by_people.len());
    let holding = run.plan.outcome_checks().filter(|id| run.check_counts(*id)).count();
    let held = format!("{holding} of {} checks hold", run.plan.checks.len());
    match (run.plan.checks.len(), by_people.len()) {
        (0, _) => ticked,
        (_, 0) => held,
        _ => format!("{ticked}, {held}"),
    }
}

/// What a verdict says.
const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "the expected outcome is there",
        Verdict::NotReached => "the steps ran, the outcome is not there",
        Verdict::RolledBack => "everything is as it was before",
        Verdict::Aborted => "given up on the way",
    }
}

/// Expected outcome and verdict, below the steps of an open run.
#[component]
pub fn Finishing() -> impl IntoView {
    let live = Live::here();
    let hands = Hands::of(&live.actor());
    let holds = holds(live);
    let overrules = live.actor().may(Verb::Overrule).is_ok();
    let may_give_up = Memo::new(move |_| overrules || holds.get());
    let outcome = outcome_list(live, hands);
    let words = Memo::new(move |_| live.run.with(outcome_words));
    let has_outcome = live.run.with_untracked(|run| !run.outcome.is_empty());
    let has_checks = live.run.with_untracked(|run| !run.plan.checks.is_empty());
    view! {
        <section class="part finish" id="finish" aria-labelledby="finish-title">
            {has_outcome
                .then(|| {
                    view! {
                        <div class="spread">
                            <h2>"Expected outcome"</h2>
                            <span class="quiet small">{move || words.get()}</span>
                        </div>
                    }
                })}
            {outcome}
            {hands
                .then(|| {
                    view! {
                        {has_checks.then(|| view! { <CheckAll /> })}
                        <Show when=move || holds.get()>
                            <FinishForm />
                        </Show>
                        <Show when=move || may_give_up.get()>
                            <GiveUp />
                        </Show>
                    }
                })}
        </section>
    }
    .into_any()
}

#[component]
fn FinishForm() -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let busy = Memo::new(move |_| live.run.with(|run| run.open_attempt().is_some()));
    let place = Place::Finish;
    let has_checks = live.run.with_untracked(|run| !run.plan.checks.is_empty());
    let verdicts = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            view! {
                <label data-verdict=verdict_name(verdict)>
                    <input type="radio" name="verdict" value=verdict.name() required />
                    <span class="state">
                        <Glyph sign=Sign::Verdict(verdict) />
                        {verdict.word()}
                    </span>
                    <span class="help below">{meaning(verdict)}</span>
                </label>
            }
        })
        .collect_view();
    view! {
        <ActionForm action=deeds.finish attr:class="panel" attr:data-box="" on:submit=answering(place)>
            <header>
                <h3 id="finish-title">{format!("Close run {}", live.id())}</h3>
                <span>"A closed run does not change any more."</span>
            </header>
            <input type="hidden" name="run" value=live.id().0 />
            <fieldset class="field">
                <legend>"What came of it"</legend>
                <div class="choice">{verdicts}</div>
            </fieldset>
            <div class="field">
                <label for="comment">"Comment"</label>
                <textarea class="input" id="comment" name="comment" aria-describedby="comment-help"></textarea>
                <span class="help" id="comment-help">
                    "Needed unless the outcome was reached. Stands in the record, with your name."
                    {has_checks
                        .then_some(" An outcome that is checked is reached when its checks hold; those that were not asked are asked then.")}
                </span>
            </div>
            <div class="actions">
                <button class="btn" type="submit" disabled=move || busy.get() || deeds.finish.pending().get()>
                    {format!("Close run {}", live.id())}
                </button>
                {move || busy.get().then(|| view! { <span class="quiet small">"A step is running; stop it or wait for its end."</span> })}
            </div>
            <RefusedHere place />
        </ActionForm>
    }
    .into_any()
}
