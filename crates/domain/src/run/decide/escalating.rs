//! Telling somebody whom the document names for that.

use super::{Facts, reasoned};
use crate::escalation::Addressee;
use crate::run::escalating::{Because, Moment};
use crate::run::event::Event;
use crate::run::refusal::Refusal;
use crate::run::state::Run;

/// More than this many times nobody reads it any more.
const LIMIT: u32 = 100;

/// By a person.
pub(super) fn by_hand(run: &Run, number: u32, to: &[Addressee], text: &str) -> Result<Event, Refusal> {
    if number != run.next_escalation() || number > LIMIT {
        return Err(Refusal::Over);
    }
    let is_named = |addressee: &Addressee| run.plan.escalation.contact(&addressee.words).is_some();
    if to.is_empty() || !to.iter().all(is_named) {
        return Err(Refusal::Nothing("contact with this name".to_owned()));
    }
    Ok(Event::Escalated { line: None, to: to.to_vec(), because: Because::ByHand, text: reasoned(text)? })
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
