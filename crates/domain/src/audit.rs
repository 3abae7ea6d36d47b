//! The chain of events, and the checkpoints by which it is known outside the database.
//!
//! Every event carries the hash of the one before it. Whoever rewrites one and all hashes behind it makes a chain that holds
//! in itself: such a one is found by a [`Checkpoint`], which was signed while the old events were there and lies elsewhere.

use serde::{Deserialize, Serialize};

use crate::{AttemptId, Digest, Timestamp};

/// What the first event has for its predecessor.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How far a chain has been walked: the place of the last event and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The place in the chain, from 1; 0 before the first event.
    pub seq: u64,
    /// The hash of the event there, in 64 hexadecimal digits.
    pub hash: String,
}

/// An event as it is stored, with what its row says about the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// The hash of the event before it.
    pub previous: &'a str,
    /// Its own.
    pub hash: &'a str,
    /// The stored bytes.
    pub record: &'a str,
}

impl Head {
    /// The place before the first event.
    pub fn beginning() -> Self {
        Self { seq: 0, hash: BEGINNING.to_owned() }
    }

    /// The place after one more event, whose record has this digest.
    ///
    /// The hash is the SHA-256 of the hash before, a line feed, and the digest of the record, both in hexadecimal digits. Over
    /// the digest and not over the record itself, so that who shows the events of one run can prove their place in the
    /// chain without showing those of others.
    #[must_use]
    pub fn then(&self, record: &Digest) -> Self {
        let hash = Digest::of(format!("{}\n{record}", self.hash).as_bytes());
        Self { seq: self.seq + 1, hash: hash.as_str().to_owned() }
    }

    /// Checks that an event follows here, and gives the place behind it.
    ///
    /// # Errors
    ///
    /// What is wrong, in a sentence.
    pub fn follow(&self, event: &Link<'_>) -> Result<Self, String> {
        let expected = self.seq + 1;
        if event.seq != expected {
            return Err(format!("Event {expected} is missing: the next one that is there is {}.", event.seq));
        }
        if event.previous != self.hash {
            return Err(format!(
                "Event {expected} does not follow the event before it: one of the two was replaced or moved."
            ));
        }
        let next = self.then(&Digest::of(event.record.as_bytes()));
        if event.hash != next.hash && event.hash != self.older(event.record).as_str() {
            return Err(format!("The record of event {expected} was changed: its hash does not fit it any more."));
        }
        Ok(Self { hash: event.hash.to_owned(), ..next })
    }

    /// The hash of the first versions, over the record itself. It binds as well; its events cannot be shown by digest alone.
    fn older(&self, record: &str) -> Digest {
        Digest::of(format!("{}\n{record}", self.hash).as_bytes())
    }

    /// Whether an event behind this place is linked by the digest of its record.
    pub fn is_by_digest(&self, event: &Link<'_>) -> bool {
        event.hash == self.then(&Digest::of(event.record.as_bytes())).hash
    }
}

/// What the chain was at a moment: all of it up to an event, in one hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The place of the last event, from 1.
    pub seq: u64,
    /// Its hash.
    pub head: Digest,
    /// When that was, milliseconds since 1970.
    pub at: Timestamp,
}

impl Checkpoint {
    /// The bytes that are signed.
    pub fn text(&self) -> String {
        format!("runbook-portal checkpoint 1\n{}\n{}\n{}\n", self.seq, self.head, self.at.0)
    }
}

/// A checkpoint with its signature: one line of JSON in a file of checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// The checkpoint.
    #[serde(flatten)]
    pub checkpoint: Checkpoint,
    /// Ed25519 (RFC 8032) over [`Checkpoint::text`], in 128 hexadecimal digits.
    pub signature: String,
}

/// What of a portal's record verification looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The events in the database.
    Chain,
    /// The checkpoints outside.
    Checkpoints,
    /// The stored output of attempts.
    Outputs,
}

impl Part {
    /// The part in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Chain => "events",
            Self::Checkpoints => "checkpoints",
            Self::Outputs => "outputs",
        }
    }
}

/// The first record of a part that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub part: Part,
    /// The place in the chain from which on nothing is proven, where there is one.
    pub seq: Option<u64>,
    /// The attempt whose output it is, where it is one.
    pub attempt: Option<AttemptId>,
    /// What is wrong, in a sentence.
    pub why: String,
}

/// What verification has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// Events that hold, from the first on.
    pub events: u64,
    /// Checkpoints that hold.
    pub checkpoints: u64,
    /// The place in the chain up to which a checkpoint outside proves it; 0 when none does.
    pub proven: u64,
    /// Outputs that hold.
    pub outputs: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// The first bad record of each part; none when everything is as it was recorded.
    pub findings: Vec<Finding>,
}

impl Verification {
    /// Notes a bad record, unless an earlier one of its part is noted.
    pub fn note(&mut self, finding: Finding) {
        if !self.has(finding.part) {
            self.findings.push(finding);
        }
    }

    /// Whether something of a part is bad.
    pub fn has(&self, part: Part) -> bool {
        self.findings.iter().any(|finding| finding.part == part)
    }
}

/// Holds a chain against its checkpoints while it is walked, in the order of both.
#[derive(Clone, Debug)]
pub struct Anchors {
    checkpoints: std::vec::IntoIter<Checkpoint>,
    next: Option<Checkpoint>,
    /// The last one that fitted.
    proven: u64,
    fitting: u64,
}

impl Anchors {
    /// Takes checkpoints in any order.
    pub fn new(mut checkpoints: Vec<Checkpoint>) -> Self {
        checkpoints.sort_by_key(|checkpoint| (checkpoint.seq, checkpoint.at));
        let mut checkpoints = checkpoints.into_iter();
        Self { next: checkpoints.next(), checkpoints, proven: 0, fitting: 0 }
    }

    /// Holds the place that the walk has reached against the checkpoints of that place.
    ///
    /// # Errors
    ///
    /// The finding when one says something else.
    pub fn pass(&mut self, head: &Head) -> Result<(), Finding> {
        while let Some(checkpoint) = self.next.take_if(|next| next.seq <= head.seq) {
            if checkpoint.seq != head.seq || checkpoint.head.as_str() != head.hash {
                return Err(self.rewritten(&checkpoint));
            }
            self.proven = checkpoint.seq;
            self.fitting += 1;
            self.next = self.checkpoints.next();
        }
        Ok(())
    }

    /// Says whether checkpoints are left that lie behind the end of the chain.
    ///
    /// # Errors
    ///
    /// The finding when there is one.
    pub fn end(&mut self, head: &Head) -> Result<(), Finding> {
        let Some(checkpoint) = self.next.take() else { return Ok(()) };
        let why = format!(
            "The database ends at event {}, and a checkpoint of {} knows event {}: the last events were cut off, or an older \
             database was put in its place.",
            head.seq, checkpoint.at, checkpoint.seq
        );
        Err(Finding { part: Part::Chain, seq: Some(head.seq + 1), attempt: None, why })
    }

    /// How many checkpoints fit, and up to which place.
    pub const fn fitting(&self) -> (u64, u64) {
        (self.fitting, self.proven)
    }

    fn rewritten(&self, checkpoint: &Checkpoint) -> Finding {
        let first = self.proven + 1;
        let why = format!(
            "The events from {first} to {} are not those of the checkpoint of {}: at least one of them was rewritten together \
             with the hashes behind it, or an older database was put in place of this one and went on.",
            checkpoint.seq, checkpoint.at
        );
        Finding { part: Part::Chain, seq: Some(first), attempt: None, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(records: &[&str]) -> Vec<Head> {
        let mut head = Head::beginning();
        let mut heads = Vec::new();
        for record in records {
            head = head.then(&Digest::of(record.as_bytes()));
            heads.push(head.clone());
        }
        heads
    }

    fn checkpoint(head: &Head) -> Checkpoint {
        Checkpoint { seq: head.seq, head: Digest::parse(&head.hash).unwrap(), at: Timestamp(1_000) }
    }

    fn walked(heads: &[Head], checkpoints: Vec<Checkpoint>) -> Result<(u64, u64), Finding> {
        let mut anchors = Anchors::new(checkpoints);
        heads.iter().try_for_each(|head| anchors.pass(head))?;
        anchors.end(heads.last().unwrap())?;
        Ok(anchors.fitting())
    }

    #[test]
    fn events_of_the_older_form_are_followed_and_mixed_with_newer_ones() {
        let start = Head::beginning();
        let older = Digest::of(format!("{BEGINNING}\n{{\"a\":1}}").as_bytes());
        let link = Link { seq: 1, previous: BEGINNING, hash: older.as_str(), record: "{\"a\":1}" };

        let after = start.follow(&link).unwrap();
        let next = after.then(&Digest::of(b"{}"));

        assert!(!start.is_by_digest(&link));
        assert!(after.follow(&Link { seq: 2, previous: older.as_str(), hash: &next.hash, record: "{}" }).is_ok());
    }

    #[test]
    fn a_chain_that_fits_its_checkpoints_is_proven_up_to_the_last() {
        let heads = chain(&["a", "b", "c", "d"]);

        assert_eq!(walked(&heads, vec![checkpoint(&heads[2]), checkpoint(&heads[0])]), Ok((2, 3)));
        assert_eq!(walked(&heads, Vec::new()), Ok((0, 0)));
    }

    #[test]
    fn a_rewritten_chain_is_found_between_two_checkpoints() {
        let (before, after) = (chain(&["a", "b", "c", "d"]), chain(&["a", "b", "x", "d"]));

        let finding = walked(&after, vec![checkpoint(&before[0]), checkpoint(&before[3])]).unwrap_err();

        assert_eq!((finding.part, finding.seq), (Part::Chain, Some(2)));
    }

    #[test]
    fn a_tail_that_was_cut_off_is_found() {
        let heads = chain(&["a", "b", "c", "d"]);

        let finding = walked(&heads[..2], vec![checkpoint(&heads[3])]).unwrap_err();

        assert_eq!((finding.part, finding.seq), (Part::Chain, Some(3)));
    }

    #[test]
    fn two_checkpoints_of_one_place_have_to_say_the_same() {
        let heads = chain(&["a", "b"]);
        let other = Checkpoint { head: Digest::of(b"other"), at: Timestamp(2_000), ..checkpoint(&heads[1]) };

        assert!(walked(&heads, vec![checkpoint(&heads[1]), other]).is_err());
    }

    #[test]
    fn what_is_signed_is_four_lines_that_anybody_can_write() {
        let checkpoint = Checkpoint { seq: 7, head: Digest::of(b"x"), at: Timestamp(5) };

        let expected = format!("runbook-portal checkpoint 1\n7\n{}\n5\n", Digest::of(b"x"));
        assert_eq!(checkpoint.text(), expected);
    }
}
