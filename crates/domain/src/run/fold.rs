//! How events become state. Nothing else changes a run.

use std::collections::BTreeMap;

use super::away::{self, Effect};
use super::event::{Entry, Event, Who};
use super::state::{
    Attempt, AttemptEnd, AttemptEnding, Change, ChangeKind, CommandState, End, Ground, Lock, Note, RestEnd, Run, Skip,
    Stamp, StepState, Tick, ValueSet, ticks,
};
use crate::attempt::{Carried, CommandRange, Outcome};
use crate::plan::{Plan, PlanStep};
use crate::{AttemptId, Digest, RunId, Timestamp};

/// The run after all of its entries; `None` without any.
pub fn fold<'a>(id: RunId, entries: impl IntoIterator<Item = &'a Entry>) -> Option<Run> {
    entries.into_iter().fold(None, |run, entry| evolve(id, run, entry))
}

/// The run after one more entry. An entry that does not fit changes nothing but the version.
pub fn evolve(id: RunId, run: Option<Run>, entry: &Entry) -> Option<Run> {
    let stamp = Stamp { by: entry.by.clone(), at: entry.at };
    let Some(mut run) = run else {
        return match &entry.event {
            Event::RunStarted { plan, reason, values } => {
                let mut run = Run::begin(id, plan, reason, values, stamp.clone(), entry.version);
                run.note_shaping(&entry.event, &stamp);
                Some(run)
            }
            _ => None,
        };
    };
    run.version = entry.version;
    run.touched = entry.at;
    run.note_shaping(&entry.event, &stamp);
    run.apply(&entry.event, stamp);
    Some(run)
}

/// The run as it would be after one more event that was not recorded yet.
pub(super) fn evolve_event(run: Run, event: &Event, by: &Who, at: Timestamp) -> Run {
    let entry = Entry { version: run.version + 1, at, by: by.clone(), event: event.clone() };
    let id = run.id;
    evolve(id, Some(run.clone()), &entry).unwrap_or(run)
}

impl Run {
    fn begin(
        id: RunId,
        plan: &Plan,
        reason: &str,
        values: &BTreeMap<String, String>,
        started: Stamp,
        version: u64,
    ) -> Self {
        Self {
            id,
            version,
            plan: plan.clone(),
            holder: started.clone(),
            touched: started.at,
            started,
            reason: reason.to_owned(),
            values: values.clone(),
            values_set: Vec::new(),
            directory: plan.directory.clone(),
            secrets: plan.secrets.clone(),
            carried: None,
            target_confirmed: false,
            steps: plan.steps.iter().map(StepState::begin).collect(),
            outcome: vec![None; ticks(&plan.outcome).len()],
            notes: Vec::new(),
            lock: None,
            abort: None,
            away: Vec::new(),
            changes: Vec::new(),
            requests: Vec::new(),
            shapers: BTreeMap::new(),
            outage: None,
            checks: Vec::new(),
            redactions: Vec::new(),
            escalations: Vec::new(),
            end: None,
            unreadable: None,
        }
    }

    fn apply(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::RunStarted { .. } => {}
            Event::ValueSet { name, value } => {
                self.values.insert(name.clone(), value.clone());
                self.values_set.push(ValueSet { name: name.clone(), value: value.clone(), stamp });
            }
            Event::SecretChanged { name, version } => {
                self.secrets.insert(name.clone(), version.clone());
                self.change(stamp, ChangeKind::SecretChanged { name: name.clone() });
            }
            Event::TargetConfirmed => self.target_confirmed = true,
            Event::ItemTicked { step, item, note } => {
                self.set_tick(*step, *item, Some(Tick { note: note.clone(), stamp }));
            }
            Event::ItemUnticked { step, item } => self.set_tick(*step, *item, None),
            Event::CheckStarted { .. } | Event::CheckEnded { .. } | Event::CheckOverruled { .. } => {
                self.note_check(event, stamp);
            }
            Event::Escalated { .. } => self.note_escalation(event, stamp),
            Event::NoteAdded { step, text } => self.notes.push(Note { step: *step, text: text.clone(), stamp }),
            Event::RunTakenOver { reason } => {
                self.holder = stamp.clone();
                self.change(stamp, ChangeKind::TakenOver { reason: reason.clone() });
            }
            Event::LockTaken { from, reason, .. } => {
                self.lock = Some(Lock::Held { since: stamp.at });
                self.change(stamp, ChangeKind::LockTaken { from: *from, reason: reason.clone() });
            }
            Event::LockLost { to, by, reason, .. } => {
                self.lock = Some(Lock::Lost { to: *to });
                self.change(stamp, ChangeKind::LockLost { to: *to, by: by.clone(), reason: reason.clone() });
            }
            Event::DirectorySet { path } => {
                let step = self.set_directory(path);
                self.change(stamp, ChangeKind::DirectorySet { path: path.clone(), step });
            }
            Event::StepAdded { step } => self.add_step(step, stamp),
            Event::InputSent { step, command, key, .. } => {
                self.change(stamp, ChangeKind::InputSent { step: *step, command: *command, key: *key });
            }
            Event::KeysTyped { step, attempt, command, bytes } => {
                self.note_keys((*step, *attempt, *command), *bytes, stamp);
            }
            Event::AbortRequested { reason } => {
                self.abort = Some(reason.clone());
                self.change(stamp, ChangeKind::AbortAsked { reason: reason.clone() });
            }
            Event::ApprovalRequested { .. }
            | Event::GlassBroken { .. }
            | Event::ApprovalGranted { .. }
            | Event::ApprovalRejected { .. }
            | Event::ApprovalCancelled { .. }
            | Event::ApprovalExpired { .. }
            | Event::ApprovalVoided { .. }
            | Event::GlassReviewed { .. } => self.note_request(event, stamp),
            Event::RedactionAsked { .. } | Event::RedactionRejected { .. } | Event::OutputRedacted { .. } => {
                self.note_redaction(event, stamp);
            }
            Event::OutageAccepted { reason, .. } => self.outage = Some((stamp, reason.clone())),
            Event::RunFinished { verdict, comment } => {
                self.end = Some(End { verdict: *verdict, comment: comment.clone(), stamp });
            }
            Event::AttemptStarted { step, .. }
            | Event::CommandStarted { step, .. }
            | Event::CommandEnded { step, .. }
            | Event::WatchEnded { step, .. }
            | Event::StopRequested { step, .. }
            | Event::AttemptEnded { step, .. }
            | Event::AttemptInterrupted { step, .. }
            | Event::SurvivorsEnded { step, .. }
            | Event::CommandSkipped { step, .. }
            | Event::StepSkipped { step, .. }
            | Event::StepDone { step } => self.apply_to_step(*step, event, stamp),
        }
    }

    fn apply_to_step(&mut self, step: u32, event: &Event, stamp: Stamp) {
        self.age_checks(event);
        if let Event::AttemptEnded { exit, .. } = event {
            if let Some(directory) = &exit.directory {
                self.move_to(step, directory);
            }
            if let Some(exported) = &exit.exported {
                self.carried = Carried::of(exit.id, exported);
            }
        }
        let (began, ground) = (self.begin_of(event), self.ground_of(event));
        if let Some(state) = self.step_mut(step) {
            state.apply(event, stamp);
            if let Some((attempt, ground)) = state.attempts.last_mut().zip(ground.clone()) {
                attempt.began = ground;
            }
        }
        if let Some(ground) = ground {
            self.move_to(step, &ground.directory);
            self.carried = ground.carried;
        }
        if let Event::CommandEnded { command, at, .. } = event {
            self.note_effect(step, *command, began, *at);
        }
        if let Event::AttemptStarted { attempt, commands, approval, .. } = event {
            self.note_values(step, commands);
            self.note_use(*approval, AttemptId { run: self.id, step, attempt: *attempt });
        }
    }

    /// Where an attempt begins that an event starts.
    fn ground_of(&self, event: &Event) -> Option<Ground> {
        let Event::AttemptStarted { step, commands, .. } = event else { return None };
        Some(self.ground(*step, commands))
    }

    /// The shell of a step is in a directory. A step with a directory of its own moves nothing but itself.
    fn move_to(&mut self, step: u32, directory: &str) {
        if let Some(own) = self.step_mut(step).and_then(|state| state.directory.as_mut()) {
            directory.clone_into(own);
        } else {
            directory.clone_into(&mut self.directory);
        }
    }

    /// What a person sets is for the step that comes next, when that has a directory of its own: what comes after it has not been
    /// moved by that step, and is not moved by a correction of it. Gives that step.
    fn set_directory(&mut self, path: &str) -> Option<u32> {
        let apart = self.apart();
        match apart {
            Some(step) => self.move_to(step, path),
            None => path.clone_into(&mut self.directory),
        }
        apart
    }

    fn change(&mut self, stamp: Stamp, kind: ChangeKind) {
        self.changes.push(Change { stamp, kind });
    }

    /// Keys that one person types one after the other are one thing that happened.
    fn note_keys(&mut self, place: (u32, u32, u32), more: u32, stamp: Stamp) {
        if let Some(Change { stamp: begun, kind }) = self.changes.last_mut()
            && let ChangeKind::KeysTyped { step, attempt, command, bytes, batches, until } = kind
            && (begun.by == stamp.by && (*step, *attempt, *command) == place)
        {
            *bytes = bytes.saturating_add(more.into());
            *batches = batches.saturating_add(1);
            *until = stamp.at;
            return;
        }
        let ((step, attempt, command), until) = (place, stamp.at);
        self.change(stamp, ChangeKind::KeysTyped { step, attempt, command, bytes: more.into(), batches: 1, until });
    }

    fn add_step(&mut self, step: &PlanStep, stamp: Stamp) {
        self.steps.push(StepState::begin(step));
        self.plan.steps.push(step.clone());
        let place = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.change(stamp, ChangeKind::StepAdded { step: place });
    }

    /// When the command began that an event ends; its end's moment when nobody knows.
    fn begin_of(&self, event: &Event) -> Timestamp {
        let Event::CommandEnded { step, command, at, .. } = event else { return Timestamp::default() };
        match self.step(*step).and_then(|state| state.command(*command)) {
            Some(CommandState::Running { since, .. }) => *since,
            _ => *at,
        }
    }

    /// Continues the downtime clock.
    fn note_effect(&mut self, step: u32, command: u32, began: Timestamp, ended: Timestamp) {
        let effect = self.plan.step(step).and_then(|plan| Effect::of(plan.command(command)?));
        let outcome = self.step(step).and_then(|state| state.command(command)?.outcome());
        if let (Some(effect), Some(Outcome::Success)) = (effect, outcome) {
            away::note(&mut self.away, effect, began, ended);
        }
    }

    /// Keeps the values of an attempt that was just started: what is set later does not change what it did.
    fn note_values(&mut self, step: u32, commands: &[u32]) {
        let values = self.values_of(step, commands);
        if let Some(attempt) = self.step_mut(step).and_then(|state| state.attempts.last_mut()) {
            attempt.values = values;
        }
    }

    fn set_tick(&mut self, step: Option<u32>, item: u32, tick: Option<Tick>) {
        let list = match step {
            None => Some(&mut self.outcome),
            Some(step) => self.step_mut(step).map(|state| &mut state.ticks),
        };
        if let Some(place) = list.and_then(|list| at_mut(list, item)) {
            *place = tick;
        }
    }

    /// The output of an attempt is another one now.
    pub(super) fn set_output(&mut self, step: u32, attempt: u32, output: &Digest) {
        let found = self.step_mut(step).and_then(|state| at_mut(&mut state.attempts, attempt));
        if let Some(end) = found.and_then(|attempt| attempt.end.as_mut()) {
            end.output = Some(output.clone());
        }
    }

    fn step_mut(&mut self, step: u32) -> Option<&mut StepState> {
        at_mut(&mut self.steps, step)
    }
}

impl StepState {
    fn begin(plan: &PlanStep) -> Self {
        Self {
            commands: vec![CommandState::Waiting; plan.commands.len()],
            ticks: vec![None; ticks(plan.items()).len()],
            directory: plan.directory.clone(),
            ..Self::default()
        }
    }

    fn apply(&mut self, event: &Event, stamp: Stamp) {
        match event {
            Event::AttemptStarted { commands, digest, .. } => {
                for number in commands {
                    self.set_command(*number, CommandState::Waiting);
                }
                self.attempts.push(Attempt {
                    commands: commands.clone(),
                    digest: digest.clone(),
                    started: stamp,
                    began: Ground::default(),
                    values: BTreeMap::new(),
                    watches_ended: Vec::new(),
                    stop: None,
                    end: None,
                    rest_asked: Vec::new(),
                    rest_ended: Vec::new(),
                });
            }
            Event::CommandStarted { attempt, command, offset, at, .. } => {
                self.set_command(*command, CommandState::Running { attempt: *attempt, since: *at, from: *offset });
            }
            Event::CommandEnded { attempt, command, offset, at, end, .. } => {
                let from = match at_mut(&mut self.commands, *command) {
                    Some(CommandState::Running { from, .. }) => *from,
                    _ => *offset,
                };
                let (attempt, at, to, end) = (*attempt, *at, *offset, end.clone());
                self.set_command(*command, CommandState::Ended { attempt, at, from, to, end });
            }
            Event::WatchEnded { attempt, command, .. } => {
                if let Some(open) = at_mut(&mut self.attempts, *attempt) {
                    open.watches_ended.push((*command, stamp));
                }
            }
            Event::StopRequested { attempt, .. } => {
                match at_mut(&mut self.attempts, *attempt) {
                    // Who stopped it while it ran stays in the record.
                    Some(ended) if ended.end.is_some() => ended.rest_asked.push(stamp),
                    Some(open) => open.stop = Some(stamp),
                    None => {}
                }
            }
            Event::SurvivorsEnded { attempt, left, .. } => {
                if let Some(ended) = at_mut(&mut self.attempts, *attempt) {
                    ended.rest_ended.push(RestEnd { at: stamp.at, left: left.clone() });
                }
            }
            Event::AttemptEnded { attempt, exit, .. } => {
                self.place_exactly(*attempt, &exit.notes.ranges);
                let (ending, survivors) = (AttemptEnding::Known(exit.clone()), exit.survivors.clone());
                let output = Some(exit.output.clone());
                self.close(*attempt, AttemptEnd { ending, at: stamp.at, bytes: exit.bytes, output, survivors });
            }
            Event::AttemptInterrupted { attempt, reason, bytes, output, survivors, .. } => {
                let ending = AttemptEnding::Unknown { reason: reason.clone() };
                let (output, survivors) = (output.clone(), survivors.clone());
                self.close(*attempt, AttemptEnd { ending, at: stamp.at, bytes: *bytes, output, survivors });
            }
            Event::CommandSkipped { command, reason, .. } => {
                let ran = |state: &&CommandState| !matches!(state, CommandState::Waiting);
                let after = self.command(*command).filter(ran).cloned().map(Box::new);
                self.set_command(*command, CommandState::Skipped(Skip { reason: reason.clone(), stamp, after }));
            }
            Event::StepSkipped { reason, .. } => {
                self.skipped = Some(Skip { reason: reason.clone(), stamp, after: None });
            }
            Event::StepDone { .. } => self.done = Some(stamp),
            _ => {}
        }
    }

    fn close(&mut self, attempt: u32, end: AttemptEnd) {
        for command in &mut self.commands {
            if matches!(command, CommandState::Running { attempt: of, .. } if *of == attempt) {
                *command = CommandState::Interrupted { attempt };
            }
        }
        if let Some(open) = at_mut(&mut self.attempts, attempt) {
            open.end = Some(end);
        }
    }

    /// Where output was left out, the places that were noted meanwhile were not exact: the shim's last record has them.
    fn place_exactly(&mut self, attempt: u32, ranges: &[CommandRange]) {
        for range in ranges {
            if let Some(CommandState::Ended { attempt: of, from, to, .. }) = at_mut(&mut self.commands, range.command)
                && *of == attempt
            {
                (*from, *to) = (range.from, range.to);
            }
        }
    }

    fn set_command(&mut self, number: u32, state: CommandState) {
        if let Some(place) = at_mut(&mut self.commands, number) {
            *place = state;
        }
    }
}

fn at_mut<T>(list: &mut [T], number: u32) -> Option<&mut T> {
    list.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
}
