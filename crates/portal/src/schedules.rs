//! Schedules: runs that are started when they are due, and in which what reads runs without a person.
//!
//! A schedule starts a run as its owner, who has to be there and to have the right at that moment. The gate lets it run commands that
//! read, and nothing else; everything else waits in the run for a person. What was missed is shown and not caught up, and nothing is
//! taken up again after the portal's own death.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::policy::{Actor, Role, Scope, Sight, Token};
use domain::run::{Command, Who};
use domain::runbook::{Procedure, Schedule};
use domain::schedule::{Cron, Zone};
use domain::view::{Missed, ScheduleView};
use domain::{ActionKey, RunId, Slug, Timestamp, TokenId};
use serde_json::json;
use store::StoredSchedule;

use crate::documents::Library;
use crate::{Error, Portal, StartRun};

/// The documents are looked at so often, also when nothing is due.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What is later than so many milliseconds was missed: somebody who waited for it has begun without.
const GRACE_MS: u64 = 60_000;

/// The pause between looks at a run that goes on by itself.
const PACE: Duration = Duration::from_millis(250);

impl Portal {
    /// Starts what is due, until the portal closes.
    pub(crate) async fn keep_schedules(self) {
        loop {
            let next = match self.look_at_schedules().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "it is not known what is due");
                    None
                }
            };
            let left = |due: Timestamp| Duration::from_millis(due.since(self.now()) + 1);
            let left = next.map_or(LOOK_AGAIN, left).min(LOOK_AGAIN);
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                () = self.closing() => return,
            }
        }
    }

    /// Starts what is due now, and notes what was missed. Gives when something is due next.
    ///
    /// # Errors
    ///
    /// When documents or store cannot be read; what is due is tried again then.
    pub async fn look_at_schedules(&self) -> Result<Option<Timestamp>, Error> {
        let _one = self.scheduling().await;
        let now = self.now();
        let contents = self.documents().current(now).await?;
        let known = self.store().schedules().await?.into_iter().map(|known| (known.slug.clone(), known));
        let mut known: BTreeMap<Slug, StoredSchedule> = known.collect();
        let mut next: Option<Timestamp> = None;
        for (procedure, schedule) in contents.scheduled() {
            let due = self.look_at(procedure, schedule, known.remove(&procedure.slug), now).await?;
            next = next.into_iter().chain(due).min();
        }
        if !known.is_empty() {
            let mut write = self.store().begin().await?;
            for slug in known.keys() {
                write.drop_schedule(slug).await?;
            }
            write.commit().await?;
        }
        Ok(next)
    }

    /// Looks at one schedule; gives when it is due next.
    async fn look_at(
        &self,
        procedure: &Procedure,
        schedule: &Schedule,
        known: Option<StoredSchedule>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let says = format!("{} {} {}", schedule.cron, schedule.zone, schedule.owner);
        let Some(mut state) = known.clone().filter(|known| known.says == says) else {
            let due = next(schedule, now);
            let run = known.and_then(|known| known.run);
            let (slug, why) = (procedure.slug.clone(), String::new());
            let begun = StoredSchedule { slug, says, due, run, missed: None, times: 0, why };
            self.keep_schedule(&begun, None).await?;
            return Ok(due);
        };
        let Some(due) = state.due.filter(|due| *due <= now) else { return Ok(state.due) };
        let outcome = if now.since(due) > GRACE_MS {
            Err("The portal was not running then.".to_owned())
        } else {
            self.start_due(procedure, schedule, due, state.run).await?
        };
        state.due = next(schedule, now);
        match &outcome {
            Ok(run) => {
                (state.run, state.missed, state.times, state.why) = (Some(*run), None, 0, String::new());
                self.keep_schedule(&state, None).await?;
                self.tasks().spawn(self.clone().go_on(*run));
            }
            Err(why) => {
                tracing::warn!(procedure.slug = %procedure.slug, "a schedule was missed: {why}");
                (state.missed, state.times, state.why) = (Some(due), state.times + 1, why.clone());
                self.keep_schedule(&state, Some(due)).await?;
                self.live().tell_of_suggestions();
            }
        }
        Ok(state.due)
    }

    /// Stores how a schedule stands; with the time for which it was missed, that is recorded as well.
    async fn keep_schedule(&self, state: &StoredSchedule, missed: Option<Timestamp>) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        write.put_schedule(state).await?;
        if let Some(due) = missed {
            let body = json!({ "procedure": state.slug, "due": due.iso(), "why": state.why });
            write.audit(None, self.now(), "schedule_missed", body).await?;
        }
        Ok(write.commit().await?)
    }

    /// Starts the run that is due; or says why there is none, in a sentence.
    async fn start_due(
        &self,
        procedure: &Procedure,
        schedule: &Schedule,
        due: Timestamp,
        last: Option<RunId>,
    ) -> Result<Result<RunId, String>, Error> {
        let slug = &procedure.slug;
        if let Some(last) = last
            && let Some(run) = self.store().run(last, &Sight::EVERYTHING).await?
            && run.end.is_none()
        {
            return Ok(Err(format!("Run {last}, which it has started before, is still open: close it.")));
        }
        let owner = match self.owner_of(procedure, schedule).await? {
            Ok(owner) => owner,
            Err(why) => return Ok(Err(why)),
        };
        let library = self.library(&self.sight(&owner).await?).await?;
        let Some((document, procedure)) = library.procedure(slug) else {
            return Ok(Err(format!("Its owner {} does not see the procedure.", schedule.owner)));
        };
        let target = match self.target(procedure, "") {
            Ok(target) => target,
            Err(error) => return Ok(Err(error.sentence())),
        };
        let parameters = self.plan_on(document, procedure, target).parameters;
        let values =
            parameters.into_iter().filter_map(|parameter| Some((parameter.name, parameter.default?))).collect();
        let start = StartRun {
            slug: slug.clone(),
            target: String::new(),
            reason: format!("Due {}, by its schedule", due.absolute()),
            values,
            key: ActionKey(format!("schedule/{slug}/{}", due.0)),
            suggestion: None,
        };
        match self.start_run(owner.operator()?, start).await {
            Ok(run) => Ok(Ok(run)),
            Err(error @ (Error::NotFound | Error::Refused(_) | Error::Invalid(_) | Error::Forbidden(_))) => {
                Ok(Err(error.sentence()))
            }
            Err(error) => Err(error),
        }
    }

    /// The schedule as it acts: in the name of its owner, as their account stands now.
    async fn owner_of(&self, procedure: &Procedure, schedule: &Schedule) -> Result<Result<Actor, String>, Error> {
        let login = schedule.owner.trim().to_lowercase();
        let found = self.store().person_by_login(&login).await?.filter(|person| person.enabled);
        let Some(person) = found else {
            return Ok(Err(format!("Its owner {} has no account, or it is disabled.", schedule.owner)));
        };
        let id = TokenId(format!("schedule:{}", procedure.slug));
        let token = Token { id, name: procedure.title.clone(), scope: Scope::Schedule };
        let owner = Actor::new(person.id, person.name, person.role).by_token(token, Role::Operator);
        if owner.operator().is_err() {
            let why = format!("Its owner {} has the role {}, and it takes an operator.", schedule.owner, person.role);
            return Ok(Err(why));
        }
        Ok(Ok(owner))
    }

    /// Runs what goes on by itself in a run, one step after the other, until something waits for a person.
    async fn go_on(self, run: RunId) {
        loop {
            match Box::pin(self.one_more(run)).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) if error.is_of_the_store() => {
                    tracing::warn!(error = &error as &dyn std::error::Error, run.id = run.0, "it is tried again");
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, run.id = run.0, "it waits for a person");
                    return;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PACE) => {}
                () = self.closing() => return,
            }
        }
    }

    /// Looks at a run that a schedule has started, and starts its next step when that only reads; whether to look again.
    async fn one_more(&self, id: RunId) -> Result<bool, Error> {
        let Some(run) = self.store().run(id, &Sight::EVERYTHING).await? else { return Ok(false) };
        let Who::Person(actor) = &run.holder.by else { return Ok(false) };
        if run.end.is_some() || !run.holder.by.is_schedule() {
            return Ok(false);
        }
        if run.open_attempt().is_some() {
            return Ok(true);
        }
        let Some((step, commands)) = run.goes_on_by_itself() else { return Ok(false) };
        let command = Command::RunCommands { step, attempt: 1, commands, confirmation: None, outage: None };
        self.act(actor.operator()?, id, command).await?;
        Ok(true)
    }

    /// What the page of a procedure says of its schedule.
    pub(crate) async fn schedule_view(&self, procedure: &Procedure) -> Result<Option<ScheduleView>, Error> {
        let Some(schedule) = &procedure.settings.schedule else { return Ok(None) };
        let known = self.store().schedules().await?.into_iter().find(|known| known.slug == procedure.slug);
        let Schedule { cron, zone, owner } = schedule.clone();
        Ok(Some(ScheduleView {
            next: next(schedule, self.now()),
            run: known.as_ref().and_then(|known| known.run),
            missed: known.and_then(missed),
            cron,
            zone,
            owner,
        }))
    }

    /// What there is to say of the schedules that somebody sees, a sentence each: what was missed, and what never is due.
    pub(crate) async fn schedule_problems(&self, library: &Library) -> Result<Vec<String>, Error> {
        let procedures = library.documents.iter().flat_map(|document| &document.procedures);
        let scheduled: Vec<(&Procedure, &Schedule)> =
            procedures.filter_map(|procedure| Some((procedure, procedure.settings.schedule.as_ref()?))).collect();
        if scheduled.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.store().schedules().await?;
        let say = |(procedure, schedule): (&Procedure, &Schedule)| {
            let title = &procedure.title;
            if Cron::parse(&schedule.cron).is_some_and(|cron| !cron.is_ever_due()) {
                return Some(format!("The schedule of “{title}” is never due: {} is no day.", schedule.cron));
            }
            let known = known.iter().find(|known| known.slug == procedure.slug)?.clone();
            let Missed { due, why, .. } = missed(known)?;
            Some(format!("“{title}” was due {} by its schedule, and no run was started. {why}", due.absolute()))
        };
        Ok(scheduled.into_iter().filter_map(say).collect())
    }
}

/// When a schedule is due next.
fn next(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    Cron::parse(&schedule.cron)?.next(&Zone::parse(&schedule.zone)?, after)
}

fn missed(known: StoredSchedule) -> Option<Missed> {
    Some(Missed { due: known.missed?, times: known.times, why: known.why })
}
