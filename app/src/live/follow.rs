//! The one stream of a run's page: begun, decoded, resumed.
//!
//! Runs in the browser only. Whatever breaks, the page asks again from where it is; numbers and offsets make a late
//! joiner, a lost connection and a gap the same case.

use std::time::Duration;

use domain::Timestamp;
use domain::frame::{Frame, Framed, LineDecoder};
use domain::run::{Entry, Event, evolve};
use futures::future::{Either, select};
use futures::{StreamExt as _, pin_mut};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;

use super::log::Log;
use super::{Link, Live};
use crate::AppError;
use crate::api::runs::watch_run;

/// A stream that says nothing for so long is dead: it beats every ten seconds.
const SILENCE: u32 = 25_000;

/// The first and the longest pause before the next try, in milliseconds.
const PAUSES: (u32, u32) = (500, 15_000);

/// How long a tab may be out of sight before it lets its stream go.
const OUT_OF_SIGHT: Duration = Duration::from_secs(30);

/// Follows the run as long as the page lives.
pub fn keep(live: Live) {
    sleep_when_out_of_sight(live);
    Effect::new(move |_| {
        live.turn.track();
        if !live.asleep.get() {
            spawn_local_scoped_with_cancellation(follow(live));
        }
    });
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
    let mut decoder = LineDecoder::default();
    let mut seq = 0;
    loop {
        let chunk = chunks.next();
        let silence = TimeoutFuture::new(SILENCE);
        pin_mut!(chunk);
        let Either::Left((Some(chunk), _)) = select(chunk, silence).await else { return Ok(()) };
        let mut frames = Vec::new();
        for line in decoder.push(chunk?.as_bytes()) {
            let next: Framed = serde_json::from_str(&line).map_err(|_| AppError::Internal)?;
            if next.seq != seq + 1 {
                return Ok(());
            }
            seq = next.seq;
            frames.push(next.frame);
        }
        if !frames.is_empty() {
            *pause = PAUSES.0;
            if live.link.get_untracked() != Link::Up {
                live.link.set(Link::Up);
            }
        }
        if apply(live, frames) == Next::AskAgain {
            return Ok(());
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    AskAgain,
}

/// Takes the frames of one chunk. Output is added in one go, so that a chatty step does not redraw once per line.
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
    if let Event::AttemptStarted { step, attempt, .. } = entry.event {
        live.shown.set(step);
        live.log.set(Log::empty(step, attempt));
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
    live.log.update(|log| {
        for piece in pieces {
            match piece {
                Frame::Left { to, .. } => log.skip_to(to),
                Frame::Output { offset, bytes, text, .. } if offset == log.to() => log.push(&text, bytes),
                Frame::Output { offset, .. } if offset > log.to() => next = Next::AskAgain,
                _ => {}
            }
        }
    });
    next
}

/// Since when the connection is lost, for the page to say.
pub fn lost_since(link: Link) -> Option<Timestamp> {
    match link {
        Link::Lost(since) => Some(since),
        _ => None,
    }
}
