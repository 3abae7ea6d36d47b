//! What every change of what proves somebody asks for once more.

use domain::factor::Factors;
use domain::identity::Source;
use domain::view::Outside;
use leptos::prelude::*;

use crate::base::portal_path;
use crate::components::factor::{CodeField, FactorFields};

/// The present password, and the second factor where there is one. `id` tells several forms of the page apart.
#[component]
pub fn SureFields(factors: Factors, #[prop(into)] id: String) -> impl IntoView {
    view! {
        <PasswordField factors id=id.clone() />
        <FactorFields factors id />
    }
    .into_any()
}

/// The present password, asked for once more; or what stands for it where others vouch for the person.
#[component]
fn PasswordField(factors: Factors, #[prop(into)] id: String) -> impl IntoView {
    let field = format!("password-{id}");
    match use_context::<Option<Outside>>().flatten() {
        None => {}
        Some(outside) if is_named(outside) && !factors.any() => return enrolment_code(field),
        Some(outside) => return in_its_place(outside),
    }
    view! {
        <div class="field">
            <label for=field.clone()>"Present password"</label>
            <input class="input" id=field name="password" type="password" required autocomplete="current-password" />
        </div>
    }
    .into_any()
}

/// Whether the proxy names the person, which proves nothing: its word comes with each request.
pub fn is_named(outside: Outside) -> bool {
    outside.source == Source::Proxy
}

/// What the first second factor takes of whom the proxy names. It goes by the field of the password, in whose place it stands.
fn enrolment_code(field: String) -> AnyView {
    view! {
        <CodeField
            id=field
            name="password"
            label="Enrolment code"
            help="An administrator gives it to you, from the page of people. It serves once, and for a day."
            required=true
            autocomplete="off"
        />
    }
    .into_any()
}

/// A form has the field in any case.
fn in_its_place(outside: Outside) -> AnyView {
    let again = (!is_named(outside) && !outside.proven).then(|| {
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
