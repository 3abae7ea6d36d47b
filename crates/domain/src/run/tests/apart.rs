//! A step with a directory of its own: it begins there, and moves nothing but itself.

use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::Plan;
use crate::run::{ChangeKind, Command, Refusal, RequestStatus, Who};

const OWN: &str = "/srv/checkout";

/// The plan of all stories, in which some steps have a directory of their own.
fn with_own(steps: &[usize]) -> Plan {
    let mut plan = plan();
    for step in steps {
        plan.steps[step - 1].directory = Some(OWN.to_owned());
    }
    plan
}

/// Step 2 has its own, and the run stands at it: step 1 has moved the run to `/srv/app`.
fn standing() -> Story {
    Story::of(with_own(&[2])).sets("branch", "main").succeeds(1, &[1, 2])
}

fn begins_in(story: &Story, step: u32, commands: &[u32]) -> String {
    story.run.work(step, commands, &Who::Portal).unwrap().directory
}

fn set(path: &str) -> Command {
    Command::SetDirectory { path: path.to_owned() }
}

fn fails(story: Story) -> Story {
    story.runs(2, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 })
}

#[test]
fn a_step_begins_in_its_own_directory_and_what_follows_where_the_run_was() {
    let story = Story::of(with_own(&[1]));
    assert_eq!(begins_in(&story, 1, &[1]), OWN);

    let running = story.runs(1, &[1]);
    assert_eq!(running.run.directory, "/srv", "the page says where the run is");
    let ended = running.ends(1, Outcome::Success).settles(AttemptResult::Completed);

    assert_eq!(ended.run.directory, "/srv", "it has ended in /srv/app");
    assert_eq!(begins_in(&ended, 2, &[1]), "/srv");
    assert_eq!(begins_in(&ended, 1, &[2]), "/srv/app", "its rest goes on where its own first command went");
}

#[test]
fn what_another_step_has_moved_does_not_move_it() {
    assert_eq!(standing().run.directory, "/srv/app");
    assert_eq!(begins_in(&standing(), 2, &[1]), OWN);
}

#[test]
fn its_retry_begins_where_it_began_and_its_failure_moves_nothing() {
    let failed = fails(standing());

    assert_eq!(begins_in(&failed, 2, &[1]), OWN, "and not in /srv/app, where it has failed");
    assert_eq!(failed.run.directory, "/srv/app", "where step 1 has left it");
    assert_eq!(begins_in(&fails(failed), 2, &[1]), OWN);
}

#[test]
fn what_a_person_sets_at_such_a_step_is_for_that_step_alone() {
    let corrected = fails(standing()).does(set("/srv/other"));

    assert_eq!(begins_in(&corrected, 2, &[1]), "/srv/other");
    assert_eq!(begins_in(&corrected, 3, &[1]), "/srv/app", "what follows is not moved by a correction");
    assert_eq!(corrected.refuses(set("/srv/other")), Refusal::Over);
    let recorded = ChangeKind::DirectorySet { path: "/srv/other".to_owned(), step: Some(2) };
    assert_eq!(corrected.run.changes.last().map(|change| &change.kind), Some(&recorded));
    let with_the_run = standing().does(set("/srv/app"));
    assert_eq!(begins_in(&with_the_run, 2, &[1]), "/srv/app", "where the run is, too, may be set");
}

#[test]
fn what_a_person_sets_at_another_step_is_for_the_run_and_not_for_it() {
    let story = Story::of(with_own(&[2])).does(set("/srv/other"));

    assert_eq!((begins_in(&story, 1, &[1]).as_str(), begins_in(&story, 2, &[1]).as_str()), ("/srv/other", OWN));
    assert_eq!(story.skips(2).run.next_directory(), "/srv/other");
}

#[test]
fn what_a_person_sets_after_a_rollback_has_failed_is_for_the_rollback() {
    let failed = fails(Story::of(with_own(&[8])));
    assert_eq!(failed.run.apart(), None, "step 2 has failed, and it has none of its own");
    let back = failed.runs(8, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });

    let corrected = back.does(set("/srv/other"));

    assert_eq!(begins_in(&corrected, 8, &[1]), "/srv/other");
    assert_eq!(corrected.run.directory, "/srv/app", "where step 2 has left it");
}

#[test]
fn a_rollback_has_its_own_directory_and_an_added_step_begins_where_the_run_is() {
    let story = Story::of(with_own(&[2, 8])).does(adds(added("df -h", 2)));

    assert_eq!(begins_in(&story, 8, &[1]), OWN);
    assert_eq!(begins_in(&story, 9, &[1]), "/srv");
}

#[test]
fn an_approval_of_it_holds_while_others_move_the_run_and_ends_when_it_is_moved_itself() {
    let asked = Story::of(with_own(&[4])).sets("branch", "main").does(ask(1, &[(4, &[1])]));
    let covered = |story: &Story| story.run.requests[0].covers[0].work.directory.clone();
    let status = |story: &Story| story.run.request_status(&story.run.requests[0], story.now);
    assert_eq!(covered(&asked), OWN);

    let moved = asked.clone().succeeds(1, &[1, 2]).does(set("/elsewhere"));
    assert!(status(&moved).is_live());

    let corrected = asked.skips(1).skips(2).skips(3).does(set("/elsewhere"));
    assert_eq!(status(&corrected), RequestStatus::Void);
}

#[test]
fn a_step_of_its_own_directory_moves_nobody_and_is_moved_by_nobody() {
    let go = || vec![command("cd /srv/app && ls", crate::Risk::Reads)];
    let mut plan = with_own(&[1, 4]);
    plan.steps[0].commands = go();
    plan.steps[1].commands = go();
    let movers = |step: u32| {
        let movers = Story::of(plan.clone()).run.movers_before(step);
        movers.iter().map(|mover| mover.step).collect::<Vec<_>>()
    };

    assert_eq!(movers(3), [2]);
    assert_eq!(movers(4), Vec::<u32>::new());
}

#[test]
fn a_plan_of_before_has_no_such_step_and_keeps_its_digest() {
    let stored = serde_json::to_string(&plan()).unwrap();
    assert!(!serde_json::to_string(&plan().steps[0]).unwrap().contains("\"directory\""));

    let read: Plan = serde_json::from_str(&stored).unwrap();

    assert!(read.steps.iter().all(|step| step.directory.is_none()));
    assert_eq!(read.digest(), plan().digest());
    let own = with_own(&[1]);
    assert_eq!(serde_json::from_str::<Plan>(&serde_json::to_string(&own).unwrap()).unwrap(), own);
}
