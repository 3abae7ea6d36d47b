//! Who decides about a request, and who takes it back.

use super::{LENA, approved, asked, clear, ready, with_all};
use crate::Risk;
use crate::approval::{ApprovalRule, ApprovalRules};
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::Role;
use crate::run::tests::stage::*;
use crate::run::{Command, Event, Facts, Refusal, RequestEnd, RequestStatus, Who, decide};

fn lena() -> Who {
    person(LENA, Role::Lead)
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
fn while_a_retry_or_the_rollback_may_start_a_lead_can_still_say_no() {
    let failed = asked().lead(LENA, with_all()).runs(4, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.ends_in_place(AttemptResult::Failed { command: 1 });

    let stopped = failed.lead("Lars", Command::Reject { request: 1, reason: "enough".to_owned() });
    assert!(matches!(stopped.refuses(run(4, 2, &[1, 2])), Refusal::Decided { status: RequestStatus::Rejected, .. }));
    assert!(matches!(stopped.refuses(run(8, 1, &[1])), Refusal::Decided { .. }));
}
