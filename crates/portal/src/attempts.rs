//! From the intent to the record: starting an attempt, following its shim, settling what it left.
//!
//! The same code settles an attempt in life and after the portal's own death: [`Portal::reconcile`] only follows every
//! attempt that is still open. Nothing is ever started again by the machine.

use std::time::Duration;

use domain::AttemptId;
use domain::attempt::{FORMAT, Intent, Spec};
use domain::policy::Sight;
use domain::run::{Attempt, Command, Run, Who};
use engine::{Inspection, Probe, Steer, SteerError};

use crate::gate::Decided;
use crate::{Error, Portal};

/// The pauses between tries of what a busy database, a full disk or a shim that is being born puts off: doubled each time,
/// from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often the places of lines are brought up to date while an attempt prints, and from which length on that is worth it.
const LINES_PAUSE: Duration = Duration::from_secs(1);
const LONG: u64 = 64 << 10;

/// So many shims may die over one step at a target; then a person has to look.
const SHIMS: u32 = 5;

/// Waits a little longer each time.
pub(crate) struct Pauses(Duration);

impl Pauses {
    pub(crate) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}

impl Portal {
    /// Starts the shim of an intent that has just been recorded, and follows it.
    ///
    /// When it cannot be started, that is recorded as the end of the attempt, now or as soon as the database takes it: an
    /// intent never stays without an end.
    pub(crate) async fn launch(&self, decided: &Decided, id: AttemptId, who: &Who) -> Result<(), Error> {
        let Some(spec) = spec(&decided.run, id, who) else { return Err(Error::NotFound) };
        let secrets = match self.secrets_for(&decided.run, id).await {
            Ok(secrets) => secrets,
            Err(error) => {
                if self.interrupt(id, error.sentence()).await.is_err() {
                    self.follow(id);
                }
                return Err(error);
            }
        };
        match self.engine().launch_with(&spec, secrets).await {
            Ok(()) => {
                self.follow(id);
                Ok(())
            }
            Err(error) => {
                if self.interrupt(id, format!("The step was not started: {error}")).await.is_err() {
                    self.follow(id);
                }
                Err(error.into())
            }
        }
    }

    /// Follows every attempt that is still open: after a start, these are the ones that a former portal began.
    pub(crate) async fn reconcile(&self) -> Result<usize, Error> {
        let open = self.store().open_attempts().await?;
        for id in &open {
            self.follow(*id);
            self.stop_again(*id).await?;
        }
        Ok(open.len())
    }

    /// A former portal may have died between recording that somebody wants an attempt to stop and telling its shim.
    async fn stop_again(&self, id: AttemptId) -> Result<(), Error> {
        let run = self.store().run(id.run, &Sight::EVERYTHING).await?;
        if run.as_ref().and_then(|run| run.attempt(id)).is_some_and(|attempt| attempt.stop.is_some()) {
            self.in_background(id, Self::keep_steering(self.clone(), id, Steer::Stop));
        }
        Ok(())
    }

    /// Follows an attempt to its end in the background.
    pub(crate) fn follow(&self, id: AttemptId) {
        self.in_background(id, Self::follow_until_settled(self.clone(), id));
        self.in_background(id, Self::keep_lines(self.clone(), id));
    }

    /// Keeps the places of lines up to date while an attempt prints, so that nobody who comes late waits for them. What does not work
    /// here is made up for by whoever asks for a line.
    async fn keep_lines(self, id: AttemptId) {
        let Ok(intent) = self.intent(id).await else { return };
        let Ok(mut progress) = self.engine().follow(&intent) else { return };
        loop {
            let now = *progress.borrow_and_update();
            if now.length > LONG {
                drop(self.engine().count_lines(&intent).await);
            }
            if now.done {
                return;
            }
            tokio::time::sleep(LINES_PAUSE).await;
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Closing leaves the attempt open: its shim goes on, and the next portal takes it up.
    pub(crate) fn in_background(&self, id: AttemptId, work: impl Future<Output = ()> + Send + 'static) {
        let portal = self.clone();
        self.tasks().spawn(async move {
            tokio::select! {
                () = work => {}
                () = portal.closing() => tracing::debug!(attempt.id = %id, "let go of an attempt that goes on"),
            }
        });
    }

    /// A database that is busy or full for a while is no reason to let go: marks that were recorded before are not recorded
    /// again, so that everything can be tried once more.
    async fn follow_until_settled(self, id: AttemptId) {
        let mut pauses = Pauses::new();
        while let Err(error) = self.follow_to_end(id).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                attempt.id = %id,
                "an attempt could not be followed, or its record not be written; it is tried again"
            );
            pauses.pause().await;
        }
    }

    /// Stops an attempt that runs. Of one that has ended, ends what it has left behind, and gives what cannot be ended.
    async fn stop(&self, run: &Run, id: AttemptId) -> Option<Vec<String>> {
        if !run.attempt(id).is_some_and(Attempt::left_something) {
            self.steer(id, Steer::Stop).await;
            return None;
        }
        Some(self.engine().stop_survivors(&run.intent(id)?).await)
    }

    /// The same, and records what came of it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with the names of what cannot be ended; [`Error::Unrecorded`] while the database cannot be written.
    pub(crate) async fn stop_and_note(&self, run: &Run, id: AttemptId) -> Result<(), Error> {
        let Some(left) = self.stop(run, id).await else { return Ok(()) };
        match self.note_rest(id, left.clone()).await {
            Err(error) if error.is_of_the_store() => {
                self.in_background(id, Self::keep_noting_rest(self.clone(), id, left));
                Err(Error::Unrecorded(
                    "What was still running was ended as far as that can be done. The database cannot be written, so that this \
                     is not recorded yet; it will be as soon as the database can be written again.",
                ))
            }
            noted => noted.and_then(|()| tell_rest(&left)),
        }
    }

    async fn note_rest(&self, id: AttemptId, left: Vec<String>) -> Result<(), Error> {
        let ended = Command::EndSurvivors { step: id.step, attempt: id.attempt, left };
        self.decide(id.run, &ended, &Who::Portal).await.map(drop)
    }

    async fn keep_noting_rest(self, id: AttemptId, left: Vec<String>) {
        let mut pauses = Pauses::new();
        while self.note_rest(id, left.clone()).await.is_err_and(|error| error.is_of_the_store()) {
            pauses.pause().await;
        }
    }

    /// A stop does not wait for a database that cannot be written: the shim is told, and it is recorded as soon as it can be.
    ///
    /// # Errors
    ///
    /// [`Error::Unrecorded`] when it was done; the failure itself when it was not, because the gate could not be asked; and
    /// what the gate refuses.
    pub(crate) async fn stop_unrecorded(
        &self,
        id: AttemptId,
        command: Command,
        who: Who,
        failure: Error,
    ) -> Result<(), Error> {
        let run = match self.would_decide(id.run, &command, &who).await {
            Err(error) if error.is_of_the_store() => return Err(failure),
            decided => decided?,
        };
        // First of all the step: what is recorded may have to wait for others.
        let left = self.stop(&run, id).await;
        tracing::warn!(error = &failure as &dyn std::error::Error, attempt.id = %id, "a stop could not be recorded yet");
        // Who asked first stays in the record.
        self.unrecorded().await.entry(id).or_insert((command, who));
        self.in_background(id, Self::keep_recording(self.clone(), id, left));
        Err(Error::Unrecorded(
            "The step was asked to stop. The database cannot be written, so that this is not recorded yet; it will be as soon \
             as the database can be written again.",
        ))
    }

    /// First that somebody has asked, then what came of it.
    async fn keep_recording(self, id: AttemptId, left: Option<Vec<String>>) {
        let mut pauses = Pauses::new();
        while self.record_late(id).await.is_err() {
            pauses.pause().await;
        }
        if let Some(left) = left {
            self.keep_noting_rest(id, left).await;
        }
    }

    /// Records what was done in an attempt while the database could not be written. It comes before the attempt's end.
    async fn record_late(&self, id: AttemptId) -> Result<(), Error> {
        // Held to the end: the record of the attempt's own end waits for it.
        let mut unrecorded = self.unrecorded().await;
        let Some((command, who)) = unrecorded.get(&id).cloned() else { return Ok(()) };
        match self.decide(id.run, &command, &who).await {
            Err(error) if error.is_of_the_store() => return Err(error),
            // It is recorded already, or the attempt has come to its end without it.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, attempt.id = %id, "a stop is not recorded");
            }
            Ok(_) => {}
        }
        unrecorded.remove(&id);
        Ok(())
    }

    /// Asks something of a shim. When it does not hear now although it lives, it is asked again in the background.
    pub(crate) async fn steer(&self, id: AttemptId, steer: Steer) {
        if !self.is_heard(id, steer.clone()).await {
            self.in_background(id, Self::keep_steering(self.clone(), id, steer));
        }
    }

    async fn keep_steering(self, id: AttemptId, steer: Steer) {
        let mut pauses = Pauses::new();
        while !self.is_heard(id, steer.clone()).await {
            pauses.pause().await;
        }
    }

    /// Whether a shim has answered, or is not there to answer any more: its record tells the rest.
    async fn is_heard(&self, id: AttemptId, steer: Steer) -> bool {
        let error = match self.engine().steer(&id, steer).await {
            Ok(()) => return true,
            Err(error) => error,
        };
        let lives = match self.intent(id).await {
            Ok(intent) => self.engine().inspect(&intent).is_ok_and(|found| found == Inspection::Running),
            // A database that cannot be read now says nothing about the shim.
            Err(error) => error.is_of_the_store(),
        };
        tracing::warn!(error = &error as &dyn std::error::Error, attempt.id = %id, "a shim did not do what it was asked");
        !lives || matches!(error, SteerError::Refused(_))
    }

    async fn follow_to_end(&self, id: AttemptId) -> Result<(), Error> {
        let intent = self.intent(id).await?;
        let mut pauses = Pauses::new();
        for _ in 0..SHIMS {
            let noted = self.follow_marks(&intent).await?;
            if !self.take_up(&intent).await? {
                return self.settle(&intent, noted).await;
            }
            // Whoever did that went with the shim that has died.
            self.in_background(id, Self::keep_lines(self.clone(), id));
            pauses.pause().await;
        }
        let noted = self.follow_marks(&intent).await?;
        self.settle(&intent, noted).await
    }

    /// Records the marks of an attempt until its shim has gone; gives their number.
    async fn follow_marks(&self, intent: &Intent) -> Result<usize, Error> {
        let mut noted = 0;
        if let Ok(mut progress) = self.engine().follow(intent) {
            loop {
                let done = progress.borrow_and_update().done;
                noted = self.note_marks(intent, noted).await?;
                if done || progress.changed().await.is_err() {
                    break;
                }
            }
        }
        Ok(noted)
    }

    /// Whether a step that runs on at its target, although its shim has died, has got another shim that follows it there. Nothing
    /// is run again by that.
    async fn take_up(&self, intent: &Intent) -> Result<bool, Error> {
        if !self.engine().is_abandoned(intent)? {
            return Ok(false);
        }
        let run = self.store().run(intent.id.run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
        if run.plan.target.reach.is_local() {
            return Ok(false);
        }
        let secrets = match self.secrets_for(&run, intent.id).await {
            Ok(secrets) => secrets,
            // The values of files there cannot be read before there is a way again.
            Err(error) if self.is_away(&run).await => return Err(error),
            // Without the secrets as they were, what it prints could not be masked.
            Err(_) => return Ok(false),
        };
        // Whoever asked it to stop was not heard any more.
        let stop = run.attempt(intent.id).is_some_and(|attempt| attempt.stop.is_some());
        let resumed = self.engine().resume(intent.clone(), secrets, stop).await;
        match &resumed {
            Ok(()) => {
                tracing::warn!(attempt.id = %intent.id, "the shim of a step at a target had died; another one follows it");
            }
            Err(error) => {
                let error = error as &dyn std::error::Error;
                tracing::error!(error, attempt.id = %intent.id, "a step at a target could not be followed again");
            }
        }
        Ok(resumed.is_ok())
    }

    /// Whether there is no way to the target of a run now.
    async fn is_away(&self, run: &Run) -> bool {
        let nothing = Probe { script: "true\n", arguments: Vec::new() };
        self.engine().probe(&run.plan.target.reach, &nothing).await.is_err()
    }

    /// What was recorded of an attempt before anything of it ran: the measure of whatever is found in its folder.
    pub(crate) async fn intent(&self, id: AttemptId) -> Result<Intent, Error> {
        let run = self.store().run(id.run, &Sight::EVERYTHING).await?;
        run.and_then(|run| run.intent(id)).ok_or(Error::NotFound)
    }

    /// Records the marks from one on; gives the number of the next.
    async fn note_marks(&self, intent: &Intent, from: usize) -> Result<usize, Error> {
        let id = intent.id;
        let marks = self.engine().marks(intent, from)?;
        let next = from + marks.len();
        for mark in marks {
            self.decide(id.run, &Command::Note { step: id.step, attempt: id.attempt, mark }, &Who::Portal).await?;
        }
        Ok(next)
    }

    async fn settle(&self, intent: &Intent, noted: usize) -> Result<(), Error> {
        let id = intent.id;
        self.record_late(id).await?;
        match self.engine().inspect(intent)? {
            Inspection::Ended(exit) => {
                self.note_marks(intent, noted).await?;
                let settle = Command::Settle { step: id.step, attempt: id.attempt, exit };
                let decided = self.decide(id.run, &settle, &Who::Portal).await?;
                self.begin_checks(&decided);
            }
            Inspection::Running => return Err(Error::Broken("following an attempt")),
            Inspection::Interrupted { reason } => {
                self.note_marks(intent, noted).await?;
                self.interrupt(id, reason).await?;
            }
            // Its files are gone, but what was recorded of it was run.
            Inspection::NeverStarted if self.has_begun(id).await? => {
                let reason = "The files of this attempt are gone. What it has done since the last record is not known.";
                self.interrupt(id, reason.to_owned()).await?;
            }
            Inspection::NeverStarted => {
                if let Some(trouble) = self.engine().trouble(&id) {
                    tracing::error!(attempt.id = %id, "a shim could not begin: {trouble}");
                }
                self.interrupt(
                    id,
                    "The process that runs the step ended before it began. Nothing of it was run.".to_owned(),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// Whether a command of the attempt is known to have begun.
    async fn has_begun(&self, id: AttemptId) -> Result<bool, Error> {
        let run = self.store().run(id.run, &Sight::EVERYTHING).await?;
        Ok(run.is_some_and(|run| run.has_begun(id)))
    }

    async fn interrupt(&self, id: AttemptId, reason: String) -> Result<(), Error> {
        let intent = self.intent(id).await?;
        let stored = self.engine().digest(&id).await;
        let bytes = stored.as_ref().map_or_else(|_| self.engine().length(&id), |(bytes, _)| *bytes);
        let output = stored.ok().map(|(_, digest)| digest);
        let survivors = self.engine().survivors(&intent).await;
        let interrupt = Command::Interrupt { step: id.step, attempt: id.attempt, reason, bytes, output, survivors };
        self.decide(id.run, &interrupt, &Who::Portal).await.map(drop)
    }
}

/// What a person is told about what cannot be ended.
fn tell_rest(left: &[String]) -> Result<(), Error> {
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{} cannot be ended: the system holds it. The rest was ended; look at the machine.",
        left.join(", ")
    )))
}

/// What the shim is told: the very work whose digest the intent names.
fn spec(run: &Run, id: AttemptId, who: &Who) -> Option<Spec> {
    let attempt = run.attempt(id)?;
    let work = run.work(id.step, &attempt.commands, who)?;
    Some(Spec { v: FORMAT, id, digest: attempt.digest.clone(), work })
}
