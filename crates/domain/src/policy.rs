//! Who may do what: one table, and the proofs that are minted from it.
//!
//! A use case that needs a right takes a proof ([`Viewer`], [`Operator`], [`Administrator`]). Only an [`Actor`]'s
//! check hands one out, so that a forgotten check does not compile. What is limited to groups of people is read with a
//! [`Sight`], which says for whom; whose something else has to be stands beside the verb ([`Whose`]).
//!
//! What a script may do by a token is said here as well, and nowhere else: the lower of the token's role and of its person's,
//! and never what takes the person themselves. A token of the scope [`Scope::Suggest`] lets a script do one thing alone.

mod group;
mod proof;
mod sight;
mod token;
mod whose;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use group::{GroupName, Groups, group_names, typed_groups};
pub use proof::{Administrator, Approver, Auditor, Operator, Owner, Redactor, Suggester, Viewer};
pub use sight::Sight;
pub use token::{Scope, Token, token_roles};
pub use whose::{Answer, Object, Whose};

use crate::PersonId;

/// What a person is trusted with. The order is by trust, but rights come from [`allows`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything that is not limited.
    Viewer,
    /// Starts and works through runs.
    Operator,
    /// Decides approval requests, stops any step.
    Lead,
    /// Looks after people and settings.
    Administrator,
}

impl Role {
    /// All roles, in the order in which pages list them.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Lead, Self::Administrator];

    /// The role in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Lead => "lead",
            Self::Administrator => "administrator",
        }
    }

    /// What the role may do, in one sentence for the page of people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Viewer => "Reads procedures, runs and their output.",
            Self::Operator => "Starts runs, works through them, and stops any step.",
            Self::Lead => {
                "Does what an operator does, approves what others ask for, gives up any run, and takes any lock."
            }
            Self::Administrator => {
                "Does what a lead does, sees also what is limited to groups, looks after people, and asks for stored output to \
                 be covered."
            }
        }
    }

    /// The role with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Everything that a person can ask the portal to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Read procedures, documents, runs, history, output.
    Read,
    /// Change one's own password and second factors, end one's own sessions.
    OwnAccount,
    /// Start a run.
    StartRun,
    /// Anything inside a run but stopping: set a value, run, skip, tick, note, finish.
    WorkRun,
    /// Stop a step or a watch, give up one's own run.
    Stop,
    /// Suggest procedures by what fires.
    Suggest,
    /// Give up another person's run, take a lock from a run that is worked in.
    Overrule,
    /// Start without an approval, in an emergency. The rules about approvals say who may, too.
    BreakGlass,
    /// Decide requests for approval, review what was started without one.
    Approve,
    /// Read what happened to no run, verify the record.
    Audit,
    /// Ask for something in stored output to be covered.
    Redact,
    /// Create, change and disable people.
    ManagePeople,
}

impl Verb {
    /// All verbs, for tests that walk the table.
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::OwnAccount,
        Self::StartRun,
        Self::WorkRun,
        Self::Stop,
        Self::Suggest,
        Self::Overrule,
        Self::BreakGlass,
        Self::Approve,
        Self::Audit,
        Self::Redact,
        Self::ManagePeople,
    ];

    const fn phrase(self) -> &'static str {
        match self {
            Self::Read => "read this",
            Self::OwnAccount => "change an account",
            Self::StartRun => "start a run",
            Self::WorkRun => "work in a run",
            Self::Stop => "stop a step",
            Self::Suggest => "suggest procedures",
            Self::Overrule => "overrule the person who works in a run",
            Self::BreakGlass => "start without an approval",
            Self::Approve => "decide a request for approval",
            Self::Audit => "look into the audit",
            Self::Redact => "ask for output to be covered",
            Self::ManagePeople => "look after people",
        }
    }

    const fn least(self) -> Role {
        match self {
            Self::Read | Self::OwnAccount => Role::Viewer,
            Self::StartRun | Self::WorkRun | Self::Stop | Self::Suggest | Self::BreakGlass => Role::Operator,
            Self::Overrule | Self::Approve | Self::Audit => Role::Lead,
            Self::Redact | Self::ManagePeople => Role::Administrator,
        }
    }

    /// Whether a script may use it by a token. What decides, proves who somebody is, or gives rights takes the person themselves.
    const fn is_for_scripts(self) -> bool {
        match self {
            Self::Read | Self::StartRun | Self::WorkRun | Self::Stop | Self::Suggest => true,
            Self::OwnAccount
            | Self::Overrule
            | Self::BreakGlass
            | Self::Approve
            | Self::Audit
            | Self::Redact
            | Self::ManagePeople => false,
        }
    }
}

/// The table: whether people with a role may use a verb.
pub fn allows(role: Role, verb: Verb) -> bool {
    role >= verb.least()
}

/// An enabled person, as their account stands at this request: signed in, or a script acts for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub id: PersonId,
    /// Their name at this moment.
    pub name: String,
    /// Their role at this moment; by a token at most the token's.
    pub role: Role,
    /// The token by which a script acts for them; `None` when they are signed in themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// Why an actor was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// The person's role is too low.
    #[error("Your role is {role}; to {} takes the role {} or above", .verb.phrase(), .verb.least())]
    Role {
        /// The role that they have.
        role: Role,
        /// What was wanted.
        verb: Verb,
    },
    /// What the token lets its script do is too little, or its person's role is.
    #[error("This token gives the role {role}; to {} takes the role {} or above", .verb.phrase(), .verb.least())]
    TokenRole {
        /// The lower of both roles.
        role: Role,
        /// What was wanted.
        verb: Verb,
    },
    /// The token is for suggesting alone.
    #[error("This token may suggest procedures and nothing else; to {} takes another one", .verb.phrase())]
    Suggests {
        /// What was wanted.
        verb: Verb,
    },
    /// No token is enough for it.
    #[error("To {} takes a person who is signed in; no token is enough", .verb.phrase())]
    Script {
        /// What was wanted.
        verb: Verb,
    },
}

impl Forbidden {
    /// What was wanted.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Role { verb, .. }
            | Self::TokenRole { verb, .. }
            | Self::Suggests { verb }
            | Self::Script { verb } => *verb,
        }
    }
}

impl Actor {
    /// A person who is signed in.
    pub const fn new(id: PersonId, name: String, role: Role) -> Self {
        Self { id, name, role, token: None }
    }

    /// Whoever may start the portal's program on its data folder, who may do everything with it.
    pub fn console() -> Self {
        Self::new(PersonId("console".to_owned()), "the console".to_owned(), Role::Administrator)
    }

    /// The same person when a script acts for them, with the lower of their role and of the token's.
    #[must_use]
    pub fn by_token(self, token: Token, role: Role) -> Self {
        Self { role: self.role.min(role), token: Some(token), ..self }
    }

    /// The same with the role that the account has by now; by a token never more than before.
    #[must_use]
    pub fn with_role(&self, role: Role) -> Self {
        let role = if self.token.is_some() { role.min(self.role) } else { role };
        Self { role, ..self.clone() }
    }

    /// Whether the table lets this person use a verb, by the way on which they came.
    pub fn may(&self, verb: Verb) -> Result<(), Forbidden> {
        let role = self.role;
        match (allows(role, verb), &self.token) {
            (_, Some(_)) if !verb.is_for_scripts() => Err(Forbidden::Script { verb }),
            (_, Some(token)) if token.scope == Scope::Suggest && verb != Verb::Suggest => {
                Err(Forbidden::Suggests { verb })
            }
            (true, _) => Ok(()),
            (false, Some(_)) => Err(Forbidden::TokenRole { role, verb }),
            (false, None) => Err(Forbidden::Role { role, verb }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_for_exactly_the_roles_of_the_table() {
        let table = [
            (Verb::Read, [true, true, true, true]),
            (Verb::OwnAccount, [true, true, true, true]),
            (Verb::StartRun, [false, true, true, true]),
            (Verb::WorkRun, [false, true, true, true]),
            (Verb::Stop, [false, true, true, true]),
            (Verb::Suggest, [false, true, true, true]),
            (Verb::Overrule, [false, false, true, true]),
            (Verb::BreakGlass, [false, true, true, true]),
            (Verb::Approve, [false, false, true, true]),
            (Verb::Audit, [false, false, true, true]),
            (Verb::Redact, [false, false, false, true]),
            (Verb::ManagePeople, [false, false, false, true]),
        ];

        assert_eq!(table.map(|(verb, _)| verb), Verb::ALL);
        for (verb, expected) in table {
            assert_eq!(Role::ALL.map(|role| allows(role, verb)), expected, "{verb:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_role_that_it_takes() {
        let viewer = Actor::new("p".into(), "Vera".to_owned(), Role::Viewer);

        let refusal = viewer.operator().unwrap_err().to_string();

        assert_eq!(refusal, "Your role is viewer; to work in a run takes the role operator or above");
    }

    /// A script of somebody with a role, by a token with a role.
    fn script(person: Role, token: Role) -> Actor {
        let of = Token { id: "7f".into(), name: "nightly report".to_owned(), scope: Scope::Role };
        Actor::new("p".into(), "Ada".to_owned(), person).by_token(of, token)
    }

    #[test]
    fn a_script_reads_and_works_in_runs_by_the_lower_of_both_roles_and_nothing_else() {
        let for_scripts = [Verb::Read, Verb::StartRun, Verb::WorkRun, Verb::Stop, Verb::Suggest];

        for (person, token) in Role::ALL.into_iter().flat_map(|person| Role::ALL.map(|token| (person, token))) {
            let actor = script(person, token);
            for verb in Verb::ALL {
                let expected = for_scripts.contains(&verb) && allows(person, verb) && allows(token, verb);
                assert_eq!(actor.may(verb).is_ok(), expected, "{person} by a token of {token}: {verb:?}");
            }
        }
    }

    #[test]
    fn no_script_gets_a_proof_for_what_takes_its_person() {
        let actor = script(Role::Administrator, Role::Administrator);

        assert!(actor.owner().is_err() && actor.approver().is_err() && actor.auditor().is_err());
        assert!(actor.redactor().is_err() && actor.administrator().is_err());
        assert!(actor.viewer().is_ok() && actor.operator().is_ok());
        let refusal = actor.approver().unwrap_err().to_string();
        assert_eq!(refusal, "To decide a request for approval takes a person who is signed in; no token is enough");
        let refusal = script(Role::Lead, Role::Viewer).operator().unwrap_err().to_string();
        assert_eq!(refusal, "This token gives the role viewer; to work in a run takes the role operator or above");
    }

    #[test]
    fn a_token_for_suggesting_lets_its_script_do_that_and_nothing_else_whoever_its_person_is() {
        for person in Role::ALL {
            let of = Token { id: "9a".into(), name: "alerts".to_owned(), scope: Scope::Suggest };
            let actor = Actor::new("p".into(), "Ada".to_owned(), person).by_token(of, Role::Operator);
            for verb in Verb::ALL {
                let expected = verb == Verb::Suggest && allows(person, Verb::Suggest);
                assert_eq!(actor.may(verb).is_ok(), expected, "of a {person}: {verb:?}");
            }
            assert!(actor.viewer().is_err() && actor.operator().is_err(), "{person}");
        }
        let of = Token { id: "9a".into(), name: "alerts".to_owned(), scope: Scope::Suggest };
        let actor = Actor::new("p".into(), "Ada".to_owned(), Role::Administrator).by_token(of, Role::Operator);
        let refusal = actor.viewer().unwrap_err().to_string();
        assert_eq!(refusal, "This token may suggest procedures and nothing else; to read this takes another one");
    }

    #[test]
    fn a_promotion_gives_a_script_nothing_and_a_demotion_takes_from_it() {
        let actor = script(Role::Lead, Role::Operator);

        assert_eq!(
            Role::ALL.map(|role| actor.with_role(role).role),
            [Role::Viewer, Role::Operator, Role::Operator, Role::Operator]
        );
        assert!(Role::ALL.iter().all(|role| actor.with_role(*role).token.is_some()));
        let signed_in = Actor::new("p".into(), "Ada".to_owned(), Role::Operator);
        assert_eq!(Role::ALL.map(|role| signed_in.with_role(role).role), Role::ALL);
    }

    #[test]
    fn what_was_recorded_before_there_were_tokens_can_still_be_read() {
        let old = r#"{"id":"p","name":"Ada","role":"lead"}"#;

        let actor: Actor = serde_json::from_str(old).unwrap();

        assert_eq!(actor, Actor::new("p".into(), "Ada".to_owned(), Role::Lead));
        assert_eq!(serde_json::to_string(&actor).unwrap(), old);
    }
}
