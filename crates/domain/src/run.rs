//! The life of a run, and the one gate through which it changes.
//!
//! A run is a fold over its events: [`evolve`] adds one, and nothing else makes state. What may happen next is decided
//! by [`decide`] alone. Both are pure: what they need from outside (the time, the present standing of the person) comes
//! in as [`Facts`], which the store gathers inside the transaction that appends the events.
//!
//! ```text
//!              ┌────────────── decide(run, command, who, facts) ──────────────┐
//!  person ───▶ │ refuses with a sentence                  or  a list of events │ ───▶ append (compare and set)
//!  shim   ───▶ └───────────────────────────────────────────────────────────────┘            │
//!                          ▲                                                                ▼
//!                          └───────────────────────── evolve ◀──────────────────────── events
//! ```

mod away;
mod by_itself;
mod checks;
mod command;
mod course;
mod decide;
mod difference;
mod earlier;
mod escalating;
mod event;
mod fold;
mod hand_over;
mod lock;
mod redaction;
mod refusal;
mod request;
mod state;
mod status;
mod work;

pub use away::{Away, downtime};
pub use checks::{CheckRecord, CheckStanding};
pub use command::Command;
pub use course::{Leg, Mover, course_words};
pub use decide::{Facts, Wanted, decide};
pub use earlier::{Again, Asked, again, compared};
pub use escalating::{Because, EscalationRecord, Moment};
pub use event::{Entry, Event, Verdict, Who};
pub use fold::{evolve, fold};
pub use hand_over::{hand_over, values_to_hand_over};
pub use lock::{ABANDONED_AFTER_MS, Holder};
pub use redaction::{Redaction, RedactionEnd};
pub use refusal::{Refusal, TEXT_LIMIT};
pub use request::{Approval, Covered, Glass, Request, RequestEnd, RequestStatus, Shaped};
pub use state::{
    Attempt, AttemptEnd, AttemptEnding, Change, ChangeKind, CommandState, End, Ground, Lock, Note, Offer, RestEnd, Run,
    Skip, Stamp, StepState, StepStatus, Tick, ValueSet, ticks,
};

#[cfg(test)]
pub(crate) mod tests;
