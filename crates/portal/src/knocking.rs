//! Who knocks: how often a stranger may try to sign in, and the devices that are known.
//!
//! The rule is [`domain::pace`]; here are its counts, in memory and bounded, and the token by which a device is known. A restart
//! forgets the counts, and nobody outside can bring one about.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;

use domain::pace::{Pace, Tries};
use domain::{Digest, PersonId, Timestamp};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::people::random_hex;

/// What a request that wants to sign in says about where it comes from.
#[derive(Clone, Debug, Default)]
pub struct Knock {
    /// The address at the other end of the connection, or its network where one has many; empty where that is not known.
    pub peer: String,
    /// The token of the device, if it has one.
    pub device: Option<String>,
}

/// For what a try counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Counter {
    /// A sign-in name, whether there is such an account or not; by digest, since names are as long as a stranger likes.
    Account(Digest),
    /// The other end of the connection.
    Peer(String),
    /// A device that an account knows, by the random part of its token.
    Device(String),
}

impl Counter {
    const fn pace(&self) -> Pace {
        match self {
            Self::Account(_) => Pace::ACCOUNT,
            Self::Peer(_) => Pace::PEER,
            Self::Device(_) => Pace::DEVICE,
        }
    }

    /// What a try counts for: a known device has a count of its own, and nobody else can use that up.
    pub(crate) fn all(login: &str, knock: &Knock, device: Option<String>) -> Vec<Self> {
        match device {
            Some(device) => vec![Self::Device(device)],
            None => vec![Self::Account(Digest::of(login.as_bytes())), Self::Peer(knock.peer.clone())],
        }
    }
}

/// More counts than that are not kept: those that were counted up longest ago go first.
const MOST: usize = 20_000;

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Knocks(Mutex<HashMap<Counter, Tries>>);

impl Knocks {
    /// Counts a try, or says until when none is looked at.
    pub(crate) fn count(&self, counters: &[Counter], now: Timestamp) -> Result<(), Timestamp> {
        let mut counts = self.counts();
        let until = |counter: &Counter| counts.get(counter)?.until(counter.pace(), now);
        if let Some(until) = counters.iter().filter_map(until).max() {
            return Err(until);
        }
        for counter in counters {
            match counts.entry(counter.clone()) {
                Entry::Occupied(mut known) if !known.get().is_forgotten(now) => {
                    let count = known.get().count.saturating_add(1);
                    known.insert(Tries { count, last: now });
                }
                entry => drop(entry.insert_entry(Tries { count: 1, last: now })),
            }
        }
        if counts.len() > MOST {
            drop_oldest(&mut counts, now);
        }
        Ok(())
    }

    /// Forgets what a try that succeeded was counted for. A peer loses that one try only: who has an account there could wipe out
    /// the others.
    pub(crate) fn forgive(&self, counters: &[Counter]) {
        let mut counts = self.counts();
        for counter in counters {
            match (counter, counts.get_mut(counter)) {
                (Counter::Peer(_), Some(tries)) => tries.count = tries.count.saturating_sub(1),
                _ => drop(counts.remove(counter)),
            }
        }
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, HashMap<Counter, Tries>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Makes room for a tenth: what is forgotten goes, and then the oldest.
fn drop_oldest(counts: &mut HashMap<Counter, Tries>, now: Timestamp) {
    counts.retain(|_, tries| !tries.is_forgotten(now));
    let mut times: Vec<Timestamp> = counts.values().map(|tries| tries.last).collect();
    times.sort_unstable();
    let surplus = counts.len().saturating_sub(MOST - MOST / 10);
    if let Some(limit) = surplus.checked_sub(1).and_then(|last| times.get(last)).copied() {
        counts.retain(|_, tries| tries.last > limit);
    }
}

/// A device is known for so long after the last time that somebody signed in on it.
const KNOWN_MS: u64 = 180 * 24 * 60 * 60 * 1000;

/// Makes the tokens of devices and reads them: `MILLISECONDS.RANDOM.MAC`, bound to one person. Nothing is stored.
#[derive(Clone)]
pub(crate) struct Devices([u8; 32]);

impl Devices {
    /// Those of a portal with this key file.
    pub(crate) fn new(key_file: &[u8; 32]) -> Self {
        let mut key = [0_u8; 32];
        Hkdf::<Sha256>::new(None, key_file)
            .expand(b"runbook-portal: known devices", &mut key)
            .expect("32 bytes are not too many for SHA-256");
        Self(key)
    }

    /// The token of a device on which a person has signed in.
    pub(crate) fn token(&self, person: &PersonId, now: Timestamp) -> String {
        let random = random_hex();
        let mac = hex::encode(self.mac(person, now.0, &random).finalize().into_bytes());
        format!("{}.{random}.{mac}", now.0)
    }

    /// The random part of a token, if this person has signed in with it lately.
    pub(crate) fn known(&self, person: &PersonId, token: &str, now: Timestamp) -> Option<String> {
        let mut parts = token.splitn(3, '.');
        let (made, random, mac) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let mac = hex::decode(mac).ok()?;
        self.mac(person, made, random).verify_slice(&mac).ok()?;
        (now < Timestamp(made).plus(KNOWN_MS)).then(|| random.to_owned())
    }

    fn mac(&self, person: &PersonId, made: i64, random: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length does");
        for part in [person.as_str().as_bytes(), &made.to_be_bytes(), random.as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_471_084_000);

    fn account(name: &str) -> Counter {
        Counter::Account(Digest::of(name.as_bytes()))
    }

    #[test]
    fn a_device_is_known_to_one_person_by_this_portal_and_for_a_while() {
        let [devices, others] = [Devices::new(&[7; 32]), Devices::new(&[8; 32])];
        let [olga, otto] = [PersonId::from("olga"), PersonId::from("otto")];
        let token = devices.token(&olga, NOW);

        assert!(devices.known(&olga, &token, NOW).is_some());
        assert_ne!(devices.token(&olga, NOW), token, "each has a count of its own");
        assert!(devices.known(&otto, &token, NOW).is_none());
        assert!(others.known(&olga, &token, NOW).is_none());
        assert!(devices.known(&olga, &token, NOW.plus(KNOWN_MS)).is_none());
        for forged in ["", "1", "1.a", &token[1..], &format!("{token}00"), &token.replacen('1', "2", 1)] {
            assert!(devices.known(&olga, forged, NOW).is_none(), "{forged}");
        }
    }

    #[test]
    fn what_succeeds_is_forgiven_but_a_peer_keeps_its_other_failures() {
        let knocks = Knocks::default();
        let counters = [account("olga"), Counter::Peer("192.0.2.1".to_owned())];
        for _ in 0..6 {
            knocks.count(&counters, NOW).unwrap();
        }
        assert_eq!(knocks.count(&counters, NOW), Err(NOW.plus(1000)));

        knocks.forgive(&counters);
        assert_eq!(knocks.count(&counters, NOW), Ok(()));
        assert_eq!(knocks.counts()[&counters[1]].count, 6);
    }

    #[test]
    fn a_flood_of_names_takes_a_bounded_place() {
        let knocks = Knocks::default();
        for number in 0..=MOST as u64 {
            knocks.count(&[account(&number.to_string())], NOW.plus(number)).unwrap();
        }

        let counts = knocks.counts();
        assert!(counts.len() <= MOST, "{}", counts.len());
        assert!(counts.contains_key(&account(&MOST.to_string())) && !counts.contains_key(&account("0")));
    }
}
