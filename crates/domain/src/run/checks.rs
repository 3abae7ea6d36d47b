//! The checks of a run: what was asked, what came back, and what may be said of the outcome.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::state::{Run, Stamp, Tick, ticks};
use crate::Timestamp;
use crate::check::{CheckEnd, CheckId, Held};
use crate::runbook::plain;

/// One check that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRecord {
    /// Which.
    pub check: CheckId,
    /// Who asked, and when: the portal itself after a step.
    pub started: Stamp,
    /// When it is given up.
    pub until: Timestamp,
    /// What came of it, and when, once that is known.
    pub end: Option<(Timestamp, CheckEnd)>,
    /// Whether a step has run since: what was seen may not be so any more.
    #[serde(default)]
    pub stale: bool,
    /// Why somebody said that it does not stand against the outcome.
    #[serde(default)]
    pub overruled: Option<Tick>,
}

/// Where a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckStanding {
    /// Nobody has asked.
    Never,
    /// It is being asked.
    Asked,
    /// It was asked, and its time is over without an answer: the portal was stopped meanwhile.
    Lost,
    /// It was answered.
    Answered(Held),
    /// It did not hold, and somebody said why that does not count.
    Overruled,
}

impl CheckRecord {
    /// Where it stands at a moment.
    pub fn standing(&self, now: Timestamp) -> CheckStanding {
        match &self.end {
            _ if self.overruled.is_some() => CheckStanding::Overruled,
            Some((_, end)) => CheckStanding::Answered(end.held),
            None if now < self.until => CheckStanding::Asked,
            None => CheckStanding::Lost,
        }
    }

    /// Whether it speaks for the outcome.
    fn speaks_for(&self, now: Timestamp) -> bool {
        let good = matches!(self.standing(now), CheckStanding::Answered(Held::Yes) | CheckStanding::Overruled);
        good && !self.stale
    }
}

impl Run {
    /// The number that the next check gets.
    pub fn next_check(&self) -> u32 {
        u32::try_from(self.checks.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The check that was asked last, with its number.
    pub fn last_check(&self, id: CheckId) -> Option<(u32, &CheckRecord)> {
        (1..).zip(&self.checks).filter(|(_, record)| record.check == id).last()
    }

    /// A check that was asked, by its number.
    pub fn check(&self, number: u32) -> Option<&CheckRecord> {
        self.checks.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Where a check stands at a moment.
    pub fn check_standing(&self, id: CheckId, now: Timestamp) -> CheckStanding {
        self.last_check(id).map_or(CheckStanding::Never, |(_, record)| record.standing(now))
    }

    /// Whether a check speaks for the outcome: it held, or was overruled, and no step has run since.
    pub fn check_counts(&self, id: CheckId) -> bool {
        self.last_check(id).is_some_and(|(_, record)| record.speaks_for(record.started.at))
    }

    /// The checks of the outcome that have no answer which counts: never asked, lost, or asked before the last step ran.
    pub fn unanswered_checks(&self, now: Timestamp) -> Vec<CheckId> {
        let unanswered = |id: &CheckId| {
            self.last_check(*id).is_none_or(|(_, record)| match record.standing(now) {
                CheckStanding::Asked => false,
                CheckStanding::Never | CheckStanding::Lost => true,
                CheckStanding::Answered(_) | CheckStanding::Overruled => record.stale,
            })
        };
        self.plan.outcome_checks().filter(unanswered).collect()
    }

    /// What stands against saying that the outcome was reached, each in a few words.
    pub fn unproven(&self, now: Timestamp) -> Vec<String> {
        let of_outcome = self.plan.outcome_checks().filter_map(|id| {
            let last = self.last_check(id).map(|(_, record)| record);
            (!last.is_some_and(|record| record.speaks_for(now))).then(|| self.objection(id, last, now))
        });
        // After a step nothing has to be checked that was not; but what did not hold stands against the outcome.
        let after = (1..).zip(&self.plan.steps).flat_map(|(step, plan)| {
            plan.after.iter().map(move |check| CheckId { step: Some(step), number: check.number })
        });
        let of_steps = after.filter_map(|id| {
            let (_, last) = self.last_check(id)?;
            (!last.speaks_for(now) && !last.stale).then(|| self.objection(id, Some(last), now))
        });
        of_outcome.chain(of_steps).collect()
    }

    fn objection(&self, id: CheckId, last: Option<&CheckRecord>, now: Timestamp) -> String {
        let name = self.check_name(id);
        let Some(record) = last else { return format!("\u{201c}{name}\u{201d} was not checked") };
        let words = match (record.standing(now), record.stale) {
            (CheckStanding::Asked, _) => "is being checked",
            (CheckStanding::Never | CheckStanding::Lost, _) => "was checked, and no answer came",
            (_, true) => "was checked before a step ran",
            (CheckStanding::Answered(Held::Unknown), _) => "could not be checked",
            _ => "did not hold",
        };
        format!("\u{201c}{name}\u{201d} {words}")
    }

    /// What a check is called: its line of the outcome, or what it looks at after a step.
    pub fn check_name(&self, id: CheckId) -> String {
        let line = || {
            let place = usize::try_from(id.number).ok()?.checked_sub(1)?;
            ticks(&self.plan.outcome).get(place).map(|item| plain(&item.words))
        };
        let after = || self.plan.check(id).map(|check| check.check.words());
        match id.step {
            None => line(),
            Some(_) => after(),
        }
        .unwrap_or_default()
    }

    pub(super) fn note_check(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::CheckStarted { check, until } => self.checks.push(CheckRecord {
                check: *check,
                started: stamp,
                until: *until,
                end: None,
                stale: false,
                overruled: None,
            }),
            Event::CheckEnded { number, end } => {
                if let Some(record) = self.check_mut(*number) {
                    record.end = Some((stamp.at, end.clone()));
                }
            }
            Event::CheckOverruled { number, reason } => {
                if let Some(record) = self.check_mut(*number) {
                    record.overruled = Some(Tick { note: reason.clone(), stamp });
                }
            }
            _ => {}
        }
    }

    fn check_mut(&mut self, number: u32) -> Option<&mut CheckRecord> {
        self.checks.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// What was seen before a step ran may not be so after it. What was seen after a step goes with its next attempt.
    pub(super) fn age_checks(&mut self, event: &Event) {
        let (begun, ended) = match event {
            Event::AttemptStarted { step, .. } => (Some(*step), false),
            Event::AttemptEnded { .. } | Event::AttemptInterrupted { .. } => (None, true),
            _ => return,
        };
        for record in &mut self.checks {
            let of_outcome = record.check.step.is_none() && (begun.is_some() || ended);
            record.stale |= of_outcome || (begun.is_some() && record.check.step == begun);
        }
    }
}
