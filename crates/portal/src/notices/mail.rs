//! One mail to one person, as plain text.

use std::time::{Duration, UNIX_EPOCH};

use domain::Timestamp;
use domain::notice::Notice;
use domain::text::one_line;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::channels::{MailSettings, MailTls};
use super::sending::{Failure, root};

/// Longer subjects are cut by what shows them.
const SUBJECT: usize = 160;

/// Which mail it is.
pub(super) struct Letter<'a> {
    /// The delivery's key.
    pub key: &'a str,
    /// When the event was recorded.
    pub made: Timestamp,
    /// The name of the person.
    pub name: &'a str,
    /// Their address.
    pub address: &'a str,
    /// What it says.
    pub notice: &'a Notice,
    /// Under which address people reach the portal.
    pub portal: Option<&'a str>,
}

/// The message: the library folds and encodes every header, so that nothing in a name or a title begins a new one.
pub(super) fn message(mail: &MailSettings, letter: &Letter<'_>) -> Result<Message, Failure> {
    let Letter { key, made, name, address, notice, portal } = letter;
    let unusable = |_| Failure::never("the mail address cannot be used");
    let to = Mailbox::new(Some(one_line(name, SUBJECT)), address.parse().map_err(unusable)?);
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(made.0).unwrap_or(0));
    let id = format!("<{key}@{}>", mail.from.0.email.domain());
    let builder: MessageBuilder = Message::builder()
        .from(mail.from.0.clone())
        .to(to)
        .subject(one_line(&notice.subject(), SUBJECT))
        .date(date)
        .message_id(Some(id))
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
        .header(lettre::message::header::MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN);
    builder
        .body(notice.text(*portal))
        .map_err(|error| Failure::never(format!("the mail could not be written: {error}")))
}

/// Hands a message to the mail server.
pub(super) async fn send(mail: &MailSettings, password: Option<String>, message: Message) -> Result<(), Failure> {
    let parameters = || {
        TlsParameters::new(mail.host.clone()).map_err(|error| {
            Failure::later(format!("the certificates of this machine cannot be read ({})", root(&error)))
        })
    };
    let tls = match mail.tls {
        MailTls::StartTls => Tls::Required(parameters()?),
        MailTls::Tls => Tls::Wrapper(parameters()?),
        MailTls::None => Tls::None,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host).port(mail.port).tls(tls);
    if let (Some((user, _)), Some(password)) = (&mail.login, password) {
        transport = transport.credentials(Credentials::new(user.clone(), password));
    }
    transport.build().send(message).await.map(drop).map_err(|error| failure(&error))
}

fn failure(error: &lettre::transport::smtp::Error) -> Failure {
    let why = match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None => format!("the mail server could not be reached: {}", root(error)),
    };
    if error.is_permanent() { Failure::never(why) } else { Failure::later(why) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::notice::Occasion;
    use domain::{Risk, RunId};
    use testkit::NOW;

    use super::*;

    fn settings() -> MailSettings {
        MailSettings {
            host: "localhost".to_owned(),
            port: 25,
            tls: MailTls::None,
            from: "Runbook Portal <portal@example.com>".parse().unwrap(),
            login: None,
            values: false,
        }
    }

    fn notice(by: &str, reason: &str) -> Notice {
        Notice {
            occasion: Occasion::Asked,
            run: RunId(12),
            request: 1,
            procedure: "Restore".to_owned(),
            steps: vec!["Replace".to_owned()],
            target: "production".to_owned(),
            risk: Risk::Destroys,
            by: by.to_owned(),
            asked_by: by.to_owned(),
            reason: reason.to_owned(),
            until: Some(NOW),
            missing: 1,
            changed: Vec::new(),
            changes: Vec::new(),
            values: BTreeMap::new(),
            covering: None,
            escalated: None,
        }
    }

    fn written(name: &str, notice: &Notice) -> String {
        let letter = Letter {
            key: "abc",
            made: NOW,
            name,
            address: "lena@example.com",
            notice,
            portal: Some("https://p.example.com"),
        };
        String::from_utf8(message(&settings(), &letter).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_says_from_whom_to_whom_and_which_one_it_is() {
        let text = written("Lena", &notice("Olga", "corrupt"));

        for line in [
            " <portal@example.com>\r\n",
            "To: Lena <lena@example.com>\r\n",
            "Message-ID: <abc@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Date: Mon, 23 Nov 2026 21:58:04 +0000\r\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn nobody_adds_a_header_by_a_name_a_title_or_a_reason() {
        let evil = "Eve\r\nBcc: all@example.com\r\n\r\nGo to https://evil.example";
        let mut notice = notice(evil, evil);
        notice.steps = vec![evil.to_owned()];
        notice.target = evil.to_owned();

        let text = written(evil, &notice);

        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name)
            .collect();
        let mut known = [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        ];
        let mut seen = names.clone();
        seen.sort_unstable();
        known.sort_unstable();
        assert_eq!(seen, known, "{head}");
        assert!(!body.starts_with("Go to"), "{body}");
    }
}
