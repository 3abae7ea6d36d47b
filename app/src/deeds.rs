//! What a person can do in a run: one action per deed, made once per page, so that an answer outlives what is redrawn.

use domain::policy::{Actor, Role, Verb};
use domain::run::{Command, Facts, Offer, Refusal, Request, Run, Who, decide};
use domain::runbook::PartKind;
use domain::view::ApprovalGround;
use leptos::prelude::*;

use crate::AppError;
use crate::api::approvals::{BreakGlass, CancelApproval, RequestApproval};
use crate::api::runs::{
    Abort, AddNote, AddStep, CheckNow, CompleteStep, EndWatch, Escalate, Finish, Overrule, RunCommands, SendInput,
    SetDirectory, SetValue, SkipCommand, SkipStep, Stop, TakeLock, TakeOver, Tick, TypeKeys, Untick,
};
use crate::live::Live;

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

/// Where on a page something was asked for: a refusal is shown there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the deeds of a step.
    Deeds(u32),
    /// At a command of a step.
    Command(u32, u32),
    /// At a line to tick; step 0 is the expected outcome.
    Line(u32, u32),
    /// At a check: of the expected outcome where the step is 0; all of them where the number is 0, too.
    Check(u32, u32),
    /// At the values of the run.
    Values,
    /// At the notes.
    Notes,
    /// At the lock of the target.
    Lock,
    /// At the approvals.
    Approval,
    /// At whom to call.
    Escalation,
    /// At what the run was made of.
    Run,
    /// At the end of the run.
    Finish,
}

impl Place {
    /// Whether it is on the page while this step is shown.
    const fn is_shown_with(self, shown: u32) -> bool {
        match self {
            Self::Deeds(step) | Self::Command(step, _) | Self::Line(step, _) | Self::Check(step, _) => {
                step == shown || step == 0
            }
            Self::Values | Self::Notes | Self::Lock | Self::Approval | Self::Escalation | Self::Run | Self::Finish => {
                true
            }
        }
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
    /// Ask for a check, or for all of the expected outcome.
    pub check: ServerAction<CheckNow>,
    /// Say why a check does not count.
    pub overrule: ServerAction<Overrule>,
    /// Write a note.
    pub note: ServerAction<AddNote>,
    /// Call somebody whom the procedure names.
    pub escalate: ServerAction<Escalate>,
    /// Work on in another person's run.
    pub take_over: ServerAction<TakeOver>,
    /// Take the lock from another run.
    pub take_lock: ServerAction<TakeLock>,
    /// Let the next attempt begin elsewhere.
    pub directory: ServerAction<SetDirectory>,
    /// Add a step that is not in the document.
    pub add_step: ServerAction<AddStep>,
    /// Send something to the command that runs.
    pub input: ServerAction<SendInput>,
    /// Type with a full keyboard.
    pub keys: ServerAction<TypeKeys>,
    /// Give the run up.
    pub abort: ServerAction<Abort>,
    /// Close the run.
    pub finish: ServerAction<Finish>,
    /// Ask leads for an approval.
    pub request_approval: ServerAction<RequestApproval>,
    /// Take a request back.
    pub cancel_approval: ServerAction<CancelApproval>,
    /// Go on without an approval.
    pub break_glass: ServerAction<BreakGlass>,
    /// Where something was last asked for; without scripts nobody knows.
    asked_at: RwSignal<Option<Place>>,
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
            check: ServerAction::new(),
            overrule: ServerAction::new(),
            note: ServerAction::new(),
            escalate: ServerAction::new(),
            take_over: ServerAction::new(),
            take_lock: ServerAction::new(),
            directory: ServerAction::new(),
            add_step: ServerAction::new(),
            input: ServerAction::new(),
            keys: ServerAction::new(),
            abort: ServerAction::new(),
            finish: ServerAction::new(),
            request_approval: ServerAction::new(),
            cancel_approval: ServerAction::new(),
            break_glass: ServerAction::new(),
            asked_at: RwSignal::new(None),
        };
        provide_context(deeds);
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

    /// Something is asked for at a place: what was refused before has been read.
    pub fn ask_at(self, place: Place) {
        for answer in self.answers() {
            if answer.with_untracked(|answer| matches!(answer, Some(Err(_)))) {
                answer.set(None);
            }
        }
        self.asked_at.set(Some(place));
    }

    /// Why the last deed was refused, if it was asked for at this place.
    pub fn problem_at(self, place: Place) -> Option<AppError> {
        if self.asked_at.get() == Some(place) { self.problem() } else { None }
    }

    /// Why the last deed was refused, if its place is not on the page while this step is shown.
    pub fn problem_elsewhere(self, shown: u32) -> Option<AppError> {
        let is_in_sight = self.asked_at.get().is_some_and(|place| place.is_shown_with(shown));
        if is_in_sight { None } else { self.problem() }
    }

    fn answers(self) -> [Answer; 24] {
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
            self.check.value(),
            self.overrule.value(),
            self.note.value(),
            self.escalate.value(),
            self.take_over.value(),
            self.take_lock.value(),
            self.directory.value(),
            self.add_step.value(),
            self.input.value(),
            self.keys.value(),
            self.abort.value(),
            self.finish.value(),
            self.request_approval.value(),
            self.cancel_approval.value(),
            self.break_glass.value(),
        ]
    }
}

/// Whether the person who looks is the one who works in the run.
pub fn holds(live: Live) -> Memo<bool> {
    let actor = live.actor();
    Memo::new(move |_| live.run.with(|run| run.end.is_none() && run.is_held_by(&Who::Person(actor.clone()))))
}

/// Why an offer could not be started now by this person; the gate itself is asked.
pub fn objection(run: &Run, ground: &ApprovalGround, actor: &Actor, step: u32, offer: &Offer) -> Option<Refusal> {
    objection_with(run, ground, actor, (step, offer), None)
}

/// The same with a reason for taking a service away while a later step still waits for its approval.
pub fn objection_with(
    run: &Run,
    ground: &ApprovalGround,
    actor: &Actor,
    (step, offer): (u32, &Offer),
    outage: Option<String>,
) -> Option<Refusal> {
    let command = Command::RunCommands {
        step,
        attempt: next_attempt(run, step),
        commands: offer.commands.clone(),
        confirmation: None,
        outage,
    };
    decide(Some(run), &command, &Who::Person(actor.clone()), &facts(run, ground, actor)).err()
}

/// What a page can know of what a decision needs. The portal looks at the rest when it is asked: who approved is taken for a
/// lead still, and what an approval is bound to for unchanged.
fn facts(run: &Run, ground: &ApprovalGround, actor: &Actor) -> Facts {
    let bound = run.requests.iter().flat_map(|request| request.evidence.bound());
    Facts {
        rules: ground.rules.clone(),
        standings: run
            .requests
            .iter()
            .flat_map(Request::responsible)
            .map(|approver| (approver.clone(), Role::Lead))
            .collect(),
        bound: bound.map(|file| (file.path.clone(), Ok(file.clone()))).collect(),
        ..Facts::alone(ground.now, Some(actor.role))
    }
}

/// The step that comes after one that is over; `None` when only closing the run is left.
///
/// Whoever rolls back does not go forward again: after a step of the rollback comes the next of the rollback.
pub fn next_step(run: &Run, after: u32) -> Option<u32> {
    let part = |step: u32| run.plan.step(step).map(|plan| plan.part);
    if part(after) != Some(PartKind::Rollback) {
        return run.current_step().filter(|next| *next != after);
    }
    (1..)
        .take(run.steps.len())
        .filter(|step| part(*step) == Some(PartKind::Rollback))
        .find(|step| *step != after && !run.status(*step).is_over())
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

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use domain::Timestamp;
    use domain::attempt::Limits;
    use domain::plan::{Plan, PlanStep, PlanTarget};
    use domain::run::{Skip, Stamp, StepState};
    use domain::runbook::StepKind;
    use domain::{Digest, Risk, RunId, Slug};

    use super::*;

    fn step(part: PartKind, number: u32) -> PlanStep {
        PlanStep {
            part,
            number,
            title: "A step".to_owned(),
            line: 1,
            kind: StepKind::Manual,
            risk: Risk::Reads,
            content: Vec::new(),
            commands: Vec::new(),
            timeout_ms: None,
            tty: true,
            pipefail: false,
            scratch: false,
            directory: None,
            ad_hoc: None,
            output_cap: None,
            limits: Limits::default(),
            interactive: false,
            after: Vec::new(),
        }
    }

    fn stamp() -> Stamp {
        Stamp { by: Who::Portal, at: Timestamp(0) }
    }

    /// Two steps and two of a rollback; those with these places are skipped.
    pub(crate) fn run(over: &[u32]) -> Run {
        let steps = [(PartKind::Steps, 1), (PartKind::Steps, 2), (PartKind::Rollback, 1), (PartKind::Rollback, 2)];
        let plan = Plan {
            visible_to: None,
            checks: Vec::new(),
            escalation: domain::escalation::Escalation::default(),
            slug: Slug("restart".to_owned()),
            title: "Restart".to_owned(),
            document: "restart.md".to_owned(),
            document_digest: Digest::of(b""),
            side_digest: None,
            target: PlanTarget {
                name: "local".to_owned(),
                reach: domain::target::Reach::Local,
                production: false,
                interpreter: Vec::new(),
                environment: Vec::new(),
            },
            directory: "/".to_owned(),
            parameters: Vec::new(),
            steps: steps.map(|(part, number)| step(part, number)).to_vec(),
            outcome: Vec::new(),
            secrets: BTreeMap::new(),
            mask_files: Vec::new(),
            prose: Vec::new(),
        };
        let skip = || Skip { reason: "a test".to_owned(), stamp: stamp(), after: None };
        let state = |step| StepState { skipped: over.contains(&step).then(skip), ..StepState::default() };
        Run {
            id: RunId(1),
            version: 1,
            plan,
            started: stamp(),
            holder: stamp(),
            touched: Timestamp(0),
            lock: None,
            abort: None,
            away: Vec::new(),
            changes: Vec::new(),
            reason: String::new(),
            values_set: Vec::new(),
            values: BTreeMap::new(),
            directory: "/".to_owned(),
            secrets: BTreeMap::new(),
            carried: None,
            target_confirmed: false,
            steps: (1..=4).map(state).collect(),
            outcome: Vec::new(),
            notes: Vec::new(),
            requests: Vec::new(),
            shapers: BTreeMap::new(),
            outage: None,
            checks: Vec::new(),
            redactions: Vec::new(),
            escalations: Vec::new(),
            end: None,
            unreadable: None,
        }
    }

    #[test]
    fn after_a_step_comes_the_first_that_is_not_over() {
        assert_eq!(next_step(&run(&[1]), 1), Some(2));
        assert_eq!(next_step(&run(&[2]), 2), Some(1));
        assert_eq!(next_step(&run(&[1, 2]), 2), None);
    }

    #[test]
    fn who_rolls_back_is_never_led_forward_again() {
        assert_eq!(next_step(&run(&[1, 3]), 3), Some(4));
        assert_eq!(next_step(&run(&[1, 3, 4]), 4), None);
        assert_eq!(next_step(&run(&[1, 4]), 4), Some(3));
    }

    #[test]
    fn a_refusal_whose_place_is_out_of_the_page_is_shown_elsewhere() {
        assert!(Place::Deeds(2).is_shown_with(2) && Place::Line(0, 1).is_shown_with(2));
        assert!(!Place::Deeds(2).is_shown_with(3));
    }
}
