//! A run while it runs: what its page shows, kept up to date by one stream.

pub mod follow;
pub mod goal;
pub mod log;
pub mod marks;
pub mod named;
pub mod sheet;

use domain::attempt::Condition;
use domain::frame::Cursor;
use domain::policy::Actor;
use domain::run::Run;
use domain::view::{ApprovalGround, RedactionView, RunView, UsualStep};
use domain::{AttemptId, RunId, Timestamp};
use leptos::prelude::*;

use crate::AppError;
use crate::base::portal_path;
use crate::clock::Clock;
use log::Log;

/// How the page hangs together with the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not asked yet: the page is as the server rendered it.
    Still,
    /// News arrives.
    Up,
    /// The connection is lost since then; it is tried again.
    Lost(Timestamp),
    /// The portal does not tell this person any more.
    Closed,
}

/// The state of a run's page.
#[derive(Clone, Copy)]
pub struct Live {
    /// The run as it stands.
    pub run: RwSignal<Run>,
    /// The step on the stage, by its place in the plan.
    pub shown: RwSignal<u32>,
    /// The output on the stage.
    pub log: RwSignal<Log>,
    /// Who looks at this run now.
    pub names: RwSignal<Vec<String>>,
    /// How the page hangs together with the portal.
    pub link: RwSignal<Link>,
    /// Set when the portal is of another build than this page.
    pub outdated: RwSignal<bool>,
    /// Whether the rows on the stage go along with the output.
    pub following: RwSignal<bool>,
    /// Whether the keys of the page go to the step on the stage.
    pub typing: RwSignal<bool>,
    /// When output last came while this log was on the stage.
    pub heard: RwSignal<Option<Timestamp>>,
    /// What the command on the stage is found to be doing.
    pub condition: RwSignal<Condition>,
    /// Why stored output could not be fetched.
    pub trouble: RwSignal<Option<AppError>>,
    /// Whether the run is closed.
    pub closed: Memo<bool>,
    /// The portal's time.
    pub clock: Clock,
    /// The attempt that was last started from this page, by step and number.
    started: StoredValue<Option<(u32, u32)>>,
    /// Who looks.
    actor: StoredValue<Actor>,
    build: StoredValue<String>,
    /// What there is to know about approvals beside the run.
    approvals: StoredValue<ApprovalGround>,
    /// What waits to be covered in the output on which the page opened.
    redaction: StoredValue<Option<RedactionView>>,
    /// How long the steps usually take, by their place in the plan.
    usual: StoredValue<Vec<Option<UsualStep>>>,
    /// Counted up when output has to be had anew, because another attempt is shown.
    turn: RwSignal<u64>,
    /// Whether the tab has been out of sight for so long that it let its stream go.
    asleep: RwSignal<bool>,
}

impl Live {
    /// The page as the server rendered it, for everything below.
    pub fn provide(view: &RunView, actor: Actor, build: String, step: Option<u32>, from: Option<u64>) -> Self {
        let clock = Clock::start(view.now);
        let (shown, _) = opens_on(&view.run, step, None);
        let log = match &view.log {
            Some(log) if from.is_some() => Log::page(log),
            Some(log) => Log::tail(log),
            None => Log::empty(shown, 0),
        };
        let on_stage = view.run.open_attempt().is_some_and(|open| log.is_of(open.step, open.attempt));
        let condition = if on_stage { view.condition } else { Condition::default() };
        let run = RwSignal::new(view.run.clone());
        let live = Self {
            run,
            shown: RwSignal::new(shown),
            following: RwSignal::new(!log.is_page()),
            log: RwSignal::new(log),
            typing: RwSignal::new(false),
            heard: RwSignal::new(None),
            condition: RwSignal::new(condition),
            trouble: RwSignal::new(None),
            closed: Memo::new(move |_| run.with(|run| run.end.is_some())),
            started: StoredValue::new(None),
            names: RwSignal::new(Vec::new()),
            link: RwSignal::new(Link::Still),
            outdated: RwSignal::new(false),
            clock,
            actor: StoredValue::new(actor),
            build: StoredValue::new(build),
            approvals: StoredValue::new(view.approvals.clone()),
            redaction: StoredValue::new(view.redaction.clone()),
            usual: StoredValue::new(view.usual_steps.clone()),
            turn: RwSignal::new(0),
            asleep: RwSignal::new(false),
        };
        provide_context(live);
        live
    }

    /// The state of this page.
    pub fn here() -> Self {
        expect_context()
    }

    /// The run's number.
    pub fn id(self) -> RunId {
        self.run.with_untracked(|run| run.id)
    }

    /// Who looks.
    pub fn actor(self) -> Actor {
        self.actor.get_value()
    }

    /// Whether the page belongs to this build of the portal.
    pub fn is_of(self, build: &str) -> bool {
        self.build.with_value(|own| own == build)
    }

    /// How long a step usually takes, when enough earlier runs tell.
    pub fn usual(self, step: u32) -> Option<UsualStep> {
        let place = usize::try_from(step).ok()?.checked_sub(1)?;
        self.usual.with_value(|usual| usual.get(place).copied().flatten())
    }

    /// What there is to see about a redaction that waits, if the page came with it.
    pub fn redaction(self, number: u32) -> Option<RedactionView> {
        self.redaction.with_value(|came| came.as_ref().filter(|view| view.number == number).cloned())
    }

    /// What there is to know about approvals, at this moment. Whoever asks is told again when the clock moves on, as long as
    /// something of the run waits for a decision or may still be used.
    pub fn approvals(self) -> ApprovalGround {
        let waits = self.run.with(|run| run.requests.iter().any(|request| request.end.is_none()));
        let now = if waits { self.clock.now() } else { self.clock.now_untracked() };
        ApprovalGround { now, ..self.approvals.get_value() }
    }

    /// Puts a step on the stage, with an attempt of it or its last.
    pub fn show(self, step: u32, attempt: Option<u32>) {
        let (step, attempt) = self.run.with_untracked(|run| opens_on(run, Some(step), attempt));
        let same = self.log.with_untracked(|log| log.is_of(step, attempt));
        if same {
            self.shown.set(step);
        } else {
            self.open(step, attempt);
            self.turn.update(|turn| *turn += 1);
        }
    }

    /// Puts an attempt on the stage whose output is still to come.
    pub(crate) fn open(self, step: u32, attempt: u32) {
        self.log.set(Log::empty(step, attempt));
        self.heard.set(None);
        self.condition.set(Condition::default());
        self.trouble.set(None);
        self.following.set(true);
        self.shown.set(step);
    }

    /// Fetches the output on the stage once more, after that did not work.
    pub fn try_again(self) {
        self.trouble.set(None);
        self.turn.update(|turn| *turn += 1);
    }

    /// Remembers that this page asked for an attempt.
    pub fn starts(self, step: u32, attempt: u32) {
        self.started.set_value(Some((step, attempt)));
    }

    /// Whether an attempt was started from this page.
    pub fn has_started(self, step: u32, attempt: u32) -> bool {
        self.started.get_value() == Some((step, attempt))
    }

    /// Whether the page goes along when an attempt begins: not when its reader looks at something else.
    pub(crate) fn goes_along(self, step: u32, attempt: u32) -> bool {
        let looks_there = self.shown.get_untracked() == step
            && self.following.get_untracked()
            && self.log.with_untracked(|log| !log.is_page() && log.is_of(step, attempt.saturating_sub(1)));
        looks_there || self.has_started(step, attempt)
    }

    /// Counted up when output has to be had anew.
    pub(crate) fn turn(self) -> u64 {
        self.turn.get()
    }

    /// Lets the output of an attempt go, if it is on the stage: something in it was covered. It is had anew then.
    pub(crate) fn forget(self, step: u32, attempt: u32) {
        if self.log.with_untracked(|log| log.is_of(step, attempt)) {
            self.log.update(Log::forget);
            follow::forget_what_the_page_came_with();
            self.turn.update(|turn| *turn += 1);
        }
    }

    /// Whether output of the attempt on the stage is stored that this page does not have, and no stream brings: a stream brings
    /// what there is in an open run, but no piece that was asked for.
    pub(crate) fn lacks_output(self) -> bool {
        let id = self.on_stage();
        let closed = self.closed.get_untracked();
        let stored = self.run.with_untracked(|run| run.attempt(id)?.end.as_ref().map(|end| end.bytes));
        let lacks = |log: &Log, stored: u64| if log.is_page() { log.is_empty() } else { closed && log.to() < stored };
        self.log.with_untracked(|log| stored.is_some_and(|stored| log.from() < stored && lacks(log, stored)))
    }

    /// The attempt on the stage; its number is 0 for none.
    pub(crate) fn on_stage(self) -> AttemptId {
        let run = self.id();
        self.log.with_untracked(|log| AttemptId { run, step: log.step(), attempt: log.attempt() })
    }

    /// Up to where the page has everything.
    pub fn cursor(self) -> Cursor {
        let version = self.run.with_untracked(|run| run.version);
        self.log.with_untracked(|log| {
            if log.is_page() || self.closed.get_untracked() {
                Cursor { version, ..Cursor::default() }
            } else {
                Cursor { version, step: log.step(), attempt: log.attempt(), offset: log.to() }
            }
        })
    }
}

/// What a page opens on: a step and one of its attempts, 0 when there is none.
///
/// The step that was asked for; else what runs; else the step whose turn it is; else, when all is over, the last that ran.
pub fn opens_on(run: &Run, step: Option<u32>, attempt: Option<u32>) -> (u32, u32) {
    let asked = step.filter(|step| run.step(*step).is_some());
    let running = run.open_attempt().map(|open| open.step);
    let current = if run.end.is_none() { run.current_step() } else { None };
    let step = asked.or(running).or(current).or_else(|| last_that_ran(run)).unwrap_or(1);
    let attempts = run.step(step).map_or(0, |state| u32::try_from(state.attempts.len()).unwrap_or(u32::MAX));
    let attempt = attempt.filter(|attempt| (1..=attempts).contains(attempt)).unwrap_or(attempts);
    (step, attempt)
}

/// The address of the raw output of an attempt.
pub fn raw_output(id: AttemptId) -> String {
    portal_path(format!("/runs/{}/output/{}/{}", id.run, id.step, id.attempt))
}

fn last_that_ran(run: &Run) -> Option<u32> {
    (1..)
        .zip(&run.steps)
        .filter_map(|(step, state)| Some((state.attempts.last()?.started.at, step)))
        .max()
        .map(|(_, step)| step)
}
