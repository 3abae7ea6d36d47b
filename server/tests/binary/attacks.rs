//! Attacks over real HTTP on the real binary, by their rows in docs/security.md. "No effect" is: nothing was recorded but, where the
//! gate knows who asks, one refusal.

mod crawling;
mod deciding;
mod entering;
mod forging;
mod reaching;
mod rendering;
mod rewriting;
mod running;
mod smuggling;
mod wire;

use domain::run::{Entry, Event};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use wire::{Answer, Wire};

use crate::browser::{Browser, lines, text};
use crate::people::done;
use crate::process::{Place, Served};
use crate::record::block_on;

/// A portal with an administrator, a run, and somebody who attacks.
struct Scene {
    place: Place,
    portal: Served,
    olga: Browser,
    run: String,
}

impl Scene {
    fn open() -> Self {
        let place = Place::with_document();
        let portal = Served::start(&place);
        let mut olga = Browser::set_up(&place, &portal);
        let form = [("slug", "count-slowly"), ("target", "local"), ("key", "a-key-of-this-scene")];
        let run = text(olga.call("runs/start", &form)).trim_matches('"').to_owned();
        Self { place, portal, olga, run }
    }

    fn wire(&self) -> Wire {
        Wire::to(&self.portal.address)
    }

    /// The cookie of who is signed in.
    fn cookie(&self) -> String {
        self.olga.cookie().unwrap()
    }

    /// How many events there are.
    fn events(&mut self) -> u64 {
        events(&mut self.olga)
    }

    /// Somebody else who is signed in, in a browser of their own.
    fn signed_in(&self, login: &str) -> Browser {
        signed_in(&self.portal, login)
    }
}

/// Somebody who signs in, in a new browser.
fn signed_in(portal: &Served, login: &str) -> Browser {
    let mut browser = Browser::new(&portal.address);
    assert!(browser.sign_in(login).is_success(), "{login} signs in");
    browser
}

/// How many events there are, as the audit tells an administrator.
fn events(administrator: &mut Browser) -> u64 {
    let audit: Value =
        serde_json::from_str(&text(administrator.call("pages/audit", &[("portal_only", "false")]))).unwrap();
    audit["info"]["events"].as_u64().unwrap_or_else(|| panic!("the audit says how many events there are: {audit}"))
}

/// A number from the database of a portal, which is only read.
fn counted(place: &Place, statement: &'static str) -> i64 {
    let options = SqliteConnectOptions::new().filename(place.path("data/portal.db")).read_only(true);
    block_on(async {
        let mut database = SqliteConnection::connect_with(&options).await.unwrap();
        let count: i64 = sqlx::query_scalar(statement).fetch_one(&mut database).await.unwrap();
        database.close().await.unwrap();
        count
    })
}

/// A folder with one document, whose runs work in `work`.
fn documented(document: &str, beside: &str) -> Place {
    let place = Place::empty();
    place.write("runbooks/it.md", document);
    beside_it(&place, beside);
    place.write("work/note", "here\n");
    place
}

/// Writes the side file of that document.
fn beside_it(place: &Place, beside: &str) {
    let directory = place.path("work").to_str().unwrap().to_owned();
    place.write("runbooks/it.portal.toml", format!("directory = {directory:?}\n{beside}"));
}

/// Starts a run; gives its number.
fn started(browser: &mut Browser, slug: &str, key: &str, more: &[(&str, &str)]) -> String {
    let form = [&[("slug", slug), ("target", ""), ("key", key)][..], more].concat();
    done(browser.call("runs/start", &form)).trim_matches('"').to_owned()
}

/// The frames of a run from its beginning, with the output of the first attempt of a step; of none for step 0.
fn frames(browser: &mut Browser, run: &str, step: &str) -> impl Iterator<Item = String> + use<> {
    let attempt = if step == "0" { "0" } else { "1" };
    let cursor = [
        ("run", run),
        ("cursor[version]", "0"),
        ("cursor[step]", step),
        ("cursor[attempt]", attempt),
        ("cursor[offset]", "0"),
    ];
    lines(browser.call("runs/watch", &cursor))
}

/// The first attempt to run commands of a step, as its page asks for it.
const fn first<'a>(run: &'a str, step: &'a str, commands: &'a str) -> [(&'a str, &'a str); 4] {
    [("run", run), ("step", step), ("attempt", "1"), ("commands", commands)]
}

/// Runs commands of a step to their end; gives what was printed.
fn ran(browser: &mut Browser, run: &str, step: &str, commands: &str) -> String {
    done(browser.call("runs/run", &first(run, step, commands)));
    ended(browser, run, step);
    text(browser.get(&format!("/runs/{run}/output/{step}/1")))
}

/// Waits for the end of the first attempt of a step.
fn ended(browser: &mut Browser, run: &str, step: &str) {
    let number: u32 = step.parse().unwrap();
    let is_end = |line: String| {
        let mut frame: Value = serde_json::from_str(&line).unwrap();
        let entry: Option<Entry> = serde_json::from_value(frame["entry"].take()).unwrap();
        entry.is_some_and(|entry| matches!(entry.event, Event::AttemptEnded { step, attempt: 1, .. } if step == number))
    };
    assert!(frames(browser, run, step).any(is_end), "step {step} of run {run} ends");
}

/// The answers of which none may have been a success.
fn assert_refused(what: &str, answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.body);
}
