//! The portal's time in the browser: it ticks on from what the server said, so that nobody's own clock matters.

use std::time::Duration;

use domain::Timestamp;
use leptos::prelude::*;

/// The portal's time, once a second.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Timestamp>,
    /// The portal's time and the browser's at the same moment.
    set: StoredValue<(Timestamp, f64)>,
}

impl Clock {
    /// Starts a clock for everything below and gives it.
    pub fn start(now: Timestamp) -> Self {
        let clock = Self { now: RwSignal::new(now), set: StoredValue::new((now, 0.0)) };
        provide_context(clock);
        Effect::new(move |_| {
            clock.correct(now);
            let tick = move || clock.tick();
            if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
                on_cleanup(move || handle.clear());
            }
        });
        clock
    }

    /// The clock of this page.
    pub fn here() -> Self {
        use_context().unwrap_or_else(|| Self::start(Timestamp::default()))
    }

    /// The time. Whoever asks is told again when it moves on.
    pub fn now(self) -> Timestamp {
        self.now.get()
    }

    /// The time at this moment.
    pub fn now_untracked(self) -> Timestamp {
        self.now.get_untracked()
    }

    /// Takes the time that the portal just told.
    pub fn correct(self, now: Timestamp) {
        self.set.set_value((now, js_sys::Date::now()));
        self.now.set(now);
    }

    fn tick(self) {
        let (then, here) = self.set.get_value();
        self.now.set(then.plus(whole(js_sys::Date::now() - here)));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a span of milliseconds is small and whole"
)]
fn whole(milliseconds: f64) -> u64 {
    milliseconds.max(0.0) as u64
}
