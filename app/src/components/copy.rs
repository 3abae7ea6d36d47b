//! A button that copies.

use std::time::Duration;

use leptos::prelude::*;

use super::glyph::{Glyph, Sign};

/// Copies a command as the document writes it.
#[component]
pub fn Copy(text: String) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        drop(window().navigator().clipboard().write_text(&text));
        copied.set(true);
        set_timeout(move || _ = copied.try_set(false), Duration::from_millis(1600));
    };
    view! {
        <button
            class="btn needs-scripts"
            data-kind="quiet"
            data-icon=""
            type="button"
            title="Copy command"
            aria-label=move || if copied.get() { "Copied" } else { "Copy command" }
            data-copied=move || copied.get().then_some("")
            on:click=copy
        >
            <Glyph sign=Sign::Copy />
        </button>
    }
    .into_any()
}
