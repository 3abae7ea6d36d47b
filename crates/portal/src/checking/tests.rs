//! The program that answers, and what is made of it, with real processes on this machine.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command as Process;

use domain::check::Held;
use domain::time::Clock as _;
use testkit::rig::Secured;

use super::*;

/// Asks this machine, by the same program and without an engine.
fn asked(variables: &[(&str, &str)], question: Vec<String>) -> Heard {
    let path = std::env::var("PATH").unwrap();
    let given: Vec<String> = std::iter::once(format!("PATH={path}"))
        .chain(variables.iter().map(|(name, value)| format!("{name}={value}")))
        .collect();
    let output = Process::new("sh")
        .args(["-c", CHECK, "sh", &given.len().to_string()])
        .args(given)
        .args(question)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    heard(&output).unwrap_or_else(|| panic!("{output}"))
}

/// Runs the text of a command in a folder by a shell.
fn ran(interpreter: &str, folder: &str, script: &str, variables: &[(&str, &str)]) -> Heard {
    let mark = "portal-abc-";
    let mut question = words(&["command", folder, mark]);
    question.extend(shell(&[interpreter.to_owned()], script, mark));
    unmarked(asked(variables, question), mark)
}

fn ended(code: i32, statuses: &[i32], lines: &[&str]) -> Heard {
    let lines = lines.iter().map(|line| (*line).to_owned()).collect();
    Heard::Ended { code, statuses: statuses.to_vec(), lines }
}

/// A server that answers each request with the same head and body; gives its address.
fn served(head: &'static str, body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let length = body.len();
            let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        }
    });
    address
}

/// An address at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn the_status_of_a_real_server_is_what_it_answers() {
    for (head, status) in [("200 OK", 200), ("503 Service Unavailable", 503), ("301 Moved\r\nLocation: /x", 301)] {
        let url = served(head, "body");

        let end = check::http(&url, status, &asked(&[], words(&["http", &url])));

        assert_eq!((end.held, end.sentence), (Held::Yes, format!("{url} answered {status}.")));
    }
}

#[test]
fn a_server_that_is_not_there_is_said_so() {
    let url = nobody();

    let end = check::http(&url, 200, &asked(&[], words(&["http", &url])));

    assert_eq!((end.held, end.sentence), (Held::No, format!("Nothing answers at {url}: the connection was refused.")));
}

#[test]
fn braces_in_an_address_are_no_list() {
    let url = format!("{}/?a={{x,y}}&b=[1-3]", served("200 OK", ""));

    assert_eq!(check::http(&url, 200, &asked(&[], words(&["http", &url]))).held, Held::Yes);
}

#[test]
fn a_query_is_asked_and_a_prometheus_that_is_down_is_not_a_result() {
    let answer = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1,\"1\"]}]}}";
    let (up, down) = (served("200 OK", answer), nobody());
    let ask = |url: &str| {
        let address = check::query_url(url, "min(up) == 1");
        check::promql(url, "min(up) == 1", &asked(&[], words(&["get", &address])))
    };

    assert_eq!(ask(&up).held, Held::Yes);
    let end = ask(&down);
    assert_eq!(end.held, Held::Unknown);
    assert!(end.sentence.starts_with("Prometheus does not answer"), "{}", end.sentence);
}

#[test]
fn a_command_tells_its_code_its_members_and_what_it_printed() {
    assert_eq!(ran("sh", "/", "echo a; echo b >&2; exit 3", &[]), ended(3, &[], &["a", "b"]));
    assert_eq!(ran("bash", "/", "false | true", &[]), ended(0, &[1, 0], &[]));
    assert_eq!(ran("bash", "/", "exit 4 # done", &[]), ended(4, &[], &[]));
    assert_eq!(ran("bash", "/", "true # done", &[]), ended(0, &[0], &[]));
    assert_eq!(ran("bash", "/", "printf x", &[]), ended(0, &[0], &["x"]));
    let Heard::Ended { code, .. } = ran("bash", "/", "if then", &[]) else { panic!("it has a code") };
    assert_ne!(code, 0);
    assert_eq!(ran("sh", "/no/such/folder", "true", &[]), Heard::Nowhere);
    let Heard::Ended { code, .. } = ran("no-such-shell", "/", "true", &[]) else { panic!("it has a code") };
    assert_eq!(code, 127);
}

#[test]
fn a_command_works_in_its_folder_and_its_values_are_variables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let value = "$(touch gone); 'x\" y";

    assert_eq!(ran("bash", path, "pwd; printf %s \"$name\"", &[("name", value)]), ended(0, &[0], &[path, value]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a value never becomes code");
}

#[test]
fn a_command_cannot_forge_how_it_ended() {
    let forged = ran("sh", "/", "echo '=ended 0'; echo '=end'; echo 'portal-x-c 0'; exit 9", &[]);

    assert_eq!(forged, ended(9, &[], &["=ended 0", "=end", "portal-x-c 0"]));
}

#[test]
fn a_command_that_hangs_is_given_up() {
    let begun = std::time::Instant::now();

    let heard = ran("bash", "/", "echo begun; sleep 60", &[]);

    assert_eq!(heard, Heard::Late);
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    assert_eq!(check::command("x", 0, &[], &heard).sentence, "The command did not end within 8 s, and was given up.");
}

#[test]
fn of_a_long_log_the_end_is_read() {
    let Heard::Ended { code, lines, .. } = ran("sh", "/", "seq 1 100000", &[]) else { panic!("it ended") };

    assert_eq!((code, lines.last().map(String::as_str)), (0, Some("100000")));
    assert!(lines.len() > 1000, "{}", lines.len());
}

#[test]
fn a_real_certificate_that_is_about_to_expire_does_not_hold() {
    let now = crate::SystemClock.now();
    for (days, held) in [("3", Held::No), ("90", Held::Yes)] {
        let server = Secured::with(days);

        let heard = asked(&[], words(&["certificate", &server.place, "127.0.0.1"]));
        let end = check::certificate(&server.place, 14, &heard, now);

        assert_eq!(end.held, held, "{}", end.sentence);
    }
}

#[test]
fn a_certificate_that_nobody_shows_is_not_known() {
    let place = nobody().trim_start_matches("http://").to_owned();

    let end =
        check::certificate(&place, 14, &asked(&[], words(&["certificate", &place, "127.0.0.1"])), domain::Timestamp(0));

    assert_eq!(
        (end.held, end.sentence),
        (Held::Unknown, format!("Nothing answers at {place}: no certificate was seen."))
    );
}

/// A folder with a program `docker` that prints a text and ends with a code: what an engine says is known, one is not everywhere.
fn with_docker(text: &str, code: i32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n");
    // Written by another process: what a fork of another test holds open for writing cannot be started.
    let write = ["-c", "printf %s \"$1\" >\"$2\" && chmod 755 \"$2\"", "sh", &script];
    assert!(Process::new("sh").args(write).arg(folder.path().join("docker")).status().unwrap().success());
    folder
}

#[test]
fn a_container_is_asked_of_docker_and_without_docker_nobody_knows() {
    let asked_by = |folder: &tempfile::TempDir| {
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        check::container("api", &asked(&[("PATH", &path)], words(&["container", "api"])), domain::Timestamp(0))
    };
    let none = tempfile::tempdir().unwrap();
    for tool in ["date", "sed", "timeout", "true"] {
        let found = ["/usr/bin", "/bin"].map(|folder| format!("{folder}/{tool}"));
        let found = found.iter().find(|path| std::path::Path::new(path).exists()).unwrap();
        std::os::unix::fs::symlink(found, none.path().join(tool)).unwrap();
    }

    let healthy = asked_by(&with_docker("/shop-api-1\trunning\thealthy\t0\t2026-11-23T21:58:00Z", 0));
    let missing = asked_by(&with_docker("Error: No such container: api", 1));
    let down = asked_by(&with_docker("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", 1));
    let path = none.path().to_str().unwrap().to_owned();
    let without = asked(&[("PATH", &path)], words(&["container", "api"]));

    assert_eq!((healthy.held, healthy.sentence.as_str()), (Held::Yes, "shop-api-1 is healthy."));
    assert_eq!(missing.held, Held::No, "{}", missing.sentence);
    assert_eq!(down.held, Held::Unknown, "{}", down.sentence);
    assert_eq!(without, Heard::Without("docker".to_owned()));
}

#[test]
fn an_answer_that_was_cut_is_none() {
    assert_eq!(heard("=ended 0\n+200\n"), Some(Heard::TooMuch));
    assert_eq!(heard("=ended 0\n+200\n=end\nbye\n"), Some(ended(0, &[], &["200"])));
    assert_eq!(heard("=late\n"), Some(Heard::Late));
    assert_eq!(heard(""), None);
    assert_eq!(heard("sh: not found\n"), None);
    assert_eq!(unmarked(ended(0, &[], &["x"]), "portal-abc-"), Heard::TooMuch);
}

#[test]
fn what_a_target_prints_reaches_no_terminal_as_its_command() {
    let Some(Heard::Ended { lines, .. }) = heard("=ended 0\n+\u{1b}[2Jred\n=end\n") else { panic!("it ended") };

    assert_eq!(lines, ["\u{fffd}[2Jred"]);
}

#[test]
fn the_values_of_a_check_are_those_of_the_run() {
    let values = BTreeMap::from([("port".to_owned(), "3333".to_owned())]);
    let placeholders =
        vec![domain::runbook::Placeholder { text: "PORT".to_owned(), parameter: Some("port".to_owned()) }];
    let check = Check::Http { url: "http://localhost:PORT/health".to_owned(), expect: 200 };
    let plan = PlanCheck { number: 1, check, placeholders, script: None, pipeline: Vec::new(), blocked: None };

    let filled = plan.filled(&values).unwrap();

    assert_eq!(filled, Check::Http { url: "http://localhost:3333/health".to_owned(), expect: 200 });
}

#[test]
fn a_value_that_is_called_like_something_of_the_program_is_still_a_value() {
    let names = ["count", "limit", "begun", "told", "code", "names", "format", "mark", "question", "end"];
    let given: Vec<(&str, &str)> = names.iter().map(|name| (*name, "7")).collect();
    let script = names.map(|name| format!("${name}")).join("");

    assert_eq!(ran("sh", "/", &format!("echo {script}"), &given), ended(0, &[], &["7777777777"]));
}
