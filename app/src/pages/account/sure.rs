//! What every change of what proves somebody asks for once more.

use domain::factor::Factors;
use leptos::prelude::*;

use crate::components::factor::FactorFields;

/// The present password, and the second factor where there is one. `id` tells several forms of the page apart.
#[component]
pub fn SureFields(factors: Factors, #[prop(into)] id: String) -> impl IntoView {
    let field = format!("password-{id}");
    view! {
        <div class="field">
            <label for=field.clone()>"Present password"</label>
            <input class="input" id=field name="password" type="password" required autocomplete="current-password" />
        </div>
        <FactorFields factors id />
    }
    .into_any()
}
