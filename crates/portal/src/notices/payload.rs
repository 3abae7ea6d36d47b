//! A notice as each kind of webhook wants it.
//!
//! What other people wrote is in here: each kind has its own ways of formatting and of calling people, and none of them may be
//! reached from a reason.

use std::fmt::Write as _;

use domain::notice::Notice;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::channels::WebhookKind;

/// Discord takes 2,000 characters.
const DISCORD_LIMIT: usize = 1_900;

/// Longer messages are hard to read in Slack.
const SLACK_LIMIT: usize = 3_000;

/// What is posted to a webhook.
pub(super) fn body(kind: &WebhookKind, notice: &Notice, key: &str, portal: Option<&str>) -> Value {
    match kind {
        WebhookKind::Discord => discord(notice, portal),
        WebhookKind::Slack => slack(notice, portal),
        WebhookKind::Generic { .. } => generic(notice, key, portal),
    }
}

/// Text, and nothing that calls anybody, formats anything or is looked up.
fn discord(notice: &Notice, portal: Option<&str>) -> Value {
    const SUPPRESS_EMBEDS: u32 = 1 << 2;
    let text = lines(notice, portal, DISCORD_LIMIT, markdown_escaped, str::to_owned);
    json!({ "content": text, "allowed_mentions": { "parse": [] }, "flags": SUPPRESS_EMBEDS })
}

fn slack(notice: &Notice, portal: Option<&str>) -> Value {
    let text = lines(notice, portal, SLACK_LIMIT, slack_escaped, |link| format!("<{link}>"));
    json!({ "text": text, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false })
}

fn generic(notice: &Notice, key: &str, portal: Option<&str>) -> Value {
    let mut body = json!({
        "id": key,
        "event": notice.occasion,
        "run": notice.run,
        "request": (notice.covering.is_none() && notice.escalated.is_none()).then_some(notice.request),
        "redaction": notice.covering.is_some().then_some(notice.request),
        "procedure": notice.procedure,
        "steps": notice.steps,
        "target": notice.target,
        "class": notice.risk,
        "by": notice.by,
        "asked_by": notice.asked_by,
        "reason": notice.reason,
        "until": notice.until.map(domain::Timestamp::iso),
        "missing": notice.missing,
        "changed": notice.changed,
        "link": notice.link(portal),
        "text": notice.text(portal),
    });
    if let Some(escalated) = &notice.escalated {
        body["escalation"] = json!({ "number": notice.request, "to": escalated.to, "text": escalated.text });
    }
    if !notice.values.is_empty() {
        body["values"] = json!(notice.values);
    }
    body
}

/// The text of a notice, escaped line by line, of at most so many units of UTF-16. Facts that have no place are left out.
fn lines(
    notice: &Notice,
    portal: Option<&str>,
    limit: usize,
    escaped: fn(&str) -> String,
    linked: impl Fn(&str) -> String,
) -> String {
    let head = escaped(&notice.subject());
    let place = notice.link(portal).map_or_else(|| escaped(&notice.place(None)), |link| linked(&link));
    let tail = format!("\n{}\n{place}", escaped(notice.advice()));
    let mut text = head;
    let facts = notice.facts().into_iter().map(|(label, line)| format!("\n{label}: {}", escaped(&line)));
    let handed = notice.hand_over().into_iter().map(|line| format!("\n{}", escaped(&line)));
    for line in facts.chain(handed) {
        if units(&text) + units(&line) + units(&tail) <= limit {
            text += &line;
        }
    }
    text + &tail
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Every character that could mean something to Discord means itself.
fn markdown_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        // Inside a line these mean nothing. Without its colon an address is no link.
        if character.is_ascii_punctuation() && !matches!(character, '.' | ',' | ';' | '\'' | '/') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The three characters by which Slack knows its own marks.
fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Proves to a receiver who sent a body, and when: `t=SECONDS,v1=HEX` over `SECONDS.BODY`.
pub(super) fn signature(secret: &str, seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length does");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let mut text = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::notice::{Covering, Escalated, Occasion};
    use domain::{Risk, RunId};
    use testkit::NOW;

    use super::*;

    const PORTAL: Option<&str> = Some("https://portal.example.com");

    fn notice(reason: &str) -> Notice {
        Notice {
            occasion: Occasion::Asked,
            run: RunId(12),
            request: 1,
            procedure: "Restore <database>".to_owned(),
            steps: vec!["Replace".to_owned()],
            target: "production".to_owned(),
            risk: Risk::Destroys,
            by: "Olga".to_owned(),
            asked_by: "Olga".to_owned(),
            reason: reason.to_owned(),
            until: Some(NOW),
            missing: 1,
            changed: Vec::new(),
            changes: Vec::new(),
            values: std::collections::BTreeMap::new(),
            covering: None,
            escalated: None,
        }
    }

    #[test]
    fn discord_calls_nobody_and_formats_nothing_that_a_person_wrote() {
        let body =
            discord(&notice("@everyone <@&123> **now** `rm` [x](https://evil.example) ||spoiler|| # big"), PORTAL);

        let text = body["content"].as_str().unwrap();
        assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
        assert!(text.starts_with("Olga asks for approval of \u{201c}Replace\u{201d} on production.\n"), "{text}");
        let reason = "Reason\\: ".replace('\\', "")
            + "\\@everyone \\<\\@\\&123\\> \\*\\*now\\*\\* \\`rm\\` \\[x\\]\\(https\\://evil.example\\) \\|\\|spoiler\\|\\| \\# big\n";
        assert!(text.contains(&reason), "{text}");
        assert!(text.ends_with("\nhttps://portal.example.com/approvals/12-1"), "{text}");
    }

    #[test]
    fn discord_gets_no_more_than_it_takes_and_always_the_link() {
        let mut long = notice(&"*".repeat(10_000));
        long.values = (0..12).map(|number| (format!("_{number}_"), "*".repeat(1_000))).collect();

        let body = discord(&long, PORTAL);

        let text = body["content"].as_str().unwrap();
        assert!(text.encode_utf16().count() <= 2_000, "{}", text.len());
        assert!(text.ends_with("/approvals/12-1") && text.contains("Reason: "), "{text}");
    }

    #[test]
    fn slack_gets_its_three_marks_escaped() {
        let body = slack(&notice("<!channel> & <https://evil.example|portal>"), PORTAL);

        let text = body["text"].as_str().unwrap();
        assert!(text.contains("Reason: &lt;!channel&gt; &amp; &lt;https://evil.example|portal&gt;\n"), "{text}");
        assert!(text.contains("Restore &lt;database&gt;"), "{text}");
        assert!(text.ends_with("\n<https://portal.example.com/approvals/12-1>"), "{text}");
        assert_eq!((&body["mrkdwn"], &body["unfurl_links"]), (&json!(false), &json!(false)));
    }

    #[test]
    fn a_program_gets_the_fields_and_values_only_where_there_are_some() {
        let mut with = notice("corrupt");
        let body = generic(&with, "key", None);
        assert_eq!((&body["id"], &body["event"], &body["run"]), (&json!("key"), &json!("asked"), &json!(12)));
        assert_eq!((&body["request"], &body["redaction"]), (&json!(1), &Value::Null));
        assert_eq!((&body["link"], &body["until"]), (&Value::Null, &json!("2026-11-23T21:58:04Z")));
        assert!(body.get("values").is_none());

        with.values.insert("backup".to_owned(), "/x".to_owned());
        assert_eq!(generic(&with, "key", PORTAL)["values"], json!({ "backup": "/x" }));

        with.covering = Some(Covering { step: 3, attempt: 1, amount: "9 bytes in 1 place".to_owned() });
        let body = generic(&with, "key", PORTAL);
        assert_eq!((&body["request"], &body["redaction"]), (&Value::Null, &json!(1)));
        assert_eq!(body["link"], "https://portal.example.com/runs/12?step=3&attempt=1#covering");
    }

    #[test]
    fn a_hand_over_is_written_as_each_kind_wants_it_and_the_link_is_always_there() {
        let mut called = notice("the keeper does not answer");
        called.occasion = Occasion::Escalated;
        let to = vec!["team lead (Lena)".to_owned()];
        let text = format!("Step 3 <failed>\n{}", "*\n".repeat(5_000));
        called.escalated = Some(Escalated { to, webhooks: vec!["ops".to_owned()], text });

        let text = discord(&called, PORTAL)["content"].as_str().unwrap().to_owned();
        assert!(text.encode_utf16().count() <= 2_000 && text.contains("\nStep 3 \\<failed\\>\n"), "{text}");
        assert!(text.ends_with("\nhttps://portal.example.com/runs/12"), "{text}");
        let text = slack(&called, PORTAL)["text"].as_str().unwrap().to_owned();
        assert!(text.contains("\nStep 3 &lt;failed&gt;\n") && text.ends_with("/runs/12>"), "{text}");
        let body = generic(&called, "key", PORTAL);
        assert_eq!((&body["event"], &body["request"]), (&json!("escalated"), &Value::Null));
        assert_eq!(
            (&body["escalation"]["number"], &body["escalation"]["to"][0]),
            (&json!(1), &json!("team lead (Lena)"))
        );
    }

    #[test]
    fn a_signature_is_the_one_that_the_documents_say() {
        // printf '1795471084.{"id":1}' | openssl dgst -sha256 -hmac secret
        let expected = "t=1795471084,v1=f028dbb3561214c8cc2a91f20648eab35818c761f93a39eff7e5289c470cb792";

        assert_eq!(signature("secret", 1_795_471_084, b"{\"id\":1}"), expected);
        assert_ne!(signature("secret", 1_795_471_085, b"{\"id\":1}"), expected);
    }
}
