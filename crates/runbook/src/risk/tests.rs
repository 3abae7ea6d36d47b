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
