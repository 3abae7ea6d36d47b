//! What pages show, put together from documents, history and output.

use std::collections::HashSet;

use domain::escalation::Escalation;
use domain::health::HealthMark;
use domain::policy::{Sight, Viewer};
use domain::run::{Holder, Run};
use domain::runbook::{Document, Finding, Level, Part, PartKind, Procedure, Step};
use domain::view::{
    DocumentInfo, DocumentView, DocumentsView, HistoryFilter, HistoryView, HomeView, LockedBy, Newer, Patch,
    ProcedureRow, ProcedureView, RunRow, RunView, SearchView, SearchedStep, Symptom, Usual,
};
use domain::{AttemptId, Lowering, PersonId, RunId, Slug};
use store::HistoryQuery;

use crate::adhoc;
use crate::documents::Library;
use crate::planning::{self, Ground};
use crate::{Error, Portal};

/// Runs on one page of the history.
const PAGE: u32 = 50;

/// Requests on the start page.
const REQUESTS: usize = 8;

/// Open runs on the start page.
const OPEN: u32 = 100;

/// Closed runs on the start page.
const RECENT: u32 = 8;

/// Runs that a procedure shows.
const LAST: u32 = 5;

impl Portal {
    /// The start page.
    pub async fn home(&self, viewer: Viewer<'_>) -> Result<HomeView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let library = self.library(&sight).await?;
        self.start_page(viewer, &sight, &library).await
    }

    async fn start_page(&self, viewer: Viewer<'_>, sight: &Sight, library: &Library) -> Result<HomeView, Error> {
        let all: Vec<(&Document, &Procedure)> = library
            .documents
            .iter()
            .flat_map(|document| document.procedures.iter().map(|it| (&**document, it)))
            .collect();
        let slugs: Vec<&Slug> = all.iter().map(|(_, procedure)| &procedure.slug).collect();
        let glances = self.store().glances(&slugs, LAST, sight).await?;
        let healths = self.healths(&all, sight).await?;
        let procedures = all
            .into_iter()
            .zip(glances)
            .zip(healths)
            .map(|(((document, it), glance), health)| ProcedureRow {
                health: health.mark(),
                ..self.procedure_row(document, it, glance)
            })
            .collect();
        let suggestions = self.suggestions(sight, library).await?;
        Ok(HomeView {
            now: self.now(),
            requests: self.decidable(viewer, REQUESTS, sight).await?,
            escalations: self.calls(&viewer.actor().id, sight).await?,
            suggestions: suggestions.rows,
            running: self.store().open_runs(OPEN, sight).await?,
            procedures,
            recent: self.store().recent(RECENT, sight).await?,
            documents: library.documents.iter().map(|document| info(library, document)).collect(),
            problems: self.all_problems(library, suggestions.problems).await?,
        })
    }

    /// What is to be said on the pages that show the documents: what could not be read, what came of alerts, and what was missed.
    async fn all_problems(&self, library: &Library, of_alerts: Vec<String>) -> Result<Vec<String>, Error> {
        let of_schedules = self.schedule_problems(library).await?;
        Ok(library.problems.iter().cloned().chain(of_alerts).chain(of_schedules).collect())
    }

    /// What the search knows.
    pub async fn search(&self, viewer: Viewer<'_>) -> Result<SearchView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let library = self.library(&sight).await?;
        let home = self.start_page(viewer, &sight, &library).await?;
        let procedures = || library.documents.iter().flat_map(|document| &document.procedures);
        Ok(SearchView {
            home,
            steps: procedures().flat_map(|procedure| searched_steps(procedure, self.lowerings())).collect(),
            symptoms: procedures().flat_map(symptoms).collect(),
        })
    }

    /// The administrator's rules that are about no command of any document, by the text of their command: most likely one of
    /// them was changed.
    ///
    /// # Errors
    ///
    /// As every reading of the documents.
    pub async fn idle_lowerings(&self) -> Result<Vec<String>, Error> {
        let library = self.library(&Sight::EVERYTHING).await?;
        let parts = || library.documents.iter().flat_map(|document| &document.procedures).flat_map(|one| &one.parts);
        let commands = || parts().flat_map(Part::steps).flat_map(Step::commands);
        let is_idle = |rule: &&Lowering| !commands().any(|command| rule.is_about(&command.text));
        Ok(self.lowerings().iter().filter(is_idle).map(|rule| rule.command.trim().to_owned()).collect())
    }

    /// The page of a procedure.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a procedure, or when it is limited to others.
    pub async fn procedure(&self, viewer: Viewer<'_>, slug: &Slug) -> Result<ProcedureView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let library = self.library(&sight).await?;
        let (document, procedure) = library.procedure(slug).ok_or(Error::NotFound)?;
        let plan = self.target(procedure, "").map(|target| self.plan_on(document, procedure, target));
        let contacts = Escalation::of(procedure, &[]).contacts;
        Ok(ProcedureView {
            now: self.now(),
            procedure: procedure.clone(),
            document: info(&library, document),
            parameters: plan.as_ref().map(|plan| plan.parameters.clone()).unwrap_or_default(),
            secrets: match &plan {
                Ok(plan) => self.secret_infos(plan).await?,
                Err(_) => Vec::new(),
            },
            plan: plan.map_err(|error| error.sentence()),
            findings: document.findings.iter().filter(|finding| is_about(finding, slug)).cloned().collect(),
            targets: self.target_infos(procedure),
            runs: self.store().last_of(slug, LAST, &sight).await?,
            usual: self.store().usual(slug, &sight).await?,
            prefill: None,
            schedule: self.schedule_view(procedure).await?,
            health: self.healths(&[(&**document, procedure)], &sight).await?.pop().unwrap_or_default(),
            contacts: self.contact_infos(&contacts, None).await?,
        })
    }

    /// The page of documents.
    pub async fn documents_page(&self, viewer: Viewer<'_>) -> Result<DocumentsView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let library = self.library(&sight).await?;
        let suggestions = self.suggestions(&sight, &library).await?;
        Ok(DocumentsView {
            now: self.now(),
            documents: library.documents.iter().map(|document| document_view(&library, document)).collect(),
            problems: self.all_problems(&library, suggestions.problems).await?,
            alerts: self.unbound_alerts().await,
        })
    }

    /// One page of the history.
    pub async fn history(&self, viewer: Viewer<'_>, filter: &HistoryFilter) -> Result<HistoryView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let limit = PAGE + 1;
        let query = HistoryQuery {
            procedure: given(&filter.procedure).map(Slug),
            person: given(&filter.person).map(PersonId),
            verdict: given(&filter.verdict),
            words: given(&filter.words),
            before: filter.before.trim().parse().ok().map(RunId),
            limit,
        };
        let mut runs = self.store().history(&query, &sight).await?;
        let more = runs.len() > PAGE as usize;
        runs.truncate(PAGE as usize);
        Ok(HistoryView {
            now: self.now(),
            next: runs.last().filter(|_| more).map(|run| run.id),
            procedures: self.procedures_to_choose(&sight).await?,
            people: self.store().names().await?,
            runs,
        })
    }

    /// The procedures that are there now, and those that only the history knows.
    async fn procedures_to_choose(&self, sight: &Sight) -> Result<Vec<(Slug, String)>, Error> {
        let library = self.library(sight).await?;
        let there = library.documents.iter().flat_map(|document| &document.procedures);
        let mut list: Vec<(Slug, String)> =
            there.map(|procedure| (procedure.slug.clone(), procedure.title.clone())).collect();
        let known: HashSet<Slug> = list.iter().map(|(slug, _)| slug.clone()).collect();
        let gone = self.store().procedures(sight).await?;
        list.extend(gone.into_iter().filter(|(slug, _)| !known.contains(slug)));
        Ok(list)
    }

    /// The page of a run, opened on an attempt, or on the one that runs or ran last.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a run, or when it is limited to others.
    pub async fn run(&self, viewer: Viewer<'_>, id: RunId, selected: Option<(u32, u32)>) -> Result<RunView, Error> {
        let sight = self.sight(viewer.actor()).await?;
        let run = self.store().run(id, &sight).await?.ok_or(Error::NotFound)?;
        let shown = selected
            .map(|(step, attempt)| AttemptId { run: id, step, attempt })
            .filter(|shown| run.attempt(*shown).is_some())
            .or_else(|| run.open_attempt())
            .or_else(|| last_attempt(&run));
        let log = match shown {
            Some(shown) => Some(self.piece(&run, shown, u64::MAX).await?),
            None => None,
        };
        Ok(RunView {
            now: self.now(),
            newer: self.newer(&run, &sight).await?,
            log,
            // Whoever answers for the page knows at which output it opens.
            redaction: None,
            usual: self.store().usual(&run.plan.slug, &sight).await?,
            usual_steps: self.store().usual_steps(&run, &sight).await?,
            locked: self.locked(&run, &sight).await?,
            patch: self.patch(&run, &sight).await?,
            approvals: self.approval_ground(viewer, &sight).await?,
            condition: run.open_attempt().map(|open| self.found(&run, open)).unwrap_or_default(),
            suggestion: self.store().suggestion_of(run.id).await?,
            escalation: self.escalation_ground(&run).await?,
            run,
        })
    }

    /// Who else keeps the target of a run to themselves now.
    async fn locked(&self, run: &Run, sight: &Sight) -> Result<Option<LockedBy>, Error> {
        let holder = self.store().lock_holder(&run.plan.target.name).await?;
        let Some(id) = holder.filter(|id| *id != run.id && run.end.is_none()) else { return Ok(None) };
        let Some(other) = self.store().run(id, &Sight::EVERYTHING).await? else { return Ok(None) };
        let usual = self.store().usual(&other.plan.slug, sight).await?.map(|usual| usual.high_ms);
        let locked =
            |holder: Holder| LockedBy { run: id, sentence: format!("{holder}."), hidden: holder.title.is_none() };
        Ok(Holder::of(&other, usual, sight).map(locked))
    }

    /// What a run has added to its document.
    async fn patch(&self, run: &Run, sight: &Sight) -> Result<Option<Patch>, Error> {
        if run.plan.steps.iter().all(|step| step.ad_hoc.is_none()) {
            return Ok(None);
        }
        let library = self.library(sight).await?;
        let document = library.documents.iter().find(|document| document.digest == run.plan.document_digest);
        // Around its change a diff shows what stands beside it: perhaps a procedure that is limited to others.
        let document = document.filter(|document| !library.is_part(document));
        let text = match document {
            Some(document) => self.documents().text(document).await?,
            None => None,
        };
        let source = document.zip(text.as_deref()).map(|(document, text)| (&**document, text));
        Ok(adhoc::patch(run, source))
    }

    /// What is different when a run's document is not what it was.
    async fn newer(&self, run: &Run, sight: &Sight) -> Result<Option<Newer>, Error> {
        let library = self.library(sight).await?;
        let plan = &run.plan;
        let Some((document, procedure)) = library.procedure(&plan.slug) else {
            return Ok(Some(Newer { digest: None, changes: Vec::new() }));
        };
        if document.digest == plan.document_digest && document.side_digest == plan.side_digest {
            return Ok(None);
        }
        let ground = Ground { document, target: &plan.target, directory: &plan.directory, lowerings: self.lowerings() };
        let changes = planning::changes(plan, &planning::plan(procedure, ground));
        Ok(Some(Newer { digest: Some(document.digest.clone()), changes }))
    }

    fn procedure_row(
        &self,
        document: &Document,
        procedure: &Procedure,
        (mut runs, usual): (Vec<RunRow>, Option<Usual>),
    ) -> ProcedureRow {
        runs.reverse();
        let steps = procedure.steps(PartKind::Steps).count();
        ProcedureRow {
            slug: procedure.slug.clone(),
            title: procedure.title.clone(),
            subtitle: procedure.subtitle.clone().unwrap_or_else(|| procedure.summary()),
            document: document.path.clone(),
            risk: planning::risk(procedure, self.lowerings()),
            steps: u32::try_from(steps).unwrap_or(u32::MAX),
            usual,
            findings: need_an_author(document.findings.iter().filter(|finding| is_about(finding, &procedure.slug))),
            runs,
            health: HealthMark::default(),
        }
    }
}

fn searched_steps<'a>(procedure: &'a Procedure, lowerings: &'a [Lowering]) -> impl Iterator<Item = SearchedStep> + 'a {
    let runnable = |part: &Part| matches!(part.kind, PartKind::Steps | PartKind::Rollback);
    procedure.parts.iter().enumerate().filter(move |(_, part)| runnable(part)).flat_map(move |(index, part)| {
        let anchor = procedure.anchor(index);
        part.steps().map(move |step| SearchedStep {
            slug: procedure.slug.clone(),
            procedure: procedure.title.clone(),
            anchor: format!("{anchor}-{}", step.number),
            number: step.number,
            title: step.title.clone(),
            risk: planning::step_risk(step, lowerings),
            commands: step.commands().map(|command| command.text.as_str()).collect::<Vec<_>>().join("; "),
        })
    })
}

fn symptoms(procedure: &Procedure) -> impl Iterator<Item = Symptom> {
    let triggers = procedure.parts.iter().filter(|part| part.kind == PartKind::Trigger);
    triggers.flat_map(Part::items).map(|item| Symptom {
        slug: procedure.slug.clone(),
        procedure: procedure.title.clone(),
        words: domain::runbook::plain(&item.words),
    })
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_about(finding: &Finding, slug: &Slug) -> bool {
    finding.procedure.as_ref() == Some(slug)
}

/// Notes are for reading; errors and warnings need an author.
fn need_an_author<'a>(findings: impl Iterator<Item = &'a Finding>) -> u32 {
    u32::try_from(findings.filter(|finding| finding.level != Level::Note).count()).unwrap_or(u32::MAX)
}

fn info(library: &Library, document: &Document) -> DocumentInfo {
    DocumentInfo {
        path: document.path.clone(),
        title: document.title.clone(),
        digest: document.digest.clone(),
        read: library.read,
        updated: document.updated.clone(),
        findings: need_an_author(document.findings.iter()),
    }
}

fn document_view(library: &Library, document: &Document) -> DocumentView {
    let about = |procedure: &Procedure| {
        need_an_author(document.findings.iter().filter(|finding| is_about(finding, &procedure.slug)))
    };
    DocumentView {
        info: info(library, document),
        procedures: document
            .procedures
            .iter()
            .map(|procedure| (procedure.slug.clone(), procedure.title.clone(), procedure.line, about(procedure)))
            .collect(),
        preamble: document.preamble.clone(),
        stray: document
            .procedures
            .iter()
            .flat_map(|procedure| &procedure.parts)
            .filter(|part| part.kind == PartKind::Stray)
            .cloned()
            .collect(),
        findings: document.findings.clone(),
        partly: library.is_part(document),
    }
}

/// The attempt that was started last.
fn last_attempt(run: &Run) -> Option<AttemptId> {
    let attempts = (1..).zip(&run.steps).flat_map(|(step, state)| {
        (1..).zip(&state.attempts).map(move |(attempt, state)| (state.started.at, step, attempt))
    });
    attempts.max().map(|(_, step, attempt)| AttemptId { run: run.id, step, attempt })
}
