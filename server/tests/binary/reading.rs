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

/// Nothing is to be said of its text. What it calls is retired, and what it names is not there.
const GONE: &str = "# Ping

## Steps

1. **Ping**

   ```bash
   no-such-program-here
   cat /no/such/config.json
   egrep root /etc/passwd
   ```
";

#[test]
fn lint_looks_at_the_targets_when_it_is_asked_to_and_tells_what_it_found_like_any_finding() {
    let place = Place::empty();
    place.write("portal.toml", "[target.here]\nkind = \"local\"\n");
    place.write("good.md", DOCUMENT);
    place.write("gone.md", GONE);

    let text = run(&place, &["lint", "gone.md"]);
    let live = run(&place, &["lint", "--live", "gone.md"]);
    let good = run(&place, &["lint", "--live", "--target", "here", "good.md"]);

    assert_eq!(text.status.code(), Some(0), "{}", String::from_utf8_lossy(&text.stdout));
    let told = String::from_utf8(live.stdout).unwrap();
    assert_eq!(live.status.code(), Some(1), "{told}");
    let starts = |beginning: &str| told.lines().any(|line| line.starts_with(beginning));
    assert!(starts("gone.md:5: error: The program no-such-program-here is not found"), "{told}");
    assert!(starts("gone.md:5: warning: The file /no/such/config.json is not there"), "{told}");
    assert!(starts("gone.md:10: note: egrep and fgrep are obsolescent"), "{told}");
    assert!(told.contains("(at here).") && !told.contains("/etc/passwd"), "{told}");
    assert_eq!(good.status.code(), Some(0), "{}{}", String::from_utf8_lossy(&good.stdout), complaint(&good));
    assert_eq!(place.names("."), ["gone.md", "good.md", "portal.toml", "runbooks"], "nothing was made");
}

#[test]
fn what_lint_saw_at_the_targets_is_for_programs_too_with_the_same_codes() {
    let place = Place::empty();
    place.write("portal.toml", "[target.here]\nkind = \"local\"\n");
    place.write("gone.md", GONE);

    let found = run(&place, &["lint", "--live", "--format", "json", "gone.md"]);

    let report: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let codes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    for code in ["tool-missing", "file-missing", "old-grep"] {
        assert!(codes.contains(&code), "{code}: {report}");
    }
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn lint_says_when_nobody_could_look_and_tells_what_it_has_read_all_the_same() {
    let place = Place::empty();
    place.write("portal.toml", "[target.here]\nkind = \"local\"\n");
    place.write("open.md", PLACEHOLDER);

    let unknown = run(&place, &["lint", "--live", "--target", "there", "open.md"]);

    assert_eq!(unknown.status.code(), Some(2));
    assert!(complaint(&unknown).contains("names no target there; it has here"), "{}", complaint(&unknown));
    assert!(String::from_utf8_lossy(&unknown.stdout).contains("your-domain.com"));
}

#[test]
fn a_procedure_whose_targets_are_not_configured_is_told_apart_from_one_that_is_well() {
    let place = Place::empty();
    place.write("portal.toml", "[target.here]\nkind = \"local\"\n");
    place.write("good.md", DOCUMENT);
    place.write("good.portal.toml", "targets = [\"production\"]\n");

    let found = run(&place, &["lint", "--live", "good.md"]);

    let told = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{told}");
    assert!(told.contains("none of the targets that the side file allows (production)"), "{told}");
}
