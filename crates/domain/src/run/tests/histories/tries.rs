//! What is tried: any command with numbers that may or may not fit, by anybody, at any moment.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{OUTCOMES, result, stage};
use crate::attempt::Condition;
use crate::check::CheckEnd;
use crate::policy::{Role, Verb};
use crate::run::tests::stage::*;
use crate::run::{Command, Facts, Holder, Run, Verdict, Wanted, Who};

/// One attempt to do something: which deed, and numbers that may or may not fit.
#[derive(Clone, Debug)]
pub(super) struct Try {
    deed: u8,
    step: u32,
    command: u32,
    attempt: u32,
    pub(super) choice: u8,
    standing: u8,
}

pub(super) fn tries() -> impl Strategy<Value = Vec<Try>> {
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

impl Try {
    /// The command: about half of them follow what the run offers or what its shim would do next, so that histories get deep.
    pub(super) fn command(&self, run: &Run) -> Command {
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
                    crate::run::tests::stage::typed(open.0, open.1, runs, &text)
                } else {
                    pressed(open.0, open.1, runs)
                }
            }
            _ => played(run, choice).unwrap_or_else(|| begins(step, attempt, command)),
        }
    }

    /// Now and then another run holds the lock: abandoned, alive, or at work.
    pub(super) fn facts(&self, standing: Option<Role>, story: &Story) -> Facts {
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
        Facts { lock, condition, standings, factor, now: story.now, clock: story.now, ..facts(standing) }
    }

    pub(super) fn who(&self, command: &Command, run: &Run) -> (Who, Option<Role>) {
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
