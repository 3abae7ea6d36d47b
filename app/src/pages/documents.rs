//! The documents: which bytes are shown, what lint says about them, and what in them belongs to no procedure.

use domain::runbook::Finding;
use domain::time;
use domain::view::{AlertsView, DocumentView, DocumentsView, UnboundAlert};
use leptos::prelude::*;
use leptos_meta::Title;

use super::procedure::line_anchor;
use super::procedure::parts::prose_of;
use crate::api::pages::documents;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::ago::Ago;
use crate::components::command_text::Visible;
use crate::components::findings::{Findings, findings_words, level_words};
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::ProseView;
use crate::components::words::counted;
use crate::loaded::loaded;

/// `/documents`
#[component]
pub fn DocumentsPage() -> impl IntoView {
    let view = Resource::new(|| (), |()| documents());
    view! {
        <Title text="Documents" />
        {loaded(view, |_, view| view! { <Documents view /> })}
    }
    .into_any()
}

#[component]
fn Documents(view: DocumentsView) -> impl IntoView {
    Clock::start(view.now);
    let procedures: usize = view.documents.iter().map(|document| document.procedures.len()).sum();
    let levels = level_words(view.documents.iter().flat_map(|document| &document.findings));
    let count = counted(view.documents.len(), "document");
    let problems = view
        .problems
        .into_iter()
        .map(|problem| {
            view! {
                <div class="callout" data-tone="danger">
                    <Glyph sign=Sign::Warning />
                    <p>{problem}</p>
                </div>
            }
        })
        .collect_view();
    let documents = if view.documents.is_empty() {
        view! {
            <div class="empty">
                <h2>"No document yet"</h2>
                <p>"Put a Markdown file into the folder of runbook documents. It is read at the next look, as it is."</p>
            </div>
        }
        .into_any()
    } else {
        view.documents.into_iter().map(|document| view! { <DocumentSection document /> }).collect_view().into_any()
    };
    view! {
        <main id="main" class="page" data-kind="wide" tabindex="-1">
            <header class="page-head">
                <h1>"Documents"</h1>
                <div class="facts-line">
                    <span>{count}</span>
                    <span>{counted(procedures, "procedure")}</span>
                    <span>{levels}</span>
                </div>
            </header>
            {problems}
            {documents}
            <Unbound alerts=view.alerts />
        </main>
    }
    .into_any()
}

/// Alerts that came and that no procedure names.
#[component]
fn Unbound(alerts: AlertsView) -> impl IntoView {
    let AlertsView { unbound, unbound_others } = alerts;
    let rows = unbound
        .into_iter()
        .map(|UnboundAlert { alert, times, heard }| {
            view! {
                <li>
                    <div>
                        <span class="name">
                            <Visible text=alert />
                        </span>
                        <span class="sub">
                            <span>{format!("told {}, last ", time::counted(times, "time"))}<Ago at=heard /></span>
                        </span>
                    </div>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let others = (unbound_others > 0).then(|| {
        let words =
            format!("Others, whose names are too many to list: told {}.", time::counted(unbound_others, "time"));
        view! { <p class="quiet small aside-note">{words}</p> }
    });
    (!rows.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="unbound">
                <header>
                    <h2 id="unbound">"Alerts that no procedure names"</h2>
                    <span>"since the portal was started"</span>
                </header>
                <ul class="lines">{rows}</ul>
                {others}
            </section>
        }
        .into_any()
    })
}

#[component]
fn DocumentSection(document: DocumentView) -> impl IntoView {
    let DocumentView { info, procedures, preamble, stray, findings, partly } = document;
    let titles: Vec<(String, String)> =
        procedures.iter().map(|(slug, title, ..)| (slug.0.clone(), title.clone())).collect();
    let levels = level_words(findings.iter());
    let label = format!("document-{}", info.digest.short().replace(' ', ""));
    let id = label.clone();
    view! {
        <section class="document stack" aria-labelledby=label>
            <div class="panel">
                <header>
                    <h2 id=id>{info.title.clone()}</h2>
                    <span>"read "<Ago at=info.read /></span>
                </header>
                <div class="source">
                    <span>
                        <Glyph sign=Sign::File />
                        <b>{info.path.clone()}</b>
                    </span>
                    <span class="soft" title=info.digest.to_string()>"SHA-256 "<code>{info.digest.short()}</code></span>
                    {info.updated.clone().map(|updated| view! { <span class="soft">"last updated: "{updated}</span> })}
                </div>
                {partly
                    .then(|| {
                        view! {
                            <p class="quiet small aside-note">
                                "Only a part of this document is for you: the procedures here, and what lint says about them."
                            </p>
                        }
                    })}
            </div>
            <div class="panel">
                <header>
                    <h3>"Procedures"</h3>
                    <span>{counted(procedures.len(), "procedure")}</span>
                </header>
                {if procedures.is_empty() {
                    view! {
                        <p class="quiet small aside-note">
                            "No procedure is in this document. A procedure is a heading with a list of steps below it."
                        </p>
                    }
                        .into_any()
                } else {
                    view! { <ProcedureList procedures /> }.into_any()
                }}
            </div>
            <div class="panel">
                <header>
                    <h3>"Findings"</h3>
                    <span>{levels}", as the command "<code>"lint"</code>" prints them"</span>
                </header>
                {if findings.is_empty() {
                    view! { <p class="quiet small aside-note">"Nothing to say about this document."</p> }.into_any()
                } else {
                    view! { <Findings findings titles place=place /> }.into_any()
                }}
            </div>
            {(!preamble.is_empty())
                .then(|| {
                    view! {
                        <details class="fold">
                            <summary>
                                <Glyph sign=Sign::Fold />
                                "Text that belongs to no procedure"
                            </summary>
                            <div class="prose loose">
                                <ProseView prose=preamble />
                            </div>
                        </details>
                    }
                })}
            {stray
                .into_iter()
                .map(|part| {
                    let steps: Vec<_> = part
                        .steps()
                        .map(|step| view! { <li><div>{step.title.clone()}<span class="quiet small">{format!(", line {}", step.line)}</span></div></li> })
                        .collect();
                    view! {
                        <details class="fold">
                            <summary>
                                <Glyph sign=Sign::Fold />
                                {format!("Lines {} to {}, stray: {}", part.line, part.end_line, super::procedure::heading(&part))}
                            </summary>
                            <div class="prose loose">{prose_of(&part)} <ul>{steps}</ul></div>
                        </details>
                    }
                })
                .collect_view()}
        </section>
    }
    .into_any()
}

#[component]
fn ProcedureList(procedures: Vec<(domain::Slug, String, u32, u32)>) -> impl IntoView {
    let rows = procedures
        .into_iter()
        .map(|(slug, title, line, findings)| {
            view! {
                <tr>
                    <td class="num quiet" data-label="line ">{line}</td>
                    <th scope="row">
                        <a href=portal_path(format!("/procedures/{slug}"))>{title}</a>
                    </th>
                    <td class="soft">{findings_words(findings)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="table procedure-lines" data-cards>
            <caption class="sr">"Procedures of this document, by line"</caption>
            <thead>
                <tr>
                    <th scope="col" class="num">"Line"</th>
                    <th scope="col">"Procedure"</th>
                    <th scope="col">"Findings"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// The place of a finding on the page of its procedure.
fn place(finding: &Finding) -> Option<String> {
    Some(format!("/procedures/{}#{}", finding.procedure.as_ref()?, line_anchor(finding)?))
}
