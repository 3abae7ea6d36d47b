//! Runbooks in the manner of other teams, in words of our own: an alert's page, a procedure of a database team, a wiki page with
//! prompts. Each command has the class that its table, made by hand, gives it.

use domain::runbook::Document;

use crate::{nothing_lost, table};

const ALERTS: &str = include_str!("../documents/alerts.md");
const LEDGER: &str = include_str!("../documents/ledger.md");
const EDGE: &str = include_str!("../documents/edge.md");

fn read(name: &str, text: &str) -> Document {
    runbook::read(name, text.as_bytes(), None).unwrap()
}

#[test]
fn an_alerts_page_with_kubectl_is_read_with_its_classes() {
    table::compare(&read("alerts.md", ALERTS), include_str!("../expected/alerts.tsv"));
}

#[test]
fn a_database_teams_procedure_is_read_with_its_classes() {
    table::compare(&read("ledger.md", LEDGER), include_str!("../expected/ledger.tsv"));
}

#[test]
fn a_wiki_page_with_prompts_is_read_with_its_classes() {
    table::compare(&read("edge.md", EDGE), include_str!("../expected/edge.tsv"));
}

#[test]
fn each_of_them_has_commands_of_every_class_and_loses_nothing() {
    for (name, text) in [("alerts.md", ALERTS), ("ledger.md", LEDGER), ("edge.md", EDGE)] {
        let document = read(name, text);
        let steps = document.procedures.iter().flat_map(|it| &it.parts).flat_map(domain::runbook::Part::steps);
        let mut classes: Vec<&str> =
            steps.flat_map(domain::runbook::Step::commands).map(|command| command.risk.word()).collect();

        assert!(classes.len() >= 25, "{name}: {}", classes.len());
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes, ["changes", "destroys", "disrupts", "reads"], "{name}");
        nothing_lost::prove(&document, text);
    }
}

#[test]
fn what_destroys_without_a_backup_before_it_is_said_and_with_one_is_not() {
    let lines = |name: &str, text: &str| -> Vec<u32> {
        let document = read(name, text);
        document.findings.iter().filter(|finding| finding.code == "no-backup").map(|finding| finding.line).collect()
    };

    assert_eq!(lines("alerts.md", ALERTS), [75, 82]);
    assert_eq!(lines("ledger.md", LEDGER), [] as [u32; 0], "pg_dump stands before everything that destroys");
    assert_eq!(lines("edge.md", EDGE), [] as [u32; 0], "iptables-save does");
}
