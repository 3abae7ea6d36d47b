//! How often somebody may try to sign in: a delay for each account and each peer, which a known device does not feel.
//!
//! A try is counted before it is looked at, so that a thousand that come at once are counted like a thousand in a row. Which
//! account a try is for is what was typed: one that does not exist is delayed like any other. (After the OWASP guide on slowing
//! down online guessing with device cookies.)

use serde::{Deserialize, Serialize};

use crate::Timestamp;

const MINUTE_MS: u64 = 60_000;

/// How tries that failed slow down the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// So many cost nothing.
    pub free: u32,
    /// Milliseconds of the first delay; each further failure doubles it.
    pub first_ms: u64,
    /// Milliseconds of the longest delay.
    pub longest_ms: u64,
}

impl Pace {
    /// For an account, from devices that it does not know: the owner's mistakes are free, and guessing comes to 96 tries a day.
    pub const ACCOUNT: Self = Self { free: 5, first_ms: 1000, longest_ms: 15 * MINUTE_MS };

    /// For an account from one device on which it was signed in to before.
    pub const DEVICE: Self = Self::ACCOUNT;

    /// For everything that comes from one peer. Behind a proxy that is everybody, so that the longest delay is short.
    pub const PEER: Self = Self { free: 30, first_ms: 1000, longest_ms: 10_000 };
}

/// Milliseconds without a try after which failures are forgotten.
pub const FORGOTTEN_MS: u64 = 60 * MINUTE_MS;

/// The tries that failed, or are not known to have succeeded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// How many.
    pub count: u32,
    /// The last one.
    pub last: Timestamp,
}

impl Tries {
    /// Until when no further try is looked at; `None` when one may be made at once.
    pub fn until(self, pace: Pace, now: Timestamp) -> Option<Timestamp> {
        let over = self.count.checked_sub(pace.free).filter(|over| *over > 0)?;
        let delay = pace.first_ms.saturating_mul(1_u64.checked_shl(over - 1).unwrap_or(u64::MAX)).min(pace.longest_ms);
        Some(self.last.plus(delay)).filter(|until| now < *until)
    }

    /// Whether they do not count any more.
    pub fn is_forgotten(self, now: Timestamp) -> bool {
        now >= self.last.plus(FORGOTTEN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn wait(count: u32, pace: Pace) -> u64 {
        Tries { count, last: NOW }.until(pace, NOW).map_or(0, |until| until.since(NOW))
    }

    #[test]
    fn the_first_mistakes_are_free_and_then_each_doubles_the_delay_up_to_a_longest() {
        let waits: Vec<u64> =
            [0, 1, 5, 6, 7, 8, 15, 16, 40, 100, u32::MAX].map(|count| wait(count, Pace::ACCOUNT)).into();

        assert_eq!(waits, [0, 0, 0, 1000, 2000, 4000, 512_000, 900_000, 900_000, 900_000, 900_000]);
        assert_eq!((wait(30, Pace::PEER), wait(31, Pace::PEER), wait(500, Pace::PEER)), (0, 1000, 10_000));
    }

    #[test]
    fn a_delay_ends_and_failures_are_forgotten() {
        let tries = Tries { count: 7, last: NOW };

        assert!(tries.until(Pace::ACCOUNT, NOW.plus(1999)).is_some());
        assert_eq!(tries.until(Pace::ACCOUNT, NOW.plus(2000)), None);
        assert!(!tries.is_forgotten(NOW.plus(FORGOTTEN_MS - 1)) && tries.is_forgotten(NOW.plus(FORGOTTEN_MS)));
    }

    #[test]
    fn no_longest_delay_is_longer_than_the_memory() {
        for pace in [Pace::ACCOUNT, Pace::DEVICE, Pace::PEER] {
            assert!(pace.longest_ms < FORGOTTEN_MS);
        }
    }
}
