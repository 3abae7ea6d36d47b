//! A menu that hangs below the bar: a fold, so that it opens without scripts.

use leptos::ev::{self, MouseEvent};
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos_router::hooks::use_location;
use web_sys::{Element, Event, HtmlElement, Node};

type Fold = NodeRef<html::Details>;

/// The menu. It closes when the page changes, when one of its links is chosen, at Esc, and when something else is pressed.
#[component]
pub fn Menu(
    class: &'static str,
    label: String,
    /// What stands in the bar.
    face: AnyView,
    children: Children,
) -> impl IntoView {
    let fold = Fold::new();
    close_by_itself(fold);
    let chosen = move |event: MouseEvent| {
        if pressed_on::<Element>(&event).is_some_and(|element| element.closest("a").is_ok_and(|link| link.is_some())) {
            close(fold);
        }
    };
    view! {
        <details class=class node_ref=fold>
            <summary aria-label=label>{face}</summary>
            <div on:click=chosen>{children()}</div>
        </details>
    }
    .into_any()
}

fn close_by_itself(fold: Fold) {
    let path = use_location().pathname;
    Effect::new(move |_| {
        path.track();
        close(fold);
    });
    Effect::new(move |_| {
        let key = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" {
                give_back(fold);
            }
        });
        let press = window_event_listener(ev::pointerdown, move |event| {
            if !holds(fold, &event) {
                close(fold);
            }
        });
        on_cleanup(move || {
            key.remove();
            press.remove();
        });
    });
}

fn close(fold: Fold) {
    if let Some(fold) = fold.get_untracked() {
        fold.set_open(false);
    }
}

/// Closes the menu and puts the focus where it came from.
fn give_back(fold: Fold) {
    let Some(menu) = fold.get_untracked().filter(web_sys::HtmlDetailsElement::open) else { return };
    close(fold);
    let summary = menu.first_element_child().and_then(|summary| summary.dyn_into::<HtmlElement>().ok());
    if let Some(summary) = summary {
        drop(summary.focus());
    }
}

fn holds(fold: Fold, event: &Event) -> bool {
    fold.get_untracked().is_some_and(|fold| fold.contains(pressed_on::<Node>(event).as_ref()))
}

fn pressed_on<T: leptos::wasm_bindgen::JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}
