//! What can be done with an attempt that runs.

use domain::attempt::{Condition, Key};
use domain::run::{Run, StepState, StepStatus};
use domain::time::Timestamp;
use domain::{AttemptId, Risk};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::actions::{NEXT, named};
use super::keyboard::Keyboard;
use crate::api::runs::Stop;
use crate::base::portal_path;
use crate::components::action_form::ActionForm;
use crate::components::ago::Ago;
use crate::components::glyph::{Glyph, Sign};
use crate::components::hidden::hidden;
use crate::components::risk::RiskMark;
use crate::deeds::{Deeds, holds};
use crate::live::Live;

/// The watch that an attempt runs, by its number.
pub fn watch_of(run: &Run, id: AttemptId) -> Option<u32> {
    let watches = run.status(id.step) == StepStatus::Watching;
    run.step(id.step).and_then(StepState::running).filter(|_| watches)
}

/// Who asked an attempt to stop.
pub fn stopped_by(run: &Run, id: AttemptId) -> Option<String> {
    run.attempt(id)?.stop.as_ref().map(|stop| stop.by.name().to_owned())
}

/// What can be done with an attempt that runs.
#[component]
pub fn Stopping(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let stopped = Memo::new(move |_| live.run.with(|run| stopped_by(run, id)));
    let watch = Memo::new(move |_| live.run.with(|run| watch_of(run, id)));
    let elsewhere = Memo::new(move |_| live.log.with(|log| log.is_page() || !log.is_of(id.step, id.attempt)));
    view! {
        <LinkLost id />
        {move || match stopped.get() {
            Some(by) => {
                let step = named(live, id.step);
                let sentence = format!("{by} asked {step} to stop. It is ended for good when it does not end by itself.");
                view! { <p class="note">{sentence}</p> }.into_any()
            }
            None => view! {
                <Asking id />
                {watch.get().map(|command| view! { <EndWatchForm id command /> })}
                <StopForm id watching=watch.get().is_some() />
                <Then id />
            }
            .into_any(),
        }}
        {move || elsewhere.get().then(|| view! { <OpenAttempt id /> })}
    }
    .into_any()
}

/// That there is no link to the target, since when, and what that means.
#[component]
fn LinkLost(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let lost = Memo::new(move |_| {
        let here = live.log.with(|log| log.is_of(id.step, id.attempt));
        live.condition.get().link_lost_since.filter(|_| here).map(Timestamp)
    });
    let place = live.run.with_untracked(|run| run.plan.target.reach.to_string());
    // The region is there before there is anything to say: else nobody would hear it.
    view! {
        <div role="status">
            {move || lost.get().map(|since| view! {
                <div class="callout" data-tone="warn">
                    <Glyph sign=Sign::Warning />
                    <p class="head">"No link to "{place.clone()}</p>
                    <p>
                        "Lost "<Ago at=since />". The step runs on there. Its output goes on here, without a gap, as soon as there is a \
                         link again."
                    </p>
                </div>
            })}
        </div>
    }
}

/// What can be typed: everything into an interactive step; else what the command asks for, as far as the shim sees: a line, or the
/// keys that end a full-screen program.
#[component]
fn Asking(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let can = holds(live);
    let asks = Memo::new(move |_| {
        let condition = live.condition.get();
        let here = can.get() && live.log.with(|log| log.is_of(id.step, id.attempt));
        if !here {
            return None;
        }
        let keyboard = live.run.with(|run| keyboard_of(run, id.step)).map(|command| (command, Asks::Everything));
        keyboard.or_else(|| Asks::of(condition).map(|asks| (condition.command, asks)))
    });
    move || {
        asks.get().map(|(command, asks)| match asks {
            Asks::Line => view! { <LineForm id command /> }.into_any(),
            Asks::Keys => view! { <KeyForms id command /> }.into_any(),
            Asks::Everything => view! { <Keyboard id command /> }.into_any(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    Line,
    Keys,
    Everything,
}

/// The command that runs in a step which has a full keyboard.
fn keyboard_of(run: &Run, step: u32) -> Option<u32> {
    let has_keyboard = run.plan.step(step).is_some_and(|plan| plan.interactive && plan.tty);
    run.step(step).and_then(StepState::running).filter(|_| has_keyboard)
}

impl Asks {
    fn of(found: Condition) -> Option<Self> {
        match found {
            Condition { screen: true, .. } | Condition { raw: true, .. } => Some(Self::Keys),
            Condition { waiting: true, .. } => Some(Self::Line),
            _ => None,
        }
    }
}

#[component]
fn LineForm(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    let fields = fields_of(id, command);
    let field = NodeRef::<leptos::html::Input>::new();
    let answer = deeds.input.value();
    Effect::new(move |_| {
        if let (Some(Ok(())), Some(field)) = (answer.get(), field.get_untracked()) {
            field.set_value("");
        }
    });
    view! {
        <ActionForm action=deeds.input attr:class="deed asking">
            {fields}
            <InputNumber />
            <p class="note" role="status">
                {format!("Command {command} may be waiting for input.")}
            </p>
            <div class="field">
                <label>
                    "One line for it"
                    <input class="input" data-mono="" name="line" autocomplete="off" spellcheck="false" node_ref=field />
                </label>
            </div>
            <button class="btn" data-kind="primary" type="submit" disabled=deeds.input.pending()>
                "Send line"
            </button>
            <span class="help">"What you type is not stored; what the program prints of it is."</span>
        </ActionForm>
    }
    .into_any()
}

/// The number that what is sent will have: a form that is sent twice answers one question.
#[component]
pub fn InputNumber() -> impl IntoView {
    let live = Live::here();
    let number = Memo::new(move |_| live.run.with(Run::next_input));
    view! { <input type="hidden" name="number" value=move || number.get() /> }.into_any()
}

#[component]
fn KeyForms(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    Key::ALL
        .into_iter()
        .map(|key| {
            let [step, attempt] = place_of(id);
            let command = ("command", command.to_string());
            let fields = hidden(id.run, &[step, attempt, command, ("key", key.name().to_owned())]);
            view! {
                <ActionForm action=deeds.input attr:class="deed asking">
                    {fields}
                    <InputNumber />
                    <button class="btn" type="submit" disabled=deeds.input.pending()>
                        {format!("Press {}", key.word())}
                    </button>
                </ActionForm>
            }
        })
        .collect_view()
        .into_any()
}

#[component]
fn EndWatchForm(id: AttemptId, command: u32) -> impl IntoView {
    let deeds = Deeds::here();
    let fields = fields_of(id, command);
    view! {
        <ActionForm action=deeds.end_watch attr:class="deed" attr:id=NEXT>
            {fields}
            <button class="btn" data-kind="primary" data-key="x" type="submit" disabled=deeds.end_watch.pending()>
                <Glyph sign=Sign::Stop />
                "Stop watch and go on"
                <kbd>"x"</kbd>
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Beside a watch it is the second thing to do: the watch ends by its own button. So it is beside a keyboard.
#[component]
fn StopForm(id: AttemptId, watching: bool) -> impl IntoView {
    let live = Live::here();
    let deeds = Deeds::here();
    let fields = hidden(id.run, &place_of(id));
    let words = format!("Stop {}", named(live, id.step));
    let can = holds(live);
    let typing = Memo::new(move |_| can.get() && live.run.with(|run| keyboard_of(run, id.step)).is_some());
    let kind = move || match typing.get() {
        _ if watching => Some("quiet"),
        true => None,
        false => Some("primary"),
    };
    view! {
        <ActionForm action=deeds.stop attr:class="deed" attr:id=(!watching).then_some(NEXT)>
            {fields}
            <button
                class="btn"
                data-kind=kind
                data-key=(!watching).then_some("x")
                type="submit"
                disabled=deeds.stop.pending()
            >
                <Glyph sign=Sign::Stop />
                {words}
                {(!watching).then(|| view! { <kbd>"x"</kbd> })}
            </button>
        </ActionForm>
    }
    .into_any()
}

/// Ends what an attempt has left behind.
#[component]
pub fn EndRest(id: AttemptId) -> impl IntoView {
    let deeds = Deeds::here();
    let fields = hidden(id.run, &place_of(id));
    view! {
        <ActionForm action=deeds.stop attr:class="deed">
            {fields}
            <EndRestButton disabled=deeds.stop.pending() />
        </ActionForm>
    }
    .into_any()
}

/// The same in a closed run, whose page does not follow anything any more: it is loaded again.
#[component]
pub fn EndRestOfClosed(id: AttemptId) -> impl IntoView {
    let fields = hidden(id.run, &place_of(id));
    view! {
        <form class="deed" method="post" action=portal_path(Stop::url())>
            {fields}
            <EndRestButton />
        </form>
    }
    .into_any()
}

#[component]
fn EndRestButton(#[prop(optional, into)] disabled: Signal<bool>) -> impl IntoView {
    view! {
        <button class="btn" data-kind="quiet" type="submit" disabled=disabled>
            <Glyph sign=Sign::Stop />
            "End what still runs"
        </button>
    }
    .into_any()
}

/// What a form says about the command that it is for.
pub fn fields_of(id: AttemptId, command: u32) -> AnyView {
    let [step, attempt] = place_of(id);
    hidden(id.run, &[step, attempt, ("command", command.to_string())])
}

fn place_of(id: AttemptId) -> [(&'static str, String); 2] {
    [("step", id.step.to_string()), ("attempt", id.attempt.to_string())]
}

/// The command after the one that runs.
#[component]
fn Then(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let next = Memo::new(move |_| live.run.with(|run| command_after(run, id.step)));
    move || {
        let (script, risk) = next.get()?;
        Some(view! {
            <p class="next">
                "then "
                <code>{script}</code>
                <RiskMark risk />
            </p>
        })
    }
}

fn command_after(run: &Run, step: u32) -> Option<(String, Risk)> {
    let running = run.step(step)?.running()?;
    let next = run.plan.step(step)?.command(running + 1).filter(|next| next.choice.is_none())?;
    Some((next.script.lines().next().unwrap_or_default().to_owned(), next.risk))
}

/// The way from an earlier attempt, or from a stored piece of output, to what runs in the same step.
#[component]
fn OpenAttempt(id: AttemptId) -> impl IntoView {
    let live = Live::here();
    let AttemptId { step, attempt, .. } = id;
    view! {
        <a
            class="btn"
            href=format!("?step={step}&attempt={attempt}")
            on:click=move |_| live.show(step, Some(attempt))
        >
            {format!("Open attempt {attempt}, which is running")}
        </a>
    }
    .into_any()
}
