//! What the page of the audit shows, and the verification that it starts.

use domain::audit::{Part, Verification};
use domain::policy::{Actor, Auditor, Sight};
use domain::run::Who;
use domain::view::{AuditRow, AuditView, VerificationState};
use domain::{PersonId, RunId};
use serde_json::json;

use super::KeptRecord;
use crate::{Error, Portal};

/// Events on one page.
const PAGE: u32 = 50;

/// The record has people by id, which never changes; a page shows the names that they have now.
fn name_people(rows: &mut [AuditRow], names: &[(PersonId, String)]) {
    let people = rows.iter_mut().flat_map(|row| &mut row.details).filter(|(name, _)| name == "person");
    for (_, person) in people {
        if let Some((_, name)) = names.iter().find(|(id, _)| id.0 == *person) {
            name.clone_into(person);
        }
    }
}

/// The runs that a row names: the one that it happened to, those in its details, and those in a sentence that somebody was told.
fn runs_of(row: &AuditRow) -> Vec<RunId> {
    let by_number = row.details.iter().filter(|(name, _)| name == "run").filter_map(|(_, run)| run.parse().ok());
    let in_words = row.details.iter().flat_map(|(_, words)| words.split("run ").skip(1)).filter_map(leading_number);
    row.run.into_iter().chain(by_number.chain(in_words).map(RunId)).collect()
}

fn leading_number(text: &str) -> Option<i64> {
    let digits = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().ok()
}

/// An event of which only the place and the moment are told.
fn hidden(row: &AuditRow) -> AuditRow {
    AuditRow { seq: row.seq, at: row.at, by: None, run: None, kind: String::new(), details: Vec::new(), hidden: true }
}

impl Portal {
    /// A piece of the chain with what proves it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit(
        &self,
        auditor: Auditor<'_>,
        before: Option<u64>,
        portal_only: bool,
    ) -> Result<AuditView, Error> {
        let piece = self.store().chain_piece(before, PAGE, portal_only).await?;
        let mut rows = self.seen_rows(auditor, piece.rows).await?;
        name_people(&mut rows, &self.store().names().await?);
        Ok(AuditView {
            info: self.checkpoint_info().await?,
            verification: self.checkpoints().verification().clone(),
            rows,
            older: piece.older,
            portal_only,
            now: self.now(),
        })
    }

    /// The rows as a person may read them: every event keeps its place, and of a run that is limited to others it says nothing else.
    async fn seen_rows(&self, auditor: Auditor<'_>, rows: Vec<AuditRow>) -> Result<Vec<AuditRow>, Error> {
        let sight = self.sight(auditor.actor()).await?;
        let all: Vec<RunId> = rows.iter().flat_map(runs_of).collect();
        let there = self.store().seen(&all, &Sight::EVERYTHING).await?;
        let seen = self.store().seen(&all, &sight).await?;
        let is_hidden = |row: &AuditRow| runs_of(row).iter().any(|run| there.contains(run) && !seen.contains(run));
        Ok(rows.into_iter().map(|row| if is_hidden(&row) { hidden(&row) } else { row }).collect())
    }

    /// Begins to verify everything that is kept, in the background; the page tells how far it is. Nothing happens while a
    /// verification runs.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn begin_verification(&self, auditor: Auditor<'_>) -> Result<(), Error> {
        let events = self.store().chain_head().await?.seq;
        {
            let mut state = self.checkpoints().verification();
            if matches!(*state, VerificationState::Running { .. }) {
                return Ok(());
            }
            *state = VerificationState::Running { part: Part::Chain, seen: 0, of: Some(events) };
        }
        self.tasks().spawn(self.clone().run_verification(auditor.actor().clone(), events));
        Ok(())
    }

    async fn run_verification(self, actor: Actor, events: u64) {
        let begun = self.now();
        let closing = self.0.closing.clone();
        let Some(outcome) = closing.run_until_cancelled(self.verify(events)).await else { return };
        let at = self.now();
        let state = match outcome {
            Ok(verification) => {
                self.record_verification(&actor, &verification).await;
                VerificationState::Done { at, took_ms: at.since(begun), verification }
            }
            Err(error) => VerificationState::Failed { at, why: error.to_string() },
        };
        *self.checkpoints().verification() = state;
    }

    async fn verify(&self, events: u64) -> Result<Verification, super::Unverifiable> {
        // What happened up to now is covered as well.
        self.note_checkpoint().await;
        let checkpoints = self.checkpoints();
        let folder = checkpoints.folder().clone();
        let record = KeptRecord::new(self.store().clone(), checkpoints.data(), folder, checkpoints.public());
        let progress = |part, seen| {
            let of = (part == Part::Chain).then_some(events);
            *checkpoints.verification() = VerificationState::Running { part, seen, of };
        };
        record.verify(progress).await
    }

    /// Who looked, and what was found, is part of the record itself.
    async fn record_verification(&self, actor: &Actor, verification: &Verification) {
        let found: Vec<&str> = verification.findings.iter().map(|finding| finding.why.as_str()).collect();
        let body = json!({
            "events": verification.events,
            "checkpoints": verification.checkpoints,
            "outputs": verification.outputs,
            "found": found,
        });
        let recorded = async {
            let mut write = self.store().begin().await?;
            write.audit(Some(&Who::Person(actor.clone())), self.now(), "verified", body).await?;
            write.commit().await
        };
        if let Err(error) = recorded.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a verification could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn a_row_names_the_runs_that_stand_in_it_as_numbers_and_in_words() {
        let told = "local is held by run 13, \"Restore\", since 10:12: Otto works in it. The run 7 and the runs of run";
        let details = [("run", "12"), ("refusal", told), ("what", "run 9"), ("count", "5")];
        let row = AuditRow {
            seq: 1,
            at: Timestamp(1),
            by: None,
            run: Some(RunId(1)),
            kind: "refused".to_owned(),
            details: details.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            hidden: false,
        };

        assert_eq!(runs_of(&row), [1, 12, 13, 7, 9].map(RunId));
        let hidden = hidden(&row);
        assert_eq!((hidden.seq, hidden.at, hidden.hidden), (1, Timestamp(1), true));
        assert_eq!((hidden.run, hidden.kind.as_str(), hidden.details.len()), (None, "", 0));
    }
}
