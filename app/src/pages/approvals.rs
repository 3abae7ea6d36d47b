//! The inbox: what waits for a lead, what was started without one, and what was decided.

use domain::run::RequestStatus;
use domain::view::{ApprovalRow, InboxView, RedactionRow};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::approvals::inbox;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::ago::Ago;
use crate::components::command_text::visible;
use crate::components::glyph::{Glyph, Sign};
use crate::components::left::Left;
use crate::components::risk::RiskMark;
use crate::components::words::counted;
use crate::loaded::loaded;
use crate::waiting::news;

/// `/approvals`
#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let news = news();
    let view = Resource::new(move || news.get(), |_| inbox());
    view! { {loaded(view, |_, view| view! { <Inbox view /> })} }.into_any()
}

#[component]
fn Inbox(view: InboxView) -> impl IntoView {
    Clock::start(view.now);
    let InboxView { waiting, redactions, unreviewed, recent, .. } = view;
    let title = match waiting.len() + redactions.len() {
        0 => "Approvals".to_owned(),
        count => format!("({count}) Approvals"),
    };
    let says = waiting_words(waiting.len(), redactions.len());
    view! {
        <Title text=title />
        <main id="main" class="page" data-kind="wide" tabindex="-1">
            <header class="page-head">
                <h1>"Approvals"</h1>
                <div class="facts-line" role="status">
                    <span>{says}</span>
                </div>
            </header>
            {(!waiting.is_empty() || redactions.is_empty())
                .then(|| {
                    view! {
                        <section class="part" aria-labelledby="waiting-title">
                            <h2 id="waiting-title">"Waiting"</h2>
                            {if waiting.is_empty() { nothing_waits() } else { view! { <Waiting rows=waiting /> }.into_any() }}
                        </section>
                    }
                })}
            {(!redactions.is_empty()).then(|| view! { <Redactions rows=redactions /> })}
            {(!unreviewed.is_empty()).then(|| view! { <Unreviewed rows=unreviewed /> })}
            {(!recent.is_empty()).then(|| view! { <Recent rows=recent /> })}
        </main>
    }
    .into_any()
}

/// `1 request and 2 redactions wait for a decision`
fn waiting_words(requests: usize, redactions: usize) -> String {
    let counts = [(requests, "request"), (redactions, "redaction")].into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = counts.map(|(count, what)| counted(count, what)).collect();
    let verb = if requests + redactions == 1 { "waits" } else { "wait" };
    if words.is_empty() {
        return "Nothing waits for a decision".to_owned();
    }
    format!("{} {verb} for a decision", words.join(" and "))
}

fn nothing_waits() -> AnyView {
    view! {
        <div class="empty">
            <h3>"Nothing waits for you"</h3>
            <p>
                "Requests for approval, and output that is to be covered, come here. This page follows by itself; without scripts, load it again."
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Waiting(rows: Vec<ApprovalRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let approvals = (row.leads > 1).then(|| format!("{} of {} leads have approved", row.approvals, row.leads));
            view! {
                <li>
                    <a class="name" href=portal_path(row.address())>{visible(format!("{} on {}", row.steps, row.target))}</a>
                    <span class="where">
                        <RiskMark risk=row.risk />
                        {visible(format!(" run {}, {}", row.run, row.title))}
                    </span>
                    <span class="what">
                        <q>{visible(row.reason.clone())}</q>
                        <span class="soft">{visible(format!("{}, ", row.by))}<Ago at=row.asked /></span>
                        {approvals.map(|approvals| view! { <span class="soft">{approvals}</span> })}
                    </span>
                    <span class="time">
                        <b>
                            <Left until=row.expires />
                        </b>
                        <span class="quiet">"left"</span>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="runs requests">{rows}</ul> }.into_any()
}

/// What is to be covered in stored output and waits for another person.
#[component]
fn Redactions(rows: Vec<RedactionRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <li>
                    <a class="name" href=portal_path(row.address()) rel="external">
                        {visible(format!("{} of the output of {} on {}", row.amount, row.step, row.target))}
                    </a>
                    <span class="where">{visible(format!("run {}, {}", row.id.run, row.title))}</span>
                    <span class="what">
                        <q>{visible(row.reason.clone())}</q>
                        <span class="soft">{visible(row.by.clone())}</span>
                    </span>
                    <span class="time">
                        <span class="quiet">"asked " <Ago at=row.asked /></span>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="part" aria-labelledby="redactions-title">
            <h2 id="redactions-title">"To be covered"</h2>
            <ul class="runs requests">{rows}</ul>
        </section>
    }
    .into_any()
}

/// What was started without an approval and nobody has looked at.
#[component]
fn Unreviewed(rows: Vec<ApprovalRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <li>
                    <a class="name" href=portal_path(row.address())>{visible(format!("{} on {}", row.steps, row.target))}</a>
                    <span class="where">{visible(format!("run {}, {}", row.run, row.title))}</span>
                    <span class="what">
                        <span class="state" data-tone="danger">
                            <Glyph sign=Sign::Warning />
                            "started without an approval"
                        </span>
                        <q>{visible(row.reason.clone())}</q>
                    </span>
                    <span class="time">
                        <b>{visible(row.by.clone())}</b>
                        <span class="quiet">
                            <Ago at=row.asked />
                        </span>
                    </span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="part" aria-labelledby="unreviewed-title">
            <h2 id="unreviewed-title">"To be reviewed"</h2>
            <ul class="runs requests">{rows}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Recent(rows: Vec<ApprovalRow>) -> impl IntoView {
    let rows = rows.into_iter().map(recent_row).collect_view();
    view! {
        <section class="part" aria-labelledby="recent-title">
            <h2 id="recent-title">"Decided"</h2>
            <table class="table" data-cards>
                <caption class="sr">"Requests that do not wait any more, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Request"</th>
                        <th scope="col">"Decision"</th>
                        <th scope="col">"By"</th>
                        <th scope="col">"Asked by"</th>
                        <th scope="col">"Asked"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

fn recent_row(row: ApprovalRow) -> impl IntoView {
    let by =
        if row.glass { "nobody".to_owned() } else { row.decided_by.clone().unwrap_or_else(|| "nobody".to_owned()) };
    view! {
        <tr>
            <th scope="row">
                <a href=portal_path(row.address())>{visible(format!("{} on {}", row.steps, row.target))}</a>
                <span class="sub">{visible(format!("run {}, {}", row.run, row.title))}</span>
            </th>
            <td>
                <RequestMark status=row.status glass=row.glass />
            </td>
            <td class="soft">{visible(by)}</td>
            <td class="soft">{visible(row.by.clone())}</td>
            <td class="quiet">
                <Ago at=row.asked />
            </td>
        </tr>
    }
    .into_any()
}

/// Where a request stands: glyph and word.
#[component]
pub fn RequestMark(status: RequestStatus, glass: bool) -> impl IntoView {
    if glass {
        return view! {
            <span class="state" data-tone="danger">
                <Glyph sign=Sign::Warning />
                "without an approval"
            </span>
        }
        .into_any();
    }
    let (tone, sign) = match status {
        RequestStatus::Waiting => ("warn", Sign::NeedsApproval),
        RequestStatus::Approved | RequestStatus::Used => ("ok", Sign::State(domain::run::StepStatus::Done)),
        RequestStatus::Rejected => ("danger", Sign::State(domain::run::StepStatus::Failed)),
        RequestStatus::Cancelled | RequestStatus::Expired | RequestStatus::Void => {
            ("quiet", Sign::State(domain::run::StepStatus::Skipped))
        }
    };
    view! {
        <span class="state" data-tone=tone>
            <Glyph sign />
            {status.word()}
        </span>
    }
    .into_any()
}
