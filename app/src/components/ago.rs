//! Moments and spans, as people read them.

use domain::{Timestamp, time};
use leptos::prelude::*;

use crate::clock::Clock;

/// How long ago something was. The exact moment stands behind it.
#[component]
pub fn Ago(at: Timestamp) -> impl IntoView {
    let clock = Clock::here();
    view! { <time datetime=at.iso() title=at.absolute()>{move || at.ago(clock.now())}</time> }.into_any()
}

/// The time of day. The exact moment stands behind it.
#[component]
pub fn TimeOfDay(at: Timestamp) -> impl IntoView {
    view! { <time datetime=at.iso() title=at.absolute()>{at.time_of_day()}</time> }.into_any()
}

/// How long something takes: still, when it has an end, else up to now.
#[component]
pub fn Elapsed(since: Timestamp, #[prop(optional_no_strip)] until: Option<Timestamp>) -> impl IntoView {
    let clock = Clock::here();
    move || time::span(until.unwrap_or_else(|| clock.now()).since(since))
}
