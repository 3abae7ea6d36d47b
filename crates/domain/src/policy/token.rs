//! Tokens by which a script acts for a person: what they are for, and which roles they can have.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::TokenId;

/// The roles that a token can have: a script reads, or works in runs.
const TOKEN_ROLES: [Role; 2] = [Role::Viewer, Role::Operator];

/// The roles that a person with this role can give to a token of theirs.
pub fn token_roles(of: Role) -> impl Iterator<Item = Role> {
    TOKEN_ROLES.into_iter().filter(move |role| *role <= of)
}

/// What a token is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Whatever its role lets a script do.
    #[default]
    Role,
    /// To suggest procedures by what fires, and nothing else: it lies with an alert manager. It does not even read.
    Suggest,
    /// None that anybody has: a schedule starts a run in the name of its owner, in which it may only read.
    Schedule,
}

impl Scope {
    /// The scope in a word, as it is stored and as a form names it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Suggest => "suggest",
            Self::Schedule => "schedule",
        }
    }
}

/// A token by which a script acts for a person, as others may know it: never the text that lets it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What names it.
    pub id: TokenId,
    /// As its person calls it.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub scope: Scope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_gives_a_token_no_more_than_they_have_and_never_more_than_an_operator() {
        let given = Role::ALL.map(|role| token_roles(role).collect::<Vec<_>>());

        let both = vec![Role::Viewer, Role::Operator];
        assert_eq!(given, [vec![Role::Viewer], both.clone(), both.clone(), both]);
    }
}
