//! Attempts, whole: real shells, real files, real signals, and real targets.

#![expect(clippy::unwrap_used, reason = "a test")]

#[macro_use]
mod sites;

mod bare;
mod bridge;
mod commands;
mod daemon;
mod ending;
mod far;
mod full_disk;
mod gone;
mod harness;
mod input;
mod isolation;
mod limits;
mod output;
mod reattach;
mod resume;
mod secrets;
mod strange;
mod tampering;
mod ways;
