//! Guessing passwords over HTTP: slow for who guesses, and no way to lock somebody else out.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use axum::body::Body;
use http::{StatusCode, header};
use server::connections::Connection;
use testkit::FixedClock;

use crate::site::{Answer, PASSWORD, Served, call};

const WRONG: &str = "four quiet otters sink";

/// A portal with the accounts `ada` and `olga`.
struct Scene {
    site: Served,
    clock: Arc<FixedClock>,
    /// The cookies of the browser in which Olga has signed in before.
    olga: String,
    ada: String,
}

impl Scene {
    async fn open() -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::start_by(clock.clone()).await;
        let ada = site.administrator().await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        Self { site, clock, olga, ada }
    }

    /// A try from an address of the test network, in a browser with these cookies.
    async fn tries(&self, login: &str, password: &str, peer: u8, cookies: &str) -> Answer {
        self.tries_from([192, 0, 2, peer].into(), login, password, cookies).await
    }

    async fn tries_from(&self, from: IpAddr, login: &str, password: &str, cookies: &str) -> Answer {
        let form = format!("login={login}&password={}", password.replace(' ', "+"));
        let request = call("/api/sign-in").header(header::COOKIE, cookies).extension(Connection(from));
        self.site.send(request.body(Body::from(form)).unwrap()).await
    }
}

/// The cookie by which a device is known, without that of the session.
fn device(cookies: &str) -> String {
    cookies.split("; ").find(|cookie| cookie.contains("device=")).unwrap().to_owned()
}

/// An answer without its numbers: how long the delay still is depends on the moment.
fn without_numbers(answer: &Answer) -> (StatusCode, String) {
    (answer.status, answer.body.replace(|character: char| character.is_ascii_digit(), ""))
}

/// Longer than any delay, and shorter than what is remembered.
const LATER: i64 = 20 * 60_000;

/// So many failures that the next delay takes half a minute.
const MANY: usize = 11;

impl Scene {
    /// Fails so often, each time after the delay.
    async fn fails(&self, login: &str, peer: u8, cookies: &str) {
        for _ in 0..MANY {
            self.clock.advance(LATER);
            let answer = self.tries(login, WRONG, peer, cookies).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_not_there_is_answered_and_delayed_like_any_other() {
    let scene = Scene::open().await;

    for _ in 0..MANY {
        scene.clock.advance(LATER);
        let known = scene.tries("olga", WRONG, 1, "").await;
        let unknown = scene.tries("nobody", WRONG, 2, "").await;
        assert_eq!(known.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", known.body);
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    }
    let known = scene.tries("olga", WRONG, 1, "").await;
    let unknown = scene.tries("nobody", WRONG, 2, "").await;
    let right = scene.tries("Olga", PASSWORD, 3, "").await;
    assert_eq!(known.status, StatusCode::TOO_MANY_REQUESTS, "{}", known.body);
    assert!(known.body.contains("The password was not looked at; try again in "), "{}", known.body);
    for other in [unknown, right] {
        assert_eq!(without_numbers(&known), without_numbers(&other), "whether it is there, and right or wrong");
        assert!(!other.headers.contains_key("set-cookie"));
    }

    scene.clock.advance(LATER);
    assert_eq!(scene.tries("olga", PASSWORD, 3, "").await.status, StatusCode::OK);
    assert_eq!(scene.tries("olga", WRONG, 3, "").await.status, StatusCode::UNPROCESSABLE_ENTITY, "that is forgiven");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_known_gets_in_while_strangers_guess() {
    let scene = Scene::open().await;
    let foreign = device(&scene.site.person("otto", "Otto", "operator", &scene.ada).await);
    let forged = device(&scene.olga).replace("device=1", "device=2");
    scene.fails("olga", 1, "").await;

    for cookies in ["", "portal-device=x", &forged, &foreign] {
        let answer = scene.tries("olga", PASSWORD, 9, cookies).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{cookies}: {}", answer.body);
    }
    let owner = scene.tries("olga", PASSWORD, 1, &device(&scene.olga)).await;
    assert_eq!(owner.status, StatusCode::OK, "{}", owner.body);
    assert!(owner.cookie().contains("portal-device="), "and stays known");

    // A stolen device has a count of its own, and takes none from the others.
    scene.fails("olga", 1, &device(&scene.olga)).await;
    let stolen = scene.tries("olga", PASSWORD, 1, &device(&scene.olga)).await;
    assert_eq!(stolen.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(scene.tries("olga", PASSWORD, 1, &device(&owner.cookie())).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_tries_many_names_is_slowed_down_and_its_neighbour_is_not() {
    let scene = Scene::open().await;
    for number in 0..36 {
        scene.clock.advance(11_000);
        let answer = scene.tries(&format!("name{number}"), WRONG, 1, "").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
    }

    assert_eq!(scene.tries("olga", PASSWORD, 1, "").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(scene.tries("olga", PASSWORD, 1, &device(&scene.olga)).await.status, StatusCode::OK);
    assert_eq!(scene.tries("olga", PASSWORD, 2, "").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_does_not_become_another_by_another_address_of_its_network() {
    let scene = Scene::open().await;
    let from = |network: u16, last: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 1, network, 0, 0, 0, last));
    for number in 0..36 {
        scene.clock.advance(11_000);
        let answer = scene.tries_from(from(1, number), &format!("name{number}"), WRONG, "").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
    }

    assert_eq!(scene.tries_from(from(1, 99), "olga", PASSWORD, "").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(scene.tries_from(from(2, 1), "olga", PASSWORD, "").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_that_come_at_once_are_counted_like_tries_in_a_row() {
    let scene = Scene::open().await;

    let tries = (0..20).map(|number| scene.tries("olga", WRONG, number, ""));
    let answers = futures::future::join_all(tries).await;

    let looked_at = answers.iter().filter(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY).count();
    assert_eq!(looked_at, 6);
}
