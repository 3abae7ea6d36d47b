//! Any events, also such as no gate would let through.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{OUTCOMES, result};
use crate::attempt::Key;
use crate::check::{CheckEnd, CheckId};
use crate::redaction::ByteRange;
use crate::run::tests::stage::*;
use crate::run::{Because, Command, Event};
use crate::{Digest, RunId, Timestamp};

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
pub(super) fn any_event() -> impl Strategy<Value = Event> {
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
