//! System, light or dark. Without scripts the system decides.

use leptos::prelude::*;

use crate::keys::storage;

const STORED: &str = "theme";
const THEMES: [(&str, &str); 3] = [("system", "System"), ("light", "Light"), ("dark", "Dark")];

/// The switch at the foot of every page.
#[component]
pub fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new("system".to_owned());
    Effect::new(move |_| {
        if let Some(theme) = storage().and_then(|storage| storage.get_item(STORED).ok().flatten()) {
            chosen.set(theme);
        }
    });
    let radios = THEMES
        .into_iter()
        .map(|(value, word)| {
            view! {
                <label>
                    <input
                        type="radio"
                        name="theme"
                        value=value
                        prop:checked=move || chosen.get() == value
                        on:change=move |_| {
                            chosen.set(value.to_owned());
                            apply(value);
                        }
                    />
                    {word}
                </label>
            }
        })
        .collect_view();
    view! {
        <fieldset class="segments needs-scripts">
            <legend class="sr">"Theme"</legend>
            {radios}
        </fieldset>
    }
    .into_any()
}

fn apply(theme: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(STORED, theme));
    }
    if let Some(root) = document().document_element() {
        drop(match theme {
            "system" => root.remove_attribute("data-theme"),
            _ => root.set_attribute("data-theme", theme),
        });
    }
}
