//! What the events of a run make of its requests, and of who has shaped it.

use super::{Approval, Glass, Request, RequestEnd, Shaped};
use crate::AttemptId;
use crate::approval::Evidence;
use crate::run::event::Event;
use crate::run::state::{Run, Stamp};

impl Run {
    /// What an event about a request makes of it.
    pub(in crate::run) fn note_request(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::ApprovalRequested {
                covers,
                reason,
                evidence,
                expires,
                leads,
                rules,
                start_within_ms,
                rollback_within_ms,
            } => self.requests.push(Request {
                covers: covers.clone(),
                asked: stamp,
                reason: reason.clone(),
                evidence: (**evidence).clone(),
                expires: *expires,
                leads: *leads,
                rules: rules.clone(),
                start_within_ms: *start_within_ms,
                rollback_within_ms: *rollback_within_ms,
                approvals: Vec::new(),
                end: None,
                uses: Vec::new(),
                glass: None,
            }),
            Event::GlassBroken { covers, reason, rules, start_within_ms, .. } => self.requests.push(Request {
                covers: covers.clone(),
                expires: stamp.at,
                asked: stamp,
                reason: reason.clone(),
                evidence: Evidence::default(),
                leads: 0,
                rules: rules.clone(),
                start_within_ms: *start_within_ms,
                rollback_within_ms: 0,
                approvals: Vec::new(),
                end: None,
                uses: Vec::new(),
                glass: Some(Glass::default()),
            }),
            _ => self.note_decision(event, stamp),
        }
    }

    fn note_decision(&mut self, event: &Event, stamp: Stamp) {
        let Some(request) = number_of(event).and_then(|number| self.request_mut(number)) else { return };
        match event {
            Event::ApprovalGranted { retry, rollback, comment, factor, .. } => request.approvals.push(Approval {
                stamp,
                retry: *retry,
                rollback: *rollback,
                comment: comment.clone(),
                factor: factor.clone(),
            }),
            Event::ApprovalRejected { reason, .. } => {
                request.end = Some(RequestEnd::Rejected { stamp, reason: reason.clone() });
            }
            Event::ApprovalCancelled { reason, .. } => {
                request.end = Some(RequestEnd::Cancelled { stamp, reason: reason.clone() });
            }
            Event::ApprovalExpired { .. } => request.end = Some(RequestEnd::Expired { at: stamp.at }),
            Event::ApprovalVoided { why, .. } => {
                request.end = Some(RequestEnd::Void { at: stamp.at, why: why.clone() });
            }
            Event::GlassReviewed { comment, .. } => {
                request.glass = Some(Glass { review: Some((stamp, comment.clone())) });
            }
            _ => {}
        }
    }

    /// Keeps under which request an attempt was started.
    pub(in crate::run) fn note_use(&mut self, request: Option<u32>, attempt: AttemptId) {
        if let Some(request) = request.and_then(|number| self.request_mut(number)) {
            request.uses.push(attempt);
        }
    }

    /// Keeps who has shaped the run, and how first.
    pub(in crate::run) fn note_shaping(&mut self, event: &Event, stamp: &Stamp) {
        if let Some((id, shaped)) = stamp.by.id().zip(Shaped::by(event)) {
            self.shapers.entry(id.clone()).or_insert(shaped);
        }
    }

    fn request_mut(&mut self, number: u32) -> Option<&mut Request> {
        self.requests.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

/// The request that an event is about.
const fn number_of(event: &Event) -> Option<u32> {
    match event {
        Event::ApprovalGranted { request, .. }
        | Event::ApprovalRejected { request, .. }
        | Event::ApprovalCancelled { request, .. }
        | Event::ApprovalExpired { request }
        | Event::ApprovalVoided { request, .. }
        | Event::GlassReviewed { request, .. } => Some(*request),
        _ => None,
    }
}
