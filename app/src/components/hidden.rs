//! What a form says without asking.

use domain::RunId;
use leptos::prelude::*;

/// The run and more numbers and names that a form is about.
pub fn hidden(run: RunId, fields: &[(&'static str, String)]) -> AnyView {
    let fields: Vec<_> =
        fields.iter().map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone() /> }).collect();
    view! {
        <input type="hidden" name="run" value=run.0 />
        {fields}
    }
    .into_any()
}
