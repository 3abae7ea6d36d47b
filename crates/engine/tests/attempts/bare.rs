//! Targets that have not what a step needs: a sentence says what, and nothing is half begun.

use domain::attempt::{AttemptResult, Mark};
use domain::target::{Container, Reach};
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;
use testkit::rig::{Contained, Dockerd, Image, Sshd};

use crate::daemon;
use crate::harness::{Place, Step, USUAL_LADDER};
use crate::sites::SHIM;

/// Why a step was not started. Nothing of it was run.
async fn refused(place: &Place) -> String {
    let ran = place.folder.path().join("ran");
    let step = Step::new(&[&format!("touch '{}'; echo ran", ran.display())]).shell(&["sh"]);
    let end = place.run(step).await;
    assert!(!ran.exists() && end.output.is_empty(), "{}", end.text());
    match end.result() {
        AttemptResult::NotStarted { reason } => reason.clone(),
        other => panic!("{other:?}"),
    }
}

/// A container that was started with some options, and why nothing can be run in it.
async fn refused_in(image: Image, options: &[&str], user: Option<&str>) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let engine = Dockerd::shared()?;
    let contained = Contained::with(engine, image, &[folder.path()], options, &[])?;
    let user = user.map(str::to_owned);
    let place = daemon::place_for(engine, Container { user, ..contained.target() }, folder.path());
    let reason = refused(&place).await;
    assert_eq!(contained.programs(), ["sleep infinity"], "nothing is left there");
    Some(reason)
}

/// Nothing of its file system can be written, nor does it have `/dev/shm`.
pub const READ_ONLY: [&str; 3] = ["--read-only", "--ipc", "none"];

#[tokio::test(flavor = "multi_thread")]
async fn a_container_without_a_shell_says_so() {
    let Some(reason) = refused_in(Image::Static, &[], None).await else { return };

    assert!(reason.starts_with("The program was not started in the container: "), "{reason}");
    assert!(reason.contains("\"sh\"") && reason.contains("not found"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_whom_the_container_does_not_know_is_named() {
    let Some(reason) = refused_in(Image::Busybox, &[], Some("no-such-user")).await else { return };

    assert!(reason.contains("no-such-user"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_in_which_no_folder_can_be_written_says_so() {
    let Some(reason) = refused_in(Image::Host, &READ_ONLY, None).await else { return };

    assert!(reason.starts_with("The target has no folder in which the step could be kept: "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_whose_only_folder_is_full_says_so() {
    let options = [&READ_ONLY[..], &["--tmpfs", "/tmp:size=8k"]].concat();
    let Some(reason) = refused_in(Image::Host, &options, None).await else { return };

    assert!(reason.starts_with("The target has no folder in which the step could be kept: "), "{reason}");
    assert!(reason.contains("room for 64 KiB"), "{reason}");
}

/// A machine whose sessions see a file system of their own, and a place for steps there. Outside of what they cannot write.
pub fn machine(before: &str) -> Option<(Sshd, Place)> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can give a session a file system of its own");
        return None;
    }
    let sshd = Sshd::start()?;
    sshd.before_sessions(before);
    let folder = TempDir::new_in("/run").unwrap();
    let place = Place::at(Reach::Ssh(sshd.target()), folder, SHIM.into(), USUAL_LADDER);
    Some((sshd, place))
}

/// All folders in which a step could be kept, mounted in some way.
fn mounted(options: &str) -> String {
    format!("for f in \"$HOME\" /var/tmp /tmp /dev/shm; do mount -t tmpfs -o {options} none \"$f\"; done")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_on_which_no_folder_can_be_written_says_so() {
    let Some((_sshd, place)) = machine(&mounted("ro")) else { return };

    let reason = refused(&place).await;

    assert!(reason.starts_with("The target has no folder in which the step could be kept: "), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_disk_is_full_says_so() {
    let Some((_sshd, place)) = machine(&mounted("size=8k")) else { return };

    let reason = refused(&place).await;

    assert!(reason.starts_with("The target has no folder in which the step could be kept: "), "{reason}");
    assert!(reason.contains("room for 64 KiB"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_folder_is_taken_where_the_first_has_no_room() {
    let full = "mount -t tmpfs -o size=8k none \"$HOME\"";
    let Some((_sshd, place)) = machine(full) else { return };

    let end = place.run(Step::new(&["seq 20000"])).await;

    assert_eq!((end.result(), end.output.len()), (&AttemptResult::Completed, 108_894));
}

/// The target's clock counts for what its programs say, and for nothing that is recorded.
#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_a_step_do_not_come_from_a_clock_that_is_far_off() {
    let fake = "printf '#!/bin/sh\\necho 2001-01-01\\n' >/run/portal-date-$$; chmod 755 /run/portal-date-$$
mount --bind /run/portal-date-$$ \"$(readlink -f \"$(command -v date)\")\"; rm /run/portal-date-$$";
    let Some((_sshd, place)) = machine(fake) else { return };
    let before = now();

    let end = place.run(Step::new(&["date"])).await;

    let at = |mark: &Mark| match mark {
        Mark::Started { at, .. } | Mark::Ended { at, .. } => *at,
    };
    let times = [vec![before], end.marks.iter().map(at).collect(), vec![end.exit.at, now()]].concat();
    assert_eq!((end.text().as_str(), times.len()), ("2001-01-01\n", 5));
    assert!(times.is_sorted(), "{times:?}");
}

/// The time of this machine, in milliseconds.
fn now() -> i64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}
