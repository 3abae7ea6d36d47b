//! An attempt that has ended, shown once more as it was printed.

use domain::frame::Frame;
use domain::{AttemptId, Timestamp};
use futures::StreamExt as _;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::window::Window;
use crate::AppError;
use crate::api::runs::replay;
use crate::components::glyph::{Glyph, Sign};
use crate::live::follow::Decoder;
use crate::live::log::Log;

/// How many times as fast as it was printed.
const SPEEDS: [u32; 4] = [1, 2, 5, 20];

/// A replay, while there is one.
#[derive(Clone, Copy)]
pub struct Replay {
    /// What was printed up to the moment that is shown.
    pub log: RwSignal<Option<Log>>,
    /// That moment.
    at: RwSignal<Option<Timestamp>>,
    speed: RwSignal<u32>,
    plays: RwSignal<bool>,
    /// Counted up whenever it begins, goes on or stops: an older stream is let go.
    turn: StoredValue<u64>,
}

impl Replay {
    pub fn new() -> Self {
        Self {
            log: RwSignal::new(None),
            at: RwSignal::new(None),
            speed: RwSignal::new(1),
            plays: RwSignal::new(false),
            turn: StoredValue::new(0),
        }
    }

    /// Whether something is shown once more.
    pub fn is_on(self) -> bool {
        self.log.with_untracked(Option::is_some)
    }

    fn next_turn(self) -> u64 {
        self.turn.update_value(|turn| *turn += 1);
        self.turn.get_value()
    }

    fn is_turn(self, turn: u64) -> bool {
        self.turn.try_update_value(|now| *now == turn) == Some(true)
    }

    fn take(self, frames: Vec<Frame>) {
        let mut now = None;
        self.log.update(|log| {
            let Some(log) = log else { return };
            for frame in frames {
                now = take(log, frame).or(now);
            }
        });
        if now.is_some() {
            self.at.set(now);
        }
    }
}

/// Adds a frame; gives the moment at which it was printed.
fn take(log: &mut Log, frame: Frame) -> Option<Timestamp> {
    match frame {
        Frame::Left { to, line, style, .. } => log.skip_to(to, line, style),
        Frame::Screen { repaint, .. } => {
            // What is found to be text after all was passed over, and stays so: the log itself has it.
            _ = log.paint(*repaint);
        }
        Frame::Output { offset, bytes, text, at, .. } if offset == log.to() => {
            if let Some(at) = at {
                log.note_moment(at);
            }
            log.push(&text, bytes);
            return at;
        }
        _ => {}
    }
    None
}

impl Window {
    /// Begins to show the attempt once more, or goes on where it was stopped.
    pub fn play(self) {
        let id = self.live.on_stage();
        let begun = self.live.run.with_untracked(|run| run.attempt(id).map(|attempt| attempt.started.at));
        let reached = self.replay.at.get_untracked().filter(|_| self.replay.is_on());
        let from = reached.zip(begun).map_or(0, |(reached, begun)| reached.since(begun));
        let length = self.live.log.with_untracked(Log::length);
        self.replay.log.set(Some(Log::replay(id.step, id.attempt, length)));
        self.replay.plays.set(true);
        let turn = self.replay.next_turn();
        spawn_local(async move {
            let outcome = self.played(id, from, turn).await;
            if self.replay.is_turn(turn) {
                self.replay.plays.set(false);
                let said = outcome.map_or_else(|error| error.to_string(), |()| "The replay is at its end.".to_owned());
                self.said.set(said);
            }
        });
    }

    async fn played(self, id: AttemptId, from: u64, turn: u64) -> Result<(), AppError> {
        let speed = self.replay.speed.get_untracked();
        let mut chunks = replay(id.run, id.step, id.attempt, from, speed).await?.into_inner();
        let mut decoder = Decoder::default();
        while let Some(chunk) = chunks.next().await {
            if !self.replay.is_turn(turn) {
                return Ok(());
            }
            let Some(frames) = decoder.push(&chunk?)? else { return Err(AppError::Internal) };
            self.replay.take(frames);
        }
        Ok(())
    }

    fn pause(self) {
        self.replay.next_turn();
        self.replay.plays.set(false);
    }

    pub(super) fn end_replay(self) {
        self.pause();
        self.replay.log.set(None);
        self.replay.at.set(None);
        self.follow();
    }

    fn quicken(self) {
        let now = self.replay.speed.get_untracked();
        let next = SPEEDS.into_iter().find(|speed| *speed > now).unwrap_or(SPEEDS[0]);
        self.replay.speed.set(next);
        if self.replay.plays.get_untracked() {
            self.play();
        }
    }
}

/// What can be done while an attempt is shown once more: it stands in the place of the strip that says whether the rows move.
#[component]
pub fn ReplayStrip(view: Window) -> impl IntoView {
    let replay = view.replay;
    let on = Memo::new(move |_| replay.log.with(Option::is_some));
    let moment =
        move || replay.at.get().map_or_else(|| "the begin".to_owned(), |at| format!("{} UTC", at.time_of_day()));
    view! {
        <Show when=move || on.get()>
            <div class="follow" role="group" aria-label="Replay">
                <Glyph sign=Sign::Clock />
                <span>"Replay at "{moment}</span>
                <button
                    class="btn"
                    data-kind="quiet"
                    type="button"
                    on:click=move |_| {
                        if replay.plays.get_untracked() { view.pause() } else { view.play() }
                    }
                >
                    {move || if replay.plays.get() { "Pause" } else { "Go on" }}
                </button>
                <button class="btn" data-kind="quiet" type="button" title="Show it faster" aria-label=move || format!("Speed {} ×: show it faster", replay.speed.get()) on:click=move |_| view.quicken()>
                    {move || format!("{} ×", replay.speed.get())}
                </button>
                <button class="btn" data-kind="quiet" type="button" on:click=move |_| view.end_replay()>
                    "End replay"
                </button>
            </div>
        </Show>
    }
    .into_any()
}
