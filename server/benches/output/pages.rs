//! Pages: how much of them there is, how soon they come, and how soon a place in a long log is there.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use crate::browser::{Browser, text};
use crate::desk::{Desk, Print, Terminal};
use crate::figures::{Figure, mib, ms, percentiles};
use crate::process::Served;

const SEQ: Print = Print { title: "A million", script: "seq 1 1000000", terminal: Terminal::No };
const BULK: Print = Print {
    title: "Haystack",
    script: "{ yes aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhh | head -c 99999975; echo needle; }",
    terminal: Terminal::No,
};

/// Requests in a second, and for how long.
const RATE: u32 = 200;
const SECONDS: u32 = 5;

/// Who asks at the same time.
const WORKERS: u32 = 8;

pub fn memory_and_start(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[]);
    let (mut idle, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let next = start(&desk, &mut starts);
        desk.portal = next;
        std::thread::sleep(Duration::from_secs(1));
        idle.push(mib(desk.portal.memory("VmRSS:")));
    }
    vec![
        Figure::alone("memory while nothing happens", "MiB", 20.0, idle),
        Figure::alone("cold start until it is ready", "ms", 50.0, starts),
    ]
}

/// Another portal on data of its own that was made before.
fn start(desk: &Desk, starts: &mut Vec<f64>) -> Served {
    let data = desk.path(&format!("data-{}", starts.len()));
    let data = data.to_str().unwrap().to_owned();
    drop(Served::start_with(&desk.place, &["--data", &data]));
    let begun = Instant::now();
    let portal = Served::start_with(&desk.place, &["--data", &data]);
    starts.push(ms(begun.elapsed()));
    portal
}

/// The start page of a browser that knows nothing yet, with everything that it loads.
pub fn first_page_on_the_wire(rounds: usize) -> Vec<Figure> {
    let desk = Desk::with(&[]);
    let (all, readable) = (0..rounds).map(|_| first_page(&desk)).unzip();
    vec![
        Figure::alone("first page with all scripts and styles", "KB", 250.0, all),
        Figure::alone("of these the page and its styles, which serve before the program comes", "KB", 250.0, readable),
    ]
}

/// How many kilobytes the page is with everything that it names, and with its styles alone.
fn first_page(desk: &Desk) -> (f64, f64) {
    let html = text(desk.browser.get("/"));
    let files = html.split('"').filter(|part| part.starts_with("/pkg/")).collect::<BTreeSet<_>>();
    assert!(files.len() >= 3, "a style, a script and the program: {files:?}");
    let (styles, others): (Vec<&str>, Vec<&str>) = files.into_iter().partition(|file| file.contains(".css"));
    assert!(!styles.is_empty() && others.iter().any(|file| file.contains(".wasm")), "{styles:?} {others:?}");
    let readable = fetched(desk, "/") + sum(desk, &styles);
    (kilobytes(readable + sum(desk, &others)), kilobytes(readable))
}

fn sum(desk: &Desk, files: &[&str]) -> usize {
    files.iter().map(|file| fetched(desk, file)).sum()
}

#[expect(clippy::cast_precision_loss, reason = "some hundred kilobytes")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

/// The bytes of an answer as they come over the network, with its head.
fn fetched(desk: &Desk, path: &str) -> usize {
    let (host, mut stream) = (desk.portal.host(), desk.portal.connect());
    let cookie = desk.browser.cookie().unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/html\r\nAccept-Encoding: br, gzip\r\n\
         Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}");
    answer.len()
}

pub fn long_log(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&SEQ, &BULK]);
    let (long, large) = (desk.start(&SEQ), desk.start(&BULK));
    for run in [&long, &large] {
        desk.trigger(run);
        desk.viewer().all(run);
    }
    let page = format!("/runs/{long}?step=1&attempt=1");
    let first = times(rounds, || assert!(text(desk.browser.get(&page)).contains(">1,000,000</a>")));
    let lines = [("run", &*long), ("step", "1"), ("attempt", "1"), ("line", "500000"), ("most", "400")];
    let jump = times(rounds, || {
        assert!(text(desk.browser.call("runs/lines", &lines)).contains("500000\\n500001\\n"));
    });
    let find = [("run", &*large), ("step", "1"), ("attempt", "1"), ("wanted[text]", "NEEDLE"), ("around", "1")];
    let found = times(rounds, || {
        assert!(text(desk.browser.call("runs/find", &find)).contains("\"count\":1,"));
    });
    vec![
        Figure::alone("first screen of a log of 1,000,000 lines", "ms", 50.0, first),
        Figure::alone("jump to its middle", "ms", 50.0, jump),
        Figure::alone("find one line in 100 MB", "ms", 250.0, found),
    ]
}

/// How long something takes, each time that it is asked.
fn times(rounds: usize, mut ask: impl FnMut()) -> Vec<f64> {
    let one = |_| {
        let begun = Instant::now();
        ask();
        ms(begun.elapsed())
    };
    (0..rounds).map(one).collect()
}

pub fn at_two_hundred_a_second(rounds: usize) -> Vec<Figure> {
    let desk = Desk::with(&[&SEQ]);
    let late = (0..rounds).map(|_| {
        let begun = Instant::now();
        let all: Vec<f64> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let browser = desk.another();
                    scope.spawn(move || asked(&browser, begun, worker))
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        percentiles(all).1
    });
    vec![Figure::alone("time to the first byte at 200 pages a second, p99", "ms", 20.0, late.collect())]
}

/// What one of the workers waits for, from the moment at which each request was due.
fn asked(browser: &Browser, begun: Instant, worker: u32) -> Vec<f64> {
    let mut waits = Vec::new();
    for number in (worker..RATE * SECONDS).step_by(WORKERS as usize) {
        let due = begun + Duration::from_secs(1) * number / RATE;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = browser.get("/");
        waits.push(ms(due.elapsed()));
        assert!(answer.status().is_success());
    }
    waits
}
