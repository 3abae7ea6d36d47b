//! People whom somebody else vouches for: the proxy before the portal, or an identity provider (`OpenID` Connect).
//!
//! What they say of a person becomes an [`Identity`], which is bound to one account until somebody at the console binds that anew, and an
//! [`IdentityMap`] says which role that account has. Whether what was said is to be believed is not decided here.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::{Groups, Role};
use crate::text::deceives;

/// The most characters of a sign-in name and of a name.
const NAME_LIMIT: usize = 64;

/// The most bytes of what names somebody at their provider (`OpenID` Connect Core, section 2, has the same).
const SUBJECT_LIMIT: usize = 255;

/// The most groups of one person that are looked at.
const GROUPS_LIMIT: usize = 2_000;

/// Who vouches for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The proxy before the portal.
    Proxy,
    /// The identity provider.
    Provider,
}

impl Source {
    /// The source in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Proxy => "the proxy",
            Self::Provider => "the identity provider",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Who vouches, as an account is bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// The proxy before the portal. There is one.
    Proxy,
    /// The provider with this address.
    Provider(String),
}

impl Issuer {
    /// The word under which accounts are bound to it. No address of a provider is the one of the proxy.
    pub fn key(&self) -> &str {
        match self {
            Self::Proxy => Self::PROXY,
            Self::Provider(address) => address,
        }
    }

    /// The key of the proxy.
    const PROXY: &str = "proxy";

    /// Of which kind it is.
    pub const fn source(&self) -> Source {
        match self {
            Self::Proxy => Source::Proxy,
            Self::Provider(_) => Source::Provider,
        }
    }

    /// The issuer with a key.
    pub fn of_key(key: &str) -> Self {
        if key == Self::PROXY { Self::Proxy } else { Self::Provider(key.to_owned()) }
    }

    /// Of which kind the issuer with a key is.
    pub fn source_of(key: &str) -> Source {
        if key == Self::PROXY { Source::Proxy } else { Source::Provider }
    }
}

/// A person, as whoever vouches for them names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who vouches.
    pub issuer: Issuer,
    /// What names them there and never names anybody else.
    pub subject: String,
    /// Their sign-in name there, in lower case.
    pub login: String,
    /// The name that others see.
    pub name: String,
    /// Their groups there.
    pub groups: Vec<String>,
}

impl Identity {
    /// Somebody whom the proxy names.
    ///
    /// # Errors
    ///
    /// [`Unwelcome::Unusable`] when it is no name of an account.
    pub fn of_proxy(user: &str, groups: Vec<String>) -> Result<Self, Unwelcome> {
        let login = login(user)?;
        Self::new(Issuer::Proxy, login.clone(), login, "", groups)
    }

    /// Somebody whom a provider names.
    ///
    /// # Errors
    ///
    /// [`Unwelcome::Unusable`] when there is nothing by which they could be known, or their sign-in name is none.
    pub fn of_provider(
        issuer: String,
        subject: &str,
        user: &str,
        name: &str,
        groups: Vec<String>,
    ) -> Result<Self, Unwelcome> {
        Self::new(Issuer::Provider(issuer), subject.to_owned(), login(user)?, name, groups)
    }

    fn new(
        issuer: Issuer,
        subject: String,
        login: String,
        name: &str,
        mut groups: Vec<String>,
    ) -> Result<Self, Unwelcome> {
        if subject.is_empty() || subject.len() > SUBJECT_LIMIT || subject.chars().any(char::is_control) {
            return Err(Unwelcome::Unusable);
        }
        groups.truncate(GROUPS_LIMIT);
        let name = shown(name).unwrap_or(&login).to_owned();
        Ok(Self { issuer, subject, login, name, groups })
    }
}

/// A sign-in name of elsewhere: that of a local account, or a mail address.
fn login(text: &str) -> Result<String, Unwelcome> {
    let login = text.trim().to_ascii_lowercase();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@+".contains(&byte);
    let fits = !login.is_empty() && login.len() <= NAME_LIMIT && login.bytes().all(allowed);
    if fits { Ok(login) } else { Err(Unwelcome::Unusable) }
}

/// The name, if it can be shown beside those of others.
fn shown(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = !name.is_empty()
        && name.chars().count() <= NAME_LIMIT
        && !name.chars().any(|character| character.is_control() || deceives(character));
    fits.then_some(name)
}

/// Why somebody whom others vouch for is not signed in. Each has a word, by which a page is told, and a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwelcome {
    /// The provider has refused, or the person has.
    Denied,
    /// The provider does not answer.
    Away,
    /// The answer belongs to no sign-in that is known here and was begun in this browser, or to one that is over.
    Stale,
    /// What the provider says does not hold.
    Untrue,
    /// What names the person cannot name an account.
    Unusable,
    /// What names the person is a mail address of which the provider says that nobody has shown it to be theirs.
    Unverified,
    /// No line of the map is about the person.
    Unmapped,
    /// Somebody else has the sign-in name.
    Taken,
    /// The account is disabled.
    Disabled,
    /// The portal has no administrator of its own yet.
    Fresh,
    /// The provider did not ask for the password again.
    NotAfresh,
}

impl Unwelcome {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Denied,
        Self::Away,
        Self::Stale,
        Self::Untrue,
        Self::Unusable,
        Self::Unverified,
        Self::Unmapped,
        Self::Taken,
        Self::Disabled,
        Self::Fresh,
        Self::NotAfresh,
    ];

    /// The word for addresses and for the record.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Away => "away",
            Self::Stale => "stale",
            Self::Untrue => "untrue",
            Self::Unusable => "unusable",
            Self::Unverified => "unverified",
            Self::Unmapped => "unmapped",
            Self::Taken => "taken",
            Self::Disabled => "disabled",
            Self::Fresh => "fresh",
            Self::NotAfresh => "not-afresh",
        }
    }

    /// The reason with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// What the person is told.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Denied => {
                "The identity provider did not let you in. Nobody was signed in; try again there, or sign in with a password."
            }
            Self::Away => {
                "The identity provider does not answer as it should. Nobody was signed in; try again in a moment, or sign in with a \
                 password. The administrator sees by the command doctor what is wrong."
            }
            Self::Stale => {
                "This sign-in was not begun in this browser, took more than 10 minutes, or was used already; or the portal was started anew \
                 meanwhile. Nobody was signed in; begin again."
            }
            Self::Untrue => {
                "What the identity provider said does not hold, so it is not known who you are. Nobody was signed in; tell the \
                 administrator when it stays so."
            }
            Self::Unusable => {
                "Your sign-in name outside cannot be one here: it has 1 to 64 letters a to z, digits and the characters . _ - @ +. Nobody \
                 was signed in; ask the administrator to have another name handed over."
            }
            Self::Unverified => {
                "Your mail address is not verified at the identity provider, so it may be somebody else's. Nobody was signed in; verify it \
                 there, and sign in again."
            }
            Self::Unmapped => {
                "You are known outside, but nothing says what you may do here. Nobody was signed in; ask the administrator to add you or \
                 one of your groups to the map of roles."
            }
            Self::Taken => {
                "An account of the portal has your sign-in name already, and it is not bound to you outside. Nobody was signed in; sign in \
                 with its password, or ask the administrator."
            }
            Self::Disabled => {
                "Your account is disabled. Nobody was signed in; ask an administrator to enable it again."
            }
            Self::Fresh => {
                "Nobody has set the portal up yet. Nobody was signed in; make the first account with the link that its console shows."
            }
            Self::NotAfresh => {
                "The identity provider did not ask who you are again, so nothing was proven anew. Sign in there once more, and with your \
                 password."
            }
        }
    }
}

impl fmt::Display for Unwelcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl std::error::Error for Unwelcome {}

/// Whom a line of the map is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Everybody whom somebody vouches for.
    Everybody,
    /// The members of a group there. Its name is exactly this.
    Group(String),
    /// The person with this sign-in name, in lower case.
    Login(String),
}

/// A line of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapLine {
    /// Whom it is about.
    pub whom: Whom,
    /// The role that it gives.
    pub role: Option<Role>,
    /// The groups of the portal into which it puts them.
    pub groups: Groups,
}

impl MapLine {
    fn is_about(&self, identity: &Identity) -> bool {
        match &self.whom {
            Whom::Everybody => true,
            Whom::Group(name) => identity.groups.contains(name),
            Whom::Login(login) => identity.login == *login,
        }
    }
}

/// What people from elsewhere may do here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityMap {
    /// The lines. Their order means nothing.
    pub lines: Vec<MapLine>,
}

/// What the map gives to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The highest role of the lines that are about them.
    pub role: Role,
    /// The groups of all of these lines; `None` when no line of the whole map names a group: then they are given by hand.
    pub groups: Option<Groups>,
}

impl IdentityMap {
    /// What the map gives to a person; `None` when it gives them no role.
    pub fn admits(&self, identity: &Identity) -> Option<Admission> {
        let about = || self.lines.iter().filter(|line| line.is_about(identity));
        let role = about().filter_map(|line| line.role).max()?;
        let groups = self.rules_groups().then(|| about().flat_map(|line| line.groups.clone()).collect());
        Some(Admission { role, groups })
    }

    /// Whether it says which groups of the portal people are in. When no line names one, they are given by hand.
    pub fn rules_groups(&self) -> bool {
        self.lines.iter().any(|line| !line.groups.is_empty())
    }
}

#[cfg(test)]
mod tests;
