//! Lines that somebody names: in the address, or by a click on their numbers.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, MouseEvent};

use super::Window;
use crate::live::named::{self, Extends, Named};

impl Window {
    /// Goes to the lines that the address names, when it names some of this step.
    pub(super) fn go_to_the_address(self) {
        let hash = window().location().hash().unwrap_or_default();
        let Some((step, lines)) = named::read(&hash) else { return };
        if step.is_none_or(|step| step == self.step) && self.list.try_get_untracked().flatten().is_some() {
            self.chosen.set(Some(lines));
            self.jump(lines.from());
        }
    }

    /// The number of a line chooses it, with Shift everything up to it; a command folds.
    pub fn clicked(self, event: &MouseEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(target) = target else { return };
        let closest = |selector: &str| target.closest(selector).ok().flatten();
        if let Some(number) = closest("li > a[id]").and_then(|number| named::read(&number.id())) {
            let extends = if event.shift_key() { Extends::Further } else { Extends::Anew };
            self.choose(Named::chosen(self.chosen.get_untracked(), number.1.from(), extends));
            event.prevent_default();
        } else if let Some(fold) = closest("[data-fold]").and_then(|fold| fold.get_attribute("data-fold")?.parse().ok())
        {
            self.fold(fold);
        }
    }

    fn choose(self, lines: Option<Named>) {
        self.chosen.set(lines);
        let address = window().location();
        let (path, query) = (address.pathname().unwrap_or_default(), address.search().unwrap_or_default());
        let hash = lines.map(|lines| format!("#{}", named::anchor(self.step, lines))).unwrap_or_default();
        if let Ok(history) = window().history() {
            let state = history.state().unwrap_or_default();
            // An address that cannot be changed is only not there to be copied.
            drop(history.replace_state_with_url(&state, "", Some(&format!("{path}{query}{hash}"))));
        }
    }
}
