//! Signing in: by name and password, at the identity provider, or by the word of the proxy.

use domain::identity::Unwelcome;
use domain::view::Welcome;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::AppError;
use crate::api::session::{SignIn, welcome};
use crate::base::{in_query, inside, portal_path};
use crate::components::action_form::ActionForm;
use crate::components::frame::Foot;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;

/// `/sign-in`
#[component]
pub fn SignInPage() -> impl IntoView {
    let sign_in = ServerAction::<SignIn>::new();
    let query = use_query_map();
    let next = Signal::derive(move || query.read().get("next").unwrap_or_default());
    // Why nobody was signed in elsewhere stands in the address, by a word.
    let outside =
        move || query.read().get_str("problem").and_then(Unwelcome::parse).map(|why| why.sentence().to_owned());
    let problem = Signal::derive(move || match sign_in.value().get() {
        Some(answer) => answer.err().map(|error| error.to_string()),
        None => outside(),
    });
    view! {
        <Title text="Sign in" />
        <Alone
            page=move |about| {
                let Welcome { fresh, provider, named, sign_out, .. } = about;
                view! {
                    {fresh.then(nobody_yet)}
                    {named.map(|named| view! { <Named named sign_out next /> })}
                    <SignInForm sign_in next problem />
                    {provider.map(|label| view! { <AtProvider label next /> })}
                }
                    .into_any()
            }
        />
    }
    .into_any()
}

/// The way to the identity provider. A link and no form: a form of this page leads nowhere but to the portal.
#[component]
fn AtProvider(label: String, next: Signal<String>) -> impl IntoView {
    let href = move || portal_path(format!("/sign-in/with?next={}", in_query(&next.get())));
    view! {
        <a class="btn" data-wide="" href=href rel="external">
            {format!("Sign in with {label}")}
        </a>
    }
    .into_any()
}

/// Somebody whom the proxy names, and who has signed out, or has no account.
#[component]
fn Named(named: String, sign_out: Option<String>, next: Signal<String>) -> impl IntoView {
    let href = move || portal_path(inside(&next.get()));
    view! {
        <div class="callout" data-tone="live">
            <Glyph sign=Sign::Info />
            <p class="head">{format!("The proxy before the portal says that you are {named}")}</p>
            <p>"Whoever opens a page of the portal through it is signed in again."</p>
            <div class="actions">
                <a class="btn" data-kind="primary" href=href rel="external">
                    {format!("Go on as {named}")}
                </a>
                {sign_out
                    .map(|address| {
                        view! {
                            <a class="btn" data-kind="quiet" href=address rel="external">
                                "Sign out at the proxy"
                            </a>
                        }
                    })}
            </div>
        </div>
    }
    .into_any()
}

/// Name and password.
#[component]
fn SignInForm(sign_in: ServerAction<SignIn>, next: Signal<String>, problem: Signal<Option<String>>) -> impl IntoView {
    view! {
        <ActionForm action=sign_in attr:class="stack" attr:data-gap="small">
            <Refused problem />
            <input type="hidden" name="next" value=next />
            <div class="field">
                <label for="login">"Sign-in name"</label>
                <input class="input" id="login" name="login" required autocomplete="username" autocapitalize="none" spellcheck="false" />
            </div>
            <div class="field">
                <label for="password">"Password"</label>
                <input class="input" id="password" name="password" type="password" required autocomplete="current-password" />
            </div>
            <button class="btn" data-kind="primary" type="submit" data-wide="" disabled=sign_in.pending()>
                "Sign in"
            </button>
            <p class="quiet small">
                "Password forgotten? An administrator can give you another one on the portal's machine, with "
                <code>"runbook-portal user password"</code>"."
            </p>
        </ActionForm>
    }
    .into_any()
}

/// A page of its own for strangers, made of what they may know. No key does anything here, so the foot offers none.
#[component]
pub fn Alone(page: impl Fn(Welcome) -> AnyView + Clone + Send + Sync + 'static) -> impl IntoView {
    let about = Resource::new(|| (), |()| welcome());
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <main id="main" class="page" data-kind="alone" tabindex="-1">
            <h1 class="brand-line">
                <Glyph sign=Sign::Brand />
                "Runbook Portal"
            </h1>
            <Suspense>
                {move || {
                    let page = page.clone();
                    Suspend::new(async move { welcomed(about.await, page) })
                }}
            </Suspense>
        </main>
        <Foot />
    }
    .into_any()
}

fn welcomed(about: Result<Welcome, AppError>, page: impl Fn(Welcome) -> AnyView) -> AnyView {
    match about {
        Ok(about) => {
            let warning = about.cookie_problem.clone().map(will_not_hold);
            view! {
                {warning}
                {page(about)}
            }
            .into_any()
        }
        Err(error) => view! {
            <div class="callout" data-tone="danger">
                <Glyph sign=Sign::Warning />
                <p>{error.to_string()}</p>
            </div>
        }
        .into_any(),
    }
}

fn will_not_hold(why: String) -> AnyView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">"Signing in will not hold here"</p>
            <p>{why}</p>
        </div>
    }
    .into_any()
}

fn nobody_yet() -> AnyView {
    view! {
        <div class="callout" data-tone="live">
            <Glyph sign=Sign::Info />
            <p class="head">"Nobody has an account yet"</p>
            <p>"The portal printed a set-up link on its console when it started. Open it to make the first account."</p>
        </div>
    }
    .into_any()
}
