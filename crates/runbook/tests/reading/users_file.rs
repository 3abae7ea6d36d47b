//! The user's own file, when it is there.

use domain::escalation::{Due, Escalation, Line};
use domain::runbook::{Document, Part, PartContent, PartKind, plain};

use crate::users_path::users_path;
use crate::{nothing_lost, table};

fn with(test: impl FnOnce(&Document, &str)) {
    let Some(path) = users_path() else { return };
    let bytes = std::fs::read(&path).unwrap();
    let document = runbook::read("brainbytes.md", &bytes, None).unwrap();

    test(&document, std::str::from_utf8(&bytes).unwrap());
}

#[test]
fn the_users_file_has_thirteen_procedures_with_all_their_parts() {
    with(|document, _| {
        let kinds = [
            PartKind::Summary,
            PartKind::Trigger,
            PartKind::Steps,
            PartKind::Rollback,
            PartKind::Outcome,
            PartKind::Escalation,
        ];

        let complete = document.procedures.iter().filter(|procedure| {
            let found: Vec<PartKind> =
                procedure.parts.iter().map(|part| part.kind).filter(|kind| *kind != PartKind::Stray).collect();
            found == kinds && procedure.subtitle.is_some() && procedure.emoji.is_some()
        });
        let count = complete.count();

        eprintln!("user's file: {count}/13");
        assert_eq!(count, 13);
        assert_eq!(document.procedures.len(), 13);
        assert_eq!(document.updated.as_deref(), Some("July 18, 2025"));
    });
}

#[test]
fn every_step_and_command_of_the_users_file_is_read_with_its_class() {
    with(|document, _| table::compare(document, include_str!("../expected/users-file.tsv")));
}

#[test]
fn the_stray_text_of_the_users_file_belongs_to_no_procedure() {
    with(|document, _| {
        let audit = document.procedures.last().unwrap();
        let stray: Vec<&Part> = audit.parts.iter().filter(|part| part.kind == PartKind::Stray).collect();

        assert_eq!(stray.first().unwrap().line, 712);
        assert_eq!(stray.len(), 6);
        assert!(stray.iter().all(|part| part.steps().count() == 0 && part.items().count() == 0));
        assert!(
            stray.iter().flat_map(|part| &part.content).all(|content| matches!(content, PartContent::Prose { .. }))
        );
        assert_eq!(audit.end_line, 709);
        let commands: Vec<_> =
            audit.parts.iter().flat_map(Part::steps).flat_map(domain::runbook::Step::commands).collect();
        assert_eq!(commands.len(), 8);
        assert!(commands.iter().all(|command| !command.text.contains("certbot")));
    });
}

#[test]
fn no_word_of_the_users_file_is_lost() {
    with(|document, text| {
        nothing_lost::prove(document, text);
        nothing_lost::prove_with_net("brainbytes.md", text, 0);
    });
}

#[test]
fn every_link_of_the_users_table_of_contents_leads_to_its_procedure() {
    with(|document, _| {
        let json = serde_json::to_string(&document.preamble).unwrap();

        for procedure in &document.procedures {
            assert!(json.contains(&format!("/procedures/{}\"", procedure.slug)), "{}", procedure.title);
        }
        assert!(!document.findings.iter().any(|finding| finding.code == "dead-link"));
    });
}

#[test]
fn lint_names_what_does_not_work_in_the_users_file() {
    with(|document, _| {
        let expected = [
            (1, "encoding"),
            (61, "image-as-service"),
            (110, "image-as-service"),
            (114, "image-as-service"),
            (258, "no-backup"),
            (334, "watchtower-archived"),
            (357, "docker-login-keeps-token"),
            (420, "cd-in-a-row"),
            (466, "prints-secrets"),
            (469, "prints-secrets"),
            (492, "mongo-shell"),
            (529, "curl-braces"),
            (581, "prints-secrets"),
            (623, "prints-secrets"),
            (646, "several-files"),
            (646, "other-project"),
            (712, "stray-part"),
        ];

        for (line, code) in expected {
            assert!(
                document.findings.iter().any(|finding| finding.line == line && finding.code == code),
                "{line} {code}"
            );
        }
    });
}

#[test]
fn lint_names_each_unfilled_placeholder_of_the_users_file() {
    with(|document, _| {
        let expected = [
            (43, "user@production-server"),
            (44, "/path/to/brainbytes"),
            (61, "previous-version"),
            (99, "your-domain.com"),
            (110, "previous-version"),
            (114, "previous-version"),
            (143, "your-domain.com"),
            (247, "/path/to/backups/"),
            (258, "/path/to/backup/latest.dump"),
            (318, "domain"),
            (320, "domain"),
            (357, "$GHCR_TOKEN"),
            (357, "USERNAME"),
            (365, "service_name"),
            (368, "service_name"),
            (374, "service_name"),
            (377, "service_name"),
            (438, "<commit-hash>"),
            (632, "service_name"),
            (698, "username"),
            (699, "username"),
        ];
        let said: Vec<(u32, &str)> = document
            .findings
            .iter()
            .filter(|finding| finding.code == "unfilled-placeholder")
            .map(|finding| (finding.line, finding.message.split(['“', '”']).nth(1).unwrap()))
            .collect();

        assert_eq!(said, expected);
    });
}

#[test]
fn a_block_of_comments_and_a_note_of_the_users_file_stay_what_they_are() {
    with(|document, _| {
        let step = |title: &str| {
            document
                .procedures
                .iter()
                .flat_map(|procedure| &procedure.parts)
                .flat_map(Part::steps)
                .find(|step| step.title == title)
                .unwrap()
        };

        let ticks: Vec<String> = step("Examine Test Output").items().map(|item| plain(&item.words)).collect();
        assert_eq!(ticks.len(), 5);
        assert!(ticks[1].starts_with("2. "));
        let json = runbook::show::json(std::slice::from_ref(document));
        assert!(json.contains("Note: Replace USERNAME with"));
    });
}

#[test]
fn of_the_escalations_of_the_users_file_two_are_due_at_the_start_and_none_of_the_others_by_its_words_alone() {
    with(|document, _| {
        let bound = ["DevOps team", "team lead"].map(|words| (words.to_owned(), "lena".to_owned()));
        let lines = document.procedures.iter().cloned().flat_map(|mut procedure| {
            procedure.settings.contacts = bound.to_vec();
            Escalation::of(&procedure, &[]).lines
        });
        let (by_hand, by_itself): (Vec<Line>, Vec<Line>) = lines.partition(|line| line.due == Due::ByHand);

        let due: Vec<(&str, &Due)> = by_itself.iter().map(|line| (line.words.as_str(), &line.due)).collect();
        let expected = ["Immediate notification to DevOps team", "Notify team lead immediately"];
        assert_eq!(due, expected.map(|words| (words, &Due::AtStart)));
        assert_eq!(by_hand.len(), 27, "{by_hand:?}");
    });
}
