//! One line: how long after it was printed whoever looks has it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::desk::{Desk, Print, Terminal, Viewer};
use crate::figures::{Figure, Goal, ms, percentiles};
use crate::floors;

const FAST: Print = Print {
    title: "Stamps",
    script: "for i in {1..300}; do echo \"$EPOCHREALTIME\"; sleep 0.01; done",
    terminal: Terminal::Yes,
};
const SLOW: Print = Print {
    title: "Slow stamps",
    script: "for i in {1..100}; do echo \"$EPOCHREALTIME\"; sleep 0.1; done",
    terminal: Terminal::Yes,
};
const ECHO: Print = Print { title: "Echo", script: "echo one", terminal: Terminal::No };

pub fn delay_of_a_line(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&FAST]);
    let (middle, late): (Vec<f64>, Vec<f64>) = (0..rounds)
        .map(|_| {
            let run = desk.start(&FAST);
            desk.trigger(&run);
            percentiles(delays(&desk.viewer(), &run))
        })
        .unzip();
    vec![
        Figure::alone("delay of a line, 1 viewer, p50", "ms", 1.0, middle),
        Figure::alone("delay of a line, 1 viewer, p99", "ms", 5.0, late),
    ]
}

pub fn fifty_viewers_of_slow_lines(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&SLOW]);
    let (mut late, mut used) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let run = desk.start(&SLOW);
        desk.trigger(&run);
        let (viewer, before, begun) = (desk.viewer(), desk.cpu(), Instant::now());
        let all: Vec<f64> = std::thread::scope(|scope| {
            let viewers: Vec<_> = (0..50).map(|_| scope.spawn(|| delays(&viewer, &run))).collect();
            viewers.into_iter().flat_map(|viewer| viewer.join().unwrap()).collect()
        });
        late.push(percentiles(all).1);
        used.push((desk.cpu() - before) * 10.0 / begun.elapsed().as_secs_f64());
    }
    vec![
        Figure::alone("50 viewers, a line every 100 ms, p99", "ms", 8.0, late),
        Figure::alone("50 viewers, a line every 100 ms: CPU in 10 s", "s", 0.15, used),
    ]
}

/// How long after each line was printed it came. What was printed before the viewer was there does not count.
fn delays(viewer: &Viewer, run: &str) -> Vec<f64> {
    let mut delays = Vec::new();
    let here = now();
    for line in BufReader::with_capacity(64 << 10, viewer.follow(run)).lines() {
        let (came, printed) = (now(), line.unwrap().trim().replace(',', ".").parse::<f64>().unwrap());
        if printed > here {
            delays.push((came - printed) * 1000.0);
        }
    }
    assert!(delays.len() > 50, "{} lines", delays.len());
    delays
}

/// The clock by which the shell stamps its lines, in seconds.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 with microseconds")]
fn now() -> f64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

pub fn first_output_of_echo(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&ECHO]);
    desk.raw(&ECHO, 4);
    let measured = (0..rounds.max(3) * 5).map(|_| {
        let run = desk.start(&ECHO);
        let viewer = desk.viewer();
        let begun = Instant::now();
        desk.trigger(&run);
        let mut first = [0];
        viewer.follow(&run).read_exact(&mut first).unwrap();
        let took = ms(begun.elapsed());
        (took, Some(floors::echo_and_three_commits(&desk.path(""))))
    });
    vec![Figure::new("trigger to the first output of `echo`", "ms", Goal::FloorAnd(5.0), measured.collect())]
}
