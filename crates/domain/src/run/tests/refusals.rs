//! What people are told, word by word.

use std::collections::BTreeMap;

use super::stage::*;
use crate::attempt::AttemptResult;
use crate::plan::PlanParameter;
use crate::policy::{Role, Sight};
use crate::run::TEXT_LIMIT;
use crate::run::decide::VALUE_LIMIT;
use crate::run::{Command, Event, Facts, Holder, Refusal, Verdict, decide};
use crate::runbook::Placeholder;

fn told(story: &Story, command: Command) -> String {
    story.refuses(command).to_string()
}

#[test]
fn who_may_not_is_told_which_role_it_takes() {
    let story = Story::begun();
    let viewer = person("Vera", Role::Viewer);

    let refusal = decide(Some(&story.run), &run(1, 1, &[1]), &viewer, &facts(Some(Role::Viewer))).unwrap_err();
    let disabled = decide(Some(&story.run), &run(1, 1, &[1]), &viewer, &facts(None)).unwrap_err();

    assert_eq!(refusal.to_string(), "Your role is viewer; to work in a run takes the role operator or above");
    assert_eq!(disabled.to_string(), "Your account is disabled. Nothing was changed");
}

#[test]
fn a_run_that_is_not_there_or_there_already_is_said() {
    let olga = person("Olga", Role::Operator);
    let start = Command::Start { plan: Box::new(plan()), reason: String::new(), values: BTreeMap::new() };

    let none = decide(None, &run(1, 1, &[1]), &olga, &facts(Some(Role::Operator))).unwrap_err();

    assert_eq!(none.to_string(), "There is no such run");
    assert_eq!(told(&Story::begun(), start), "The run exists already");
}

#[test]
fn a_run_with_an_unknown_event_can_only_be_read() {
    let mut story = Story::begun();
    story.run.unreadable = Some("its event 4 is unknown".to_owned());

    assert_eq!(told(&story, run(1, 1, &[1])), "This run can only be read: its event 4 is unknown");
}

#[test]
fn what_runs_in_a_run_with_an_unknown_event_can_be_stopped_and_comes_to_its_end() {
    for end in [settle(2, 1, AttemptResult::Stopped), interrupt(2, 1)] {
        let mut story = Story::begun().runs(2, &[1]);
        story.run.unreadable = Some("its event 4 is unknown".to_owned());

        let story = story.begins(1).does(Command::Stop { step: 2, attempt: 1 }).hears(end);

        assert_eq!(story.run.open_attempt(), None);
        assert!(matches!(story.refuses(run(2, 2, &[1])), Refusal::ReadOnly(_)));
    }
}

#[test]
fn a_run_with_an_unknown_event_can_lose_its_lock_to_a_lead() {
    let mut story = Story::begun().succeeds(2, &[1]);
    story.run.unreadable = Some("its event 4 is unknown".to_owned());
    assert!(story.run.holds_lock());

    let story = story.hears(lose_lock());

    assert!(!story.run.holds_lock());
}

#[test]
fn a_lock_that_was_taken_with_an_unknown_event_has_a_holder_and_can_be_lost() {
    let mut story = Story::begun();
    assert_eq!(Holder::of(&story.run, None, &Sight::EVERYTHING), None);
    story.run.unreadable = Some("its event 4 is unknown".to_owned());

    assert_eq!(Holder::of(&story.run, None, &Sight::EVERYTHING).map(|holder| holder.run), Some(RUN));
    let story = story.hears(lose_lock());
    assert!(matches!(story.entries.last().map(|entry| &entry.event), Some(Event::LockLost { .. })));
}

#[test]
fn a_closed_run_says_who_closed_it_and_when() {
    let story = Story::begun().does(Command::Finish { verdict: Verdict::Reached, comment: String::new() });

    assert_eq!(
        told(&story, run(1, 1, &[1])),
        "Olga closed this run at 2026-11-23T21:58:04Z. Nothing was changed; start a new run to go on"
    );
}

#[test]
fn who_is_slower_is_told_who_was_faster() {
    let story = Story::begun().runs(1, &[1]);

    assert_eq!(told(&story, run(1, 1, &[1])), "Olga started this step at 21:58:04. It was not started again");
    assert_eq!(
        told(&story, run(2, 1, &[1])),
        "Step 1 of this run is running since 21:58:04, started by Olga. Nothing else was started; wait or stop it"
    );
}

#[test]
fn what_the_run_does_not_have_is_named() {
    let story = Story::begun();
    let unknown = |name: &str| Command::SetValue { name: name.to_owned(), value: String::new() };

    assert_eq!(told(&story, run(99, 1, &[1])), "This run has no step 99. Nothing was changed");
    assert_eq!(told(&story, run(0, 1, &[1])), "This run has no step 0. Nothing was changed");
    assert_eq!(told(&story, run(1, 1, &[3])), "This run has no command 3 in step 1. Nothing was changed");
    assert_eq!(told(&story, run(1, 7, &[1])), "This run has no attempt 7 to start. Nothing was changed");
    assert_eq!(told(&story, unknown("colour")), "This run has no parameter \"colour\". Nothing was changed");
    assert_eq!(
        told(&story, Command::Tick { step: Some(5), item: 3, note: String::new() }),
        "This run has no line 3 to tick. Nothing was changed"
    );
    assert_eq!(
        told(&story, Command::Untick { step: None, item: 0 }),
        "This run has no line 0 to tick. Nothing was changed"
    );
    assert_eq!(
        told(&story, Command::AddNote { step: Some(9), text: "x".to_owned() }),
        "This run has no step 9. Nothing was changed"
    );
}

#[test]
fn commands_that_do_not_go_together_are_not_started() {
    let story = Story::begun().sets("branch", "main");

    assert_eq!(told(&story, run(1, 1, &[])), "There is no command to run in this step. Nothing was started");
    assert_eq!(told(&story, run(7, 1, &[1])), "There is no command to run in this step. Nothing was started");
    assert_eq!(
        told(&story, run(1, 1, &[2, 1])),
        "Commands run in the order of the document, each once. Nothing was started"
    );
    assert_eq!(
        told(&story, run(1, 1, &[1, 1])),
        "Commands run in the order of the document, each once. Nothing was started"
    );
    for mixed in [&[1, 2][..], &[1, 4], &[2, 3, 4]] {
        assert_eq!(
            told(&story, run(3, 1, mixed)),
            "These commands belong to different choices, and alternatives never run in a row. Nothing was started"
        );
    }
    assert_eq!(
        told(&story, Command::CompleteStep { step: 1 }),
        "This step has commands: run them, or skip it with a reason. Nothing was started"
    );
}

#[test]
fn a_missing_value_is_asked_for_by_name_and_once() {
    let mut plan = plan();
    for command in 0..2 {
        plan.steps[0].commands[command].placeholders = ["branch", "tag", "branch"]
            .map(|name| Placeholder { text: name.to_owned(), parameter: Some(name.to_owned()) })
            .to_vec();
    }

    let story = Story::of(plan);

    assert_eq!(told(&story, run(1, 1, &[1, 2])), "Set Branch, tag first. Nothing was started");
}

#[test]
fn a_word_that_nobody_declared_is_quoted() {
    let mut plan = plan();
    plan.steps[0].commands[0].placeholders = vec![Placeholder { text: "COMMIT".to_owned(), parameter: None }];

    assert_eq!(
        told(&Story::of(plan), run(1, 1, &[1])),
        "\"COMMIT\" stands for a value, and the document's side file does not say which. Nothing was started; declare it as a parameter"
    );
}

#[test]
fn a_command_that_cannot_run_says_why() {
    let mut plan = plan();
    plan.steps[0].commands[0].blocked = Some("It needs the secret TOKEN".to_owned());

    assert_eq!(told(&Story::of(plan), run(1, 1, &[1])), "It needs the secret TOKEN. Nothing was started");
}

#[test]
fn a_value_that_does_not_fit_is_not_set() {
    let story = Story::begun();
    let set = |value: String| Command::SetValue { name: "branch".to_owned(), value };
    let facts = Facts {
        misfits: vec![("branch".to_owned(), "it takes letters only".to_owned())],
        ..facts(Some(Role::Operator))
    };
    let olga = person("Olga", Role::Operator);

    let misfit = decide(Some(&story.run), &set("7".to_owned()), &olga, &facts).unwrap_err();
    let values = [("branch".to_owned(), "7".to_owned())].into();
    let start = Command::Start { plan: Box::new(plan()), reason: String::new(), values };
    let at_start = decide(None, &start, &olga, &facts).unwrap_err();

    assert_eq!(misfit.to_string(), "Branch: it takes letters only. The value was not set");
    assert_eq!(at_start, misfit);
    assert_eq!(
        told(&story, set("a\0b".to_owned())),
        "Branch: a value cannot contain a NUL byte. The value was not set"
    );
    assert_eq!(
        told(&story, set("x".repeat(VALUE_LIMIT + 1))),
        "Branch: the value has 98,305 bytes, and 98,304 is the most; put it into a file. The value was not set"
    );
    story.does(set("x".repeat(VALUE_LIMIT)));
}

#[test]
fn values_that_no_environment_carries_start_nothing() {
    let names: Vec<String> = (0..11).map(|number| format!("value_{number}")).collect();
    let mut plan = plan();
    let fills = |name: &String| Placeholder { text: name.clone(), parameter: Some(name.clone()) };
    plan.steps[0].commands[0].placeholders = names.iter().map(fills).collect();
    plan.steps[0].commands[1].placeholders = names.iter().take(10).map(fills).collect();
    let template = plan.parameters[0].clone();
    plan.parameters = names.iter().map(|name| PlanParameter { name: name.clone(), ..template.clone() }).collect();
    let value = "x".repeat(VALUE_LIMIT);

    let story = names.iter().fold(Story::of(plan), |story, name| story.sets(name, &value));

    let told = told(&story, run(1, 1, &[1]));
    assert!(told.starts_with("The values of these commands have 1,08"), "{told}");
    assert!(told.contains("Nothing was started"), "{told}");
    story.does(run(1, 1, &[2]));
}

#[test]
fn what_destroys_needs_an_approval() {
    assert_eq!(
        told(&Story::begun(), confirmed(4, 1, &[1], "local")),
        "\"rm -rf cache\" needs the approval of a lead. Nothing was started; ask for it first"
    );
}

#[test]
fn what_needs_the_targets_name_says_which() {
    let mut production = plan();
    production.target.production = true;
    production.steps[3].scratch = true;
    let story = Story::of(production);

    assert_eq!(
        told(&story, run(2, 1, &[1])),
        "This step takes a service away for a while on a production target. Nothing was started; type local to go on"
    );
    assert_eq!(told(&story, confirmed(2, 1, &[1], "Local")), told(&story, run(2, 1, &[1])));
    assert_eq!(
        told(&story, run(4, 1, &[1])),
        "This step removes the tour's own scratch folder. Nothing was started; type local to go on"
    );
}

#[test]
fn a_reason_is_asked_for_where_one_is_owed() {
    let story = Story::begun();
    let empty = || " \n".to_owned();

    for command in [
        Command::SkipStep { step: 1, reason: empty() },
        Command::SkipCommand { step: 1, command: 1, reason: empty() },
        Command::AddNote { step: None, text: empty() },
        Command::Finish { verdict: Verdict::NotReached, comment: empty() },
        Command::Finish { verdict: Verdict::RolledBack, comment: empty() },
        Command::Finish { verdict: Verdict::Aborted, comment: empty() },
    ] {
        assert_eq!(told(&story, command), "Say why. Nothing was changed");
    }
}

#[test]
fn a_text_has_a_most() {
    let story = Story::begun();
    let long = || "x".repeat(TEXT_LIMIT + 1);

    for command in [
        Command::SkipStep { step: 1, reason: long() },
        Command::SkipCommand { step: 1, command: 1, reason: long() },
        Command::AddNote { step: None, text: long() },
        Command::Tick { step: Some(5), item: 1, note: long() },
        Command::Finish { verdict: Verdict::Reached, comment: long() },
    ] {
        assert_eq!(told(&story, command), "The text has 16385 bytes, and 16384 is the most. Nothing was changed");
    }
}

#[test]
fn what_is_over_stays_so() {
    let story = Story::begun().succeeds(2, &[1]).skips(1).does(Command::CompleteStep { step: 5 });

    assert_eq!(
        told(&story, Command::Stop { step: 2, attempt: 1 }),
        "This step does not run any more. Nothing was stopped"
    );
    for command in [
        run(1, 1, &[1]),
        Command::SkipStep { step: 1, reason: "x".to_owned() },
        Command::SkipStep { step: 2, reason: "x".to_owned() },
        Command::SkipCommand { step: 2, command: 1, reason: "x".to_owned() },
        Command::CompleteStep { step: 5 },
    ] {
        assert_eq!(told(&story, command), "This is done already. Nothing was changed");
    }
}
