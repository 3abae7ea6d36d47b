//! Covering something in stored output: what was covered, what waits for another person, and the way to ask for it.

use domain::policy::Verb;
use domain::run::{Redaction, Run, Stamp};
use domain::view::{CoveredPlace, RedactionView, covering_address};
use domain::{AttemptId, RunId, time};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::moment::Moment;
use crate::AppError;
use crate::api::redactions::{AskRedaction, DecideRedaction, redaction};
use crate::base::portal_path;
use crate::components::ago::Ago;
use crate::components::factor::FactorFields;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::problem::Refused;
use crate::live::Live;
use crate::loaded::loaded_later;
use crate::pages::approval::deciding::no_factor;
use crate::record::{in_sentence, step_name};

/// What was covered in the output of an attempt, by whom and when: beside the output itself.
#[component]
pub fn Covered(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let covered = Memo::new(move |_| live.run.with(|run| covered(run, id)));
    let rows = move || {
        let rows = covered.get().into_iter().map(|(words, asked, confirmed)| {
            view! {
                <p class="note">
                    {format!("{words} covered on ")} <Moment at=confirmed.at />
                    {format!(" by {} and {}.", asked.by.name(), confirmed.by.name())}
                </p>
            }
        });
        rows.collect_view()
    };
    view! { {rows} }.into_any()
}

fn covered(run: &Run, id: AttemptId) -> Vec<(String, Stamp, Stamp)> {
    let of = |redaction: &Redaction| {
        let confirmed = redaction.covered()?.clone();
        Some((redaction.amount(), redaction.asked.clone(), confirmed))
    };
    run.redactions_of(id).filter_map(|(_, redaction)| of(redaction)).collect()
}

/// What waits for another person anywhere in the run, for those who decide.
#[component]
pub fn WaitingRedactions() -> impl IntoView {
    let live = Live::here();
    let decides = live.actor().may(Verb::Approve).is_ok();
    let waiting = Memo::new(move |_| live.run.with(|run| if decides { waiting(run) } else { Vec::new() }));
    let rows = move || {
        let rows = waiting.get().into_iter().map(|(words, path)| {
            view! {
                <div class="callout" data-tone="warn">
                    <Glyph sign=Sign::Warning />
                    <p class="head">{words}</p>
                    <p>
                        <a href=portal_path(path) rel="external">"Look at it, and confirm or reject it"</a>
                    </p>
                </div>
            }
        });
        rows.collect_view()
    };
    view! { {rows} }.into_any()
}

fn waiting(run: &Run) -> Vec<(String, String)> {
    let row = |(_, redaction): (u32, &Redaction)| {
        let step = run.plan.step(redaction.step).map(|plan| in_sentence(&step_name(plan))).unwrap_or_default();
        let words = format!("{} wants {} of {step} covered", redaction.asked.by.name(), redaction.amount());
        (words, covering_address(redaction.attempt_of(run.id)))
    };
    run.waiting_redactions().map(row).collect()
}

/// Where covering something in an output stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stands {
    /// The attempt has not ended.
    Early,
    /// Somebody may ask.
    Free,
    /// This waits for another person.
    Waits(u32, Box<Redaction>),
}

impl Stands {
    fn of(run: &Run, id: AttemptId) -> Self {
        let ended = run.attempt(id).is_some_and(|attempt| attempt.end.is_some());
        match run.waiting_redaction(id) {
            Some((number, redaction)) => Self::Waits(number, Box::new(redaction.clone())),
            None if ended => Self::Free,
            None => Self::Early,
        }
    }
}

/// The way to cover something in the output of an attempt: asking for it, or deciding on what was asked.
#[component]
pub fn Covering(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let may_ask = live.actor().may(Verb::Redact).is_ok();
    let stands = Memo::new(move |_| live.run.with(|run| Stands::of(run, id)));
    view! {
        <div id="covering">
            <RefusedCovering />
            {move || match stands.get() {
                Stands::Waits(number, redaction) => view! { <Waits id number redaction=*redaction /> }.into_any(),
                Stands::Free if may_ask => view! { <AskForm id /> }.into_any(),
                Stands::Free | Stands::Early => ().into_any(),
            }}
        </div>
    }
    .into_any()
}

/// Why the last thing that was asked for here was not done. The forms load the page again: what is covered is gone from it then.
#[component]
fn RefusedCovering() -> impl IntoView {
    let (ask, decide) = (ServerAction::<AskRedaction>::new(), ServerAction::<DecideRedaction>::new());
    let of = |answer: Option<Result<(), AppError>>| answer?.err().map(|error| error.to_string());
    let problem = Signal::derive(move || of(ask.value().get()).or_else(|| of(decide.value().get())));
    view! { <Refused problem /> }.into_any()
}

#[component]
fn AskForm(id: AttemptId) -> impl IntoView {
    let fields = hidden(id.run, &place_of(id));
    view! {
        <details class="fold">
            <summary>
                <Glyph sign=Sign::Fold />
                "Cover something in this output…"
            </summary>
            <form class="deed" method="post" action=portal_path(AskRedaction::url())>
                {fields}
                <p class="note">
                    "What is covered becomes asterisks, for ever; every line keeps its number. Another lead or administrator has to confirm it."
                </p>
                <div class="field">
                    <label for="cover-text">"This text, wherever it stands"</label>
                    <input class="input" data-mono="" id="cover-text" name="text" autocomplete="off" spellcheck="false" />
                    <span class="help">
                        "Byte for byte as it was printed. The text itself is kept nowhere, only its places. Where a program has coloured, wrapped or encoded it, name the lines."
                    </span>
                </div>
                <div class="field">
                    <label for="cover-unit">"Or these"</label>
                    <select class="input" id="cover-unit" name="unit">
                        <option value="lines">"lines, counted from 1 in the raw output, both with it"</option>
                        <option value="bytes">"bytes, counted from 0, without the last"</option>
                    </select>
                </div>
                <div class="field">
                    <label for="cover-range">"From and to, as 12-15, or one alone"</label>
                    <input class="input" id="cover-range" name="range" autocomplete="off" />
                </div>
                <div class="field">
                    <label for="cover-reason">"Why"</label>
                    <input class="input" id="cover-reason" name="reason" autocomplete="off" required />
                    <span class="help">"Stands in the record for ever, with your name. Do not repeat here what is to be covered."</span>
                </div>
                {left_uncovered()}
                <button class="btn" type="submit">"Ask for it to be covered"</button>
            </form>
        </details>
    }
    .into_any()
}

/// What covering does not reach, said before it is asked for and before it is confirmed.
fn left_uncovered() -> AnyView {
    view! {
        <p class="note">
            "Not covered: copies that were taken before, as backups, snapshots, downloads and evidence; a browser that shows it now and has no scripts or no connection; what was printed in other attempts; values, notes and reasons of the run; variables that the step has kept for later ones. The SHA-256 of the output as it was stays in the record, and with it a guess at a short secret can be tested: make it worthless in any case."
        </p>
    }
    .into_any()
}

/// A redaction that waits, for everybody; with the decision for those who may decide.
#[component]
fn Waits(id: AttemptId, number: u32, redaction: Redaction) -> impl IntoView {
    let live = Live::here();
    let actor = live.actor();
    let decides = actor.may(Verb::Approve).is_ok();
    let own = redaction.asked.by.id() == Some(&actor.id);
    let head = format!("{} wants {} covered", redaction.asked.by.name(), redaction.amount());
    view! {
        <div class="callout" data-tone="warn">
            <Glyph sign=Sign::Warning />
            <p class="head">{head}</p>
            <p>"Asked " <Ago at=redaction.asked.at /> ": " <q>{redaction.reason.clone()}</q></p>
            {if decides {
                view! { <Deciding id number own /> }.into_any()
            } else {
                view! { <p>"A lead or an administrator has to confirm or reject it."</p> }.into_any()
            }}
        </div>
    }
    .into_any()
}

/// How it will look, with the decision.
#[component]
fn Deciding(id: AttemptId, number: u32, own: bool) -> impl IntoView {
    match Live::here().redaction(number) {
        Some(view) => view! { <DecideForm id view own /> }.into_any(),
        None => view! { <DecidingLater id number own /> }.into_any(),
    }
}

/// The same for what the page did not come with: it was asked for meanwhile, or in another output than the one on which the page opened.
#[component]
fn DecidingLater(id: AttemptId, number: u32, own: bool) -> impl IntoView {
    let view = loaded_later(move || redaction(id.run, number));
    move || match view.get() {
        Some(Ok(view)) => view! { <DecideForm id view own /> }.into_any(),
        // It was decided meanwhile, or cannot be read now: the page says so when it is loaded again.
        Some(Err(error)) => note(error.to_string()),
        None => note(NOT_SHOWN_YET.to_owned()),
    }
}

const NOT_SHOWN_YET: &str =
    "How it will look is not shown yet, and nothing can be decided before it is. Load the page again if it stays so.";

fn note(words: String) -> AnyView {
    view! { <p class="note">{words}</p> }.into_any()
}

#[component]
fn DecideForm(id: AttemptId, view: RedactionView, own: bool) -> impl IntoView {
    let fields = hidden(id.run, &[("number", view.number.to_string())]);
    let places: Vec<AnyView> = view.places.iter().map(place_view).collect();
    let can = view.cannot.is_none();
    // To take back what one has asked for oneself is no decision, and takes no factor.
    let factor = (!own).then(|| factor_fields(&view));
    let proves = own || view.factors.any();
    view! {
        <p>"This is how it will look:"</p>
        {places}
        {left_uncovered()}
        {view.cannot.clone().map(note)}
        <form class="deed" method="post" action=portal_path(DecideRedaction::url())>
            {fields}
            <div class="field">
                <label for="covering-reason">"Reason " <span class="quiet">{needed_to(own)}</span></label>
                <input class="input" id="covering-reason" name="reason" autocomplete="off" />
            </div>
            {factor}
            // What the return key does in a field: nothing.
            <button type="submit" disabled hidden aria-hidden="true" tabindex="-1">
                "Enter decides nothing"
            </button>
            <div class="actions">
                <button class="btn" type="submit" name="decision" value="reject" data-proven="reject" disabled=!proves>
                    {reject_words(id.run, view.number, own)}
                </button>
                {can
                    .then(|| {
                        view! {
                            <button
                                class="btn"
                                data-kind="destroys"
                                type="submit"
                                name="decision"
                                value="confirm"
                                data-proven="confirm"
                                disabled=!view.factors.any()
                            >
                                {format!("Confirm and cover, redaction {}-{}", id.run, view.number)}
                            </button>
                        }
                    })}
            </div>
        </form>
    }
    .into_any()
}

/// Where to prove who decides.
fn factor_fields(view: &RedactionView) -> AnyView {
    if !view.factors.any() {
        return no_factor("A decision", ".");
    }
    let reject = ("Reject with a passkey".to_owned(), "reject");
    let confirm = view.cannot.is_none().then(|| ("Cover it with a passkey".to_owned(), "confirm"));
    let with_passkey = std::iter::once(reject).chain(confirm).collect::<Vec<_>>();
    view! { <FactorFields factors=view.factors id="covering" with_passkey /> }.into_any()
}

const fn needed_to(own: bool) -> &'static str {
    if own { "needed to take it back" } else { "needed to reject" }
}

fn reject_words(run: RunId, number: u32, own: bool) -> String {
    let verb = if own { "Take back" } else { "Reject" };
    format!("{verb} redaction {run}-{number}")
}

fn place_view(place: &CoveredPlace) -> AnyView {
    view! {
        <p class="quiet small">{format!("Line {}", time::thousands(place.line))}</p>
        <pre class="shown" tabindex="0">
            <code>{place.lines.join("\n")}</code>
        </pre>
    }
    .into_any()
}

fn place_of(id: AttemptId) -> [(&'static str, String); 2] {
    [("step", id.step.to_string()), ("attempt", id.attempt.to_string())]
}
