//! A line of text that most people leave out: what asks for it is folded away.

use leptos::prelude::*;

use super::glyph::{Glyph, Sign};

/// A field with its button, inside of a form; the summary opens them.
#[component]
pub fn FoldedLine(
    /// What opens it.
    summary: &'static str,
    /// The field's name in the form.
    name: &'static str,
    /// What the field is about, for whoever does not see where it stands.
    label: String,
    /// What the button says.
    button: &'static str,
    /// Whether the form is not sent without it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                {summary}
            </summary>
            <div class="note-line">
                <input class="input" name=name aria-label=label autocomplete="off" required=required />
                <button class="btn" type="submit">
                    {button}
                </button>
            </div>
        </details>
    }
    .into_any()
}
