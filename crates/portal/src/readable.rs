//! Stored output as people may read it: whatever the record says is covered is covered, also while the disk still has it.

use bytes::Bytes;
use domain::AttemptId;
use domain::redaction::{ByteRange, cover};
use domain::run::Run;
use engine::Engine;

use crate::Portal;

/// The output of one attempt, for pages, streams and downloads.
///
/// What is covered later than this was made is not known to it: whoever reads on and is told of that makes a new one.
#[derive(Clone)]
pub(crate) struct Readable {
    engine: Engine,
    id: AttemptId,
    /// The places of each redaction that was confirmed.
    covered: Vec<Vec<ByteRange>>,
}

impl Portal {
    /// The output of an attempt of a run as it stands.
    pub(crate) fn readable(&self, run: &Run, id: AttemptId) -> Readable {
        Readable { engine: self.engine().clone(), id, covered: run.covered_places(id) }
    }
}

impl Readable {
    /// At most `limit` bytes (and at most [`engine::PIECE`]) from a place on.
    pub(crate) async fn read(&self, from: u64, limit: usize) -> std::io::Result<Bytes> {
        let piece = self.engine.read(&self.id, from, limit).await?;
        if self.covered.is_empty() {
            return Ok(piece);
        }
        let mut piece = piece.to_vec();
        for ranges in &self.covered {
            cover(&mut piece, from, ranges);
        }
        Ok(piece.into())
    }
}
