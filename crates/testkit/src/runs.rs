//! People, events and runs.

use std::collections::BTreeMap;

use domain::attempt::{AttemptResult, CommandEnd, Exit, FORMAT, Outcome};
use domain::plan::Plan;
use domain::policy::{Actor, Role};
use domain::run::{Entry, Event, Run, Who, fold};
use domain::{AttemptId, Digest, RunId, Timestamp};

/// The moment at which tests begin: Mon 23 Nov 2026, 21:58:04 UTC.
pub const NOW: Timestamp = Timestamp(1_795_471_084_000);

/// A person with a role, named after it.
pub fn actor(role: Role) -> Actor {
    person(role.word(), role)
}

/// A person with a name, which is also the id.
pub fn person(name: &str, role: Role) -> Actor {
    Actor::new(name.into(), name.to_owned(), role)
}

/// The same as the one who does something.
pub fn who(role: Role) -> Who {
    Who::Person(actor(role))
}

/// An event with its place in a run, by an operator, at [`NOW`].
pub fn entry(version: u64, event: Event) -> Entry {
    Entry { version, at: NOW, by: who(Role::Operator), event }
}

/// The event that begins a run.
pub fn start(plan: Plan, reason: &str) -> Event {
    Event::RunStarted { plan: Box::new(plan), reason: reason.to_owned(), values: BTreeMap::new() }
}

/// Run 1, just created by an operator.
///
/// # Panics
///
/// Never: a run begins with this event.
pub fn started(plan: Plan) -> Run {
    fold(RunId(1), [&entry(1, start(plan, "it does not answer"))]).expect("a run begins with this event")
}

/// A command's good end.
pub fn success() -> CommandEnd {
    CommandEnd { code: Some(0), statuses: vec![0], duration_ms: 40, outcome: Outcome::Success, explanation: None }
}

/// The last record of an attempt.
pub fn exit(id: AttemptId, result: AttemptResult) -> Exit {
    Exit {
        v: FORMAT,
        id,
        digest: Digest::of(b"work"),
        result,
        bytes: 0,
        dropped: 0,
        cut: None,
        output: Digest::of(b""),
        directory: None,
        at: NOW.0,
        duration_ms: 40,
        survivors: Vec::new(),
        held: Vec::new(),
        notes: Box::default(),
        masked: 0,
        exported: None,
    }
}

/// The events of an attempt that runs some commands of a step, all of them to a good end.
pub fn completed(id: AttemptId, commands: &[u32]) -> Vec<Event> {
    let AttemptId { step, attempt, .. } = id;
    let mut events = vec![Event::AttemptStarted {
        step,
        attempt,
        commands: commands.to_vec(),
        digest: Digest::of(b"work"),
        approval: None,
    }];
    for command in commands.iter().copied() {
        events.push(Event::CommandStarted { step, attempt, command, offset: 0, at: NOW });
        events.push(Event::CommandEnded { step, attempt, command, offset: 0, at: NOW, end: success() });
    }
    events.push(Event::AttemptEnded { step, attempt, exit: Box::new(exit(id, AttemptResult::Completed)) });
    events
}
