//! What somebody is told who is called into a run.

use serde::{Deserialize, Serialize};

use super::{Audience, Notice, Occasion};
use crate::PersonId;
use crate::escalation::Addressee;
use crate::run::{Entry, EscalationRecord, Run};

/// Who is called, and what they have to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// Who, as the document and the side file name them.
    pub to: Vec<String>,
    /// The webhooks among the ways to them.
    pub webhooks: Vec<String>,
    /// The hand-over: lines of plain text, without a value of a parameter that nobody typed into it.
    pub text: String,
}

/// The notice of an escalation, with who is told by name.
pub(super) fn notice(run: &Run, entry: &Entry) -> Option<(Notice, Audience)> {
    // The one that this event has just added is the last one.
    let number = run.next_escalation().checked_sub(1)?;
    let record = run.escalation(number)?;
    let steps = run.stands_at().and_then(|step| run.plan.step(step));
    let notice = Notice {
        occasion: Occasion::Escalated,
        run: run.id,
        request: number,
        procedure: run.plan.title.clone(),
        steps: steps.iter().map(|plan| plan.title.clone()).collect(),
        target: run.plan.target.name.clone(),
        risk: run.plan.risk(),
        by: name(record, entry),
        asked_by: run.started.by.name().to_owned(),
        reason: run.because_words(record.line, record.because),
        until: None,
        missing: 0,
        changed: Vec::new(),
        changes: Vec::new(),
        values: run.values.clone(),
        covering: None,
        escalated: Some(Escalated {
            to: record.to.iter().map(Addressee::title).collect(),
            webhooks: record.to.iter().filter_map(|to| to.webhook.clone()).collect(),
            text: record.text.clone(),
        }),
    };
    Some((notice, Audience::These(told_by_mail(record))))
}

/// Who calls: a person, or the portal because the procedure says so.
fn name(record: &EscalationRecord, entry: &Entry) -> String {
    if record.line.is_some() { "The portal".to_owned() } else { entry.by.name().to_owned() }
}

fn told_by_mail(record: &EscalationRecord) -> Vec<PersonId> {
    record.to.iter().filter(|to| to.mail).filter_map(|to| to.person.clone()).collect()
}
