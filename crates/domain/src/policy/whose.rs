//! Whose something has to be that somebody asks for, beside the role that it takes.

use super::{Role, Verb, allows};

/// Whose it has to be. What is limited to groups is not there for who does not see it, whatever they want with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// It is not about anything that would be somebody's.
    Anybodys,
    /// It is about the account of whoever asks, and cannot name another.
    Account,
    /// It names something that is part of an account: a session, a token, a passkey. That of somebody else is not there.
    Own,
    /// It lists, and leaves out what whoever asks does not see.
    Listed,
    /// It names a procedure or a run that whoever asks sees.
    Seen,
    /// It takes who works in the run.
    Held,
    /// It takes who works in the run; in the run of somebody else it takes this verb.
    HeldOr(Verb),
    /// It takes who works in the run or has asked for what it is about; of somebody else it takes this verb.
    AskedOr(Verb),
    /// It takes a run in which somebody else works.
    HeldByAnother,
    /// It takes who has shaped nothing of the run.
    ShapedByOthers,
    /// It takes another person than who has asked for it or done it.
    AskedByAnother,
}

/// What somebody asks for, as it stands to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// Theirs: part of their account, or a run which they have started and in which they work.
    Own,
    /// Somebody else's, which they see.
    Others,
    /// Limited to groups of which they are in none.
    Unseen,
}

impl Object {
    /// All of them, for tests that walk the table.
    pub const ALL: [Self; 3] = [Self::Own, Self::Others, Self::Unseen];
}

/// What somebody is answered whose role is high enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They are let.
    Let,
    /// They are told why it takes somebody else.
    Refused,
    /// It is not there, as far as they can tell.
    NotThere,
}

impl Whose {
    /// What somebody is answered who has this role, and whose role is high enough.
    pub fn answer(self, role: Role, object: Object) -> Answer {
        let own = object == Object::Own;
        let lets = match self {
            Self::Anybodys | Self::Account | Self::Listed => return Answer::Let,
            Self::Own if !own => return Answer::NotThere,
            _ if object == Object::Unseen => return Answer::NotThere,
            Self::Own | Self::Seen => true,
            Self::Held => own,
            Self::HeldOr(verb) | Self::AskedOr(verb) => own || allows(role, verb),
            Self::HeldByAnother | Self::ShapedByOthers | Self::AskedByAnother => !own,
        };
        if lets { Answer::Let } else { Answer::Refused }
    }

    /// The rule in words, as they go on after a role: "operator, in a run in which they work". Empty when there is none.
    pub fn words(self) -> String {
        match self {
            Self::Anybodys => String::new(),
            Self::Account => "for their own account".to_owned(),
            Self::Own => "for what is their own".to_owned(),
            Self::Listed | Self::Seen => "for what they see".to_owned(),
            Self::Held => "in a run in which they work".to_owned(),
            Self::HeldOr(verb) => format!("in a run in which they work; in any other: {}", verb.least()),
            Self::AskedOr(verb) => {
                format!("in a run in which they work, or for what they have asked; otherwise: {}", verb.least())
            }
            Self::HeldByAnother => "in a run in which somebody else works".to_owned(),
            Self::ShapedByOthers => "to approve: in a run of which they have shaped nothing".to_owned(),
            Self::AskedByAnother => "when somebody else has asked for it or done it".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_anothers_is_refused_hidden_or_wanted_as_the_rule_says() {
        use Answer::{Let, NotThere, Refused};
        let table = [
            // what an operator is answered about their own, another's, and what they do not see; and a lead about another's
            (Whose::Anybodys, [Let, Let, Let], Let),
            (Whose::Account, [Let, Let, Let], Let),
            (Whose::Own, [Let, NotThere, NotThere], NotThere),
            (Whose::Listed, [Let, Let, Let], Let),
            (Whose::Seen, [Let, Let, NotThere], Let),
            (Whose::Held, [Let, Refused, NotThere], Refused),
            (Whose::HeldOr(Verb::Overrule), [Let, Refused, NotThere], Let),
            (Whose::AskedOr(Verb::Approve), [Let, Refused, NotThere], Let),
            (Whose::HeldByAnother, [Refused, Let, NotThere], Let),
            (Whose::ShapedByOthers, [Refused, Let, NotThere], Let),
            (Whose::AskedByAnother, [Refused, Let, NotThere], Let),
        ];

        for (whose, operator, lead) in table {
            assert_eq!(Object::ALL.map(|object| whose.answer(Role::Operator, object)), operator, "{whose:?}");
            assert_eq!(whose.answer(Role::Lead, Object::Others), lead, "{whose:?}");
        }
    }

    #[test]
    fn a_rule_names_the_role_that_another_persons_takes() {
        assert_eq!(Whose::HeldOr(Verb::Overrule).words(), "in a run in which they work; in any other: lead");
    }
}
