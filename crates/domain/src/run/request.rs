//! Requests for approval in a run, what became of them, and how long they hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::state::{Attempt, Run, Stamp, StepState};
use crate::approval::{Difference, Evidence, Need};
use crate::attempt::Work;
use crate::{AttemptId, Digest, PersonId, Timestamp};

/// A set of commands that is to be approved, with exactly what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The step's place in the plan, from 1.
    pub step: u32,
    /// The numbers of the commands, ascending.
    pub commands: Vec<u32>,
    /// What they do, with everything that they are given.
    pub work: Box<Work>,
    /// Whether it is of the document's rollback: it holds only where the approval says so, and only after a failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
    /// What made the approval necessary when it was asked for; `None` in requests of versions that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
}

impl Covered {
    /// The digest that the intent has to have.
    pub fn digest(&self) -> Digest {
        self.work.digest()
    }

    /// A digest that is the same for a set that does the same on the same target, whoever asks and in whichever step.
    pub fn same(&self) -> Digest {
        Digest::of_canonical(&self.what())
    }

    /// The target, the directory, the scripts, and the values but those that only tell for whom they work.
    fn what(&self) -> (&String, &String, Vec<&String>, BTreeMap<&String, &String>) {
        let work = &self.work;
        let values = work.environment.iter().filter(|(name, _)| !is_acting(name)).collect();
        (&work.target, &work.directory, work.commands.iter().map(|command| &command.script).collect(), values)
    }
}

/// A request for approval, or the breaking of the glass, which is an approval that its maker gave alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What is to be approved.
    pub covers: Vec<Covered>,
    /// Who asked, and when.
    pub asked: Stamp,
    /// Why.
    pub reason: String,
    /// What the portal saw then.
    pub evidence: Evidence,
    /// When it expires, if nobody has decided until then.
    pub expires: Timestamp,
    /// How many different leads have to approve.
    pub leads: u32,
    /// The digest of the rules under which it was made.
    pub rules: Digest,
    /// Milliseconds within which a covered step has to start.
    pub start_within_ms: u64,
    /// Milliseconds for which the rollback may start after a failure.
    pub rollback_within_ms: u64,
    /// Who approved, oldest first.
    pub approvals: Vec<Approval>,
    /// How it came to an end, other than by being used.
    pub end: Option<RequestEnd>,
    /// The attempts that were started under it, oldest first.
    pub uses: Vec<AttemptId>,
    /// Set when it was made by breaking the glass.
    pub glass: Option<Glass>,
}

/// One lead's approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who, and when.
    pub stamp: Stamp,
    /// Whether one retry of the same bytes is approved, too.
    pub retry: bool,
    /// Whether the document's rollback is approved, too.
    pub rollback: bool,
    /// What the lead had to say; may be empty.
    pub comment: String,
    /// The kind of second factor that was proven for it, in words.
    pub factor: String,
}

/// How a request came to an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum RequestEnd {
    /// A lead said no.
    Rejected {
        /// Who, and when.
        stamp: Stamp,
        /// Why.
        reason: String,
    },
    /// It was taken back.
    Cancelled {
        /// By whom, and when.
        stamp: Stamp,
        /// Why; may be empty.
        reason: String,
    },
    /// Nobody decided in time.
    Expired {
        /// When that was recorded.
        at: Timestamp,
    },
    /// Something that it covers, or its ground, is not any more as it was.
    Void {
        /// When.
        at: Timestamp,
        /// What.
        why: Vec<Difference>,
    },
}

/// The breaking of the glass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glass {
    /// Who looked at it afterwards, and what they had to say.
    pub review: Option<(Stamp, String)>,
}

/// Where a request stands, as one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    /// Nobody has decided yet, or not enough leads.
    Waiting,
    /// It may be used.
    Approved,
    /// All that it covers was started.
    Used,
    /// A lead said no.
    Rejected,
    /// It was taken back.
    Cancelled,
    /// Its time is over.
    Expired,
    /// What it covers has changed.
    Void,
}

impl RequestStatus {
    /// All of them, in the order in which pages list them.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Approved, Self::Used, Self::Rejected, Self::Cancelled, Self::Expired, Self::Void];

    /// The status in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Rejected => "rejected",
            Self::Cancelled => "taken back",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// Whether it may still let something start.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Waiting | Self::Approved)
    }
}

/// What a person did that shaped a run: whoever did one of these decides nothing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shaped {
    /// They started it.
    Started,
    /// They set a value, the directory, or typed the target's name.
    Set,
    /// They asked for an approval.
    Asked,
    /// They ran something, typed into it, or ended a watch.
    Ran,
    /// They passed over something, or marked it as done.
    Passed,
    /// They took the run over.
    TookOver,
    /// They added a step.
    Added,
    /// They went on into an outage, or broke the glass.
    WentOn,
}

impl Shaped {
    /// How an event of a person shapes a run; `None` for what only looks at it, stops it, or decides.
    const fn by(event: &Event) -> Option<Self> {
        Some(match event {
            Event::RunStarted { .. } => Self::Started,
            Event::ValueSet { .. } | Event::TargetConfirmed | Event::DirectorySet { .. } => Self::Set,
            Event::ApprovalRequested { .. } => Self::Asked,
            Event::AttemptStarted { .. }
            | Event::WatchEnded { .. }
            | Event::InputSent { .. }
            | Event::KeysTyped { .. } => Self::Ran,
            Event::CommandSkipped { .. } | Event::StepSkipped { .. } | Event::StepDone { .. } => Self::Passed,
            Event::RunTakenOver { .. } => Self::TookOver,
            Event::StepAdded { .. } => Self::Added,
            Event::OutageAccepted { .. } | Event::GlassBroken { .. } => Self::WentOn,
            _ => return None,
        })
    }

    /// What they did, after "you have".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Started => "started it",
            Self::Set => "set a value in it",
            Self::Asked => "asked for an approval in it",
            Self::Ran => "run a step of it",
            Self::Passed => "passed over a step of it",
            Self::TookOver => "taken it over",
            Self::Added => "added a step to it",
            Self::WentOn => "gone on in it without an approval",
        }
    }
}

impl Request {
    /// When enough leads had approved.
    pub fn approved_at(&self) -> Option<Timestamp> {
        let place = usize::try_from(self.leads.max(1)).ok()?.checked_sub(1)?;
        if self.glass.is_some() {
            return Some(self.asked.at);
        }
        self.approvals.get(place).map(|approval| approval.stamp.at)
    }

    /// Whether what has ended badly so often may be started once more: once where every lead has approved that. What was started
    /// by breaking the glass may be started again as long as it fails: that is no second glass.
    pub fn may_retry(&self, bad: usize) -> bool {
        self.glass.is_some() || self.retry() && bad == 1
    }

    /// Whether every lead who approved has approved one retry, too.
    pub fn retry(&self) -> bool {
        !self.approvals.is_empty() && self.approvals.iter().all(|approval| approval.retry)
    }

    /// Whether every lead who approved has approved the rollback, too.
    pub fn rollback(&self) -> bool {
        !self.approvals.is_empty() && self.approvals.iter().all(|approval| approval.rollback)
    }

    /// What has to be started for the request to be used up: all but the rollback.
    pub fn steps(&self) -> impl Iterator<Item = &Covered> {
        self.covers.iter().filter(|covered| !covered.rollback)
    }

    /// Why a lead said no, if one did.
    pub fn rejected_because(&self) -> Option<&str> {
        match &self.end {
            Some(RequestEnd::Rejected { reason, .. }) => Some(reason),
            _ => None,
        }
    }

    /// Whether some commands of a step are among what it covers.
    pub fn lets(&self, step: u32, commands: &[u32]) -> bool {
        self.covers.iter().any(|covered| covered.step == step && is_part_of(commands, &covered.commands))
    }

    /// Whose role has to hold at the start: who approved, or who went on alone.
    pub fn responsible(&self) -> impl Iterator<Item = &PersonId> {
        let alone = self.glass.as_ref().and_then(|_| self.asked.by.id());
        self.approvers().chain(alone)
    }

    /// Who approved, by id.
    pub fn approvers(&self) -> impl Iterator<Item = &PersonId> {
        self.approvals.iter().filter_map(|approval| approval.stamp.by.id())
    }

    /// A digest that is the same for another request that asks for the same on the same target, whoever asks.
    pub fn same(&self) -> Digest {
        Digest::of_canonical(&self.steps().map(Covered::what).collect::<Vec<_>>())
    }
}

/// Whether a variable only tells for whom a command works.
pub(super) fn is_acting(name: &str) -> bool {
    name.starts_with("PORTAL_") || name.starts_with("GIT_AUTHOR_") || name.starts_with("GIT_COMMITTER_")
}

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

impl Run {
    /// What an event about a request makes of it.
    pub(super) fn note_request(&mut self, event: &Event, stamp: Stamp) {
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
    pub(super) fn note_use(&mut self, request: Option<u32>, attempt: AttemptId) {
        if let Some(request) = request.and_then(|number| self.request_mut(number)) {
            request.uses.push(attempt);
        }
    }

    /// Keeps who has shaped the run, and how first.
    pub(super) fn note_shaping(&mut self, event: &Event, stamp: &Stamp) {
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

/// When a step was begun and left, each time, oldest first.
fn spans(state: &StepState) -> Vec<(Timestamp, Timestamp)> {
    let attempts = state.attempts.iter().filter_map(|attempt| Some((attempt.started.at, attempt.end.as_ref()?.at)));
    let skipped = state.skipped.as_ref().map(|skip| (skip.stamp.at, skip.stamp.at));
    let done = state.done.as_ref().map(|stamp| (stamp.at, stamp.at));
    let ticks = state.ticks.iter().flatten().map(|tick| (tick.stamp.at, tick.stamp.at));
    attempts.chain(skipped).chain(done).chain(ticks).collect()
}

/// Whether commands are the whole of others, or their end.
pub(super) fn is_part_of(commands: &[u32], whole: &[u32]) -> bool {
    !commands.is_empty() && whole.ends_with(commands)
}
