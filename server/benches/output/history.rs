//! A history of 100,000 runs: how soon a portal that has one is ready.

use std::path::Path;
use std::time::Instant;

use domain::plan::Plan;
use domain::policy::Role;
use domain::run::{Event, Verdict};
use domain::{AttemptId, Risk, RunId, Timestamp};
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use store::Store;
use testkit::{command, completed, manual, plan, start, step, who};

use crate::browser::text;
use crate::desk::Desk;
use crate::figures::{Figure, ms};
use crate::process::Served;

/// Runs of a large team over years.
const RUNS: u64 = 100_000;

/// Runs of one transaction while the history is made.
const TOGETHER: u64 = 1_000;

/// From one run to the next, in milliseconds.
const APART: u64 = 600_000;

pub fn of_a_hundred_thousand_runs(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[]);
    stop(&mut desk.portal);
    let database = desk.path("data/portal.db");
    tokio::runtime::Runtime::new().unwrap().block_on(fill(&database));
    println!("  a database of {} MB", std::fs::metadata(&database).unwrap().len() / 1_000_000);
    let mut starts = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        desk.portal = Served::start(&desk.place);
        starts.push(ms(begun.elapsed()));
        let newest = format!("/runs/{RUNS}\"");
        assert!(text(desk.another().get("/history")).contains(&newest), "all runs are there");
        stop(&mut desk.portal);
    }
    vec![Figure::alone("start with 100,000 runs in the history until it is ready", "ms", 500.0, starts)]
}

fn stop(portal: &mut Served) {
    portal.signal(Signal::TERM);
    assert!(portal.wait().success(), "it ends in peace");
}

/// Adds the runs, one every ten minutes up to now.
async fn fill(database: &Path) {
    let first = now().minus(RUNS * APART);
    let store = Store::open(database, first).await.unwrap();
    let (work, by) = (work(), who(Role::Operator));
    for piece in 0..RUNS / TOGETHER {
        let mut write = store.begin().await.unwrap();
        for number in piece * TOGETHER..(piece + 1) * TOGETHER {
            let id = RunId(i64::try_from(number + 1).unwrap());
            let at = first.plus(number * APART);
            write.append(None, id, &by, at, &events(id, &work)).await.unwrap();
        }
        write.commit().await.unwrap();
    }
    store.close().await;
}

/// A step of two commands that only read, and one that a person does.
fn work() -> Plan {
    let commands = vec![command("docker ps", Risk::Reads), command("docker images", Risk::Reads)];
    let steps = vec![step(1, "Look", commands), manual(2, "Say so", &["The team knows"])];
    Plan { steps, ..plan() }
}

/// Everything that happens to a run of it, from its start to its verdict.
fn events(run: RunId, work: &Plan) -> Vec<Event> {
    let look = completed(AttemptId { run, step: 1, attempt: 1 }, &[1, 2]);
    let tick = Event::NoteAdded { step: Some(2), text: "the team knows".to_owned() };
    let end = Event::RunFinished { verdict: Verdict::Reached, comment: "as every morning".to_owned() };
    std::iter::once(start(work.clone(), "as every morning")).chain(look).chain([tick, end]).collect()
}

fn now() -> Timestamp {
    let time = clock_gettime(ClockId::Realtime);
    Timestamp(time.tv_sec * 1000)
}
