//! The run as a whole: who works in it, which run keeps the target, where the next attempt begins, what was added, giving up.

use domain::plan::PlanStep;
use domain::run::{Change, ChangeKind, Lock, Run, Who};
use domain::view::{LockedBy, Patch};
use leptos::prelude::*;

use super::notices::{RefusedHere, answering};
use crate::api::pages::run;
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::command_text::visible;
use crate::components::copy::Copy;
use crate::components::glyph::{Glyph, Sign};
use crate::deeds::{Deeds, Hands, Place, holds};
use crate::live::Live;
use crate::loaded::loaded_later;

/// Another person works in the run: who, and the way to go on in their place.
#[component]
pub fn Theirs() -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let by = Memo::new(move |_| live.run.with(|run| run.holder.by.name().to_owned()));
    view! {
        <p class="note">
            {move || format!("{} works in this run. You can stop what runs, tick lines and write notes.", by.get())}
        </p>
        <details class="fold take">
            <summary>
                <Glyph sign=Sign::Fold />
                "Take the run over…"
            </summary>
            <ActionForm action=deeds.take_over attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <Reason label="Why you take it over" />
                <button class="btn" data-kind="primary" type="submit" disabled=deeds.take_over.pending()>
                    {format!("Take over run {}", live.id())}
                </button>
                <span class="help">{move || format!("{} is told, and the record keeps it.", by.get())}</span>
            </ActionForm>
        </details>
    }
    .into_any()
}

#[component]
fn Reason(label: &'static str) -> impl IntoView {
    view! {
        <div class="field">
            <label>{label} <input class="input" name="reason" autocomplete="off" required /></label>
        </div>
    }
    .into_any()
}

/// Another run keeps the target to itself: what that means, and the way to take the lock.
#[component]
pub fn LockNotice(locked: LockedBy) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let mine = Memo::new(move |_| live.run.with(Run::holds_lock));
    let can = holds(live);
    let LockedBy { run, sentence, hidden } = locked;
    let link = if hidden {
        format!("run {run}").into_any()
    } else {
        view! { <a href=portal_path(format!("/runs/{run}"))>{format!("run {run}")}</a> }.into_any()
    };
    let place = Place::Lock;
    view! {
        <div class="callout" data-tone="warn" hidden=move || mine.get() on:submit=answering(place)>
            <Glyph sign=Sign::Info />
            <p class="head">
                "Another run keeps this target: " {link}
            </p>
            <p>{sentence} " What reads can run; what disrupts or destroys waits for its end."</p>
            <details class="fold take" hidden=move || !can.get()>
                <summary>
                    <Glyph sign=Sign::Fold />
                    "Take the lock…"
                </summary>
                <ActionForm action=deeds.take_lock attr:class="deed">
                    <input type="hidden" name="run" value=live.id().0 />
                    <Reason label="Why you take it" />
                    <button class="btn" type="submit" disabled=deeds.take_lock.pending()>
                        {format!("Take the lock from run {run}")}
                    </button>
                    <span class="help">
                        "A lead may take it at any time, an operator when nothing has happened there for 30 minutes."
                    </span>
                </ActionForm>
            </details>
            <RefusedHere place />
        </div>
    }
    .into_any()
}

/// The lock of this run was taken by another one.
#[component]
pub fn LockLost() -> impl IntoView {
    let live = Live::here();
    let lost = Memo::new(move |_| live.run.with(lost_words));
    move || {
        lost.get().map(|(to, words)| {
            view! {
                <div class="callout" data-tone="warn" role="status">
                    <Glyph sign=Sign::Info />
                    <p class="head">
                        "The lock was taken by " <a href=portal_path(format!("/runs/{to}"))>{format!("run {to}")}</a>
                    </p>
                    <p>{words}</p>
                </div>
            }
        })
    }
}

fn lost_words(run: &Run) -> Option<(i64, String)> {
    let Some(Lock::Lost { to }) = run.lock else { return None };
    let told = run.changes.iter().rev().find_map(|Change { kind, .. }| match kind {
        ChangeKind::LockLost { by, reason, .. } => Some(format!("{by}: {reason}")),
        _ => None,
    })?;
    Some((to.0, format!("{told}. What disrupts or destroys does not start here until that run has ended.")))
}

/// Commands that are not in the document: added to the run, and classed, before anything of them is started.
#[component]
pub fn AddStep(step: u32) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let can = holds(live);
    let place = Place::Deeds(step);
    let place_to_be = Memo::new(move |_| live.run.with(Run::next_place));
    view! {
        <details class="fold add" hidden=move || !can.get() on:submit=answering(place)>
            <summary>
                <Glyph sign=Sign::Fold />
                "Run something that is not in the document…"
            </summary>
            <ActionForm action=deeds.add_step attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="after" value=step />
                <input type="hidden" name="place" value=move || place_to_be.get() />
                <div class="field">
                    <label>
                        "Commands"
                        <textarea class="input" data-mono="" name="text" rows="3" spellcheck="false" required></textarea>
                    </label>
                </div>
                <Reason label="What it is for" />
                <button class="btn" type="submit" disabled=deeds.add_step.pending()>
                    "Add as a step"
                </button>
                <span class="help">
                    "Nothing is started yet: the step gets its class first. At the end the page offers it as a change of the document."
                </span>
            </ActionForm>
        </details>
    }
    .into_any()
}

/// What a person has just added is put on the stage.
pub fn show_what_is_added(live: Live) {
    let added = Memo::new(move |_| live.run.with(last_added));
    Effect::new(move |before: Option<Option<(u32, Who)>>| {
        let now = added.get();
        let own = now.as_ref().filter(|(_, by)| matches!(by, Who::Person(by) if by.id == live.actor().id));
        if let (Some(before), Some((step, _))) = (before, own)
            && before.as_ref().is_none_or(|(last, _)| last < step)
        {
            live.show(*step, None);
        }
        now
    });
}

fn last_added(run: &Run) -> Option<(u32, Who)> {
    run.changes.iter().rev().find_map(|change| match change.kind {
        ChangeKind::StepAdded { step } => Some((step, change.stamp.by.clone())),
        _ => None,
    })
}

/// Why a step was added, and after which one.
pub fn added_words(run: &Run, plan: &PlanStep) -> Option<String> {
    let ad_hoc = plan.ad_hoc.as_ref()?;
    let place = match run.plan.step(ad_hoc.after) {
        Some(after) => format!("after step {}", super::rail::number(after)),
        None => "before the first step".to_owned(),
    };
    // The reason is the title, unless it is longer than one.
    let more = if ad_hoc.reason == plan.title { String::new() } else { format!(": {}", ad_hoc.reason) };
    Some(format!("Not in the document; added {place}{more}"))
}

/// What is to be known of a step with a directory of its own.
pub fn own_directory_words(run: &Run, step: u32) -> Option<String> {
    let own = run.plan.step(step)?.directory.as_ref()?;
    let now = run.directory_of(step);
    let moved = if now == own { String::new() } else { format!(" It is in {now} now.") };
    Some(format!(
        "This step has a directory of its own, {own}: what comes after it begins where the run was before.{moved}"
    ))
}

/// Why what is set as the directory is not for the run: the step that it is about has its own.
fn apart_words(run: &Run) -> Option<String> {
    let step = run.apart().filter(|_| run.end.is_none())?;
    let number = super::rail::number(run.plan.step(step)?);
    let place = run.directory_of(step);
    Some(format!("Step {number} has its own: {place}. A directory that is set now is for that step alone."))
}

/// Where the next attempt begins, and the way to change it.
#[component]
pub fn Directory(hands: Hands) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let directory = Memo::new(move |_| live.run.with(|run| run.directory.clone()));
    let next = Memo::new(move |_| live.run.with(|run| run.next_directory().to_owned()));
    let apart = Memo::new(move |_| live.run.with(apart_words));
    let can = holds(live);
    let form = hands.then(|| {
        view! {
            <details class="fold" hidden=move || !can.get()>
                <summary>"Change"</summary>
                <ActionForm action=deeds.directory attr:class="value-form">
                    <input type="hidden" name="run" value=live.id().0 />
                    <div class="note-line">
                        <input
                            class="input"
                            data-mono=""
                            name="path"
                            aria-label="Directory"
                            autocomplete="off"
                            spellcheck="false"
                            prop:value=next
                            value=next.get_untracked()
                            required
                        />
                        <button class="btn" type="submit" disabled=deeds.directory.pending()>
                            "Set directory"
                        </button>
                    </div>
                </ActionForm>
            </details>
        }
    });
    view! {
        <dd>
            <code>{directory}</code>
            {move || apart.get().map(|words| view! { <p class="note">{visible(words)}</p> })}
            {form}
        </dd>
    }
    .into_any()
}

/// How the run stands to the lock of its target.
pub fn lock_words(run: &Run) -> String {
    let target = &run.plan.target.name;
    match run.lock {
        Some(Lock::Held { since }) if run.end.is_none() => {
            format!("holds {target} since {}", since.time_of_day())
        }
        Some(Lock::Held { .. }) => format!("held {target} to its end"),
        Some(Lock::Lost { to }) => format!("lost to run {to}"),
        None => "none: nothing that disrupts was started".to_owned(),
    }
}

/// Gives the run up, also while a step runs.
#[component]
pub fn GiveUp() -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let asked = Memo::new(move |_| live.run.with(|run| run.abort.clone()));
    let busy = Memo::new(move |_| live.run.with(|run| run.open_attempt().is_some()));
    let place = Place::Finish;
    let words = move || {
        if busy.get() { "Stop the step and give up the run" } else { "Give up the run" }
    };
    view! {
        <details class="fold take" hidden=move || asked.with(Option::is_some) on:submit=answering(place)>
            <summary>
                <Glyph sign=Sign::Fold />
                {format!("Give up run {}…", live.id())}
            </summary>
            <ActionForm action=deeds.abort attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <Reason label="Why it is given up" />
                <button class="btn" data-kind="disrupts" type="submit" disabled=deeds.abort.pending()>
                    <Glyph sign=Sign::Stop />
                    {words}
                </button>
                <span class="help">"Closes it as aborted. What was done stays done; the rollback is not run."</span>
            </ActionForm>
        </details>
        {move || {
            asked.get().map(|reason| view! {
                <p class="note">{format!("The run is given up and closes when its step has ended: {reason}")}</p>
            })
        }}
    }
    .into_any()
}

/// The same for a page that was loaded before a step was added: it is asked for now.
#[component]
pub fn LatePatch() -> impl IntoView {
    let id = Live::here().id();
    let patch = loaded_later(move || async move { run(id, None, None, None).await.ok()?.patch });
    move || patch.get().flatten().map(|patch| view! { <PatchPanel patch /> })
}

/// What would make the added steps part of the document.
#[component]
pub fn PatchPanel(patch: Patch) -> impl IntoView {
    let (about, text) = match patch {
        Patch::Diff(text) => ("A change of the document that has the steps which were added in this run.", text),
        Patch::Markdown(text) => (
            "The document has changed since this run, or not all of it is for you, so the steps which were added stand here alone. \
             Put them where they belong.",
            text,
        ),
    };
    view! {
        <section class="part" aria-labelledby="patch-title">
            <h2 id="patch-title">"For the document"</h2>
            <p class="note">{about}</p>
            <pre class="patch" tabindex="0" aria-label="Change of the document">
                <code>{text.clone()}</code>
            </pre>
            <Copy text words="Copy the change" />
        </section>
    }
    .into_any()
}
