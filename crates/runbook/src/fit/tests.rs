use super::*;

fn said(kind: &ParameterKind, value: &str) -> String {
    match misfit(kind, value) {
        None => "fits".to_owned(),
        Some(Misfit::Pattern(pattern)) => format!("pattern {pattern}"),
        Some(Misfit::Form(expected)) => expected,
    }
}

fn all_fit(kind: &ParameterKind, values: &[&str]) {
    for value in values {
        assert_eq!(said(kind, value), "fits", "{value:?}");
    }
}

fn none_fits(kind: &ParameterKind, values: &[&str]) {
    for value in values {
        assert_ne!(said(kind, value), "fits", "{value:?}");
    }
}

fn text(pattern: &str) -> ParameterKind {
    ParameterKind::Text { pattern: Some(pattern.to_owned()) }
}

#[test]
fn a_text_matches_its_pattern_as_a_whole() {
    all_fit(&text("a|b"), &["a", "b"]);
    none_fits(&text("a|b"), &["ab", "ba", "a\n", "\na", "a\nb", ""]);
    all_fit(&ParameterKind::Text { pattern: None }, &["anything; $(at all)", "two\nlines", "-rf"]);
}

#[test]
fn no_second_line_passes_a_pattern_that_knows_lines() {
    for pattern in ["^[a-z]+$", "(?m)^[a-z]+$", "(?m)[a-z]+$", "[a-z]+"] {
        all_fit(&text(pattern), &["web"]);
        none_fits(&text(pattern), &["web\n", "web\nrm", "web\n; rm -rf /", "rm -rf /\nweb"]);
    }
}

#[test]
fn a_pattern_cannot_slip_out_of_its_anchors() {
    assert!(said(&text("a)|(?:.*"), "anything").contains("cannot be read"));
    assert!(said(&text("("), "a").contains("cannot be read"));
}

#[test]
fn a_carriage_return_is_no_part_of_a_value() {
    for kind in [ParameterKind::Text { pattern: None }, text("(?s).*"), ParameterKind::GitRevision] {
        assert!(said(&kind, "a\r\nb").contains("carriage return"));
    }
}

#[test]
fn whole_numbers_are_exact_and_have_one_form() {
    let number = ParameterKind::Number { min: Some(-1), max: Some(30), decimal: false };

    all_fit(&number, &["2", "0", "-1", "30"]);
    none_fits(&number, &["2.0", "+2", "010", "-01", "0x1", "1e1", " 2", "2\n", "two", "٣", "-", "--1"]);
    assert_eq!(said(&number, "31"), "30 is the largest");
    assert_eq!(said(&number, "-2"), "-1 is the smallest");
    assert!(said(&number, "99999999999999999999").contains("more digits"));
}

#[test]
fn decimal_numbers_have_a_point() {
    let number = ParameterKind::Number { min: Some(0), max: Some(1), decimal: true };

    all_fit(&number, &["0", "1", "0.5", "0.000", "1.0"]);
    none_fits(&number, &["0,5", ".5", "1.", "1e-1", "NaN", "inf", "1.0001", "-0.1", "00.5", "1.0\n"]);
}

#[test]
fn a_choice_is_one_of_its_list() {
    let choice = ParameterKind::Choice { choices: vec!["red".to_owned(), "blue".to_owned()] };

    all_fit(&choice, &["red", "blue"]);
    assert_eq!(said(&choice, "Red"), "choose one of red, blue");
}

#[test]
fn a_path_stays_beneath_its_root() {
    let path = ParameterKind::Path { root: Some("/srv/backups/".to_owned()) };

    all_fit(&path, &["/srv/backups/a.dump", "/srv/backups/..a", "/srv/backups/a b", "/srv/backups"]);
    none_fits(&path, &["srv/backups/a", "/srv/backups/../x", "/srv/backupsx/a", "/etc/passwd", "/srv/backups/.."]);
    none_fits(&path, &["/srv/backups/a\nb", "/srv/backups/a\tb", "/srv/backups/a\u{85}", "/srv/backups/\0"]);
    all_fit(&ParameterKind::Path { root: None }, &["/anywhere", "/"]);
    none_fits(&ParameterKind::Path { root: None }, &["anywhere", "~/x", "/a/../b", "-r"]);
}

#[test]
fn a_backup_file_lies_beneath_its_root_and_has_a_name_of_the_pattern() {
    let file = |pattern: Option<&str>| ParameterKind::BackupFile {
        root: "/srv/backups".to_owned(),
        pattern: pattern.map(str::to_owned),
    };

    all_fit(&file(Some("*.dump")), &["/srv/backups/a.dump", "/srv/backups/2026/05.dump"]);
    none_fits(&file(Some("*.dump")), &["/srv/backups/a.tar", "/srv/backups/a.dump.bak", "/srv/a.dump"]);
    none_fits(
        &file(None),
        &["/srv/backups", "/srv/backups/", "/srv/backups/x/", "/srv/backups/x/.", "/srv/backups/../x"],
    );
    all_fit(&file(Some("db-[0-9][!x]?.dump")), &["/srv/backups/db-1yz.dump"]);
    none_fits(&file(Some("db-[0-9][!x]?.dump")), &["/srv/backups/db-1xz.dump", "/srv/backups/db-ayz.dump"]);
    assert_eq!(said(&file(Some("*.dump")), "/srv/backups/a"), "the name of the file has to be one of *.dump");
    assert!(said(&file(Some("[z-a]")), "/srv/backups/a").contains("cannot be read"));
}

#[test]
fn a_git_revision_is_one_commit_and_no_option() {
    let fitting = [
        "main",
        "origin/main",
        "v1.2.3",
        "1a2b3c4",
        "HEAD",
        "HEAD~2",
        "HEAD^",
        "HEAD^2~3",
        "v1^{commit}",
        "v1^{}",
        "@",
        "@{u}",
        "main@{1 day ago}",
        "stash@{0}",
        "feature/ä-1",
        "release-1.0+build",
    ];

    all_fit(&ParameterKind::GitRevision, &fitting);
    none_fits(
        &ParameterKind::GitRevision,
        &[
            "-f",
            "--upload-pack=touch x",
            "^main",
            "a..b",
            "a...b",
            "HEAD:file",
            ":/fix",
            "HEAD^{/fix}",
            "a b",
            "a\nb",
            "refs//x",
            "x.lock",
            "x/",
            "x.",
            "~1",
            "a;b",
            "$(x)",
            "",
            "main --force",
            "a\\b",
            "*",
            "a?",
            "\u{202e}x",
        ],
    );
}

#[test]
fn names_of_docker_follow_its_grammar() {
    let service = ParameterKind::ComposeService { file: None };
    let digest = format!("nginx@sha256:{}", "0a".repeat(32));

    all_fit(&service, &["adonisjs", "my_app-1.x"]);
    none_fits(&service, &["-d", "--all", "a b", "a/b", ".x", "a\n", "a:1"]);
    all_fit(&ParameterKind::Container, &["docker-web-1", "0123456789ab"]);
    none_fits(&ParameterKind::Container, &["--rm", "/web", "a b", "wéb"]);
    all_fit(
        &ParameterKind::Image,
        &[
            "nginx",
            "nginx:1.27-alpine",
            "ghcr.io/Team".to_lowercase().as_str(),
            "localhost:5000/a/b_c:x",
            "a__b/c--d",
            &digest,
        ],
    );
    none_fits(
        &ParameterKind::Image,
        &["--privileged", "Nginx", "nginx:", "nginx: x", "nginx:-x", "a//b", "/a", "a_", "nginx@sha256:12", "a\nb"],
    );
}

#[test]
fn a_secret_is_never_typed() {
    assert!(said(&ParameterKind::Secret, "hunter2").contains("never typed"));
}
