use super::*;
use crate::run::tests::stage::plan;

const ANY: Due = Due::AfterFailure { steps: Vec::new() };

const fn minutes(minutes: u64) -> Due {
    Due::AfterWait { ms: minutes * 60_000 }
}

fn step(steps: &[u32]) -> Due {
    Due::AfterFailure { steps: steps.to_vec() }
}

#[test]
fn three_forms_are_understood_and_everything_else_is_for_a_person() {
    let table = [
        ("Notify team lead immediately", Due::AtStart),
        ("Immediate notification to DevOps team", Due::AtStart),
        ("Immediately call the engineer on call.", Due::AtStart),
        // The step that is called so is the fourth.
        ("If clear fails: Escalate to senior DBA", step(&[4])),
        ("Escalate to senior DBA if the clear fails", step(&[4])),
        ("When step 2 fails, call Lena", step(&[2])),
        ("If rollback fails: call Lena", step(&[8])),
        ("If a step fails: call Lena", ANY),
        ("If this fails, call Lena", ANY),
        ("Call Lena when any step fails", ANY),
        ("After 15 minutes: call Lena", minutes(15)),
        ("After 15 min without a decision: call Lena", minutes(15)),
        ("After 2h without any answer, call Lena", minutes(120)),
        ("Escalate to senior DBA after 30 minutes", minutes(30)),
        ("Escalate to senior DBA after 30 minutes without an approval.", minutes(30)),
        ("If nobody decides within 15 minutes: call Lena", minutes(15)),
        ("If there is no decision after 1 hour, call Lena", minutes(60)),
        ("If no response within 15m: call Lena", minutes(15)),
    ];

    for (words, expected) in table {
        assert_eq!(due(words, &plan().steps), expected, "{words}");
    }
}

#[test]
fn what_has_a_condition_or_a_doubt_in_it_is_for_a_person() {
    for words in [
        "",
        ":",
        "Call Lena",
        "If issue persists after rollback: Escalate to senior DevOps engineer",
        "If service doesn't start: Notify DevOps team via Discord #alerts",
        "For critical alerts: Immediate notification to on-call engineer",
        "For security issues: Immediate security team notification",
        "P1: notify immediately",
        "Critical \u{2014} notify immediately",
        "Do not notify the customers immediately",
        "Notify the customers immediately only when Lena agrees",
        "Consider calling Lena immediately",
        "If deployment fails: Check GitHub Actions logs",
        "If the coffee machine fails: call Lena",
        "If clear fails, call Lena unless it is night",
        "If clear fails twice: call Lena",
        "Unless step 2 fails: call Lena",
        "If step 99 fails: call Lena",
        "If rollback needed: Follow rollback steps",
        "After 15 minutes of downtime: call Lena",
        "After 15 minutes",
        "After 0 minutes: call Lena",
        "After a while: call Lena",
        "After 15 parsecs: call Lena",
        "After 99999999999999999999 minutes: call Lena",
        "If it is night, call Lena after 15 minutes",
        "If nobody complains within 15 minutes: call Lena",
        "If the service is down for 15 minutes: call Lena",
    ] {
        assert_eq!(due(words, &plan().steps), Due::ByHand, "{words}");
    }
}

#[test]
fn somebody_is_named_as_the_document_names_them_and_as_the_side_file_knows_them() {
    let named = |words: &str, name: &str| Addressee {
        words: words.to_owned(),
        name: name.to_owned(),
        person: None,
        mail: false,
        webhook: None,
    };
    let both = Addressee { mail: true, webhook: Some("ops".to_owned()), ..named("senior DBA", "Lena") };

    assert_eq!(both.title(), "senior DBA (Lena)");
    assert_eq!(named("Lena", "lena").title(), "lena");
    assert_eq!(both.ways(), "by mail and by the webhook ops");
    assert_eq!(Addressee { person: Some("7f".into()), ..named("a", "b") }.ways(), "on their start page");
    assert_eq!((named("a", "b").ways().as_str(), named("a", "b").is_reached()), ("nothing is sent", false));
}

#[test]
fn a_wait_is_said_in_whole_hours_and_minutes_where_it_is_some() {
    assert_eq!(minutes(15).words(), "after 15 min without a decision");
    assert_eq!(minutes(120).words(), "after 2 h without a decision");
    assert_eq!(Due::AfterWait { ms: 90_000 }.words(), "after 1 min 30 s without a decision");
}

#[test]
fn a_line_without_a_contact_is_never_due_by_itself() {
    let line = |to: Vec<Contact>, due: Due| Line { words: "x".to_owned(), due, to };
    let lena = Contact { words: "team lead".to_owned(), name: "lena".to_owned() };

    assert!(line(vec![lena.clone()], Due::AtStart).is_by_itself());
    assert!(!line(Vec::new(), Due::AtStart).is_by_itself() && !line(vec![lena], Due::ByHand).is_by_itself());
}
