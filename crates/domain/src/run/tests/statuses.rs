//! Where a step stands.

use super::stage::*;
use crate::AttemptId;
use crate::attempt::{AttemptResult, CommandRange, Outcome};
use crate::run::{AttemptEnding, Command, CommandState, Event, Refusal, StepStatus, Verdict, fold, ticks};
use crate::runbook::Item;

fn skip(step: u32, command: u32) -> Command {
    Command::SkipCommand { step, command, reason: "not needed".to_owned() }
}

fn tick(step: Option<u32>, item: u32) -> Command {
    Command::Tick { step, item, note: " seen ".to_owned() }
}

#[test]
fn a_step_waits_runs_and_is_done() {
    let story = Story::begun().sets("branch", "main");
    assert_eq!(story.run.status(1), StepStatus::Waiting);

    let story = story.runs(1, &[1, 2]);
    assert_eq!(story.run.status(1), StepStatus::Running, "from the intent on");
    let story = story.ends(1, Outcome::Success).ends(2, Outcome::Success);
    assert_eq!(story.run.status(1), StepStatus::Running, "until the shim's last record");
    let story = story.settles(AttemptResult::Completed);

    assert_eq!(story.run.status(1), StepStatus::Done);
    assert_eq!(story.run.current_step(), Some(2));
}

#[test]
fn the_last_record_says_where_the_output_of_each_command_is() {
    let story = Story::begun().runs(6, &[2]).ends(2, Outcome::Success);
    let Command::Settle { mut exit, .. } = settle(6, 1, AttemptResult::Completed) else { panic!("no record") };
    exit.notes.ranges = vec![CommandRange { command: 2, from: 3, to: 7 }];

    let story = story.hears(Command::Settle { step: 6, attempt: 1, exit });

    let state = story.run.step(6).and_then(|state| state.command(2)).unwrap();
    assert!(matches!(state, CommandState::Ended { from: 3, to: 7, .. }), "{state:?}");
}

#[test]
fn a_step_with_more_to_do_is_paused() {
    let story = Story::begun().succeeds(1, &[1]);

    assert_eq!(story.run.status(1), StepStatus::Paused);
    assert_eq!(story.run.current_step(), Some(1));
}

#[test]
fn a_watch_is_seen_and_ended_by_a_person() {
    let story = Story::begun().runs(6, &[1, 2]).begins(1);
    assert_eq!(story.run.status(6), StepStatus::Watching);

    let story = story.does(Command::EndWatch { step: 6, attempt: 1, command: 1 });
    let story = story.hears(ends(6, 1, 1, Outcome::Watched)).begins(2);
    assert_eq!(story.run.status(6), StepStatus::Running);
    story.refuses(Command::EndWatch { step: 6, attempt: 1, command: 1 });
    let story = story.hears(ends(6, 1, 2, Outcome::Success)).settles(AttemptResult::Completed);

    assert_eq!(story.run.status(6), StepStatus::Done);
}

#[test]
fn a_difference_pauses_a_step_and_colours_it_when_it_is_over() {
    let story = Story::begun().sets("branch", "main").runs(1, &[1, 2]).ends(1, Outcome::Difference);
    let story = story.settles(AttemptResult::Difference { command: 1 });
    assert_eq!(story.run.status(1), StepStatus::Paused);

    let story = story.succeeds(1, &[2]);

    assert_eq!(story.run.status(1), StepStatus::Difference);
    assert!(story.run.status(1).is_over());
}

#[test]
fn a_failure_stays_until_a_person_tries_again_or_skips_it() {
    let failed = Story::begun().sets("branch", "main").runs(1, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.settles(AttemptResult::Failed { command: 1 });
    assert_eq!(failed.run.status(1), StepStatus::Failed);

    let again = failed.clone().succeeds(1, &[1, 2]);
    let skipped = failed.does(skip(1, 1));

    assert_eq!(again.run.status(1), StepStatus::Done);
    assert_eq!(skipped.run.status(1), StepStatus::Paused);
    assert_eq!(skipped.succeeds(1, &[2]).run.status(1), StepStatus::Done);
}

#[test]
fn a_step_that_was_stopped_or_ran_out_of_time_says_so() {
    for result in [AttemptResult::Stopped, AttemptResult::TimedOut] {
        let story = Story::begun().runs(2, &[1]).begins(1).does(Command::Stop { step: 2, attempt: 1 });
        let story = story.hears(ends(2, 1, 1, Outcome::Stopped)).settles(result);

        assert_eq!(story.run.status(2), StepStatus::Stopped);
        let attempt = &story.run.step(2).unwrap().attempts[0];
        assert_eq!(attempt.stop.as_ref().unwrap().by.name(), "Olga");
    }
}

#[test]
fn a_step_that_never_began_has_failed() {
    let story = Story::begun().runs(2, &[1]).settles(AttemptResult::NotStarted { reason: "no shell".to_owned() });

    assert_eq!(story.run.status(2), StepStatus::Failed);
}

#[test]
fn a_shell_that_went_away_leaves_its_command_without_an_end() {
    let story = Story::begun().runs(2, &[1]).begins(1).settles(AttemptResult::ShellEnded { command: 1, code: Some(3) });

    assert_eq!(story.run.step(2).unwrap().command(1), Some(&CommandState::Interrupted { attempt: 1 }));
    assert_eq!(story.run.status(2), StepStatus::Failed);
}

#[test]
fn an_attempt_whose_shim_is_gone_is_interrupted_and_names_its_survivors() {
    let story = Story::begun().runs(2, &[1]).begins(1).hears(interrupt(2, 1));

    assert_eq!(story.run.status(2), StepStatus::Interrupted);
    assert_eq!(story.run.open_attempt(), None);
    let end = story.run.step(2).unwrap().attempts[0].end.clone().unwrap();
    assert_eq!(end.survivors, ["sleep (pid 7)"]);
    assert_eq!(end.ending, AttemptEnding::Unknown { reason: "The shim is gone.".to_owned() });
}

#[test]
fn what_an_attempt_has_left_behind_can_be_stopped_as_often_as_somebody_asks() {
    let stop = || Command::Stop { step: 2, attempt: 1 };
    let story = Story::begun().runs(2, &[1]).begins(1).hears(interrupt(2, 1)).does(stop()).does(stop());

    assert_eq!(story.run.status(2), StepStatus::Interrupted, "what came of the step stays unknown");
    let attempt = &story.run.step(2).unwrap().attempts[0];
    assert_eq!(attempt.rest_asked.iter().map(|stamp| stamp.by.name()).collect::<Vec<_>>(), ["Olga", "Olga"]);
    assert_eq!(attempt.rest(), ["sleep (pid 7)"], "that somebody asked does not mean that it is gone");
    assert!(attempt.stop.is_none(), "nobody stopped it while it ran");
}

#[test]
fn what_an_attempt_has_left_behind_can_be_ended_after_the_run_was_closed_and_the_record_says_so() {
    let ended = |left: &[&str]| Command::EndSurvivors {
        step: 2,
        attempt: 1,
        left: left.iter().map(|name| (*name).to_owned()).collect(),
    };
    let stop = || Command::Stop { step: 2, attempt: 1 };
    let close = Command::Finish { verdict: Verdict::NotReached, comment: "lost".to_owned() };
    let closed = Story::begun().runs(2, &[1]).begins(1).hears(interrupt(2, 1)).does(close);

    let some = closed.does(stop()).hears(ended(&["sleep (pid 7)"]));
    assert_eq!(some.run.attempt(AttemptId { run: RUN, step: 2, attempt: 1 }).unwrap().rest(), ["sleep (pid 7)"]);
    let all = some.does(stop()).hears(ended(&[]));

    let attempt = all.run.attempt(AttemptId { run: RUN, step: 2, attempt: 1 }).unwrap();
    assert!(!attempt.left_something());
    assert_eq!(attempt.end.as_ref().unwrap().survivors, ["sleep (pid 7)"], "what was found at the end stays");
    assert_eq!((attempt.rest_asked.len(), attempt.rest_ended.len()), (2, 2));
    assert!(matches!(all.refuses(stop()), Refusal::Finished { .. }));
    assert!(all.run.end.is_some());
    let stored = r#"{"kind":"survivors_ended","step":2,"attempt":1,"left":["sleep (pid 7)"]}"#;
    let event = Event::SurvivorsEnded { step: 2, attempt: 1, left: vec!["sleep (pid 7)".to_owned()] };
    assert_eq!(serde_json::from_str::<Event>(stored).unwrap(), event);
}

#[test]
fn a_step_of_which_every_command_was_skipped_is_skipped() {
    let story = Story::begun().does(skip(1, 1)).does(skip(1, 2));

    assert_eq!(story.run.status(1), StepStatus::Skipped);
}

#[test]
fn a_manual_step_is_done_by_its_ticks_or_by_a_word() {
    let story = Story::begun();
    assert_eq!(story.run.status(5), StepStatus::Waiting);

    let half = story.clone().does(tick(Some(5), 1));
    assert_eq!(half.run.status(5), StepStatus::Paused);
    let done = half.does(tick(Some(5), 2));
    assert_eq!(done.run.status(5), StepStatus::Done);
    let back = done.does(Command::Untick { step: Some(5), item: 1 });
    assert_eq!(back.run.status(5), StepStatus::Paused);

    assert_eq!(story.does(Command::CompleteStep { step: 5 }).run.status(5), StepStatus::Done);
    let tick = back.run.step(5).unwrap().ticks[1].clone().unwrap();
    assert_eq!((tick.note.as_str(), tick.stamp.by.name()), ("seen", "Olga"));
}

#[test]
fn a_connect_step_without_commands_for_the_shell_is_done_by_a_word() {
    let story = Story::begun();
    assert_eq!(story.run.status(7), StepStatus::Waiting);

    assert_eq!(story.does(Command::CompleteStep { step: 7 }).run.status(7), StepStatus::Done);
}

#[test]
fn nothing_is_taken_out_of_the_record_by_what_comes_later() {
    let failed = Story::begun().sets("branch", "main").runs(1, &[1, 2]).ends(1, Outcome::Success);
    let failed = failed.begins(2).ends(2, Outcome::Failure).settles(AttemptResult::Failed { command: 2 });

    let run = failed.sets("branch", "next").does(skip(1, 2)).run;

    let step = run.step(1).unwrap();
    assert_eq!(step.command(2).and_then(CommandState::last_end).map(|end| end.outcome), Some(Outcome::Failure));
    assert_eq!(step.attempts[0].values["branch"], "main", "the value that the attempt had");
    let set: Vec<_> = run.values_set.iter().map(|set| (set.value.as_str(), set.stamp.by.name())).collect();
    assert_eq!(set, [("main", "Olga"), ("next", "Olga")]);
}

#[test]
fn who_ended_a_watch_stays_in_the_record() {
    let story = Story::begun().runs(6, &[1, 2]).begins(1).does(Command::EndWatch { step: 6, attempt: 1, command: 1 });

    let ended = &story.run.step(6).unwrap().attempts[0].watches_ended;
    assert_eq!((ended[0].0, ended[0].1.by.name()), (1, "Olga"));
}

#[test]
fn a_run_stands_where_it_runs_else_where_it_stopped_else_at_what_comes_next() {
    let fresh = Story::begun().sets("branch", "main");
    assert_eq!(fresh.run.stands_at(), Some(1));

    let failed = fresh.runs(2, &[1]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
    assert_eq!((failed.run.current_step(), failed.run.stands_at()), (Some(1), Some(2)));

    assert_eq!(failed.runs(1, &[1, 2]).run.stands_at(), Some(1));
}

#[test]
fn the_rollback_is_not_what_comes_next() {
    let story = (1..=7).fold(Story::begun(), Story::skips);

    assert_eq!(story.run.current_step(), None);
    assert_eq!(story.run.status(8), StepStatus::Waiting);
    assert_eq!(story.succeeds(8, &[1]).run.status(8), StepStatus::Done);
}

#[test]
fn a_line_with_lines_below_it_is_their_heading() {
    let inner = Item { items: vec![line("a"), line("b")], ..line("heading") };

    let lines: Vec<String> =
        ticks(&[line("first"), inner]).iter().map(|item| crate::runbook::plain(&item.words)).collect();

    assert_eq!(lines, ["first", "a", "b"]);
}

#[test]
fn a_run_is_closed_with_a_verdict_its_ticks_and_notes_kept() {
    let story = Story::begun()
        .does(tick(None, 1))
        .does(Command::AddNote { step: Some(2), text: " done by hand \n".to_owned() })
        .does(Command::Finish { verdict: Verdict::NotReached, comment: " it is still slow ".to_owned() });

    let run = &story.run;
    let end = run.end.clone().unwrap();
    assert_eq!(
        (end.verdict, end.comment.as_str(), end.stamp.by.name()),
        (Verdict::NotReached, "it is still slow", "Olga")
    );
    assert_eq!(run.notes[0].text, "done by hand");
    assert!(run.outcome[0].is_some());
    assert_eq!(fold(RUN, &story.entries).as_ref(), Some(run));
}
