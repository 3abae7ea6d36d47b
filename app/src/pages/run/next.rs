//! What is next on the page of a run, told from the run alone: whose turn a step is, and the way on when it is over.

use domain::policy::{Actor, Verb};
use domain::run::{Offer, Refusal, Run, StepStatus, Who};
use domain::view::ApprovalGround;
use domain::{AttemptId, Risk};
use leptos::prelude::*;

use super::actions::{NEXT, OpenStep, called, complete_words, run_words, step_words, worst};
use super::stopping::{stopped_by, watch_of};
use crate::components::state::StateMark;
use crate::deeds::{next_step, objection};
use crate::live::Live;

/// What a step waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing that this person could do.
    Reads,
    /// Another person works in the run.
    Theirs,
    /// An attempt of it runs.
    Runs(AttemptId),
    /// Another step runs.
    Elsewhere(u32),
    /// It is over.
    Over,
    /// To be started.
    Start,
    /// To be done by a person.
    Complete,
}

impl Turn {
    /// The turn of a step, for a person.
    pub fn of(run: &Run, actor: &Actor, step: u32) -> Self {
        if actor.may(Verb::WorkRun).is_err() {
            return Self::Reads;
        }
        match run.open_attempt() {
            Some(open) if open.step == step => return Self::Runs(open),
            Some(open) => return Self::Elsewhere(open.step),
            None if !run.is_held_by(&Who::Person(actor.clone())) => return Self::Theirs,
            None => {}
        }
        match run.plan.step(step) {
            _ if run.status(step).is_over() => Self::Over,
            Some(plan) if plan.is_run() => Self::Start,
            _ => Self::Complete,
        }
    }
}

/// Where it goes when a step is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOn {
    /// Nothing is left but to close the run.
    Close,
    /// A step that can be started at once, with what it runs.
    Run(u32, Offer),
    /// A step that asks for something first.
    Open(u32),
}

impl WayOn {
    /// The way on after a step.
    pub fn after(run: &Run, ground: &ApprovalGround, actor: &Actor, step: u32) -> Self {
        let Some(next) = next_step(run, step) else { return Self::Close };
        let offers = run.offers(next);
        let is_run = |step| run.plan.step(step).is_some_and(domain::plan::PlanStep::is_run);
        match offers.as_slice() {
            [only] if is_run(next) && only.choice.is_none() && objection(run, ground, actor, next, only).is_none() => {
                // The last tick ends a manual step: the key that was meant for it must not start what changes something.
                let surprises = !is_run(step) && worst(run, next, only) > Risk::Reads;
                if surprises { Self::Open(next) } else { Self::Run(next, only.clone()) }
            }
            _ => Self::Open(next),
        }
    }
}

/// The next deed as the thumb bar of a phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thumb {
    /// Sends the form of the deed itself.
    Send(String),
    /// Goes to the deeds, which ask for something first.
    Deeds(String),
    /// Opens another step.
    Step(u32, String),
    /// Goes to where an approval is asked for.
    Ask,
    /// Goes to the end of the run.
    Finish(String),
}

impl Thumb {
    fn of(run: &Run, ground: &ApprovalGround, actor: &Actor, step: u32) -> Option<Self> {
        let plan = run.plan.step(step)?;
        match Turn::of(run, actor, step) {
            Turn::Reads | Turn::Theirs => None,
            Turn::Runs(id) if stopped_by(run, id).is_some() => None,
            Turn::Runs(id) if watch_of(run, id).is_some() => Some(Self::Send("Stop watch and go on".to_owned())),
            Turn::Runs(_) => Some(Self::Send(format!("Stop {}", called(plan)))),
            Turn::Elsewhere(open) => {
                let words = format!("Open {}, which is running", called(run.plan.step(open)?));
                Some(Self::Step(open, words))
            }
            Turn::Over => Some(match WayOn::after(run, ground, actor, step) {
                WayOn::Close => Self::Finish(format!("Close run {}…", run.id)),
                WayOn::Run(next, _) => Self::Send(run_words(run, next)),
                WayOn::Open(next) => Self::Step(next, step_words(run.plan.step(next)?)),
            }),
            Turn::Start => Self::start(run, ground, actor, step),
            Turn::Complete => Some(Self::Send(complete_words(run, step))),
        }
    }

    fn start(run: &Run, ground: &ApprovalGround, actor: &Actor, step: u32) -> Option<Self> {
        let offers = run.offers(step);
        let [only] = offers.as_slice() else { return Some(Self::Deeds("Choose what to run…".to_owned())) };
        match objection(run, ground, actor, step, only) {
            None => Some(Self::Send(run_words(run, step))),
            Some(Refusal::NeedsConfirmation { .. } | Refusal::Outage { .. }) => {
                Some(Self::Deeds(format!("{}…", run_words(run, step))))
            }
            Some(Refusal::NeedsApproval { .. }) => Some(Self::Ask),
            Some(Refusal::Missing(names)) => Some(Self::Deeds(format!("Set {}…", names.join(", ")))),
            Some(_) => None,
        }
    }
}

/// On a phone: where the step that is shown stands, and the next deed under the thumb.
#[component]
pub fn ThumbBar() -> impl IntoView {
    let live = Live::here();
    let next = Memo::new(move |_| {
        let shown = live.shown.get();
        live.run.with(|run| Some((run.status(shown), Thumb::of(run, &live.approvals(), &live.actor(), shown)?)))
    });
    move || next.get().map(|(status, thumb)| bar(status, thumb))
}

fn bar(status: StepStatus, thumb: Thumb) -> AnyView {
    let deed = match thumb {
        Thumb::Send(words) => {
            view! { <button class="btn" data-kind="primary" type="submit" form=NEXT>{words}</button> }.into_any()
        }
        Thumb::Deeds(words) => link("#deeds", words),
        Thumb::Ask => link("#asking", "Ask for approval…".to_owned()),
        Thumb::Finish(words) => link("#finish", words),
        Thumb::Step(step, words) => view! { <OpenStep step words /> }.into_any(),
    };
    view! {
        <div class="thumb-bar" data-until="62rem">
            <StateMark status />
            {deed}
        </div>
    }
    .into_any()
}

fn link(href: &'static str, words: String) -> AnyView {
    view! { <a class="btn" data-kind="primary" href=href rel="external">{words}</a> }.into_any()
}
