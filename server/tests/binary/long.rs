//! A long output of numbered lines: what is lost, repeated or elsewhere is seen.

use std::fmt::Write as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::browser::{Browser, text};
use crate::process::Place;

/// What stands in each line behind its number.
const REST: &str = "of many, each of which says by its number where it belongs.";

/// The same for the program that prints the lines: eight digits, whatever the number is.
fn pattern() -> String {
    format!("line %08.0f {REST}")
}

/// One line, with its end.
pub fn line(number: usize) -> String {
    format!("line {number:08} {REST}\n")
}

/// The bytes of so many lines.
pub fn bytes(lines: usize) -> usize {
    lines * line(0).len()
}

/// So many lines are about so many megabytes.
pub fn lines_of(megabytes: usize) -> usize {
    megabytes * 1_000_000 / line(0).len()
}

/// So many lines.
pub fn printed(lines: usize) -> String {
    let mut text = String::with_capacity(bytes(lines));
    for number in 1..=lines {
        writeln!(text, "line {number:08} {REST}").unwrap();
    }
    text
}

/// A command that prints the lines behind one number up to another.
pub fn command(after: usize, last: usize) -> String {
    format!("seq -f '{}' {} {last}", pattern(), after + 1)
}

/// A procedure of one step, by pipe, whose commands work in the folder `work`.
pub fn procedure(place: &Place, commands: &str) {
    let directory = place.path("work");
    place.write("work/.keep", "");
    let step = format!("1. **Print**\n\n   ```bash\n   {commands}\n   ```\n");
    place.write("runbooks/long.md", format!("# Long\n\n## Steps\n\n{step}"));
    let print = "[procedure.\"Long\".step.\"Print\"]\ntty = false\n";
    place.write("runbooks/long.portal.toml", format!("directory = {:?}\n\n{print}", directory.to_str().unwrap()));
}

/// Starts a run of the procedure and runs commands of its step; gives the run's number.
pub fn run(browser: &mut Browser, key: &str, commands: &str) -> String {
    let form = [("slug", "long"), ("target", "local"), ("key", key)];
    let run = text(browser.call("runs/start", &form)).trim_matches('"').to_owned();
    let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", commands)];
    let answer = browser.call("runs/run", &form);
    assert!(answer.status().is_success(), "{}", text(answer));
    run
}

/// A pipe with a name.
pub fn fifo(path: &Path) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).unwrap();
}

/// A command that waits at a gate of its folder until somebody opens it. Each gate is for one time.
pub fn wait_at(gate: &str) -> String {
    format!("read -r go < {gate}")
}

/// Makes the gates at which commands wait.
pub fn gates(place: &Place, names: &[&str]) {
    for name in names {
        fifo(&place.path("work").join(name));
    }
}

/// Lets the command go on that waits at a gate, or that comes to it.
pub fn open(place: &Place, gate: &str) {
    std::fs::write(place.path("work").join(gate), "go\n").unwrap();
}
