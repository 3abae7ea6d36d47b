//! The life of an attempt: feed one command, wait for its mark, judge it, go on or leave; and end what is left.
//!
//! One thread, one loop, one `poll`. The shim never waits for anybody who reads.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, Key, Spec, WorkCommand};
use nix::sys::signalfd::{SignalFd, siginfo};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use rustix::time::Timespec;

use super::body::{Body, Fed};
use super::control::{Control, Standing};
use super::exports::Kept;
use super::log::Log;
use super::scanner::{Piece, Scanner, ShellMark, Tokens};
use super::silence::Silence;
use crate::key::AttemptKey;
use crate::record::{Answer, Ladder, Steer, byte_of};

mod commands;
mod ending;

/// A shell that says nothing for so long after its start will not.
const READY: Duration = Duration::from_secs(30);
/// A log that another shim has read before has come again within this time.
const AGAIN: Duration = Duration::from_millis(500);
/// Longer than that the end of the output is not waited for.
const DRAIN: Duration = Duration::from_secs(2);
/// A step that is to stop, at a target to which there is no link for so long, is given up: nobody knows what became of it.
const GIVE_UP: Duration = Duration::from_mins(1);
/// Reads in a row before the shim looks at anything else.
const READS: u32 = 16;
/// Enough of an output to find the head of an answer in it.
const HEAD: usize = 64 << 10;

/// Everything the loop works with.
pub(crate) struct Supervisor<'a, 'l> {
    pub spec: &'a Spec,
    pub ladder: Ladder,
    /// From which the tokens of the marks come.
    pub key: &'a AttemptKey,
    pub body: Body<'a>,
    pub signals: SignalFd,
    pub control: Control,
    pub silence: Silence,
    pub log: &'l mut Log,
    /// When the attempt began, with whichever shim.
    pub begun: Instant,
    /// Whether somebody has asked another shim to stop it.
    pub stop: bool,
}

/// How the attempt ended, apart from its output.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub result: Option<AttemptResult>,
    pub directory: Option<String>,
    pub held: Vec<String>,
    pub survivors: Vec<String>,
    pub unenforced: Vec<String>,
    pub limited: Vec<String>,
    /// The variables that the shell has told in the end, once it has told all.
    pub told: Option<BTreeMap<String, String>>,
    /// What later attempts get, when that is known without the shell.
    pub kept: Option<Kept>,
}

impl Ending {
    /// Nothing was run.
    pub(crate) fn not_started(reason: String, kept: Option<Kept>) -> Self {
        Self { result: Some(AttemptResult::NotStarted { reason }), kept, ..Self::default() }
    }
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
    /// Somebody has pressed Ctrl-C.
    interrupted: bool,
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
    since: Instant,
    next: Instant,
}

struct Life<'a, 'l> {
    all: Supervisor<'a, 'l>,
    stage: Stage,
    since: Instant,
    tokens: Tokens,
    current: Option<Current<'a>>,
    pressure: Option<Pressure>,
    output_open: bool,
    scanner: Scanner,
    /// The variables that the shell has told so far.
    told: BTreeMap<String, String>,
    ending: Ending,
}

/// Runs the attempt to its end, and gives back where it ran.
pub(crate) fn supervise<'a>(all: Supervisor<'a, '_>) -> (Ending, Body<'a>) {
    let now = Instant::now();
    let tokens = Tokens { session: all.key.mark(0), ..Tokens::default() };
    let mut life = Life {
        all,
        stage: Stage::Starting,
        since: now,
        tokens,
        current: None,
        pressure: None,
        output_open: true,
        scanner: Scanner::new(),
        told: BTreeMap::new(),
        ending: Ending::default(),
    };
    if life.all.stop {
        life.all.body.call_back();
    }
    loop {
        life.turn();
        if matches!(life.stage, Stage::Over) {
            return (life.ending, life.all.body);
        }
        life.wait();
    }
}

impl Life<'_, '_> {
    fn turn(&mut self) {
        if super::term_came() {
            self.press(Why::Stop);
        }
        while let Ok(Some(signal)) = self.all.signals.read_signal() {
            if self.asks_to_stop(&signal) {
                self.press(Why::Stop);
            }
        }
        let news = self.all.body.turn(Instant::now());
        self.read();
        self.serve();
        self.keep_time(Instant::now());
        if news {
            self.all.silence.judge(&self.all.body, Instant::now());
        }
        self.all.body.write();
    }

    /// SIGTERM is the way to stop a step that has taken the socket away. It counts from whom the socket would hear, and from the
    /// system that goes down; never from the step itself.
    fn asks_to_stop(&self, signal: &siginfo) -> bool {
        let known = [0, rustix::process::geteuid().as_raw()].contains(&signal.ssi_uid);
        // Who is in no number space of ours has none here, and is none of the step.
        let sender = i32::try_from(signal.ssi_pid).ok().and_then(Pid::from_raw);
        let outside = sender.is_none_or(|pid| self.all.body.excludes(pid));
        signal.ssi_signo == Signal::TERM.as_raw().unsigned_abs() && known && outside
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
        interests.extend(self.all.body.interests(self.output_open));
        interests.extend(self.all.control.interests());
        // A signal ends it early, and so does an error: the loop looks at everything in any case.
        let _ = poll(&mut interests, timeout.as_ref());
    }

    /// The next moment at which something is due without anybody else doing anything.
    fn deadline(&self) -> Option<Instant> {
        let stage = match self.stage {
            // Without a link nobody can know whether it is ready.
            Stage::Starting => self.awaits_ready().then_some(self.since + READY),
            Stage::Ending => Some(Instant::now() + Duration::from_millis(5)),
            // A pipe is read at once; a terminal hands the last mark over in its own time.
            Stage::Draining if self.all.body.is_read() => Some(Instant::now()),
            Stage::Draining => Some(Instant::now() + Duration::from_millis(1)),
            Stage::Running | Stage::Leaving | Stage::Over => None,
        };
        let pressure = self.pressure.as_ref().filter(|_| self.shell_lives()).map(|pressure| pressure.next);
        [
            stage,
            pressure,
            self.all.log.due(),
            self.all.silence.due(),
            self.all.body.due(),
            self.time_is_up_at(),
            self.stop_at(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn time_is_up_at(&self) -> Option<Instant> {
        let climbing = self.pressure.as_ref().is_some_and(|pressure| pressure.why != Why::Watch);
        let timeout = self.all.spec.work.timeout_ms.filter(|_| !climbing && self.shell_lives())?;
        self.all.begun.checked_add(Duration::from_millis(timeout))
    }

    fn shell_lives(&self) -> bool {
        self.all.body.ended().is_none()
    }

    // ---- output

    fn read(&mut self) {
        for _ in 0..READS {
            if !self.output_open {
                return;
            }
            match self.all.body.fill(&mut self.scanner).map_err(|error| Errno::from_io_error(&error)) {
                Ok(0) => self.close_output(),
                Ok(_) => self.take_pieces(),
                Err(Some(Errno::AGAIN)) => {
                    if matches!(self.stage, Stage::Draining) && self.all.body.is_read() {
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
                let now = Instant::now();
                self.all.log.append(bytes, now);
                self.all.silence.printed(bytes, now);
                if let Some(head) = self.current.as_mut().and_then(|current| current.head.as_mut()) {
                    head.extend_from_slice(bytes.get(..HEAD.saturating_sub(head.len())).unwrap_or(bytes));
                }
            }
            Piece::Mark(ShellMark::Ready) => self.ready(),
            Piece::Mark(ShellMark::Begins) => self.command_begins(),
            Piece::Mark(ShellMark::Ends { code, statuses, shell_too }) => self.command_ends(code, statuses, shell_too),
            Piece::Mark(ShellMark::Drained) => self.close_output(),
            Piece::Mark(ShellMark::Told { name, length, value }) => self.variable_told(name, length, value),
            Piece::Mark(ShellMark::Over { code }) => self.all.body.has_ended(code),
            Piece::Mark(ShellMark::Stale) => {}
        }
    }

    // ---- requests

    fn serve(&mut self) {
        let Supervisor { control, body, silence, spec, .. } = &mut self.all;
        let body = &*body;
        let mut asked = Vec::new();
        let running = self.current.as_ref().filter(|current| current.begun.is_some());
        let standing = Standing {
            running: running.map(|current| current.command),
            tty: body.has_terminal(),
            interactive: spec.work.interactive,
            busy: body.is_busy(),
            has_screen: &|| silence.has_screen(body),
            takes_keys: &|| body.takes_keys(),
        };
        control.serve(
            |pid| body.excludes(pid) || pid == rustix::process::getpid(),
            |request| {
                let answer = standing.answer(&request);
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
                Steer::Input { line, .. } => {
                    // Enter is a carriage return where single keys are read; a line ends with a line feed.
                    let end = if self.all.body.takes_keys() { b'\r' } else { b'\n' };
                    self.type_in(line.into_bytes().into_iter().chain([end]));
                }
                Steer::Key { key, .. } => {
                    self.interrupted_by(key);
                    self.type_in([byte_of(key)]);
                }
                Steer::Keys { bytes, .. } => {
                    if bytes.contains(&byte_of(Key::Interrupt)) && self.all.body.takes_signals() {
                        self.interrupted_by(Key::Interrupt);
                    }
                    self.type_in(bytes);
                }
            }
        }
    }

    fn type_in(&mut self, bytes: impl IntoIterator<Item = u8>) {
        let bytes: Vec<u8> = bytes.into_iter().collect();
        self.all.body.feed(Fed::Typed, &bytes);
        self.all.silence.typed(Instant::now());
    }

    fn interrupted_by(&mut self, key: Key) {
        if let Some(current) = self.current.as_mut().filter(|_| key == Key::Interrupt) {
            current.interrupted = true;
        }
    }
}
