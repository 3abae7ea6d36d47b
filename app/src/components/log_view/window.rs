//! The box that scrolls: which lines its reader sees, and how they are brought there.
//!
//! While they follow, these are the last ones, as they come. Who scrolls away looks at lines that stand still: those that the page
//! has, or others that the portal is asked for. The place of a line in the box is said by [`Sheet`]; where it really stands, once it is
//! drawn, is corrected before anybody sees it.

use std::collections::BTreeSet;
use std::ops::Range;

use domain::run::{CommandState, Run};
use domain::screen::Screen;
use domain::view::{CommandLines, LinesView};
use domain::{AttemptId, Timestamp};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement, MouseEvent};

use super::finder::Finder;
use super::replay::Replay;
use crate::AppError;
use crate::api::runs::lines;
use crate::live::Live;
use crate::live::log::Log;
use crate::live::log::borders::Part;
use crate::live::log::entry::Entry;
use crate::live::log::pieces::{Edges, Pieces};
use crate::live::named::{self, Extends, Named};
use crate::live::sheet::{DRAWN, Sheet, Stretch, Wanted};

/// How close to the end still counts as being there, in pixels.
const NEAR: i32 = 28;

/// At most so many pieces between folds are asked for at once.
const PIECES: usize = 8;

/// The first line of a command stands so far below the top of the box that the command is seen as well, in pixels.
const BELOW_THE_COMMAND: f64 = 48.0;

/// A line that is gone to stands so far below the top of the box: what was printed before it is seen as well.
const THIRD: f64 = 3.0;

/// The box, and what its reader sees of the log.
#[derive(Clone, Copy)]
pub struct Window {
    /// The run.
    pub live: Live,
    /// The step whose output it is.
    pub step: u32,
    /// The box.
    pub list: NodeRef<html::Ol>,
    /// The space above what is drawn.
    pub above: NodeRef<html::Li>,
    /// The space below it.
    pub below: NodeRef<html::Li>,
    /// What is looked for in the log.
    pub finder: Finder,
    /// What is shown once more.
    pub replay: Replay,
    /// The lines that its reader has chosen.
    pub chosen: RwSignal<Option<Named>>,
    /// The commands whose output is folded away.
    pub folded: RwSignal<BTreeSet<u32>>,
    /// What was said about the last thing that was asked of the log.
    pub said: RwSignal<String>,
    /// The lines of the commands, as far as they were told.
    commands: RwSignal<Vec<CommandLines>>,
    /// While the reader is elsewhere nothing moves under them: these are the lines that they look at.
    held: RwSignal<Option<Pieces>>,
    /// Whether nothing but folded lines lies before and behind them.
    edges: RwSignal<Edges>,
    /// Whether only a part is drawn: not before the page's program is there.
    windowed: RwSignal<bool>,
    /// Where the box was scrolled to before.
    top: StoredValue<i32>,
    /// The line that is to be brought to its place once it is drawn.
    anchor: StoredValue<Option<Anchor>>,
    /// The lines that are asked for just now, and what is to be asked for then.
    asking: StoredValue<Asking>,
    /// Counted up whenever the reader goes somewhere.
    went: StoredValue<u64>,
}

/// A line, and how far below the top of the box it stands, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Anchor {
    line: u64,
    offset: f64,
    aim: Aim,
}

/// Whether a reader stays where they are, or goes to that line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aim {
    Stays,
    Goes,
}

/// Lines are asked for one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
struct Asking {
    busy: bool,
    next: Option<Anchor>,
    /// Whether the reader goes to what is asked for, or is to be asked for next.
    goes: bool,
    /// The lines that were asked for last: they are not asked for again by themselves.
    last: Vec<Range<u64>>,
}

impl Asking {
    /// Keeps what is to be asked for next. Whoever goes somewhere is not held back by what they scroll past meanwhile.
    fn put_off(&mut self, anchor: Anchor) {
        let goes = anchor.aim == Aim::Goes;
        if goes || !self.goes {
            (self.next, self.goes) = (Some(anchor), goes);
        }
    }

    /// Takes note of an answer; gives what is to be asked for next. Lines that have not come may be asked for again.
    fn taken(&mut self, answer: &Result<Vec<LinesView>, AppError>) -> Option<Anchor> {
        let came: u64 = answer.iter().flatten().map(|view| view.count).sum();
        if came < self.last.iter().map(|range| range.end - range.start).sum() {
            self.last.clear();
        }
        self.busy = false;
        self.next.take()
    }
}

impl Window {
    /// For the log on the stage.
    pub fn new(live: Live, step: u32) -> Self {
        Self {
            live,
            step,
            list: NodeRef::new(),
            above: NodeRef::new(),
            below: NodeRef::new(),
            finder: Finder::new(),
            replay: Replay::new(),
            chosen: RwSignal::new(None),
            folded: RwSignal::new(BTreeSet::new()),
            said: RwSignal::new(String::new()),
            commands: RwSignal::new(Vec::new()),
            held: RwSignal::new(None),
            edges: RwSignal::new(Edges::default()),
            windowed: RwSignal::new(false),
            top: StoredValue::new(0),
            anchor: StoredValue::new(None),
            asking: StoredValue::new(Asking::default()),
            went: StoredValue::new(0),
        }
    }

    /// Keeps what is drawn in its place, and goes to the lines that the address names.
    pub fn keep(self) {
        let Self { live, .. } = self;
        Effect::new(move |_| self.windowed.set(live.log.with_untracked(|log| !log.is_page())));
        Effect::new(move |_| {
            live.log.track();
            live.run.track();
            live.typing.track();
            live.following.track();
            self.held.track();
            self.windowed.track();
            self.folded.track();
            self.commands.track();
            self.replay.log.track();
            request_animation_frame(move || self.lay_out());
        });
        // In a box of another size other lines are seen: who follows goes on seeing the last one.
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("resize", move |_| self.lay_out());
            on_cleanup(move || handle.remove());
        });
        Effect::new(move |_| {
            let handle = window_event_listener_untyped("hashchange", move |_| self.go_to_the_address());
            on_cleanup(move || handle.remove());
            // An attempt that begins on this page is followed, whatever the address names of the one before.
            if live.log.with_untracked(|log| !log.is_empty()) {
                request_animation_frame(move || self.go_to_the_address());
            }
        });
        // Output that has to be had anew, because something in it was covered, is let go wherever it stands.
        Effect::new(move |before: Option<u64>| {
            let turn = live.turn();
            if before.is_some_and(|before| before != turn) {
                self.let_covered_go();
            }
            turn
        });
        self.finder.refresh(self);
    }

    fn let_covered_go(self) {
        if self.replay.is_on() {
            self.end_replay();
        } else if self.held.with_untracked(Option::is_some) {
            self.follow();
        }
    }

    /// Reads the screen of a command where its reader looks: in what is shown once more, in what grows, or in what stands still.
    pub fn with_screen<T>(self, command: u32, read: impl Fn(Option<&Screen>) -> T) -> T {
        if self.replay.log.with(Option::is_some) {
            return self.replay.log.with(|log| read(log.as_ref().and_then(|log| log.screen(command))));
        }
        if self.live.log.with(|log| log.screen(command).is_some()) {
            return self.live.log.with(|log| read(log.screen(command)));
        }
        self.held.with(|held| read(held.as_ref().and_then(|held| held.screen(command))))
    }

    /// Changes how high lines are; what is seen stays where it is.
    pub fn in_place(self, change: impl FnOnce()) {
        let seen = self.first_in_sight().filter(|_| !self.live.following.get_untracked());
        change();
        self.anchor.set_value(seen);
        request_animation_frame(move || self.lay_out());
    }

    /// Whether its reader looks at lines that stand still.
    pub fn is_held(self) -> bool {
        self.held.with(Option::is_some)
    }

    /// Everything that is drawn.
    pub fn entries(self) -> Vec<Entry> {
        let folded = self.folded.get();
        let windowed = self.windowed.get();
        if self.replay.log.with(Option::is_some) {
            let part = Part { last: Some(drawn_rows()), folded: BTreeSet::new() };
            return self.live.run.with(|run| {
                self.replay.log.with(|log| log.as_ref().map(|log| log.entries(run, &part)).unwrap_or_default())
            });
        }
        self.live.run.with(|run| {
            self.held.with(|held| match held {
                Some(held) => held.entries(run, &folded, self.edges.get()),
                None => self.live.log.with(|log| {
                    let last = (windowed && log.is_counted()).then_some(drawn_rows());
                    log.entries(run, &Part { last, folded })
                }),
            })
        })
    }

    /// When a row was printed, as far as is known.
    pub fn moment(self, byte: u64) -> Option<Timestamp> {
        if self.replay.is_on() {
            return self.replay.log.with_untracked(|log| log.as_ref()?.moment(byte));
        }
        self.held.with_untracked(|held| match held {
            Some(held) => held.moment(byte),
            None => self.live.log.with_untracked(|log| log.moment(byte)),
        })
    }

    /// How many lines came since the reader let go; `None` while they follow.
    pub fn newer(self) -> Option<u64> {
        let lines = self.held.with(|held| held.as_ref().map(|held| held.lines))?;
        Some(self.live.log.with(|log| log.lines().saturating_sub(lines)))
    }

    /// The lines that are drawn.
    fn drawn(self) -> Range<u64> {
        self.held.with_untracked(|held| match held {
            Some(held) => held.span(),
            None => self.live.log.with_untracked(|log| log.span(Some(drawn_rows()))),
        })
    }

    /// How many lines there are, as far as anybody has told; none when they are not counted from the first.
    fn lines(self) -> u64 {
        let known = |log: &Log| if log.is_counted() { log.lines() } else { 0 };
        let held = self.held.with_untracked(|held| held.as_ref().map_or(0, Pieces::known));
        self.live.log.with_untracked(known).max(held)
    }

    fn sheet(self, list: &Element) -> Sheet {
        let folded = self.folded.get_untracked();
        let is_folded = |lines: &&CommandLines| folded.contains(&lines.command);
        let runs = |command| self.live.run.with_untracked(|run| runs(run, self.step, command));
        let end = |lines: &CommandLines| if runs(lines.command) { u64::MAX } else { lines.end };
        self.commands.with_untracked(|commands| {
            let folds = commands.iter().filter(is_folded).map(|lines| lines.first..end(lines));
            Sheet::new(self.lines(), line_height(list), folds)
        })
    }

    /// Gives what is drawn its place, before it is seen.
    fn lay_out(self) {
        // The box may be gone by the time that it is to be drawn.
        let Some(list) = self.list.try_get_untracked().flatten() else { return };
        if self.replay.is_on() {
            set_height(self.above, 0.0);
            set_height(self.below, 0.0);
            list.set_scroll_top(list.scroll_height());
            return;
        }
        if self.windowed.get_untracked() && self.lines() > 0 {
            let (sheet, drawn) = (self.sheet(&list), self.drawn());
            set_height(self.above, sheet.above(drawn.start));
            set_height(self.below, sheet.rest_from(drawn.end));
        }
        if self.live.following.get_untracked() {
            self.go_to_the_end();
        } else if let Some(anchor) = self.anchor.get_value() {
            self.anchor.set_value(None);
            self.bring(&list, anchor);
        }
    }

    /// Scrolls so that a line stands where it is to stand.
    fn bring(self, list: &Element, anchor: Anchor) {
        let row = document().get_element_by_id(&named::anchor(self.step, Named::line(anchor.line)));
        let by = match row {
            Some(row) => row.get_bounding_client_rect().top() - list.get_bounding_client_rect().top() - anchor.offset,
            // Folded away, or written over by what was printed later: where it would be.
            None => self.sheet(list).above(anchor.line) - f64::from(list.scroll_top()) - anchor.offset,
        };
        list.set_scroll_top(list.scroll_top() + pixels(by));
        self.top.set_value(list.scroll_top());
    }

    fn go_to_the_end(self) {
        let list = self.list.try_get_untracked().flatten();
        if let Some(list) = list.filter(|_| self.live.following.get_untracked()) {
            list.set_scroll_top(self.place_to_follow(&list));
            self.top.set_value(list.scroll_top());
        }
    }

    /// The end of the rows; of a screen that is higher than the box its begin, or what of it its reader has gone on to. Who types
    /// sees the cursor.
    fn place_to_follow(self, list: &HtmlElement) -> i32 {
        let has_screen = self.live.log.with_untracked(Log::has_live_screen);
        let newest = list.last_element_child().and_then(|space| space.previous_element_sibling());
        let screen = newest.filter(|_| has_screen).and_then(|newest| newest.dyn_into::<HtmlElement>().ok());
        let Some(screen) = screen else { return list.scroll_height() };
        let place = (screen.offset_top() - list.offset_top()).max(list.scroll_top());
        if self.live.typing.get_untracked() { with_cursor_in_sight(list, place) } else { place }
    }

    /// Goes along with the output again.
    pub fn follow(self) -> bool {
        self.goes();
        self.held.set(None);
        self.anchor.set_value(None);
        self.live.following.set(true);
        request_animation_frame(move || self.lay_out());
        true
    }

    /// Stays where it is, whatever is printed.
    fn let_go(self) {
        if self.held.with_untracked(Option::is_some) {
            return;
        }
        self.asking.update_value(|asking| asking.last.clear());
        self.edges.set(Edges::default());
        self.held.set(Some(self.live.log.with_untracked(|log| Pieces::of_tail(log, drawn_rows()))));
        self.live.following.set(false);
    }

    /// Lets go when the reader scrolls up, follows again when they come back to the end, and brings what they look at.
    pub fn scrolled(self) {
        let Some(list) = self.list.get_untracked().filter(|_| !self.replay.is_on()) else { return };
        let (before, now) = (self.top.get_value(), list.scroll_top());
        self.top.set_value(now);
        let at_end = list.scroll_height() - now - list.client_height() < NEAR;
        if self.live.following.get_untracked() {
            if !at_end && now < before {
                self.let_go();
                self.look();
            }
        } else if at_end && now > before && self.held.with_untracked(Option::is_some) {
            self.follow();
        } else {
            self.look();
        }
    }

    /// Asks for lines, when those that are drawn are not the ones at which the reader looks.
    fn look(self) {
        let Some(list) = self.list.get_untracked() else { return };
        if !self.windowed.get_untracked() || self.live.following.get_untracked() || self.lines() == 0 {
            return;
        }
        let sheet = self.sheet(&list);
        let top = f64::from(list.scroll_top());
        let view = Stretch { top, bottom: top + f64::from(list.client_height()) };
        match sheet.wanted(view, self.block(&list), &self.drawn()) {
            Wanted::Nothing => {}
            Wanted::More => {
                if let Some(anchor) = self.first_in_sight() {
                    self.ask(anchor);
                }
            }
            Wanted::Around(line) => self.ask(Anchor { line, offset: sheet.above(line) - top, aim: Aim::Stays }),
        }
    }

    /// From where to where the lines stand that are drawn.
    fn block(self, list: &HtmlElement) -> Stretch {
        let top_of = |space: NodeRef<html::Li>| space.get_untracked().map_or(0, |space| space.offset_top());
        let height = self.above.get_untracked().map_or(0, |space| space.offset_height());
        let place = |top: i32| f64::from(top - list.offset_top());
        Stretch { top: place(top_of(self.above) + height), bottom: place(top_of(self.below)) }
    }

    /// The first line that is seen, and where it stands.
    fn first_in_sight(self) -> Option<Anchor> {
        let list = self.list.get_untracked()?;
        let (top, bottom) = (list.get_bounding_client_rect().top(), list.get_bounding_client_rect().bottom());
        let numbers = list.query_selector_all("li > a[id]").ok()?;
        (0..numbers.length()).filter_map(|place| numbers.get(place)?.dyn_into::<Element>().ok()).find_map(|number| {
            let rect = number.get_bounding_client_rect();
            let (_, line) = named::read(&number.id()).filter(|_| rect.bottom() > top && rect.top() < bottom)?;
            Some(Anchor { line: line.from(), offset: rect.top() - top, aim: Aim::Stays })
        })
    }

    /// The number of the first line that is seen.
    pub fn line_in_sight(self) -> u64 {
        self.first_in_sight().map_or(1, |anchor| anchor.line)
    }

    /// Asks the portal for the lines around one, which then stands where the anchor says. One question at a time: the newest of those
    /// that come meanwhile is asked next.
    fn ask(self, anchor: Anchor) {
        let Some(list) = self.list.get_untracked() else { return };
        let (is_busy, asked) = self.asking.with_value(|asking| (asking.busy, asking.last.clone()));
        if is_busy {
            self.asking.update_value(|asking| asking.put_off(anchor));
            return;
        }
        let wanted = self.sheet(&list).around(anchor.line);
        let nothing_to_see = wanted.is_empty() && self.folded.with_untracked(BTreeSet::is_empty);
        if nothing_to_see || (wanted == asked && anchor.aim == Aim::Stays) {
            return;
        }
        let goes = anchor.aim == Aim::Goes;
        self.asking.set_value(Asking { busy: true, next: None, goes, last: wanted.clone() });
        let (id, went) = (self.live.on_stage(), self.went());
        spawn_local(async move {
            let answer = pieces(id, wanted, anchor.line).await;
            self.arrived(id, went, anchor, answer);
        });
    }

    /// The page may be gone by the time that an answer comes, or show something else.
    fn arrived(self, id: AttemptId, went: u64, anchor: Anchor, answer: Result<Vec<LinesView>, AppError>) {
        let taken = self.asking.try_update_value(|asking| asking.taken(&answer));
        let Some(next) = taken.filter(|_| self.live.on_stage() == id) else { return };
        if self.live.following.get_untracked() {
            return;
        }
        // Whoever has scrolled on to lines that have just come needs no others.
        let (anchor, next) = match next {
            Some(next) if answer.is_ok() && self.has_asked_around(next.line) => (next, None),
            next => (anchor, next),
        };
        match (answer, next) {
            (_, Some(next)) => {
                self.asking.update_value(|asking| asking.last.clear());
                self.ask(next);
            }
            // They have gone elsewhere, or to the end and back.
            (_, None) if self.has_gone(went) => self.asking.update_value(|asking| asking.last.clear()),
            (Ok(views), None) => {
                // The reader may have scrolled on meanwhile: what they see now stays where it is.
                let seen = self.first_in_sight().filter(|seen| views.iter().any(|view| has(view, seen.line)));
                let stays = seen.filter(|_| anchor.aim == Aim::Stays);
                self.anchor.set_value(Some(stays.unwrap_or(anchor)));
                self.show(&views);
            }
            (Err(error), None) => self.said.set(error.to_string()),
        }
    }

    fn has_asked_around(self, line: u64) -> bool {
        let Some(list) = self.list.get_untracked() else { return false };
        let around = self.sheet(&list).around(line);
        self.asking.with_value(|asking| asking.last == around)
    }

    /// Whether the reader has gone somewhere since a moment: what was asked for before does not move them any more.
    pub fn has_gone(self, went: u64) -> bool {
        self.went.try_get_value() != Some(went)
    }

    fn goes(self) -> u64 {
        self.went.update_value(|went| *went += 1);
        self.went()
    }

    /// How often the reader has gone somewhere.
    pub fn went(self) -> u64 {
        self.went.get_value()
    }

    fn show(self, views: &[LinesView]) {
        let lines = self.held.with_untracked(|held| held.as_ref().map(|held| held.lines));
        let lines = lines.unwrap_or_else(|| self.live.log.with_untracked(Log::lines));
        if let Some(view) = views.last() {
            self.commands.set(view.commands.clone());
        }
        let id = self.live.on_stage();
        let pieces = Pieces::of_views((id.step, id.attempt), views, lines);
        if let Some(list) = self.list.get_untracked() {
            let (begin, end) = self.sheet(&list).edges(&pieces.span());
            self.edges.set(Edges { begin, end });
        }
        self.held.set(Some(pieces));
    }

    /// Goes to a line, wherever it is.
    pub fn jump(self, line: u64) -> bool {
        let Some(list) = self.list.get_untracked() else { return false };
        self.goes();
        let anchor = Anchor { line, offset: f64::from(list.client_height()) / THIRD, aim: Aim::Goes };
        if !self.windowed.get_untracked() {
            return self.jump_in_page(anchor);
        }
        let is_drawn = self.held.with_untracked(|held| match held {
            Some(held) => held.has(line),
            None => self.drawn().contains(&line),
        });
        self.let_go();
        self.live.following.set(false);
        if is_drawn && !self.asking.with_value(|asking| asking.busy) {
            self.anchor.set_value(Some(anchor));
            request_animation_frame(move || self.lay_out());
        } else {
            self.ask(anchor);
        }
        true
    }

    /// Of a stored piece all lines are drawn, and there are no others.
    fn jump_in_page(self, anchor: Anchor) -> bool {
        let row = document().get_element_by_id(&named::anchor(self.step, Named::line(anchor.line)));
        let is_drawn = row.is_some();
        self.anchor.set_value(is_drawn.then_some(anchor));
        request_animation_frame(move || self.lay_out());
        is_drawn
    }

    /// Goes to where something stands that the portal has to find: a byte, or a moment.
    pub fn jump_to(self, byte: Option<u64>, moment: Option<Timestamp>) {
        let (id, went) = (self.live.on_stage(), self.goes());
        spawn_local(async move {
            let answer = lines(id.run, id.step, id.attempt, 1, byte, moment, 1).await;
            if self.has_gone(went) || self.live.on_stage() != id {
                return;
            }
            match answer {
                Ok(view) => _ = self.jump(view.asked.max(1)),
                Err(error) => self.said.set(error.to_string()),
            }
        });
    }

    /// Whether its page is gone.
    pub fn is_gone(self) -> bool {
        self.asking.try_update_value(|_| ()).is_none()
    }

    /// Goes to the lines that the address names, when it names some of this step.
    fn go_to_the_address(self) {
        let hash = window().location().hash().unwrap_or_default();
        let Some((step, lines)) = named::read(&hash) else { return };
        if step.is_none_or(|step| step == self.step) && self.list.try_get_untracked().flatten().is_some() {
            self.chosen.set(Some(lines));
            self.jump(lines.from());
        }
    }

    /// The number of a line chooses it, with Shift everything up to it; a command folds.
    pub fn clicked(self, event: &MouseEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(target) = target else { return };
        let closest = |selector: &str| target.closest(selector).ok().flatten();
        if let Some(number) = closest("li > a[id]").and_then(|number| named::read(&number.id())) {
            let extends = if event.shift_key() { Extends::Further } else { Extends::Anew };
            self.choose(Named::chosen(self.chosen.get_untracked(), number.1.from(), extends));
            event.prevent_default();
        } else if let Some(fold) = closest("[data-fold]").and_then(|fold| fold.get_attribute("data-fold")?.parse().ok())
        {
            self.fold(fold);
        }
    }

    fn choose(self, lines: Option<Named>) {
        self.chosen.set(lines);
        let address = window().location();
        let (path, query) = (address.pathname().unwrap_or_default(), address.search().unwrap_or_default());
        let hash = lines.map(|lines| format!("#{}", named::anchor(self.step, lines))).unwrap_or_default();
        if let Ok(history) = window().history() {
            let state = history.state().unwrap_or_default();
            // An address that cannot be changed is only not there to be copied.
            drop(history.replace_state_with_url(&state, "", Some(&format!("{path}{query}{hash}"))));
        }
    }

    /// Folds the output of a command away, or shows it again.
    pub fn fold(self, command: u32) {
        let mut shown = None;
        self.folded.update(|folded| {
            if folded.remove(&command) {
                shown = Some(command);
            } else {
                folded.insert(command);
            }
        });
        self.learn_commands(shown);
    }

    /// Folds the output of all commands that have ended away, or shows all of it.
    pub fn fold_all(self) {
        let ended = |run: &Run| ended_commands(run, self.live.on_stage());
        let all: BTreeSet<u32> = self.live.run.with_untracked(ended);
        self.folded.update(|folded| *folded = if folded.is_empty() { all } else { BTreeSet::new() });
        self.learn_commands(None);
    }

    /// Where the lines of commands are is asked when somebody wants to fold them. Then there are others to look at: those of a command
    /// that is shown again, else those around the first that is seen.
    fn learn_commands(self, shown: Option<u32>) {
        // The rows of a stored piece fold by their bytes.
        if !self.windowed.get_untracked() {
            return;
        }
        let (id, went) = (self.live.on_stage(), self.goes());
        spawn_local(async move {
            let answer = lines(id.run, id.step, id.attempt, 1, None, None, 1).await;
            if self.has_gone(went) || self.live.on_stage() != id {
                return;
            }
            let Ok(view) = answer else { return };
            let first = view.commands.iter().find(|lines| Some(lines.command) == shown).map(|lines| lines.first);
            self.commands.set(view.commands);
            self.let_go();
            let begin = Anchor { line: first.unwrap_or(1), offset: BELOW_THE_COMMAND, aim: Aim::Goes };
            let seen = self.first_in_sight().filter(|_| first.is_none());
            self.ask(seen.map_or(begin, |seen| Anchor { aim: Aim::Goes, ..seen }));
        });
    }

    /// Whether the focus is on the log itself.
    pub fn has_focus(self) -> bool {
        let list = self.list.get_untracked();
        document().active_element().is_some_and(|element| list.is_some_and(|list| element.is_same_node(Some(&list))))
    }
}

/// How many rows are drawn of what grows.
fn drawn_rows() -> usize {
    usize::try_from(DRAWN).unwrap_or(usize::MAX)
}

/// The lines in some ranges around one. Of long lines the portal gives fewer at once: then nothing stands before or behind a gap.
async fn pieces(id: AttemptId, wanted: Vec<Range<u64>>, line: u64) -> Result<Vec<LinesView>, AppError> {
    let mut views = Vec::with_capacity(wanted.len());
    for range in wanted.into_iter().take(PIECES) {
        let view = piece_around(id, &range, line).await?;
        let (is_whole, is_before) = (reaches(&view, &range), range.end <= line);
        if view.line > range.start || (!is_whole && is_before) {
            views.clear();
        }
        if view.count > 0 && (is_whole || !is_before) {
            views.push(view);
        }
        if !is_whole && !is_before {
            break;
        }
    }
    Ok(views)
}

/// The lines in a range; when they are too long to be given at once, as many before the one that is meant as behind it.
async fn piece_around(id: AttemptId, range: &Range<u64>, line: u64) -> Result<LinesView, AppError> {
    let mut from = range.start;
    loop {
        let view = lines(id.run, id.step, id.attempt, from, None, None, range.end - from).await?;
        let half = view.count / 2;
        if reaches(&view, range) || !range.contains(&line) || line <= view.line + half {
            return Ok(view);
        }
        from = line - half;
    }
}

/// Whether lines reach to the end of a range. There may be no more of them than came.
fn reaches(view: &LinesView, range: &Range<u64>) -> bool {
    view.count == 0 || view.line + view.count >= range.end.min(view.lines + 1)
}

fn has(view: &LinesView, line: u64) -> bool {
    (view.line..view.line + view.count).contains(&line)
}

/// Whether a command of a step runs now.
fn runs(run: &Run, step: u32, command: u32) -> bool {
    let state = run.step(step).and_then(|step| step.command(command));
    matches!(state, Some(CommandState::Running { .. }))
}

/// The commands of an attempt that have ended.
fn ended_commands(run: &Run, id: AttemptId) -> BTreeSet<u32> {
    let states = run.step(id.step).map(|step| step.commands.as_slice()).unwrap_or_default();
    let ended =
        |state: &CommandState| matches!(state.as_run(), CommandState::Ended { attempt, .. } if *attempt == id.attempt);
    (1..).zip(states).filter(|(_, state)| ended(state)).map(|(number, _)| number).collect()
}

fn set_height(space: NodeRef<html::Li>, height: f64) {
    if let Some(space) = space.get_untracked() {
        drop((*space).style().set_property("block-size", &format!("{height}px")));
    }
}

/// The height of a line of text in the box.
fn line_height(list: &Element) -> f64 {
    let style = window().get_computed_style(list).ok().flatten();
    let height = style.and_then(|style| style.get_property_value("line-height").ok());
    height.and_then(|height| height.trim_end_matches("px").parse().ok()).filter(|height| *height > 0.0).unwrap_or(20.0)
}

/// A place to scroll to at which the row with the cursor is seen: the nearest to one.
fn with_cursor_in_sight(list: &Element, place: i32) -> i32 {
    let Some(row) = list.query_selector("[data-cursor]").ok().flatten() else { return place };
    let (row, frame) = (row.get_bounding_client_rect(), list.get_bounding_client_rect());
    let top = list.scroll_top() + pixels((row.top() - frame.top()).ceil());
    let bottom = top + pixels(row.height().ceil());
    place.max(bottom - list.client_height()).min(top)
}

#[expect(clippy::cast_possible_truncation, reason = "no box is higher than two billion pixels")]
fn pixels(length: f64) -> i32 {
    length.round() as i32
}
