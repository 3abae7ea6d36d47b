//! What stands around every page of a signed-in person: the bar above, the foot below.

use domain::policy::{Actor, Verb};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::glyph::{Glyph, Sign};
use super::keys_dialog::KeysDialog;
use super::palette::Palette;
use super::theme::ThemeSwitch;
use crate::api::session::{SignOut, session};
use crate::keys;
use crate::loaded::SessionResource;

/// A page with its bar and its foot.
#[component]
pub fn Frame() -> impl IntoView {
    let session: SessionResource = Resource::new(|| (), |()| session());
    provide_context(session);
    keys::listen();
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <header class="topbar">
            <Suspense>
                {move || Suspend::new(async move { session.await.ok().map(|session| view! { <Bar actor=session.actor /> }) })}
            </Suspense>
        </header>
        <Outlet />
        <Foot />
        <KeysDialog />
        <Palette />
    }
    .into_any()
}

/// The foot of every page.
#[component]
pub fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">
            <span>"All times UTC"</span>
            <button class="keys needs-scripts" type="button" on:click=move |_| _ = keys::open_dialog("keys")>
                <kbd>"?"</kbd>
                " keys"
            </button>
            <ThemeSwitch />
        </footer>
    }
    .into_any()
}

#[component]
fn Bar(actor: Actor) -> impl IntoView {
    let narrow = actor.clone();
    view! {
        <a class="brand" href="/">
            <Glyph sign=Sign::Brand />
            <span>"Runbook Portal"</span>
        </a>
        <nav aria-label="Portal">
            <ul>
                <Places actor=actor.clone() />
            </ul>
        </nav>
        <button
            class="jump needs-scripts"
            type="button"
            title="Search or jump, Ctrl K"
            on:click=move |_| _ = keys::open_dialog("palette")
        >
            <Glyph sign=Sign::Search />
            <span>"Search or jump"</span>
            <kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
        <details class="menu me only-wide">
            <summary aria-label=format!("{}, {}, account menu", actor.name, actor.role)>
                <Glyph sign=Sign::Person />
                {actor.name.clone()}
            </summary>
            <div>
                <p class="quiet small">"signed in as "{actor.role.word()}</p>
                <ul>
                    <li>
                        <a href="/account">"Account and password"</a>
                    </li>
                    <li>
                        <SignOutForm />
                    </li>
                </ul>
            </div>
        </details>
        <details class="menu only-narrow">
            <summary aria-label="Menu">
                <Glyph sign=Sign::Menu />
            </summary>
            <div>
                <ul>
                    <Places actor=narrow.clone() />
                    <li>
                        <a href="/account">{narrow.name.clone()}<span class="quiet">{narrow.role.word()}</span></a>
                    </li>
                    <li>
                        <SignOutForm />
                    </li>
                </ul>
            </div>
        </details>
    }
    .into_any()
}

/// The places of the portal that this person may go to.
#[component]
fn Places(actor: Actor) -> impl IntoView {
    let path = use_location().pathname;
    let people = actor.may(Verb::ManagePeople).is_ok();
    [("/", "Home"), ("/history", "History"), ("/documents", "Documents"), ("/people", "People")]
        .into_iter()
        .filter(|(place, _)| people || *place != "/people")
        .map(|(place, name)| {
            let current = move || (path.get() == place).then_some("page");
            view! {
                <li>
                    <a href=place aria-current=current>
                        {name}
                    </a>
                </li>
            }
        })
        .collect_view()
}

#[component]
fn SignOutForm() -> impl IntoView {
    let sign_out = ServerAction::<SignOut>::new();
    view! {
        <ActionForm action=sign_out>
            <button class="btn" data-kind="quiet" type="submit">
                "Sign out"
            </button>
        </ActionForm>
    }
    .into_any()
}
