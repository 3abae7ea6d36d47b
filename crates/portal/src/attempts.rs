//! From the intent to the record: starting an attempt, following its shim, settling what it left.
//!
//! The same code settles an attempt in life and after the portal's own death: [`Portal::reconcile`] only follows every
//! attempt that is still open. Nothing is ever started again by the machine.

use domain::AttemptId;
use domain::attempt::{FORMAT, Spec};
use domain::run::{Command, Run, Who};
use engine::Inspection;

use crate::gate::Decided;
use crate::{Error, Portal};

impl Portal {
    /// Starts the shim of an intent that has just been recorded, and follows it.
    ///
    /// When it cannot be started, that is recorded as the end of the attempt: an intent never stays without one.
    pub(crate) async fn launch(&self, decided: &Decided, id: AttemptId, who: &Who) -> Result<(), Error> {
        let Some(spec) = spec(&decided.run, id, who) else { return Err(Error::NotFound) };
        match self.engine().launch(&spec).await {
            Ok(()) => {
                self.follow(id);
                Ok(())
            }
            Err(error) => {
                self.interrupt(id, format!("The step was not started: {error}")).await?;
                Err(error.into())
            }
        }
    }

    /// Follows every attempt that is still open: after a start, these are the ones that a former portal began.
    pub(crate) async fn reconcile(&self) -> Result<usize, Error> {
        let open = self.store().open_attempts().await?;
        for id in &open {
            self.follow(*id);
        }
        Ok(open.len())
    }

    /// Follows an attempt to its end in the background.
    fn follow(&self, id: AttemptId) {
        let portal = self.clone();
        self.tasks().spawn(async move {
            // Closing leaves the attempt open: its shim goes on, and the next portal follows it.
            let outcome = tokio::select! {
                outcome = portal.follow_to_end(id) => outcome,
                () = portal.closing() => Ok(()),
            };
            if let Err(error) = outcome {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    attempt.id = %id,
                    "the record of an attempt could not be written; it is taken up again at the next start"
                );
            }
        });
    }

    async fn follow_to_end(&self, id: AttemptId) -> Result<(), Error> {
        let mut noted = 0;
        if let Ok(mut progress) = self.engine().follow(&id) {
            loop {
                let done = progress.borrow_and_update().done;
                noted = self.note_marks(id, noted).await?;
                if done || progress.changed().await.is_err() {
                    break;
                }
            }
        }
        self.settle(id, noted).await
    }

    /// Records the marks from one on; gives the number of the next.
    async fn note_marks(&self, id: AttemptId, from: usize) -> Result<usize, Error> {
        let marks = self.engine().marks(&id, from)?;
        let next = from + marks.len();
        for mark in marks {
            self.decide(id.run, &Command::Note { step: id.step, attempt: id.attempt, mark }, &Who::Portal).await?;
        }
        Ok(next)
    }

    async fn settle(&self, id: AttemptId, noted: usize) -> Result<(), Error> {
        match self.engine().inspect(&id)? {
            Inspection::Ended(exit) => {
                self.note_marks(id, noted).await?;
                let settle = Command::Settle { step: id.step, attempt: id.attempt, exit: Box::new(exit) };
                self.decide(id.run, &settle, &Who::Portal).await?;
            }
            Inspection::Running => return Err(Error::Broken("following an attempt")),
            Inspection::Interrupted { reason } => {
                self.note_marks(id, noted).await?;
                self.interrupt(id, reason).await?;
            }
            Inspection::NeverStarted => {
                self.interrupt(id, "The portal died before the step was started. Nothing of it was run.".to_owned())
                    .await?;
            }
        }
        Ok(())
    }

    async fn interrupt(&self, id: AttemptId, reason: String) -> Result<(), Error> {
        let bytes = self.engine().length(&id);
        let survivors = self.engine().survivors(&id);
        let interrupt = Command::Interrupt { step: id.step, attempt: id.attempt, reason, bytes, survivors };
        self.decide(id.run, &interrupt, &Who::Portal).await.map(drop)
    }
}

/// What the shim is told: the very work whose digest the intent names.
fn spec(run: &Run, id: AttemptId, who: &Who) -> Option<Spec> {
    let attempt = run.attempt(id)?;
    let work = run.work(id.step, &attempt.commands, who)?;
    Some(Spec { v: FORMAT, id, digest: attempt.digest.clone(), work })
}
