//! The machinery does what the tests that stand on it believe.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::target::Ssh;
use testkit::rig::{Contained, Cut, Image, Process, Sshd, connected_to};

fn ssh(target: &Ssh, line: &str) -> Command {
    let mut command = Command::new("ssh");
    command.args(["-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]);
    command.args([
        "-o",
        &format!("UserKnownHostsFile={}", target.known_hosts),
        "-i",
        target.identity_file.as_ref().unwrap(),
    ]);
    command.args(["-p", &target.port.to_string(), &format!("{}@{}", target.user, target.host), line]);
    command
}

/// A program over ssh that has said its first line.
fn session(target: &Ssh, line: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = ssh(target, line).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    printed.read_line(&mut first).unwrap();
    assert_eq!(first, "ready\n");
    (child, printed)
}

#[test]
fn a_server_lets_in_with_its_own_key_and_can_be_stopped_and_started_on_its_port() {
    let Some(mut sshd) = Sshd::start() else { return };
    let printed = ssh(&sshd.target(), "echo \"$((6 * 7))\"").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&printed.stdout), "42\n", "{}", String::from_utf8_lossy(&printed.stderr));
    let (mut outlives, mut printed) = session(&sshd.target(), "echo ready; read -r go; echo \"<$go>\"");

    sshd.stop();
    assert_eq!(TcpStream::connect(sshd.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    outlives.stdin.take().unwrap().write_all(b"on\n").unwrap();
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), outlives.wait().unwrap().code()), ("<on>\n", Some(0)));

    sshd.start_again();
    assert!(ssh(&sshd.target(), "true").status().unwrap().success());
}

#[test]
fn sessions_end_with_the_server_where_that_is_asked_for() {
    let Some(mut sshd) = Sshd::start() else { return };
    let (mut before, _output) = session(&sshd.target(), "echo ready; cat");
    sshd.stop();
    sshd.start_again();
    let (mut after, _output) = session(&sshd.target(), "echo ready; cat");

    sshd.stop_with_sessions();

    assert_eq!([before.wait().unwrap().code(), after.wait().unwrap().code()], [Some(255); 2]);
}

/// Two ends of a connection through a network that has carried something already.
fn pair() -> (Cut, TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let cut = Cut::before(listener.local_addr().unwrap());
    let mut near = TcpStream::connect(cut.address()).unwrap();
    let mut far = listener.accept().unwrap().0;
    near.write_all(b"one").unwrap();
    let mut heard = [0; 3];
    far.read_exact(&mut heard).unwrap();
    assert_eq!((&heard, cut.bytes()), (b"one", 3));
    (cut, near, far)
}

#[test]
fn what_a_network_swallows_comes_when_it_passes_again() {
    let (cut, mut near, mut far) = pair();
    let mut heard = [0; 3];

    cut.swallow();
    near.write_all(b"two").unwrap();
    far.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(far.read(&mut heard).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(cut.bytes(), 3);

    cut.pass();
    far.set_read_timeout(None).unwrap();
    far.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"two");
    drop(near);
    assert_eq!(far.read(&mut heard).unwrap(), 0, "an end of file is carried, too");
}

#[test]
fn a_reset_is_seen_at_both_ends_also_where_nothing_passes() {
    for swallows in [false, true] {
        let (cut, mut near, mut far) = pair();
        if swallows {
            cut.swallow();
        }

        cut.reset();

        for (name, end) in [("near", &mut near), ("far", &mut far)] {
            let seen = end.read(&mut [0]).map_err(|error| error.kind());
            assert_eq!(seen, Err(ErrorKind::ConnectionReset), "{name}, swallows: {swallows}");
        }
    }
}

#[test]
fn who_is_connected_to_an_address_is_found() {
    let Some(sshd) = Sshd::start() else { return };
    let cut = Cut::before(sshd.address());
    let (mut client, _output) = session(&sshd.target_through(cut.address()), "echo ready; cat");

    let found = connected_to(cut.address());

    let client_id = i32::try_from(client.id()).unwrap();
    assert_eq!(found.iter().map(|process| process.pid).collect::<Vec<_>>(), [client_id]);
    assert_eq!(found[0].name, "ssh");
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(!found[0].lives() && connected_to(cut.address()).is_empty());
}

#[test]
fn a_container_has_the_programs_of_this_machine_or_one_shell_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "seen\n").unwrap();
    let file = folder.path().join("file").display().to_string();
    let run = |container: &Contained, words: &[&str]| {
        let words: Vec<&str> = ["exec", container.name()].into_iter().chain(words.iter().copied()).collect();
        container.engine().client(&words)
    };

    let Some(full) = Contained::start(Image::Host, &[folder.path()]) else { return };
    assert_eq!(
        run(&full, &["bash", "-c", "cat \"$1\"; script -qec 'tty -s && echo tty' /dev/null", "bash", &file]),
        "seen\ntty"
    );
    assert!(run(&full, &["ps", "-e"]).contains("sleep"));

    let Some(small) = Contained::start(Image::Busybox, &[folder.path()]) else { return };
    assert_eq!(
        run(
            &small,
            &["sh", "-c", "cat \"$1\"; for name in bash script ls; do command -v $name; done; true", "sh", &file]
        ),
        "seen\nls"
    );
}

#[test]
fn a_removed_container_takes_its_processes_with_it() {
    let Some(container) = Contained::start(Image::Busybox, &[]) else { return };
    let first: i32 = container.engine().client(&["inspect", "-f", "{{.State.Pid}}", container.name()]).parse().unwrap();
    let first = Process::look(first).unwrap();

    drop(container);

    assert!(!first.lives());
}
