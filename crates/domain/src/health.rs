//! The health of a procedure: how far it can be relied on, by what its runs came to, what its commands call, and what a look found.
//!
//! It is an aid and no gate: a procedure can be started whatever is said here. Only what is known is said, each concern in one
//! sentence with a fixed code, the same as `lint --live` prints.

mod missing;

use serde::{Deserialize, Serialize};

pub use missing::Missing;

use crate::run::{Run, Verdict};
use crate::runbook::{Level, PartKind, Procedure, Step, StepKind};
use crate::{Timestamp, time};

/// The last closed runs tell what a procedure comes to; so many are looked at.
pub const WINDOW: u32 = 20;

/// From fewer runs nobody concludes that a step is never run.
const FEW: usize = 3;

/// A success that is longer ago proves little: 30 days.
const OLD_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// From so many runs in a row without success on, something is wrong with the procedure, not with one run.
const IN_A_ROW: usize = 2;

/// How far a procedure can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// It has reached its outcome not long ago, and nothing is known against it.
    Proven,
    /// Nothing is known against it, and no success of the last time speaks for it.
    #[default]
    Unproven,
    /// Something is known that will surprise.
    Doubtful,
    /// Something that it needs is not there.
    Broken,
}

impl Grade {
    /// The grade in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Unproven => "unproven",
            Self::Doubtful => "doubtful",
            Self::Broken => "broken",
        }
    }
}

/// When something was looked at, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// The target's name.
    pub target: String,
    /// When.
    pub at: Timestamp,
}

/// One thing that is known against a procedure, or not known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// How much it matters.
    pub level: Level,
    /// Its fixed name, as `tool-missing`.
    pub code: String,
    /// The line of the document that it is about, 1-based.
    pub line: u32,
    /// One sentence.
    pub message: String,
    /// Where and when it was seen; `None` when the document or the history says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Sighting>,
}

impl Concern {
    /// One that nobody had to look for.
    pub fn new(level: Level, code: &str, line: u32, message: String) -> Self {
        Self { level, code: code.to_owned(), line, message, seen: None }
    }
}

/// What a look at a target has found about a procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What is not there, or not known.
    pub concerns: Vec<Concern>,
    /// The codes of what a document is said to call and of which the target has something newer under the old name.
    #[serde(default)]
    pub settled: Vec<String>,
}

/// A look that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLook {
    /// Where and when.
    pub sighting: Sighting,
    /// What was found.
    pub found: Found,
}

/// A closed run, as far as it tells something of its procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedRun {
    /// What came of it.
    pub verdict: Verdict,
    /// When it was closed.
    pub ended: Timestamp,
    /// The marks of the steps that were worked through in it; `None` when that was not written down yet.
    pub worked: Option<Vec<String>>,
}

/// What the history knows of a procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Its last closed runs, the one that was closed last first, at most [`WINDOW`].
    pub runs: Vec<ClosedRun>,
    /// When a run of it was last closed as reached.
    pub last_success: Option<Timestamp>,
}

/// How far a procedure can be relied on, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// How far.
    pub grade: Grade,
    /// What is known against it, the worst first.
    pub concerns: Vec<Concern>,
    /// How many of its last runs were closed, at most [`WINDOW`].
    pub closed: u32,
    /// How many of these reached their outcome.
    pub reached: u32,
    /// When a run of it was last closed as reached.
    pub last_success: Option<Timestamp>,
    /// The looks that are kept and fit the document as it is, the last one first.
    pub looks: Vec<Sighting>,
}

/// What a list says of a procedure's health.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthMark {
    /// How far it can be relied on.
    pub grade: Grade,
    /// The worst of what is known against it, in a sentence.
    pub worst: Option<String>,
}

impl Health {
    /// The same in short.
    pub fn mark(&self) -> HealthMark {
        HealthMark { grade: self.grade, worst: self.concerns.first().map(|concern| concern.message.clone()) }
    }
}

/// How far a procedure can be relied on, by what is known of it now.
pub fn health(procedure: &Procedure, past: &Past, looks: &[KeptLook], now: Timestamp) -> Health {
    let mut concerns: Vec<Concern> = of_runs(procedure, past, now).into_iter().collect();
    concerns.extend(unused_steps(procedure, past));
    concerns.extend(retired(procedure, looks));
    concerns.extend(looks.iter().flat_map(seen));
    concerns.sort_by_key(|one| (one.level, one.line));
    let mut sightings: Vec<Sighting> = looks.iter().map(|look| look.sighting.clone()).collect();
    sightings.sort_by_key(|sighting| std::cmp::Reverse(sighting.at));
    let reached = past.runs.iter().filter(|run| run.verdict == Verdict::Reached).count();
    Health {
        grade: grade(&concerns, past, now),
        concerns,
        closed: count(past.runs.len()),
        reached: count(reached),
        last_success: past.last_success,
        looks: sightings,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn grade(concerns: &[Concern], past: &Past, now: Timestamp) -> Grade {
    let is_recent = past.last_success.is_some_and(|at| now.since(at) <= OLD_MS);
    match concerns.iter().map(|concern| concern.level).min() {
        Some(Level::Error) => Grade::Broken,
        Some(Level::Warning) => Grade::Doubtful,
        Some(Level::Note) | None if is_recent => Grade::Proven,
        Some(Level::Note) | None => Grade::Unproven,
    }
}

/// What the last runs say.
fn of_runs(procedure: &Procedure, past: &Past, now: Timestamp) -> Option<Concern> {
    let say = |level, code: &str, message: String| Some(Concern::new(level, code, procedure.line, message));
    let Some(success) = past.last_success else {
        return match past.runs.len() {
            0 => say(
                Level::Note,
                "never-run",
                "No run of it was closed yet, so nobody knows whether it works.".to_owned(),
            ),
            1 => say(
                Level::Note,
                "never-succeeded",
                "It never succeeded: its one closed run did not reach the outcome.".to_owned(),
            ),
            many => {
                let words = format!("It never succeeded: none of its last {many} closed runs reached the outcome.");
                say(Level::Warning, "never-succeeded", words)
            }
        };
    };
    let ago = success.ago(now);
    let since = past.runs.iter().take_while(|run| run.verdict != Verdict::Reached).count();
    if since >= IN_A_ROW {
        let words = format!("None of its last {since} runs reached the outcome; the last success was {ago}.");
        return say(Level::Warning, "failing", words);
    }
    if now.since(success) > OLD_MS {
        let words = format!("Its last success was {ago}: try it before it is needed.");
        return say(Level::Note, "old-success", words);
    }
    if since == 1 {
        let words = format!("Its last run did not reach the outcome; the last success was {ago}.");
        return say(Level::Note, "failing", words);
    }
    None
}

/// Steps that none of the last runs has worked through.
fn unused_steps(procedure: &Procedure, past: &Past) -> Vec<Concern> {
    let known: Vec<&Vec<String>> = past.runs.iter().filter_map(|run| run.worked.as_ref()).collect();
    if known.len() < FEW {
        return Vec::new();
    }
    let is_unused = |step: &&Step| {
        let mark = step_mark(step.number, &step.title);
        // The portal does the connecting itself.
        step.kind != StepKind::Connect && !known.iter().any(|worked| worked.contains(&mark))
    };
    let concern = |step: &Step| {
        let runs = time::counted(known.len() as u64, "run");
        let words = format!("Step {}, {}, was never run in the last {runs}.", step.number, step.title);
        Concern::new(Level::Note, "step-never-run", step.line, words)
    };
    procedure.steps(PartKind::Steps).filter(is_unused).map(concern).collect()
}

/// Retired software that its commands call, but for what every look has found to be newer under the old name.
fn retired(procedure: &Procedure, looks: &[KeptLook]) -> Vec<Concern> {
    let is_settled = |code: &String| !looks.is_empty() && looks.iter().all(|look| look.found.settled.contains(code));
    let calls = procedure.retired.iter().filter(|finding| !is_settled(&finding.code));
    calls.map(|finding| Concern::new(finding.level, &finding.code, finding.line, finding.message.clone())).collect()
}

fn seen(look: &KeptLook) -> impl Iterator<Item = Concern> + '_ {
    let here = move |concern: &Concern| Concern { seen: Some(look.sighting.clone()), ..concern.clone() };
    look.found.concerns.iter().map(here)
}

/// By what a step is known from one version of its document to the next: its title, or its number where it has none.
pub fn step_mark(number: u32, title: &str) -> String {
    let title = title.trim();
    if title.is_empty() { number.to_string() } else { title.to_lowercase() }
}

/// The marks of the document's steps that were worked through in a run, well or badly. What was only passed over was not.
pub fn worked(run: &Run) -> Vec<String> {
    let steps = run.plan.steps.iter().zip(&run.steps).filter(|(step, _)| step.is_on_the_way());
    let worked = steps.filter(|(_, state)| {
        !state.attempts.is_empty() || state.done.is_some() || state.ticks.iter().any(Option::is_some)
    });
    worked.map(|(step, _)| step_mark(step.number, &step.title)).collect()
}

#[cfg(test)]
mod tests;
