use super::*;
use crate::run::tests::stage::{line, plan};
use crate::runbook::Inline;

const ANY: Due = Due::AfterFailure { steps: Vec::new() };

const fn minutes(minutes: u64) -> Due {
    Due::AfterWait { ms: minutes * 60_000 }
}

fn step(steps: &[u32]) -> Due {
    Due::AfterFailure { steps: steps.to_vec() }
}

/// When a line with these words is due, where the side file binds Lena, the team lead and so on.
fn read(words: &str) -> Due {
    let names =
        ["Lena", "team lead", "DevOps team", "engineer on call", "senior DBA", "DBA", "security team", "customers"];
    due(words, &plan().steps, &Names::of(names))
}

#[test]
fn three_forms_are_understood_and_everything_else_is_for_a_person() {
    let table = [
        ("Notify team lead immediately", Due::AtStart),
        ("Immediate notification to DevOps team", Due::AtStart),
        ("Immediately call the engineer on call.", Due::AtStart),
        ("Escalate immediately to the senior DBA and the DevOps team", Due::AtStart),
        ("Team lead: notify immediately", Due::AtStart),
        // The step that is called so is the fourth.
        ("If clear fails: Escalate to senior DBA", step(&[4])),
        ("Escalate to senior DBA if the clear fails", step(&[4])),
        ("When step 2 fails, call Lena", step(&[2])),
        ("If rollback fails: call Lena", step(&[8])),
        ("If a step fails: call Lena", ANY),
        ("If a step fails: page the engineer on call", ANY),
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
        assert_eq!(read(words), expected, "{words}");
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
        "In the event of data corruption, immediately notify the senior DBA",
        "Escalate immediately to the senior DBA on data loss",
        "Upon data loss notify the senior DBA immediately",
        "Where users are affected, call Lena immediately",
        "As soon as data is lost, immediately call the DBA",
        "At the first sign of corruption immediately call the DBA",
        "Provided it is day, notify the team lead immediately",
        "Notify the team lead immediately; data loss",
        "Call Lena or the team lead immediately",
        "Notify the owner of the database immediately",
        "If a step fails: in the event of data loss call Lena",
        "If a step fails: call Lena on data loss",
        "On data loss call Lena after 15 minutes",
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
        assert_eq!(read(words), Due::ByHand, "{words}");
    }
}

fn item(words: &str, items: Vec<Item>) -> PartContent {
    PartContent::Item { item: Item { items, ..line(words) } }
}

fn prose(words: &str) -> PartContent {
    PartContent::Prose { prose: Prose::Paragraph { line: 1, words: vec![Inline::Text { text: words.to_owned() }] } }
}

/// The lines of a part that are due when the run starts.
fn at_start(title: &str, content: Vec<PartContent>) -> Vec<String> {
    let part = Part { kind: PartKind::Escalation, title: title.to_owned(), line: 1, end_line: 9, content };
    let lines = lines_of(&part).into_iter().filter(|(_, is_alone)| *is_alone);
    lines.map(|(item, _)| plain(&item.words)).filter(|words| read(words) == Due::AtStart).collect()
}

const NOW: &str = "Notify Lena immediately";

#[test]
fn a_line_below_another_one_is_for_a_person_and_the_line_beside_them_is_not() {
    let below = || item("If customer data leaked:", vec![line(NOW)]);

    assert_eq!(at_start("Escalation", vec![item(NOW, Vec::new())]), [NOW]);
    assert_eq!(at_start("Escalation", vec![below()]), [""; 0]);
    assert_eq!(
        at_start("Escalation", vec![below(), item("Call Lena immediately", Vec::new())]),
        ["Call Lena immediately"]
    );
}

#[test]
fn where_a_part_says_more_than_its_lines_they_are_for_a_person() {
    let line = || item(NOW, Vec::new());

    assert_eq!(at_start("Escalation", vec![prose("Only when data was lost:"), line()]), [""; 0]);
    assert_eq!(at_start("Escalation", vec![line(), prose("This is about data that was lost.")]), [""; 0]);
    assert_eq!(at_start("Escalation", vec![line(), PartContent::Prose { prose: Prose::Rule { line: 3 } }]), [NOW]);
    assert_eq!(at_start("Escalation for data loss", vec![line()]), [""; 0]);
    for title in ["", "7. Escalation Path", "\u{1f4de} When to escalate", "Who to call"] {
        assert_eq!(at_start(title, vec![line()]), [NOW], "{title}");
    }
}

#[test]
fn a_second_paragraph_of_a_line_is_a_part_of_it() {
    assert_eq!(
        at_start("Escalation", vec![item("Notify Lena immediately This is about data loss.", Vec::new())]),
        [""; 0]
    );
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
