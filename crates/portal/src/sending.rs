//! Output on its way to one page: as text, as the screens of full-screen programs, or left out when there is too much of it.

use domain::AttemptId;
use domain::attempt::{Condition, Intent};
use domain::frame::{Frame, Framed};
use domain::terminal::whole_characters;
use engine::{LinePlace, Progress};
use tokio::sync::{mpsc, watch};

use crate::readable::Readable;
use crate::screens::Following;
use crate::{Error, Portal};

/// Bytes of one piece of output.
const PIECE: usize = 64 * 1024;

/// A page that is further behind than this gets the tail instead of everything.
const BEHIND: u64 = 1 << 20;

/// How much of the tail it gets.
const TAIL: u64 = 256 * 1024;

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
    /// Whether the page had everything once: what it is sent since then has just been printed.
    fresh: bool,
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
        Self { intent, output, offset, fresh: false, progress, told, screens }
    }

    pub(crate) fn id(&self) -> AttemptId {
        self.intent.id
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
        let at = reading.fresh.then(|| self.portal.now());
        self.drain_as_printed(reading, now, at).await?;
        reading.fresh = true;
        Ok(now.done.then_some((reading.id(), reading.offset)))
    }

    /// The same for how far it had come at a moment, which is said to be when it was printed.
    pub(crate) async fn drain_as_printed(
        &mut self,
        reading: &mut Reading,
        now: Progress,
        at: Option<domain::Timestamp>,
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
            let most = usize::try_from(until - reading.offset).unwrap_or(PIECE).min(PIECE);
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

/// Waits for more output, or until it is time to look at the screen; for ever when nothing is read.
pub(crate) async fn more(reading: Option<&mut Reading>) {
    let more = match reading {
        Some(Reading { progress, screens, .. }) => tokio::select! {
            changed = progress.changed() => changed.is_ok(),
            () = screens.due() => true,
        },
        None => false,
    };
    if !more {
        std::future::pending::<()>().await;
    }
}
