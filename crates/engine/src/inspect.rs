//! What the folder of an attempt says about it, whoever started it and when.

use std::io;

use domain::attempt::{AttemptResult, Exit, Intent, Mark};

use crate::MasterKey;
use crate::folder::{EXIT, Folder, INDEX, LOG, is_misplaced};
use crate::index::Reader;
use crate::record::Signed;

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
pub(crate) fn inspect(folder: &Folder, master: &MasterKey, intent: &Intent) -> io::Result<Inspection> {
    let held = match folder.is_held() {
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_misplaced(&error) => false,
        other => other?,
    };
    if folder.has(EXIT) {
        let ended = ended(folder, master, intent);
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

fn ended(folder: &Folder, master: &MasterKey, intent: &Intent) -> Inspection {
    let forged = "The record of how the step ended was not written by the process that ran it. \
                  What the step has done is not known.";
    let key = master.attempt(intent);
    let exit = folder.read(EXIT).ok().and_then(|bytes| Signed::open::<Exit>("", &bytes, &key));
    let meant = exit.filter(|exit| (exit.id, &exit.digest) == (intent.id, &intent.digest));
    match meant {
        None => interrupted(forged),
        Some(Exit { result: AttemptResult::Unknown { reason }, .. }) => Inspection::Interrupted { reason },
        Some(exit) => Inspection::Ended(Box::new(exit)),
    }
}

fn interrupted(reason: &str) -> Inspection {
    Inspection::Interrupted { reason: reason.to_owned() }
}

/// The marks from one on, at the places where they are in `out.log`.
///
/// The shim counts every byte that was printed. Where the cap left bytes out, what stood behind them moves forward. How far is
/// known when the attempt has ended; until then all of it is said to stand at the cut.
pub(crate) fn marks(folder: &Folder, master: &MasterKey, intent: &Intent, from: usize) -> io::Result<Vec<Mark>> {
    let text = match folder.read(INDEX) {
        // What stands there in its place says nothing. The shim puts the true one back when the attempt ends.
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_misplaced(&error) => return Ok(Vec::new()),
        other => other?,
    };
    let exit = match inspect(folder, master, intent)? {
        Inspection::Ended(exit) => Some(exit),
        _ => None,
    };
    let mut found = Reader::new(master.attempt(intent), exit.as_deref()).read(&text);
    if let Some(cut) = found.cut {
        let dropped = exit.map_or(u64::MAX, |exit| exit.dropped);
        for mark in &mut found.marks {
            let (Mark::Started { offset, .. } | Mark::Ended { offset, .. }) = mark;
            *offset = place(*offset, cut.offset, dropped);
        }
    }
    Ok(found.marks.into_iter().skip(from).collect())
}

/// Where a printed byte stands in `out.log` when some of those behind the cut were left out.
pub(crate) fn place(printed: u64, cut: u64, dropped: u64) -> u64 {
    if printed > cut { printed.saturating_sub(dropped).max(cut) } else { printed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_dropped_bytes_moves_forward() {
        assert_eq!([0, 100, 120, 150, 170].map(|printed| place(printed, 100, 50)), [0, 100, 100, 100, 120]);
        assert_eq!(place(170, 100, u64::MAX), 100, "as long as nobody knows how many there are");
    }
}
