//! Going on without an approval: into an outage before a later step has one, and by breaking the glass.

use super::{LENA, approved, asked, clear, ready};
use crate::RunId;
use crate::approval::ApprovalRules;
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::Role;
use crate::run::tests::stage::*;
use crate::run::{Command, Facts, Refusal, RequestStatus, Verdict, decide};

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
fn who_went_on_alone_has_to_be_a_lead_still_when_it_starts() {
    let olga = person("Olga", Role::Lead);
    let glass = Command::BreakGlass { request: 1, wanted: vec![(4, vec![1, 2])], reason: "nobody answers".to_owned() };
    let facts = Facts { factor: Some("code".to_owned()), ..ready().facts(Some(Role::Lead)) };
    let story = ready().with(decide(Some(&ready().run), &glass, &olga, &facts).unwrap(), &olga);
    let mut facts = story.facts(Some(Role::Operator));
    facts.standings = [("Olga".into(), Role::Operator)].into();

    assert_eq!(story.voids(&clear(), &facts), ["Olga may not go on without an approval any more"]);
}
