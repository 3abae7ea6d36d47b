//! The decision itself: two clocks, two ticks, a reason, a code, and two buttons that say what they do.

use domain::run::{Approval, Request, RequestEnd, RequestStatus};
use domain::view::DecisionView;
use domain::{Timestamp, time};
use leptos::prelude::*;

use crate::api::approvals::{CancelApproval, Decide, ReviewGlass};
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::command_text::visible;
use crate::components::factor::FactorFields;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::left::{Left, left};
use crate::components::problem::Refused;

/// The panel beside the evidence.
#[component]
pub fn Deciding(view: DecisionView, request: Request, steps: String) -> impl IntoView {
    let waits = view.status == RequestStatus::Waiting;
    // Once it was decided nobody is needed any more, whatever becomes of it.
    let needed = match request.leads {
        leads if !waits || leads == 0 => String::new(),
        1 => "1 lead needed".to_owned(),
        leads => format!("{} of {leads} leads", request.approvals.len()),
    };
    let body = match (waits, &view.cannot) {
        (true, None) => view! { <DecideForm view=view.clone() request=request.clone() steps /> }.into_any(),
        (true, Some(cannot)) => view! { <p class="note">{cannot.clone()}</p> }.into_any(),
        (false, _) => outcome(&view, &request),
    };
    view! {
        <div class="panel decide" id="decision">
            <header>
                <h2 id="decide-title">{if waits { "Your decision" } else { "Decision" }}</h2>
                <span>{needed}</span>
            </header>
            {waits.then(|| clocks(&request))}
            {approvals(&request.approvals)}
            {body}
            {request.glass.is_some().then(|| view! { <Review view=view.clone() request=request.clone() /> })}
            {view.status.is_live().then(|| view! { <TakeBack view=view.clone() /> })}
        </div>
    }
    .into_any()
}

fn clocks(request: &Request) -> AnyView {
    let within = left(Timestamp(0).plus(request.start_within_ms), Timestamp(0));
    view! {
        <div class="clocks">
            <div class="clock">
                <span class="cap">"Request ends in"</span>
                <span class="figure">
                    <Left until=request.expires />
                </span>
                <span class="cap">{format!("at {} UTC", request.expires.time_of_day())}</span>
            </div>
            <div class="clock">
                <span class="cap">"Then start within"</span>
                <span class="figure">{within}</span>
                <span class="cap">"of your approval"</span>
            </div>
        </div>
    }
    .into_any()
}

fn approvals(approvals: &[Approval]) -> AnyView {
    let rows = approvals
        .iter()
        .map(|approval| {
            let more = match (approval.retry, approval.rollback) {
                (true, true) => ", with one retry and the rollback",
                (true, false) => ", with one retry",
                (false, true) => ", with the rollback",
                (false, false) => "",
            };
            let comment = (!approval.comment.is_empty()).then(|| view! { <q>{visible(approval.comment.clone())}</q> });
            view! {
                <li>
                    <Glyph sign=Sign::State(domain::run::StepStatus::Done) />
                    <span>
                        {visible(format!("{} approved{more} ", approval.stamp.by.name()))}
                        <Ago at=approval.stamp.at />
                        {format!(", by {}. ", approval.factor)}
                        {comment}
                    </span>
                </li>
            }
        })
        .collect_view();
    (!approvals.is_empty()).then(|| view! { <ul class="approvals">{rows}</ul> }).into_any()
}

#[component]
fn DecideForm(view: DecisionView, request: Request, steps: String) -> impl IntoView {
    let action = ServerAction::<Decide>::new();
    let problem = Signal::derive(move || {
        action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().err().map(ToString::to_string)))
    });
    let fields = hidden(view.run.id, &[("request", view.number.to_string())]);
    let with_rollback = request.covers.iter().any(|covered| covered.rollback);
    let hour = time::span(request.rollback_within_ms);
    let void =
        "Your approval becomes void if plan, values, target, the files of the evidence, the rules or a role change.";
    view! {
        <ActionForm action attr:class="deed">
            {fields}
            <label class="tick-row">
                <input type="checkbox" name="also[retry]" value="on" />
                <span>
                    "And one retry of the same bytes"
                    <span class="help">"Once, when an approved step ends badly."</span>
                </span>
            </label>
            {with_rollback
                .then(|| {
                    view! {
                        <label class="tick-row">
                            <input type="checkbox" name="also[rollback]" value="on" />
                            <span>
                                "And the document’s rollback"
                                <span class="help">{format!("Once, within {hour} of a failure.")}</span>
                            </span>
                        </label>
                    }
                })}
            <div class="field">
                <label for="reason">"Reason " <span class="quiet">"needed to reject"</span></label>
                <textarea class="input" id="reason" name="reason" rows="2"></textarea>
                <span class="help">"Stands in the record for ever, with your name."</span>
            </div>
            {if view.factors.any() {
                let with_passkey = vec![
                    ("Reject with a passkey".to_owned(), "reject"),
                    (format!("Approve “{steps}” with a passkey"), "approve"),
                ];
                view! { <FactorFields factors=view.factors id="decision" with_passkey /> }.into_any()
            } else {
                no_factor("A decision", ". Without one you can still take the request back, below.")
            }}
            <Refused problem />
            // What the return key does in a field: nothing.
            <button type="submit" disabled hidden aria-hidden="true" tabindex="-1">
                "Enter decides nothing"
            </button>
            <div class="stack" data-gap="tight">
                <button
                    class="btn"
                    type="submit"
                    data-wide
                    name="decision"
                    value="reject"
                    data-proven="reject"
                    disabled=move || action.pending().get() || !view.factors.any()
                >
                    {format!("Reject request {}-{}", view.run.id, view.number)}
                </button>
                <button
                    class="btn"
                    data-kind="destroys"
                    type="submit"
                    data-wide
                    name="decision"
                    value="approve"
                    data-proven="approve"
                    disabled=move || action.pending().get() || !view.factors.any()
                >
                    {visible(format!("Approve “{steps}”"))}
                </button>
            </div>
            <p class="quiet small">{void}</p>
        </ActionForm>
    }
    .into_any()
}

/// What who has no second factor cannot do, and what they still can.
pub fn no_factor(what: &'static str, else_can: &'static str) -> AnyView {
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">"You have no second factor yet"</p>
            <p>
                {what} " takes one. " <a href=portal_path("/account")>"Set it up on your account page"</a> {else_can}
            </p>
        </div>
    }
    .into_any()
}

/// What became of a request.
fn outcome(view: &DecisionView, request: &Request) -> AnyView {
    let moment = |at: Timestamp| view! { <Ago at /> };
    match &request.end {
        Some(RequestEnd::Rejected { stamp, reason }) => view! {
            <p>{visible(format!("{} said no ", stamp.by.name()))} {moment(stamp.at)} ": "<q>{visible(reason.clone())}</q></p>
        }
        .into_any(),
        Some(RequestEnd::Cancelled { stamp, reason }) => {
            let reason = (!reason.is_empty()).then(|| view! { ": "<q>{visible(reason.clone())}</q> });
            view! { <p>{visible(format!("{} took it back ", stamp.by.name()))} {moment(stamp.at)} {reason}</p> }.into_any()
        }
        Some(RequestEnd::Expired { at }) => {
            let words = match request.approved_at() {
                Some(_) => "It was approved, and not started in time; it expired ",
                None => "Nobody decided in time; it expired ",
            };
            view! { <p>{words} {moment(*at)} "."</p> }.into_any()
        }
        Some(RequestEnd::Void { at, why }) => {
            let rows = why.iter().map(|one| view! { <li>{visible(one.to_string())}</li> }).collect_view();
            view! {
                <p>"It became void " {moment(*at)} ", because something is not as it was:"</p>
                <ul class="plain-list">{rows}</ul>
            }
            .into_any()
        }
        None => standing(view, request),
    }
}

fn standing(view: &DecisionView, request: &Request) -> AnyView {
    if let Some(attempt) = view.run.runs_under(request) {
        let how = if request.glass.is_some() { "It runs without an approval" } else { "It was approved, and runs" };
        return view! {
            <p>
                {visible(format!("{how}: {} started it ", attempt.started.by.name()))}
                <Ago at=attempt.started.at /> "."
            </p>
        }
        .into_any();
    }
    match (view.status, view.start_until) {
        (RequestStatus::Used, _) => view! { <p>"What was approved has been started."</p> }.into_any(),
        (RequestStatus::Approved, Some(until)) => view! {
            <p>
                "It has to start within " <Left until /> {format!(", until {} UTC.", until.time_of_day())}
            </p>
        }
        .into_any(),
        (RequestStatus::Expired, Some(until)) => {
            let words = format!("It was not started in time: the approval held until {} UTC.", until.time_of_day());
            view! { <p>{words}</p> }.into_any()
        }
        _ => {
            let words = format!("Nobody decided until {} UTC.", request.expires.time_of_day());
            view! { <p>{words}</p> }.into_any()
        }
    }
}

/// The way to take a request or an approval back that was not used yet.
#[component]
fn TakeBack(view: DecisionView) -> impl IntoView {
    let action = ServerAction::<CancelApproval>::new();
    let problem = Signal::derive(move || {
        action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().err().map(ToString::to_string)))
    });
    let fields = hidden(view.run.id, &[("request", view.number.to_string())]);
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Take it back…"
            </summary>
            <ActionForm action attr:class="deed">
                {fields}
                <div class="field">
                    <label>"Why" <input class="input" name="reason" autocomplete="off" /></label>
                </div>
                <Refused problem />
                <button class="btn" type="submit" disabled=action.pending()>
                    {format!("Take back request {}-{}", view.run.id, view.number)}
                </button>
                <span class="help">"For who works in the run, and for leads. Nothing starts under it then."</span>
            </ActionForm>
        </details>
    }
    .into_any()
}

/// A broken glass, and the way to review it.
#[component]
fn Review(view: DecisionView, request: Request) -> impl IntoView {
    let action = ServerAction::<ReviewGlass>::new();
    let problem = Signal::derive(move || {
        action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().err().map(ToString::to_string)))
    });
    let fields = hidden(view.run.id, &[("request", view.number.to_string())]);
    let review = request.glass.and_then(|glass| glass.review);
    let what = if request.uses.is_empty() { "may start" } else { "has started" };
    let started = format!("{} {what} this without an approval.", request.asked.by.name());
    match review {
        Some((stamp, comment)) => view! {
            <p>{visible(started)}</p>
            <p>{visible(format!("{} reviewed it ", stamp.by.name()))} <Ago at=stamp.at /> ": "<q>{visible(comment)}</q></p>
        }
        .into_any(),
        None => view! {
            <p>{visible(started)} " Nobody has reviewed it yet."</p>
            <ActionForm action attr:class="deed">
                {fields}
                <div class="field">
                    <label>"What you found" <input class="input" name="comment" autocomplete="off" required /></label>
                </div>
                <Refused problem />
                <button class="btn" data-kind="primary" type="submit" disabled=action.pending()>
                    {format!("Mark request {}-{} as reviewed", view.run.id, view.number)}
                </button>
                <span class="help">"For another lead or an administrator. Stands in the record for ever."</span>
            </ActionForm>
        }
        .into_any(),
    }
}
