//! The router with everything behind it, but for the network: who gets in, from where, and what every answer carries.

#![expect(clippy::unwrap_used, reason = "a test")]

mod account;
mod alerts;
mod apart;
mod api;
mod approval_pages;
mod approvals;
#[path = "../../../crates/runbook/tests/reading/bare.rs"]
mod bare;
mod checks;
mod documents;
mod escalation;
mod evidence;
mod faults;
mod forms;
mod guessing;
mod headers;
mod health;
mod identity;
mod keyboard;
mod limited;
mod logs;
mod observing;
mod oidc;
mod origins;
mod policies;
mod provider;
mod proxies;
mod races;
mod redaction;
mod schedules;
mod screens;
mod site;
mod subpath;
mod targets;
mod together;
mod tokens;
#[path = "../../../crates/runbook/tests/reading/users_path.rs"]
mod users_path;
mod values;
