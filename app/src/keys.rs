//! Letters that press what can be pressed on a page.
//!
//! An element says which key is its own (`data-key="r"`); steps say that they are steps (`data-step-link`). Letters work
//! outside fields only, and can be switched off.

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlDialogElement, HtmlElement, KeyboardEvent};

/// Where the browser remembers that letters are switched off.
const STORED: &str = "letter-keys";

/// Begins to listen. Everything that is called here runs in the browser only.
pub fn listen() {
    Effect::new(|_| {
        let handle = window_event_listener(ev::keydown, |event| pressed(&event));
        on_cleanup(move || handle.remove());
    });
}

/// Whether letters are on.
pub fn are_on() -> bool {
    storage().and_then(|storage| storage.get_item(STORED).ok().flatten()).as_deref() != Some("off")
}

/// Switches letters on or off, for this browser.
pub fn switch(on: bool) {
    if let Some(storage) = storage() {
        drop(storage.set_item(STORED, if on { "on" } else { "off" }));
    }
}

/// The browser's own memory, if it has one.
pub fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

fn pressed(event: &KeyboardEvent) {
    let key = event.key();
    if event.repeat() {
        // A key that is held down is one deed, not several; the focus may be on the next one already.
        if key == "Enter" && is_on_a_deed() {
            event.prevent_default();
        }
        return;
    }
    if event.default_prevented() {
        return;
    }
    if (event.ctrl_key() || event.meta_key()) && !event.alt_key() && key.eq_ignore_ascii_case("k") {
        if open_dialog("palette") {
            event.prevent_default();
        }
        return;
    }
    let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
    if modified || in_field() || in_dialog() || !are_on() {
        return;
    }
    let done = match key.as_str() {
        "j" => step(1),
        "k" => step(-1),
        "?" => open_dialog("keys"),
        "F3" if event.shift_key() => press("Shift F3"),
        "/" | "r" | "x" | "n" | "f" | "L" | "F3" | "End" => press(&key),
        _ => false,
    };
    if done {
        event.prevent_default();
    }
}

fn in_field() -> bool {
    document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.has_attribute("contenteditable")
    })
}

/// Whether the focus is on what runs or stops something.
fn is_on_a_deed() -> bool {
    let deed = document().active_element().and_then(|element| element.closest("[data-key=r], [data-key=x]").ok());
    deed.flatten().is_some()
}

/// Whether the focus is nowhere, or on the deeds of the step that is shown.
fn is_free() -> bool {
    let Some(element) = document().active_element() else { return true };
    element.tag_name() == "BODY" || element.closest("[data-deeds]").ok().flatten().is_some()
}

fn in_dialog() -> bool {
    document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Shows a dialog by its id.
pub fn open_dialog(id: &str) -> bool {
    let dialog = document().get_element_by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok());
    dialog.is_some_and(|dialog| dialog.open() || dialog.show_modal().is_ok())
}

/// Puts the focus on the one next deed, so that Enter does it. Who types or reads elsewhere is left alone.
pub fn focus_the_primary() {
    let found = document().query_selector("[data-deeds] :is(button, a)[data-key=\"r\"]:not([disabled])").ok().flatten();
    let deed = found.and_then(|element| element.dyn_into::<HtmlElement>().ok());
    if let Some(deed) = deed.filter(|_| is_free() && !in_field() && !in_dialog()) {
        drop(deed.focus());
    }
}

/// Presses what has this key, or puts the cursor into it when it is a field.
fn press(key: &str) -> bool {
    let found = document().query_selector(&format!("[data-key=\"{key}\"]:not([disabled])")).ok().flatten();
    let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else { return false };
    open_folds_around(&element);
    if matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT") {
        element.focus().is_ok()
    } else {
        element.click();
        true
    }
}

/// A field inside a fold that is closed cannot be typed into.
fn open_folds_around(element: &Element) {
    let mut around = element.parent_element();
    while let Some(element) = around {
        if let Some(fold) = element.dyn_ref::<web_sys::HtmlDetailsElement>() {
            fold.set_open(true);
        }
        around = element.parent_element();
    }
}

/// Whether what a link leads to begins below the middle of the window; a link to another page counts as below.
fn is_below(link: &HtmlElement) -> bool {
    let place = link.get_attribute("href").and_then(|href| href.strip_prefix('#').map(str::to_owned));
    let Some(target) = place.and_then(|id| document().get_element_by_id(&id)) else { return true };
    let middle = window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default() / 2.0;
    target.get_bounding_client_rect().top() > middle
}

/// Goes to the next step, or the one before.
fn step(by: i32) -> bool {
    let Ok(links) = document().query_selector_all("[data-step-link]") else { return false };
    let links: Vec<HtmlElement> =
        (0..links.length()).filter_map(|index| links.get(index)?.dyn_into::<HtmlElement>().ok()).collect();
    let current = links.iter().position(|link| link.has_attribute("aria-current"));
    let next = match (current, by) {
        // The reader is above the first step, or below the last.
        (None, 1) => links.iter().position(is_below),
        (None, _) => links.iter().rposition(|link| !is_below(link)),
        (Some(at), 1) => Some(at + 1),
        (Some(at), _) => at.checked_sub(1),
    };
    let Some(link) = next.and_then(|at| links.get(at)) else { return false };
    link.click();
    true
}
