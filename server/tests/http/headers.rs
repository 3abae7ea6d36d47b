//! What every answer carries.

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use http::{Method, StatusCode, header};
use server::http::assets::Assets;
use server::http::requests::around;

use crate::site::{Answer, Served, call, page, unstated};

async fn answers(site: &Served, cookie: &str) -> Vec<(&'static str, Answer)> {
    let signed_in = |path: &str| call(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    vec![
        ("a page", site.get("/", cookie).await),
        ("a page that is not there", site.get("/absent", cookie).await),
        ("the way to sign in", site.send(page("/").body(Body::empty()).unwrap()).await),
        ("the page to sign in", site.send(page("/sign-in").body(Body::empty()).unwrap()).await),
        ("a function", site.send(signed_in("/api/session")).await),
        ("a function that is not there", site.send(signed_in("/api/absent")).await),
        ("a form that was not understood", site.send(signed_in("/api/runs/stop")).await),
        ("a refusal", site.send(call("/api/session").body(Body::empty()).unwrap()).await),
        (
            "another site",
            site.send(call("/api/session").header(header::ORIGIN, "null").body(Body::empty()).unwrap()).await,
        ),
        (
            "a wrong method",
            site.send(
                unstated(Method::GET, "/api/session").header(header::COOKIE, cookie).body(Body::empty()).unwrap(),
            )
            .await,
        ),
        ("health", site.send(page("/healthz").body(Body::empty()).unwrap()).await),
        ("output that is not there", site.get("/runs/9/output/1/1", cookie).await),
        ("a file that is not there", site.send(page("/pkg/absent.js").body(Body::empty()).unwrap()).await),
    ]
}

#[tokio::test]
async fn every_answer_is_protected() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    for (what, answer) in answers(&site, &cookie).await {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{what}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert!(answer.header("permissions-policy").contains("camera=()"), "{what}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
        assert!(!answer.header("content-security-policy").contains("unsafe-inline"), "{what}");
        assert!(answer.header("cache-control").contains("no-store"), "{what}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{what}");
        assert_eq!(answer.header("strict-transport-security"), "", "{what}: not over plain http");
    }
}

#[tokio::test]
async fn a_page_names_the_nonce_of_its_own_scripts_and_each_page_another_one() {
    let site = Served::start().await;
    let first = site.send(page("/sign-in").body(Body::empty()).unwrap()).await;
    let second = site.send(page("/sign-in").body(Body::empty()).unwrap()).await;

    let nonce = |answer: &Answer| {
        let policy = answer.header("content-security-policy").to_owned();
        policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned()
    };

    assert!(first.body.contains(&format!("nonce=\"{}\"", nonce(&first))), "{}", first.body);
    assert_ne!(nonce(&first), nonce(&second));
    assert!(!first.body.contains(" style=\""), "a page has no inline styles");
    let scripts: Vec<&str> = first.body.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap()).collect();
    assert!(!scripts.is_empty());
    assert!(scripts.iter().all(|attributes| attributes.contains("nonce=\"")), "{scripts:?}");
}

#[tokio::test]
async fn pages_are_compressed_and_calls_are_not() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let packed = |builder: http::request::Builder| {
        builder.header(header::ACCEPT_ENCODING, "gzip, br").header(header::COOKIE, &cookie).body(Body::empty()).unwrap()
    };

    let a_page = site.send(packed(page("/"))).await;
    let a_call = site.send(packed(call("/api/pages/home"))).await;

    assert_eq!(a_page.header("content-encoding"), "br");
    assert_eq!(a_call.header("content-encoding"), "");
    assert_eq!(a_call.status, StatusCode::OK);
}

#[tokio::test]
async fn an_error_says_nothing_about_the_inside() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    for (what, answer) in answers(&site, &cookie).await {
        if answer.status.is_success() {
            continue;
        }
        for inside in ["sqlx", "/work", "/tmp", "src/", "panicked", "SELECT ", "Error {", "#[server]"] {
            assert!(!answer.body.contains(inside), "{what} tells {inside}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_panic_is_one_failed_request_with_a_number_and_nothing_else() {
    async fn failing() {
        panic!("the secret is 42")
    }
    let mut site = Served::start().await;
    let wrapped = Router::new().route("/boom", get(failing)).route("/api/boom", get(failing));
    site.router = wrapped.layer(from_fn_with_state(site.site.clone(), around));

    let a_page = site.send(page("/boom").body(Body::empty()).unwrap()).await;
    let a_call = site.send(page("/api/boom").body(Body::empty()).unwrap()).await;

    for answer in [&a_page, &a_call] {
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!answer.body.contains("42"), "{}", answer.body);
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    assert!(a_page.body.contains(a_page.header("x-request-id")), "{}", a_page.body);
    assert_eq!(serde_json::from_str::<app::AppError>(&a_call.body).unwrap(), app::AppError::Internal);
}

#[tokio::test]
async fn the_files_of_the_site_are_for_everybody_and_known_by_their_bytes() {
    let site = Served::start().await;

    for path in Assets::embedded().paths() {
        let first = site.send(page(path).body(Body::empty()).unwrap()).await;
        let known = page(path).header(header::IF_NONE_MATCH, first.header("etag")).body(Body::empty()).unwrap();

        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(site.send(known).await.status, StatusCode::NOT_MODIFIED, "{path}");
    }
    let absent = site.send(page("/pkg/absent.js").body(Body::empty()).unwrap()).await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}
