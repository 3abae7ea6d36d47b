//! Covering something in stored output: who asks, who confirms, and of exactly which bytes.

use super::{Facts, proven, reasoned};
use crate::redaction::{ByteRange, fit};
use crate::run::event::{Event, Who};
use crate::run::redaction::{Redaction, RedactionEnd};
use crate::run::refusal::Refusal;
use crate::run::state::{AttemptEnd, Run};
use crate::{AttemptId, Digest};

/// An output as it was found: how many bytes, and their SHA-256.
pub(super) type Found<'a> = (u64, &'a Digest);

/// Asks for something in the output of an attempt that has ended to be covered.
pub(super) fn ask(
    run: &Run,
    (step, attempt): (u32, u32),
    ranges: &[ByteRange],
    reason: &str,
    found: Found<'_>,
) -> Result<Event, Refusal> {
    let id = AttemptId { run: run.id, step, attempt };
    let end = ended(run, id)?;
    if let Some((_, waiting)) = run.waiting_redaction(id) {
        let (by, at) = (waiting.asked.by.name().to_owned(), waiting.asked.at.time_of_day());
        return Err(Refusal::RedactionWaits { by, at });
    }
    as_recorded(end, found)?;
    fit(ranges, found.0).map_err(Refusal::NoPlace)?;
    let (ranges, reason) = (ranges.to_vec(), reasoned(reason)?);
    Ok(Event::RedactionAsked { step, attempt, ranges, reason, bytes: found.0, output: found.1.clone() })
}

/// Another person confirms it: from then on the record says what the output is with these bytes covered.
pub(super) fn confirm(
    run: &Run,
    number: u32,
    (old, new): (&Digest, &Digest),
    who: &Who,
    facts: &Facts,
) -> Result<Event, Refusal> {
    let redaction = waiting(run, number)?;
    if redaction.asked.by.id() == who.id() {
        return Err(Refusal::OwnRedaction);
    }
    let factor = proven(facts)?;
    let Redaction { step, attempt, bytes, .. } = *redaction;
    let end = ended(run, AttemptId { run: run.id, step, attempt })?;
    as_recorded(end, (bytes, &redaction.output))?;
    if *old != redaction.output {
        return Err(Refusal::OutputChanged);
    }
    let (ranges, old, new) = (redaction.ranges.clone(), old.clone(), new.clone());
    Ok(Event::OutputRedacted { number, step, attempt, ranges, bytes, old, new, factor })
}

/// Another person says no, or whoever asked takes it back.
pub(super) fn reject(run: &Run, number: u32, reason: &str, who: &Who, facts: &Facts) -> Result<Event, Refusal> {
    let own = waiting(run, number)?.asked.by.id() == who.id();
    let reason = reasoned(reason)?;
    let factor = if own { String::new() } else { proven(facts)? };
    Ok(Event::RedactionRejected { number, reason, factor })
}

fn waiting(run: &Run, number: u32) -> Result<&Redaction, Refusal> {
    let redaction = run.redaction(number).ok_or_else(|| Refusal::Nothing(format!("redaction {number}")))?;
    match &redaction.end {
        None => Ok(redaction),
        Some(RedactionEnd::Rejected { stamp, .. } | RedactionEnd::Covered { stamp, .. }) => {
            Err(Refusal::RedactionOver { by: stamp.by.name().to_owned(), at: stamp.at.time_of_day() })
        }
    }
}

fn ended(run: &Run, id: AttemptId) -> Result<&AttemptEnd, Refusal> {
    let attempt = run.attempt(id);
    let attempt = attempt.ok_or_else(|| Refusal::Nothing(format!("attempt {} of step {}", id.attempt, id.step)))?;
    attempt.end.as_ref().ok_or(Refusal::NotEnded)
}

/// What is covered has to be what the record knows: else covering it would make good whatever was done to it.
fn as_recorded(end: &AttemptEnd, (bytes, output): Found<'_>) -> Result<(), Refusal> {
    let same = end.bytes == bytes && end.output.as_ref().is_none_or(|recorded| recorded == output);
    if same { Ok(()) } else { Err(Refusal::OutputChanged) }
}
