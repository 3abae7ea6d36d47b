//! What the page of the audit shows, and the verification that it starts.

use domain::PersonId;
use domain::audit::{Part, Verification};
use domain::policy::{Actor, Auditor};
use domain::run::Who;
use domain::view::{AuditRow, AuditView, VerificationState};
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

impl Portal {
    /// A piece of the chain with what proves it.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub async fn audit(
        &self,
        _auditor: Auditor<'_>,
        before: Option<u64>,
        portal_only: bool,
    ) -> Result<AuditView, Error> {
        let mut piece = self.store().chain_piece(before, PAGE, portal_only).await?;
        name_people(&mut piece.rows, &self.store().names().await?);
        Ok(AuditView {
            info: self.checkpoint_info().await?,
            verification: self.checkpoints().verification().clone(),
            rows: piece.rows,
            older: piece.older,
            portal_only,
            now: self.now(),
        })
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
