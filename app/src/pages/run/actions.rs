//! What can be done next with the step that is shown: buttons that say verb and object.
//!
//! Each form is made once and keeps what was typed: what changes in it is read by memos, so that an event that has
//! nothing to do with it touches nothing.

use domain::Risk;
use domain::plan::{PlanParameter, PlanStep};
use domain::run::{CommandState, Offer, Refusal, Run, StepStatus};
use domain::runbook::PartKind;
use leptos::prelude::*;

use super::control::{AddStep, Theirs};
use super::next::{Turn, WayOn};
use super::stopping::Stopping;
use crate::components::action_form::ActionForm;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::parameter::{parameter_help, parameter_input};
use crate::components::risk::RiskMark;
use crate::deeds::{Deeds, Hands, list, next_attempt, objection_with};
use crate::live::Live;

/// The name of the form that does the one next thing; what sends it may stand elsewhere on the page.
pub const NEXT: &str = "next-deed";

/// Whether a deed is the one next thing on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Weight {
    /// It is: it has the key and the loud button.
    Primary,
    /// It is one among others.
    Plain,
}

impl Weight {
    fn id(self) -> Option<&'static str> {
        (self == Self::Primary).then_some(NEXT)
    }
}

/// The deeds of a step, or the way to the next one.
#[component]
pub fn NextDeeds(step: u32) -> impl IntoView {
    let live = Live::here();
    let turn = Memo::new(move |_| live.run.with(|run| Turn::of(run, &live.actor(), step)));
    let can_skip = Memo::new(move |_| turn.with(|turn| matches!(turn, Turn::Start | Turn::Complete)));
    let deeds = move || match turn.get() {
        Turn::Reads => {
            view! { <p class="quiet small">"Your role reads runs; it does not work in them."</p> }.into_any()
        }
        Turn::Theirs => view! { <Theirs /> }.into_any(),
        Turn::Runs(id) => view! { <Stopping id /> }.into_any(),
        Turn::Elsewhere(open) => view! { <OpenStep step=open words=open_words(live, open) /> }.into_any(),
        Turn::Over => view! { <GoingOn step /> }.into_any(),
        Turn::Start => view! { <Starting step /> }.into_any(),
        Turn::Complete => view! { <Completing step /> }.into_any(),
    };
    view! {
        {deeds}
        <ToRollback step />
        {Hands::of(&live.actor()).then(|| view! { <SkipStep step can=can_skip /> <AddStep step /> })}
    }
    .into_any()
}

/// `Open step 4, which is running`
pub fn open_words(live: Live, step: u32) -> String {
    format!("Open {}, which is running", named(live, step))
}

/// What a step is called in a sentence.
pub fn named(live: Live, step: u32) -> String {
    live.run.with_untracked(|run| run.plan.step(step).map(called)).unwrap_or_default()
}

/// `Run step 2: Restart the backend service`
pub fn run_words(run: &Run, step: u32) -> String {
    let (Some(plan), Some(state)) = (run.plan.step(step), run.step(step)) else { return String::new() };
    let (all, again) = match (state.attempts.is_empty(), state.commands.iter().any(CommandState::is_over)) {
        // Which command is the next has to be said: after a stop it is the very one that was stopped.
        (_, true) => ("the rest of ", from_words(run, step)),
        (false, false) => ("", " again".to_owned()),
        (true, false) => ("", String::new()),
    };
    format!("Run {all}{}{again}: {}", called(plan), plan.title)
}

/// `, from command 3`
fn from_words(run: &Run, step: u32) -> String {
    let first = run.offers(step).first().and_then(|offer| offer.commands.first().copied());
    first.map_or_else(String::new, |first| format!(", from command {first}"))
}

/// `step 3`, `rollback step 1`, `the added step`
pub fn called(plan: &PlanStep) -> String {
    match plan.part {
        _ if plan.ad_hoc.is_some() => "the added step".to_owned(),
        PartKind::Rollback => format!("rollback step {}", plan.number),
        _ => format!("step {}", plan.number),
    }
}

/// After a step that did not end well: the way to the rollback, which is not run by itself.
#[component]
fn ToRollback(step: u32) -> impl IntoView {
    let live = Live::here();
    let rollback = Memo::new(move |_| live.run.with(|run| rollback_after(run, step)));
    move || {
        let (step, words) = rollback.get()?;
        Some(view! { <OpenStep step words /> })
    }
}

/// The first step of the rollback that is not over, when a step of the way did not end well.
fn rollback_after(run: &Run, step: u32) -> Option<(u32, String)> {
    let failed = matches!(run.status(step), StepStatus::Failed | StepStatus::Stopped | StepStatus::Interrupted);
    let on_the_way = run.plan.step(step).is_some_and(|plan| plan.part != PartKind::Rollback);
    let of_rollback = |step: &u32| run.plan.step(*step).is_some_and(|plan| plan.part == PartKind::Rollback);
    let first = (1..).take(run.steps.len()).filter(of_rollback).find(|step| !run.status(*step).is_over())?;
    let plan = run.plan.step(first)?;
    (failed && on_the_way).then(|| (first, format!("Open {}: {}", called(plan), plan.title)))
}

/// The words of a deed of a step that change with its state.
fn words_of(live: Live, step: u32, words: impl Fn(&Run, u32) -> String + Send + Sync + 'static) -> Signal<String> {
    Memo::new(move |_| live.run.with(|run| words(run, step))).into()
}

#[component]
fn Starting(step: u32) -> impl IntoView {
    let live = Live::here();
    let offers = Memo::new(move |_| live.run.with(|run| run.offers(step)));
    let weighed = move || {
        let offers = offers.get();
        let weight = if offers.len() > 1 { Weight::Plain } else { Weight::Primary };
        offers.into_iter().map(move |offer| (offer, weight)).collect::<Vec<_>>()
    };
    view! {
        <div class="offers">
            {move || {
                (offers.with(Vec::len) > 1)
                    .then(|| view! { <p class="note">"The document offers a choice. Nothing runs all alternatives in a row."</p> })
            }}
            <For each=weighed key=|(offer, weight)| (offer.commands.clone(), *weight) let((offer, weight))>
                <Offered step offer weight />
            </For>
        </div>
    }
    .into_any()
}

/// One of the offers of a step, by the name that the document gives its choice.
#[component]
fn Offered(step: u32, offer: Offer, weight: Weight) -> impl IntoView {
    let live = Live::here();
    let words = match &offer.choice {
        Some(choice) => Signal::stored(format!("Run “{}”", choice.when)),
        None => words_of(live, step, run_words),
    };
    view! { <OfferForm step offer weight words /> }.into_any()
}

/// Whether an offer can be started, and what it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Gate {
    Open(Asks),
    Missing,
    /// An approval is missing, and can be asked for on this page.
    Approval,
    Shut(String),
}

/// What has to be said with a start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asks {
    /// The target's name, and why it is asked for.
    confirmation: Option<Confirmation>,
    /// The later step that still waits for its approval: why a service is to be taken away nevertheless.
    outage: Option<String>,
}

impl Asks {
    fn anything(&self) -> bool {
        self.confirmation.is_some() || self.outage.is_some()
    }
}

impl Gate {
    fn of(live: Live, step: u32, offer: &Offer) -> Self {
        let refused = |outage: Option<String>| {
            live.run.with(|run| objection_with(run, &live.approvals(), &live.actor(), (step, offer), outage))
        };
        match refused(None) {
            // The gate asks for one thing after the other; the form asks for all of them at once.
            Some(Refusal::Outage { step }) => Self::after(refused(Some("said".to_owned())), Some(step)),
            refusal => Self::after(refusal, None),
        }
    }

    fn after(refusal: Option<Refusal>, outage: Option<String>) -> Self {
        match refusal {
            None => Self::Open(Asks { confirmation: None, outage }),
            Some(Refusal::NeedsConfirmation { what, target }) => {
                Self::Open(Asks { confirmation: Some(Confirmation { what, target }), outage })
            }
            Some(Refusal::Missing(_)) => Self::Missing,
            Some(Refusal::NeedsApproval { .. }) => Self::Approval,
            Some(refusal) => Self::Shut(format!("{refusal}.")),
        }
    }
}

/// One set of commands that can be started, or why it cannot.
#[component]
pub fn OfferForm(step: u32, offer: Offer, weight: Weight, words: Signal<String>) -> impl IntoView {
    let live = Live::here();
    let offer = StoredValue::new(offer);
    let gate = Memo::new(move |_| offer.with_value(|offer| Gate::of(live, step, offer)));
    let missing = Signal::derive(move || {
        offer.with_value(|offer| live.run.with(|run| run.missing_values(step, &offer.commands)))
    });
    move || match gate.get() {
        Gate::Open(asks) => view! { <RunForm step offer=offer.get_value() weight words asks /> }.into_any(),
        Gate::Missing => {
            view! { <Missing names=missing words place=offer.with_value(|offer| place_of(offer, weight)) /> }.into_any()
        }
        Gate::Approval => shut(
            words,
            view! { "Needs a lead. " <a href="#asking" rel="external">"Ask for the approval"</a> "." }.into_any(),
        ),
        Gate::Shut(sentence) => shut(words, sentence.into_any()),
    }
}

/// Tells the fields of an offer from those of all others on the page: a command can also be run alone.
fn place_of(offer: &Offer, weight: Weight) -> String {
    let which = if weight == Weight::Plain && offer.choice.is_none() { "alone" } else { "needed" };
    format!("{which}-{}", offer.commands.first().copied().unwrap_or_default())
}

fn shut(words: Signal<String>, why: AnyView) -> AnyView {
    view! {
        <div class="refused">
            <button class="btn" type="button" disabled>
                <Glyph sign=Sign::NeedsApproval />
                {words}
            </button>
            <p class="note">{why}</p>
        </div>
    }
    .into_any()
}

/// What has to be typed before a deed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Confirmation {
    what: &'static str,
    target: String,
}

#[component]
fn RunForm(
    step: u32,
    offer: Offer,
    weight: Weight,
    words: Signal<String>,
    #[prop(optional)] asks: Asks,
) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let risk = live.run.with_untracked(|run| worst(run, step, &offer));
    let attempt = Memo::new(move |_| live.run.with(|run| next_attempt(run, step)));
    let Asks { confirmation, outage } = asks.clone();
    let asks = asks.anything();
    let kind = match (risk, asks, weight) {
        (Risk::Destroys, ..) => "destroys",
        (Risk::Disrupts, true, _) => "disrupts",
        (_, _, Weight::Primary) => "primary",
        _ => "plain",
    };
    let has_key = weight == Weight::Primary && !asks;
    let sign = if risk < Risk::Disrupts { Sign::Play } else { Sign::Risk(risk) };
    let fields = hidden(live.id(), &[("step", step.to_string()), ("commands", list(&offer.commands))]);
    view! {
        <ActionForm action=deeds.run attr:class="deed" attr:id=weight.id() attr:data-asks=asks.then_some("")>
            {fields}
            <input type="hidden" name="attempt" value=move || attempt.get() />
            {outage.map(|later| outage_field(&later))}
            {confirmation.map(|confirmation| confirmation_field(confirmation, weight))}
            <button
                class="btn"
                data-kind=kind
                data-key=has_key.then_some("r")
                type="submit"
                disabled=deeds.run.pending()
            >
                <Glyph sign />
                {words}
                {has_key.then(|| view! { <kbd>"r"</kbd> })}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Where the operator says why a service is taken away although a later step still waits for its approval.
fn outage_field(later: &str) -> AnyView {
    let words = format!(
        "This takes a service away, and “{later}” has no approval yet: the service would be away until a lead decides."
    );
    view! {
        <p class="note">{words} " " <a href="#asking" rel="external">"Wait for the decision"</a> ", or say why it cannot wait."</p>
        <div class="field">
            <label>"Why it cannot wait" <input class="input" name="outage" autocomplete="off" required /></label>
        </div>
    }
    .into_any()
}

/// Where the name of the target is typed. Only the field of the page's one primary deed has a key.
fn confirmation_field(confirmation: Confirmation, weight: Weight) -> AnyView {
    let name = view! { <code>{confirmation.target}</code> };
    let label = if weight == Weight::Primary {
        view! { "Type " {name} " to go on" }.into_any()
    } else {
        view! { "To run this alone, type " {name} }.into_any()
    };
    view! {
        <p class="note">{confirmation.what}</p>
        <div class="field confirm">
            <label>
                {label}
                <input
                    class="input"
                    data-mono=""
                    data-key=(weight == Weight::Primary).then_some("r")
                    name="confirmation"
                    autocomplete="off"
                    spellcheck="false"
                    required
                />
            </label>
        </div>
    }
    .into_any()
}

/// The worst class of some commands of a step.
pub fn worst(run: &Run, step: u32, offer: &Offer) -> Risk {
    let plan = run.plan.step(step);
    let commands = offer.commands.iter().filter_map(|number| plan?.command(*number));
    commands.map(|command| command.risk).max().unwrap_or_default()
}

/// Values that the commands need first.
#[component]
fn Missing(names: Signal<Vec<String>>, words: Signal<String>, place: String) -> impl IntoView {
    let live = Live::here();
    let place = StoredValue::new(place);
    let parameters = move || {
        let names = names.get();
        live.run
            .with_untracked(|run| names.iter().filter_map(|name| run.plan.parameter(name).cloned()).collect::<Vec<_>>())
    };
    view! {
        <div class="refused">
            <For each=parameters key=|parameter| parameter.name.clone() let(parameter)>
                <ValueForm parameter place=place.get_value() />
            </For>
            <button class="btn" type="button" disabled>
                {words}
            </button>
            <p class="note">{move || format!("Needs a value for {} first.", live.run.with(|run| run.plan.labels(&names.get())).join(", "))}</p>
        </div>
    }
    .into_any()
}

/// A form that gives a parameter its value. The same parameter can stand at several places of a page, each with a name of its own.
#[component]
pub fn ValueForm(parameter: PlanParameter, #[prop(into)] place: String) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let id = format!("{place}-{}", parameter.name);
    let label = parameter.label();
    let fields = hidden(live.id(), &[("name", parameter.name.clone())]);
    let given = live.run.with_untracked(|run| run.values.get(&parameter.name).cloned());
    let value = given.or_else(|| parameter.default.clone());
    let input = parameter_input(&parameter, value, "value".to_owned(), id.clone());
    let help = parameter_help(&parameter);
    let words = format!("Set {label}");
    view! {
        <ActionForm action=deeds.value attr:class="value-form">
            {fields} <div class="field">
                <label for=id>{label}</label>
                <div class="note-line">
                    {input} <button class="btn" type="submit" disabled=deeds.value.pending()>
                        {words}
                    </button>
                </div>
                {help}
            </div>
        </ActionForm>
    }
    .into_any()
}

/// `Mark step 3 as done: Look at the dashboards`, and how many lines of it nobody has ticked.
pub fn complete_words(run: &Run, step: u32) -> String {
    let Some(plan) = run.plan.step(step) else { return String::new() };
    let open = match open_ticks(run, step) {
        0 => String::new(),
        1 => ", with 1 line not ticked".to_owned(),
        open => format!(", with {open} lines not ticked"),
    };
    format!("Mark {} as done{open}: {}", called(plan), plan.title)
}

fn open_ticks(run: &Run, step: u32) -> usize {
    run.step(step).map_or(0, |state| state.ticks.iter().filter(|tick| tick.is_none()).count())
}

/// A manual step, or one that only selects target and directory.
#[component]
fn Completing(step: u32) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let fields = hidden(live.id(), &[("step", step.to_string())]);
    let words = words_of(live, step, complete_words);
    // No single key says that everything was looked at.
    let has_key = Memo::new(move |_| live.run.with(|run| open_ticks(run, step) == 0));
    view! {
        <ActionForm action=deeds.complete attr:class="deed" attr:id=NEXT>
            {fields}
            <button
                class="btn"
                data-kind=move || if has_key.get() { "primary" } else { "plain" }
                data-key=move || has_key.get().then_some("r")
                type="submit"
                disabled=deeds.complete.pending()
            >
                <Glyph sign=Sign::State(StepStatus::Done) />
                {words}
                {move || has_key.get().then(|| view! { <kbd>"r"</kbd> })}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Kept out of sight while it cannot be done, so that a reason that was begun is not lost.
#[component]
fn SkipStep(step: u32, can: Memo<bool>) -> impl IntoView {
    let deeds = Deeds::here();
    let live = Live::here();
    let button = format!("Skip {}", named(live, step));
    view! {
        <details class="fold skip" hidden=move || !can.get()>
            <summary>
                <Glyph sign=Sign::Fold />
                {format!("{button}…")}
            </summary>
            <ActionForm action=deeds.skip_step attr:class="deed">
                <input type="hidden" name="run" value=live.id().0 />
                <input type="hidden" name="step" value=step />
                <div class="field">
                    <label>
                        "Why it is skipped"
                        <input class="input" name="reason" autocomplete="off" required />
                    </label>
                </div>
                <button class="btn" type="submit" disabled=deeds.skip_step.pending()>
                    <Glyph sign=Sign::State(StepStatus::Skipped) />
                    {button}
                </button>
            </ActionForm>
        </details>
    }
    .into_any()
}

/// The way to another step.
#[component]
pub fn OpenStep(step: u32, words: String, #[prop(optional)] weight: Option<Weight>) -> impl IntoView {
    let live = Live::here();
    let primary = weight == Some(Weight::Primary);
    view! {
        <a
            class="btn"
            data-kind=primary.then_some("primary")
            data-key=primary.then_some("r")
            href=format!("?step={step}")
            on:click=move |_| live.show(step, None)
        >
            {words}
            {primary.then(|| view! { <kbd>"r"</kbd> })}
        </a>
    }
    .into_any()
}

/// The step that is shown is over: the next one, with its bytes in sight, or the end of the run.
#[component]
fn GoingOn(step: u32) -> impl IntoView {
    let live = Live::here();
    let way = Memo::new(move |_| live.run.with(|run| WayOn::after(run, &live.approvals(), &live.actor(), step)));
    move || match way.get() {
        WayOn::Close => view! {
            <a class="btn" data-kind="primary" data-key="r" href="#finish" rel="external">
                {format!("Close run {}…", live.id())}
                <kbd>"r"</kbd>
            </a>
        }
        .into_any(),
        WayOn::Run(next, offer) => {
            let words = words_of(live, next, run_words);
            let commands = live.run.with_untracked(|run| run.plan.step(next).map(|plan| what_it_runs(plan, &offer)));
            view! {
                <RunForm step=next offer weight=Weight::Primary words />
                {commands}
            }
            .into_any()
        }
        WayOn::Open(next) => {
            let words = live.run.with_untracked(|run| run.plan.step(next).map(step_words)).unwrap_or_default();
            view! { <OpenStep step=next words weight=Weight::Primary /> }.into_any()
        }
    }
}

/// `Open step 5: Restore database`
pub fn step_words(plan: &PlanStep) -> String {
    format!("Open {}: {}", called(plan), plan.title)
}

fn what_it_runs(plan: &PlanStep, offer: &Offer) -> AnyView {
    let commands: Vec<AnyView> = offer
        .commands
        .iter()
        .filter_map(|number| plan.command(*number))
        .map(|command| {
            view! { <li><code>{command.script.clone()}</code>" "<RiskMark risk=command.risk /></li> }.into_any()
        })
        .collect();
    view! { <ul class="next-commands" aria-label="What it runs">{commands}</ul> }.into_any()
}
