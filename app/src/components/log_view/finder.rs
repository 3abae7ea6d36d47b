//! Looking for something in the whole log, which the portal does: how often it is there, and from one place to the next.

use domain::find::{Found, Next, Spelling, WANTED_LIMIT, Wanted, Way};
use domain::time;
use gloo_timers::future::TimeoutFuture;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::window::Window;
use crate::AppError;
use crate::api::runs::find;
use crate::live::goal::{Goal, moment};

/// Who types is not looked for after every letter, in milliseconds.
const PAUSE: u32 = 150;

/// How often what grows is looked through again, in milliseconds.
const AGAIN: i64 = 3_000;

/// What is looked for, and what came of it.
#[derive(Clone, Copy)]
pub struct Finder {
    /// What was typed.
    pub text: RwSignal<String>,
    /// How it is read.
    pub spelling: RwSignal<Spelling>,
    /// Where it stands.
    pub found: RwSignal<Option<Result<Found, AppError>>>,
    /// The line on which the reader stands.
    pub at: RwSignal<Option<u64>>,
    /// The field.
    pub field: NodeRef<html::Input>,
    /// Counted up with every question: an older answer comes too late.
    turn: StoredValue<u64>,
    /// Whether an answer is waited for.
    busy: StoredValue<bool>,
}

/// How a line has to do with what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It has it.
    One,
    /// It is the one on which the reader stands.
    Now,
}

/// What is done once it is known where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The reader goes to the first from the line at which they look.
    First(u64),
    /// The reader goes on from a line.
    Step(u64, Way),
    /// Nothing: only the count is new.
    Count,
}

impl Finder {
    pub fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            spelling: RwSignal::new(Spelling::Text),
            found: RwSignal::new(None),
            at: RwSignal::new(None),
            field: NodeRef::new(),
            turn: StoredValue::new(0),
            busy: StoredValue::new(false),
        }
    }

    /// Puts the cursor into the field, with what stands there chosen.
    pub fn take_focus(self) -> bool {
        let Some(field) = self.field.get_untracked() else { return false };
        field.select();
        field.focus().is_ok()
    }

    /// How a line has to do with what is looked for.
    pub fn hit(self, line: u64) -> Option<Hit> {
        let has = self.found.with(|found| match found {
            Some(Ok(found)) => found.lines.binary_search(&line).is_ok(),
            _ => false,
        });
        has.then(|| if self.at.get() == Some(line) { Hit::Now } else { Hit::One })
    }

    /// The text that is marked in the lines, if it is one.
    pub fn marks(self) -> Option<String> {
        let is_text = self.spelling.get() == Spelling::Text;
        let text = self.text.get();
        (is_text && !text.is_empty() && Goal::read(&text).is_none()).then_some(text)
    }

    /// What there is to say about it.
    pub fn words(self) -> String {
        let at = self.at.get();
        self.found.with(|found| match found {
            None => String::new(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(found)) => words(found, at),
        })
    }

    /// Looks again at what grows, as long as something is looked for in it.
    pub fn refresh(self, view: Window) {
        let live = view.live;
        let turn = Memo::new(move |_| live.clock.now().0 / AGAIN);
        Effect::new(move |_| {
            turn.track();
            let searched = self.found.with_untracked(|found| match found {
                // What could not be looked through in time would not be the next time either.
                Some(Ok(found)) if found.is_complete() => Some(found.searched),
                _ => None,
            });
            let stored = live.log.with_untracked(crate::live::log::Log::length);
            if searched.is_some_and(|searched| searched < stored) && !self.busy.get_value() {
                view.seek(self.at.get_untracked().unwrap_or_else(|| view.line_in_sight()), Then::Count);
            }
        });
    }
}

impl Window {
    /// Takes what was typed, once nothing more comes for a moment.
    pub fn typed(self, text: String) {
        let finder = self.finder;
        finder.text.set(text);
        finder.found.set(None);
        finder.at.set(None);
        let turn = finder.next_turn();
        spawn_local(async move {
            TimeoutFuture::new(PAUSE).await;
            if finder.is_turn(turn) && finder.marks_or_expression() {
                let line = self.line_in_sight();
                self.seek(line, Then::First(line));
            }
        });
    }

    /// Reads what is looked for as a text or as an expression.
    pub fn spelled(self, spelling: Spelling) {
        self.finder.spelling.set(spelling);
        self.typed(self.finder.text.get_untracked());
    }

    /// Goes to the place that was typed, or to the next line that has what is looked for.
    pub fn entered(self, way: Way) {
        match Goal::read(&self.finder.text.get_untracked()) {
            Some(goal) => self.go(goal),
            None => _ = self.step(way),
        }
    }

    fn go(self, goal: Goal) {
        match goal {
            Goal::Line(line) => _ = self.jump(line),
            Goal::Time(of_the_day) => {
                let id = self.live.on_stage();
                let begun = self.live.run.with_untracked(|run| run.attempt(id).map(|attempt| attempt.started.at));
                self.jump_to(None, Some(moment(begun.unwrap_or_default(), of_the_day)));
            }
            Goal::Command(command) => match self.bytes_of(command) {
                Some((from, _)) => self.jump_to(Some(from), None),
                None => self.said.set(format!("Command {command} has not run in this attempt.")),
            },
        }
    }

    /// Goes to the next line that has what is looked for, or to the one before. Says whether anything is looked for.
    pub fn step(self, way: Way) -> bool {
        let finder = self.finder;
        if !finder.marks_or_expression() {
            return finder.take_focus();
        }
        let from = finder.at.get_untracked().unwrap_or_else(|| self.line_in_sight().saturating_sub(1));
        match finder.next(from, way) {
            Some(Next::Line(line)) => self.stand_on(line),
            Some(Next::Ask(around)) => self.seek(around, Then::Step(from, way)),
            Some(Next::Nowhere) | None => self.seek(from.max(1), Then::Step(from, way)),
        }
        true
    }

    fn stand_on(self, line: u64) {
        self.finder.at.set(Some(line));
        self.jump(line);
    }

    /// Asks the portal where it stands.
    fn seek(self, around: u64, then: Then) {
        let finder = self.finder;
        let wanted = Wanted { text: finder.text.get_untracked(), spelling: finder.spelling.get_untracked() };
        let (turn, id, went) = (finder.next_turn(), self.live.on_stage(), self.went());
        finder.busy.set_value(true);
        spawn_local(async move {
            let answer = find(id.run, id.step, id.attempt, wanted, around).await;
            if self.is_gone() || !finder.is_turn(turn) || self.live.on_stage() != id {
                return;
            }
            finder.busy.set_value(false);
            finder.found.set(Some(answer));
            let next = match then {
                Then::First(line) => finder.first_from(line),
                Then::Step(from, way) => finder.next(begin(from, around, way), way),
                Then::Count => None,
            };
            // The reader has gone elsewhere meanwhile.
            let next = next.filter(|_| !self.has_gone(went));
            match next {
                Some(Next::Line(line)) => self.stand_on(line),
                Some(Next::Ask(around)) if matches!(then, Then::First(_)) => {
                    self.seek(around, Then::Step(0, Way::Down));
                }
                _ => {}
            }
        });
    }
}

impl Finder {
    fn next_turn(self) -> u64 {
        self.busy.set_value(false);
        self.turn.update_value(|turn| *turn += 1);
        self.turn.get_value()
    }

    fn is_turn(self, turn: u64) -> bool {
        self.turn.try_update_value(|now| *now == turn) == Some(true)
    }

    /// Whether something is looked for.
    fn marks_or_expression(self) -> bool {
        let text = self.text.get_untracked();
        !text.is_empty() && text.len() <= WANTED_LIMIT && Goal::read(&text).is_none()
    }

    fn next(self, from: u64, way: Way) -> Option<Next> {
        self.found.with_untracked(|found| found.as_ref()?.as_ref().ok().map(|found| found.next(from, way)))
    }

    fn first_from(self, line: u64) -> Option<Next> {
        self.found.with_untracked(|found| found.as_ref()?.as_ref().ok().map(|found| found.first_from(line)))
    }
}

/// From where one goes on, once the lines around one are named: behind the last, and before the first, one begins again.
const fn begin(from: u64, around: u64, way: Way) -> u64 {
    match way {
        Way::Down if around < from => 0,
        Way::Up if around > from => u64::MAX,
        Way::Down | Way::Up => from,
    }
}

/// What there is to say about what was found, to a reader who may stand on one of the lines.
fn words(found: &Found, at: Option<u64>) -> String {
    let part = if found.is_complete() {
        String::new()
    } else {
        format!(" in the first {} of {}", time::size(found.searched), time::size(found.length))
    };
    let place = at.and_then(|line| found.place(line));
    match (found.count, place) {
        (0, _) => format!("Nothing found{part}"),
        (count, Some(place)) => format!("{} of {}{part}", time::thousands(place), time::counted(count, "line")),
        (count, None) => format!("{}{part}", time::counted(count, "line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_the_last_line_one_begins_again() {
        assert_eq!([begin(900, 901, Way::Down), begin(900, 1, Way::Down)], [900, 0]);
        assert_eq!([begin(5, 5, Way::Up), begin(5, u64::MAX, Way::Up)], [5, u64::MAX]);
    }

    #[test]
    fn what_was_found_is_said_with_the_place_of_the_reader() {
        let found = Found { count: 1_204, before: 3, lines: vec![7, 9], searched: 50, length: 50 };

        assert_eq!(words(&found, None), "1,204 lines");
        assert_eq!(words(&found, Some(9)), "5 of 1,204 lines");
        assert_eq!(words(&found, Some(8)), "1,204 lines");
        assert_eq!(words(&Found { count: 0, ..found.clone() }, None), "Nothing found");
        let half = Found { searched: 2_000_000, length: 9_000_000, ..found };
        assert_eq!(words(&half, None), "1,204 lines in the first 2.0 MB of 9.0 MB");
    }
}
