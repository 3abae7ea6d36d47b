//! What came of a run.

use serde::{Deserialize, Serialize};

/// What came of a run, apart from exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The expected outcome was reached.
    Reached,
    /// It was not.
    NotReached,
    /// The rollback was run.
    RolledBack,
    /// The run was given up.
    Aborted,
}

impl Verdict {
    /// All verdicts, in the order in which pages offer them.
    pub const ALL: [Self; 4] = [Self::Reached, Self::NotReached, Self::RolledBack, Self::Aborted];

    /// The verdict in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NotReached => "not reached",
            Self::RolledBack => "rolled back",
            Self::Aborted => "aborted",
        }
    }

    /// The verdict as forms and addresses write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reached => "reached",
            Self::NotReached => "not_reached",
            Self::RolledBack => "rolled_back",
            Self::Aborted => "aborted",
        }
    }

    /// The verdict with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}
