//! What every decision takes, whatever is decided.

use super::stage::*;
use crate::policy::Role;
use crate::run::{Command, Event, Facts, RedactionEnd, Refusal, Who, decide};
use crate::{AttemptId, Risk};

const PROVEN: &str = "code";

/// A run in which an approval and a redaction wait for another person.
fn asked() -> Story {
    let mut plan = plan();
    for place in [1, 3] {
        plan.steps[place].commands = vec![command("rm -rf /srv/old", Risk::Destroys)];
    }
    let story = Story::of(plan).sets("branch", "main").succeeds(1, &[1, 2]).does(ask(1, &[(4, &[1])]));
    tries(&story, &person("Ada", Role::Administrator), &ask_redaction(1, 1, &[(0, 4)]), None)
        .map(|events| story.with(events, &person("Ada", Role::Administrator)))
        .unwrap()
}

fn tries(story: &Story, who: &Who, command: &Command, factor: Option<&str>) -> Result<Vec<Event>, Refusal> {
    let Who::Person(actor) = who else { unreachable!() };
    let facts = Facts { factor: factor.map(str::to_owned), ..story.facts(Some(actor.role)) };
    decide(Some(&story.run), command, who, &facts)
}

/// Everything that one person decides about what another one wants, and going on without a decision.
fn decisions() -> [(&'static str, Command); 5] {
    let reason = || "because".to_owned();
    [
        ("Lena", grant(1)),
        ("Lena", Command::Reject { request: 1, reason: reason() }),
        ("Olga", Command::BreakGlass { request: 2, wanted: vec![(2, vec![1])], reason: reason() }),
        ("Lena", confirm_redaction(1)),
        ("Lena", Command::RejectRedaction { number: 1, reason: reason() }),
    ]
}

#[test]
fn every_decision_takes_a_second_factor_and_says_which_kind_it_was() {
    let story = asked();

    for (name, command) in decisions() {
        let who = person(name, Role::Lead);
        assert_eq!(tries(&story, &who, &command, None), Err(Refusal::NoFactor), "{command:?}");
        let events = tries(&story, &who, &command, Some(PROVEN)).unwrap();
        let told = serde_json::to_value(&events[0]).unwrap();
        assert_eq!(told["factor"], PROVEN, "{told}");
    }
}

#[test]
fn to_take_back_what_one_has_asked_for_is_no_decision_and_takes_none() {
    let story = asked();
    let cancel = Command::CancelApproval { request: 1, reason: String::new() };
    assert!(tries(&story, &person("Olga", Role::Operator), &cancel, None).is_ok());

    let ada = person("Ada", Role::Administrator);
    let own = Command::RejectRedaction { number: 1, reason: "the wrong line".to_owned() };
    let events = tries(&story, &ada, &own, None).unwrap();
    let taken_back = story.with(events, &ada);
    let id = AttemptId { run: RUN, step: 1, attempt: 1 };
    let (_, redaction) = taken_back.run.redactions_of(id).next().unwrap();
    assert!(matches!(&redaction.end, Some(RedactionEnd::Rejected { factor, .. }) if factor.is_empty()));
}

#[test]
fn a_rejection_of_a_version_that_took_no_factor_is_read() {
    let stored = r#"{"kind":"redaction_rejected","number":1,"reason":"needed as proof"}"#;

    let event: Event = serde_json::from_str(stored).unwrap();

    assert_eq!(
        event,
        Event::RedactionRejected { number: 1, reason: "needed as proof".to_owned(), factor: String::new() }
    );
}
