//! The quirk document: every oddity of real files once, in words of its own.

use domain::runbook::{Check, Document, Level, ParameterScope, Part, PartKind, Step, StepContent};

use crate::{nothing_lost, table};

const QUIRKS: &str = include_str!("../documents/quirks.md");
const SIDE: &str = include_str!("../documents/quirks.portal.toml");
const BUNDLED: &str = include_str!("../../../../runbooks/quirks.md");
const OUTER: &str = include_str!("../documents/outer.md");

fn quirks() -> Document {
    runbook::read("quirks.md", QUIRKS.as_bytes(), Some(("quirks.portal.toml", SIDE.as_bytes()))).unwrap()
}

fn step<'d>(document: &'d Document, title: &str) -> &'d Step {
    document
        .procedures
        .iter()
        .flat_map(|procedure| &procedure.parts)
        .flat_map(Part::steps)
        .find(|step| step.title == title)
        .unwrap()
}

#[test]
fn every_step_and_command_is_read_with_its_class() {
    table::compare(&quirks(), include_str!("../expected/quirks.tsv"));
}

#[test]
fn broken_text_is_repaired_for_display_and_reported() {
    let document = quirks();

    assert_eq!(document.title, "Harbour – Runbook of the Ferry Line");
    assert_eq!(document.procedures[0].emoji.as_deref(), Some("🔄"));
    assert_eq!(document.procedures[0].subtitle.as_deref(), Some("When bookings hang"));
    assert!(document.findings.iter().any(|finding| finding.code == "encoding"));
}

#[test]
fn nothing_of_the_quirk_documents_is_lost() {
    nothing_lost::prove(&quirks(), QUIRKS);
    nothing_lost::prove_with_net("quirks.md", QUIRKS, 0);
    // A cell beyond the head of its table, and a definition of a link that nobody uses.
    nothing_lost::prove_with_net("outer.md", OUTER, 2);
    nothing_lost::prove_with_net("bundled.md", BUNDLED, 0);
}

#[test]
fn a_copy_that_differs_a_little_is_stray_and_never_runnable() {
    let document = quirks();
    let last = document.procedures.last().unwrap();

    let stray: Vec<&Part> = last.parts.iter().filter(|part| part.kind == PartKind::Stray).collect();

    assert_eq!((stray.len(), stray[0].line), (6, 263));
    assert!(stray.iter().all(|part| part.steps().count() == 0));
    assert!(document.findings.iter().any(|finding| (finding.line, finding.code.as_str()) == (263, "stray-part")));
}

#[test]
fn parts_that_repeat_without_being_a_copy_are_kept_with_a_warning() {
    let text =
        "# A\n\n## Steps\n1. **One**\n   ```sh\n   ls\n   ```\n\n## Steps\n1. **Two**\n   ```sh\n   df -h\n   ```\n";

    let document = runbook::read("a.md", text.as_bytes(), None).unwrap();

    assert_eq!(document.procedures[0].steps(PartKind::Steps).count(), 2);
    assert!(document.findings.iter().any(|finding| (finding.line, finding.code.as_str()) == (9, "repeated-part")));
}

#[test]
fn prompts_go_and_output_is_no_command() {
    let document = quirks();
    let texts: Vec<&str> = step(&document, "List").commands().map(|command| command.text.as_str()).collect();

    assert_eq!(texts, ["ls -l /path/to/backups/", "du -sh \\\n/path/to/backups/"]);
}

#[test]
fn a_prose_alternative_excludes_the_block_before_it() {
    let document = quirks();
    let choices: Vec<(u32, bool)> = step(&document, "In the wild")
        .commands()
        .map(|command| command.choice.as_ref().map(|choice| (choice.group, choice.exclusive)).unwrap())
        .collect();

    assert_eq!(choices, [(1, true), (1, true), (1, true), (1, true), (2, true)]);
}

#[test]
fn a_long_sentence_is_a_short_title_and_stays_whole_below_it() {
    let document = quirks();
    let manual = document.procedures[1].steps(PartKind::Steps).last().unwrap();

    assert!(manual.title.ends_with('…') && manual.title.chars().count() < 95);
    assert!(matches!(manual.content.as_slice(), [StepContent::Prose { .. }]));
}

#[test]
fn screens_are_known() {
    let document = quirks();
    let screens: Vec<bool> = step(&document, "Log in and fetch").commands().map(|command| command.screen).collect();

    assert_eq!(screens, [false, true, true]);
}

#[test]
fn pipelines_name_their_programs() {
    let document = quirks();
    let pipelines: Vec<String> =
        step(&document, "Compare").commands().map(|command| command.pipeline.join("|")).collect();

    assert_eq!(pipelines, ["comm", "curl|jq", "diff", "cat|grep"]);
}

#[test]
fn the_side_file_fills_bounds_and_checks() {
    let document = quirks();
    let ledger = &document.procedures[2];

    assert_eq!(ledger.settings.targets, ["ferry"]);
    assert_eq!(
        ledger.settings.outcome,
        [("The ledger is dry".to_owned(), Check::Http { url: "http://localhost:3333/ledger".to_owned(), expect: 200 })]
    );
    let place = step(&document, "Put it in place");
    assert_eq!(place.settings.timeout_ms, Some(7_200_000));
    assert_eq!(place.commands().next().unwrap().placeholders[0].parameter.as_deref(), Some("ledger"));
    let scopes: Vec<&ParameterScope> = ledger.settings.parameters.iter().map(|parameter| &parameter.scope).collect();
    assert!(matches!(scopes.as_slice(), [ParameterScope::Command { command: 1, .. }]));
}

#[test]
fn lint_says_what_does_not_work_with_its_line() {
    let document = quirks();
    let expected = [
        (17, "dead-link"),
        (50, "image-as-service"),
        (90, "docker-login-keeps-token"),
        (135, "curl-braces"),
        (136, "prints-secrets"),
        (137, "prints-secrets"),
        (212, "cd-in-a-row"),
        (234, "prints-secrets"),
        (235, "several-files"),
        (235, "other-project"),
        (236, "mongo-shell"),
        (241, "no-backup"),
        (241, "waits-for-answer"),
        (247, "no-backup"),
    ];

    for (line, code) in expected {
        assert!(document.findings.iter().any(|finding| finding.line == line && finding.code == code), "{line} {code}");
    }
    let of_side: Vec<(u32, &str, Level)> = document
        .findings
        .iter()
        .filter(|finding| finding.file.is_some())
        .map(|finding| (finding.line, finding.code.as_str(), finding.level))
        .collect();
    assert_eq!(
        of_side,
        [
            (23, "unknown-contact", Level::Warning),
            (40, "unknown-step", Level::Warning),
            (47, "unknown-key", Level::Error)
        ]
    );
}

#[test]
fn a_restore_after_a_backup_is_not_reported() {
    let document = quirks();

    assert!(!document.findings.iter().any(|finding| finding.line == 129 && finding.code == "no-backup"));
}

#[test]
fn a_level_one_heading_is_the_procedure_where_its_parts_are_level_two() {
    let document = runbook::read("outer.md", OUTER.as_bytes(), None).unwrap();

    table::compare(&document, include_str!("../expected/outer.tsv"));
    let [procedure] = document.procedures.as_slice() else { panic!("one procedure") };
    let parts: Vec<(PartKind, &str)> = procedure.parts.iter().map(|part| (part.kind, part.title.as_str())).collect();
    assert_eq!(
        parts,
        [
            (PartKind::Summary, ""),
            (PartKind::Prose, "Meaning"),
            (PartKind::Prose, "Impact"),
            (PartKind::Steps, "Diagnosis"),
            (PartKind::Steps, "Mitigation"),
            (PartKind::Steps, "Verification"),
        ]
    );
}

#[test]
fn show_is_the_stable_interface() {
    let document = quirks();
    let shown: serde_json::Value = serde_json::from_str(&runbook::show::json(&[document])).unwrap();

    let restore = &shown["documents"][0]["procedures"][2];
    let step = &restore["parts"][1]["steps"][2];
    assert_eq!(restore["slug"], "get-the-ledger-back");
    assert_eq!(restore["summary"], "Puts the ledger's backup in place.");
    assert_eq!(
        (&step["number"], &step["title"], &step["line"], &step["kind"]),
        (&3.into(), &"Put it in place".into(), &126.into(), &"commands".into())
    );
    let command = &step["blocks"][0]["commands"][0];
    assert_eq!(step["blocks"][0]["language"], "bash");
    assert_eq!(command["label"], "The newest one");
    assert_eq!(command["risk"], "destroys");
    assert_eq!(command["rule"], "mongorestore --drop");
    assert_eq!(command["watch"], false);
    assert_eq!(command["choice"], serde_json::Value::Null);
    assert_eq!(command["placeholders"][0], "/path/to/backups/ledger.dump");
    assert_eq!(restore["parts"][2]["kind"], "rollback");
    assert_eq!(restore["parts"][2]["items"][1], "If that fails too, wake the keeper");
    assert_eq!(shown["documents"][0]["findings"][0]["code"], "encoding");
}
