//! All runs, newest first, narrowed by a form that is its own address.

use domain::run::Verdict;
use domain::view::{HistoryFilter, HistoryView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::pages::history;
use crate::clock::Clock;
use crate::components::run_lists::RunsTable;
use crate::loaded::loaded;

/// `/history`
#[component]
pub fn HistoryPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| {
        let query = query.read();
        let field = |name: &str| query.get(name).unwrap_or_default();
        HistoryFilter {
            procedure: field("procedure"),
            person: field("person"),
            verdict: field("verdict"),
            words: field("words"),
            before: field("before"),
        }
    });
    let view = Resource::new(move || filter.get(), history);
    view! {
        <Title text="History" />
        {loaded(view, move |_, view| view! { <History view filter=filter.get_untracked() /> })}
    }
    .into_any()
}

#[component]
fn History(view: HistoryView, filter: HistoryFilter) -> impl IntoView {
    Clock::start(view.now);
    let older = view.next.map(|next| address(&filter, &next.to_string()));
    let narrowed = filter != HistoryFilter::default();
    let list =
        if view.runs.is_empty() { empty(narrowed) } else { view! { <RunsTable runs=view.runs.clone() /> }.into_any() };
    view! {
        <main id="main" class="page" data-kind="wide" tabindex="-1">
            <header class="page-head">
                <h1>"History"</h1>
            </header>
            <div class="stack" data-gap="small">
                <Filters view=view.clone() filter=filter.clone() narrowed />
                {list}
                {older
                    .map(|older| {
                        view! {
                            <nav class="row" data-align="end" aria-label="Pages">
                                <a class="btn" href=older>
                                    "Older runs"
                                </a>
                            </nav>
                        }
                    })}
            </div>
        </main>
    }
    .into_any()
}

fn empty(narrowed: bool) -> AnyView {
    if narrowed {
        view! {
            <div class="empty">
                <h2>"No run matches"</h2>
                <p>"No run has all of this. Take something away."</p>
                <div class="actions">
                    <a class="btn" href="/history">"Show all runs"</a>
                </div>
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="empty">
                <h2>"No run yet"</h2>
                <p>"Every run stands here for ever, with its output. Start one from a procedure."</p>
                <div class="actions">
                    <a class="btn" href="/">"Choose a procedure"</a>
                </div>
            </div>
        }
        .into_any()
    }
}

#[component]
fn Filters(view: HistoryView, filter: HistoryFilter, narrowed: bool) -> impl IntoView {
    let procedures = view.procedures.into_iter().map(|(slug, title)| (slug.0, title)).collect();
    let people = view.people.into_iter().map(|(id, name)| (id.0, name)).collect();
    let verdicts = std::iter::once(("open".to_owned(), "open".to_owned()))
        .chain(Verdict::ALL.map(|verdict| (verdict.name().to_owned(), verdict.word().to_owned())))
        .collect();
    view! {
        <form class="searches" role="search" aria-label="Runs" method="get" action="/history">
            <div class="field">
                <label for="words">"Words in title or reason"</label>
                <input class="input" id="words" name="words" type="search" data-key="/" value=filter.words.clone() autocomplete="off" />
            </div>
            <Choose name="procedure" label="Procedure" all="all procedures" options=procedures chosen=filter.procedure.clone() />
            <Choose name="person" label="Person" all="everybody" options=people chosen=filter.person.clone() />
            <Choose name="verdict" label="Verdict" all="all verdicts" options=verdicts chosen=filter.verdict.clone() />
            <div class="actions">
                <button class="btn" type="submit">
                    "Show runs"
                </button>
                {narrowed.then(|| view! { <a class="btn" data-kind="quiet" href="/history">"Clear"</a> })}
            </div>
        </form>
    }
    .into_any()
}

#[component]
fn Choose(
    name: &'static str,
    label: &'static str,
    all: &'static str,
    options: Vec<(String, String)>,
    chosen: String,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(value, text)| view! { <option value=value.clone() selected=value == chosen>{text}</option> })
        .collect_view();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="input" id=name name=name>
                <option value="">{all}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

/// The address of the next page, with the same filter.
fn address(filter: &HistoryFilter, before: &str) -> String {
    use leptos_router::location::Url;

    let fields = [
        ("words", filter.words.as_str()),
        ("procedure", filter.procedure.as_str()),
        ("person", filter.person.as_str()),
        ("verdict", filter.verdict.as_str()),
        ("before", before),
    ];
    let query: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", Url::escape(value)))
        .collect();
    format!("/history?{}", query.join("&"))
}
