//! What is asked for: what needs an approval, once each, and when two requests ask for the same.

use super::{LENA, asked, destroying, ready};
use crate::Risk;
use crate::approval::{ApprovalRule, ApprovalRules};
use crate::policy::Role;
use crate::run::tests::stage::*;
use crate::run::{Command, Event, Facts, Refusal, RequestStatus, Run, decide};

#[test]
fn an_approval_is_not_asked_for_what_needs_none_or_has_no_values_yet() {
    assert!(matches!(ready().refuses(ask(1, &[(2, &[1])])), Refusal::NoNeed(_)));
    assert!(matches!(Story::of(destroying()).refuses(ask(1, &[(4, &[1, 2])])), Refusal::Missing(_)));
    assert!(matches!(ready().refuses(ask(1, &[])), Refusal::Together(_)));
    assert!(matches!(asked().refuses(ask(2, &[(4, &[1, 2])])), Refusal::Asked(_)));
    assert_eq!(asked().refuses(ask(1, &[(4, &[1, 2])])), Refusal::Over, "a form that is sent twice asks once");
}

#[test]
fn one_command_stands_in_one_set_of_a_request() {
    assert!(matches!(ready().refuses(ask(1, &[(4, &[1, 2]), (4, &[2])])), Refusal::Together(_)));
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
