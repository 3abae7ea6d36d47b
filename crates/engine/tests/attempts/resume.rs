//! The shim of a step at a target dies: another one follows the step, and nothing runs twice.

use std::path::Path;

use domain::AttemptId;
use domain::attempt::AttemptResult;
use engine::{Inspection, Secret};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Place, Step};
use crate::sites::Site;

/// `PORTAL_RESUMES` says how many shims are killed (3 unless it is set).
fn resumes() -> u32 {
    testkit::times("PORTAL_RESUMES", 3)
}

fn secret() -> Secret {
    Secret { name: "TOKEN".to_owned(), value: "correct-horse-battery".to_owned(), used: true }
}

/// Prints lines with a secret in some of them, counts them in a file, and goes on in another command.
fn step(count: &Path) -> Step {
    let count = count.display();
    let script = format!(
        "for i in $(seq 40); do echo \"line $i $TOKEN\"; echo $i >>'{count}'; sleep 0.01; done; cd /var; (exit 7)"
    );
    Step::new(&["echo begun; export WHERE=there", &script]).secret("TOKEN", "1").exports(&["WHERE"])
}

fn numbered(line: impl Fn(u32) -> String) -> String {
    (1..=40).fold(String::new(), |text, number| text + &line(number))
}

/// Kills the shim of an attempt. The kernel empties the words of a dying process a moment before it lets its lock go: it is gone when
/// both are.
pub async fn kill_shim(place: &Place, id: AttemptId) {
    let pid = rustix::process::Pid::from_raw(place.shim_of(id)).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    place.gone(id).await;
    place.inspect_end(id).await;
}

async fn a_step_whose_shim_is_killed_runs_once_and_its_record_is_whole(site: &Site) {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..resumes() {
        let place = site.place();
        let count = place.folder.path().join("count");
        let spec = place.spec(step(&count));
        place.start(&spec, vec![secret()]).await;
        let length = random.random_range(0..700);
        place.progress(spec.id, |progress| progress.length >= length || progress.done).await;
        if place.engine.inspect(&place.intent(spec.id)).unwrap() == Inspection::Running {
            kill_shim(&place, spec.id).await;
            // Its last deed may have been the record itself.
            if place.engine.is_abandoned(&place.intent(spec.id)).unwrap() {
                place.engine.resume(place.intent(spec.id), vec![secret()], false).await.unwrap();
            }
        }

        let end = place.end(spec.id).await;

        let lines = numbered(|number| format!("line {number} [secret TOKEN]\n"));
        assert_eq!(end.text(), format!("begun\n{lines}"));
        assert_eq!((end.result(), end.codes()), (&AttemptResult::Failed { command: 2 }, vec![Some(0), Some(7)]));
        assert_eq!(end.exit.directory.as_deref(), Some("/var"));
        assert_eq!(end.exit.exported.map(|exported| exported.names), Some(vec!["WHERE".to_owned()]));
        assert!(end.exit.notes.tampered.is_empty(), "{:?}", end.exit.notes.tampered);
        let counted = std::fs::read_to_string(&count).unwrap();
        assert_eq!(counted, numbered(|number| format!("{number}\n")), "each line once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_ssh_a_step_whose_shim_is_killed_runs_once_and_its_record_is_whole() {
    if let Some(site) = Site::ssh() {
        a_step_whose_shim_is_killed_runs_once_and_its_record_is_whole(&site).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_container_a_step_whose_shim_is_killed_runs_once_and_its_record_is_whole() {
    if let Some(site) = Site::container() {
        a_step_whose_shim_is_killed_runs_once_and_its_record_is_whole(&site).await;
    }
}
