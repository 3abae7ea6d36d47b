//! What was typed and is on its way to a step: in order, one batch after the other.

use super::{LIMIT, Stroke};

/// Text that is typed in one go is one stroke up to so many bytes.
const TEXT: usize = 1_000;

/// Keys that wait for the batch before them to arrive.
///
/// There is never more than one batch on its way, so that a fast hand neither loses keys nor changes their order; what is typed
/// meanwhile makes up the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    waiting: Vec<Stroke>,
    flies: bool,
}

impl Outbox {
    /// Adds what was typed. Gives it back when it alone is more than is sent at once ([`LIMIT`]).
    pub fn add(&mut self, stroke: Stroke) -> Result<(), Stroke> {
        if stroke.longest() > LIMIT {
            return Err(stroke);
        }
        match (self.waiting.last_mut(), stroke) {
            (Some(Stroke::Text(text)), Stroke::Text(more)) if text.len() + more.len() <= TEXT => text.push_str(&more),
            (_, stroke) => self.waiting.push(stroke),
        }
        Ok(())
    }

    /// The next batch, of at most [`LIMIT`] bytes; `None` while one is on its way, and when nothing waits.
    pub fn send(&mut self) -> Option<Vec<Stroke>> {
        if self.flies || self.waiting.is_empty() {
            return None;
        }
        let sizes = self.waiting.iter().scan(0, |sum, stroke| {
            *sum += stroke.longest();
            Some(*sum)
        });
        let count = sizes.take_while(|sum| *sum <= LIMIT).count();
        self.flies = true;
        Some(self.waiting.drain(..count).collect())
    }

    /// The batch that was on its way has arrived.
    pub fn arrived(&mut self) {
        self.flies = false;
    }

    /// Nothing that waits is sent any more. Says whether something waited.
    pub fn give_up(&mut self) -> bool {
        let waited = !self.waiting.is_empty();
        *self = Self::default();
        waited
    }
}
