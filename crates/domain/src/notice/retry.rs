//! When a delivery that did not succeed is tried again.

use crate::Timestamp;

/// Milliseconds after which a notice is not news any more.
pub const GIVE_UP_MS: u64 = 24 * 3_600_000;

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 15 * 60_000;

/// When to try again after so many failed tries; `None` when it is given up.
///
/// The wait doubles from a second to a quarter of an hour. `chance` takes up to half of it away, so that many deliveries that
/// failed together do not come back together. `asked_ms` is what the receiver asked for: it is never disturbed before that.
pub fn next_try(tries: u32, made: Timestamp, now: Timestamp, chance: u64, asked_ms: Option<u64>) -> Option<Timestamp> {
    let doubled = FIRST_MS.saturating_mul(1_u64.checked_shl(tries.saturating_sub(1)).unwrap_or(u64::MAX));
    let wait = doubled.min(LONGEST_MS);
    let wait = wait - chance % (wait / 2 + 1);
    let next = now.plus(wait.max(asked_ms.unwrap_or(0)));
    (next <= made.plus(GIVE_UP_MS)).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: Timestamp = Timestamp(1_000_000);

    fn wait(tries: u32, chance: u64) -> u64 {
        next_try(tries, MADE, MADE, chance, None).unwrap().since(MADE)
    }

    #[test]
    fn the_wait_doubles_to_a_quarter_of_an_hour_and_chance_takes_up_to_half_of_it() {
        assert_eq!(
            [1, 2, 3, 10, 11, 64, u32::MAX].map(|tries| wait(tries, 0)),
            [1_000, 2_000, 4_000, 512_000, 900_000, 900_000, 900_000]
        );
        for tries in 1..20 {
            for chance in [1, 7, 499, 500, 501, u64::MAX] {
                let (wait, most) = (wait(tries, chance), wait(tries, 0));
                assert!(wait >= most / 2 && wait <= most, "{tries} {chance}: {wait}");
            }
        }
        assert_ne!(wait(5, 3), wait(5, 4));
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it() {
        let next = |asked| next_try(1, MADE, MADE, 0, Some(asked));

        assert_eq!(next(90_000), Some(MADE.plus(90_000)));
        assert_eq!(next(1), Some(MADE.plus(1_000)));
        assert_eq!(next(GIVE_UP_MS + 1), None, "it asks for more than there is");
    }

    #[test]
    fn after_a_day_it_is_given_up() {
        let end = MADE.plus(GIVE_UP_MS);

        assert_eq!(next_try(100, MADE, Timestamp(end.0 - 900_000), 0, None), Some(end));
        assert_eq!(next_try(100, MADE, Timestamp(end.0 - 899_999), 0, None), None);
        assert_eq!(next_try(1, MADE, end.plus(1_000_000_000), 0, None), None);
    }
}
