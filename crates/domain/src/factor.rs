//! Second factors: what a decision takes beside a session.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a person hands over to prove themselves. It serves one decision.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Proof {
    /// The six digits of an authenticator app, or a recovery code.
    Code {
        /// As it was typed.
        code: String,
    },
    /// A passkey's answer to the portal's challenge.
    Passkey {
        /// The answer, as the browser wrote it in JSON.
        answer: String,
    },
}

impl Proof {
    /// What a form hands over; `None` when both fields are empty. A passkey's answer goes before a code.
    pub fn of_form(code: &str, passkey: &str) -> Option<Self> {
        let (code, passkey) = (code.trim(), passkey.trim());
        if !passkey.is_empty() {
            return Some(Self::Passkey { answer: passkey.to_owned() });
        }
        (!code.is_empty()).then(|| Self::Code { code: code.to_owned() })
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code { .. } => "Code(…)",
            Self::Passkey { .. } => "Passkey(…)",
        })
    }
}

/// By what a person has proven themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactorKind {
    /// A code of an authenticator app.
    Code,
    /// A recovery code.
    RecoveryCode,
    /// A passkey.
    Passkey,
}

impl FactorKind {
    /// The kind in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery code",
            Self::Passkey => "passkey",
        }
    }
}

impl fmt::Display for FactorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which second factors a person has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factors {
    /// Whether an authenticator app is set up.
    pub authenticator: bool,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
    /// How many passkeys there are.
    pub passkeys: u32,
}

impl Factors {
    /// Whether there is one.
    pub const fn any(self) -> bool {
        self.authenticator || self.passkeys > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_hands_over_the_passkey_or_else_the_code_or_nothing() {
        assert_eq!(Proof::of_form(" ", ""), None);
        assert_eq!(Proof::of_form(" 123 456 ", ""), Some(Proof::Code { code: "123 456".to_owned() }));
        assert_eq!(Proof::of_form("123456", "{}"), Some(Proof::Passkey { answer: "{}".to_owned() }));
    }

    #[test]
    fn a_proof_in_a_log_shows_nothing() {
        let printed = format!("{:?}", Proof::of_form("123456", ""));

        assert!(!printed.contains("123"), "{printed}");
    }

    #[test]
    fn recovery_codes_alone_are_no_factor() {
        assert!(!Factors { recovery_codes: 3, ..Factors::default() }.any());
        assert!(Factors { passkeys: 1, ..Factors::default() }.any());
        assert!(Factors { authenticator: true, ..Factors::default() }.any());
    }
}
