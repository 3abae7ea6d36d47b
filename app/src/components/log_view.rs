//! Output on the stage: a log of any length in a box that scrolls, tools above it, and a strip that says whether it moves by itself.
//!
//! Of a long log only what its reader looks at is drawn (`window`); the browser never has more of it. Without scripts it is the last
//! rows, as the server has rendered them.

#![expect(
    clippy::large_types_passed_by_value,
    reason = "what the parts hand on is a handle of many signals, which closures have to own"
)]

mod finder;
mod replay;
mod rows;
mod strip;
mod tools;
mod window;

use domain::find::Way;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use crate::live::Live;
use crate::live::log::Log;
use crate::live::log::entry::Entry;
use replay::ReplayStrip;
use rows::LogEntry;
pub use rows::piece;
use strip::{FollowStrip, Silence};
use tools::{Looks, Tools};
pub use window::Window;

/// What stands beside the rows on paper, when there are others.
const ON_PAPER: &str = "Paper shows the lines in view. The whole output is the raw download.";

/// The rows of the log on the stage. To be made anew for each attempt, so that nothing of one is left in the other.
#[component]
pub fn LogView(step: u32, attempt: u32) -> impl IntoView {
    let live = Live::here();
    let view = Window::new(live, step);
    let looks = Looks::new();
    view.keep();
    // A stored piece does not grow, and there is no end of it to go to.
    let grows = live.log.with_untracked(|log| !log.is_page());
    let is_part = Memo::new(move |_| view.is_part());
    view! {
        <div class="log-frame" on:keydown=move |event| pressed(view, &event)>
            {grows.then(|| view! { <Tools view looks /> })}
            {move || is_part.get().then(|| view! { <p class="on-paper">{ON_PAPER}</p> })}
            <ol
                class="log"
                tabindex="0"
                aria-label=format!("Output of step {step}, attempt {attempt}")
                data-wrap=move || (!looks.wraps.get()).then_some("off")
                data-times=move || looks.times.get().then_some("")
                node_ref=view.list
                on:scroll=move |_| view.scrolled()
                on:click=move |event| view.clicked(&event)
            >
                <li data-kind="space" aria-hidden="true" node_ref=view.above></li>
                <For each=move || view.entries() key=Entry::key let(entry)>
                    <LogEntry entry view />
                </For>
                <Silence view />
                <li data-kind="space" aria-hidden="true" node_ref=view.below></li>
            </ol>
            {grows.then(|| view! { <ReplayStrip view /> <FollowStrip view /> })}
        </div>
    }
    .into_any()
}

/// What a key does in the log and its tools.
fn pressed(view: Window, event: &KeyboardEvent) {
    if view.live.log.with_untracked(Log::is_page) {
        return;
    }
    let command = (event.ctrl_key() || event.meta_key()) && !event.alt_key();
    let done = match event.key().as_str() {
        "f" | "F" if command && !event.shift_key() => view.finder.take_focus(),
        "c" | "C" if command => view.copies_chosen(),
        "F3" if event.shift_key() => view.step(Way::Up),
        "F3" => view.step(Way::Down),
        "Home" if !command && view.has_focus() => view.jump(1),
        "End" if !command && view.has_focus() => view.follow(),
        _ => false,
    };
    if done {
        event.prevent_default();
        event.stop_propagation();
    }
}
