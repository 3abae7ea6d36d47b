//! Starting a run and acting in it.

use std::collections::BTreeMap;

use domain::attempt::Input;
use domain::policy::{Actor, Operator, Sight};
use domain::run::{Command, Refusal, Run, Who};
use domain::{ActionKey, AttemptId, RunId, Slug, SuggestionId, keyboard};
use engine::Steer;

use crate::{Error, Portal};

/// What it takes to start a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartRun {
    /// The procedure's address.
    pub slug: Slug,
    /// The target's name; empty chooses the first that the procedure may use.
    pub target: String,
    /// Why: a reason or a ticket; may be empty.
    pub reason: String,
    /// The values that are known now; empty ones count as not given.
    pub values: BTreeMap<String, String>,
    /// The same key starts the same run once.
    pub key: ActionKey,
    /// The suggestion by which it is started.
    pub suggestion: Option<SuggestionId>,
}

impl Portal {
    /// Creates a run of a procedure as the document is now. Runs nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a procedure, [`Error::Invalid`] for a target that it may not use, and what the gate refuses.
    pub async fn start_run(&self, operator: Operator<'_>, start: StartRun) -> Result<RunId, Error> {
        // The key is the person's own: nobody finds another's run by guessing it.
        let key = own_key(operator.actor(), &start.key)?;
        let sight = self.sight(operator.actor()).await?;
        if let Some(run) = self.store().run_by_key(&key).await? {
            return self.started_before(run, &start.slug, &sight).await;
        }
        let library = self.library(&sight).await?;
        let (document, procedure) = library.procedure(&start.slug).ok_or(Error::NotFound)?;
        let target = self.target(procedure, &start.target)?;
        let suggested = match start.suggestion {
            Some(id) => Some(self.suggested_for(procedure, id).await?),
            None => None,
        };
        let mut plan = Box::new(self.plan_on(document, procedure, target));
        let versions = self.secret_versions(&plan).await?;
        plan.secrets = versions.into_iter().filter_map(|(name, version)| Some((name, version.ok()?))).collect();
        let values = start.values.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let command = Command::Start { plan, reason: start.reason, values };
        let run = self.create(&key, &command, operator.actor(), suggested.as_ref()).await?;
        tracing::info!(run.id = run.0, procedure.slug = %start.slug, user.id = %operator.actor().id, "started run {run}");
        Ok(run)
    }

    /// The run that an earlier request with the same key has started.
    async fn started_before(&self, run: RunId, slug: &Slug, sight: &Sight) -> Result<RunId, Error> {
        let found = self.store().run(run, sight).await?.ok_or(Error::NotFound)?;
        if found.plan.slug == *slug {
            return Ok(run);
        }
        Err(Error::Invalid(format!(
            "This form has started run {run} of another procedure. Nothing was started; load the page again."
        )))
    }

    /// Does one thing in a run: decides, records, and only then lets the shim know.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with a sentence; the run has not changed then. [`Error::Launch`] when a step was to start and could
    /// not: that is recorded as its end.
    pub async fn act(&self, operator: Operator<'_>, run: RunId, command: Command) -> Result<(), Error> {
        let who = Who::Person(operator.actor().clone());
        let decided = match (self.decide(run, &command, &who).await, &command) {
            (Err(failure), Command::Stop { step, attempt }) if failure.is_of_the_store() => {
                let id = AttemptId { run, step: *step, attempt: *attempt };
                return self.stop_unrecorded(id, command, who, failure).await;
            }
            (Err(refused @ Error::Refused(Refusal::Unproven(_))), Command::Finish { .. }) => {
                return Err(Box::pin(self.check_before_the_end(run, &who, refused)).await);
            }
            (decided, _) => decided?,
        };
        self.begin_checks(&decided);
        if let Some(id) = decided.intent() {
            return self.launch(&decided, id, &who).await;
        }
        if let Some(why) = decided.voided_instead(&command) {
            return Err(Refusal::Void(why).into());
        }
        match command {
            Command::EndWatch { step, attempt, command } => {
                self.steer(AttemptId { run, step, attempt }, Steer::EndWatch { command }).await;
            }
            Command::Stop { step, attempt } => {
                return self.stop_and_note(&decided.run, AttemptId { run, step, attempt }).await;
            }
            Command::SendInput { step, attempt, command, input, .. } => {
                return self.send_input(&decided.run, AttemptId { run, step, attempt }, command, input).await;
            }
            Command::Abort { .. } => {
                if let Some(open) = decided.run.open_attempt() {
                    return self.stop_and_note(&decided.run, open).await;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Portal {
    /// Hands something to the shim. It is not tried again: an answer that comes late might answer another question.
    async fn send_input(&self, run: &Run, id: AttemptId, command: u32, input: Input) -> Result<(), Error> {
        let steer = match input {
            Input::Line { text } => Steer::Input { command, line: text },
            Input::Key { key } => Steer::Key { command, key },
            Input::Keys { strokes } => {
                let modes = self.found(run, id).modes_of(command);
                Steer::Keys { command, bytes: keyboard::bytes(&strokes, modes) }
            }
        };
        self.engine().steer(&id, steer).await.map_err(|error| {
            Error::Invalid(format!(
                "The input did not reach the command: {error}. Look at what it prints, and send it again."
            ))
        })
    }
}

/// The longest key of a form, in bytes.
const KEY_LIMIT: usize = 200;

/// A key that belongs to one person alone.
fn own_key(actor: &Actor, key: &ActionKey) -> Result<ActionKey, Error> {
    let length = key.as_str().len();
    if length == 0 || length > KEY_LIMIT {
        return Err(Error::Invalid(format!(
            "The request's key has {length} bytes, and 1 to {KEY_LIMIT} are allowed. Nothing was started; load the page again."
        )));
    }
    Ok(ActionKey(format!("{}/{key}", actor.id)))
}
