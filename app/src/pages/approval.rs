//! The page on which a request is decided: what will run, on what, with which evidence, and two buttons.

mod course;
pub mod deciding;
mod parts;

use domain::RunId;
use domain::run::{Request, RequestStatus, Run};
use domain::text::one_line;
use domain::view::DecisionView;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::AppError;
use crate::api::approvals::decision;
use crate::base::portal_path;
use crate::clock::Clock;
use crate::components::ago::Ago;
use crate::components::command_text::visible;
use crate::components::risk::RiskMark;
use crate::components::state::StateMark;
use crate::loaded::loaded;
use crate::pages::approvals::RequestMark;
use crate::pages::run::facts::lines;
use crate::waiting::news;

use course::Course;
use deciding::Deciding;
use parts::{Against, EarlierRuns, EvidenceList, Rollback, WhatRuns};

/// Characters of a tab's title.
const TITLE: usize = 200;

/// `/approvals/{run}-{request}`
#[component]
pub fn ApprovalPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get_str("id").and_then(numbers));
    let news = news();
    let view = Resource::new(
        move || (id.get(), news.get()),
        |(id, _)| async move {
            let (run, request) = id.ok_or(AppError::NotFound)?;
            decision(run, request).await
        },
    );
    loaded(view, |_, view| view! { <Decision view /> })
}

/// The run and the request of an address, as `12-1`.
fn numbers(id: &str) -> Option<(RunId, u32)> {
    let (run, request) = id.split_once('-')?;
    Some((RunId(run.parse().ok()?), request.parse().ok()?))
}

/// The titles of the steps that a request covers.
fn steps_of(run: &Run, request: &Request) -> String {
    let titles = request.steps().filter_map(|covered| run.plan.step(covered.step));
    titles.map(|plan| plan.title.clone()).collect::<Vec<_>>().join(", ")
}

#[component]
fn Decision(view: DecisionView) -> impl IntoView {
    Clock::start(view.now);
    let Some(request) = view.request().cloned() else { return ().into_any() };
    let steps = steps_of(&view.run, &request);
    let target = view.run.plan.target.name.clone();
    let title = one_line(&format!("Approve: {steps} on {target}"), TITLE);
    let covered = || request.steps().filter_map(|covered| view.run.plan.step(covered.step));
    let risk = covered().map(|plan| plan.risk).max().unwrap_or_default();
    let decide = if view.status == RequestStatus::Waiting { "Decide" } else { "Decision" };
    view! {
        <Title text=title />
        <main id="main" class="page" data-kind="decision" tabindex="-1">
            <header class="page-head">
                <nav class="crumb" aria-label="Breadcrumb">
                    <ol>
                        <li>
                            <a href=portal_path("/approvals")>"Approvals"</a>
                        </li>
                        <li>{format!("Request {}-{}", view.run.id, view.number)}</li>
                    </ol>
                </nav>
                <h1>{visible(format!("{steps} on {target}"))}</h1>
                <div class="facts-line">
                    <RiskMark risk />
                    {standing(&view, &request)}
                    <span>
                        "asked "
                        <Ago at=request.asked.at />
                    </span>
                    <a href=portal_path(format!("/runs/{}", view.run.id))>
                        {visible(format!("run {}, {}", view.run.id, view.run.plan.title))}
                    </a>
                </div>
            </header>
            <div class="main stack" data-gap="large">
                <Why request=request.clone() />
                <Course run=(*view.run).clone() request=request.clone() />
                <WhatRuns view=view.clone() request=request.clone() />
                <Against view=view.clone() />
                <EvidenceList evidence=request.evidence.clone() />
                <EarlierRuns runs=view.runs.clone() />
                <Rollback run=(*view.run).clone() request=request.clone() />
                <div class="thumb-bar">
                    <span class="row">{standing(&view, &request)}</span>
                    <a class="btn" data-kind="primary" href="#decision" rel="external">
                        {decide}
                    </a>
                </div>
            </div>
            <aside class="aside" aria-labelledby="decide-title">
                <Deciding view request steps />
            </aside>
        </main>
    }
    .into_any()
}

/// Where the request stands; while a step runs under it, also where that stands.
fn standing(view: &DecisionView, request: &Request) -> AnyView {
    let glass = request.glass.is_some();
    let Some(open) = view.run.open_attempt().filter(|_| view.run.runs_under(request).is_some()) else {
        return view! { <RequestMark status=view.status glass /> }.into_any();
    };
    view! {
        <RequestMark status=RequestStatus::Approved glass />
        <StateMark status=view.run.status(open.step) />
    }
    .into_any()
}

/// The operator's own words.
#[component]
fn Why(request: Request) -> impl IntoView {
    let by = format!("{}, {}", request.asked.by.name(), request.asked.at.absolute());
    view! {
        <section class="stack" data-gap="small" aria-labelledby="why-title">
            <h2 class="sr" id="why-title">
                "Why it is asked for"
            </h2>
            <blockquote class="reason">
                <p>{lines(&request.reason)}</p>
                <footer>{visible(by)}</footer>
            </blockquote>
        </section>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_run_and_a_request() {
        assert_eq!(numbers("12-3"), Some((RunId(12), 3)));
        for other in ["12", "a-1", "12-", "-1", "12-1-1"] {
            assert_eq!(numbers(other), None, "{other}");
        }
    }
}
