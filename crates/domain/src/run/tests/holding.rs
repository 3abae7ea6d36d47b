//! Who works in a run, and which run keeps a target to itself.

use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::PlanStep;
use crate::policy::{Role, Sight, typed_groups};
use crate::run::{Change, ChangeKind, Command, Event, Facts, Holder, Refusal, Run, Verdict, Who, decide};
use crate::{RunId, Timestamp};

fn by(run: &Run, who: &Who, role: Role, lock: Option<Holder>, command: &Command) -> Result<Vec<Event>, Refusal> {
    decide(Some(run), command, who, &Facts { lock, ..facts(Some(role)) })
}

fn otto() -> Who {
    person("Otto", Role::Operator)
}

fn reason() -> String {
    "Olga's shift is over".to_owned()
}

fn last_change(run: &Run) -> Option<&ChangeKind> {
    run.changes.last().map(|Change { kind, .. }| kind)
}

#[test]
fn another_operator_is_told_who_works_in_the_run_and_takes_it_over_with_a_reason() {
    let story = Story::begun();

    let told = by(&story.run, &otto(), Role::Operator, None, &run(1, 1, &[1])).unwrap_err();
    assert_eq!(
        told.to_string(),
        format!(
            "Olga works in this run since {}. Nothing was changed; take the run over first",
            story.run.started.at.time_of_day()
        )
    );
    let unsaid = Command::TakeOver { reason: " ".to_owned() };
    assert_eq!(by(&story.run, &otto(), Role::Operator, None, &unsaid), Err(Refusal::NoReason));

    let events = by(&story.run, &otto(), Role::Operator, None, &Command::TakeOver { reason: reason() }).unwrap();
    let story = story.with(events, &otto());

    assert!(by(&story.run, &otto(), Role::Operator, None, &run(1, 1, &[1])).is_ok());
    assert!(matches!(story.refuses(run(1, 1, &[1])), Refusal::Theirs { by, .. } if by == "Otto"));
    assert_eq!(last_change(&story.run), Some(&ChangeKind::TakenOver { reason: reason() }));
    assert_eq!(story.run.started.by.name(), "Olga");
}

#[test]
fn nobody_takes_a_run_over_while_a_step_of_it_runs() {
    let story = Story::begun().runs(1, &[1]);

    let told = by(&story.run, &otto(), Role::Lead, None, &Command::TakeOver { reason: reason() }).unwrap_err();

    assert!(matches!(told, Refusal::Busy { .. }));
}

#[test]
fn who_does_not_work_in_a_run_may_stop_tick_and_note_in_it() {
    let story = Story::begun().runs(1, &[1]).begins(1);
    let deeds = [
        Command::Stop { step: 1, attempt: 1 },
        Command::Tick { step: Some(5), item: 1, note: String::new() },
        Command::AddNote { step: None, text: "I see it, too".to_owned() },
    ];

    for deed in deeds {
        assert!(by(&story.run, &otto(), Role::Operator, None, &deed).is_ok(), "{deed:?}");
    }
}

#[test]
fn what_disrupts_takes_the_lock_once_and_what_reads_needs_none() {
    let story = Story::begun().sets("branch", "main").succeeds(1, &[1, 2]);
    assert_eq!(story.run.lock, None);

    let events = by(&story.run, &story.run.holder.by, Role::Operator, None, &run(2, 1, &[1])).unwrap();
    assert!(
        matches!(&events[..], [Event::OutageAccepted { .. }, Event::LockTaken { target, from: None, .. }, Event::AttemptStarted { .. }] if target == "local")
    );

    let olga = story.run.holder.by.clone();
    let story = story.with(events, &olga).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
    assert!(story.run.holds_lock());
    let again = by(&story.run, &olga, Role::Operator, Some(other(0)), &run(2, 2, &[1])).unwrap();
    assert!(matches!(&again[..], [Event::AttemptStarted { .. }]), "{again:?}");
}

#[test]
fn what_reads_starts_although_another_run_holds_the_target() {
    let story = Story::begun();

    assert!(by(&story.run, &story.run.holder.by, Role::Operator, Some(other(0)), &run(1, 1, &[1])).is_ok());
}

#[test]
fn what_disrupts_is_told_who_holds_the_target_since_when_and_until_about_when() {
    let story = Story::begun();
    let holder = Holder { expected: Some(NOW.plus(600_000)), ..other(5) };

    let told =
        by(&story.run, &story.run.holder.by, Role::Operator, Some(holder.clone()), &run(2, 1, &[1])).unwrap_err();

    let (since, until) = (holder.since.time_of_day(), NOW.plus(600_000).time_of_day());
    assert_eq!(
        told.to_string(),
        format!(
            "local is held by run 13, \"Restore\", since {since}: Otto works in it, expected until about {until}. \
             Nothing was started; wait for its end, or take the lock over"
        )
    );
}

#[test]
fn who_may_not_see_the_run_that_holds_the_target_is_told_its_number_and_who_works_in_it() {
    let mut run = Story::begun().succeeds(2, &[1]).run;
    run.plan.visible_to = Some(typed_groups("dba").unwrap());
    let told = |names: &str| {
        let sight = Sight::of(Role::Lead, typed_groups(names).unwrap(), []);
        Holder::of(&run, Some(600_000), &sight).unwrap()
    };

    let (inside, outside) = (told("dba"), told(""));

    let (by, since) = (run.holder.by.name(), inside.since.time_of_day());
    assert_eq!(
        outside.to_string(),
        format!("local is held by run 12, which is limited to others, since {since}: {by} works in it")
    );
    assert!(inside.to_string().contains("run 12, \"Restart\", since") && inside.expected.is_some(), "{inside}");
}

#[test]
fn an_operator_takes_a_lock_after_thirty_minutes_without_an_event_and_a_lead_at_once() {
    let story = Story::begun();
    let olga = story.run.holder.by.clone();
    let take = Command::TakeLock { reason: "an outage".to_owned() };
    let tried = |role, idle| by(&story.run, &olga, role, Some(other(idle)), &take);

    assert!(matches!(tried(Role::Operator, 29), Err(Refusal::LockAlive { run: RunId(13), .. })));
    for (role, idle) in [(Role::Operator, 30), (Role::Lead, 0)] {
        let events = tried(role, idle).unwrap();
        let taken =
            Event::LockTaken { target: "local".to_owned(), from: Some(RunId(13)), reason: "an outage".to_owned() };
        assert_eq!(events, [taken]);
    }
}

#[test]
fn a_clock_that_was_set_back_makes_no_lock_look_abandoned() {
    let holder = Holder { active: Timestamp(NOW.0 + 3_600_000), ..other(0) };

    assert!(!holder.is_abandoned(NOW));
}

#[test]
fn not_even_a_lead_takes_a_lock_under_a_running_step() {
    let story = Story::begun();
    let holder = Holder { running: true, ..other(45) };
    let take = Command::TakeLock { reason: "an outage".to_owned() };

    let told = by(&story.run, &story.run.holder.by, Role::Lead, Some(holder), &take);

    assert_eq!(told, Err(Refusal::LockInUse(RunId(13))));
}

#[test]
fn who_loses_the_lock_is_told_and_needs_it_again_for_what_disrupts() {
    let story = Story::begun().succeeds(2, &[1]).hears(lose_lock());

    assert!(!story.run.holds_lock());
    assert!(matches!(last_change(&story.run), Some(ChangeKind::LockLost { to: RunId(13), by, .. }) if by == "Lena"));
    let olga = story.run.holder.by.clone();
    let told = by(&story.run, &olga, Role::Operator, Some(other(0)), &run(2, 2, &[1]));
    assert!(matches!(told, Err(Refusal::Locked(_))));
}

#[test]
fn a_closed_run_holds_no_lock() {
    let story = Story::begun().succeeds(2, &[1]);
    assert_eq!(Holder::of(&story.run, None, &Sight::EVERYTHING).map(|holder| holder.run), Some(RUN));

    let story = story.does(Command::Finish { verdict: Verdict::Reached, comment: String::new() });

    assert_eq!(Holder::of(&story.run, None, &Sight::EVERYTHING), None);
}

#[test]
fn a_run_that_is_given_up_closes_at_once_or_as_soon_as_its_step_has_stopped() {
    let abort = || Command::Abort { reason: "the wrong host".to_owned() };
    let still = Story::begun().does(abort());
    assert!(still.run.end.is_some_and(|end| end.verdict == Verdict::Aborted && end.comment == "the wrong host"));

    let story = Story::begun().runs(1, &[1]).begins(1).does(abort());
    assert!(story.run.end.is_none());
    assert!(story.run.step(1).is_some_and(|state| state.attempts[0].stop.is_some()));
    assert_eq!(story.refuses(abort()), Refusal::Over);

    let story = story.settles(AttemptResult::Stopped);
    assert!(story.run.end.is_some_and(|end| end.verdict == Verdict::Aborted && end.comment == "the wrong host"));
}

#[test]
fn only_a_lead_gives_up_another_persons_run() {
    let story = Story::begun();
    let abort = Command::Abort { reason: "the wrong host".to_owned() };

    assert!(matches!(by(&story.run, &otto(), Role::Operator, None, &abort), Err(Refusal::Forbidden(_))));
    assert!(by(&story.run, &otto(), Role::Lead, None, &abort).is_ok());
}

#[test]
fn an_added_step_runs_like_any_other_and_nothing_waits_for_it() {
    let story = Story::begun().does(adds(added("df -h", 2)));

    let place = u32::try_from(story.run.plan.steps.len()).unwrap();
    assert_eq!(last_change(&story.run), Some(&ChangeKind::StepAdded { step: place }));
    assert_eq!(story.run.current_step(), Some(1), "the way through the document is the same");
    let story = (1..place).fold(story, Story::skips);
    assert_eq!(story.run.current_step(), None);
    assert!(story.succeeds(place, &[1]).run.status(place).is_over());
}

#[test]
fn an_added_step_needs_a_reason_and_a_place() {
    let story = Story::begun();
    let mut unsaid = added("df -h", 1);
    if let Some(ad_hoc) = &mut unsaid.ad_hoc {
        ad_hoc.reason.clear();
    }
    let of_the_document = PlanStep { ad_hoc: None, ..added("df -h", 1) };

    assert_eq!(story.refuses(adds(unsaid)), Refusal::NoReason);
    assert!(matches!(story.refuses(adds(of_the_document)), Refusal::Nothing(_)));
}

#[test]
fn the_next_attempt_begins_in_the_directory_that_was_set() {
    let story = Story::begun().does(Command::SetDirectory { path: "/srv/other".to_owned() });

    let work = story.run.work(1, &[1], &story.run.holder.by).unwrap();

    assert_eq!(work.directory, "/srv/other");
    for wrong in ["srv", "", "/srv/\nother"] {
        let told = story.refuses(Command::SetDirectory { path: wrong.to_owned() });
        assert!(matches!(told, Refusal::Misfit { .. }), "{wrong:?}: {told:?}");
    }
}

#[test]
fn a_step_that_is_added_twice_by_one_form_is_added_once() {
    let add = || adds(added("df -h", 2));
    let story = Story::begun().does(add());

    assert_eq!(story.refuses(add()), Refusal::Over);
}
