//! Suggestions: what an alert manager tells by its webhook, what people see of it, and what they do about it.
//!
//! Nothing is ever started here. An alert names no target, and its labels become values only where the pattern of a parameter
//! lets them. What the webhook may change is bounded, whoever has its token: so many suggestions are open, and so many come and go in
//! a minute; everything beyond that is counted, in memory.

mod board;

use std::collections::{BTreeMap, BTreeSet};

use domain::alert::{self, Webhook};
use domain::policy::{Actor, Operator, Sight, Suggester, Viewer};
use domain::run::Who;
use domain::runbook::Procedure;
use domain::view::{AlertView, AlertsView, Prefill, SuggestionRow};
use domain::{RunId, Slug, SuggestionId, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use store::{NewSuggestion, StoredSuggestion};

use crate::documents::Library;
use crate::{Error, Portal, values};
pub(crate) use board::Board;
use board::Change;

/// Suggestions on the start page.
const SHOWN: usize = 20;

/// The longest reason for which a suggestion is dismissed, in characters.
const REASON: usize = 1_000;

/// The longest name of an alert that its page looks for, in characters.
const NAME: usize = 200;

/// That a webhook was refused is recorded once in so many milliseconds.
const RECORDED_MS: u64 = 60_000;

/// The documents are looked at once in so many milliseconds, however many webhooks come.
const LOOKED_MS: u64 = 1_000;

/// What became of a webhook: how many things it told of by name and service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeardAlerts {
    /// Suggestions that were opened.
    pub opened: u64,
    /// Those that were open already, or dismissed.
    pub repeated: u64,
    /// Those that were closed.
    pub closed: u64,
    /// Alerts that no procedure names.
    pub unbound: u64,
    /// What suggests nothing: alerts without a name, and those for which too many suggestions are open.
    pub left_out: u64,
    /// What was not done because too much has come at once. The same webhook, sent again, does it.
    pub put_off: u64,
}

/// What the start page shows.
#[derive(Debug, Default)]
pub(crate) struct Suggestions {
    /// The newest first.
    pub rows: Vec<SuggestionRow>,
    /// What is wrong with the webhook, a sentence each.
    pub problems: Vec<String>,
}

impl Portal {
    /// Takes a webhook of alerts.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with a sentence when it is none; nothing of it counts then.
    pub async fn hear_alerts(&self, suggester: Suggester<'_>, body: &[u8]) -> Result<HeardAlerts, Error> {
        let (actor, now) = (suggester.actor(), self.now());
        let webhook = match Webhook::read(body, now) {
            Ok(webhook) => webhook,
            Err(why) => {
                self.refuse_alerts(suggester, &why.to_string()).await;
                return Err(Error::Invalid(format!("This is no webhook of alerts: {why}. Nothing of it counts.")));
            }
        };
        let mut board = self.board().await;
        self.read_standing(&mut board).await?;
        let contents = if board.looks_again(self.expiry_now(), LOOKED_MS) {
            self.documents().current(now).await?
        } else {
            self.documents().last()
        };
        let wanted = |name: &str| {
            let mut named = contents.named_by(name).peekable();
            named.peek()?;
            let labels = named.flat_map(|procedure| &procedure.settings.from_alert).map(|(_, label)| label.clone());
            Some(labels.collect::<Wanted>())
        };
        board.accepted(actor, &webhook, now);
        let (heard, changes) = board.hear(webhook, wanted, now, self.expiry_now());
        if !changes.is_empty() || board.is_to_be_written(self.expiry_now()) {
            let written = self.write_down(&mut board, actor, changes, now).await;
            if let Err(error) = written {
                board.forget();
                return Err(error);
            }
        }
        drop(board);
        if heard.opened + heard.closed > 0 {
            tracing::info!(suggestions.opened = heard.opened, suggestions.closed = heard.closed, "heard of alerts");
            self.live().tell_of_suggestions();
        }
        Ok(heard)
    }

    /// Notes that a webhook was refused, for the pages and for the record.
    pub async fn refuse_alerts(&self, suggester: Suggester<'_>, why: &str) {
        let (actor, now) = (suggester.actor(), self.now());
        let recorded = {
            let mut board = self.board().await;
            board.refused(actor, why, now);
            board.records_again(self.expiry_now(), RECORDED_MS)
        };
        tracing::warn!(user.id = %actor.id, "refused a webhook of alerts: {why}");
        if !recorded {
            return;
        }
        if let Err(error) = self.record_of_alerts(actor, "alerts_refused", json!({ "why": why })).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a refused webhook could not be recorded");
        }
    }

    async fn record_of_alerts(&self, actor: &Actor, kind: &str, body: Value) -> Result<(), Error> {
        let mut write = self.store().begin().await?;
        write.audit(Some(&Who::Person(actor.clone())), self.now(), kind, body).await?;
        Ok(write.commit().await?)
    }

    /// Reads what stands from the store, when it is not known.
    async fn read_standing(&self, board: &mut Board) -> Result<(), Error> {
        if !board.is_known() {
            board.know(self.store().standing_suggestions().await?);
        }
        Ok(())
    }

    /// Stores what follows from a webhook, and what was counted since the last time.
    async fn write_down(
        &self,
        board: &mut Board,
        actor: &Actor,
        changes: Vec<Change>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let who = Who::Person(actor.clone());
        let mut write = self.store().begin().await?;
        for known in board.unwritten() {
            write.hear_suggestion(known).await?;
        }
        let mut done = Vec::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Close { id, alert, service } => {
                    write.close_suggestion(id, now).await?;
                    write.audit(Some(&who), now, "suggestion_closed", told(id, &alert, &service)).await?;
                    done.push((id, None));
                }
                Change::Open(new) => {
                    let id = write.open_suggestion(&new, now).await?;
                    write.audit(Some(&who), now, "suggestion_opened", told(id, &new.alert, &new.service)).await?;
                    done.push((id, Some(new)));
                }
            }
        }
        write.commit().await?;
        board.written(self.expiry_now());
        for (id, opened) in done {
            match opened {
                Some(new) => board.opened(id, new, now),
                None => board.closed(id),
            }
        }
        Ok(())
    }

    /// Dismisses a suggestion, with a reason. It comes back when something else of its name and service begins to fire.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a suggestion, or when all procedures that it suggests are limited to others;
    /// [`Error::Invalid`] with a sentence.
    pub async fn dismiss_suggestion(
        &self,
        operator: Operator<'_>,
        id: SuggestionId,
        reason: &str,
    ) -> Result<(), Error> {
        let actor = operator.actor();
        let library = self.library(&self.sight(actor).await?).await?;
        let about = self.store().suggestion(id).await?.ok_or(Error::NotFound)?.about;
        if named_by(&library, &about.alert).next().is_none() {
            return Err(Error::NotFound);
        }
        let reason = checked_reason(reason)?;
        let mut board = self.board().await;
        let now = self.now();
        let mut write = self.store().begin().await?;
        match write.dismiss_suggestion(id, now).await {
            Err(store::Error::Gone) => return Err(Error::Invalid(OVER.to_owned())),
            outcome => outcome?,
        }
        let mut body = told(id, &about.alert, &about.service);
        body["reason"] = reason.into();
        write.audit(Some(&Who::Person(actor.clone())), now, "suggestion_dismissed", body).await?;
        if let Err(error) = write.commit().await {
            board.forget();
            return Err(error.into());
        }
        board.dismissed(id, now);
        drop(board);
        self.live().tell_of_suggestions();
        Ok(())
    }

    /// What is suggested to somebody now.
    pub(crate) async fn suggestions(&self, sight: &Sight, library: &Library) -> Result<Suggestions, Error> {
        let (mut rows, mut problems) = self.open_suggestions(library).await?;
        if rows.len() > SHOWN {
            problems.push(format!("{} more suggestions are open than are shown here.", rows.len() - SHOWN));
            rows.truncate(SHOWN);
        }
        self.with_runs(&mut rows, sight).await?;
        Ok(Suggestions { rows, problems })
    }

    /// All that somebody could be suggested now, the newest first, and what is wrong with the webhook.
    async fn open_suggestions(&self, library: &Library) -> Result<(Vec<SuggestionRow>, Vec<String>), Error> {
        let mut board = self.board().await;
        self.read_standing(&mut board).await?;
        Ok((rows(board.open(), library), board.problems(self.now())))
    }

    /// Puts the runs to the suggestions from which they were started, those that somebody sees.
    async fn with_runs(&self, rows: &mut [SuggestionRow], sight: &Sight) -> Result<(), Error> {
        let ids: Vec<SuggestionId> = rows.iter().map(|row| row.id).collect();
        let started = self.store().runs_suggested_by(&ids).await?;
        if started.is_empty() {
            return Ok(());
        }
        let runs: Vec<RunId> = started.iter().map(|(_, run)| *run).collect();
        let seen = self.store().seen(&runs, sight).await?;
        for row in rows {
            let own = started.iter().filter(|(id, run)| *id == row.id && seen.contains(run));
            row.runs = own.map(|(_, run)| *run).collect();
        }
        Ok(())
    }

    /// The alerts that came and that no procedure names.
    pub(crate) async fn unbound_alerts(&self) -> AlertsView {
        self.board().await.unbound()
    }

    /// The page of an alert, to which rules link by its name.
    pub async fn alert_page(&self, viewer: Viewer<'_>, name: &str) -> Result<AlertView, Error> {
        let name: String = name.chars().take(NAME).collect();
        let sight = self.sight(viewer.actor()).await?;
        let library = self.library(&sight).await?;
        let procedures = named_by(&library, &name).map(|procedure| {
            let about = procedure.subtitle.clone().unwrap_or_else(|| procedure.summary());
            (procedure.slug.clone(), procedure.title.clone(), about)
        });
        let procedures = procedures.collect();
        let (mut suggestions, _) = self.open_suggestions(&library).await?;
        suggestions.retain(|row| row.alert == name);
        suggestions.truncate(SHOWN);
        self.with_runs(&mut suggestions, &sight).await?;
        Ok(AlertView { now: self.now(), procedures, suggestions, alert: name })
    }

    /// What a suggestion fills in the form of a procedure; `None` when it is not there any more, or suggests another one.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a procedure, or when it is limited to others.
    pub async fn prefill(&self, viewer: Viewer<'_>, slug: &Slug, id: SuggestionId) -> Result<Option<Prefill>, Error> {
        let library = self.library(&self.sight(viewer.actor()).await?).await?;
        let (document, procedure) = library.procedure(slug).ok_or(Error::NotFound)?;
        let Some(StoredSuggestion { about, .. }) = self.store().suggestion(id).await? else { return Ok(None) };
        let (true, Ok(target)) = (names(procedure, &about.alert), self.target(procedure, "")) else { return Ok(None) };
        let plan = self.plan_on(document, procedure, target);
        let mut prefill =
            Prefill { id, alert: about.alert, service: about.service, values: BTreeMap::new(), left: Vec::new() };
        for (name, label) in &procedure.settings.from_alert {
            let Some(parameter) = plan.parameter(name) else { continue };
            let Some(value) = about.labels.get(label) else {
                let why = "the alert has none that could be a value".to_owned();
                prefill.left.push((parameter.label(), label.clone(), why));
                continue;
            };
            let value = BTreeMap::from([(name.clone(), value.clone())]);
            match values::misfits(&plan, &value).pop() {
                None => prefill.values.extend(value),
                Some((_, why)) => prefill.left.push((parameter.label(), label.clone(), why)),
            }
        }
        Ok(Some(prefill))
    }

    /// The suggestion that a form names, when it suggests the procedure.
    pub(crate) async fn suggested_for(
        &self,
        procedure: &Procedure,
        id: SuggestionId,
    ) -> Result<StoredSuggestion, Error> {
        let found = self.store().suggestion(id).await?;
        found.filter(|found| names(procedure, &found.about.alert)).ok_or_else(|| Error::Invalid(ANOTHER.to_owned()))
    }
}

const OVER: &str = "This suggestion is over, or was dismissed already. Nothing was changed.";

const ANOTHER: &str = "The suggestion of this form is not there any more, or is about another procedure. Nothing was started; open the procedure's \
     page again.";

/// What the record says of a suggestion.
pub(crate) fn told(id: SuggestionId, alert: &str, service: &str) -> Value {
    json!({ "suggestion": id, "alert": alert, "service": service })
}

fn checked_reason(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Error::Invalid("Say why the suggestion is dismissed. Nothing was changed.".to_owned()));
    }
    if reason.chars().count() > REASON {
        return Err(Error::Invalid(format!("A reason has at most {REASON} characters. Nothing was changed.")));
    }
    Ok(reason.to_owned())
}

/// Whether a procedure names an alert.
fn names(procedure: &Procedure, alert: &str) -> bool {
    procedure.settings.alerts.iter().any(|named| named == alert)
}

/// The procedures that name an alert.
fn named_by<'l>(library: &'l Library, alert: &'l str) -> impl Iterator<Item = &'l Procedure> {
    library.documents.iter().flat_map(|document| &document.procedures).filter(move |procedure| names(procedure, alert))
}

/// What stands as somebody sees it, the newest first. What suggests only what they do not see is not there.
fn rows(standing: Vec<StoredSuggestion>, library: &Library) -> Vec<SuggestionRow> {
    let row = |stored: StoredSuggestion| {
        let StoredSuggestion { id, about, heard, times, .. } = stored;
        let procedures: Vec<(Slug, String)> = named_by(library, &about.alert)
            .map(|procedure| (procedure.slug.clone(), procedure.title.clone()))
            .collect();
        let firing = u32::try_from(about.firing.len()).unwrap_or(u32::MAX);
        let NewSuggestion { alert, service, summary, since, .. } = about;
        let row =
            SuggestionRow { id, alert, service, summary, since, heard, times, firing, procedures, runs: Vec::new() };
        (!row.procedures.is_empty()).then_some(row)
    };
    standing.into_iter().rev().filter_map(row).collect()
}

/// The labels of which something becomes a value in a procedure that names the alert.
type Wanted = BTreeSet<String>;

/// What is suggested by what a webhook tells, with the labels that are asked for.
fn suggested(told: alert::Told, firing: BTreeSet<String>, wanted: &Wanted) -> NewSuggestion {
    NewSuggestion {
        labels: alert::wanted(&told.labels, wanted.iter().map(String::as_str)),
        alert: told.name,
        service: told.service,
        summary: told.summary,
        firing,
        since: told.since,
    }
}
