//! The first account, with the token that the portal printed on its console.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::sign_in::Alone;
use crate::api::session::SetUp;
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;

/// `/set-up?token=…`
#[component]
pub fn SetUpPage() -> impl IntoView {
    let set_up = ServerAction::<SetUp>::new();
    let query = use_query_map();
    let token = Signal::derive(move || query.read().get("token").unwrap_or_default());
    let problem = Signal::derive(move || set_up.value().get().and_then(Result::err).map(|error| error.to_string()));
    view! {
        <Title text="Set up" />
        <Alone
            page=move |about| {
                if about.fresh { view! { <SetUpForm set_up token problem /> }.into_any() } else { over() }
            }
        />
    }
    .into_any()
}

/// The link was used, or somebody else was faster.
fn over() -> AnyView {
    view! {
        <div class="callout">
            <Glyph sign=Sign::Info />
            <h2 class="head">"The portal is set up"</h2>
            <p>"The first account is made, and the set-up link worked once. An administrator makes the accounts of all others."</p>
            <div class="actions">
                <a class="btn" data-kind="primary" href=portal_path("/sign-in")>"Sign in"</a>
            </div>
        </div>
    }
    .into_any()
}

/// The token, and who the first person is.
#[component]
fn SetUpForm(set_up: ServerAction<SetUp>, token: Signal<String>, problem: Signal<Option<String>>) -> impl IntoView {
    view! {
        <ActionForm action=set_up attr:class="stack" attr:data-gap="small">
            <div>
                <h2>"The first account"</h2>
                <p class="soft small">"It is an administrator’s: it makes the accounts of all others."</p>
            </div>
            <Refused problem />
            <div class="field">
                <label for="token">"Token from the console"</label>
                <input class="input" data-mono="" id="token" name="token" value=token required autocomplete="off" spellcheck="false" />
                <span class="help">"Works once, until the first account is made."</span>
            </div>
            <div class="field">
                <label for="name">"Name"</label>
                <input class="input" id="name" name="name" required autocomplete="name" />
                <span class="help">"As others see it."</span>
            </div>
            <div class="field">
                <label for="login">"Sign-in name"</label>
                <input class="input" id="login" name="login" required autocomplete="username" autocapitalize="none" spellcheck="false" />
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input class="input" id="password" name="password" type="password" required minlength="15" autocomplete="new-password" />
                <span class="help">"At least 15 characters; a few words are good."</span>
            </div>
            <button class="btn" data-kind="primary" type="submit" data-wide="" disabled=set_up.pending()>
                "Create the first account"
            </button>
        </ActionForm>
    }
    .into_any()
}
