//! Output on the stage: the last rows in a box that scrolls, and a strip that says whether it moves by itself.

use domain::run::StepStatus;
use domain::terminal::{Span, Style};
use domain::time;
use leptos::html;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;

use super::glyph::{Glyph, Sign};
use super::screen::ScreenView;
use crate::live::Live;
use crate::live::log::row::Row;
use crate::live::log::{Entry, Log, Quiet};

/// How close to the end still counts as being there, in pixels.
const NEAR: i32 = 28;

/// The rows of the log on the stage. To be made anew for each attempt, so that nothing of one is left in the other.
#[component]
pub fn LogView(step: u32, attempt: u32) -> impl IntoView {
    let live = Live::here();
    let view = Window::new(live);
    Effect::new(move |_| {
        live.log.track();
        live.run.track();
        live.typing.track();
        if live.following.get() {
            request_animation_frame(move || view.go_to_the_end());
        }
    });
    Effect::new(move |_| {
        if go_to_the_line_of_the_address() {
            view.let_go();
        }
    });
    // A stored piece does not grow, and there is no end of it to go to.
    let grows = live.log.with_untracked(|log| !log.is_page());
    view! {
        <div class="log-frame">
            <ol
                class="log"
                tabindex="0"
                aria-label=format!("Output of step {step}, attempt {attempt}")
                node_ref=view.list
                on:scroll=move |_| view.scrolled()
            >
                <For each=move || view.entries() key=Entry::key let(entry)>
                    <LogEntry entry />
                </For>
                <Silence />
            </ol>
            {grows.then(|| view! { <FollowStrip view /> })}
        </div>
    }
    .into_any()
}

/// The box that scrolls, and what its reader sees of the log.
#[derive(Clone, Copy)]
struct Window {
    live: Live,
    list: NodeRef<html::Ol>,
    /// While the reader is elsewhere nothing moves under them: these are the rows of that moment.
    held: RwSignal<Option<Held>>,
    /// Where the box was scrolled to before.
    top: StoredValue<i32>,
}

/// What a reader looks at who has let go.
#[derive(Clone)]
struct Held {
    entries: Vec<Entry>,
    lines: u64,
}

impl Window {
    fn new(live: Live) -> Self {
        Self { live, list: NodeRef::new(), held: RwSignal::new(None), top: StoredValue::new(0) }
    }

    fn entries(self) -> Vec<Entry> {
        let Self { live, .. } = self;
        match self.held.get() {
            Some(held) => held.entries,
            None => live.run.with(|run| live.log.with(|log| log.entries(run))),
        }
    }

    /// How many lines came since the reader let go; `None` while they follow.
    fn newer(self) -> Option<u64> {
        let lines = self.held.with(|held| held.as_ref().map(|held| held.lines))?;
        Some(self.live.log.with(|log| log.lines().saturating_sub(lines)))
    }

    fn go_to_the_end(self) {
        // The box may be gone by the time that it is to be drawn.
        let list = self.list.try_get_untracked().flatten();
        if let Some(list) = list.filter(|_| self.live.following.get_untracked()) {
            list.set_scroll_top(self.place_to_follow(&list));
            self.top.set_value(list.scroll_top());
        }
    }

    /// The end of the rows; of a screen that is higher than the box its begin, or what of it its reader has gone on to. Who types
    /// sees the cursor.
    fn place_to_follow(self, list: &web_sys::Element) -> i32 {
        let newest = list.last_element_child().filter(|_| self.live.log.with_untracked(Log::has_live_screen));
        let screen = newest.and_then(|newest| newest.dyn_into::<web_sys::HtmlElement>().ok());
        let Some(screen) = screen else { return list.scroll_height() };
        let place = screen.offset_top().max(list.scroll_top());
        if self.live.typing.get_untracked() { with_cursor_in_sight(list, place) } else { place }
    }

    fn follow(self) {
        self.held.set(None);
        self.live.following.set(true);
        request_animation_frame(move || self.go_to_the_end());
    }

    fn let_go(self) {
        let Self { live, .. } = self;
        let held = live.run.with_untracked(|run| {
            live.log.with_untracked(|log| Held { entries: log.entries(run), lines: log.lines() })
        });
        self.held.set(Some(held));
        live.following.set(false);
    }

    /// Lets go when the reader scrolls up, and follows again when they come back to the end.
    fn scrolled(self) {
        let Some(list) = self.list.get_untracked() else { return };
        let (before, now) = (self.top.get_value(), list.scroll_top());
        self.top.set_value(now);
        let at_end = list.scroll_height() - now - list.client_height() < NEAR;
        if self.live.following.get_untracked() {
            if !at_end && now < before {
                self.let_go();
            }
        } else if at_end && now > before && self.held.with_untracked(Option::is_some) {
            self.follow();
        }
    }
}

/// A place to scroll to at which the row with the cursor is seen: the nearest to one.
fn with_cursor_in_sight(list: &web_sys::Element, place: i32) -> i32 {
    let Some(row) = list.query_selector("[data-cursor]").ok().flatten() else { return place };
    let (row, frame) = (row.get_bounding_client_rect(), list.get_bounding_client_rect());
    let pixels = |length: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "no window has more than two billion pixels")]
        let whole = length.ceil() as i32;
        whole
    };
    let top = list.scroll_top() + pixels(row.top() - frame.top());
    let bottom = top + pixels(row.height());
    place.max(bottom - list.client_height()).min(top)
}

/// Goes to the line that the address names (`#L120`), when it is here.
fn go_to_the_line_of_the_address() -> bool {
    let hash = window().location().hash().unwrap_or_default();
    let named = hash.strip_prefix('#').filter(|name| name.starts_with('L'));
    let Some(line) = named.and_then(|name| document().get_element_by_id(name)) else { return false };
    line.scroll_into_view();
    true
}

/// What a command that prints nothing leaves open: whether it still works, and for how long.
#[component]
fn Silence() -> impl IntoView {
    let live = Live::here();
    let quiet = Memo::new(move |_| live.run.with(|run| live.log.with(|log| log.quiet(run))));
    move || {
        let words = match quiet.get()? {
            Quiet::Runs { since, command } => {
                // Most commands answer at once: nobody wonders about those.
                let span = Some(live.clock.now().since(since)).filter(|span| *span >= 1000)?;
                let name = command.unwrap_or_else(|| "The step".to_owned());
                format!("{name} runs for {} and has printed nothing.", time::span(span))
            }
            Quiet::Ended => "Nothing was printed.".to_owned(),
        };
        Some(note(words))
    }
}

#[component]
fn FollowStrip(view: Window) -> impl IntoView {
    let live = Live::here();
    let following = live.following;
    let words = move || match view.newer() {
        _ if following.get() && live.log.with(Log::has_live_screen) => "Following the screen".to_owned(),
        _ if following.get() => {
            format!("Following, line {}. Scroll up to let go", time::thousands(live.log.with(Log::lines)))
        }
        None | Some(0) => "Not following. Go to the end".to_owned(),
        Some(1) => "1 newer line. Follow".to_owned(),
        Some(newer) => format!("{} newer lines. Follow", time::thousands(newer)),
    };
    let open = Memo::new(move |_| {
        let shown = live.log.with(|log| (log.step(), log.attempt()));
        live.run.with(|run| run.open_attempt().is_some_and(|open| (open.step, open.attempt) == shown))
    });
    view! {
        <Show when=move || open.get() || !following.get()>
            <button
                class="follow needs-scripts"
                type="button"
                data-key="End"
                data-following=move || following.get().then_some("")
                on:click=move |_| view.follow()
            >
                {move || {
                    let sign = if following.get() { Sign::State(StepStatus::Watching) } else { Sign::Down };
                    view! { <Glyph sign /> }
                }}
                {words}
                {move || (!following.get()).then(|| view! { <kbd>"End"</kbd> })}
            </button>
        </Show>
    }
    .into_any()
}

#[component]
fn LogEntry(entry: Entry) -> impl IntoView {
    match entry {
        Entry::Row(row) => log_row(&row),
        Entry::Begins { text, .. } => view! {
            <li data-kind="boundary">
                <span class="no"></span>
                <span>"$ "{text}</span>
            </li>
        }
        .into_any(),
        Entry::Ended { words, .. } => view! {
            <li data-kind="boundary">
                <span class="no"></span>
                <span>{words}</span>
            </li>
        }
        .into_any(),
        Entry::Screen { command, name } => view! { <ScreenView command name /> }.into_any(),
        Entry::Note { words, .. } => note(words),
    }
}

/// Something that is not output.
fn note(words: String) -> AnyView {
    view! {
        <li data-kind="note">
            <span class="no"></span>
            <span>{words}</span>
        </li>
    }
    .into_any()
}

fn log_row(row: &Row) -> AnyView {
    let number = match row.number {
        Some(number) => {
            let anchor = format!("L{number}");
            view! { <a href=format!("#{anchor}") id=anchor tabindex="-1" rel="external">{time::thousands(number)}</a> }
                .into_any()
        }
        None => view! { <span class="no"></span> }.into_any(),
    };
    let redraws = (row.line.redraws > 1)
        .then(|| view! { <small class="redraws">{format!(" {} redraws folded", row.line.redraws)}</small> });
    let spans: Vec<AnyView> = row.line.spans.iter().map(piece).collect();
    view! {
        <li>
            {number}
            <span>{spans}{redraws}</span>
        </li>
    }
    .into_any()
}

/// A piece of text in its style.
pub fn piece(span: &Span) -> AnyView {
    let text = span.text.clone();
    if span.style == Style::default() {
        text.into_any()
    } else {
        view! { <span class=classes(span.style)>{text}</span> }.into_any()
    }
}

/// The classes of a style; the colours stand in the stylesheet, readable in both themes.
fn classes(style: Style) -> String {
    let colours = [(style.text.index(), 'c'), (style.ground.index(), 'g')].into_iter().filter_map(|(index, kind)| {
        index.map(|index| format!("{kind}{}", if kind == 'g' { ground(index) } else { index }))
    });
    let attributes =
        [(style.bold, "b"), (style.dim, "dim"), (style.italic, "it"), (style.underline, "un"), (style.inverse, "inv")];
    let attributes = attributes.into_iter().filter(|(on, _)| *on).map(|(_, class)| class.to_owned());
    colours.chain(attributes).collect::<Vec<_>>().join(" ")
}

/// Whether a level of the cube of 216 counts as lit.
const fn bright(level: u8) -> u8 {
    if level >= 3 { 1 } else { 0 }
}

/// A colour behind text is one of the sixteen: text on it has to stay readable.
const fn ground(index: u8) -> u8 {
    match index {
        0..=15 => index,
        16..=231 => {
            let cube = index - 16;
            bright(cube / 36) + 2 * bright(cube / 6 % 6) + 4 * bright(cube % 6)
        }
        232..=243 => 8,
        244..=255 => 7,
    }
}
