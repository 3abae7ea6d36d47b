//! The rows of a log as elements. Whatever a command prints is text in them, and the only links are the page's own.

use domain::terminal::{Span, Style};
use domain::{Timestamp, time};
use leptos::prelude::*;

use super::finder::Hit;
use super::window::Window;
use crate::components::screen::ScreenView;
use crate::live::log::entry::{Entry, Fold};
use crate::live::log::row::Row;
use crate::live::marks::marked;
use crate::live::named::{Named, anchor};

/// One thing in the rows.
#[component]
pub fn LogEntry(entry: Entry, view: Window) -> impl IntoView {
    match entry {
        Entry::Row(row) => log_row(&row, view),
        Entry::Begins { command, text, fold } => begin(command, text, fold),
        Entry::Ended { words, .. } => view! {
            <li data-kind="boundary">
                <span class="no"></span>
                <span>{words}</span>
            </li>
        }
        .into_any(),
        Entry::Screen { command, name } => view! { <ScreenView command name view /> }.into_any(),
        Entry::Note { words, .. } => note(words),
    }
}

/// The begin of a command, with what folds its output away. The log is one stop for the keyboard: its tools fold as well.
fn begin(command: u32, text: String, fold: Fold) -> AnyView {
    let open = fold == Fold::Open;
    let does = if open { "Fold" } else { "Show" };
    view! {
        <li data-kind="boundary" data-folded=(!open).then_some("")>
            <span class="no">
                <button
                    class="fold-output needs-scripts"
                    type="button"
                    tabindex="-1"
                    data-fold=command.to_string()
                    aria-expanded=open.to_string()
                    aria-label=format!("{does} the output of command {command}")
                ></button>
            </span>
            <span>"$ "{text}</span>
        </li>
    }
    .into_any()
}

/// Something that is not output.
pub fn note(words: String) -> AnyView {
    view! {
        <li data-kind="note">
            <span class="no"></span>
            <span>{words}</span>
        </li>
    }
    .into_any()
}

fn log_row(row: &Row, view: Window) -> AnyView {
    let number = match row.number {
        Some(number) => {
            let anchor = anchor(view.step, Named::line(number));
            view! { <a href=format!("#{anchor}") id=anchor tabindex="-1" rel="external">{time::thousands(number)}</a> }
                .into_any()
        }
        None => view! { <span class="no"></span> }.into_any(),
    };
    let line = row.number;
    let spans = row.line.spans.clone();
    view! {
        <li data-line=move || line.and_then(|line| standing(view, line)) data-at=view.moment(row.from).map(moment)>
            {number}
            <span>{move || pieces(&spans, view.finder.marks())}{redraws(row)}{left_out(row, view)}</span>
        </li>
    }
    .into_any()
}

/// Whether a line is chosen, or has what is looked for.
fn standing(view: Window, line: u64) -> Option<&'static str> {
    let is_chosen = view.chosen.with(|chosen| chosen.is_some_and(|chosen| chosen.has(line)));
    match view.finder.hit(line) {
        Some(Hit::Now) => Some("now"),
        _ if is_chosen => Some("chosen"),
        Some(Hit::One) => Some("hit"),
        None => None,
    }
}

/// The time of the day at which something was printed.
fn moment(at: Timestamp) -> String {
    format!("{}.{:03}", at.time_of_day(), at.0.rem_euclid(1000))
}

fn pieces(spans: &[Span], wanted: Option<String>) -> Vec<AnyView> {
    let Some(wanted) = wanted else { return spans.iter().map(piece).collect() };
    let marked = marked(spans, &wanted).into_iter();
    marked.map(|(span, hit)| if hit { mark(&span) } else { piece(&span) }).collect()
}

fn mark(span: &Span) -> AnyView {
    view! { <mark>{span.text.clone()}</mark> }.into_any()
}

fn redraws(row: &Row) -> Option<AnyView> {
    let words = format!(" {} redraws folded", row.line.redraws);
    (row.line.redraws > 1).then(|| view! { <small class="redraws">{words}</small> }.into_any())
}

/// What of a long line is not here, and where it is.
fn left_out(row: &Row, view: Window) -> Option<AnyView> {
    let words = format!(" {} more of this line are not shown.", time::size(row.left_out));
    let from = row.to - row.left_out;
    let address = view
        .live
        .log
        .with_untracked(|log| format!("?step={}&attempt={}&from={from}#output", log.step(), log.attempt()));
    (row.left_out > 0).then(|| {
        view! {
            <small class="redraws">
                {words}" "
                <a href=address rel="external">
                    "Read on"
                </a>
            </small>
        }
        .into_any()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_a_row_is_told_to_the_millisecond() {
        assert_eq!(moment(Timestamp(1_795_471_084_007)), "21:58:04.007");
    }
}
