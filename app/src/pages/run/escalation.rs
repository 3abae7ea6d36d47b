//! Whom the procedure names for trouble: when the portal tells them by itself, who was told, and a form to call each of them.

use domain::escalation::Line;
use domain::run::{EscalationRecord, Run, hand_over, values_to_hand_over};
use domain::view::{ContactInfo, EscalationGround};
use leptos::prelude::*;

use super::facts::lines;
use super::notices::{RefusedHere, answering};
use crate::clock::Clock;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::command_text::visible;
use crate::components::copy::Copy;
use crate::components::glyph::{Glyph, Sign};
use crate::components::words::capital;
use crate::deeds::{Deeds, Hands, Place};
use crate::live::Live;

/// The panel; nothing for a procedure that names nobody.
#[component]
pub fn Escalation(hands: Hands, ground: EscalationGround) -> impl IntoView {
    let live = Live::here();
    let named = live.run.with_untracked(|run| run.plan.escalation.lines.clone());
    if named.is_empty() && ground.contacts.is_empty() {
        return ().into_any();
    }
    let place = Place::Escalation;
    let EscalationGround { contacts, link } = ground;
    let rules: Vec<AnyView> = named.iter().map(rule).collect();
    let forms: Vec<AnyView> =
        contacts.into_iter().map(|contact| contact_view(live, contact, link.clone(), hands)).collect();
    let told = Memo::new(move |_| live.run.with(|run| run.escalations.clone()));
    let history = move || told.with(|told| live.run.with_untracked(|run| history(run, told)));
    view! {
        <section class="panel" id="escalation" on:submit=answering(place)>
            <header>
                <h2>"Escalation"</h2>
            </header>
            {(!rules.is_empty()).then(|| view! { <ul class="checks" data-by="below">{rules}</ul> })}
            {history}
            {forms}
            <RefusedHere place />
        </section>
    }
    .into_any()
}

/// A line of the procedure, whom it names, and when the portal tells them by itself.
fn rule(line: &Line) -> AnyView {
    let names = line.to.iter().map(|contact| contact.name.as_str()).collect::<Vec<_>>().join(", ");
    let by = match (line.to.is_empty(), line.is_by_itself()) {
        (true, _) => "by a person".to_owned(),
        (false, true) => format!("{names}, told {}", line.due.words()),
        (false, false) => format!("{names}, called by a person"),
    };
    view! {
        <li>
            <Glyph sign=Sign::Person />
            <span>{visible(line.words.clone())}</span>
            <span class="by">{visible(by)}</span>
        </li>
    }
    .into_any()
}

/// Who was told, by whom and why, with the hand-over.
fn history(run: &Run, told: &[EscalationRecord]) -> Vec<AnyView> {
    told.iter()
        .map(|record| {
            let did = format!("{} {} {}", record.by(), record.did(), record.titles_and_ways());
            let why = run.because_words(record.line, record.because);
            view! {
                <div class="stack" data-gap="tight">
                    <p class="note">
                        {visible(format!("{}. {why} ", capital(&did)))}
                        <Ago at=record.stamp.at />
                    </p>
                    <details class="fold">
                        <summary>
                            <Glyph sign=Sign::Fold />
                            "Show the hand-over"
                        </summary>
                        <p class="small">{lines(&record.text)}</p>
                    </details>
                </div>
            }
            .into_any()
        })
        .collect()
}

/// How a contact is told, and the form to call them.
fn contact_view(live: Live, contact: ContactInfo, link: Option<String>, hands: Hands) -> AnyView {
    let told = match &contact.problem {
        None => format!("{}: {} is told {}.", contact.words, contact.name, contact.ways),
        Some(problem) => format!("{}: {problem}", contact.words),
    };
    let form = hands.then(move || view! { <CallForm live contact link /> });
    view! {
        <div class="stack" data-gap="tight">
            <p class="note">{visible(told)}</p>
            {form}
        </div>
    }
    .into_any()
}

/// The form to call one contact, with the hand-over as the run stood when the page was made.
#[component]
fn CallForm(live: Live, contact: ContactInfo, link: Option<String>) -> impl IntoView {
    let deeds = Deeds::here();
    let now = Clock::here().now_untracked();
    let number = Memo::new(move |_| live.run.with(Run::next_escalation));
    let (text, values) = live.run.with_untracked(|run| (hand_over(run, now), values_to_hand_over(run)));
    let copied = copied(&text, &values, link.as_deref());
    // One of whom nothing is sent is called by a person, and the record says so.
    let button = match contact.problem {
        None => format!("Escalate to {}", contact.words),
        Some(_) => format!("Note that you called {}", contact.words),
    };
    let open = format!("{button}\u{2026}");
    let values: Vec<AnyView> = values.into_iter().map(|value| view! { <li>{visible(value)}</li> }.into_any()).collect();
    let values = (!values.is_empty()).then(|| {
        view! {
            <p class="help">"Values, which only those channels tell that are configured to:"</p>
            <ul class="small">{values}</ul>
        }
    });
    view! {
        <details class="fold take">
            <summary>
                <Glyph sign=Sign::Fold />
                {visible(open)}
            </summary>
            <ActionForm action=deeds.escalate attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="number" value=move || number.get() />
                <input type="hidden" name="contact" value=contact.words />
                <div class="field">
                    <label>
                        "Hand-over" <textarea class="input" name="text" rows="10" inner_html=as_html(&text)></textarea>
                    </label>
                </div>
                <div class="actions">
                    <button class="btn" type="submit" disabled=deeds.escalate.pending()>
                        {visible(button)}
                    </button>
                    <Copy text=copied words="Copy the hand-over" />
                </div>
                <span class="help">
                    "It goes out as it stands here, with the address of this run; left empty, the portal writes it anew. The record keeps it."
                </span>
                {values}
            </ActionForm>
        </details>
    }
    .into_any()
}

/// A text as what a field begins with. What stands between the two ends of a field for text the framework writes as it is (`tachys` 0.2),
/// and people and documents have written this.
fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The hand-over to be pasted elsewhere: with the values and the address.
fn copied(text: &str, values: &[String], link: Option<&str>) -> String {
    let values = if values.is_empty() { String::new() } else { format!("Values:\n- {}\n", values.join("\n- ")) };
    let link = link.map_or_else(String::new, |link| format!("{link}\n"));
    format!("{text}{values}{link}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_does_not_end_where_its_text_says_so() {
        assert_eq!(as_html("a </textarea><i> & b"), "a &lt;/textarea>&lt;i> &amp; b");
    }

    #[test]
    fn what_is_copied_has_the_values_and_the_address() {
        let values = ["Backup: latest.dump".to_owned(), "Token: a secret".to_owned()];

        assert_eq!(
            copied("Run 12\n", &values, Some("https://portal.example.com/runs/12")),
            "Run 12\nValues:\n- Backup: latest.dump\n- Token: a secret\nhttps://portal.example.com/runs/12\n"
        );
        assert_eq!(copied("Run 12\n", &[], None), "Run 12\n");
    }
}
