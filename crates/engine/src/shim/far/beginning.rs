//! The beginning of an attempt at another machine: what it is told, and what it says to that.

use std::fmt::Write as _;

use domain::attempt::Work;

use super::super::driver;
use super::super::shell::{WINDOW, path_of};
use super::Far;
use crate::far::{INNER, escaped, quoted};

impl Far {
    /// What the target says to the wish to begin.
    pub(super) fn begun(&mut self, answer: &str, work: &Work) -> Result<Vec<String>, String> {
        let words: Vec<&str> = answer.split(' ').collect();
        match *words.as_slice() {
            ["begun", mode, unenforced] => {
                self.tty = mode == "tty";
                self.known = true;
                let limits = unenforced.split(',').filter(|limit| !limit.is_empty() && *limit != "-");
                let mut sentences: Vec<String> = limits.map(unlimited).collect();
                if work.tty && !self.tty {
                    sentences.push(NO_TERMINAL.to_owned());
                }
                Ok(sentences)
            }
            ["no-directory"] => {
                Err(format!("The directory {} is not there at the target, or may not be entered.", work.directory))
            }
            ["no-shell"] => Err(absent(work.interpreter.first().map_or("sh", String::as_str))),
            ["no-folder"] => Err(NO_FOLDER.to_owned()),
            ["no-fifo"] => {
                Err("The folder of the step could not be made at the target: its disk may be full. Nothing was run."
                    .to_owned())
            }
            ["again"] => {
                Err("This attempt was begun at the target before, and nothing is ever started twice.".to_owned())
            }
            _ => Err("The target gave an answer that nobody knows. Nothing was run.".to_owned()),
        }
    }
}

const NO_TERMINAL: &str = "There is no terminal at the target: its program script is missing. The step ran on pipes.";
const NO_FOLDER: &str = "The target has no folder in which the step could be kept: neither the home of its user nor /var/tmp, /tmp or \
                         /dev/shm can be written and has room for 64 KiB. Nothing was run.";

fn unlimited(limit: &str) -> String {
    format!("The {limit} of the step could not be limited at the target.")
}

fn absent(name: &str) -> String {
    format!(
        "The shell {name} is not there at the target. Nothing was run. Install it, or give the target another shell."
    )
}

/// What [`BEGIN`] is told: the words that determine what runs, and no value of anybody.
pub(super) fn words(work: &Work, token: &str, session: &str) -> [String; 9] {
    let (columns, rows) = WINDOW;
    let mut inner = vec!["exec sh -c".to_owned(), quoted(INNER), "portal-step".to_owned()];
    inner.push(format!("{} {rows} {columns} {}", quoted(&work.directory), quoted(session)));
    inner.extend(work.interpreter.iter().map(|word| quoted(word)));
    inner.extend(driver::arguments(work, session).iter().map(|word| quoted(word)));
    let number = |limit: Option<u64>| limit.map_or_else(String::new, |limit| limit.to_string());
    [
        token.to_owned(),
        if work.tty { "tty" } else { "pipe" }.to_owned(),
        work.directory.clone(),
        path_of(&work.environment).to_owned(),
        work.interpreter.first().cloned().unwrap_or_default(),
        number(work.limits.processes.map(u64::from)),
        number(work.limits.memory),
        inner.join(" "),
        session.to_owned(),
    ]
}

/// The environment as [`INNER`] reads it, in lines that every shell can read.
pub(super) fn handover(environment: &[(String, String)]) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in environment {
        let value = escaped(value.as_bytes());
        let mut rest = value.as_str();
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(end_of_piece(rest));
            let _ = writeln!(text, "+{piece}");
            rest = later;
        }
        let _ = writeln!(text, "={name}");
    }
    text.push_str(".\n");
    text.into_bytes()
}

/// Where a line of the handover may end: never inside of an escape.
fn end_of_piece(text: &str) -> usize {
    const PIECE: usize = 1000;
    if text.len() <= PIECE {
        return text.len();
    }
    let head = text.get(..PIECE).unwrap_or(text);
    match head.rfind('\\') {
        Some(at) if at + 5 > PIECE => at,
        _ => PIECE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_travels_in_short_lines_that_cut_no_escape() {
        let value = "ä".repeat(3000) + "\n";
        let text = String::from_utf8(handover(&[("NAME".to_owned(), value.clone())])).unwrap();
        let pieces: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix('+')).collect();

        assert!(pieces.iter().all(|piece| piece.len() <= 1000 && piece.len() % 5 == 0));
        assert_eq!(pieces.concat(), escaped(value.as_bytes()));
        assert!(text.ends_with("\n=NAME\n.\n"));
    }
}
