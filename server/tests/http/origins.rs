//! From where something may be changed.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};

use crate::site::{HOST, ORIGIN, PASSWORD, Served, call, page, unstated};

const CONTENT_TYPES: [&str; 4] =
    ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json"];

#[tokio::test]
async fn another_site_changes_nothing_whatever_it_sends() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let origins = [
        "https://evil.example",
        "null",
        "http://sibling.127.0.0.1:3000",
        "https://127.0.0.1:3000",
        "http://127.0.0.1:3001",
    ];

    for origin in origins {
        for content_type in CONTENT_TYPES {
            let request = Request::post("/api/runs/start")
                .header(header::HOST, HOST)
                .header(header::COOKIE, &cookie)
                .header(header::ORIGIN, origin)
                .header(header::CONTENT_TYPE, content_type)
                .body(Body::from("slug=count&target=local&key=forged"))
                .unwrap();
            let answer = site.send(request).await;

            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin} {content_type}");
        }
    }
    no_run_was_started(&site, &cookie).await;
}

/// The same form starts a run when one of the portal's own pages sends it: until then there was none.
async fn no_run_was_started(site: &Served, cookie: &str) {
    let before = site.get("/runs/1", cookie).await;
    assert_eq!(before.status, StatusCode::NOT_FOUND, "{}", before.body);

    let form = Body::from("slug=count&target=local&key=forged");
    let ours = site.send(call("/api/runs/start").header(header::COOKIE, cookie).body(form).unwrap()).await;
    assert_eq!(ours.status, StatusCode::OK, "{}", ours.body);
    assert_eq!(site.get("/runs/1", cookie).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_the_browser_says_about_the_page_counts_too() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    for fetched in ["cross-site", "same-site"] {
        let request = unstated(Method::POST, "/api/runs/start")
            .header(header::COOKIE, &cookie)
            .header(header::ORIGIN, ORIGIN)
            .header("sec-fetch-site", fetched)
            .body(Body::from("slug=count&target=local&key=forged"))
            .unwrap();

        assert_eq!(site.send(request).await.status, StatusCode::FORBIDDEN, "{fetched}");
    }
}

#[tokio::test]
async fn a_request_that_does_not_say_where_it_comes_from_changes_nothing() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let form = "slug=count&target=local&key=forged";

    let signed_in =
        unstated(Method::POST, "/api/runs/start").header(header::COOKIE, &cookie).body(Body::from(form)).unwrap();
    let stranger = unstated(Method::POST, "/api/sign-in").body(Body::from("login=ada&password=x")).unwrap();

    assert_eq!(site.send(signed_in).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(stranger).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nothing_is_changed_by_a_link_or_a_method_override() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let path = "/api/runs/start?slug=count&target=local&key=forged";

    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let request = call(path)
            .method(method.clone())
            .header(header::COOKIE, &cookie)
            .header("x-http-method-override", "POST")
            .body(Body::empty())
            .unwrap();

        assert_eq!(site.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    no_run_was_started(&site, &cookie).await;
}

#[tokio::test]
async fn behind_a_proxy_only_the_public_name_is_answered() {
    let site = Served::start_as(Some("https://portal.example.com")).await;
    let forged = page("/sign-in").header("x-forwarded-host", "portal.example.com").body(Body::empty()).unwrap();
    let health = page("/healthz").body(Body::empty()).unwrap();
    let known = Request::get("/sign-in").header(header::HOST, "portal.example.com").body(Body::empty()).unwrap();

    assert_eq!(site.send(forged).await.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(site.send(health).await.status, StatusCode::OK);
    let answer = site.send(known).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let form = format!("login=ada&password={}", "x".repeat(2 << 20));

    let stranger = site.send(call("/api/sign-in").body(Body::from(form.clone())).unwrap()).await;
    let known = site.send(call("/api/runs/note").header(header::COOKIE, cookie).body(Body::from(form)).unwrap()).await;

    assert_eq!(stranger.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(known.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_way_back_from_a_form_never_leaves_the_portal() {
    let site = Served::start().await;
    site.administrator().await;
    let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));

    for referer in ["https://evil.example/phish", "http://127.0.0.1:3000@evil.example/", "//evil.example"] {
        for form in [form.as_str(), "login=ada&password=wrong"] {
            let request = call("/api/sign-in")
                .header(header::ACCEPT, "text/html")
                .header(header::REFERER, referer)
                .body(Body::from(form.to_owned()))
                .unwrap();
            let answer = site.send(request).await;

            let location = answer.header("location");
            assert!(answer.status.is_redirection(), "{referer}: {}", answer.status);
            assert!(location.starts_with('/') && !location.starts_with("//"), "{referer} leads to {location}");
        }
    }
}
