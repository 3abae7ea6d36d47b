//! `lint` and `show`.

use crate::process::{DOCUMENT, Place, complaint, run};

const PLACEHOLDER: &str = "# Ping

## Steps

1. **Ping**

   ```bash
   ping -c 1 your-domain.com
   ```
";

#[test]
fn lint_tells_by_its_exit_code_what_it_found() {
    let place = Place::empty();
    place.write("good.md", DOCUMENT);
    place.write("open.md", PLACEHOLDER);

    let clean = run(&place, &["lint", "good.md"]);
    let found = run(&place, &["lint", "good.md", "open.md"]);
    let missing = run(&place, &["lint", "good.md", "absent.md"]);

    assert_eq!(clean.status.code(), Some(0), "{}", String::from_utf8_lossy(&clean.stdout));
    assert!(clean.stdout.is_empty());
    assert_eq!(found.status.code(), Some(1));
    assert_eq!(missing.status.code(), Some(2));
    assert!(complaint(&missing).contains("absent.md"), "{}", complaint(&missing));
}

#[test]
fn a_finding_is_one_line_that_an_editor_can_jump_to() {
    let place = Place::empty();
    place.write("open.md", PLACEHOLDER);

    let found = String::from_utf8(run(&place, &["lint", "open.md"]).stdout).unwrap();

    let line = found.lines().find(|line| line.contains("your-domain.com")).unwrap();
    assert!(line.starts_with("open.md:8: "), "{line}");
    assert!(["error: ", "warning: ", "note: "].iter().any(|level| line.contains(level)), "{line}");
}

#[test]
fn lint_for_programs_is_one_object() {
    let place = Place::empty();
    place.write("open.md", PLACEHOLDER);

    let found = run(&place, &["lint", "--format", "json", "open.md"]);

    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(report["findings"][0]["path"], "open.md");
    assert!(report["findings"][0]["line"].is_u64());
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn show_prints_what_the_reader_saw() {
    let place = Place::empty();
    place.write("good.md", DOCUMENT);

    let text = run(&place, &["show", "good.md"]);
    let json = run(&place, &["show", "--format", "json", "good.md"]);

    assert_eq!(text.status.code(), Some(0));
    assert!(String::from_utf8(text.stdout).unwrap().contains("pwd"));
    let seen: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let procedure = &seen["documents"][0]["procedures"][0];
    assert_eq!(procedure["slug"], "count-slowly");
    let steps = procedure["parts"].as_array().unwrap().iter().find(|part| part["kind"] == "steps").unwrap();
    assert_eq!(steps["steps"][0]["blocks"][0]["commands"][1]["text"], "pwd");
}

#[test]
fn show_says_which_file_it_could_not_read() {
    let place = Place::empty();

    let output = run(&place, &["show", "absent.md"]);

    assert_eq!(output.status.code(), Some(2));
    assert!(complaint(&output).contains("absent.md"));
    assert_eq!(complaint(&output).lines().count(), 1);
}
