//! One thing that the portal looked at: how it stands, and what was seen.

use domain::approval::{EvidenceItem, Standing};
use domain::run::StepStatus;
use leptos::prelude::*;

use super::command_text::{Visible, visible};
use super::glyph::{Glyph, Sign};

/// A line of a list with the class `checks`.
pub fn evidence_row(item: &EvidenceItem) -> AnyView {
    let (sign, word) = match item.standing {
        Standing::Good => (Sign::State(StepStatus::Done), "as one would wish"),
        Standing::Look => (Sign::Warning, "look at this"),
        Standing::Unknown => (Sign::State(StepStatus::Interrupted), "not known"),
    };
    let saw =
        item.saw.iter().map(|line| view! { <span class="line"><Visible text=line.clone() /></span> }).collect_view();
    let bound = item.bound.is_some().then(|| {
        view! { <span class="line quiet">"Looked at again at the start: another file of this name makes the approval void."</span> }
    });
    view! {
        <li data-standing=word>
            <Glyph sign />
            <span>
                <span class="sr">{format!("{word}: ")}</span>
                {visible(item.name.clone())}
            </span>
            <span class="by">{visible(item.result.clone())}</span>
            <span class="saw">{saw} {bound}</span>
        </li>
    }
    .into_any()
}
