//! What starts, with what, and how often.

use super::stage::*;
use crate::AttemptId;
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::Role;
use crate::run::{Event, Who, decide};

#[test]
fn an_intent_names_the_work_that_will_be_done() {
    let story = Story::begun().sets("branch", "main; rm -rf /");

    let story = story.runs(1, &[1, 2]);

    let work = story.run.work(1, &[1, 2], &person("Olga", Role::Operator)).unwrap();
    let attempt = story.run.attempt(AttemptId { run: RUN, step: 1, attempt: 1 }).unwrap();
    assert_eq!(attempt.digest, work.digest());
    assert_eq!(work.commands[1].script, "git log \"$branch\"", "a value never becomes part of the text");
    assert_eq!(work.environment["branch"], "main; rm -rf /");
    assert_eq!(work.environment["PORTAL_ACTOR"], "Olga");
    assert_eq!(work.environment["PORTAL_RUN"], "12");
    assert_eq!(work.environment["PATH"], "/bin");
    assert_eq!(work.directory, "/srv");
}

#[test]
fn a_command_gets_only_the_values_that_it_names() {
    let story = Story::begun().sets("branch", "main");

    let work = story.run.work(1, &[1], &Who::Portal).unwrap();

    assert!(!work.environment.contains_key("branch"));
}

#[test]
fn the_next_attempt_begins_where_the_last_one_was() {
    let story = Story::begun().succeeds(1, &[1]);

    assert_eq!(story.run.work(2, &[1], &Who::Portal).unwrap().directory, "/srv/app");
}

#[test]
fn a_step_is_tried_again_under_the_next_number_only() {
    let story = Story::begun().runs(1, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });

    story.refuses(run(1, 1, &[1]));
    story.refuses(run(1, 3, &[1]));
    let story = story.does(run(1, 2, &[1]));

    assert_eq!(story.run.open_attempt(), Some(AttemptId { run: RUN, step: 1, attempt: 2 }));
}

#[test]
fn a_production_target_is_named_once_for_the_whole_run() {
    let mut production = plan();
    production.target.production = true;
    let story = Story::of(production);

    let story = story.does(confirmed(2, 1, &[1], " local "));
    let story = story.ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
    let story = story.does(run(2, 2, &[1]));

    let named = story.entries.iter().filter(|entry| entry.event == Event::TargetConfirmed).count();
    assert_eq!(named, 1);
    assert!(story.run.target_confirmed);
}

#[test]
fn what_reads_or_changes_asks_for_no_name_on_a_production_target() {
    let mut production = plan();
    production.target.production = true;

    Story::of(production.clone()).runs(1, &[1]);
    Story::of(production).runs(3, &[1]);
}

#[test]
fn the_scratch_step_of_the_tour_starts_when_the_target_is_named_and_each_time_anew() {
    let mut tour = plan();
    tour.steps[3].scratch = true;

    let story = Story::of(tour).does(confirmed(4, 1, &[1], "local"));
    let story = story.ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });

    story.refuses(run(4, 2, &[1]));
    story.does(confirmed(4, 2, &[1], "local"));
}

#[test]
fn a_mark_of_the_shim_counts_once_and_only_for_its_own_attempt() {
    let story = Story::begun().runs(3, &[2, 3]);
    let events = |command| decide(Some(&story.run), &command, &Who::Portal, &facts(None)).unwrap().len();

    assert_eq!(events(begins(3, 1, 2)), 1);
    assert_eq!(events(begins(3, 1, 1)), 0, "command 1 is not part of the attempt");
    assert_eq!(events(begins(3, 2, 2)), 0);
    assert_eq!(events(begins(1, 1, 1)), 0);
    assert_eq!(events(ends(3, 1, 2, Outcome::Success)), 0, "what has not begun does not end");
    let story = story.begins(2);
    let again = decide(Some(&story.run), &begins(3, 1, 2), &Who::Portal, &facts(None)).unwrap();
    assert_eq!(again, [], "marks are read again after a restart");
}

#[test]
fn the_end_of_an_attempt_counts_once() {
    let story = Story::begun().succeeds(1, &[1]);

    let again = decide(Some(&story.run), &settle(1, 1, AttemptResult::Stopped), &Who::Portal, &facts(None)).unwrap();
    let lost = decide(Some(&story.run), &interrupt(1, 1), &Who::Portal, &facts(None)).unwrap();

    assert_eq!((again.len(), lost.len()), (0, 0));
}

#[test]
fn a_value_is_an_entry_of_the_environment_and_changes_no_byte_of_a_script() {
    let olga = person("Olga", Role::Operator);
    let work = |value: &str| Story::begun().sets("branch", value).run.work(1, &[1, 2], &olga).unwrap();

    let (plain, odd) = (work("main"), work("$(touch x)`\n'\"\u{202e}"));

    assert_eq!(plain.commands, odd.commands);
    assert_eq!(odd.environment["branch"], "$(touch x)`\n'\"\u{202e}");
    assert_ne!(plain.digest(), odd.digest(), "who approves the one has not approved the other");
}
