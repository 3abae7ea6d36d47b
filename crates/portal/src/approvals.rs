//! Asking for approval, deciding, and what pages show about it.

mod waiting;

use domain::factor::Proof;
use domain::policy::{Actor, Approver, Operator, Sight, Viewer};
use domain::run::{Command, Request, Run, Wanted, Who, again, compared};
use domain::view::{ApprovalGround, ApprovalRow, DecisionView, EarlierRun, InboxView, LastApproved, Rejection};
use domain::{RunId, Timestamp};

use crate::{Error, Portal};

/// Requests on the page of the inbox.
const WAITING: u32 = 100;
const RECENT: u32 = 20;

/// Earlier runs and rejections that a decision shows.
const RUNS: u32 = 5;

/// Runs of a procedure in which a rejection of one of its steps still says something.
const LATELY: u32 = 20;

/// Requests that are marked as expired at once.
const AT_ONCE: u32 = 100;

/// A clock that jumps is looked at again after so long.
const LONGEST_SLEEP: std::time::Duration = std::time::Duration::from_mins(1);

/// A second factor as it was handed over, and in which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The session: a passkey answers what was asked in it.
    pub session: String,
    /// The proof.
    pub proof: Proof,
}

/// What a lead decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Approve {
        /// Whether one retry of the same bytes is approved, too.
        retry: bool,
        /// Whether the document's rollback is approved, too.
        rollback: bool,
        /// A comment; may be empty.
        comment: String,
    },
    /// No, and why.
    Reject {
        /// Why.
        reason: String,
    },
}

impl Portal {
    /// Asks leads to approve commands of a run. What there is to see about them is collected first, by looking only.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub async fn request_approval(
        &self,
        operator: Operator<'_>,
        run: RunId,
        request: u32,
        wanted: Vec<Wanted>,
        reason: String,
    ) -> Result<(), Error> {
        let who = Who::Person(operator.actor().clone());
        let state = self.run_to_change(&who, run).await?;
        let evidence = Box::new(Box::pin(self.evidence(&state, &wanted, &who)).await?);
        let command = Command::RequestApproval { request, wanted, reason, evidence };
        self.decide(run, &command, &who).await.map(drop)
    }

    /// Decides a request, either way by a second factor, which is used up by it.
    ///
    /// # Errors
    ///
    /// What the gate refuses, and [`Error::Invalid`] when the factor is wrong.
    pub async fn decide_approval(
        &self,
        approver: Approver<'_>,
        run: RunId,
        request: u32,
        decision: Decision,
        proof: Option<Handed>,
    ) -> Result<(), Error> {
        let command = match decision {
            Decision::Approve { retry, rollback, comment } => Command::Grant { request, retry, rollback, comment },
            Decision::Reject { reason } => Command::Reject { request, reason },
        };
        self.prove_and_decide(approver.actor(), run, &command, proof).await
    }

    /// Lets commands start without an approval, by who may do so in an emergency.
    ///
    /// # Errors
    ///
    /// What the gate refuses, and [`Error::Invalid`] when the factor is wrong.
    pub async fn break_glass(
        &self,
        operator: Operator<'_>,
        run: RunId,
        request: u32,
        wanted: Vec<Wanted>,
        reason: String,
        proof: Option<Handed>,
    ) -> Result<(), Error> {
        let command = Command::BreakGlass { request, wanted, reason };
        self.prove_and_decide(operator.actor(), run, &command, proof).await
    }

    /// Reviews what somebody else started without an approval.
    ///
    /// # Errors
    ///
    /// What the gate refuses.
    pub async fn review_glass(
        &self,
        approver: Approver<'_>,
        run: RunId,
        request: u32,
        comment: String,
    ) -> Result<(), Error> {
        let who = Who::Person(approver.actor().clone());
        self.decide(run, &Command::ReviewGlass { request, comment }, &who).await.map(drop)
    }

    pub(crate) async fn prove_and_decide(
        &self,
        actor: &Actor,
        run: RunId,
        command: &Command,
        proof: Option<Handed>,
    ) -> Result<(), Error> {
        let who = Who::Person(actor.clone());
        // Nobody loses a try for a decision that would be refused in any case.
        self.would_decide_proven(run, command, &who, proof.is_some()).await?;
        let proven = async {
            let guess = match proof {
                Some(Handed { session, proof }) => Some(self.guess(&actor.id, &session, proof).await?),
                None => None,
            };
            self.decide_proven(run, command, &who, guess).await.map(drop)
        };
        let outcome = proven.await;
        // What the gate refuses it records itself; that somebody could not prove who they are belongs into the record as well.
        if let Err(Error::Invalid(_)) = &outcome {
            self.note_refused(actor, "second_factor").await?;
        }
        outcome
    }

    /// What waits for a decision, and what was decided.
    pub async fn inbox(&self, viewer: Viewer<'_>) -> Result<InboxView, Error> {
        let (now, sight) = (self.expiry_now(), self.sight(viewer.actor()).await?);
        Ok(InboxView {
            now,
            waiting: self.store().waiting_approvals(now, WAITING, &sight).await?,
            redactions: self.waiting_redactions(WAITING, &sight).await?,
            unreviewed: self.store().unreviewed_glass(WAITING, &sight).await?,
            recent: self.store().recent_approvals(now, RECENT, &sight).await?,
        })
    }

    /// The requests that somebody could decide now, the one that expires first first.
    pub(crate) async fn decidable(
        &self,
        viewer: Viewer<'_>,
        limit: usize,
        sight: &Sight,
    ) -> Result<Vec<ApprovalRow>, Error> {
        let now = self.expiry_now();
        let mut rows = Vec::new();
        for row in self.store().waiting_approvals(now, WAITING, sight).await? {
            if rows.len() == limit {
                break;
            }
            let Some(run) = self.store().run(row.run, sight).await? else { continue };
            if self.cannot_decide(viewer.actor(), &run, row.request, now).is_none() {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// How many requests and redactions wait for a decision, of those that somebody sees.
    async fn count_waiting(&self, sight: &Sight) -> Result<u32, Error> {
        let requests = self.store().count_waiting(self.expiry_now(), sight).await?;
        Ok(requests.saturating_add(self.store().count_waiting_redactions(sight).await?))
    }

    /// The page of a request.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a request.
    pub async fn decision(&self, viewer: Viewer<'_>, run: RunId, number: u32) -> Result<DecisionView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let state = self.store().run(run, &sight).await?.ok_or(Error::NotFound)?;
        let request = state.request(number).ok_or(Error::NotFound)?;
        let now = self.expiry_now();
        let factors = self.factors(&viewer.actor().id).await?;
        Ok(DecisionView {
            now,
            number,
            status: state.request_status(request, now),
            start_until: state.start_until(request),
            cannot: self.cannot_decide(viewer.actor(), &state, number, now),
            factors,
            last: self.last_approved(&state, request, &sight).await?,
            rejections: self.rejections(&state, (number, request), &sight).await?,
            runs: self.earlier_runs(&state, &sight).await?,
            run: Box::new(state),
        })
    }

    /// Why a person could not approve a request now, by what the gate would say to a right code.
    fn cannot_decide(&self, actor: &Actor, run: &Run, request: u32, now: Timestamp) -> Option<String> {
        let grant = Command::Grant { request, retry: false, rollback: false, comment: String::new() };
        let facts = domain::run::Facts {
            factor: Some(String::new()),
            rules: self.approval_rules().clone(),
            ..domain::run::Facts::alone(now, Some(actor.role))
        };
        let refused = domain::run::decide(Some(run), &grant, &Who::Person(actor.clone()), &facts).err()?;
        Some(Error::Refused(refused).sentence())
    }

    async fn last_approved(&self, run: &Run, request: &Request, sight: &Sight) -> Result<Option<LastApproved>, Error> {
        let Some((id, number)) = self.store().last_used_approval(&run.plan.slug, run.id, sight).await? else {
            return Ok(None);
        };
        let Some(earlier) = self.store().run(id, sight).await? else { return Ok(None) };
        let Some(before) = earlier.request(number) else { return Ok(None) };
        let by = names(before).join(", ");
        let differences = compared((&earlier.plan, before), (&run.plan, request));
        Ok(before.approved_at().map(|at| LastApproved { run: id, at, by, differences }))
    }

    async fn rejections(
        &self,
        run: &Run,
        (number, request): (u32, &Request),
        sight: &Sight,
    ) -> Result<Vec<Rejection>, Error> {
        let lately = self.store().last_of(&run.plan.slug, LATELY, sight).await?;
        let since = lately.iter().map(|row| row.id).min().unwrap_or(run.id);
        let mut rejections = Vec::new();
        for row in self.store().rejections(request, (&run.plan.slug, since), LATELY, sight).await? {
            if (row.run, row.request) == (run.id, number) {
                continue;
            }
            let Some(earlier) = self.store().run(row.run, sight).await? else { continue };
            let Some(rejected) = earlier.request(row.request) else { continue };
            if let Some(again) = again((&earlier.plan, rejected), (&run.plan, request)) {
                let reason = rejected.rejected_because().unwrap_or_default().to_owned();
                rejections.push(Rejection { row, again, reason });
            }
            if rejections.len() == RUNS as usize {
                break;
            }
        }
        Ok(rejections)
    }

    async fn earlier_runs(&self, run: &Run, sight: &Sight) -> Result<Vec<EarlierRun>, Error> {
        let mut earlier = Vec::new();
        let rows = self.store().last_of(&run.plan.slug, RUNS + 1, sight).await?;
        for row in rows.into_iter().filter(|row| row.id != run.id).take(RUNS as usize) {
            let run = self.store().run(row.id, sight).await?;
            let mut approved_by: Vec<String> = run.iter().flat_map(|run| &run.requests).flat_map(names).collect();
            approved_by.sort();
            approved_by.dedup();
            earlier.push(EarlierRun { row, approved_by });
        }
        Ok(earlier)
    }

    /// What a run's page needs to know about approvals.
    pub(crate) async fn approval_ground(&self, viewer: Viewer<'_>, sight: &Sight) -> Result<ApprovalGround, Error> {
        Ok(ApprovalGround {
            factors: self.factors(&viewer.actor().id).await?,
            now: self.expiry_now(),
            rules: self.approval_rules().clone(),
            usual_ms: self.store().usual_decision(sight).await?,
        })
    }

    /// Marks requests as expired when their time is over. A decision does not wait for that: it looks at the clock itself.
    pub(crate) async fn keep_expiring(self) {
        let mut changes = self.live().approvals();
        loop {
            if let Err(error) = self.expire_overdue().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "requests for approval could not be marked as expired"
                );
            }
            let next = self.store().next_expiry(self.expiry_now()).await.ok().flatten();
            // A moment after it: until then it still holds.
            let left = |at: Timestamp| std::time::Duration::from_millis(at.since(self.expiry_now()) + 1);
            let left = next.map_or(LONGEST_SLEEP, left);
            tokio::select! {
                () = tokio::time::sleep(left.min(LONGEST_SLEEP)) => {}
                told = changes.changed() => if told.is_err() { return },
                () = self.closing() => return,
            }
        }
    }

    async fn expire_overdue(&self) -> Result<(), Error> {
        for (run, request) in self.store().overdue_approvals(self.expiry_now(), AT_ONCE).await? {
            self.decide(run, &Command::Expire { request }, &Who::Portal).await?;
        }
        Ok(())
    }
}

/// Who approved a request, by name.
fn names(request: &Request) -> Vec<String> {
    request.approvals.iter().map(|approval| approval.stamp.by.name().to_owned()).collect()
}
