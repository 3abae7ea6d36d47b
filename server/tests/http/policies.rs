//! Who gets in.

use app::AppError;
use app::api::{OPEN, POLICY, policy};
use axum::body::Body;
use http::{Method, StatusCode, header};
use leptos::server_fn::axum::server_fn_paths;
use server::http::routes;

use crate::site::{ORIGIN, PASSWORD, Served, call, page, unstated};

#[tokio::test]
async fn every_server_function_refuses_a_stranger() {
    let site = Served::start().await;
    let functions: Vec<(&str, Method)> = server_fn_paths().collect();

    assert!(functions.len() > 20, "{functions:?}");
    for (path, method) in functions {
        assert!(policy(path).is_some(), "{path} has no policy");
        if OPEN.contains(&path) {
            continue;
        }
        let from_a_page = site.send(call(path).method(method.clone()).body(Body::empty()).unwrap()).await;
        let from_curl = site.send(unstated(method, path).body(Body::empty()).unwrap()).await;

        for answer in [from_a_page, from_curl] {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.body);
            let error: AppError = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(error, AppError::SignedOut, "{path}");
        }
    }
}

#[tokio::test]
async fn every_declared_function_is_registered() {
    let registered: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();

    let missing: Vec<_> = POLICY.iter().filter(|(path, _)| !registered.contains(path)).collect();

    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn a_forged_cookie_is_nobody() {
    let site = Served::start().await;

    for cookie in ["portal=AAAAAAAAAAAAAAAAAAAAAA", "portal=%00", "portal=", "__Host-portal=AAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = site.send(call("/api/session").header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await;

        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookie}");
    }
}

#[tokio::test]
async fn a_page_sends_a_stranger_to_sign_in_and_back() {
    let site = Served::start().await;
    let cases = [
        ("/", "/sign-in?next=/"),
        ("/runs/7?step=2&from=1", "/sign-in?next=/runs/7%3Fstep%3D2%26from%3D1"),
        ("/no-such-page", "/sign-in?next=/no-such-page"),
        ("//evil.example", "/sign-in?next=//evil.example"),
    ];

    for (path, location) in cases {
        let answer = site.send(page(path).body(Body::empty()).unwrap()).await;

        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(answer.header("location"), location);
    }
}

#[tokio::test]
async fn what_is_for_strangers_is_open() {
    let site = Served::start().await;

    for path in ["/sign-in", "/set-up?token=x", "/healthz", "/readyz"] {
        let answer = site.send(page(path).body(Body::empty()).unwrap()).await;

        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn raw_output_is_not_for_strangers() {
    let site = Served::start().await;
    let request = unstated(Method::GET, "/runs/1/output/1/1").body(Body::empty()).unwrap();

    assert_eq!(site.send(request).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn every_page_of_the_router_opens_for_somebody_who_is_signed_in() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    for (path, _) in routes::PAGES {
        let path = path.replace("{slug}", "count");
        if path.contains('{') {
            continue;
        }
        let answer = site.get(&path, &cookie).await;

        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        assert!(answer.body.contains("<main") || answer.body.contains("<form"), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_says_so_to_somebody_who_is_signed_in() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    assert_eq!(site.get("/no-such-page", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/runs/99", &cookie).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.get("/procedures/absent", &cookie).await.status, StatusCode::NOT_FOUND);
    let unknown = call("/api/absent").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
    assert_eq!(site.send(unknown).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_viewer_cannot_start_a_run_or_look_after_people() {
    let site = Served::start().await;
    let viewer = site.viewer().await;

    for (path, form) in [("/api/runs/start", "slug=count&target=local&key=k"), ("/api/pages/people", "")] {
        let request = call(path).header(header::COOKIE, &viewer).body(Body::from(form)).unwrap();
        let answer = site.send(request).await;

        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.body);
        assert!(matches!(serde_json::from_str(&answer.body).unwrap(), AppError::Denied(_)));
    }
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_signing_out_ends_it() {
    let site = Served::start().await;
    let first = site.administrator().await;
    let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
    let request = call("/api/sign-in").header(header::COOKIE, &first).body(Body::from(form)).unwrap();

    let second = site.send(request).await.cookie();

    assert_ne!(first, second);
    assert_eq!(site.get("/", &first).await.status, StatusCode::SEE_OTHER, "the old id is worth nothing");
    assert_eq!(site.get("/", &second).await.status, StatusCode::OK);
    let leave = call("/api/sign-out").header(header::COOKIE, &second).body(Body::empty()).unwrap();
    assert_eq!(site.send(leave).await.status, StatusCode::OK);
    assert_eq!(site.get("/", &second).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_answered_alike() {
    let site = Served::start().await;
    site.administrator().await;

    let wrong = site.send(call("/api/sign-in").body(Body::from("login=ada&password=wrong")).unwrap()).await;
    let unknown = site.send(call("/api/sign-in").body(Body::from("login=eve&password=wrong")).unwrap()).await;

    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body, unknown.body);
    assert!(!wrong.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn an_output_that_cannot_be_is_not_there() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    for path in ["/runs/x/output/9/9", "/runs/1/output/-1/1", "/runs/1/output/1/1"] {
        let answer = site.get(path, &cookie).await;

        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {}", answer.body);
        assert!(!answer.body.contains("i64") && !answer.body.contains("u32"), "{}", answer.body);
    }
}

#[tokio::test]
async fn on_this_machine_a_session_needs_no_encryption() {
    let site = Served::start().await;

    let cookie = site.administrator().await;

    assert!(cookie.starts_with("portal="), "{cookie}");
}

#[tokio::test]
async fn a_session_over_https_is_bound_to_its_host() {
    let site = Served::start_as(Some("https://portal.example.com")).await;
    let token = site.portal.set_up_token().await.unwrap().unwrap();
    let form = format!("token={token}&login=ada&name=Ada&password={}", PASSWORD.replace(' ', "+"));
    let request = |path: &str| {
        http::Request::post(path)
            .header(header::HOST, "portal.example.com")
            .header(header::ORIGIN, "https://portal.example.com")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    };

    let answer = site.send(request("/api/set-up").body(Body::from(form)).unwrap()).await;
    let leave = request("/api/sign-out").header(header::COOKIE, answer.cookie()).body(Body::empty()).unwrap();
    let removal = site.send(leave).await;

    // A browser takes a cookie with this prefix only with these attributes, also to remove it.
    let removed = removal.header("set-cookie");
    assert!(removed.starts_with("__Host-portal=;") && removed.contains("Secure"), "{removed}");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-portal="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn a_request_without_a_cookie_gets_none() {
    let site = Served::start().await;
    let request = call("/api/welcome").header(header::ORIGIN, ORIGIN).method(Method::POST).body(Body::empty());

    // The header Origin stands there twice now, which no browser does.
    assert_eq!(site.send(request.unwrap()).await.status, StatusCode::FORBIDDEN);
    let once = site.send(call("/api/welcome").body(Body::empty()).unwrap()).await;
    assert_eq!(once.status, StatusCode::OK, "{}", once.body);
    assert!(!once.headers.contains_key("set-cookie"));
}
