//! Reading and steering by number, by an address and by a stream what is not for one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::policy::Role;
use serde_json::Value;
use ureq::http::StatusCode;

use super::{Scene, counted, frames, ran, signed_in, started};
use crate::browser::{Browser, text};
use crate::people::{account, done, token};
use crate::process::{Place, Served};

/// Within this a stream has to be over.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A stream that was not ended by then goes on.
const GOES_ON: Duration = Duration::from_secs(5);

/// A portal with a run that only the keepers see, of whom Kim is one.
struct Vault {
    place: Place,
    portal: Served,
    olga: Browser,
    kims_id: String,
}

impl Vault {
    fn open() -> Self {
        let place = Place::with_document();
        place.write("runbooks/count.portal.toml", "[procedure.\"Count slowly\"]\nvisible_to = [\"keepers\"]\n");
        let portal = Served::start(&place);
        let mut olga = Browser::set_up(&place, &portal);
        let kims_id = account(&mut olga, "kim", "operator");
        account(&mut olga, "otto", "operator");
        let mut vault = Self { place, portal, olga, kims_id };
        vault.put_kim_into("keepers");
        let run = started(&mut vault.olga, "count-slowly", "one", &[]);
        ran(&mut vault.olga, &run, "1", "1,2");
        vault
    }

    fn put_kim_into(&mut self, groups: &str) {
        done(self.olga.call("people/groups", &[("person", &self.kims_id), ("groups", groups)]));
    }

    fn ends(&mut self, function: &str) {
        done(self.olga.call(function, &[("person", &self.kims_id)]));
    }
}

/// Something ends the stream that somebody has open, at once.
fn closes(browser: &mut Browser, what: &str, end: impl FnOnce()) {
    let mut stream = frames(browser, "1", "0");
    assert!(stream.next().is_some_and(|frame| frame.contains("hello")), "{what}: it has begun");

    let began = Instant::now();
    end();
    // One that goes on says something at least every 15 seconds.
    stream.take_while(|_| began.elapsed() < GOES_ON).for_each(drop);

    assert!(began.elapsed() < AT_ONCE, "{what}: {:?}", began.elapsed());
}

#[test]
fn a03_no_stream_is_opened_by_who_may_not_look_and_none_outlasts_its_right() {
    let mut vault = Vault::open();
    let mut otto = signed_in(&vault.portal, "otto");
    for run in ["1", "99"] {
        let cursor = [
            ("run", run),
            ("cursor[version]", "0"),
            ("cursor[step]", "1"),
            ("cursor[attempt]", "1"),
            ("cursor[offset]", "0"),
        ];
        assert_eq!(otto.call("runs/watch", &cursor).status(), StatusCode::NOT_FOUND, "run {run}");
        for path in ["output/1/1?follow=1", "output/1/1", "evidence"] {
            assert_eq!(otto.get(&format!("/runs/{run}/{path}")).status(), StatusCode::NOT_FOUND, "{run}/{path}");
        }
    }

    let mut kim = signed_in(&vault.portal, "kim");
    closes(&mut kim, "their sessions are ended", || vault.ends("people/end-sessions"));
    let mut kim = signed_in(&vault.portal, "kim");
    let mut leaving = kim.at(&vault.portal.address);
    closes(&mut kim, "they sign out elsewhere", || drop(done(leaving.call("sign-out", &[]))));
    let mut kim = signed_in(&vault.portal, "kim");
    closes(&mut kim, "they leave the group", || vault.put_kim_into(""));
    vault.put_kim_into("keepers");
    let mut kim = signed_in(&vault.portal, "kim");
    closes(&mut kim, "they are disabled", || vault.ends("people/disable"));
}

/// What somebody is told of a run: status and sentence.
fn told(browser: &mut Browser, function: &str, run: &str, more: &[(&str, &str)]) -> (StatusCode, String) {
    let answer = browser.call(function, &[&[("run", run)][..], more].concat());
    (answer.status(), text(answer))
}

#[test]
fn a12_a_run_that_is_not_for_one_is_not_there_by_any_function_and_nothing_of_it_changes() {
    let vault = Vault::open();
    let mut otto = signed_in(&vault.portal, "otto");
    let version = "SELECT COUNT(*) FROM events WHERE stream = 'run:1'";
    let before = counted(&vault.place, version);
    let reason = ("reason", "mine");
    let deeds: [(&str, &[(&str, &str)]); 16] = [
        ("pages/run", &[]),
        ("pages/approval", &[("request", "1")]),
        ("runs/note", &[("step", "0"), ("text", "hello")]),
        ("runs/value", &[("name", "x"), ("value", "y")]),
        ("runs/run", &[("step", "1"), ("attempt", "1"), ("commands", "1")]),
        ("runs/stop", &[("step", "1"), ("attempt", "1")]),
        ("runs/tick", &[("step", "2"), ("item", "1")]),
        ("runs/skip-step", &[("step", "1"), reason]),
        ("runs/skip-command", &[("step", "1"), ("command", "1"), reason]),
        ("runs/directory", &[("path", "/tmp")]),
        ("runs/add-step", &[("after", "0"), ("place", "3"), ("text", "date"), reason]),
        ("runs/take-over", &[reason]),
        ("runs/take-lock", &[reason]),
        ("runs/abort", &[reason]),
        ("runs/finish", &[("verdict", "reached")]),
        ("approvals/ask", &[("request", "1"), ("wanted[s1.1]", "on"), reason]),
    ];

    for (function, form) in deeds {
        let (hidden, absent) = (told(&mut otto, function, "1", form), told(&mut otto, function, "99", form));

        assert_eq!(hidden.0, StatusCode::NOT_FOUND, "{function}: {}", hidden.1);
        assert_eq!(hidden, absent, "{function}");
    }

    for path in ["/procedures/count-slowly", "/runs/1", "/runs/99", "/approvals/1-1"] {
        assert_eq!(otto.get(path).status(), StatusCode::NOT_FOUND, "{path}");
    }
    let list = ["pages/home", "pages/history", "pages/documents", "pages/approvals"];
    for function in list {
        assert!(!text(otto.call(function, &[])).contains("Count slowly"), "{function}");
    }
    assert_eq!(counted(&vault.place, version), before, "nothing happened to it");
}

#[test]
fn a12_nobody_ends_sessions_or_tokens_of_others_and_is_told_as_of_one_that_is_not_there() {
    let mut scene = Scene::open();
    account(&mut scene.olga, "vera", "viewer");
    let mut vera = scene.signed_in("vera");
    token(&mut scene.olga);
    let mine: Value = serde_json::from_str(&text(scene.olga.call("pages/account", &[]))).unwrap();
    let (session, made) = (mine["sessions"][0]["id"].as_str().unwrap(), mine["tokens"][0]["id"].as_str().unwrap());
    let ended = "SELECT COUNT(*) FROM events WHERE kind IN ('sessions_ended', 'token_ended')";

    for (function, field, id) in [("account/sessions/end", "session", session), ("account/tokens/end", "token", made)] {
        let absent = "0".repeat(id.len());
        let answers = [id, absent.as_str()].map(|id| {
            let answer = vera.call(function, &[(field, id)]);
            (answer.status(), text(answer))
        });

        assert_eq!(answers[0].0, StatusCode::NOT_FOUND, "{function}: {}", answers[0].1);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{function}: {answers:?}");
    }

    let after: Value = serde_json::from_str(&text(scene.olga.call("pages/account", &[]))).unwrap();
    assert_eq!((&after["sessions"][0]["id"], &after["tokens"][0]["id"]), (&session.into(), &made.into()));
    assert_eq!(counted(&scene.place, ended), 0);
}

/// The committed document of the API: each address and the least role that may use it; `None` is everybody.
fn documented() -> BTreeMap<String, Option<Role>> {
    // "operator, in a run in which they work": whose something has to be is asked by the tests of the API.
    fn least(who: &str) -> &str {
        who.split_once(',').map_or(who, |(role, _)| role)
    }
    let document = include_str!("../../../../docs/api.md");
    let role =
        |who: &str| (who != "everybody").then(|| Role::parse(least(who)).unwrap_or_else(|| panic!("{who} is no role")));
    let mut found = BTreeMap::new();
    let mut function = None;
    for line in document.lines() {
        if let Some((path, who)) = line.strip_prefix("| `GET ").and_then(|row| row.split_once("` | ")) {
            found.insert(format!("GET {path}"), role(who.trim_end_matches(" |")));
        } else if let Some(path) = line.strip_prefix("### `") {
            function = Some(path.trim_end_matches('`').to_owned());
        } else if let Some((_, who)) = line.rsplit_once(" For: ") {
            let path = function.take().unwrap_or_else(|| panic!("no function before: {line}"));
            found.insert(path, role(who.trim_end_matches('.')));
        }
    }
    found
}

/// Whether somebody gets through to what answers, whatever that says to an empty form.
fn is_admitted(scene: &Scene, browser: &Browser, address: &str) -> bool {
    let path =
        address.replace("{slug}", "count-slowly").replace("{name}", "SomeAlert").replace("{step}/{attempt}", "1/1");
    let path = path.replace("/approvals/{id}", "/approvals/1-1").replace("{id}", "1").replace("{run}", "1");
    let status = if let Some(function) = path.strip_prefix("POST /api/") {
        // What a stream says is not waited for.
        browser.at(&scene.portal.address).call(function, &[]).status().as_u16()
    } else {
        let cookie = browser.cookie().unwrap_or_default();
        let answer = scene.wire().send(&path, &[("Cookie", &cookie)], "");
        let away = answer.header("location").is_some_and(|place| place.starts_with("/sign-in"));
        if away { 401 } else { answer.status }
    };
    !matches!(status, 401 | 403)
}

#[test]
fn a13_every_address_lets_in_whom_the_document_names_and_there_is_no_other_address() {
    let mut scene = Scene::open();
    let documented = documented();
    let functions = documented.keys().filter(|address| address.starts_with("POST ")).count();
    assert_eq!(functions, app::api::POLICY.len());
    for (path, _) in app::api::POLICY {
        assert!(documented.contains_key(&format!("POST {path}")), "{path} is not in the document");
    }
    let mut people = vec![(None, Browser::new(&scene.portal.address))];
    for role in [Role::Viewer, Role::Operator, Role::Lead] {
        account(&mut scene.olga, role.word(), role.word());
        people.push((Some(role), scene.signed_in(role.word())));
    }
    people.push((Some(Role::Administrator), scene.olga.at(&scene.portal.address)));

    for (address, least) in &documented {
        // Pages and probes for everybody ask for no account.
        if least.is_none() && address.starts_with("GET ") {
            continue;
        }
        for (role, browser) in &people {
            let is_meant = least.is_none_or(|least| role.is_some_and(|role| role >= least));
            // What ends a session gets one of its own.
            let own = role.filter(|_| address == "POST /api/sign-out").map(|role| match role {
                Role::Administrator => scene.signed_in("olga"),
                other => scene.signed_in(other.word()),
            });

            let admitted = is_admitted(&scene, own.as_ref().unwrap_or(browser), address);

            assert_eq!(admitted, is_meant, "{address} for {role:?}");
        }
    }
}
