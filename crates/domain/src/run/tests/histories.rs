//! Random histories: whatever is tried in whatever order, these sentences hold.
//!
//! `PORTAL_HISTORIES` says how many are played (300 unless it is set).

mod events;
mod ledger;
mod tries;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult};

use self::events::any_event;
use self::ledger::Ledger;
use self::tries::{Try, tries};
use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{Command, Entry, Event, Run, Who, decide, evolve, fold};
use crate::{Risk, RunId};

fn config() -> Config {
    let cases = std::env::var("PORTAL_HISTORIES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A production target, and one step that destroys and may be confirmed beside one that may not.
fn stage() -> Plan {
    let mut plan = plan();
    plan.target.production = true;
    // The rollback destroys, too.
    plan.steps[7].commands[0].risk = Risk::Destroys;
    // And has a directory of its own.
    plan.steps[7].directory = Some("/srv/checkout".to_owned());
    plan.checks.push(http_check(1));
    plan.steps[0].after.push(http_check(1));
    plan.steps.push(step(9, "Scratch", vec![command("rm -rf scratch", Risk::Destroys), command("ls", Risk::Reads)]));
    if let Some(scratch) = plan.steps.last_mut() {
        scratch.scratch = true;
    }
    plan
}

const OUTCOMES: [Outcome; 5] =
    [Outcome::Success, Outcome::Success, Outcome::Difference, Outcome::Failure, Outcome::Watched];

fn result(choice: u8, command: u32) -> AttemptResult {
    match choice % 6 {
        0 | 1 => AttemptResult::Completed,
        2 => AttemptResult::Failed { command },
        3 => AttemptResult::Stopped,
        4 => AttemptResult::ShellEnded { command, code: None },
        _ => AttemptResult::NotStarted { reason: "no shell".to_owned() },
    }
}

fn is_among_the_holders(command: &Command) -> bool {
    !matches!(
        command,
        Command::Stop { .. }
            | Command::EndWatch { .. }
            | Command::Tick { .. }
            | Command::Untick { .. }
            | Command::StartChecks { .. }
            | Command::AddNote { .. }
            | Command::Escalate { .. }
            | Command::Grant { .. }
            | Command::Reject { .. }
            | Command::CancelApproval { .. }
            | Command::ReviewGlass { .. }
            | Command::AskRedaction { .. }
            | Command::ConfirmRedaction { .. }
            | Command::RejectRedaction { .. }
            | Command::TakeOver { .. }
            | Command::Abort { .. }
    )
}

fn play(tries: &[Try]) -> TestCaseResult {
    let mut story = Story::of(stage());
    let mut ledger = Ledger::default();
    for attempt in tries {
        let command = attempt.command(&story.run);
        let (who, standing) = attempt.who(&command, &story.run);
        let before = story.run.clone();
        story = story.waits(u64::from(attempt.choice % 4));
        let facts = attempt.facts(standing, &story);
        let Ok(events) = decide(Some(&before), &command, &who, &facts) else { continue };
        if command.verb().is_some() {
            prop_assert!(standing.is_some_and(|role| role >= Role::Operator), "{command:?} by {standing:?}");
        }
        story = story.with(events.clone(), &who);
        prop_assert!(
            before.is_held_by(&who) || command.verb().is_none() || !is_among_the_holders(&command),
            "{command:?} by {who:?}"
        );
        ledger.check(&before, &command, &facts, &events, &story.run)?;
        look(&story.run);
    }
    prop_assert_eq!(fold(RUN, &story.entries), Some(story.run));
    Ok(())
}

/// Everything that a page asks of a run.
fn look(run: &Run) {
    for step in 0..=12 {
        let _ = (run.status(step), run.missing_values(step, &[0, 1, 2, u32::MAX]));
        for offer in run.offers(step) {
            assert!(!offer.commands.is_empty() && offer.commands.is_sorted());
            assert!(run.work(step, &offer.commands, &Who::Portal).is_some());
        }
    }
    let _ = (run.current_step(), run.open_attempt());
    let _ = (run.unproven(NOW), run.unanswered_checks(NOW));
    let now = crate::run::Moment { clock: NOW, expiry: NOW };
    let _ = (run.due_escalations(now), run.escalation_due(), crate::run::hand_over(run, NOW));
    for request in &run.requests {
        let _ = (run.request_status(request, NOW), run.start_until(request), run.failed_at(request), request.same());
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_tried_the_rules_hold(tries in tries()) {
        play(&tries)?;
    }

    #[test]
    fn a_run_can_be_read_whatever_its_events_say(events in prop::collection::vec(any_event(), 0..40)) {
        let mut run = Some(Story::begun().run);
        for (version, event) in (2..).zip(events) {
            let json = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event.clone());
            run = evolve(RunId(1), run, &Entry { version, at: NOW, by: Who::Portal, event });
            look(run.as_ref().unwrap());
        }
    }
}

#[test]
fn the_random_histories_are_deep_enough_to_mean_something() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    let mut attempts = 0;

    for _ in 0..400 {
        let tries = tries().new_tree(&mut runner).unwrap().current();
        let mut story = Story::of(stage());
        for attempt in &tries {
            let command = attempt.command(&story.run);
            let (who, standing) = attempt.who(&command, &story.run);
            story = story.waits(u64::from(attempt.choice % 4));
            if let Ok(events) = decide(Some(&story.run), &command, &who, &attempt.facts(standing, &story)) {
                story = story.with(events, &who);
            }
        }
        kinds.extend(story.entries.iter().map(|entry| entry.event.kind()));
        attempts += story.run.steps.iter().map(|step| step.attempts.len()).sum::<usize>();
    }

    assert_eq!(kinds.len(), 41, "every kind of event occurs but that of a changed secret: {kinds:?}");
    assert!(attempts > 500, "{attempts} attempts in 400 histories");
}
