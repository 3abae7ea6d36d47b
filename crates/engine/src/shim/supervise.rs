//! The life of an attempt: feed one command, wait for its mark, judge it, go on or leave; and end what is left.
//!
//! One thread, one loop, one `poll`. The shim never waits for anybody who reads.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, CommandEnd, Mark, Outcome, Spec, WorkCommand};
use domain::outcome;
use nix::sys::signalfd::SignalFd;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::time::Timespec;

use super::children::Children;
use super::control::{Control, Standing};
use super::driver;
use super::exports;
use super::log::Log;
use super::scanner::{Piece, Scanner, ShellMark, Tokens};
use super::shell::Shell;
use crate::processes;
use crate::record::{Answer, Ladder, Steer};

/// A shell that says nothing for so long after its start will not.
const READY: Duration = Duration::from_secs(30);
/// What a shell leaves behind may end by itself, as the `tee` of a process substitution does.
const GRACE: Duration = Duration::from_millis(100);
/// Longer than that the end of the output is not waited for.
const DRAIN: Duration = Duration::from_secs(2);
/// Reads in a row before the shim looks at anything else.
const READS: u32 = 16;
/// Enough of an output to find the head of an answer in it.
const HEAD: usize = 64 << 10;

/// Everything the loop works with.
pub(crate) struct Supervisor<'a> {
    pub spec: &'a Spec,
    pub ladder: Ladder,
    pub session: String,
    pub shell: Shell,
    pub children: Children,
    pub signals: SignalFd,
    pub control: Control,
    pub log: &'a mut Log,
}

/// How the attempt ended, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub result: Option<AttemptResult>,
    pub directory: Option<String>,
    pub held: Vec<String>,
    pub survivors: Vec<String>,
    /// The variables that the shell has told in the end, once it has told all.
    pub told: Option<BTreeMap<String, String>>,
}

enum Stage {
    /// The shell was started and has not said that it is ready.
    Starting,
    /// Commands run.
    Running,
    /// The shell was told to leave.
    Leaving,
    /// The shell has ended; something else is still there.
    Ending,
    /// Nothing is left that could print; what was printed is read to its end.
    Draining,
    Over,
}

/// The command that was fed last.
struct Current<'a> {
    command: &'a WorkCommand,
    index: usize,
    begun: Option<Instant>,
    /// The beginning of its output, where that matters.
    head: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Watch,
    Stop,
    Timeout,
}

/// The ladder that is being climbed.
struct Pressure {
    why: Why,
    rung: u8,
    next: Instant,
}

struct Life<'a> {
    all: Supervisor<'a>,
    stage: Stage,
    since: Instant,
    begun: Instant,
    tokens: Tokens,
    current: Option<Current<'a>>,
    pressure: Option<Pressure>,
    /// Bytes on their way to the shell.
    feed: Vec<u8>,
    output_open: bool,
    /// The shim's own last mark, as far as it is not written.
    last_mark: Vec<u8>,
    scanner: Scanner,
    /// The variables that the shell has told so far.
    told: BTreeMap<String, String>,
    ending: Ending,
}

/// Runs the attempt to its end.
pub(crate) fn supervise(all: Supervisor<'_>) -> Ending {
    let now = Instant::now();
    let tokens = Tokens { session: all.session.clone(), ..Tokens::default() };
    let mut life = Life {
        all,
        stage: Stage::Starting,
        since: now,
        begun: now,
        tokens,
        current: None,
        pressure: None,
        feed: Vec::new(),
        output_open: true,
        last_mark: Vec::new(),
        scanner: Scanner::new(),
        told: BTreeMap::new(),
        ending: Ending::default(),
    };
    loop {
        life.turn();
        if matches!(life.stage, Stage::Over) {
            return life.ending;
        }
        life.wait();
    }
}

impl Life<'_> {
    fn turn(&mut self) {
        while let Ok(Some(_)) = self.all.signals.read_signal() {}
        self.all.children.reap();
        self.read();
        self.serve();
        self.keep_time(Instant::now());
        self.write();
    }

    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.since = Instant::now();
    }

    // ---- waiting

    fn wait(&self) {
        let timeout = self.deadline().map(|at| {
            let left = at.saturating_duration_since(Instant::now());
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
        });
        let mut interests = vec![PollFd::new(&self.all.signals, PollFlags::IN)];
        if self.output_open {
            interests.push(PollFd::new(&self.all.shell.output, PollFlags::IN));
        }
        if !self.feed.is_empty() {
            interests.push(PollFd::new(&self.all.shell.feed, PollFlags::OUT));
        }
        interests.extend(self.all.control.interests());
        // A signal ends it early, and so does an error: the loop looks at everything in any case.
        let _ = poll(&mut interests, timeout.as_ref());
    }

    /// The next moment at which something is due without anybody else doing anything.
    fn deadline(&self) -> Option<Instant> {
        let stage = match self.stage {
            Stage::Starting => Some(self.since + READY),
            Stage::Ending => Some(Instant::now() + Duration::from_millis(5)),
            // A pipe is read at once; a terminal hands the last mark over in its own time.
            Stage::Draining if self.all.shell.terminal.is_none() => Some(Instant::now()),
            Stage::Draining => Some(Instant::now() + Duration::from_millis(1)),
            Stage::Running | Stage::Leaving | Stage::Over => None,
        };
        let pressure = self.pressure.as_ref().filter(|_| self.shell_lives()).map(|pressure| pressure.next);
        [stage, pressure, self.all.log.due(), self.time_is_up_at()].into_iter().flatten().min()
    }

    fn time_is_up_at(&self) -> Option<Instant> {
        let climbing = self.pressure.as_ref().is_some_and(|pressure| pressure.why != Why::Watch);
        let timeout = self.all.spec.work.timeout_ms.filter(|_| !climbing && self.shell_lives())?;
        self.begun.checked_add(Duration::from_millis(timeout))
    }

    fn shell_lives(&self) -> bool {
        self.all.children.ended.is_none()
    }

    // ---- output

    fn read(&mut self) {
        for _ in 0..READS {
            if !self.output_open {
                return;
            }
            match self.scanner.fill(&self.all.shell.output).map_err(|error| Errno::from_io_error(&error)) {
                Ok(0) => self.close_output(),
                Ok(_) => self.take_pieces(),
                Err(Some(Errno::AGAIN)) => {
                    // Without a terminal the pipe is exact: what was written before the end is there.
                    if matches!(self.stage, Stage::Draining) && self.all.shell.terminal.is_none() {
                        self.close_output();
                    }
                    return;
                }
                Err(Some(Errno::INTR)) => {}
                Err(_) => self.close_output(),
            }
        }
    }

    fn close_output(&mut self) {
        self.output_open = false;
        if let Some(piece) = self.scanner.rest() {
            self.take(piece);
        }
    }

    fn take_pieces(&mut self) {
        while let Some(piece) = self.scanner.next(&self.tokens) {
            self.take(piece);
        }
    }

    fn take(&mut self, piece: Piece) {
        match piece {
            Piece::Output(range) => {
                let bytes = self.scanner.bytes(range);
                self.all.log.append(bytes, Instant::now());
                if let Some(head) = self.current.as_mut().and_then(|current| current.head.as_mut()) {
                    head.extend_from_slice(bytes.get(..HEAD.saturating_sub(head.len())).unwrap_or(bytes));
                }
            }
            Piece::Mark(ShellMark::Ready) => self.ready(),
            Piece::Mark(ShellMark::Begins) => self.command_begins(),
            Piece::Mark(ShellMark::Ends { code, statuses, shell_too }) => self.command_ends(code, statuses, shell_too),
            Piece::Mark(ShellMark::Drained) => self.close_output(),
            Piece::Mark(ShellMark::Told { name, length, value }) => self.variable_told(name, length, value),
            Piece::Mark(ShellMark::Stale) => {}
        }
    }

    // ---- commands

    fn ready(&mut self) {
        if matches!(self.stage, Stage::Starting) {
            self.enter(Stage::Running);
            self.feed_command(0);
        }
    }

    fn feed_command(&mut self, index: usize) {
        let Some(command) = self.all.spec.work.commands.get(index) else {
            return self.leave(AttemptResult::Completed);
        };
        self.all.shell.restore();
        self.tokens.former = std::mem::replace(&mut self.tokens.command, super::token());
        let head = outcome::asks_for_status(&command.pipeline, &command.script).then(Vec::new);
        self.current = Some(Current { command, index, begun: None, head });
        self.feed.extend(driver::feed(&self.tokens.session, &self.tokens.command, &command.script));
    }

    fn command_begins(&mut self) {
        let now = Instant::now();
        let offset = self.all.log.border(now);
        if let Some(current) = self.current.as_mut().filter(|current| current.begun.is_none()) {
            current.begun = Some(now);
            let mark = Mark::Started { command: current.command.number, offset, at: super::clock::now() };
            self.all.log.mark(&mark, now);
        }
    }

    fn command_ends(&mut self, code: i32, statuses: Vec<i32>, shell_too: bool) {
        self.ending.directory = self.all.shell.directory().or(self.ending.directory.take());
        let Some((index, number, outcome)) = self.note_end(Some(code), statuses) else { return };
        let more = index + 1 < self.all.spec.work.commands.len();
        let why = self.pressure.as_ref().map(|pressure| pressure.why);
        let result = match outcome {
            Outcome::Stopped if why == Some(Why::Timeout) => Some(AttemptResult::TimedOut),
            Outcome::Stopped => Some(AttemptResult::Stopped),
            _ if shell_too && (more || outcome == Outcome::Failure) => {
                Some(AttemptResult::ShellEnded { command: number, code: Some(code) })
            }
            Outcome::Failure => Some(AttemptResult::Failed { command: number }),
            Outcome::Difference if more => Some(AttemptResult::Difference { command: number }),
            _ if shell_too => Some(AttemptResult::Completed),
            _ => None,
        };
        match result {
            Some(result) if shell_too => self.ending.result = Some(result),
            Some(result) => self.leave(result),
            None => {
                self.pressure = None;
                self.feed_command(index + 1);
            }
        }
    }

    /// Notes the end of the present command in the index. Gives its place, its number and what its end means.
    fn note_end(&mut self, code: Option<i32>, statuses: Vec<i32>) -> Option<(usize, u32, Outcome)> {
        let current = self.current.take()?;
        let begun = current.begun?;
        let answered = current.head.as_deref().and_then(outcome::answered_status);
        let pipeline = &current.command.pipeline;
        let judged = outcome::judge(pipeline, &statuses, code.unwrap_or(-1), answered);
        let (outcome, explanation) = match self.pressure.as_ref().map(|pressure| pressure.why) {
            Some(Why::Watch) => (Outcome::Watched, None),
            Some(Why::Stop) => (Outcome::Stopped, None),
            Some(Why::Timeout) => (Outcome::Stopped, Some("Its time was up.".to_owned())),
            None => judged,
        };
        let duration_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let end = CommandEnd { code, statuses, duration_ms, outcome, explanation };
        let number = current.command.number;
        let offset = self.all.log.border(Instant::now());
        let mark = Mark::Ended { command: number, offset, at: super::clock::now(), end };
        self.all.log.mark(&mark, Instant::now());
        Some((current.index, number, outcome))
    }

    fn leave(&mut self, result: AttemptResult) {
        self.ending.result.get_or_insert(result);
        self.feed.clear();
        self.all.shell.restore();
        self.feed.extend(driver::leave(&self.tokens.session, &self.all.spec.work.exports));
        self.enter(Stage::Leaving);
    }

    /// The name that is none comes last.
    fn variable_told(&mut self, name: String, length: usize, value: Vec<u8>) {
        if name.is_empty() {
            self.ending.told = Some(std::mem::take(&mut self.told));
        } else if self.all.spec.work.exports.contains(&name)
            && let Some(value) = exports::whole(value, length)
        {
            self.told.insert(name, value);
        }
    }

    // ---- requests

    fn serve(&mut self) {
        let Supervisor { control, children, shell, .. } = &mut self.all;
        let mut asked = Vec::new();
        let running = self.current.as_ref().filter(|current| current.begun.is_some());
        let watch = running.filter(|current| current.command.watch).map(|current| current.command.number);
        let state = Standing { running: running.is_some(), watch, tty: shell.terminal.is_some() };
        control.serve(
            |pid| children.exclude(pid) || pid == rustix::process::getpid(),
            |request| {
                let answer = state.answer(&request);
                if answer == Answer::Done {
                    asked.push(request);
                }
                answer
            },
        );
        for request in asked {
            match request {
                Steer::EndWatch { .. } => self.press(Why::Watch),
                Steer::Stop => self.press(Why::Stop),
                Steer::Input { text } => self.feed.extend(text.into_bytes()),
            }
        }
    }

    // ---- pressure

    /// Steps on the first rung of the ladder, unless it is being climbed already.
    fn press(&mut self, why: Why) {
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

    // ---- time, and the end

    fn keep_time(&mut self, now: Instant) {
        if self.all.log.due().is_some_and(|at| at <= now) {
            self.all.log.flush(now);
        }
        if self.time_is_up_at().is_some_and(|at| at <= now) {
            self.press(Why::Timeout);
        }
        if self.shell_lives() {
            self.climb(now);
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

    // ---- what goes to the shell

    fn write(&mut self) {
        while !self.feed.is_empty() {
            match rustix::io::write(&self.all.shell.feed, &self.feed) {
                Ok(count) => drop(self.feed.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // Nobody reads it any more.
                Err(_) => self.feed.clear(),
            }
        }
        if let Some(terminal) = self.all.shell.terminal.as_ref().filter(|_| !self.last_mark.is_empty())
            && let Ok(count) = rustix::io::write(&terminal.end, &self.last_mark)
        {
            self.last_mark.drain(..count);
        }
    }
}

fn not_started(reason: &str) -> AttemptResult {
    AttemptResult::NotStarted { reason: reason.to_owned() }
}
