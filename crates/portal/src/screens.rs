//! The screens of full-screen programs, drawn from stored output: for a page that is rendered, and for one that follows.
//!
//! Whoever looks draws, from the byte at which the command began; nothing is kept but the last screens of a few long commands. Of a
//! long output the begin and the end are read, which is what a program that paints over and over shows.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::AttemptId;
use domain::attempt::{CommandRange, Intent, Mark};
use domain::run::{Attempt, AttemptEnding};
use domain::screen::{Repaint, Screen};
use engine::{PIECE, Painter, Progress};
use tokio::time::Instant;

use crate::readable::Readable;
use crate::{Error, Portal};

/// What is read of the begin of an output that is too long to be read as a whole.
const HEAD: u64 = 256 << 10;

/// What is read of its end.
const LAST: u64 = 1 << 20;

/// Between two looks at a screen that changes.
const PAUSE: Duration = Duration::from_millis(100);

/// So many last screens are kept.
const KEPT: usize = 16;

/// The last screens of long commands that have ended, as they were drawn lately: whoever scrolls past one asks for it again and again.
#[derive(Debug, Default)]
pub(crate) struct LastScreens(Mutex<VecDeque<LastScreen>>);

/// What was drawn from some output; no screen when that was text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LastScreen {
    source: Source,
    screen: Option<Screen>,
}

/// Output from which a screen is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source {
    id: AttemptId,
    range: CommandRange,
    /// How many redactions of the output were confirmed: none is ever taken back.
    redactions: usize,
}

impl LastScreens {
    fn get(&self, source: Source) -> Option<LastScreen> {
        let mut kept = self.lock();
        let place = kept.iter().position(|known| known.source == source)?;
        let found = kept.remove(place)?;
        kept.push_back(found.clone());
        Some(found)
    }

    fn keep(&self, source: Source, screen: Option<Screen>) {
        let mut kept = self.lock();
        kept.push_back(LastScreen { source, screen });
        if kept.len() > KEPT {
            kept.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LastScreen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Portal {
    /// The screens in a stretch of an attempt's stored output, in which each command has its place.
    pub(crate) async fn screens(
        &self,
        output: &Readable,
        ranges: &[(CommandRange, bool)],
        stretch: std::ops::Range<u64>,
    ) -> Result<Vec<Screen>, Error> {
        let mut screens = Vec::new();
        for (range, over) in ranges.iter().copied() {
            if range.from < stretch.end && stretch.start < range.to {
                let screen = self.screen(output, range, over).await?;
                screens.extend(if over { screen.map(|screen| ended(screen, range.to)) } else { screen });
            }
        }
        Ok(screens)
    }

    /// What a command has painted.
    async fn screen(&self, output: &Readable, range: CommandRange, over: bool) -> Result<Option<Screen>, Error> {
        let source = Source { id: output.id(), range, redactions: output.redactions().await? };
        let is_kept = over && range.to.saturating_sub(range.from) > PIECE as u64;
        if is_kept && let Some(last) = self.last_screens().get(source) {
            return Ok(last.screen);
        }
        let mut painter = Painter::new(range.command, range.from);
        catch_up(&mut painter, output, range.to).await?;
        let screen = painter.screen();
        // What was covered meanwhile may have been painted.
        if is_kept && output.redactions().await? == source.redactions {
            self.last_screens().keep(source, screen.clone());
        }
        Ok(screen)
    }

    /// Where the output of each command is, and whether that is all of it.
    pub(crate) async fn ranges(&self, id: AttemptId, attempt: &Attempt, length: u64) -> Vec<(CommandRange, bool)> {
        // When output was left out, only the record at the end has the places.
        if let Some(AttemptEnding::Known(exit)) = attempt.end.as_ref().map(|end| &end.ending)
            && !exit.notes.ranges.is_empty()
        {
            return exit.notes.ranges.iter().map(|range| (*range, true)).collect();
        }
        let mut ranges: Vec<(CommandRange, bool)> = Vec::new();
        let intent = Intent { id, digest: attempt.digest.clone() };
        for mark in self.engine().read_marks(&intent, 0).await.unwrap_or_default() {
            match (mark, ranges.last_mut()) {
                (Mark::Started { command, offset, .. }, _) => {
                    let range = CommandRange { command, from: offset, to: length };
                    ranges.push((range, attempt.end.is_some()));
                }
                (Mark::Ended { offset, .. }, Some((range, over))) => (range.to, *over) = (offset.min(length), true),
                (Mark::Ended { .. }, None) => {}
            }
        }
        ranges
    }
}

/// The screens of an attempt that a page follows.
pub(crate) struct Following {
    /// Up to where the page has everything already.
    known: u64,
    /// How often something of the output was covered before it was drawn.
    changes: u64,
    /// How many marks of the attempt were looked at.
    marks: usize,
    /// For the command that runs.
    painter: Option<Painter>,
    /// What the page knows of its screen.
    told: Option<Screen>,
    /// Not looked at before that.
    next: Instant,
    /// Whether there is something to look at then.
    due: bool,
}

impl Following {
    /// For a page that has everything up to a byte.
    pub(crate) fn from_byte(known: u64) -> Self {
        Self { known, changes: 0, marks: 0, painter: None, told: None, next: Instant::now(), due: false }
    }

    /// Returns when it is time to look, if nothing else happens.
    pub(crate) async fn due(&self) {
        if self.due {
            tokio::time::sleep_until(self.next).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    /// While a screen is on: up to where it is drawn. Output beyond that waits, because it may be of the screen or come after it.
    pub(crate) fn drawn(&self) -> Option<u64> {
        let painter = self.painter.as_ref()?;
        self.told.as_ref().filter(|told| told.to.is_none()).map(|_| painter.at())
    }

    /// What the page has to be told. A burst of output is looked at once, as it stands after it.
    pub(crate) async fn look(
        &mut self,
        portal: &Portal,
        (intent, output): (&Intent, &Readable),
        progress: Progress,
    ) -> Result<Vec<Repaint>, Error> {
        let mut news = Vec::new();
        let changes = output.changes().await?;
        if changes != self.changes {
            // What is drawn may show what is covered now: all of it is drawn anew.
            *self = Self { changes, ..Self::from_byte(self.known) };
        }
        self.due = false;
        if progress.marks > self.marks {
            let marks = portal.engine().read_marks(intent, self.marks).await?;
            let news_of = marks.into_iter().take(progress.marks - self.marks);
            for mark in news_of {
                self.marks += 1;
                match mark {
                    Mark::Started { command, offset, .. } => self.begin(command, offset),
                    Mark::Ended { offset, .. } => {
                        news.extend(self.end(output, offset.min(progress.length)).await?);
                    }
                }
            }
        }
        if progress.done {
            news.extend(self.end(output, progress.length).await?);
        } else if self.painter.as_ref().is_some_and(|painter| painter.at() < progress.length) {
            news.extend(self.look_at_screen(output, progress.length).await?);
        }
        Ok(news)
    }

    fn begin(&mut self, command: u32, offset: u64) {
        self.painter = Some(Painter::new(command, offset));
        self.told = None;
    }

    async fn look_at_screen(&mut self, output: &Readable, to: u64) -> Result<Option<Repaint>, Error> {
        let now = Instant::now();
        self.due = now < self.next;
        let Some(painter) = self.painter.as_mut().filter(|_| !self.due) else { return Ok(None) };
        self.next = now + PAUSE;
        catch_up(painter, output, to).await?;
        let screen = painter.screen();
        Ok(self.tell(screen))
    }

    /// The command has printed everything up to a byte.
    async fn end(&mut self, output: &Readable, to: u64) -> Result<Option<Repaint>, Error> {
        let Some(mut painter) = self.painter.take().filter(|_| to >= self.known) else { return Ok(None) };
        catch_up(&mut painter, output, to).await?;
        let screen = painter.screen().map(|screen| ended(screen, to));
        Ok(self.tell(screen))
    }

    fn tell(&mut self, screen: Option<Screen>) -> Option<Repaint> {
        // What looked like a screen may have become text.
        let screen = screen.or_else(|| self.told.as_ref().filter(|told| !told.is_none()).map(Screen::none));
        let screen = screen.filter(|screen| self.told.as_ref() != Some(screen))?;
        let repaint = screen.since(self.told.as_ref());
        self.told = Some(screen);
        Some(repaint)
    }
}

/// A screen whose command has printed everything up to a byte.
fn ended(screen: Screen, to: u64) -> Screen {
    Screen { to: screen.to.or(Some(to)), cursor: None, ..screen }
}

/// Draws what is stored up to a byte.
async fn catch_up(painter: &mut Painter, output: &Readable, to: u64) -> std::io::Result<()> {
    if to.saturating_sub(painter.at()) > HEAD + LAST {
        let head = painter.at() + HEAD;
        draw(painter, output, head).await?;
        painter.skip_to(to - LAST);
    }
    draw(painter, output, to).await
}

async fn draw(painter: &mut Painter, output: &Readable, to: u64) -> std::io::Result<()> {
    while painter.at() < to {
        let most = usize::try_from(to - painter.at()).unwrap_or(PIECE).min(PIECE);
        let piece = output.read(painter.at(), most).await?;
        if piece.is_empty() {
            break;
        }
        painter.push(&piece);
        // A long piece of work for one who only wants to look.
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::RunId;

    use super::*;

    fn source(run: i64, redactions: usize) -> Source {
        let id = AttemptId { run: RunId(run), step: 1, attempt: 1 };
        Source { id, range: CommandRange { command: 1, from: 0, to: 100_000 }, redactions }
    }

    #[test]
    fn a_last_screen_is_kept_until_something_is_covered_in_its_output() {
        let (screens, screen) = (LastScreens::default(), Some(Screen { command: 1, ..Screen::default() }));
        screens.keep(source(1, 0), screen.clone());
        screens.keep(source(2, 0), None);

        let known = |source| screens.get(source).map(|last| last.screen);
        assert_eq!(known(source(1, 0)), Some(screen));
        assert_eq!(known(source(2, 0)), Some(None), "it is known that it was text");
        assert_eq!([known(source(1, 1)), known(source(3, 0))], [None, None]);
    }

    #[test]
    fn of_many_screens_those_that_nobody_asks_for_go() {
        let screens = LastScreens::default();
        for run in 0..16 {
            screens.keep(source(run, 0), None);
        }

        assert!(screens.get(source(0, 0)).is_some());
        screens.keep(source(99, 0), None);

        assert_eq!([0, 1, 2].map(|run| screens.get(source(run, 0)).is_some()), [true, false, true]);
    }
}
