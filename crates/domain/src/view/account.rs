//! One's own account.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::factor::Factors;
use crate::identity::Source;
use crate::policy::{Groups, Role, Scope};
use crate::{Timestamp, TokenId};

/// The page of one's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The portal's time.
    pub now: Timestamp,
    /// Which second factors there are.
    pub factors: Factors,
    /// When the authenticator app was switched on.
    pub authenticator_since: Option<Timestamp>,
    /// The authenticator app that is being set up in this session.
    pub offer: Option<ShownOffer>,
    /// The passkeys, oldest first.
    pub passkeys: Vec<PasskeyInfo>,
    /// Why the portal takes no passkeys under its address; `None` when it does.
    pub no_passkeys: Option<String>,
    /// Where one is signed in, the session that asks first.
    pub sessions: Vec<SessionInfo>,
    /// The tokens that let scripts in, oldest first.
    pub tokens: Vec<TokenInfo>,
    /// The token that was just made in this session: this page shows it, and no other ever will.
    pub made: Option<MadeToken>,
    /// The groups that one is in.
    #[serde(default)]
    pub groups: Groups,
    /// Who vouches for one; `None` when one has a password of the portal.
    #[serde(default)]
    pub outside: Option<Outside>,
}

/// Who vouches for somebody without a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Who.
    pub source: Source,
    /// Whether it was proven lately enough in this session who it is, for what else takes the password. The proxy proves nothing: its word
    /// comes with each request of an open browser, whoever sits before it.
    pub proven: bool,
}

/// What is shown once, while an authenticator app is set up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownOffer {
    /// The secret, for typing.
    pub secret: String,
    /// The address that apps read.
    pub address: String,
    /// The address as a drawing.
    pub qr: QrCode,
    /// The codes for the day on which the phone is gone.
    pub recovery_codes: Vec<String>,
    /// When it is too late.
    pub ends: Timestamp,
}

impl fmt::Debug for ShownOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownOffer").field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// A QR code, to be drawn on white with a quiet zone of four squares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// Squares in a row.
    pub size: u32,
    /// The dark squares, as the path of an SVG.
    pub path: String,
}

/// A passkey, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyInfo {
    /// Its id.
    pub id: String,
    /// As its owner calls it.
    pub name: String,
    /// When it was added.
    pub since: Timestamp,
    /// When it last proved its owner.
    pub used: Option<Timestamp>,
}

/// A session, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// What names it. Nobody can sign in with that.
    pub id: String,
    /// When it began.
    pub begun: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From where it was begun, as the portal saw it.
    pub address: String,
    /// By which browser, in a few words.
    pub agent: String,
    /// Whether it is the one that asks.
    pub this: bool,
}

/// A token for scripts, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenInfo {
    /// What names it. It lets nobody in.
    pub id: TokenId,
    /// As its person calls it.
    pub name: String,
    /// What it lets a script do, as long as its person may do that.
    pub role: Role,
    /// What it is for.
    #[serde(default)]
    pub scope: Scope,
    /// When it was made.
    pub made: Timestamp,
    /// When it lets nobody in any more.
    pub expires: Timestamp,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// From where that was, as the portal saw it; empty where that is not known.
    pub address: String,
}

/// A token with the text that lets a script in. It is shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeToken {
    /// As its person calls it.
    pub name: String,
    /// What the script has to send.
    pub text: String,
}

impl fmt::Debug for MadeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An enrolment code, by which somebody sets their first second factor up. It is shown once, to the administrator who hands it over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeCode {
    /// The name of the person for whom it is, as others see it.
    pub name: String,
    /// What they type.
    pub text: String,
}

impl fmt::Debug for MadeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeCode").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How browsers name themselves, the more special before what they claim to be as well.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

/// How they name the system that they run on.
const SYSTEMS: [(&str, &str); 6] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The most characters of a name that is none of these.
const SHORT: usize = 40;

impl SessionInfo {
    /// The browser in a few words: `Firefox on Linux`.
    pub fn browser(&self) -> String {
        let known = |names: &[(&str, &'static str)]| {
            names.iter().find(|(sign, _)| self.agent.contains(sign)).map(|(_, name)| *name)
        };
        match (known(&BROWSERS), known(&SYSTEMS)) {
            (Some(browser), Some(system)) => format!("{browser} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) if self.agent.is_empty() => "A browser without a name".to_owned(),
            (None, None) => self.agent.chars().take(SHORT).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_named_in_a_few_words() {
        let named = |agent: &str| {
            let session = SessionInfo {
                id: String::new(),
                begun: Timestamp::default(),
                seen: Timestamp::default(),
                address: String::new(),
                agent: agent.to_owned(),
                this: false,
            };
            session.browser()
        };
        let edge =
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36 Edg/131.0";
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1";

        assert_eq!(named("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"), "Firefox on Linux");
        assert_eq!(named(edge), "Edge on Windows");
        assert_eq!(named(phone), "Safari on iPhone");
        assert_eq!(named("curl/8.5.0"), "curl");
        assert_eq!(named(&"x".repeat(300)).len(), SHORT);
        assert!(!named("").is_empty());
    }

    #[test]
    fn a_token_in_a_log_shows_nothing_that_lets_somebody_in() {
        let made = MadeToken { name: "nightly report".to_owned(), text: "rbp_secret".to_owned() };
        let code = MadeCode { name: "Lena".to_owned(), text: "a-secret-too".to_owned() };

        assert!(!format!("{made:?} {code:?}").contains("secret"));
    }
}
