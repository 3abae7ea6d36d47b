//! The commands of an attempt, one after the other: fed, begun, ended and judged.

use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, CommandEnd, Mark, Outcome};
use domain::outcome;

use super::super::body::Fed;
use super::super::{clock, driver, exports};
use super::{Current, Life, Stage, Why};

impl Life<'_, '_> {
    pub(super) fn ready(&mut self) {
        if matches!(self.stage, Stage::Starting) {
            self.enter(Stage::Running);
            self.feed_command(0);
        }
    }

    fn feed_command(&mut self, index: usize) {
        let Some(command) = self.all.spec.work.commands.get(index) else {
            return self.leave(AttemptResult::Completed);
        };
        self.all.body.restore();
        let token = self.all.key.mark(index + 1);
        self.tokens.former = std::mem::replace(&mut self.tokens.command, token);
        let head = outcome::asks_for_status(&command.pipeline, &command.script).then(Vec::new);
        self.current = Some(Current { command, index, begun: None, head, interrupted: false });
        let lines = driver::feed(&self.tokens.session, &self.tokens.command, &command.script);
        self.all.body.feed(Fed::Command(index), &lines);
    }

    pub(super) fn command_begins(&mut self) {
        let now = Instant::now();
        let offset = self.all.log.border(now);
        if let Some(current) = self.current.as_mut().filter(|current| current.begun.is_none()) {
            // With another shim it has begun earlier.
            let before = self.all.log.noted_before().and_then(|mark| mark.started(current.command.number));
            let ago = before.map_or(0, |at| clock::now().saturating_sub(at).max(0).unsigned_abs());
            current.begun = Some(now.checked_sub(Duration::from_millis(ago)).unwrap_or(now));
            let mark = Mark::Started { command: current.command.number, offset, at: clock::now() };
            self.all.log.mark(&mark, now);
            self.all.silence.begins(current.command.number, now);
        }
    }

    pub(super) fn command_ends(&mut self, code: i32, statuses: Vec<i32>, shell_too: bool) {
        self.ending.directory = self.all.body.directory(&self.all.spec.work.directory).or(self.ending.directory.take());
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
    pub(super) fn note_end(&mut self, code: Option<i32>, statuses: Vec<i32>) -> Option<(usize, u32, Outcome)> {
        let current = self.current.take()?;
        let begun = current.begun?;
        let answered = current.head.as_deref().and_then(outcome::answered_status);
        let pipeline = &current.command.pipeline;
        let judged = outcome::judge(pipeline, &statuses, code.unwrap_or(-1), answered);
        let (outcome, explanation) = match self.pressure.as_ref().map(|pressure| pressure.why) {
            Some(Why::Watch) => (Outcome::Watched, None),
            Some(Why::Stop) => (Outcome::Stopped, None),
            Some(Why::Timeout) => (Outcome::Stopped, Some("Its time was up.".to_owned())),
            None if current.interrupted && judged.0 == Outcome::Failure => {
                (judged.0, Some("the command was ended with Ctrl-C".to_owned()))
            }
            None => judged,
        };
        let duration_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        let number = current.command.number;
        // What another shim has noted stands, and it knew why: somebody may have ended it.
        let before = self.all.log.noted_before().and_then(|mark| mark.ended(number));
        let end = before.unwrap_or(CommandEnd { code, statuses, duration_ms, outcome, explanation });
        let outcome = end.outcome;
        let offset = self.all.log.border(Instant::now());
        let mark = Mark::Ended { command: number, offset, at: clock::now(), end };
        self.all.log.mark(&mark, Instant::now());
        self.all.silence.ends();
        Some((current.index, number, outcome))
    }

    fn leave(&mut self, result: AttemptResult) {
        self.ending.result.get_or_insert(result);
        self.all.body.restore();
        let lines = driver::leave(&self.tokens.session, &self.all.spec.work.exports);
        self.all.body.feed(Fed::Leave, &lines);
        self.enter(Stage::Leaving);
    }

    /// The name that is none comes last.
    pub(super) fn variable_told(&mut self, name: String, length: usize, value: Vec<u8>) {
        if name == "PWD" {
            if let Some(directory) = exports::whole(value, length) {
                self.all.body.is_at(directory);
            }
        } else if name.is_empty() {
            self.ending.told = Some(std::mem::take(&mut self.told));
        } else if self.all.spec.work.exports.contains(&name)
            && let Some(value) = exports::whole(value, length)
        {
            self.told.insert(name, value);
        }
    }
}
