//! Approvals on the page of a run: what needs a lead, asked before the outage and not in it; what was decided; the way in an
//! emergency.

use domain::Timestamp;
use domain::policy::Role;
use domain::run::{Mover, Request, RequestEnd, RequestStatus, Run};
use domain::time;
use domain::view::{ApprovalGround, approval_address};
use leptos::prelude::*;

use super::notices::{RefusedHere, answering};
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::command_text::visible;
use crate::components::factor::FactorFields;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::left::Left;
use crate::deeds::{Deeds, Place, holds};
use crate::live::Live;
use crate::pages::approval::deciding::no_factor;

/// A set of commands that needs an approval and has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Needed {
    step: u32,
    commands: Vec<u32>,
    /// `step 3, Restore database`
    words: String,
    /// The values that are missing first.
    missing: Vec<String>,
    /// Why it needs one.
    why: String,
    /// The steps before it that would make an approval void.
    moves: Vec<Mover>,
}

impl Needed {
    /// The field's name in a form.
    fn field(&self) -> String {
        let commands = self.commands.iter().map(u32::to_string).collect::<Vec<_>>().join("-");
        format!("wanted[s{}.{commands}]", self.step)
    }
}

/// What of a run needs an approval and has none, in the order of the plan.
fn needed(run: &Run, ground: &ApprovalGround) -> Vec<Needed> {
    let mut found = Vec::new();
    for (step, plan) in (1..).zip(&run.plan.steps) {
        // What runs has been started already: it needs nobody, unless it ends badly.
        let runs = run.open_attempt().is_some_and(|open| open.step == step);
        if runs || run.status(step).is_over() || !plan.is_run() {
            continue;
        }
        // A rollback waits until there is something to take back, and is asked for with the step that can fail before that.
        let waits = !plan.is_on_the_way() && plan.ad_hoc.is_none() && !has_begun(run, ground) && !is_at_the_end(run);
        for offer in run.sets(step).into_iter().filter(|_| !waits) {
            let worst = offer.commands.iter().filter_map(|number| plan.command(*number)).map(|one| one.risk).max();
            let need = ground.rules.need(&run.plan, plan, worst.unwrap_or_default(), ground.now);
            let asked = run.requests.iter().any(|request| {
                run.request_status(request, ground.now).is_live()
                    && request.covers.iter().any(|covered| covered.step == step && covered.commands == offer.commands)
            });
            if let Some(need) = need.filter(|_| !asked) {
                found.push(Needed {
                    step,
                    words: format!("{}, {}", super::actions::called(plan), choice_words(&plan.title, &offer)),
                    missing: run.plan.labels(&run.missing_values(step, &offer.commands)),
                    why: need.words(),
                    moves: run.movers_before(step),
                    commands: offer.commands,
                });
            }
        }
    }
    found
}

fn choice_words(title: &str, offer: &domain::run::Offer) -> String {
    offer.choice.as_ref().map_or_else(|| title.to_owned(), |choice| format!("{title}: {}", choice.when))
}

/// Whether a step has stopped on the way, or one that needs an approval was started.
fn has_begun(run: &Run, ground: &ApprovalGround) -> bool {
    (1..).zip(&run.plan.steps).any(|(place, plan)| {
        let started = run.step(place).is_some_and(|state| !state.attempts.is_empty());
        let needs = ground.rules.need(&run.plan, plan, plan.risk, ground.now).is_some();
        run.status(place).needs_a_person() || started && needs
    })
}

/// Whether nothing is left on the way: what is left then is the rollback, which a person may want although all went well.
fn is_at_the_end(run: &Run) -> bool {
    (1..).zip(&run.plan.steps).all(|(place, plan)| !plan.is_on_the_way() || run.status(place).is_over())
}

/// Everything about approvals that an operator has to see.
#[component]
pub fn Approvals() -> impl IntoView {
    let live = Live::here();
    let place = Place::Approval;
    let mine = holds(live);
    let needed = Memo::new(move |_| live.run.with(|run| needed(run, &live.approvals())));
    let numbers = Memo::new(move |_| live.run.with(shown_requests));
    view! {
        <div on:submit=answering(place)>
            <For each=move || numbers.get() key=|number| *number let(number)>
                <Asked number />
            </For>
            <Show when=move || mine.get() && needed.with(|needed| !needed.is_empty())>
                <Ask needed />
            </Show>
            <RefusedHere place />
        </div>
    }
    .into_any()
}

/// The requests that say something about what comes next: those that live, and the last one that has ended otherwise.
fn shown_requests(run: &Run) -> Vec<u32> {
    let last = run.next_request() - 1;
    let open = |number: &u32| run.request(*number).is_some_and(|request| request.end.is_none());
    (1..=last).filter(|number| *number == last || open(number)).collect()
}

/// One request as it stands.
#[component]
fn Asked(number: u32) -> impl IntoView {
    let live = Live::here();
    let shown = Memo::new(move |_| {
        let now = live.approvals().now;
        live.run.with(|run| {
            let request = run.request(number)?;
            Some((run.request_status(request, now), request.clone(), run.start_until(request)))
        })
    });
    let status = Memo::new(move |_| shown.with(|shown| shown.as_ref().map(|(status, ..)| *status)));
    let runs =
        Memo::new(move |_| live.run.with(|run| run.request(number).is_some_and(|one| run.runs_under(one).is_some())));
    move || {
        let (status, runs) = (status.get()?, runs.get());
        let (_, request, until) = shown.get_untracked()?;
        let until = until.filter(|_| !runs);
        let steps = live.run.with_untracked(|run| titles(run, &request));
        let (tone, head) = if runs { running(&request, &steps) } else { head(status, &request, &steps) };
        Some(view! {
            <div class="callout" data-tone=tone role="status">
                <Glyph sign=Sign::NeedsApproval />
                <p class="head">
                    {visible(head)} " "
                    <a href=portal_path(approval_address(live.id(), number))>{format!("Request {}-{number}", live.id())}</a>
                </p>
                {more(status, &request, until)}
                {(status == RequestStatus::Waiting).then(|| view! { <Waits number request /> })}
            </div>
        })
    }
}

fn titles(run: &Run, request: &Request) -> String {
    let titles = request.steps().filter_map(|covered| run.plan.step(covered.step));
    titles.map(|plan| plan.title.clone()).collect::<Vec<_>>().join(", ")
}

fn head(status: RequestStatus, request: &Request, steps: &str) -> (&'static str, String) {
    if request.glass.is_some() {
        let went = if request.uses.is_empty() { "may start" } else { "was started" };
        return ("danger", format!("“{steps}” {went} without an approval."));
    }
    match status {
        RequestStatus::Waiting => ("warn", format!("“{steps}” waits for a lead.")),
        RequestStatus::Approved => ("ok", format!("“{steps}” is approved.")),
        RequestStatus::Used => ("quiet", format!("“{steps}” was approved and started.")),
        RequestStatus::Rejected => ("danger", format!("“{steps}” was rejected.")),
        RequestStatus::Cancelled => ("quiet", format!("The request for “{steps}” was taken back.")),
        RequestStatus::Expired => ("warn", format!("The request for “{steps}” has expired.")),
        RequestStatus::Void if request.approved_at().is_none() => {
            ("danger", format!("The request for “{steps}” is void: it is not any more what was asked for."))
        }
        RequestStatus::Void => ("danger", format!("The approval of “{steps}” is void.")),
    }
}

/// What there is to say while a step runs under it.
fn running(request: &Request, steps: &str) -> (&'static str, String) {
    match request.glass {
        Some(_) => ("danger", format!("“{steps}” runs without an approval.")),
        None => ("ok", format!("“{steps}” is approved, and runs.")),
    }
}

fn more(status: RequestStatus, request: &Request, until: Option<Timestamp>) -> AnyView {
    match (&request.end, status, until) {
        (Some(RequestEnd::Rejected { stamp, reason }), ..) => {
            view! { <p>{visible(format!("{}: ", stamp.by.name()))}<q>{visible(reason.clone())}</q></p> }.into_any()
        }
        (Some(RequestEnd::Cancelled { stamp, reason }), ..) => {
            view! { <p>{visible(format!("{}. {reason}", stamp.by.name()))}</p> }.into_any()
        }
        (Some(RequestEnd::Void { why, .. }), ..) => {
            let rows = why.iter().map(|one| view! { <li>{visible(one.to_string())}</li> }).collect_view();
            view! { <ul class="plain-list">{rows}</ul> }.into_any()
        }
        (None, RequestStatus::Approved, Some(until)) => {
            let by = request.approvals.iter().map(|approval| approval.stamp.by.name()).collect::<Vec<_>>().join(", ");
            let by = if request.glass.is_some() { request.reason.clone() } else { format!("By {by}.") };
            view! {
                <p>
                    {visible(by)} " It has to start within " <Left until /> {format!(", until {} UTC.", until.time_of_day())}
                </p>
            }
            .into_any()
        }
        _ => ().into_any(),
    }
}

/// A request that waits: until when, how long that usually takes, and the way to take it back.
#[component]
fn Waits(number: u32, request: Request) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let usual = live.approvals().usual_ms.map(|usual| format!(" A decision usually takes {}.", time::span(usual)));
    let fields = hidden(live.id(), &[("request", number.to_string())]);
    let missing =
        (request.leads > 1).then(|| format!(" {} of {} leads have approved.", request.approvals.len(), request.leads));
    let mine = holds(live);
    view! {
        <p>
            "Until " {request.expires.time_of_day()} " UTC, in " <Left until=request.expires /> "."
            {usual} {missing}
        </p>
        <ActionForm action=deeds.cancel_approval attr:class="actions" attr:hidden=move || !mine.get()>
            {fields}
            <button class="btn" data-kind="quiet" type="submit" disabled=deeds.cancel_approval.pending()>
                "Take it back"
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Asks for what needs an approval, and says so before anything is stopped.
#[component]
fn Ask(needed: Memo<Vec<Needed>>) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let number = Memo::new(move |_| live.run.with(Run::next_request));
    let rows = move || needed.get();
    let none = Memo::new(move |_| needed.with(|needed| needed.iter().all(|one| !one.missing.is_empty())));
    let usual = live.approvals().usual_ms.map(|usual| format!(" A decision usually takes {}.", time::span(usual)));
    view! {
        <section class="panel asking" data-box="" aria-labelledby="asking-title" id="asking">
            <header>
                <h2 id="asking-title">"Needs a lead"</h2>
                <span>"ask before anything is stopped"</span>
            </header>
            <ActionForm action=deeds.request_approval attr:class="deed asking">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="request" value=move || number.get() />
                <For each=rows key=|one| one.clone() let(one)>
                    <Tick one />
                </For>
                <div class="field">
                    <label>"Why, for the lead who decides" <input class="input" name="reason" autocomplete="off" required /></label>
                </div>
                <button
                    class="btn"
                    data-kind="primary"
                    type="submit"
                    disabled=move || deeds.request_approval.pending().get() || none.get()
                >
                    <Glyph sign=Sign::NeedsApproval />
                    "Ask for approval"
                </button>
                <span class="quiet small">
                    "A lead who has not touched this run decides, and sees exactly what will run." {usual}
                </span>
            </ActionForm>
            <Emergency needed number />
        </section>
    }
    .into_any()
}

#[component]
fn Tick(one: Needed) -> impl IntoView {
    let open = one.missing.is_empty();
    let mut help = vec![format!("{}.", one.why)];
    if open {
        help.extend(
            one.moves
                .iter()
                .map(|mover| format!("{}. That would make the approval void: run it first.", mover.words())),
        );
    } else {
        help.push(format!("Set {} first.", one.missing.join(", ")));
    }
    let help = help.into_iter().map(|line| view! { <span class="help">{visible(line)}</span> }).collect_view();
    view! {
        <label class="tick-row">
            <input type="checkbox" name=one.field() value="on" checked=open disabled=!open />
            <span>
                {visible(one.words.clone())}
                {help}
            </span>
        </label>
    }
    .into_any()
}

/// In an emergency: the way for who may go on alone, and who that is for everybody else.
#[component]
fn Emergency(needed: Memo<Vec<Needed>>, number: Memo<u32>) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let rows = move || needed.get();
    let Some(least) = live.approvals().rules.break_glass else {
        return view! { <p class="quiet small">"Nobody may start this without an approval."</p> }.into_any();
    };
    if live.actor().role < least {
        let who = if least == Role::Lead { "A lead" } else { "An administrator" };
        let words = format!(
            "In an emergency: {who} can take this run over and start it alone. It is marked for ever and reviewed."
        );
        return view! { <p class="quiet small">{words}</p> }.into_any();
    }
    let factors = live.approvals().factors;
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Warning />
                "Emergency: go on without an approval…"
            </summary>
            <ActionForm action=deeds.break_glass attr:class="deed asking">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="request" value=move || number.get() />
                <For each=rows key=|one| one.clone() let(one)>
                    <Tick one />
                </For>
                <div class="field">
                    <label>"Why nobody can be asked" <input class="input" name="reason" autocomplete="off" required /></label>
                </div>
                {if factors.any() {
                    view! { <FactorFields factors id="emergency" /> }.into_any()
                } else {
                    no_factor("This", ".")
                }}
                <button class="btn" data-kind="destroys" type="submit" disabled=deeds.break_glass.pending()>
                    <Glyph sign=Sign::Warning />
                    "Go on without an approval"
                </button>
                <span class="quiet small">
                    "All leads and administrators are told at once, the run is marked for ever, and another lead has to review it before you can do it again. What fails may be started once more under it."
                </span>
            </ActionForm>
        </details>
    }
    .into_any()
}
