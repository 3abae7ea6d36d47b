//! Who did something in a run.

use serde::{Deserialize, Serialize};

use crate::PersonId;
use crate::policy::{Actor, Scope, Token};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Who {
    /// A person, as their account stood then.
    Person(Actor),
    /// The portal, reporting what a shim left.
    Portal,
}

impl Who {
    /// The name to show.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(actor) => &actor.name,
            Self::Portal => "the portal",
        }
    }

    /// Whether it is a schedule, in the name of its owner: nobody is there.
    pub fn is_schedule(&self) -> bool {
        matches!(self, Self::Person(Actor { token: Some(Token { scope: Scope::Schedule, .. }), .. }))
    }

    /// The name to show, with the token where a script did it, and with the schedule where nobody did.
    pub fn name_and_token(&self) -> String {
        match self {
            Self::Person(Actor { name, token: Some(token), .. }) if token.scope == Scope::Schedule => {
                format!("the schedule of {}, for {name}", token.name)
            }
            Self::Person(Actor { name, token: Some(token), .. }) => format!("{name}, by the token {}", token.name),
            Self::Person(_) | Self::Portal => self.name().to_owned(),
        }
    }
}

impl Who {
    /// The person's id; `None` for the portal itself.
    pub fn id(&self) -> Option<&PersonId> {
        match self {
            Self::Person(actor) => Some(&actor.id),
            Self::Portal => None,
        }
    }
}
