//! What a command that says nothing is doing: whether it waits for an answer, and whether a full-screen program has the
//! terminal.
//!
//! It is looked at when it has been silent for a second, and then after longer and longer pauses, a few small files each time.
//! A command that talks costs nothing.

use std::time::{Duration, Instant};

use super::body::Body;
use super::clock;
use crate::condition::StateFile;
use crate::screen::Screen;
use domain::attempt::Condition;

/// After that long without output a command is looked at.
const SILENT: Duration = Duration::from_secs(1);
/// The longest pause between two looks.
const PAUSE: Duration = Duration::from_secs(5);
/// From then on the silence itself is worth telling.
const LONG_SILENT: Duration = Duration::from_secs(5);

/// What is seen of the command that runs.
pub(crate) struct Silence {
    state: StateFile,
    screen: Screen,
    /// The number of the command; 0 while none runs.
    command: u32,
    /// When it printed last, or began.
    printed: Instant,
    /// When it printed, began, or was given something last.
    moved: Instant,
    line_is_open: bool,
    /// When it is looked at next.
    next: Option<Instant>,
    pause: Duration,
}

impl Silence {
    pub(crate) fn new(state: StateFile, now: Instant) -> Self {
        Self {
            state,
            screen: Screen::default(),
            command: 0,
            printed: now,
            moved: now,
            line_is_open: false,
            next: None,
            pause: SILENT,
        }
    }

    pub(crate) fn begins(&mut self, command: u32, now: Instant) {
        self.command = command;
        self.screen = Screen::default();
        self.line_is_open = false;
        (self.printed, self.moved) = (now, now);
        self.look_in(SILENT, now);
    }

    pub(crate) fn ends(&mut self) {
        self.command = 0;
        self.next = None;
        self.state.tell(Condition::default());
    }

    /// Takes what the command has printed.
    pub(crate) fn printed(&mut self, bytes: &[u8], now: Instant) {
        let before = (self.screen.alternate, self.screen.modes());
        self.screen.read(bytes);
        self.line_is_open = bytes.last() != Some(&b'\n');
        (self.printed, self.moved) = (now, now);
        if self.command == 0 {
            return;
        }
        let known = self.state.known();
        let changed = before != (self.screen.alternate, self.screen.modes());
        if known.waiting || known.silent_since.is_some() || changed {
            self.look_in(Duration::ZERO, now);
        } else if !self.screen.paints {
            self.look_in(SILENT, now);
        }
        // One that paints is looked at in its turn although it is never silent: it may hold the terminal by now.
    }

    /// Something was typed: what it is waiting for now is another thing.
    pub(crate) fn typed(&mut self, now: Instant) {
        self.moved = now;
        self.look_in(Duration::ZERO, now);
    }

    /// When it has to be looked at.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.next
    }

    /// Looks, tells followers when something is different, and says to itself when to look again.
    pub(crate) fn look(&mut self, body: &mut Body<'_>, now: Instant) {
        body.look();
        self.judge(body, now);
        let pause = self.pause;
        self.look_in(pause, now);
        self.pause = (pause * 2).min(PAUSE);
        let long_silent = self.printed + LONG_SILENT;
        self.next = self.next.map(|next| if now < long_silent { next.min(long_silent) } else { next });
    }

    /// Tells followers what is known now.
    pub(crate) fn judge(&mut self, body: &Body<'_>, now: Instant) {
        let wall = |past: Instant| clock::now().saturating_sub_unsigned(milliseconds(now.duration_since(past)));
        let link_lost_since = body.missed().map(wall);
        if self.command == 0 {
            return self.tell(Condition { link_lost_since, ..Condition::default() });
        }
        let silent = now.duration_since(self.printed);
        let condition = Condition {
            command: self.command,
            waiting: now.duration_since(self.moved) >= SILENT && body.waits(self.line_is_open),
            screen: self.has_screen(body),
            raw: body.takes_keys(),
            silent_since: (silent >= LONG_SILENT).then(|| wall(self.printed)),
            modes: self.screen.modes(),
            link_lost_since,
        };
        self.tell(condition);
    }

    /// The same moment, told again, would only drift by the rounding.
    fn tell(&mut self, found: Condition) {
        let known = self.state.known();
        let steady = |found: Option<i64>, known: Option<i64>| found.and(known).or(found);
        self.state.tell(Condition {
            silent_since: steady(found.silent_since, known.silent_since),
            link_lost_since: steady(found.link_lost_since, known.link_lost_since),
            ..found
        });
    }

    /// Whether a full-screen program has the terminal now.
    pub(crate) fn has_screen(&self, body: &Body<'_>) -> bool {
        self.screen.alternate || (self.screen.paints && body.takes_keys())
    }

    fn look_in(&mut self, pause: Duration, now: Instant) {
        self.next = Some(now + pause);
        self.pause = SILENT;
    }
}

fn milliseconds(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
