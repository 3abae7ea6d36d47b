//! What a script may do in runs by a token: it works like an operator and has no more power than that, whoever its person is.

use std::collections::BTreeMap;

use super::stage::*;
use crate::policy::{Actor, Role, Scope, Token};
use crate::run::{Command, Facts, Holder, Refusal, Run, Who, decide};

/// A script of Lena's, who is an administrator by now, by a token that lets it work in runs.
fn script() -> Who {
    let token = Token { id: "7f".into(), name: "nightly report".to_owned(), scope: Scope::Role };
    Who::Person(Actor::new("Lena".into(), "Lena".to_owned(), Role::Administrator).by_token(token, Role::Operator))
}

/// What comes of a command that the script sends, with a second factor that would do.
fn tried(run: &Run, command: &Command, lock: Option<Holder>) -> Result<(), Refusal> {
    let facts = Facts { lock, factor: Some("code".to_owned()), ..facts(Some(Role::Administrator)) };
    decide(Some(run), command, &script(), &facts).map(drop)
}

#[test]
fn a_script_works_in_runs_like_an_operator() {
    let start = Command::Start { plan: Box::new(plan()), reason: "at night".to_owned(), values: BTreeMap::new() };
    let taken = Command::TakeOver { reason: "at night".to_owned() };

    assert!(decide(None, &start, &script(), &facts(Some(Role::Administrator))).is_ok());
    assert_eq!(tried(&Story::begun().run, &taken, None), Ok(()));
}

#[test]
fn a_script_of_a_lead_overrules_nobody_and_breaks_no_glass() {
    let story = Story::begun();
    let reason = || "at night".to_owned();
    let theirs = [
        Command::Abort { reason: reason() },
        Command::BreakGlass { request: 1, wanted: vec![(4, vec![1])], reason: reason() },
        Command::Grant { request: 1, retry: false, rollback: false, comment: String::new() },
        Command::Reject { request: 1, reason: reason() },
        Command::ReviewGlass { request: 1, comment: reason() },
        ask_redaction(1, 1, &[(0, 4)]),
        confirm_redaction(1),
        Command::RejectRedaction { number: 1, reason: reason() },
    ];

    for command in theirs {
        let told = tried(&story.run, &command, None);
        assert!(matches!(told, Err(Refusal::Forbidden(_))), "{command:?}: {told:?}");
    }
}

#[test]
fn a_script_of_a_lead_takes_a_lock_only_when_an_operator_could() {
    let story = Story::begun();
    let taken = decide(
        Some(&story.run),
        &Command::TakeOver { reason: "at night".to_owned() },
        &script(),
        &facts(Some(Role::Administrator)),
    );
    let story = story.with(taken.unwrap(), &script());
    let take = Command::TakeLock { reason: "at night".to_owned() };

    assert!(matches!(tried(&story.run, &take, Some(other(0))), Err(Refusal::LockAlive { .. })));
    assert_eq!(tried(&story.run, &take, Some(other(45))), Ok(()));
}

#[test]
fn what_a_script_has_done_its_person_has_done() {
    let story = Story::begun();
    let over = Command::TakeOver { reason: "at night".to_owned() };
    let events = decide(Some(&story.run), &over, &script(), &facts(Some(Role::Administrator))).unwrap();

    let story = story.with(events, &script());

    let signed_in = person("Lena", Role::Administrator);
    assert!(story.run.is_held_by(&signed_in), "she goes on where her script was");
    assert!(story.run.shapers.contains_key(signed_in.id().unwrap()));
    assert_eq!(script().name_and_token(), "Lena, by the token nightly report");
    assert_eq!(signed_in.name_and_token(), "Lena");
}

#[test]
fn an_account_that_is_disabled_has_no_scripts() {
    let facts = facts(None);
    let note = Command::AddNote { step: None, text: "at night".to_owned() };

    assert_eq!(decide(Some(&Story::begun().run), &note, &script(), &facts), Err(Refusal::Disabled));
}
