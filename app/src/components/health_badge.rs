//! How far a procedure can be relied on, as a badge.

use domain::health::{Grade, HealthMark};
use domain::run::StepStatus;
use leptos::prelude::*;

use super::command_text::visible;
use super::glyph::{Glyph, Sign};

/// The grade in a word; the worst of what is known stands behind it.
#[component]
pub fn HealthBadge(mark: HealthMark) -> impl IntoView {
    let HealthMark { grade, worst } = mark;
    let (tone, sign) = match grade {
        Grade::Proven => (Some("ok"), Sign::State(StepStatus::Done)),
        Grade::Unproven => (None, Sign::State(StepStatus::Waiting)),
        Grade::Doubtful => (Some("warn"), Sign::Warning),
        Grade::Broken => (Some("danger"), Sign::State(StepStatus::Failed)),
    };
    let why = worst.clone().map(|worst| {
        view! {
            <span class="sr">
                ": "
                {visible(worst)}
            </span>
        }
    });
    view! {
        <span class="badge" data-tone=tone data-health=grade.word() title=worst>
            <Glyph sign />
            {grade.word()}
            {why}
        </span>
    }
    .into_any()
}
