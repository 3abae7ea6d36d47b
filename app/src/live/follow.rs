//! The one stream of a run's page: begun, decoded, resumed; and stored output that no stream brings.
//!
//! Runs in the browser only. Whatever breaks, the page asks again from where it is; numbers and offsets make a late
//! joiner, a lost connection and a gap the same case.

use std::time::Duration;

use domain::AttemptId;
use domain::frame::{Frame, Framed, LineDecoder};
use domain::run::{Entry, Event, evolve};
use domain::screen::Repaint;
use futures::future::{Either, select};
use futures::{StreamExt as _, pin_mut};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use super::log::Log;
use super::{Link, Live};
use crate::AppError;
use crate::api::runs::{log, watch_run};

/// A stream that says nothing for so long is dead: it beats every ten seconds.
const SILENCE: u32 = 25_000;

/// The first and the longest pause before the next try, in milliseconds.
const PAUSES: (u32, u32) = (500, 15_000);

/// A page draws no more often than a screen shows it, in milliseconds: what comes meanwhile is taken together.
const FRAME: u32 = 16;

/// How long a tab may be out of sight before it lets its stream go.
const OUT_OF_SIGHT: Duration = Duration::from_secs(30);

/// Follows the run as long as the page lives, and fetches what the stream does not bring. Also of a closed run something can be
/// told: that its output was covered.
pub fn keep(live: Live) {
    sleep_when_out_of_sight(live);
    Effect::new(move |_| {
        live.turn.track();
        live.closed.track();
        if live.lacks_output() {
            spawn_local_scoped_with_cancellation(fetch(live));
        }
        if !live.asleep.get() {
            spawn_local_scoped_with_cancellation(follow(live));
        }
    });
}

/// Fetches the stored output of the attempt on the stage. Nothing is added to it any more.
async fn fetch(live: Live) {
    let wanted = live.on_stage();
    let from = live.log.with_untracked(|log| log.is_page().then(|| log.from()));
    match log(wanted.run, wanted.step, wanted.attempt, from).await {
        Ok(view) => live.log.set(if from.is_some() { Log::page(&view) } else { Log::tail(&view) }),
        Err(error) => live.trouble.set(Some(error)),
    }
}

fn sleep_when_out_of_sight(live: Live) {
    Effect::new(move |_| {
        let waiting = StoredValue::new(None::<TimeoutHandle>);
        let handle = window_event_listener_untyped("visibilitychange", move |_| {
            if let Some(timer) = waiting.try_update_value(Option::take).flatten() {
                timer.clear();
            }
            if document().visibility_state() == web_sys::VisibilityState::Hidden {
                let sleep = move || _ = live.asleep.try_set(true);
                waiting.set_value(set_timeout_with_handle(sleep, OUT_OF_SIGHT).ok());
            } else if live.asleep.get_untracked() {
                live.asleep.set(false);
            }
        });
        on_cleanup(move || handle.remove());
    });
}

async fn follow(live: Live) {
    let mut pause = PAUSES.0;
    loop {
        let outcome = once(live, &mut pause).await;
        if let Err(AppError::SignedOut | AppError::Denied(_) | AppError::NotFound) = outcome {
            live.link.set(Link::Closed);
            return;
        }
        if !matches!(live.link.get_untracked(), Link::Lost(_)) {
            live.link.set(Link::Lost(live.clock.now_untracked()));
        }
        TimeoutFuture::new(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// One stream, to its end.
async fn once(live: Live, pause: &mut u32) -> Result<(), AppError> {
    let mut chunks = watch_run(live.id(), live.cursor()).await?.into_inner();
    let (mut decoder, mut waiting) = (Decoder::default(), Waiting::default());
    loop {
        let chunk = chunks.next();
        let over = TimeoutFuture::new(if waiting.frames.is_empty() { SILENCE } else { FRAME });
        pin_mut!(chunk);
        match select(chunk, over).await {
            Either::Left((Some(chunk), _)) => {
                let Some(frames) = decoder.push(&chunk?)? else { return Ok(()) };
                if !frames.is_empty() {
                    *pause = PAUSES.0;
                    if live.link.get_untracked() != Link::Up {
                        live.link.set(Link::Up);
                    }
                }
                waiting.add(frames);
            }
            Either::Right(_) if !waiting.frames.is_empty() => {}
            Either::Left((None, _)) | Either::Right(_) => return Ok(()),
        }
        if let Some(frames) = waiting.take(js_sys::Date::now())
            && apply(live, frames) == Next::AskAgain
        {
            return Ok(());
        }
    }
}

/// Frames that wait to be drawn together.
#[derive(Debug, Default)]
struct Waiting {
    frames: Vec<Frame>,
    /// When something was drawn last, in milliseconds; nothing yet without it.
    drawn: Option<f64>,
}

impl Waiting {
    fn add(&mut self, frames: Vec<Frame>) {
        self.frames.extend(frames);
    }

    /// What is to be drawn at a moment: everything, when it is time for a new picture, or when it is not only output.
    fn take(&mut self, now: f64) -> Option<Vec<Frame>> {
        let is_due = self.drawn.is_none_or(|drawn| (now - drawn).abs() >= f64::from(FRAME));
        let waits = self.frames.iter().all(|frame| matches!(frame, Frame::Output { .. } | Frame::Left { .. }));
        if self.frames.is_empty() || (waits && !is_due) {
            return None;
        }
        self.drawn =
            self.frames.iter().any(|frame| matches!(frame, Frame::Output { .. })).then_some(now).or(self.drawn);
        Some(std::mem::take(&mut self.frames))
    }
}

/// Makes frames of the bytes that the network brings, cut anywhere.
#[derive(Debug, Default)]
pub struct Decoder {
    lines: LineDecoder,
    seq: u64,
}

impl Decoder {
    /// The frames that are whole now; `None` when one is missing in between.
    pub fn push(&mut self, chunk: &[u8]) -> Result<Option<Vec<Frame>>, AppError> {
        let mut frames = Vec::new();
        for line in self.lines.push(chunk) {
            let next: Framed = serde_json::from_str(&line).map_err(|_| AppError::Internal)?;
            if next.seq != self.seq + 1 {
                return Ok(None);
            }
            self.seq = next.seq;
            frames.push(next.frame);
        }
        Ok(Some(frames))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    AskAgain,
}

/// Takes some frames. Output is added in one go, so that a chatty step does not redraw once per line.
fn apply(live: Live, frames: Vec<Frame>) -> Next {
    let mut next = Next::GoOn;
    let mut output = Vec::new();
    for frame in frames {
        match frame {
            Frame::Hello { build, now } => {
                live.clock.correct(now);
                live.outdated.set(!live.is_of(&build));
            }
            Frame::Beat { now } => live.clock.correct(now),
            Frame::Watchers { names } => live.names.set(names),
            Frame::Condition { step, attempt, condition } => {
                if live.log.with_untracked(|log| log.is_of(step, attempt)) {
                    live.condition.set(condition);
                }
            }
            Frame::Screen { step, attempt, repaint } => {
                next = next_of(take(live, &mut output), next);
                if live.log.with_untracked(|log| log.is_of(step, attempt) && !log.is_page()) {
                    next = next_of(paint(live, *repaint), next);
                }
            }
            Frame::Event { entry } => {
                next = next_of(take(live, &mut output), next);
                next = next_of(event(live, &entry), next);
            }
            output_or_gap => output.push(output_or_gap),
        }
    }
    next_of(take(live, &mut output), next)
}

fn next_of(one: Next, other: Next) -> Next {
    if one == Next::AskAgain { one } else { other }
}

fn event(live: Live, entry: &Entry) -> Next {
    let version = live.run.with_untracked(|run| run.version);
    if entry.version <= version {
        return Next::GoOn;
    }
    if entry.version != version + 1 {
        return Next::AskAgain;
    }
    live.run.update(|run| {
        if let Some(next) = evolve(run.id, Some(run.clone()), entry) {
            *run = next;
        }
    });
    if let Event::AttemptStarted { step, attempt, .. } = entry.event
        && live.goes_along(step, attempt)
    {
        live.open(step, attempt);
    }
    if let Event::OutputRedacted { step, attempt, .. } = entry.event {
        live.forget(step, attempt);
    }
    Next::GoOn
}

/// Lets go what the server has rendered into the page for its start, in which output stands as well. The page has it in its
/// own state since then. Every script without an address has done its work when this page was made.
pub(super) fn forget_what_the_page_came_with() {
    const GIVEN: &str = "__RESOLVED_RESOURCES";
    while let Ok(Some(script)) = document().query_selector("script[nonce]:not([src])") {
        script.remove();
    }
    // A page that came without it has nothing to let go.
    if let Ok(given) = js_sys::Reflect::get(&window(), &GIVEN.into()) {
        _ = js_sys::Reflect::set(&given, &"length".into(), &0.into());
    }
}

/// Takes what is new of a screen.
fn paint(live: Live, repaint: Repaint) -> Next {
    live.heard.set(Some(live.clock.now_untracked()));
    if live.log.try_update(|log| log.paint(repaint)) == Some(true) {
        // What was passed over as repaints has to be had as text.
        let AttemptId { step, attempt, .. } = live.on_stage();
        live.log.set(Log::empty(step, attempt));
        return Next::AskAgain;
    }
    Next::GoOn
}

/// Adds what belongs to the log on the stage, and lets the rest go.
fn take(live: Live, output: &mut Vec<Frame>) -> Next {
    let shown = live.log.with_untracked(|log| (log.step(), log.attempt()));
    let pieces: Vec<Frame> = std::mem::take(output)
        .into_iter()
        .filter(|frame| match frame {
            Frame::Output { step, attempt, .. } | Frame::Left { step, attempt, .. } => (*step, *attempt) == shown,
            _ => false,
        })
        .collect();
    if pieces.is_empty() || live.log.with_untracked(Log::is_page) {
        return Next::GoOn;
    }
    let mut next = Next::GoOn;
    live.heard.set(Some(live.clock.now_untracked()));
    live.log.update(|log| {
        for piece in pieces {
            match piece {
                Frame::Left { to, line, style, .. } => log.skip_to(to, line, style),
                Frame::Output { offset, bytes, text, at, .. } if offset == log.to() => {
                    if let Some(at) = at {
                        log.note_moment(at);
                    }
                    log.push(&text, bytes);
                }
                Frame::Output { offset, .. } if offset > log.to() => next = Next::AskAgain,
                _ => {}
            }
        }
    });
    next
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn a_chunk_that_ends_inside_a_character_breaks_nothing() {
        let output = |seq, offset, text: &str| {
            let (bytes, text) = (text.len() as u64, text.to_owned());
            Framed { seq, frame: Frame::Output { step: 1, attempt: 1, offset, bytes, text, at: None } }
        };
        let told = [output(1, 0, "größer, 10 €\n"), output(2, 16, "🚀\n")];
        let stream: String = told.iter().map(|framed| serde_json::to_string(framed).unwrap() + "\n").collect();

        for cut in 0..stream.len() {
            let mut decoder = Decoder::default();
            let (head, tail) = stream.as_bytes().split_at(cut);

            let mut frames = decoder.push(head).unwrap().unwrap();
            frames.extend(decoder.push(tail).unwrap().unwrap());

            assert_eq!(frames, told.clone().map(|framed| framed.frame), "cut at {cut}");
        }
    }

    #[test]
    fn output_that_comes_fast_is_drawn_together_and_everything_else_at_once() {
        let output = || Frame::Output { step: 1, attempt: 1, offset: 0, bytes: 1, text: "x".to_owned(), at: None };
        let mut waiting = Waiting::default();
        let mut drawn = |at: f64, frames: Vec<Frame>| {
            waiting.add(frames);
            waiting.take(at).map(|frames| frames.len())
        };

        assert_eq!(drawn(0.0, vec![Frame::Beat { now: Timestamp(1) }]), Some(1));
        assert_eq!(drawn(1.0, vec![output(), output()]), Some(2), "the first output is not waited for");
        assert_eq!([drawn(5.0, vec![output()]), drawn(9.0, vec![output()])], [None, None]);
        assert_eq!([drawn(20.0, Vec::new()), drawn(21.0, Vec::new())], [Some(2), None]);
        assert_eq!(drawn(22.0, vec![output(), Frame::Beat { now: Timestamp(1) }]), Some(2));
    }

    #[test]
    fn a_frame_that_is_missing_is_noticed() {
        let mut decoder = Decoder::default();
        let beat = Framed { seq: 2, frame: Frame::Beat { now: Timestamp(1) } };

        let frames = decoder.push(format!("{}\n", serde_json::to_string(&beat).unwrap()).as_bytes()).unwrap();

        assert_eq!(frames, None);
    }
}
