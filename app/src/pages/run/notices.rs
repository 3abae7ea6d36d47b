//! What must not be missed on the page of an open run.

use domain::Timestamp;
use domain::view::Newer;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

use crate::base::portal_path;
use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;
use crate::deeds::{Deeds, Place};
use crate::live::{Link, Live};

/// Connection, build, and a document that has moved on.
#[component]
pub fn Notices(newer: Option<Newer>) -> impl IntoView {
    let live = Live::here();
    let said = Memo::new(move |_| said(live.link.get(), live.outdated.get()));
    view! {
        {newer.map(|newer| view! { <NewerNotice newer /> })}
        // One fixed sentence; the callouts count, and whoever listens need not hear that.
        <p class="sr" role="status">{move || said.get()}</p>
        <div class="notices">
            {move || live.outdated.get().then(outdated)}
            {move || match live.link.get() {
                Link::Lost(since) => Some(lost(since)),
                Link::Closed => Some(closed()),
                Link::Still | Link::Up => None,
            }}
        </div>
    }
    .into_any()
}

/// What has to be said aloud.
fn said(link: Link, outdated: bool) -> Option<&'static str> {
    match (link, outdated) {
        (Link::Lost(_), _) => Some(LOST),
        (Link::Closed, _) => Some(CLOSED),
        (_, true) => Some(OUTDATED),
        (Link::Still | Link::Up, false) => None,
    }
}

const LOST: &str = "Connection lost";
const CLOSED: &str = "No news comes any more";
const OUTDATED: &str = "The portal was renewed";

/// Remembers that what is sent from here is to be answered here.
pub fn answering(place: Place) -> impl Fn(SubmitEvent) + Clone + Send + Sync + 'static {
    let deeds = Deeds::here();
    move |_| deeds.ask_at(place)
}

/// Why what was asked for at this place was not done.
#[component]
pub fn RefusedHere(place: Place) -> impl IntoView {
    let deeds = Deeds::here();
    let problem = Memo::new(move |_| deeds.problem_at(place).map(|error| error.to_string()));
    move || problem.get().map(|sentence| view! { <Refused problem=Signal::stored(Some(sentence)) /> })
}

/// A refusal whose place is not on the page: it is brought into sight, because nobody looks for it here.
#[component]
pub fn RefusedElsewhere(problem: Signal<Option<String>>) -> impl IntoView {
    let region = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        if problem.with(Option::is_some) {
            request_animation_frame(move || {
                if let Some(region) = region.try_get_untracked().flatten() {
                    drop(region.focus());
                }
            });
        }
    });
    view! {
        <div tabindex="-1" node_ref=region hidden=move || problem.with(Option::is_none)>
            <Refused problem />
        </div>
    }
    .into_any()
}

/// The document has changed since this run was created; the run has not.
#[component]
pub fn NewerNotice(newer: Newer) -> impl IntoView {
    let head = match &newer.digest {
        Some(digest) => format!("The document has a newer version, digest {}", digest.short()),
        None => "The document has no such procedure any more".to_owned(),
    };
    let lines = newer
        .changes
        .into_iter()
        .map(|line| {
            let (sign, text) = difference(&line);
            view! {
                <li data-sign=sign>
                    <span></span>
                    <span>{if sign == "+" { "+" } else { "−" }}</span>
                    <span>{text.to_owned()}</span>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let difference = if lines.is_empty() {
        view! { <p>"No command differs."</p> }.into_any()
    } else {
        view! {
            <details class="fold">
                <summary>
                    <Glyph sign=Sign::Fold />
                    "Show the difference"
                </summary>
                <div class="diff">
                    <ol>{lines}</ol>
                </div>
            </details>
        }
        .into_any()
    };
    view! {
        <div class="callout" data-tone="live">
            <Glyph sign=Sign::Compare />
            <p class="head">{head}</p>
            <p>"This run keeps the plan that it was created with. Start a new run to use the newer one."</p>
            {difference}
        </div>
    }
    .into_any()
}

/// The sign of a line that differs, and the line as it stands in the document, with its blanks and its own signs.
fn difference(line: &str) -> (&'static str, &str) {
    let (sign, text) = match line.strip_prefix('+') {
        Some(text) => ("+", text),
        None => ("-", line.strip_prefix('-').unwrap_or(line)),
    };
    (sign, text.strip_prefix(' ').unwrap_or(text))
}

fn outdated() -> AnyView {
    view! {
        <div class="callout" data-tone="live">
            <Glyph sign=Sign::Info />
            <p class="head">{OUTDATED}</p>
            <p>"This page is of the build before. It still works; load it again when nothing runs under your hands."</p>
            <div class="actions">
                <a class="btn" href="" rel="external" on:click=move |_| drop(window().location().reload())>
                    "Load this page again"
                </a>
            </div>
        </div>
    }
    .into_any()
}

fn lost(since: Timestamp) -> AnyView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">{LOST}" "<Ago at=since /></p>
            <p>"The run goes on. This page tries again, and then shows every line in between."</p>
        </div>
    }
    .into_any()
}

fn closed() -> AnyView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">{CLOSED}</p>
            <p>"You are signed out, or your account no longer reads this run. The run goes on."</p>
            <div class="actions">
                <a class="btn" href=portal_path("/sign-in") rel="external">
                    "Sign in again"
                </a>
            </div>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_keeps_the_blanks_and_signs_of_the_line_itself() {
        assert_eq!(difference("-   - indented item"), ("-", "  - indented item"));
        assert_eq!(difference("+ $ git diff"), ("+", "$ git diff"));
        assert_eq!(difference("+ ++x"), ("+", "++x"));
        assert_eq!(difference("-"), ("-", ""));
    }
}
