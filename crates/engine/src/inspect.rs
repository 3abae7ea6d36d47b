//! What the folder of an attempt says about it, whoever started it and when.

use std::io;

use domain::attempt::{Exit, Mark};
use serde::Deserialize;

use crate::MasterKey;
use crate::folder::{EXIT, Folder, INDEX, LOG, SPEC};
use crate::record::SignedExit;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// Its shim lives.
    Running,
    /// Its shim has said how it ended.
    Ended(Box<Exit>),
    /// Its shim died without a record, or the record is not from it: the outcome is unknown.
    Interrupted {
        /// What is known, in a sentence.
        reason: String,
    },
    /// Nothing of it was run.
    NeverStarted,
}

/// Looks at the lock before the record: the record is written before the lock is let go.
///
/// While the lock is held only a genuine record counts. Another one was put there by the step, and its shim will put the
/// true one in its place.
pub(crate) fn inspect(folder: &Folder, master: &MasterKey) -> io::Result<Inspection> {
    if !folder.has(SPEC) {
        return Ok(Inspection::NeverStarted);
    }
    let held = match folder.is_held() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        other => other?,
    };
    if folder.has(EXIT) {
        let ended = ended(folder, master);
        let believed = !held || matches!(ended, Inspection::Ended(_));
        return Ok(if believed { ended } else { Inspection::Running });
    }
    if held {
        return Ok(Inspection::Running);
    }
    if !folder.has(LOG) {
        return Ok(Inspection::NeverStarted);
    }
    Ok(interrupted("The process that ran the step was ended from outside. What the step has done is not known."))
}

fn ended(folder: &Folder, master: &MasterKey) -> Inspection {
    let forged = "The record of how the step ended was not written by the process that ran it. \
                  What the step has done is not known.";
    let Ok(spec) = folder.spec() else { return interrupted(forged) };
    let key = master.attempt(spec.id, &spec.digest);
    let exit = folder.read(EXIT).ok().and_then(|bytes| SignedExit::open(&bytes, &key));
    exit.filter(|exit| exit.id == spec.id).map_or_else(|| interrupted(forged), |exit| Inspection::Ended(Box::new(exit)))
}

fn interrupted(reason: &str) -> Inspection {
    Inspection::Interrupted { reason: reason.to_owned() }
}

/// A line of `out.idx`. Kinds that this portal does not know are passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Mark(Mark),
    Cut(Cut),
}

#[derive(Deserialize)]
struct Cut {
    offset: u64,
}

/// What stands in a stretch of `out.idx`.
#[derive(Default)]
pub(crate) struct Lines {
    pub marks: Vec<Mark>,
    /// Where the output was cut, if it was in this stretch.
    pub cut: Option<u64>,
    /// Bytes of whole lines.
    pub bytes: usize,
}

pub(crate) fn lines(text: &[u8]) -> Lines {
    let mut found = Lines::default();
    for line in text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        found.bytes += line.len();
        match serde_json::from_slice(line) {
            Ok(Line::Mark(mark)) => found.marks.push(mark),
            Ok(Line::Cut(cut)) => found.cut = Some(cut.offset),
            Err(_) => {}
        }
    }
    found
}

/// The marks from one on, at the places where they are in `out.log`.
///
/// The shim counts every byte that was printed. Where the cap left bytes out, what stood behind them moves forward.
pub(crate) fn marks(folder: &Folder, master: &MasterKey, from: usize) -> io::Result<Vec<Mark>> {
    let text = match folder.read(INDEX) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = lines(&text);
    if let Some(cut) = found.cut {
        let dropped = match inspect(folder, master)? {
            Inspection::Ended(exit) => exit.dropped,
            _ => u64::MAX,
        };
        found.marks.iter_mut().for_each(|mark| shift(mark, cut, dropped));
    }
    Ok(found.marks.into_iter().skip(from).collect())
}

fn shift(mark: &mut Mark, cut: u64, dropped: u64) {
    let (Mark::Started { offset, .. } | Mark::Ended { offset, .. }) = mark;
    if *offset > cut {
        *offset = offset.saturating_sub(dropped).max(cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_kinds_and_half_lines_are_passed_over() {
        let text = b"{\"mark\":\"started\",\"command\":1,\"offset\":0,\"at\":5,\"later\":1}\n\
                     {\"mark\":\"weather\",\"sun\":true}\n{\"mark\":\"cut\",\"offset\":7,\"at\":5}\nnonsense\n{\"mark\":\"sta";

        let found = lines(text);

        assert_eq!(found.marks, [Mark::Started { command: 1, offset: 0, at: 5 }]);
        assert_eq!(found.cut, Some(7));
        assert_eq!(found.bytes, text.len() - "{\"mark\":\"sta".len());
    }

    #[test]
    fn marks_behind_dropped_bytes_move_forward() {
        let place = |offset| {
            let mut mark = Mark::Started { command: 1, offset, at: 0 };
            shift(&mut mark, 100, 50);
            let Mark::Started { offset, .. } = mark else { unreachable!("it was one") };
            offset
        };

        assert_eq!([place(0), place(100), place(120), place(150), place(170)], [0, 100, 100, 100, 120]);
    }
}
