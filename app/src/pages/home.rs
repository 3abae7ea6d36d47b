//! The start page: what needs me now, then everything else.

use domain::time;
use domain::view::{ApprovalRow, DocumentInfo, EscalatedRow, HomeView, ProcedureRow, RunRow, Session};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::alerts::DismissSuggestion;
use crate::api::pages::home;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::ago::{Ago, Elapsed};
use crate::components::command_text::visible;
use crate::components::findings::findings_words;
use crate::components::glyph::{Glyph, Sign};
use crate::components::health::Health;
use crate::components::health_badge::HealthBadge;
use crate::components::left::Left;
use crate::components::risk::RiskMark;
use crate::components::run_lists::{OpenRuns, RecentRuns, step_words, waits_for_a_person};
use crate::components::state::StateMark;
use crate::components::suggestions::Suggestions;
use crate::components::words::counted;
use crate::deeds::Hands;
use crate::loaded::loaded;
use crate::waiting::news;

/// `/`
#[component]
pub fn HomePage() -> impl IntoView {
    let news = news();
    let dismiss = ServerAction::<DismissSuggestion>::new();
    let view = Resource::new(move || (news.get(), dismiss.version().get()), |_| home());
    view! {
        <Title text="Home" />
        {loaded(view, move |session, view| view! { <Home session view dismiss /> })}
    }
    .into_any()
}

#[component]
fn Home(session: Session, view: HomeView, dismiss: ServerAction<DismissSuggestion>) -> impl IntoView {
    Clock::start(view.now);
    let (waiting, running): (Vec<RunRow>, Vec<RunRow>) = view.running.into_iter().partition(waits_for_a_person);
    let count = counted(running.len(), "run");
    let calm =
        view.requests.is_empty() && view.escalations.is_empty() && waiting.is_empty() && view.suggestions.is_empty();
    let hands = Hands::of(&session.actor);
    view! {
        <main id="main" class="page" data-kind="home" tabindex="-1">
            <div class="page-head">
                <h1>"What needs you"</h1>
                <p class="facts-line">
                    <span>"signed in as "{session.actor.name}", "{session.actor.role.word()}</span>
                </p>
            </div>
            <div class="main stack" data-gap="large">
                <Problems problems=view.problems />
                {calm.then(|| view! { <Calm /> })}
                <Calls rows=view.escalations />
                <Waiting requests=view.requests runs=waiting />
                <Suggestions rows=view.suggestions hands dismiss />
                <Show when={
                    let running = running.clone();
                    move || !running.is_empty()
                }>
                    <section class="panel" aria-labelledby="running">
                        <header>
                            <h2 id="running">"Open runs"</h2>
                            <span>{count.clone()}</span>
                        </header>
                        <OpenRuns runs=running.clone() />
                    </section>
                </Show>
                <Procedures procedures=view.procedures documents=view.documents.clone() />
            </div>
            <aside class="aside stack" data-gap="large" aria-label="Recent">
                <section class="panel">
                    <header>
                        <h2>"Recent runs"</h2>
                        <a href=portal_path("/history")>"History"</a>
                    </header>
                    {if view.recent.is_empty() {
                        view! { <p class="quiet small aside-note">"No run is closed yet."</p> }.into_any()
                    } else {
                        view! { <RecentRuns runs=view.recent /> }.into_any()
                    }}
                </section>
                <Documents documents=view.documents />
            </aside>
        </main>
    }
    .into_any()
}

#[component]
fn Problems(problems: Vec<String>) -> impl IntoView {
    (!problems.is_empty()).then(|| {
        view! {
            <div class="callout" data-tone="warn">
                <Glyph sign=Sign::Warning />
                <h2 class="head">"Not everything could be read"</h2>
                {problems.into_iter().map(|problem| view! { <p>{problem}</p> }).collect_view()}
            </div>
        }
    })
}

/// Nothing has to be looked at.
#[component]
fn Calm() -> impl IntoView {
    view! {
        <p class="hint calm">
            <Glyph sign=Sign::Info />
            <span>
                "Nothing waits for you. Requests that you can decide come here, runs into which you are called, runs that fail, pause or are interrupted, and what alerts suggest."
            </span>
        </p>
    }
    .into_any()
}

/// The open runs into which the person who looks is called, one card each.
#[component]
fn Calls(rows: Vec<EscalatedRow>) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let cards = rows.into_iter().map(|row| view! { <CallCard row /> }).collect_view();
    view! {
        <section class="stack" data-gap="small" aria-label="You are called" id="calls">
            {cards}
        </section>
    }
    .into_any()
}

#[component]
fn CallCard(row: EscalatedRow) -> impl IntoView {
    let EscalatedRow { run, title, target, by, why, at, .. } = row;
    let href = portal_path(format!("/runs/{run}"));
    view! {
        <div class="ask-card" data-tone="warn">
            <div class="spread">
                <h2>
                    <Glyph sign=Sign::Person />
                    <a href=href.clone()>{visible(format!("You are called into {title} on {target}"))}</a>
                </h2>
                <span class="left">
                    "for " <b>
                        <Elapsed since=at />
                    </b>
                </span>
            </div>
            <p>{visible(format!("{by} calls you into run {run}. {why}"))}</p>
            <div class="actions">
                <a class="btn" data-kind="primary" href=href>
                    {format!("Look at run {run}")}
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// What a person has to look at, one card each: requests that this person can decide, then open runs.
#[component]
fn Waiting(requests: Vec<ApprovalRow>, runs: Vec<RunRow>) -> impl IntoView {
    if requests.is_empty() && runs.is_empty() {
        return ().into_any();
    }
    let requests = requests.into_iter().map(|row| view! { <RequestCard row /> }).collect_view();
    let runs = runs.into_iter().map(|row| view! { <WaitingCard row /> }).collect_view();
    view! {
        <section class="stack" data-gap="small" aria-label="Waiting for a person">
            {requests}
            {runs}
        </section>
    }
    .into_any()
}

#[component]
fn RequestCard(row: ApprovalRow) -> impl IntoView {
    let run = portal_path(format!("/runs/{}", row.run));
    view! {
        <div class="ask-card" data-tone="warn">
            <div class="spread">
                <h2>
                    <Glyph sign=Sign::NeedsApproval />
                    <a href=portal_path(row.address())>{visible(format!("{} on {}", row.steps, row.target))}</a>
                </h2>
                <span class="left">
                    <b>
                        <Left until=row.expires />
                    </b>
                    " left"
                </span>
            </div>
            <p>
                {visible(format!("{} asks, in run {} of {}: ", row.by, row.run, row.title))}
                <q>{visible(row.reason.clone())}</q>
            </p>
            <div class="row">
                <RiskMark risk=row.risk />
                <span class="quiet">"asked " <Ago at=row.asked /></span>
            </div>
            <div class="actions">
                <a class="btn" data-kind="primary" href=portal_path(row.address())>
                    "Review request"
                </a>
                <a class="btn" data-kind="quiet" href=run>
                    {format!("Look at run {}", row.run)}
                </a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn WaitingCard(row: RunRow) -> impl IntoView {
    let href = portal_path(format!("/runs/{}", row.id));
    let words = step_words(&row);
    view! {
        <div class="ask-card" data-state=row.status.word()>
            <div class="spread">
                <h2>
                    <Glyph sign=Sign::State(row.status) />
                    <a href=href.clone()>{format!("{} on {}", row.title, row.target)}</a>
                </h2>
                <span class="left">
                    "open for " <b>
                        <Elapsed since=row.started />
                    </b>
                </span>
            </div>
            <p>
                <StateMark status=row.status />
                {format!(" at {words}. Run {}, started by {}", row.id, row.by)}
                {(!row.reason.is_empty()).then(|| view! { ": "<q>{visible(row.reason.clone())}</q> })}
            </p>
            <div class="actions">
                <a class="btn" data-kind="primary" href=href>
                    {format!("Look at run {}", row.id)}
                </a>
            </div>
        </div>
    }
    .into_any()
}

/// All procedures as one list. Where several documents are open, each says its name above its own.
#[component]
fn Procedures(procedures: Vec<ProcedureRow>, documents: Vec<DocumentInfo>) -> impl IntoView {
    if procedures.is_empty() {
        return no_procedure(documents.len());
    }
    let count = procedures.len();
    let groups: Vec<(DocumentInfo, Vec<ProcedureRow>)> = documents
        .into_iter()
        .map(|document| {
            let rows = procedures.iter().filter(|row| row.document == document.path).cloned().collect();
            (document, rows)
        })
        .filter(|(_, rows): &(_, Vec<ProcedureRow>)| !rows.is_empty())
        .collect();
    let source = match groups.as_slice() {
        [(document, _)] => view! { {count}" in "<code>{document.path.clone()}</code> }.into_any(),
        _ => format!("{count} in {}", counted(groups.len(), "document")).into_any(),
    };
    let several = groups.len() > 1;
    let bodies = groups
        .into_iter()
        .map(|(document, rows)| {
            let name = several.then(|| document_row(&document));
            let rows = rows.into_iter().map(|row| view! { <ProcedureLine row /> }).collect_view();
            view! { <tbody>{name} {rows}</tbody> }
        })
        .collect_view();
    view! {
        <section class="panel" id="procedures" aria-labelledby="procedures-title">
            <header>
                <h2 id="procedures-title">"Procedures"</h2>
                <span>{source}</span>
            </header>
            <table class="table procedures-table" data-cards>
                <caption class="sr">"Procedures with their class, last run, usual duration, last verdicts and health"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Procedure"</th>
                        <th scope="col">"Up to"</th>
                        <th scope="col">"Last run"</th>
                        <th scope="col" class="num">"Usual"</th>
                        <th scope="col">"Last runs"</th>
                    </tr>
                </thead>
                {bodies}
            </table>
        </section>
    }
    .into_any()
}

/// What to do so that a procedure stands here.
fn no_procedure(documents: usize) -> AnyView {
    let (head, sentence) = match documents {
        0 => (
            "No procedure yet",
            "Put a Markdown file into the folder of runbook documents; it is read at the next look. Nothing in the file has to be marked.".to_owned(),
        ),
        _ => (
            "No procedure in what was read",
            format!(
                "{} read, and no procedure is in what they say. A procedure is a heading with a list of steps below it.",
                if documents == 1 { "1 document was".to_owned() } else { format!("{documents} documents were") },
            ),
        ),
    };
    view! {
        <div class="empty" id="procedures">
            <h2>{head}</h2>
            <p>{sentence}</p>
            <div class="actions">
                <a class="btn" href=portal_path("/documents")>"Open documents"</a>
            </div>
        </div>
    }
    .into_any()
}

fn document_row(document: &DocumentInfo) -> AnyView {
    view! {
        <tr class="group">
            <th colspan="5" scope="colgroup">
                {document.title.clone()}
                " "
                <code>{document.path.clone()}</code>
            </th>
        </tr>
    }
    .into_any()
}

#[component]
fn ProcedureLine(row: ProcedureRow) -> impl IntoView {
    let last = match row.runs.last() {
        None => view! { <span class="quiet">"never"</span> }.into_any(),
        Some(last) if last.verdict.is_none() => {
            view! { <a href=portal_path(format!("/runs/{}", last.id))>"open, run "{last.id.to_string()}</a> }.into_any()
        }
        Some(last) => view! { <Ago at=last.started /> }.into_any(),
    };
    let usual = row.usual.map(|usual| time::span(usual.low_ms.midpoint(usual.high_ms)));
    view! {
        <tr>
            <th scope="row">
                <a href=portal_path(format!("/procedures/{}", row.slug))>{row.title}</a>
                {finding_mark(row.findings)}
            </th>
            <td>
                <RiskMark risk=row.risk />
            </td>
            <td class="soft">{last}</td>
            <td class="num soft">{usual}</td>
            <td>
                <Health runs=row.runs />
                " "
                <HealthBadge mark=row.health />
            </td>
        </tr>
    }
    .into_any()
}

/// Findings are the author's: who is on call only has to know that there are some.
fn finding_mark(findings: u32) -> Option<AnyView> {
    let words = findings_words(findings)?;
    let title = words.clone();
    Some(
        view! {
            <span class="finding-mark" title=title>
                <Glyph sign=Sign::Warning />
                <span class="sr">{words}</span>
            </span>
        }
        .into_any(),
    )
}

#[component]
fn Documents(documents: Vec<DocumentInfo>) -> impl IntoView {
    let findings: u32 = documents.iter().map(|document| document.findings).sum();
    let rows = documents
        .into_iter()
        .map(|document| {
            view! {
                <p class="hint">
                    <Glyph sign=Sign::File />
                    <span>
                        <b>{document.path}</b>
                        ", digest "
                        <code>{document.digest.short()}</code>
                        ", read "
                        <Ago at=document.read />
                    </span>
                </p>
            }
        })
        .collect_view();
    view! {
        <section class="panel">
            <header>
                <h2>"Documents"</h2>
                <a href=portal_path("/documents")>{findings_words(findings).unwrap_or_else(|| "No findings".to_owned())}</a>
            </header>
            {rows}
        </section>
    }
    .into_any()
}
