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
    let token = crate::shim::token();
    let script = format!("printf '\\n%s\\n' {token}\n{}", probe.script);
    let mut link = transport.start(&script, &words).map_err(ProbeError::Unreachable)?;
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
    if let Some(output) = behind(&token, &seen.output) {
        seen.output = output;
        return Ok(seen);
    }
    not_begun(seen)
}

/// What was printed behind the line with a token. What stands before it a login has printed, whole lines or not.
fn behind(token: &str, output: &[u8]) -> Option<Vec<u8>> {
    let line = format!("\n{token}\n");
    let at = memchr::memmem::find(output, line.as_bytes())?;
    output.get(at + line.len()..).map(<[u8]>::to_vec)
}

/// What it means that the text was not even begun; whatever was printed says why.
fn not_begun(mut seen: Probed) -> Result<Probed, ProbeError> {
    seen.errors.append(&mut seen.output);
    match seen.code {
        // ssh keeps this one for itself, and the bridge into a container has one, too.
        Some(255) => Err(ProbeError::Unreachable(super::reason::of(&text(&seen.errors), "", None))),
        Some(code)
            if [crate::exec::NOT_DONE, crate::exec::GONE].map(i32::from).contains(&code) && !seen.errors.is_empty() =>
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

        assert_eq!(seen.code, None);
        assert!((LIMIT / 2..=LIMIT).contains(&seen.output.len()), "{}", seen.output.len());
    }

    /// A way that does something before it runs what it is told to, as a login may.
    fn by_way_of(folder: &Path, before: &str) -> Transport {
        let program = folder.join("way");
        let text = format!("#!/bin/sh\n{before}\nshift 2\nexec \"$@\"\n");
        // Written by another process: what a fork of another test holds open for writing cannot be started.
        let write = ["-c", "printf %s \"$1\" >\"$2\" && chmod 700 \"$2\"", "sh", &text];
        assert!(std::process::Command::new("sh").args(write).arg(&program).status().unwrap().success());
        Transport::Exec { program, container: String::new() }
    }

    #[test]
    fn what_a_login_prints_is_no_part_of_an_answer() {
        let folder = tempfile::tempdir().unwrap();
        let way = by_way_of(folder.path(), "printf 'motd\\n=yes\\nlast login: today'");

        let seen = look(&way, &Probe { script: "echo =no\n", arguments: Vec::new() });

        assert_eq!(String::from_utf8(seen.unwrap().output).unwrap(), "=no\n");
    }

    #[test]
    fn a_login_that_lets_nobody_in_says_why_in_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let way = by_way_of(folder.path(), "echo 'This account is not available.'; exit 1");

        let seen = look(&way, &Probe { script: "echo =no\n", arguments: Vec::new() }).unwrap();

        assert_eq!((seen.code, text(&seen.errors).as_str()), (Some(1), "This account is not available.\n"));
        assert_eq!(seen.output, b"");
    }
}
