//! One sentence each: what is the matter, where, and what to do. Nothing hides anything else.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use domain::runbook::{Level, PartKind};
use runbook::{FolderError, Library, ReadError, read, read_folder};

const SMALL: &str = "# Look\n\n## Steps\n1. **Look**\n   ```bash\n   df -h\n   ```\n";

fn folder(files: &[(&str, &[u8])]) -> (tempfile::TempDir, Library) {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let library = read_folder(folder.path()).unwrap();
    (folder, library)
}

fn problems(library: &Library) -> Vec<(&str, &str, u32)> {
    library
        .problems
        .iter()
        .map(|problem| (problem.path.as_str(), problem.finding.code.as_str(), problem.finding.line))
        .collect()
}

#[test]
fn a_folder_that_is_not_there_is_said_to_be_so() {
    let error = read_folder(std::path::Path::new("/nowhere/at/all")).unwrap_err();

    assert!(matches!(error, FolderError::Folder { .. }));
    assert!(error.to_string().contains("/nowhere/at/all"));
}

#[test]
fn a_folder_without_markdown_is_said_to_be_so() {
    let (_folder, library) = folder(&[("notes.txt", b"hello")]);

    assert_eq!(problems(&library), [("", "no-document", 1)]);
    assert!(library.problems[0].to_string().ends_with("put one there."));
}

#[test]
fn what_cannot_be_read_hides_no_other_document() {
    let (_folder, library) = folder(&[
        ("a.md", SMALL.as_bytes()),
        ("empty.md", b"  \n"),
        ("latin.md", b"# Ok\nna\xEFve\n"),
        ("deep/alone.portal.toml", b""),
        ("deep/b.md", SMALL.as_bytes()),
        ("deep/b.portal.toml", b"directory = \"/srv\"\n"),
    ]);

    assert_eq!(
        problems(&library),
        [("deep/alone.portal.toml", "side-file-alone", 1), ("empty.md", "empty-file", 1), ("latin.md", "not-utf-8", 2)]
    );
    let paths: Vec<&str> = library.documents.iter().map(|document| document.path.as_str()).collect();
    assert_eq!(paths, ["a.md", "deep/b.md"]);
    assert_eq!(library.documents[1].procedures[0].settings.directory.as_deref(), Some("/srv"));
}

#[test]
fn two_procedures_with_one_title_get_two_addresses_and_a_finding() {
    let (_folder, library) = folder(&[("a.md", SMALL.as_bytes()), ("b.md", SMALL.as_bytes())]);

    assert_eq!(library.documents[0].procedures[0].slug.as_str(), "look");
    assert_eq!(library.documents[1].procedures[0].slug.as_str(), "look-2");
    assert_eq!(library.documents[1].findings[0].code, "duplicate-title");
}

#[test]
fn a_link_out_of_the_folder_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.md"), SMALL).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.md"), SMALL).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("secret.md")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("round")).unwrap();

    let library = read_folder(folder.path()).unwrap();

    assert_eq!(problems(&library), [("out", "link-outside", 1), ("secret.md", "link-outside", 1)]);
    assert_eq!(library.documents.len(), 1);
}

#[test]
fn a_document_whose_side_file_is_there_and_not_read_is_for_administrators() {
    let (folder, _) = folder(&[("a.md", SMALL.as_bytes()), ("b.md", SMALL.as_bytes())]);
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("a.portal.toml")).unwrap();

    let library = read_folder(folder.path()).unwrap();

    assert_eq!(problems(&library), [("a.portal.toml", "link-outside", 1)]);
    assert!(library.problems[0].finding.message.contains("only administrators see the document beside it"));
    let nobody = Some(domain::policy::Groups::new());
    assert_eq!(library.documents[0].visible_to, nobody);
    assert!(library.documents[0].procedures.iter().all(|procedure| procedure.settings.visible_to == nobody));
    assert_eq!(library.documents[1].visible_to, None);
}

#[test]
fn the_fingerprint_changes_with_the_files() {
    let (folder, _) = folder(&[("a.md", SMALL.as_bytes())]);
    let before = runbook::fingerprint(folder.path()).unwrap();

    fs::write(folder.path().join("a.portal.toml"), "directory = \"/srv\"\n").unwrap();

    assert_ne!(runbook::fingerprint(folder.path()).unwrap(), before);
    assert_eq!(runbook::fingerprint(folder.path()).unwrap(), runbook::fingerprint(folder.path()).unwrap());
}

#[test]
fn a_document_that_is_too_large_is_refused() {
    let bytes = vec![b'a'; runbook::LARGEST + 1];

    assert!(matches!(read("a.md", &bytes, None), Err(ReadError::TooLarge { .. })));
}

#[test]
fn a_fence_that_never_ends_runs_nothing() {
    let text = "# Look\n\n## Steps\n1. **Look**\n   ```bash\n   df -h\n\n## Rollback\nrm -rf /srv\n```bash\nls\n";

    let document = read("a.md", text.as_bytes(), None).unwrap();

    let open: Vec<u32> =
        document.findings.iter().filter(|finding| finding.code == "open-fence").map(|finding| finding.line).collect();
    assert_eq!(open, [5, 10]);
    assert_eq!(
        document.procedures[0]
            .parts
            .iter()
            .flat_map(domain::runbook::Part::steps)
            .flat_map(domain::runbook::Step::commands)
            .count(),
        0
    );
    assert!(runbook::show::text(&[document]).contains("error: This block is never closed"));
}

#[test]
fn shell_text_that_cannot_be_parsed_is_one_command_and_an_error() {
    let text = "# Look\n\n## Steps\n```bash\necho \"never ends\nrm -rf /srv\n```\n";

    let document = read("a.md", text.as_bytes(), None).unwrap();

    let commands: Vec<_> =
        document.procedures[0].steps(PartKind::Steps).flat_map(domain::runbook::Step::commands).collect();
    assert_eq!(commands.len(), 1);
    assert_ne!(commands[0].risk, domain::Risk::Reads);
    assert!(
        document.findings.iter().any(
            |finding| (finding.line, finding.code.as_str(), finding.level) == (5, "unparsable-block", Level::Error)
        )
    );
}

#[test]
fn characters_that_nobody_sees_are_named() {
    let text = "# Look\n\n## Steps\n```bash\nls # \u{202E}fr- mr\n```\n";

    let document = read("a.md", text.as_bytes(), None).unwrap();

    assert!(
        document
            .findings
            .iter()
            .any(|finding| finding.code == "hidden-character" && finding.message.contains("U+202E"))
    );
}

#[test]
fn an_unknown_language_is_named_with_its_neighbour() {
    let text = "# Look\n\n## Steps\n```bahs\nls\n```\n\n```sh\ndf\n```\n";

    let document = read("a.md", text.as_bytes(), None).unwrap();

    assert!(
        document
            .findings
            .iter()
            .any(|finding| finding.code == "unknown-language" && finding.message.contains("did you mean bash?")),
        "{:?}",
        document.findings
    );
}

#[test]
fn ten_megabytes_are_read_in_seconds() {
    let mut text = String::from("# Many\n\n");
    let mut number = 0;
    while text.len() < 10 << 20 {
        number += 1;
        let _ = write!(
            text,
            "## Procedure {number}\n\nDoes it.\n\n### Triggers\n- When it is {number}\n\n### Steps\n1. **Look**\n   ```bash\n   # Look\n   docker-compose -f a.yml logs --tail=50 app{number}\n   ```\n\n### Rollback\nN/A\n\n### Triggers\n- Again {number}\n\n"
        );
    }
    let before = processor_time();

    let document = read("many.md", text.as_bytes(), None).unwrap();

    let took = processor_time().saturating_sub(before);
    eprintln!("10 MB with {number} procedures: {took:?} of the processor");
    assert_eq!(document.procedures.len(), number);
    // Unoptimised, and dense: 50,000 blocks. What is not linear takes hours here.
    assert!(took < Duration::from_mins(1), "{took:?}");
}

/// What this thread has had of the processor: unlike the clock on the wall it does not care who else is working.
fn processor_time() -> Duration {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn shapes_made_to_be_slow_or_deep_are_read_all_the_same() {
    let shapes = [
        ">".repeat(200_000),
        "- ".repeat(20_000),
        "[".repeat(100_000),
        "*".repeat(100_000),
        "<".repeat(200_000),
        "`".repeat(200_001),
        "ðŸ".repeat(100_000),
        format!("# A\n\n## Steps\n```bash\n{}\n```\n", "$(".repeat(20_000)),
        format!("# A\n\n## Steps\n```bash\n{}\n```\n", "((((".repeat(5_000)),
        format!("# A\n\n## Steps\n```bash\n{}\n```\n", "if x; then ".repeat(5_000)),
        format!("# A\n\n## Steps\n```bash\n{}\n```\n", "echo <a".repeat(10_000)),
    ];

    for shape in shapes {
        let before = processor_time();
        let _ = read("shape.md", shape.as_bytes(), None).unwrap();
        let took = processor_time().saturating_sub(before);
        assert!(took < Duration::from_secs(20), "{took:?}: {}", shape.chars().take(20).collect::<String>());
    }
}
