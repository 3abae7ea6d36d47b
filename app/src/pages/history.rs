//! All runs, newest first, narrowed by a form that is its own address.

use domain::run::Verdict;
use domain::view::{HistoryFilter, HistoryView};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::api::pages::history;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::arrival::Arrival;
use crate::components::run_lists::RunsTable;
use crate::components::words::counted;
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
    let newest = (!filter.before.is_empty()).then(|| address(&filter, ""));
    let narrowed = HistoryFilter { before: String::new(), ..filter.clone() } != HistoryFilter::default();
    let count = count_words(&view, newest.is_some());
    let list = match (view.runs.is_empty(), &newest) {
        (false, _) => view! { <RunsTable runs=view.runs.clone() /> }.into_any(),
        (true, Some(_)) => no_older(),
        (true, None) => empty(narrowed),
    };
    view! {
        <main id="main" class="page" data-kind="wide" tabindex="-1">
            <header class="page-head">
                <h1>"History"</h1>
                {count.map(|count| view! { <div class="facts-line"><span>{count}</span></div> })}
            </header>
            <div class="stack" data-gap="small">
                <Filters view=view.clone() filter=filter.clone() narrowed />
                {list}
                <Turn newest older />
            </div>
        </main>
    }
    .into_any()
}

/// How many runs the page shows; nothing where the page says that there are none.
fn count_words(view: &HistoryView, later_page: bool) -> Option<String> {
    let runs = counted(view.runs.len(), "run");
    match (view.runs.len(), view.next.is_some(), later_page) {
        (0, _, _) => None,
        (_, true, false) => Some(format!("the newest {runs}")),
        (_, true, true) => Some(format!("{runs} on this page")),
        (_, false, true) => Some(format!("{runs} on this page, the oldest ones")),
        (_, false, false) => Some(runs),
    }
}

/// The ways to older runs and back.
#[component]
fn Turn(newest: Option<String>, older: Option<String>) -> impl IntoView {
    let arrival = use_context::<Arrival>();
    // The path stays the same, but it is another page to whoever reads it.
    let link = move |href: String, words: &'static str| {
        let turned = move |_| arrival.into_iter().for_each(Arrival::expect_page);
        view! { <a class="btn" href=href on:click=turned>{words}</a> }
    };
    let links = [(newest, "Newest runs"), (older, "Older runs")]
        .into_iter()
        .filter_map(|(href, words)| Some(link(href?, words)))
        .collect::<Vec<_>>();
    (!links.is_empty()).then(|| view! { <nav class="row" data-align="end" aria-label="Pages">{links}</nav> })
}

fn no_older() -> AnyView {
    view! {
        <div class="empty">
            <h2>"No older run"</h2>
            <p>"There is no run before this one that has all of what was asked for."</p>
        </div>
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
                    <a class="btn" href=portal_path("/history")>"Show all runs"</a>
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
                    <a class="btn" href=portal_path("/")>"Choose a procedure"</a>
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
        <form class="searches" role="search" aria-label="Runs" method="get" action=portal_path("/history")>
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
                {narrowed.then(|| view! { <a class="btn" data-kind="quiet" href=portal_path("/history")>"Clear"</a> })}
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
    portal_path(format!("/history?{}", query.join("&")))
}
