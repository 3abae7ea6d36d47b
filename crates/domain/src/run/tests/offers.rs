//! What a page may offer to start.

use super::stage::*;
use crate::Risk;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::PlanCommand;
use crate::run::{Command, Offer};
use crate::runbook::Choice;

fn offered(story: &Story, step: u32) -> Vec<Vec<u32>> {
    story.run.offers(step).into_iter().map(|offer| offer.commands).collect()
}

#[test]
fn commands_without_a_choice_are_offered_in_a_row() {
    let story = Story::begun();

    assert_eq!(offered(&story, 1), [[1, 2]]);
    assert_eq!(offered(&story.succeeds(1, &[1]), 1), [[2]]);
}

#[test]
fn alternatives_stand_side_by_side_and_what_comes_after_them_waits() {
    let story = Story::begun();

    assert_eq!(offered(&story, 3), [vec![1], vec![2, 3]]);
    let choices: Vec<Option<String>> =
        story.run.offers(3).into_iter().map(|Offer { choice, .. }| choice.map(|choice| choice.when)).collect();
    assert_eq!(choices, [Some("Option 1".to_owned()), Some("Option 2".to_owned())]);
}

#[test]
fn taking_an_alternative_closes_the_others() {
    let first = Story::begun().succeeds(3, &[1]);
    let half = Story::begun().succeeds(3, &[2]);

    assert_eq!(offered(&first, 3), [[4]]);
    assert_eq!(offered(&half, 3), [[3]]);
    assert_eq!(offered(&half.succeeds(3, &[3]), 3), [[4]]);
}

#[test]
fn an_alternative_that_failed_leaves_the_others_open() {
    let story = Story::begun().runs(3, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });

    assert_eq!(offered(&story, 3), [vec![1], vec![2, 3]]);
}

#[test]
fn an_alternative_that_is_skipped_closes_none_of_the_others() {
    let story = Story::begun().does(Command::SkipCommand { step: 3, command: 1, reason: "no".to_owned() });

    assert_eq!(offered(&story, 3), [[2, 3]]);
}

#[test]
fn something_optional_stands_alone_until_it_is_run_or_skipped() {
    let optional = Choice { group: 1, when: "if needed".to_owned(), exclusive: false };
    let mut plan = plan();
    plan.steps[0].commands = vec![
        command("date", Risk::Reads),
        PlanCommand { choice: Some(optional), ..command("sync", Risk::Changes) },
        command("id", Risk::Reads),
    ];
    let story = Story::of(plan);

    assert_eq!(offered(&story, 1), [[1]]);
    let story = story.succeeds(1, &[1]);
    assert_eq!(offered(&story, 1), [[2]]);
    let story = story.does(Command::SkipCommand { step: 1, command: 2, reason: "not needed".to_owned() });
    assert_eq!(offered(&story, 1), [[3]]);
}

#[test]
fn every_offer_can_be_accepted() {
    let story = Story::begun().sets("branch", "main");

    for step in [1, 2, 3, 6, 8] {
        for offer in story.run.offers(step) {
            story.clone().runs(step, &offer.commands);
        }
    }
}

#[test]
fn nothing_is_offered_where_there_is_nothing_to_run() {
    let story = Story::begun().skips(1);

    for step in [0, 1, 5, 7, 9] {
        assert_eq!(offered(&story, step), Vec::<Vec<u32>>::new(), "step {step}");
    }
}

#[test]
fn what_the_portal_does_itself_is_not_offered_to_the_shell() {
    let mut plan = plan();
    plan.steps[0].commands.insert(0, by_portal("ssh host"));

    let story = Story::of(plan);

    assert_eq!(offered(&story, 1), [[2, 3]]);
    assert_eq!(offered(&story.succeeds(1, &[2]), 1), [[3]]);
}
