//! One's own account.

mod authenticator;
mod deeds;
mod passkeys;
mod sessions;
mod sure;
mod tokens;

use domain::policy::{Verb, group_names};
use domain::run::StepStatus;
use domain::view::{AccountView, Outside, OwnMail, Session};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::account::{SetOwnMail, own_mail};
use crate::api::pages::account;
use crate::api::session::SignOut;
use crate::clock::Clock;
use crate::components::action_form::ActionForm;
use crate::components::glyph::{Glyph, Sign};
use crate::components::mail_form::MailForm;
use crate::components::problem::Refused;
use crate::loaded::loaded;
use authenticator::SecondFactor;
use deeds::{AccountDeeds, Done};
use passkeys::PasskeysPanel;
use sessions::Sessions;
use tokens::Tokens;

/// `/account`
#[component]
pub fn AccountPage() -> impl IntoView {
    let deeds = AccountDeeds::new();
    let set_mail = ServerAction::<SetOwnMail>::new();
    // One answer for the whole page: what begins to load inside of what is loaded was seen never to arrive, and the page with it.
    let own = Resource::new(
        move || (deeds.count(), set_mail.version().get()),
        |_| async { Ok((account().await?, own_mail().await.ok())) },
    );
    view! {
        <Title text="Account" />
        {loaded(own, move |session, (view, mail)| view! { <Account session view mail deeds set_mail /> })}
    }
    .into_any()
}

#[component]
fn Account(
    session: Session,
    view: AccountView,
    mail: Option<OwnMail>,
    deeds: AccountDeeds,
    set_mail: ServerAction<SetOwnMail>,
) -> impl IntoView {
    Clock::start(view.now);
    let sign_out = ServerAction::<SignOut>::new();
    // The forms below ask for the password, or for what stands for it.
    provide_context(view.outside);
    let password = match view.outside {
        None => view! { <Password deeds /> }.into_any(),
        Some(outside) => password_elsewhere(outside),
    };
    view! {
        <main id="main" class="page account" data-kind="narrow" tabindex="-1">
            <header class="page-head">
                <h1>"Account"</h1>
                <div class="facts-line">
                    <span>{session.actor.name.clone()}</span>
                    <span>{session.actor.role.word()}</span>
                </div>
            </header>
            <p class="soft">{session.actor.role.meaning()}</p>
            <p class="soft">{groups_words(&session, &view)}</p>
            <WhatWasDone deeds />
            <Refused problem=Signal::derive(move || deeds.problem()) />
            <SecondFactor view=view.clone() deeds />
            <PasskeysPanel view=view.clone() deeds />
            {password}
            <Sessions sessions=view.sessions.clone() deeds />
            <Tokens view role=session.actor.role deeds />
            {mail.map(|own| view! { <MailForm own change=set_mail /> })}
            <ActionForm action=sign_out>
                <button class="btn" type="submit">
                    "Sign out"
                </button>
            </ActionForm>
        </main>
    }
    .into_any()
}

/// Which groups one is in, and what that means.
fn groups_words(session: &Session, view: &AccountView) -> String {
    let sees_all = session.actor.may(Verb::ManagePeople).is_ok();
    match (view.groups.is_empty(), sees_all) {
        (true, true) => "You are in no group; your role sees what is limited to groups, too.".to_owned(),
        (true, false) => {
            "You are in no group, so procedures that are limited to groups are not shown to you.".to_owned()
        }
        (false, _) => format!("You are in these groups: {}.", group_names(&view.groups)),
    }
}

/// What the last deed has come to; without scripts the address says it.
#[component]
fn WhatWasDone(deeds: AccountDeeds) -> impl IntoView {
    let query = use_query_map();
    let told = move || match deeds.problem() {
        Some(_) => None,
        None => deeds.done().or_else(|| query.read().get_str("changed").and_then(Done::named)),
    };
    view! {
        <div role="status">
            {move || {
                told()
                    .map(|done| {
                        view! {
                            <div class="callout" data-tone="ok">
                                <Glyph sign=Sign::State(StepStatus::Done) />
                                <p class="head">{done.head()}</p>
                                <p>{done.sentence()}</p>
                            </div>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// Where the password is that is not here.
fn password_elsewhere(outside: Outside) -> AnyView {
    view! {
        <section class="panel" data-box="" aria-labelledby="password-elsewhere">
            <header>
                <h2 id="password-elsewhere">"Password"</h2>
            </header>
            <p class="soft">
                {format!("You have none here: {} says who you are. Change your password there.", outside.source)}
            </p>
        </section>
    }
    .into_any()
}

#[component]
fn Password(deeds: AccountDeeds) -> impl IntoView {
    view! {
        <ActionForm action=deeds.password attr:class="panel" attr:data-box="">
            <header>
                <h2>"Password"</h2>
            </header>
            <div class="field">
                <label for="old">"Present password"</label>
                <input class="input" id="old" name="old" type="password" required autocomplete="current-password" />
            </div>
            <div class="field">
                <label for="new">"New password"</label>
                <input class="input" id="new" name="new" type="password" required minlength="15" autocomplete="new-password" />
                <span class="help">
                    "At least 15 characters, without your name; a few words are good. No rules about kinds of characters."
                </span>
            </div>
            <div class="actions">
                <button class="btn" data-kind="primary" type="submit" disabled=deeds.password.pending()>
                    "Change password"
                </button>
                <span class="quiet small">"Your other sessions end with it."</span>
            </div>
        </ActionForm>
    }
    .into_any()
}
