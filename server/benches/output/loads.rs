//! Much output at once: to one viewer, to many, from many steps, and beside readers that never read.

use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::desk::{Desk, Print, Terminal, trigger};
use crate::figures::{Figure, Goal, ms};
use crate::floors;

const SEQ: Print = Print { title: "Count by pipe", script: "seq 1 1000000", terminal: Terminal::No };
const SEQ_BYTES: u64 = 6_888_896;
const TERMINAL: Print = Print { title: "Count by terminal", script: "seq 1 1000000", terminal: Terminal::Yes };

/// Lines of 74 characters and their ends.
const BULK_SCRIPT: &str =
    "yes aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhh | head -c 100000000";
const BULK: Print = Print { title: "Bulk", script: BULK_SCRIPT, terminal: Terminal::No };
const BULK_BYTES: u64 = 100_000_000;

const TEN_THOUSAND: Print = Print { title: "Ten thousand", script: "seq 1 10000", terminal: Terminal::No };
const TEN_THOUSAND_BYTES: u64 = 48_894;

pub fn seq_by_pipe(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&SEQ]);
    // The first run of all pays for what is only needed once.
    desk.raw(&SEQ, SEQ_BYTES);
    let raw = pairs(rounds, || desk.raw(&SEQ, SEQ_BYTES), || floors::by_tcp(SEQ.script, SEQ_BYTES, None));
    let page = pairs(rounds, || desk.page(&SEQ), || floors::by_tcp(SEQ.script, SEQ_BYTES, None));
    vec![
        Figure::new("`seq 1 1000000` by pipe, raw", "ms", Goal::Times(2.0), raw),
        Figure::new("`seq 1 1000000` by pipe, page", "ms", Goal::Times(2.0), page),
    ]
}

pub fn seq_by_terminal(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&TERMINAL]);
    desk.raw(&TERMINAL, SEQ_BYTES);
    let raw = pairs(rounds, || desk.raw(&TERMINAL, SEQ_BYTES), || floors::by_terminal(TERMINAL.script, SEQ_BYTES));
    let page = pairs(rounds, || desk.page(&TERMINAL), || floors::by_terminal(TERMINAL.script, SEQ_BYTES));
    vec![
        Figure::new("`seq 1 1000000` by terminal, raw", "ms", Goal::Times(2.0), raw),
        Figure::new("`seq 1 1000000` by terminal, page", "ms", Goal::Times(2.0), page),
    ]
}

/// The first output of a portal, and output after it.
pub fn hundred_megabytes(rounds: usize) -> Vec<Figure> {
    let cold = (0..rounds)
        .map(|_| {
            let mut desk = Desk::with(&[&BULK]);
            let stored = desk.path("floor");
            (desk.raw(&BULK, BULK_BYTES), Some(floors::by_tcp(BULK.script, BULK_BYTES, Some(&stored))))
        })
        .collect();
    let mut desk = Desk::with(&[&BULK]);
    let stored = desk.path("floor");
    let raw = pairs(rounds, || desk.raw(&BULK, BULK_BYTES), || floors::by_tcp(BULK.script, BULK_BYTES, Some(&stored)));
    let page = pairs(rounds, || desk.page(&BULK), || floors::by_tcp(BULK.script, BULK_BYTES, Some(&stored)));
    vec![
        Figure::new("100 MB of lines, raw, first time", "ms", Goal::Times(2.0), cold),
        Figure::new("100 MB of lines, raw", "ms", Goal::Times(2.0), raw),
        Figure::new("100 MB of lines, page", "ms", Goal::Times(2.0), page),
    ]
}

/// A measurement and its floor, one after the other.
fn pairs(rounds: usize, mut measure: impl FnMut() -> f64, floor: impl Fn() -> f64) -> Vec<(f64, Option<f64>)> {
    (0..rounds).map(|_| (measure(), Some(floor()))).collect()
}

pub fn fifty_viewers_of_seq(rounds: usize) -> Vec<Figure> {
    let (mut times, mut peaks) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut desk = Desk::with(&[&SEQ]);
        let (run, viewer) = (desk.start(&SEQ), desk.viewer());
        let begun = Instant::now();
        desk.trigger(&run);
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| assert_eq!(viewer.all(&run), SEQ_BYTES));
            }
        });
        times.push(ms(begun.elapsed()));
        peaks.push(desk.peak());
    }
    vec![
        Figure::alone("50 viewers of `seq 1 1000000`", "ms", 400.0, times),
        Figure::alone("50 viewers of `seq 1 1000000`: memory", "MiB", 64.0, peaks),
    ]
}

pub fn thirty_steps_at_once(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&TEN_THOUSAND]);
    let times = (0..rounds).map(|_| {
        let runs: Vec<String> = (0..30).map(|_| desk.start(&TEN_THOUSAND)).collect();
        let viewer = desk.viewer();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for run in &runs {
                let (mut browser, viewer) = (desk.another(), &viewer);
                scope.spawn(move || {
                    trigger(&mut browser, run);
                    assert_eq!(viewer.all(run), TEN_THOUSAND_BYTES, "30 of 30 are complete");
                });
            }
        });
        ms(begun.elapsed())
    });
    vec![Figure::alone("30 steps at once, 10,000 lines each, 30 viewers", "ms", 300.0, times.collect())]
}

/// A step beside 100 pages that never read and one that reads a byte a second takes as long as alone.
pub fn readers_that_never_read(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&BULK]);
    desk.raw(&BULK, BULK_BYTES);
    let measured: Vec<(f64, Option<f64>)> = (0..rounds)
        .map(|_| {
            let alone = desk.raw(&BULK, BULK_BYTES);
            let (run, viewer) = (desk.start(&BULK), desk.viewer());
            let dead: Vec<TcpStream> = (0..100).map(|_| dead_reader(&desk, &run)).collect();
            // They are there, and nothing of their coming is measured.
            for reader in &dead {
                assert!(reader.peek(&mut [0; 12]).unwrap() > 0);
            }
            let begun = Instant::now();
            desk.trigger(&run);
            let beside = std::thread::scope(|scope| {
                let (end, ends) = channel();
                let slow = (viewer.clone(), run.clone());
                scope.spawn(move || a_byte_a_second(slow.0.follow(&slow.1), &ends));
                assert_eq!(viewer.all(&run), BULK_BYTES);
                let took = ms(begun.elapsed());
                drop(end);
                took
            });
            drop(dead);
            desk.remove_output(&run);
            (beside, Some(alone))
        })
        .collect();
    let memory = vec![desk.peak()];
    vec![
        Figure::new("100 MB beside 100 pages that never read, and a byte a second", "ms", Goal::Times(1.05), measured),
        Figure::alone("100 MB beside 100 pages that never read: memory", "MiB", 64.0, memory),
    ]
}

/// Reads a byte in each second, until the other end of the channel is gone.
fn a_byte_a_second(mut output: impl Read, ends: &Receiver<()>) {
    loop {
        output.read_exact(&mut [0]).unwrap();
        if ends.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

fn dead_reader(desk: &Desk, run: &str) -> TcpStream {
    let (address, cookie) = (&desk.portal.address, desk.browser.cookie().unwrap());
    let host = address.strip_prefix("http://").unwrap();
    let form = format!("run={run}&cursor[version]=0&cursor[step]=1&cursor[attempt]=1&cursor[offset]=0");
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST /api/runs/watch HTTP/1.1\r\nHost: {host}\r\nOrigin: {address}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .unwrap();
    stream
}
