//! What is heard from another machine, and what that means for the attempt.

use std::time::{Duration, Instant};

use domain::attempt::AttemptResult;
use rustix::io::Errno;

use super::{ANSWER, Far, SAID, Seen, State};
use crate::far::Transport;

/// A step that is to begin for so long, and does not, is given up.
const NOT_YET: Duration = Duration::from_mins(1);
/// Two clocks count whole seconds, and the way takes its time, too.
const ROUNDING: Duration = Duration::from_secs(2);

impl Far {
    /// A container that is gone comes back as another one, in which nothing of the step is left.
    pub(super) fn hear_refusal(&mut self) {
        let State::Up { link, .. } = &mut self.link else { return };
        // It was asked to begin, and may have heard that.
        if let Some((sentence, true)) = link.refusal(&self.complaint) {
            self.lose(&format!("{} What the step has done is not known.", without_end(&sentence)));
        }
        self.complaint.clear();
    }

    pub(super) fn hear(&mut self) {
        let mut piece = [0; 4096];
        while let State::Up { link, .. } = &self.link {
            match rustix::io::read(&link.answers, &mut piece) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => self.heard.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
            self.take_answers();
        }
    }

    fn take_answers(&mut self) {
        let opening = format!("portal-far {} ", self.token);
        while let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            // What a login has printed before, without an end of its line, is none of it.
            if let Some((_, answer)) = line.trim_end().split_once(&opening) {
                self.answered(answer);
            } else if self.complaint.len() < ANSWER {
                self.complaint.push_str(&line);
            }
        }
        if self.heard.len() > ANSWER {
            self.heard.clear();
        }
    }

    fn answered(&mut self, answer: &str) {
        let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
        match word {
            "here" => self.greeted(rest),
            "never" => self.never(rest),
            "not-yet" => self.not_yet(),
            "dead" => self.dead = rest.trim().parse().ok(),
            "over" => self.over(rest.trim().parse().unwrap_or(0)),
            "fed" => self.fed.retain(|(name, _)| name != rest),
            "look" => self.looked(rest),
            "held" => self.rest.held.push(rest.to_owned()),
            "survivor" => self.rest.survivors.push(rest.to_owned()),
            "finished" => self.rest.length = rest.trim().parse().ok(),
            _ => {}
        }
    }

    fn greeted(&mut self, mode: &str) {
        self.tty = mode == "tty";
        if let State::Up { greeted, .. } = &mut self.link {
            *greeted = true;
        }
        self.known = true;
        for request in std::mem::take(&mut self.waiting) {
            self.put(&request);
        }
    }

    fn looked(&mut self, answer: &str) {
        let flags: Vec<bool> = answer.split(' ').map(|word| word == "1").collect();
        self.unanswered = None;
        if let [waits, raw, signals] = *flags.as_slice() {
            self.seen = Seen { waits, raw, signals };
        }
    }

    /// Nothing is there; what it would be in has been running for `age` seconds.
    fn never(&mut self, age: &str) {
        let age = age.parse().ok().map(Duration::from_secs);
        let same = self.asked.zip(age).is_some_and(|(asked, age)| age > asked.elapsed() + ROUNDING);
        match self.transport {
            _ if same && !self.known => {
                self.end_as(not_started("The step never began at the target. Nothing of it was run."));
            }
            Transport::Exec { .. } => self.lose(MADE_ANEW),
            Transport::Here | Transport::Ssh(_) => self.lose(FOLDER_GONE),
        }
    }

    /// The shell has ended, and there are so many bytes in the log. That it has ended comes last, where the disk takes it.
    fn over(&mut self, length: u64) {
        if self.ended.is_some() || self.taken < length {
            return;
        }
        let now = Instant::now();
        if *self.silent.get_or_insert(now) + SAID <= now {
            return self.lose(UNSAID);
        }
        self.next_look = self.next_look.min(now + SAID);
    }

    fn not_yet(&mut self) {
        if self.asked.is_none_or(|asked| asked.elapsed() > NOT_YET) {
            return self.lose("The step was to begin at the target, and has not said that it did. What the step has done is not known.");
        }
        self.cut();
    }

    /// What ran the step is gone, and everything that it has printed was read: whatever is still to come is not from the step.
    pub(super) fn mourn(&mut self) {
        if self.ended.is_none() && self.dead.is_some_and(|length| self.taken >= length) {
            self.lose(ENDED_THERE);
        }
    }

    /// Nobody can know any more.
    pub(super) fn lose(&mut self, reason: &str) {
        self.end_as(AttemptResult::Unknown { reason: reason.to_owned() });
    }

    fn end_as(&mut self, result: AttemptResult) {
        self.lost.get_or_insert(result);
    }
}

/// What a bridge says of itself is not what is to be said of the step.
fn without_end(sentence: &str) -> &str {
    sentence.split_once(" Nothing was run").map_or(sentence, |(beginning, _)| beginning)
}

fn not_started(reason: &str) -> AttemptResult {
    AttemptResult::NotStarted { reason: reason.to_owned() }
}

const MADE_ANEW: &str =
    "The container was made anew, or what was kept of the step in it is gone. What the step has done is not known.";
const FOLDER_GONE: &str =
    "What ran the step at the target is gone, and its folder with it. What the step has done is not known.";
const ENDED_THERE: &str = "What ran the step at the target was ended there, or the machine or the container was started again. What the \
                           step has done is not known.";
const UNSAID: &str = "The shell at the target has ended, and how is not in its log: the disk there may be full. What the step has done \
                      is not known.";
