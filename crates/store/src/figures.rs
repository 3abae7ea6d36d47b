//! How much there is of what an observer counts. Every figure comes from an index, or from a table that is kept small. (The index
//! of notices that ended is found by its own condition, so that one stands there beside the other.)

use domain::Timestamp;
use sqlx::FromRow;

use crate::{Error, Store};

const ALL: &str = "SELECT (SELECT COALESCE(MAX(seq), 0) FROM events) AS events, \
     (SELECT COUNT(*) FROM runs WHERE ended IS NULL) AS open_runs, \
     (SELECT COUNT(*) FROM attempts WHERE ended IS NULL) AS running_steps, \
     (SELECT COUNT(*) FROM redactions WHERE open = 1) AS waiting_redactions, \
     (SELECT COUNT(*) FROM deliveries WHERE state = 'waiting') AS waiting_notices, \
     (SELECT COUNT(*) FROM deliveries WHERE state <> 'waiting' AND state = 'given_up') AS given_up_notices, \
     (SELECT COUNT(*) FROM sessions WHERE idle > $1 AND ends > $1) AS sessions";

/// What is stored, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct StoredFigures {
    /// Events in the chain.
    pub events: i64,
    /// Runs that are not closed.
    pub open_runs: i64,
    /// Attempts that have begun and not ended.
    pub running_steps: i64,
    /// Redactions that wait for another person.
    pub waiting_redactions: i64,
    /// Notices that are not delivered yet.
    pub waiting_notices: i64,
    /// Notices that were given up and are still kept.
    pub given_up_notices: i64,
    /// Sessions that have not ended.
    pub sessions: i64,
}

impl Store {
    /// All figures as they are at `now`, of one moment.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn figures(&self, now: Timestamp) -> Result<StoredFigures, Error> {
        Ok(sqlx::query_as(ALL).bind(now.0).fetch_one(&mut *self.reader().await?).await?)
    }
}

#[cfg(test)]
mod tests {
    use domain::AttemptId;
    use testkit::{NOW, completed};

    use crate::tests::{begun, continued, store};

    #[tokio::test]
    async fn figures_count_what_is_open_and_not_what_was_closed() {
        let (store, _folder) = store().await;
        let before = store.figures(NOW).await.unwrap();

        let run = begun(&store).await;
        let attempt = completed(AttemptId { run: run.id, step: 1, attempt: 1 }, &[1]);
        let run = continued(&store, Some(run), &attempt[..1], NOW).await;
        let during = store.figures(NOW).await.unwrap();
        continued(&store, Some(run), &attempt[1..], NOW).await;
        let after = store.figures(NOW).await.unwrap();

        assert_eq!((before.open_runs, before.running_steps), (0, 0), "{before:?}");
        assert_eq!(during.events - before.events, 2, "{during:?}");
        assert_eq!((during.open_runs, during.running_steps), (1, 1), "{during:?}");
        assert_eq!((after.open_runs, after.running_steps), (1, 0), "{after:?}");
    }
}
