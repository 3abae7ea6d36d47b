//! The authenticator app: what there is, setting it up, replacing and removing it.

use domain::view::{AccountView, Outside, QrCode, ShownOffer};
use leptos::prelude::*;

use super::deeds::AccountDeeds;
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::ago::{Ago, TimeOfDay};
use crate::components::factor::FactorFields;
use crate::components::glyph::{Glyph, Sign};
use crate::components::words::counted;

/// The squares of white around a QR code, without which it is not read.
const QUIET_ZONE: u32 = 4;

/// The authenticator app of an account.
#[component]
pub fn SecondFactor(view: AccountView, deeds: AccountDeeds) -> impl IntoView {
    let inside = match view.offer.clone() {
        Some(offer) => view! { <SetUp offer deeds /> }.into_any(),
        None => view! { <AsItIs view deeds /> }.into_any(),
    };
    view! {
        <section class="panel" data-box="" aria-labelledby="second-factor">
            <header>
                <h2 id="second-factor">"Second factor"</h2>
            </header>
            {inside}
        </section>
    }
    .into_any()
}

#[component]
fn AsItIs(view: AccountView, deeds: AccountDeeds) -> impl IntoView {
    let factors = view.factors;
    let Some(since) = view.authenticator_since else {
        let without = (!factors.any()).then(|| {
            view! {
                <p class="soft">
                    "You have none yet. Decisions on requests take one: an authenticator app that shows six digits, or a passkey."
                </p>
            }
        });
        return view! {
            {without}
            <OfferForm view deeds verb="Set up an authenticator app" />
        }
        .into_any();
    };
    let codes = factors.recovery_codes;
    view! {
        <p>"Authenticator app, since "<Ago at=since />"; "{counted(codes as usize, "recovery code")}" left."</p>
        {(codes <= 3)
            .then(|| {
                view! {
                    <p class="soft small">"Replace the app to get ten new recovery codes; the same device can be used again."</p>
                }
            })}
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Replace the authenticator app…"
            </summary>
            <OfferForm view=view.clone() deeds verb="Set up another one" />
        </details>
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Remove the authenticator app…"
            </summary>
            <ActionForm action=deeds.remove attr:class="stack" attr:data-gap="small">
                <p class="soft small">"Its recovery codes go with it. Without a second factor you decide on no request."</p>
                <PasswordField id="remove" />
                <FactorFields factors id="remove" />
                <div class="actions">
                    <button class="btn" type="submit" disabled=deeds.remove.pending()>
                        "Remove authenticator app"
                    </button>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}

/// Begins to set an app up. The one in use holds until the new one has shown a code.
#[component]
fn OfferForm(view: AccountView, deeds: AccountDeeds, verb: &'static str) -> impl IntoView {
    view! {
        <ActionForm action=deeds.offer attr:class="stack" attr:data-gap="small">
            <PasswordField id="offer" />
            <FactorFields factors=view.factors id="offer" />
            <div class="actions">
                <button class="btn" type="submit" disabled=deeds.offer.pending()>
                    {verb}
                </button>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// The present password, asked for once more; or what stands for it where others vouch for the person.
#[component]
pub fn PasswordField(#[prop(into)] id: String) -> impl IntoView {
    if let Some(outside) = use_context::<Option<Outside>>().flatten() {
        return in_its_place(outside);
    }
    let field = format!("password-{id}");
    view! {
        <div class="field">
            <label for=field.clone()>"Present password"</label>
            <input class="input" id=field name="password" type="password" required autocomplete="current-password" />
        </div>
    }
    .into_any()
}

/// A form has the field in any case.
fn in_its_place(outside: Outside) -> AnyView {
    let again = (!outside.proven).then(|| {
        view! {
            <p class="soft small">
                "This takes a sign-in at the identity provider of the last 5 minutes. "
                <a href=portal_path("/sign-in/with?again=1&next=/account") rel="external">
                    "Sign in there again"
                </a>
            </p>
        }
    });
    view! {
        <input type="hidden" name="password" value="" />
        {again}
    }
    .into_any()
}

#[component]
fn SetUp(offer: ShownOffer, deeds: AccountDeeds) -> impl IntoView {
    let codes = offer.recovery_codes.iter().map(|code| view! { <li><code>{code.clone()}</code></li> }).collect_view();
    view! {
        <p class="soft small">"This is shown here until "<TimeOfDay at=offer.ends />" UTC, and never again once the app is switched on."</p>
        <ol class="set-up">
            <li class="stack" data-gap="small">
                <p>"Read this with your authenticator app, or type the secret into it."</p>
                <Drawing qr=offer.qr />
                <p class="secret">
                    <span class="quiet small">"Secret"</span>
                    <code>{offer.secret}</code>
                </p>
            </li>
            <li class="stack" data-gap="small">
                <p>"Keep these recovery codes where your phone is not. Each stands for a code of the app, once."</p>
                <ul class="recovery-codes">{codes}</ul>
            </li>
            <li class="stack" data-gap="small">
                <ActionForm action=deeds.switch_on attr:class="stack" attr:data-gap="small">
                    <div class="field">
                        <label for="first-code">"Code that the app shows now"</label>
                        <input
                            class="input"
                            data-kind="code"
                            id="first-code"
                            name="code"
                            required
                            inputmode="numeric"
                            autocomplete="one-time-code"
                            pattern="[0-9 ]{6,7}"
                            title="Six digits"
                        />
                    </div>
                    <div class="actions">
                        <button class="btn" data-kind="primary" type="submit" disabled=deeds.switch_on.pending()>
                            "Switch on authenticator app"
                        </button>
                    </div>
                </ActionForm>
            </li>
        </ol>
        <ActionForm action=deeds.discard>
            <button class="btn" data-kind="quiet" type="submit">
                "Do not set it up"
            </button>
        </ActionForm>
    }
    .into_any()
}

/// A QR code, black on white in every theme.
#[component]
fn Drawing(qr: QrCode) -> impl IntoView {
    let side = qr.size + 2 * QUIET_ZONE;
    view! {
        <svg class="qr" viewBox=format!("0 0 {side} {side}") role="img" aria-label="QR code of the secret">
            <rect width=side height=side />
            <path transform=format!("translate({QUIET_ZONE} {QUIET_ZONE})") d=qr.path />
        </svg>
    }
    .into_any()
}
