//! What was made and is shown on one page, once: it waits for that page in memory alone, one for each session, for a short while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use store::fingerprint;

/// What no page has shown after so many milliseconds is shown by none.
const SHOWN_WITHIN_MS: u64 = 15 * 60_000;

/// What waits, by the session in which it was made.
pub(crate) struct Once<T>(Mutex<HashMap<String, Kept<T>>>);

struct Kept<T> {
    made: T,
    since: Timestamp,
}

impl<T> Kept<T> {
    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.since) >= SHOWN_WITHIN_MS
    }
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Once<T> {
    /// Keeps something for the page of a session. It replaces what waits there.
    pub(crate) fn keep(&self, session: &str, made: T, now: Timestamp) {
        let mut kept = self.kept();
        kept.retain(|_, kept| !kept.is_over(now));
        kept.insert(fingerprint(session), Kept { made, since: now });
    }

    /// Takes out what waits for a session.
    pub(crate) fn take(&self, session: &str, now: Timestamp) -> Option<T> {
        self.kept().remove(&fingerprint(session)).filter(|kept| !kept.is_over(now)).map(|kept| kept.made)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Kept<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_471_084_000);

    #[test]
    fn what_was_made_is_handed_out_once_to_its_session_and_not_for_long() {
        let made = Once::default();
        made.keep("one", "report", NOW);

        assert_eq!(made.take("two", NOW), None);
        assert_eq!(made.take("one", NOW), Some("report"));
        assert_eq!(made.take("one", NOW), None);

        made.keep("one", "late", NOW);
        assert_eq!(made.take("one", NOW.plus(SHOWN_WITHIN_MS)), None);
        made.keep("one", "forgotten", NOW);
        made.keep("two", "newer", NOW.plus(SHOWN_WITHIN_MS));
        assert_eq!(made.kept().len(), 1, "what nobody came for is not kept");
    }
}
