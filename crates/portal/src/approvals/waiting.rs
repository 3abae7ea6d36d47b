//! How much waits for a decision, told to a page as long as it is open.

use domain::policy::{Actor, Sight, Viewer};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use tokio::sync::watch;

use crate::seeing::Changes;
use crate::{Error, Portal};

/// A person who is told how much waits.
struct Waiting {
    portal: Portal,
    actor: Actor,
    approvals: watch::Receiver<u64>,
    changes: Changes,
    /// What they saw when they were told last; `None` when that says nothing about the number any more.
    sight: Option<Sight>,
}

impl Portal {
    /// How many requests and redactions wait for a decision, of those that a person sees: now, and whenever it may be another
    /// number. It ends with the portal.
    pub fn watch_waiting(&self, viewer: Viewer<'_>) -> BoxStream<'static, u32> {
        let waiting = Waiting {
            portal: self.clone(),
            actor: viewer.actor().clone(),
            approvals: self.live().approvals(),
            changes: Changes::of(self),
            sight: None,
        };
        let counts = futures::stream::unfold(waiting, |mut waiting| async move {
            let count = waiting.next().await;
            Some((count, waiting))
        });
        let closing = self.0.closing.clone();
        counts.take_until(async move { closing.cancelled().await }).boxed()
    }
}

impl Waiting {
    /// The number, at first as it is, and then when it may be another one.
    async fn next(&mut self) -> u32 {
        if self.sight.is_some() {
            self.wait().await;
        }
        loop {
            match self.news().await {
                Ok(Some(count)) => return count,
                // A database that does not answer is asked again with the next change.
                Ok(None) | Err(_) => self.wait().await,
            }
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.approvals.changed() => self.sight = None,
            () = self.changes.wait() => {}
        }
    }

    /// The number, unless it has to be the one that was told last: many people sign in and out, and few of them change what
    /// somebody else sees.
    async fn news(&mut self) -> Result<Option<u32>, Error> {
        let actor = self.portal.as_they_are_now(&self.actor).await?;
        let sight = self.portal.sight(&actor).await?;
        if self.sight.as_ref() == Some(&sight) {
            return Ok(None);
        }
        let count = self.portal.count_waiting(&sight).await?;
        self.sight = Some(sight);
        Ok(Some(count))
    }
}
