//! The downtime clock.

use super::stage::*;
use crate::attempt::{CommandEnd, Mark, Outcome};
use crate::plan::Plan;
use crate::run::{Away, Command, downtime};
use crate::{Risk, Timestamp};

/// Steps of one command each, with these rules.
fn of(rules: &[&str]) -> Story {
    let steps = (1..).zip(rules).map(|(number, rule)| step(number, rule, vec![command(rule, Risk::Changes)]));
    Story::of(Plan { steps: steps.collect(), ..plan() })
}

/// Runs the step from one second to another, counted from the start.
fn ran(story: Story, step: u32, from: i64, to: i64, outcome: Outcome) -> Story {
    let at = |second: i64| NOW.0 + second * 1000;
    let end = CommandEnd { code: Some(0), statuses: vec![0], duration_ms: 0, outcome, explanation: None };
    let attempt = story.attempts(step) + 1;
    let note = |mark| Command::Note { step, attempt, mark };
    story
        .runs(step, &[1])
        .hears(note(Mark::Started { command: 1, offset: 0, at: at(from) }))
        .hears(note(Mark::Ended { command: 1, offset: 0, at: at(to), end }))
        .settles(crate::attempt::AttemptResult::Completed)
}

fn second(second: i64) -> Timestamp {
    Timestamp(NOW.0 + second * 1000)
}

#[test]
fn the_clock_runs_from_the_start_of_a_stop_to_the_end_of_what_brings_the_services_back() {
    let story = of(&["docker-compose stop", "mongorestore", "docker-compose up"]);

    let story = ran(story, 1, 10, 12, Outcome::Success);
    assert_eq!(story.run.away, [Away { since: second(10), until: None }]);
    assert_eq!(downtime(&story.run.away, second(70)), 60_000);

    let story = ran(ran(story, 2, 20, 50, Outcome::Success), 3, 60, 64, Outcome::Success);
    assert_eq!(story.run.away, [Away { since: second(10), until: Some(second(64)) }]);
    assert_eq!(downtime(&story.run.away, second(500)), 54_000);
}

#[test]
fn a_stop_that_failed_took_nothing_away_and_a_start_that_failed_brought_nothing_back() {
    let story = ran(of(&["systemctl stop", "systemctl start"]), 1, 1, 2, Outcome::Failure);
    assert_eq!(story.run.away, []);

    let story = ran(ran(story, 1, 3, 4, Outcome::Success), 2, 5, 6, Outcome::Failure);
    assert_eq!(story.run.away, [Away { since: second(3), until: None }]);
}

#[test]
fn a_second_stop_begins_a_second_span_and_a_restart_alone_none() {
    let story = of(&["docker restart", "docker stop", "docker start", "docker pause"]);
    let story = (1..=4).fold(story, |story, step| {
        let from = i64::from(step) * 10;
        ran(story, step, from, from + 1, Outcome::Success)
    });

    let expected = [Away { since: second(20), until: Some(second(31)) }, Away { since: second(40), until: None }];
    assert_eq!(story.run.away, expected);
}
