//! The one way in which a run changes: facts gathered, decided and recorded in one transaction, then told.

use std::collections::BTreeMap;

use domain::policy::Actor;
use domain::run::{Command, Entry, Event, Facts, Run, Who, decide};
use domain::{ActionKey, AttemptId, RunId};
use store::Write;

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
        let mut write = self.store().begin().await?;
        let state = write.load(run).await?.ok_or(Error::NotFound)?;
        let facts = self.facts(&mut write, Some(&state), command, who).await?;
        let decided = match decide(Some(&state), command, who, &facts) {
            Ok(events) => self.record(&mut write, Some(state), run, &events, who).await?,
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
        Ok(decided)
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
        let secrets = match (command, run) {
            (Command::RunCommands { .. }, Some(run)) => self.secret_versions(&run.plan).await?,
            _ => BTreeMap::new(),
        };
        Ok(Facts { now: self.now(), standing, misfits, secrets })
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
