//! Where the browser begins.

use leptos::prelude::{document, request_animation_frame};
use wasm_bindgen::prelude::wasm_bindgen;

/// Brings the page that the server rendered to life.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    crate::base::take_from_page();
    leptos::mount::hydrate_body(crate::App);
    request_animation_frame(say_ready);
}

/// Marks the document once the page answers to clicks: styles and tests wait for it.
fn say_ready() {
    if let Some(root) = document().document_element() {
        // A page that cannot be marked still works.
        drop(root.set_attribute("data-ready", ""));
    }
}
