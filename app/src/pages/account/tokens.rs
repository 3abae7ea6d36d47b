//! Tokens for scripts: what there are, making and ending them.

use domain::Timestamp;
use domain::factor::Factors;
use domain::policy::{Role, Scope, Verb, allows, token_roles};
use domain::run::StepStatus;
use domain::view::{AccountView, MadeToken, TokenInfo};
use leptos::html;
use leptos::prelude::*;

use super::deeds::AccountDeeds;
use super::sure::{SureFields, is_named};
use crate::components::action_form::{ActionForm, emptied_by};
use crate::components::ago::Ago;
use crate::components::command_text::{Visible, visible};
use crate::components::copy::Copy;
use crate::components::glyph::{Glyph, Sign};

/// The tokens of an account, for somebody with this role.
#[component]
pub fn Tokens(view: AccountView, role: Role, deeds: AccountDeeds) -> impl IntoView {
    let AccountView { made, tokens, factors, outside, .. } = view;
    // Whom the proxy names needs more than its word.
    let form = if outside.is_some_and(is_named) && !factors.any() {
        view! { <p class="soft small">"You make tokens with a second factor only: the proxy that names you is no proof. Set one up first."</p> }
            .into_any()
    } else {
        view! { <MakeForm factors role deeds /> }.into_any()
    };
    let made = made.map(|token| view! { <Made token /> });
    let rows = tokens.into_iter().map(|token| view! { <OneToken token deeds /> }).collect_view();
    view! {
        <section class="panel" data-box="" aria-labelledby="tokens">
            <header>
                <h2 id="tokens">"Tokens for scripts"</h2>
            </header>
            <p class="soft">
                "With a token a script reads here, works in runs, or tells of alerts, in your name. It decides on no request and changes no account, and what it does counts as done by you."
            </p>
            {made}
            <ul class="lines">{rows}</ul>
            {form}
        </section>
    }
    .into_any()
}

/// The token that was just made, this once.
#[component]
fn Made(token: MadeToken) -> impl IntoView {
    let MadeToken { name, text } = token;
    view! {
        <div class="callout" data-tone="ok">
            <Glyph sign=Sign::State(StepStatus::Done) />
            <p class="head">"Token " {visible(name)}</p>
            <p>"It is shown here this once. Put it where only the script finds it."</p>
            <p class="secret">
                <code>{text.clone()}</code>
            </p>
            <div class="actions">
                <Copy text words="Copy token" />
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn OneToken(token: TokenInfo, deeds: AccountDeeds) -> impl IntoView {
    let label = format!("End token {}", token.name);
    let may = may_words(&token);
    let used = match token.used {
        Some(used) => view! { <span>"last used "<Ago at=used /> {from(&token.address)}</span> }.into_any(),
        None => view! { <span>"never used"</span> }.into_any(),
    };
    view! {
        <li>
            <div>
                <span class="name">
                    <Visible text=token.name />
                </span>
                <ActionForm action=deeds.end_token>
                    <input type="hidden" name="token" value=token.id.0 />
                    <button class="btn" data-kind="quiet" type="submit" aria-label=label>
                        "End token"
                    </button>
                </ActionForm>
                <span class="sub">
                    <span>{may}</span>
                    <span>"made "<Ago at=token.made /></span>
                    {used}
                    <span>"expires "<Moment at=token.expires /></span>
                </span>
            </div>
        </li>
    }
    .into_any()
}

/// What a token lets its script do, in a word or two.
fn may_words(token: &TokenInfo) -> &'static str {
    match token.scope {
        Scope::Role => token.role.word(),
        Scope::Suggest => "suggests by alerts, and nothing else",
        Scope::Schedule => "a schedule",
    }
}

fn from(address: &str) -> Option<String> {
    (!address.is_empty()).then(|| format!(" from {address}"))
}

#[component]
fn Moment(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.iso()>{at.absolute()}</time> }.into_any()
}

#[component]
fn MakeForm(factors: Factors, role: Role, deeds: AccountDeeds) -> impl IntoView {
    let roles = token_roles(role)
        .map(|role| view! { <option value=role.word()>{format!("{role}: {}", role.meaning())}</option> })
        .collect_view();
    let suggests = allows(role, Verb::Suggest).then(|| {
        view! {
            <option value=Scope::Suggest.word()>
                "suggests: Tells of alerts, which suggest procedures, and does nothing else."
            </option>
        }
    });
    let form = NodeRef::<html::Form>::new();
    emptied_by(form, deeds.make_token);
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Make a token…"
            </summary>
            <ActionForm action=deeds.make_token node_ref=form attr:class="stack" attr:data-gap="small">
                <div class="field">
                    <label for="token-name">"Name of the token"</label>
                    <input class="input" id="token-name" name="name" required maxlength="64" autocomplete="off" />
                    <span class="help">"The script that uses it, so that you know it later."</span>
                </div>
                <div class="field">
                    <label for="token-role">"What the script may do"</label>
                    <select class="input" id="token-role" name="role">
                        {roles}
                        {suggests}
                    </select>
                    <span class="help">"Never more than you may yourself at that moment."</span>
                </div>
                <div class="field">
                    <label for="token-days">"Days until it expires"</label>
                    <input class="input" id="token-days" name="days" type="number" required min="1" max="365" value="90" />
                </div>
                <SureFields factors id="token" />
                <div class="actions">
                    <button class="btn" type="submit" disabled=deeds.make_token.pending()>
                        "Make token"
                    </button>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}
