//! The one way in which a run changes: facts gathered, decided and recorded in one transaction, then told.

use std::collections::BTreeMap;

use domain::approval::FileIdentity;
use domain::attempt::Condition;
use domain::policy::{Actor, Sight};
use domain::run::{Command, Entry, Event, Facts, Holder, Moment, Request, Run, Who, decide};
use domain::{ActionKey, AttemptId, Risk, RunId, Timestamp};
use store::{StoredSuggestion, Write};

use crate::documents::Contents;
use crate::factors::Guess;
use crate::secrets::Versions;
use crate::seeing::sight_in;
use crate::{Error, Portal, suggesting, values};

/// The files to which approvals are bound, by path.
type BoundFiles = BTreeMap<String, Result<FileIdentity, String>>;

/// What came of a decision.
#[derive(Debug)]
pub(crate) struct Decided {
    /// The run as it stands now.
    pub run: Run,
    /// What was recorded; may be empty.
    pub entries: Vec<Entry>,
}

impl Decided {
    /// What has changed since the approval, when a start was asked for and the approval became void by it.
    pub fn voided_instead(&self, command: &Command) -> Option<String> {
        let Command::RunCommands { .. } = command else { return None };
        self.entries.iter().find_map(|entry| match &entry.event {
            Event::ApprovalVoided { why, .. } => {
                Some(why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            _ => None,
        })
    }

    /// Whether what waits for somebody, or what came of it, is not any more as it was.
    fn moves_decisions(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| matches!(entry.event, Event::Escalated { .. }) || self.run.moves_decisions(&entry.event))
    }

    /// Whether somebody may have to be called because of it, now or later.
    fn moves_escalation(&self) -> bool {
        self.entries.iter().any(|entry| self.run.moves_escalation(&entry.event))
    }

    /// The numbers of the checks whose intents are among the entries.
    pub fn checks_begun(&self) -> std::ops::Range<u32> {
        let begun = self.entries.iter().filter(|entry| matches!(entry.event, Event::CheckStarted { .. })).count();
        let next = self.run.next_check();
        next.saturating_sub(u32::try_from(begun).unwrap_or(0))..next
    }

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
        self.decide_proven(run, command, who, None).await
    }

    /// The same with a second factor that the person has handed over for it: counted, and not looked at yet.
    pub(crate) async fn decide_proven(
        &self,
        run: RunId,
        command: &Command,
        who: &Who,
        guess: Option<Guess>,
    ) -> Result<Decided, Error> {
        // The run before and after, and what is told of it, are large: they do not lie in the future of every deed.
        Box::pin(self.decide_and_record(run, command, who, guess)).await
    }

    async fn decide_and_record(
        &self,
        run: RunId,
        command: &Command,
        who: &Who,
        guess: Option<Guess>,
    ) -> Result<Decided, Error> {
        // Files are slow, or hang: whoever waits for them does not hold the one writer.
        let limits = self.limits_of(who).await;
        let (secrets, bound) = self.looked_at_before(run, command, who).await?;
        let (mut write, sight, state) = self.begun_on(run, who, &limits).await?;
        // It is recorded with the time by which it was decided: nothing is stamped as later than it was allowed.
        let now = self.moment();
        let facts = self.facts(&mut write, Some(&state), command, who, &sight, now).await?;
        let mut facts = Facts { secrets, bound, ..facts };
        facts.factor = guess.as_ref().map(|_| String::new());
        let mut decision = decide(Some(&state), command, who, &facts);
        if let (Ok(_), Some(guess)) = (&decision, guess) {
            // What would be refused anyway uses up no proof; what is accepted is recorded with it or not at all.
            facts.factor = Some(self.prove(&mut write, guess).await?.word().to_owned());
            decision = decide(Some(&state), command, who, &facts);
        }
        let (decided, lost) = match decision {
            Ok(events) => {
                let lost = self.release(&mut write, run, &events, who, now).await?;
                (self.record(&mut write, Some(state), run, &events, who, now).await?, lost)
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
        if std::iter::once(&decided).chain(&lost).any(Decided::moves_decisions) {
            self.live().tell_of_approvals();
        }
        if decided.moves_escalation() {
            self.live().tell_of_escalations();
        }
        if let Some(lost) = lost {
            self.live().tell(lost.run.id, lost.run.version);
        }
        Ok(decided)
    }

    /// Begins the transaction in which it is decided; gives what somebody sees in it, and the run as it stands there.
    async fn begun_on(&self, run: RunId, who: &Who, limits: &Contents) -> Result<(Write, Sight, Run), Error> {
        let mut write = self.store().begin().await?;
        let sight = sight_in(&mut write, who, limits).await?;
        if let Some(state) = write.load(run, &sight).await? {
            return Ok((write, sight, state));
        }
        drop(write);
        Err(self.not_there(who, run).await)
    }

    /// The run that held the lock until now is told in the same transaction, before another one holds it.
    async fn release(
        &self,
        write: &mut Write,
        to: RunId,
        events: &[Event],
        who: &Who,
        now: Moment,
    ) -> Result<Option<Decided>, Error> {
        let taken = events.iter().find_map(|event| match event {
            Event::LockTaken { from: Some(from), reason, .. } => Some((*from, reason.clone())),
            _ => None,
        });
        let Some((from, reason)) = taken else { return Ok(None) };
        // Also one that whoever takes it may not see: its people are told.
        let sight = Sight::EVERYTHING;
        let state = write.load(from, &sight).await?.ok_or(Error::NotFound)?;
        let lose = Command::LoseLock { to, by: who.name().to_owned(), reason };
        let facts = self.facts(write, Some(&state), &lose, &Who::Portal, &sight, now).await?;
        let events = decide(Some(&state), &lose, &Who::Portal, &facts)?;
        Ok(Some(self.record(write, Some(state), from, &events, &Who::Portal, now).await?))
    }

    /// The run to which the gate would let this happen now, by what can be read while nobody can write: the person as their
    /// account stood when this request came in. Nothing is recorded.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub(crate) async fn would_decide(&self, run: RunId, command: &Command, who: &Who) -> Result<Run, Error> {
        let state = self.run_to_change(who, run).await?;
        let standing = match who {
            Who::Person(actor) => Some(actor.role),
            Who::Portal => None,
        };
        decide(Some(&state), command, who, &Facts::alone(self.now(), standing))?;
        Ok(state)
    }

    /// Whether the gate would accept a decision if the factor that was handed over were right. A refusal is recorded like any
    /// other.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub(crate) async fn would_decide_proven(
        &self,
        run: RunId,
        command: &Command,
        who: &Who,
        proven: bool,
    ) -> Result<(), Error> {
        let limits = self.limits_of(who).await;
        let (mut write, sight, state) = self.begun_on(run, who, &limits).await?;
        let factor = proven.then(String::new);
        let facts = self.facts(&mut write, Some(&state), command, who, &sight, self.moment()).await?;
        let facts = Facts { factor, ..facts };
        let Err(refusal) = decide(Some(&state), command, who, &facts) else { return Ok(()) };
        self.note_refusal(&mut write, Some(run), &refusal, who).await?;
        write.commit().await?;
        Err(refusal.into())
    }

    /// What has to be looked at outside the transaction: the secrets of a run, whose plan never changes, and the files to
    /// which its approvals are bound.
    async fn looked_at_before(
        &self,
        run: RunId,
        command: &Command,
        who: &Who,
    ) -> Result<(Versions, BoundFiles), Error> {
        let starts = matches!(command, Command::RunCommands { .. });
        // Most steps need no approval, and wait for no disk.
        let bound_by = |run: &Run| match command {
            Command::RunCommands { step, commands, .. } => {
                run.requests.iter().any(|request| request.lets(*step, commands))
            }
            _ => false,
        };
        let asks = matches!(command, Command::RequestApproval { .. } | Command::BreakGlass { .. });
        if !starts && !asks {
            return Ok((Versions::new(), BoundFiles::new()));
        }
        let state = self.run_to_change(who, run).await?;
        let bound = if bound_by(&state) { Box::pin(self.look_at_bound(&state, who)).await } else { BoundFiles::new() };
        Ok((self.secret_versions(&state.plan).await?, bound))
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
    pub(crate) async fn create(
        &self,
        key: &ActionKey,
        command: &Command,
        actor: &Actor,
        suggested: Option<&StoredSuggestion>,
    ) -> Result<RunId, Error> {
        let who = Who::Person(actor.clone());
        let limits = self.limits_of(&who).await;
        let mut write = self.store().begin().await?;
        let sight = sight_in(&mut write, &who, &limits).await?;
        // Checked again inside the transaction: somebody may just have left the group.
        if matches!(command, Command::Start { plan, .. } if !sight.sees_run(plan)) {
            return Err(Error::NotFound);
        }
        if let Some(run) = write.run_by_key(key).await? {
            return Ok(run);
        }
        let now = self.moment();
        let facts = self.facts(&mut write, None, command, &who, &sight, now).await?;
        let events = match decide(None, command, &who, &facts) {
            Ok(events) => events,
            Err(refusal) => {
                self.note_refusal(&mut write, None, &refusal, &who).await?;
                write.commit().await?;
                return Err(refusal.into());
            }
        };
        let run = write.next_run().await?;
        let moves = self.record(&mut write, None, run, &events, &who, now).await?.moves_escalation();
        write.remember_key(key, run, &actor.id, facts.now).await?;
        if let Some(StoredSuggestion { id, about, .. }) = suggested {
            write.link_suggestion(run, *id).await?;
            let mut body = suggesting::told(*id, &about.alert, &about.service);
            body["run"] = run.0.into();
            write.audit(Some(&who), facts.now, "suggestion_taken", body).await?;
        }
        let committed = write.commit().await;
        // Also when it is not known: whoever looks finds it or does not.
        if moves {
            self.live().tell_of_escalations();
        }
        match committed {
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
        now: Moment,
    ) -> Result<Decided, Error> {
        let about_approval = events.iter().any(Event::is_about_approval);
        let now = if about_approval { now.expiry } else { now.clock };
        let (run, entries) = write.append(state, run, who, now, events).await?;
        for event in events {
            if let Event::OutputRedacted { number, .. } = event {
                write.note_redaction(run.id, *number).await?;
            }
        }
        self.tell_people(write, &run, &entries).await?;
        Ok(Decided { run, entries })
    }

    async fn facts(
        &self,
        write: &mut Write,
        run: Option<&Run>,
        command: &Command,
        who: &Who,
        sight: &Sight,
        moment: Moment,
    ) -> Result<Facts, Error> {
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
            Some(run) => holder(write, run, sight).await?,
            None => None,
        };
        let condition = self.condition(command, run);
        let mut standings = BTreeMap::new();
        for approver in run.iter().flat_map(|run| &run.requests).flat_map(Request::responsible) {
            if let Some(role) = write.standing(approver).await? {
                standings.insert(approver.clone(), role);
            }
        }
        let unreviewed = match (command, who) {
            (Command::BreakGlass { .. }, Who::Person(actor)) => write.unreviewed_glass_of(&actor.id).await?,
            _ => None,
        };
        let rules = self.approval_rules().clone();
        let (now, clock) = (time_for(command, moment), moment.clock);
        Ok(Facts { clock, misfits, lock, condition, standings, unreviewed, rules, ..Facts::alone(now, standing) })
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

/// Approvals run out by a time that never goes back; everything else happens when the clock says.
const fn time_for(command: &Command, now: Moment) -> Timestamp {
    match command {
        Command::RunCommands { .. }
        | Command::RequestApproval { .. }
        | Command::Grant { .. }
        | Command::Reject { .. }
        | Command::CancelApproval { .. }
        | Command::BreakGlass { .. }
        | Command::EscalateDue { .. }
        | Command::Expire { .. } => now.expiry,
        _ => now.clock,
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

/// The other run that keeps the target of a run to itself, as whoever asks may know it.
async fn holder(write: &mut Write, run: &Run, sight: &Sight) -> Result<Option<Holder>, Error> {
    let Some(id) = write.lock_holder(&run.plan.target.name).await?.filter(|id| *id != run.id) else { return Ok(None) };
    let Some(other) = write.load(id, &Sight::EVERYTHING).await? else { return Ok(None) };
    let usual = write.usual(&other.plan.slug, sight).await?.map(|usual| usual.high_ms);
    Ok(Holder::of(&other, usual, sight))
}
