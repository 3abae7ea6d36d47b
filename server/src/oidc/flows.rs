//! Sign-ins that were begun and have not come back yet.
//!
//! They are kept in memory, for a few minutes, and each serves once: whoever comes back has to bring the state that was sent along, in
//! the browser in which it began.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;

/// A sign-in that takes longer has to begin again.
const HOLDS_MS: u64 = 10 * 60_000;

/// So many can be under way in one browser: one for each of its tabs, for most people.
const OF_ONE_BROWSER: usize = 5;

/// So many can be under way from one address.
const OF_ONE_ADDRESS: usize = 100;

/// So many can be under way at all.
const MOST: usize = 1_000;

/// What has to be known of a sign-in when it comes back.
#[derive(Clone)]
pub struct Flow {
    /// What comes back as it was sent.
    pub state: String,
    /// What stands in the token.
    pub nonce: String,
    /// What proves that the code was asked for here.
    pub verifier: String,
    /// Whether the provider has to ask who it is, also when it knows.
    pub afresh: bool,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("afresh", &self.afresh).finish_non_exhaustive()
    }
}

/// A sign-in under way.
#[derive(Clone, Debug)]
pub struct UnderWay {
    /// What the provider needs.
    pub flow: Flow,
    /// The path inside the portal to which it leads.
    pub next: String,
    /// When it began, by the clock of the machine, in milliseconds since 1970.
    pub began_by_clock: i64,
    /// The same by the clock of what expires.
    began: Timestamp,
    browser: String,
    address: String,
}

/// All sign-ins under way, by their state.
#[derive(Debug, Default)]
pub struct Flows(Mutex<HashMap<String, UnderWay>>);

impl Flows {
    /// Keeps one that begins now, in a browser and from an address; by the clock of what expires, and by that of the machine.
    pub fn keep(
        &self,
        flow: Flow,
        (browser, address): (&str, &str),
        next: String,
        (now, clock): (Timestamp, Timestamp),
    ) {
        let mut flows = self.flows();
        flows.retain(|_, one| now < one.began.plus(HOLDS_MS));
        drop_oldest(&mut flows, OF_ONE_BROWSER, |one| one.browser == browser);
        drop_oldest(&mut flows, OF_ONE_ADDRESS, |one| one.address == address);
        drop_oldest(&mut flows, MOST, |_| true);
        let (browser, address) = (browser.to_owned(), address.to_owned());
        flows
            .insert(flow.state.clone(), UnderWay { flow, next, began_by_clock: clock.0, began: now, browser, address });
    }

    /// Takes one out that has come back in the browser in which it began. Another browser uses nothing up.
    pub fn take(&self, state: &str, browser: &str, now: Timestamp) -> Option<UnderWay> {
        let mut flows = self.flows();
        if flows.get(state)?.browser != browser {
            return None;
        }
        flows.remove(state).filter(|one| now < one.began.plus(HOLDS_MS))
    }

    fn flows(&self) -> MutexGuard<'_, HashMap<String, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more of a kind of which there can be so many.
fn drop_oldest(flows: &mut HashMap<String, UnderWay>, most: usize, is_one: impl Fn(&UnderWay) -> bool) {
    let mut of_kind: Vec<(Timestamp, String)> =
        flows.iter().filter(|(_, one)| is_one(one)).map(|(state, one)| (one.began, state.clone())).collect();
    if of_kind.len() < most {
        return;
    }
    of_kind.sort_unstable();
    let surplus = of_kind.len() + 1 - most;
    for (_, state) in of_kind.into_iter().take(surplus) {
        flows.remove(&state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_471_084_000);

    fn begun(flows: &Flows, state: &str, browser: &str, address: &str, now: Timestamp) {
        let flow =
            Flow { state: state.to_owned(), nonce: "nonce".to_owned(), verifier: "verifier".to_owned(), afresh: false };
        flows.keep(flow, (browser, address), "/runs/7".to_owned(), (now, now));
    }

    #[test]
    fn a_sign_in_comes_back_once_in_its_browser_and_in_time() {
        let flows = Flows::default();
        begun(&flows, "one", "firefox", "10.0.0.7", NOW);
        begun(&flows, "two", "firefox", "10.0.0.7", NOW);

        assert!(flows.take("one", "another", NOW).is_none());
        assert_eq!(flows.take("one", "firefox", NOW).unwrap().next, "/runs/7");
        assert!(flows.take("one", "firefox", NOW).is_none(), "it was used");
        assert!(flows.take("two", "firefox", NOW.plus(HOLDS_MS)).is_none(), "it is too late");
        assert!(flows.take("", "", NOW).is_none());
    }

    #[test]
    fn there_are_few_in_a_browser_and_from_an_address_and_a_bounded_number_at_all() {
        let flows = Flows::default();
        for number in 0..=OF_ONE_BROWSER as u64 {
            begun(&flows, &format!("tab {number}"), "firefox", "10.0.0.7", NOW.plus(number));
        }
        assert!(flows.take("tab 0", "firefox", NOW.plus(9)).is_none(), "the oldest has made room");
        assert!(flows.take("tab 1", "firefox", NOW.plus(9)).is_some());

        for number in 0..MOST as u64 + 50 {
            begun(&flows, &number.to_string(), &number.to_string(), "10.0.0.8", NOW.plus(number));
        }
        assert!(flows.flows().len() <= OF_ONE_ADDRESS + OF_ONE_BROWSER);
        for number in 0..MOST as u64 + 50 {
            begun(&flows, &format!("{number} of many"), &number.to_string(), &number.to_string(), NOW.plus(number));
        }
        assert!(flows.flows().len() <= MOST);
    }
}
