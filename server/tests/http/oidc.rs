//! Signing in at an identity provider, and everything about which one can lie.

mod accounts;
mod lies;
mod way;

use std::sync::Arc;

use domain::view::AccountView;
use http::StatusCode;
use openidconnect::url::form_urlencoded;
use portal::SystemClock;
use serde_json::{Value, json};
use server::config::{IdentitySettings, Networks, OidcSettings};
use server::http::Surroundings;

use crate::account::{done, is_in, post, refused, with_code};
use crate::identity::map;
use crate::provider::{CLIENT, Lie, Provider, SECRET};
use crate::site::{Answer, ORIGIN, Served};

/// A portal and its provider.
struct Scene {
    site: Served,
    provider: Provider,
    /// The cookie of Ada, who has a password.
    ada: String,
}

/// Somebody on the way to the provider.
struct Away {
    sent_to: String,
    /// The cookie that knows their browser.
    browser: String,
}

impl Scene {
    async fn open() -> Self {
        let provider = Provider::open().await;
        let site = portal_of(&provider).await;
        let ada = site.administrator().await;
        let scene = Self { site, provider, ada };
        scene.provider.knows(scene.olga(&["ops"]));
        scene
    }

    fn seconds(&self) -> i64 {
        self.site.portal.now().0 / 1000
    }

    /// What the provider knows of Olga.
    fn olga(&self, groups: &[&str]) -> Value {
        let now = self.seconds();
        json!({
            "sub": "7", "preferred_username": "Olga", "name": "Olga Marin", "groups": groups, "iat": now, "exp": now + 300,
        })
    }

    async fn goes(&self, query: &str, cookie: &str) -> Away {
        let answer = self.site.get(&format!("/sign-in/with{query}"), cookie).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        Away { sent_to: answer.header("location").to_owned(), browser: answer.cookie() }
    }

    async fn comes_back(&self, code: &str, state: &str, cookie: &str) -> Answer {
        let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
        self.site.get(&format!("/sign-in/back?code={code}&state={state}"), cookie).await
    }

    /// All the way.
    async fn signs_in(&self, query: &str) -> Answer {
        let away = self.goes(query, "").await;
        let (code, state) = self.provider.lets_in(&away.sent_to);
        self.comes_back(&code, &state, &away.browser).await
    }

    async fn logins(&self) -> usize {
        self.site.portal.store().names().await.unwrap().len()
    }

    /// Nobody was signed in, and the page says why.
    async fn refused(&self, answer: &Answer, why: &str) {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let location = answer.header("location");
        assert!(location.starts_with(&format!("/sign-in?problem={why}")), "{why}: {location}");
        assert!(!answer.cookie().contains("portal="), "{why}: {}", answer.cookie());
        assert_eq!(self.logins().await, 1, "{why}");
        let told = self.site.get(location, "").await;
        assert!(told.body.contains("Nobody was signed in"), "{why}: {}", told.body);
    }
}

async fn portal_of(provider: &Provider) -> Served {
    let oidc = OidcSettings {
        issuer: provider.issuer(),
        client_id: CLIENT.to_owned(),
        client_secret: SECRET.to_owned(),
        label: "Example".to_owned(),
        scopes: vec!["openid".to_owned(), "profile".to_owned()],
        login_claim: "preferred_username".to_owned(),
        groups_claim: "groups".to_owned(),
        back: format!("{ORIGIN}/sign-in/back"),
    };
    let identity = IdentitySettings { map: map(), proxy: None, oidc: Some(oidc) };
    let around = Surroundings { identity, metrics: Networks::this_machine(), ..Surroundings::default() };
    Served::surrounded(around, Arc::new(SystemClock)).await
}

async fn session(site: &Served, cookie: &str) -> String {
    let answer = post(site, "/api/session", "", cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn somebody_signs_in_and_comes_to_the_page_that_they_wanted_with_the_role_of_their_groups() {
    let scene = Scene::open().await;
    let offered = scene.site.get("/sign-in?next=/history", "").await;
    assert!(offered.body.contains("Sign in with Example"), "{}", offered.body);
    assert!(offered.body.contains("/sign-in/with?next=/history"), "{}", offered.body);

    let answer = scene.signs_in("?next=/history").await;

    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/history"));
    let signed_in = session(&scene.site, &answer.cookie()).await;
    assert!(signed_in.contains("Olga Marin") && signed_in.contains("\"operator\""), "{signed_in}");
    let people = scene.site.get("/people", &scene.ada).await;
    assert!(people.body.contains("by the identity provider"), "{}", people.body);

    scene.provider.knows(scene.olga(&["leads", "unknown"]));
    let again = scene.signs_in("").await;
    assert_eq!(again.header("location"), "/");
    assert!(session(&scene.site, &again.cookie()).await.contains("\"lead\""));
    assert!(session(&scene.site, &answer.cookie()).await.contains("\"lead\""), "it holds for every session");
    assert_eq!(scene.logins().await, 2, "it is the same account");
}

#[tokio::test]
async fn what_is_not_in_the_token_is_asked_for_besides() {
    let scene = Scene::open().await;
    let now = scene.seconds();
    scene.provider.knows(json!({ "sub": "7", "iat": now, "exp": now + 300 }));
    scene.provider.says_besides(json!({ "sub": "7", "preferred_username": "olga", "groups": ["leads"] }));

    let answer = scene.signs_in("").await;

    assert!(session(&scene.site, &answer.cookie()).await.contains("\"lead\""));
}

#[tokio::test]
async fn while_the_provider_is_away_or_says_too_much_the_page_says_so() {
    for lie in [Lie::Trouble, Lie::Huge] {
        let scene = Scene::open().await;
        scene.provider.lie(lie);

        let answer = scene.site.get("/sign-in/with?next=/history", "").await;

        scene.refused(&answer, "away").await;
        assert!(is_in(&scene.site, &scene.site.sign_in("ada").await).await, "passwords go on working");
    }
    let scene = Scene::open().await;
    let away = scene.goes("", "").await;
    let (code, state) = scene.provider.lets_in(&away.sent_to);
    scene.provider.close().await;

    let answer = scene.comes_back(&code, &state, &away.browser).await;

    scene.refused(&answer, "away").await;
}

#[tokio::test]
async fn a_provider_that_does_not_give_its_keys_is_left_alone_for_a_moment() {
    let scene = Scene::open().await;
    scene.provider.lie(Lie::NoKeys);

    for _ in 0..2 {
        let answer = scene.signs_in("").await;
        scene.refused(&answer, "away").await;
    }

    assert_eq!(scene.provider.keys_asked(), 1);
}

#[tokio::test]
async fn who_has_no_password_sets_a_second_factor_up_after_the_provider_has_asked_again() {
    let scene = Scene::open().await;
    let offer = "/api/account/authenticator/offer";
    let earlier = scene.signs_in("").await.cookie();
    refused(&scene.site, offer, "password=", &earlier, "takes a sign-in of the last 5 min").await;
    refused(&scene.site, "/api/account/password", "old=x&new=grandfather+clock+pelican", &earlier, "no password").await;
    let shown = scene.site.get("/account", &earlier).await;
    assert!(shown.body.contains("Sign in there again"), "{}", shown.body);

    // It knows them still, and did not ask.
    let mut claims = scene.olga(&["ops"]);
    claims["auth_time"] = json!(scene.seconds() - 3_600);
    scene.provider.knows(claims.clone());
    let not_asked = scene.signs_in("?again=1&next=/account").await;
    assert!(not_asked.header("location").contains("problem=not-afresh"), "{}", not_asked.header("location"));

    claims["auth_time"] = json!(scene.seconds());
    scene.provider.knows(claims);
    let away = scene.goes("?again=1&next=/account", "").await;
    assert!(away.sent_to.contains("prompt=login") && away.sent_to.contains("max_age=0"), "{}", away.sent_to);
    let (code, state) = scene.provider.lets_in(&away.sent_to);
    let answer = scene.comes_back(&code, &state, &away.browser).await;
    assert_eq!(answer.header("location"), "/account");
    let fresh = answer.cookie();
    done(&scene.site, offer, "password=", &fresh).await;
    let shown: AccountView =
        serde_json::from_str(&post(&scene.site, "/api/pages/account", "", &fresh).await.body).unwrap();
    done(
        &scene.site,
        "/api/account/authenticator/switch-on",
        &with_code(&scene.site, &shown.offer.unwrap().secret),
        &fresh,
    )
    .await;
    assert!(shown.outside.unwrap().proven);
}

#[tokio::test]
async fn without_a_provider_these_addresses_are_not_there() {
    let site = Served::start().await;
    site.administrator().await;

    for path in ["/sign-in/with", "/sign-in/back?code=x&state=y"] {
        assert_eq!(site.get(path, "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!site.get("/sign-in", "").await.body.contains("Sign in with"));
}
