//! The real binary, from outside: its exit codes, its sentences, a whole day of work over real HTTP, and what is left when
//! it dies.

#![expect(clippy::unwrap_used, reason = "a test")]

mod alike;
mod attacks;
mod backups;
mod bad_input;
mod browser;
mod day;
mod disconnects;
mod disk;
mod doctor;
mod elsewhere;
mod escalating;
mod joining;
mod kills;
mod leaving;
mod life;
mod long;
mod page;
mod people;
mod process;
#[expect(dead_code, reason = "the tests of the router have it do more")]
#[path = "../http/provider.rs"]
mod provider;
mod proxies;
mod reading;
mod receivers;
mod record;
mod secrets;
mod shims;
mod siege;
mod silent;
mod slow_readers;
mod tampering;
mod telling;
mod upgrades;
mod waiting;
