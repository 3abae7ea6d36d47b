//! One's own account.

use domain::view::Session;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::account::ChangePassword;
use crate::api::session::{SignOut, session};
use crate::components::glyph::{Glyph, Sign};
use crate::components::mail_form::MailForm;
use crate::components::problem::Refused;
use crate::loaded::loaded;
use domain::run::StepStatus;

/// `/account`
#[component]
pub fn AccountPage() -> impl IntoView {
    let own = Resource::new(|| (), |()| session());
    view! {
        <Title text="Account" />
        {loaded(own, |_, session| view! { <Account session /> })}
    }
    .into_any()
}

#[component]
fn Account(session: Session) -> impl IntoView {
    let change = ServerAction::<ChangePassword>::new();
    let sign_out = ServerAction::<SignOut>::new();
    let query = use_query_map();
    let problem = Signal::derive(move || change.value().get().and_then(Result::err).map(|error| error.to_string()));
    let done = move || match change.value().get() {
        Some(Ok(())) => true,
        None => query.read().get_str("changed") == Some("password"),
        Some(Err(_)) => false,
    };
    view! {
        <main id="main" class="page" data-kind="narrow" tabindex="-1">
            <header class="page-head">
                <h1>"Account"</h1>
                <div class="facts-line">
                    <span>{session.actor.name.clone()}</span>
                    <span>{session.actor.role.word()}</span>
                </div>
            </header>
            <p class="soft">{session.actor.role.meaning()}</p>
            <div role="status">
                {move || {
                    done()
                        .then(|| {
                            view! {
                                <div class="callout" data-tone="ok">
                                    <Glyph sign=Sign::State(StepStatus::Done) />
                                    <p class="head">"Password changed"</p>
                                    <p>"Other sessions of this account have ended."</p>
                                </div>
                            }
                        })
                }}
            </div>
            <Refused problem />
            <ActionForm action=change attr:class="panel" attr:data-box="">
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
                    <span class="help">"At least 15 characters; a few words are good. No rules about kinds of characters."</span>
                </div>
                <div class="actions">
                    <button class="btn" data-kind="primary" type="submit" disabled=change.pending()>
                        "Change password"
                    </button>
                </div>
            </ActionForm>
            <MailForm />
            <ActionForm action=sign_out>
                <button class="btn" type="submit">
                    "Sign out"
                </button>
            </ActionForm>
        </main>
    }
    .into_any()
}
