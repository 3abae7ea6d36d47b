//! Telling somebody whom the document names for that.

use super::{Facts, reasoned};
use crate::escalation::Addressee;
use crate::run::escalating::{Because, EscalationRecord, Moment};
use crate::run::event::{Event, Who};
use crate::run::refusal::Refusal;
use crate::run::state::Run;

/// People call somebody into one run so often; after more calls nobody reads them any more. What is due is told all the same.
const LIMIT: usize = 100;

/// By a person.
pub(super) fn by_hand(run: &Run, number: u32, to: &[Addressee], text: &str, who: &Who) -> Result<Event, Refusal> {
    let is_named = |addressee: &Addressee| run.plan.escalation.contact(&addressee.words).is_some();
    if to.is_empty() || !to.iter().all(is_named) {
        return Err(Refusal::Nothing("contact with this name".to_owned()));
    }
    if number != run.next_escalation() {
        let is_made = run.escalation(number).is_some_and(|record| is_the_same(record, to, who));
        return Err(if is_made { Refusal::Over } else { Refusal::CalledMeanwhile(names(to)) });
    }
    let by_hand = run.escalations.iter().filter(|record| record.because == Because::ByHand).count();
    if by_hand >= LIMIT {
        return Err(Refusal::CalledOften { times: by_hand, to: names(to) });
    }
    Ok(Event::Escalated { line: None, to: to.to_vec(), because: Because::ByHand, text: reasoned(text)? })
}

/// Whether a call was made by the same person to the same contacts: its form was sent twice. The words of the hand-over may differ,
/// where the portal has written them.
fn is_the_same(record: &EscalationRecord, to: &[Addressee], who: &Who) -> bool {
    let is_theirs = record.because == Because::ByHand && record.stamp.by.id() == who.id();
    is_theirs && record.to.iter().map(|to| &to.words).eq(to.iter().map(|to| &to.words))
}

/// The contacts as the document names them.
fn names(to: &[Addressee]) -> String {
    to.iter().map(|to| to.words.as_str()).collect::<Vec<_>>().join(", ")
}

/// By the portal's clock: only when it is really due, and nobody was told meanwhile.
pub(super) fn due(run: &Run, line: u32, to: &[Addressee], text: &str, facts: &Facts) -> Vec<Event> {
    let now = Moment { clock: facts.clock, expiry: facts.now };
    let found = run.due_escalations(now).into_iter().find(|(due, _)| *due == line);
    let named = |words: &str| {
        let line = run.plan.escalation.line(line);
        line.is_some_and(|line| line.to.iter().any(|contact| contact.words == words))
    };
    if to.is_empty() || !to.iter().all(|addressee| named(&addressee.words)) {
        return Vec::new();
    }
    let event = |(_, because)| Event::Escalated { line: Some(line), to: to.to_vec(), because, text: text.to_owned() };
    found.map(event).into_iter().collect()
}
