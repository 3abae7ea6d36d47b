//! Output on its way to one page: as text, as the screens of full-screen programs, or left out when there is too much of it.

use std::ops::Range;
use std::time::Duration;

use domain::attempt::{Condition, Intent};
use domain::frame::{Frame, Framed};
use domain::terminal::whole_characters;
use domain::{AttemptId, Timestamp};
use engine::{LinePlace, PIECE, Progress};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::readable::Readable;
use crate::screens::Following;
use crate::{Error, Portal};

/// A page that is further behind than this gets the tail instead of everything.
const BEHIND: u64 = 1 << 20;

/// How much of the tail it gets.
const TAIL: u64 = 256 * 1024;

/// What a page is sent later than this was not printed just now.
const LATE: Duration = Duration::from_millis(200);

/// The most moments of output that is sent late.
const MOMENTS: usize = 500;

/// A character has at most so many bytes.
const CHARACTER: u64 = 4;

/// Why nothing more is sent.
pub(crate) enum Failure {
    /// The page went away, or may not look any more.
    Gone,
    /// The portal could not read.
    Portal(Error),
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Portal(error.into())
    }
}

/// An attempt whose output is being sent.
pub(crate) struct Reading {
    /// What was recorded of it: its files are measured by that.
    intent: Intent,
    output: Readable,
    offset: u64,
    /// When the page was known to have everything, or to be about to get it: what it is sent next was printed after that. `None` as long
    /// as it gets what was stored before it came.
    since: Option<Instant>,
    progress: watch::Receiver<Progress>,
    /// The condition that the page knows.
    told: Condition,
    screens: Following,
}

impl Reading {
    /// For a page that has everything up to a byte.
    pub(crate) fn from_byte(
        offset: u64,
        intent: Intent,
        output: Readable,
        progress: watch::Receiver<Progress>,
    ) -> Self {
        let (told, screens) = (Condition::default(), Following::from_byte(offset));
        Self { intent, output, offset, since: None, progress, told, screens }
    }

    pub(crate) fn id(&self) -> AttemptId {
        self.intent.id
    }

    /// Whether a screen is on.
    pub(crate) fn shows_screen(&self) -> bool {
        self.screens.drawn().is_some()
    }

    /// Returns when it is time to look at the screen again.
    pub(crate) async fn screen_due(&self) {
        self.screens.due().await;
    }
}

/// A page that is sent frames.
pub(crate) struct Page {
    portal: Portal,
    sender: mpsc::Sender<Framed>,
    seq: u64,
}

impl Page {
    pub(crate) fn new(portal: Portal, sender: mpsc::Sender<Framed>) -> Self {
        Self { portal, sender, seq: 0 }
    }

    /// Ends when the page goes away.
    pub(crate) async fn gone(&self) {
        self.sender.closed().await;
    }

    /// Sends what is stored of an attempt. When that seems to be all: which attempt, and the byte after it.
    pub(crate) async fn drain(&mut self, reading: &mut Reading) -> Result<Option<(AttemptId, u64)>, Failure> {
        let now = *reading.progress.borrow_and_update();
        let since = reading.since.replace(Instant::now());
        let printed = self.printed(reading.id(), reading.offset..now.length, since).await;
        self.drain_as_printed(reading, now, &printed).await?;
        Ok(now.done.then_some((reading.id(), reading.offset)))
    }

    /// Since when what comes next was printed, by its bytes. When the page has made it wait, only the shim knows that.
    async fn printed(&self, id: AttemptId, next: Range<u64>, since: Option<Instant>) -> Vec<(u64, Timestamp)> {
        let Some(since) = since else { return Vec::new() };
        if since.elapsed() < LATE || next.is_empty() {
            return vec![(next.start, self.portal.now())];
        }
        let times = self.portal.engine().times(&id, next).await.unwrap_or_default();
        let every = times.len().div_ceil(MOMENTS).max(1);
        times.into_iter().step_by(every).collect()
    }

    /// The same for how far it had come, with the moments at which it was printed by its bytes.
    pub(crate) async fn drain_as_printed(
        &mut self,
        reading: &mut Reading,
        now: Progress,
        printed: &[(u64, Timestamp)],
    ) -> Result<(), Failure> {
        let Progress { length, done, condition, .. } = now;
        let AttemptId { step, attempt, .. } = reading.id();
        // A screen stands in the place of its output: the page has to know of it first.
        for repaint in reading.screens.look(&self.portal, (&reading.intent, &reading.output), now).await? {
            self.send(Frame::Screen { step, attempt, repaint: Box::new(repaint) }).await?;
        }
        let until = reading.screens.drawn().unwrap_or(length);
        if until.saturating_sub(reading.offset) > BEHIND {
            let (from, begin) = (reading.offset, self.begin_of_tail(&reading.intent, until - TAIL, until).await);
            let LinePlace { at: to, line, style } = begin;
            reading.offset = to;
            self.send(Frame::Left { step, attempt, from, to, line: (line > 0).then_some(line), style }).await?;
        }
        while reading.offset < until {
            let (at, next) = stamp(printed, reading.offset);
            let most = usize::try_from(until.min(next) - reading.offset).unwrap_or(PIECE).min(PIECE);
            let piece = reading.output.read(reading.offset, most).await?;
            let whole = whole_characters(&piece, done && reading.offset + piece.len() as u64 >= length);
            if whole == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&piece[..whole]).into_owned();
            let (offset, bytes) = (reading.offset, whole as u64);
            reading.offset += bytes;
            self.send(Frame::Output { step, attempt, offset, bytes, text, at }).await?;
        }
        if condition != reading.told {
            reading.told = condition;
            self.send(Frame::Condition { step, attempt, condition }).await?;
        }
        Ok(())
    }

    /// Where the tail begins that a page gets: with a line, if one begins in it. The line is 0 where nobody knows.
    async fn begin_of_tail(&self, intent: &Intent, at: u64, until: u64) -> LinePlace {
        let engine = self.portal.engine();
        if let Ok(place) = engine.line_from(intent, at).await
            && place.at < until
        {
            return place;
        }
        let stands = engine.lines_at(intent, vec![at]).await.unwrap_or_default().pop();
        LinePlace { at, line: stands.map_or(0, |place| place.line), ..LinePlace::default() }
    }

    pub(crate) async fn send(&mut self, frame: Frame) -> Result<(), Failure> {
        self.seq += 1;
        // A page that does not read must not hold up a portal that stops.
        tokio::select! {
            sent = self.sender.send(Framed { seq: self.seq, frame }) => sent.map_err(|_| Failure::Gone),
            () = self.portal.closing() => Err(Failure::Gone),
        }
    }
}

/// Since when the output from a byte on was printed, and the byte at which the next moment begins. No character is cut there.
fn stamp(printed: &[(u64, Timestamp)], offset: u64) -> (Option<Timestamp>, u64) {
    let behind = printed.partition_point(|(byte, _)| *byte <= offset);
    let (before, after) = printed.split_at(behind);
    let next = after.iter().map(|(byte, _)| *byte).find(|byte| *byte >= offset + CHARACTER);
    (before.last().map(|(_, at)| *at), next.unwrap_or(u64::MAX))
}

/// Waits for more output, or until it is time to look at the screen; for ever when nothing is read.
pub(crate) async fn more(reading: Option<&mut Reading>) {
    let more = match reading {
        Some(Reading { progress, screens, since, .. }) => {
            let waits = !progress.has_changed().unwrap_or(true);
            tokio::select! {
                changed = progress.changed() => {
                    if waits {
                        *since = since.map(|_| Instant::now());
                    }
                    changed.is_ok()
                }
                () = screens.due() => true,
            }
        }
        None => false,
    };
    if !more {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_said_to_be_printed_at_the_moment_before_it_and_ends_with_the_next() {
        let printed = [(10, Timestamp(1)), (12, Timestamp(2)), (90, Timestamp(3))];

        assert_eq!(stamp(&printed, 5), (None, 10));
        assert_eq!(stamp(&printed, 10), (Some(Timestamp(1)), 90), "too near: a character may go on there");
        assert_eq!(stamp(&printed, 50), (Some(Timestamp(2)), 90));
        assert_eq!(stamp(&printed, 90), (Some(Timestamp(3)), u64::MAX));
        assert_eq!(stamp(&[], 90), (None, u64::MAX));
    }
}
