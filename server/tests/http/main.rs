//! The router with everything behind it, but for the network: who gets in, from where, and what every answer carries.

#![expect(clippy::unwrap_used, reason = "a test")]

mod forms;
mod headers;
mod origins;
mod policies;
mod site;
