//! What a command can do at worst.

use domain::Risk;
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};

/// The class of a command or a step: glyph and word.
#[component]
pub fn RiskMark(risk: Risk) -> impl IntoView {
    view! {
        <span class="risk" data-risk=risk.word()>
            <Glyph sign=Sign::Risk(risk) />
            {risk.word()}
        </span>
    }
    .into_any()
}
