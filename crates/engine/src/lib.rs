//! Runs steps, and keeps what they print.
//!
//! # The story of an attempt
//!
//! An operator starts a step. The portal records the *intent* and only then calls [`Engine::launch`]. That makes a folder for
//! this attempt, which must not be there yet (nothing is ever started twice), writes into it what is to be done
//! (`spec.json`, durably), takes a lock on it, and starts a **shim**: the portal's own binary in another mode.
//!
//! The shim leaves the portal at once: it has its own session, closes everything it might have inherited, cannot be looked
//! into, and becomes the reaper of every process below it. The lock came to it as a descriptor that was already locked, so
//! that there is no moment in which the attempt looks dead. The key with which it will sign came over its standard input, and
//! is nowhere else. It compares the work with its digest and starts one shell, on a terminal or on pipes, in a control group
//! where there is one.
//!
//! The shell runs a small driver. The shim feeds it one command at a time, with a fresh token; the shell answers with marks
//! in its own output that carry the token. What stands between two marks is the output of the command. The shim takes the marks
//! out, appends everything else to `out.log` as it came, and the borders to `out.idx`. The mark at the end brings the exit
//! codes; [`domain::outcome::judge`] says what they mean. A failure or a difference ends the step; else the next command
//! is fed.
//!
//! A command that is silent for a second is looked at from outside: whether a program of it waits for something to be typed
//! ([`Condition`]). What an operator types goes to the very command that asked and into no file; a full-screen program gets
//! keys and no lines ([`Steer`]).
//!
//! When the shell has left, whatever it left behind is ended and named. Then the shim makes the log durable, writes how it all
//! ended into `exit.json`, signed, and dies. With it goes the lock.
//!
//! ```text
//!   portal                          shim                            shell
//!   ──────                          ────                            ─────
//!   intent recorded
//!   launch ── folder, lock, key ──▶ checks the digest
//!                                   starts ───────────────────────▶ driver
//!                                   ◀───────────────────────────── ready
//!                                   command, token ───────────────▶ runs it
//!   follow ◀┄┄ inotify ┄┄ out.log ◀ bytes ◀──────────────────────── prints
//!   read   ◀┄┄┄ file ┄┄┄┄ out.idx ◀ marks ◀──────────────────────── ends, codes
//!   follow ◀┄┄ inotify ┄┄┄┄ state ◀ may be waiting ···············▶ reads its terminal
//!   steer  ── control.sock ───────▶ a line, a key ───────────────▶ reads it
//!   steer  ── control.sock ───────▶ SIGINT, SIGTERM, kill ────────▶ ✕
//!   wait_end ◀┄ inotify ┄ exit.json ◀ signed; the lock is let go
//! ```
//!
//! No byte of output passes through the portal on its way to the disk, and the shim waits for nobody. The portal follows
//! the files ([`Engine::follow`], [`Output::read`]); any number of readers cost the step nothing. Kill the portal and start it
//! again: the shim has not noticed, and [`Engine::inspect`] says of every attempt what it is.
//!
//! - The lock is held: it runs. Following goes on at the same byte.
//! - There is an `exit.json` that the attempt's own key has signed: it ended so.
//! - There is one that it has not signed, or none and no lock: interrupted, the outcome is unknown, and a person decides.
//!   [`Engine::survivors`] finds what is still there.
//! - There is no `out.log`: nothing of it was run.
//!
//! # What a step cannot do to its own record
//!
//! A step that works as the portal's own user can write into the folder of its attempt. The lines of `out.idx`, `state` and
//! `exit.json` are signed with the key that only the shim was given, and what is not signed does not count. What was taken away or
//! changed is put back at the end, and said ([`domain::attempt::Notes::tampered`]). Nothing is read through a link, and nothing that
//! is not a file ([`Unreadable`]). Which attempt it is and what it was to do is said by the recorded
//! [`Intent`](domain::attempt::Intent) and never by `spec.json`. When `control.sock` is gone, or somebody else listens there, the
//! shim is stopped by SIGTERM. The index and the record have their space on the disk from the start: on a full one the output
//! ends with a cut ([`Progress::disk_full`]), and the step can still be stopped and recorded; on one that fails it ends there,
//! too ([`domain::attempt::Notes::unstored`]).
//!
//! # Where things are
//!
//! The portal's half: [`Engine`], with `launch`, `follow`, `inspect`, `output`, `steer` and `survivors` behind it. The
//! shim's half: [`shim`], with the shell and its `driver`, the `scanner` that finds the marks, the `log`, the `control` socket,
//! `silence` that looks at a command that says nothing, `limits`, and `supervise`, the loop that holds them together. What both
//! speak stands in `record`, `index`, `condition` and `folder`. Both read what a full-screen program paints with `screen`: the shim
//! to know that there is one, the portal to draw it ([`Painter`]).
//!
//! When what was printed stands in `out.times` (`times`): timestamps and replays are made of it, and nothing else hangs on it.
//! The portal keeps one file of its own beside those: `out.lines` (`lines`), by which a line of a long log is found at once. It is made
//! anew when it is missing.
//!
//! Whoever copies what attempts keep, as a backup does, reads it through [`Kept`].
//!
//! Not the business of this crate: what may be run, by whom, and what is recorded about it.

mod cgroup;
mod condition;
mod engine;
pub mod exec;
mod far;
mod folder;
mod follow;
mod index;
mod inspect;
mod kept;
mod key;
mod launch;
mod lines;
mod output;
mod processes;
mod record;
mod redact;
mod screen;
mod search;
pub mod shim;
mod steer;
mod survivors;
mod times;

pub use domain::attempt::{Condition, Key};
pub use engine::Engine;
pub use far::{Probe, ProbeError, Probed};
pub use follow::Progress;
pub use inspect::Inspection;
pub use kept::{Kept, cover_stored, is_plain_name};
pub use key::MasterKey;
pub use launch::LaunchError;
pub use lines::{LinePlace, Stretch};
pub use output::{Output, PIECE, Unreadable, stored_digest};
pub use record::{Ladder, Secret, Steer};
pub use redact::Redacted;
pub use screen::Painter;
pub use search::{BadPattern, Pattern};
pub use shim::mask::files::listed_values;
pub use shim::mask::forms::can_be_masked;
pub use shim::mask::masked;
pub use shim::shell::WINDOW;
pub use steer::SteerError;
