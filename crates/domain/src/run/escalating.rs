//! The escalations of a run: who was told, and which line of the document is due now.
//!
//! What is due is a question to the state and the time alone ([`Moment`]). An escalation says in the record what it was for, so that nothing is
//! told twice, however often the question is asked, and by however many portals one after the other.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::request::RequestStatus;
use super::state::{Attempt, AttemptEnding, Run, Stamp};
use crate::Timestamp;
use crate::attempt::AttemptResult;
use crate::escalation::{Addressee, Due, Line, wait_words};

/// Why somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// A person decided so.
    ByHand,
    /// The run has started.
    Started,
    /// A step has failed.
    Failed {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The attempt's number in the step.
        attempt: u32,
    },
    /// Nobody has decided a request.
    Undecided {
        /// The request's number in the run, from 1.
        request: u32,
        /// For how many milliseconds.
        ms: u64,
    },
    /// A step waits for a person, and nobody has gone on.
    Waits {
        /// The step's place in the plan, from 1.
        step: u32,
        /// The number of its last attempt.
        attempt: u32,
        /// For how many milliseconds.
        ms: u64,
    },
}

/// A moment as the portal's two clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The machine's clock, by which attempts begin and end.
    pub clock: Timestamp,
    /// The time by which requests are made and run out. It never goes back: after the machine's clock was ahead once, it stays
    /// ahead, so that what the clock has stamped must not be held against it.
    pub expiry: Timestamp,
}

impl Moment {
    /// What shows the time for a reason.
    const fn of(self, because: Because) -> Timestamp {
        match because {
            Because::Waits { .. } => self.clock,
            Because::ByHand | Because::Started | Because::Failed { .. } | Because::Undecided { .. } => self.expiry,
        }
    }
}

/// One escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationRecord {
    /// The line of the escalation that was due; `None` when a person decided so.
    pub line: Option<u32>,
    /// Whom, and by which ways.
    pub to: Vec<Addressee>,
    /// Why.
    pub because: Because,
    /// The hand-over, as it was told.
    pub text: String,
    /// Who did it, and when: the portal itself where a line was due.
    pub stamp: Stamp,
}

impl EscalationRecord {
    /// Whom, in words: `senior DBA (Lena), team lead (Lars)`.
    pub fn titles(&self) -> String {
        self.to.iter().map(Addressee::title).collect::<Vec<_>>().join(", ")
    }

    /// The same with the way to each: `senior DBA (Lena), by mail; team lead (Lars), on their start page`.
    pub fn titles_and_ways(&self) -> String {
        let each = self.to.iter().map(|to| format!("{}, {}", to.title(), to.ways()));
        each.collect::<Vec<_>>().join("; ")
    }

    /// What was done about it, in words: who is reached by no way was not called by the portal.
    pub fn did(&self) -> &'static str {
        let reaches = self.to.iter().any(|to| to.is_reached() || to.person.is_some());
        match (reaches, self.line) {
            (true, _) => "called",
            (false, Some(_)) => "could not call",
            (false, None) => "noted a call to",
        }
    }

    /// Who did it, in words: the portal, where a line was due.
    pub fn by(&self) -> &str {
        self.stamp.by.name()
    }
}

impl Run {
    /// An escalation by its number, from 1.
    pub fn escalation(&self, number: u32) -> Option<&EscalationRecord> {
        self.escalations.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The number that the next escalation gets.
    pub fn next_escalation(&self) -> u32 {
        u32::try_from(self.escalations.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The lines that are due at a moment and for which nobody was told, by their numbers, each with the reason.
    pub fn due_escalations(&self, now: Moment) -> Vec<(u32, Because)> {
        let is_due = |(at, because): &(Timestamp, Because)| *at <= now.of(*because) && self.still_waits(*because, now);
        let due = |(number, line): (u32, &Line)| {
            let reasons = self.reasons(number, line).into_iter();
            reasons.filter(is_due).min_by_key(|(at, _)| *at).map(|(_, because)| (number, because))
        };
        self.lines_by_itself().filter_map(due).collect()
    }

    /// The earliest time at which a line may be due, as things stand; `None` when that needs something to happen first.
    pub fn escalation_due(&self) -> Option<Timestamp> {
        self.lines_by_itself().flat_map(|(number, line)| self.reasons(number, line)).map(|(at, _)| at).min()
    }

    /// Whether an event can be the reason that a line is due, or will be.
    pub fn moves_escalation(&self, event: &Event) -> bool {
        let moves = matches!(
            event,
            Event::RunStarted { .. }
                | Event::AttemptEnded { .. }
                | Event::AttemptInterrupted { .. }
                | Event::ApprovalRequested { .. }
        );
        moves && self.plan.escalation.is_by_itself()
    }

    /// Why somebody was told, as a sentence.
    pub fn because_words(&self, line: Option<u32>, because: Because) -> String {
        let title = |step: u32| self.plan.step(step).map_or_else(String::new, |plan| plan.title.clone());
        let why = match because {
            Because::ByHand => return "A person decided so.".to_owned(),
            Because::Started => "The run has started".to_owned(),
            Because::Failed { step, .. } => format!("\u{201c}{}\u{201d} has failed", title(step)),
            Because::Undecided { request, ms } => {
                let waited = wait_words(ms);
                format!("Nobody has decided request {}-{request} for {waited}", self.id)
            }
            Because::Waits { step, ms, .. } => {
                let waited = wait_words(ms);
                format!("Nobody has gone on for {waited} after \u{201c}{}\u{201d}", title(step))
            }
        };
        match line.and_then(|number| self.plan.escalation.line(number)) {
            Some(line) => format!("{why}, and the procedure says: \u{201c}{}\u{201d}.", line.words),
            None => format!("{why}."),
        }
    }

    fn lines_by_itself(&self) -> impl Iterator<Item = (u32, &Line)> {
        let lines = if self.end.is_none() && self.unreadable.is_none() { &self.plan.escalation.lines[..] } else { &[] };
        (1..).zip(lines).filter(|(_, line)| line.is_by_itself())
    }

    /// When and why a line is due, now or later; without the reasons for which somebody was told.
    fn reasons(&self, number: u32, line: &Line) -> Vec<(Timestamp, Because)> {
        let told: Vec<Because> = self.told(number).collect();
        match &line.due {
            Due::AtStart if told.is_empty() => vec![(self.started.at, Because::Started)],
            Due::AfterFailure { steps } if told.is_empty() => self.first_failure(steps).into_iter().collect(),
            Due::AfterWait { ms } => {
                let waits = self.waits(*ms).into_iter().map(|(since, because)| (since.plus(*ms), because));
                waits.filter(|(_, because)| !told.contains(because)).collect()
            }
            Due::ByHand | Due::AtStart | Due::AfterFailure { .. } => Vec::new(),
        }
    }

    /// Whether what waits for a decision can still be decided.
    fn still_waits(&self, because: Because, now: Moment) -> bool {
        let Because::Undecided { request, .. } = because else { return true };
        self.request(request).is_some_and(|it| self.request_status(it, now.expiry) == RequestStatus::Waiting)
    }

    /// For what somebody was told by a line.
    fn told(&self, number: u32) -> impl Iterator<Item = Because> {
        self.escalations.iter().filter(move |record| record.line == Some(number)).map(|record| record.because)
    }

    fn first_failure(&self, steps: &[u32]) -> Option<(Timestamp, Because)> {
        let meant = (1..).zip(&self.steps).filter(|(step, _)| steps.is_empty() || steps.contains(step));
        let attempts = meant.flat_map(|(step, state)| (1..).zip(&state.attempts).map(move |(at, it)| (step, at, it)));
        let failed = attempts.filter_map(|(step, attempt, it)| {
            let at = it.end.as_ref()?.at;
            it.has_failed().then_some((at, Because::Failed { step, attempt }))
        });
        failed.min_by_key(|(at, _)| *at)
    }

    /// What waits for a decision, and since when: requests, unless their time is over meanwhile, and the step that was tried last
    /// when it needs a person.
    fn waits(&self, ms: u64) -> Vec<(Timestamp, Because)> {
        let requests = (1..).zip(&self.requests);
        let undecided = requests.filter(|(_, it)| self.request_status(it, it.asked.at) == RequestStatus::Waiting);
        let mut waits: Vec<(Timestamp, Because)> =
            undecided.map(|(request, it)| (it.asked.at, Because::Undecided { request, ms })).collect();
        waits.extend(self.stuck(ms));
        waits
    }

    /// The step that was tried last, when it goes on only by a person: since its end nothing was started.
    fn stuck(&self, ms: u64) -> Option<(Timestamp, Because)> {
        let attempts = (1..)
            .zip(&self.steps)
            .flat_map(|(step, state)| (1..).zip(&state.attempts).map(move |(attempt, it)| (step, attempt, it)));
        let (step, attempt, last) = attempts.max_by_key(|(.., it)| it.started.at)?;
        let end = last.end.as_ref()?;
        self.status(step).needs_a_person().then_some((end.at, Because::Waits { step, attempt, ms }))
    }

    pub(super) fn note_escalation(&mut self, event: &Event, stamp: Stamp) {
        if let Event::Escalated { line, to, because, text } = event {
            let (line, to, because, text) = (*line, to.clone(), *because, text.clone());
            self.escalations.push(EscalationRecord { line, to, because, text, stamp });
        }
    }
}

impl Attempt {
    /// Whether it has failed: it ended badly, and nobody had stopped it.
    pub fn has_failed(&self) -> bool {
        let stopped = self.end.as_ref().is_some_and(|end| match &end.ending {
            AttemptEnding::Known(exit) => exit.result == AttemptResult::Stopped,
            AttemptEnding::Unknown { .. } => false,
        });
        self.is_bad() && !stopped
    }
}
