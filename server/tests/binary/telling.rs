//! People are told: by mail and webhooks over real sockets, as often as it takes, and nobody waits for it.

use std::time::Instant;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::process::Signal;
use serde_json::Value;
use sha2::Sha256;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::people::{account, done, second_factor};
use crate::process::{Place, Served, complaint, run};
use crate::receivers::{Smtp, Web};
use crate::waiting::eventually;

const DOCUMENT: &str = "# Restore

## Steps

1. **Replace**

   ```bash
   rm -r BACKUP
   ```
";

const SIDE: &str = "[parameter.backup]
placeholder = \"BACKUP\"
type = \"text\"
";

const VALUE: &str = "secret-customer";
const KEY: &str = "the key of the pager";

/// A portal's folder with channels.
fn place(channels: &str) -> Place {
    let place = Place::empty();
    place.write("runbooks/restore.md", DOCUMENT);
    place.write("runbooks/restore.portal.toml", SIDE);
    place.write("portal.toml", format!("[target.local]\nkind = \"local\"\n{channels}"));
    place
}

/// A webhook that is called as its path, with its address as a secret in a file.
fn webhook(place: &str, kind: &str, more: &str) -> String {
    format!(
        "[[webhook]]\nname = \"{place}\"\nkind = \"{kind}\"\nurl_secret = \"{place}_url\"\n{more}[secret.{place}_url]\nfile = \"{place}.url\"\n"
    )
}

/// Olga, an administrator, has asked for an approval in a run of hers.
fn ask(olga: &mut Browser) {
    let start = [("slug", "restore"), ("target", ""), ("reason", ""), ("key", "one"), ("values[backup]", VALUE)];
    done(olga.call("runs/start", &start));
    let ask = [("run", "1"), ("request", "1"), ("wanted[s1.1]", "on"), ("reason", "data <is> @corrupt")];
    done(olga.call("approvals/ask", &ask));
}

/// The deliveries as an administrator sees them: channel, receiver, state, tries, error.
fn deliveries(olga: &mut Browser) -> Vec<(String, String, String, u64, String)> {
    let view: Value = serde_json::from_str(&done(olga.call("pages/deliveries", &[]))).unwrap();
    let word = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    let row = |row: &Value| {
        let tries = row["tries"].as_u64().unwrap();
        (word(row, "channel"), word(row, "to"), word(row, "state"), tries, word(row, "error"))
    };
    view["rows"].as_array().unwrap().iter().map(row).collect()
}

fn state(olga: &mut Browser, channel: &str) -> (String, u64, String) {
    let found = deliveries(olga).into_iter().find(|(name, ..)| name == channel).unwrap();
    (found.2, found.3, found.4)
}

#[test]
fn a_request_reaches_leads_by_mail_and_webhooks_and_the_decision_whoever_asked() {
    let (smtp, mut web) = (Smtp::open(), Web::open());
    let mail = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Portal <portal@example.com>\"\n",
        smtp.port
    );
    let pager = webhook("pager", "generic", "signing_secret = \"pager_key\"\nevents = [\"asked\"]\nvalues = true\n");
    let place = place(&(mail + &webhook("ops", "discord", "") + &webhook("team", "slack", "") + &pager));
    for (name, path) in [("ops", "/ops"), ("team", "/team"), ("pager", "/pager")] {
        place.write(&format!("{name}.url"), web.url(path));
    }
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_PAGER_KEY", KEY)]);
    let mut olga = Browser::set_up(&place, &portal);
    done(olga.call("account/mail", &[("mail", "olga@example.com")]));
    let lena = account(&mut olga, "lena", "lead");
    done(olga.call("people/mail", &[("person", &lena), ("mail", "lena@example.com")]));
    let ghost = account(&mut olga, "ghost", "lead");
    done(olga.call("people/mail", &[("person", &ghost), ("mail", "ghost@unknown.example")]));
    account(&mut olga, "unreached", "lead");
    let wrong = olga.call("people/mail", &[("person", &lena), ("mail", "lena@example.com\r\nBcc: eve@example.com")]);
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);

    ask(&mut olga);

    // The mail server takes it the second time: it is the same mail.
    let (first, mail) = (smtp.refused(), smtp.next());
    assert_eq!((mail.to.as_str(), mail.header("Message-ID")), ("lena@example.com", first.header("Message-ID")));
    assert!(mail.header("Message-ID").ends_with("@example.com>"), "{}", mail.text);
    for words in ["Reason: data <is> @corrupt", "Class: destroys", "Look at request 1 of run 1 under Approvals"] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    let ops = web.next("/ops").json();
    assert!(ops["content"].as_str().unwrap().contains("Reason: data \\<is\\> \\@corrupt"), "{ops}");
    assert_eq!(ops["allowed_mentions"]["parse"], serde_json::json!([]));
    let team = web.next("/team").json();
    assert!(team["text"].as_str().unwrap().contains("Reason: data &lt;is&gt; @corrupt"), "{team}");
    let pager = web.next("/pager");
    assert_eq!((&pager.json()["event"], &pager.json()["by"]), (&"asked".into(), &"Olga".into()));
    assert_eq!(
        (pager.header("idempotency-key"), &pager.json()["values"]["backup"]),
        (pager.json()["id"].as_str().unwrap(), &VALUE.into())
    );
    is_signed(pager.header("portal-signature"), &pager.body);
    for told in [&ops.to_string(), &team.to_string(), &mail.text] {
        assert!(!told.contains(VALUE), "no value unless it is configured: {told}");
    }

    let mut lead = Browser::new(&portal.address);
    lead.sign_in("lena");
    let code = second_factor(&mut lead).remove(0);
    let reject = [("run", "1"), ("request", "1"), ("decision", "reject"), ("reason", "not now"), ("code", &*code)];
    done(lead.call("approvals/decide", &reject));

    let mail = smtp.next();
    assert_eq!(mail.to, "olga@example.com");
    assert!(mail.text.contains("Reason: not now"), "{}", mail.text);
    assert!(web.next("/ops").json()["content"].as_str().unwrap().starts_with("lena rejected"));
    eventually("all is told", || deliveries(&mut olga).iter().all(|(_, _, state, ..)| state != "waiting"));
    let all = deliveries(&mut olga);
    let unknown = all.iter().find(|(_, to, ..)| to == "ghost").unwrap();
    assert_eq!((unknown.2.as_str(), unknown.3, unknown.4.as_str()), ("given_up", 1, "the mail server answered 550"));
    assert_eq!(all.iter().filter(|(_, _, state, ..)| state == "delivered").count(), all.len() - 1);
    assert_eq!(all.len(), 3 + 2 + 2 + 1, "two people by mail and three webhooks; one person and two webhooks: {all:?}");
    let viewed: Value = serde_json::from_str(&done(olga.call("pages/deliveries", &[]))).unwrap();
    assert_eq!(viewed["without_mail"], serde_json::json!(["unreached"]));
    assert!(!web.has("/pager"), "it is told only of what it wants");
    assert_eq!(lead.call("pages/deliveries", &[]).status(), StatusCode::FORBIDDEN);
}

/// The receiver's half of the signature, as the documents say it.
fn is_signed(signature: &str, body: &[u8]) {
    let (time, given) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(",v1=")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    assert_eq!(hex::encode(mac.finalize().into_bytes()), given);
}

#[test]
fn receivers_that_fail_hang_or_are_gone_keep_nobody_waiting() {
    let mut web = Web::open();
    let names = ["twice", "later", "hang", "gone", "moved"];
    let place = place(&names.map(|name| webhook(name, "slack", "")).concat());
    for name in names {
        place.write(&format!("{name}.url"), web.url(&format!("/{name}")));
    }
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);

    let begun = Instant::now();
    ask(&mut olga);
    done(olga.call("approvals/cancel", &[("run", "1"), ("request", "1"), ("reason", "")]));
    web.next("/hang");
    assert!(begun.elapsed().as_secs() < 10, "a receiver that hangs is waited for");

    let keys: Vec<String> = (0..3).map(|_| web.next("/twice").header("idempotency-key").to_owned()).collect();
    eventually("the bad one is told", || state(&mut olga, "twice").0 == "delivered");
    assert!(keys.iter().any(|key| keys.iter().filter(|other| *other == key).count() > 1), "{keys:?}");
    let all = deliveries(&mut olga);
    let errors: Vec<&str> = all.iter().map(|(.., error)| error.as_str()).collect();
    assert!(
        errors.iter().all(|error| !error.contains("hunter2")),
        "what a receiver writes back is not kept: {errors:?}"
    );
    eventually("the one that asked for time is told", || state(&mut olga, "later").0 == "delivered");
    assert_eq!(state(&mut olga, "gone"), ("given_up".to_owned(), 1, "it answered 404 Not Found".to_owned()));
    let moved = state(&mut olga, "moved");
    assert_eq!((moved.0.as_str(), moved.1), ("given_up", 1));
    assert!(moved.2.contains("no redirect is followed") && !web.has("/redirected"), "{}", moved.2);
}

#[test]
fn what_waits_is_not_given_up_by_a_command_whose_configuration_knows_no_channel() {
    let mut web = Web::open();
    // Its address is not there yet: it is tried, and waits.
    let place = place(&webhook("ops", "slack", ""));
    place.write("bare.toml", "[target.local]\nkind = \"local\"\n");
    let mut portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    ask(&mut olga);
    eventually("it was tried", || state(&mut olga, "ops").1 > 0);
    portal.signal(Signal::TERM);
    portal.wait();

    let listed = run(&place, &["user", "list", "--config", "bare.toml"]);

    assert_eq!(listed.status.code(), Some(0), "{}", complaint(&listed));
    place.write("ops.url", web.url("/ok"));
    let portal = Served::start(&place);
    web.next("/ok");
    let mut olga = olga.at(&portal.address);
    eventually("it is told", || state(&mut olga, "ops").0 == "delivered");
}

#[test]
fn what_was_sent_when_the_portal_died_is_sent_again_with_the_same_key() {
    let mut web = Web::open();
    let place = place(&webhook("hang", "slack", ""));
    place.write("hang.url", web.url("/hang"));
    let mut portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    ask(&mut olga);
    // It has arrived, and the portal does not know that yet.
    let first = web.next("/hang");
    portal.signal(Signal::KILL);
    portal.wait();
    web.let_go();

    let portal = Served::start(&place);
    let second = web.next("/hang");

    assert_eq!(second.header("idempotency-key"), first.header("idempotency-key"));
    assert_eq!(second.body, first.body);
    let mut olga = olga.at(&portal.address);
    eventually("it is recorded", || state(&mut olga, "hang") == ("delivered".to_owned(), 1, String::new()));
}

/// Prints something that no document has.
const LEAK: &str = "# Leak\n\n## Steps\n\n1. **Print**\n\n   ```bash\n   echo uhagre-bggre | tr a-z n-za-m\n   ```\n";

#[test]
fn what_is_to_be_covered_is_told_to_who_may_confirm_it_and_what_came_of_it_to_who_asked() {
    let (smtp, mut web) = (Smtp::open(), Web::open());
    let mail = format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"Portal <portal@example.com>\"\nvalues = true\n",
        smtp.port
    );
    let pager = webhook("pager", "generic", "signing_secret = \"pager_key\"\nvalues = true\n");
    let asks = webhook("asks", "slack", "events = [\"asked\"]\n");
    let place = place(&(mail + &pager + &asks));
    place.write("runbooks/leak.md", LEAK);
    for (name, path) in [("pager", "/pager"), ("asks", "/asks")] {
        place.write(&format!("{name}.url"), web.url(path));
    }
    let portal = Served::start_among(&place, &[], &[("PORTAL_SECRET_PAGER_KEY", KEY)]);
    let mut olga = Browser::set_up(&place, &portal);
    done(olga.call("account/mail", &[("mail", "olga@example.com")]));
    for (login, role) in [("lena", "lead"), ("otto", "operator")] {
        let person = account(&mut olga, login, role);
        done(olga.call("people/mail", &[("person", &person), ("mail", &format!("{login}@example.com"))]));
    }
    done(olga.call("runs/start", &[("slug", "leak"), ("target", ""), ("reason", ""), ("key", "one")]));
    done(olga.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1")]));
    eventually("it is printed", || text(olga.get("/runs/1/output/1/1")).contains("hunter-otter"));

    let place_of = [("run", "1"), ("step", "1"), ("attempt", "1"), ("text", "hunter-otter"), ("reason", "a password")];
    eventually("the attempt has ended", || olga.call("redactions/ask", &place_of).status() == StatusCode::OK);

    let (first, mail) = (smtp.refused(), smtp.next());
    assert_eq!((mail.to.as_str(), mail.header("Message-ID")), ("lena@example.com", first.header("Message-ID")));
    for words in ["wants 12 bytes in 1 place", "Reason: a password", "Look at redaction 1-1 under Approvals"] {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    let asked = web.next("/pager").json();
    assert_eq!((&asked["event"], &asked["redaction"]), (&"redaction_asked".into(), &1.into()));
    assert!(asked.get("values").is_none() && asked["request"].is_null(), "{asked}");

    let mut lena = Browser::new(&portal.address);
    lena.sign_in("lena");
    let code = second_factor(&mut lena).remove(0);
    done(lena.call("redactions/decide", &[("run", "1"), ("number", "1"), ("decision", "confirm"), ("code", &*code)]));

    let told = smtp.next();
    assert_eq!(told.to, "olga@example.com");
    assert!(told.text.contains("lena confirmed that 12 bytes in 1 place"), "{}", told.text);
    assert_eq!(web.next("/pager").json()["event"], "redaction_confirmed");
    eventually("all is told", || deliveries(&mut olga).iter().all(|(_, _, state, ..)| state != "waiting"));
    let all = deliveries(&mut olga);
    assert_eq!(all.len(), 2 + 2, "a lead and who asked by mail, and one webhook; no operator: {all:?}");
    assert!(!web.has("/asks"), "it is told only of what it wants");
    for told in [mail.text, told.text, asked.to_string()] {
        assert!(!told.contains("hunter"), "what is covered goes nowhere: {told}");
    }
}

#[test]
fn nobody_gets_mail_about_a_run_that_is_limited_to_others_also_when_it_waits_already() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mail = "[mail]\nhost = \"127.0.0.1\"\ntls = \"none\"\nfrom = \"Portal <portal@example.com>\"\n";
    let place = place(&format!("{mail}port = {nobody}\n"));
    place.write("runbooks/restore.portal.toml", format!("visible_to = [\"keepers\"]\n{SIDE}"));
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let mut ids = Vec::new();
    for (login, groups) in [("lena", "keepers"), ("lars", "on-call")] {
        let person = account(&mut olga, login, "lead");
        done(olga.call("people/mail", &[("person", &person), ("mail", &format!("{login}@example.com"))]));
        done(olga.call("people/groups", &[("person", &person), ("groups", groups)]));
        ids.push(person);
    }
    ask(&mut olga);
    eventually("the mail server was asked", || state(&mut olga, "mail").1 > 0);
    let all = deliveries(&mut olga);
    assert_eq!(all.iter().map(|(_, to, ..)| to.as_str()).collect::<Vec<_>>(), ["lena"], "{all:?}");

    done(olga.call("people/groups", &[("person", &ids[0]), ("groups", "")]));

    eventually("she is not told any more", || state(&mut olga, "mail").0 == "given_up");
    assert_eq!(state(&mut olga, "mail").2, "the run is limited to others by now");
}

#[test]
fn a_scanner_that_opens_the_link_decides_nothing() {
    let place = place("");
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    account(&mut olga, "lena", "lead");
    ask(&mut olga);
    let mut lena = Browser::new(&portal.address);
    lena.sign_in("lena");
    let stranger = Browser::new(&portal.address);
    let mut seen = || {
        let view: Value = serde_json::from_str(&done(olga.call("pages/approvals", &[]))).unwrap();
        let run: Value = serde_json::from_str(&done(olga.call("pages/run", &[("run", "1")]))).unwrap();
        (view["waiting"].as_array().unwrap().len(), run["run"]["version"].clone())
    };
    let before = seen();
    assert_eq!(before.0, 1);

    for path in [
        "/approvals/1-1",
        "/approvals/1-1?decision=approve",
        "/api/approvals/decide?run=1&request=1&decision=reject&reason=x",
    ] {
        for browser in [&stranger, &lena] {
            browser.get(path);
            browser.head(path);
        }
    }

    assert_eq!(seen(), before);
}

#[test]
fn a_portal_that_cannot_tell_anybody_says_so_and_starts() {
    let place = place(&webhook("ops", "slack", ""));
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    ask(&mut olga);

    eventually("it was tried", || state(&mut olga, "ops").1 > 0);
    let (state, _, error) = state(&mut olga, "ops");
    assert_eq!(state, "waiting", "the secret may be there in a minute");
    assert!(error.contains("the secret ops_url cannot be used"), "{error}");
    let view: Value = serde_json::from_str(&done(olga.call("pages/deliveries", &[]))).unwrap();
    assert!(view["channels"][0]["problem"].as_str().unwrap().contains("ops_url"));
    let web = Web::open();
    place.write("ops.url", web.url("/ok"));
    let mut web = web;
    web.next("/ok");
    drop(portal);
}
