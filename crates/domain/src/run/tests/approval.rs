//! What destroys starts only as it was approved, by who may approve it, once, and in time.

#![expect(clippy::needless_pass_by_value, reason = "a story reads better when its deeds are written in place")]

mod again;
mod asking;
mod deciding;
mod voiding;
mod without;

use super::stage::*;
use crate::Risk;
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{Command, Event, Facts, Refusal, RequestEnd, RequestStatus, Verdict, Who, decide};
use crate::runbook::PartKind;

const LENA: &str = "Lena";

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
fn a_clock_that_has_run_out_is_not_wound_up_by_the_step_before() {
    let late = approved().waits(16).runs(3, &[1]).ends(1, Outcome::Success).ends_in_place(AttemptResult::Completed);

    assert_eq!(late.status(1), RequestStatus::Expired);
    assert!(matches!(late.refuses(clear()), Refusal::TooLate(_)));
    let recorded = late.hears(Command::Expire { request: 1 });
    assert!(matches!(recorded.run.requests[0].end, Some(RequestEnd::Expired { .. })));
}

#[test]
fn closing_a_run_ends_what_it_has_asked_for() {
    let closed = approved().does(Command::Finish { verdict: Verdict::Aborted, comment: "no more".to_owned() });

    assert!(
        matches!(&closed.run.requests[0].end, Some(RequestEnd::Void { why, .. }) if why[0].what == "the run was closed")
    );
    assert!(matches!(closed.entries.last().unwrap().event, Event::RunFinished { .. }), "nothing comes after the end");
}
