//! What is known of alerts, in memory: what stands in the store, and counts that no database has to take in.
//!
//! Ten thousand webhooks in a minute are counted here: an alert that is told again and again is one row, which is written once in a
//! second, and names that no procedure knows are a bounded list of numbers.

use std::collections::BTreeMap;

use domain::alert::{Outcome, Standing, Webhook, follows, wanted};
use domain::policy::Actor;
use domain::time::counted;
use domain::view::{AlertsView, UnboundAlert};
use domain::{SuggestionId, Timestamp, TokenId};
use store::{NewSuggestion, StoredSuggestion};

use super::{HeardAlerts, Wanted, suggested};

/// The most suggestions that are open at a time.
pub(super) const MOST_OPEN: usize = 100;

/// The most suggestions that come or go in a minute.
pub(super) const MOST_CHANGES: u32 = 300;

/// The most names that no procedure knows and that are counted by name.
const MOST_UNBOUND: usize = 50;

const MINUTE_MS: u64 = 60_000;

/// Counts are written once in so many milliseconds.
const WRITTEN_MS: u64 = 1_000;

/// What was wrong with a webhook is said for so many milliseconds.
const SAID_MS: u64 = 24 * 60 * MINUTE_MS;

/// Something that has to be stored before it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A suggestion is opened.
    Open(NewSuggestion),
    /// A suggestion is over.
    Close {
        /// Which.
        id: SuggestionId,
        /// The name of the alerts.
        alert: String,
        /// The service.
        service: String,
    },
}

/// What is known of alerts.
#[derive(Debug, Default)]
pub struct Board {
    /// What stands in the store, by name and service; `None` while that has to be read.
    standing: Option<BTreeMap<Key, Known>>,
    unbound: BTreeMap<String, Count>,
    unbound_others: u64,
    /// Alerts for which too many suggestions were open, since it was so last.
    crowded: Option<Count>,
    refused: Option<Refused>,
    odd: Option<Odd>,
    /// When counts were last written, documents looked at, and a refusal recorded.
    written: Option<Timestamp>,
    looked: Option<Timestamp>,
    recorded: Option<Timestamp>,
    /// When the present minute began, and how many changes were made in it.
    minute: Option<(Timestamp, u32)>,
}

/// The name of alerts and their service.
type Key = (String, String);

#[derive(Debug)]
struct Known {
    stored: StoredSuggestion,
    /// Whether something was counted that is not written.
    ahead: bool,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    times: u64,
    heard: Timestamp,
}

#[derive(Debug)]
struct Refused {
    token: Option<TokenId>,
    why: String,
    at: Timestamp,
}

/// What a webhook told that nothing can be bound to.
#[derive(Clone, Copy, Debug)]
struct Odd {
    nameless: u64,
    truncated: u64,
    at: Timestamp,
}

/// Whether something is due again, and notes that it is done then.
fn again(last: &mut Option<Timestamp>, now: Timestamp, pause: u64) -> bool {
    let due = last.is_none_or(|last| now.since(last) >= pause);
    if due {
        *last = Some(now);
    }
    due
}

impl Board {
    /// Whether it is known what stands in the store.
    pub fn is_known(&self) -> bool {
        self.standing.is_some()
    }

    /// Takes in what stands in the store.
    pub fn know(&mut self, stored: Vec<StoredSuggestion>) {
        let known = |stored: StoredSuggestion| {
            ((stored.about.alert.clone(), stored.about.service.clone()), Known { stored, ahead: false })
        };
        self.standing = Some(stored.into_iter().map(known).collect());
    }

    /// What stands in the store has to be read again: it is not known what a write has done.
    pub fn forget(&mut self) {
        self.standing = None;
    }

    /// Whether the documents are to be looked at again.
    pub fn looks_again(&mut self, now: Timestamp, pause: u64) -> bool {
        again(&mut self.looked, now, pause)
    }

    /// Whether a refusal is to be recorded again.
    pub fn records_again(&mut self, now: Timestamp, pause: u64) -> bool {
        again(&mut self.recorded, now, pause)
    }

    /// A webhook was refused.
    pub fn refused(&mut self, by: &Actor, why: &str, at: Timestamp) {
        let token = by.token.as_ref().map(|token| token.id.clone());
        self.refused = Some(Refused { token, why: why.to_owned(), at });
    }

    /// A webhook was read: what was wrong with the last one by the same token is over.
    pub fn accepted(&mut self, by: &Actor, webhook: &Webhook, at: Timestamp) {
        let token = by.token.as_ref().map(|token| &token.id);
        if self.refused.as_ref().is_some_and(|refused| refused.token.as_ref() == token) {
            self.refused = None;
        }
        let Webhook { nameless, truncated, .. } = *webhook;
        if nameless > 0 || truncated > 0 {
            self.odd = Some(Odd { nameless, truncated, at });
        }
    }

    /// What follows from a webhook: what it comes to, and what has to be stored. What was told again is counted at once.
    /// `bound` gives the labels that the procedures ask for which name an alert, and `None` where no procedure does.
    pub fn hear(
        &mut self,
        webhook: Webhook,
        bound: impl Fn(&str) -> Option<Wanted>,
        now: Timestamp,
        clock: Timestamp,
    ) -> (HeardAlerts, Vec<Change>) {
        let mut standing = self.standing.take().unwrap_or_default();
        let mut heard = HeardAlerts { left_out: webhook.nameless, ..HeardAlerts::default() };
        let mut changes = Vec::new();
        let mut open = standing.values().filter(|known| known.stored.dismissed.is_none()).count();
        for told in webhook.told {
            let key = (told.name.clone(), told.service.clone());
            let known = standing.get_mut(&key);
            let over = known.as_ref().map(|known| Change::Close {
                id: known.stored.id,
                alert: told.name.clone(),
                service: told.service.clone(),
            });
            let Some(labels) = bound(&told.name) else {
                if !told.firing.is_empty() {
                    heard.unbound += 1;
                    self.count_unbound(&told.name, now);
                }
                // Nobody sees it any more.
                if let Some(over) = over.filter(|_| self.may_change(clock)) {
                    heard.closed += 1;
                    changes.push(over);
                }
                continue;
            };
            let outcome = follows(known.as_ref().map(|known| known.standing()).as_ref(), &told);
            match (outcome, known) {
                (Outcome::Nothing, _) => {}
                (Outcome::Again(firing), Some(known)) => {
                    heard.repeated += 1;
                    if !told.firing.is_empty() {
                        known.stored.about.since = told.since.min(known.stored.about.since);
                        known.stored.about.summary = told.summary;
                        known.stored.about.labels = wanted(&told.labels, labels.iter().map(String::as_str));
                        known.stored.times += 1;
                    }
                    known.stored.about.firing = firing;
                    known.stored.heard = now;
                    known.ahead = true;
                }
                (Outcome::Opened(_) | Outcome::Renewed(_), _) if open >= MOST_OPEN => {
                    heard.left_out += 1;
                    let times = self.crowded.map_or(0, |count| count.times);
                    self.crowded = Some(Count { times: times + 1, heard: now });
                }
                (Outcome::Opened(_) | Outcome::Renewed(_) | Outcome::Closed, _) if !self.may_change(clock) => {
                    heard.put_off += 1;
                }
                (Outcome::Opened(firing) | Outcome::Renewed(firing), _) => {
                    heard.opened += 1;
                    open += 1;
                    changes.extend(over);
                    changes.push(Change::Open(suggested(told, firing, &labels)));
                }
                (Outcome::Closed | Outcome::Again(_), _) => {
                    heard.closed += u64::from(over.is_some());
                    changes.extend(over);
                }
            }
        }
        self.standing = Some(standing);
        (heard, changes)
    }

    /// Whether something may come or go now; counts it when it may.
    fn may_change(&mut self, now: Timestamp) -> bool {
        let (begun, made) = self.minute.filter(|(begun, _)| now.since(*begun) < MINUTE_MS).unwrap_or((now, 0));
        let may = made < MOST_CHANGES;
        self.minute = Some((begun, made + u32::from(may)));
        may
    }

    fn count_unbound(&mut self, name: &str, now: Timestamp) {
        if !self.unbound.contains_key(name) && self.unbound.len() >= MOST_UNBOUND {
            self.unbound_others += 1;
            return;
        }
        let count = self.unbound.entry(name.to_owned()).or_insert(Count { times: 0, heard: now });
        *count = Count { times: count.times + 1, heard: now };
    }

    /// Whether something was counted that is to be written by now.
    pub fn is_to_be_written(&self, now: Timestamp) -> bool {
        let due = self.written.is_none_or(|written| now.since(written) >= WRITTEN_MS);
        due && self.unwritten().next().is_some()
    }

    /// What was counted and not written.
    pub fn unwritten(&self) -> impl Iterator<Item = &StoredSuggestion> {
        let standing = self.standing.iter().flat_map(BTreeMap::values);
        standing.filter(|known| known.ahead).map(|known| &known.stored)
    }

    /// Everything that was counted is written.
    pub fn written(&mut self, now: Timestamp) {
        self.written = Some(now);
        for known in self.standing.iter_mut().flat_map(BTreeMap::values_mut) {
            known.ahead = false;
        }
    }

    /// A suggestion was opened.
    pub fn opened(&mut self, id: SuggestionId, about: NewSuggestion, now: Timestamp) {
        let key = (about.alert.clone(), about.service.clone());
        let stored = StoredSuggestion { id, about, heard: now, times: 1, dismissed: None };
        if let Some(standing) = &mut self.standing {
            standing.insert(key, Known { stored, ahead: false });
        }
    }

    /// A suggestion is over.
    pub fn closed(&mut self, id: SuggestionId) {
        if let Some(standing) = &mut self.standing {
            standing.retain(|_, known| known.stored.id != id);
        }
    }

    /// Somebody has dismissed a suggestion.
    pub fn dismissed(&mut self, id: SuggestionId, now: Timestamp) {
        let standing = self.standing.iter_mut().flat_map(BTreeMap::values_mut);
        for known in standing.filter(|known| known.stored.id == id) {
            known.stored.dismissed = Some(now);
        }
    }

    /// The suggestions that wait for somebody, in the order in which they came.
    pub fn open(&self) -> Vec<StoredSuggestion> {
        let standing = self.standing.iter().flat_map(BTreeMap::values);
        let open = standing.map(|known| &known.stored).filter(|stored| stored.dismissed.is_none());
        let mut open: Vec<StoredSuggestion> = open.cloned().collect();
        open.sort_by_key(|stored| stored.id);
        open
    }

    /// The alerts that no procedure names, the last one first.
    pub fn unbound(&self) -> AlertsView {
        let row = |(alert, count): (&String, &Count)| UnboundAlert {
            alert: alert.clone(),
            times: count.times,
            heard: count.heard,
        };
        let mut unbound: Vec<UnboundAlert> = self.unbound.iter().map(row).collect();
        unbound.sort_by_key(|row| std::cmp::Reverse(row.heard));
        AlertsView { unbound, unbound_others: self.unbound_others }
    }

    /// What there is to say about the webhook, a sentence each. Nothing from outside stands in them.
    pub fn problems(&self, now: Timestamp) -> Vec<String> {
        let is_said = |at: Timestamp| now.since(at) < SAID_MS;
        let refused = self.refused.as_ref().filter(|refused| is_said(refused.at)).map(|Refused { why, at, .. }| {
            format!(
                "The last webhook of alerts was refused ({}): {why}. Nothing of it counts; look at its receiver.",
                at.absolute()
            )
        });
        let odd = self.odd.filter(|odd| is_said(odd.at));
        let nameless = odd.filter(|odd| odd.nameless > 0).map(|Odd { nameless, at, .. }| {
            let alerts = counted(nameless, "alert");
            format!("{alerts} came without a name, the label alertname ({}): nothing can be suggested.", at.absolute())
        });
        let truncated = odd.filter(|odd| odd.truncated > 0).map(|Odd { truncated, at, .. }| {
            let alerts = counted(truncated, "alert");
            format!("{alerts} were left out by the alert manager itself ({}): see max_alerts.", at.absolute())
        });
        let crowded = self.crowded.filter(|count| is_said(count.heard)).map(|Count { times, heard }| {
            format!(
                "{MOST_OPEN} suggestions were open, which is the most, so that {} opened none (last {}); dismiss some.",
                counted(times, "alert"),
                heard.absolute()
            )
        });
        [refused, nameless, truncated, crowded].into_iter().flatten().collect()
    }
}

impl Known {
    fn standing(&self) -> Standing {
        Standing { firing: self.stored.about.firing.clone(), dismissed: self.stored.dismissed }
    }
}

#[cfg(test)]
mod tests;
