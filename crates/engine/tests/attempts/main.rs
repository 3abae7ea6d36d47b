//! Attempts, whole: real shells, real files, real signals, and real targets.

#![expect(clippy::unwrap_used, reason = "a test")]

#[macro_use]
mod sites;

mod bridge;
mod commands;
mod ending;
mod far;
mod full_disk;
mod harness;
mod input;
mod isolation;
mod limits;
mod output;
mod reattach;
mod resume;
mod secrets;
mod tampering;
mod ways;
