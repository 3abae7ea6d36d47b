//! Which run this is, where it stands, who looks.

use domain::run::{Run, StepStatus, downtime};
use domain::time;
use leptos::prelude::*;
use leptos_meta::Title;

use super::actions::called;
use crate::base::portal_path;
use crate::components::ago::Ago;
use crate::components::command_text::visible;
use crate::components::glyph::{Glyph, Sign};
use crate::components::state::StateMark;
use crate::deeds::Hands;
use crate::live::Live;

/// Where a run stands, by the step whose turn it is.
pub fn standing(run: &Run) -> StepStatus {
    match run.stands_at() {
        Some(step) => run.status(step),
        None => StepStatus::Done,
    }
}

/// Where a run stands, in words.
pub fn standing_words(run: &Run) -> String {
    let Some(step) = run.stands_at() else {
        return "all steps are over".to_owned();
    };
    let step_is = run.plan.step(step).map_or_else(|| format!("step {step}"), called);
    format!("{step_is} {}", run.status(step).word())
}

/// Where it works, when that is not the portal's own machine.
pub fn elsewhere(run: &Run) -> Option<AnyView> {
    let reach = &run.plan.target.reach;
    (!reach.is_local()).then(|| view! { <span>{visible(reach.to_string())}</span> }.into_any())
}

/// What the tab is called. The server reads it when the page is rendered already, where nothing of the page's own state can be
/// reached any more: it is worked out here and kept.
fn title_of(live: Live) -> ArcMemo<String> {
    let words = |run: &Run| format!("Run {}, {}, {}", run.id, run.plan.title, standing_words(run));
    let title = ArcMemo::new(move |_| live.run.with(words));
    drop(title.get_untracked());
    title
}

/// Crumb, title, deeds of the run, one line of facts.
#[component]
pub fn Head() -> impl IntoView {
    let live = Live::here();
    let run = live.run.get_untracked();
    let title = title_of(live);
    let hands = Hands::of(&live.actor());
    let stands = Memo::new(move |_| live.run.with(|run| (standing(run), standing_words(run))));
    let mark = move || {
        let (status, word) = stands.get();
        view! { <StateMark status word /> }
    };
    view! {
        <Title text=move || title.get() />
        <header class="page-head">
            <nav class="crumb" aria-label="Breadcrumb">
                <ol>
                    <li>
                        <a href=portal_path(format!("/procedures/{}", run.plan.slug))>{visible(run.plan.title.clone())}</a>
                    </li>
                    <li>{format!("Run {}", run.id)}</li>
                </ol>
            </nav>
            <h1>{visible(format!("{} on {}", run.plan.title, run.plan.target.name))}</h1>
            {hands
                .then(|| {
                    view! {
                        <div class="actions">
                            <a class="btn" data-kind="quiet" href="#note" rel="external">
                                <Glyph sign=Sign::Note />
                                "Add note"
                                <kbd>"n"</kbd>
                            </a>
                            <a class="btn" href="#finish" rel="external">
                                "Close run…"
                            </a>
                        </div>
                    }
                })}
            <div class="facts-line">
                {mark}
                {elsewhere(&run)}
                <span>{move || visible(live.run.with(|run| run.holder.by.name().to_owned()))}</span>
                <span>"started " <Ago at=run.started.at /></span>
                {(!run.reason.is_empty()).then(|| view! { <span>{visible(run.reason.clone())}</span> })}
                <DownFor />
                <Watchers />
            </div>
        </header>
    }
    .into_any()
}

/// The downtime clock: it ticks while services are away, and stands when they are back.
#[component]
fn DownFor() -> impl IntoView {
    let live = Live::here();
    let away = Memo::new(move |_| live.run.with(|run| run.away.clone()));
    move || {
        let open = away.with(|away| away.last().map(|last| last.until.is_none()))?;
        let span = move || time::span(away.with(|away| downtime(away, live.clock.now())));
        Some(if open {
            view! { <span class="tempo">"services away for " {span}</span> }.into_any()
        } else {
            view! { <span>"services were away for " {span}</span> }.into_any()
        })
    }
}

#[component]
fn Watchers() -> impl IntoView {
    let live = Live::here();
    let own = live.actor().name;
    let others = move || {
        let mut names: Vec<String> = live.names.get().into_iter().filter(|name| *name != own).collect();
        names.sort();
        names.dedup();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is watching")),
            [most @ .., last] => Some(format!("{} and {last} are watching", most.join(", "))),
        }
    };
    move || {
        others().map(|words| {
            view! {
                <span>
                    <Glyph sign=Sign::Eyes />
                    {words}
                </span>
            }
        })
    }
}

/// Says changes of state to those who listen, never output.
#[component]
pub fn Announcements() -> impl IntoView {
    let live = Live::here();
    let words = Memo::new(move |_| live.run.with(standing_words));
    view! { <p class="sr" role="status">{move || words.get()}</p> }.into_any()
}
