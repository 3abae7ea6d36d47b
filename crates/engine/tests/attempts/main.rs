//! Attempts, whole: real shells, real files, real signals.

#![expect(clippy::unwrap_used, reason = "a test")]

mod commands;
mod ending;
mod harness;
mod isolation;
mod output;
mod reattach;
mod secrets;
