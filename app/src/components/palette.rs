//! Search or jump: procedures and runs, from everywhere.

use domain::run::StepStatus;
use domain::view::HomeView;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate};

use super::glyph::{Glyph, Sign};
use crate::api::pages::home;

/// How many answers are shown.
const MOST: usize = 12;

/// One place to jump to.
#[derive(Clone, PartialEq, Eq)]
struct Place {
    kind: &'static str,
    sign: Sign,
    name: String,
    about: String,
    href: String,
}

/// The dialog. What it knows is asked for when it opens.
#[component]
pub fn Palette() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let places = RwSignal::new(Vec::<Place>::new());
    let words = RwSignal::new(String::new());
    let chosen = RwSignal::new(0_usize);
    let answers = Memo::new(move |_| places.with(|places| matching(places, &words.get())));
    let navigate = use_navigate();
    let path = use_location().pathname;

    Effect::new(move |_| {
        path.track();
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    });
    let ask = move |_| {
        chosen.set(0);
        spawn_local(async move {
            if let Ok(view) = home().await {
                drop(places.try_set(all(view)));
            }
        });
    };
    let pressed = move |event: KeyboardEvent| {
        let last = answers.with(Vec::len).saturating_sub(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|at| *at = (*at + 1).min(last)),
            "ArrowUp" => chosen.update(|at| *at = at.saturating_sub(1)),
            "Enter" => {
                if let Some(place) = answers.with(|answers| answers.get(chosen.get_untracked()).cloned()) {
                    navigate(&place.href, NavigateOptions::default());
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <dialog class="palette" id="palette" aria-label="Search or jump" node_ref=dialog>
            <div>
                <div class="ask">
                    <Glyph sign=Sign::Search />
                    <input
                        type="text"
                        role="combobox"
                        aria-expanded="true"
                        aria-controls="palette-answers"
                        aria-activedescendant=move || format!("palette-{}", chosen.get())
                        aria-label="Procedure or run"
                        placeholder="Procedure or run"
                        autocomplete="off"
                        autofocus
                        prop:value=move || words.get()
                        on:focus=ask
                        on:input=move |event| {
                            words.set(event_target_value(&event));
                            chosen.set(0);
                        }
                        on:keydown=pressed
                    />
                    <form method="dialog">
                        <button class="btn" data-kind="quiet" data-icon="" type="submit" aria-label="Close" title="Close">
                            <Glyph sign=Sign::Close />
                        </button>
                    </form>
                </div>
                <div class="results" id="palette-answers" role="listbox" aria-label="Answers">
                    {move || list(&answers.get(), chosen.get())}
                </div>
                <div class="hints">
                    <span><kbd>"↑"</kbd>" "<kbd>"↓"</kbd>" choose"</span>
                    <span><kbd>"Enter"</kbd>" open"</span>
                    <span><kbd>"Esc"</kbd>" close"</span>
                </div>
            </div>
        </dialog>
    }
    .into_any()
}

fn list(answers: &[Place], chosen: usize) -> AnyView {
    if answers.is_empty() {
        return view! { <p class="group">"Nothing has this name. The history searches titles and reasons of all runs."</p> }
            .into_any();
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
                <a
                    role="option"
                    id=format!("palette-{at}")
                    href=place.href.clone()
                    tabindex="-1"
                    aria-selected=if at == chosen { "true" } else { "false" }
                >
                    <Glyph sign=place.sign />
                    <span>
                        {place.name.clone()}
                        " "
                        <span class="sub">{place.about.clone()}</span>
                    </span>
                    {(at == chosen).then(|| view! { <kbd>"Enter"</kbd> })}
                </a>
            }
        })
        .collect_view()
        .into_any()
}

fn all(view: HomeView) -> Vec<Place> {
    let procedures = view.procedures.into_iter().map(|row| Place {
        kind: "Procedures",
        sign: Sign::Book,
        about: format!("up to {}, {} steps", row.risk.word(), row.steps),
        href: format!("/procedures/{}", row.slug),
        name: row.title,
    });
    let runs = view.running.into_iter().chain(view.recent).map(|row| Place {
        kind: "Runs",
        sign: row.verdict.map_or(Sign::State(row.status), Sign::Verdict),
        about: format!(
            "{}, {}, {}",
            row.verdict.map_or(row.status.word(), |verdict| verdict.word()),
            row.by,
            row.target
        ),
        href: format!("/runs/{}", row.id),
        name: format!("{} {}", row.id, row.title),
    });
    let pages = [
        ("Home", "/", Sign::Brand),
        ("History", "/history", Sign::State(StepStatus::Done)),
        ("Documents", "/documents", Sign::File),
        ("Account and password", "/account", Sign::Person),
    ];
    let pages = pages.into_iter().map(|(name, href, sign)| Place {
        kind: "Pages",
        sign,
        name: name.to_owned(),
        about: String::new(),
        href: href.to_owned(),
    });
    procedures.chain(runs).chain(pages).collect()
}

/// The places that have all words, in their order.
fn matching(places: &[Place], words: &str) -> Vec<Place> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let fits = |place: &&Place| {
        let text = format!("{} {}", place.name, place.about).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    places.iter().filter(fits).take(MOST).cloned().collect()
}
