//! What a step can see of the portal: nothing.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use domain::attempt::{AttemptResult, Outcome};
use engine::Inspection;

use crate::harness::{Place, Step};

#[tokio::test(flavor = "multi_thread")]
async fn a_step_inherits_no_descriptor() {
    let place = Place::new();
    let file = std::fs::File::open("/dev/zero").unwrap();
    // Left open for children on purpose: not everything in a portal is as careful as the standard library.
    let leaked = rustix::io::dup(&file).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&leaked);

    let end =
        place.run(Step::new(&["ls -l /proc/self/fd /proc/$PPID/fd; true", "ls /proc/self/fd | tr '\\n' ' '"])).await;

    assert!(!end.text().contains("/dev/zero"), "{number}: {}", end.text());
    // Terminal three times, the feed and the marks of the driver, and the folder that `ls` itself reads.
    assert!(["0 1 2 3 8 9 ", "0 1 2 8 9 10 "].contains(&end.printed(2).as_str()), "{}", end.printed(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_no_place_where_a_step_could_read_it() {
    let place = Place::new();
    let step = Step::new(&[
        "tr '\\0' '\\n' < /proc/$PPID/cmdline; cat /proc/$PPID/environ; echo",
        "cd \"$(tr '\\0' '\\n' < /proc/$PPID/cmdline | sed -n 3p)\" && ls && ! grep -i 'k[e]y' -- *.json shim.log",
    ]);
    let spec = place.spec(step);
    place.start(&spec, Vec::new()).await;

    let end = place.end(spec.id).await;

    let lines: Vec<String> = end.text().lines().map(str::to_owned).collect();
    assert!(lines[0] == "runbook-portal" && lines[1] == "__shim", "{lines:?}");
    assert_eq!(lines[2], place.engine.folder(&spec.id).to_str().unwrap());
    assert!(lines[3].is_empty() || lines[3].contains("denied"), "{lines:?}");
    assert!(end.printed(2).contains("spec.json"), "the step has looked at the folder of its attempt: {}", end.text());
    assert_eq!(end.outcome(2), Outcome::Success, "and found no key there: {}", end.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_and_everything_in_it_belong_to_the_portal_alone() {
    let place = Place::new();
    let id = place.launch(Step::new(&["echo one; read -r go"])).await;
    place.wait_for(id, "one").await;
    let folder = place.engine.folder(&id);

    let mode = |path: &std::path::Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["out.log", "out.idx", "control.sock", "lock", "shim.log"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    place.engine.stop(&id).await.unwrap();
    let end = place.end(id).await;
    assert_eq!(std::fs::read_to_string(folder.join("shim.log")).unwrap(), "");
    assert_eq!(*end.result(), AttemptResult::Stopped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_the_step_is_not_heard_at_the_socket() {
    let place = Place::new();
    let speak = "python3 -c 'import socket,sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
try: s.sendall(b\"{\\\"do\\\":\\\"stop\\\"}\\n\"); print(\"answer\", s.recv(100))
except ConnectionError: print(\"answer\", b\"\")' \"$folder/control.sock\"";
    let mut spec = place.spec(Step::new(&["true"]));
    let folder = place.engine.folder(&spec.id);
    let other = place.spec(Step::new(&[speak]).variable("folder", folder.to_str().unwrap()));
    spec.work = other.work;
    spec.digest = other.digest;
    place.start(&spec, Vec::new()).await;

    let end = place.end(spec.id).await;

    assert_eq!(end.text(), "answer b''\n");
    assert_eq!(*end.result(), AttemptResult::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shim_cannot_be_looked_into() {
    let place = Place::new();
    let id = place.launch(Step::new(&["echo ready; read -r go"])).await;
    place.wait_for(id, "ready").await;
    let shim = place.shim_of(id);

    // A process that may not be dumped belongs to root in /proc, whoever runs it.
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{shim}/environ")).unwrap());
    assert_eq!(owner, 0);
    if rustix::process::geteuid().is_root() {
        // The same user is root here, and root may look anywhere: look as somebody else who would be it.
        let looked = Command::new("cat").arg(format!("/proc/{shim}/environ")).uid(65534).output().unwrap();
        assert!(!looked.status.success());
        eprintln!("skipped for the same user: the tests run as root, who may look into every process");
    } else {
        assert!(std::fs::read(format!("/proc/{shim}/environ")).is_err());
    }
    place.engine.stop(&id).await.unwrap();
    assert!(matches!(place.inspect_end(id).await, Inspection::Ended(_)));
}
