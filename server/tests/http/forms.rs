//! Browsers without scripts.

use axum::body::Body;
use http::{StatusCode, header};

use crate::site::{ORIGIN, PASSWORD, Served, call};

#[tokio::test]
async fn a_refused_form_leads_back_to_its_page_which_shows_the_error() {
    let site = Served::start().await;
    site.administrator().await;
    let request = call("/api/sign-in")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("{ORIGIN}/sign-in?next=/history"))
        .body(Body::from("login=ada&password=wrong"))
        .unwrap();

    let answer = site.send(request).await;
    let back = answer.header("location").to_owned();
    let shown = site.get(&back, "").await;

    assert!(answer.status.is_redirection(), "{}", answer.status);
    assert!(back.starts_with("/sign-in?"), "{back}");
    assert!(!back.contains("wrong"), "nothing that was typed is in the address");
    assert!(shown.body.contains("The sign-in name or the password is wrong"), "{}", shown.body);
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_wanted() {
    let site = Served::start().await;
    site.administrator().await;

    for (next, wanted) in [("/history", "/history"), ("https://evil.example", "/"), ("//evil.example", "/")] {
        let form = format!("login=ada&password={}&next={next}", PASSWORD.replace(' ', "+"));
        let request = call("/api/sign-in")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("{ORIGIN}/sign-in"))
            .body(Body::from(form))
            .unwrap();
        let answer = site.send(request).await;

        assert!(answer.status.is_redirection(), "{}", answer.status);
        assert_eq!(answer.header("location"), wanted);
        assert_eq!(site.get("/", &answer.cookie()).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_form_sent_after_the_session_ended_leads_to_signing_in_and_back_to_its_page() {
    let site = Served::start().await;
    let request = call("/api/runs/note")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("{ORIGIN}/runs/7"))
        .body(Body::from("run=7&step=0&text=x"))
        .unwrap();

    let answer = site.send(request).await;

    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/sign-in?next=/runs/7");
}

#[tokio::test]
async fn a_form_that_the_role_does_not_allow_leads_back_with_the_reason() {
    let site = Served::start().await;
    let viewer = site.viewer().await;
    let request = call("/api/runs/start")
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &viewer)
        .header(header::REFERER, format!("{ORIGIN}/procedures/count"))
        .body(Body::from("slug=count&target=local&key=k"))
        .unwrap();

    let answer = site.send(request).await;

    assert!(answer.status.is_redirection(), "{}", answer.status);
    assert!(answer.header("location").starts_with("/procedures/count?"), "{}", answer.header("location"));
}
