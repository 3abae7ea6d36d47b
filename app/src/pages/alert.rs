//! The page of an alert, to which rules of Prometheus link: it leads on to the procedure, or says which there are.

use domain::Slug;
use domain::view::{AlertView, Session};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_params_map;

use crate::api::alerts::{DismissSuggestion, alert};
use crate::base::{self, portal_path};
use crate::clock::Clock;
use crate::components::command_text::{Visible, visible};
use crate::components::suggestions::Suggestions;
use crate::deeds::Hands;
use crate::loaded::loaded;

/// `/alerts/{name}`
#[component]
pub fn AlertPage() -> impl IntoView {
    let params = use_params_map();
    let dismiss = ServerAction::<DismissSuggestion>::new();
    let asked = move || (params.read().get("name").unwrap_or_default(), dismiss.version().get());
    let view = Resource::new(asked, |(name, _)| alert(name));
    loaded(view, move |session, view| match view.leads_to() {
        Some(path) => view! { <Redirect path=portal_path(path) options=base::as_it_stands() /> }.into_any(),
        None => view! { <AlertBody session view dismiss /> }.into_any(),
    })
}

#[component]
fn AlertBody(session: Session, view: AlertView, dismiss: ServerAction<DismissSuggestion>) -> impl IntoView {
    let AlertView { now, alert, procedures, suggestions } = view;
    Clock::start(now);
    let hands = Hands::of(&session.actor);
    let told = if procedures.is_empty() {
        view! { <Nobody alert=alert.clone() /> }.into_any()
    } else {
        view! { <Named procedures /> }.into_any()
    };
    view! {
        <Title text=format!("Alert {alert}") />
        <main id="main" class="page" data-kind="wide" tabindex="-1">
            <header class="page-head">
                <h1>"Alert " {visible(alert.clone())}</h1>
            </header>
            <div class="stack" data-gap="large">
                <Suggestions rows=suggestions hands dismiss />
                {told}
            </div>
        </main>
    }
    .into_any()
}

/// No procedure names the alert, as far as whoever looks sees them.
#[component]
fn Nobody(alert: String) -> impl IntoView {
    view! {
        <div class="empty">
            <h2>"No procedure names this alert"</h2>
            <p>
                "Whoever writes the documents binds it in the side file of one: "
                <code>{visible(format!("alerts = [\"{alert}\"]"))}</code>
            </p>
            <div class="actions">
                <a class="btn" href=portal_path("/#procedures") rel="external">
                    "Open procedures"
                </a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Named(procedures: Vec<(Slug, String, String)>) -> impl IntoView {
    let rows = procedures
        .into_iter()
        .map(|(slug, title, about)| {
            view! {
                <li>
                    <div>
                        <span class="name">
                            <a href=portal_path(format!("/procedures/{slug}"))>{visible(title)}</a>
                        </span>
                        <span class="sub">
                            <Visible text=about />
                        </span>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="panel" aria-labelledby="named-by">
            <header>
                <h2 id="named-by">"Procedures for this alert"</h2>
            </header>
            <ul class="lines">{rows}</ul>
        </section>
    }
    .into_any()
}
