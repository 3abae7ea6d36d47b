//! The one way in which a run changes: facts gathered, decided and recorded in one transaction, then told.

use domain::attempt::Condition;
use domain::policy::Actor;
use domain::run::{Command, Entry, Event, Facts, Holder, Run, Who, decide};
use domain::{ActionKey, AttemptId, Risk, RunId};
use store::Write;

use crate::secrets::Versions;
use crate::{Error, Portal, values};

/// What came of a decision.
#[derive(Debug)]
pub(crate) struct Decided {
    /// The run as it stands now.
    pub run: Run,
    /// What was recorded; may be empty.
    pub entries: Vec<Entry>,
}

impl Decided {
    /// The attempt whose intent is among the entries.
    pub fn intent(&self) -> Option<AttemptId> {
        self.entries.iter().find_map(|entry| match entry.event {
            Event::AttemptStarted { step, attempt, .. } => Some(AttemptId { run: self.run.id, step, attempt }),
            _ => None,
        })
    }
}

impl Portal {
    /// Decides and records. Nobody else writes runs.
    pub(crate) async fn decide(&self, run: RunId, command: &Command, who: &Who) -> Result<Decided, Error> {
        // Files are slow, or hang: whoever waits for them does not hold the one writer.
        let secrets = self.secrets_before(run, command).await?;
        let mut write = self.store().begin().await?;
        let state = write.load(run).await?.ok_or(Error::NotFound)?;
        let facts = Facts { secrets, ..self.facts(&mut write, Some(&state), command, who).await? };
        let (decided, lost) = match decide(Some(&state), command, who, &facts) {
            Ok(events) => {
                let lost = self.release(&mut write, run, &events, who).await?;
                (self.record(&mut write, Some(state), run, &events, who).await?, lost)
            }
            Err(refusal) => {
                self.note_refusal(&mut write, Some(run), &refusal, who).await?;
                write.commit().await?;
                return Err(refusal.into());
            }
        };
        if let Err(error) = write.commit().await {
            self.read_back(&decided, error).await?;
        }
        self.live().tell(run, decided.run.version);
        if let Some(lost) = lost {
            self.live().tell(lost.run.id, lost.run.version);
        }
        Ok(decided)
    }

    /// The run that held the lock until now is told in the same transaction, before another one holds it.
    async fn release(
        &self,
        write: &mut Write,
        to: RunId,
        events: &[Event],
        who: &Who,
    ) -> Result<Option<Decided>, Error> {
        let taken = events.iter().find_map(|event| match event {
            Event::LockTaken { from: Some(from), reason, .. } => Some((*from, reason.clone())),
            _ => None,
        });
        let Some((from, reason)) = taken else { return Ok(None) };
        let state = write.load(from).await?.ok_or(Error::NotFound)?;
        let lose = Command::LoseLock { to, by: who.name().to_owned(), reason };
        let facts = self.facts(write, Some(&state), &lose, &Who::Portal).await?;
        let events = decide(Some(&state), &lose, &Who::Portal, &facts)?;
        Ok(Some(self.record(write, Some(state), from, &events, &Who::Portal).await?))
    }

    /// The run to which the gate would let this happen now, by what can be read while nobody can write: the person as their
    /// account stood when this request came in. Nothing is recorded.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub(crate) async fn would_decide(&self, run: RunId, command: &Command, who: &Who) -> Result<Run, Error> {
        let state = self.store().run(run).await?.ok_or(Error::NotFound)?;
        let standing = match who {
            Who::Person(actor) => Some(actor.role),
            Who::Portal => None,
        };
        decide(Some(&state), command, who, &Facts::alone(self.now(), standing))?;
        Ok(state)
    }

    /// The secrets of a run in which something is to be started. Its plan never changes.
    async fn secrets_before(&self, run: RunId, command: &Command) -> Result<Versions, Error> {
        let Command::RunCommands { .. } = command else { return Ok(Versions::new()) };
        let state = self.store().run(run).await?.ok_or(Error::NotFound)?;
        self.secret_versions(&state.plan).await
    }

    /// After a failed commit nobody knows whether the events are stored: they are looked for before anything is answered.
    ///
    /// # Errors
    ///
    /// The failure itself when they are not there; [`Error::Unsure`] when that cannot be seen either. An intent that may be
    /// stored is followed in any case: it must not stay without an end.
    async fn read_back(&self, decided: &Decided, failure: store::Error) -> Result<(), Error> {
        let (run, before) = (decided.run.id, decided.run.version - decided.entries.len() as u64);
        match self.store().entries(run, before).await {
            Ok(stored) if stored.starts_with(&decided.entries) => Ok(()),
            Ok(_) => Err(failure.into()),
            Err(error) => {
                if let Some(id) = decided.intent() {
                    self.follow(id);
                }
                Err(Error::Unsure(error))
            }
        }
    }

    /// Creates a run, or finds the one that the same key has created.
    pub(crate) async fn create(&self, key: &ActionKey, command: &Command, actor: &Actor) -> Result<RunId, Error> {
        let who = Who::Person(actor.clone());
        let mut write = self.store().begin().await?;
        if let Some(run) = write.run_by_key(key).await? {
            return Ok(run);
        }
        let facts = self.facts(&mut write, None, command, &who).await?;
        let events = match decide(None, command, &who, &facts) {
            Ok(events) => events,
            Err(refusal) => {
                self.note_refusal(&mut write, None, &refusal, &who).await?;
                write.commit().await?;
                return Err(refusal.into());
            }
        };
        let run = write.next_run().await?;
        self.record(&mut write, None, run, &events, &who).await?;
        write.remember_key(key, run, &actor.id, facts.now).await?;
        match write.commit().await {
            Ok(()) => Ok(run),
            Err(failure) => match self.store().run_by_key(key).await {
                Ok(Some(run)) => Ok(run),
                Ok(None) => Err(failure.into()),
                Err(error) => Err(Error::Unsure(error)),
            },
        }
    }

    async fn record(
        &self,
        write: &mut Write,
        state: Option<Run>,
        run: RunId,
        events: &[Event],
        who: &Who,
    ) -> Result<Decided, Error> {
        let (run, entries) = write.append(state, run, who, self.now(), events).await?;
        Ok(Decided { run, entries })
    }

    async fn facts(&self, write: &mut Write, run: Option<&Run>, command: &Command, who: &Who) -> Result<Facts, Error> {
        let standing = match who {
            Who::Person(actor) => write.standing(&actor.id).await?,
            Who::Portal => None,
        };
        let misfits = match (command, run) {
            (Command::Start { plan, values, .. }, _) => values::misfits(plan, values),
            (Command::SetValue { name, value }, Some(run)) => {
                values::misfits(&run.plan, &[(name.clone(), value.clone())].into())
            }
            _ => Vec::new(),
        };
        let lock = match run.filter(|run| asks_for_the_lock(run, command)) {
            Some(run) => holder(write, run).await?,
            None => None,
        };
        let condition = self.condition(command, run);
        Ok(Facts { misfits, lock, condition, ..Facts::alone(self.now(), standing) })
    }

    /// What the command is found to be doing that something is to be sent to.
    fn condition(&self, command: &Command, run: Option<&Run>) -> Condition {
        match (command, run) {
            (Command::SendInput { step, attempt, .. }, Some(run)) => {
                self.found(run, AttemptId { run: run.id, step: *step, attempt: *attempt })
            }
            _ => Condition::default(),
        }
    }

    /// What the command that runs in an attempt is found to be doing.
    pub(crate) fn found(&self, run: &Run, id: AttemptId) -> Condition {
        let progress = run.intent(id).and_then(|intent| self.engine().follow(&intent).ok());
        progress.map(|progress| progress.borrow().condition).unwrap_or_default()
    }

    /// A refusal to a person is an event of the audit chain; one to the shim is nothing.
    async fn note_refusal(
        &self,
        write: &mut Write,
        run: Option<RunId>,
        refusal: &domain::run::Refusal,
        who: &Who,
    ) -> Result<(), Error> {
        let Who::Person(_) = who else { return Ok(()) };
        let body = serde_json::json!({ "run": run, "refusal": refusal.to_string() });
        Ok(write.audit(Some(who), self.now(), "refused", body).await?)
    }
}

/// Whether it matters to a command who holds the lock: another run is only looked at then.
fn asks_for_the_lock(run: &Run, command: &Command) -> bool {
    match command {
        Command::TakeLock { .. } => true,
        Command::RunCommands { step, .. } => run.plan.step(*step).is_some_and(|step| step.risk >= Risk::Disrupts),
        _ => false,
    }
}

/// The other run that keeps the target of a run to itself.
async fn holder(write: &mut Write, run: &Run) -> Result<Option<Holder>, Error> {
    let Some(id) = write.lock_holder(&run.plan.target.name).await?.filter(|id| *id != run.id) else { return Ok(None) };
    let Some(other) = write.load(id).await? else { return Ok(None) };
    let usual = write.usual(&other.plan.slug).await?.map(|usual| usual.high_ms);
    Ok(Holder::of(&other, usual))
}
