//! Output on the stage: the last rows in a box that scrolls, and a strip that says whether it moves by itself.

use domain::terminal::{Span, Style};
use domain::time;
use leptos::html;
use leptos::prelude::*;

use super::glyph::{Glyph, Sign};
use crate::live::Live;
use crate::live::log::{Entry, Row};
use domain::run::StepStatus;

/// How close to the end still counts as being there, in pixels.
const NEAR: i32 = 28;

/// The rows of the log on the stage.
#[component]
pub fn LogView() -> impl IntoView {
    let live = Live::here();
    let list = NodeRef::<html::Ol>::new();
    let following = RwSignal::new(true);
    // While the reader is elsewhere nothing moves under them: these are the rows of that moment.
    let held = RwSignal::new(None::<(Vec<Entry>, u64)>);
    let top = StoredValue::new(0);

    let entries = move || match held.get() {
        Some((entries, _)) => entries,
        None => live.run.with(|run| live.log.with(|log| log.entries(run))),
    };
    let to_the_end = move || {
        if let Some(list) = list.get_untracked() {
            list.set_scroll_top(list.scroll_height());
            top.set_value(list.scroll_top());
        }
    };
    let follow = move || {
        held.set(None);
        following.set(true);
        request_animation_frame(to_the_end);
    };
    Effect::new(move |_| {
        live.log.track();
        live.run.track();
        if following.get() {
            request_animation_frame(to_the_end);
        }
    });
    // Another attempt begins at its own end.
    let attempt = Memo::new(move |_| live.log.with(|log| (log.step(), log.attempt())));
    Effect::new(move |before: Option<(u32, u32)>| {
        let now = attempt.get();
        if before.is_some_and(|before| before != now) {
            follow();
        }
        now
    });
    let scrolled = move |_| {
        let Some(list) = list.get_untracked() else { return };
        let before = top.get_value();
        top.set_value(list.scroll_top());
        let at_end = list.scroll_height() - list.scroll_top() - list.client_height() < NEAR;
        match (following.get_untracked(), at_end) {
            (true, false) if list.scroll_top() < before => {
                held.set(Some(
                    live.run.with_untracked(|run| live.log.with_untracked(|log| (log.entries(run), log.lines()))),
                ));
                following.set(false);
            }
            (false, true) if list.scroll_top() > before => follow(),
            _ => {}
        }
    };
    let label = move || live.log.with(|log| format!("Output of step {}, attempt {}", log.step(), log.attempt()));
    view! {
        <div class="log-frame">
            <ol class="log" tabindex="0" aria-label=label node_ref=list on:scroll=scrolled>
                <For each=entries key=Entry::key let(entry)>
                    <LogEntry entry />
                </For>
            </ol>
            <FollowStrip
                following
                newer=Signal::derive(move || {
                    held.with(|held| held.as_ref().map_or(0, |(_, lines)| live.log.with(|log| log.lines().saturating_sub(*lines))))
                })
                on_follow=follow
            />
        </div>
    }
    .into_any()
}

#[component]
fn FollowStrip(
    following: RwSignal<bool>,
    newer: Signal<u64>,
    on_follow: impl Fn() + Copy + Send + Sync + 'static,
) -> impl IntoView {
    let live = Live::here();
    let words = move || {
        let lines = live.log.with(crate::live::log::Log::lines);
        match (following.get(), newer.get()) {
            (true, _) => format!("Following, line {}. Scroll up to let go", time::thousands(lines)),
            (false, 0) => "Not following. Go to the end".to_owned(),
            (false, 1) => "1 newer line. Follow".to_owned(),
            (false, newer) => format!("{} newer lines. Follow", time::thousands(newer)),
        }
    };
    let open = move || live.run.with(|run| run.open_attempt().is_some());
    view! {
        <Show when=move || open() || !following.get()>
            <button
                class="follow needs-scripts"
                type="button"
                data-key="End"
                data-following=move || following.get().then_some("")
                on:click=move |_| on_follow()
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
        Entry::Note(words) => view! {
            <li data-kind="note">
                <span class="no"></span>
                <span>{words}</span>
            </li>
        }
        .into_any(),
    }
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

fn piece(span: &Span) -> AnyView {
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
