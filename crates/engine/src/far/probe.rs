//! Looking at a target: short texts of the portal's own that only read.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::target::Reach;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;

use super::link::Transport;

/// What has not answered after so long is not known.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than that of an answer is not read.
const LIMIT: usize = 64 << 10;

/// A look at a target: the portal's own text in POSIX shell, and words that it gets as `$1`, `$2` …: values never become code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The text. It only reads.
    pub script: &'static str,
    /// The words.
    pub arguments: Vec<String>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// The exit code; `None` when it ended by a signal.
    pub code: Option<i32>,
    /// What was printed, at most 64 KiB.
    pub output: Vec<u8>,
    /// What was complained of, at most 64 KiB.
    pub errors: Vec<u8>,
}

impl Probed {
    /// Whether there may be more, which nobody reads.
    fn is_full(&self) -> bool {
        [&self.output, &self.errors].iter().any(|taken| taken.len() == LIMIT)
    }
}

/// Why nothing was seen. Each is a whole sentence.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// There is no way to the target; the sentence says why.
    #[error("{0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("The target did not answer within ten seconds.")]
    TimedOut,
    /// The portal itself could not look.
    #[error("The portal could not look there ({}).", .0.kind())]
    Here(#[source] io::Error),
}

/// Looks at a target over the connection of the portal itself; `own` is its binary.
pub(crate) fn probe(reach: &Reach, connections: &Path, own: &Path, probe: &Probe) -> Result<Probed, ProbeError> {
    look(&Transport::to(reach, connections, "the portal", own).map_err(ProbeError::Here)?, probe)
}

/// Looks; blocks for at most ten seconds, and as long as it takes to find no way.
pub(crate) fn look(transport: &Transport, probe: &Probe) -> Result<Probed, ProbeError> {
    let deadline = Instant::now() + PATIENCE;
    let words: Vec<&str> = probe.arguments.iter().map(String::as_str).collect();
    let mut link = transport.start(probe.script, &words).map_err(ProbeError::Unreachable)?;
    link.never_block().map_err(ProbeError::Here)?;
    let mut seen = Probed::default();
    let (mut output, mut errors) = (true, true);
    while (output || errors) && !seen.is_full() {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(ProbeError::TimedOut)?;
        let mut ends = Vec::new();
        ends.extend(output.then(|| PollFd::new(&link.output, PollFlags::IN)));
        ends.extend(errors.then(|| PollFd::new(&link.answers, PollFlags::IN)));
        let timeout = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(0), tv_nsec: left.subsec_nanos().into() };
        let _ = poll(&mut ends, Some(&timeout));
        output = output && more(&link.output, &mut seen.output).map_err(ProbeError::Here)?;
        errors = errors && more(&link.answers, &mut seen.errors).map_err(ProbeError::Here)?;
    }
    seen.code = if seen.is_full() { None } else { link.ended(deadline) };
    match seen.code {
        // ssh keeps this one for itself, and the bridge into a container has one, too.
        Some(255) if seen.output.is_empty() => Err(ProbeError::Unreachable(super::reason::of(&text(&seen.errors)))),
        Some(code)
            if [crate::exec::NOT_DONE, crate::exec::GONE].map(i32::from).contains(&code)
                && seen.output.is_empty()
                && !seen.errors.is_empty() =>
        {
            Err(ProbeError::Unreachable(text(&seen.errors).trim().to_owned()))
        }
        _ => Ok(seen),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Takes what is there; `false` at the end, or when there is too much of it.
fn more(end: impl AsFd, taken: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 4096];
    loop {
        match rustix::io::read(&end, &mut piece) {
            Ok(0) => return Ok(false),
            Ok(count) => {
                let room = LIMIT.saturating_sub(taken.len()).min(count);
                taken.extend_from_slice(piece.get(..room).unwrap_or_default());
                if room < count {
                    return Ok(true);
                }
            }
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(script: &'static str, arguments: &[&str]) -> Result<Probed, ProbeError> {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        look(&Transport::Here, &Probe { script, arguments })
    }

    #[test]
    fn words_arrive_as_they_are_and_are_never_run() {
        let words = ["$(touch /tmp/x)", "a'b\"c", "two\nlines\n", "", "-n"];

        let seen = here("printf '%s|' \"$@\"; echo said >&2; exit 3\n", &words).unwrap();

        assert_eq!(String::from_utf8(seen.output).unwrap(), words.map(|word| format!("{word}|")).concat());
        assert_eq!((seen.code, seen.errors.as_slice()), (Some(3), b"said\n".as_slice()));
    }

    #[test]
    fn more_than_64_kib_of_an_answer_is_not_waited_for() {
        let seen = here("exec yes\n", &[]).unwrap();

        assert_eq!(seen.output.len(), LIMIT);
    }
}
