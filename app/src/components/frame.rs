//! What stands around every page of a signed-in person: the bar above, the foot below.

use domain::policy::{Actor, Verb};
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;

use super::action_form::ActionForm;
use super::arrival::Arrival;
use super::glyph::{Glyph, Sign};
use super::keys_dialog::KeysDialog;
use super::menu::Menu;
use super::palette::Palette;
use super::theme::ThemeSwitch;
use crate::api::session::{SignOut, session};
use crate::base::{path_inside, portal_path};
use crate::keys;
use crate::loaded::SessionResource;

/// A page with its bar and its foot.
#[component]
pub fn Frame() -> impl IntoView {
    let session: SessionResource = Resource::new(|| (), |()| session());
    provide_context(session);
    keys::listen();
    Arrival::watch();
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
        <Foot>
            <KeysButton />
        </Foot>
        <KeysDialog />
        <Palette />
    }
    .into_any()
}

/// The foot of every page. What is given stands between the zone and the theme.
#[component]
pub fn Foot(#[prop(optional)] children: Option<Children>) -> impl IntoView {
    view! {
        <footer class="foot">
            <span>"All times UTC"</span>
            {children.map(|children| children())}
            <ThemeSwitch />
        </footer>
    }
    .into_any()
}

/// Opens the list of keys.
#[component]
fn KeysButton() -> impl IntoView {
    view! {
        <button class="keys needs-scripts" type="button" on:click=move |_| _ = keys::open_dialog("keys")>
            <kbd>"?"</kbd>
            " keys"
        </button>
    }
    .into_any()
}

#[component]
fn Bar(actor: Actor) -> impl IntoView {
    view! {
        <a class="brand" href=portal_path("/")>
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
        <PersonMenu actor=actor.clone() />
        <NarrowMenu actor />
    }
    .into_any()
}

/// Who is signed in, and what is theirs.
#[component]
fn PersonMenu(actor: Actor) -> impl IntoView {
    let label = format!("{}, {}, account menu", actor.name, actor.role);
    let face = view! {
        <Glyph sign=Sign::Person />
        {actor.name.clone()}
    };
    view! {
        <Menu class="menu me only-wide" label face=face.into_any()>
            <p class="quiet small">"signed in as "{actor.role.word()}</p>
            <ul>
                <li>
                    <a href=portal_path("/account")>"Account and second factor"</a>
                </li>
                <li>
                    <SignOutForm />
                </li>
            </ul>
        </Menu>
    }
    .into_any()
}

/// Everything of the bar, on a narrow page.
#[component]
fn NarrowMenu(actor: Actor) -> impl IntoView {
    let face = view! { <Glyph sign=Sign::Menu /> }.into_any();
    view! {
        <Menu class="menu only-narrow" label="Menu".to_owned() face>
            <ul>
                <Places actor=actor.clone() />
                <li>
                    <a href=portal_path("/account")>{actor.name.clone()}<span class="quiet">{actor.role.word()}</span></a>
                </li>
                <li>
                    <SignOutForm />
                </li>
            </ul>
        </Menu>
    }
    .into_any()
}

/// The places of the portal that this person may go to.
#[component]
fn Places(actor: Actor) -> impl IntoView {
    let path = use_location().pathname;
    let may = move |place| match place {
        "/people" => actor.may(Verb::ManagePeople).is_ok(),
        "/audit" => actor.may(Verb::Audit).is_ok(),
        _ => true,
    };
    [
        ("/", "Home"),
        ("/approvals", "Approvals"),
        ("/history", "History"),
        ("/documents", "Documents"),
        ("/audit", "Audit"),
        ("/people", "People"),
    ]
    .into_iter()
    .filter(move |(place, _)| may(place))
    .map(|(place, name)| {
        let current = move || path.with(|path| current(place, &path_inside(path)));
        view! {
            <li>
                <a href=portal_path(place) aria-current=current>
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

/// Whether a path is a place of the bar, or lies below it: procedures and runs are reached from the start page.
fn current(place: &str, path: &str) -> Option<&'static str> {
    if path == place {
        return Some("page");
    }
    let below = match place {
        "/" => path.starts_with("/procedures/") || path.starts_with("/runs/"),
        "/approvals" => path.starts_with("/approvals/"),
        _ => false,
    };
    below.then_some("true")
}
