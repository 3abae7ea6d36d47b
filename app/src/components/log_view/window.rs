//! The box that scrolls: which lines its reader sees, and how they are brought there.
//!
//! While they follow, these are the last ones, as they come. Who scrolls away looks at lines that stand still: those that the page
//! has, or others that the portal is asked for. The place of a line in the box is said by [`Sheet`]; where it really stands, once it is
//! drawn, is corrected before anybody sees it.
//!
//! - [`asking`]: the portal is asked for lines, one question after the other
//! - [`choosing`]: lines that the address names, and those that are clicked
//! - [`folding`]: the output of commands out of sight

mod asking;
mod choosing;
mod folding;

use std::collections::BTreeSet;
use std::ops::Range;

use domain::Timestamp;
use domain::screen::Screen;
use domain::view::CommandLines;
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlElement};

use super::finder::Finder;
use super::replay::Replay;
use crate::api::runs::lines;
use crate::live::Live;
use crate::live::log::Log;
use crate::live::log::borders::Part;
use crate::live::log::entry::Entry;
use crate::live::log::pieces::{Edges, Pieces};
use crate::live::named::{self, Named};
use crate::live::sheet::{DRAWN, Sheet, Stretch, Wanted};
use asking::{Aim, Anchor, Asking};
use folding::runs;

/// How close to the end still counts as being there, in pixels.
const NEAR: i32 = 28;

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
        self.asking.update_value(Asking::outdate);
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

    /// Whether there are lines that are not among the rows, and nothing there says so.
    pub fn is_part(self) -> bool {
        let known = self.live.log.with(Log::is_counted) && self.windowed.get();
        let drawn = self.held.with(|held| match held {
            Some(held) => held.span(),
            None => self.live.log.with(|log| log.span(Some(drawn_rows()))),
        });
        let has_all = drawn.start <= 1 && drawn.end > self.lines();
        known && !(has_all && self.folded.with(BTreeSet::is_empty))
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
            self.look();
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
        self.asking.update_value(Asking::forget_next);
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
        if self.anchor.with_value(Option::is_some) {
            // What is drawn is about to get its place: where the box stands until then is nobody's choice.
            return;
        }
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
        let Some(list) = self.list.try_get_untracked().flatten() else { return };
        if !self.windowed.get_untracked() || self.live.following.get_untracked() || self.lines() == 0 {
            return;
        }
        let sheet = self.sheet(&list);
        let top = f64::from(list.scroll_top());
        let view = Stretch { top, bottom: top + f64::from(list.client_height()) };
        let around = |line| Anchor { line, offset: sheet.above(line) - top, aim: Aim::Stays };
        match sheet.wanted(view, self.block(&list), &self.drawn()) {
            Wanted::Nothing => {}
            // Where all that is drawn is folded away no line is seen.
            Wanted::More => self.ask(self.first_in_sight().unwrap_or_else(|| around(sheet.line_at(top)))),
            Wanted::Around(line) => self.ask(around(line)),
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
                Err(error) => {
                    self.said.set(error.to_string());
                    // What was asked for before was let go.
                    self.look();
                }
            }
        });
    }

    /// Whether its page is gone.
    pub fn is_gone(self) -> bool {
        self.asking.try_update_value(|_| ()).is_none()
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
