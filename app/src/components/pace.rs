//! Elapsed time beside what is usual.

use domain::view::Usual;
use domain::{Timestamp, time};
use leptos::prelude::*;

use crate::clock::Clock;

/// What is usual, in words.
pub fn usual_words(usual: Usual) -> String {
    let (low, high) = (time::span(usual.low_ms), time::span(usual.high_ms));
    if low == high { low } else { format!("{low} to {high}") }
}

/// A line from nothing to a fifth beyond the slowest usual run; ticks where the usual begins and ends.
#[component]
pub fn Pace(since: Timestamp, until: Option<Timestamp>, usual: Option<Usual>) -> impl IntoView {
    let clock = Clock::here();
    let elapsed = move || until.unwrap_or_else(|| clock.now()).since(since);
    let slow = move || usual.is_some_and(|usual| elapsed() > usual.high_ms);
    let words = move || {
        let so_far = if until.is_none() { " so far" } else { "" };
        let slower = if slow() { ", slower than usual" } else { "" };
        format!("{}{so_far}{slower}", time::span(elapsed()))
    };
    let line = usual.map(|usual| {
        let whole = (usual.high_ms + usual.high_ms / 5).max(1);
        let place = move |milliseconds: u64| (milliseconds.min(whole) * 100).checked_div(whole).unwrap_or(0);
        let (low, high) = (place(usual.low_ms), place(usual.high_ms));
        view! {
            <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
                <path class="track" d="M0 6H100" stroke-width="2" vector-effect="non-scaling-stroke" />
                <path
                    class="done"
                    d=move || format!("M0 6H{}", place(elapsed()))
                    stroke-width="4"
                    vector-effect="non-scaling-stroke"
                />
                <path
                    class="tick"
                    d=format!("M{low} 2V10M{high} 2V10")
                    stroke-width="1"
                    vector-effect="non-scaling-stroke"
                />
            </svg>
        }
    });
    let tone = move || match (slow(), until.is_some()) {
        (true, _) => "warn",
        (false, true) => "quiet",
        (false, false) => "live",
    };
    view! {
        <div class="pace" data-tone=tone>
            {line}
            <span>{words}</span>
        </div>
    }
    .into_any()
}
