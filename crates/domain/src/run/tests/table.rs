//! Every state, every command, every role.

use std::collections::BTreeMap;

use super::stage::*;
use crate::attempt::{AttemptResult, Outcome};
use crate::check::CheckEnd;
use crate::policy::{Role, Verb, allows};
use crate::run::{Command, Refusal, Run, Verdict, Who, decide};

const STATES: [&str; 8] = ["no run", "fresh", "running", "watching", "failed", "over", "closed", "unreadable"];

fn states() -> [Option<Run>; 8] {
    let fresh = Story::begun().sets("branch", "main");
    let running = fresh.clone().runs(1, &[1, 2]).begins(1);
    let watching = fresh.clone().runs(6, &[1, 2]).begins(1);
    let failed = fresh.clone().runs(1, &[1, 2]).ends(1, Outcome::Failure).settles(AttemptResult::Failed { command: 1 });
    let over = (1..=8).fold(fresh.clone(), Story::skips);
    let closed = fresh.clone().does(finish());
    let unreadable = Run { unreadable: Some("its event 3 is unknown".to_owned()), ..fresh.run.clone() };
    [
        None,
        Some(fresh.run),
        Some(running.run),
        Some(watching.run),
        Some(failed.run),
        Some(over.run),
        Some(closed.run),
        Some(unreadable),
    ]
}

fn finish() -> Command {
    Command::Finish { verdict: Verdict::Reached, comment: String::new() }
}

/// Each command, and what comes of it in each state: events (`ok`), none (`-`), or a refusal by name.
fn table() -> Vec<(Command, [&'static str; 8])> {
    let reason = || "why".to_owned();
    let inside = |expected: [&'static str; 5]| {
        let [fresh, running, watching, failed, over] = expected;
        ["NoRun", fresh, running, watching, failed, over, "Finished", "ReadOnly"]
    };
    let reported = |running: &'static str| ["NoRun", "-", running, "-", "-", "-", "-", "-"];
    let stopped = |running: &'static str| {
        let not = "NotRunning";
        ["NoRun", not, running, not, not, not, "Finished", not]
    };
    let start = Command::Start { plan: Box::new(plan()), reason: String::new(), values: BTreeMap::new() };
    let set = Command::SetValue { name: "branch".to_owned(), value: "next".to_owned() };
    let mut created = ["Exists"; 8];
    created[0] = "ok";
    vec![
        (start, created),
        (set, inside(["ok", "ok", "ok", "ok", "ok"])),
        (run(1, 1, &[1]), inside(["ok", "Started", "Busy", "Started", "Over"])),
        (run(1, 2, &[1]), inside(["Nothing", "Busy", "Nothing", "ok", "Nothing"])),
        (Command::SkipCommand { step: 1, command: 1, reason: reason() }, inside(["ok", "Busy", "Busy", "ok", "Over"])),
        (Command::SkipStep { step: 1, reason: reason() }, inside(["ok", "Busy", "ok", "ok", "Over"])),
        (Command::SkipStep { step: 2, reason: reason() }, inside(["ok", "ok", "ok", "ok", "Over"])),
        (Command::CompleteStep { step: 5 }, inside(["ok", "ok", "ok", "ok", "Over"])),
        (Command::CompleteStep { step: 1 }, inside(["Together", "Together", "Together", "Together", "Together"])),
        (
            Command::EndWatch { step: 6, attempt: 1, command: 1 },
            inside(["NotRunning", "NotRunning", "ok", "NotRunning", "NotRunning"]),
        ),
        (Command::EndWatch { step: 6, attempt: 1, command: 2 }, inside(["NotRunning"; 5])),
        (Command::EndWatch { step: 1, attempt: 1, command: 1 }, inside(["NotRunning"; 5])),
        (Command::Stop { step: 1, attempt: 1 }, stopped("ok")),
        (Command::Stop { step: 1, attempt: 2 }, stopped("NotRunning")),
        (Command::Tick { step: Some(5), item: 1, note: String::new() }, inside(["ok"; 5])),
        (Command::Tick { step: None, item: 1, note: String::new() }, inside(["ok"; 5])),
        (Command::Untick { step: Some(5), item: 2 }, inside(["Over"; 5])),
        (checks(&[(None, 1)]), inside(["Nothing"; 5])),
        (overrule(1), inside(["Nothing"; 5])),
        (Command::EndCheck { number: 1, end: CheckEnd::yes("It answers.") }, reported("-")),
        (Command::AddNote { step: Some(2), text: reason() }, inside(["ok"; 5])),
        (escalate(1), inside(["ok"; 5])),
        (escalate(2), inside(["CalledMeanwhile"; 5])),
        (Command::EscalateDue { line: 1, to: to_keeper(), text: reason() }, reported("-")),
        (finish(), inside(["ok", "Busy", "Busy", "ok", "ok"])),
        (Command::Abort { reason: reason() }, inside(["ok"; 5])),
        (Command::TakeOver { reason: reason() }, inside(["Over", "Busy", "Busy", "Over", "Over"])),
        (Command::TakeLock { reason: reason() }, inside(["LockFree"; 5])),
        (Command::SetDirectory { path: "/srv/other".to_owned() }, inside(["ok", "Busy", "Busy", "ok", "ok"])),
        (adds(added("df -h", 1)), inside(["ok"; 5])),
        (adds(added("df -h", 40)), inside(["Nothing"; 5])),
        (typed(1, 1, 1, "yes"), inside(["NotRunning", "NotWaiting", "NotRunning", "NotRunning", "NotRunning"])),
        (pressed(6, 1, 1), inside(["NotRunning", "NotRunning", "NoScreen", "NotRunning", "NotRunning"])),
        (keys(1, 1, 1, "x"), inside(["NotRunning", "NoKeyboard", "NotRunning", "NotRunning", "NotRunning"])),
        (ask(1, &[(4, &[1])]), inside(["ok"; 5])),
        (ask(2, &[(4, &[1])]), inside(["Over"; 5])),
        (Command::Grant { request: 1, retry: false, rollback: false, comment: String::new() }, inside(["Nothing"; 5])),
        (Command::Reject { request: 1, reason: reason() }, inside(["Nothing"; 5])),
        (Command::CancelApproval { request: 1, reason: reason() }, inside(["Nothing"; 5])),
        (Command::BreakGlass { request: 1, wanted: vec![(4, vec![1])], reason: reason() }, inside(["NoGlass"; 5])),
        (Command::ReviewGlass { request: 1, comment: reason() }, review()),
        (
            ask_redaction(1, 1, &[(0, 4)]),
            ["NoRun", "Nothing", "NotEnded", "Nothing", "ok", "Nothing", "Nothing", "ReadOnly"],
        ),
        (confirm_redaction(1), review()),
        (Command::RejectRedaction { number: 1, reason: reason() }, review()),
        (Command::Expire { request: 1 }, reported("-")),
        (lose_lock(), ["NoRun", "-", "-", "-", "-", "-", "-", "ok"]),
        (begins(1, 1, 2), reported("ok")),
        (ends(1, 1, 1, Outcome::Success), reported("ok")),
        (settle(1, 1, AttemptResult::Completed), reported("ok")),
        (interrupt(1, 1), reported("ok")),
        (Command::EndSurvivors { step: 1, attempt: 1, left: Vec::new() }, reported("-")),
    ]
}

/// A glass can be reviewed and a redaction decided after the end of its run; in these runs there is none.
fn review() -> [&'static str; 8] {
    let mut expected = ["Nothing"; 8];
    (expected[0], expected[7]) = ("NoRun", "ReadOnly");
    expected
}

/// A refusal's name; the compiler asks for a new one here.
fn name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Forbidden(_) => "Forbidden",
        Refusal::Disabled => "Disabled",
        Refusal::ByItself => "ByItself",
        Refusal::NoRun => "NoRun",
        Refusal::Exists => "Exists",
        Refusal::ReadOnly(_) => "ReadOnly",
        Refusal::Finished { .. } => "Finished",
        Refusal::Busy { .. } => "Busy",
        Refusal::Started { .. } => "Started",
        Refusal::Nothing(_) => "Nothing",
        Refusal::Together(_) => "Together",
        Refusal::Missing(_) => "Missing",
        Refusal::Undeclared(_) => "Undeclared",
        Refusal::Blocked(_) => "Blocked",
        Refusal::Misfit { .. } => "Misfit",
        Refusal::TooMuch(_) => "TooMuch",
        Refusal::Secret { .. } => "Secret",
        Refusal::NeedsApproval { .. } => "NeedsApproval",
        Refusal::Undecided { .. } => "Undecided",
        Refusal::Decided { .. } => "Decided",
        Refusal::TooLate(_) => "TooLate",
        Refusal::Spent => "Spent",
        Refusal::Whole => "Whole",
        Refusal::NoRollback => "NoRollback",
        Refusal::NothingFailed => "NothingFailed",
        Refusal::MoreLeads(_) => "MoreLeads",
        Refusal::Void(_) => "Void",
        Refusal::Unseen { .. } => "Unseen",
        Refusal::Shaped(_) => "Shaped",
        Refusal::NoFactor => "NoFactor",
        Refusal::NoNeed(_) => "NoNeed",
        Refusal::Asked(_) => "Asked",
        Refusal::Outage { .. } => "Outage",
        Refusal::NoGlass => "NoGlass",
        Refusal::Unreviewed(_) => "Unreviewed",
        Refusal::OwnGlass => "OwnGlass",
        Refusal::NeedsConfirmation { .. } => "NeedsConfirmation",
        Refusal::NoReason => "NoReason",
        Refusal::TooLong(_) => "TooLong",
        Refusal::NotRunning => "NotRunning",
        Refusal::Over => "Over",
        Refusal::Theirs { .. } => "Theirs",
        Refusal::Locked(_) => "Locked",
        Refusal::LockInUse(_) => "LockInUse",
        Refusal::LockAlive { .. } => "LockAlive",
        Refusal::LockFree(_) => "LockFree",
        Refusal::NotWaiting => "NotWaiting",
        Refusal::NoScreen => "NoScreen",
        Refusal::NoKeyboard => "NoKeyboard",
        Refusal::Keys(_) => "Keys",
        Refusal::NoPlace(_) => "NoPlace",
        Refusal::NotEnded => "NotEnded",
        Refusal::RedactionWaits { .. } => "RedactionWaits",
        Refusal::RedactionOver { .. } => "RedactionOver",
        Refusal::OwnRedaction => "OwnRedaction",
        Refusal::OutputChanged => "OutputChanged",
        Refusal::Unproven(_) => "Unproven",
        Refusal::BeingChecked(_) => "BeingChecked",
        Refusal::Checking => "Checking",
        Refusal::CheckFirst(_) => "CheckFirst",
        Refusal::CalledMeanwhile(_) => "CalledMeanwhile",
        Refusal::CalledOften { .. } => "CalledOften",
    }
}

fn outcome(run: Option<&Run>, command: &Command, who: &Who, standing: Option<Role>) -> &'static str {
    match decide(run, command, who, &facts(standing)) {
        Ok(events) if events.is_empty() => "-",
        Ok(_) => "ok",
        Err(refusal) => name(&refusal),
    }
}

#[test]
fn what_may_happen_is_exactly_what_the_table_says() {
    let states = states();

    for (command, expected) in table() {
        let (who, standing) = match command.verb() {
            Some(Verb::Approve) => (person("Olga", Role::Lead), Some(Role::Lead)),
            Some(Verb::Redact) => (person("Olga", Role::Administrator), Some(Role::Administrator)),
            Some(_) => (person("Olga", Role::Operator), Some(Role::Operator)),
            None => (Who::Portal, None),
        };
        for ((state, name), expected) in states.iter().zip(STATES).zip(expected) {
            assert_eq!(outcome(state.as_ref(), &command, &who, standing), expected, "{name}: {command:?}");
        }
    }
}

#[test]
fn in_every_state_the_role_alone_says_who_may_ask() {
    for (command, expected) in table() {
        for (state, expected) in states().iter().zip(expected) {
            for role in Role::ALL {
                let by_role = match (command.verb(), role) {
                    (None, _) => "Disabled",
                    (Some(verb), role) if !allows(role, verb) => "Forbidden",
                    // The rules about approvals say who may do that, too.
                    (Some(_), Role::Lead | Role::Administrator) if expected == "NoGlass" => "NoFactor",
                    (Some(_), _) => expected,
                };
                // What counts is the standing of the account now, not the role that a page was made for.
                let who = person("Olga", Role::Administrator);
                assert_eq!(outcome(state.as_ref(), &command, &who, Some(role)), by_role, "{role}: {command:?}");
            }
        }
    }
}

#[test]
fn in_no_state_a_disabled_account_or_the_portal_itself_does_a_persons_deed() {
    for (command, _) in table().into_iter().filter(|(command, _)| command.verb().is_some()) {
        for state in states() {
            let olga = person("Olga", Role::Administrator);
            assert_eq!(outcome(state.as_ref(), &command, &olga, None), "Disabled", "{command:?}");
            let machine = outcome(state.as_ref(), &command, &Who::Portal, Some(Role::Administrator));
            assert_eq!(machine, "Disabled", "{command:?}");
        }
    }
}
