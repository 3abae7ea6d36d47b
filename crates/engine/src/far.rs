//! Other machines: how an attempt runs over ssh or in a container, and outlives the link to it.
//!
//! # The story of an attempt at a target
//!
//! The shim stays on the portal's machine. It keeps the folder of the attempt, judges the commands and signs the record, as for
//! a step of this machine. What is different is where the shell is: a small program of POSIX shell text, sent over the link
//! ([`BEGIN`]), makes a private folder at the target, becomes the **supervisor** of the shell and lets go of the link. The shell
//! runs on a terminal that `script` makes, or on pipes where there is no `script`; everything that it prints, marks included, goes into a file
//! `log` in that folder, and what it is fed comes out of a fifo.
//!
//! The shim then follows that file through a second program ([`SERVE`]): standard output is the log from a byte on, standard
//! input takes requests, standard error gives the answers. The link may be cut at any moment, by anybody. The shim makes a new one and
//! goes on at the same byte; what it has fed carries a name, and what carries a known name is not fed again. So a command
//! runs at most once, whatever happened to the link while it was on its way. Once somebody stops the step, the name of a command that
//! has not arrived is used up instead, and it never begins.
//!
//! ```text
//!   shim                        link                       target
//!   ────                        ────                       ──────
//!   begin ── values, secrets ─▶ ssh │ __exec ────────────▶ folder, supervisor ──▶ script ──▶ shell
//!   serve ── feed c1 … ───────▶ ─────────────────────────▶ fifo ─────────────────────────▶ driver
//!   scanner ◀───────────────── ◀──── tail -c +N -f ─────── log ◀──────────────────────────── prints
//!   silence ◀─ look 1 0 1 1 ── ◀────────────────────────── /proc, stty
//!   ladder ── interrupt, kill ▶ ─────────────────────────▶ the whole family
//! ```
//!
//! The shim itself may die as well: its tokens are derived from the key of the attempt, so that another shim reads the log from
//! its first byte, finds every border again, and goes on where the first one was
//! ([`Engine::resume`](crate::Engine::resume)). Nothing is fed twice by that, either, and what the first one has judged stands.
//!
//! # What is where
//!
//! Values and secrets travel over the standard input of the link into the environment of the shell: they are in no argument and in no
//! file. The text of the commands is in the arguments of nobody, either. What is printed lies in the log at the target, in a folder
//! that only its user can read, until the record is signed; then the folder is removed.
//!
//! Processes are found by the token in their environment, by what descends from them, and by their control group where the
//! user may make one; what has left all three cannot be found.

use std::fmt::Write as _;

mod link;
mod probe;
mod reason;
mod ssh;

pub(crate) use link::{Link, Transport};
pub(crate) use probe::probe;
pub use probe::{Probe, ProbeError, Probed};

/// Begins an attempt and becomes its supervisor.
pub(crate) const BEGIN: &str = concat!(include_str!("far/first.sh"), include_str!("far/begin.sh"));

/// Follows an attempt, and does what the shim asks for.
pub(crate) const SERVE: &str = concat!(include_str!("far/first.sh"), include_str!("far/serve.sh"));

/// Runs inside the terminal: takes the environment, and becomes the shell.
pub(crate) const INNER: &str = include_str!("far/inner.sh");

/// A word as a POSIX shell takes it literally.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Bytes as `printf %b` gives them back: printable ASCII but the backslash as it is, everything else as `\0ooo`.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => text.push_str("\\0134"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let _ = write!(text, "\\0{other:03o}");
            }
        }
    }
    text
}
