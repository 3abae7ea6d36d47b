//! What destroys starts only as it was approved, by who may approve it, once, and in time.

#![expect(clippy::needless_pass_by_value, reason = "a story reads better when its deeds are written in place")]

use super::stage::*;
use crate::approval::{ApprovalRule, ApprovalRules, Evidence, EvidenceItem, FileIdentity, Standing};
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{Command, Event, Facts, Refusal, RequestEnd, RequestStatus, Run, Verdict, Who, decide};
use crate::runbook::PartKind;
use crate::{Risk, RunId};

const LENA: &str = "Lena";

fn lena() -> Who {
    person(LENA, Role::Lead)
}

fn proven(story: &Story) -> Facts {
    Facts { factor: Some("code".to_owned()), ..story.facts(Some(Role::Lead)) }
}

impl Story {
    /// A lead does something that may be done, with a second factor.
    fn lead(self, name: &str, command: Command) -> Self {
        let lead = person(name, Role::Lead);
        let events = decide(Some(&self.run), &command, &lead, &proven(&self)).unwrap();
        self.with(events, &lead)
    }

    fn lead_is_refused(&self, name: &str, command: &Command) -> Refusal {
        decide(Some(&self.run), command, &person(name, Role::Lead), &proven(self)).unwrap_err()
    }

    fn status(&self, request: u32) -> RequestStatus {
        self.run.request_status(self.run.request(request).unwrap(), self.now)
    }

    /// The open attempt ends in the directory in which it began.
    fn ends_in_place(self, result: AttemptResult) -> Self {
        let open = self.run.open_attempt().unwrap();
        let Command::Settle { step, attempt, mut exit } = settle(open.step, open.attempt, result) else {
            unreachable!()
        };
        exit.directory = Some(self.run.directory.clone());
        self.hears(Command::Settle { step, attempt, exit })
    }

    /// What is recorded instead of a start that an approval does not cover any more.
    fn voids(&self, command: &Command, facts: &Facts) -> Vec<String> {
        let events = decide(Some(&self.run), command, &person("Olga", Role::Operator), facts).unwrap();
        let [Event::ApprovalVoided { why, .. }] = events.as_slice() else { panic!("{events:?}") };
        why.iter().map(ToString::to_string).collect()
    }
}

/// Step 4, *Clear*, destroys with two commands; step 8, the rollback, destroys, too.
fn destroying() -> Plan {
    let mut plan = plan();
    plan.steps[3].commands.push(with_value(command("rm -rf X", Risk::Destroys), "branch"));
    plan.steps[7].commands[0].risk = Risk::Destroys;
    plan.steps[7].risk = Risk::Destroys;
    assert_eq!(plan.steps[7].part, PartKind::Rollback);
    plan
}

fn clear() -> Command {
    run(4, 1, &[1, 2])
}

fn ready() -> Story {
    Story::of(destroying()).sets("branch", "main")
}

fn asked() -> Story {
    ready().does(ask(1, &[(4, &[1, 2])]))
}

fn approved() -> Story {
    asked().lead(LENA, grant(1))
}

fn with_all() -> Command {
    Command::Grant { request: 1, retry: true, rollback: true, comment: String::new() }
}

#[test]
fn what_destroys_starts_after_a_lead_has_approved_it_and_only_once() {
    assert!(matches!(ready().refuses(clear()), Refusal::NeedsApproval { .. }));
    assert!(matches!(asked().refuses(clear()), Refusal::Undecided { missing: 1, .. }));

    let done = approved().runs(4, &[1, 2]);
    assert_eq!(done.run.requests[0].uses.len(), 1);
    assert_eq!(done.status(1), RequestStatus::Used);
    let done = done.ends(1, Outcome::Success).ends(2, Outcome::Success).ends_in_place(AttemptResult::Completed);
    assert_eq!(done.refuses(run(4, 2, &[1, 2])), Refusal::Spent);
}

#[test]
fn an_approval_is_not_asked_for_what_needs_none_or_has_no_values_yet() {
    assert!(matches!(ready().refuses(ask(1, &[(2, &[1])])), Refusal::NoNeed(_)));
    assert!(matches!(Story::of(destroying()).refuses(ask(1, &[(4, &[1, 2])])), Refusal::Missing(_)));
    assert!(matches!(ready().refuses(ask(1, &[])), Refusal::Together(_)));
    assert!(matches!(asked().refuses(ask(2, &[(4, &[1, 2])])), Refusal::Asked(_)));
    assert_eq!(asked().refuses(ask(1, &[(4, &[1, 2])])), Refusal::Over, "a form that is sent twice asks once");
}

#[test]
fn whoever_has_shaped_the_run_does_not_approve() {
    let story = asked();
    let shaping: [(&str, Command); 2] = [
        ("Lena", Command::TakeOver { reason: "her shift".to_owned() }),
        ("Lena", Command::Tick { step: None, item: 1, note: String::new() }),
    ];

    // Olga has become a lead since: she started the run, set the value and asked.
    assert!(matches!(story.lead_is_refused("Olga", &grant(1)), Refusal::Shaped(_)));
    let [(name, takes_over), (_, ticks)] = shaping;
    let taken = story.clone().lead(name, takes_over);
    assert_eq!(taken.status(1), RequestStatus::Void, "another person runs it");
    // Looking on, ticking and writing notes shapes nothing.
    let ticked = story.lead(LENA, ticks).lead(LENA, Command::AddNote { step: None, text: "I look".to_owned() });
    assert_eq!(ticked.lead(LENA, grant(1)).status(1), RequestStatus::Approved);
}

#[test]
fn an_operator_a_stranger_and_a_lead_without_a_second_factor_decide_nothing() {
    let story = asked();
    let by = |role: Option<Role>, factor: Option<String>| {
        let facts = Facts { factor, ..story.facts(role) };
        decide(Some(&story.run), &grant(1), &lena(), &facts).unwrap_err()
    };

    assert!(matches!(by(Some(Role::Operator), Some("code".to_owned())), Refusal::Forbidden(_)));
    assert_eq!(by(None, Some("code".to_owned())), Refusal::Disabled);
    assert_eq!(by(Some(Role::Lead), None), Refusal::NoFactor);
    let reject = |factor: Option<&str>| {
        let facts = Facts { factor: factor.map(str::to_owned), ..story.facts(Some(Role::Lead)) };
        decide(Some(&story.run), &Command::Reject { request: 1, reason: "no".to_owned() }, &lena(), &facts)
    };
    assert_eq!(reject(None).unwrap_err(), Refusal::NoFactor, "to say no is a decision, too");
    assert!(matches!(&reject(Some("code")).unwrap()[..], [Event::ApprovalRejected { factor, .. }] if factor == "code"));
}

#[test]
fn two_leads_are_two_people() {
    let rules = ApprovalRules {
        rules: vec![ApprovalRule {
            class: Some(Risk::Destroys),
            leads: 2,
            reason: "it is production".to_owned(),
            ..ApprovalRule::default()
        }],
        ..ApprovalRules::DEFAULT
    };
    let olga = person("Olga", Role::Operator);
    let story = ready();
    let facts = Facts { rules: rules.clone(), ..story.facts(Some(Role::Operator)) };
    let events = decide(Some(&story.run), &ask(1, &[(4, &[1, 2])]), &olga, &facts).unwrap();
    let story = story.with(events, &olga).lead(LENA, grant(1));

    assert_eq!(story.status(1), RequestStatus::Waiting);
    assert_eq!(story.lead_is_refused(LENA, &grant(1)), Refusal::Over, "one person counts once");
    let story = story.lead("Lars", grant(1));
    assert_eq!(story.status(1), RequestStatus::Approved);
    let facts = Facts { rules, ..story.facts(Some(Role::Operator)) };
    assert!(decide(Some(&story.run), &clear(), &olga, &facts).is_ok());
}

#[test]
fn any_rejection_ends_the_request_and_needs_a_reason() {
    let no = |reason: &str| Command::Reject { request: 1, reason: reason.to_owned() };
    assert_eq!(asked().lead_is_refused(LENA, &no(" ")), Refusal::NoReason);

    let story = approved().lead("Lars", no("not before the dump"));

    assert!(matches!(story.run.requests[0].end, Some(RequestEnd::Rejected { .. })));
    assert!(matches!(story.refuses(clear()), Refusal::Decided { status: RequestStatus::Rejected, .. }));
    assert!(matches!(story.lead_is_refused(LENA, &grant(1)), Refusal::Decided { .. }));
}

#[test]
fn a_request_is_taken_back_by_who_works_in_the_run_or_by_a_lead() {
    let back = Command::CancelApproval { request: 1, reason: String::new() };
    let otto = person("Otto", Role::Operator);
    let story = approved();

    let other = decide(Some(&story.run), &back, &otto, &story.facts(Some(Role::Operator))).unwrap_err();
    assert!(matches!(other, Refusal::Forbidden(_)));
    for story in [story.clone().does(back.clone()), story.lead("Lars", back)] {
        assert_eq!(story.status(1), RequestStatus::Cancelled);
        assert!(matches!(story.refuses(clear()), Refusal::Decided { .. }));
    }
}

#[test]
fn both_clocks_are_absolute() {
    let late = asked().waits(30);
    assert_eq!(late.status(1), RequestStatus::Expired);
    assert!(matches!(late.lead_is_refused(LENA, &grant(1)), Refusal::Decided { status: RequestStatus::Expired, .. }));
    let expired = late.hears(Command::Expire { request: 1 });
    assert!(matches!(expired.run.requests[0].end, Some(RequestEnd::Expired { .. })));
    assert!(
        decide(Some(&asked().run), &Command::Expire { request: 1 }, &Who::Portal, &facts(None)).unwrap().is_empty()
    );

    assert!(
        decide(
            Some(&approved().run),
            &clear(),
            &person("Olga", Role::Operator),
            &approved().waits(15).facts(Some(Role::Operator))
        )
        .is_ok()
    );
    assert!(matches!(approved().waits(16).refuses(clear()), Refusal::TooLate(_)));
}

#[test]
fn the_time_to_start_counts_from_the_end_of_the_step_before() {
    let story = approved().does(run(3, 1, &[1])).waits(120);
    let story = story.ends(1, Outcome::Success).ends_in_place(AttemptResult::Completed);

    assert_eq!(story.status(1), RequestStatus::Approved);
    assert!(matches!(story.clone().waits(16).refuses(clear()), Refusal::TooLate(_)));
    assert_eq!(story.waits(14).runs(4, &[1, 2]).status(1), RequestStatus::Used);
}

#[test]
fn what_changes_after_the_request_makes_it_void_and_says_how() {
    let changes = [
        (
            Command::SetValue { name: "branch".to_owned(), value: "other".to_owned() },
            "the value of branch was \u{201c}main\u{201d} and is \u{201c}other\u{201d}",
        ),
        (
            Command::SetDirectory { path: "/elsewhere".to_owned() },
            "the directory was \u{201c}/srv\u{201d} and is \u{201c}/elsewhere\u{201d}",
        ),
    ];
    for story in [asked(), approved()] {
        for (change, expected) in &changes {
            let moved = story.clone().does(change.clone());
            let Some(RequestEnd::Void { why, .. }) = &moved.run.requests[0].end else { panic!("{change:?}") };
            assert_eq!(why.iter().map(ToString::to_string).collect::<Vec<_>>(), [*expected]);
            assert!(matches!(moved.refuses(clear()), Refusal::Decided { status: RequestStatus::Void, .. }));
        }
        // What does not touch the covered step leaves it alone.
        let same = story.clone().does(Command::AddNote { step: None, text: "so far so good".to_owned() }).skips(2);
        assert!(same.status(1).is_live());
    }
}

#[test]
fn a_step_that_moves_the_directory_makes_the_approval_void() {
    let moved = approved().runs(1, &[1]).ends(1, Outcome::Success).settles(AttemptResult::Completed);

    assert_eq!(moved.status(1), RequestStatus::Void);
}

#[test]
fn a_lead_who_is_none_any_more_has_approved_nothing() {
    let story = approved();
    for (role, word) in [(Some(Role::Operator), "operator"), (None, "disabled")] {
        let mut facts = story.facts(Some(Role::Operator));
        facts.standings = role.map(|role| (LENA.into(), role)).into_iter().collect();

        assert_eq!(story.voids(&clear(), &facts), [format!("Lena, who approved, is {word} now")]);
    }
}

#[test]
fn a_lead_who_has_shaped_the_run_since_has_approved_nothing() {
    let mut story = approved();
    story.run.shapers.insert(LENA.into(), crate::run::Shaped::Ran);

    assert_eq!(
        story.voids(&clear(), &story.facts(Some(Role::Operator))),
        ["Lena, who approved, has run a step of it since"]
    );
}

#[test]
fn other_rules_make_it_void() {
    let story = approved();
    let mut facts = story.facts(Some(Role::Operator));
    facts.rules.start_within_ms += 1;

    assert_eq!(story.voids(&clear(), &facts), ["the rules about approvals have changed"]);
}

fn dump() -> FileIdentity {
    FileIdentity {
        path: "/b/latest.dump".to_owned(),
        resolved: "/b/latest.dump".to_owned(),
        device: 1,
        inode: 7,
        size: 100,
        modified_ns: 5,
        content: None,
    }
}

#[test]
fn another_file_of_the_same_name_makes_it_void() {
    let item = EvidenceItem {
        name: "Backup file".to_owned(),
        standing: Standing::Good,
        result: "7 h old".to_owned(),
        saw: Vec::new(),
        bound: Some(dump()),
    };
    let evidence = Box::new(Evidence { at: NOW, items: vec![item] });
    let ask =
        Command::RequestApproval { request: 1, wanted: vec![(4, vec![1, 2])], reason: "why".to_owned(), evidence };
    let story = ready().does(ask).lead(LENA, grant(1));
    let looking = |found: Result<FileIdentity, String>| {
        let bound = [("/b/latest.dump".to_owned(), found)].into();
        Facts { bound, ..story.facts(Some(Role::Operator)) }
    };
    let olga = person("Olga", Role::Operator);

    let same = decide(Some(&story.run), &clear(), &olga, &looking(Ok(dump()))).unwrap();
    assert!(matches!(same.last(), Some(Event::AttemptStarted { approval: Some(1), .. })));
    for other in [
        FileIdentity { inode: 8, ..dump() },
        FileIdentity { size: 101, ..dump() },
        FileIdentity { modified_ns: 6, ..dump() },
        FileIdentity { device: 2, ..dump() },
        FileIdentity { resolved: "/b/other.dump".to_owned(), ..dump() },
    ] {
        assert!(story.voids(&clear(), &looking(Ok(other)))[0].starts_with("the file /b/latest.dump was"));
    }
    let gone = looking(Err("it is not there".to_owned()));
    let refused = |facts: &Facts| decide(Some(&story.run), &clear(), &olga, facts).unwrap_err();
    assert!(matches!(refused(&gone), Refusal::Unseen { why, .. } if why == "it is not there"));
    assert!(matches!(refused(&story.facts(Some(Role::Operator))), Refusal::Unseen { .. }));
}

#[test]
fn a_part_of_what_was_approved_is_something_else() {
    assert_eq!(approved().refuses(run(4, 1, &[2])), Refusal::Whole);
    assert!(matches!(approved().refuses(run(4, 1, &[1])), Refusal::NeedsApproval { .. }));
}

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
fn what_was_started_by_breaking_the_glass_may_be_started_again_as_long_as_it_fails() {
    let olga = person("Olga", Role::Lead);
    let glass = Command::BreakGlass { request: 1, wanted: vec![(4, vec![1, 2])], reason: "nobody answers".to_owned() };
    let facts = Facts { factor: Some("code".to_owned()), ..ready().facts(Some(Role::Lead)) };
    let mut story = ready().with(decide(Some(&ready().run), &glass, &olga, &facts).unwrap(), &olga);

    for attempt in 1..=3 {
        story = story.runs(4, &[1, 2]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
        assert_eq!(story.status(1), RequestStatus::Approved, "after attempt {attempt}");
    }
    assert!(matches!(story.clone().waits(16).refuses(run(4, 4, &[1, 2])), Refusal::TooLate(_)), "but not for ever");
    let done = story.succeeds(4, &[1, 2]);
    assert_eq!(done.refuses(run(4, 5, &[1, 2])), Refusal::Spent);
    assert_eq!(done.run.requests.len(), 1, "one glass, one mark, one review");
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

#[test]
fn before_an_outage_the_portal_stops_and_says_that_a_later_step_has_no_approval() {
    let restart = Command::RunCommands { step: 2, attempt: 1, commands: vec![1], confirmation: None, outage: None };
    for story in [ready(), asked()] {
        let Refusal::Outage { step } = story.refuses(restart.clone()) else { panic!() };
        assert_eq!(step, "Clear");
    }
    let gone_on = asked().does(run(2, 1, &[1]));
    assert_eq!(gone_on.run.outage.as_ref().unwrap().1, "it cannot wait");
    assert!(approved().does(restart.clone()).run.outage.is_none());
    assert!(ready().skips(4).does(restart).run.outage.is_none(), "a step that was passed over needs none");
}

#[test]
fn a_lead_breaks_the_glass_alone_once_and_another_one_reviews_it() {
    let olga_leads = Facts { factor: Some("code".to_owned()), ..ready().facts(Some(Role::Lead)) };
    let olga = person("Olga", Role::Lead);
    let glass = Command::BreakGlass { request: 1, wanted: vec![(4, vec![1, 2])], reason: "nobody answers".to_owned() };
    let tries = |facts: &Facts| decide(Some(&ready().run), &glass, &olga, facts);

    assert_eq!(tries(&Facts { standing: Some(Role::Operator), ..olga_leads.clone() }).unwrap_err(), Refusal::NoGlass);
    assert_eq!(tries(&Facts { factor: None, ..olga_leads.clone() }).unwrap_err(), Refusal::NoFactor);
    let before = Facts { unreviewed: Some(RunId(3)), ..olga_leads.clone() };
    assert_eq!(tries(&before).unwrap_err(), Refusal::Unreviewed(RunId(3)));
    let nobody = ApprovalRules { break_glass: None, ..ApprovalRules::DEFAULT };
    assert_eq!(tries(&Facts { rules: nobody, ..olga_leads.clone() }).unwrap_err(), Refusal::NoGlass);

    let story = ready().with(tries(&olga_leads).unwrap(), &olga);
    assert!(matches!(story.clone().waits(16).refuses(clear()), Refusal::TooLate(_)));
    let used = story.succeeds(4, &[1, 2]);
    assert_eq!(used.refuses(run(4, 2, &[1, 2])), Refusal::Spent);
    let closed = used.does(Command::Finish { verdict: Verdict::Reached, comment: String::new() });
    let review = Command::ReviewGlass { request: 1, comment: "it was right".to_owned() };
    assert_eq!(closed.lead_is_refused("Olga", &review), Refusal::OwnGlass);
    let reviewed = closed.lead(LENA, review.clone());
    assert!(reviewed.run.requests[0].glass.as_ref().unwrap().review.is_some());
    assert_eq!(reviewed.lead_is_refused("Lars", &review), Refusal::Over);
}

#[test]
fn closing_a_run_ends_what_it_has_asked_for() {
    let closed = approved().does(Command::Finish { verdict: Verdict::Aborted, comment: "no more".to_owned() });

    assert!(
        matches!(&closed.run.requests[0].end, Some(RequestEnd::Void { why, .. }) if why[0].what == "the run was closed")
    );
    assert!(matches!(closed.entries.last().unwrap().event, Event::RunFinished { .. }), "nothing comes after the end");
}

#[test]
fn a_rule_asks_for_an_approval_of_what_does_not_destroy() {
    let rules = ApprovalRules {
        rules: vec![ApprovalRule {
            target: Some("local".to_owned()),
            class: Some(Risk::Disrupts),
            leads: 1,
            reason: "no outage without a lead".to_owned(),
            ..ApprovalRule::default()
        }],
        ..ApprovalRules::DEFAULT
    };
    let olga = person("Olga", Role::Operator);
    let story = ready();
    let facts = Facts { rules, ..story.facts(Some(Role::Operator)) };

    let refusal = decide(Some(&story.run), &run(2, 1, &[1]), &olga, &facts).unwrap_err();
    assert!(matches!(refusal, Refusal::NeedsApproval { .. }));
    let asked = decide(Some(&story.run), &ask(1, &[(2, &[1]), (4, &[1, 2])]), &olga, &facts).unwrap();
    let asked = story.clone().with(asked, &olga);
    let needs: Vec<_> = asked.run.requests[0].steps().map(|covered| covered.need.as_ref().unwrap().words()).collect();
    assert!(needs.iter().all(|need| need.contains("by a rule: no outage without a lead")), "{needs:?}");
    assert_eq!(asked.run.requests[0].covers[2].need.as_ref().unwrap().words(), needs[0], "the rollback, too");
    assert!(decide(Some(&story.run), &run(1, 1, &[1]), &olga, &facts).is_ok());
}

#[test]
fn two_requests_for_the_same_are_known_as_the_same_whoever_asks() {
    let same = |run: &Run| run.requests[0].same();
    let by_olga = asked();
    let other =
        ready().lead(LENA, Command::TakeOver { reason: "mine now".to_owned() }).lead(LENA, ask(1, &[(4, &[1, 2])]));

    assert_eq!(same(&by_olga.run), same(&other.run));
    assert_ne!(same(&by_olga.run), same(&ready().sets("branch", "x").does(ask(1, &[(4, &[1, 2])])).run));
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

#[test]
fn a_clock_that_has_run_out_is_not_wound_up_by_the_step_before() {
    let late = approved().waits(16).runs(3, &[1]).ends(1, Outcome::Success).ends_in_place(AttemptResult::Completed);

    assert_eq!(late.status(1), RequestStatus::Expired);
    assert!(matches!(late.refuses(clear()), Refusal::TooLate(_)));
    let recorded = late.hears(Command::Expire { request: 1 });
    assert!(matches!(recorded.run.requests[0].end, Some(RequestEnd::Expired { .. })));
}

#[test]
fn while_a_retry_or_the_rollback_may_start_a_lead_can_still_say_no() {
    let failed = asked().lead(LENA, with_all()).runs(4, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.ends_in_place(AttemptResult::Failed { command: 1 });

    let stopped = failed.lead("Lars", Command::Reject { request: 1, reason: "enough".to_owned() });
    assert!(matches!(stopped.refuses(run(4, 2, &[1, 2])), Refusal::Decided { status: RequestStatus::Rejected, .. }));
    assert!(matches!(stopped.refuses(run(8, 1, &[1])), Refusal::Decided { .. }));
}

#[test]
fn who_went_on_alone_has_to_be_a_lead_still_when_it_starts() {
    let olga = person("Olga", Role::Lead);
    let glass = Command::BreakGlass { request: 1, wanted: vec![(4, vec![1, 2])], reason: "nobody answers".to_owned() };
    let facts = Facts { factor: Some("code".to_owned()), ..ready().facts(Some(Role::Lead)) };
    let story = ready().with(decide(Some(&ready().run), &glass, &olga, &facts).unwrap(), &olga);
    let mut facts = story.facts(Some(Role::Operator));
    facts.standings = [("Olga".into(), Role::Operator)].into();

    assert_eq!(story.voids(&clear(), &facts), ["Olga may not go on without an approval any more"]);
}

#[test]
fn one_command_stands_in_one_set_of_a_request() {
    assert!(matches!(ready().refuses(ask(1, &[(4, &[1, 2]), (4, &[2])])), Refusal::Together(_)));
}

#[test]
fn a_secret_that_has_changed_is_noted_with_the_request_that_covers_it() {
    let mut plan = destroying();
    plan.parameters[0].kind = crate::runbook::ParameterKind::Secret;
    plan.secrets = [("branch".to_owned(), "v1".to_owned())].into();
    let story = Story::of(plan);
    let facts =
        Facts { secrets: [("branch".to_owned(), Ok("v2".to_owned()))].into(), ..story.facts(Some(Role::Operator)) };
    let olga = person("Olga", Role::Operator);

    let events = decide(Some(&story.run), &ask(1, &[(4, &[1, 2])]), &olga, &facts).unwrap();

    assert!(matches!(&events[..], [Event::SecretChanged { .. }, Event::ApprovalRequested { .. }]), "{events:?}");
    assert_eq!(story.with(events, &olga).status(1), RequestStatus::Waiting);
}

#[test]
fn an_approval_that_would_not_let_the_step_start_does_not_open_the_way_into_an_outage() {
    let restart = Command::RunCommands { step: 2, attempt: 1, commands: vec![1], confirmation: None, outage: None };
    let story = approved().does(Command::SkipCommand { step: 4, command: 1, reason: "done by hand".to_owned() });
    assert!(
        matches!(story.refuses(restart.clone()), Refusal::Outage { .. }),
        "only a part is left of what was approved"
    );

    let demoted = Facts { standings: [].into(), ..approved().facts(Some(Role::Operator)) };
    let olga = person("Olga", Role::Operator);
    assert!(matches!(decide(Some(&approved().run), &restart, &olga, &demoted).unwrap_err(), Refusal::Outage { .. }));
}
