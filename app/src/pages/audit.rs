//! The audit: what happened, in the order in which it was recorded, and what proves that nobody has changed it since.

use std::time::Duration;

use domain::audit::{Finding, Part, Verification};
use domain::run::Who;
use domain::time::{size, span, thousands};
use domain::view::{AuditRow, AuditView, CheckpointInfo, VerificationState};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::audit::{Verify, audit};
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::arrival::Arrival;
use crate::components::command_text::Visible;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;
use crate::loaded::loaded;

/// How often a verification that runs is asked how far it is.
const LOOK: Duration = Duration::from_secs(1);

/// `/audit`
#[component]
pub fn AuditPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let query = query.read();
        let before = query.get_str("before").and_then(|before| before.parse::<u64>().ok());
        (before, query.get_str("of").is_some_and(|of| of == "portal"))
    });
    let verify = ServerAction::<Verify>::new();
    let view = Resource::new(
        move || (asked.get(), verify.version().get()),
        |((before, portal_only), _)| audit(before, portal_only),
    );
    view! {
        <Title text="Audit" />
        {loaded(view, move |_, shown| {
            look_again_while_it_runs(&shown.verification, move || view.refetch());
            view! { <Body view=shown verify /> }
        })}
    }
    .into_any()
}

/// A verification that runs is looked at again, without anybody asking for it.
fn look_again_while_it_runs(state: &VerificationState, again: impl Fn() + Clone + 'static) {
    if !matches!(state, VerificationState::Running { .. }) {
        return;
    }
    Effect::new(move |_| {
        if let Ok(handle) = set_timeout_with_handle(again.clone(), LOOK) {
            on_cleanup(move || handle.clear());
        }
    });
}

#[component]
fn Body(view: AuditView, verify: ServerAction<Verify>) -> impl IntoView {
    Clock::start(view.now);
    let AuditView { info, verification, rows, older, portal_only, .. } = view;
    let problem = Signal::derive(move || verify.value().get()?.err().map(|error| error.to_string()));
    let warnings = [info.broken.clone(), info.trouble.clone()].into_iter().flatten().map(warning).collect_view();
    view! {
        <main id="main" class="page" data-kind="decision" tabindex="-1">
            <header class="page-head">
                <h1>"Audit"</h1>
                <div class="facts-line">
                    <span>{format!("{} events", thousands(info.events))}</span>
                </div>
            </header>
            // On a phone one below the other: what the list is worth comes before the list.
            <aside class="aside stack" aria-label="Proof">
                {warnings}
                <Refused problem />
                <Verifying state=verification verify />
                <Outside info />
            </aside>
            <div class="main stack">
                <Events rows older portal_only />
            </div>
        </main>
    }
    .into_any()
}

fn warning(sentence: String) -> AnyView {
    view! {
        <div class="callout" data-tone="danger" role="alert">
            <Glyph sign=Sign::Warning />
            <p>{sentence}</p>
        </div>
    }
    .into_any()
}

/// The last verification, and the button for another one.
#[component]
fn Verifying(state: VerificationState, verify: ServerAction<Verify>) -> impl IntoView {
    let running = matches!(state, VerificationState::Running { .. });
    view! {
        <section class="panel" aria-labelledby="verification">
            <header>
                <h2 id="verification">"Verification"</h2>
            </header>
            <div role="status">{verification(state)}</div>
            <ActionForm action=verify>
                <button class="btn" type="submit" disabled=running>
                    {if running { "Verifying…" } else { "Verify now" }}
                </button>
            </ActionForm>
        </section>
    }
    .into_any()
}

fn verification(state: VerificationState) -> AnyView {
    match state {
        VerificationState::Never => view! {
            <p class="soft small">
                "Not verified since the portal was started. All events, checkpoints and outputs are read again; work goes on meanwhile."
            </p>
        }
        .into_any(),
        VerificationState::Running { part, seen, of } => {
            let of = of.map(|of| format!(" of {}", thousands(of))).unwrap_or_default();
            view! { <p>{format!("{} {}{of} read", thousands(seen), part.word())}</p> }.into_any()
        }
        VerificationState::Failed { at, why } => {
            view! { <p><Ago at /> ": " {why}</p> }.into_any()
        }
        VerificationState::Done { at, took_ms, verification } => judged(&verification, took_ms, view! { <Ago at /> }.into_any()),
    }
}

fn judged(verification: &Verification, took_ms: u64, ago: AnyView) -> AnyView {
    let Verification { events, checkpoints, outputs, bytes, findings, .. } = verification;
    let good = findings.is_empty();
    let (tone, sign, words) = if good {
        ("ok", Sign::State(domain::run::StepStatus::Done), "Everything is as it was recorded")
    } else {
        ("danger", Sign::Warning, "Not everything is as it was recorded")
    };
    let count = |part: Part, count: u64| format!("{} {}", thousands(count), part.word());
    view! {
        <p>
            <span class="state" data-tone=tone>
                <Glyph sign />
                {words}
            </span>
        </p>
        <ul>{findings.iter().map(finding).collect_view()}</ul>
        <p class="soft small">
            {format!(
                "{}, {} and {} with {} are whole. Read ",
                count(Part::Chain, *events),
                count(Part::Checkpoints, *checkpoints),
                count(Part::Outputs, *outputs),
                size(*bytes),
            )} {ago} {format!(", in {}.", span(took_ms))}
        </p>
    }
    .into_any()
}

fn finding(finding: &Finding) -> AnyView {
    view! { <li>{finding.why.clone()}</li> }.into_any()
}

/// What proves the chain outside the database, and what that is worth.
#[component]
fn Outside(info: CheckpointInfo) -> impl IntoView {
    let last = match &info.last {
        Some(last) => view! {
            <dt>"Last checkpoint"</dt>
            <dd>
                <Ago at=last.at /> {format!(", of event {}", thousands(last.seq))}
            </dd>
        }
        .into_any(),
        None => view! { <dt>"Last checkpoint"</dt><dd>"none yet"</dd> }.into_any(),
    };
    let beside = info.beside.then(|| {
        view! {
            <p class="soft small">
                "They lie on the same disk as the database: whoever can write there can replace both. What they are worth then is that                  this takes the portal's key as well, which lies in the data folder. Name a folder elsewhere in the configuration, under [audit]."
            </p>
        }
    });
    view! {
        <section class="panel" aria-labelledby="outside">
            <header>
                <h2 id="outside">"Checkpoints"</h2>
            </header>
            <dl class="facts" data-lay="stacked">
                {last}
                <dt>"Folder"</dt>
                <dd>
                    <code>{info.folder}</code>
                </dd>
                <dt>"Fingerprint of the public key"</dt>
                <dd>
                    <code>{info.fingerprint}</code>
                </dd>
            </dl>
            {beside}
        </section>
    }
    .into_any()
}

#[component]
fn Events(rows: Vec<AuditRow>, older: Option<u64>, portal_only: bool) -> impl IntoView {
    let arrival = use_context::<Arrival>();
    let turned = move |_| arrival.into_iter().for_each(Arrival::expect_page);
    let of = if portal_only { "of=portal&" } else { "" };
    let more = older.map(|older| {
        view! {
            <nav class="row" data-align="end" aria-label="Pages">
                <a class="btn" href=portal_path(format!("/audit?{of}before={older}")) on:click=turned>
                    "Older events"
                </a>
            </nav>
        }
    });
    let current = |chosen: bool| chosen.then_some("page");
    view! {
        <nav class="row" aria-label="Which events">
            <a href=portal_path("/audit") aria-current=current(!portal_only) on:click=turned>
                "All events"
            </a>
            <a href=portal_path("/audit?of=portal") aria-current=current(portal_only) on:click=turned>
                "Outside of runs"
            </a>
        </nav>
        <table class="table audit-table" data-cards>
            <caption class="sr">"Events, newest first"</caption>
            <thead>
                <tr>
                    <th scope="col" class="num">
                        "Event"
                    </th>
                    <th scope="col">"What"</th>
                    <th scope="col">"Who"</th>
                    <th scope="col">"When"</th>
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(event).collect_view()}</tbody>
        </table>
        {more}
    }
    .into_any()
}

/// An event of a run that is limited to others.
fn hidden_event(seq: u64, at: domain::Timestamp) -> AnyView {
    view! {
        <tr>
            <td class="num soft">{thousands(seq)}</td>
            <th scope="row">
                <span class="soft">"about a run that is limited to others"</span>
            </th>
            <td></td>
            <td class="soft">
                <Ago at />
            </td>
        </tr>
    }
    .into_any()
}

fn event(row: AuditRow) -> AnyView {
    let AuditRow { seq, at, by, run, kind, details, hidden } = row;
    if hidden {
        return hidden_event(seq, at);
    }
    // What has no person was done by somebody who was not signed in, or by the portal itself.
    let nobody = if kind == "sign_in_refused" { "a stranger" } else { "the portal" };
    let what = kind.replace('_', " ");
    let run = run.map(|run| view! { <a href=portal_path(format!("/runs/{run}"))>{format!("run {run}")}</a> });
    let who = by.as_ref().map_or_else(|| nobody.to_owned(), Who::name_and_token);
    let details = details
        .into_iter()
        .map(|(name, value)| {
            view! {
                <span>
                    {format!("{}: ", name.replace('_', " "))} <Visible text=value />
                </span>
            }
        })
        .collect_view();
    view! {
        <tr>
            <td class="num soft">{thousands(seq)}</td>
            <th scope="row">
                {what} <span class="sub">{run} {details}</span>
            </th>
            <td>
                <Visible text=who />
            </td>
            <td class="soft">
                <Ago at />
            </td>
        </tr>
    }
    .into_any()
}
