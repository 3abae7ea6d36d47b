//! A secret on its way through a whole portal: it reaches the command, and nothing that is stored, streamed or shown.

use std::path::Path;

use ureq::http::StatusCode;

use crate::browser::{Browser, lines, text};
use crate::process::{Place, Served};

const TOKEN: &str = "hunter2-Kq/9 'x'";
const PASSWORD: &str = "swordfish-9000";

/// What is left of them, in the forms in which they are printed.
const TRACES: [&str; 10] = [
    "hunter2-Kq",
    "Kq/9 'x'",
    "Kq%2F9",
    "aHVudGVyMi1Lc",
    "68756e746572322d4b71",
    "hunter2-Kq\\/9",
    "swordfish",
    "c3dvcmRmaXNo",
    "73776f726466697368",
    "fish-9000",
];

const DOCUMENT: &str = r#"# Log in

## Steps

1. **Print it in every way**

   ```bash
   # Right
   [ -n "$TOKEN" ] && echo right
   # In pieces
   { printf %s "$TOKEN" | while IFS= read -r -n 3 piece || [ -n "$piece" ]; do printf %s "$piece"; sleep 0.01; done; echo; }
   # Encoded
   { printf %s "$TOKEN" | base64; printf 'user:%s' "$TOKEN" | base64 -w 20; printf %s "$TOKEN" | od -An -v -tx1 | tr -d ' \n'; echo; }
   # Coloured
   echo "$TOKEN" | grep --color=always ter2
   # Traced
   { set -x; : "$TOKEN"; set +x; }
   # Over a border of buffers
   { head -c 262138 /dev/zero | tr '\0' x; echo "$TOKEN"; }
   # From the file
   { cat .env; grep --color=always PASS .env; base64 .env; }
   # Kept for later
   export MODE="quiet-$((40 + 2))" AUTH="Bearer $TOKEN" PATH="/evil:$PATH"
   # In an error message
   test "$TOKEN" -eq 1
   ```

2. **See what has come along**

   ```bash
   { echo "mode=$MODE auth=${AUTH-unset}"; case $PATH in /evil*) echo evil ;; esac; }
   ```

3. **Tell everybody**

   ```bash
   curl -H "Authorization: $TOKEN" http://127.0.0.1:1/
   ```
"#;

const SIDE: &str = "mask_files = [\".env\", \"absent.env\"]\n\n\
                    [parameter.token]\nplaceholder = \"$TOKEN\"\ntype = \"secret\"\nhelp = \"Opens the registry.\"\n";

fn place() -> Place {
    let place = Place::empty();
    place.write("runbooks/log-in.md", DOCUMENT);
    place.write("runbooks/log-in.portal.toml", format!("directory = \"{}\"\n{SIDE}", place.path("work").display()));
    place.write("work/.env", format!("# Variables\nexport DB_PASSWORD='{PASSWORD}'\nPORT=3333\n"));
    place
}

fn done(response: ureq::http::Response<ureq::Body>) {
    let status = response.status();
    assert!(status == StatusCode::OK, "{status}: {}", text(response));
}

/// Starts run 1 and runs all commands of its first step to the end; gives everything that the stream said.
fn run_first_step(browser: &mut Browser) -> String {
    done(browser.call("runs/start", &[("slug", "log-in"), ("target", ""), ("reason", ""), ("key", "one")]));
    let all = (1..=9).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    done(browser.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", &all)]));
    until_ended(browser, "0")
}

fn until_ended(browser: &mut Browser, version: &str) -> String {
    let cursor = [
        ("run", "1"),
        ("cursor[version]", version),
        ("cursor[step]", "0"),
        ("cursor[attempt]", "0"),
        ("cursor[offset]", "0"),
    ];
    let mut all = String::new();
    for line in lines(browser.call("runs/watch", &cursor)) {
        all.push_str(&line);
        all.push('\n');
        if line.contains("\"attempt_ended\"") {
            return all;
        }
    }
    panic!("the step did not end: {all}")
}

/// The files below a folder that hold one of the texts, with the text.
fn files_with(folder: &Path, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), texts));
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let held = texts.iter().find(|text| bytes.windows(text.len()).any(|window| window == text.as_bytes()));
            found.extend(held.map(|text| format!("{}: {text}", entry.path().display())));
        }
    }
    found
}

#[test]
fn a_secret_is_in_nothing_that_the_portal_stores_streams_or_shows() {
    let place = place();
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_TOKEN", TOKEN)]);
    let mut browser = Browser::set_up(&place, &portal);

    let stream = run_first_step(&mut browser);

    let output = text(browser.get("/runs/1/output/1/1"));
    assert!(output.starts_with("right\n"), "{}", output.get(..200).unwrap_or(&output));
    let masked = output.matches("[secret token]").count();
    assert!(masked >= 8, "{masked}: {}", output.replace("xxxxxxxx", ""));
    assert!(
        output.contains("export DB_PASSWORD='[secret DB_PASSWORD]'\nPORT=3333\n"),
        "{}",
        output.replace("xxxxxxxx", "")
    );
    let pages =
        ["/runs/1", "/runs/1?step=1", "/procedures/log-in", "/history", "/"].map(|page| text(browser.get(page)));
    for (what, shown) in
        [("stream", &stream), ("output", &output)].into_iter().chain(pages.iter().map(|page| ("page", page)))
    {
        for trace in TRACES {
            assert!(!shown.contains(trace), "{what} shows {trace}");
        }
    }
    assert_eq!(files_with(&place.path("data"), &TRACES), Vec::<String>::new());
    assert_eq!(files_with(place.path("portal.log").parent().unwrap(), &["hunter2-Kq"]), Vec::<String>::new());
    assert!(stream.contains("\"masked\":1"), "the record says how many values of files were looked for");
}

#[test]
fn named_exports_come_to_the_next_step_without_what_steers_or_carries_a_secret() {
    let place = place();
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_TOKEN", TOKEN)]);
    let mut browser = Browser::set_up(&place, &portal);
    run_first_step(&mut browser);

    let run = [("run", "1"), ("step", "2"), ("attempt", "1"), ("commands", "1")];
    done(browser.call("runs/run", &run));
    let followed = text(browser.get("/runs/1/output/2/1?follow=1"));

    assert_eq!(followed, "mode=quiet-42 auth=unset\n");
    let page = text(browser.get("/runs/1"));
    assert!(
        page.contains("Exported variables") && page.contains("<code>MODE<"),
        "{:?}",
        page.find("Exported variables").and_then(|at| page.get(at..at + 200))
    );
    assert_eq!(
        files_with(&place.path("data/runs/1"), &["quiet-42"]).len(),
        3,
        "exports.json of both attempts, and what was printed"
    );
}

#[test]
fn a_secret_in_the_place_of_an_argument_starts_nothing_and_lint_says_why() {
    let place = place();
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_TOKEN", TOKEN)]);
    let mut browser = Browser::set_up(&place, &portal);
    done(browser.call("runs/start", &[("slug", "log-in"), ("target", ""), ("reason", ""), ("key", "one")]));

    let refused = browser.call("runs/run", &[("run", "1"), ("step", "3"), ("attempt", "1"), ("commands", "1")]);

    assert_ne!(refused.status(), StatusCode::OK);
    let said = text(refused);
    assert!(said.contains("into an argument of curl") && said.contains("Nothing was started"), "{said}");
    assert!(!place.path("data/runs").join("1").exists());
    let lint = crate::process::run(&place, &["lint", "runbooks/log-in.md"]);
    let lint = String::from_utf8(lint.stdout).unwrap();
    assert!(lint.contains("error: It puts the secret TOKEN into an argument of curl"), "{lint}");
}

#[test]
fn a_secret_that_is_not_there_stops_its_step_with_the_reason_and_the_next_try_finds_it() {
    let place = place();
    place.write("portal.toml", "[target.local]\nkind = \"local\"\n\n[secret.TOKEN]\nfile = \"token\"\n");
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let page = text(browser.get("/procedures/log-in"));
    assert!(page.contains("a secret, not set") && page.contains("a file that portal.toml names"));
    assert!(!page.contains("values[token]"), "there is no field for a secret");
    done(browser.call("runs/start", &[("slug", "log-in"), ("target", ""), ("reason", ""), ("key", "one")]));
    let run = [("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1")];

    let refused = browser.call("runs/run", &run);

    assert_ne!(refused.status(), StatusCode::OK);
    let said = text(refused);
    assert!(said.contains("The secret token cannot be used: the file that portal.toml names cannot be read"), "{said}");
    assert!(!said.contains(place.path("token").to_str().unwrap()), "never a path: {said}");
    place.write("token", "");
    assert!(text(browser.call("runs/run", &run)).contains("the file that portal.toml names is empty"));
    place.write("token", format!("{TOKEN}\n"));
    done(browser.call("runs/run", &run));
    let stream = until_ended(&mut browser, "0");
    assert!(stream.contains("\"secret_changed\"") && stream.contains("\"completed\""), "{stream}");
    assert_eq!(text(browser.get("/runs/1/output/1/1")), "right\n");
    // The folder has the file itself; what the portal keeps is in data.
    assert_eq!(files_with(&place.path("data"), &TRACES), Vec::<String>::new());
}
