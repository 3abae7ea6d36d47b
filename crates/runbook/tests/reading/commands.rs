//! What single commands and small blocks are read as: connect steps, watches, choices, programs, placeholders.

use std::fmt::Write as _;

use domain::Risk;
use domain::runbook::{Command, Document, Level, Part, PartKind, Step, StepKind};

/// A document whose only step is one block.
fn block(text: &str) -> Document {
    let text = format!("# Try\n\n## Steps\n1. **Try**\n\n~~~~bash\n{text}\n~~~~\n");
    runbook::read("try.md", text.as_bytes(), None).unwrap()
}

fn with(text: &str, side: &str) -> Document {
    let text = format!("# Try\n\n## Steps\n1. **Try**\n\n~~~~bash\n{text}\n~~~~\n");
    runbook::read("try.md", text.as_bytes(), Some(("try.portal.toml", side.as_bytes()))).unwrap()
}

fn step(document: &Document) -> &Step {
    document.procedures[0].steps(PartKind::Steps).next().unwrap()
}

fn commands(document: &Document) -> Vec<&Command> {
    step(document).commands().collect()
}

fn has(document: &Document, line: u32, code: &str) -> bool {
    document
        .findings
        .iter()
        .any(|finding| finding.line == line && finding.code == code && finding.level == Level::Error)
}

#[test]
fn only_an_ssh_that_is_handed_nothing_connects() {
    for text in ["ssh web1", "ssh -p 22 deploy@web1\ncd /srv", "ssh -tt web1"] {
        let document = block(text);

        assert_eq!(step(&document).kind, StepKind::Connect, "{text}");
        assert_eq!(step(&document).risk(), Risk::Reads, "{text}");
    }
    let no_connect = [
        "ssh web1 <<'EOF'\nrm -rf /srv\nEOF",
        "ssh web1 < commands.txt",
        "ssh web1 <<< 'rm -rf /srv'",
        "ssh web1 > out.txt",
        "ssh web1 2>&1",
        "echo rm | ssh web1",
        "ssh web1 uptime",
        "ssh -N -L 1:db:1 web1",
        "ssh web1 && rm x",
        "ssh web1\ncd /srv > out",
        "cd /srv",
    ];
    for text in no_connect {
        assert_eq!(step(&block(text)).kind, StepKind::Commands, "{text}");
    }
}

#[test]
fn an_ssh_with_more_below_it_is_an_error_and_no_connect_step() {
    let document = block("ssh web1\ndocker ps");

    assert_eq!(step(&document).kind, StepKind::Commands);
    assert_eq!(commands(&document)[0].risk, Risk::Changes);
    assert!(has(&document, 7, "interactive-ssh"), "{:?}", document.findings);
    assert!(runbook::bind("ssh web1", &[]).unwrap_err().to_string().contains("what follows would run on this one"));
    assert!(!block("ssh web1\ncd /srv").findings.iter().any(|finding| finding.code == "interactive-ssh"));
}

#[test]
fn a_value_that_the_step_would_lose_is_an_error_and_fills_nothing() {
    let side = "[parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"text\"\n";
    let document = with("read -r service\ndocker restart SERVICE", side);

    assert!(has(&document, 7, "captured-parameter"), "{:?}", document.findings);
    assert_eq!(commands(&document)[1].placeholders[0].parameter, None);
    let document = with("for service in a b; do docker restart SERVICE; done", side);
    assert!(has(&document, 7, "captured-parameter"), "{:?}", document.findings);
    let document = with("for ship in a b; do docker restart SERVICE; done", side);
    assert_eq!(commands(&document)[0].placeholders[0].parameter.as_deref(), Some("service"));
    assert!(document.findings.is_empty(), "{:?}", document.findings);
}

/// Commands, and the programs by which their end is judged.
const PROGRAMS: &[(&str, &str)] = &[
    ("grep x y", "grep"),
    ("curl -s http://x | jq .", "curl|jq"),
    ("diff <(a) <(b)", "diff"),
    ("grep x y > out", "grep"),
    ("cat <<EOF | grep x\nx\nEOF", "cat|grep"),
    ("sudo grep x y", "grep"),
    ("cd /srv", "cd"),
    ("( grep x y ) | sort", "|sort"),
    ("grep x y && deploy", ""),
    ("grep x y; deploy", ""),
    ("deploy || grep x y", ""),
    ("! grep x y", ""),
    ("for x in a b; do grep $x y; done", ""),
    ("if grep x y; then deploy; fi", ""),
    ("( grep x y; deploy )", ""),
    ("grep x <<EOF && deploy\nx\nEOF", ""),
    ("flock -n /l grep x y", "flock"),
    ("$TOOL x", ""),
];

#[test]
fn programs_are_named_only_where_they_decide_how_the_command_ends() {
    for (text, expected) in PROGRAMS {
        let document = block(text);

        assert_eq!(commands(&document)[0].pipeline.join("|"), *expected, "{text}");
    }
}

const WATCHES: &[&str] = &[
    "docker-compose logs -f",
    "kubectl -n shop logs -f web",
    "kubectl --context=a logs --follow web",
    "kubectl get pods -w",
    "cd /srv && docker compose logs -f",
    "docker compose up -d && docker compose logs -f",
    "tail -f x",
    "tail -100f x",
    "tail -fn100 x",
    "tail -n 5 -F x",
    "ssh web1 tail -f x",
    "ssh web1 'cd /srv && tail -f x | grep y'",
    "sudo sh -c 'tail -f x'",
    "while true; do docker ps; sleep 5; done",
    "while :; do ls; sleep 1; done",
    "until false; do ls; sleep 1; done",
    "for ((;;)); do ls; sleep 1; done",
    "( cd /srv; tail -f x )",
    "docker stats",
    "watch ls",
    "ping host",
    "journalctl -fu x",
];
const NO_WATCHES: &[&str] = &[
    "docker-compose logs",
    "kubectl -n logs get pods",
    "kubectl -f x.yml delete",
    "cd /srv && docker compose logs",
    "docker compose up -d",
    "tail -100 x",
    "ssh web1 tail x",
    "timeout 5 tail -f x",
    "timeout 5 ssh web1 tail -f x",
    "tail -f x | head -n 3",
    "tail -f x &",
    "while true; do ls && break; sleep 5; done",
    "while read x; do ls; done",
    "until curl -f http://x; do sleep 1; done",
    "for x in a b; do ls; done",
    "docker stats --no-stream",
    "ping -c 3 host",
    "echo 'tail -f x'",
    "echo $(date)",
];

#[test]
fn what_never_ends_is_a_watch_wherever_it_stands_in_the_command() {
    for (texts, expected) in [(WATCHES, true), (NO_WATCHES, false)] {
        for text in texts {
            assert_eq!(commands(&block(text))[0].watch, expected, "{text}");
        }
    }
}

#[test]
fn a_comment_that_asks_whether_is_no_choice() {
    let asks = [
        "Check if nginx is running",
        "See if it answers",
        "Verify if the disk is full",
        "Test if the port is open",
        "Find out if somebody is on it",
        "To know if it works",
        "Make sure if in doubt".trim_end_matches(" in doubt"),
    ];
    for words in asks {
        assert_eq!(commands(&block(&format!("# {words}\nls")))[0].choice, None, "{words}");
    }
    for words in ["If nginx is down", "Restart if needed", "Check it, if needed", "Optional: check if it runs"] {
        assert!(commands(&block(&format!("# {words}\nls")))[0].choice.is_some(), "{words}");
    }
}

#[test]
fn a_choice_stays_with_its_command_when_another_cannot_be_parsed() {
    let text =
        "# Try\n\n## Steps\n1. **Try**\n\n~~~~console\n$ echo \"open\n$ ls\n$ # If needed\n$ df -h # if needed\n~~~~\n";
    let document = runbook::read("try.md", text.as_bytes(), None).unwrap();

    let choices: Vec<(&str, bool)> =
        commands(&document).iter().map(|command| (command.text.as_str(), command.choice.is_some())).collect();

    assert_eq!(choices, [("echo \"open", false), ("ls", false), ("df -h", true)]);
}

#[test]
fn words_that_mean_what_they_say_are_no_placeholders() {
    let plain = [
        "docker images | grep \"<none>\"",
        "kubectl get svc | grep '<pending>'",
        "cat > x.conf.new <<'EOF'\n<Directory /var/www>\n</Directory>\n<VirtualHost *:80>\n</VirtualHost>\nEOF",
        "grep server_name /etc/nginx/nginx.conf",
        "grep -r service_name .",
        "docker run -e DATABASE_URL img",
        "docker exec --env DATABASE_URL web env",
        "env -u HTTP_PROXY curl http://x",
    ];
    for text in plain {
        let document = block(text);
        let found: Vec<_> = commands(&document).iter().flat_map(|command| &command.placeholders).cloned().collect();
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    for text in [
        "git checkout <commit-hash>",
        "docker login -u USERNAME x",
        "docker restart service_name",
        "grep x /var/log/service_name/x",
    ] {
        assert_eq!(commands(&block(text))[0].placeholders.len(), 1, "{text}");
    }
}

/// Outlines, and the procedures in them. Each line is a heading; `!` stands for a numbered list with a command.
const OUTLINES: &[(&str, &[&str])] = &[
    (
        "# Service\n## Overview\n## Prerequisites\n## Restart the API\n### Steps\n!\n### Rollback\n## Contacts\n## References\n",
        &["Restart the API"],
    ),
    ("# Service\n## Overview\n## Restart\n### Steps\n!\n## Contacts\n", &["Restart"]),
    ("# Service\n## Background\n## Requirements\n## Notes\n## Restart\n### Steps\n!\n", &["Restart"]),
    ("# Disk full\n## Meaning\n## Impact\n## Diagnosis\n!\n## Mitigation\n!\n", &["Disk full"]),
    ("# Disk full\n## Symptoms\n## Steps\n!\n### Overview\n### Notes\n## Contacts\n", &["Disk full"]),
    ("# A\n## One\n### Steps\n!\n## Two\n### Steps\n!\n### Contacts\n## Support\n", &["One", "Two"]),
];

#[test]
fn the_level_of_procedures_is_where_their_own_parts_are() {
    for (outline, expected) in OUTLINES {
        let mut text = String::new();
        for line in outline.lines() {
            let line = if line == "!" { "1. **Look**\n   ```sh\n   ls\n   ```" } else { line };
            let _ = write!(text, "{line}\n\n");
        }

        let document = runbook::read("outline.md", text.as_bytes(), None).unwrap();

        let titles: Vec<&str> = document.procedures.iter().map(|procedure| procedure.title.as_str()).collect();
        assert_eq!(&titles, expected, "{outline}");
        let steps = document.procedures.iter().flat_map(|procedure| &procedure.parts).flat_map(Part::steps);
        assert!(steps.count() > 0, "{outline}");
    }
}

/// The words of each command that stand for a value.
fn stand_for_values(text: &str) -> Vec<String> {
    let document = block(text);
    let found = commands(&document).into_iter().flat_map(|command| command.placeholders.clone());
    found.map(|placeholder| placeholder.text).collect()
}

#[test]
fn words_in_angle_brackets_stand_for_values_wherever_they_are() {
    for (text, words) in [
        ("git diff <from>..<to> -- <path>", &["<from>", "<to>", "<path>"][..]),
        ("cp <a> <b>", &["<a>", "<b>"]),
        ("cp <a> <b> > <out.log>", &["<a>", "<b>", "<out.log>"]),
        ("mysql <db> < <file.sql>", &["<db>", "<file.sql>"]),
        ("cat <<EOF > <file-name>\n<name> <b>\nEOF", &["<file-name>", "<name>"]),
        ("echo \"<name> is\" '<other>'", &["<name>", "<other>"]),
        (
            "curl -H \"Authorization: Bearer <token>\" https://<host>:<port>/<path>",
            &["<token>", "<host>", "<port>", "<path>"],
        ),
        ("ssh <user>@<host> uptime", &["<user>", "<host>"]),
        ("docker logs <name|id>", &["<name|id>"]),
        ("mail <you@example.com>", &["<you@example.com>"]),
        ("git checkout <commit-hash>&& ls", &["<commit-hash>"]),
        ("kubectl logs <pod-name> -c <container name>", &["<pod-name>", "<container name>"]),
        ("for i in <a> <b>; do ls $i; done", &["<a>", "<b>"]),
        ("while read l; do ls <dir-name>; done <file.txt", &["<dir-name>"]),
    ] {
        assert_eq!(stand_for_values(text), words, "{text}");
    }
}

#[test]
fn a_redirection_is_no_word_in_angle_brackets() {
    for text in [
        "sort < file > out",
        "sort <file >out",
        "sort<file>out",
        "wc -l <access.log >count.txt 2>&1",
        "diff <(sort a) <(sort b)",
        "cat <<EOF\nx\nEOF",
        "cat <>file",
        "cat <<< word",
        "docker images | grep '<none>'",
        "echo '<b>bold</b>'",
        "curl -d '<p>text</p>' http://localhost",
        "grep \"<title>\" index.html",
        "awk '$1<x && $2>y' f",
    ] {
        assert_eq!(stand_for_values(text), [""; 0], "{text}");
    }
}

#[test]
fn a_side_file_cannot_turn_two_redirections_into_a_word() {
    let document =
        with("sort <input.txt> /etc/passwd\ngrep '<marker>' file", "literal = [\"<input.txt>\", \"<marker>\"]\n");
    let commands = commands(&document);

    // The rules have judged a word, and a shell would overwrite the file.
    assert_eq!(commands[0].placeholders[0].text, "<input.txt>");
    assert_eq!(commands[0].placeholders[0].parameter, None);
    assert!(commands[1].placeholders.is_empty());
}
