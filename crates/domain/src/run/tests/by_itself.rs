//! What a schedule may do: start a run, and let commands that read run in it. Nothing that disrupts ever starts by itself.

use std::collections::BTreeMap;

use super::stage::*;
use crate::Risk;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::{Plan, PlanStep};
use crate::policy::{Actor, Role, Scope, Token};
use crate::run::{Command, Event, Refusal, Run, Who, decide};
use crate::runbook::StepKind;

/// The schedule of a procedure, whose owner may do everything.
fn schedule() -> Who {
    let token = Token { id: "schedule".into(), name: "Restart".to_owned(), scope: Scope::Schedule };
    Who::Person(Actor::new("Olga".into(), "Olga".to_owned(), Role::Administrator).by_token(token, Role::Operator))
}

fn tried(run: &Run, command: &Command) -> Result<Vec<Event>, Refusal> {
    decide(Some(run), command, &schedule(), &facts(Some(Role::Administrator)))
}

/// A run of a plan that the schedule has started.
fn begun(plan: Plan) -> Story {
    let start = Command::Start { plan: Box::new(plan.clone()), reason: "due".to_owned(), values: BTreeMap::new() };
    assert!(decide(None, &start, &schedule(), &facts(Some(Role::Operator))).is_ok());
    Story::of(plan)
}

#[test]
fn whatever_is_asked_for_a_schedule_starts_only_commands_that_read() {
    let story = begun(plan()).sets("branch", "main");
    let mut started = Vec::new();

    for (step, attempt) in (0..=9).flat_map(|step| [(step, 1), (step, 2)]) {
        for chosen in 0..32_u32 {
            let commands: Vec<u32> = (1..=5).filter(|number| (chosen >> (number - 1)) & 1 == 1).collect();
            let Ok(events) = tried(&story.run, &run(step, attempt, &commands)) else { continue };
            let plan = story.run.plan.step(step).unwrap();
            for number in &commands {
                let command = plan.command(*number).unwrap();
                assert!(command.risk == Risk::Reads && !command.watch && command.choice.is_none(), "{command:?}");
            }
            assert!(plan.is_on_the_way() && attempt == 1);
            assert!(!events.iter().any(|event| matches!(event, Event::LockTaken { .. } | Event::TargetConfirmed)));
            started.push((step, commands));
        }
    }

    assert!(started.contains(&(1, vec![1, 2])), "{started:?}");
    assert!(started.iter().all(|(step, _)| [1, 3, 6].contains(step)), "{started:?}");
}

#[test]
fn a_schedule_does_nothing_else_in_a_run() {
    let story = begun(plan());
    let reason = || "due".to_owned();
    let others = [
        Command::SetValue { name: "branch".to_owned(), value: "main".to_owned() },
        Command::SkipCommand { step: 1, command: 1, reason: reason() },
        Command::SkipStep { step: 2, reason: reason() },
        Command::CompleteStep { step: 5 },
        Command::Tick { step: None, item: 1, note: String::new() },
        Command::AddNote { step: None, text: reason() },
        Command::TakeOver { reason: reason() },
        Command::TakeLock { reason: reason() },
        Command::SetDirectory { path: "/".to_owned() },
        Command::AddStep { place: 9, step: Box::new(added("ls", 1)) },
        Command::Abort { reason: reason() },
        Command::Finish { verdict: crate::run::Verdict::Reached, comment: String::new() },
        Command::BreakGlass { request: 1, wanted: vec![(4, vec![1])], reason: reason() },
    ];

    for command in others {
        let told = tried(&story.run, &command);
        assert!(matches!(told, Err(Refusal::ByItself | Refusal::Forbidden(_))), "{command:?}: {told:?}");
    }
}

/// A plan of commands by class, one step each.
fn with(classes: &[Risk]) -> Plan {
    let steps = (1..).zip(classes).map(|(number, risk)| step(number, "It", vec![command("it", *risk)]));
    Plan { steps: steps.collect(), ..plan() }
}

/// What goes on by itself to its end, when everything does well.
fn gone(mut story: Story) -> (Vec<u32>, Story) {
    let mut steps = Vec::new();
    while let Some((step, commands)) = story.run.goes_on_by_itself() {
        assert!(tried(&story.run, &run(step, 1, &commands)).is_ok(), "step {step}");
        story = story.succeeds(step, &commands);
        steps.push(step);
    }
    (steps, story)
}

#[test]
fn steps_that_read_run_in_their_order_up_to_the_first_that_does_not() {
    use Risk::{Changes, Destroys, Disrupts, Reads};

    assert_eq!(gone(Story::of(with(&[Reads, Reads, Reads]))).0, [1, 2, 3]);
    for other in [Changes, Disrupts, Destroys] {
        assert_eq!(gone(Story::of(with(&[Reads, other, Reads]))).0, [1]);
        assert!(gone(Story::of(with(&[other, Reads]))).0.is_empty());
    }
}

#[test]
fn a_step_by_a_person_waits_and_those_behind_it_go_on() {
    let mut plan = with(&[Risk::Reads, Risk::Reads, Risk::Reads]);
    plan.steps[1] = PlanStep { kind: StepKind::Manual, ..step(2, "Ask", Vec::new()) };

    let (steps, story) = gone(Story::of(plan));

    assert_eq!(steps, [1, 3]);
    assert!(story.run.end.is_none(), "a person says what came of it");
}

#[test]
fn what_did_not_end_well_and_what_has_no_value_waits_for_a_person() {
    let story = Story::of(with(&[Risk::Reads, Risk::Reads]));
    let failed = story.runs(1, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });

    assert_eq!(failed.run.goes_on_by_itself(), None);
    assert_eq!(Story::begun().run.goes_on_by_itself(), None, "the branch is not known");
    let known = Story::begun().sets("branch", "main");
    assert_eq!(known.run.goes_on_by_itself(), Some((1, vec![1, 2])));
    assert_eq!(known.runs(1, &[1, 2]).run.goes_on_by_itself(), None, "it runs");
}
