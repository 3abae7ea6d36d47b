//! Where the shell of an attempt is: below the shim, or at another machine. What the shim asks of it is the same.

use std::io;
use std::time::{Duration, Instant};

use domain::attempt::AttemptResult;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::children::Children;
use super::far::{Far, Left};
use super::scanner::Scanner;
use super::shell::Shell;
use super::waiting::{self, Identity};
use crate::processes;
use crate::record::Ladder;

/// The shell and everything below it.
pub(crate) enum Body<'a> {
    /// On this machine.
    Here(Box<Here<'a>>),
    /// At a target.
    Far(Box<Far>),
}

/// What is fed to the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// The lines of the command at a place of the work, from 0.
    Command(usize),
    /// The last lines: to tell, and to leave.
    Leave,
    /// What somebody types.
    Typed,
}

/// The shell of this machine.
pub(crate) struct Here<'a> {
    shell: Shell,
    children: Children<'a>,
    terminal: Option<Identity>,
    /// Bytes on their way to the shell.
    feed: Vec<u8>,
    /// The shim's own last mark, as far as it is not written.
    last_mark: Vec<u8>,
}

impl<'a> Body<'a> {
    pub(crate) fn here(shell: Shell, children: Children<'a>) -> Self {
        let terminal = shell.terminal.as_ref().and_then(Identity::of);
        Self::Here(Box::new(Here { shell, children, terminal, feed: Vec::new(), last_mark: Vec::new() }))
    }

    /// What to wait for.
    pub(crate) fn interests(&self, output: bool) -> Vec<PollFd<'_>> {
        match self {
            Self::Here(here) => here.interests(output),
            Self::Far(far) => far.interests(),
        }
    }

    /// When something is due without anybody else doing anything.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self {
            Self::Here(_) => None,
            Self::Far(far) => far.due(),
        }
    }

    /// Collects the dead, and keeps the link. Says whether something else is known of the target than before.
    pub(crate) fn turn(&mut self, now: Instant) -> bool {
        match self {
            Self::Here(here) => {
                here.children.reap();
                false
            }
            Self::Far(far) => far.turn(now),
        }
    }

    /// Reads output on.
    pub(crate) fn fill(&mut self, scanner: &mut Scanner) -> io::Result<usize> {
        match self {
            Self::Here(here) => scanner.fill(&here.shell.output),
            Self::Far(far) => far.fill(scanner),
        }
    }

    /// Writes what is on its way.
    pub(crate) fn write(&mut self) {
        match self {
            Self::Here(here) => here.write(),
            Self::Far(far) => far.write(),
        }
    }

    pub(crate) fn feed(&mut self, what: Fed, bytes: &[u8]) {
        match self {
            Self::Here(here) => {
                if what == Fed::Leave {
                    here.feed.clear();
                }
                here.feed.extend_from_slice(bytes);
            }
            Self::Far(far) => far.feed(what, bytes),
        }
    }

    /// A command that is still on its way shall not begin any more. On this machine nothing is long on its way.
    pub(crate) fn call_back(&mut self) {
        if let Self::Far(far) = self {
            far.call_back();
        }
    }

    /// Whether what was fed before has not been taken yet.
    pub(crate) fn is_busy(&self) -> bool {
        match self {
            Self::Here(here) => !here.feed.is_empty(),
            Self::Far(far) => far.is_busy(),
        }
    }

    pub(crate) fn has_terminal(&self) -> bool {
        match self {
            Self::Here(here) => here.shell.terminal.is_some(),
            Self::Far(far) => far.tty,
        }
    }

    /// Whether the terminal hands over single keys, as far as that is known.
    pub(crate) fn takes_keys(&self) -> bool {
        match self {
            Self::Here(here) => here.shell.takes_keys(),
            Self::Far(far) => far.seen.raw,
        }
    }

    /// Whether Ctrl-C is a signal, and not a key like others.
    pub(crate) fn takes_signals(&self) -> bool {
        match self {
            Self::Here(here) => here.shell.takes_signals(),
            Self::Far(far) => far.seen.signals,
        }
    }

    /// Looks whether a program in front waits for something to be typed. What is at another machine answers later.
    pub(crate) fn look(&mut self) {
        if let Self::Far(far) = self {
            far.look();
        }
    }

    /// Whether a program in front waits for something to be typed, as far as that is known.
    pub(crate) fn waits(&self, line_is_open: bool) -> bool {
        match self {
            Self::Here(here) => here.waits(line_is_open),
            Self::Far(far) => far.seen.waits,
        }
    }

    /// Since when there is no link to it.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        match self {
            Self::Here(_) => None,
            Self::Far(far) => far.down_since(),
        }
    }

    /// The same, once it has been away for so long that people should know.
    pub(crate) fn missed(&self) -> Option<Instant> {
        match self {
            Self::Here(_) => None,
            Self::Far(far) => far.missed,
        }
    }

    /// How the attempt ends when nothing more can be known of it.
    pub(crate) fn lost(&self) -> Option<&AttemptResult> {
        match self {
            Self::Here(_) => None,
            Self::Far(far) => far.lost.as_ref(),
        }
    }

    /// What is left to be cleaned when the record is written.
    pub(crate) fn into_far(self) -> Option<Far> {
        match self {
            Self::Here(_) => None,
            Self::Far(far) => Some(*far),
        }
    }

    /// Nothing helps: there is no link over which it could be ended.
    pub(crate) fn give_up(&mut self) {
        if let Self::Far(far) = self {
            far.give_up();
        }
    }

    // ---- signals

    /// What a person would reach with Ctrl-C.
    pub(crate) fn interrupt(&mut self) {
        match self {
            Self::Here(here) => here.shell.signal(Signal::INT),
            Self::Far(far) => far.ask("interrupt"),
        }
    }

    /// Everything but the shell, which still has to tell how the command ended.
    pub(crate) fn below(&mut self, signal: Signal) {
        match self {
            Self::Here(here) => {
                for process in here.children.alive_below_shell() {
                    processes::signal(process.pid, signal);
                    processes::signal(process.pid, Signal::CONT);
                }
            }
            Self::Far(far) => far.ask(if signal == Signal::KILL { "below KILL" } else { "below TERM" }),
        }
    }

    /// What a request may need until it has reached the step.
    pub(crate) fn way(&self) -> Duration {
        match self {
            Self::Here(_) => Duration::ZERO,
            Self::Far(_) => Duration::from_secs(1),
        }
    }

    pub(crate) fn kill_shell(&mut self) {
        match self {
            Self::Here(here) => here.children.kill_shell(),
            Self::Far(far) => far.ask("kill"),
        }
    }

    /// How the shell ended, once it has: its code, or 128 and the signal.
    pub(crate) fn ended(&self) -> Option<i32> {
        match self {
            Self::Here(here) => here.children.ended,
            Self::Far(far) => far.ended,
        }
    }

    /// The shell there has ended, as its supervisor says.
    pub(crate) fn has_ended(&mut self, code: i32) {
        if let Self::Far(far) = self {
            far.ended.get_or_insert(code);
        }
    }

    /// Has everything that is there without the shell ended. Gives what came of it once nothing is left that could print.
    ///
    /// `waited` is how long the shell has been gone; `held` collects the names of what was there without it.
    pub(crate) fn end_rest(&mut self, ladder: Ladder, rest: &mut Rest<'_>) -> Option<Left> {
        match self {
            Self::Here(here) => here.end_rest(ladder, rest),
            Self::Far(far) => far.end_rest(ladder),
        }
    }

    /// Nothing can print any more: the last mark shows when all of it was read.
    pub(crate) fn drain(&mut self, mark: Vec<u8>) {
        if let Self::Here(here) = self {
            here.last_mark = mark;
        }
    }

    /// Whether the output is known to be read to its end although nothing closes it.
    pub(crate) fn is_read(&self) -> bool {
        match self {
            // Without a terminal the pipe is exact: what was written before the end is there.
            Self::Here(here) => here.shell.terminal.is_none(),
            Self::Far(far) => far.is_read(),
        }
    }

    /// Puts the terminal back to what the driver needs. At a target that is done with each command.
    pub(crate) fn restore(&self) {
        if let Self::Here(here) = self {
            here.shell.restore();
        }
    }

    /// The directory of the shell now; `begun` is what the one in which it began is called.
    pub(crate) fn directory(&self, begun: &str) -> Option<String> {
        match self {
            Self::Here(here) => here.shell.directory(begun),
            // The shell says it as it was given, but for a slash at its end.
            Self::Far(far) => {
                let here = far.directory.as_deref()?;
                let stays = here.trim_end_matches('/') == begun.trim_end_matches('/');
                Some(if stays { begun } else { here }.to_owned())
            }
        }
    }

    /// The shell says where it is.
    pub(crate) fn is_at(&mut self, directory: String) {
        if let Self::Far(far) = self {
            far.directory = Some(directory);
        }
    }

    /// Whether this process is known not to belong to the attempt.
    pub(crate) fn excludes(&self, pid: Pid) -> bool {
        match self {
            Self::Here(here) => here.children.exclude(pid),
            Self::Far(_) => true,
        }
    }
}

/// What is known of the end so far.
pub(crate) struct Rest<'r> {
    /// When the shell had gone.
    pub since: Instant,
    /// Now.
    pub now: Instant,
    /// The names of what was found there without it.
    pub held: &'r mut Vec<String>,
}

/// What a shell leaves behind may end by itself, as the `tee` of a process substitution does.
const GRACE: Duration = Duration::from_millis(100);

impl Here<'_> {
    fn interests(&self, output: bool) -> Vec<PollFd<'_>> {
        let mut all = Vec::new();
        all.extend(output.then(|| PollFd::new(&self.shell.output, PollFlags::IN)));
        all.extend((!self.feed.is_empty()).then(|| PollFd::new(&self.shell.feed, PollFlags::OUT)));
        all
    }

    fn write(&mut self) {
        while !self.feed.is_empty() {
            match rustix::io::write(&self.shell.feed, &self.feed) {
                Ok(count) => drop(self.feed.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // Nobody reads it any more.
                Err(_) => self.feed.clear(),
            }
        }
        if let Some(terminal) = self.shell.terminal.as_ref().filter(|_| !self.last_mark.is_empty())
            && let Ok(count) = rustix::io::write(&terminal.end, &self.last_mark)
        {
            self.last_mark.drain(..count);
        }
    }

    fn waits(&self, line_is_open: bool) -> bool {
        let (Some(terminal), Some(front)) = (self.terminal, self.shell.foreground()) else { return false };
        let family = self.children.alive();
        let foreground = family.iter().filter(|process| process.group == front.as_raw_nonzero().get());
        waiting::for_input(terminal, foreground, line_is_open)
    }

    /// What is still there gets a moment, then SIGTERM, then is killed. It is named in any case.
    fn end_rest(&mut self, ladder: Ladder, rest: &mut Rest<'_>) -> Option<Left> {
        if !self.children.reap() {
            return Some(Left { held: Vec::new(), survivors: Vec::new() });
        }
        let asked_at = rest.since + GRACE;
        if rest.now < asked_at {
            return None;
        }
        self.ask_to_end(rest.held);
        if rest.now < asked_at + Duration::from_millis(ladder.held_ms) {
            return None;
        }
        Some(Left { held: Vec::new(), survivors: self.children.end_all() })
    }

    /// Names what is there without the shell, and sends SIGTERM, once to each.
    fn ask_to_end(&self, held: &mut Vec<String>) {
        for process in self.children.alive() {
            let title = process.title();
            if !held.contains(&title) {
                processes::signal(process.pid, Signal::TERM);
                processes::signal(process.pid, Signal::CONT);
                held.push(title);
            }
        }
    }
}
