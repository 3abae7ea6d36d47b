//! Stored output as people may read it: whatever the record says is covered is covered, also while the disk still has it.

use bytes::Bytes;
use domain::AttemptId;
use domain::policy::Sight;
use domain::redaction::{ByteRange, cover};
use domain::run::Run;
use tokio::sync::{Mutex, watch};

use crate::{Error, Portal};

/// The output of one attempt, for pages, streams and downloads.
///
/// What is covered while somebody reads is covered in what is read from then on.
pub(crate) struct Readable {
    portal: Portal,
    id: AttemptId,
    covered: Mutex<Covered>,
}

struct Covered {
    /// The places of each redaction that was confirmed.
    places: Vec<Vec<ByteRange>>,
    /// How often they have become more.
    changes: u64,
    /// Tells when something was covered, in whatever output.
    news: watch::Receiver<u64>,
}

impl Portal {
    /// The output of an attempt of a run as it stands.
    pub(crate) fn readable(&self, run: &Run, id: AttemptId) -> Readable {
        let covered = Covered { places: run.covered_places(id), changes: 0, news: self.live().redactions() };
        Readable { portal: self.clone(), id, covered: Mutex::new(covered) }
    }

    /// The same for who goes on reading when others decide: what was covered since the run was read is asked for at first.
    pub(crate) fn readable_for_long(&self, run: &Run, id: AttemptId) -> Readable {
        let mut readable = self.readable(run, id);
        readable.covered.get_mut().news.mark_changed();
        readable
    }

    async fn covered_places(&self, id: AttemptId) -> Result<Vec<Vec<ByteRange>>, Error> {
        let run = self.store().run(id.run, &Sight::EVERYTHING).await?.ok_or(Error::NotFound)?;
        Ok(run.covered_places(id))
    }
}

impl Readable {
    /// At most `limit` bytes (and at most [`engine::PIECE`]) from a place on.
    pub(crate) async fn read(&self, from: u64, limit: usize) -> std::io::Result<Bytes> {
        let piece = self.portal.engine().read(&self.id, from, limit).await?;
        // Asked after it was read: what is covered by now is not sent.
        let mut covered = self.covered.lock().await;
        covered.update(&self.portal, self.id).await?;
        if covered.places.is_empty() {
            return Ok(piece);
        }
        let mut piece = piece.to_vec();
        for ranges in &covered.places {
            cover(&mut piece, from, ranges);
        }
        Ok(piece.into())
    }

    /// Whose output it is.
    pub(crate) const fn id(&self) -> AttemptId {
        self.id
    }

    /// How many redactions of it were confirmed.
    pub(crate) async fn redactions(&self) -> std::io::Result<usize> {
        let mut covered = self.covered.lock().await;
        covered.update(&self.portal, self.id).await?;
        Ok(covered.places.len())
    }

    /// How often more of it was covered since somebody began to read it: whoever has drawn something from it draws it anew then.
    pub(crate) async fn changes(&self) -> std::io::Result<u64> {
        let mut covered = self.covered.lock().await;
        covered.update(&self.portal, self.id).await?;
        Ok(covered.changes)
    }
}

impl Covered {
    async fn update(&mut self, portal: &Portal, id: AttemptId) -> std::io::Result<()> {
        if !self.news.has_changed().unwrap_or(false) {
            return Ok(());
        }
        self.news.mark_unchanged();
        let places = portal.covered_places(id).await.inspect_err(|_| self.news.mark_changed());
        let places = places.map_err(std::io::Error::other)?;
        if places != self.places {
            self.places = places;
            self.changes += 1;
        }
        Ok(())
    }
}
