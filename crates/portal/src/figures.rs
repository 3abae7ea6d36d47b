//! The portal in numbers, for whoever observes it.

use domain::policy::Sight;

use crate::{Error, Portal};

/// How much there is of what an observer wants to know. No figure names anybody or anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events in the record.
    pub events: u64,
    /// Events that no checkpoint covers yet.
    pub unproven_events: u64,
    /// Whether the record was found changed when the portal was opened.
    pub doubtful: bool,
    /// Runs that are not closed.
    pub open_runs: u64,
    /// Attempts that have begun and not ended.
    pub running_steps: u64,
    /// Requests for approval that wait for a decision.
    pub waiting_approvals: u64,
    /// Redactions that wait for another person.
    pub waiting_redactions: u64,
    /// Notices that are not delivered yet.
    pub waiting_notices: u64,
    /// Notices that were given up and are still kept.
    pub given_up_notices: u64,
    /// Sessions that have not ended.
    pub sessions: u64,
    /// Bytes that can still be written into the data folder.
    pub free_bytes: u64,
}

impl Portal {
    /// The figures of this moment.
    ///
    /// # Errors
    ///
    /// When the database or the data folder cannot be read.
    pub async fn figures(&self) -> Result<Figures, Error> {
        let stored = self.store().figures(self.expiry_now()).await?;
        let waiting_approvals = self.store().count_waiting(self.expiry_now(), &Sight::EVERYTHING).await?.into();
        let info = self.checkpoint_info().await?;
        let proven = info.last.map_or(0, |last| last.seq);
        Ok(Figures {
            events: counted(stored.events),
            unproven_events: info.events.saturating_sub(proven),
            doubtful: info.broken.is_some(),
            open_runs: counted(stored.open_runs),
            running_steps: counted(stored.running_steps),
            waiting_approvals,
            waiting_redactions: counted(stored.waiting_redactions),
            waiting_notices: counted(stored.waiting_notices),
            given_up_notices: counted(stored.given_up_notices),
            sessions: counted(stored.sessions),
            free_bytes: self.free_bytes()?,
        })
    }

    fn free_bytes(&self) -> Result<u64, Error> {
        let disk = rustix::fs::statvfs(self.checkpoints().data()).map_err(std::io::Error::from)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
}

fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
