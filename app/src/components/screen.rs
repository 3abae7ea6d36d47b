//! The screen of a full-screen program, in its place in the log.

#![expect(
    clippy::large_types_passed_by_value,
    reason = "what the parts hand on is a handle of many signals, which closures have to own"
)]

use leptos::prelude::*;

use super::log_view::{Window, piece};
use crate::live::raw_output;

/// The screen as it stands, or as it was left. Its rows change one by one, and nobody is told.
#[component]
pub fn ScreenView(command: u32, name: String, view: Window) -> impl IntoView {
    let height = Memo::new(move |_| view.with_screen(command, |screen| screen.map_or(0, |screen| screen.rows.len())));
    let over = Memo::new(move |_| view.with_screen(command, |screen| screen.is_some_and(|screen| screen.to.is_some())));
    let label = format!("Screen of {name}");
    view! {
        <li data-kind="screen">
            <p>
                {move || if over.get() { "Last screen of " } else { "Screen of " }}
                <code>{name}</code>
                <Show when=move || over.get()>
                    ". What it showed before is in the "
                    <a href=raw_output(view.live.on_stage()) rel="external">
                        "raw output"
                    </a>
                    "."
                </Show>
            </p>
            <div class="screen" role="group" aria-label=label tabindex="0">
                <For each=move || 0..height.get() key=|place| *place let(place)>
                    <ScreenRow command place view />
                </For>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn ScreenRow(command: u32, place: usize, view: Window) -> impl IntoView {
    let row = Memo::new(move |_| {
        view.with_screen(command, |screen| screen.map(|screen| screen.row_with_cursor(place)).unwrap_or_default())
    });
    let has_cursor =
        Memo::new(move |_| view.with_screen(command, |screen| screen.is_some_and(|screen| screen.has_cursor(place))));
    view! {
        <div data-cursor=move || has_cursor.get().then_some("")>{move || row.get().iter().map(piece).collect_view()}</div>
    }
    .into_any()
}
