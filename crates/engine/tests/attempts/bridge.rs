//! The bridge into containers, on a real engine: what goes in, what comes out, and how it ends.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use domain::target::{Container, Which};
use testkit::rig::{Contained, Dockerd, Image};

/// The bridge with a program for a container.
fn bridge(engine: &Dockerd, target: &Container, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portal-shim"));
    command.env("DOCKER_HOST", engine.host()).arg("__exec").arg(serde_json::to_string(target).unwrap()).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(container: &Contained, script: &str) -> Output {
    bridge(container.engine(), &container.target(), &["sh", "-c", script]).output().unwrap()
}

fn small() -> Option<Contained> {
    Contained::start(Image::Busybox, &[])
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The sentence with which nothing was run.
fn refusal(engine: &Dockerd, target: &Container) -> String {
    let output = bridge(engine, target, &["sh", "-c", "echo ran"]).output().unwrap();
    let sentence = said(&output.stderr).trim_end().to_owned();
    let code =
        if sentence.contains("is not there, or does not run") { ::engine::exec::GONE } else { engine::exec::NOT_DONE };
    assert_eq!((output.status.code(), said(&output.stdout).as_str()), (Some(code.into()), ""), "{sentence}");
    sentence
}

#[test]
fn output_errors_and_the_exit_code_are_the_programs_own() {
    let Some(container) = small() else { return };

    let output = run(&container, "echo out; echo err >&2; printf 'no newline'; exit 7");

    assert_eq!((said(&output.stdout).as_str(), said(&output.stderr).as_str()), ("out\nno newline", "err\n"));
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(run(&container, "kill -9 $$").status.code(), Some(137));
}

#[test]
fn the_words_arrive_as_they_are_and_the_user_is_the_one_of_the_target() {
    let Some(container) = small() else { return };
    let target = Container { user: Some("65534:65534".to_owned()), ..container.target() };
    let script = "printf '<%s>' \"$@\"; id -u";

    let output =
        bridge(container.engine(), &target, &["sh", "-c", script, "sh", "", "a b", "ä\"'$x\n"]).output().unwrap();

    assert_eq!(said(&output.stdout), "<><a b><ä\"'$x\n>65534\n");
}

#[test]
fn megabytes_pass_both_ways_at_once_and_the_end_of_input_arrives() {
    let Some(container) = small() else { return };
    let all: Vec<u8> = (0..=255_u8).cycle().take(20 << 20).collect();
    let mut child = bridge(container.engine(), &container.target(), &["cat"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sent = all.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());

    let output = child.wait_with_output().unwrap();

    writer.join().unwrap();
    assert!(output.stdout == all, "{} of {} bytes: {}", output.stdout.len(), all.len(), said(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_was_printed_comes_at_once_also_half_a_line() {
    let Some(container) = small() else { return };
    let script = "printf half; read -r line; printf \"<$line>\"";
    let mut child =
        bridge(container.engine(), &container.target(), &["sh", "-c", script]).stdin(Stdio::piped()).spawn().unwrap();
    let mut half = [0; 4];
    child.stdout.as_mut().unwrap().read_exact(&mut half).unwrap();

    child.stdin.as_mut().unwrap().write_all(b"line\n").unwrap();

    // The standard input stays open: the end of the program is enough.
    let mut rest = String::new();
    child.stdout.as_mut().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!((&half, rest.as_str(), child.wait().unwrap().code()), (b"half", "<line>", Some(0)));
}

#[test]
fn a_reader_that_does_not_read_halts_the_program_and_fills_no_memory() {
    let Some(container) = small() else { return };
    let script = "i=0; while [ $i -lt 200 ]; do head -c 1000000 /dev/zero; i=$((i + 1)); echo $i >/count; done";
    let mut child = bridge(container.engine(), &container.target(), &["sh", "-c", script]).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 1]).unwrap();
    let count = || said(&run(&container, "cat /count").stdout);

    // It stands still when two looks one after the other find the same.
    let (mut before, mut now) = (String::new(), count());
    while now.is_empty() || before != now {
        std::mem::swap(&mut before, &mut now);
        now = count();
    }
    let memory = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = memory.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(now.trim().parse::<u32>().unwrap() < 100, "{now}");
    assert!(peak < 64 << 10, "{peak} KiB");

    let rest = std::io::copy(&mut output, &mut std::io::sink()).unwrap();
    assert_eq!((rest, child.wait().unwrap().code()), (200_000_000 - 1, Some(0)));
}

#[test]
fn a_background_child_that_holds_the_output_does_not_keep_the_bridge() {
    let Some(container) = small() else { return };
    let begun = Instant::now();

    let output = run(&container, "echo one; (sleep 120; echo never) & exit 3");

    assert_eq!((said(&output.stdout).as_str(), output.status.code()), ("one\n", Some(3)));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Longer than a request may take: what streams is no request that waits.
#[test]
fn a_program_may_be_silent_for_as_long_as_it_likes() {
    let Some(container) = small() else { return };

    let output = run(&container, "sleep 17; echo done");

    assert_eq!((said(&output.stdout).as_str(), said(&output.stderr).as_str()), ("done\n", ""));
}

#[test]
fn the_one_running_container_is_found_by_name_id_label_and_service() {
    let labels = ["com.docker.compose.project=shop", "com.docker.compose.service=api", "role=bridge-test"];
    let Some(container) = Contained::labelled(Image::Busybox, &[], &labels) else { return };
    let engine = container.engine();
    let id = engine.client(&["inspect", "-f", "{{.Id}}", container.name()]);
    let service = |service: &str| Which::Service { project: "shop".to_owned(), service: service.to_owned() };
    let to = |which| Container { which, user: None };
    let label = to(Which::Label("role=bridge-test".to_owned()));
    let found =
        [Which::Name(id[..12].to_owned()), label.which.clone(), Which::Label("role".to_owned()), service("api")];

    for which in found.map(to) {
        let output = bridge(engine, &which, &["echo", "ran"]).output().unwrap();
        assert_eq!(said(&output.stdout), "ran\n", "{which:?}: {}", said(&output.stderr));
    }
    let absent = "The container of web in the project shop is not there, or does not run. Nothing was run in it.";
    assert_eq!(refusal(engine, &to(service("web"))), absent);

    let second = Contained::labelled(Image::Busybox, &[], &labels).unwrap();
    let mut names = [container.name(), second.name()];
    names.sort_unstable();
    let several = format!(
        "The container with the label role=bridge-test is not one: {} answer to that. Nothing was run; the target has to say which.",
        names.join(", ")
    );
    assert_eq!(refusal(engine, &label), several);

    second.stop();
    assert_eq!(said(&bridge(engine, &label, &["echo", "one again"]).output().unwrap().stdout), "one again\n");
    let stopped = format!("The container {} is not there, or does not run. Nothing was run in it.", second.name());
    assert_eq!(refusal(engine, &second.target()), stopped);
}

#[test]
fn what_cannot_be_started_says_so_and_has_a_code_of_its_own() {
    let Some(container) = small() else { return };

    let output = bridge(container.engine(), &container.target(), &["no-such-program"]).output().unwrap();
    let sentence = said(&output.stderr);
    assert_eq!((output.status.code(), said(&output.stdout).as_str()), (Some(125), ""), "{sentence}");
    assert!(
        sentence.starts_with("The program was not started in the container: ") && sentence.contains("no-such-program"),
        "{sentence}"
    );

    let forged = "OCI runtime exec failed: so it seems";
    let output = run(&container, &format!("echo '{forged}'; exit 126"));
    assert_eq!((said(&output.stdout), output.status.code()), (format!("{forged}\n"), Some(126)));
}

#[test]
fn without_an_engine_nothing_is_run_and_the_reason_is_told() {
    let to = Container { which: Which::Name("api".to_owned()), user: None };
    let mut nowhere = Command::new(env!("CARGO_BIN_EXE_portal-shim"));
    nowhere.arg("__exec").arg(serde_json::to_string(&to).unwrap()).arg("true");

    let output = nowhere.env("DOCKER_HOST", "unix:///nowhere/docker.sock").output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(said(&output.stderr).contains("/nowhere/docker.sock"), "{}", said(&output.stderr));

    let output = nowhere.env("DOCKER_HOST", "tcp://127.0.0.1:1").output().unwrap();
    let start = "DOCKER_HOST says tcp://127.0.0.1:1, and the portal speaks to a Docker engine at a unix socket only.";
    assert!(said(&output.stderr).starts_with(start), "{}", said(&output.stderr));
}

#[test]
fn a_container_that_is_removed_under_a_program_ends_it_and_no_code_is_made_up() {
    let Some(container) = small() else { return };
    let mut child =
        bridge(container.engine(), &container.target(), &["sh", "-c", "echo ready; sleep 120"]).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();

    container.remove();

    let output = child.wait_with_output().unwrap();
    let sentence = said(&output.stderr);
    let is_told = output.status.code() == Some(137)
        || sentence.starts_with("The connection to the program in the container is lost: ");
    assert!(is_told, "{:?}: {sentence}", output.status);
}

#[test]
fn an_engine_that_goes_away_ends_the_bridge_and_is_named() {
    // Its own engine: the others' programs would end, too.
    let Some(engine) = Dockerd::start(&["--live-restore"]) else { return };
    let engine: &'static Dockerd = Box::leak(Box::new(engine));
    let container = Contained::on(engine, Image::Busybox, &[], &[]).unwrap();
    let mut child = bridge(engine, &container.target(), &["sh", "-c", "echo ready; sleep 120"]).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();

    engine.kill();

    let output = child.wait_with_output().unwrap();
    let sentence = said(&output.stderr);
    assert_eq!(output.status.code(), Some(::engine::exec::LOST.into()), "{sentence}");
    assert!(sentence.starts_with("The connection to the program in the container is lost: "), "{sentence}");

    engine.start_again();
    assert_eq!(said(&run(&container, "echo still there").stdout), "still there\n");
}
