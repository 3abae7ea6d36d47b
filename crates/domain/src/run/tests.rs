//! The gate under test: by table, by story, and by random histories.

mod apart;
mod approval;
mod away;
mod by_itself;
mod checks;
mod course;
mod deciding;
mod earlier;
mod escalating;
mod histories;
mod holding;
mod input;
mod offers;
mod redaction;
mod refusals;
mod scripts;
mod secrets;
pub(crate) mod stage;
mod starting;
mod statuses;
mod table;
