//! The system's clock, the one place that reads it; and the time by which things expire, which never goes back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::Timestamp;
use domain::time::Clock;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A time that goes on as the clock does, and at least as fast as time itself passes: turning the clock back neither stops
/// it nor takes it back.
pub(crate) struct ExpiryClock {
    clock: Arc<dyn Clock>,
    /// The latest time at which the clock was ahead, and when that was.
    base: Mutex<(Timestamp, Instant)>,
}

impl ExpiryClock {
    /// Goes on from the latest time that a former portal is known to have seen.
    pub(crate) fn new(clock: Arc<dyn Clock>, seen: Option<Timestamp>) -> Self {
        let now = clock.now();
        Self { clock, base: Mutex::new((seen.map_or(now, |seen| seen.max(now)), Instant::now())) }
    }

    /// The present moment by the machine's clock.
    pub(crate) fn clock(&self) -> Timestamp {
        self.clock.now()
    }

    /// The present moment for everything that expires.
    pub(crate) fn now(&self) -> Timestamp {
        let clock = self.clock.now();
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = base.0.plus(u64::try_from(base.1.elapsed().as_millis()).unwrap_or(u64::MAX));
        if clock > passed {
            *base = (clock, Instant::now());
        }
        clock.max(passed)
    }
}

#[cfg(test)]
mod tests {
    use testkit::{FixedClock, NOW};

    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn what_expires_does_not_wait_for_a_clock_that_was_turned_back() {
        let clock = Arc::new(FixedClock::default());
        let expiry = ExpiryClock::new(clock.clone(), None);

        clock.advance(HOUR);
        let before = expiry.now();
        clock.advance(-24 * HOUR);
        let after = expiry.now();

        assert!(before >= Timestamp(NOW.0 + HOUR));
        assert!(after >= before, "{after} is before {before}");
        assert_eq!(expiry.clock(), Timestamp(NOW.0 - 23 * HOUR), "the clock itself is told as it is");
    }

    #[test]
    fn a_clock_that_was_ahead_once_does_not_stop_time() {
        let clock = Arc::new(FixedClock::default());
        let seen = Timestamp(NOW.0 + 24 * HOUR);
        let expiry = ExpiryClock::new(clock, Some(seen));

        let first = expiry.now();
        let begun = Instant::now();
        while begun.elapsed().as_millis() < 5 {
            std::hint::spin_loop();
        }

        assert!(first >= seen);
        assert!(expiry.now() >= first.plus(5), "it goes on from where it was");
    }
}
