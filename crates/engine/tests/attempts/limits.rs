//! What a step may use of the machine.
//!
//! What holds a limit differs from machine to machine: these tests ask the record which it was, and hold it to that.

use domain::attempt::AttemptResult;

use crate::harness::{Finished, Place, Step, lives, unique};

fn whole(end: &Finished) -> bool {
    end.exit.notes.unenforced.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_without_limits_has_none_and_the_record_says_nothing_of_them() {
    let place = Place::new();
    let end = place.run(Step::new(&["for i in $(seq 60); do sleep 0.1 & done; wait"])).await;

    assert_eq!(*end.result(), AttemptResult::Completed);
    assert_eq!(*end.exit.notes, domain::attempt::Notes::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_processes_than_the_limit_are_not_started() {
    let place = Place::new();
    let sleeper = unique("7201");
    // Python gives up at once where a shell tries again for half a minute.
    let script = format!(
        "python3 -c 'import subprocess
started = []
try:
    for _ in range(40): started.append(subprocess.Popen([\"sleep\", \"{sleeper}\"]))
except OSError as error: print(type(error).__name__)
print(len(started) < 20)
for one in started: one.kill(); one.wait()'"
    );
    for step in [Step::new(&[&script]), Step::new(&[&script]).pipes()] {
        let end = place.run(step.processes(20)).await;

        assert!(!lives(&sleeper));
        if whole(&end) {
            assert_eq!(end.text(), "BlockingIOError\nTrue\n");
            let sentence =
                "The step reached its limit of 20 processes. What it tried to start beyond that was not started.";
            assert_eq!(end.exit.notes.limited, [sentence]);
        } else {
            assert!(end.exit.notes.unenforced[0].starts_with("No control group can limit the processes of the step"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn more_memory_than_the_limit_is_not_to_be_had() {
    let place = Place::new();
    let script = "python3 -c 'print(\"ready\", flush=True); x = bytearray(200 << 20); print(\"never\")'";
    let end = place.run(Step::new(&[script]).memory(64 << 20)).await;

    assert_eq!(*end.result(), AttemptResult::Failed { command: 1 });
    assert!(end.text().starts_with("ready\n") && !end.text().lines().any(|line| line == "never"), "{}", end.text());
    if whole(&end) {
        assert_eq!(end.command(1).code, Some(137));
        assert!(end.exit.notes.limited[0].starts_with("The step needed more memory than its limit of 67108864 bytes."));
    } else {
        assert!(end.exit.notes.unenforced[0].contains("the limit of each of its processes"));
    }
    assert_eq!(*place.run(Step::new(&["echo fine"]).memory(64 << 20)).await.result(), AttemptResult::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_bomb_stays_within_its_limit_and_is_stopped_whole() {
    let place = Place::new();
    let sleeper = unique("7202");
    // Bounded by itself as well: 511 of them, should nothing else hold it.
    let bomb = format!(
        "bomb() {{ [ \"$1\" -eq 0 ] || {{ bomb $(($1 - 1)) & bomb $(($1 - 1)) & }}; exec sleep {sleeper}; }}; \
         echo ready; (trap '' INT TERM; bomb 8) & wait"
    );
    let id = place.launch(Step::new(&[&bomb]).processes(100)).await;
    place.wait_for(id, "ready").await;

    let end = place.stop(id).await;

    assert_eq!(*end.result(), AttemptResult::Stopped);
    assert!(end.exit.survivors.is_empty(), "{:?}", end.exit.survivors);
    assert!(!lives(&sleeper));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_group_is_left_behind() {
    let place = Place::new();
    let token = "echo \"portal-$PORTAL_ATTEMPT\"";
    let end = place.run(Step::new(&[token]).processes(50).memory(1 << 30)).await;

    let name = end.text().trim().to_owned();
    assert!(name.len() > 30, "{name}");
    let found = std::process::Command::new("find").args(["/sys/fs/cgroup", "-name", &name]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}
