//! What a person can do in a run: one action per deed, made once per page, so that an answer outlives what is redrawn.

use domain::Timestamp;
use domain::policy::{Actor, Verb};
use domain::run::{Command, Facts, Offer, Refusal, Run, Who, decide};
use leptos::prelude::*;

use crate::AppError;
use crate::api::runs::{
    AddNote, CompleteStep, EndWatch, Finish, RunCommands, SetValue, SkipCommand, SkipStep, Stop, Tick, Untick,
};

/// Whether a person works in the run that they look at, or reads only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hands {
    /// They may do things.
    On,
    /// They read.
    Off,
}

impl Hands {
    /// Those of a person, as the table of policy has it.
    pub fn of(actor: &Actor) -> Self {
        if actor.may(Verb::WorkRun).is_ok() { Self::On } else { Self::Off }
    }

    /// Something for those who may do things.
    pub fn then<T>(self, make: impl FnOnce() -> T) -> Option<T> {
        (self == Self::On).then(make)
    }
}

type Answer = MappedSignal<Option<Result<(), AppError>>>;

/// The actions of a run's page.
#[derive(Clone, Copy)]
pub struct Deeds {
    /// Give a parameter its value.
    pub value: ServerAction<SetValue>,
    /// Run commands of a step.
    pub run: ServerAction<RunCommands>,
    /// Pass over one command.
    pub skip_command: ServerAction<SkipCommand>,
    /// Pass over a step.
    pub skip_step: ServerAction<SkipStep>,
    /// Mark a manual step as done.
    pub complete: ServerAction<CompleteStep>,
    /// End a watch.
    pub end_watch: ServerAction<EndWatch>,
    /// Stop the attempt that runs.
    pub stop: ServerAction<Stop>,
    /// Tick a line.
    pub tick: ServerAction<Tick>,
    /// Take a tick back.
    pub untick: ServerAction<Untick>,
    /// Write a note.
    pub note: ServerAction<AddNote>,
    /// Close the run.
    pub finish: ServerAction<Finish>,
}

impl Deeds {
    /// Makes the actions for everything below and gives them.
    pub fn provide() -> Self {
        let deeds = Self {
            value: ServerAction::new(),
            run: ServerAction::new(),
            skip_command: ServerAction::new(),
            skip_step: ServerAction::new(),
            complete: ServerAction::new(),
            end_watch: ServerAction::new(),
            stop: ServerAction::new(),
            tick: ServerAction::new(),
            untick: ServerAction::new(),
            note: ServerAction::new(),
            finish: ServerAction::new(),
        };
        provide_context(deeds);
        for (last, answer) in deeds.answers().into_iter().enumerate() {
            Effect::new(move |_| {
                if answer.with(Option::is_some) {
                    deeds.forget_all_but(last);
                }
            });
        }
        deeds
    }

    /// The actions of this page.
    pub fn here() -> Self {
        use_context().unwrap_or_else(Self::provide)
    }

    /// Why the last deed was refused.
    pub fn problem(self) -> Option<AppError> {
        self.answers().into_iter().find_map(|answer| answer.get()?.err())
    }

    /// The answer to the last deed is the only one that still says something.
    fn forget_all_but(self, last: usize) {
        for (place, answer) in self.answers().into_iter().enumerate() {
            if place != last && answer.with_untracked(|answer| matches!(answer, Some(Err(_)))) {
                answer.set(None);
            }
        }
    }

    fn answers(self) -> [Answer; 11] {
        [
            self.value.value(),
            self.run.value(),
            self.skip_command.value(),
            self.skip_step.value(),
            self.complete.value(),
            self.end_watch.value(),
            self.stop.value(),
            self.tick.value(),
            self.untick.value(),
            self.note.value(),
            self.finish.value(),
        ]
    }
}

/// Why an offer could not be started now by this person; the gate itself is asked.
pub fn objection(run: &Run, actor: &Actor, step: u32, offer: &Offer) -> Option<Refusal> {
    let command = Command::RunCommands {
        step,
        attempt: next_attempt(run, step),
        commands: offer.commands.clone(),
        confirmation: None,
    };
    asked(run, actor, &command)
}

/// Why a command of the gate would be refused now.
pub fn asked(run: &Run, actor: &Actor, command: &Command) -> Option<Refusal> {
    let facts = Facts { now: Timestamp::default(), standing: Some(actor.role), misfits: Vec::new() };
    decide(Some(run), command, &Who::Person(actor.clone()), &facts).err()
}

/// The number that the next attempt at a step will have.
pub fn next_attempt(run: &Run, step: u32) -> u32 {
    let attempts = run.step(step).map_or(0, |state| state.attempts.len());
    u32::try_from(attempts).unwrap_or(u32::MAX).saturating_add(1)
}

/// Numbers as a form lists them.
pub fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
