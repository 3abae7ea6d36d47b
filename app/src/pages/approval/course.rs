//! Where the run stands of which a request asks something.

use domain::plan::PlanStep;
use domain::run::{Leg, Request, Run, course_words};
use leptos::prelude::*;

use crate::components::command_text::visible;
use crate::components::glyph::{Glyph, Sign};
use crate::pages::run::rail::{number, why};

/// The steps of the run with their state. On a phone they are folded, with the count as the fold's words; both stand in the
/// page, since a fold cannot know how wide it is.
#[component]
pub fn Course(run: Run, request: Request) -> impl IntoView {
    let legs = run.course();
    let words = course_words(&legs);
    let rows = || legs.iter().filter_map(|leg| row(&run, &request, leg)).collect_view();
    view! {
        <section class="course" aria-labelledby="course-title">
            <div class="spread">
                <h2 id="course-title">"Where the run stands"</h2>
                <span class="quiet small from-tablet">{words.clone()}</span>
            </div>
            <ol class="from-tablet">{rows()}</ol>
            <details class="fold on-phone">
                <summary>
                    <Glyph sign=Sign::Fold />
                    {words.clone()}
                </summary>
                <ol>{rows()}</ol>
            </details>
        </section>
    }
    .into_any()
}

fn row(run: &Run, request: &Request, leg: &Leg) -> Option<AnyView> {
    let plan = run.plan.step(leg.step)?;
    let asked = request.covers.iter().any(|covered| covered.step == leg.step);
    let here = leg.current.then(|| view! { <span class="badge">"the run is here"</span> });
    let asked = asked.then(|| view! { <span class="badge" data-tone="warn">"asked for"</span> });
    Some(
        view! {
            <li data-state=leg.status.word() aria-current=leg.current.then_some("step")>
                <Glyph sign=Sign::State(leg.status) label=leg.status.word() />
                <span>
                    <span class="no">{number(plan)}</span>
                    " "
                    {visible(plan.title.clone())}
                    " "
                    {here}
                    " "
                    {asked}
                    {more(run, plan, leg).map(|more| view! { <span class="why">{visible(more)}</span> })}
                </span>
            </li>
        }
        .into_any(),
    )
}

/// Why it was skipped, what stopped it, who added it and why.
fn more(run: &Run, plan: &PlanStep, leg: &Leg) -> Option<String> {
    let added = plan.ad_hoc.as_ref().map(|added| format!("added by hand: {}", added.reason));
    let waits = leg.status == domain::run::StepStatus::Waiting;
    let why = run.step(leg.step).filter(|_| !waits).and_then(|state| why(plan, state, leg.status));
    let words: Vec<String> = why.into_iter().chain(added).collect();
    (!words.is_empty()).then(|| words.join("; "))
}
