//! The words and rules of the portal: pure data and pure functions.
//!
//! No clock, no database, no process, no page. Everything here compiles for the server and for the browser,
//! and both use the same code: the browser folds the events of a run with the same [`run::evolve`] as the server.

pub mod alert;
pub mod approval;
pub mod attempt;
pub mod audit;
pub mod check;
mod digest;
pub mod escalation;
pub mod factor;
pub mod frame;
pub mod health;
pub mod identity;
mod ids;
pub mod keyboard;
pub mod look;
pub mod notice;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod policy;
pub mod redaction;
mod risk;
pub mod run;
pub mod runbook;
pub mod schedule;
pub mod screen;
pub mod steering;
pub mod target;
pub mod terminal;
pub mod text;
pub mod time;
pub mod view;

pub use digest::{Digest, Hasher};
pub use ids::{ActionKey, AttemptId, PersonId, RunId, Slug, SuggestionId, TokenId};
pub use risk::{Lowered, Lowering, Risk, lowered};
pub use time::Timestamp;

/// What says nothing is left out of what is stored and sent. So the digests of work hold from before a field was there.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
