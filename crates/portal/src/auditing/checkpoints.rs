//! Checkpoints: while something happens, one is signed and written outside the database at least every minute.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use audit::{CheckpointFolder, PublicKey, Signer};
use domain::Digest;
use domain::audit::{Checkpoint, SignedCheckpoint};
use domain::view::{CheckpointInfo, VerificationState};
use serde_json::json;

use crate::{CheckpointSettings, Error, Portal};

/// The name under which the database keeps the checkpoint that it was found not to fit.
const MISMATCH: &str = "checkpoint_mismatch";

/// What keeps the checkpoints of a portal.
pub(crate) struct Checkpoints {
    folder: CheckpointFolder,
    data: PathBuf,
    every: Duration,
    signer: Signer,
    state: Mutex<State>,
    verification: Mutex<VerificationState>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// The last one that lies in the folder.
    last: Option<SignedCheckpoint>,
    /// Why the last one could not be written, in a sentence.
    trouble: Option<String>,
    /// What was found wrong when the portal was opened, in a sentence.
    broken: Option<String>,
}

impl Checkpoints {
    pub(crate) fn new(data: &Path, settings: &CheckpointSettings, signer: Signer) -> Self {
        Self {
            folder: CheckpointFolder::new(settings.folder(data)),
            data: data.to_owned(),
            every: settings.every.min(CheckpointSettings::LONGEST),
            signer,
            state: Mutex::default(),
            verification: Mutex::default(),
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.signer.public()
    }

    pub(crate) fn folder(&self) -> &CheckpointFolder {
        &self.folder
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// What the last verification since the portal was opened has come to.
    pub(crate) fn verification(&self) -> std::sync::MutexGuard<'_, VerificationState> {
        self.verification.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs a checkpoint and writes it, unless it says what the last one says.
    fn write(&self, checkpoint: Checkpoint) -> std::io::Result<SignedCheckpoint> {
        let last = self.state().last.clone();
        if let Some(last) = last.filter(|last| is_same_place(&last.checkpoint, &checkpoint)) {
            return Ok(last);
        }
        let signed = self.signer.sign(checkpoint);
        self.folder.prepare(&self.public())?;
        self.folder.append(&signed)?;
        Ok(signed)
    }
}

fn is_same_place(one: &Checkpoint, other: &Checkpoint) -> bool {
    (one.seq, &one.head) == (other.seq, &other.head)
}

impl Portal {
    /// Writes checkpoints until the portal closes, and a last one then.
    pub(crate) async fn keep_checkpoints(self) {
        self.compare_last_checkpoint().await;
        let closing = self.0.closing.clone();
        closing
            .run_until_cancelled(async {
                loop {
                    self.note_checkpoint().await;
                    tokio::time::sleep(self.checkpoints().every).await;
                }
            })
            .await;
        self.note_checkpoint().await;
    }

    /// Signs how far the chain has come and writes it into the folder, if something has happened since the last time.
    ///
    /// # Errors
    ///
    /// When the database cannot be read or the folder not be written.
    pub(crate) async fn checkpoint(&self) -> Result<SignedCheckpoint, Error> {
        let head = self.store().chain_head().await?;
        let digest = Digest::parse(&head.hash).ok_or(Error::Broken("a hash of the chain"))?;
        let checkpoint = Checkpoint { seq: head.seq, head: digest, at: self.now() };
        let portal = self.clone();
        // The folder may be on a disk that is far away.
        let written = tokio::task::spawn_blocking(move || portal.checkpoints().write(checkpoint)).await;
        let signed = written.map_err(|_| Error::Broken("writing a checkpoint"))??;
        self.checkpoints().state().last = Some(signed.clone());
        Ok(signed)
    }

    /// The same for the loop: what goes wrong stands on the page, and is tried again.
    pub(crate) async fn note_checkpoint(&self) {
        let trouble = match self.checkpoint().await {
            Ok(_) => None,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a checkpoint could not be written");
                Some(why_unwritten(&error))
            }
        };
        self.checkpoints().state().trouble = trouble;
    }

    /// Looks once, when the portal is opened, whether the database still knows what the last checkpoint says.
    async fn compare_last_checkpoint(&self) {
        let folder = self.checkpoints().folder.clone();
        let last = tokio::task::spawn_blocking(move || folder.latest()).await;
        let Ok(Ok(Some(last))) = last else { return };
        self.checkpoints().state().last = Some(last.clone());
        let Ok(found) = self.store().chain_hash(last.checkpoint.seq).await else { return };
        if found.as_deref() == Some(last.checkpoint.head.as_str()) && self.checkpoints().public().verifies(&last) {
            return self.look_at_former_mismatch().await;
        }
        self.record_mismatch(&last.checkpoint).await;
        self.say_mismatch(&last.checkpoint);
    }

    fn say_mismatch(&self, checkpoint: &Checkpoint) {
        let broken = format!(
            "The database does not hold what the checkpoint of {} says of event {}: events were changed, or an older database was \
             put in its place. `audit verify` names the place.",
            checkpoint.at, checkpoint.seq
        );
        tracing::error!("{broken}");
        self.checkpoints().state().broken = Some(broken);
    }

    /// A portal that has once found a checkpoint that does not fit goes on and writes others, which do. As long as that one
    /// lies in the folder it is said again at every start.
    async fn look_at_former_mismatch(&self) {
        let Ok(Some(text)) = self.store().meta(MISMATCH).await else { return };
        let Ok(former) = serde_json::from_str::<Checkpoint>(&text) else { return };
        let (folder, sought) = (self.checkpoints().folder.clone(), former.clone());
        match tokio::task::spawn_blocking(move || folder.holds(&sought)).await {
            Ok(Ok(true)) => self.say_mismatch(&former),
            // Whoever has moved it away knows.
            Ok(Ok(false)) => self.forget_mismatch().await,
            _ => {}
        }
    }

    async fn forget_mismatch(&self) {
        let forgotten = async {
            let mut write = self.store().begin().await?;
            write.clear_meta(MISMATCH).await?;
            write.commit().await
        };
        if let Err(error) = forgotten.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a former mismatch could not be forgotten");
        }
    }

    async fn record_mismatch(&self, checkpoint: &Checkpoint) {
        let body = json!({ "seq": checkpoint.seq, "head": checkpoint.head, "at": checkpoint.at });
        let recorded = async {
            let mut write = self.store().begin().await?;
            write.set_meta(MISMATCH, &body.to_string()).await?;
            write.audit(None, self.now(), "checkpoint_mismatch", body).await?;
            write.commit().await
        };
        if let Err(error) = recorded.await {
            tracing::error!(error = &error as &dyn std::error::Error, "that could not be recorded");
        }
    }

    /// What the record is worth: the last checkpoint, and where it lies.
    ///
    /// # Errors
    ///
    /// When the database cannot be read.
    pub(crate) async fn checkpoint_info(&self) -> Result<CheckpointInfo, Error> {
        let head = self.store().chain_head().await?;
        let checkpoints = self.checkpoints();
        let State { last, trouble, broken } = checkpoints.state().clone();
        Ok(CheckpointInfo {
            events: head.seq,
            last: last.map(|last| last.checkpoint),
            folder: checkpoints.folder.path().display().to_string(),
            beside: checkpoints.folder.is_beside(&checkpoints.data).unwrap_or(true),
            fingerprint: checkpoints.public().fingerprint(),
            trouble,
            broken,
        })
    }

    /// The key that checks this portal's checkpoints, in PEM.
    pub fn audit_key(&self) -> String {
        self.checkpoints().public().pem()
    }
}

fn why_unwritten(error: &Error) -> String {
    let why = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    format!(
        "The last checkpoint could not be written: {why}. It is tried again at least every minute; until then what happens is \
         proven by nothing outside the database."
    )
}
