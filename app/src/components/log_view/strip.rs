//! Below the rows: whether they move by themselves, and what a command that prints nothing leaves open.

use domain::run::StepStatus;
use domain::time;
use leptos::prelude::*;

use super::rows::note;
use super::window::Window;
use crate::components::glyph::{Glyph, Sign};
use crate::live::Live;
use crate::live::log::Log;
use crate::live::log::entry::Quiet;

/// What a command that prints nothing leaves open: whether it still works, and for how long.
#[component]
pub fn Silence(view: Window) -> impl IntoView {
    let live = view.live;
    let quiet = Memo::new(move |_| live.run.with(|run| live.log.with(|log| log.quiet(run))));
    move || {
        // It stands behind the last line, and not among others at which somebody looks.
        if view.is_held() {
            return None;
        }
        let words = match quiet.get()? {
            Quiet::Runs { since, command } => {
                // Most commands answer at once: nobody wonders about those.
                let span = Some(live.clock.now().since(since)).filter(|span| *span >= 1000)?;
                let name = command.unwrap_or_else(|| "The step".to_owned());
                format!("{name} runs for {} and has printed nothing.", time::span(span))
            }
            Quiet::Ended => "Nothing was printed.".to_owned(),
        };
        Some(note(words))
    }
}

/// Says whether the rows move by themselves, and makes them so.
#[component]
pub fn FollowStrip(view: Window) -> impl IntoView {
    let live = Live::here();
    let following = live.following;
    let words = move || match view.newer() {
        _ if following.get() && live.log.with(Log::has_live_screen) => "Following the screen".to_owned(),
        _ if following.get() => {
            format!("Following, line {}. Scroll up to let go", time::thousands(live.log.with(Log::lines)))
        }
        None | Some(0) => "Not following. Go to the end".to_owned(),
        Some(1) => "1 newer line. Follow".to_owned(),
        Some(newer) => format!("{} newer lines. Follow", time::thousands(newer)),
    };
    let open = Memo::new(move |_| {
        let shown = live.log.with(|log| (log.step(), log.attempt()));
        live.run.with(|run| run.open_attempt().is_some_and(|open| (open.step, open.attempt) == shown))
    });
    let is_seen = Memo::new(move |_| (open.get() || !following.get()) && view.replay.log.with(Option::is_none));
    view! {
        <Show when=move || is_seen.get()>
            <button
                class="follow needs-scripts"
                type="button"
                data-key="End"
                data-following=move || following.get().then_some("")
                on:click=move |_| _ = view.follow()
            >
                {move || {
                    let sign = if following.get() { Sign::State(StepStatus::Watching) } else { Sign::Down };
                    view! { <Glyph sign /> }
                }}
                {words}
                {move || (!following.get()).then(|| view! { <kbd>"End"</kbd> })}
            </button>
        </Show>
    }
    .into_any()
}
