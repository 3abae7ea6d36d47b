//! The evidence of a run, put together in a file that goes away by itself.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};

use audit::bundle::{BundleWriter, ChainWriter};
use domain::audit::SignedCheckpoint;
use domain::policy::Viewer;
use domain::run::Event;
use domain::{AttemptId, RunId};
use serde::Deserialize;
use store::EvidenceRow;

use crate::{Error, Portal};

/// An evidence bundle, from its first byte on.
#[derive(Debug)]
pub struct Bundle {
    /// The file.
    pub file: File,
    /// Its length in bytes.
    pub length: u64,
}

/// What is needed of the record of an event of a run.
#[derive(Deserialize)]
struct Record {
    event: Event,
}

impl Portal {
    /// Puts the evidence of a run together: its events, what leads from them to a checkpoint, and the output of every attempt
    /// that has ended. What happens meanwhile is not in it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a run that is not there, or not for this person; [`Error::Invalid`] when it cannot be proven, with
    /// the reason.
    pub async fn evidence_bundle(&self, viewer: Viewer<'_>, id: RunId) -> Result<Bundle, Error> {
        self.run_for(viewer.actor(), id).await?;
        // What is covered while an output is read fits no record.
        let _together = self.redacting().read().await;
        let (first, last, at) = self.store().places_of(id).await?.ok_or(Error::NotFound)?;
        let checkpoint = self.covering(last, at).await?;
        let (chain, attempts) = self.chain_of(id, (first, checkpoint.checkpoint.seq)).await?;
        let portal = self.clone();
        let put_together = move || portal.bundle(&checkpoint, chain, &attempts);
        tokio::task::spawn_blocking(put_together).await.map_err(|_| Error::Broken("putting evidence together"))?
    }

    /// The first checkpoint behind an event: the one that was signed soonest after it. One is made when there is none yet.
    async fn covering(&self, seq: u64, at: domain::Timestamp) -> Result<SignedCheckpoint, Error> {
        let portal = self.clone();
        let find = move || {
            let checkpoints = portal.checkpoints();
            checkpoints.folder().covering(seq, at, &checkpoints.public())
        };
        let found = tokio::task::spawn_blocking(find).await.map_err(|_| Error::Broken("looking for a checkpoint"))?;
        match found {
            Ok(Some(checkpoint)) => Ok(checkpoint),
            _ => self.checkpoint().await.map_err(|error| match error {
                Error::Output(_) => Error::Invalid(
                    "No checkpoint covers this run, and none can be written now: the folder of checkpoints cannot be used. \
                     There is no evidence yet; tell an administrator."
                        .to_owned(),
                ),
                other => other,
            }),
        }
    }

    /// The lines of the chain in a file of their own, and the attempts whose output its events bind.
    async fn chain_of(&self, id: RunId, places: (u64, u64)) -> Result<(File, BTreeSet<AttemptId>), Error> {
        // The first line is known when the first event has been read: it goes into a file of its own.
        let mut rest = ChainWriter::new(BufWriter::new(self.nameless()?));
        let mut bound = BTreeSet::new();
        let walked = self.store().walk_evidence(id, places, |row| {
            match row {
                EvidenceRow::Own(record) => {
                    bound.extend(bound_by(&record, id));
                    rest.record(record)?;
                }
                EvidenceRow::Other(digest) => rest.digest(&digest)?,
            }
            Ok::<(), Error>(())
        });
        let before = walked.await.map_err(older_form)?;
        let mut rest = rest.into_inner().into_inner().map_err(|error| Error::Output(error.into_error()))?;
        let mut chain = ChainWriter::new(self.nameless()?);
        chain.before(&before)?;
        let mut chain = chain.into_inner();
        rest.rewind()?;
        std::io::copy(&mut rest, &mut chain)?;
        Ok((chain, bound))
    }

    /// Outputs that cannot be read are left out, and missed by whoever checks.
    fn bundle(
        &self,
        checkpoint: &SignedCheckpoint,
        chain: File,
        attempts: &BTreeSet<AttemptId>,
    ) -> Result<Bundle, Error> {
        let to = BufWriter::new(self.nameless()?);
        let mut bundle = BundleWriter::new(to, &self.checkpoints().public(), checkpoint)?;
        bundle.chain(chain)?;
        for id in attempts {
            // What is there, and not what should be: a difference is for whoever checks to see.
            let length = self.engine().length(id);
            if let Some(output) = self.engine().output(id).ok().filter(|_| length > 0) {
                bundle.output(*id, length, output.reader())?;
            }
        }
        let mut to = bundle.finish()?;
        to.flush()?;
        let mut file = to.into_inner().map_err(|error| Error::Output(error.into_error()))?;
        let length = file.stream_position()?;
        file.rewind()?;
        Ok(Bundle { file, length })
    }

    /// A file beside the database that nobody else sees.
    fn nameless(&self) -> Result<File, Error> {
        Ok(tempfile::tempfile_in(self.checkpoints().data())?)
    }
}

/// The attempt whose output an event of a run binds.
fn bound_by(record: &str, run: RunId) -> Option<AttemptId> {
    let record: Record = serde_json::from_str(record).ok()?;
    record.event.output(run).filter(|(_, bytes, _)| *bytes > 0).map(|(id, ..)| id)
}

fn older_form(error: Error) -> Error {
    match error {
        Error::Store(store::Error::Inconsistent(_)) => Error::Invalid(
            "Something that happened during this run was recorded by an older version of the portal, in a form whose place in the \
             chain cannot be proven without showing it. There is no evidence bundle for this run; `audit verify` covers it."
                .to_owned(),
        ),
        other => other,
    }
}
