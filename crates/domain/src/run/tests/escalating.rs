//! Who is told, when, and never twice.

use super::stage::*;
use crate::Timestamp;
use crate::attempt::{AttemptResult, Outcome};
use crate::escalation::{Addressee, Contact, Due, Line};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{
    Because, Command, Event, Moment, Refusal, Shaped, Verdict, Who, decide, hand_over, values_to_hand_over,
};

const MINUTE: u64 = 60_000;

fn line(due: Due) -> Line {
    Line { words: "Notify the keeper".to_owned(), due, to: vec![keeper()] }
}

/// A run whose first line is due then.
fn story(due: Due) -> Story {
    let mut plan = plan();
    plan.escalation.lines = vec![line(due)];
    Story::of(plan)
}

fn waits(minutes: u64) -> Due {
    Due::AfterWait { ms: minutes * MINUTE }
}

fn failure(steps: &[u32]) -> Due {
    Due::AfterFailure { steps: steps.to_vec() }
}

/// The portal asks for the first line.
fn asks(story: Story) -> Story {
    story.hears(Command::EscalateDue { line: 1, to: to_keeper(), text: "It stands here.".to_owned() })
}

fn due(story: &Story) -> Vec<Because> {
    due_at(story, Moment { clock: story.now, expiry: story.now })
}

fn due_at(story: &Story, now: Moment) -> Vec<Because> {
    story.run.due_escalations(now).into_iter().map(|(_, because)| because).collect()
}

fn fails(story: Story, step: u32) -> Story {
    let story = story.runs(step, &[1]).ends(1, Outcome::Failure);
    story.settles(AttemptResult::Failed { command: 1 })
}

#[test]
fn what_is_due_at_the_start_is_told_once() {
    let begun = story(Due::AtStart);
    assert_eq!(due(&begun), [Because::Started]);

    let told = asks(begun);

    assert_eq!(due(&told), []);
    let record = told.run.escalation(1).unwrap();
    assert_eq!((record.line, record.because, record.stamp.by.clone()), (Some(1), Because::Started, Who::Portal));
    assert_eq!((record.titles().as_str(), record.text.as_str()), ("the keeper (Lena)", "It stands here."));
    let again = asks(told.waits(600));
    assert_eq!(again.run.escalations.len(), 1, "however late and often it is asked");
}

#[test]
fn a_line_for_a_person_is_never_due_and_neither_is_one_that_names_nobody() {
    let by_hand = story(Due::ByHand);
    let mut unbound = story(Due::AtStart);
    unbound.run.plan.escalation.lines[0].to.clear();

    for story in [by_hand, unbound] {
        assert_eq!((due(&story), story.run.escalation_due()), (Vec::new(), None));
        assert_eq!(asks(story).run.escalations, []);
    }
}

#[test]
fn a_failure_is_told_once_in_a_run_and_only_of_the_step_that_is_meant() {
    let begun = story(failure(&[2]));
    let other = fails(begun.clone(), 6);
    assert_eq!(due(&other), [], "another step");
    let stopped = begun.clone().runs(2, &[1]).begins(1).does(Command::Stop { step: 2, attempt: 1 });
    assert_eq!(due(&stopped.settles(AttemptResult::Stopped)), [], "somebody stopped it");

    let failed = fails(begun, 2);
    assert_eq!(due(&failed), [Because::Failed { step: 2, attempt: 1 }]);
    let told = asks(failed);
    assert_eq!(due(&fails(told, 2)), [], "its next failure is not told again");
    assert_eq!(due(&fails(story(failure(&[])), 6)), [Because::Failed { step: 6, attempt: 1 }], "any step");
}

#[test]
fn an_attempt_that_nobody_knows_the_end_of_counts_as_failed() {
    let begun = story(failure(&[])).runs(2, &[1]).begins(1);

    assert_eq!(due(&begun.hears(interrupt(2, 1))), [Because::Failed { step: 2, attempt: 1 }]);
}

#[test]
fn a_request_that_nobody_decides_is_told_after_its_time_and_each_request_once() {
    let asked = story(waits(15)).does(ask(1, &[(4, &[1])]));
    let undecided = |request| Because::Undecided { request, ms: 15 * MINUTE };
    assert_eq!((due(&asked), asked.run.escalation_due()), (Vec::new(), Some(NOW.plus(15 * MINUTE))));
    assert_eq!(due(&asked.clone().waits(14)), []);

    let waited = asked.waits(15);
    assert_eq!(due(&waited), [undecided(1)]);
    let told = asks(waited);
    assert_eq!((due(&told), told.run.escalation_due()), (Vec::new(), None));

    let taken_back = told.does(Command::CancelApproval { request: 1, reason: String::new() });
    let again = taken_back.does(ask(2, &[(4, &[1])])).waits(15);
    assert_eq!(due(&again), [undecided(2)]);
}

#[test]
fn what_was_decided_in_time_is_not_told() {
    let asked = story(waits(15)).does(ask(1, &[(4, &[1])]));
    let taken_back = asked.does(Command::CancelApproval { request: 1, reason: String::new() });

    assert_eq!(due(&taken_back.waits(60)), []);
}

#[test]
fn a_step_that_waits_for_a_person_is_told_until_somebody_goes_on() {
    let failed = fails(story(waits(15)), 2);
    let stuck = |attempt| Because::Waits { step: 2, attempt, ms: 15 * MINUTE };
    assert_eq!(due(&failed.clone().waits(15)), [stuck(1)]);

    let gone_on = failed.clone().waits(10).runs(6, &[1]);
    assert_eq!(due(&gone_on.waits(10)), [], "something runs");
    assert_eq!(due(&failed.clone().skips(2).waits(60)), [], "somebody has decided");
    let told = asks(failed.waits(15));
    assert_eq!(due(&told), []);
    assert_eq!(due(&fails(told, 2).waits(15)), [stuck(2)], "another wait");
}

#[test]
fn after_a_clock_was_ahead_once_a_wait_after_a_failure_lasts_as_long_as_it_should() {
    let failed = fails(story(waits(15)), 2);
    let after = |minutes: u64| {
        let clock = failed.now.plus(minutes * MINUTE);
        Moment { clock, expiry: clock.plus(24 * 60 * MINUTE) }
    };

    assert_eq!(due_at(&failed, after(0)), []);
    assert_eq!(due_at(&failed, after(14)), []);
    assert_eq!(due_at(&failed, after(15)), [Because::Waits { step: 2, attempt: 1, ms: 15 * MINUTE }]);
}

#[test]
fn a_wait_that_is_over_is_not_kept_up_by_one_that_began_earlier_by_another_clock() {
    let failed = fails(story(waits(15)), 2);
    let asked = failed.waits(20).does(ask(1, &[(4, &[1])]));
    let now = Moment { clock: asked.now.plus(MINUTE).minus(20 * MINUTE), expiry: asked.now.plus(15 * MINUTE) };

    assert_eq!(due_at(&asked, now), [Because::Undecided { request: 1, ms: 15 * MINUTE }]);
}

#[test]
fn it_is_known_when_something_may_be_due_next() {
    let begun = story(Due::AtStart);
    assert_eq!((begun.run.escalation_due(), asks(begun).run.escalation_due()), (Some(NOW), None));
    let waiting = story(waits(15));
    assert_eq!(waiting.run.escalation_due(), None, "nothing waits yet");
    let failed = fails(waiting, 2);
    assert_eq!(failed.run.escalation_due(), Some(NOW.plus(15 * MINUTE)));
    let closed = failed.does(Command::Finish { verdict: Verdict::Aborted, comment: "no".to_owned() });
    assert_eq!(closed.run.escalation_due(), None);
}

#[test]
fn nothing_is_due_in_a_run_that_is_closed_or_that_cannot_be_read() {
    let begun = story(Due::AtStart);
    let closed = begun.clone().does(Command::Finish { verdict: Verdict::Aborted, comment: "no".to_owned() });
    let mut unreadable = begun;
    unreadable.run.unreadable = Some("its event 3 is unknown".to_owned());

    for story in [closed, unreadable] {
        assert_eq!(due(&story), []);
        assert_eq!(asks(story).run.escalations, []);
    }
}

#[test]
fn the_portal_tells_only_whom_the_line_names() {
    let stranger = Addressee { words: "the cook".to_owned(), ..to_keeper().remove(0) };
    let begun = story(Due::AtStart);

    for to in [Vec::new(), vec![stranger]] {
        let told = begun.clone().hears(Command::EscalateDue { line: 1, to, text: "x".to_owned() });
        assert_eq!(told.run.escalations, []);
    }
}

#[test]
fn anybody_who_works_in_runs_tells_a_contact_once_with_each_form() {
    let otto = person("Otto", Role::Operator);
    let begun = Story::begun();
    let events = decide(Some(&begun.run), &escalate(1), &otto, &facts(Some(Role::Operator))).unwrap();
    let told = begun.with(events, &otto);

    assert_eq!(told.run.escalations[0].because, Because::ByHand);
    assert_eq!(told.run.shapers.get(otto.id().unwrap()), None::<&Shaped>, "it shapes nothing");
    let again = decide(Some(&told.run), &escalate(1), &otto, &facts(Some(Role::Operator)));
    assert_eq!(again, Err(Refusal::Over), "the form was sent twice");
    let viewer = decide(Some(&told.run), &escalate(2), &person("Vera", Role::Viewer), &facts(Some(Role::Viewer)));
    assert!(matches!(viewer, Err(Refusal::Forbidden(_))));
}

#[test]
fn a_call_that_was_not_made_is_not_answered_as_if_it_were() {
    let second = Contact { words: "the cook".to_owned(), ..keeper() };
    let mut plan = plan();
    plan.escalation.lines = vec![line(Due::AtStart)];
    plan.escalation.contacts.push(second.clone());
    let cook = vec![Addressee { words: second.words, ..to_keeper().remove(0) }];
    let calls = |number, to: &[Addressee]| Command::Escalate { number, to: to.to_vec(), text: "x".to_owned() };

    let told = asks(Story::of(plan));
    let meanwhile = |words: &str| Refusal::CalledMeanwhile(words.to_owned());
    assert_eq!(told.refuses(escalate(1)), meanwhile("the keeper"), "the portal was faster");
    let called = told.does(calls(2, &to_keeper()));
    assert_eq!(called.refuses(calls(2, &cook)), meanwhile("the cook"), "of two forms the other one was sent");
    let otto = decide(Some(&called.run), &escalate(2), &person("Otto", Role::Operator), &facts(Some(Role::Operator)));
    assert_eq!(otto, Err(meanwhile("the keeper")), "somebody else was faster");
    assert_eq!(called.refuses(calls(2, &to_keeper())), Refusal::Over);
    assert!(meanwhile("the cook").to_string().contains("Your call of the cook was not made"));
}

#[test]
fn people_call_a_hundred_times_and_what_is_due_is_told_after_that_too() {
    let called = (1..=100).fold(story(failure(&[])), |story, number| story.does(escalate(number)));

    let refusal = Refusal::CalledOften { times: 100, to: "the keeper".to_owned() };
    assert_eq!(called.refuses(escalate(101)), refusal);
    assert_eq!(asks(fails(called, 2)).run.escalations.len(), 101);
    let by_portal = story(Due::AtStart);
    assert_eq!(
        (1..=100).fold(asks(by_portal), |story, number| story.does(escalate(number + 1))).run.escalations.len(),
        101
    );
}

#[test]
fn the_record_says_whether_anybody_was_reached() {
    let unknown = Addressee { person: None, mail: false, ..to_keeper().remove(0) };
    let by_hand = Story::begun().does(Command::Escalate { number: 1, to: vec![unknown.clone()], text: "x".to_owned() });
    let due = story(Due::AtStart).hears(Command::EscalateDue { line: 1, to: vec![unknown], text: "x".to_owned() });
    let did = |story: &Story| {
        let record = story.run.escalation(1).unwrap();
        format!("{} {} {}", record.by(), record.did(), record.titles_and_ways())
    };

    assert_eq!(did(&by_hand), "Olga noted a call to the keeper (Lena), nothing is sent");
    assert_eq!(did(&due), "the portal could not call the keeper (Lena), nothing is sent");
    assert_eq!(did(&asks(story(Due::AtStart))), "the portal called the keeper (Lena), by mail");
}

#[test]
fn nobody_is_told_whom_the_side_file_does_not_bind_and_nothing_empty() {
    let begun = Story::begun();
    let Command::Escalate { to, text, .. } = escalate(1) else { unreachable!() };
    let stranger = vec![Addressee { words: "the cook".to_owned(), ..to[0].clone() }];

    for (to, text, refusal) in [
        (stranger, text.clone(), Refusal::Nothing("contact with this name".to_owned())),
        (Vec::new(), text, Refusal::Nothing("contact with this name".to_owned())),
        (to, " \n".to_owned(), Refusal::NoReason),
    ] {
        assert_eq!(begun.refuses(Command::Escalate { number: 1, to, text }), refusal);
    }
}

#[test]
fn the_reason_is_said_with_the_words_of_the_document() {
    let failed = fails(story(failure(&[])), 2);
    let words = |line, because| failed.run.because_words(line, because);

    assert_eq!(
        words(Some(1), Because::Failed { step: 2, attempt: 1 }),
        "\u{201c}Restart\u{201d} has failed, and the procedure says: \u{201c}Notify the keeper\u{201d}."
    );
    assert_eq!(words(None, Because::ByHand), "A person decided so.");
    let undecided = Because::Undecided { request: 1, ms: 15 * MINUTE };
    assert!(words(Some(1), undecided).starts_with("Nobody has decided request 12-1 for 15 min"));
}

#[test]
fn a_hand_over_says_where_the_run_stands_and_how_commands_ended_and_no_value() {
    let mut plan: Plan = plan();
    plan.steps[3].commands = vec![with_value(command("rm -rf X", crate::Risk::Destroys), "branch")];
    let looked = Story::of(plan).sets("branch", "hunter-otter").succeeds(1, &[1, 2]);
    let story = fails(looked, 2).does(ask(1, &[(4, &[1])]));

    let text = hand_over(&story.run, story.now);

    assert_eq!(
        text,
        "Run 12: Restart on local\n\
         Started by Olga, Mon 23 Nov 2026, 21:58:04 UTC\n\
         Reason: OPS-1\n\
         Works in it: Olga, since Mon 23 Nov 2026, 21:58:04 UTC\n\
         Where it stands: 1 of 7 steps over; 1 waits for a person\n\
         Now: step 2, \u{201c}Restart\u{201d}, failed\n\
         Waits for a decision: request 12-1, asked Mon 23 Nov 2026, 21:58:04 UTC, until Mon 23 Nov 2026, 22:28:04 UTC\n\
         Steps:\n\
         - step 1, \u{201c}Look\u{201d}: ok, exit codes 0, 0\n\
         - step 2, \u{201c}Restart\u{201d}: failed, exit code 0\n"
    );
    assert_eq!(values_to_hand_over(&story.run), ["Branch: hunter-otter"]);
}

#[test]
fn a_hand_over_that_the_portal_writes_is_never_longer_than_it_takes() {
    let mut plan = plan();
    let title = "\u{1f692}".repeat(200);
    plan.title.clone_from(&title);
    plan.steps = (1..=80).map(|number| step(number, &title, vec![command("ls", crate::Risk::Reads)])).collect();
    let skipped = (1..=80).fold(Story::of(plan), Story::skips);

    let text = hand_over(&skipped.run, skipped.now);

    assert!(text.len() < crate::run::TEXT_LIMIT / 4 * 3, "{}", text.len());
    assert!(text.contains("- and ") && text.ends_with(" more steps\n"), "{text}");
    let called = skipped.does(Command::Escalate { number: 1, to: to_keeper(), text });
    assert_eq!(called.run.escalations.len(), 1);
}

#[test]
fn of_many_commands_a_hand_over_has_the_last_exit_codes() {
    let mut plan = plan();
    plan.steps[0].commands = (0..12).map(|_| command("ls", crate::Risk::Reads)).collect();
    let all: Vec<u32> = (1..=12).collect();
    let looked = Story::of(plan).succeeds(1, &all);

    let text = hand_over(&looked.run, looked.now);

    let codes = ["0"; 10].join(", ");
    assert!(text.contains(&format!("ok, the last 10 of 12 exit codes {codes}\n")), "{text}");
}

#[test]
fn a_secret_is_named_in_a_hand_over_and_no_more() {
    let mut plan = plan();
    plan.parameters[0].kind = crate::runbook::ParameterKind::Secret;

    assert_eq!(values_to_hand_over(&Story::of(plan).run), ["Branch: a secret"]);
}

#[test]
fn an_escalation_that_was_recorded_is_read_again() {
    let stored = r#"{"kind":"escalated","line":1,"to":[{"words":"team lead","name":"Lena","person":"7f","mail":true,"webhook":"ops"},{"words":"senior DBA","name":"dba-oncall"}],"because":{"because":"waits","step":2,"attempt":1,"ms":900000},"text":"Run 12"}"#;

    let event: Event = serde_json::from_str(stored).unwrap();

    let Event::Escalated { to, because, .. } = &event else { panic!("{event:?}") };
    assert_eq!((to[0].is_reached(), to[1].is_reached()), (true, false));
    assert_eq!(*because, Because::Waits { step: 2, attempt: 1, ms: 900_000 });
    assert_eq!(serde_json::to_string(&event).unwrap(), stored);
}

#[test]
fn a_clock_that_was_turned_back_tells_nothing_twice() {
    let told = asks(story(Due::AtStart));
    let back = Story { now: Timestamp(0), ..told };

    assert_eq!(due(&back), []);
    assert_eq!(due(&Story { now: NOW.plus(1), ..back }), []);
}
