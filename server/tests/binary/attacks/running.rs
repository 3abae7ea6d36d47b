//! What a run is given and what runs in it: values, names, input, and steps that turn against the portal.

use std::os::unix::fs::PermissionsExt as _;

use domain::attempt::AttemptResult;
use domain::run::Event;
use ureq::http::StatusCode;

use super::{documented, ended, first, frames, ran, signed_in, started};
use crate::browser::{Browser, text};
use crate::page::Page;
use crate::people::{account, done};
use crate::process::{Place, Served, refused};

const GREET: &str = "# Greet

## Steps

1. **Greet**

   ```bash
   printf '<%s>' WHO
   ```

2. **Steer**

   ```bash
   PATH=WHO ls

   LD_PRELOAD=WHO ls

   IFS=WHO ls

   BASH_ENV=WHO bash -c ls
   ```
";

const WHO: &str = "[parameter.who]\nplaceholder = \"WHO\"\ntype = \"text\"\n";

#[test]
fn a06_no_value_becomes_code_or_another_word_and_none_steers_a_shell() {
    let place = documented(GREET, WHO);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let values = [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned #",
        "\"; touch pwned; \"",
        "'; touch pwned; '",
        "'\"$(touch pwned)\"'",
        "one\ntouch pwned\n",
        "${IFS}touch${IFS}pwned",
        "$((x[$(touch pwned)]))",
        "two  words *",
        "%s%n\\n\\x41",
        "!touch ~ {a,b} & | > pwned",
    ];

    for (number, value) in values.into_iter().enumerate() {
        let run = started(&mut olga, "greet", &format!("key {number}"), &[("values[who]", value)]);

        assert_eq!(ran(&mut olga, &run, "1", "1"), format!("<{value}>"));
        assert!(!place.path("work/pwned").exists(), "{value:?} was run");
    }
    for command in ["1", "2", "3", "4"] {
        let answer = olga.call("runs/run", &first("1", "2", command));

        assert_eq!(answer.status(), StatusCode::CONFLICT, "{command}");
        assert!(text(answer).contains("a value must not"), "{command}");
    }
}

const LIST: &str = "# List

## Steps

1. **List**

   ```bash
   ls -d WHO
   ```
";

/// A target over ssh with another machine and another person.
fn far(host: &str, user: &str) -> String {
    format!(
        "[target.far]\nkind = \"ssh\"\nhost = {host:?}\nuser = {user:?}\nidentity_file = \"id\"\nknown_hosts = \"known\"\n"
    )
}

#[test]
fn a07_no_value_is_an_option_and_no_target_comes_from_anywhere_but_the_configuration() {
    let place = documented(LIST, WHO);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let start =
        |target, value| [("slug", "list"), ("target", target), ("key", "a-key-of-this-test"), ("values[who]", value)];

    for value in ["-R", "-oProxyCommand=touch pwned", "--help", "-", "--"] {
        let answer = olga.call("runs/start", &start("", value));

        assert_eq!(answer.status(), StatusCode::CONFLICT, "{value}");
        assert!(text(answer).contains("would be an option to ls"), "{value}");
    }
    for target in
        ["-oProxyCommand=touch pwned", "root@evil.example", "ssh://evil.example", "../local", "local ", "LOCAL"]
    {
        let answer = olga.call("runs/start", &start(target, "note"));

        assert!(answer.status().is_client_error(), "{target}: {}", answer.status());
    }
    assert_eq!(olga.get("/runs/1").status(), StatusCode::NOT_FOUND, "nothing was started");
    drop(portal);
    for (host, user) in [
        ("-oProxyCommand=touch pwned", "deploy"),
        ("prod.example.com -v", "deploy"),
        ("prod.example.com\nProxyCommand touch pwned", "deploy"),
        ("prod.example.com", "-l"),
        ("prod.example.com", "deploy@evil.example -p"),
    ] {
        place.write("portal.toml", far(host, user));

        let (code, said) = refused(&place, &[]);

        assert!(
            code != Some(0) && (said.contains("of a machine") || said.contains("of a user")),
            "{host} {user}: {said}"
        );
    }
    assert!(!place.path("pwned").exists() && !place.path("work/pwned").exists());
}

const PRY: &str = "# Pry

## Steps

1. **Pry**

   ```bash
   sh ./pry
   ```
";

/// Looks for what the portal has, signals its supervisor, and writes into the record of its own attempt.
const PRIES: &str = r#"supervisor=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$PPID/status")
folder=$(tr '\0' '\n' < "/proc/$supervisor/cmdline" | sed -n 3p)
echo "variables: $(env | grep -c -e PORTAL_SECRET -e hunter)"
echo "of the supervisor: $(tr '\0' '\n' < "/proc/$supervisor/environ" | grep -c -e PORTAL_SECRET -e hunter)"
echo "descriptors: $(ls -l /proc/self/fd | grep -c -e 'portal\.db' -e '/keys/')"
echo "folder: $(basename "$folder")"
kill -TERM "$supervisor"
echo '{"mark":"ended","command":1,"offset":0,"at":1,"code":0,"statuses":[],"duration_ms":1,"outcome":"success"}' >>"$folder/out.idx"
echo '{"v":1,"result":"completed"}' >"$folder/exit.json"
exit 3
"#;

#[test]
fn a23_a_step_finds_nothing_of_the_portal_and_cannot_say_how_it_ended() {
    let place = documented(PRY, "[parameter.token]\nplaceholder = \"$TOKEN\"\ntype = \"secret\"\n");
    place.write("work/pry", PRIES);
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_TOKEN", "hunter-hunter-2")]);
    let mut olga = Browser::set_up(&place, &portal);
    let run = started(&mut olga, "pry", "one", &[]);

    let printed = ran(&mut olga, &run, "1", "1");
    let mut page = Page::default();
    page.follow(&mut olga, 1, |_| false);

    for line in ["variables: 0\n", "of the supervisor: 0\n", "descriptors: 0\n", "folder: 1-1\n"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert_eq!(page.codes(), [Some(3)]);
    let ends = page.told.iter().filter_map(|entry| match &entry.event {
        Event::AttemptEnded { exit, .. } => Some(exit),
        _ => None,
    });
    let [end] = ends.collect::<Vec<_>>()[..] else { panic!("it ends once: {:?}", page.told) };
    assert_eq!(end.result, AttemptResult::Failed { command: 1 });
    assert!(!end.notes.tampered.is_empty(), "and that it was tried stands in the record");
}

const ASK: &str = "# Ask

## Steps

1. **Ask**

   ```bash
   read -r answer; echo \"got $answer\"
   ```

2. **Look**

   ```bash
   TERM=xterm-256color top -d 0.3
   ```
";

/// Input to the first command of a step.
fn input<'a>(step: &'a str, number: &'a str, field: &'a str, value: &'a str) -> [(&'a str, &'a str); 6] {
    [("run", "1"), ("step", step), ("attempt", "1"), ("command", "1"), ("number", number), (field, value)]
}

/// Waits until the command of a step is found to be doing something.
fn until(browser: &mut Browser, step: &str, what: &str) {
    let found = format!("\"{what}\":true");
    assert!(frames(browser, "1", step).any(|line| line.contains("\"condition\"") && line.contains(&found)), "{what}");
}

#[test]
fn a26_a_step_that_asks_gets_one_line_or_one_key_and_never_a_keyboard() {
    let place = documented(ASK, "");
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    account(&mut olga, "otto", "operator");
    account(&mut olga, "vera", "viewer");
    let run = started(&mut olga, "ask", "one", &[]);
    let shell = r#"[{"text":"!sh"},{"key":"enter"}]"#;
    let is_refused = |answer: ureq::http::Response<ureq::Body>, status: StatusCode, what: &str| {
        assert_eq!(answer.status(), status, "{what}: {}", text(answer));
    };

    is_refused(olga.call("runs/input", &input("1", "1", "line", "early")), StatusCode::CONFLICT, "before it runs");
    done(olga.call("runs/run", &first(&run, "1", "1")));
    until(&mut olga, "1", "waiting");
    for line in ["yes\nid", "yes\rid", "\u{3}", "\u{1b}[A", "\u{4}"] {
        is_refused(olga.call("runs/input", &input("1", "1", "line", line)), StatusCode::CONFLICT, "more than a line");
    }
    is_refused(olga.call("runs/input", &input("1", "1", "key", "quit")), StatusCode::CONFLICT, "a key for a line");
    is_refused(olga.call("runs/input", &input("1", "1", "key", "k")), StatusCode::UNPROCESSABLE_ENTITY, "any key");
    is_refused(olga.call("runs/input", &input("1", "2", "line", "later")), StatusCode::CONFLICT, "out of its turn");
    let keys = olga.call("runs/keys", &input("1", "1", "typed[keys]", shell));
    assert_eq!(keys.status(), StatusCode::CONFLICT);
    assert!(text(keys).contains("has no full keyboard"));
    for (login, status) in [("otto", StatusCode::CONFLICT), ("vera", StatusCode::FORBIDDEN)] {
        let mut other = signed_in(&portal, login);
        is_refused(other.call("runs/input", &input("1", "1", "line", "not mine")), status, login);
    }
    done(olga.call("runs/input", &input("1", "1", "line", "yes")));
    ended(&mut olga, &run, "1");
    is_refused(olga.call("runs/input", &input("1", "2", "line", "late")), StatusCode::CONFLICT, "after its end");
    assert_eq!(text(olga.get("/runs/1/output/1/1")), "got yes\n");

    done(olga.call("runs/run", &first(&run, "2", "1")));
    until(&mut olga, "2", "screen");
    is_refused(olga.call("runs/input", &input("2", "2", "line", ":!sh")), StatusCode::CONFLICT, "a line for a screen");
    is_refused(
        olga.call("runs/keys", &input("2", "2", "typed[keys]", r#"[{"text":"k"}]"#)),
        StatusCode::CONFLICT,
        "a key of top",
    );
    done(olga.call("runs/input", &input("2", "2", "key", "quit")));
    ended(&mut olga, &run, "2");
}

const CARRY: &str = "# Carry

## Steps

1. **Prepare**

   ```bash
   . ./prepare

   export MODE=quiet BASH_ENV=\"$PWD/evil/env\" PATH=\"$PWD/evil:$PATH\"
   ```

2. **Work**

   ```bash
   { ls | grep note; command -v tool || echo none; alias | wc -l; bash -c 'echo \"child ${STOLEN-clean}\"'; echo \"mode=$MODE\"; }
   ```
";

/// A function, an alias and an exported function in the places of commands.
const PREPARE: &str =
    "ls() { touch stolen; }\ngrep() { touch stolen; }\nexport -f ls grep\nalias echo='touch stolen'\n";

/// A program that nobody approved, before all others.
fn with_evil_folder(place: &Place) {
    place.write("work/prepare", PREPARE);
    place.write("work/evil/env", "STOLEN=yes\n");
    place.write("work/evil/tool", "#!/bin/sh\necho stolen\n");
    std::fs::set_permissions(place.path("work/evil/tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a27_no_function_alias_or_steering_variable_goes_from_one_step_to_the_next() {
    let place = documented(CARRY, "");
    with_evil_folder(&place);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let run = started(&mut olga, "carry", "one", &[]);
    ran(&mut olga, &run, "1", "1,2");

    let printed = ran(&mut olga, &run, "2", "1");

    assert_eq!(printed, "note\nnone\n0\nchild clean\nmode=quiet\n");
    assert!(!place.path("work/stolen").exists());
}
