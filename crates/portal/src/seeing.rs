//! Who sees what: the groups of a person, held against the limits that procedures have now.
//!
//! Everything that is read for a person goes through here. The store and the documents hand out nothing without a
//! [`Sight`]; and what somebody may not see is answered like what is not there.

use std::sync::Arc;
use std::time::Duration;

use domain::policy::{Actor, Sight, Verb, Viewer, allows};
use domain::run::{Run, Who};
use domain::{PersonId, RunId};
use futures::stream::BoxStream;
use store::Write;
use tokio::sync::watch;

use crate::documents::{Contents, Library};
use crate::{Error, Portal};

/// A folder of documents that has not answered by then is taken as it was read last: nobody waits longer to stop a step.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it is looked whether the documents limit what a stream shows. That a person left a group is told at once.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Portal {
    /// What a person sees now.
    pub(crate) async fn sight(&self, actor: &Actor) -> Result<Sight, Error> {
        let contents = self.limits_for(actor).await;
        let groups = self.store().groups_of(&actor.id).await?;
        Ok(Sight::of(actor.role, groups, contents.limits()))
    }

    /// The documents with the limits that procedures have now.
    async fn limits_for(&self, actor: &Actor) -> Arc<Contents> {
        if allows(actor.role, Verb::ManagePeople) {
            return self.documents().last();
        }
        match tokio::time::timeout(PATIENCE, self.documents().current(self.now())).await {
            Ok(Ok(contents)) => contents,
            Ok(Err(_)) | Err(_) => self.documents().last(),
        }
    }

    /// The same for whoever does something; the portal itself is limited by nothing.
    pub(crate) async fn limits_of(&self, who: &Who) -> Arc<Contents> {
        match who {
            Who::Person(actor) => self.limits_for(actor).await,
            Who::Portal => self.documents().last(),
        }
    }

    /// The documents as somebody sees them.
    pub(crate) async fn library(&self, sight: &Sight) -> Result<Library, Error> {
        Ok(self.documents().current(self.now()).await?.seen_by(sight))
    }

    /// A run, for a person who sees it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is not there, or not for them.
    pub(crate) async fn run_for(&self, actor: &Actor, run: RunId) -> Result<Run, Error> {
        let sight = self.sight(actor).await?;
        self.store().run(run, &sight).await?.ok_or(Error::NotFound)
    }

    /// A run in which somebody wants to do something.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is not there, or not for them: that is recorded then.
    pub(crate) async fn run_to_change(&self, who: &Who, run: RunId) -> Result<Run, Error> {
        let found = match who {
            Who::Person(actor) => self.run_for(actor, run).await,
            Who::Portal => self.store().run(run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound),
        };
        match found {
            Err(Error::NotFound) => Err(self.not_there(who, run).await),
            found => found,
        }
    }

    /// What somebody is told who wanted to do something in a run that they do not see. If it is there, that they tried is recorded.
    pub(crate) async fn not_there(&self, who: &Who, run: RunId) -> Error {
        if let Who::Person(actor) = who
            && let Err(error) = self.note_hidden(actor, run).await
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                run.id = run.0,
                "a refusal could not be recorded"
            );
        }
        Error::NotFound
    }

    async fn note_hidden(&self, actor: &Actor, run: RunId) -> Result<(), Error> {
        if self.store().seen(&[run], &Sight::EVERYTHING).await?.is_empty() {
            return Ok(());
        }
        self.note_refused(actor, &format!("run {run}")).await
    }

    /// A stream of something of a run, which ends when its person may not see the run any more.
    pub(crate) fn while_seen<T: Send + 'static>(
        &self,
        viewer: Viewer<'_>,
        run: RunId,
        stream: impl futures::Stream<Item = T> + Send + 'static,
    ) -> BoxStream<'static, T> {
        use futures::StreamExt as _;
        let hidden = self.clone().hidden_from(viewer.actor().clone(), run);
        stream.take_until(Box::pin(hidden)).boxed()
    }

    /// Ends when a run is not any more for a person.
    async fn hidden_from(self, actor: Actor, run: RunId) {
        let mut changes = Changes::of(&self);
        let mut again = tokio::time::interval(LOOK_AGAIN);
        loop {
            tokio::select! {
                () = changes.wait() => {}
                _ = again.tick() => {}
            }
            match self.still_sees(&actor, run).await {
                Ok(true) => {}
                Ok(false) => return,
                // A busy database is no reason to end.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "it is not known who may still look");
                }
            }
        }
    }

    async fn still_sees(&self, actor: &Actor, run: RunId) -> Result<bool, Error> {
        let sight = self.sight(&self.as_they_are_now(actor).await?).await?;
        Ok(!self.store().seen(&[run], &sight).await?.is_empty())
    }

    /// A person as their account stands now; by a token never with more than that gives. Whether they may still be here at all is
    /// not asked here.
    pub(crate) async fn as_they_are_now(&self, actor: &Actor) -> Result<Actor, Error> {
        Ok(self.actor(&actor.id).await?.map_or_else(|| actor.clone(), |now| actor.with_role(now.role)))
    }

    /// Whether a person may read of a run that they are to be told of: their account as it stands now.
    pub(crate) async fn may_be_told(&self, person: &PersonId, run: RunId) -> Result<bool, Error> {
        match self.actor(person).await? {
            Some(actor) => self.still_sees(&actor, run).await,
            None => Ok(false),
        }
    }
}

/// What a person sees as it is inside the transaction that decides about something they want to do.
pub(crate) async fn sight_in(write: &mut Write, who: &Who, contents: &Contents) -> Result<Sight, Error> {
    let Who::Person(actor) = who else { return Ok(Sight::EVERYTHING) };
    // Whoever works at the console has no account. By a token nobody sees more than its role does, whatever the account is.
    let role = write.standing(&actor.id).await?.map_or(actor.role, |role| actor.with_role(role).role);
    let groups = write.groups_of(&actor.id).await?;
    Ok(Sight::of(role, groups, contents.limits()))
}

/// What may change who sees what.
pub(crate) struct Changes {
    people: watch::Receiver<u64>,
    documents: watch::Receiver<Arc<Contents>>,
}

impl Changes {
    /// From now on.
    pub fn of(portal: &Portal) -> Self {
        Self { people: portal.people_changed(), documents: portal.documents().changes() }
    }

    /// Returns when something has changed since the last time.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.people.changed() => {}
            _ = self.documents.changed() => {}
        }
    }
}
