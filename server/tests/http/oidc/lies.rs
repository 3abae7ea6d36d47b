//! A provider that lies: nobody is signed in, and the record says so.

use axum::body::Body;
use serde_json::json;
use server::connections::Connection;

use super::Scene;
use crate::account::post;
use crate::provider::Lie;
use crate::site::page;

#[tokio::test]
async fn no_lie_makes_an_account_or_a_session() {
    for lie in Lie::ALL {
        let scene = Scene::open().await;
        scene.provider.lie(lie);

        let answer = scene.signs_in("").await;

        scene.refused(&answer, "untrue").await;
        scene.provider.lie(Lie::None);
        assert_eq!(scene.signs_in("").await.header("location"), "/", "after {lie:?} the truth is believed");
    }
}

#[tokio::test]
async fn a_lie_is_in_the_record_with_whom_it_was_about_and_from_where_and_counts_once_it_is() {
    let scene = Scene::open().await;
    let portal = &scene.site.portal;
    let recorded = async || post(&scene.site, "/api/pages/audit", "portal_only=true", &scene.ada).await.body;
    let refusals = async || recorded().await.matches("sign_in_refused").count();
    let other = scene.site.second_store().await;
    let held = other.begin().await.unwrap();
    assert!(portal.note_untrue("192.0.2.9", Some("eve-1")).await.is_err(), "nobody can write now");
    drop(held);
    assert_eq!(refusals().await, 0);

    for _ in 0..2 {
        portal.note_untrue("192.0.2.9", Some("eve-1")).await.unwrap();
    }
    assert_eq!(refusals().await, 1, "it was not recorded before, and is not twice");
    let body = recorded().await;
    assert!(body.contains("192.0.2.9") && body.contains("eve-1"), "{body}");

    let mut claims = scene.olga(&["ops"]);
    claims["sub"] = json!("olga-of-elsewhere");
    scene.provider.knows(claims);
    scene.provider.lie(Lie::Nonce);
    scene.signs_in("").await;
    let body = recorded().await;
    assert!(body.contains("olga-of-elsewhere") && refusals().await == 2, "{body}");
}

#[tokio::test]
async fn sign_ins_that_came_to_nothing_are_counted_by_their_reason() {
    let scene = Scene::open().await;
    scene.provider.lie(Lie::Nonce);
    scene.signs_in("").await;
    scene.site.get("/sign-in/back?code=x&state=y", "").await;

    let request = page("/metrics").extension(Connection([127, 0, 0, 1].into())).body(Body::empty()).unwrap();
    let figures = scene.site.send(request).await.body;

    for why in ["untrue", "stale"] {
        let line = format!("runbook_portal_provider_sign_ins_refused_total{{why=\"{why}\"}} 1");
        assert!(figures.contains(&line), "{figures}");
    }
}

#[tokio::test]
async fn a_key_that_nobody_has_makes_us_ask_once_in_a_while_only() {
    let scene = Scene::open().await;
    assert_eq!(scene.signs_in("").await.header("location"), "/");
    scene.provider.lie(Lie::UnknownKey);

    for _ in 0..5 {
        assert!(scene.signs_in("").await.header("location").contains("untrue"));
    }

    assert_eq!(scene.provider.keys_asked(), 1);
}
