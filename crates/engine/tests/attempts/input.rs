//! What can be typed into a step, and how it is seen that somebody should.

use domain::AttemptId;
use domain::attempt::{AttemptResult, Outcome};
use engine::{Condition, Key, Secret, Steer, SteerError};

use crate::harness::{Place, Step};
use crate::sites::Site;

at_every_target! {
    input_is_refused_with_a_reason_where_nothing_can_take_it,
    an_answer_is_given_to_the_command_that_asked_and_to_no_other,
    a_line_is_one_line_without_control_characters_and_fits_a_terminal,
    what_is_typed_is_not_repeated_and_lies_in_no_file,
    the_full_keyboard_is_there_for_interactive_work_alone,
    a_secret_that_is_typed_key_by_key_and_shown_is_masked_all_the_same,
    ctrl_c_of_a_full_keyboard_ends_a_command_where_it_is_a_signal_and_is_named,
    what_a_program_asks_of_its_keys_is_seen_at_once,
    a_command_that_waits_for_an_answer_is_seen_to_wait,
    a_program_that_takes_single_keys_is_seen_to_do_so,
    a_command_that_works_in_silence_does_not_wait_and_its_silence_is_told,
    who_was_answered_is_not_said_to_wait_any_more,
    a_full_screen_program_takes_q_and_no_line,
    a_full_screen_program_is_ended_by_ctrl_c,
    a_program_that_takes_lines_gets_no_keys,
}

/// Why it was not typed.
async fn refusal(place: &Place, id: AttemptId, request: Steer) -> String {
    match place.engine.steer(&id, request).await {
        Err(SteerError::Refused(sentence)) => sentence,
        other => panic!("not refused: {other:?}"),
    }
}

fn line(command: u32, line: &str) -> Steer {
    Steer::Input { command, line: line.to_owned() }
}

async fn input_is_refused_with_a_reason_where_nothing_can_take_it(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; sleep 60"]).pipes()).await;
    place.wait_for(id, "ready").await;
    let reason = "This step runs without a terminal and takes no input. Nothing was typed.";
    for request in [line(1, "x"), Steer::Key { command: 1, key: Key::Quit }] {
        assert_eq!(refusal(&place, id, request).await, reason);
    }
    place.stop(id).await;
}

async fn an_answer_is_given_to_the_command_that_asked_and_to_no_other(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["true", "echo ready; read -r answer; echo \"<$answer>\""])).await;
    place.wait_for(id, "ready").await;

    for command in [0, 1, 3] {
        let reason = refusal(&place, id, line(command, "no")).await;
        assert_eq!(reason, "This command does not run now. Nothing was typed.");
    }
    place.engine.input(&id, 2, "ja, grüßen".to_owned()).await.unwrap();

    assert_eq!(place.end(id).await.text(), "ready\n<ja, grüßen>\n");
}

async fn a_line_is_one_line_without_control_characters_and_fits_a_terminal(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; read -r answer; echo ${#answer}"])).await;
    place.wait_for(id, "ready").await;

    for text in ["a\nb", "a\r", "\x03", "\x1b[A", "a\0", "\u{9b}A"] {
        let reason = refusal(&place, id, line(1, text)).await;
        assert_eq!(reason, "A line holds no control characters. Nothing was typed.", "{text:?}");
    }
    let reason = refusal(&place, id, line(1, &"x".repeat(4095))).await;
    assert_eq!(reason, "One line at a time, at most 4094 bytes. Nothing was typed.");
    place.engine.input(&id, 1, "x".repeat(4094)).await.unwrap();

    assert_eq!(place.end(id).await.text(), "ready\n4094\n");
}

async fn what_is_typed_is_not_repeated_and_lies_in_no_file(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; read -r answer; echo ${#answer}"])).await;
    place.wait_for(id, "ready").await;
    place.engine.input(&id, 1, "correct-horse-battery".to_owned()).await.unwrap();

    let end = place.end(id).await;

    assert_eq!(end.text(), "ready\n21\n");
    for entry in std::fs::read_dir(place.engine.folder(&id)).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("battery"), "{}", path.display());
    }
}

async fn the_full_keyboard_is_there_for_interactive_work_alone(site: &Site) {
    let place = site.place();
    let script = "echo ready; stty raw; head -c 3 | od -An -tx1";
    let keys = Steer::Keys { command: 1, bytes: b"\x1b[A".to_vec() };

    let id = place.launch(Step::new(&[script])).await;
    place.wait_for(id, "ready").await;
    assert!(refusal(&place, id, keys.clone()).await.starts_with("This step has no full keyboard:"));
    place.stop(id).await;

    let id = place.launch(Step::new(&[script]).interactive()).await;
    place.progress(id, |progress| progress.condition.raw).await;
    place.engine.steer(&id, keys).await.unwrap();
    assert_eq!(place.end(id).await.text(), "ready\n 1b 5b 41\n");
}

async fn a_secret_that_is_typed_key_by_key_and_shown_is_masked_all_the_same(site: &Site) {
    let place = site.place();
    let spec = place.spec(Step::new(&["stty echo; echo ready; head -n 1 >/dev/null"]).interactive());
    let value = "correct-horse-battery";
    let secret = Secret { name: "TOKEN".to_owned(), value: value.to_owned(), used: false };
    place.start(&spec, vec![secret]).await;
    place.wait_for(spec.id, "ready").await;

    for key in value.bytes().chain([b'\r']) {
        place.engine.keys(&spec.id, 1, vec![key]).await.unwrap();
    }

    let text = place.end(spec.id).await.text();
    assert!(text.starts_with("ready\n") && !text.contains("horse") && !text.contains("battery"), "{text}");
    assert!(text.len() > "ready\n\n".len(), "the terminal has shown that something was typed: {text}");
}

async fn ctrl_c_of_a_full_keyboard_ends_a_command_where_it_is_a_signal_and_is_named(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; sleep 60"]).interactive()).await;
    place.wait_for(id, "ready").await;

    place.engine.keys(&id, 1, vec![3]).await.unwrap();
    let end = place.end(id).await;
    assert_eq!(end.command(1).explanation.as_deref(), Some("the command was ended with Ctrl-C"));

    let id = place.launch(Step::new(&["stty raw; echo ready; head -c 1 >/dev/null; false"]).interactive()).await;
    place.progress(id, |progress| progress.condition.raw).await;
    place.engine.keys(&id, 1, vec![3]).await.unwrap();
    let end = place.end(id).await;
    assert_eq!((end.outcome(1), end.command(1).explanation.as_deref()), (Outcome::Failure, None));
}

async fn what_a_program_asks_of_its_keys_is_seen_at_once(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["printf '\\033[?1h'; read -r x; printf '\\033[?1l'; read -r x"])).await;

    place.progress(id, |progress| progress.condition.modes.application_cursor).await;
    place.engine.input(&id, 1, String::new()).await.unwrap();
    place.progress(id, |progress| !progress.condition.modes.application_cursor).await;

    place.stop(id).await;
}

/// Runs a command until it is seen in a condition, and says which. It is stopped then.
async fn seen(site: &Site, script: &str, is_meant: impl Fn(&Condition) -> bool) -> Condition {
    let place = site.place();
    let id = place.launch(Step::new(&["true", script])).await;
    let progress = place.progress(id, |progress| is_meant(&progress.condition)).await;
    place.stop(id).await;
    progress.condition
}

async fn a_command_that_waits_for_an_answer_is_seen_to_wait(site: &Site) {
    let lines = [
        "read -r x",
        "printf 'Password: '; read -rs x",
        "read -rt 60 x",
        "cat",
        "cat | cat",
        "sh -c 'head -n 1'",
        "dash -c 'read x'",
        "python3 -c 'input(\"Sure? \")'",
        // As programs in Go do, whose threads are all alike.
        "python3 -c 'import threading; threading.Thread(target=lambda: input(\"Sure? \")).start()'",
        "python3 -c 'import getpass; getpass.getpass()'",
        "python3 -c 'import select, sys; select.select([sys.stdin], [], [])'",
        "python3 -c 'import select; p = select.poll(); p.register(0, select.POLLIN); p.poll()'",
    ];
    let waits = lines.map(|script| async move { (script, seen(site, script, |condition| condition.waiting).await) });
    for (script, condition) in futures::future::join_all(waits).await {
        assert_eq!((condition.command, condition.waiting, condition.screen), (2, true, false), "{script}");
    }
}

/// Of this machine alone: it depends on who the portal is.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_another_user_that_asks_for_a_password_is_seen_to_wait() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may look into the programs of every user");
        return;
    }
    let condition = seen(&Site::local(), "su", |condition| condition.waiting).await;

    assert_eq!((condition.command, condition.screen), (2, false));
}

async fn a_program_that_takes_single_keys_is_seen_to_do_so(site: &Site) {
    for script in ["read -rn 1 x", "read -re x"] {
        let condition = seen(site, script, |condition| condition.waiting).await;

        assert_eq!((condition.raw, condition.screen), (true, false), "{script}");
    }
}

async fn a_command_that_works_in_silence_does_not_wait_and_its_silence_is_told(site: &Site) {
    let scripts = [
        "sleep 60",
        "sleep 60 | cat",
        "cat <(sleep 60)",
        "python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); s.listen(); s.accept()'",
        "python3 -c 'import select, sys, os; r, w = os.pipe(); select.select([sys.stdin, r], [], [])'",
        // A thread for whatever may be typed, and the program is busy.
        "python3 -c 'import sys, threading, time; threading.Thread(target=sys.stdin.read, daemon=True).start(); print(1); time.sleep(60)'",
        // A server that never answers: curl connects to a socket that it holds itself.
        "exec python3 -c 'import socket, os; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); s.listen(); s.set_inheritable(True); \
         os.execvp(\"curl\", [\"curl\", \"-s\", \"http://127.0.0.1:%d/\" % s.getsockname()[1]])'",
        "while :; do :; done",
    ];
    let silent = scripts
        .map(|script| async move { (script, seen(site, script, |condition| condition.silent_since.is_some()).await) });
    for (script, condition) in futures::future::join_all(silent).await {
        assert!(!condition.waiting && !condition.screen && !condition.raw, "{script}: {condition:?}");
    }
}

async fn who_was_answered_is_not_said_to_wait_any_more(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["read -r x; sleep 60"])).await;
    place.progress(id, |progress| progress.condition.waiting).await;

    place.engine.input(&id, 1, "go".to_owned()).await.unwrap();

    place.progress(id, |progress| !progress.condition.waiting).await;
    let later = place.progress(id, |progress| progress.condition.silent_since.is_some()).await;
    assert!(!later.condition.waiting);
    place.stop(id).await;
    let end = place.engine.follow(&place.intent(id)).unwrap().borrow().condition;
    assert_eq!(end, Condition::default());
}

async fn a_full_screen_program_takes_q_and_no_line(site: &Site) {
    for program in ["less /etc/services", "top -d 0.3", "seq 1 500 | less"] {
        let place = site.place();
        let id = place.launch(Step::new(&["true", program, "echo next"])).await;
        let progress = place.progress(id, |progress| progress.condition.screen && progress.condition.raw).await;
        assert_eq!(progress.condition.command, 2, "{program}");

        let reason = refusal(&place, id, line(2, "!sh")).await;
        assert!(reason.starts_with("A full-screen program runs: it takes the key q and Ctrl-C"), "{program}: {reason}");
        place.engine.key(&id, 2, Key::Quit).await.unwrap();

        let end = place.end(id).await;
        assert_eq!((end.outcome(2), end.printed(3).as_str()), (Outcome::Success, "next\n"), "{program}");
    }
}

async fn a_full_screen_program_is_ended_by_ctrl_c(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["watch -n 60 true"])).await;
    place.progress(id, |progress| progress.condition.screen).await;

    place.engine.key(&id, 1, Key::Interrupt).await.unwrap();

    let end = place.end(id).await;
    assert_eq!(end.command(1).explanation.as_deref(), Some("the command was ended with Ctrl-C"));
    assert_eq!(*end.result(), AttemptResult::Failed { command: 1 });
}

async fn a_program_that_takes_lines_gets_no_keys(site: &Site) {
    let place = site.place();
    let id = place.launch(Step::new(&["echo ready; read -r x"])).await;
    place.wait_for(id, "ready").await;

    for key in [Key::Quit, Key::Interrupt] {
        let reason = refusal(&place, id, Steer::Key { command: 1, key }).await;
        assert_eq!(reason, "No program that takes single keys runs now. Nothing was typed.");
    }
    place.stop(id).await;
}

/// Of this machine alone: elsewhere a step does not reach the folder of its attempt.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_a_step_writes_itself_is_not_believed() {
    let place = Place::new();
    let forge = "f=\"$folder/state\"; text=$(cat \"$f\"); new=${text/'waiting\\\":false'/'waiting\\\":true'}; \
                 [ \"$new\" != \"$text\" ] && printf '%s' \"$new\" >\"$f\" && echo forged; sleep 60";
    let mut spec = place.spec(Step::new(&["true"]));
    let folder = place.engine.folder(&spec.id);
    let other = place.spec(Step::new(&[forge]).variable("folder", folder.to_str().unwrap()));
    (spec.work, spec.digest) = (other.work, other.digest);
    place.start(&spec, Vec::new()).await;
    place.wait_for(spec.id, "forged").await;

    let told = place.progress(spec.id, |progress| progress.length > 0).await;

    assert!(!told.condition.waiting);
    place.stop(spec.id).await;
}
