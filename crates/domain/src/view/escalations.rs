//! Who is told by which way, and what calls somebody.

use serde::{Deserialize, Serialize};

use crate::{RunId, Timestamp};

/// An open run into which the person who looks is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalatedRow {
    /// The run.
    pub run: RunId,
    /// The escalation's number in it.
    pub number: u32,
    /// The procedure's title.
    pub title: String,
    /// Where it runs.
    pub target: String,
    /// Who called: a name.
    pub by: String,
    /// Why, in a sentence.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// Somebody whom the escalation part names, and how they are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactInfo {
    /// The document's words for them.
    pub words: String,
    /// The name to show.
    pub name: String,
    /// By which ways they are told, as the end of a sentence.
    pub ways: String,
    /// Why nothing is sent, and what to do, in a sentence; `None` when something is.
    pub problem: Option<String>,
}

/// What a run's page has to know about escalation beside the run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationGround {
    /// Everybody whom the side file binds, as they are reached now.
    pub contacts: Vec<ContactInfo>,
    /// The address of the run's page, where it is known how people reach the portal.
    pub link: Option<String>,
}
