//! Whose address counts: that of the connection, or what a listed proxy says.

use std::sync::Arc;

use axum::body::Body;
use http::StatusCode;
use server::connections::Connection;
use testkit::FixedClock;

use crate::site::{PASSWORD, Served, call};

/// Tries that fail before an address has to wait.
const FREE: usize = 31;

/// The proxy that is listed.
const PROXY: [u8; 4] = [10, 0, 0, 2];

/// The status of a wrong try that comes over a connection with some headers.
async fn tries(site: &Served, login: &str, connection: [u8; 4], headers: &[(&str, &str)]) -> StatusCode {
    let mut request = call("/api/sign-in").extension(Connection(connection.into()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let form = format!("login={login}&password={}x", PASSWORD.replace(' ', "+"));
    site.send(request.body(Body::from(form)).unwrap()).await.status
}

/// Fails so often that the address has to wait; each time with another name, so that no account does.
async fn exhaust(site: &Served, connection: [u8; 4], headers: &[(&str, &str)]) {
    for number in 0..FREE {
        tries(site, &format!("nobody{number}"), connection, headers).await;
    }
}

async fn served() -> Served {
    let site = Served::behind("10.0.0.0/8", Arc::new(FixedClock::default())).await;
    site.administrator().await;
    site
}

#[tokio::test]
async fn behind_a_listed_proxy_everybody_has_their_own_count() {
    let site = served().await;
    exhaust(&site, PROXY, &[("x-forwarded-for", "203.0.113.1")]).await;

    let same = tries(&site, "someone", PROXY, &[("x-forwarded-for", "203.0.113.1")]).await;
    let other = tries(&site, "someone", PROXY, &[("x-forwarded-for", "203.0.113.2")]).await;

    assert_eq!(same, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(other, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_a_guesser_writes_before_the_proxys_word_gives_no_new_count() {
    let site = served().await;
    exhaust(&site, PROXY, &[("x-forwarded-for", "203.0.113.1")]).await;

    for claim in ["198.51.100.1, 203.0.113.1", "127.0.0.1,203.0.113.1", " , 203.0.113.1"] {
        let status = tries(&site, "someone", PROXY, &[("x-forwarded-for", claim)]).await;

        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{claim}");
    }
}

#[tokio::test]
async fn who_is_not_listed_gets_no_new_count_by_any_header() {
    let site = served().await;
    let connection = [192, 0, 2, 1];
    exhaust(&site, connection, &[]).await;

    for header in ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"] {
        let status = tries(&site, "someone", connection, &[(header, "203.0.113.9")]).await;

        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{header}");
    }
}

#[tokio::test]
async fn a_session_shows_the_address_that_the_proxy_saw() {
    let site = served().await;
    let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
    let request = call("/api/sign-in").extension(Connection(PROXY.into())).header("x-forwarded-for", "203.0.113.44");
    let cookie = site.send(request.body(Body::from(form)).unwrap()).await.cookie();

    let account = site.get("/account", &cookie).await;

    assert!(account.body.contains("203.0.113.44"), "{}", account.body);
}
