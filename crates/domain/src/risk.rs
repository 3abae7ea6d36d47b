//! What a command can do at worst.

use serde::{Deserialize, Serialize};

/// The four risk classes, from harmless to irrevocable. The rules that give them stand in the `runbook` crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Looks only.
    #[default]
    Reads,
    /// Changes something that can be changed back.
    Changes,
    /// A service goes away for a while.
    Disrupts,
    /// Data, access or history is lost.
    Destroys,
}

impl Risk {
    /// The class as one word, as pages and `show` print it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Changes => "changes",
            Self::Disrupts => "disrupts",
            Self::Destroys => "destroys",
        }
    }
}
