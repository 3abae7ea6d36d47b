//! Getting in as somebody else: by a cookie that is planted, stolen or old, beside a token, and into a portal that nobody has set up.

use ureq::http::StatusCode;

use super::forging::listens;
use super::wire::{Answer, Wire};
use super::{Scene, counted};
use crate::browser::{Browser, PASSWORD, text};
use crate::people::{account, done, token};
use crate::process::{Place, Served};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The password as a form writes it.
fn password() -> String {
    PASSWORD.replace(' ', "+")
}

/// The cookie of the session that an answer sets, with what the browser is told about it.
fn set(answer: &Answer) -> Option<&str> {
    let cookies = answer.head.lines().filter_map(|line| line.split_once(": "));
    let mut cookies = cookies.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, cookie)| cookie);
    cookies.find(|cookie| !cookie.contains("portal-device="))
}

/// The same as a browser sends it back.
fn pair(answer: &Answer) -> String {
    let cookie = set(answer).unwrap_or_else(|| panic!("a session begins: {} {}", answer.head, answer.body));
    cookie.split(';').next().unwrap().to_owned()
}

/// Whether a cookie lets somebody in.
fn is_in(wire: &Wire, cookie: &str) -> bool {
    wire.send("POST /api/session", &[("Origin", &wire.origin()), ("Cookie", cookie)], "").status == 200
}

fn signs_in(wire: &Wire, login: &str, headers: &[(&str, &str)]) -> Answer {
    let origin = wire.origin();
    let headers = [&[("Origin", &*origin), FORM][..], headers].concat();
    wire.send("POST /api/sign-in", &headers, &format!("login={login}&password={}", password()))
}

#[test]
fn a14_a_session_has_a_new_id_at_each_signing_in_and_no_planted_or_old_one_is_anybody() {
    let scene = Scene::open();
    let (wire, first) = (scene.wire(), scene.cookie());
    let planted = "portal=AAAAAAAAAAAAAAAAAAAAAA";
    let (name, id) = first.split_once('=').unwrap();
    assert_eq!(name, "portal", "on this machine, over plain http");

    let after_planted = pair(&signs_in(&wire, "olga", &[("Cookie", planted)]));
    let answer = signs_in(&wire, "olga", &[("Cookie", &first)]);
    let second = pair(&answer);

    assert!(after_planted != planted && second != first && second != after_planted);
    for dead in
        [planted, first.as_str(), "portal=", "portal=%00", &format!("__Host-portal={id}"), &format!("portal={id}0")]
    {
        assert!(!is_in(&wire, dead), "{dead}");
    }
    assert!(is_in(&wire, &after_planted) && is_in(&wire, &second));
    let told = set(&answer).unwrap();
    assert!(["HttpOnly", "SameSite=Lax", "Path=/"].iter().all(|part| told.contains(part)), "{told}");
    assert!(!told.contains("Domain"), "{told}");
    let (_, id) = second.split_once('=').unwrap();
    for file in ["data/portal.db", "data/portal.db-wal"] {
        let bytes = std::fs::read(scene.place.path(file)).unwrap_or_default();
        assert!(!bytes.windows(id.len()).any(|window| window == id.as_bytes()), "{file} holds a session's id");
    }
}

#[test]
fn a14_an_ended_session_and_one_from_before_a_new_password_let_nobody_in() {
    let mut scene = Scene::open();
    let wire = scene.wire();
    let (mut leaving, staying) = (scene.signed_in("olga"), scene.signed_in("olga").cookie().unwrap());
    let left = leaving.cookie().unwrap();

    done(leaving.call("sign-out", &[]));
    assert!(!is_in(&wire, &left) && is_in(&wire, &staying));
    let new = "grandfather clock pelican";
    done(scene.olga.call("account/password", &[("old", PASSWORD), ("new", new)]));

    assert!(!is_in(&wire, &staying) && is_in(&wire, &scene.cookie()), "only the session that changed it goes on");
    assert_eq!(Browser::new(&scene.portal.address).sign_in("olga"), StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn a14_behind_https_the_cookie_is_bound_to_the_host_and_to_encryption() {
    let place = Place::with_document();
    let portal = Served::start_with(&place, &["--public-url", "https://portal.example.com"]);
    let wire = Wire::to(&listens(&place));
    let own = [("Host", "portal.example.com"), ("Origin", "https://portal.example.com"), FORM];
    let form = format!("token={}&login=olga&name=Olga&password={}", portal.token.as_deref().unwrap(), password());

    let answer = wire.send("POST /api/set-up", &own, &form);

    let told = set(&answer).unwrap_or_else(|| panic!("{} {}", answer.head, answer.body));
    assert!(told.starts_with("__Host-portal=") && !told.contains("Domain"), "{told}");
    assert!(["Secure", "HttpOnly", "SameSite=Lax", "Path=/"].iter().all(|part| told.contains(part)), "{told}");
    let cookie = pair(&answer);
    let asks = |cookie: &str| wire.send("POST /api/session", &[own[0], own[1], ("Cookie", cookie)], "").status;
    assert_eq!((asks(&cookie), asks(&cookie.replace("__Host-", ""))), (200, 401));
}

#[test]
fn a14_what_a_browser_sends_beside_a_token_is_neither_used_nor_touched() {
    let mut scene = Scene::open();
    account(&mut scene.olga, "otto", "operator");
    let mut otto = scene.signed_in("otto");
    let (wire, cookie, bearer) = (scene.wire(), scene.cookie(), format!("Bearer {}", token(&mut otto)));

    let asked = wire.send("POST /api/session", &[("Authorization", &bearer), ("Cookie", &cookie)], "");
    let people = wire.send("POST /api/pages/people", &[("Authorization", &bearer), ("Cookie", &cookie)], "");
    let entered = signs_in(&wire, "otto", &[("Authorization", &bearer), ("Cookie", &cookie)]);

    assert!(asked.body.contains("\"otto\"") && people.status == 403, "{} {}", asked.body, people.status);
    assert_eq!(entered.status, 200, "{}", entered.body);
    assert_ne!(pair(&entered), cookie);
    // Signing in gives a session another id and another person: not to one that only lay beside the token.
    let still = text(scene.olga.call("session", &[]));
    assert!(still.contains("\"Olga\""), "{still}");
}

#[test]
fn a24_nobody_takes_over_a_fresh_portal_without_what_stands_on_its_console() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let wire = Wire::to(&portal.address);
    let token = portal.token.clone().unwrap();
    let origin = wire.origin();
    let people = "SELECT COUNT(*) FROM people";

    for login in ["admin", "administrator", "root", "portal", "olga"] {
        for password in ["", "admin", "password", "changeme", "portal", &*password()] {
            let form = format!("login={login}&password={password}");
            let answer = wire.send("POST /api/sign-in", &[("Origin", &origin), FORM], &form);
            assert!(matches!(answer.status, 422 | 429), "{form}: {}", answer.status);
        }
    }
    let wrong = ["", "0", "%00", &token[1..], &token.to_uppercase(), &format!("{token}0"), &"0".repeat(token.len())];
    for wrong in wrong.into_iter().filter(|wrong| *wrong != token) {
        let form = format!("token={wrong}&login=eve&name=Eve&password={}", password());
        let answer = wire.send("POST /api/set-up", &[("Origin", &origin), FORM], &form);

        assert_eq!(answer.status, 422, "{wrong}: {}", answer.body);
        assert!(set(&answer).is_none(), "{wrong}: {}", answer.head);
    }
    assert_eq!(counted(&place, people), 0);
    let page = wire.send("GET /", &[("Accept", "text/html")], "");
    assert!(page.status == 303 && !page.head.contains(&token), "{}", page.head);

    let mut olga = Browser::set_up(&place, &portal);
    let again = format!("token={token}&login=eve&name=Eve&password={}", password());
    assert_eq!(wire.send("POST /api/set-up", &[("Origin", &origin), FORM], &again).status, 422, "it works once");
    assert_eq!(counted(&place, people), 1);
    assert!(text(olga.call("session", &[])).contains("administrator"));
}
