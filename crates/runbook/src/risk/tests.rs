//! The class of commands: what the specification names, and every way that once led to a class that was too low.

mod by_class;
mod values;
mod ways;

use super::*;

#[test]
fn commands_have_the_class_that_the_specification_expects() {
    let mut wrong = Vec::new();
    for (risk, commands) in by_class::EXPECTED {
        for command in *commands {
            let verdict = classify(command);
            if verdict.risk != *risk {
                wrong.push(format!("{command}: {} by {}", verdict.risk.word(), verdict.rule));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_rule_says_what_gave_the_class() {
    let verdict = classify("sudo docker-compose -f a.yml exec -T db mongorestore --drop x");

    assert_eq!(verdict.rule, "mongorestore --drop");
    assert_eq!(verdict.reason, "--drop deletes each collection before it is restored");
}

#[test]
fn wrappers_in_wrappers_end_somewhere() {
    let deep = format!("{} ls", "sudo ".repeat(50));

    assert_eq!(classify(&deep).risk, Risk::Destroys);
}

/// The same command where it stands inside another one.
fn dressed(command: &str) -> Vec<String> {
    let mut forms =
        vec![format!("echo \"$({command}\n)\""), format!("ls | {{ {command}\n}}"), format!("({command}\n)")];
    let own_of_shell = ["[", "(", "export", "declare"].iter().any(|start| command.starts_with(start));
    if !command.contains([';', '\n', '<', '|', '{']) && !own_of_shell {
        forms.push(format!("sudo {command}"));
    }
    if !command.contains('\'') {
        forms.push(format!("sh -c '{command}'"));
    }
    forms
}

#[test]
fn what_once_had_too_low_a_class_has_it_no_more() {
    let mut wrong = Vec::new();
    for (harmless_class, harmless, class, harmful) in ways::WAYS {
        for (class, command) in [(harmless_class, harmless), (class, harmful)] {
            let verdict = classify(command);
            if verdict.risk != *class {
                wrong.push(format!("{command}: {} by {}", verdict.risk.word(), verdict.rule));
            }
        }
        for command in dressed(harmful) {
            let verdict = classify(&command);
            if verdict.risk < *class {
                wrong.push(format!("{command}: {} by {}", verdict.risk.word(), verdict.rule));
            }
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a text is half a sentence that a page can show: two words at least, begun small, without a full stop.
fn is_reason(text: &str) -> bool {
    let starts = text.chars().next().is_some_and(|c| c.is_lowercase() || matches!(c, '-' | '“'));
    starts && text.split_whitespace().count() >= 2 && !text.ends_with(['.', ' ']) && !text.contains("  ")
}

#[test]
fn every_line_of_the_tables_has_a_name_of_its_own_and_a_sentence() {
    let mut wrong = Vec::new();
    for (program, rules) in BY_PROGRAM.iter() {
        for (at, (_, subcommand, options, _, reason)) in rules.iter().enumerate() {
            let named = |rule: &&Rule| rule.1 == *subcommand && rule.2 == *options;
            let never = |rule: &&Rule| rule.1.is_empty() && rule.2.is_empty();
            let twice = rules[..at].iter().copied().any(|rule| named(&rule));
            let dead = rules[..at].iter().copied().any(|rule| never(&rule));
            if program.trim().is_empty() || twice || dead || !is_reason(reason) {
                wrong.push(format!("{program} {subcommand} {options}: {reason}"));
            }
        }
    }
    for (at, (programs, subcommand, options, _, reason)) in options::TOLD.iter().enumerate() {
        let twice =
            options::TOLD[..at].iter().any(|told| (told.0, told.1, told.2) == (*programs, *subcommand, *options));
        if programs.is_empty() || options.is_empty() || twice || !is_reason(reason) {
            wrong.push(format!("{programs} {subcommand} {options}: {reason}"));
        }
    }
    for (begins, _, _, name, reason) in sql::KINDS {
        if begins.is_empty() || name.is_empty() || !is_reason(reason) {
            wrong.push(format!("{name}: {reason}"));
        }
    }
    for (names, _, reason) in steering::STEERS {
        if names.is_empty() || !is_reason(reason) {
            wrong.push(format!("{names}: {reason}"));
        }
    }

    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_command_is_shown_with_the_name_of_its_rule_and_a_sentence() {
    let by_class = by_class::EXPECTED.iter().flat_map(|(_, commands)| commands.iter().copied());
    let ways = ways::WAYS.iter().flat_map(|(_, harmless, _, harmful)| [*harmless, *harmful]);

    for command in by_class.chain(ways) {
        let verdict = classify(command);

        assert!(!verdict.rule.trim().is_empty(), "{command}");
        assert!(is_reason(&verdict.reason), "{command}: {}", verdict.reason);
    }
}
