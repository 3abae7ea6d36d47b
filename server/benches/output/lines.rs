//! One line: how long after it was printed whoever looks has it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::browser::Browser;
use crate::desk::{Desk, Print, Printed, Terminal, Viewer};
use crate::figures::{Figure, Goal, ms, pairs, percentiles};
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
const ECHO_PRINTED: Printed = Printed { bytes: 4, lines: 1 };

pub fn delay_of_a_line(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&FAST]);
    let (middle, late) = (0..rounds).map(|_| one_viewer(&mut desk, Desk::viewer, delays)).unzip();
    let (middle_of_page, late_of_page) =
        (0..rounds).map(|_| one_viewer(&mut desk, Desk::another, delays_of_page)).unzip();
    vec![
        Figure::alone("delay of a line, 1 viewer, raw, p50", "ms", 1.0, middle),
        Figure::alone("delay of a line, 1 viewer, raw, p99", "ms", 5.0, late),
        Figure::alone("delay of a line, 1 viewer, page, p50", "ms", 1.0, middle_of_page),
        Figure::alone("delay of a line, 1 viewer, page, p99", "ms", 5.0, late_of_page),
    ]
}

/// The middle and the 99th percentile of what one viewer waits.
fn one_viewer<V>(desk: &mut Desk, viewer: fn(&Desk) -> V, look: fn(&mut V, &str) -> Vec<f64>) -> (f64, f64) {
    let run = triggered(desk, &FAST);
    percentiles(look(&mut viewer(desk), &run))
}

/// A run whose step prints its stamps.
fn triggered(desk: &mut Desk, print: &Print) -> String {
    let run = desk.start(print);
    desk.trigger(&run);
    run
}

pub fn fifty_viewers_of_slow_lines(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&SLOW]);
    let (late, used) = (0..rounds).map(|_| fifty_viewers(&mut desk, Desk::viewer, delays)).unzip();
    let (late_of_page, used_of_page) =
        (0..rounds).map(|_| fifty_viewers(&mut desk, Desk::another, delays_of_page)).unzip();
    vec![
        Figure::alone("50 viewers, a line every 100 ms, raw, p99", "ms", 8.0, late),
        Figure::alone("50 viewers, a line every 100 ms, raw: CPU in 10 s", "s", 0.15, used),
        Figure::alone("50 viewers, a line every 100 ms, page, p99", "ms", 8.0, late_of_page),
        Figure::alone("50 viewers, a line every 100 ms, page: CPU in 10 s", "s", 0.15, used_of_page),
    ]
}

/// The 99th percentile of what fifty viewers wait, and the time of the CPU that the portal needs for them in 10 s.
fn fifty_viewers<V: Send + 'static>(
    desk: &mut Desk,
    viewer: fn(&Desk) -> V,
    look: fn(&mut V, &str) -> Vec<f64>,
) -> (f64, f64) {
    let run = triggered(desk, &SLOW);
    let (before, begun) = (desk.cpu(), Instant::now());
    let viewers: Vec<V> = (0..50).map(|_| viewer(desk)).collect();
    let all: Vec<f64> = std::thread::scope(|scope| {
        let run = run.as_str();
        let looks: Vec<_> = viewers.into_iter().map(|mut viewer| scope.spawn(move || look(&mut viewer, run))).collect();
        looks.into_iter().flat_map(|look| look.join().unwrap()).collect()
    });
    (percentiles(all).1, (desk.cpu() - before) * 10.0 / begun.elapsed().as_secs_f64())
}

/// How long after each line was printed it came. What was printed before the viewer was there does not count.
fn delays(viewer: &mut Viewer, run: &str) -> Vec<f64> {
    let here = now();
    let lines = BufReader::with_capacity(64 << 10, viewer.follow(run)).lines();
    enough(lines.filter_map(|line| delay(&line.unwrap(), here)).collect())
}

/// The same for a page that follows.
fn delays_of_page(browser: &mut Browser, run: &str) -> Vec<f64> {
    let (here, mut seen, mut delays) = (now(), 0, Vec::new());
    Page::default().follow(browser, run.parse().unwrap(), |page| {
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
    (printed > after).then_some((came - printed) * 1000.0)
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
    // The first run of all pays for what is only needed once.
    desk.raw(&ECHO, ECHO_PRINTED);
    let (times, folder) = (rounds.max(3) * 5, desk.path(""));
    let floor = || floors::echo_and_three_commits(&folder);
    let raw = pairs(times, || first_byte(&mut desk), floor);
    let page = pairs(times, || first_piece(&mut desk), floor);
    vec![
        Figure::new("trigger to the first output of `echo`, raw", "ms", Goal::FloorAnd(5.0), raw),
        Figure::new("trigger to the first output of `echo`, page", "ms", Goal::FloorAnd(5.0), page),
    ]
}

/// From the trigger until a script has the first byte.
fn first_byte(desk: &mut Desk) -> f64 {
    let (run, viewer) = (desk.start(&ECHO), desk.viewer());
    let begun = Instant::now();
    desk.trigger(&run);
    viewer.follow(&run).read_exact(&mut [0]).unwrap();
    ms(begun.elapsed())
}

/// From the trigger until a page has some output.
fn first_piece(desk: &mut Desk) -> f64 {
    let run = desk.start(&ECHO);
    let watching = desk.watch(&run, |page| !page.output.is_empty());
    let begun = Instant::now();
    desk.trigger(&run);
    ms(watching.ends(ECHO_PRINTED) - begun)
}
