//! What may happen in a run without a person: commands that read, in the order of the document, each once.
//!
//! A schedule starts a run, and everything that is not a command which reads waits in it for a person. The gate lets nothing else
//! through, whatever the portal would ask of it.

use super::command::Command;
use super::refusal::Refusal;
use super::state::{Run, StepStatus};
use crate::Risk;
use crate::plan::{PlanCommand, PlanStep};
use crate::runbook::StepKind;

/// Whether the gate may be asked for something by a schedule.
pub(super) fn may(run: Option<&Run>, command: &Command) -> Result<(), Refusal> {
    let allowed = match (run, command) {
        (None, Command::Start { .. }) => true,
        (Some(run), Command::RunCommands { step, attempt: 1, commands, .. }) => {
            run.plan.step(*step).is_some_and(|plan| {
                let reads = |number: &u32| plan.command(*number).is_some_and(reads_alone);
                is_read_alone(plan) && commands.iter().all(reads)
            })
        }
        _ => false,
    };
    if allowed { Ok(()) } else { Err(Refusal::ByItself) }
}

/// Whether commands of a step may run without a person at all.
fn is_read_alone(plan: &PlanStep) -> bool {
    plan.is_on_the_way() && plan.kind != StepKind::Manual && !plan.interactive
}

/// Whether a command reads, comes to its end, and is nobody's choice.
fn reads_alone(command: &PlanCommand) -> bool {
    command.risk == Risk::Reads
        && !command.watch
        && !command.screen
        && command.choice.is_none()
        && command.blocked.is_none()
}

impl Run {
    /// What goes on in it by itself: the step and its commands. Steps by a person are passed by and wait; the first step that does
    /// something else than read, and one that did not end well, ends it: what comes after is a person's business.
    pub fn goes_on_by_itself(&self) -> Option<(u32, Vec<u32>)> {
        if self.end.is_some() || self.open_attempt().is_some() {
            return None;
        }
        for (step, plan) in (1..).zip(&self.plan.steps) {
            match self.status(step) {
                StepStatus::Done | StepStatus::Difference | StepStatus::Skipped => continue,
                StepStatus::Waiting => {}
                // Of a manual step some lines may be ticked.
                StepStatus::Paused if plan.kind == StepKind::Manual => {}
                _ => return None,
            }
            let commands: Vec<(u32, &PlanCommand)> =
                (1..).zip(&plan.commands).filter(|(_, command)| command.by_portal.is_none()).collect();
            if plan.kind == StepKind::Manual || commands.is_empty() {
                continue;
            }
            let numbers: Vec<u32> = commands.iter().map(|(number, _)| *number).collect();
            let alone = is_read_alone(plan) && commands.iter().all(|(_, command)| reads_alone(command));
            return (alone && self.missing_values(step, &numbers).is_empty()).then_some((step, numbers));
        }
        None
    }
}
