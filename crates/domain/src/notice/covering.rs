//! What people are told about covering something in stored output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Audience, Notice, Occasion};
use crate::run::{Entry, Event, Redaction, Run};
use crate::view::covering_address;
use crate::{AttemptId, Risk, RunId};

/// The output of which something is to be covered. What stands there is told nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covering {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The attempt's number in the step, from 1.
    pub attempt: u32,
    /// How much of it, as `12 bytes in 2 places`.
    pub amount: String,
}

/// The notice of an event about a redaction, with who is told by name.
pub(super) fn notice(run: &Run, entry: &Entry) -> Option<(Notice, Audience)> {
    let (occasion, number) = occasion(run, &entry.event)?;
    let redaction = run.redaction(number)?;
    let Redaction { step, attempt, .. } = *redaction;
    let plan = run.plan.step(step);
    let notice = Notice {
        occasion,
        run: run.id,
        request: number,
        procedure: run.plan.title.clone(),
        steps: plan.iter().map(|plan| plan.title.clone()).collect(),
        target: run.plan.target.name.clone(),
        risk: plan.map_or(Risk::Destroys, |plan| plan.risk),
        by: entry.by.name().to_owned(),
        asked_by: redaction.asked.by.name().to_owned(),
        reason: reason(&entry.event).to_owned(),
        until: None,
        missing: 0,
        changed: Vec::new(),
        changes: Vec::new(),
        // A value may be what is to be covered.
        values: BTreeMap::new(),
        covering: Some(Covering { step, attempt, amount: redaction.amount() }),
        escalated: None,
    };
    Some((notice, audience(occasion, redaction, entry)))
}

fn occasion(run: &Run, event: &Event) -> Option<(Occasion, u32)> {
    Some(match event {
        // The redaction that this event has just added is the last one.
        Event::RedactionAsked { .. } => (Occasion::RedactionAsked, u32::try_from(run.redactions.len()).ok()?),
        Event::RedactionRejected { number, .. } => (Occasion::RedactionRejected, *number),
        Event::OutputRedacted { number, .. } => (Occasion::RedactionConfirmed, *number),
        _ => return None,
    })
}

fn reason(event: &Event) -> &str {
    match event {
        Event::RedactionAsked { reason, .. } | Event::RedactionRejected { reason, .. } => reason,
        _ => "",
    }
}

fn audience(occasion: Occasion, redaction: &Redaction, entry: &Entry) -> Audience {
    let asker = redaction.asked.by.id().cloned();
    match (occasion, asker) {
        (Occasion::RedactionAsked, but) => Audience::Deciders { but },
        (_, Some(asker)) if entry.by.id() != Some(&asker) => Audience::One(asker),
        _ => Audience::Nobody,
    }
}

impl Covering {
    /// The address of the output, where the decision is made.
    pub(super) fn path(&self, run: RunId) -> String {
        covering_address(AttemptId { run, step: self.step, attempt: self.attempt })
    }
}
