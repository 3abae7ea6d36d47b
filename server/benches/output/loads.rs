//! Much output at once: to one viewer, to many, from many steps, and beside readers that never read.

use std::time::Instant;

use crate::desk::{Desk, Print, Printed, Terminal, Watching, trigger};
use crate::figures::{Figure, Goal, mib, ms, pairs};
use crate::floors;
use crate::page::Page;
use crate::silent::Reader;

const SEQ: Print = Print { title: "Count by pipe", script: "seq 1 1000000", terminal: Terminal::No };
const SEQ_PRINTED: Printed = Printed { bytes: 6_888_896, lines: 1_000_000 };
const TERMINAL: Print = Print { title: "Count by terminal", script: "seq 1 1000000", terminal: Terminal::Yes };

/// Lines of 74 characters and their ends.
const BULK_SCRIPT: &str =
    "yes aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhh | head -c 100000000";
const BULK: Print = Print { title: "Bulk", script: BULK_SCRIPT, terminal: Terminal::No };
const BULK_PRINTED: Printed = Printed { bytes: 100_000_000, lines: 1_333_334 };

const TEN_THOUSAND: Print = Print { title: "Ten thousand", script: "seq 1 10000", terminal: Terminal::No };
const TEN_THOUSAND_PRINTED: Printed = Printed { bytes: 48_894, lines: 10_000 };

pub fn seq_by_pipe(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&SEQ]);
    // The first run of all pays for what is only needed once.
    desk.raw(&SEQ, SEQ_PRINTED);
    let floor = || floors::by_tcp(SEQ.script, SEQ_PRINTED.bytes, None);
    let raw = pairs(rounds, || desk.raw(&SEQ, SEQ_PRINTED), floor);
    let page = pairs(rounds, || desk.page(&SEQ, SEQ_PRINTED), floor);
    vec![
        Figure::new("`seq 1 1000000` by pipe, raw", "ms", Goal::Times(2.0), raw),
        Figure::new("`seq 1 1000000` by pipe, page", "ms", Goal::Times(2.0), page),
    ]
}

pub fn seq_by_terminal(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&TERMINAL]);
    desk.raw(&TERMINAL, SEQ_PRINTED);
    let floor = || floors::by_terminal(TERMINAL.script, SEQ_PRINTED.bytes);
    let raw = pairs(rounds, || desk.raw(&TERMINAL, SEQ_PRINTED), floor);
    let page = pairs(rounds, || desk.page(&TERMINAL, SEQ_PRINTED), floor);
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
            (desk.raw(&BULK, BULK_PRINTED), Some(floors::by_tcp(BULK.script, BULK_PRINTED.bytes, Some(&stored))))
        })
        .collect();
    let mut desk = Desk::with(&[&BULK]);
    let stored = desk.path("floor");
    let floor = || floors::by_tcp(BULK.script, BULK_PRINTED.bytes, Some(&stored));
    let raw = pairs(rounds, || desk.raw(&BULK, BULK_PRINTED), floor);
    let page = pairs(rounds, || desk.page(&BULK, BULK_PRINTED), floor);
    vec![
        Figure::new("100 MB of lines, raw, first time", "ms", Goal::Times(2.0), cold),
        Figure::new("100 MB of lines, raw", "ms", Goal::Times(2.0), raw),
        Figure::new("100 MB of lines, page", "ms", Goal::Times(2.0), page),
    ]
}

pub fn fifty_viewers_of_seq(rounds: usize) -> Vec<Figure> {
    let (times, peaks) = (0..rounds).map(|_| viewers_of_seq(fifty_scripts)).unzip();
    let (times_of_pages, peaks_of_pages) = (0..rounds).map(|_| viewers_of_seq(fifty_pages)).unzip();
    vec![
        Figure::alone("50 viewers of `seq 1 1000000`, raw", "ms", 400.0, times),
        Figure::alone("50 viewers of `seq 1 1000000`, raw: memory", "MiB", 64.0, peaks),
        Figure::alone("50 viewers of `seq 1 1000000`, page", "ms", 400.0, times_of_pages),
        Figure::alone("50 viewers of `seq 1 1000000`, page: memory", "MiB", 64.0, peaks_of_pages),
    ]
}

/// How long it takes at a fresh portal until the last of them has everything, and the most memory that the portal had.
fn viewers_of_seq(look: fn(&mut Desk, &str) -> f64) -> (f64, f64) {
    let mut desk = Desk::with(&[&SEQ]);
    let run = desk.start(&SEQ);
    let took = look(&mut desk, &run);
    let peak = mib(desk.portal.peak());
    desk.stands_in_history(&run, SEQ_PRINTED);
    (took, peak)
}

fn fifty_scripts(desk: &mut Desk, run: &str) -> f64 {
    let viewer = desk.viewer();
    let begun = Instant::now();
    desk.trigger(run);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(viewer.all(run), SEQ_PRINTED.bytes));
        }
    });
    ms(begun.elapsed())
}

fn fifty_pages(desk: &mut Desk, run: &str) -> f64 {
    let pages: Vec<Watching> = (0..50).map(|_| desk.watch(run, Page::is_whole)).collect();
    let begun = Instant::now();
    desk.trigger(run);
    let last = pages.into_iter().map(|page| page.ends(SEQ_PRINTED)).max().unwrap();
    ms(last - begun)
}

pub fn thirty_steps_at_once(rounds: usize) -> Vec<Figure> {
    let mut desk = Desk::with(&[&TEN_THOUSAND]);
    let raw = (0..rounds).map(|_| thirty_steps(&mut desk, thirty_scripts)).collect();
    let page = (0..rounds).map(|_| thirty_steps(&mut desk, thirty_pages)).collect();
    vec![
        Figure::alone("30 steps at once, 10,000 lines each, 30 viewers, raw", "ms", 300.0, raw),
        Figure::alone("30 steps at once, 10,000 lines each, 30 viewers, page", "ms", 300.0, page),
    ]
}

/// How long it takes until each of them is had by its viewer. All of them are complete then, and stand in the history.
fn thirty_steps(desk: &mut Desk, look: fn(&Desk, &[String]) -> f64) -> f64 {
    let runs: Vec<String> = (0..30).map(|_| desk.start(&TEN_THOUSAND)).collect();
    let took = look(desk, &runs);
    for run in &runs {
        desk.stands_in_history(run, TEN_THOUSAND_PRINTED);
    }
    took
}

fn thirty_scripts(desk: &Desk, runs: &[String]) -> f64 {
    let viewer = desk.viewer();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for run in runs {
            let (mut browser, viewer) = (desk.another(), &viewer);
            scope.spawn(move || {
                trigger(&mut browser, run);
                assert_eq!(viewer.all(run), TEN_THOUSAND_PRINTED.bytes, "30 of 30 are complete");
            });
        }
    });
    ms(begun.elapsed())
}

fn thirty_pages(desk: &Desk, runs: &[String]) -> f64 {
    let pages: Vec<Watching> = runs.iter().map(|run| desk.watch(run, Page::is_whole)).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for run in runs {
            let mut browser = desk.another();
            scope.spawn(move || trigger(&mut browser, run));
        }
    });
    let last = pages.into_iter().map(|page| page.ends(TEN_THOUSAND_PRINTED)).max().unwrap();
    ms(last - begun)
}

/// A step beside 100 pages that never read and one that reads a byte a second takes as long as alone.
pub fn readers_that_never_read(rounds: usize) -> Vec<Figure> {
    let (times, peaks) = (0..rounds).map(|_| beside_silent_readers()).unzip();
    vec![
        Figure::new("100 MB beside 100 pages that never read, and a byte a second", "ms", Goal::Times(1.05), times),
        Figure::alone("100 MB beside 100 pages that never read: memory", "MiB", 64.0, peaks),
    ]
}

/// How long a step takes beside them and alone at a fresh portal, and the most memory that the portal had.
fn beside_silent_readers() -> ((f64, Option<f64>), f64) {
    let mut desk = Desk::with(&[&BULK]);
    // The first run of all pays for what is only needed once.
    desk.raw(&BULK, BULK_PRINTED);
    let alone = desk.raw(&BULK, BULK_PRINTED);
    let beside = beside_readers(&mut desk);
    ((beside, Some(alone)), mib(desk.portal.peak()))
}

fn beside_readers(desk: &mut Desk) -> f64 {
    let (run, viewer, cookie) = (desk.start(&BULK), desk.viewer(), desk.browser.cookie().unwrap());
    // They are there, and nothing of their coming is measured.
    let mut readers: Vec<Reader> = (0..100).map(|_| Reader::page(&desk.portal, &cookie, &run)).collect();
    let begun = Instant::now();
    desk.trigger(&run);
    let portal = &desk.portal;
    let took = std::thread::scope(|scope| {
        // Raw output is there to be read once the step has begun.
        let slow = scope.spawn(|| Reader::slow(portal, &cookie, &run));
        assert_eq!(viewer.all(&run), BULK_PRINTED.bytes);
        let took = ms(begun.elapsed());
        readers.push(slow.join().unwrap());
        took
    });
    readers.into_iter().for_each(Reader::leave);
    desk.stands_in_history(&run, BULK_PRINTED);
    desk.remove_output(&run);
    took
}
