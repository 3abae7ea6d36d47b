//! For tests of other crates only: a clock that stands still, people, plans, runs, a temporary database, and real machinery
//! for tests of targets ([`rig`]).
//!
//! What it builds is ordinary data of [`domain`], with public fields: a test changes what it is about and leaves the rest.

mod clock;
mod counts;
mod plans;
pub mod rig;
mod runs;
mod storage;

pub use clock::FixedClock;
pub use counts::times;
pub use plans::{alternative, command, item, manual, plan, step, watch};
pub use runs::{NOW, actor, completed, entry, exit, person, start, started, success, who};
pub use storage::{TempStore, temp_store};
