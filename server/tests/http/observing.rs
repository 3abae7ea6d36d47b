//! The figures: for who observes the portal from the right place, and for nobody else.

use axum::body::Body;
use http::{StatusCode, header};
use server::connections::Connection;

use crate::site::{Answer, Served, call, page};

/// The figures as somebody gets them who asks from an address.
async fn seen_from(site: &Served, address: [u8; 4], headers: &[(&str, &str)]) -> Answer {
    let mut request = page("/metrics").extension(Connection(address.into()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request.body(Body::empty()).unwrap()).await
}

fn figure(answer: &Answer, name: &str) -> String {
    let found = answer.body.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    found.unwrap_or_else(|| panic!("{name} is not in {}", answer.body)).to_owned()
}

#[tokio::test]
async fn an_observer_on_this_machine_reads_what_is_open_and_what_was_asked() {
    let site = Served::observed().await;
    let cookie = site.administrator().await;
    site.get("/", &cookie).await;
    site.get("/nowhere/at/all", &cookie).await;

    let answer = seen_from(&site, [127, 0, 0, 1], &[]).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    assert_eq!(figure(&answer, "runbook_portal_runs_open"), "0");
    assert_eq!(figure(&answer, "runbook_portal_record_doubtful"), "0");
    assert_eq!(figure(&answer, "runbook_portal_sessions"), "1");
    let home = "runbook_portal_http_requests_total{method=\"GET\",route=\"/\",status=\"200\"}";
    assert_eq!(figure(&answer, home), "1");
    let elsewhere = "runbook_portal_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"}";
    assert_eq!(figure(&answer, elsewhere), "1");
    assert!(figure(&answer, "runbook_portal_data_free_bytes").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn an_open_run_and_its_running_step_are_counted() {
    let site = Served::observed().await;
    let cookie = site.administrator().await;
    let form = "slug=count&target=local&key=a-key-of-the-page";
    let started = call("/api/runs/start").header(header::COOKIE, &cookie).body(Body::from(form)).unwrap();
    assert!(site.send(started).await.status.is_success());

    let answer = seen_from(&site, [127, 0, 0, 1], &[]).await;

    assert_eq!(figure(&answer, "runbook_portal_runs_open"), "1");
    assert_eq!(figure(&answer, "runbook_portal_steps_running"), "0");
}

#[tokio::test]
async fn for_everybody_else_there_are_no_figures() {
    let site = Served::observed().await;
    let absent = "There is no such address.";

    let stranger = seen_from(&site, [192, 0, 2, 1], &[]).await;
    let mut others = vec![stranger];
    for header in ["x-forwarded-for", "forwarded", "x-forwarded-host", "x-real-ip", "via"] {
        others.push(seen_from(&site, [127, 0, 0, 1], &[(header, "127.0.0.1")]).await);
    }
    let claiming = seen_from(&site, [192, 0, 2, 1], &[("x-forwarded-for", "127.0.0.1")]).await;
    others.push(claiming);

    for answer in others {
        assert_eq!((answer.status, answer.body.trim()), (StatusCode::NOT_FOUND, absent));
    }
}

#[tokio::test]
async fn no_name_and_no_title_is_in_the_figures() {
    let site = Served::observed().await;
    let cookie = site.administrator().await;
    site.get("/procedures/count", &cookie).await;
    site.get("/runs/77", &cookie).await;

    let answer = seen_from(&site, [127, 0, 0, 1], &[]).await;

    for told in ["ada", "Ada", "Count", "/runs/77", "count\""] {
        assert!(!answer.body.contains(told), "{told}: {}", answer.body);
    }
    assert!(answer.body.contains("route=\"/runs/{id}\""), "{}", answer.body);
}
