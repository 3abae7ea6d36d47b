//! How an attempt is brought to its end: the ladder of a person who wants it to stop, its time, and what its shell leaves
//! behind.

use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, Outcome};
use rustix::process::Signal;

use super::super::body::Rest;
use super::{AGAIN, DRAIN, GIVE_UP, Life, Pressure, READY, Stage, Why};

impl Life<'_, '_> {
    /// Steps on the first rung of the ladder, unless it is being climbed already.
    pub(super) fn press(&mut self, why: Why) {
        let climbing = self.pressure.as_ref().map(|pressure| pressure.why);
        if climbing.is_some_and(|now| now != Why::Watch || why == Why::Watch) || !self.shell_lives() {
            return;
        }
        let now = Instant::now();
        self.pressure = Some(Pressure { why, rung: 0, since: now, next: now + self.pause(0) });
        if why != Why::Watch {
            self.all.body.call_back();
        }
        let on_its_way = self.current.as_ref().is_some_and(|current| current.begun.is_none());
        if on_its_way || matches!(self.stage, Stage::Starting) {
            // There is nothing yet that could end in good order, and nothing shall begin.
            self.all.body.kill_shell();
        } else {
            self.all.body.interrupt();
        }
    }

    fn climb(&mut self, now: Instant) {
        let due = self.pressure.as_ref().filter(|pressure| pressure.next <= now);
        let Some((why, former, since)) = due.map(|pressure| (pressure.why, pressure.rung, pressure.since)) else {
            return;
        };
        let down = self.all.body.down_since();
        // What was asked for is on its way: the next rung would come together with it.
        let rung = if down.is_some() { former } else { former.saturating_add(1) };
        let next = now + self.pause(rung);
        if let Some(pressure) = &mut self.pressure {
            (pressure.rung, pressure.next) = (rung, next);
        }
        if let Some(down) = down {
            if why != Why::Watch && now > since.max(down) + GIVE_UP {
                self.all.body.give_up();
            }
            return;
        }
        match (why, rung) {
            // The shell itself is spared: it still has to tell how the command ended.
            (_, 1) => self.all.body.below(Signal::TERM),
            (Why::Watch, 2) => self.all.body.below(Signal::KILL),
            _ => self.all.body.kill_shell(),
        }
        if why != Why::Watch && rung == 2 {
            self.all.body.below(Signal::KILL);
        }
    }

    /// Whether the shell may be waited for any longer, once it is reached.
    pub(super) fn awaits_ready(&self) -> bool {
        self.all.body.down_since().is_none() && self.ending.result.is_none()
    }

    /// When a stop is pressed that was asked for before this shim began: it first hears again how far the step has come.
    pub(super) fn stop_at(&self) -> Option<Instant> {
        let wanted = self.all.stop && self.shell_lives();
        let pause = if matches!(self.stage, Stage::Starting) { GIVE_UP } else { AGAIN };
        wanted.then(|| self.since + pause)
    }

    /// How long a rung is given, with the way to where the step runs.
    fn pause(&self, rung: u8) -> Duration {
        let ladder = self.all.ladder;
        let pause = match rung {
            0 => ladder.interrupt_ms,
            1 => ladder.terminate_ms,
            _ => ladder.held_ms,
        };
        Duration::from_millis(pause) + self.all.body.way()
    }

    pub(super) fn keep_time(&mut self, now: Instant) {
        if self.all.log.due().is_some_and(|at| at <= now) {
            self.all.log.flush(now);
        }
        if self.stop_at().is_some_and(|at| at <= now) {
            self.all.stop = false;
            self.press(Why::Stop);
        }
        if self.time_is_up_at().is_some_and(|at| at <= now) {
            self.press(Why::Timeout);
        }
        if self.shell_lives() {
            self.climb(now);
        }
        if self.all.silence.due().is_some_and(|at| at <= now) {
            self.all.silence.look(&mut self.all.body, now);
        }
        if self.all.body.lost().is_some() {
            return self.settle();
        }
        if matches!(self.stage, Stage::Starting) && self.all.body.down_since().is_some() {
            self.since = now;
        }
        match self.stage {
            Stage::Starting if self.shell_lives() && self.awaits_ready() && now >= self.since + READY => {
                self.ending.result = Some(not_started("The shell gave no sign of life after its start."));
                self.all.body.kill_shell();
            }
            Stage::Starting | Stage::Running | Stage::Leaving if !self.shell_lives() => self.shell_is_gone(),
            Stage::Ending => self.end_the_rest(now),
            Stage::Draining if !self.output_open || now >= self.since + DRAIN => self.settle(),
            _ => {}
        }
    }

    fn shell_is_gone(&mut self) {
        if self.ending.result.is_none() && matches!(self.stage, Stage::Starting) {
            self.ending.result = Some(match &self.pressure {
                Some(pressure) if pressure.why == Why::Timeout => AttemptResult::TimedOut,
                Some(_) => AttemptResult::Stopped,
                None => not_started("The shell ended before it was ready; its output says why."),
            });
        }
        self.enter(Stage::Ending);
        self.end_the_rest(Instant::now());
    }

    fn end_the_rest(&mut self, now: Instant) {
        let mut rest = Rest { since: self.since, now, held: &mut self.ending.held };
        let Some(left) = self.all.body.end_rest(self.all.ladder, &mut rest) else { return };
        self.ending.held.extend(left.held);
        self.ending.survivors = left.survivors;
        self.enter(Stage::Draining);
        self.all.body.drain(format!("\x1b]133;E;{}\x07", self.tokens.session).into_bytes());
    }

    /// Everything was read. A command that left no mark ended as its shell did.
    fn settle(&mut self) {
        if let Some(piece) = self.scanner.rest() {
            self.take(piece);
        }
        if let Some(result) = self.all.body.lost().cloned() {
            self.ending.result = Some(result);
            self.stage = Stage::Over;
            return;
        }
        let code = self.all.body.ended();
        let last = self.current.as_ref().map(|current| (current.index + 1, current.command.number));
        if let Some((index, number)) = last {
            let outcome = self.note_end(code, Vec::new()).map(|(_, _, outcome)| outcome);
            let complete = index == self.all.spec.work.commands.len()
                && outcome.is_some_and(|outcome| outcome != Outcome::Failure);
            let result = match self.pressure.as_ref().map(|pressure| pressure.why) {
                Some(Why::Stop) => AttemptResult::Stopped,
                Some(Why::Timeout) => AttemptResult::TimedOut,
                _ if complete => AttemptResult::Completed,
                _ => AttemptResult::ShellEnded { command: number, code },
            };
            self.ending.result.get_or_insert(result);
        }
        self.stage = Stage::Over;
    }
}

fn not_started(reason: &str) -> AttemptResult {
    AttemptResult::NotStarted { reason: reason.to_owned() }
}
