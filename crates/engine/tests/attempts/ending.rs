//! How attempts end that do not end by themselves, and what they leave behind.

use std::time::{Duration, Instant};

use domain::attempt::{AttemptResult, Mark, Outcome};
use engine::{Ladder, SteerError};

use crate::harness::{Finished, Place, Step, lives, unique};
use crate::sites::Site;

at_every_target! {
    a_background_job_is_named_and_ended_with_its_step,
    what_ends_by_itself_a_moment_after_the_shell_is_not_disturbed,
    a_step_is_stopped_by_an_interrupt,
    a_step_that_ignores_the_interrupt_is_terminated_and_one_that_ignores_that_is_killed,
    a_shell_that_is_deaf_itself_is_stopped_too,
    a_storm_of_processes_is_stopped_whole,
    a_watch_that_was_ended_lets_the_next_command_go_on,
    a_watch_that_is_deaf_is_ended_all_the_same_and_the_next_command_goes_on,
    only_a_watch_can_be_ended_as_one,
    a_step_whose_time_is_up_is_stopped,
    a_step_can_be_stopped_in_the_very_moment_of_its_start,
    nothing_that_a_step_has_started_is_left_when_it_is_stopped,
    a_step_ends_within_two_seconds_of_its_shell_and_says_what_still_held_its_output,
}

/// Whether something was named as left behind. Under load that may be a `sh` which has not become its `sleep` yet.
fn names_what_it_held(end: &Finished) -> bool {
    end.exit.held.iter().any(|title| title.contains(" (pid "))
}

async fn a_background_job_is_named_and_ended_with_its_step(site: &Site) {
    let place = site.place();
    let sleeper = unique("7101");
    let jobs = [
        "sleep 7101 & true",
        "nohup sleep 7101 >/dev/null 2>&1 & true",
        "setsid sleep 7101 & true",
        "(setsid sh -c 'sleep 7101 & exec sleep 7101' &) ; true",
        "(trap '' TERM HUP INT; exec sleep 7101) & true",
    ];
    for script in jobs.map(|job| job.replace("7101", &sleeper)) {
        let script = script.as_str();
        for step in [Step::new(&[script]), Step::new(&[script]).pipes()] {
            let begun = Instant::now();
            let end = place.run(step).await;

            assert_eq!(*end.result(), AttemptResult::Completed, "{script}");
            assert!(names_what_it_held(&end), "{script}: {:?}", end.exit.held);
            assert!(end.exit.survivors.is_empty(), "{script}");
            assert!(!lives(&sleeper), "{script}");
            assert!(begun.elapsed() < Duration::from_secs(4) + site.way(), "{script}");
        }
    }
}

async fn what_ends_by_itself_a_moment_after_the_shell_is_not_disturbed(site: &Site) {
    let place = site.place();
    let end = place.run(Step::new(&["exec > >(cat; echo last words)", "echo words"]).pipes()).await;

    assert_eq!(end.text(), "words\nlast words\n");
    assert!(end.exit.held.is_empty(), "{:?}", end.exit.held);
}

async fn a_step_is_stopped_by_an_interrupt(site: &Site) {
    let place = site.place();
    let sleeper = unique("7102");
    let script = format!("sh -c 'echo ready; exec sleep {sleeper}'; echo never");
    for (shell, step) in Step::new(&[&script, "echo never"]).everywhere() {
        let id = place.launch(step).await;
        place.wait_for(id, "ready").await;

        place.engine.stop(&id).await.unwrap();

        let end = place.end(id).await;
        assert_eq!(*end.result(), AttemptResult::Stopped, "{shell}");
        assert_eq!((end.outcome(1), end.command(1).code), (Outcome::Stopped, Some(130)), "{shell}");
        assert_eq!(end.text(), "ready\n", "{shell}");
        assert!(!lives(&sleeper), "{shell}");
    }
}

/// Of this machine alone: what the portal ignores is inherited by no other machine.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_can_be_interrupted_although_the_portal_was_started_in_the_background() {
    let place = Place::behind("trap '' INT QUIT HUP TERM");
    let id = place.launch(Step::new(&["echo ready; exec sleep 7102.9", "echo never"])).await;
    place.wait_for(id, "ready").await;

    place.engine.stop(&id).await.unwrap();

    let end = place.end(id).await;
    assert_eq!(*end.result(), AttemptResult::Stopped);
    assert_eq!(end.command(1).code, Some(130));
}

/// Blocks SIGTERM, sends it to itself, and becomes the shim, for which it waits from then on: it comes at the one moment at which
/// the shim blocks nothing.
const WITH_A_SIGNAL_THAT_WAITS: &str =
    "use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM)); kill TERM => $$; exec @ARGV";

/// Of this machine alone: the shim starts the shell itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_comes_at_the_moment_of_the_shells_start_stops_the_step_and_ends_nobody() {
    let shim = env!("CARGO_BIN_EXE_portal-shim");
    let place = Place::behind(&format!("exec perl -e '{WITH_A_SIGNAL_THAT_WAITS}' '{shim}' \"$@\""));
    for step in [Step::new(&["sleep 7107.1; echo never"]), Step::new(&["sleep 7107.1; echo never"]).pipes()] {
        let end = place.run(step).await;

        assert_eq!(*end.result(), AttemptResult::Stopped);
        assert_eq!(end.text(), "");
        assert!(!lives("7107.1"));
    }
}

async fn a_step_that_ignores_the_interrupt_is_terminated_and_one_that_ignores_that_is_killed(site: &Site) {
    let place = site.place();
    let deaf = "sh -c 'trap \"\" INT; trap \"echo terminated; exit 9\" TERM; echo ready; while :; do sleep 0.02; done'";
    let stubborn = "sh -c 'trap \"\" INT TERM; echo ready; while :; do sleep 0.02; done'";
    for step in [Step::new(&[deaf]), Step::new(&[deaf]).pipes()] {
        let id = place.launch(step).await;
        place.wait_for(id, "ready").await;
        place.engine.stop(&id).await.unwrap();

        let end = place.end(id).await;

        assert_eq!(*end.result(), AttemptResult::Stopped);
        assert!(end.text().ends_with("terminated\n"), "{}", end.text());
        assert_eq!(end.command(1).code, Some(9));
    }
    for step in [Step::new(&[stubborn]), Step::new(&[stubborn]).pipes()] {
        let id = place.launch(step).await;
        place.wait_for(id, "ready").await;
        let begun = Instant::now();
        place.engine.stop(&id).await.unwrap();

        let end = place.end(id).await;

        assert_eq!(*end.result(), AttemptResult::Stopped);
        let rungs = Duration::from_millis(site.ladder().interrupt_ms + site.ladder().terminate_ms);
        assert!(begun.elapsed() >= rungs && begun.elapsed() < rungs + Duration::from_millis(2_700) + site.way());
        assert!(end.exit.survivors.is_empty());
    }
}

async fn a_shell_that_is_deaf_itself_is_stopped_too(site: &Site) {
    let place = site.place();
    for (shell, step) in Step::new(&["trap '' INT TERM; echo ready; while :; do sleep 0.02; done"]).everywhere() {
        let id = place.launch(step).await;
        place.wait_for(id, "ready").await;

        place.engine.stop(&id).await.unwrap();

        assert_eq!(*place.end(id).await.result(), AttemptResult::Stopped, "{shell}");
    }
}

async fn a_storm_of_processes_is_stopped_whole(site: &Site) {
    let place = site.place();
    let sleeper = unique("7103");
    let storm =
        "echo ready; for i in $(seq 40); do setsid sh -c 'trap \"\" INT TERM HUP; sleep 7103 & wait' & done; wait";
    let id = place.launch(Step::new(&[&storm.replace("7103", &sleeper)])).await;
    place.wait_for(id, "ready").await;

    place.engine.stop(&id).await.unwrap();

    let end = place.end(id).await;
    assert_eq!(*end.result(), AttemptResult::Stopped);
    assert!(end.exit.survivors.is_empty());
    assert!(!lives(&sleeper));
}

async fn a_watch_that_was_ended_lets_the_next_command_go_on(site: &Site) {
    let place = site.place();
    let watches = [
        "sh -c 'echo ready; exec tail -f /dev/null'",
        "echo ready; while true; do sleep 0.02; done",
        "while :; do echo ready; for i in 1 2; do sleep 0.02; done; done; echo never",
        "echo ready; while :; do :; done",
    ];
    for script in watches {
        for (shell, step) in Step::new(&[script, "echo next"]).watch(1).everywhere() {
            let id = place.launch(step).await;
            place.wait_for(id, "ready").await;

            place.engine.end_watch(&id, 1).await.unwrap();

            let end = place.end(id).await;
            assert_eq!(end.outcome(1), Outcome::Watched, "{script} in {shell}");
            assert_eq!(end.command(1).code, Some(130), "{script} in {shell}");
            assert_eq!(end.printed(2), "next\n", "{script} in {shell}");
            assert_eq!(*end.result(), AttemptResult::Completed, "{script} in {shell}");
        }
    }
}

async fn a_watch_that_is_deaf_is_ended_all_the_same_and_the_next_command_goes_on(site: &Site) {
    let place = site.place();
    let script = "sh -c 'trap \"\" INT TERM; echo ready; while :; do sleep 0.02; done'";
    let id = place.launch(Step::new(&[script, "echo next"]).watch(1)).await;
    place.wait_for(id, "ready").await;

    place.engine.end_watch(&id, 1).await.unwrap();

    let end = place.end(id).await;
    assert_eq!((end.outcome(1), end.outcome(2)), (Outcome::Watched, Outcome::Success));
}

async fn only_a_watch_can_be_ended_as_one(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; sleep 60"])).await;
    place.wait_for(id, "ready").await;

    let refusal = place.engine.end_watch(&id, 1).await.unwrap_err();

    assert!(matches!(refusal, SteerError::Refused(sentence) if sentence.starts_with("This watch does not run now.")));
    place.engine.stop(&id).await.unwrap();
    place.end(id).await;
    place.gone(id).await;
    assert!(matches!(place.engine.stop(&id).await, Err(SteerError::Gone)));
}

async fn a_step_whose_time_is_up_is_stopped(site: &Site) {
    let place = site.place();
    for step in [Step::new(&["sleep 60", "echo never"]), Step::new(&["sleep 60"]).pipes()] {
        let end = place.run(step.timeout(1000)).await;

        assert_eq!(*end.result(), AttemptResult::TimedOut);
        assert_eq!(end.command(1).explanation.as_deref(), Some("Its time was up."));
        assert_eq!(end.text(), "");
    }
}

async fn a_step_can_be_stopped_in_the_very_moment_of_its_start(site: &Site) {
    let place = site.place_with(Ladder { interrupt_ms: 20_000, terminate_ms: 20_000, held_ms: 100 });
    for _ in 0..8 {
        let id = place.launch(Step::new(&["sleep 60"])).await;
        while matches!(place.engine.stop(&id).await, Err(SteerError::Gone)) {
            assert_eq!(place.engine.inspect(&place.intent(id)).unwrap(), engine::Inspection::Running);
            tokio::task::yield_now().await;
        }

        let begun = Instant::now();
        assert_eq!(*place.end(id).await.result(), AttemptResult::Stopped);
        assert!(begun.elapsed() < Duration::from_secs(1) + site.way());
    }
}

async fn nothing_that_a_step_has_started_is_left_when_it_is_stopped(site: &Site) {
    let place = site.place();
    let sleeper = unique("7105");
    let deaf = format!("sh -c \"trap '' INT TERM HUP; exec sleep {sleeper}\"");
    let scripts = [
        format!("setsid {deaf} & echo ready; wait"),
        format!("(setsid sh -c '(exec sleep {sleeper} &) ; exec sleep {sleeper}' &); echo ready; sleep 60"),
        format!("nohup {deaf} >/dev/null 2>&1 & echo ready; wait"),
        format!("echo ready; {deaf}"),
        // A grandchild in a session of its own that holds the terminal open.
        format!("(setsid setsid {deaf} </dev/tty >/dev/tty 2>&1 &); echo ready; sleep 60"),
        format!(
            "bomb() {{ [ $1 -eq 0 ] || {{ bomb $(($1-1)) & bomb $(($1-1)) & }}; exec sleep {sleeper}; }}; \
                 echo ready; trap '' TERM; bomb 6 & wait"
        ),
    ];
    for script in scripts {
        for step in [Step::new(&[&script, "echo never"]), Step::new(&[&script, "echo never"]).pipes()] {
            let id = place.launch(step).await;
            place.wait_for(id, "ready").await;

            let end = place.stop(id).await;

            assert_eq!(*end.result(), AttemptResult::Stopped, "{script}");
            assert!(end.exit.survivors.is_empty(), "{script}: {:?}", end.exit.survivors);
            assert!(!lives(&sleeper), "{script}");
            assert!(!end.text().contains("never"), "{script}");
        }
    }
}

async fn a_step_ends_within_two_seconds_of_its_shell_and_says_what_still_held_its_output(site: &Site) {
    let place = site.place_with(Ladder::default());
    let sleeper = unique("7106");
    let script = format!("(trap '' TERM HUP INT; exec sleep {sleeper}) & (exit 3)");
    for step in [Step::new(&[&script]), Step::new(&[&script]).pipes()] {
        let end = place.run(step).await;

        assert_eq!((end.result(), end.command(1).code), (&AttemptResult::Failed { command: 1 }, Some(3)));
        assert!(names_what_it_held(&end), "{:?}", end.exit.held);
        let ended = end.marks.iter().find_map(|mark| match mark {
            Mark::Ended { at, .. } => Some(*at),
            Mark::Started { .. } => None,
        });
        let within = 2_000 + i64::try_from(site.way().as_millis()).unwrap();
        assert!(end.exit.at - ended.unwrap() < within, "{ended:?} {}", end.exit.at);
        assert!(!lives(&sleeper));
    }
}
