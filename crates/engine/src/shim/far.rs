//! The shell at another machine, as its shim sees it: a link that comes and goes, and a log there that is followed.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, Work};
use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::io::Errno;

use super::body::Fed;
use super::scanner::Scanner;
use crate::far::{BEGIN, Link, SERVE, Transport, escaped};
use crate::record::Ladder;

mod answers;
mod beginning;

use beginning::{handover, words};

/// A target that has not said within this time that the attempt has begun is asked by another link.
const BEGUN: Duration = Duration::from_secs(20);
/// Between two tries to make a link: the first pause, doubled each time, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A link that says nothing at all after it was made is no link.
const QUIET: Duration = Duration::from_secs(30);
/// A link that comes back within this time was never missed by anybody.
const MISSED: Duration = Duration::from_secs(2);
/// Whether what runs the step there still lives is asked so often, whatever the step does.
const LOOK: Duration = Duration::from_secs(30);
/// A link over which a look is not answered for so long takes no requests any more.
const ANSWERED: Duration = Duration::from_secs(15);
/// What is in front of a shell that has ended says so in the log within this time, if the disk there takes it.
const SAID: Duration = Duration::from_secs(2);
/// Before each try to remove the folder there, when the record is written.
const CLEANING: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)];
/// From where on the log is wanted by who does not want it.
const END_OF_LOG: &str = "9223372036854775806";
/// Bytes of requests to type, on their way, beyond which no more is taken.
const TYPED: usize = 4 << 10;
/// No answer is longer.
const ANSWER: usize = 64 << 10;

/// The shell at another machine.
pub(crate) struct Far {
    transport: Transport,
    token: String,
    link: State,
    /// Bytes of the log there that were taken.
    taken: u64,
    /// What was fed and is not known to have arrived: its name, and the whole request.
    fed: VecDeque<(String, String)>,
    /// Whether no command is to begin any more.
    called_back: bool,
    /// Requests that wait for a link.
    waiting: Vec<String>,
    /// Bytes on their way over the link.
    outgoing: Vec<u8>,
    /// The beginning of an answer.
    heard: Vec<u8>,
    /// What is heard besides: the way itself complains.
    complaint: String,
    pub seen: Seen,
    pub tty: bool,
    /// How the shell ended, once that is known.
    pub ended: Option<i32>,
    rest: Rest,
    /// When it is looked at again in any case.
    next_look: Instant,
    /// Since when a look is not answered.
    unanswered: Option<Instant>,
    /// Since when the shell is known to have ended without having said how.
    silent: Option<Instant>,
    /// Since when there is no link, once that is worth telling.
    pub missed: Option<Instant>,
    /// When it was asked to begin, as far as that can be told.
    asked: Option<Instant>,
    /// Whether it is known to have begun.
    known: bool,
    /// Bytes of the whole log, once what ran the step is gone without having said how the step ended.
    dead: Option<u64>,
    /// How the attempt ends when nothing more can be known of it.
    pub lost: Option<AttemptResult>,
    /// Where the shell was when it said so last.
    pub directory: Option<String>,
}

enum State {
    Up {
        link: Link,
        made: Instant,
        since: Instant,
        pause: Duration,
        greeted: bool,
        /// What came before the line behind which the log begins, as long as that has not come.
        opening: Option<Vec<u8>>,
    },
    Down {
        since: Instant,
        next: Instant,
        pause: Duration,
    },
    /// Somebody makes one; `made` becomes readable when that has ended.
    Making {
        since: Instant,
        pause: Duration,
        maker: JoinHandle<Result<Link, String>>,
        made: Arc<OwnedFd>,
    },
}

/// What a shim that has died has left of its attempt here.
#[derive(Clone, Copy)]
pub(crate) struct Former {
    /// When the attempt was begun, as far as that can be told.
    pub asked: Option<Instant>,
    /// Whether anything of it was heard.
    pub began: bool,
}

/// What was seen at the target when it was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// A program in front waits for something to be typed.
    pub waits: bool,
    /// The terminal hands over single keys.
    pub raw: bool,
    /// Ctrl-C is a signal.
    pub signals: bool,
}

/// As a terminal is that nobody has changed.
impl Default for Seen {
    fn default() -> Self {
        Self { waits: false, raw: false, signals: true }
    }
}

/// What is still there without the shell, and what came of it.
#[derive(Default)]
struct Rest {
    asked: Option<u64>,
    held: Vec<String>,
    survivors: Vec<String>,
    /// Bytes of the whole log, once nothing is left that could print.
    length: Option<u64>,
}

/// What came of the end of everything that was left.
pub(crate) struct Left {
    pub held: Vec<String>,
    pub survivors: Vec<String>,
}

impl Far {
    /// Begins the attempt there.
    ///
    /// # Errors
    ///
    /// When nothing was run, with the reason in a sentence.
    pub(crate) fn begin(
        transport: Transport,
        work: &Work,
        environment: &[(String, String)],
        token: &str,
        session: &str,
    ) -> Result<(Self, Vec<String>), String> {
        let words = words(work, token, session);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let asked = Instant::now();
        let mut link = transport.start(BEGIN, &words)?;
        let mut far = Self { asked: Some(asked), ..Self::new(transport, token) };
        let answer = link
            .send(&handover(environment), BEGUN)
            .and_then(|()| link.line(&format!("portal-far {token} "), BEGUN))
            .map_err(|_| link.refusal(""));
        drop(link);
        match answer.as_deref() {
            Ok(answer) => {
                let unenforced = far.begun(answer, work)?;
                Ok((far, unenforced))
            }
            Err(Some((sentence, _))) => Err(sentence.clone()),
            // It may have begun all the same: another link will tell.
            Err(None) => {
                far.tty = work.tty;
                Ok((far, Vec::new()))
            }
        }
    }

    /// Takes up an attempt whose shim has died.
    pub(crate) fn resume(transport: Transport, work: &Work, token: &str, former: Former) -> Self {
        Self { tty: work.tty, asked: former.asked, known: former.began, ..Self::new(transport, token) }
    }

    fn new(transport: Transport, token: &str) -> Self {
        let now = Instant::now();
        Self {
            transport,
            token: token.to_owned(),
            link: State::Down { since: now, next: now, pause: FIRST_PAUSE },
            taken: 0,
            fed: VecDeque::new(),
            called_back: false,
            waiting: Vec::new(),
            outgoing: Vec::new(),
            heard: Vec::new(),
            complaint: String::new(),
            seen: Seen::default(),
            tty: false,
            ended: None,
            rest: Rest::default(),
            next_look: now + LOOK,
            unanswered: None,
            silent: None,
            missed: None,
            asked: None,
            known: false,
            dead: None,
            lost: None,
            directory: None,
        }
    }

    // ---- the loop's view

    /// What to wait for.
    pub(crate) fn interests(&self) -> Vec<PollFd<'_>> {
        let link = match &self.link {
            State::Up { link, .. } => link,
            State::Making { made, .. } => return vec![PollFd::new(made, PollFlags::IN)],
            State::Down { .. } => return Vec::new(),
        };
        let mut all = vec![PollFd::new(&link.output, PollFlags::IN), PollFd::new(&link.answers, PollFlags::IN)];
        if !self.outgoing.is_empty() && self.is_up() {
            all.push(PollFd::new(&link.requests, PollFlags::OUT));
        }
        all
    }

    /// When something is due without anybody else doing anything.
    pub(crate) fn due(&self) -> Option<Instant> {
        let link = match &self.link {
            State::Down { next, .. } => Some(*next),
            State::Up { made, greeted: false, .. } => Some(*made + QUIET),
            State::Up { .. } | State::Making { .. } => None,
        };
        let missed = self.down_since().filter(|_| self.missed.is_none()).map(|since| since + MISSED);
        let look = self.is_up().then_some(self.next_look);
        link.into_iter().chain(missed).chain(look).chain(self.unanswered_at()).min()
    }

    /// When a look will not be answered any more. While the rest is ended there nothing else is.
    fn unanswered_at(&self) -> Option<Instant> {
        self.unanswered.filter(|_| self.is_up() && self.rest.asked.is_none()).map(|since| since + ANSWERED)
    }

    fn is_up(&self) -> bool {
        matches!(self.link, State::Up { greeted: true, .. })
    }

    /// Since when there is no link.
    pub(crate) fn down_since(&self) -> Option<Instant> {
        match &self.link {
            State::Up { greeted: true, .. } => None,
            State::Down { since, .. } | State::Making { since, .. } | State::Up { since, .. } => Some(*since),
        }
    }

    /// Keeps the link, and hears what the target answers. Says whether something else is known of it than before.
    pub(crate) fn turn(&mut self, now: Instant) -> bool {
        let before = (self.seen, self.missed);
        match &self.link {
            State::Down { next, .. } if *next <= now => self.make(),
            State::Making { maker, .. } if maker.is_finished() => self.take_link(now),
            State::Up { greeted: false, made, .. } if *made + QUIET <= now => self.cut(),
            _ => {}
        }
        self.hear();
        if self.unanswered_at().is_some_and(|at| at <= now) {
            self.cut();
        }
        if self.is_up() && self.next_look <= now {
            self.next_look = now + LOOK;
            self.look();
        }
        self.missed = self.down_since().filter(|since| *since + MISSED <= now);
        before != (self.seen, self.missed)
    }

    /// Makes a link, elsewhere: it may take long, and who wants the step to stop has to be heard meanwhile.
    fn make(&mut self) {
        let State::Down { since, pause, .. } = self.link else { return };
        let Ok(made) = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK) else { return };
        let (made, told) = {
            let made = Arc::new(made);
            (made.clone(), made)
        };
        let (transport, words) = (self.transport.clone(), [self.token.clone(), self.taken.to_string()]);
        let maker = std::thread::spawn(move || {
            let link = transport.start(SERVE, &words.each_ref().map(String::as_str));
            let _ = rustix::io::write(&*told, &1_u64.to_ne_bytes());
            link
        });
        self.link = State::Making { since, pause, maker, made };
    }

    fn take_link(&mut self, now: Instant) {
        let down = State::Down { since: now, next: now, pause: FIRST_PAUSE };
        let State::Making { since, pause, maker, .. } = std::mem::replace(&mut self.link, down) else { return };
        let made = maker.join().unwrap_or_else(|_| Err("it was not made".to_owned()));
        let made = made.and_then(|link| link.never_block().map(|()| link).map_err(|error| error.to_string()));
        self.link = match made {
            Ok(link) => State::Up { link, made: now, since, pause, greeted: false, opening: Some(Vec::new()) },
            Err(_) => State::Down { since, next: now + pause, pause: (pause * 2).min(LONGEST_PAUSE) },
        };
        self.heard.clear();
        self.outgoing.clear();
        self.unanswered = None;
        // What was on its way may not have arrived. What has arrived is known there by its name.
        let again: Vec<String> = self.fed.iter().map(|(_, request)| request.clone()).collect();
        for request in &again {
            self.put(request);
        }
        if let Some(tenths) = self.rest.asked.filter(|_| self.rest.length.is_none()) {
            self.rest.held.clear();
            self.rest.survivors.clear();
            self.put(&format!("finish {tenths}"));
        }
    }

    /// Lets the link go; the next one is made at once, and later after longer and longer pauses.
    fn cut(&mut self) {
        let now = Instant::now();
        self.hear_refusal();
        let (pause, since) = match &self.link {
            State::Up { greeted: true, .. } => (Duration::ZERO, now),
            State::Up { pause, since, .. } | State::Down { pause, since, .. } | State::Making { pause, since, .. } => {
                (*pause, *since)
            }
        };
        self.link = State::Down { since, next: now + pause, pause: (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE) };
    }

    /// Reads the log on.
    pub(crate) fn fill(&mut self, scanner: &mut Scanner) -> io::Result<usize> {
        let State::Up { link, opening, .. } = &mut self.link else { return Err(Errno::AGAIN.into()) };
        match opened(link, opening, &self.token)
            .and_then(|is_open| if is_open { scanner.fill(&link.output) } else { Ok(0) })
        {
            // The end of the link is not the end of the log.
            Ok(0) => {
                self.hear();
                self.cut();
                Err(Errno::AGAIN.into())
            }
            Ok(count) => {
                self.taken += count as u64;
                Ok(count)
            }
            Err(error) => {
                let passing = [Errno::AGAIN, Errno::INTR].map(Some).contains(&Errno::from_io_error(&error));
                if !passing {
                    self.cut();
                }
                self.mourn();
                Err(if passing { error } else { Errno::AGAIN.into() })
            }
        }
    }

    /// Whether everything that was printed has been taken.
    pub(crate) fn is_read(&self) -> bool {
        self.lost.is_some() || self.rest.length.is_some_and(|length| self.taken >= length)
    }

    // ---- what is asked of it

    /// Feeds the shell; what has the same name is never fed twice, by whichever shim.
    pub(crate) fn feed(&mut self, what: Fed, bytes: &[u8]) {
        let name = match what {
            Fed::Command(index) => {
                // What was seen of the one before is nothing to go by.
                self.seen = Seen::default();
                format!("c{index}")
            }
            Fed::Leave => "leave".to_owned(),
            Fed::Typed => format!("t{}", super::token()),
        };
        let request = match what {
            Fed::Command(_) if self.called_back => format!("void {name}"),
            _ => format!("feed {name} {}", escaped(bytes)),
        };
        self.put(&request);
        self.fed.push_back((name, request));
    }

    /// Whether much that was typed is still on its way. A little may be: whoever types is faster than a long way there and back.
    pub(crate) fn is_busy(&self) -> bool {
        let typed = self.fed.iter().filter(|(name, _)| name.starts_with('t'));
        typed.map(|(_, request)| request.len()).sum::<usize>() > TYPED
    }

    /// Looks, if there is a link.
    pub(crate) fn look(&mut self) {
        if self.is_up() {
            self.unanswered.get_or_insert_with(Instant::now);
        }
        self.put("look");
    }

    /// No command shall begin any more: the name of one that has not arrived is used up instead.
    pub(crate) fn call_back(&mut self) {
        self.called_back = true;
        for (name, request) in self.fed.iter_mut().filter(|(name, _)| name.starts_with('c')) {
            *request = format!("void {name}");
        }
    }

    /// Asks for a signal: now, or as soon as there is a link.
    pub(crate) fn ask(&mut self, request: &str) {
        // It says by itself what came of that, where its disk lets it.
        self.next_look = self.next_look.min(Instant::now() + SAID);
        match self.link {
            State::Up { .. } => self.put(request),
            State::Down { .. } | State::Making { .. } => self.waiting.push(request.to_owned()),
        }
    }

    /// A step that was to stop and cannot be reached.
    pub(crate) fn give_up(&mut self) {
        if self.down_since().is_some() {
            self.lose(
                "The step was to stop, and there has been no link to the target since. Whether it still runs there, and what it has \
                 done, is not known.",
            );
        }
    }

    /// Has what is left without the shell ended, gives what came of it once that is known.
    pub(crate) fn end_rest(&mut self, ladder: Ladder) -> Option<Left> {
        if self.lost.is_some() {
            return Some(Left { held: Vec::new(), survivors: Vec::new() });
        }
        if self.rest.asked.is_none() {
            let tenths = ladder.held_ms.div_ceil(100);
            self.rest.asked = Some(tenths);
            self.put(&format!("finish {tenths}"));
        }
        self.rest.length?;
        Some(Left { held: self.rest.held.clone(), survivors: self.rest.survivors.clone() })
    }

    /// The record is written: nothing has to be kept there.
    pub(crate) fn clean(self) {
        let mut link = if let State::Up { link, .. } = self.link { Some(link) } else { None };
        // What cannot be known cannot be cleaned, either, unless there is a way.
        let tries = if self.lost.is_none() { CLEANING.len() } else { usize::from(link.is_some()) };
        for pause in CLEANING.into_iter().take(tries) {
            std::thread::sleep(pause);
            let made = link.take().map_or_else(|| self.transport.start(SERVE, &[&self.token, END_OF_LOG]), Ok);
            if made.is_ok_and(cleaned) {
                return;
            }
        }
    }

    // ---- the link

    fn put(&mut self, request: &str) {
        if matches!(self.link, State::Up { .. }) {
            self.outgoing.extend_from_slice(request.as_bytes());
            self.outgoing.push(b'\n');
        }
    }

    /// Sends what is on its way.
    pub(crate) fn write(&mut self) {
        let State::Up { link, greeted: true, .. } = &self.link else { return };
        while !self.outgoing.is_empty() {
            match rustix::io::write(&link.requests, &self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                // The reader of the output sees that the link has ended.
                Err(_) => self.outgoing.clear(),
            }
        }
    }
}

/// Whether the log begins here: behind a line of the portal's own. What a login prints is before that.
fn opened(link: &Link, opening: &mut Option<Vec<u8>>, token: &str) -> io::Result<bool> {
    let end = format!("portal-far {token} log\n");
    while let Some(before) = opening {
        let mut byte = [0];
        // One at a time: what is behind it is the scanner's.
        if rustix::io::read(&link.output, &mut byte)? == 0 || before.len() > ANSWER {
            return Ok(false);
        }
        before.extend(byte);
        if before.ends_with(end.as_bytes()) {
            *opening = None;
        }
    }
    Ok(true)
}

/// Has the folder there removed; says whether that was done, as far as the end of the way tells.
fn cleaned(mut link: Link) -> bool {
    let sent = link.send(b"clean\n", Duration::from_secs(5));
    sent.is_ok() && link.ended(Instant::now() + Duration::from_secs(5)) == Some(0)
}
