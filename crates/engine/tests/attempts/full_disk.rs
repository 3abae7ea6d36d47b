//! What a step does on a disk that is full: it goes on, it can be stopped, and its record is written.
//!
//! The disk is a small one in memory, made for the test. Only root can make it; others are told that nothing was tested.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::attempt::{AttemptResult, Outcome};
use engine::{Engine, Inspection, Ladder, LaunchError, MasterKey};

use crate::harness::{Place, Step, lives, unique};

/// A disk of two megabytes, which goes with this value.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let made = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(at).output();
        if made.is_ok_and(|made| made.status.success()) {
            return Some(Self(at.to_owned()));
        }
        eprintln!("skipped: a small disk can be mounted by root alone");
        None
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        let mut piece = std::io::repeat(7).take(64 << 20);
        let error = std::io::copy(&mut piece, &mut file).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        while file.write(&[7]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A place whose attempts lie on a small disk.
fn small() -> Option<(Place, Disk)> {
    let mut place = Place::new();
    let disk = Disk::mount(&place.folder.path().join("small"))?;
    let shim = env!("CARGO_BIN_EXE_portal-shim").into();
    let ladder = Ladder { interrupt_ms: 150, terminate_ms: 150, held_ms: 100 };
    place.engine = Engine::with_ladder(disk.0.join("runs"), shim, MasterKey::new([7; 32]), ladder).unwrap();
    Some((place, disk))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_runs_when_the_disk_fills_up_can_be_stopped_and_is_recorded() {
    let Some((place, disk)) = small() else { return };
    let sleeper = unique("7301");
    let script = format!("echo ready; read -r go; sleep {sleeper} & seq 1 100000; read -r more");
    let id = place.launch(Step::new(&["true", &script, "echo never"])).await;
    place.wait_for(id, "ready").await;
    disk.fill();
    place.engine.input(&id, 2, "go".to_owned()).await.unwrap();
    let cut = place.progress(id, |progress| progress.cut.is_some() && progress.condition.waiting).await;
    assert!(cut.disk_full);

    let end = place.stop(id).await;

    assert_eq!(*end.result(), AttemptResult::Stopped);
    assert_eq!((end.codes().len(), end.outcome(2)), (2, Outcome::Stopped));
    assert!(!lives(&sleeper));
    assert_eq!((end.exit.cut, end.exit.notes.disk_full), (cut.cut, true));
    assert_eq!(end.exit.bytes + end.exit.dropped, "ready\n".len() as u64 + 588_895);
    assert!(end.text().starts_with("ready\n1\n2\n") || end.text() == "ready\n", "{}", end.text().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_on_a_full_disk_comes_to_its_own_end_with_every_mark() {
    let Some((place, disk)) = small() else { return };
    let commands: Vec<String> = (0..40).map(|number| format!("echo {number}")).collect();
    let scripts: Vec<&str> =
        ["echo ready; read -r go"].into_iter().chain(commands.iter().map(String::as_str)).collect();
    let id = place.launch(Step::new(&scripts)).await;
    place.wait_for(id, "ready").await;
    disk.fill();
    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();

    let end = place.end(id).await;

    assert_eq!(*end.result(), AttemptResult::Completed);
    assert_eq!(end.codes(), vec![Some(0); 41]);
    assert!(end.exit.notes.tampered.is_empty(), "{:?}", end.exit.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kept_end_of_an_output_that_finds_no_room_is_counted_as_left_out() {
    let Some((place, disk)) = small() else { return };
    // The head has its room by then; the tail is kept in a file of its own, and has to be appended in the end.
    let id = place.launch(Step::new(&["seq 1 50000; echo ready; read -r go"]).cap(400_000)).await;
    place.progress(id, |progress| progress.cut.is_some()).await;
    place.progress(id, |progress| progress.condition.waiting).await;
    disk.fill();
    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();

    let end = place.end(id).await;

    assert_eq!(*end.result(), AttemptResult::Completed);
    assert_eq!((end.exit.bytes, end.exit.cut, end.exit.notes.disk_full), (200_000, Some(200_000), true));
    assert_eq!(end.exit.dropped, 288_894 + 6 - 200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_on_a_full_disk_and_everything_again_when_there_is_room() {
    let Some((place, disk)) = small() else { return };
    place.run(Step::new(&["true"])).await;
    disk.fill();
    let spec = place.spec(Step::new(&["echo fine"]));

    let error = place.engine.launch(&spec).await.unwrap_err();

    assert!(matches!(error, LaunchError::Folder(_)), "{error:?}");
    assert_eq!(place.engine.inspect(&place.intent(spec.id)).unwrap(), Inspection::NeverStarted);
    disk.free();
    place.start(&spec, Vec::new()).await;
    assert_eq!(place.end(spec.id).await.text(), "fine\n");
}
