//! Passkeys: what there are, adding and removing them.

use domain::factor::Factors;
use domain::view::{AccountView, PasskeyInfo};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use leptos::web_sys::{HtmlFormElement, HtmlInputElement};

use super::deeds::AccountDeeds;
use super::sure::SureFields;
use crate::api::account::{AddPasskey, ask_for_new_passkey};
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::components::problem::Refused;
use crate::passkey;

/// The passkeys of an account.
#[component]
pub fn PasskeysPanel(view: AccountView, deeds: AccountDeeds) -> impl IntoView {
    let factors = view.factors;
    let rows = view.passkeys.into_iter().map(|passkey| view! { <OnePasskey passkey factors deeds /> }).collect_view();
    let add = match view.no_passkeys {
        Some(why) => view! { <p class="soft small">{why}</p> }.into_any(),
        None => view! { <AddForm factors deeds /> }.into_any(),
    };
    view! {
        <section class="panel" data-box="" aria-labelledby="passkeys">
            <header>
                <h2 id="passkeys">"Passkeys"</h2>
            </header>
            <p class="soft">"A passkey proves you by the fingerprint or the PIN of a device, and on no other site than this one."</p>
            <ul class="lines">{rows}</ul>
            {add}
        </section>
    }
    .into_any()
}

#[component]
fn OnePasskey(passkey: PasskeyInfo, factors: Factors, deeds: AccountDeeds) -> impl IntoView {
    let field = format!("passkey-{}", passkey.id);
    let used = passkey.used.map(|used| view! { <span>"used "<Ago at=used /></span> });
    let button = format!("Remove {}", passkey.name);
    view! {
        <li>
            <div>
                <span class="name">{passkey.name}</span>
                <span class="sub">
                    <span>"added "<Ago at=passkey.since /></span>
                    {used}
                </span>
            </div>
            <details class="fold">
                <summary>
                    <Glyph sign=Sign::Fold />
                    {format!("{button}…")}
                </summary>
                <ActionForm action=deeds.remove_passkey attr:class="stack" attr:data-gap="small">
                    <input type="hidden" name="id" value=passkey.id />
                    <SureFields factors id=field />
                    <div class="actions">
                        <button class="btn" type="submit" disabled=deeds.remove_passkey.pending()>
                            {button.clone()}
                        </button>
                    </div>
                </ActionForm>
            </details>
        </li>
    }
    .into_any()
}

/// Adds a passkey: the portal asks, the browser makes one, the portal takes it.
#[component]
fn AddForm(factors: Factors, deeds: AccountDeeds) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let submitted = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok()) else { return };
        let [name, password, code, proof] = ["name", "password", "code", "passkey"].map(|field| typed(&form, field));
        problem.set(None);
        busy.set(true);
        spawn_local(async move {
            match made(password, code, proof).await {
                Ok(made) => {
                    deeds.add_passkey.dispatch(AddPasskey { name, made });
                }
                Err(sentence) => _ = problem.try_set(Some(sentence)),
            }
            _ = busy.try_set(false);
        });
    };
    view! {
        <p class="soft small without-scripts">
            "Adding a passkey takes scripts, which are off in this browser. An authenticator app works without."
        </p>
        <details class="fold needs-scripts">
            <summary>
                <Glyph sign=Sign::Fold />
                "Add a passkey…"
            </summary>
            <form class="stack" data-gap="small" on:submit=submitted>
                <Refused problem />
                <div class="field">
                    <label for="passkey-name">"Name of the passkey"</label>
                    <input class="input" id="passkey-name" name="name" required maxlength="64" autocomplete="off" />
                    <span class="help">"The device that keeps it, so that you know it later."</span>
                </div>
                <SureFields factors id="passkey" />
                <div class="actions">
                    <button class="btn" type="submit" disabled=busy>
                        "Add passkey"
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

async fn made(password: String, code: String, proof: String) -> Result<String, String> {
    if !passkey::known_here() {
        return Err(
            "This browser is too old for passkeys here. Nothing was changed; use an authenticator app.".to_owned()
        );
    }
    let question = ask_for_new_passkey(password, code, proof).await.map_err(|error| error.to_string())?;
    passkey::create(&question).await.ok_or_else(|| {
        "The browser made no passkey: it was called off, or the device has one of yours already. Nothing was changed; try again."
            .to_owned()
    })
}

/// What stands in a field of a form; nothing where there is no such field.
fn typed(form: &HtmlFormElement, name: &str) -> String {
    let field = form.query_selector(&format!("input[name={name}]")).ok().flatten();
    field.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()).map(|field| field.value()).unwrap_or_default()
}
