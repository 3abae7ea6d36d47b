//! The record, and what proves it: checkpoints are written while something happens, and verification reads everything again.

mod bundle;
mod checkpoints;
mod page;
mod verify;

pub use bundle::Bundle;
pub(crate) use checkpoints::Checkpoints;
pub use verify::{KeptRecord, Unverifiable};
