//! Who signs out is out: whatever was on its way then, and whatever is sent with the old cookie afterwards.

use std::sync::Barrier;

use testkit::times;
use ureq::http::StatusCode;

use crate::browser::{Browser, lines, text};
use crate::process::{Place, Served};

#[test]
fn nothing_works_after_signing_out_with_many_requests_in_flight() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);
    let many = times("PORTAL_IN_FLIGHT", 40);
    let together = Barrier::new(many + 1);

    std::thread::scope(|scope| {
        for number in 0..many {
            let (mut browser, together) = (browser.at(&portal.address), &together);
            scope.spawn(move || {
                together.wait();
                // Some read and some write; each saves its session, or tries to.
                if number % 2 == 0 {
                    drop(text(browser.get("/account")));
                } else {
                    drop(text(browser.call("account/mail", &[("mail", "olga@example.com")])));
                }
            });
        }
        let mut leaving = browser.at(&portal.address);
        together.wait();
        assert_eq!(leaving.call("sign-out", &[]).status(), StatusCode::OK);
    });

    for _ in 0..many {
        let mut again = browser.at(&portal.address);
        assert_eq!(again.call("session", &[]).status(), StatusCode::UNAUTHORIZED);
        assert_eq!(again.call("account/mail", &[("mail", "eve@example.com")]).status(), StatusCode::UNAUTHORIZED);
        assert_eq!(browser.get("/account").status(), StatusCode::SEE_OTHER);
    }
}

#[test]
fn every_page_has_another_nonce() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let browser = Browser::set_up(&place, &portal);
    let pages = times("PORTAL_NONCES", 100);

    let mut nonces: Vec<String> = (0..pages).map(|_| nonce(&browser)).collect();
    nonces.sort_unstable();
    nonces.dedup();

    assert_eq!(nonces.len(), pages);
    assert!(nonces.iter().all(|nonce| nonce.len() >= 22), "{nonces:?}");
}

/// The nonce in the policy of a page, which is that of its scripts.
fn nonce(browser: &Browser) -> String {
    let page = browser.get("/account");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
    assert!(text(page).contains(&format!("nonce=\"{nonce}\"")));
    nonce
}

#[test]
fn a_stream_of_a_person_who_is_signed_out_by_somebody_else_ends_within_two_seconds() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let run =
        text(olga.call("runs/start", &[("slug", "count-slowly"), ("target", "local"), ("key", "a-key-of-this-page")]));
    let run = run.trim_matches('"').to_owned();
    let cursor = [
        ("run", run.as_str()),
        ("cursor[version]", "0"),
        ("cursor[step]", "0"),
        ("cursor[attempt]", "0"),
        ("cursor[offset]", "0"),
    ];
    let mut other = Browser::new(&portal.address);
    assert!(other.sign_in("olga").is_success());
    let mut stream = lines(other.call("runs/watch", &cursor));
    assert!(stream.next().is_some(), "it has begun");

    let ended = std::time::Instant::now();
    assert!(olga.call("account/sessions/end-others", &[]).status().is_success());

    stream.for_each(drop);
    assert!(ended.elapsed() < std::time::Duration::from_secs(2), "{:?}", ended.elapsed());
}
