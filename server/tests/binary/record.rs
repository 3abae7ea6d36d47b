//! What must hold in a data folder after something died: asked of the files and the database themselves, not of the portal.

use std::path::Path;

use domain::attempt::{AttemptResult, Exit};
use domain::run::{AttemptEnding, Entry, Event, Run};
use domain::time::Clock as _;
use domain::{AttemptId, RunId, Timestamp};
use serde_json::Value;
use store::{Chain, Store};
use tempfile::TempDir;

use crate::process::Place;

/// The file to which a step of these tests appends the number of its run, once.
pub const COUNTER: &str = "work/counter";

/// What somebody was told has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acknowledged {
    /// A run was started.
    Started { run: u64 },
    /// Step 1 was started in it.
    Ran { run: u64 },
    /// A note was added to it.
    Noted { run: u64, text: String },
    /// A page was shown an event of it.
    Told { run: u64, entry: Box<Entry> },
}

impl Acknowledged {
    const fn run(&self) -> u64 {
        match self {
            Self::Started { run } | Self::Ran { run } | Self::Noted { run, .. } | Self::Told { run, .. } => *run,
        }
    }

    fn is_in(&self, history: &[Entry]) -> bool {
        history.iter().any(|entry| match (self, &entry.event) {
            (Self::Started { .. }, Event::RunStarted { .. })
            | (Self::Ran { .. }, Event::AttemptStarted { step: 1, attempt: 1, .. }) => true,
            (Self::Noted { text, .. }, Event::NoteAdded { text: noted, .. }) => text == noted,
            (Self::Told { entry: told, .. }, _) => **told == *entry,
            _ => false,
        })
    }
}

/// What was killed: a portal's death alone interrupts no step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    Portal,
    Shim,
}

/// How far a step had come when the portal died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// Nothing was recorded yet.
    BeforeIntent,
    /// The intent was recorded, and no byte of the step had run.
    BetweenIntentAndStart,
    /// It ran.
    Running,
    /// It had ended, and that was not recorded yet.
    BetweenExitAndRecord,
    /// Its end was recorded.
    Recorded,
}

pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub async fn open(file: &Path) -> Store {
    Store::open(file, portal::SystemClock.now()).await.unwrap()
}

/// A copy of the database as a dead portal left it: looking at it moves nothing in the original.
pub fn copy_of_database(place: &Place) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["portal.db", "portal.db-wal", "portal.db-shm"] {
        let from = place.path("data").join(name);
        if from.exists() {
            std::fs::copy(from, copy.path().join(name)).unwrap();
        }
    }
    copy
}

/// Puts the copy back, as if the portal had never written what came after it.
pub fn put_back(copy: &TempDir, place: &Place) {
    for name in ["portal.db", "portal.db-wal", "portal.db-shm"] {
        drop(std::fs::remove_file(place.path("data").join(name)));
        if copy.path().join(name).exists() {
            std::fs::copy(copy.path().join(name), place.path("data").join(name)).unwrap();
        }
    }
}

/// Where a dead portal left attempt 1 of step 1.
pub fn window(place: &Place, run: u64) -> Window {
    let copy = copy_of_database(place);
    let history = block_on(async { open(&copy.path().join("portal.db")).await.entries(id(run), 0).await.unwrap() });
    let begun = history.iter().any(|entry| matches!(entry.event, Event::AttemptStarted { .. }));
    let ended = history
        .iter()
        .any(|entry| matches!(entry.event, Event::AttemptEnded { .. } | Event::AttemptInterrupted { .. }));
    match (begun, ended) {
        (_, true) => Window::Recorded,
        (false, _) => Window::BeforeIntent,
        _ if folder(place, run).join("exit.json").exists() => Window::BetweenExitAndRecord,
        _ if folder(place, run).join("out.log").exists() => Window::Running,
        _ => Window::BetweenIntentAndStart,
    }
}

/// The folder of attempt 1 of step 1.
pub fn folder(place: &Place, run: u64) -> std::path::PathBuf {
    place.path("data/runs").join(run.to_string()).join("1-1")
}

fn id(run: u64) -> RunId {
    RunId(i64::try_from(run).unwrap())
}

/// How often step 1 of a run has run.
pub fn times_run(place: &Place, run: u64) -> usize {
    place.read(COUNTER).lines().filter(|line| *line == run.to_string()).count()
}

/// Everything that does not hold after a restart. Each attempt must have come to an end by then.
pub fn faults(place: &Place, acknowledged: &[Acknowledged], killed: Killed) -> Vec<String> {
    block_on(async {
        let store = open(&place.path("data/portal.db")).await;
        let mut faults = Vec::new();
        if let Chain::Broken(broken) = store.verify_chain().await.unwrap() {
            faults.push(format!("the chain is broken at {}: {}", broken.seq, broken.why));
        }
        let mut histories = Vec::new();
        let runs = acknowledged.iter().map(Acknowledged::run).max().unwrap_or_default();
        for run in 1..=runs {
            histories.push(store.entries(id(run), 0).await.unwrap());
            if let Some(run) = store.run(id(run), &domain::policy::Sight::EVERYTHING).await.unwrap() {
                faults.extend(attempt_faults(place, &run, killed));
            }
        }
        let lost = acknowledged.iter().filter(|it| !it.is_in(&histories[usize::try_from(it.run() - 1).unwrap()]));
        faults.extend(lost.map(|it| format!("acknowledged, and not in the history: {it:?}")));
        store.close().await;
        faults
    })
}

fn attempt_faults(place: &Place, run: &Run, killed: Killed) -> Vec<String> {
    let number = run.id.0.unsigned_abs();
    let times = times_run(place, number);
    let step = run.step(1).unwrap();
    let mut faults = Vec::new();
    if times > step.attempts.len() || step.attempts.len() > 1 {
        faults.push(format!(
            "run {number}: {} starts were asked for and the step ran {times} times",
            step.attempts.len()
        ));
    }
    let first = AttemptId { run: run.id, step: 1, attempt: 1 };
    let Some(attempt) = run.attempt(first) else { return faults };
    match attempt.end.as_ref().map(|end| &end.ending) {
        None => faults.push(format!("run {number}: its step is neither attached, ended nor interrupted")),
        Some(AttemptEnding::Unknown { reason }) => {
            let began = folder(place, number).join("out.log").exists();
            if killed == Killed::Portal && (began || times > 0) {
                faults.push(format!("run {number}: interrupted ({reason}), although the step was not"));
            }
        }
        Some(AttemptEnding::Known(exit)) => {
            let ran = !matches!(exit.result, AttemptResult::NotStarted { .. });
            if told_by_shim(place, number).as_ref() != Some(&**exit) {
                faults.push(format!("run {number}: the recorded end is not the one that the shim wrote down"));
            }
            if ran && times != 1 {
                faults.push(format!("run {number}: recorded as run to its end, and it ran {times} times"));
            }
        }
    }
    faults
}

/// The end as the shim wrote it down.
pub fn told_by_shim(place: &Place, run: u64) -> Option<Exit> {
    let signed: Value = serde_json::from_slice(&std::fs::read(folder(place, run).join("exit.json")).ok()?).ok()?;
    serde_json::from_str(signed["body"].as_str()?).ok()
}

/// When the end of the attempt of a run was recorded, and when the shim says it was.
pub fn ends(place: &Place, run: u64) -> Option<(Timestamp, Option<Timestamp>)> {
    let history = block_on(async { open(&place.path("data/portal.db")).await.entries(id(run), 0).await.unwrap() });
    let end = history
        .into_iter()
        .find(|entry| matches!(entry.event, Event::AttemptEnded { .. } | Event::AttemptInterrupted { .. }))?;
    Some((end.at, told_by_shim(place, run).map(|exit| Timestamp(exit.at))))
}
