//! Where a step stands, and what may be started in it.

use super::state::{AttemptEnding, CommandState, Offer, StepState, StepStatus};
use crate::attempt::{AttemptResult, Outcome};
use crate::plan::{PlanCommand, PlanStep};
use crate::runbook::StepKind;

impl StepState {
    pub(super) fn status(&self, plan: &PlanStep) -> StepStatus {
        if self.skipped.is_some() {
            return StepStatus::Skipped;
        }
        if let Some(number) = self.running() {
            let watch = plan.command(number).is_some_and(|command| command.watch);
            return if watch { StepStatus::Watching } else { StepStatus::Running };
        }
        if self.attempts.last().is_some_and(|attempt| attempt.end.is_none()) {
            return StepStatus::Running;
        }
        if !plan.is_run() {
            return self.manual_status(plan);
        }
        if self.next(plan).is_none() { self.settled_status() } else { self.stalled_status() }
    }

    fn manual_status(&self, plan: &PlanStep) -> StepStatus {
        let ticked = self.ticks.iter().flatten().count();
        let all_ticked = plan.kind != StepKind::Connect && !self.ticks.is_empty() && ticked == self.ticks.len();
        match ticked {
            _ if self.done.is_some() || all_ticked => StepStatus::Done,
            0 => StepStatus::Waiting,
            _ => StepStatus::Paused,
        }
    }

    fn settled_status(&self) -> StepStatus {
        let ran = self.commands.iter().any(|state| matches!(state, CommandState::Ended { .. }));
        let differs = self.commands.iter().any(|state| state.outcome() == Some(Outcome::Difference));
        match (ran, differs) {
            (_, true) => StepStatus::Difference,
            (true, false) => StepStatus::Done,
            (false, false) => StepStatus::Skipped,
        }
    }

    fn stalled_status(&self) -> StepStatus {
        match self.attempts.last().and_then(|attempt| attempt.end.as_ref()).map(|end| &end.ending) {
            None => StepStatus::Waiting,
            Some(AttemptEnding::Unknown { .. }) => StepStatus::Interrupted,
            Some(AttemptEnding::Known(exit)) => match exit.result {
                AttemptResult::Unknown { .. } => StepStatus::Interrupted,
                AttemptResult::Completed | AttemptResult::Difference { .. } => StepStatus::Paused,
                AttemptResult::Stopped | AttemptResult::TimedOut => StepStatus::Stopped,
                AttemptResult::Failed { .. } | AttemptResult::ShellEnded { .. } | AttemptResult::NotStarted { .. } => {
                    if self.commands.iter().any(CommandState::is_bad) || self.nothing_ran() {
                        StepStatus::Failed
                    } else {
                        StepStatus::Paused
                    }
                }
            },
        }
    }

    fn nothing_ran(&self) -> bool {
        self.commands.iter().all(|state| matches!(state, CommandState::Waiting))
    }

    /// The number of the first command that is still to do.
    fn next(&self, plan: &PlanStep) -> Option<u32> {
        (1..).zip(&plan.commands).map(|(number, _)| number).find(|number| !self.is_settled(plan, *number))
    }

    fn is_settled(&self, plan: &PlanStep, number: u32) -> bool {
        let (Some(command), Some(state)) = (plan.command(number), self.command(number)) else { return true };
        command.by_portal.is_some() || state.is_over() || self.another_was_chosen(plan, command)
    }

    /// Whether an alternative that excludes this command was taken.
    fn another_was_chosen(&self, plan: &PlanStep, command: &PlanCommand) -> bool {
        let Some(choice) = command.choice.as_ref().filter(|choice| choice.exclusive) else { return false };
        plan.commands.iter().zip(&self.commands).any(|(other, state)| {
            matches!(&other.choice, Some(taken) if taken.exclusive && taken.group != choice.group)
                && state.outcome().is_some_and(Outcome::is_good)
        })
    }

    /// Everything that is still to be run, cut where the document has a choice.
    pub(super) fn sets(&self, plan: &PlanStep) -> Vec<Offer> {
        let open = (1..).zip(&plan.commands).filter(|(number, _)| !self.is_settled(plan, *number));
        let mut sets: Vec<Offer> = Vec::new();
        for (number, command) in open {
            match sets.last_mut() {
                Some(set) if set.choice == command.choice => set.commands.push(number),
                _ => sets.push(Offer { commands: vec![number], choice: command.choice.clone() }),
            }
        }
        sets
    }

    pub(super) fn offers(&self, plan: &PlanStep) -> Vec<Offer> {
        let open: Vec<(u32, &PlanCommand)> =
            (1..).zip(&plan.commands).filter(|(number, _)| !self.is_settled(plan, *number)).collect();
        let Some((_, first)) = open.first() else { return Vec::new() };
        let group = |command: &PlanCommand| command.choice.as_ref().map(|choice| choice.group);
        let mut offers: Vec<Offer> = Vec::new();
        for (number, command) in &open {
            let same = offers
                .last()
                .is_some_and(|offer: &Offer| offer.choice.as_ref().map(|choice| choice.group) == group(command));
            match offers.last_mut() {
                Some(offer) if same => offer.commands.push(*number),
                // Only neighbouring alternatives stand side by side; what comes after them waits.
                Some(_) if first.choice.is_none() || command.choice.is_none() => break,
                _ => offers.push(Offer { commands: vec![*number], choice: command.choice.clone() }),
            }
        }
        offers
    }
}
