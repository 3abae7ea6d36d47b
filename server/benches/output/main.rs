//! How fast output reaches whoever looks, each figure beside a floor of the same run where there is one.
//!
//! `make bench` runs it against the real binary, prints a table, writes `target/bench/figures.json`, and puts the table into
//! `BENCHMARKS.md`. What each figure is and how it is measured stands there.
//!
//! - `PORTAL_BENCH_ROUNDS=n`: how often each figure is measured (3)
//! - `PORTAL_BENCH_ONLY=word`: only the measurements with this word in their names, which are printed
//! - `PORTAL_BENCH_MACHINE=sentence`: when, at which commit and on what is measured, for the head of the table

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement that prints what it has found")]

#[expect(dead_code, reason = "the tests of the binary have it do more")]
#[path = "../../tests/binary/browser.rs"]
mod browser;
mod desk;
mod figures;
mod floors;
mod history;
mod lines;
mod loads;
#[expect(dead_code, reason = "the tests of the binary have it do more")]
#[path = "../../tests/binary/page.rs"]
mod page;
mod pages;
#[expect(dead_code, reason = "the tests of the binary have it do more")]
#[path = "../../tests/binary/process.rs"]
mod process;
#[expect(dead_code, reason = "the tests of the binary have it do more")]
#[path = "../../tests/binary/silent.rs"]
mod silent;
#[expect(dead_code, reason = "the tests of the binary have it do more")]
#[path = "../../tests/binary/waiting.rs"]
mod waiting;

use figures::{Figure, Table};

fn main() {
    let rounds = number("PORTAL_BENCH_ROUNDS", 3);
    let only = std::env::var("PORTAL_BENCH_ONLY").unwrap_or_default();
    let mut table = Table::default();
    let wanted: Vec<_> = ALL.into_iter().filter(|(name, _)| name.contains(&only)).collect();
    assert!(!wanted.is_empty(), "no measurement has {only:?} in its name");
    for (name, measure) in wanted {
        println!("measuring: {name}");
        for figure in measure(rounds) {
            println!("  {}", figure.line());
            table.add(figure);
        }
        // What was measured stays, whatever becomes of the rest.
        table.keep();
    }
    table.write();
}

/// Measures something so often.
type Measure = fn(usize) -> Vec<Figure>;

const ALL: [(&str, Measure); 14] = [
    ("seq by pipe", loads::seq_by_pipe),
    ("seq by terminal", loads::seq_by_terminal),
    ("hundred megabytes", loads::hundred_megabytes),
    ("delay of a line", lines::delay_of_a_line),
    ("fifty viewers of slow lines", lines::fifty_viewers_of_slow_lines),
    ("fifty viewers of seq", loads::fifty_viewers_of_seq),
    ("first output of echo", lines::first_output_of_echo),
    ("thirty steps at once", loads::thirty_steps_at_once),
    ("readers that never read", loads::readers_that_never_read),
    ("memory and start", pages::memory_and_start),
    ("history of 100,000 runs", history::of_a_hundred_thousand_runs),
    ("first page on the wire", pages::first_page_on_the_wire),
    ("long log", pages::long_log),
    ("pages at 200 requests a second", pages::at_two_hundred_a_second),
];

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
