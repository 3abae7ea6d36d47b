//! Search or jump: procedures, their steps and symptoms, runs and pages, from everywhere.

mod places;

use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_location, use_navigate};
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::glyph::{Glyph, Sign};
use crate::api::pages::search;
use crate::base::{self, portal_path};
use places::{Place, all, marked, matching};

/// What the dialog knows and shows.
#[derive(Clone, Copy)]
struct Search {
    dialog: NodeRef<html::Dialog>,
    places: RwSignal<Vec<Place>>,
    words: RwSignal<String>,
    chosen: RwSignal<usize>,
    answers: Memo<Vec<Place>>,
}

impl Search {
    fn new() -> Self {
        let places = RwSignal::new(Vec::<Place>::new());
        let words = RwSignal::new(String::new());
        let answers = Memo::new(move |_| places.with(|places| matching(places, &words.get())));
        Self { dialog: NodeRef::new(), places, words, chosen: RwSignal::new(0), answers }
    }

    fn ask(self) {
        spawn_local(async move {
            if let Ok(view) = search().await {
                drop(self.places.try_set(all(view)));
            }
        });
    }

    fn look_for(self, words: String) {
        self.words.set(words);
        self.choose(0);
    }

    /// Chooses an answer and brings it into sight.
    fn choose(self, at: usize) {
        self.chosen.set(at);
        request_animation_frame(move || {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            if let Some(row) = document().get_element_by_id(&row_id(at)) {
                row.scroll_into_view_with_scroll_into_view_options(&nearest);
            }
        });
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }

    /// The dialog is closed, and begins anew when it opens again.
    fn forget(self) {
        self.words.set(String::new());
        self.chosen.set(0);
    }

    /// What a key does. Gives the path of the page to go to when there is one.
    fn pressed(self, event: &KeyboardEvent) -> Option<String> {
        let at = self.chosen.get_untracked();
        let last = self.answers.with_untracked(Vec::len).saturating_sub(1);
        let mut goal = None;
        match event.key().as_str() {
            "ArrowDown" => self.choose(at.saturating_add(1).min(last)),
            "ArrowUp" => self.choose(at.saturating_sub(1)),
            "Enter" => goal = self.answers.with_untracked(|answers| answers.get(at).map(|place| place.path.clone())),
            _ => return None,
        }
        event.prevent_default();
        goal
    }
}

/// The dialog. What it knows is asked for when it opens.
#[component]
pub fn Palette() -> impl IntoView {
    let search = Search::new();
    let navigate = use_navigate();
    let path = use_location().pathname;

    Effect::new(move |_| {
        path.track();
        search.close();
    });
    let pressed = move |event: KeyboardEvent| {
        if let Some(goal) = search.pressed(&event) {
            // The chosen page may be the present one: then no change of the address closes the dialog.
            search.close();
            navigate(&portal_path(goal), base::as_it_stands());
        }
    };
    view! {
        <dialog
            class="palette"
            id="palette"
            aria-label="Search or jump"
            node_ref=search.dialog
            on:close=move |_| search.forget()
        >
            <div>
                <div class="ask">
                    <Glyph sign=Sign::Search />
                    <input
                        type="text"
                        role="combobox"
                        aria-expanded="true"
                        aria-controls="palette-answers"
                        aria-activedescendant=move || {
                            search.answers.with(|answers| !answers.is_empty()).then(|| row_id(search.chosen.get()))
                        }
                        aria-label="Procedure, step, symptom or run"
                        placeholder="Procedure, step, symptom or run"
                        autocomplete="off"
                        autofocus
                        prop:value=move || search.words.get()
                        on:focus=move |_| search.ask()
                        on:input=move |event| search.look_for(event_target_value(&event))
                        on:keydown=pressed
                    />
                    <form method="dialog">
                        <button class="btn" data-kind="quiet" data-icon="" type="submit" aria-label="Close" title="Close">
                            <Glyph sign=Sign::Close />
                        </button>
                    </form>
                </div>
                <div class="results" id="palette-answers" role="listbox" aria-label="Answers">
                    {move || search.answers.with(|answers| list(answers, search))}
                </div>
                <Hints />
            </div>
        </dialog>
    }
    .into_any()
}

#[component]
fn Hints() -> impl IntoView {
    view! {
        <div class="hints">
            <span><kbd>"↑"</kbd>" "<kbd>"↓"</kbd>" choose"</span>
            <span><kbd>"Enter"</kbd>" open"</span>
            <span><kbd>"Esc"</kbd>" close"</span>
        </div>
    }
    .into_any()
}

fn row_id(at: usize) -> String {
    format!("palette-{at}")
}

fn list(answers: &[Place], search: Search) -> AnyView {
    if answers.is_empty() {
        return view! { <p class="group">"Nothing has this name."</p> }.into_any();
    }
    let mut kind = "";
    answers
        .iter()
        .enumerate()
        .map(|(at, place)| {
            let group = (place.kind != kind).then(|| view! { <p class="group" role="presentation">{place.kind}</p> });
            kind = place.kind;
            view! {
                {group}
                {row(at, place, search)}
            }
        })
        .collect_view()
        .into_any()
}

fn row(at: usize, place: &Place, search: Search) -> AnyView {
    let chosen = move || search.chosen.get() == at;
    let words = search.words.get_untracked();
    let (name, about) = (hits(&place.name, &words), hits(&place.about, &words));
    view! {
        <a
            role="option"
            id=row_id(at)
            href=portal_path(&place.path)
            tabindex="-1"
            aria-selected=move || if chosen() { "true" } else { "false" }
            on:click=move |_| search.close()
        >
            <Glyph sign=place.sign />
            <span>
                {name}
                " "
                <span class="sub">{about}</span>
            </span>
            {move || chosen().then(|| view! { <kbd>"Enter"</kbd> })}
        </a>
    }
    .into_any()
}

/// A text with what was looked for marked in it.
fn hits(text: &str, words: &str) -> Vec<AnyView> {
    marked(text, words)
        .into_iter()
        .map(|(piece, hit)| if hit { view! { <mark>{piece}</mark> }.into_any() } else { piece.into_any() })
        .collect()
}
