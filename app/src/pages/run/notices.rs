//! What must not be missed on the page of an open run.

use domain::view::Newer;
use leptos::prelude::*;

use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::live::{Link, Live, follow};

/// Connection, build, and a document that has moved on.
#[component]
pub fn Notices(newer: Option<Newer>) -> impl IntoView {
    let live = Live::here();
    view! {
        {newer.map(|newer| view! { <NewerNotice newer /> })}
        <div class="notices" role="status">
            {move || live.outdated.get().then(outdated)}
            {move || follow::lost_since(live.link.get()).map(|since| lost(view! { <Ago at=since /> }.into_any()))}
            {move || (live.link.get() == Link::Closed).then(closed)}
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
            let sign = if line.starts_with('+') { "+" } else { "-" };
            let text = line.trim_start_matches(['+', '-', ' ']).to_owned();
            view! {
                <li data-sign=sign>
                    <span></span>
                    <span>{if sign == "+" { "+" } else { "−" }}</span>
                    <span>{text}</span>
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

fn outdated() -> impl IntoView {
    view! {
        <div class="callout" data-tone="live">
            <Glyph sign=Sign::Info />
            <p class="head">"The portal was renewed"</p>
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

fn lost(since: AnyView) -> impl IntoView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">"Connection lost "{since}</p>
            <p>"The run goes on. This page tries again, and then shows every line in between."</p>
        </div>
    }
    .into_any()
}

fn closed() -> impl IntoView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">"No news come any more"</p>
            <p>"You are signed out, or your account no longer reads this run. The run goes on."</p>
            <div class="actions">
                <a class="btn" href="/sign-in" rel="external">
                    "Sign in again"
                </a>
            </div>
        </div>
    }
    .into_any()
}
