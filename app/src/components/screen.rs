//! The screen of a full-screen program, in its place in the log.

use leptos::prelude::*;

use super::log_view::piece;
use crate::live::{Live, raw_output};

/// The screen as it stands, or as it was left. Its rows change one by one, and nobody is told.
#[component]
pub fn ScreenView(command: u32, name: String) -> impl IntoView {
    let live = Live::here();
    let height = Memo::new(move |_| live.log.with(|log| log.screen(command).map_or(0, |screen| screen.rows.len())));
    let over = Memo::new(move |_| live.log.with(|log| log.screen(command).is_some_and(|screen| screen.to.is_some())));
    let label = format!("Screen of {name}");
    view! {
        <li data-kind="screen">
            <p>
                {move || if over.get() { "Last screen of " } else { "Screen of " }}
                <code>{name}</code>
                <Show when=move || over.get()>
                    ". What it showed before is in the "
                    <a href=raw_output(live.on_stage()) rel="external">
                        "raw output"
                    </a>
                    "."
                </Show>
            </p>
            <div class="screen" role="group" aria-label=label tabindex="0">
                <For each=move || 0..height.get() key=|place| *place let(place)>
                    <ScreenRow command place />
                </For>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn ScreenRow(command: u32, place: usize) -> impl IntoView {
    let live = Live::here();
    let row = Memo::new(move |_| {
        live.log.with(|log| log.screen(command).map(|screen| screen.row_with_cursor(place)).unwrap_or_default())
    });
    let has_cursor =
        Memo::new(move |_| live.log.with(|log| log.screen(command).is_some_and(|screen| screen.has_cursor(place))));
    view! {
        <div data-cursor=move || has_cursor.get().then_some("")>{move || row.get().iter().map(piece).collect_view()}</div>
    }
    .into_any()
}
