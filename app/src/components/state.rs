//! Where a step stands, and what came of a run.

use domain::run::{StepStatus, Verdict};
use domain::view::RunRow;
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};

/// Where a step stands: glyph and word.
#[component]
pub fn StateMark(status: StepStatus, #[prop(optional, into)] word: Option<String>) -> impl IntoView {
    view! {
        <span class="state" data-state=status.word()>
            <Glyph sign=Sign::State(status) />
            {word.unwrap_or_else(|| status.word().to_owned())}
        </span>
    }
    .into_any()
}

/// What came of a run: glyph and word.
#[component]
pub fn VerdictMark(verdict: Verdict) -> impl IntoView {
    view! {
        <span class="state" data-verdict=verdict_name(verdict)>
            <Glyph sign=Sign::Verdict(verdict) />
            {verdict.word()}
        </span>
    }
    .into_any()
}

/// The verdict of a closed run, or where an open one stands.
#[component]
pub fn RunMark(row: RunRow) -> impl IntoView {
    match row.verdict {
        Some(verdict) => view! { <VerdictMark verdict /> }.into_any(),
        None => view! { <StateMark status=row.status /> }.into_any(),
    }
}

/// The verdict as stylesheets write it.
pub const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reached => "reached",
        Verdict::NotReached => "not-reached",
        Verdict::RolledBack => "rolled-back",
        Verdict::Aborted => "aborted",
    }
}
