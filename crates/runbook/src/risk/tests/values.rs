//! Commands with values that people give: what the worst of these values makes of them.

use domain::Risk::{self, Changes, Destroys, Disrupts, Reads};
use domain::runbook::ParameterKind;

use super::super::{Freedom, classify, classify_with};

/// A command whose `VALUE` is text of any kind: its class without the value, and with the worst one.
const FREE: &[(&str, Risk, Risk)] = &[
    ("find /srv -name x VALUE", Reads, Destroys),
    ("find /srv -name VALUE", Reads, Reads),
    ("find VALUE -name x", Reads, Destroys),
    ("find /srv/VALUE -name x", Reads, Reads),
    ("sort VALUE", Reads, Destroys),
    ("sort -- VALUE", Reads, Reads),
    ("sort ./VALUE", Reads, Reads),
    ("sort \"VALUE\"", Reads, Destroys),
    ("sudo sort VALUE", Reads, Destroys),
    ("docker exec db sort VALUE", Reads, Destroys),
    ("cat x | sort VALUE", Reads, Destroys),
    ("echo $(sort VALUE)", Reads, Destroys),
    ("git log VALUE", Reads, Destroys),
    ("git log --since=VALUE", Reads, Reads),
    ("git log -- VALUE", Reads, Reads),
    ("git log main..VALUE", Reads, Reads),
    ("git push origin VALUE", Changes, Destroys),
    ("ssh VALUE uptime", Reads, Destroys),
    ("curl VALUE", Reads, Destroys),
    ("curl https://VALUE/health", Reads, Reads),
    ("man VALUE", Reads, Destroys),
    ("tar -tf VALUE", Reads, Reads),
    ("journalctl VALUE", Reads, Destroys),
    ("journalctl -u VALUE", Reads, Reads),
    ("docker compose up -d VALUE", Disrupts, Destroys),
    ("docker compose -f VALUE ps", Reads, Reads),
    ("docker compose logs VALUE", Reads, Reads),
    ("docker logs --tail 5 VALUE", Reads, Reads),
    ("kubectl get pods VALUE", Reads, Reads),
    ("systemctl status VALUE", Reads, Reads),
    ("ls -l VALUE", Reads, Reads),
    ("grep VALUE x", Reads, Reads),
    ("tshark VALUE", Reads, Destroys),
    ("xmllint VALUE", Reads, Destroys),
    ("iperf3 VALUE", Reads, Changes),
    ("cp VALUE /srv", Changes, Changes),
    ("systemctl VALUE nginx", Changes, Destroys),
    ("docker VALUE web", Changes, Destroys),
    ("docker compose VALUE web", Changes, Destroys),
    ("docker volume VALUE web", Changes, Destroys),
    ("docker logs web VALUE", Reads, Reads),
    ("docker compose exec VALUE ls", Reads, Changes),
    ("docker compose exec web ls VALUE", Reads, Reads),
    ("git status VALUE", Reads, Reads),
    ("git branch VALUE", Changes, Destroys),
    ("redis-cli get VALUE", Reads, Reads),
    ("openssl x509 -noout -in VALUE", Reads, Reads),
];

fn class(text: &str, kind: &ParameterKind) -> Risk {
    classify_with(text, &[("VALUE", Freedom::of(kind))]).risk
}

#[test]
fn a_value_that_may_be_an_option_gives_the_class_of_the_worst_option() {
    let mut wrong = Vec::new();
    for (text, without, with) in FREE {
        let verdict = classify_with(text, &[("VALUE", Freedom::Any)]);
        if classify(text).risk != *without || verdict.risk != *with {
            wrong.push(format!("{text}: {:?} and {:?} by {}", classify(text).risk, verdict.risk, verdict.rule));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_kind_whose_values_cannot_begin_with_a_dash_leaves_the_class_as_it_is() {
    let text = |pattern: &str| ParameterKind::Text { pattern: Some(pattern.to_owned()) };
    let number = |min| ParameterKind::Number { min, max: None, decimal: false };
    let cases = [
        (text("[a-z][a-z-]*"), Reads),
        (text("(?:web|db)-?[0-9]+"), Reads),
        (text("[0-9]?[a-z]+"), Reads),
        (text("^[a-z]+$"), Reads),
        (text("[^ ]+"), Destroys),
        (text("-?[a-z]+"), Destroys),
        (text("a|-b"), Destroys),
        (text("(x*)-delete"), Destroys),
        (text(".*"), Destroys),
        (text("("), Destroys),
        (ParameterKind::Text { pattern: None }, Destroys),
        (number(Some(0)), Reads),
        (number(None), Destroys),
        (ParameterKind::Path { root: None }, Reads),
        (ParameterKind::BackupFile { root: "/srv".to_owned(), pattern: None }, Reads),
        (ParameterKind::ComposeService { file: None }, Reads),
        (ParameterKind::Container, Reads),
        (ParameterKind::Image, Reads),
        (ParameterKind::GitRevision, Reads),
    ];

    for (kind, expected) in cases {
        assert_eq!(class("find /srv VALUE", &kind), expected, "{kind:?}");
    }
}

#[test]
fn of_a_choice_each_one_is_looked_at() {
    let choice =
        |words: &[&str]| ParameterKind::Choice { choices: words.iter().map(|&word| word.to_owned()).collect() };

    // Without the side file nobody knows the verb, and a side file lowers nothing.
    assert_eq!(class("systemctl VALUE nginx", &choice(&["status", "show"])), Changes);
    assert_eq!(class("systemctl VALUE nginx", &choice(&["status", "restart"])), Disrupts);
    assert_eq!(class("find /srv VALUE", &choice(&["-print", "-delete"])), Destroys);
    assert_eq!(class("find /srv VALUE", &choice(&["-print", "a b"])), Destroys);
}

#[test]
fn the_sentence_says_which_option_a_value_may_be() {
    let verdict = classify_with("find /srv VALUE", &[("VALUE", Freedom::Any)]);

    assert_eq!(verdict.rule, "find -delete, by a value");
    assert_eq!(verdict.reason, "“VALUE” may begin with a dash, and find would read it as an option such as -delete");
}

#[test]
fn what_a_program_reads_may_become_its_options() {
    assert_eq!(
        classify("ls | xargs sort").reason,
        "“a word of its input” may begin with a dash, and sort would read it as an option such as -o"
    );
    assert_eq!(classify("ls | xargs sort --").risk, Reads);
}
