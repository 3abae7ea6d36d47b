//! The engine of a container goes away in the middle of a step: the step does not notice, and what it printed is there in the end.

use std::path::Path;
use std::time::{Duration, Instant};

use domain::AttemptId;
use domain::attempt::AttemptResult;
use domain::target::{Container, Reach};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use testkit::rig::{Contained, Dockerd, Image, Process};
use testkit::times;

use crate::far::{assert_ran_once, step};
use crate::harness::{Place, USUAL_LADDER};
use crate::sites::before_shim;

/// An engine whose containers live on without it, one of them, and a place for steps there.
struct Hosted {
    engine: &'static Dockerd,
    contained: Contained,
    place: Place,
    _folder: TempDir,
}

/// What is done to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is killed, and started again after some time.
    Killed(Duration),
    /// The same in good order.
    Stopped(Duration),
    /// It takes every request and answers none, for some time.
    Halted(Duration),
}

impl Hosted {
    fn start() -> Option<Self> {
        let engine: &'static Dockerd = Box::leak(Box::new(Dockerd::start(&["--live-restore"])?));
        let folder = TempDir::new().unwrap();
        let contained = Contained::on(engine, Image::Host, &[folder.path()], &[])?;
        let place = place(engine, &contained, folder.path());
        Some(Self { engine, contained, place, _folder: folder })
    }

    async fn suffer(&self, fate: Fate) {
        // The times are how long the engine is away, and nothing is waited for.
        match fate {
            Fate::Killed(time) => {
                self.engine.kill();
                tokio::time::sleep(time).await;
                self.engine.start_again();
            }
            Fate::Stopped(time) => {
                self.engine.stop();
                tokio::time::sleep(time).await;
                self.engine.start_again();
            }
            Fate::Halted(time) => {
                self.engine.halt();
                tokio::time::sleep(time).await;
                self.engine.resume();
            }
        }
    }

    /// Waits for a moment of a step: after some of its output, or when it is perhaps not even begun.
    async fn moment(&self, id: AttemptId, random: &mut StdRng) {
        if random.random_bool(0.3) {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        } else {
            let more = self.place.engine.length(&id) + random.random_range(0..400);
            let mut progress = self.place.engine.follow(&self.place.intent(id)).unwrap();
            let _ = progress.wait_for(|progress| progress.length >= more || progress.done).await;
        }
    }
}

/// A place for steps in a container.
pub fn place(engine: &Dockerd, contained: &Contained, folder: &Path) -> Place {
    place_for(engine, contained.target(), folder)
}

/// The same, told how the container is found and who works in it.
pub fn place_for(engine: &Dockerd, target: Container, folder: &Path) -> Place {
    let shim = before_shim(folder, &format!("export DOCKER_HOST='{}'", engine.host()));
    Place::at(Reach::Container(target), TempDir::new_in(folder).unwrap(), shim, USUAL_LADDER)
}

fn any(random: &mut StdRng) -> Fate {
    let time = Duration::from_millis(random.random_range(0..1500));
    match random.random_range(0..3) {
        0 => Fate::Killed(time),
        1 => Fate::Stopped(time),
        _ => Fate::Halted(time),
    }
}

/// No process of this machine works for an attempt any more: its shim and its bridges are gone.
pub async fn assert_nobody_is_left(place: &Place, id: AttemptId, contained: &Contained) {
    place.gone(id).await;
    let is_bridge = |process: &Process| {
        let words = process.words();
        words.iter().any(|word| word == engine::exec::COMMAND) && words.concat().contains(contained.name())
    };
    let bridges: Vec<Process> = Process::all().into_iter().filter(is_bridge).collect();
    assert_eq!(bridges, [], "every bridge is gone");
}

/// Waits until nothing runs in a container but its first process: what has followed a step there ends a moment after its link.
fn assert_is_empty(contained: &Contained) {
    let begun = Instant::now();
    while contained.programs() != ["sleep infinity"] {
        assert!(begun.elapsed() < Duration::from_secs(20), "left in the container: {:?}", contained.programs());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_once_to_its_end_however_often_the_engine_is_started_again() {
    let Some(hosted) = Hosted::start() else { return };
    let seed = times("PORTAL_SEED", rand::random::<u64>());
    let mut random = StdRng::seed_from_u64(seed);
    let (mut fates, mut not_begun) = (0, 0);
    for round in 0..times("PORTAL_DAEMONS", 4) {
        let count = hosted.place.folder.path().join(format!("count-{round}"));
        let id = hosted.place.launch(step(&count)).await;
        let mut story = format!("seed {seed}, round {round}");
        for _ in 0..random.random_range(1..3) {
            hosted.moment(id, &mut random).await;
            let fate = any(&mut random);
            story = format!("{story}, {fate:?} at byte {}", hosted.place.engine.length(&id));
            hosted.suffer(fate).await;
            fates += 1;
        }

        let end = hosted.place.end(id).await;

        if matches!(end.result(), AttemptResult::NotStarted { .. }) {
            // The very first request to the engine may be lost. Then nothing was run at all.
            assert!(!count.exists() && end.output.is_empty(), "{story}: {:?}", end.result());
            not_begun += 1;
        } else {
            assert_ran_once(&end, &count, &story);
        }
        assert_nobody_is_left(&hosted.place, id, &hosted.contained).await;
    }
    eprintln!("the engine went away {fates} times; {not_begun} steps were not begun because of that");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_away_for_long_costs_a_step_nothing() {
    let Some(hosted) = Hosted::start() else { return };
    let count = hosted.place.folder.path().join("count");
    let id = hosted.place.launch(step(&count)).await;
    hosted.place.wait_for(id, "line 5\n").await;

    hosted.suffer(Fate::Stopped(Duration::from_secs(times("PORTAL_DAEMON_SECONDS", 3)))).await;

    assert_ran_once(&hosted.place.end(id).await, &count, "away");
    assert_is_empty(&hosted.contained);
}
