//! What checks say about the outcome of a run.

use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::check::{CheckEnd, CheckId, Held};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{CheckStanding, Command, Facts, Refusal, Verdict, Who, decide};

const LINE: CheckId = CheckId { step: None, number: 1 };

/// A line of the outcome that is checked, and a check after the first step.
fn checked() -> Plan {
    let mut plan = plan();
    plan.checks.push(http_check(1));
    plan.steps[0].after.push(http_check(1));
    plan
}

fn begun() -> Story {
    Story::of(checked()).sets("branch", "main")
}

fn reached() -> Command {
    Command::Finish { verdict: Verdict::Reached, comment: String::new() }
}

/// Asks for the check of the line, and hears an answer.
fn answers(story: Story, end: CheckEnd) -> Story {
    let number = story.run.next_check();
    story.does(checks(&[(None, 1)])).hears(answered(number, end))
}

fn objection(story: &Story) -> String {
    match story.refuses(reached()) {
        Refusal::Unproven(lines) => lines.join("; "),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_outcome_that_was_not_checked_is_not_said_to_be_reached() {
    let story = begun();

    assert_eq!(objection(&story), "\u{201c}It answers\u{201d} was not checked");
    assert_eq!(story.run.unanswered_checks(NOW), [LINE]);
    assert!(story.refuses(reached()).to_string().contains("overrule a check with a reason"));
}

#[test]
fn a_check_that_held_lets_the_outcome_be_reached() {
    let story = answers(begun(), CheckEnd::yes("It answered 200."));

    assert_eq!(story.run.check_standing(LINE, NOW), CheckStanding::Answered(Held::Yes));
    assert!(story.does(reached()).run.end.is_some());
}

#[test]
fn a_check_that_did_not_hold_or_is_not_known_hinders_it_until_somebody_says_why_not() {
    for (end, words) in [
        (CheckEnd::no("It answered 503."), "\u{201c}It answers\u{201d} did not hold"),
        (CheckEnd::unknown("The target is away."), "\u{201c}It answers\u{201d} could not be checked"),
    ] {
        let story = answers(begun(), end);

        assert_eq!(objection(&story), words);
        assert_eq!(story.run.unanswered_checks(NOW), []);
        let empty = Command::OverruleCheck { check: LINE, reason: " ".to_owned() };
        assert_eq!(story.refuses(empty), Refusal::NoReason);
        let overruled = story.does(overrule(1));
        assert_eq!(overruled.refuses(overrule(1)), Refusal::Over);
        assert!(overruled.does(reached()).run.end.is_some());
    }
}

#[test]
fn every_other_verdict_can_be_given_whatever_the_checks_say() {
    for verdict in [Verdict::NotReached, Verdict::RolledBack, Verdict::Aborted] {
        let finish = Command::Finish { verdict, comment: "so it is".to_owned() };

        assert!(answers(begun(), CheckEnd::no("no")).does(finish).run.end.is_some(), "{verdict:?}");
    }
}

#[test]
fn only_an_answer_can_be_overruled_and_only_by_who_works_in_the_run() {
    let asked = begun().does(checks(&[(None, 1)]));
    let held = answers(begun(), CheckEnd::yes("yes"));
    let failed = answers(begun(), CheckEnd::no("no"));

    assert!(matches!(begun().refuses(overrule(1)), Refusal::CheckFirst(_)));
    assert!(matches!(asked.refuses(overrule(1)), Refusal::CheckFirst(_)));
    assert_eq!(held.refuses(overrule(1)), Refusal::Over);
    let otto = person("Otto", Role::Operator);
    let by_otto = decide(Some(&failed.run), &overrule(1), &otto, &facts(Some(Role::Operator)));
    assert!(matches!(by_otto, Err(Refusal::Theirs { .. })), "{by_otto:?}");
    assert!(decide(Some(&failed.run), &checks(&[(None, 1)]), &otto, &facts(Some(Role::Operator))).is_ok());
}

#[test]
fn a_new_answer_takes_the_place_of_the_one_that_was_overruled() {
    let story = answers(answers(begun(), CheckEnd::no("no")).does(overrule(1)), CheckEnd::no("still no"));

    assert!(objection(&story).contains("did not hold"));
    assert_eq!(story.run.checks.len(), 2, "nothing goes out of the record");
}

#[test]
fn what_was_seen_before_a_step_ran_does_not_count_after_it() {
    let story = answers(begun(), CheckEnd::yes("yes")).succeeds(2, &[1]);

    assert_eq!(objection(&story), "\u{201c}It answers\u{201d} was checked before a step ran");
    assert_eq!(story.run.unanswered_checks(NOW), [LINE]);
    let failed = answers(begun(), CheckEnd::no("no")).runs(1, &[1]).ends(1, Outcome::Success);
    let failed = failed.settles(AttemptResult::Completed);
    assert!(matches!(failed.refuses(overrule(1)), Refusal::CheckFirst(_)));
}

#[test]
fn a_check_is_not_asked_twice_at_once_and_is_lost_after_its_time() {
    let story = begun().does(checks(&[(None, 1), (None, 1)]));

    assert_eq!(story.run.checks.len(), 1);
    assert_eq!(story.refuses(checks(&[(None, 1)])), Refusal::Checking);
    assert_eq!(objection(&story), "\u{201c}It answers\u{201d} is being checked");
    let later = story.waits(3);
    assert_eq!(later.run.check_standing(LINE, later.now), CheckStanding::Lost);
    assert_eq!(later.run.unanswered_checks(later.now), [LINE]);
    assert_eq!(later.does(checks(&[(None, 1)])).run.checks.len(), 2);
}

#[test]
fn an_answer_is_recorded_once_and_not_after_the_end() {
    let story = begun().does(checks(&[(None, 1)])).hears(answered(1, CheckEnd::no("no")));
    let again = story.clone().hears(answered(1, CheckEnd::yes("yes"))).hears(answered(7, CheckEnd::yes("yes")));
    let finish = Command::Finish { verdict: Verdict::NotReached, comment: "no".to_owned() };
    let late = begun().does(checks(&[(None, 1)])).does(finish).hears(answered(1, CheckEnd::yes("yes")));

    assert_eq!(again.run.check_standing(LINE, NOW), CheckStanding::Answered(Held::No));
    assert_eq!(late.run.checks[0].end, None);
}

#[test]
fn a_step_that_ended_well_is_followed_by_its_checks() {
    let well = begun().succeeds(1, &[1, 2]);
    let partly = begun().succeeds(1, &[1]);
    let badly = begun().runs(1, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
    let given_up = begun().runs(1, &[1, 2]).does(Command::Abort { reason: "no more".to_owned() });
    let given_up = given_up.settles(AttemptResult::Completed);

    assert_eq!(well.run.checks.len(), 1);
    assert_eq!(
        (well.run.checks[0].check, well.run.checks[0].started.by.clone()),
        (CheckId { step: Some(1), number: 1 }, Who::Portal)
    );
    assert_eq!(badly.run.checks, []);
    assert_eq!(partly.run.checks, [], "the step is not over");
    assert_eq!(given_up.run.checks, []);
}

#[test]
fn what_did_not_hold_after_a_step_stands_against_the_outcome() {
    let story = begun().succeeds(1, &[1, 2]).hears(answered(1, CheckEnd::no("no")));
    let story = answers(story, CheckEnd::yes("yes"));

    assert_eq!(objection(&story), "\u{201c}http://localhost/health answers 200\u{201d} did not hold");
    let check = CheckId { step: Some(1), number: 1 };
    let overruled = story.does(Command::OverruleCheck { check, reason: "it is slow".to_owned() });
    assert!(overruled.does(reached()).run.end.is_some());
}

#[test]
fn a_check_that_the_plan_does_not_have_cannot_be_asked() {
    for command in [checks(&[(None, 2)]), checks(&[(Some(2), 1)]), checks(&[(Some(99), 1)]), checks(&[]), overrule(2)] {
        assert!(matches!(begun().refuses(command.clone()), Refusal::Nothing(_)), "{command:?}");
    }
}

#[test]
fn a_viewer_asks_for_no_check() {
    let facts: Facts = facts(Some(Role::Viewer));

    assert!(decide(Some(&begun().run), &checks(&[(None, 1)]), &person("Vera", Role::Viewer), &facts).is_err());
}
