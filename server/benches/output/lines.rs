//! One line: how long after it was printed whoever looks has it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::desk::{Desk, Print, Terminal, Viewer};
use crate::figures::{Figure, Goal, ms, percentiles};
use crate::floors;
use crate::page::Page;

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
    let (middle, late) = (0..rounds).map(|_| percentiles(delays(&desk.viewer(), &triggered(&mut desk)))).unzip();
    let (middle_of_page, late_of_page) = (0..rounds).map(|_| percentiles(delays_of_page(&mut desk))).unzip();
    vec![
        Figure::alone("delay of a line, 1 viewer, raw, p50", "ms", 1.0, middle),
        Figure::alone("delay of a line, 1 viewer, raw, p99", "ms", 5.0, late),
        Figure::alone("delay of a line, 1 viewer, page, p50", "ms", 1.0, middle_of_page),
        Figure::alone("delay of a line, 1 viewer, page, p99", "ms", 5.0, late_of_page),
    ]
}

/// A run whose step prints its stamps.
fn triggered(desk: &mut Desk) -> String {
    let run = desk.start(&FAST);
    desk.trigger(&run);
    run
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
    let here = now();
    let lines = BufReader::with_capacity(64 << 10, viewer.follow(run)).lines();
    enough(lines.filter_map(|line| delay(&line.unwrap(), here)).collect())
}

/// The same for a page that follows.
fn delays_of_page(desk: &mut Desk) -> Vec<f64> {
    let run = triggered(desk);
    let (here, mut seen, mut delays) = (now(), 0, Vec::new());
    Page::default().follow(&mut desk.another(), run.parse().unwrap(), |page| {
        let fresh = page.output.get(seen..).unwrap_or_default();
        let whole = fresh.rfind('\n').map_or(0, |end| end + 1);
        delays.extend(fresh[..whole].lines().filter_map(|line| delay(line, here)));
        seen += whole;
        false
    });
    enough(delays)
}

/// How long ago a line was printed by its stamp, in milliseconds, when that was after a moment.
fn delay(line: &str, after: f64) -> Option<f64> {
    let (came, printed) = (now(), line.trim().replace(',', ".").parse::<f64>().unwrap());
    (printed > after).then(|| (came - printed) * 1000.0)
}

fn enough(delays: Vec<f64>) -> Vec<f64> {
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
