//! How an attempt is brought to its end: the ladder of a person who wants it to stop, its time, and what its shell leaves
//! behind.

use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, Outcome};
use rustix::process::Signal;

use super::{DRAIN, GRACE, Life, Pressure, READY, Stage, Why};
use crate::processes;

impl Life<'_> {
    /// Steps on the first rung of the ladder, unless it is being climbed already.
    pub(super) fn press(&mut self, why: Why) {
        let climbing = self.pressure.as_ref().map(|pressure| pressure.why);
        if climbing.is_some_and(|now| now != Why::Watch || why == Why::Watch) || !self.shell_lives() {
            return;
        }
        let next = Instant::now() + Duration::from_millis(self.all.ladder.interrupt_ms);
        self.pressure = Some(Pressure { why, rung: 0, next });
        let on_its_way = self.current.as_ref().is_some_and(|current| current.begun.is_none());
        if on_its_way || matches!(self.stage, Stage::Starting) {
            // There is nothing yet that could end in good order, and nothing shall begin.
            self.all.children.kill_shell();
        } else {
            self.all.shell.signal(Signal::INT);
        }
    }

    fn climb(&mut self, now: Instant) {
        let Some(pressure) = self.pressure.as_mut().filter(|pressure| pressure.next <= now) else { return };
        pressure.rung += 1;
        let (why, rung) = (pressure.why, pressure.rung);
        let pause = if rung == 1 { self.all.ladder.terminate_ms } else { self.all.ladder.held_ms };
        pressure.next = now + Duration::from_millis(pause);
        let below = |signal| {
            for process in self.all.children.alive_below_shell() {
                processes::signal(process.pid, signal);
                processes::signal(process.pid, Signal::CONT);
            }
        };
        match (why, rung) {
            // The shell itself is spared: it still has to tell how the command ended.
            (_, 1) => below(Signal::TERM),
            (Why::Watch, 2) => below(Signal::KILL),
            _ => self.all.children.kill_shell(),
        }
        if why != Why::Watch && rung == 2 {
            below(Signal::KILL);
        }
    }

    pub(super) fn keep_time(&mut self, now: Instant) {
        if self.all.log.due().is_some_and(|at| at <= now) {
            self.all.log.flush(now);
        }
        if self.time_is_up_at().is_some_and(|at| at <= now) {
            self.press(Why::Timeout);
        }
        if self.shell_lives() {
            self.climb(now);
        }
        if self.all.silence.due().is_some_and(|at| at <= now) {
            self.all.silence.look(&self.all.shell, &self.all.children, now);
        }
        match self.stage {
            Stage::Starting if self.shell_lives() && now >= self.since + READY => {
                self.ending.result = Some(not_started("The shell gave no sign of life after its start."));
                self.all.children.kill_shell();
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

    /// What is still there when the shell has gone gets a moment, then SIGTERM, then is killed. It is named in any case.
    fn end_the_rest(&mut self, now: Instant) {
        if self.all.children.reap() {
            let asked_at = self.since + GRACE;
            if now < asked_at {
                return;
            }
            self.ask_held_to_end();
            if now < asked_at + Duration::from_millis(self.all.ladder.held_ms) {
                return;
            }
            self.ending.survivors = self.all.children.end_all();
        }
        self.enter(Stage::Draining);
        self.last_mark = format!("\x1b]133;E;{}\x07", self.tokens.session).into_bytes();
    }

    /// Names what is there without the shell, and sends SIGTERM, once to each.
    fn ask_held_to_end(&mut self) {
        for process in self.all.children.alive() {
            let title = process.title();
            if !self.ending.held.contains(&title) {
                processes::signal(process.pid, Signal::TERM);
                processes::signal(process.pid, Signal::CONT);
                self.ending.held.push(title);
            }
        }
    }

    /// Everything was read. A command that left no mark ended as its shell did.
    fn settle(&mut self) {
        if let Some(piece) = self.scanner.rest() {
            self.take(piece);
        }
        let code = self.all.children.ended;
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
