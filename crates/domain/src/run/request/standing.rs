//! Where the requests of a run stand, and until when each of them lets something start.

use super::{Covered, Request, RequestEnd, RequestStatus, is_part_of};
use crate::run::event::Event;
use crate::run::state::{Attempt, Run, StepState};
use crate::{AttemptId, Timestamp};

impl Run {
    /// A request by its number, from 1.
    pub fn request(&self, number: u32) -> Option<&Request> {
        self.requests.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The requests with their numbers, newest first.
    pub fn requests_newest_first(&self) -> impl Iterator<Item = (u32, &Request)> {
        (1..).zip(&self.requests).collect::<Vec<_>>().into_iter().rev()
    }

    /// The number that the next request gets.
    pub fn next_request(&self) -> u32 {
        u32::try_from(self.requests.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Where a request stands at a moment.
    pub fn request_status(&self, request: &Request, now: Timestamp) -> RequestStatus {
        match &request.end {
            Some(RequestEnd::Rejected { .. }) => RequestStatus::Rejected,
            Some(RequestEnd::Cancelled { .. }) => RequestStatus::Cancelled,
            Some(RequestEnd::Expired { .. }) => RequestStatus::Expired,
            Some(RequestEnd::Void { .. }) => RequestStatus::Void,
            None if self.end.is_some() && request.approved_at().is_none() => RequestStatus::Expired,
            None if self.is_used(request) && !self.may_start_more(request) => RequestStatus::Used,
            None => match self.until(request) {
                Some(until) if now > until && self.open_attempt().is_none() => RequestStatus::Expired,
                Some(_) => RequestStatus::Approved,
                None if now >= request.expires => RequestStatus::Expired,
                None => RequestStatus::Waiting,
            },
        }
    }

    /// The attempt that runs under a request now, if one does.
    pub fn runs_under(&self, request: &Request) -> Option<&Attempt> {
        let open = self.open_attempt().filter(|open| request.uses.contains(open))?;
        self.attempt(open)
    }

    /// Whether an event of this run changes what waits for a decision, or what came of one: something was asked for or decided,
    /// or what was approved began or ended.
    pub fn moves_decisions(&self, event: &Event) -> bool {
        match event {
            Event::AttemptStarted { approval, .. } => approval.is_some(),
            Event::AttemptEnded { step, attempt, .. } | Event::AttemptInterrupted { step, attempt, .. } => {
                let id = AttemptId { run: self.id, step: *step, attempt: *attempt };
                self.requests.iter().any(|request| request.uses.contains(&id))
            }
            _ => event.is_about_approval() || event.is_about_redaction(),
        }
    }

    /// Whether everything that it covers was started.
    fn is_used(&self, request: &Request) -> bool {
        request.steps().all(|covered| self.uses_of(request, covered).next().is_some())
    }

    /// Whether something may start under it although everything was started: the rest after a difference, a retry, the rollback.
    fn may_start_more(&self, request: &Request) -> bool {
        let open = request.steps().any(|covered| self.may_go_on(request, covered));
        let back = |covered: &Covered| covered.rollback && self.uses_of(request, covered).next().is_none();
        open || request.rollback() && self.failed_at(request).is_some() && request.covers.iter().any(back)
    }

    fn may_go_on(&self, request: &Request, covered: &Covered) -> bool {
        let Some(last) = self.uses_of(request, covered).last() else { return false };
        let bad = self.uses_of(request, covered).filter(|attempt| attempt.is_bad()).count();
        let may_fail = last.end.is_none() && (request.may_retry(bad + 1) || request.rollback());
        last.has_paused() || last.is_bad() && request.may_retry(bad) || may_fail
    }

    /// Until when the next thing has to start that it lets start; `None` before the approval.
    pub fn until(&self, request: &Request) -> Option<Timestamp> {
        let first = self.start_until(request)?;
        if !self.is_used(request) {
            return Some(first);
        }
        let ends = request.steps().filter(|covered| self.may_go_on(request, covered)).filter_map(|covered| {
            Some(self.uses_of(request, covered).last()?.end.as_ref()?.at.plus(request.start_within_ms))
        });
        let back = self.failed_at(request).filter(|_| request.rollback()).map(|at| at.plus(request.rollback_within_ms));
        ends.chain(back).max().or(Some(first))
    }

    /// Until when the next covered step has to start for the first time; `None` before the approval.
    ///
    /// The step before it moves that on by its end, but only where it was begun, skipped or marked as done in time: a clock that
    /// has run out is not wound up again.
    pub fn start_until(&self, request: &Request) -> Option<Timestamp> {
        let mut until = request.approved_at()?.plus(request.start_within_ms);
        let next = request.steps().find(|covered| self.uses_of(request, covered).next().is_none());
        let before = next.and_then(|covered| covered.step.checked_sub(1)).and_then(|step| self.step(step));
        for (begun, left) in before.into_iter().flat_map(spans) {
            if begun <= until {
                until = until.max(left.plus(request.start_within_ms));
            }
        }
        Some(until)
    }

    /// The attempts at a covered set of commands that ran something, oldest first.
    pub fn uses_of<'r>(&'r self, request: &'r Request, covered: &'r Covered) -> impl Iterator<Item = &'r Attempt> {
        let uses = request.uses.iter().filter(|id| id.step == covered.step);
        let attempts = uses.filter_map(|id| self.attempt(*id));
        attempts.filter(|attempt| is_part_of(&attempt.commands, &covered.commands) && !attempt.ran_nothing())
    }

    /// When a covered attempt ended badly last: the window of the rollback opens then.
    pub fn failed_at(&self, request: &Request) -> Option<Timestamp> {
        let bad = request.steps().flat_map(|covered| self.uses_of(request, covered)).filter(|attempt| attempt.is_bad());
        bad.filter_map(|attempt| Some(attempt.end.as_ref()?.at)).max()
    }
}

/// When a step was begun and left, each time, oldest first.
fn spans(state: &StepState) -> Vec<(Timestamp, Timestamp)> {
    let attempts = state.attempts.iter().filter_map(|attempt| Some((attempt.started.at, attempt.end.as_ref()?.at)));
    let skipped = state.skipped.as_ref().map(|skip| (skip.stamp.at, skip.stamp.at));
    let done = state.done.as_ref().map(|stamp| (stamp.at, stamp.at));
    let ticks = state.ticks.iter().flatten().map(|tick| (tick.stamp.at, tick.stamp.at));
    attempts.chain(skipped).chain(done).chain(ticks).collect()
}
