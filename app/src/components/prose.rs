//! The document's own words. They come as a tree of words, never as markup.

use domain::runbook::{Inline, Item, Prose};
use leptos::prelude::*;

use super::command_text::visible;
use super::filled;
use crate::base::portal_path;

/// Blocks of prose.
#[component]
pub fn ProseView(prose: Vec<Prose>) -> impl IntoView {
    prose.into_iter().map(block).collect_view()
}

fn block(prose: Prose) -> AnyView {
    match prose {
        Prose::Paragraph { words, .. } => view! { <p>{inline(words)}</p> }.into_any(),
        // A page has its own headings; the document's are one level of weight below them.
        Prose::Heading { words, level, .. } => {
            view! { <p class="heading" data-level=level>{inline(words)}</p> }.into_any()
        }
        Prose::List { start: Some(start), items, .. } => {
            view! { <ol class="numbered" start=start.to_string()>{list(items)}</ol> }.into_any()
        }
        Prose::List { start: None, items, .. } => view! { <ul>{list(items)}</ul> }.into_any(),
        Prose::Quote { content, .. } => {
            view! { <blockquote class="reason"><ProseView prose=content /></blockquote> }.into_any()
        }
        Prose::Table { head, rows, .. } => table(head, rows),
        Prose::Code { text, .. } => view! { <pre class="shown"><code>{visible(text)}</code></pre> }.into_any(),
        Prose::Rule { .. } => view! { <hr /> }.into_any(),
    }
}

fn list(items: Vec<Vec<Prose>>) -> impl IntoView {
    items.into_iter().map(|item| view! { <li><div><ProseView prose=item /></div></li> }).collect_view()
}

fn table(head: Vec<Vec<Inline>>, rows: Vec<Vec<Vec<Inline>>>) -> AnyView {
    let head = head.into_iter().map(|cell| view! { <th scope="col">{inline(cell)}</th> }).collect_view();
    let rows = rows
        .into_iter()
        .map(|row| {
            let cells = row.into_iter().map(|cell| view! { <td>{inline(cell)}</td> }).collect_view();
            view! { <tr>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="scroll-x" tabindex="0">
            <table class="table">
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// A run of words.
pub fn inline(words: Vec<Inline>) -> Vec<AnyView> {
    words.into_iter().map(word).collect()
}

fn word(word: Inline) -> AnyView {
    match word {
        Inline::Text { text } => filled::words(text),
        Inline::Code { text } => filled::code(text),
        Inline::Emphasis { words } => view! { <em>{inline(words)}</em> }.into_any(),
        Inline::Strong { words } => view! { <strong>{inline(words)}</strong> }.into_any(),
        Inline::Struck { words } => view! { <s>{inline(words)}</s> }.into_any(),
        Inline::Link { href, words } if href.starts_with('#') => view! { <span>{inline(words)}</span> }.into_any(),
        // What begins with a slash was made by the portal: a document's own link leads to a page of another host, or is words.
        Inline::Link { href, words } if href.starts_with('/') => filled::link(portal_path(href), inline(words)),
        Inline::Link { href, words } => filled::link(href, inline(words)),
        Inline::Break => view! { <br /> }.into_any(),
    }
}

/// Items of a list, with the bullets below them.
#[component]
pub fn Items(items: Vec<Item>) -> impl IntoView {
    let items = items
        .into_iter()
        .map(|item| {
            let below = (!item.items.is_empty()).then(|| view! { <Items items=item.items /> }.into_any());
            view! { <li><div>{inline(item.words)} {below}</div></li> }
        })
        .collect_view();
    view! { <ul>{items}</ul> }.into_any()
}
