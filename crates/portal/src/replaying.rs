//! An attempt that has ended, shown once more as it was printed: the frames of a page that follows, at the pace of then.
//!
//! A page draws them as it draws what runs, screens of full-screen programs included. Nothing is computed ahead: whoever leaves, or
//! stops it for a while, simply goes; and begins again from the moment at which they were.

use std::time::Duration;

use domain::frame::{Frame, Framed};
use domain::policy::Viewer;
use domain::{AttemptId, Timestamp};
use engine::Progress;
use futures::stream::BoxStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use crate::recording::{Beat, beats};
use crate::sending::{Failure, Page, Reading};
use crate::watching::AHEAD;
use crate::{Error, Portal};

/// Nobody waits longer for something to be printed, in milliseconds of then.
const LONGEST: u64 = 2_000;

/// The fastest that it is shown.
const FASTEST: u32 = 100;

/// How often a replay in which nothing is printed says that it lives.
const LIVES: Duration = Duration::from_secs(10);

/// What is painted on a screen so soon after something else is of the same redraw.
const REDRAW: Duration = Duration::from_millis(50);

/// A screen that is painted without a pause is shown after so long all the same.
const HELD: Duration = Duration::from_millis(100);

/// How far an attempt had come, and how long after the moment before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    at: Timestamp,
    wait: u64,
    length: u64,
    marks: usize,
}

impl Portal {
    /// Shows an attempt once more from so many milliseconds after its begin on, so many times as fast as it was.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such attempt, or it is not for this person; [`Error::Invalid`] while it runs.
    pub async fn replay(
        &self,
        viewer: Viewer<'_>,
        id: AttemptId,
        from: u64,
        speed: u32,
    ) -> Result<BoxStream<'static, Framed>, Error> {
        let run = self.run_for(viewer.actor(), id.run).await?;
        let attempt = run.attempt(id).ok_or(Error::NotFound)?;
        if attempt.end.is_none() {
            let words = "This attempt still runs. It can be replayed once it has ended; nothing was started.";
            return Err(Error::Invalid(words.to_owned()));
        }
        let begun = attempt.started.at;
        let intent = run.intent(id).ok_or(Error::NotFound)?;
        let marks = self.engine().read_marks(&intent, 0).await.unwrap_or_default();
        let times = self.engine().all_times(&id).await.unwrap_or_default();
        let beats = beats(begun, times, &marks, |_| String::new());
        let moments = moments(&beats, self.engine().length(&id), begun.plus(from));
        let (sender, receiver) = mpsc::channel(AHEAD);
        let page = Page::new(self.clone(), sender);
        // What it tells is said by the moments: nothing is followed.
        let (_, still) = watch::channel(Progress::default());
        let reading = Reading::from_byte(0, intent, self.readable_for_long(&run, id), still);
        let portal = self.clone();
        self.tasks().spawn(async move {
            if let Err(Failure::Portal(error)) = show(&portal, page, reading, moments, speed.clamp(1, FASTEST)).await {
                tracing::error!(error = &error as &dyn std::error::Error, attempt.id = %id, "an attempt could not be replayed");
            }
        });
        Ok(self.while_seen(viewer, id.run, ReceiverStream::new(receiver)))
    }
}

async fn show(
    portal: &Portal,
    mut page: Page,
    mut reading: Reading,
    moments: Vec<Moment>,
    speed: u32,
) -> Result<(), Failure> {
    page.send(Frame::Hello { build: portal.build().to_owned(), now: portal.now() }).await?;
    let mut due = Instant::now();
    let (mut shown, mut held) = (None, None::<Instant>);
    let mut moments = moments.into_iter().peekable();
    while let Some(Moment { at, wait, length, marks }) = moments.next() {
        due += Duration::from_millis(wait) / speed;
        wait_until(due, portal, &mut page, &mut reading, shown).await?;
        let next = moments.peek().map(|next| Duration::from_millis(next.wait) / speed);
        if reading.shows_screen() && is_half(next, held.map_or(Duration::ZERO, |held| held.elapsed())) {
            held.get_or_insert_with(Instant::now);
            continue;
        }
        held = None;
        let progress = Progress { length, marks, done: next.is_none(), ..Progress::default() };
        page.drain_as_printed(&mut reading, progress, &[(0, at)]).await?;
        shown = Some((progress, at));
    }
    Ok(())
}

/// Waits, and says that it lives. What was shown is looked at again meanwhile when a screen was looked at too often to be drawn.
async fn wait_until(
    due: Instant,
    portal: &Portal,
    page: &mut Page,
    reading: &mut Reading,
    shown: Option<(Progress, Timestamp)>,
) -> Result<(), Failure> {
    while Instant::now() < due {
        let beat = due.min(Instant::now() + LIVES);
        let looks_again = tokio::select! {
            () = tokio::time::sleep_until(beat) => false,
            () = reading.screen_due() => true,
            () = page.gone() => return Err(Failure::Gone),
            () = portal.closing() => return Err(Failure::Gone),
        };
        match shown {
            Some((progress, at)) if looks_again => page.drain_as_printed(reading, progress, &[(0, at)]).await?,
            _ if Instant::now() < due => page.send(Frame::Beat { now: portal.now() }).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether a screen is in the middle of a redraw, when something more is printed so soon, and has been for so long.
fn is_half(next: Option<Duration>, since: Duration) -> bool {
    next.is_some_and(|next| next < REDRAW) && since < HELD
}

/// How far it had come when, from a moment on: what was printed before that comes at once.
fn moments(beats: &[Beat], length: u64, from: Timestamp) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    let (mut marks, mut last) = (0, None::<Timestamp>);
    for (place, beat) in beats.iter().enumerate() {
        marks += usize::from(beat.is_border);
        let at = last.map_or(beat.at, |last| last.max(beat.at));
        let until = beats.get(place + 1).map_or(length, |next| next.byte.min(length));
        let wait = last.filter(|_| at > from).map_or(0, |last| at.since(last.max(from)).min(LONGEST));
        last = Some(at);
        match moments.last_mut() {
            // What was printed at the same moment is shown together.
            Some(now) if wait == 0 => (now.at, now.length, now.marks) = (at, until, marks),
            _ => moments.push(Moment { at, wait, length: until, marks }),
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(byte: u64, at: i64, is_border: bool) -> Beat {
        Beat { byte, at: Timestamp(at), is_border, label: None }
    }

    /// Two commands: the first prints 30 bytes within a second, the second 10 bytes after a long silence.
    fn printed() -> Vec<Beat> {
        vec![
            beat(0, 1_000, false),
            beat(0, 1_000, true),
            beat(0, 1_500, false),
            beat(10, 2_000, false),
            beat(30, 2_000, true),
            beat(30, 2_000, true),
            beat(30, 90_000, false),
            beat(40, 90_500, true),
        ]
    }

    fn told(from: i64) -> Vec<(i64, u64, u64, usize)> {
        let moments = moments(&printed(), 40, Timestamp(from));
        moments.into_iter().map(|moment| (moment.at.0, moment.wait, moment.length, moment.marks)).collect()
    }

    #[test]
    fn it_comes_as_it_was_printed_and_no_silence_is_longer_than_one_waits() {
        let expected = [
            (1_000, 0, 0, 1),
            (1_500, 500, 10, 1),
            (2_000, 500, 30, 3),
            (90_000, LONGEST, 40, 3),
            (90_500, 500, 40, 4),
        ];

        assert_eq!(told(0), expected);
    }

    #[test]
    fn what_was_printed_before_the_moment_at_which_it_begins_comes_at_once() {
        assert_eq!(
            told(1_800),
            [(1_500, 0, 10, 1), (2_000, 200, 30, 3), (90_000, LONGEST, 40, 3), (90_500, 500, 40, 4)]
        );
        assert_eq!(told(99_000), [(90_500, 0, 40, 4)], "behind its end all of it");
    }

    #[test]
    fn a_redraw_is_shown_when_it_is_whole_and_one_that_never_is_all_the_same() {
        let after = |milliseconds| Some(Duration::from_millis(milliseconds));

        assert!(is_half(after(20), Duration::ZERO), "more of it comes at once");
        assert!(!is_half(after(500), Duration::ZERO));
        assert!(!is_half(None, Duration::ZERO), "nothing comes any more");
        assert!(!is_half(after(20), HELD));
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let beats = [beat(0, 5_000, false), beat(10, 1_000, false), beat(20, 5_100, false)];

        let moments = moments(&beats, 30, Timestamp(0));

        assert_eq!(moments.iter().map(|moment| (moment.wait, moment.length)).collect::<Vec<_>>(), [(0, 20), (100, 30)]);
    }
}
