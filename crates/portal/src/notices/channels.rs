//! The ways by which people are told, as configured.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use domain::notice::{Channel, Occasion};
use lettre::Address;
use lettre::message::Mailbox;

use crate::SecretSources;

/// Everything about how people are told.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// Mail, if there is any.
    pub mail: Option<MailSettings>,
    /// The webhooks, in the order of the configuration.
    pub webhooks: Vec<WebhookSettings>,
    /// The address under which people reach the portal, without a slash at its end; `None`: notices say in words where to look.
    pub portal: Option<String>,
    /// Where the secrets of the channels come from, which no step gets.
    pub secrets: SecretSources,
    /// How long a notice is kept after it came to its end.
    pub keep: Keep,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep(pub Duration);

/// 30 days.
impl Default for Keep {
    fn default() -> Self {
        Self(Duration::from_hours(30 * 24))
    }
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// From whom.
    pub from: Sender,
    /// Who signs in there, with the name of the secret that is the password.
    pub login: Option<(String, String)>,
    /// Whether values of parameters are told.
    pub values: bool,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in the clear and is encrypted before anything is said; without that nothing is sent.
    #[default]
    StartTls,
    /// It is encrypted from the beginning.
    Tls,
    /// It is not.
    None,
}

impl MailTls {
    /// The port that is usual for it.
    pub const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// Who mail comes from: `Runbook Portal <portal@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(pub(super) Mailbox);

impl FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("\"{text}\" is no sender of mail; write \"Runbook Portal <portal@example.com>\"");
        text.parse().map(Self).map_err(|_| wrong())
    }
}

/// A webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// What it is called.
    pub name: String,
    /// Who reads it.
    pub kind: WebhookKind,
    /// The name of the secret that is its address.
    pub url: String,
    /// What it is told of.
    pub events: BTreeSet<Occasion>,
    /// Whether values of parameters are told.
    pub values: bool,
}

/// Who reads a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookKind {
    /// A channel of Discord.
    Discord,
    /// A channel of Slack, or of what understands the same.
    Slack,
    /// A program of one's own.
    Generic {
        /// The name of the secret with which notices are signed.
        signed_with: String,
    },
}

impl WebhookKind {
    /// What it is, for people.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Discord => "Discord",
            Self::Slack => "Slack",
            Self::Generic { .. } => "generic webhook",
        }
    }
}

impl Channels {
    /// All of them, mail first.
    pub(super) fn all(&self) -> Vec<Channel> {
        let webhooks = self.webhooks.iter().map(|webhook| Channel::Webhook(webhook.name.clone()));
        self.mail.iter().map(|_| Channel::Mail).chain(webhooks).collect()
    }

    /// The names of the secrets that only the channels get.
    pub fn secret_names(&self) -> BTreeSet<String> {
        let webhook = |webhook: &WebhookSettings| match &webhook.kind {
            WebhookKind::Generic { signed_with } => vec![webhook.url.clone(), signed_with.clone()],
            _ => vec![webhook.url.clone()],
        };
        let mail = self.mail.iter().filter_map(|mail| mail.login.as_ref()).map(|(_, password)| password.clone());
        mail.chain(self.webhooks.iter().flat_map(webhook)).collect()
    }

    pub(crate) fn webhook(&self, name: &str) -> Option<&WebhookSettings> {
        self.webhooks.iter().find(|webhook| webhook.name == name)
    }
}

/// The longest address that mail servers take.
const ADDRESS_LIMIT: usize = 254;

/// A mail address as somebody typed it; `None` for an empty field.
///
/// # Errors
///
/// A sentence when it is none.
pub(crate) fn typed_address(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let good = text.len() <= ADDRESS_LIMIT && text.is_ascii() && text.parse::<Address>().is_ok();
    if good && !text.contains(|character: char| character.is_whitespace() || "\"<>,;".contains(character)) {
        return Ok(Some(text.to_owned()));
    }
    Err("This is no mail address. Nothing was changed; write one such as olga@example.com, or leave the field empty."
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_plain_address_or_nothing() {
        assert_eq!(typed_address("  "), Ok(None));
        assert_eq!(typed_address(" olga.m+night@example.com "), Ok(Some("olga.m+night@example.com".to_owned())));
        let long = format!("{}@example.com", "x".repeat(250));
        for wrong in [
            "olga",
            "@example.com",
            "olga@",
            "a@b@c",
            "olga@example.com\r\nBcc: eve@example.com",
            "olga@example.com, eve@example.com",
            "Olga <olga@example.com>",
            "\"a b\"@example.com",
            "olga@exa mple.com",
            "\u{f6}lga@example.com",
            &long,
        ] {
            assert!(typed_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sender_has_an_address() {
        assert!("Runbook Portal <portal@example.com>".parse::<Sender>().is_ok());
        assert!("portal@example.com".parse::<Sender>().is_ok());
        assert!("Runbook Portal".parse::<Sender>().unwrap_err().contains("Runbook Portal <portal@example.com>"));
    }
}
