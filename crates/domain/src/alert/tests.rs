use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp(1_795_471_084_000);

fn read(body: &Value) -> Result<Webhook, Malformed> {
    Webhook::read(body.to_string().as_bytes(), NOW)
}

fn alert(status: &str, labels: &Value, since: &str) -> Value {
    json!({ "status": status, "labels": labels, "annotations": { "summary": "The  ledger\nis wet" }, "startsAt": since })
}

fn webhook(alerts: &[Value]) -> Value {
    json!({ "version": "4", "status": "firing", "truncatedAlerts": 2, "alerts": alerts })
}

#[test]
fn alerts_of_one_name_and_service_are_one_thing() {
    let wet = |instance: &str| json!({ "alertname": "LedgerWet", "service": "ledger", "instance": instance });
    let body = webhook(&[
        alert("firing", &wet("b"), "2026-11-23T21:50:04Z"),
        alert("firing", &wet("a"), "2026-11-23T21:48:04.123Z"),
        alert("resolved", &wet("c"), "2026-11-23T21:00:00Z"),
        alert("firing", &json!({ "alertname": "LedgerWet", "job": "books" }), "2026-11-23T21:50:04Z"),
        alert("firing", &json!({ "severity": "page" }), "2026-11-23T21:50:04Z"),
        json!({ "status": "firing" }),
        json!({ "status": "firing", "labels": null, "annotations": null }),
    ]);

    let read = read(&body).unwrap();

    assert_eq!((read.nameless, read.truncated), (3, 2));
    let told: Vec<_> = read.told.iter().map(|told| (&*told.name, &*told.service, told.firing.len())).collect();
    assert_eq!(told, [("LedgerWet", "books", 1), ("LedgerWet", "ledger", 2)]);
    let ledger = &read.told[1];
    assert_eq!(
        (ledger.since.iso().as_str(), ledger.latest.iso().as_str()),
        ("2026-11-23T21:48:04Z", "2026-11-23T21:50:04Z")
    );
    assert_eq!((&*ledger.labels["instance"], &*ledger.summary), ("a", "The ledger is wet"));
    assert_eq!(ledger.resolved.len(), 1);
}

#[test]
fn a_moment_that_cannot_be_is_the_present_one() {
    for since in ["0001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday", ""] {
        let body = webhook(&[alert("firing", &json!({ "alertname": "LedgerWet" }), since)]);

        assert_eq!(read(&body).unwrap().told[0].since, NOW, "{since}");
    }
}

#[test]
fn what_is_no_webhook_is_told_as_the_end_of_a_sentence() {
    let many: Vec<Value> = vec![json!({ "status": "firing" }); MOST + 1];
    let cases = [
        (json!([]), Malformed::NoObject),
        (json!({}), Malformed::Version),
        (json!({ "version": "3", "alerts": [] }), Malformed::Version),
        (json!({ "version": "4" }), Malformed::NoAlerts),
        (json!({ "version": "4", "alerts": {} }), Malformed::NoAlerts),
        (webhook(&many), Malformed::TooMany(MOST + 1)),
        (webhook(&[json!("LedgerWet")]), Malformed::Alert(1)),
        (webhook(&[json!({ "status": "firing" }), json!({ "status": "odd" })]), Malformed::Alert(2)),
        (webhook(&[json!({ "status": "firing", "labels": { "alertname": 7 } })]), Malformed::Alert(1)),
        (webhook(&[json!({ "status": "firing", "labels": "LedgerWet" })]), Malformed::Alert(1)),
    ];

    for (body, expected) in cases {
        assert_eq!(read(&body), Err(expected));
    }
    assert_eq!(Webhook::read(b"{", NOW), Err(Malformed::NoObject));
    assert_eq!(Webhook::read(b"{\"version\":\"4\xff\"}", NOW), Err(Malformed::NoObject));
}

#[test]
fn a_text_that_is_too_long_names_nothing_and_fills_nothing() {
    let long = "x".repeat(5_000);
    let body = webhook(&[
        alert("firing", &json!({ "alertname": long }), ""),
        alert("firing", &json!({ "alertname": " " }), ""),
        json!({ "status": "firing", "labels": { "alertname": "LedgerWet", "service": long, "path": long },
                "annotations": { "description": long } }),
    ]);

    let read = read(&body).unwrap();

    assert_eq!((read.nameless, read.told.len()), (2, 1));
    assert_eq!((read.told[0].service.len(), read.told[0].summary.chars().count()), (NAME, SUMMARY));
    assert!(wanted(&read.told[0].labels, ["path", "absent"]).is_empty());
    assert_eq!(wanted(&read.told[0].labels, ["alertname"]).len(), 1);
}

fn told(firing: &[&str], resolved: &[&str], latest: Timestamp) -> Told {
    let set = |marks: &[&str]| marks.iter().map(|mark| (*mark).to_owned()).collect();
    Told { latest, firing: set(firing), resolved: set(resolved), ..Told::nothing("LedgerWet", "", NOW) }
}

fn standing(firing: &[&str], dismissed: Option<Timestamp>) -> Standing {
    Standing { firing: told(firing, &[], NOW).firing, dismissed }
}

#[test]
fn a_suggestion_is_open_until_the_last_of_its_alerts_is_resolved() {
    let marks = |marks: &[&str]| told(marks, &[], NOW).firing;
    let both = standing(&["a", "b"], None);

    assert_eq!(follows(None, &told(&["a"], &[], NOW)), Outcome::Opened(marks(&["a"])));
    assert_eq!(follows(None, &told(&[], &["a"], NOW)), Outcome::Nothing);
    assert_eq!(follows(Some(&both), &told(&["a"], &[], NOW)), Outcome::Again(marks(&["a", "b"])));
    assert_eq!(follows(Some(&both), &told(&[], &["a"], NOW)), Outcome::Again(marks(&["b"])));
    assert_eq!(follows(Some(&both), &told(&[], &["a", "b"], NOW)), Outcome::Closed);
    assert_eq!(follows(Some(&both), &told(&["c"], &["a", "b"], NOW)), Outcome::Again(marks(&["c"])));
}

#[test]
fn what_was_dismissed_comes_back_only_when_something_new_fires() {
    let dismissed = standing(&["a"], Some(NOW));

    assert!(matches!(follows(Some(&dismissed), &told(&["a"], &[], NOW.minus(9))), Outcome::Again(_)));
    assert!(matches!(follows(Some(&dismissed), &told(&["a"], &[], NOW.plus(9))), Outcome::Renewed(_)));
    assert!(matches!(follows(Some(&dismissed), &told(&["b"], &[], Timestamp(i64::MIN))), Outcome::Renewed(_)));
    assert!(matches!(follows(Some(&dismissed), &told(&["a"], &[], Timestamp(i64::MIN))), Outcome::Again(_)));
    assert_eq!(follows(Some(&dismissed), &told(&[], &["a"], NOW.plus(9))), Outcome::Closed);
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Webhook::read(&bytes, NOW);
    }

    #[test]
    fn no_more_is_kept_than_the_bounds_say(count in 0_usize..MOST_APART * 2, name in ".{0,400}", label in ".{0,400}") {
        let alerts: Vec<Value> = (0..count)
            .map(|number| json!({ "status": "firing", "labels": { "alertname": name, "service": label, "n": number.to_string() } }))
            .collect();

        let read = read(&webhook(&alerts)).unwrap();

        prop_assert!(read.told.len() <= 1);
        for told in &read.told {
            prop_assert!(told.name.chars().count() <= NAME && told.service.chars().count() <= NAME);
            let Outcome::Opened(firing) = follows(None, told) else { panic!("something fires") };
            prop_assert!(firing.len() <= MOST_APART);
        }
    }
}
