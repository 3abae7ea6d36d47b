//! The classes that a second pair of eyes asked for: what was too low, what was too high, and what must not follow them.

use runbook::risk::classify;

/// Command, class and rule; a line that begins with `#` says what follows.
const FOUND: &str = include_str!("expected/second-eyes.tsv");

#[test]
fn what_a_second_pair_of_eyes_found_has_its_class_and_its_rule() {
    let mut wrong = Vec::new();
    for line in FOUND.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [command, class, rule] = columns[..] else { panic!("three columns: {line}") };

        let verdict = classify(command);

        if (verdict.risk.word(), verdict.rule.as_str()) != (class, rule) {
            wrong.push(format!("{command}: {} by {}", verdict.risk.word(), verdict.rule));
        }
    }

    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
