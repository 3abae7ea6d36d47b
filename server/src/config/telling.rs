//! The part of the configuration about telling people: `[mail]` and `[[webhook]]`.
//!
//! Passwords and addresses of webhooks are secrets: the file only names them.

use std::collections::BTreeSet;

use domain::notice::Occasion;
use portal::{MailSettings, MailTls, Sender, WebhookKind, WebhookSettings};
use serde::{Deserialize, Deserializer, de::Error as _};

/// The keys of `[mail]`.
pub(super) const MAIL_KEYS: &[&str] = &["host", "port", "tls", "from", "user", "password_secret", "values"];

/// The keys of `[[webhook]]`.
pub(super) const WEBHOOK_KEYS: &[&str] = &["name", "kind", "url_secret", "signing_secret", "events", "values"];

/// `[mail]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawMail")]
pub(super) struct MailTable(pub MailSettings);

#[derive(Deserialize)]
struct RawMail {
    host: String,
    port: Option<u16>,
    #[serde(default)]
    tls: TlsWord,
    from: String,
    user: Option<String>,
    password_secret: Option<String>,
    #[serde(default)]
    values: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    #[default]
    StartTls,
    Tls,
    None,
}

impl TryFrom<RawMail> for MailTable {
    type Error = String;

    fn try_from(raw: RawMail) -> Result<Self, String> {
        let tls = match raw.tls {
            TlsWord::StartTls => MailTls::StartTls,
            TlsWord::Tls => MailTls::Tls,
            TlsWord::None => MailTls::None,
        };
        let login = match (raw.user, raw.password_secret) {
            (Some(user), Some(secret)) => Some((user, secret_name(secret)?)),
            (None, None) => None,
            _ => return Err("\"user\" and \"password_secret\" stand together or not at all".to_owned()),
        };
        if login.is_some() && tls == MailTls::None {
            return Err("with tls = \"none\" nobody signs in: the password would be readable on its way".to_owned());
        }
        let from: Sender = raw.from.parse()?;
        let host = raw.host.trim().to_owned();
        if host.is_empty() {
            return Err("\"host\" is the name of a mail server".to_owned());
        }
        Ok(Self(MailSettings { host, port: raw.port.unwrap_or(tls.port()), tls, from, login, values: raw.values }))
    }
}

/// One `[[webhook]]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawWebhook")]
pub(super) struct WebhookTable(WebhookSettings);

#[derive(Deserialize)]
struct RawWebhook {
    name: String,
    kind: KindWord,
    url_secret: String,
    signing_secret: Option<String>,
    events: Option<BTreeSet<Occasion>>,
    #[serde(default)]
    values: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    Discord,
    Slack,
    Generic,
}

impl TryFrom<RawWebhook> for WebhookTable {
    type Error = String;

    fn try_from(raw: RawWebhook) -> Result<Self, String> {
        let plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if raw.name.is_empty() || raw.name.len() > 40 || !raw.name.chars().all(plain) {
            return Err("the name of a webhook has 1 to 40 letters, digits, hyphens or underscores".to_owned());
        }
        let kind = match (raw.kind, raw.signing_secret) {
            (KindWord::Discord, None) => WebhookKind::Discord,
            (KindWord::Slack, None) => WebhookKind::Slack,
            (KindWord::Generic, Some(secret)) => WebhookKind::Generic { signed_with: secret_name(secret)? },
            (KindWord::Generic, None) => {
                return Err("a webhook of the kind \"generic\" has a \"signing_secret\", by which the receiver knows the portal".to_owned());
            }
            (_, Some(_)) => return Err("only the kind \"generic\" is signed; leave \"signing_secret\" out".to_owned()),
        };
        let events = raw.events.unwrap_or_else(|| Occasion::ALL.into());
        if events.is_empty() {
            return Err(
                "\"events\" is empty, so nobody would be told of anything; leave it out for all of them".to_owned()
            );
        }
        let url = secret_name(raw.url_secret)?;
        Ok(Self(WebhookSettings { name: raw.name, kind, url, events, values: raw.values }))
    }
}

/// The name of a secret. What is none may be a secret itself, and is not repeated.
pub(super) fn secret_name(name: String) -> Result<String, String> {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        return Ok(name);
    }
    Err("a secret does not stand in this file; write its name, of small letters, digits and underscores, and give its value by [secret.NAME] or PORTAL_SECRET_NAME".to_owned())
}

/// The webhooks, each with a name of its own.
pub(super) fn webhooks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<WebhookSettings>, D::Error> {
    let tables = Vec::<WebhookTable>::deserialize(deserializer)?;
    let webhooks: Vec<WebhookSettings> = tables.into_iter().map(|table| table.0).collect();
    for (index, webhook) in webhooks.iter().enumerate() {
        if webhooks[..index].iter().any(|other| other.name == webhook.name) {
            return Err(D::Error::custom(format!("two webhooks are called \"{}\"; rename one", webhook.name)));
        }
    }
    Ok(webhooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Both {
        mail: Option<MailTable>,
        #[serde(default, deserialize_with = "webhooks")]
        webhook: Vec<WebhookSettings>,
    }

    fn read(text: &str) -> Result<Both, String> {
        toml::from_str(text).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn mail_has_the_port_that_is_usual_for_its_protection() {
        let port = |rest: &str| {
            let text = format!("[mail]\nhost = \"mail.example.com\"\nfrom = \"portal@example.com\"\n{rest}");
            let MailSettings { port, tls, .. } = read(&text).unwrap().mail.unwrap().0;
            (port, tls)
        };

        assert_eq!(port(""), (587, MailTls::StartTls));
        assert_eq!(port("tls = \"tls\"\n"), (465, MailTls::Tls));
        assert_eq!(port("tls = \"none\"\n"), (25, MailTls::None));
        assert_eq!(port("port = 2525\n"), (2525, MailTls::StartTls));
    }

    #[test]
    fn a_webhook_is_told_of_everything_unless_it_says_of_what() {
        let both = read(
            "[[webhook]]\nname = \"ops\"\nkind = \"discord\"\nurl_secret = \"ops_url\"\n\
             [[webhook]]\nname = \"pager\"\nkind = \"generic\"\nurl_secret = \"pager_url\"\nsigning_secret = \"pager_key\"\n\
             events = [\"glass_broken\"]\nvalues = true\n",
        )
        .unwrap();

        assert_eq!(both.webhook[0].events.len(), Occasion::ALL.len());
        assert!(!both.webhook[0].values);
        assert_eq!(both.webhook[1].events, BTreeSet::from([Occasion::GlassBroken]));
        assert_eq!(both.webhook[1].kind, WebhookKind::Generic { signed_with: "pager_key".to_owned() });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_no_secret_is_repeated() {
        let mail = "[mail]\nhost = \"h\"\nfrom = \"portal@example.com\"\n";
        let hook = "[[webhook]]\nname = \"ops\"\nkind = \"discord\"\n";
        let cases = [
            (format!("{mail}user = \"portal\"\n"), "stand together"),
            (format!("{mail}tls = \"none\"\nuser = \"portal\"\npassword_secret = \"mail\"\n"), "readable on its way"),
            (format!("{mail}user = \"portal\"\npassword_secret = \"Hunter-2!\"\n"), "does not stand in this file"),
            ("[mail]\nhost = \"h\"\nfrom = \"The portal\"\n".to_owned(), "no sender of mail"),
            ("[mail]\nhost = \" \"\nfrom = \"portal@example.com\"\n".to_owned(), "name of a mail server"),
            (
                format!("{hook}url_secret = \"https://discord.com/api/webhooks/1/Hunter-2\"\n"),
                "does not stand in this file",
            ),
            (format!("{hook}url_secret = \"a\"\nsigning_secret = \"b\"\n"), "only the kind"),
            (format!("{hook}url_secret = \"a\"\nevents = []\n"), "nobody would be told"),
            (format!("{hook}url_secret = \"a\"\nevents = [\"asked_for\"]\n"), "asked_for"),
            (format!("{hook}url_secret = \"a\"\n{hook}url_secret = \"b\"\n"), "two webhooks"),
            ("[[webhook]]\nname = \"o p s\"\nkind = \"slack\"\nurl_secret = \"a\"\n".to_owned(), "1 to 40 letters"),
            ("[[webhook]]\nname = \"ops\"\nkind = \"generic\"\nurl_secret = \"a\"\n".to_owned(), "signing_secret"),
        ];

        for (text, says) in cases {
            let refusal = read(&text).err().unwrap();

            assert!(refusal.contains(says), "{text}: {refusal}");
            assert!(!refusal.contains("Hunter"), "{refusal}");
        }
    }
}
