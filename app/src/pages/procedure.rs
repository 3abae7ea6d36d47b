//! The page of a procedure: the document's parts in their order, and the form that starts a run.

mod contents;
mod health;
pub mod parts;
mod start;

use domain::look::Look;
use domain::policy::Verb;
use domain::runbook::{Finding, Part, PartKind};
use domain::time;
use domain::view::{Missed, ProcedureView, ScheduleView, Session};
use domain::{Slug, SuggestionId};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::AppError;
use crate::api::looks::look_before_start;
use crate::api::pages::procedure;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::findings::Findings;
use crate::components::glyph::{Glyph, Sign};
use crate::components::health::HealthInWords;
use crate::components::health_badge::HealthBadge;
use crate::components::look::Seen;
use crate::components::pace::usual_words;
use crate::components::risk::RiskMark;
use crate::components::run_lists::LastRuns;
use crate::components::words::readers;
use crate::loaded::loaded;
use contents::Contents;
use health::HealthPart;
use parts::{PartView, line_anchors};
use start::StartForm;

/// `/procedures/{slug}`
#[component]
pub fn ProcedurePage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = move || {
        let suggestion = query.read().get_str("suggestion").and_then(|id| id.parse().ok()).map(SuggestionId);
        (Slug(params.read().get("slug").unwrap_or_default()), suggestion)
    };
    let view = Resource::new(asked, move |(slug, suggestion)| {
        // Without scripts the address asks for the look at a target; with them the page does.
        let look = query.read_untracked().get("look");
        async move {
            let view = procedure(slug.clone(), suggestion).await?;
            let look = match look {
                Some(target) => Some(look_before_start(slug, target).await),
                None => None,
            };
            Ok((view, look))
        }
    });
    loaded(view, |session, (view, look)| view! { <ProcedureBody session view look /> })
}

#[component]
fn ProcedureBody(session: Session, view: ProcedureView, look: Option<Result<Look, AppError>>) -> impl IntoView {
    Seen::provide(look);
    Clock::start(view.now);
    let title = view.procedure.title.clone();
    let parts = view
        .procedure
        .parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !is_lead(part))
        .map(|(index, part)| {
            let anchor = view.procedure.anchor(index);
            view! { <PartView part=part.clone() anchor view=view.clone() /> }
        })
        .collect_view();
    let findings = view.findings.clone();
    let risk = view.risk();
    let runs = view.runs.clone();
    let slug = view.procedure.slug.clone();
    let can_start = view.plan.is_ok() && session.actor.may(Verb::StartRun).is_ok();
    view! {
        <Title text=title />
        <main id="main" class="page" data-kind="procedure" tabindex="-1">
            <Contents procedure=view.procedure.clone() findings=findings.len() runs=runs.len() />
            <article class="main stack" data-gap="large">
                <Head view=view.clone() can_start />
                {parts}
                <HealthPart session=session.clone() view=view.clone() />
                {(!findings.is_empty())
                    .then(|| {
                        view! {
                            <section class="part" id="findings" aria-labelledby="findings-title">
                                <h2 id="findings-title">"Findings for the author"</h2>
                                <Findings findings place=place_here />
                            </section>
                        }
                    })}
                <section class="part" id="runs" aria-labelledby="runs-title">
                    <div class="spread">
                        <h2 id="runs-title">"Last runs"</h2>
                        <a class="small" href=portal_path(format!("/history?procedure={slug}"))>
                            "All in the history"
                        </a>
                    </div>
                    {if runs.is_empty() {
                        view! { <p class="quiet small">"Nobody has run this procedure yet."</p> }.into_any()
                    } else {
                        view! { <LastRuns runs /> }.into_any()
                    }}
                </section>
                <div class="thumb-bar" data-until="56rem">
                    <RiskMark risk=risk />
                    {if can_start {
                        view! {
                            <a class="btn" data-kind="primary" href="#start" rel="external">
                                <Glyph sign=Sign::Play />
                                "Start run"
                            </a>
                        }
                            .into_any()
                    } else {
                        view! {
                            <a class="btn" href="#start" rel="external">
                                "Why you cannot start it"
                            </a>
                        }
                            .into_any()
                    }}
                </div>
            </article>
            <StartForm session view />
        </main>
    }
    .into_any()
}

#[component]
fn Head(view: ProcedureView, can_start: bool) -> impl IntoView {
    let procedure = &view.procedure;
    let risk = view.risk();
    let lead = procedure.parts.iter().enumerate().find(|(_, part)| is_lead(part));
    let lead = lead.map(|(_, part)| parts::prose_of(part));
    let emoji = procedure.emoji.clone().map(|emoji| view! { <span aria-hidden="true">{emoji}" "</span> });
    let closed = view.runs.iter().filter(|run| run.verdict.is_some()).count();
    let oldest_first = view.runs.iter().rev().cloned().collect::<Vec<_>>();
    let (first, last) = (procedure.line, procedure.end_line);
    let below = procedure.parts.iter().find(|part| !is_lead(part)).map_or(last, |part| part.line - 1);
    let anchors = line_anchors(&view.findings, first..=below);
    view! {
        <header class="page-head" id="summary">
            <nav class="crumb" aria-label="Breadcrumb">
                <ol>
                    <li>
                        <a href=portal_path("/#procedures") rel="external">"Procedures"</a>
                    </li>
                    <li>{view.document.title.clone()}</li>
                </ol>
            </nav>
            <h1>{anchors}{emoji}{procedure.title.clone()}</h1>
            {can_start
                .then(|| {
                    view! {
                        <div class="actions only-wide">
                            <a class="btn" data-kind="primary" data-key="r" href="#start" rel="external">
                                <Glyph sign=Sign::Play />
                                "Start run"
                                <kbd>"r"</kbd>
                            </a>
                        </div>
                    }
                })}
            {lead.map(|lead| view! { <div class="prose">{lead}</div> })}
            {view.schedule.clone().map(|schedule| view! { <Due schedule /> })}
            <div class="facts-line">
                <span>"up to " <RiskMark risk=risk /></span>
                <a href="#health" rel="external">
                    <HealthBadge mark=view.health.mark() />
                </a>
                {view
                    .usual
                    .map(|usual| {
                        view! {
                            <span>
                                <Glyph sign=Sign::Clock />
                                "usual "
                                {usual_words(usual)}
                            </span>
                        }
                    })}
                {(closed > 0).then(|| view! { <span><HealthInWords runs=oldest_first /></span> })}
                {procedure.settings.visible_to.as_ref().map(|groups| view! { <span>"limited to "{readers(groups)}</span> })}
                <a href=portal_path("/documents")>
                    <Glyph sign=Sign::File />
                    {format!("{}, lines {first} to {last}", view.document.path)}
                </a>
            </div>
        </header>
    }
    .into_any()
}

/// When the procedure is due by itself, and what was missed.
#[component]
fn Due(schedule: ScheduleView) -> impl IntoView {
    let ScheduleView { cron, zone, owner, next, run, missed } = schedule;
    let last = run.map(|run| {
        view! {
            <span>
                "last started "
                <a href=portal_path(format!("/runs/{run}"))>{format!("run {run}")}</a>
            </span>
        }
    });
    let next = match next {
        Some(next) => view! { <time datetime=next.iso()>{format!("due {}", next.absolute())}</time> }.into_any(),
        None => view! { <b>"never due: no month has such a day"</b> }.into_any(),
    };
    let missed = missed.map(|Missed { due, times, why }| {
        view! {
            <div class="callout" data-tone="warn">
                <Glyph sign=Sign::Warning />
                <p class="head">{format!("Missed {}", time::counted(times, "time"))}</p>
                <p>{format!("It was due {}, and no run was started. {why}", due.absolute())}</p>
            </div>
        }
    });
    view! {
        <p class="facts-line">
            <span>
                <Glyph sign=Sign::Clock />
                {next}
            </span>
            <span>
                "schedule "
                <code>{cron}</code>
                {format!(" in {zone}, for {owner}")}
            </span>
            {last}
        </p>
        {missed}
    }
    .into_any()
}

/// The text before the first part stands in the head of the page, not among the parts.
fn is_lead(part: &Part) -> bool {
    part.kind == PartKind::Summary
}

/// What a part is called on the page: its own heading.
pub fn heading(part: &Part) -> String {
    match (part.title.is_empty(), part.kind) {
        (false, _) => part.title.clone(),
        (true, PartKind::Stray) => "Stray text".to_owned(),
        (true, _) => "Text".to_owned(),
    }
}

/// The place of a finding on the page of its procedure. A line of the side file has none.
pub fn line_anchor(finding: &Finding) -> Option<String> {
    finding.file.is_none().then(|| format!("line-{}", finding.line))
}

fn place_here(finding: &Finding) -> Option<String> {
    line_anchor(finding).map(|anchor| format!("#{anchor}"))
}
