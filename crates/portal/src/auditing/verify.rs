//! Verification: the chain, the checkpoints and the outputs are read again, and the first bad record of each is named.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use audit::{CheckpointFolder, PublicKey, StoredCheckpoint};
use domain::audit::{Anchors, Checkpoint, Finding, Part, Verification};
use domain::policy::Sight;
use domain::run::{Event, RedactionEnd};
use domain::{AttemptId, Digest, RunId};
use serde::Deserialize;
use store::{Broken, Chain, Store, Walked};

use crate::CheckpointSettings;
use crate::settings::public_key;

/// Everything that a portal keeps of what happened, opened for reading.
pub struct KeptRecord {
    store: Store,
    outputs: PathBuf,
    checkpoints: CheckpointFolder,
    key: PublicKey,
}

/// Why a record cannot be verified at all: one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Unverifiable {
    /// The database cannot be read.
    #[error(transparent)]
    Database(#[from] store::Error),
    /// The public key cannot be read.
    #[error("The public key {file} cannot be read: {why}. Nothing was verified; name the key's file with --key")]
    Key {
        /// Its file.
        file: String,
        /// Why.
        why: String,
    },
    /// The checkpoints cannot be read.
    #[error("The checkpoints in {folder} cannot be read: {why}. Nothing was verified")]
    Checkpoints {
        /// Their folder.
        folder: String,
        /// Why.
        why: String,
    },
}

/// What an event says about the output of an attempt.
#[derive(Clone, Debug)]
struct Bound {
    seq: u64,
    bytes: u64,
    digest: Digest,
}

/// Where outputs are, by what the chain says about them.
#[derive(Debug, Default)]
struct BoundOutputs(BTreeMap<AttemptId, Bound>);

impl KeptRecord {
    /// Opens the record in a data folder, while its portal may or may not run. Nothing is written.
    ///
    /// # Errors
    ///
    /// One sentence.
    pub async fn open(data: &Path, checkpoints: &CheckpointSettings, key: Option<&Path>) -> Result<Self, Unverifiable> {
        let key = match key {
            Some(file) => read_key(file)?,
            None => Self::public_key(data)?,
        };
        let store = Store::inspect(&data.join("portal.db")).await?.read().await?;
        let checkpoints = CheckpointFolder::new(checkpoints.folder(data));
        Ok(Self { store, outputs: data.join("runs"), checkpoints, key })
    }

    /// The key that checks the checkpoints of a data folder.
    ///
    /// # Errors
    ///
    /// One sentence when there is none.
    pub fn public_key(data: &Path) -> Result<PublicKey, Unverifiable> {
        let file = data.join("keys").display().to_string();
        public_key(data).map_err(|error| Unverifiable::Key { file, why: error.to_string() })
    }

    pub(crate) fn new(store: Store, data: &Path, checkpoints: CheckpointFolder, key: PublicKey) -> Self {
        Self { store, outputs: data.join("runs"), checkpoints, key }
    }

    /// Reads everything again. `progress` hears how many events, and then how many outputs, were looked at.
    ///
    /// # Errors
    ///
    /// When something cannot be read at all; what is bad in it is a finding and no error.
    pub async fn verify(&self, progress: impl Fn(Part, u64)) -> Result<Verification, Unverifiable> {
        let mut verification = Verification::default();
        let mut anchors = Anchors::new(self.good_checkpoints(&mut verification)?);
        let mut outputs = BoundOutputs::default();
        let mut misfit = None;
        let chain = self
            .store
            .walk_chain(|event| {
                if misfit.is_none() {
                    misfit = anchors.pass(event.head).err();
                }
                outputs.note(&event);
                if event.head.seq.is_multiple_of(10_000) {
                    progress(Part::Chain, event.head.seq);
                }
            })
            .await?;
        verification.events = judge(&mut verification, chain, &mut anchors, misfit);
        (verification.checkpoints, verification.proven) = anchors.fitting();
        self.verify_outputs(&mut verification, outputs, progress).await;
        Ok(verification)
    }

    /// The checkpoints that can be read and are signed with the right key; the first other one is noted.
    fn good_checkpoints(&self, verification: &mut Verification) -> Result<Vec<Checkpoint>, Unverifiable> {
        let stored = self.checkpoints.read().map_err(|error| Unverifiable::Checkpoints {
            folder: self.checkpoints.path().display().to_string(),
            why: error.to_string(),
        })?;
        if stored.is_empty() {
            let why = format!("There is no checkpoint in {}.", self.checkpoints.path().display());
            verification.note(Finding { part: Part::Checkpoints, seq: None, attempt: None, why });
        }
        let mut good = Vec::with_capacity(stored.len());
        for StoredCheckpoint { place, signed } in stored {
            match signed {
                Some(signed) if self.key.verifies(&signed) => good.push(signed.checkpoint),
                Some(signed) => verification.note(bad_checkpoint(
                    Some(signed.checkpoint.seq),
                    format!("The checkpoint in {place} was not signed with this portal's key, or was changed."),
                )),
                None => verification.note(bad_checkpoint(
                    None,
                    format!(
                        "There is no checkpoint in {place}: it was changed, or the power was lost while it was written."
                    ),
                )),
            }
        }
        Ok(good)
    }

    async fn verify_outputs(
        &self,
        verification: &mut Verification,
        outputs: BoundOutputs,
        progress: impl Fn(Part, u64),
    ) {
        for (id, bound) in outputs.0 {
            match self.look_again(id, &bound).await {
                Ok(()) => {
                    verification.outputs += 1;
                    verification.bytes += bound.bytes;
                }
                Err(why) => {
                    verification.note(Finding { part: Part::Outputs, seq: Some(bound.seq), attempt: Some(id), why });
                }
            }
            progress(Part::Outputs, verification.outputs);
        }
    }

    /// What does not fit may have been covered since the chain was walked, or be about to be covered.
    async fn look_again(&self, id: AttemptId, bound: &Bound) -> Result<(), String> {
        let Err(why) = self.look_at_output(id, bound).await else { return Ok(()) };
        let Ok(Some(run)) = self.store.run(id.run, &Sight::EVERYTHING).await else { return Err(why) };
        let covered = run.redactions_of(id).filter_map(|(number, redaction)| match &redaction.end {
            Some(RedactionEnd::Covered { new, .. }) => Some((number, new)),
            _ => None,
        });
        let Some((number, new)) = covered.last() else { return Err(why) };
        let later = Bound { digest: new.clone(), ..bound.clone() };
        if *new != bound.digest && self.look_at_output(id, &later).await.is_ok() {
            return Ok(());
        }
        match self.store.redactions_to_finish().await {
            Ok(unfinished) if unfinished.contains(&(id.run, number)) => Err(format!(
                "{why} Covering something in it is recorded and was not carried out to its end: the portal does that when it is \
                 started."
            )),
            _ => Err(why),
        }
    }

    async fn look_at_output(&self, id: AttemptId, bound: &Bound) -> Result<(), String> {
        let of = format!("The output of run {}, step {}, attempt {}", id.run, id.step, id.attempt);
        match engine::stored_digest(self.outputs.clone(), id).await {
            Ok((bytes, digest)) if (bytes, &digest) == (bound.bytes, &bound.digest) => Ok(()),
            Ok((bytes, _)) if bytes != bound.bytes => {
                Err(format!("{of} has {bytes} bytes, and had {} when event {} was recorded.", bound.bytes, bound.seq))
            }
            Ok(_) => Err(format!("{of} was changed: event {} has another digest.", bound.seq)),
            // An attempt that never began has left no file.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && bound.bytes == 0 => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!("{of} is gone.")),
            Err(error) => Err(format!("{of} cannot be read: {error}.")),
        }
    }
}

fn read_key(file: &Path) -> Result<PublicKey, Unverifiable> {
    let unreadable = |why: String| Unverifiable::Key { file: file.display().to_string(), why };
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    PublicKey::from_pem(&text).map_err(|error| unreadable(error.to_string()))
}

fn bad_checkpoint(seq: Option<u64>, why: String) -> Finding {
    Finding { part: Part::Checkpoints, seq, attempt: None, why }
}

/// Notes what the walk has found, in the order of the chain; gives how many events hold.
fn judge(verification: &mut Verification, chain: Chain, anchors: &mut Anchors, misfit: Option<Finding>) -> u64 {
    let proven = anchors.fitting().1;
    let holding = if misfit.is_some() { Some(proven) } else { None };
    if let Some(finding) = misfit {
        verification.note(finding);
    }
    match chain {
        Chain::Whole(head) => {
            if holding.is_none()
                && let Err(finding) = anchors.end(&head)
            {
                verification.note(finding);
            }
            holding.unwrap_or(head.seq)
        }
        Chain::Broken(Broken { seq, why }) => {
            verification.note(Finding { part: Part::Chain, seq: Some(seq), attempt: None, why });
            holding.unwrap_or(seq - 1)
        }
    }
}

impl BoundOutputs {
    /// Notes what an event says about an output; a later one overrides an earlier one.
    fn note(&mut self, event: &Walked<'_>) {
        #[derive(Deserialize)]
        struct Record {
            event: Event,
        }
        if !matches!(event.kind, "attempt_ended" | "attempt_interrupted" | "output_redacted") {
            return;
        }
        let run = event.stream.strip_prefix("run:").and_then(|run| run.parse().ok()).map(RunId);
        let record = serde_json::from_str::<Record>(event.record).ok();
        let Some((run, record)) = run.zip(record) else { return };
        if let Some((id, bytes, digest)) = record.event.output(run) {
            self.0.insert(id, Bound { seq: event.head.seq, bytes, digest: digest.clone() });
        }
    }
}
