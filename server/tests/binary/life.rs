//! From the start to the end of the process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use ureq::http::StatusCode;

use crate::browser::{Browser, lines, text};
use crate::process::{PROGRAM, Place, Served, refused_by, run};

#[test]
fn a_terminated_portal_ends_well_and_at_once_even_while_a_page_follows_a_run() {
    let place = Place::with_document();
    let mut portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let form = [("slug", "count-slowly"), ("target", ""), ("reason", ""), ("key", "one")];
    assert_eq!(browser.call("runs/start", &form).status(), StatusCode::OK);
    let cursor = [
        ("run", "1"),
        ("cursor[version]", "0"),
        ("cursor[step]", "0"),
        ("cursor[attempt]", "0"),
        ("cursor[offset]", "0"),
    ];
    let mut frames = lines(browser.call("runs/watch", &cursor));
    assert!(frames.next().unwrap().contains("\"hello\""));

    let began = Instant::now();
    portal.signal(Signal::TERM);
    let status = portal.wait();

    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // The stream ended, it was not cut in the middle of a frame.
    assert!(frames.all(|frame| frame.ends_with('}')));
}

#[test]
fn a_reader_that_does_not_read_does_not_hold_up_a_portal_that_stops() {
    use std::io::Write as _;
    let place = Place::empty();
    place.write("runbooks/much.md", "# Much\n\n## Steps\n\n1. **Print**\n\n   ```bash\n   seq 1 3000000\n   ```\n");
    let mut portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    browser.call("runs/start", &[("slug", "much"), ("target", ""), ("reason", ""), ("key", "one")]);
    browser.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1")]);
    let host = portal.address.strip_prefix("http://").unwrap().to_owned();
    let mut reader = std::net::TcpStream::connect(&host).unwrap();
    let cookie = browser.cookie().unwrap();
    write!(reader, "GET /runs/1/output/1/1?follow=1 HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n").unwrap();
    // The step has printed more than all buffers on the way hold.
    let stream = [
        ("run", "1"),
        ("cursor[version]", "0"),
        ("cursor[step]", "0"),
        ("cursor[attempt]", "0"),
        ("cursor[offset]", "0"),
    ];
    assert!(lines(browser.call("runs/watch", &stream)).any(|frame| frame.contains("attempt_ended")));

    let began = Instant::now();
    portal.signal(Signal::TERM);

    assert_eq!(portal.wait().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_step_that_is_stopped_as_soon_as_it_is_started_stops() {
    let place = Place::empty();
    place.write("runbooks/long.md", "# Long\n\n## Steps\n\n1. **Sleep**\n\n   ```bash\n   sleep 600\n   ```\n");
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);

    for run in ["1", "2", "3", "4", "5"] {
        browser.call("runs/start", &[("slug", "long"), ("target", ""), ("reason", ""), ("key", run)]);
        let form = [("run", run), ("step", "1"), ("attempt", "1"), ("commands", "1")];
        assert_eq!(browser.call("runs/run", &form).status(), StatusCode::OK);
        assert_eq!(browser.call("runs/stop", &form[..3]).status(), StatusCode::OK);

        let stream = [
            ("run", run),
            ("cursor[version]", "0"),
            ("cursor[step]", "0"),
            ("cursor[attempt]", "0"),
            ("cursor[offset]", "0"),
        ];
        let end = lines(browser.call("runs/watch", &stream)).find(|frame| frame.contains("attempt_ended")).unwrap();
        assert!(end.contains("\"result\":\"stopped\"") || end.contains("not_started"), "{end}");
    }
}

#[test]
fn an_interrupted_portal_ends_well() {
    let place = Place::with_document();
    let mut portal = Served::start(&place);

    portal.signal(Signal::INT);

    assert_eq!(portal.wait().code(), Some(0));
}

#[test]
fn machines_can_ask_whether_it_lives_and_can_work() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let machine = Browser::new(&portal.address);

    for path in ["/healthz", "/readyz"] {
        assert_eq!(machine.get(path).status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn the_link_of_the_console_works_once_and_is_gone_after_it() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let token = portal.token.clone().unwrap();
    Browser::set_up(&place, &portal);

    let form = [("token", token.as_str()), ("login", "eve"), ("name", "Eve"), ("password", crate::browser::PASSWORD)];
    let second = Browser::new(&portal.address).call("set-up", &form);

    assert_eq!(second.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(second).contains("was used"));
    drop(portal);
    assert!(Served::start(&place).token.is_none());
}

#[test]
fn a_session_outlives_the_portal() {
    let place = Place::with_document();
    let first = Served::start(&place);
    let browser = Browser::set_up(&place, &first);
    drop(first);

    let second = Served::start(&place);
    let page = browser.at(&second.address).get("/");

    assert_eq!(page.status(), StatusCode::OK);
}

#[test]
fn half_a_head_ends_its_connection_and_waiting_for_the_next_request_does_not() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut waiting = connection(&portal);
    assert!(asks(&mut waiting).starts_with("HTTP/1.1 "));
    let mut half = connection(&portal);

    half.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Half: ").unwrap();
    let began = Instant::now();
    let ended = half.read_to_end(&mut Vec::new());

    assert!(ended.is_ok(), "the portal ends the connection");
    assert!(began.elapsed() < Duration::from_secs(15));
    // As a proxy does, which would lose what is sent on a connection that is just being closed.
    assert!(asks(&mut waiting).starts_with("HTTP/1.1 "));
}

fn connection(portal: &Served) -> TcpStream {
    let stream = TcpStream::connect(portal.address.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// Asks for a page on a connection, which it leaves open; gives the head of the answer, which has no body.
fn asks(stream: &mut TcpStream) -> String {
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.extend(byte);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn the_program_says_its_version_and_explains_its_configuration() {
    let place = Place::empty();

    let version = run(&place, &["--version"]);
    let config = run(&place, &["serve", "--write-config"]);

    assert!(String::from_utf8(version.stdout).unwrap().starts_with("runbook-portal 0."));
    assert!(String::from_utf8(config.stdout).unwrap().contains("public_url"));
    assert!(place.names("data").is_empty());
}

/// Runs a command that is told a password on its standard input.
fn told(place: &Place, arguments: &[&str], password: &str) -> String {
    use std::io::Write as _;
    use std::process::Stdio;
    let mut running = crate::process::binary(&place.path(""))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    running.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let ended = running.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    if ended.status.success() { String::from_utf8(ended.stdout).unwrap() } else { error }
}

#[test]
fn accounts_can_be_looked_after_from_the_console() {
    let place = Place::with_document();

    let added = told(&place, &["user", "add", "otto", "--role", "lead"], crate::browser::PASSWORD);

    assert!(added.contains("otto can sign in now"), "{added}");
    place.write("set-up", "");
    let portal = Served::start(&place);
    assert_eq!(Browser::new(&portal.address).sign_in("otto"), StatusCode::OK);
    drop(portal);
    // There was no administrator before: none is taken away.
    assert_eq!(run(&place, &["user", "disable", "otto"]).status.code(), Some(0));
    let listed = run(&place, &["user", "list"]);
    assert!(String::from_utf8(listed.stdout).unwrap().starts_with("otto  lead, disabled"));
}

#[test]
fn a_forgotten_password_a_lost_factor_and_open_sessions_are_dealt_with_from_the_console() {
    let place = Place::with_document();
    told(&place, &["user", "add", "otto"], crate::browser::PASSWORD);
    place.write("set-up", "");
    let portal = Served::start(&place);
    assert_eq!(Browser::new(&portal.address).sign_in("otto"), StatusCode::OK);
    drop(portal);
    let out = |arguments: &[&str]| String::from_utf8(run(&place, arguments).stdout).unwrap();

    let listed = out(&["user", "sessions", "otto"]);
    assert!(listed.contains("from 127.0.0.1") && listed.lines().count() == 1, "{listed}");
    assert_eq!(out(&["user", "sessions", "otto", "--end"]), "Sessions of otto that were ended: 1.\n");
    assert_eq!(out(&["user", "sessions", "otto"]), "otto is signed in nowhere.\n");
    assert_eq!(out(&["user", "reset-factor", "Otto "]), "otto had no second factor; their sessions are over.\n");
    let short = told(&place, &["user", "password", "otto"], "short");
    assert!(short.contains("15 are the fewest"), "{short}");
    let given = told(&place, &["user", "password", "otto"], "grandfather clock pelican");
    assert_eq!(given, "otto signs in with the new password from now on; their sessions are over.\n");
    let portal = Served::start(&place);
    assert_ne!(Browser::new(&portal.address).sign_in("otto"), StatusCode::OK, "the old one is none any more");
    drop(portal);
    let made = out(&["user", "password", "otto", "--make"]);
    assert!(made.starts_with("The new password of otto is "), "{made}");
    let nobody = run(&place, &["user", "reset-factor", "eve"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(String::from_utf8(nobody.stderr).unwrap().contains("Nobody signs in as eve"));
}

#[test]
fn a_lowered_class_that_meets_no_command_is_said_at_the_start() {
    use std::io::BufRead as _;
    use std::process::Stdio;
    let place = Place::with_document();
    let rule =
        |command: &str| format!("[[lower]]\ncommand = \"{command}\"\nclass = \"reads\"\nreason = \"practice\"\n");
    let target = "[target.local]\nkind = \"local\"\n".to_owned();
    place.write("portal.toml", &(target + &rule("pwd") + &rule("docker system prune -a")));
    let mut portal = crate::process::binary(&place.path(""))
        .args(["serve", "--listen", "127.0.0.1:0", "--config", "portal.toml"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();

    let mut lines = std::io::BufReader::new(portal.stdout.take().unwrap()).lines().map(Result::unwrap);
    let said = lines.find(|line| line.contains("lowers the class"));
    portal.kill().unwrap();
    portal.wait().unwrap();

    let said = said.expect("it is said");
    assert!(
        said.contains("\u{201c}docker system prune -a\u{201d}, which is no command of any document here"),
        "{said}"
    );
}

/// In a user namespace of its own a program has its own limit.
#[test]
fn a_portal_that_cannot_be_told_when_output_grows_says_which_limit_is_reached() {
    let place = Place::empty();
    let script = "echo 0 >/proc/sys/user/max_inotify_instances && exec \"$0\" serve --listen 127.0.0.1:0";
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "sh", "-c", script, PROGRAM]).current_dir(place.path("."));

    let (code, said) = refused_by(command);

    if said.contains("unshare: ") || said.contains("max_inotify_instances:") {
        eprintln!("SKIPPED: this machine gives tests no user namespace ({said})");
        return;
    }
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot be told when output grows") && said.contains("max_user_instances"), "{said}");
}
