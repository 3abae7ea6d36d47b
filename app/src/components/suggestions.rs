//! What fires and which procedures are suggested by it, one card each.

use domain::SuggestionId;
use domain::time;
use domain::view::{SuggestionRow, alert_words, suggested_address};
use leptos::prelude::*;

use super::action_form::ActionForm;
use super::ago::{Ago, Elapsed};
use super::command_text::{Visible, visible};
use super::glyph::{Glyph, Sign};
use super::problem::Refused;
use crate::api::alerts::DismissSuggestion;
use crate::base::portal_path;
use crate::deeds::Hands;

/// Suggestions that wait for somebody; nothing when there are none.
#[component]
pub fn Suggestions(rows: Vec<SuggestionRow>, hands: Hands, dismiss: ServerAction<DismissSuggestion>) -> impl IntoView {
    let problem = Signal::derive(move || dismiss.value().get().and_then(Result::err).map(|error| error.to_string()));
    if rows.is_empty() {
        return view! { <Refused problem /> }.into_any();
    }
    let cards = rows.into_iter().map(|row| view! { <SuggestionCard row hands dismiss /> }).collect_view();
    view! {
        <section class="stack" data-gap="small" aria-label="Suggested by alerts" id="suggestions">
            <Refused problem />
            {cards}
        </section>
    }
    .into_any()
}

#[component]
fn SuggestionCard(row: SuggestionRow, hands: Hands, dismiss: ServerAction<DismissSuggestion>) -> impl IntoView {
    let SuggestionRow { id, alert, service, summary, since, heard, times, firing, procedures, runs } = row;
    let words = alert_words(&alert, &service);
    let count = match firing {
        0 | 1 => String::new(),
        more => format!("{more} alerts fire, "),
    };
    let times = format!("{count}told {}, last ", time::counted(times, "time"));
    let summary = (!summary.is_empty()).then(|| {
        view! {
            <p>
                <q>
                    <Visible text=summary />
                </q>
            </p>
        }
    });
    let runs = runs
        .into_iter()
        .map(|run| {
            view! {
                <span>
                    <a href=portal_path(format!("/runs/{run}"))>{format!("run {run}")}</a>
                    " was started from it"
                </span>
            }
        })
        .collect_view();
    let procedures = procedures
        .into_iter()
        .enumerate()
        .map(|(place, (slug, title))| {
            let kind = if place == 0 { "primary" } else { "quiet" };
            view! {
                <a class="btn" data-kind=kind href=portal_path(suggested_address(&slug, id))>
                    {visible(format!("Open {title}"))}
                </a>
            }
        })
        .collect_view();
    let form = hands.then(|| view! { <DismissForm id dismiss /> });
    view! {
        <div class="ask-card" data-tone="warn">
            <div class="spread">
                <h2>
                    <Glyph sign=Sign::Warning />
                    <span>{visible(words)}</span>
                </h2>
                <span class="left">
                    "fires for " <b>
                        <Elapsed since />
                    </b>
                </span>
            </div>
            {summary}
            <div class="row">
                <span class="quiet">{times} <Ago at=heard /></span>
                {runs}
            </div>
            <div class="actions">{procedures}</div>
            {form}
        </div>
    }
    .into_any()
}

#[component]
fn DismissForm(id: SuggestionId, dismiss: ServerAction<DismissSuggestion>) -> impl IntoView {
    let field = format!("dismiss-{id}");
    let label = field.clone();
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Dismiss…"
            </summary>
            <ActionForm action=dismiss attr:class="stack" attr:data-gap="small">
                <input type="hidden" name="suggestion" value=id.0 />
                <div class="field">
                    <label for=label>"Why nothing is to be done"</label>
                    <input class="input" id=field name="reason" required maxlength="1000" autocomplete="off" />
                    <span class="help">
                        "It comes back when something else of the same name and service begins to fire."
                    </span>
                </div>
                <div class="actions">
                    <button class="btn" type="submit" disabled=dismiss.pending()>
                        "Dismiss suggestion"
                    </button>
                </div>
            </ActionForm>
        </details>
    }
    .into_any()
}
