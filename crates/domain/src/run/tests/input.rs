//! What may be sent to the command that runs, and when.

use super::stage::*;
use crate::attempt::{Condition, Input, Key};
use crate::keyboard::{LIMIT, Modes, Press, Stroke};
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

/// The first command of an interactive step runs.
fn interactive() -> Story {
    let mut story = Story::begun();
    story.run.plan.steps[0].interactive = true;
    story.runs(1, &[1]).begins(1)
}

fn strokes(number: u32, strokes: Vec<Stroke>) -> Command {
    Command::SendInput { step: 1, attempt: 1, command: 1, number, input: Input::Keys { strokes } }
}

#[test]
fn an_interactive_step_takes_every_key_and_the_record_says_how_many_bytes_but_not_which() {
    let story = interactive();
    let typed = vec![Stroke::Text("hunter2".to_owned()), Stroke::Key(Press::parse("up").unwrap())];

    // Whatever it is found to be doing: a program that paints takes keys as well as one that only prints.
    for found in [Condition::default(), waits(1), screen(1), screen(2)] {
        let events = tried(&story.run, found, &strokes(1, typed.clone())).unwrap();

        assert_eq!(events, [Event::KeysTyped { step: 1, attempt: 1, command: 1, bytes: 10 }], "{found:?}");
        let stored = serde_json::to_string(&events).unwrap();
        assert_eq!(stored, r#"[{"kind":"keys_typed","step":1,"attempt":1,"command":1,"bytes":10}]"#);
    }
}

#[test]
fn keys_are_counted_as_the_program_that_runs_gets_them() {
    let run = interactive().run;
    let modes = Modes { bracketed_paste: true, ..Modes::default() };
    let paste = strokes(1, vec![Stroke::Paste("x".to_owned())]);
    let bytes = |found: Condition| match tried(&run, found, &paste).unwrap().as_slice() {
        [Event::KeysTyped { bytes, .. }] => *bytes,
        other => panic!("{other:?}"),
    };

    assert_eq!(bytes(Condition { modes, ..screen(1) }), 13);
    assert_eq!(bytes(Condition { modes, ..screen(2) }), 1, "that was asked by another command");
}

#[test]
fn nobody_types_into_a_step_that_is_not_interactive() {
    let run = Story::begun().runs(1, &[1]).begins(1).run;

    for found in [Condition::default(), waits(1), screen(1)] {
        let told = tried(&run, found, &keys(1, 1, 1, "x"));
        assert_eq!(told, Err(Refusal::NoKeyboard), "{found:?}");
    }
    assert_eq!(
        Refusal::NoKeyboard.to_string(),
        "This step has no full keyboard: its side file does not say that it is interactive. Nothing was sent"
    );
}

#[test]
fn keys_go_to_the_command_that_was_meant_while_it_runs_and_never_too_many_at_once() {
    let story = interactive();
    let much = strokes(1, vec![Stroke::Text("x".repeat(LIMIT + 1))]);

    assert_eq!(tried(&story.run, screen(1), &keys(1, 1, 2, "x")), Err(Refusal::NotRunning));
    assert_eq!(tried(&story.run, screen(1), &keys(1, 2, 1, "x")), Err(Refusal::NotRunning));
    for empty in [strokes(1, Vec::new()), strokes(1, vec![Stroke::Text("\u{1b}\u{3}".to_owned())]), much] {
        let told = tried(&story.run, screen(1), &empty);
        assert!(matches!(told, Err(Refusal::Keys(_))), "{told:?}");
    }
}

#[test]
fn batches_of_one_person_are_one_thing_that_happened_and_none_is_typed_twice() {
    let story = interactive();
    let olga = story.run.holder.by.clone();
    let batch = |number| strokes(number, vec![Stroke::Text("x".to_owned())]);
    let typed = |story: &Story, number| tried(&story.run, screen(1), &batch(number));

    let events = typed(&story, 1).unwrap();
    let story = story.with(events, &olga);
    assert_eq!(typed(&story, 1), Err(Refusal::Over));
    let events = typed(&story, 2).unwrap();
    let story = story.with(events, &olga);

    let [.., last] = story.run.changes.as_slice() else { panic!("nothing was kept") };
    assert!(matches!(last.kind, ChangeKind::KeysTyped { bytes: 2, batches: 2, .. }), "{last:?}");
    assert_eq!(story.run.next_input(), 3);
}
