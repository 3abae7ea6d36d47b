//! What the answers to one look mean.

use serde_json::Value;

use super::CheckEnd;
use crate::attempt::Outcome;
use crate::outcome::judge;
use crate::{Timestamp, time};

/// What came back from the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The program ended, and printed this.
    Ended {
        /// With which code.
        code: i32,
        /// How the members of its last pipeline ended; empty where the shell does not tell.
        statuses: Vec<i32>,
        /// The lines.
        lines: Vec<String>,
    },
    /// It did not end in time.
    Late,
    /// The target has no such program.
    Without(String),
    /// The directory is not there, or may not be entered.
    Nowhere,
    /// It printed more than is read.
    TooMuch,
}

impl Heard {
    /// The code and the lines of a program that has ended; what it means for `what` when it has not.
    fn ended(&self, what: &str) -> Result<(i32, &[String]), CheckEnd> {
        match self {
            Self::Ended { code, lines, .. } => Ok((*code, lines)),
            Self::Late => {
                Err(CheckEnd::unknown(format!("{what} could not be looked at within 8 s: the look was given up.")))
            }
            Self::Without(program) => {
                Err(CheckEnd::unknown(format!("The target has no {program}: {what} could not be looked at.")))
            }
            Self::Nowhere => Err(CheckEnd::unknown(format!(
                "The directory where this is asked is not there, or may not be entered: {what} could not be looked at."
            ))),
            Self::TooMuch => Err(CheckEnd::unknown(format!("{what} answered with more than the portal reads."))),
        }
    }
}

/// The first line that says something, as the end of a sentence.
pub(super) fn first(lines: &[String]) -> String {
    let line = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or("it said nothing");
    line.trim_end_matches(['.', '!', '?']).to_owned()
}

/// The status of an answer: what curl prints at its end, or the first head that wget shows.
fn status(lines: &[String]) -> Option<u16> {
    let head = |line: &String| line.trim().strip_prefix("HTTP/")?.split_ascii_whitespace().nth(1)?.parse().ok();
    let last = || lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty())?.parse().ok();
    lines.iter().find_map(head).or_else(last).filter(|status| (100..600).contains(status))
}

/// Why nothing came back from an address.
enum Silence {
    /// Nobody listens there.
    Closed,
    /// Nothing came in time.
    Slow,
    /// The name leads nowhere.
    NoName,
    /// Something else, in the program's words.
    Other(String),
}

fn silence(code: i32, lines: &[String]) -> Silence {
    let text = lines.join("\n").to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    match code {
        7 => Silence::Closed,
        28 => Silence::Slow,
        5 | 6 => Silence::NoName,
        // All that wget says of a network that failed, when it is to say little.
        4 if text.trim().is_empty() => Silence::Other("it could not be reached".to_owned()),
        _ if says(&["connection refused"]) => Silence::Closed,
        _ if says(&["timed out"]) => Silence::Slow,
        _ if says(&["could not resolve", "bad address", "unable to resolve", "name or service not known"]) => {
            Silence::NoName
        }
        _ => Silence::Other(first(lines)),
    }
}

/// An address is to answer with a status.
pub fn http(url: &str, expect: u16, heard: &Heard) -> CheckEnd {
    let (code, lines) = match heard.ended(url) {
        Ok(ended) => ended,
        Err(_) if *heard == Heard::Late => return CheckEnd::no(format!("{url} did not answer within 8 s.")),
        Err(end) => return end,
    };
    match status(lines) {
        Some(status) if status == expect => return CheckEnd::yes(format!("{url} answered {status}.")),
        Some(status) => return CheckEnd::no(format!("{url} answered {status}, and not {expect}.")),
        None => {}
    }
    match silence(code, lines) {
        Silence::Closed => CheckEnd::no(format!("Nothing answers at {url}: the connection was refused.")),
        Silence::Slow => CheckEnd::no(format!("{url} did not answer in time.")),
        Silence::NoName => CheckEnd::unknown(format!("The target does not know the name in {url}: nothing was asked.")),
        Silence::Other(words) => CheckEnd::no(format!("{url} gave no answer: {words}.")),
    }
}

/// Prometheus is to have a result for a query.
pub fn promql(url: &str, query: &str, heard: &Heard) -> CheckEnd {
    let (code, lines) = match heard.ended(&format!("Prometheus at {url}")) {
        Ok(ended) => ended,
        Err(end) => return end,
    };
    let Ok(answer) = serde_json::from_str::<Value>(&lines.join("\n")) else {
        return CheckEnd::unknown(match silence(code, lines) {
            _ if code == 0 => format!("What answers at {url} is not Prometheus: the query was not answered."),
            Silence::Closed => {
                format!("Prometheus does not answer at {url}: the connection was refused, nothing was asked.")
            }
            Silence::Slow => format!("Prometheus at {url} did not answer in time."),
            Silence::NoName => format!("The target does not know the name in {url}: Prometheus was not asked."),
            Silence::Other(words) => format!("Prometheus at {url} gave no answer: {words}."),
        });
    };
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("status") != "success" {
        let why = text("error").trim_end_matches('.').to_owned();
        let why = if why.is_empty() { "it does not say why".to_owned() } else { why };
        return CheckEnd::unknown(match text("errorType") {
            "bad_data" => format!("Prometheus does not understand the query: {why}."),
            _ => format!("Prometheus at {url} did not answer the query: {why}."),
        });
    }
    match values(&answer) {
        None => CheckEnd::unknown(format!("What Prometheus at {url} answered is no instant value.")),
        Some(values) if values.is_empty() => CheckEnd::no(format!("The query has no result: {query}.")),
        Some(values) if values.iter().any(|value| value == "NaN") => {
            CheckEnd::no(format!("The query has no number as its result: {query}."))
        }
        Some(values) => CheckEnd::yes(match values.as_slice() {
            [one] => format!("The query answered {one}: {query}."),
            more => format!("The query answered {} values: {query}.", more.len()),
        }),
    }
}

/// The values of an answer, as Prometheus writes them; `None` where it is none of a moment.
fn values(answer: &Value) -> Option<Vec<String>> {
    let (kind, result) = (answer.pointer("/data/resultType")?.as_str()?, answer.pointer("/data/result")?);
    let value = |sample: &Value| sample.get(1).and_then(Value::as_str).map(str::to_owned);
    match kind {
        "vector" => {
            result.as_array()?.iter().map(|series| value(series.get("value").unwrap_or(&Value::Null))).collect()
        }
        "scalar" => Some(vec![value(result)?]),
        _ => None,
    }
}

/// A container, or those of a service, are to be healthy.
///
/// Each line is one of them: name, status, health, how often it was restarted by itself, since when it runs.
pub fn container(name: &str, heard: &Heard, now: Timestamp) -> CheckEnd {
    let (code, lines) = match heard.ended(name) {
        Ok(ended) => ended,
        Err(end) => return end,
    };
    if code != 0 {
        let text = lines.join("\n").to_lowercase();
        // A socket that is not there is "no such file": that says nothing about the container.
        if text.contains("no such container") || text.contains("no such object") {
            return CheckEnd::no(format!("There is no container and no service {name} on the target."));
        }
        let why = first(lines);
        if text.contains("permission denied") {
            return CheckEnd::unknown(format!("The user of the target may not ask the Docker engine: {why}."));
        }
        return CheckEnd::unknown(format!("The Docker engine of the target could not be asked: {why}."));
    }
    let seen: Vec<CheckEnd> =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| one_container(line, now)).collect();
    // The worst of them says how it is.
    let held = |wanted: super::Held| seen.iter().find(|end| end.held == wanted).cloned();
    held(super::Held::No)
        .or_else(|| held(super::Held::Unknown))
        .or_else(|| held(super::Held::Yes))
        .unwrap_or_else(|| CheckEnd::unknown(format!("The Docker engine said nothing about {name}.")))
}

/// Whether a container's own health check has not answered yet: it is looked at again.
pub fn is_starting(heard: &Heard) -> bool {
    let starts = |line: &String| {
        let mut columns = line.split('\t').skip(1).map(str::trim);
        (columns.next(), columns.next()) == (Some("running"), Some("starting"))
    };
    matches!(heard, Heard::Ended { code: 0, lines, .. } if lines.iter().any(starts))
}

/// A container that was restarted by itself a shorter while ago may be in the middle of a crash loop.
const SETTLED_MS: u64 = 60_000;

fn one_container(line: &str, now: Timestamp) -> CheckEnd {
    let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [name, status, health, restarts, since] = columns[..] else {
        return CheckEnd::unknown(format!("The Docker engine answered something that was not understood: {line}."));
    };
    let name = name.trim_start_matches('/');
    let restarts: u64 = restarts.parse().unwrap_or(0);
    let young = Timestamp::parse(since).is_none_or(|since| now.since(since) < SETTLED_MS);
    match (status, health) {
        ("running", "healthy") => CheckEnd::yes(format!("{name} is healthy.")),
        ("running", "starting") => {
            CheckEnd::unknown(format!("{name} is starting: its own health check has not answered yet."))
        }
        ("running", "" | "none") if restarts > 0 && young => CheckEnd::no(format!(
            "{name} was restarted by itself {}, the last time less than a minute ago.",
            time::counted(restarts, "time")
        )),
        ("running", "" | "none") => CheckEnd::yes(format!("{name} is running; it has no health check of its own.")),
        ("running", health) => CheckEnd::no(format!("{name} is {health}.")),
        (status, _) => CheckEnd::no(format!("{name} is {status}, and not running.")),
    }
}

/// A command is to end with a code.
pub fn command(script: &str, expect: i32, pipeline: &[String], heard: &Heard) -> CheckEnd {
    let (code, lines) = match heard.ended(script) {
        Ok(ended) => ended,
        Err(_) if *heard == Heard::Late => {
            return CheckEnd::unknown("The command did not end within 8 s, and was given up.");
        }
        Err(end) => return end,
    };
    let statuses = if let Heard::Ended { statuses, .. } = heard { statuses.as_slice() } else { &[] };
    let said =
        if lines.iter().all(|line| line.trim().is_empty()) { String::new() } else { format!(" ({})", first(lines)) };
    if expect != 0 {
        return if code == expect {
            CheckEnd::yes(format!("The command ended with {code}."))
        } else {
            CheckEnd::no(format!("The command ended with {code}, and not with {expect}{said}."))
        };
    }
    match judge(pipeline, statuses, code, None) {
        (Outcome::Success, None) => CheckEnd::yes("The command ended with 0."),
        // A member before the last may have failed: that is never a plain success.
        (Outcome::Success, Some(unknown)) => CheckEnd::unknown(format!("The command ended with 0, but {unknown}.")),
        (_, Some(why)) => CheckEnd::no(format!("The command did not end well: {why}{said}.")),
        (_, None) => CheckEnd::no(format!("The command ended with {code}, and not with 0{said}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Held;

    const URL: &str = "http://localhost:3333/health";
    const NOW: Timestamp = Timestamp(1_795_471_084_000);

    fn ended(code: i32, text: &str) -> Heard {
        Heard::Ended { code, statuses: Vec::new(), lines: text.lines().map(str::to_owned).collect() }
    }

    fn said(end: &CheckEnd) -> (Held, &str) {
        (end.held, end.sentence.as_str())
    }

    #[test]
    fn an_address_holds_only_with_its_status() {
        for (heard, held, sentence) in [
            (ended(0, "200"), Held::Yes, "http://localhost:3333/health answered 200."),
            (ended(0, "503"), Held::No, "http://localhost:3333/health answered 503, and not 200."),
            (
                ended(8, "  HTTP/1.1 404 Not Found\n"),
                Held::No,
                "http://localhost:3333/health answered 404, and not 200.",
            ),
            (
                ended(7, "curl: (7) Failed to connect to localhost port 3333\n000"),
                Held::No,
                "Nothing answers at http://localhost:3333/health: the connection was refused.",
            ),
            (ended(28, "curl: (28) timed out\n000"), Held::No, "http://localhost:3333/health did not answer in time."),
            (Heard::Late, Held::No, "http://localhost:3333/health did not answer within 8 s."),
            (
                ended(6, "curl: (6) Could not resolve host\n000"),
                Held::Unknown,
                "The target does not know the name in http://localhost:3333/health: nothing was asked.",
            ),
            (
                Heard::Without("curl or wget".to_owned()),
                Held::Unknown,
                "The target has no curl or wget: http://localhost:3333/health could not be looked at.",
            ),
            (
                ended(60, "curl: (60) SSL certificate problem: certificate has expired\n000"),
                Held::No,
                "http://localhost:3333/health gave no answer: curl: (60) SSL certificate problem: certificate has expired.",
            ),
        ] {
            assert_eq!(said(&http(URL, 200, &heard)), (held, sentence));
        }
    }

    #[test]
    fn prometheus_that_is_down_is_never_a_result() {
        let asked = |heard: &Heard| promql("http://p:9090", "min(up) == 1", heard);

        let down = asked(&ended(7, "curl: (7) Failed to connect"));
        assert_eq!(down.held, Held::Unknown);
        assert!(down.sentence.contains("Prometheus does not answer at http://p:9090"), "{}", down.sentence);
        assert_eq!(asked(&ended(0, "<html>nginx</html>")).held, Held::Unknown);
        assert_eq!(asked(&ended(0, "")).held, Held::Unknown);
        assert_eq!(asked(&Heard::Late).held, Held::Unknown);
        assert_eq!(asked(&Heard::TooMuch).held, Held::Unknown);
    }

    #[test]
    fn a_query_holds_when_it_has_a_result_and_a_broken_one_never_does() {
        let asked = |result: &str| {
            let text = format!("{{\"status\":\"success\",\"data\":{result}}}");
            promql("http://p:9090", "min(up) == 1", &ended(0, &text))
        };
        let broken = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"invalid parameter: parse error\"}";

        let one = asked("{\"resultType\":\"vector\",\"result\":[{\"metric\":{},\"value\":[1.5,\"1\"]}]}");
        assert_eq!(said(&one), (Held::Yes, "The query answered 1: min(up) == 1."));
        assert_eq!(asked("{\"resultType\":\"vector\",\"result\":[]}").held, Held::No);
        assert_eq!(asked("{\"resultType\":\"scalar\",\"result\":[1.5,\"NaN\"]}").held, Held::No);
        assert_eq!(asked("{\"resultType\":\"scalar\",\"result\":[1.5,\"0\"]}").held, Held::Yes);
        assert_eq!(asked("{\"resultType\":\"matrix\",\"result\":[]}").held, Held::Unknown);
        let broken = promql("http://p:9090", "min(up", &ended(0, broken));
        assert_eq!(
            said(&broken),
            (Held::Unknown, "Prometheus does not understand the query: invalid parameter: parse error.")
        );
    }

    #[test]
    fn a_container_holds_when_it_is_healthy_or_runs_without_a_health_check() {
        for (line, held, sentence) in [
            ("/api\trunning\thealthy\t0\t2026-11-23T21:58:00.123456789Z", Held::Yes, "api is healthy."),
            ("/api\trunning\tunhealthy\t0\t2026-11-23T21:58:00Z", Held::No, "api is unhealthy."),
            (
                "/api\trunning\tstarting\t0\t2026-11-23T21:58:00Z",
                Held::Unknown,
                "api is starting: its own health check has not answered yet.",
            ),
            (
                "/api\trunning\t\t0\t2026-11-23T21:58:00Z",
                Held::Yes,
                "api is running; it has no health check of its own.",
            ),
            (
                "/api\trunning\t\t5\t2026-11-23T21:58:00Z",
                Held::No,
                "api was restarted by itself 5 times, the last time less than a minute ago.",
            ),
            (
                "/api\trunning\t\t5\t2026-11-23T20:58:00Z",
                Held::Yes,
                "api is running; it has no health check of its own.",
            ),
            ("/api\texited\t\t0\t2026-11-23T21:58:00Z", Held::No, "api is exited, and not running."),
            ("/api\trestarting\t\t9\t2026-11-23T21:58:00Z", Held::No, "api is restarting, and not running."),
        ] {
            assert_eq!(said(&container("api", &ended(0, line), NOW)), (held, sentence));
        }
        assert!(is_starting(&ended(0, "/a\trunning\thealthy\t0\tx\n/b\trunning\tstarting\t0\tx")));
        assert!(!is_starting(&ended(0, "/starting\trunning\thealthy\t0\tx")) && !is_starting(&Heard::Late));
        let two = "/a\trunning\thealthy\t0\tx\n/b\texited\t\t0\tx\n";
        assert_eq!(container("api", &ended(0, two), NOW).held, Held::No, "all of a service have to be");
    }

    #[test]
    fn a_container_that_is_missing_and_an_engine_that_is_down_are_told_apart() {
        let asked = |code: i32, text: &str| container("api", &ended(code, text), NOW);

        let missing = asked(1, "Error: No such container: api");
        let down = asked(1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.");

        assert_eq!(said(&missing), (Held::No, "There is no container and no service api on the target."));
        let no_socket = asked(1, "dial unix /var/run/docker.sock: connect: no such file or directory");
        assert_eq!((down.held, no_socket.held), (Held::Unknown, Held::Unknown));
        assert!(down.sentence.starts_with("The Docker engine of the target could not be asked"), "{}", down.sentence);
        assert_eq!(container("api", &Heard::Without("docker".to_owned()), NOW).held, Held::Unknown);
        assert_eq!(asked(0, "").held, Held::Unknown);
    }

    #[test]
    fn a_command_holds_with_its_code_and_only_when_its_whole_pipeline_ended_well() {
        let names = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let asked = |pipeline: &str, statuses: &[i32], code: i32, expect: i32| {
            let heard = Heard::Ended { code, statuses: statuses.to_vec(), lines: Vec::new() };
            command("x", expect, &names(pipeline), &heard)
        };

        assert_eq!(said(&asked("test", &[0], 0, 0)), (Held::Yes, "The command ended with 0."));
        assert_eq!(said(&asked("test", &[1], 1, 0)), (Held::No, "The command ended with 1, and not with 0."));
        assert_eq!(
            said(&asked("curl|jq", &[7, 0], 0, 0)),
            (Held::No, "The command did not end well: curl ended 7: nothing was asked, jq saw nothing.")
        );
        assert_eq!(asked("curl|jq", &[], 0, 0).held, Held::Unknown);
        assert_eq!(asked("grep", &[1], 1, 0).held, Held::No);
        assert_eq!(asked("grep", &[1], 1, 1).held, Held::Yes);
        assert_eq!(asked("grep", &[2], 2, 1).held, Held::No);
        assert_eq!(command("x", 0, &[], &Heard::Late).held, Held::Unknown);
    }
}
