//! The way to the provider and back: once, in the same browser, and to a page of the portal.

use axum::body::Body;
use http::{Method, StatusCode, header};
use openidconnect::url::form_urlencoded;

use super::Scene;
use crate::account::is_in;
use crate::site::page;

#[tokio::test]
async fn only_who_was_sent_away_comes_back_once_and_in_the_same_browser() {
    let scene = Scene::open().await;
    let away = scene.goes("", "").await;
    let (code, state) = scene.provider.lets_in(&away.sent_to);
    let other = scene.goes("", "").await;

    let (right, own) = (code.as_str(), away.browser.as_str());
    for (code, state, browser) in [
        (right, "", own),
        (right, "another", own),
        (right, state.as_str(), ""),
        (right, state.as_str(), other.browser.as_str()),
        (right, state.as_str(), "portal-sign-in=aaaa"),
    ] {
        let answer = scene.comes_back(code, state, browser).await;
        scene.refused(&answer, "stale").await;
    }
    let twice = scene.site.get(&format!("/sign-in/back?code={code}&state={state}&state={state}"), &away.browser).await;
    scene.refused(&twice, "stale").await;

    assert_eq!(scene.comes_back(&code, &state, &away.browser).await.header("location"), "/", "nobody has used it up");
    let replayed = scene.comes_back(&code, &state, &away.browser).await;
    assert!(replayed.header("location").contains("problem=stale"));
    assert_eq!(scene.logins().await, 2);
}

#[tokio::test]
async fn a_code_that_was_stolen_is_of_no_use_in_a_sign_in_of_the_thiefs_own() {
    let scene = Scene::open().await;
    let (victim, thief) = (scene.goes("", "").await, scene.goes("", "").await);
    let (code, _) = scene.provider.lets_in(&victim.sent_to);
    let (_, state) = scene.provider.lets_in(&thief.sent_to);

    let answer = scene.comes_back(&code, &state, &thief.browser).await;

    scene.refused(&answer, "untrue").await;
}

#[tokio::test]
async fn an_answer_in_the_name_of_another_provider_is_not_believed() {
    let scene = Scene::open().await;
    let away = scene.goes("", "").await;
    let (code, state) = scene.provider.lets_in(&away.sent_to);

    let path = format!("/sign-in/back?code={code}&state={state}&iss=https://evil.example");
    let answer = scene.site.get(&path, &away.browser).await;

    scene.refused(&answer, "untrue").await;
}

#[tokio::test]
async fn what_the_provider_says_about_a_refusal_is_shown_to_nobody() {
    let scene = Scene::open().await;
    let away = scene.goes("?next=/history", "").await;
    let (_, state) = scene.provider.lets_in(&away.sent_to);

    let path = format!("/sign-in/back?error=access_denied&error_description=%3Cb%3Ecall+me%3C/b%3E&state={state}");
    let answer = scene.site.get(&path, &away.browser).await;

    scene.refused(&answer, "denied").await;
    assert_eq!(answer.header("location"), "/sign-in?problem=denied&next=/history");
    let forged = scene.site.get("/sign-in?problem=%3Cb%3Ecall+me", "").await;
    assert!(!forged.body.contains("call me"), "{}", forged.body);
}

#[tokio::test]
async fn nothing_begins_by_head_or_by_a_link_on_another_site() {
    let scene = Scene::open().await;
    let head = page("/sign-in/with").method(Method::HEAD).body(Body::empty()).unwrap();
    let linked =
        page("/sign-in/with?next=/history").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();

    assert_eq!(scene.site.send(head).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let answer = scene.site.send(linked).await;

    assert_eq!(answer.header("location"), "/sign-in?next=/history");
    assert_eq!(answer.cookie(), "");
    let back = page("/sign-in/back?code=x&state=y").method(Method::HEAD).body(Body::empty()).unwrap();
    assert_eq!(scene.site.send(back).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_way_back_leads_nowhere_else() {
    let scene = Scene::open().await;

    for next in ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-in", "/a/../../b"] {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let answer = scene.signs_in(&format!("?next={next}")).await;

        assert_eq!(answer.header("location"), "/", "{next}");
    }
}

#[tokio::test]
async fn a_path_that_is_longer_than_any_of_the_portal_is_not_kept() {
    let scene = Scene::open().await;
    let of_length = |length: usize| format!("/history?words={}", "x".repeat(length));

    for (next, leads_to) in [(of_length(1_000), of_length(1_000)), (of_length(3_000), "/".to_owned())] {
        let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let answer = scene.signs_in(&format!("?next={query}")).await;

        assert_eq!(answer.header("location"), leads_to);
    }
}

#[tokio::test]
async fn the_session_has_an_id_of_its_own_whatever_was_there_before() {
    let scene = Scene::open().await;
    let planted = "portal=AAAAAAAAAAAAAAAAAAAAAA";
    let away = scene.goes("", planted).await;
    let (code, state) = scene.provider.lets_in(&away.sent_to);

    let answer = scene.comes_back(&code, &state, &format!("{planted}; {}", away.browser)).await;

    assert!(answer.cookie().contains("portal=") && !answer.cookie().contains("AAAAAAAAAAAAAAAAAAAAAA"));
    assert!(!is_in(&scene.site, planted).await);
    let set: Vec<&str> = answer.headers.get_all(header::SET_COOKIE).iter().map(|set| set.to_str().unwrap()).collect();
    assert!(set.iter().all(|set| set.contains("HttpOnly") && set.contains("SameSite=Lax")), "{set:?}");
}

#[tokio::test]
async fn the_session_that_was_there_ends_with_the_next_sign_in() {
    let scene = Scene::open().await;
    let before = scene.signs_in("").await.cookie();
    let away = scene.goes("", &before).await;
    let (code, state) = scene.provider.lets_in(&away.sent_to);

    let answer = scene.comes_back(&code, &state, &format!("{before}; {}", away.browser)).await;

    assert!(is_in(&scene.site, &answer.cookie()).await);
    assert!(!is_in(&scene.site, &before).await, "who knew the old number is nobody");
}
