//! What every change of what proves somebody asks for once more.

use domain::factor::Factors;
use domain::view::Outside;
use leptos::prelude::*;

use crate::base::portal_path;
use crate::components::factor::FactorFields;

/// The present password, and the second factor where there is one. `id` tells several forms of the page apart.
#[component]
pub fn SureFields(factors: Factors, #[prop(into)] id: String) -> impl IntoView {
    view! {
        <PasswordField id=id.clone() />
        <FactorFields factors id />
    }
    .into_any()
}

/// The present password, asked for once more; or what stands for it where others vouch for the person.
#[component]
fn PasswordField(#[prop(into)] id: String) -> impl IntoView {
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
