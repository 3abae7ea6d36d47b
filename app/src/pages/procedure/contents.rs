//! The contents rail of a procedure's page: its parts and steps, and which of them one reads now.

use domain::runbook::Procedure;
use domain::time;
use leptos::ev;
use leptos::prelude::*;

use super::{heading, is_lead};

/// A place of the page.
#[derive(Clone)]
struct Entry {
    /// Its id.
    anchor: String,
    /// What it is called.
    words: String,
    /// Its steps.
    steps: Vec<Entry>,
}

/// Parts and steps of the page. Steps are what `j` and `k` go through.
#[component]
pub fn Contents(procedure: Procedure, findings: usize, runs: usize) -> impl IntoView {
    let entries = entries(&procedure, findings, runs);
    let all = entries.iter().flat_map(|entry| std::iter::once(entry).chain(&entry.steps));
    let reading = Reading::follow(all.map(|entry| entry.anchor.clone()).collect());
    let rows = entries.into_iter().map(|entry| row(entry, reading)).collect_view();
    view! {
        <nav class="rail sticky" aria-label="On this page">
            <div class="toc">
                <ol>{rows}</ol>
            </div>
        </nav>
    }
    .into_any()
}

fn entries(procedure: &Procedure, findings: usize, runs: usize) -> Vec<Entry> {
    let mut entries = vec![entry("summary", "Summary".to_owned())];
    for (index, part) in procedure.parts.iter().enumerate().filter(|(_, part)| !is_lead(part)) {
        let anchor = procedure.anchor(index);
        let steps = part
            .steps()
            .map(|step| entry(&format!("{anchor}-{}", step.number), format!("{} {}", step.number, step.title)))
            .collect();
        entries.push(Entry { steps, ..entry(&anchor, heading(part)) });
    }
    entries.push(entry("health", "Health".to_owned()));
    if findings > 0 {
        entries.push(entry("findings", format!("Findings, {findings}")));
    }
    entries.push(entry("runs", format!("Last runs, {}", time::thousands(runs as u64))));
    entries
}

fn entry(anchor: &str, words: String) -> Entry {
    Entry { anchor: anchor.to_owned(), words, steps: Vec::new() }
}

fn row(entry: Entry, reading: Reading) -> AnyView {
    let steps: Vec<AnyView> =
        entry.steps.iter().map(|step| view! { <li>{link(step, reading, Some(""))}</li> }.into_any()).collect();
    let below = (!steps.is_empty()).then(|| view! { <ol>{steps}</ol> });
    view! {
        <li>
            {link(&entry, reading, None)}
            {below}
        </li>
    }
    .into_any()
}

fn link(entry: &Entry, reading: Reading, step: Option<&'static str>) -> AnyView {
    let (own, goal) = (entry.anchor.clone(), entry.anchor.clone());
    let current = move || reading.place.with(|place| *place == own).then_some("location");
    view! {
        <a
            href=format!("#{}", entry.anchor)
            rel="external"
            data-step-link=step
            aria-current=current
            on:click=move |_| reading.jump(&goal)
        >
            {entry.words.clone()}
        </a>
    }
    .into_any()
}

/// Where one is on the page: at the place that was jumped to, else at the last one that has come up to where one reads.
#[derive(Clone, Copy)]
struct Reading {
    place: RwSignal<String>,
    places: StoredValue<Vec<String>>,
    jump: StoredValue<Jump>,
}

/// A jump decides as long as nobody scrolls on: the last places of a page never come up to where one reads.
#[derive(Clone, Copy, PartialEq)]
enum Jump {
    /// Nobody jumped, or scrolled since.
    Over,
    /// The page moves to its goal.
    Moving,
    /// The page has come to rest at this height.
    Rests(f64),
}

impl Reading {
    /// Follows the address and the scrolling of this page, in the order of its places. The server knows of neither.
    fn follow(places: Vec<String>) -> Self {
        let reading = Self {
            place: RwSignal::new(String::new()),
            places: StoredValue::new(places),
            jump: StoredValue::new(Jump::Over),
        };
        Effect::new(move |_| {
            reading.see();
            reading.jump_to_address();
            let scrolled = window_event_listener(ev::scroll, move |_| reading.scrolled());
            let moved = window_event_listener(ev::hashchange, move |_| reading.jump_to_address());
            on_cleanup(move || {
                scrolled.remove();
                moved.remove();
            });
        });
        reading
    }

    fn jump_to_address(self) {
        let hash = window().location().hash().unwrap_or_default();
        if let Some(anchor) = hash.strip_prefix('#') {
            self.jump(anchor);
        }
    }

    fn jump(self, anchor: &str) {
        if self.places.with_value(|places| places.iter().any(|place| place == anchor)) {
            self.place.set(anchor.to_owned());
            self.jump.set_value(Jump::Moving);
            request_animation_frame(move || _ = self.jump.try_set_value(Jump::Rests(height())));
        }
    }

    fn scrolled(self) {
        match self.jump.get_value() {
            Jump::Moving => return,
            Jump::Rests(at) if (at - height()).abs() < 2.0 => return,
            Jump::Rests(_) | Jump::Over => self.jump.set_value(Jump::Over),
        }
        self.see();
    }

    /// One reads in the upper quarter of the window; at the end of the page, its last place.
    fn see(self) {
        let line = window_height() / 4.0;
        let last = if at_the_end() { f64::INFINITY } else { line };
        let place = self.places.with_value(|places| places.iter().rfind(|place| top(place) <= last).cloned());
        let place =
            place.unwrap_or_else(|| self.places.with_value(|places| places.first().cloned().unwrap_or_default()));
        if self.place.with_untracked(|now| *now != place) {
            self.place.set(place);
        }
    }
}

/// How far the top of a place is below the top of the window. What is not there is below everything.
fn top(anchor: &str) -> f64 {
    document().get_element_by_id(anchor).map_or(f64::NAN, |place| place.get_bounding_client_rect().top())
}

fn height() -> f64 {
    window().scroll_y().unwrap_or_default()
}

fn window_height() -> f64 {
    window().inner_height().ok().and_then(|height| height.as_f64()).unwrap_or_default()
}

/// Whether the page is scrolled to its end. A page that needs no scrolling has none.
fn at_the_end() -> bool {
    let whole = document().document_element().map_or(0.0, |root| f64::from(root.scroll_height()));
    height() > 0.0 && height() + window_height() >= whole - 2.0
}
