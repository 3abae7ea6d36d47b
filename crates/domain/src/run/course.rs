//! Where a run stands, as a list that can be read at a glance; and what is still to move the ground under a later step.

use super::state::{Run, StepStatus};
use crate::plan::{PlanCommand, PlanStep};
use crate::runbook::PartKind;

/// One step of a run, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Its place in the plan, from 1.
    pub step: u32,
    /// Where it stands.
    pub status: StepStatus,
    /// Whether the run stands at it.
    pub current: bool,
    /// Whether it was added in the run and is not in the document.
    pub added: bool,
    /// Whether it belongs to the rollback: it is no part of the way.
    pub rollback: bool,
}

/// A step that goes to another directory or exports variables, and is still to be run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mover {
    /// Its place in the plan, from 1.
    pub step: u32,
    /// The number that the document gives it.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Whether it goes to another directory.
    pub directory: bool,
    /// The names of the variables that later steps get from it.
    pub exports: Vec<String>,
}

impl Run {
    /// All steps in the order in which they are meant: a step that was added stands after the one that it follows.
    pub fn course(&self) -> Vec<Leg> {
        let at = self.stands_at();
        let mut legs: Vec<((u32, u32), Leg)> =
            (1..).zip(&self.plan.steps).map(|(step, plan)| (place(step, plan), self.leg(step, plan, at))).collect();
        legs.sort_by_key(|(place, _)| *place);
        legs.into_iter().map(|(_, leg)| leg).collect()
    }

    fn leg(&self, step: u32, plan: &PlanStep, at: Option<u32>) -> Leg {
        Leg {
            step,
            status: self.status(step),
            current: at == Some(step) && self.end.is_none(),
            added: plan.ad_hoc.is_some(),
            rollback: plan.part == PartKind::Rollback && plan.ad_hoc.is_none(),
        }
    }

    /// The steps before another that move what it gets, and are still to be run: running one of them makes an approval of it
    /// void, since an approval is bound to the directory and to the variables.
    pub fn movers_before(&self, step: u32) -> Vec<Mover> {
        let before = (1..step).zip(&self.plan.steps);
        let open = before.filter(|(place, plan)| plan.is_on_the_way() && !self.status(*place).is_over());
        // Nobody moves a step that has a directory of its own.
        let is_moved = self.plan.step(step).is_none_or(|plan| plan.directory.is_none());
        let moves = |plan: &PlanStep| is_moved && plan.directory.is_none() && plan.commands.iter().any(goes);
        open.filter_map(|(place, plan)| self.mover(place, plan, moves(plan))).collect()
    }

    fn mover(&self, step: u32, plan: &PlanStep, directory: bool) -> Option<Mover> {
        let exports: Vec<String> = self.own_exports(&plan.commands).into_iter().collect();
        let title = plan.title.clone();
        let moves = directory || !exports.is_empty();
        moves.then_some(Mover { step, number: plan.number, title, directory, exports })
    }
}

fn place(step: u32, plan: &PlanStep) -> (u32, u32) {
    (plan.ad_hoc.as_ref().map_or(step, |added| added.after), step)
}

/// Whether a command leaves the shell in another directory, as far as its words tell: `cd` stands first in it, or first after
/// `;`, `&&`, `||` or a line end. What stands in parentheses moves only its own shell.
fn goes(command: &PlanCommand) -> bool {
    let parts = command.script.split([';', '&', '|', '\n']);
    parts.filter_map(|part| part.split_whitespace().next()).any(|word| matches!(word, "cd" | "pushd" | "popd"))
}

impl Mover {
    /// `Step 2, “Load settings”, is still to run: it changes the directory and exports DB_HOST and DB_NAME`
    pub fn words(&self) -> String {
        let Self { number, title, directory, exports, .. } = self;
        let exported = match exports.split_last() {
            None => String::new(),
            Some((only, [])) => format!("exports {only}"),
            Some((last, names)) => format!("exports {} and {last}", names.join(", ")),
        };
        let does: Vec<&str> = [if *directory { "changes the directory" } else { "" }, &exported]
            .into_iter()
            .filter(|words| !words.is_empty())
            .collect();
        format!("Step {number}, \u{201c}{title}\u{201d}, is still to run: it {}", does.join(" and "))
    }
}

/// How far a run has come: `2 of 6 steps over, 1 of them skipped; 1 added by hand`. The rollback does not count.
pub fn course_words(legs: &[Leg]) -> String {
    let count = |of: &dyn Fn(&Leg) -> bool| legs.iter().filter(|leg| !leg.rollback && of(leg)).count();
    let over = count(&|leg| leg.status.is_over());
    let mut words = format!("{over} of {} steps over", count(&|_| true));
    for (number, what) in [
        (count(&|leg| leg.status == StepStatus::Skipped), ", {} of them skipped"),
        (count(&|leg| leg.status.needs_a_person()), "; {} waits for a person"),
        (count(&|leg| leg.added), "; {} added by hand"),
    ] {
        if number > 0 {
            words += &what.replace("{}", &number.to_string());
        }
    }
    words
}
