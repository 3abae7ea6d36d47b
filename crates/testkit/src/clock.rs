//! A clock that only moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use domain::time::Clock;

use crate::NOW;

/// A clock that stands still, unless it was told how far it goes on whenever somebody looks at it.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    each_look: AtomicI64,
}

impl FixedClock {
    /// A clock that shows a moment.
    pub fn at(now: Timestamp) -> Self {
        Self { now: AtomicI64::new(now.0), each_look: AtomicI64::new(0) }
    }

    /// Moves it on by so many milliseconds; back, if they are negative.
    pub fn advance(&self, milliseconds: i64) {
        self.now.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// From now on it goes on by so many milliseconds at each look: no two of them see the same moment.
    pub fn goes_on_by(&self, milliseconds: i64) {
        self.each_look.store(milliseconds, Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    fn default() -> Self {
        Self::at(NOW)
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.fetch_add(self.each_look.load(Ordering::SeqCst), Ordering::SeqCst))
    }
}
