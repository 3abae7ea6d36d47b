//! What holds after every accepted command.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};

use crate::policy::Role;
use crate::run::{Attempt, AttemptEnding, Command, Covered, Event, Facts, Redaction, RedactionEnd, Request, Run};
use crate::{Digest, PersonId, Risk};

/// What is checked after every accepted command.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    intents: BTreeSet<(u32, u32)>,
}

impl Ledger {
    pub(super) fn check(
        &mut self,
        before: &Run,
        command: &Command,
        facts: &Facts,
        events: &[Event],
        after: &Run,
    ) -> TestCaseResult {
        let open = after.steps.iter().flat_map(|step| &step.attempts).filter(|attempt| attempt.end.is_none()).count();
        prop_assert!(open <= 1, "{open} attempts are open after {command:?}");
        prop_assert_eq!(open == 1, after.open_attempt().is_some());
        if before.end.is_some() && !matches!(command, Command::ReviewGlass { .. }) {
            let after_the_end = |event: &Event| {
                let covers = matches!(event.kind(), "redaction_asked" | "redaction_rejected" | "output_redacted");
                covers || matches!(event, Event::StopRequested { .. } | Event::SurvivorsEnded { .. })
            };
            prop_assert!(events.iter().all(after_the_end), "a closed run was changed by {command:?}");
            prop_assert_eq!(&after.end, &before.end);
        }
        for event in events {
            if let Event::AttemptStarted { step, attempt, commands, digest, approval } = event {
                self.intent(before, command, (*step, *attempt), commands, digest)?;
                Self::approved(before, (*step, commands), digest, *approval, facts)?;
                let worst = after
                    .plan
                    .step(*step)
                    .and_then(|plan| commands.iter().filter_map(|number| Some(plan.command(*number)?.risk)).max());
                let scratch = after.plan.step(*step).is_some_and(|plan| plan.scratch);
                let locks = worst >= Some(Risk::Disrupts) && !scratch;
                prop_assert!(!locks || after.holds_lock(), "it disrupts without the lock: {command:?}");
            }
            if let Event::OutputRedacted { number, ranges, old, .. } = event {
                let asked = before.redaction(*number).unwrap();
                prop_assert!(
                    asked.end.is_none() && (&asked.ranges, &asked.output) == (ranges, old),
                    "it was not asked"
                );
                let confirmed = after.redaction(*number).and_then(Redaction::covered);
                prop_assert!(facts.factor.is_some(), "nobody proved who they are");
                prop_assert!(
                    confirmed.is_some_and(|stamp| stamp.by.id() != asked.asked.by.id()),
                    "one person covered it"
                );
            }
            if let Event::RedactionRejected { number, factor, .. } = event {
                let own = before.redaction(*number).unwrap().asked.by.id() == who_ended(after, *number);
                prop_assert_eq!(own, factor.is_empty(), "a decision takes a factor, taking back none");
            }
            if let Event::LockTaken { from, .. } = event {
                prop_assert_eq!(*from, facts.lock.as_ref().map(|holder| holder.run));
                prop_assert!(facts.lock.as_ref().is_none_or(|holder| !holder.running), "a lock in use was taken");
            }
        }
        Ok(())
    }

    /// What destroys has the approval of enough leads who have shaped nothing of the run and are leads still; of exactly this
    /// work; not used before; and in time.
    fn approved(
        before: &Run,
        (step, commands): (u32, &[u32]),
        digest: &Digest,
        approval: Option<u32>,
        facts: &Facts,
    ) -> TestCaseResult {
        let plan = before.plan.step(step).unwrap();
        let destroys = commands.iter().any(|number| plan.command(*number).unwrap().risk == Risk::Destroys);
        if plan.scratch || !destroys {
            prop_assert_eq!(approval, None);
            return Ok(());
        }
        let Some(request) = approval.and_then(|number| before.request(number)) else {
            return Err(TestCaseError::fail("something that destroys was started without an approval"));
        };
        prop_assert_eq!(&request.end, &None);
        let approvers: BTreeSet<_> = request.approvers().collect();
        prop_assert!(request.glass.is_some() || approvers.len() >= request.leads as usize, "too few leads");
        for approver in approvers {
            prop_assert!(facts.standings.get(approver) >= Some(&Role::Lead), "{approver} is no lead any more");
            prop_assert!(!before.shapers.contains_key(approver), "{approver} has shaped the run");
        }
        let covered = request.covers.iter().find(|one| one.step == step && one.commands.ends_with(commands)).unwrap();
        let whole = covered.commands == commands;
        let last = last_of(before, request, covered);
        prop_assert!(!whole || last.is_some() || *digest == covered.digest(), "other work than was approved");
        // What goes on under an approval begins where its own last attempt has left the shell.
        let place = match last.and_then(|attempt| attempt.end.as_ref()).map(|end| &end.ending) {
            Some(AttemptEnding::Known(exit)) => exit.directory.clone().unwrap(),
            _ => covered.work.directory.clone(),
        };
        // What was asked for after the same had ended badly begins where that began, and was shown so.
        let here =
            if last.is_some() { before.directory_of(step).to_owned() } else { before.ground(step, commands).directory };
        prop_assert_eq!(&here, &place, "another directory than was approved");
        let uses = request.uses.iter().filter(|id| id.step == step).filter_map(|id| before.attempt(*id));
        let again: Vec<_> = uses.filter(|used| used.commands == commands && !used.ran_nothing()).collect();
        let allowed = usize::from(!covered.rollback && request.retry());
        let broken = request.glass.is_some() && again.iter().all(|used| used.is_bad());
        prop_assert!(broken || again.len() <= allowed, "an approval was used twice");
        if let Some(used) = last.filter(|last| last.is_bad() && last.commands == commands) {
            prop_assert_eq!(digest, &used.digest, "a retry of something else");
        }
        prop_assert!(
            !covered.rollback || (request.rollback() && before.failed_at(request).is_some()),
            "an unasked rollback"
        );
        let window = if covered.rollback { request.rollback_within_ms } else { request.start_within_ms };
        let left = before.steps.iter().flat_map(|state| {
            let attempts = state.attempts.iter().filter_map(|attempt| Some(attempt.end.as_ref()?.at));
            attempts
                .chain(state.skipped.as_ref().map(|skip| skip.stamp.at))
                .chain(state.done.as_ref().map(|done| done.at))
        });
        let from = left.chain(request.approved_at()).max().unwrap();
        prop_assert!(facts.now.since(from) <= window, "too late");
        Ok(())
    }

    fn intent(
        &mut self,
        before: &Run,
        command: &Command,
        number: (u32, u32),
        commands: &[u32],
        digest: &Digest,
    ) -> TestCaseResult {
        let fail = |why: &str| Err(TestCaseError::fail(format!("{why}: {command:?}")));
        let Command::RunCommands { confirmation, .. } = command else { return fail("nobody asked for this intent") };
        if !self.intents.insert(number) {
            return fail("a second intent with one number");
        }
        if before.open_attempt().is_some() {
            return fail("two attempts at once");
        }
        let (step, named) = (before.plan.step(number.0), confirmation.as_deref() == Some("local"));
        let Some(step) = step else { return fail("a step that is not there") };
        let chosen: Vec<_> = commands.iter().filter_map(|number| step.command(*number)).collect();
        if chosen.len() != commands.len() || chosen.is_empty() {
            return fail("commands that are not there");
        }
        let worst = chosen.iter().map(|command| command.risk).max().unwrap_or_default();
        if step.scratch && worst == Risk::Destroys && !named {
            return fail("the scratch folder was removed unasked");
        }
        if worst >= Risk::Disrupts && !step.scratch && !(named || before.target_confirmed) {
            return fail("a service of a production target was taken away unasked");
        }
        if !before.missing_values(number.0, commands).is_empty() {
            return fail("a value was missing");
        }
        let groups: BTreeSet<_> =
            chosen.iter().map(|command| command.choice.as_ref().map(|choice| choice.group)).collect();
        if groups.len() > 1 {
            return fail("alternatives in a row");
        }
        if digest.as_str().len() == 64 { Ok(()) } else { fail("no digest") }
    }
}

/// Who said no to a redaction, or took it back.
fn who_ended(run: &Run, number: u32) -> Option<&PersonId> {
    match run.redaction(number).and_then(|redaction| redaction.end.as_ref()) {
        Some(RedactionEnd::Rejected { stamp, .. }) => stamp.by.id(),
        _ => None,
    }
}

/// The last attempt under a request that ran something of a covered set.
fn last_of<'r>(run: &'r Run, request: &Request, covered: &Covered) -> Option<&'r Attempt> {
    let mut uses = request.uses.iter().filter(|id| id.step == covered.step).filter_map(|id| run.attempt(*id));
    uses.rfind(|attempt| !attempt.ran_nothing() && covered.commands.ends_with(&attempt.commands))
}
