//! What may be sent to the command that runs, and when.

use super::stage::*;
use crate::attempt::{Condition, Key};
use crate::policy::Role;
use crate::run::{ChangeKind, Command, Event, Facts, Refusal, Run, decide};

fn tried(run: &Run, condition: Condition, command: &Command) -> Result<Vec<Event>, Refusal> {
    let facts = Facts { condition, ..facts(Some(Role::Operator)) };
    decide(Some(run), command, &run.holder.by, &facts)
}

fn waits(command: u32) -> Condition {
    Condition { command, waiting: true, ..Condition::default() }
}

fn screen(command: u32) -> Condition {
    Condition { command, screen: true, raw: true, ..Condition::default() }
}

#[test]
fn a_line_goes_to_the_command_that_waits_and_what_was_typed_is_not_kept() {
    let story = Story::begun().runs(1, &[1]).begins(1);

    let events = tried(&story.run, waits(1), &typed(1, 1, 1, "hunter2")).unwrap();

    assert_eq!(events, [Event::InputSent { step: 1, attempt: 1, command: 1, key: None }]);
    assert!(!serde_json::to_string(&events).unwrap().contains("hunter2"));
    let olga = story.run.holder.by.clone();
    let changes = story.with(events, &olga).run.changes;
    assert!(matches!(changes.last().unwrap().kind, ChangeKind::InputSent { step: 1, command: 1, key: None }));
}

#[test]
fn nothing_is_typed_into_a_command_that_does_not_wait_or_has_a_screen() {
    let run = Story::begun().runs(1, &[1]).begins(1).run;

    for found in [Condition::default(), waits(2), screen(1), Condition { screen: true, ..waits(1) }] {
        assert_eq!(tried(&run, found, &typed(1, 1, 1, "yes")), Err(Refusal::NotWaiting), "{found:?}");
    }
}

#[test]
fn a_line_is_one_line_without_control_characters_and_not_too_long() {
    let run = Story::begun().runs(1, &[1]).begins(1).run;

    for text in ["a\nb", "\u{1b}[A", "\u{3}", &"x".repeat(4_001)] {
        let told = tried(&run, waits(1), &typed(1, 1, 1, text));
        assert!(matches!(told, Err(Refusal::Misfit { .. })), "{text:?}");
    }
    assert!(tried(&run, waits(1), &typed(1, 1, 1, "a\tb")).is_ok());
    assert!(tried(&run, waits(1), &typed(1, 1, 1, "")).is_ok(), "Enter alone is an answer");
}

#[test]
fn a_key_goes_only_where_single_keys_are_taken() {
    let run = Story::begun().runs(6, &[1, 2]).begins(1).run;

    let events = tried(&run, screen(1), &pressed(6, 1, 1)).unwrap();
    assert_eq!(events, [Event::InputSent { step: 6, attempt: 1, command: 1, key: Some(Key::Quit) }]);
    for found in [Condition::default(), waits(1), screen(2)] {
        assert_eq!(tried(&run, found, &pressed(6, 1, 1)), Err(Refusal::NoScreen), "{found:?}");
    }
}

#[test]
fn a_line_that_is_sent_twice_answers_one_question() {
    let story = Story::begun().runs(1, &[1]).begins(1);
    let yes = typed(1, 1, 1, "y");
    let events = tried(&story.run, waits(1), &yes).unwrap();
    let olga = story.run.holder.by.clone();

    let story = story.with(events, &olga);

    assert_eq!(tried(&story.run, waits(1), &yes), Err(Refusal::Over), "the next question waits for its own answer");
}
