//! Where the focus goes when a person comes to another page without loading it, so that a screen reader hears it.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos_router::hooks::use_location;
use web_sys::{FocusOptions, HtmlElement};

/// Whether a page is on its way.
#[derive(Clone, Copy)]
pub struct Arrival(StoredValue<bool>);

impl Arrival {
    /// Begins to notice that the address changes. The page that was loaded first is left alone: the browser says it.
    pub fn watch() {
        let arrival = Self(StoredValue::new(false));
        provide_context(arrival);
        let path = use_location().pathname;
        Effect::new(move |before: Option<String>| {
            let path = path.get();
            if before.is_some_and(|before| before != path) {
                arrival.expect_page();
            }
            path
        });
    }

    /// Says that another page is on its way, where the path alone does not tell.
    pub fn expect_page(self) {
        self.0.set_value(true);
    }

    /// Says that the page is complete. Moves the focus once it can be seen, if it was on its way.
    pub fn is_here(self) {
        if self.0.try_get_value() == Some(true) {
            self.0.set_value(false);
            request_animation_frame(greet);
        }
    }
}

/// Puts the focus on the page, and its place in sight that the address names.
fn greet() {
    let main = document().get_element_by_id("main").and_then(|main| main.dyn_into::<HtmlElement>().ok());
    if let Some(main) = main {
        let still = FocusOptions::new();
        still.set_prevent_scroll(true);
        drop(main.focus_with_options(&still));
    }
    let hash = window().location().hash().unwrap_or_default();
    if let Some(place) = hash.strip_prefix('#').and_then(|id| document().get_element_by_id(id)) {
        place.scroll_into_view();
    }
}
