//! Random histories: whatever is tried in whatever order, these sentences hold.
//!
//! `PORTAL_HISTORIES` says how many are played (300 unless it is set).

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestCaseResult};

use super::stage::*;
use crate::attempt::{AttemptResult, Condition, Key, Outcome};
use crate::check::{CheckEnd, CheckId};
use crate::plan::Plan;
use crate::policy::{Role, Verb};
use crate::redaction::ByteRange;
use crate::run::{
    Attempt, AttemptEnding, Because, Command, Covered, Entry, Event, Facts, Holder, Redaction, RedactionEnd, Request,
    Run, Verdict, Wanted, Who, decide, evolve, fold,
};
use crate::{Digest, PersonId, Risk, RunId, Timestamp};

fn config() -> Config {
    let cases = std::env::var("PORTAL_HISTORIES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(300);
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A production target, and one step that destroys and may be confirmed beside one that may not.
fn stage() -> Plan {
    let mut plan = plan();
    plan.target.production = true;
    // The rollback destroys, too.
    plan.steps[7].commands[0].risk = Risk::Destroys;
    plan.checks.push(http_check(1));
    plan.steps[0].after.push(http_check(1));
    plan.steps.push(step(9, "Scratch", vec![command("rm -rf scratch", Risk::Destroys), command("ls", Risk::Reads)]));
    if let Some(scratch) = plan.steps.last_mut() {
        scratch.scratch = true;
    }
    plan
}

/// One attempt to do something: which deed, and numbers that may or may not fit.
#[derive(Clone, Debug)]
struct Try {
    deed: u8,
    step: u32,
    command: u32,
    attempt: u32,
    choice: u8,
    standing: u8,
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = (0_u8..71, 0_u32..11, 0_u32..6, 0_u32..4, any::<u8>(), 0_u8..20);
    let one = one.prop_map(|(deed, step, command, attempt, choice, standing)| Try {
        deed,
        step,
        command,
        attempt,
        choice,
        standing,
    });
    prop::collection::vec(one, 1..120)
}

const OUTCOMES: [Outcome; 5] =
    [Outcome::Success, Outcome::Success, Outcome::Difference, Outcome::Failure, Outcome::Watched];

fn result(choice: u8, command: u32) -> AttemptResult {
    match choice % 6 {
        0 | 1 => AttemptResult::Completed,
        2 => AttemptResult::Failed { command },
        3 => AttemptResult::Stopped,
        4 => AttemptResult::ShellEnded { command, code: None },
        _ => AttemptResult::NotStarted { reason: "no shell".to_owned() },
    }
}

impl Try {
    /// The command: about half of them follow what the run offers or what its shim would do next, so that histories get deep.
    fn command(&self, run: &Run) -> Command {
        let Self { step, command, attempt, choice, .. } = *self;
        let open = run.open_attempt();
        let text = if choice % 7 == 0 { " " } else { "why" }.to_owned();
        let typed = ["local", "local", "elsewhere"][usize::from(choice % 3)].to_owned();
        match self.deed {
            0 => run_in(step, attempt, vec![command], Some(typed)),
            1 => run_in(step, attempt, vec![command, command + 1], Some(typed)),
            2..=10 | 34..=36 if open.is_none() => offered(run, step, choice).map_or_else(
                || run_in(step, attempt, vec![1], None),
                |commands| run_in(step, next_attempt(run, step), commands, Some(typed)),
            ),
            11 => Command::SetValue { name: ["branch", "other"][usize::from(choice % 2)].to_owned(), value: text },
            12 => Command::SkipCommand { step, command, reason: text },
            13 if choice % 3 == 0 => Command::SkipStep { step, reason: text },
            14 => Command::CompleteStep { step },
            15 | 33 => {
                let runs = open.and_then(|open| run.step(open.step)?.running());
                let (step, command) = (open.map_or(step, |open| open.step), runs.unwrap_or(command));
                let attempt = open.map_or(attempt, |open| open.attempt);
                Command::EndWatch { step, attempt, command }
            }
            16 => Command::Stop { step: open.map_or(step, |open| open.step), attempt },
            17 => Command::Tick { step: (choice % 2 == 0).then_some(step), item: command, note: text },
            18 => Command::Untick { step: (choice % 2 == 0).then_some(step), item: command },
            40 | 41 => Command::Tick { step: None, item: 1, note: text },
            42 | 43 => Command::Untick { step: None, item: 1 },
            19 => Command::AddNote { step: (choice % 2 == 0).then_some(step), text },
            20 if choice % 8 == 0 => {
                Command::Finish { verdict: Verdict::ALL[usize::from(choice / 8 % 4)], comment: text }
            }
            21 => begins(step, attempt, command),
            22 => ends(step, attempt, command, OUTCOMES[usize::from(choice % 5)]),
            23 => settle(step, attempt, result(choice, command)),
            24 => open.map_or_else(|| interrupt(step, attempt), |open| interrupt(open.step, open.attempt)),
            25 => Command::Start { plan: Box::new(stage()), reason: text, values: BTreeMap::new() },
            26 if choice % 16 == 0 => Command::Abort { reason: text },
            27 | 28 => Command::TakeOver { reason: text },
            29 => Command::TakeLock { reason: text },
            30 => Command::SetDirectory { path: ["/srv/a", "/srv/b", "here"][usize::from(choice % 3)].to_owned() },
            31 if choice % 4 == 0 => Command::AddStep { place: run.next_place(), step: Box::new(added("df -h", step)) },
            50..=53 => ask_for(run, choice),
            54..=57 => Command::Grant {
                request: last_request(run, choice),
                retry: choice % 2 == 0,
                rollback: choice % 3 != 0,
                comment: text,
            },
            58 if choice % 4 == 0 => Command::Reject { request: last_request(run, choice), reason: text },
            59 if choice % 4 == 0 => Command::CancelApproval { request: last_request(run, choice), reason: text },
            60 => Command::Expire { request: last_request(run, choice) },
            61 => Command::BreakGlass { request: run.next_request(), wanted: destroying(run, choice), reason: text },
            62 => Command::ReviewGlass { request: last_request(run, choice), comment: text },
            63..=66 if open.is_none() => destroying(run, choice).into_iter().next().map_or_else(
                || run_in(step, attempt, vec![1], None),
                |(step, commands)| run_in(step, next_attempt(run, step), commands, Some(typed)),
            ),
            67..=70 => check_deed(self.deed, run, choice),
            32 => lose_lock(),
            47 => redact(run, choice, step, attempt),
            48 | 49 => match last_redaction(run) {
                number if choice % 4 == 0 => Command::RejectRedaction { number, reason: text },
                number => confirm_redaction(number),
            },
            44..=46 => {
                let (step, attempt) = left_behind(run).unwrap_or((step, attempt));
                Command::EndSurvivors { step, attempt, left: Vec::new() }
            }
            37..=39 => {
                let open = open.map_or((step, attempt), |open| (open.step, open.attempt));
                let runs = run.step(open.0).and_then(crate::run::StepState::running).unwrap_or(command);
                if choice % 2 == 0 {
                    super::stage::typed(open.0, open.1, runs, &text)
                } else {
                    pressed(open.0, open.1, runs)
                }
            }
            _ => played(run, choice).unwrap_or_else(|| begins(step, attempt, command)),
        }
    }

    /// Now and then another run holds the lock: abandoned, alive, or at work.
    fn facts(&self, standing: Option<Role>, story: &Story) -> Facts {
        let lock = match self.standing % 4 {
            0 => Some(other(u64::from(self.choice) % 60)),
            1 if self.choice.is_multiple_of(5) => Some(Holder { running: true, ..other(45) }),
            _ => None,
        };
        let condition = Condition {
            command: self.command,
            waiting: self.choice.is_multiple_of(3),
            screen: self.choice % 3 == 1,
            ..Condition::default()
        };
        // Now and then somebody who approved is a lead no more, and a code is wrong.
        let approvers = story.run.requests.iter().flat_map(crate::run::Request::responsible).cloned();
        let standings =
            approvers.filter(|_| !self.choice.is_multiple_of(11)).map(|approver| (approver, Role::Lead)).collect();
        let factor = (!self.choice.is_multiple_of(9)).then(|| "code".to_owned());
        Facts { lock, condition, standings, factor, now: story.now, ..facts(standing) }
    }

    fn who(&self, command: &Command, run: &Run) -> (Who, Option<Role>) {
        let role = match self.standing {
            0 => return (person("Olga", Role::Operator), None),
            1 => return (Who::Portal, Some(Role::Administrator)),
            2 => Role::Viewer,
            3 => Role::Operator,
            4 => Role::Lead,
            5 => Role::Administrator,
            _ if command.verb() == Some(Verb::Approve) => {
                return (person(["Lena", "Lars"][usize::from(self.choice % 2)], Role::Lead), Some(Role::Lead));
            }
            _ if command.verb() == Some(Verb::Redact) => {
                return (person("Lena", Role::Administrator), Some(Role::Administrator));
            }
            _ if matches!(command, Command::BreakGlass { .. }) => return (run.holder.by.clone(), Some(Role::Lead)),
            // Most deeds come from the person who works in the run: anybody else gets nowhere.
            _ if command.verb().is_some() => return (run.holder.by.clone(), Some(Role::Operator)),
            _ => Role::Operator,
        };
        if command.verb().is_some() { (person(role.word(), role), Some(role)) } else { (Who::Portal, None) }
    }
}

fn is_among_the_holders(command: &Command) -> bool {
    !matches!(
        command,
        Command::Stop { .. }
            | Command::EndWatch { .. }
            | Command::Tick { .. }
            | Command::Untick { .. }
            | Command::StartChecks { .. }
            | Command::AddNote { .. }
            | Command::Escalate { .. }
            | Command::Grant { .. }
            | Command::Reject { .. }
            | Command::CancelApproval { .. }
            | Command::ReviewGlass { .. }
            | Command::AskRedaction { .. }
            | Command::ConfirmRedaction { .. }
            | Command::RejectRedaction { .. }
            | Command::TakeOver { .. }
            | Command::Abort { .. }
    )
}

fn run_in(step: u32, attempt: u32, commands: Vec<u32>, confirmation: Option<String>) -> Command {
    let outage = confirmation.clone();
    Command::RunCommands { step, attempt, commands, confirmation, outage }
}

fn offered(run: &Run, step: u32, choice: u8) -> Option<Vec<u32>> {
    let offers = run.offers(step);
    let index = usize::from(choice).checked_rem(offers.len())?;
    offers.into_iter().nth(index).map(|offer| offer.commands)
}

/// An attempt that has left processes behind.
fn left_behind(run: &Run) -> Option<(u32, u32)> {
    let attempts = (1..).zip(&run.steps).flat_map(|(step, state)| (1..).zip(&state.attempts).map(move |of| (step, of)));
    attempts.into_iter().find(|(_, (_, attempt))| attempt.left_something()).map(|(step, (number, _))| (step, number))
}

/// Asks for a redaction of an attempt that has ended, where there is one.
fn redact(run: &Run, choice: u8, step: u32, attempt: u32) -> Command {
    let attempts = (1..)
        .zip(&run.steps)
        .flat_map(|(step, state)| (1..).zip(&state.attempts).map(move |(number, it)| (step, number, it)));
    let ended = attempts.filter(|(.., attempt)| attempt.end.is_some()).nth(usize::from(choice % 3));
    let (step, attempt) = ended.map_or((step, attempt), |(step, attempt, _)| (step, attempt));
    ask_redaction(step, attempt, &[(u64::from(choice % 4), 4)])
}

/// Who said no to a redaction, or took it back.
fn who_ended(run: &Run, number: u32) -> Option<&PersonId> {
    match run.redaction(number).and_then(|redaction| redaction.end.as_ref()) {
        Some(RedactionEnd::Rejected { stamp, .. }) => stamp.by.id(),
        _ => None,
    }
}

fn last_redaction(run: &Run) -> u32 {
    u32::try_from(run.redactions.len()).unwrap()
}

/// Asks for a check, answers the last one, or overrules one; or tells somebody.
fn check_deed(deed: u8, run: &Run, choice: u8) -> Command {
    match deed {
        67 => checks(&[((choice.is_multiple_of(4)).then_some(1), 1)]),
        68 => {
            let end = if choice.is_multiple_of(3) { CheckEnd::yes("yes") } else { CheckEnd::no("no") };
            answered(run.next_check() - 1, end)
        }
        69 => overrule(1),
        _ => escalate(run.next_escalation()),
    }
}

/// What the two steps that destroy offer, one of them or both.
fn destroying(run: &Run, choice: u8) -> Vec<Wanted> {
    let steps = [&[4][..], &[8], &[4, 8], &[4]][usize::from(choice % 4)];
    steps.iter().filter_map(|step| Some((*step, offered(run, *step, choice)?))).collect()
}

fn ask_for(run: &Run, choice: u8) -> Command {
    let (request, wanted) = (run.next_request(), destroying(run, choice));
    Command::RequestApproval { request, wanted, reason: "why".to_owned(), evidence: Box::default() }
}

fn last_request(run: &Run, choice: u8) -> u32 {
    if choice.is_multiple_of(13) { u32::from(choice) } else { run.next_request() - 1 }
}

fn next_attempt(run: &Run, step: u32) -> u32 {
    run.step(step).map_or(1, |state| u32::try_from(state.attempts.len()).unwrap() + 1)
}

/// What the shim of the open attempt would say next.
fn played(run: &Run, choice: u8) -> Option<Command> {
    use crate::run::CommandState::{Running, Waiting};
    let open = run.open_attempt()?;
    let state = run.step(open.step)?;
    let commands = &run.attempt(open)?.commands;
    let in_state = |wanted: fn(&crate::run::CommandState) -> bool| {
        commands.iter().copied().find(|number| state.command(*number).is_some_and(wanted))
    };
    if let Some(command) = in_state(|state| matches!(state, Running { .. })) {
        return Some(ends(open.step, open.attempt, command, OUTCOMES[usize::from(choice % 5)]));
    }
    match in_state(|state| matches!(state, Waiting)) {
        Some(command) if !choice.is_multiple_of(8) => Some(begins(open.step, open.attempt, command)),
        waiting => Some(settle(open.step, open.attempt, result(choice, waiting.unwrap_or(1)))),
    }
}

/// What is checked after every accepted command.
#[derive(Debug, Default)]
struct Ledger {
    intents: BTreeSet<(u32, u32)>,
}

impl Ledger {
    fn check(
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
        let here = if last.is_some() { before.directory.clone() } else { before.ground(step, commands).directory };
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

/// The last attempt under a request that ran something of a covered set.
fn last_of<'r>(run: &'r Run, request: &Request, covered: &Covered) -> Option<&'r Attempt> {
    let mut uses = request.uses.iter().filter(|id| id.step == covered.step).filter_map(|id| run.attempt(*id));
    uses.rfind(|attempt| !attempt.ran_nothing() && covered.commands.ends_with(&attempt.commands))
}

fn play(tries: &[Try]) -> TestCaseResult {
    let mut story = Story::of(stage());
    let mut ledger = Ledger::default();
    for attempt in tries {
        let command = attempt.command(&story.run);
        let (who, standing) = attempt.who(&command, &story.run);
        let before = story.run.clone();
        story = story.waits(u64::from(attempt.choice % 4));
        let facts = attempt.facts(standing, &story);
        let Ok(events) = decide(Some(&before), &command, &who, &facts) else { continue };
        if command.verb().is_some() {
            prop_assert!(standing.is_some_and(|role| role >= Role::Operator), "{command:?} by {standing:?}");
        }
        story = story.with(events.clone(), &who);
        prop_assert!(
            before.is_held_by(&who) || command.verb().is_none() || !is_among_the_holders(&command),
            "{command:?} by {who:?}"
        );
        ledger.check(&before, &command, &facts, &events, &story.run)?;
        look(&story.run);
    }
    prop_assert_eq!(fold(RUN, &story.entries), Some(story.run));
    Ok(())
}

/// Everything that a page asks of a run.
fn look(run: &Run) {
    for step in 0..=12 {
        let _ = (run.status(step), run.missing_values(step, &[0, 1, 2, u32::MAX]));
        for offer in run.offers(step) {
            assert!(!offer.commands.is_empty() && offer.commands.is_sorted());
            assert!(run.work(step, &offer.commands, &Who::Portal).is_some());
        }
    }
    let _ = (run.current_step(), run.open_attempt());
    let _ = (run.unproven(NOW), run.unanswered_checks(NOW));
    let _ = (run.due_escalations(NOW), run.next_due(NOW), crate::run::hand_over(run, NOW));
    for request in &run.requests {
        let _ = (run.request_status(request, NOW), run.start_until(request), run.failed_at(request), request.same());
    }
}

/// The same for covering output: kinds 33 to 35.
fn redaction_event(kind: u8, (step, attempt, number): (u32, u32, u32), bytes: u64) -> Event {
    let (text, old, new) = ("x".to_owned(), output(), output());
    let ranges = vec![ByteRange { from: bytes, to: bytes }];
    match kind {
        33 => Event::RedactionAsked { step, attempt, ranges, reason: text, bytes, output: old },
        34 => Event::RedactionRejected { number, reason: text, factor: String::new() },
        _ => Event::OutputRedacted { number, step, attempt, ranges, bytes, old, new, factor: text },
    }
}

/// The same for checks: kinds 37 to 39.
fn check_event(kind: u8, (step, number): (Option<u32>, u32)) -> Event {
    match kind {
        37 => Event::CheckStarted { check: CheckId { step, number }, until: NOW },
        38 => Event::CheckEnded { number, end: CheckEnd::no("x") },
        _ => Event::CheckOverruled { number, reason: "x".to_owned() },
    }
}

/// The same for telling somebody: kind 40.
fn escalated(line: Option<u32>, step: u32) -> Event {
    Event::Escalated { line, to: to_keeper(), because: Because::Failed { step, attempt: step }, text: "x".to_owned() }
}

/// Any event with any numbers, also such as no gate would let through.
fn any_event() -> impl Strategy<Value = Event> {
    let number = || prop_oneof![4 => 0_u32..12, 1 => Just(u32::MAX)];
    (0_u8..41, number(), number(), number(), any::<u8>(), any::<u64>()).prop_map(
        |(kind, step, attempt, command, choice, offset)| {
            let (text, at) = ("x".to_owned(), Timestamp(i64::MAX));
            let some_step = (choice % 2 == 0).then_some(step);
            match kind {
                0 => Event::RunStarted { plan: Box::new(plan()), reason: text, values: BTreeMap::new() },
                1 => Event::ValueSet { name: text.clone(), value: text },
                2 => Event::TargetConfirmed,
                3..=4 => Event::AttemptStarted {
                    step,
                    attempt,
                    commands: vec![command, 1],
                    digest: Digest::of(b"work"),
                    approval: some_step,
                },
                5 => Event::CommandStarted { step, attempt, command, offset, at },
                6 => match ends(step, attempt, command, OUTCOMES[usize::from(choice % 5)]) {
                    Command::Note { mark: crate::attempt::Mark::Ended { end, .. }, .. } => {
                        Event::CommandEnded { step, attempt, command, offset, at, end }
                    }
                    _ => Event::TargetConfirmed,
                },
                7 => Event::WatchEnded { step, attempt, command },
                8 => Event::StopRequested { step, attempt },
                9 => match settle(step, attempt, result(choice, command)) {
                    Command::Settle { exit, .. } => Event::AttemptEnded { step, attempt, exit },
                    _ => Event::TargetConfirmed,
                },
                10 => {
                    let survivors = Vec::new();
                    Event::AttemptInterrupted { step, attempt, reason: text, bytes: offset, output: None, survivors }
                }
                11 => Event::CommandSkipped { step, command, reason: text },
                12 => Event::StepSkipped { step, reason: text },
                13 => Event::StepDone { step },
                14 => Event::ItemTicked { step: some_step, item: command, note: text },
                15 => Event::ItemUnticked { step: some_step, item: command },
                16 => Event::RunTakenOver { reason: text },
                17 => Event::LockTaken { target: text.clone(), from: some_step.map(|_| RunId(9)), reason: text },
                18 => Event::LockLost { target: text.clone(), to: RunId(9), by: text.clone(), reason: text },
                19 => Event::DirectorySet { path: text },
                20 => Event::StepAdded { step: Box::new(added("df -h", command)) },
                22 => Event::InputSent { step, attempt, command, key: (choice % 2 == 0).then_some(Key::Interrupt) },
                32 => Event::KeysTyped { step, attempt, command, bytes: attempt },
                21 => Event::AbortRequested { reason: text },
                24 => Event::ApprovalGranted {
                    request: step,
                    retry: choice % 2 == 0,
                    rollback: choice % 3 == 0,
                    comment: text.clone(),
                    factor: text,
                },
                25 => Event::ApprovalRejected { request: step, reason: text, factor: String::new() },
                26 => Event::ApprovalCancelled { request: step, reason: text },
                27 => Event::ApprovalExpired { request: step },
                28 => Event::GlassReviewed { request: step, comment: text },
                29 => Event::OutageAccepted { step, reason: text },
                30 | 31 => Event::GlassBroken {
                    covers: Vec::new(),
                    reason: text.clone(),
                    factor: text,
                    rules: Digest::of(b"rules"),
                    start_within_ms: offset,
                },
                23 => Event::SurvivorsEnded { step, attempt, left: vec![text] },
                33..=35 => redaction_event(kind, (step, attempt, command), offset),
                37..=39 => check_event(kind, (some_step, command)),
                40 => escalated(some_step, step),
                _ => Event::NoteAdded { step: some_step, text },
            }
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_is_tried_the_rules_hold(tries in tries()) {
        play(&tries)?;
    }

    #[test]
    fn a_run_can_be_read_whatever_its_events_say(events in prop::collection::vec(any_event(), 0..40)) {
        let mut run = Some(Story::begun().run);
        for (version, event) in (2..).zip(events) {
            let json = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event.clone());
            run = evolve(RunId(1), run, &Entry { version, at: NOW, by: Who::Portal, event });
            look(run.as_ref().unwrap());
        }
    }
}

#[test]
fn the_random_histories_are_deep_enough_to_mean_something() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    let mut attempts = 0;

    for _ in 0..400 {
        let tries = tries().new_tree(&mut runner).unwrap().current();
        let mut story = Story::of(stage());
        for attempt in &tries {
            let command = attempt.command(&story.run);
            let (who, standing) = attempt.who(&command, &story.run);
            story = story.waits(u64::from(attempt.choice % 4));
            if let Ok(events) = decide(Some(&story.run), &command, &who, &attempt.facts(standing, &story)) {
                story = story.with(events, &who);
            }
        }
        kinds.extend(story.entries.iter().map(|entry| entry.event.kind()));
        attempts += story.run.steps.iter().map(|step| step.attempts.len()).sum::<usize>();
    }

    assert_eq!(kinds.len(), 41, "every kind of event occurs but that of a changed secret: {kinds:?}");
    assert!(attempts > 500, "{attempts} attempts in 400 histories");
}
