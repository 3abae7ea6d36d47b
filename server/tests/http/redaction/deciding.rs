//! Who asks for it and who decides about it: another person, with a second factor.

use std::time::Duration;

use axum::body::Body;
use domain::policy::Role;
use domain::run::RedactionEnd;
use domain::view::RunView;
use futures::StreamExt as _;
use http::StatusCode;

use super::{OUTPUT, PAGE, SECRET, ask};
use crate::approvals::Scene;
use crate::site::{PASSWORD, call, someone};

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_asks_and_only_another_person_with_a_second_factor_confirms() {
    let scene = Scene::leaked().await;
    let (adas, olgas, lenas) = (scene.codes("ada").await, scene.codes("olga").await, scene.codes("lena").await);
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;
    for cookie in [&vera, &scene.olga, &scene.lena] {
        let answer = scene.post("/api/redactions/ask", &ask(&format!("text={SECRET}")), cookie).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        assert!(!scene.site.get(PAGE, cookie).await.body.contains("Cover something in this output"));
    }
    assert!(scene.site.get(PAGE, &scene.ada).await.body.contains("Cover something in this output"));
    scene.asks().await;
    let before = scene.redacted_run().await.version;
    let second = {
        let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
        scene.site.send(call("/api/sign-in").body(Body::from(form)).unwrap()).await.cookie()
    };

    let tries = [
        (&scene.ada, adas[0].as_str(), StatusCode::FORBIDDEN, "her own"),
        (&second, &adas[0], StatusCode::FORBIDDEN, "her own from a second session"),
        (&vera, "", StatusCode::FORBIDDEN, "a viewer's"),
        (&scene.olga, &olgas[0], StatusCode::FORBIDDEN, "an operator's"),
        (&scene.lena, "", StatusCode::CONFLICT, "one without a code"),
        (&scene.lena, &olgas[0], StatusCode::UNPROCESSABLE_ENTITY, "one with another person's code"),
    ];
    for (cookie, code, status, which) in tries {
        let answer = scene.confirm(cookie, code).await;
        assert_eq!(answer.status, status, "{which}: {}", answer.body);
        assert_eq!(scene.redacted_run().await.version, before, "{which}");
    }
    scene.role("ada", "administrator").await;
    assert!(scene.site.get(OUTPUT, &scene.olga).await.body.contains(SECRET), "nothing was covered");
    let own = scene.site.get(PAGE, &scene.ada).await.body;
    assert!(own.contains("Take back redaction 1-1") && own.contains("another person has to confirm it"), "{own}");
    assert!(!scene.site.get(PAGE, &scene.olga).await.body.contains("Confirm and cover"));

    assert_eq!(scene.confirm(&scene.lena, &lenas[0]).await.status, StatusCode::OK, "none of that used up her code");
    assert!(!scene.site.get(OUTPUT, &scene.olga).await.body.contains(SECRET));
    assert_eq!(scene.confirm(&scene.lena, &lenas[1]).await.status, StatusCode::CONFLICT, "twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_run_comes_with_what_waits_to_be_covered_in_its_output_for_whoever_decides() {
    let scene = Scene::leaked().await;
    scene.asks().await;
    let came = async |form: &str, cookie: &str| {
        let answer = scene.post("/api/pages/run", form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{form}: {}", answer.body);
        let view: RunView = serde_json::from_str(&answer.body).unwrap();
        view.redaction.map(|redaction| (redaction.number, redaction.places.len()))
    };

    assert_eq!(came("run=1&step=1&attempt=1", &scene.lena).await, Some((1, 2)));
    assert_eq!(came("run=1&step=1", &scene.lena).await, Some((1, 2)), "it is the last attempt");
    assert_eq!(came("run=1&step=2", &scene.lena).await, None, "another output");
    assert_eq!(came("run=1&step=1&attempt=1", &scene.olga).await, None, "she decides nothing");
    let waiting = scene.site.get(PAGE, &scene.lena).await.body;
    assert!(waiting.contains("Confirm and cover, redaction 1-1"), "{waiting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rejected_or_taken_back_covers_nothing_and_can_be_asked_again() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lars").await;
    scene.asks().await;
    let twice = scene.post("/api/redactions/ask", &ask("unit=lines&range=1"), &scene.ada).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert!(twice.body.contains("Ada asked at"), "{}", twice.body);

    let reject = format!("run=1&number=1&decision=reject&reason=we+need+it&code={}", codes[0]);
    scene.done("/api/redactions/decide", &reject, &scene.lars).await;
    scene.done("/api/redactions/ask", &ask("unit=lines&range=1"), &scene.ada).await;
    let own = "run=1&number=2&decision=reject&reason=wrong+line";
    scene.done("/api/redactions/decide", own, &scene.ada).await;

    let shown = scene.site.get(PAGE, &scene.ada).await.body;
    for words in
        ["Lars said no to redaction 1-1, by recovery code", "we need it", "Ada took back redaction 1-2", SECRET]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(scene.site.get(OUTPUT, &scene.ada).await.body.contains(SECRET));
}

/// The same rule as for a request for approval.
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_says_no_with_a_reason_and_by_a_second_factor_and_takes_back_their_own_without() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lars").await;
    scene.asks().await;
    let rejects = async |more: &str, cookie: &str| {
        scene.post("/api/redactions/decide", &format!("run=1&number=1&decision=reject&{more}"), cookie).await
    };

    let silent = rejects(&format!("code={}", codes[0]), &scene.lars).await;
    assert_eq!(silent.status, StatusCode::CONFLICT, "{}", silent.body);
    let unproven = rejects("reason=we+need+it", &scene.lars).await;
    assert_eq!(unproven.status, StatusCode::CONFLICT, "{}", unproven.body);
    assert!(unproven.body.contains("takes your second factor"), "{}", unproven.body);
    let wrong = rejects("reason=we+need+it&code=000000", &scene.lars).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert_eq!(scene.only_redaction().await.end, None);
    let proven = rejects(&format!("reason=we+need+it&code={}", codes[0]), &scene.lars).await;
    assert_eq!(proven.status, StatusCode::OK, "a refused rejection has not used the code up: {}", proven.body);
    assert!(matches!(
        scene.only_redaction().await.end,
        Some(RedactionEnd::Rejected { factor, .. }) if factor == "recovery code"
    ));
    let late = rejects(&format!("reason=again&code={}", codes[1]), &scene.lars).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);

    scene.asks().await;
    let own = "run=1&number=2&decision=reject&reason=wrong+line";
    scene.done("/api/redactions/decide", own, &scene.ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_covered_waits_in_the_inbox_until_it_is_decided() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let viewer = someone(Role::Viewer);
    let mut told = scene.site.portal.watch_waiting(viewer.viewer().unwrap());
    let mut count = async || tokio::time::timeout(Duration::from_mins(1), told.next()).await.unwrap();
    assert_eq!(count().await, Some(0));

    scene.asks().await;

    assert_eq!(count().await, Some(1), "open inboxes are told");
    let inbox = scene.site.get("/approvals", &scene.lena).await.body;
    for words in [
        "(1) Approvals",
        "1 redaction waits for a decision",
        "24 bytes in 2 places of the output of Print on local",
        "a password was printed",
        "/runs/1?step=1&amp;attempt=1#covering",
    ] {
        assert!(inbox.contains(words), "{words}: {inbox}");
    }
    assert!(!inbox.contains("Nothing waits") && !inbox.contains(SECRET), "{inbox}");
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
    assert_eq!(count().await, Some(0));
    let inbox = scene.site.get("/approvals", &scene.lena).await.body;
    assert!(inbox.contains("Nothing waits for a decision") && !inbox.contains("To be covered"), "{inbox}");
}
