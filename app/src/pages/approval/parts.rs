//! What an approver reads before the decision.

use domain::approval::{Difference, Evidence};
use domain::attempt::WorkCommand;
use domain::run::{Covered, Request, Run};
use domain::runbook::{PartKind, StepContent};
use domain::time;
use domain::view::{DecisionView, EarlierRun, LastApproved, Rejection};
use leptos::prelude::*;

use crate::base::portal_path;
use crate::components::ago::Ago;
use crate::components::command::CommandCard;
use crate::components::command_text::{Bytes, Visible, visible};
use crate::components::evidence::evidence_row;
use crate::components::glyph::{Glyph, Sign};
use crate::components::prose::ProseView;
use crate::components::run_lists::duration_words;
use crate::components::state::RunMark;
use crate::pages::run::facts::target_words;

/// The covered steps with their exact bytes and values.
#[component]
pub fn WhatRuns(view: DecisionView, request: Request) -> impl IntoView {
    let steps = request.steps().map(|covered| step(&view.run, &request, covered)).collect_view();
    view! {
        <section class="part" aria-labelledby="runs-title">
            <div class="spread">
                <h2 id="runs-title">"What the portal will run"</h2>
                <span class="quiet small">
                    "plan "
                    <code title=view.run.plan.digest().to_string()>{view.run.plan.digest().short()}</code>
                    ", frozen "
                    <Ago at=view.run.started.at />
                </span>
            </div>
            {steps}
        </section>
    }
    .into_any()
}

fn step(run: &Run, request: &Request, covered: &Covered) -> AnyView {
    let Some(plan) = run.plan.step(covered.step) else { return ().into_any() };
    let id = format!("covered-{}", covered.step);
    let label = id.clone();
    let secrets: Vec<String> = covered.work.secrets.keys().cloned().collect();
    let cards = covered
        .commands
        .iter()
        .filter_map(|number| plan.command(*number))
        .map(|command| {
            let values = covered.work.environment.clone();
            view! { <CommandCard command=command.clone() values secrets=secrets.clone() /> }
        })
        .collect_view();
    view! {
        <section class="step" aria-labelledby=label>
            <header>
                <span class="no">{plan.number}</span>
                <h3 id=id>{visible(plan.title.clone())}</h3>
            </header>
            {cards}
            {facts(run, request, covered)}
            {bytes(&covered.work.commands, covered)}
        </section>
    }
    .into_any()
}

fn facts(run: &Run, request: &Request, covered: &Covered) -> AnyView {
    let work = &covered.work;
    let limit = work
        .timeout_ms
        .map_or_else(|| "no time limit".to_owned(), |limit| format!("stopped after {}", time::span(limit)));
    let secrets = work.secrets.keys().cloned().collect::<Vec<_>>().join(", ");
    let carried = work.carried.as_ref().map(|carried| {
        let from = run.plan.step(carried.step).map_or_else(String::new, |plan| plan.title.clone());
        format!(
            "{}, as “{from}” has exported them; their values stay in the folder of that attempt",
            carried.names.join(", ")
        )
    });
    view! {
        <dl class="facts">
            <dt>"Target"</dt>
            <dd>
                {target_words(run)}
                {run.plan.target.production.then_some(", production")}
            </dd>
            <dt>"Directory"</dt>
            <dd>
                <span class="value">
                    <Visible text=work.directory.clone() />
                </span>
            </dd>
            <dt>"Runs as"</dt>
            <dd>{visible(run.holder.by.name())}</dd>
            <dt>"Limits"</dt>
            <dd>{format!("{limit}, output kept up to {}", time::size(work.output_cap))}</dd>
            {covered.need.as_ref().map(|need| view! { <dt>"Why a lead"</dt><dd>{visible(need.words())}"."</dd> })}
            {request.end.is_none().then(|| moving(run, covered))}
            {(!secrets.is_empty()).then(|| view! { <dt>"Secrets"</dt><dd>{visible(secrets)}</dd> })}
            {carried.map(|carried| view! { <dt>"Carried over"</dt><dd>{visible(carried)}</dd> })}
        </dl>
        {environment(covered)}
    }
    .into_any()
}

/// Steps before it that are still to run and change what it is given: each makes the request void.
fn moving(run: &Run, covered: &Covered) -> Option<AnyView> {
    let movers = run.movers_before(covered.step);
    let rows: Vec<AnyView> =
        movers.iter().map(|mover| view! { <li>{visible(mover.words())}"."</li> }.into_any()).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <dt>"Not settled"</dt>
            <dd data-tone="warn">
                "This request is void as soon as one of these steps has run:"
                <ul class="plain-list">{rows}</ul>
            </dd>
        }
        .into_any()
    })
}

/// Everything that the shell finds in its environment, name by name.
fn environment(covered: &Covered) -> AnyView {
    let rows = covered
        .work
        .environment
        .iter()
        .map(|(name, value)| view! { <dt>{visible(name.clone())}</dt><dd class="value"><Visible text=value.clone() /></dd> })
        .collect_view();
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                {format!("Environment: {} variables", covered.work.environment.len())}
            </summary>
            <dl class="facts">{rows}</dl>
        </details>
    }
    .into_any()
}

/// The bytes with blanks and line ends drawn as marks, so that nothing can hide.
fn bytes(commands: &[WorkCommand], covered: &Covered) -> AnyView {
    let scripts = commands.iter().map(|command| command.script.trim_end_matches('\n'));
    let text: String = scripts.flat_map(|script| [script, "\n"]).collect();
    let said = if text.chars().all(|character| character == '\n' || (' '..='~').contains(&character)) {
        "plain ASCII"
    } else {
        "with characters beyond ASCII"
    };
    let length = time::thousands(text.len() as u64);
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                {format!("Exact bytes: {length}, {said}")}
            </summary>
            <div class="bytes">
                <pre tabindex="0" aria-label="Exact bytes with blanks made visible"><Bytes text /></pre>
                <p>
                    "SHA-256 of all that the step is given: " <code>{covered.digest().to_string()}</code>
                </p>
            </div>
        </details>
    }
    .into_any()
}

/// How this differs from what was approved last, and earlier rejections of the same.
#[component]
pub fn Against(view: DecisionView) -> impl IntoView {
    let rejections = view.rejections.iter().map(rejection).collect_view();
    view! {
        <section class="part" aria-labelledby="against-title">
            {match &view.last {
                Some(last) => against(last),
                None => view! {
                    <h2 id="against-title">"Against the last approved run"</h2>
                    <p class="quiet small">"Nothing of this procedure was approved and run before."</p>
                }
                .into_any(),
            }}
            {rejections}
        </section>
    }
    .into_any()
}

fn against(last: &LastApproved) -> AnyView {
    let count = match last.differences.len() {
        0 => "commands, values and target are identical".to_owned(),
        1 => "1 difference".to_owned(),
        count => format!("{count} differences"),
    };
    let by = visible(format!("approved by {}", last.by));
    let rows = last.differences.iter().map(difference).collect_view();
    view! {
        <div class="spread">
            <h2 id="against-title">"Against the last approved run"</h2>
            <a class="small" href=portal_path(format!("/runs/{}", last.run))>
                {format!("run {}, ", last.run)}
                <Ago at=last.at />
            </a>
        </div>
        <div class="diff">
            <header>
                <span>{count}</span>
                <span>{by}</span>
            </header>
            <ol>{rows}</ol>
        </div>
    }
    .into_any()
}

fn difference(difference: &Difference) -> AnyView {
    let Difference { what, approved, now } = difference;
    let row = |sign: &'static str, shown: &'static str, text: &String| {
        (!text.is_empty()).then(|| {
            view! {
                <li data-sign=sign>
                    <span></span>
                    <span>{shown}</span>
                    <span>
                        {visible(format!("{what}: "))}
                        <Visible text=text.clone() />
                    </span>
                </li>
            }
        })
    };
    if approved.is_empty() && now.is_empty() {
        let what = visible(what.clone());
        return view! { <li><span></span><span>"≠"</span><span>{what}</span></li> }.into_any();
    }
    view! {
        {row("-", "−", approved)}
        {row("+", "+", now)}
    }
    .into_any()
}

fn rejection(rejection: &Rejection) -> AnyView {
    let Rejection { row, again, reason } = rejection;
    let by = row.decided_by.clone().unwrap_or_default();
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">
                {visible(format!("{by} said no to {} ", again.words()))}
                <Ago at=row.decided.unwrap_or(row.asked) />
                ", "
                <a href=portal_path(row.address())>{format!("request {}-{}", row.run, row.request)}</a>
            </p>
            <p>
                <q>{visible(reason.clone())}</q>
            </p>
        </div>
    }
    .into_any()
}

/// What the portal saw.
#[component]
pub fn EvidenceList(evidence: Evidence) -> impl IntoView {
    if evidence.items.is_empty() {
        return ().into_any();
    }
    let rows = evidence.items.iter().map(evidence_row).collect_view();
    view! {
        <section class="part" aria-labelledby="evidence-title">
            <div class="spread">
                <h2 id="evidence-title">"Evidence"</h2>
                <span class="quiet small">
                    "collected by the portal "
                    <Ago at=evidence.at />
                    ", by looking only"
                </span>
            </div>
            <ul class="checks">{rows}</ul>
        </section>
    }
    .into_any()
}

/// The last runs of the procedure, with who approved in them.
#[component]
pub fn EarlierRuns(runs: Vec<EarlierRun>) -> impl IntoView {
    if runs.is_empty() {
        return ().into_any();
    }
    let rows = runs
        .into_iter()
        .map(|EarlierRun { row, approved_by }| {
            let who = std::iter::once(row.by.clone()).chain(approved_by).collect::<Vec<_>>().join(", ");
            view! {
                <tr>
                    <th scope="row">
                        <a href=portal_path(format!("/runs/{}", row.id))>{row.id.to_string()}</a>
                        " "
                        {visible(row.target.clone())}
                    </th>
                    <td>
                        <RunMark row=row.clone() />
                    </td>
                    <td class="soft">{visible(who)}</td>
                    <td class="quiet">
                        <Ago at=row.started />
                    </td>
                    <td class="num">{duration_words(&row)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="part" aria-labelledby="earlier-title">
            <h2 id="earlier-title">"Last runs of this procedure"</h2>
            <table class="table" data-cards>
                <caption class="sr">"The last runs of this procedure"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Run"</th>
                        <th scope="col">"Verdict"</th>
                        <th scope="col">"Who, approved by"</th>
                        <th scope="col">"Started"</th>
                        <th scope="col" class="num">"Duration"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// What the document says for the case that it goes wrong.
#[component]
pub fn Rollback(run: Run, request: Request) -> impl IntoView {
    let prose = run.plan.steps.iter().filter(|step| step.part == PartKind::Rollback).flat_map(|step| &step.content);
    let prose = prose.filter_map(|content| match content {
        StepContent::Prose { prose } => Some(prose.clone()),
        _ => None,
    });
    let prose: Vec<_> = prose.collect();
    let is_there = run.plan.steps.iter().any(|step| step.part == PartKind::Rollback);
    let covered: Vec<&Covered> = request.covers.iter().filter(|covered| covered.rollback).collect();
    let within = time::span(request.rollback_within_ms);
    let words = match (is_there, covered.is_empty()) {
        (false, _) => "The document has no rollback.".to_owned(),
        (true, false) => {
            format!("You can approve this with the step: it may then start once, within {within} of a failure.")
        }
        (true, true) => {
            "Nothing of the document’s rollback needs an approval, or its values are not known yet: it takes a request of its own."
                .to_owned()
        }
    };
    let steps = covered.into_iter().map(|covered| step(&run, &request, covered)).collect_view();
    view! {
        <section class="part" aria-labelledby="rollback-title">
            <h2 id="rollback-title">"If it goes wrong"</h2>
            <div class="prose">
                <ProseView prose />
            </div>
            <p class="quiet small">{words}</p>
            {steps}
        </section>
    }
    .into_any()
}
