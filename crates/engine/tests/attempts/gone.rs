//! A container ends under a step: what came of the step is not known then, the reason is told soon, and nothing runs twice.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::AttemptId;
use domain::attempt::Mark;
use engine::Inspection;
use tempfile::TempDir;
use testkit::rig::{Contained, Dockerd, Image};

use crate::daemon::{assert_nobody_is_left, place};
use crate::far::counting_step;
use crate::harness::Place;
use crate::resume::kill_shim;

/// More than it can print before its container ends.
const LINES: usize = 2_000;

/// Sooner than that everybody is told, on a machine that does ten other things besides.
const SOON: Duration = Duration::from_secs(25);

/// A container in which a step is in its middle.
struct Amid {
    contained: Contained,
    place: Place,
    id: AttemptId,
    count: PathBuf,
    _folder: TempDir,
}

impl Amid {
    async fn on(engine: &'static Dockerd, options: &[&str], program: &[&str]) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let contained = Contained::with(engine, Image::Host, &[folder.path()], options, program)?;
        let place = place(engine, &contained, folder.path());
        let count = place.folder.path().join("count");
        let id = place.launch(counting_step(&count, LINES, "0.05")).await;
        place.wait_for(id, "line 3\n").await;
        Some(Self { contained, place, id, count, _folder: folder })
    }

    async fn shared() -> Option<Self> {
        Self::on(Dockerd::shared()?, &["--stop-timeout", "1"], &[]).await
    }

    /// The sentence that says what is known. The step was in its middle and ran once, as far as it came; nothing of ours is left.
    async fn told(&self, what: &str) -> String {
        let begun = Instant::now();
        let found = self.place.inspect_end(self.id).await;
        let Inspection::Interrupted { reason } = found else { panic!("{what}: {found:?}") };
        assert!(begun.elapsed() < SOON, "{what}: told after {:?}", begun.elapsed());
        assert!(reason.ends_with("What the step has done is not known."), "{what}: {reason}");
        assert_ran_in_part(&self.count, what);
        let output = std::fs::read_to_string(self.place.engine.folder(&self.id).join("out.log")).unwrap();
        assert!(output.starts_with("begun\nline 1\nline 2\nline 3\n"), "{what}: the last output stays: {output}");
        assert_nobody_is_left(&self.place, self.id, &self.contained).await;
        reason
    }
}

/// Each line once, in order, and not all of them.
fn assert_ran_in_part(count: &Path, what: &str) {
    let counted = std::fs::read_to_string(count).unwrap();
    let lines = counted.lines().count();
    let numbers: Vec<String> = (1..=lines).map(|number| number.to_string()).collect();
    assert!((3..LINES).contains(&lines), "{what}: {lines} lines");
    assert_eq!(counted, numbers.join("\n") + "\n", "{what}: each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_removed_under_a_step_is_named() {
    let Some(amid) = Amid::shared().await else { return };

    amid.contained.remove();

    let reason = amid.told("removed").await;
    assert!(reason.contains(&format!("{} is not there, or does not run", amid.contained.name())), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_stopped_or_whose_first_process_is_killed_is_named() {
    let Some(stopped) = Amid::shared().await else { return };
    stopped.contained.stop();
    let reason = stopped.told("stopped").await;
    assert!(reason.contains("is not there, or does not run"), "{reason}");

    let Some(killed) = Amid::shared().await else { return };
    killed.contained.kill_first();
    let reason = killed.told("killed").await;
    assert!(reason.contains("is not there, or does not run"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_made_anew_under_a_step_is_not_taken_for_the_old_one() {
    let Some(amid) = Amid::shared().await else { return };

    amid.contained.make_anew();

    let reason = amid.told("made anew").await;
    assert!(reason.contains("made anew") || reason.contains("is not there, or does not run"), "{reason}");
    assert_eq!(amid.contained.programs(), ["sleep infinity"], "nothing runs in the new one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_not_said_to_have_never_begun_because_its_shim_and_its_container_are_gone() {
    let Some(amid) = Amid::shared().await else { return };
    kill_shim(&amid.place, amid.id).await;

    amid.contained.make_anew();
    amid.place.engine.resume(amid.place.intent(amid.id), Vec::new(), false).await.unwrap();

    let reason = amid.told("made anew without a shim").await;
    assert!(reason.contains("made anew"), "{reason}");
    let record = std::fs::read_to_string(amid.place.engine.folder(&amid.id).join("exit.json")).unwrap();
    assert!(!record.contains("another process"), "nobody is accused: {record}");
    let marks = amid.place.engine.marks(&amid.place.intent(amid.id), 0).unwrap();
    assert!(
        matches!(marks[..], [Mark::Started { .. }, Mark::Ended { .. }, Mark::Started { command: 2, .. }]),
        "{marks:?}"
    );
}

/// A container that was started again numbers its processes from 1 again. Those in its second life take the numbers of the step.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_have_the_numbers_of_a_step_in_a_container_that_was_started_again_are_let_alone() {
    let Some(engine) = Dockerd::shared() else { return };
    let crowd = "[ ! -e /again ] || for i in $(seq 120); do sleep 4711 & done; : >/again; sleep infinity & wait $!";
    let Some(amid) = Amid::on(engine, &["--restart", "always"], &["sh", "-c", crowd]).await else { return };

    amid.contained.kill_first();
    // Whoever wants it to stop now reaches nobody who is not the step's.
    let _ = amid.place.engine.stop(&amid.id).await;

    let reason = amid.told("started again").await;
    assert!(reason.contains("was ended there") || reason.contains("is not there, or does not run"), "{reason}");
    let alive = amid.contained.programs();
    assert_eq!(alive.iter().filter(|program| *program == "sleep 4711").count(), 120, "{alive:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_whose_containers_end_with_it_leaves_a_step_unknown_however_they_come_back() {
    let Some(engine) = Dockerd::start(&[]) else { return };
    let engine: &'static Dockerd = Box::leak(Box::new(engine));
    let Some(by_policy) = Amid::on(engine, &["--stop-timeout", "1", "--restart", "always"], &[]).await else { return };
    let Some(by_hand) = Amid::on(engine, &["--stop-timeout", "1"], &[]).await else { return };
    let Some(never) = Amid::on(engine, &["--stop-timeout", "1"], &[]).await else { return };

    engine.stop();
    engine.start_again();
    by_hand.contained.start_again();

    let ended = |reason: &str| reason.contains("was ended there") || reason.contains("is not there, or does not run");
    for (amid, what) in [(&by_policy, "by policy"), (&by_hand, "by hand")] {
        let reason = amid.told(what).await;
        assert!(ended(&reason), "{what}: {reason}");
    }
    let reason = never.told("never again").await;
    assert!(reason.contains("is not there, or does not run"), "{reason}");
}
