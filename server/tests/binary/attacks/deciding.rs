//! Approvals that somebody wants without another person, twice, late, for something else, or by what the other person did not see.

use std::os::unix::fs::symlink;

use serde_json::Value;
use ureq::http::StatusCode;

use super::rendering::visible;
use super::{Wire, counted, documented, ended, events, first, ran, signed_in, started};
use crate::browser::{Browser, text};
use crate::people::{account, done, second_factor, token};
use crate::process::{Place, Served};
use crate::waiting::eventually;

/// 1 destroys the file of its parameter, 2 a folder, and says so.
const RESTORE: &str = "# Restore

## Restore

### Steps

1. **Replace**

   ```bash
   rm -r BACKUP
   ```

2. **Clear**

   ```bash
   rm -rf ./old; echo cleared >> cleared
   ```
";

const BACKUP: &str = "[procedure.\"Restore\".parameter.backup]
placeholder = \"BACKUP\"
type = \"backup-file\"
root = \"/\"
";

/// A wrong code: what is asked here is refused before anybody looks at it.
const NO_CODE: &str = "000000";

/// A portal with an administrator, an operator and a lead who has a second factor.
struct Table {
    place: Place,
    portal: Served,
    olga: Browser,
    otto: Browser,
    lena: Browser,
    ottos_id: String,
    lenas_id: String,
    codes: Vec<String>,
    runs: u32,
}

impl Table {
    fn set() -> Self {
        Self::with(RESTORE, BACKUP, "")
    }

    fn with(document: &str, beside: &str, configuration: &str) -> Self {
        let place = documented(document, beside);
        place.write("portal.toml", format!("[target.local]\nkind = \"local\"\n{configuration}"));
        let portal = Served::start(&place);
        let mut olga = Browser::set_up(&place, &portal);
        let (ottos_id, lenas_id) = (account(&mut olga, "otto", "operator"), account(&mut olga, "lena", "lead"));
        let (otto, mut lena) = (signed_in(&portal, "otto"), signed_in(&portal, "lena"));
        let codes = second_factor(&mut lena);
        let table = Self { place, portal, olga, otto, lena, ottos_id, lenas_id, codes, runs: 0 };
        table.put_back();
        table
    }

    /// Stops the portal and starts another one on its data.
    fn restart(&mut self) {
        self.portal.signal(rustix::process::Signal::TERM);
        assert_eq!(self.portal.wait().code(), Some(0));
        self.portal = Served::start(&self.place);
        for browser in [&mut self.olga, &mut self.otto, &mut self.lena] {
            *browser = browser.at(&self.portal.address);
        }
    }

    fn backup(&self) -> String {
        self.place.path("latest.dump").to_str().unwrap().to_owned()
    }

    /// The backup as it is meant to be.
    fn put_back(&self) {
        drop(std::fs::remove_file(self.backup()));
        self.place.write("latest.dump", "the dump");
    }

    /// A run of Otto's in which he asks for the approval of a step; gives its number.
    fn asked(&mut self, step: &str) -> String {
        let run = self.begun();
        self.asks(&run, step);
        run
    }

    fn begun(&mut self) -> String {
        self.runs += 1;
        let (key, backup) = (format!("key {}", self.runs), self.backup());
        started(&mut self.otto, "restore", &key, &[("values[backup]", &backup)])
    }

    fn asks(&mut self, run: &str, step: &str) {
        let wanted = format!("wanted[s{step}.1]");
        done(
            self.otto.call(
                "approvals/ask",
                &[("run", run), ("request", "1"), (&wanted, "on"), ("reason", "data is corrupt")],
            ),
        );
    }

    /// Lena approves, by one of her codes.
    fn approve(&mut self, run: &str) -> (StatusCode, String) {
        let code = self.codes.pop().unwrap();
        answered(self.lena.call("approvals/decide", &decision(run, &code)))
    }

    fn approved(&mut self, step: &str) -> String {
        let run = self.asked(step);
        let (status, said) = self.approve(&run);
        assert_eq!(status, StatusCode::OK, "{said}");
        run
    }

    /// Otto starts what was approved.
    fn start(&mut self, run: &str, step: &str, attempt: &str) -> (StatusCode, String) {
        let form = [("run", run), ("step", step), ("attempt", attempt), ("commands", "1")];
        answered(self.otto.call("runs/run", &form))
    }

    /// What was approved is not started any more, for this reason.
    fn is_not_started(&mut self, run: &str, step: &str, why: &str) {
        let (status, said) = self.start(run, step, "1");
        assert_eq!(status, StatusCode::CONFLICT, "{why}: {said}");
        assert!(said.contains(why), "{why}: {said}");
    }

    /// A decision that is refused, and leaves one event of that and nothing else.
    fn is_forbidden(&mut self, what: &str, decide: impl FnOnce(&mut Self) -> (u16, String)) {
        let before = events(&mut self.olga);
        let (status, said) = decide(self);
        assert_eq!(status, 403, "{what}: {said}");
        assert_eq!((events(&mut self.olga), self.granted()), (before + 1, 0), "{what}");
    }

    fn granted(&self) -> i64 {
        counted(&self.place, "SELECT COUNT(*) FROM events WHERE kind = 'approval_granted'")
    }

    fn role(&mut self, person: &str, role: &str) {
        done(self.olga.call("people/role", &[("person", person), ("role", role)]));
    }
}

fn decision<'a>(run: &'a str, code: &'a str) -> [(&'a str, &'a str); 4] {
    [("run", run), ("request", "1"), ("decision", "approve"), ("code", code)]
}

fn answered(response: ureq::http::Response<ureq::Body>) -> (StatusCode, String) {
    (response.status(), text(response))
}

/// Somebody in a browser of theirs approves.
fn decides(browser: &mut Browser, run: &str) -> (u16, String) {
    let (status, said) = answered(browser.call("approvals/decide", &decision(run, NO_CODE)));
    (status.as_u16(), said)
}

#[test]
fn a08_what_was_approved_runs_or_nothing_does() {
    let mut table = Table::set();
    table.place.write("work/precious", "");
    let backup = table.backup();

    // The file is another one of the same name and size; or a link that leads to one.
    let run = table.approved("1");
    std::fs::remove_file(&backup).unwrap();
    table.place.write("latest.dump", "THE DUMP");
    table.is_not_started(&run, "1", "the file");
    table.put_back();
    let run = table.approved("1");
    table.place.write("other.dump", "the dump");
    std::fs::remove_file(&backup).unwrap();
    symlink(table.place.path("other.dump"), &backup).unwrap();
    table.is_not_started(&run, "1", "other.dump");
    table.put_back();
    // A value; the directory; another person at the wheel.
    let run = table.approved("1");
    let value = table.place.path("other.dump").to_str().unwrap().to_owned();
    done(table.otto.call("runs/value", &[("run", &run), ("name", "backup"), ("value", &value)]));
    table.is_not_started(&run, "1", "void");
    let run = table.approved("2");
    done(table.otto.call("runs/directory", &[("run", &run), ("path", "/tmp")]));
    table.is_not_started(&run, "2", "void");
    let run = table.approved("2");
    done(table.olga.call("runs/take-over", &[("run", &run), ("reason", "mine")]));
    let (status, said) = answered(table.olga.call("runs/run", &first(&run, "2", "1")));
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    // The rules.
    let run = table.approved("2");
    let rule = "[target.local]\nkind = \"local\"\n[[approval.rule]]\nclass = \"destroys\"\nleads = 2\nreason = \"four eyes more\"\n";
    table.place.write("portal.toml", rule);
    table.restart();
    let (status, said) = table.start(&run, "2", "1");
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    table.place.write("portal.toml", "[target.local]\nkind = \"local\"\n");
    table.restart();
    assert!(table.place.path("other.dump").exists() && !table.place.path("work/cleared").exists(), "nothing was run");

    // The document: what runs is what was approved.
    let run = table.approved("1");
    table.place.write("runbooks/it.md", RESTORE.replace("rm -r BACKUP", "rm -r BACKUP ./precious"));
    assert!(ran(&mut table.otto, &run, "1", "1").is_empty());
    assert!(!table.place.path("latest.dump").exists() && table.place.path("work/precious").exists());
}

#[test]
fn a09_nobody_approves_what_they_have_shaped_by_any_way() {
    let mut table = Table::set();
    let (otto, run) = (table.ottos_id.clone(), table.asked("1"));

    table.is_forbidden("an operator", |table| decides(&mut table.otto, &run));
    table.role(&otto, "lead");
    table.is_forbidden("after a promotion", |table| decides(&mut table.otto, &run));
    let mut second = signed_in(&table.portal, "otto");
    table.is_forbidden("in a second session", |_| decides(&mut second, &run));
    account(&mut table.olga, "lars", "lead");
    let mut lars = signed_in(&table.portal, "lars");
    for script in [token(&mut second), token(&mut lars)] {
        let wire = Wire::to(&table.portal.address);
        let bearer = format!("Bearer {script}");
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let form = format!("run={run}&request=1&decision=approve&code={NO_CODE}");
        table.is_forbidden("by a token", |_| {
            let answer = wire.send("POST /api/approvals/decide", &[("Authorization", &bearer), kind], &form);
            (answer.status, answer.body)
        });
    }

    // A lead who lays a hand on a run, and lets a junior press the button.
    let backup = table.backup();
    let hands: [(&str, &[(&str, &str)]); 4] = [
        ("runs/value", &[("name", "backup"), ("value", &backup)]),
        ("runs/skip-command", &[("step", "2"), ("command", "1"), ("reason", "not now")]),
        ("runs/directory", &[("path", "/tmp")]),
        ("runs/add-step", &[("after", "0"), ("place", "3"), ("text", "date"), ("reason", "when")]),
    ];
    for (hand, form) in hands {
        let run = table.begun();
        done(table.lena.call("runs/take-over", &[("run", &run), ("reason", "let me")]));
        done(table.lena.call(hand, &[&[("run", &*run)][..], form].concat()));
        done(table.otto.call("runs/take-over", &[("run", &run), ("reason", "back again")]));
        table.asks(&run, "1");
        table.is_forbidden(hand, |table| decides(&mut table.lena, &run));
    }
}

#[test]
fn a10_an_approval_serves_once_for_its_run_while_it_stands() {
    let mut table = Table::set();
    let lena = table.lenas_id.clone();

    // Used.
    let run = table.approved("2");
    let (status, said) = table.start(&run, "2", "1");
    assert_eq!(status, StatusCode::OK, "{said}");
    ended(&mut table.otto, &run, "2");
    let (status, said) = table.start(&run, "2", "2");
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert!(said.contains("that is used"), "{said}");
    done(table.otto.call("runs/finish", &[("run", &run), ("verdict", "reached"), ("comment", "")]));
    // For a run that has none, and for another step.
    let other = table.begun();
    let (status, said) = table.approve(&other);
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    table.is_not_started(&other, "2", "needs the approval of a lead");
    let run = table.approved("1");
    table.is_not_started(&run, "2", "needs the approval of a lead");
    // Taken back, and then approved; approved, and then taken back.
    let run = table.asked("2");
    done(table.otto.call("approvals/cancel", &[("run", &run), ("request", "1"), ("reason", "")]));
    let (status, said) = table.approve(&run);
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    let run = table.approved("2");
    done(table.otto.call("approvals/cancel", &[("run", &run), ("request", "1"), ("reason", "")]));
    let (status, said) = table.start(&run, "2", "1");
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    // Of a lead who is none any more.
    let run = table.approved("2");
    table.role(&lena, "operator");
    table.is_not_started(&run, "2", "lena, who approved, is operator now");

    assert_eq!(table.place.read("work/cleared"), "cleared\n", "it was run once");
}

#[test]
fn a10_a_request_and_an_approval_have_an_end_that_is_stored() {
    let mut table = Table::with(RESTORE, BACKUP, "[approval]\ndecide_within = \"1s\"\n");
    let run = table.asked("2");
    eventually("the request runs out", || {
        let shown: Value = serde_json::from_str(&text(table.lena.call("pages/approvals", &[]))).unwrap();
        shown["waiting"].as_array().is_some_and(Vec::is_empty)
    });
    // Another time for others changes nothing about it.
    table.place.write("portal.toml", "[target.local]\nkind = \"local\"\n[approval]\nstart_within = \"1s\"\n");
    table.restart();

    let (status, said) = table.approve(&run);

    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert!(said.contains("expired"), "{said}");
    let run = table.approved("2");
    eventually("the approval runs out", || {
        let shown = text(table.lena.call("pages/approval", &[("run", &run), ("request", "1")]));
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["now"].as_i64() > shown["start_until"].as_i64()
    });
    let (status, said) = table.start(&run, "2", "1");
    assert_eq!(status, StatusCode::CONFLICT, "{said}");
    assert_eq!(table.place.read("work/cleared"), "");
}

/// A command with what nobody sees: text that is turned round, a letter of another script, and thousands of blanks before the worst.
fn deceiving() -> String {
    format!(
        "# Restore\n\n## Restore\n\n### Steps\n\n1. **Tidy\u{200b} up**\n\n   ```bash\n   rm -rf ./c\u{430}che '\u{202e}dlo/'{}; rm -rf ./precious\n   ```\n",
        " ".repeat(3000)
    )
}

#[test]
fn a11_what_could_deceive_the_eye_of_who_decides_is_marked_and_the_end_of_every_line_is_there() {
    let mut table = Table::with(&deceiving(), "", "");
    let run = started(&mut table.otto, "restore", "one", &[]);
    let reason = "harml\u{202e}ess\r wh\u{435}re";
    let form = [("run", &*run), ("request", "1"), ("wanted[s1.1]", "on"), ("reason", reason)];
    done(table.otto.call("approvals/ask", &form));

    let decision = visible(&text(table.lena.get(&format!("/approvals/{run}-1"))));
    let inbox = visible(&text(table.lena.get("/approvals")));

    for mark in ["U+0430", "U+202Edlo/", "3,000 blanks", "./precious", "harmlU+202Eess", "U+000D", "U+0435re", "U+200B"]
    {
        assert!(decision.contains(mark), "{mark}: {decision}");
    }
    assert!(inbox.contains("harmlU+202Eess"), "{inbox}");
    for page in [decision, inbox] {
        for hidden in ['\u{202e}', '\u{200b}', '\r'] {
            assert!(!page.contains(hidden), "{hidden:?}: {page}");
        }
    }
}
