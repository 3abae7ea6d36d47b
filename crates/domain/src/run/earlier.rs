//! How a request compares with an earlier one: what of it was asked for before, and how that differs.

use serde::{Deserialize, Serialize};

use super::difference::between;
use super::request::{Covered, Request};
use crate::Digest;
use crate::approval::Difference;
use crate::plan::{Plan, PlanStep};

/// How much of what is asked for an earlier request has asked for, too. The texts are titles of steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "again", rename_all = "snake_case")]
pub enum Again {
    /// All of it, with everything that it is given.
    Same,
    /// Some commands of these steps, with everything that they are given; in whichever procedure.
    Bytes {
        /// Of which steps.
        steps: Vec<String>,
    },
    /// These steps of the same procedure, with other commands or values.
    Steps {
        /// Which.
        steps: Vec<String>,
    },
}

impl Again {
    /// What was the same, as the end of `Lars said no to …`.
    pub fn words(&self) -> String {
        match self {
            Self::Same => "the same".to_owned(),
            Self::Bytes { steps } => format!("the very same commands of \u{201c}{}\u{201d}", steps.join(", ")),
            Self::Steps { steps } => format!("\u{201c}{}\u{201d} with other commands or values", steps.join(", ")),
        }
    }
}

/// A request with the plan of its run.
pub type Asked<'r> = (&'r Plan, &'r Request);

/// A set of commands of a request, with the step that it is of.
struct Set<'r> {
    covered: &'r Covered,
    step: &'r PlanStep,
    /// Which of the sets of its step it is: a choice makes several.
    nth: usize,
}

impl Set<'_> {
    /// Whether two sets are the same one of the same step, wherever the step stands and whatever number it has.
    fn is(&self, other: &Self) -> bool {
        (self.step.part, &self.step.title, self.nth) == (other.step.part, &other.step.title, other.nth)
    }

    fn scripts(&self) -> String {
        self.covered.work.commands.iter().map(|command| &*command.script).collect::<Vec<_>>().join("; ")
    }
}

fn sets<'r>((plan, request): Asked<'r>) -> Vec<Set<'r>> {
    let mut sets: Vec<Set<'r>> = Vec::new();
    for covered in request.steps() {
        let Some(step) = plan.step(covered.step) else { continue };
        let nth = sets.iter().filter(|set| (set.step.part, &set.step.title) == (step.part, &step.title)).count();
        sets.push(Set { covered, step, nth });
    }
    sets
}

/// What an earlier request has in common with another; `None` when nothing.
pub fn again(earlier: Asked<'_>, now: Asked<'_>) -> Option<Again> {
    if earlier.1.same() == now.1.same() {
        return Some(Again::Same);
    }
    let before = sets(earlier);
    let digests: Vec<Digest> = before.iter().map(|set| set.covered.same()).collect();
    let titles = |common: &dyn Fn(&Set<'_>) -> bool| {
        let mut titles: Vec<String> =
            sets(now).iter().filter(|set| common(set)).map(|set| set.step.title.clone()).collect();
        titles.dedup();
        Some(titles).filter(|titles| !titles.is_empty())
    };
    let bytes = titles(&|set| digests.contains(&set.covered.same()));
    let same_step = |set: &Set<'_>| before.iter().any(|other| other.is(set));
    let steps = || titles(&same_step).filter(|_| earlier.0.slug == now.0.slug);
    bytes.map(|steps| Again::Bytes { steps }).or_else(|| steps().map(|steps| Again::Steps { steps }))
}

/// How what is asked for differs from what was approved in an earlier run; whoever runs it is no difference.
///
/// Sets are compared with those of the same step, and where a step has another title now, with those that do the same.
pub fn compared(before: Asked<'_>, now: Asked<'_>) -> Vec<Difference> {
    let mut left = sets(before);
    let sets = sets(now);
    let several = left.len().max(sets.len()) > 1;
    let mut earlier: Vec<Option<Set<'_>>> = sets.iter().map(|set| take(&mut left, |other| other.is(set))).collect();
    for (found, set) in earlier.iter_mut().zip(&sets) {
        if found.is_none() {
            *found = take(&mut left, |other| other.covered.same() == set.covered.same());
        }
    }
    let pairs = earlier.iter().zip(&sets);
    let changed = pairs.flat_map(|(earlier, set)| match earlier {
        Some(earlier) => changed(earlier, set, several),
        None => vec![whole(set, String::new(), set.scripts())],
    });
    changed.chain(left.iter().map(|set| whole(set, set.scripts(), String::new()))).collect()
}

fn take<'r>(left: &mut Vec<Set<'r>>, is: impl Fn(&Set<'r>) -> bool) -> Option<Set<'r>> {
    let place = left.iter().position(is)?;
    Some(left.remove(place))
}

fn changed(earlier: &Set<'_>, set: &Set<'_>, several: bool) -> Vec<Difference> {
    let title = if several { format!("\u{201c}{}\u{201d}, ", set.step.title) } else { String::new() };
    let of_step = |found: Difference| Difference { what: format!("{title}{}", found.what), ..found };
    between(&earlier.covered.work, &set.covered.work).into_iter().map(of_step).collect()
}

/// A set that only one of the two requests has.
fn whole(set: &Set<'_>, approved: String, now: String) -> Difference {
    Difference { what: format!("step \u{201c}{}\u{201d}", set.step.title), approved, now }
}
