//! What goes on under an approval after a difference or a failure: the rest, one retry, the rollback.

use super::{LENA, approved, asked, with_all};
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::Role;
use crate::run::tests::stage::*;
use crate::run::{Command, Refusal, RequestStatus};

#[test]
fn after_a_difference_the_rest_goes_on_under_the_same_approval() {
    let paused = approved().runs(4, &[1, 2]).ends(1, Outcome::Difference);
    let paused = paused.settles(AttemptResult::Difference { command: 1 });

    assert_eq!(paused.refuses(run(4, 2, &[1, 2])), Refusal::Spent, "nothing is run twice");
    let rest = paused.runs(4, &[2]);
    assert_eq!(rest.run.requests[0].uses.len(), 2);
}

#[test]
fn after_a_failure_one_retry_starts_where_it_was_ticked() {
    let fails = |story: Story| {
        story.runs(4, &[1, 2]).ends(1, Outcome::Failure).ends_in_place(AttemptResult::Failed { command: 1 })
    };

    assert_eq!(fails(approved()).refuses(run(4, 2, &[1, 2])), Refusal::Spent);
    let ticked = fails(asked().lead(LENA, with_all()));
    assert!(matches!(ticked.clone().waits(16).refuses(run(4, 2, &[1, 2])), Refusal::TooLate(_)));
    let again = fails(ticked);
    assert_eq!(again.refuses(run(4, 3, &[1, 2])), Refusal::Spent, "one retry, and no second one");
}

#[test]
fn a_retry_begins_where_the_approved_attempt_began_wherever_that_has_gone() {
    let failed = asked().lead(LENA, with_all()).runs(4, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.settles(AttemptResult::Failed { command: 1 });
    assert_eq!(failed.run.directory, "/srv/app", "`cd app && make` has failed in app");

    let again = failed.clone().runs(4, &[1, 2]);
    let covered = &again.run.requests[0].covers[0];
    assert_eq!(again.run.steps[3].attempts[1].digest, covered.digest(), "exactly what was approved");
    assert_eq!(again.run.directory, "/srv", "and the page says so");

    let facts = failed.facts(Some(Role::Operator));
    let elsewhere = "the directory was \u{201c}/srv\u{201d} and is \u{201c}/srv/app\u{201d}";
    assert_eq!(failed.voids(&run(8, 1, &[1]), &facts), [elsewhere], "the rollback was approved for another place");
    let back = failed.clone().does(Command::SetDirectory { path: "/srv".to_owned() });
    assert_eq!(back.runs(8, &[1]).run.requests[0].uses.len(), 2);

    let moved = failed.does(Command::SetDirectory { path: "/other".to_owned() });
    let facts = moved.facts(Some(Role::Operator));
    assert_eq!(
        moved.voids(&run(4, 2, &[1, 2]), &facts),
        ["the directory was \u{201c}/srv\u{201d} and is \u{201c}/other\u{201d}"]
    );
}

#[test]
fn a_command_that_failed_is_not_passed_over_under_an_approval() {
    let failed = asked().lead(LENA, with_all()).runs(4, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.ends_in_place(AttemptResult::Failed { command: 1 });
    let skipped = failed.does(Command::SkipCommand { step: 4, command: 1, reason: "it is fine".to_owned() });

    assert_eq!(skipped.refuses(run(4, 2, &[2])), Refusal::Spent);
}

#[test]
fn an_attempt_that_could_not_begin_uses_nothing_up() {
    let story = approved().runs(4, &[1, 2]).ends_in_place(AttemptResult::NotStarted { reason: "no shell".to_owned() });

    assert_eq!(story.status(1), RequestStatus::Approved);
    assert_eq!(story.runs(4, &[1, 2]).run.requests[0].uses.len(), 2);
}

#[test]
fn the_rollback_starts_where_it_was_ticked_after_a_failure_once_and_for_an_hour() {
    let fails = |story: Story| {
        story.runs(4, &[1, 2]).ends(1, Outcome::Failure).ends_in_place(AttemptResult::Failed { command: 1 })
    };
    let back = run(8, 1, &[1]);

    assert_eq!(fails(approved()).refuses(back.clone()), Refusal::NoRollback);
    assert_eq!(asked().lead(LENA, with_all()).refuses(back.clone()), Refusal::NothingFailed);
    let failed = fails(asked().lead(LENA, with_all()));
    assert!(matches!(failed.clone().waits(61).refuses(back), Refusal::TooLate(_)));
    let done = failed.waits(59).succeeds(8, &[1]);
    assert_eq!(done.refuses(run(8, 2, &[1])), Refusal::Spent);
}

#[test]
fn a_retry_and_a_rollback_need_the_tick_of_every_lead() {
    let mut story = asked().lead(LENA, with_all());
    story.run.requests[0].leads = 2;
    let story = story.lead("Lars", grant(1));

    assert!(!story.run.requests[0].retry() && !story.run.requests[0].rollback());
}

/// Step 4 stopped at a difference in its first command.
fn paused() -> Story {
    let story = approved().runs(4, &[1, 2]).ends(1, Outcome::Difference);
    story.settles(AttemptResult::Difference { command: 1 })
}

#[test]
fn the_rest_goes_on_from_where_the_step_has_left_the_shell_and_nowhere_else() {
    assert_eq!(paused().run.directory, "/srv/app", "where its own first command went");
    let moved = paused().does(Command::SetDirectory { path: "/other".to_owned() });

    assert!(!matches!(moved.status(1), RequestStatus::Used));
    let facts = moved.facts(Some(Role::Operator));
    assert_eq!(
        moved.voids(&run(4, 2, &[2]), &facts),
        ["the directory was \u{201c}/srv/app\u{201d} and is \u{201c}/other\u{201d}"]
    );
}

#[test]
fn a_value_that_is_set_between_the_start_and_the_rest_makes_it_void() {
    let changed = paused().sets("branch", "other");
    let facts = changed.facts(Some(Role::Operator));

    assert_eq!(
        changed.voids(&run(4, 2, &[2]), &facts),
        ["the value of branch was \u{201c}main\u{201d} and is \u{201c}other\u{201d}"]
    );
}
