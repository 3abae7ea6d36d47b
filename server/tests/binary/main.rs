//! The real binary, from outside: its exit codes, its sentences, and a whole day of work over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test")]

mod bad_input;
mod browser;
mod day;
mod kills;
mod life;
mod process;
mod reading;
mod secrets;
