//! Who may do what: one table, and the proofs that are minted from it.
//!
//! A use case that needs a right takes a proof ([`Viewer`], [`Operator`], [`Administrator`]). Only an [`Actor`]'s
//! check hands one out, so that a forgotten check does not compile. What is limited to groups of people is read with a
//! [`Sight`], which says for whom.

mod group;
mod sight;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use group::{GroupName, Groups, group_names, typed_groups};
pub use sight::Sight;

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
    /// Give up another person's run, take a lock from a run that is worked in.
    Overrule,
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
    pub const ALL: [Self; 10] = [
        Self::Read,
        Self::OwnAccount,
        Self::StartRun,
        Self::WorkRun,
        Self::Stop,
        Self::Overrule,
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
            Self::Overrule => "overrule the person who works in a run",
            Self::Approve => "decide a request for approval",
            Self::Audit => "look into the audit",
            Self::Redact => "ask for output to be covered",
            Self::ManagePeople => "look after people",
        }
    }

    const fn least(self) -> Role {
        match self {
            Self::Read | Self::OwnAccount => Role::Viewer,
            Self::StartRun | Self::WorkRun | Self::Stop => Role::Operator,
            Self::Overrule | Self::Approve | Self::Audit => Role::Lead,
            Self::Redact | Self::ManagePeople => Role::Administrator,
        }
    }
}

/// The table: whether people with a role may use a verb.
pub fn allows(role: Role, verb: Verb) -> bool {
    role >= verb.least()
}

/// A signed-in, enabled person, as their account stands at this request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who.
    pub id: PersonId,
    /// Their name at this moment.
    pub name: String,
    /// Their role at this moment.
    pub role: Role,
}

/// Why an actor was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Your role is {role}; to {} takes the role {} or above", verb.phrase(), verb.least())]
pub struct Forbidden {
    /// The role that the actor has.
    pub role: Role,
    /// What was wanted.
    pub verb: Verb,
}

/// Proof that a person may read.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a>(&'a Actor);

/// Proof that a person may start and work in runs.
#[derive(Clone, Copy, Debug)]
pub struct Operator<'a>(&'a Actor);

/// Proof that a person may decide requests for approval.
#[derive(Clone, Copy, Debug)]
pub struct Approver<'a>(&'a Actor);

/// Proof that a person may look into the audit.
#[derive(Clone, Copy, Debug)]
pub struct Auditor<'a>(&'a Actor);

/// Proof that a person may ask for stored output to be covered.
#[derive(Clone, Copy, Debug)]
pub struct Redactor<'a>(&'a Actor);

/// Proof that a person may look after people.
#[derive(Clone, Copy, Debug)]
pub struct Administrator<'a>(&'a Actor);

impl Actor {
    /// Whoever may start the portal's program on its data folder, who may do everything with it.
    pub fn console() -> Self {
        Self { id: PersonId("console".to_owned()), name: "the console".to_owned(), role: Role::Administrator }
    }

    /// The proof for reading.
    pub fn viewer(&self) -> Result<Viewer<'_>, Forbidden> {
        self.may(Verb::Read).map(|()| Viewer(self))
    }

    /// The proof for working in runs.
    pub fn operator(&self) -> Result<Operator<'_>, Forbidden> {
        self.may(Verb::WorkRun).map(|()| Operator(self))
    }

    /// The proof for deciding requests for approval.
    pub fn approver(&self) -> Result<Approver<'_>, Forbidden> {
        self.may(Verb::Approve).map(|()| Approver(self))
    }

    /// The proof for looking into the audit.
    pub fn auditor(&self) -> Result<Auditor<'_>, Forbidden> {
        self.may(Verb::Audit).map(|()| Auditor(self))
    }

    /// The proof for asking for stored output to be covered.
    pub fn redactor(&self) -> Result<Redactor<'_>, Forbidden> {
        self.may(Verb::Redact).map(|()| Redactor(self))
    }

    /// The proof for looking after people.
    pub fn administrator(&self) -> Result<Administrator<'_>, Forbidden> {
        self.may(Verb::ManagePeople).map(|()| Administrator(self))
    }

    /// Whether the table lets this person use a verb.
    pub fn may(&self, verb: Verb) -> Result<(), Forbidden> {
        if allows(self.role, verb) { Ok(()) } else { Err(Forbidden { role: self.role, verb }) }
    }
}

impl Viewer<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Operator<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Approver<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Auditor<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Redactor<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
    }
}

impl Administrator<'_> {
    /// The person.
    pub fn actor(&self) -> &Actor {
        self.0
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
            (Verb::Overrule, [false, false, true, true]),
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
        let viewer = Actor { id: "p".into(), name: "Vera".to_owned(), role: Role::Viewer };

        let refusal = viewer.operator().unwrap_err().to_string();

        assert_eq!(refusal, "Your role is viewer; to work in a run takes the role operator or above");
    }
}
