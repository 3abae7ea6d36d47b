//! What proves a portal's record to somebody who does not trust its database.
//!
//! - [`Signer`] and [`PublicKey`]: checkpoints are signed, and anybody can check them.
//! - [`CheckpointFolder`]: where they lie, outside the database.
//! - [`bundle`]: the events and outputs of one run in one file, with what proves them.
//!
//! Which events follow which, and what a checkpoint says, is in [`domain::audit`].

pub mod bundle;
mod folder;
mod key;

pub use folder::{CheckpointFolder, StoredCheckpoint};
pub use key::{BadKey, PublicKey, Signer};
