//! All keys of the portal.

use leptos::prelude::*;

use super::glyph::{Glyph, Sign};
use crate::keys;

const KEYS: [(&str, &str); 14] = [
    ("Ctrl K", "search or jump"),
    ("j", "next step"),
    ("k", "previous step"),
    ("r", "run the current step, or start a run"),
    ("x", "stop the watch or the step"),
    ("n", "write a note"),
    ("End", "follow the output"),
    ("Ctrl F", "search the log that has the focus"),
    ("F3", "next line that was found; with Shift the one before"),
    ("f", "the first failure in the output"),
    ("L", "copy the link to a line of the output"),
    ("Ctrl ]", "take your keys back from an interactive step"),
    ("/", "search in the output, or in the history"),
    ("?", "show these keys"),
];

/// The list of keys, and the switch for letters.
#[component]
pub fn KeysDialog() -> impl IntoView {
    let on = RwSignal::new(true);
    Effect::new(move |_| on.set(keys::are_on()));
    let rows = KEYS
        .into_iter()
        .map(|(key, does)| {
            view! {
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{does}</dd>
            }
        })
        .collect_view();
    view! {
        <dialog class="palette" id="keys" aria-labelledby="keys-title">
            <div class="sheet">
                <header class="spread">
                    <h2 id="keys-title">"Keys"</h2>
                    <form method="dialog">
                        <button class="btn" data-kind="quiet" data-icon="" type="submit" aria-label="Close" title="Close">
                            <Glyph sign=Sign::Close />
                        </button>
                    </form>
                </header>
                <dl class="facts keys-list">{rows}</dl>
                <p class="quiet small">"Enter runs the next step when its button has the focus. No key confirms."</p>
                <label class="tick-row">
                    <input
                        type="checkbox"
                        prop:checked=move || on.get()
                        on:change=move |event| {
                            let checked = event_target_checked(&event);
                            on.set(checked);
                            keys::switch(checked);
                        }
                    />
                    <span>
                        "Letters press buttons" <span class="help">"Off: only Ctrl K works. Kept in this browser."</span>
                    </span>
                </label>
            </div>
        </dialog>
    }
    .into_any()
}
