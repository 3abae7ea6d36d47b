//! Signing in at an identity provider, and everything about which one can lie.

use std::sync::Arc;

use axum::body::Body;
use domain::PersonId;
use domain::identity::{Identity, Issuer};
use domain::policy::{Actor, Role};
use domain::view::AccountView;
use http::{Method, StatusCode, header};
use openidconnect::url::form_urlencoded;
use portal::SystemClock;
use serde_json::{Value, json};
use server::config::{IdentitySettings, Networks, OidcSettings};
use server::connections::Connection;
use server::http::Surroundings;

use crate::account::{done, is_in, post, refused, with_code};
use crate::identity::map;
use crate::provider::{CLIENT, Lie, Provider, SECRET};
use crate::site::{Answer, ORIGIN, Served, page};

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
async fn an_account_with_a_password_is_never_taken_over() {
    let scene = Scene::open().await;
    let mut claims = scene.olga(&["admins"]);
    claims["preferred_username"] = json!("ada");
    scene.provider.knows(claims);

    let answer = scene.signs_in("").await;

    scene.refused(&answer, "taken").await;
    let audit = post(&scene.site, "/api/pages/audit", "portal_only=true", &scene.ada).await;
    assert!(audit.body.contains("sign_in_refused") && audit.body.contains("taken"), "{}", audit.body);
}

#[tokio::test]
async fn an_account_belongs_to_the_subject_and_not_to_the_name() {
    let scene = Scene::open().await;
    scene.signs_in("").await;
    let mut another = scene.olga(&["admins"]);
    another["sub"] = json!("8");
    scene.provider.knows(another);

    let answer = scene.signs_in("").await;

    assert!(answer.header("location").contains("problem=taken"), "{}", answer.header("location"));
    assert_eq!(scene.logins().await, 2);
}

#[tokio::test]
async fn an_account_is_bound_anew_by_the_console_and_never_to_what_is_bound_already() {
    let scene = Scene::open().await;
    let portal = &scene.site.portal;
    scene.signs_in("").await;
    let nora = Identity::of_proxy("nora", vec!["ops".to_owned()]).unwrap();
    let nora = portal.sign_in_from_outside(&nora, None).await.unwrap().id;
    let ada = portal.store().person_by_login("ada").await.unwrap().unwrap().id;
    let (console, here) = (Actor::console(), Issuer::Provider(scene.provider.issuer()));
    let rebind = async |person: &PersonId, issuer: &Issuer, subject: &str| {
        let outcome = portal.rebind(console.administrator().unwrap(), person, issuer, subject).await;
        outcome.map_err(|error| error.sentence())
    };
    assert_eq!(portal.issuers().await.unwrap().len(), 2);

    for (person, subject, says) in [
        (&nora, "7", "The account of olga is bound to 7"),
        (&nora, "", "can name nobody"),
        (&ada, "9", "has a password"),
    ] {
        let sentence = rebind(person, &here, subject).await.unwrap_err();
        assert!(sentence.contains(says), "{sentence}");
    }
    rebind(&nora, &here, "9").await.unwrap();

    assert_eq!(portal.issuers().await.unwrap(), [(scene.provider.issuer(), 2)]);
    let mut claims = scene.olga(&["leads"]);
    claims["sub"] = json!("9");
    scene.provider.knows(claims);
    let answer = scene.signs_in("").await;
    let signed_in = session(&scene.site, &answer.cookie()).await;
    assert!(signed_in.contains("\"nora\"") && signed_in.contains("\"lead\""), "{signed_in}");
    assert_eq!(scene.logins().await, 3, "it is the same account");
    rebind(&nora, &Issuer::Proxy, "Nora").await.unwrap();
    assert_eq!(post(&scene.site, "/api/session", "", &answer.cookie()).await.status, StatusCode::UNAUTHORIZED);
    let audit = post(&scene.site, "/api/pages/audit", "portal_only=true", &scene.ada).await;
    assert!(audit.body.contains("identity_rebound") && audit.body.contains("the console"), "{}", audit.body);
}

#[tokio::test]
async fn nobody_gets_the_role_of_a_name_that_they_give_themselves_later() {
    let scene = Scene::open().await;
    scene.signs_in("").await;
    let mut claims = scene.olga(&["ops"]);
    claims["preferred_username"] = json!("chief");
    scene.provider.knows(claims);

    let answer = scene.signs_in("").await;

    assert_eq!(answer.header("location"), "/");
    let signed_in = session(&scene.site, &answer.cookie()).await;
    assert!(signed_in.contains("\"operator\""), "{signed_in}");
    assert!(scene.site.portal.store().person_by_login("chief").await.unwrap().is_none());
}

#[tokio::test]
async fn whoever_loses_their_last_line_of_the_map_loses_open_sessions_and_the_role_with_it() {
    let scene = Scene::open().await;
    scene.provider.knows(scene.olga(&["leads"]));
    let open = scene.signs_in("").await.cookie();
    scene.provider.knows(scene.olga(&["unknown"]));

    let answer = scene.signs_in("").await;

    assert!(answer.header("location").contains("problem=unmapped"), "{}", answer.header("location"));
    assert!(!is_in(&scene.site, &open).await);
    let olga = scene.site.portal.store().person_by_login("olga").await.unwrap().unwrap();
    assert_eq!(olga.role, Role::Viewer);
    let audit = post(&scene.site, "/api/pages/audit", "portal_only=true", &scene.ada).await;
    assert!(audit.body.contains("role_changed") && audit.body.contains("sessions_ended"), "{}", audit.body);
    scene.provider.knows(scene.olga(&["leads"]));
    assert!(session(&scene.site, &scene.signs_in("").await.cookie()).await.contains("\"lead\""));
}

#[tokio::test]
async fn whoever_is_unmapped_or_disabled_is_told_so() {
    let scene = Scene::open().await;
    scene.provider.knows(scene.olga(&["unknown"]));
    let unmapped = scene.signs_in("").await;
    scene.refused(&unmapped, "unmapped").await;
    scene.provider.knows(scene.olga(&["ops"]));
    let cookie = scene.signs_in("").await.cookie();
    let person = scene.site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;

    done(&scene.site, "/api/people/disable", &format!("person={person}"), &scene.ada).await;

    assert!(!is_in(&scene.site, &cookie).await);
    assert!(scene.signs_in("").await.header("location").contains("problem=disabled"));
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

#[tokio::test]
async fn nobody_comes_from_a_provider_before_there_is_an_administrator_with_a_password() {
    let provider = Provider::open().await;
    let site = portal_of(&provider).await;
    let now = site.portal.now().0 / 1000;
    provider.knows(json!({
        "sub": "7", "preferred_username": "olga", "name": "Olga", "groups": ["admins"], "iat": now, "exp": now + 300,
    }));
    let begun = site.get("/sign-in/with", "").await;
    let (code, state) = provider.lets_in(begun.header("location"));

    let answer = site.get(&format!("/sign-in/back?code={code}&state={state}"), &begun.cookie()).await;

    assert!(answer.header("location").contains("problem=fresh"), "{}", answer.header("location"));
    assert!(site.portal.store().fresh().await.unwrap());
    assert!(begun.header("location").contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2Fsign-in%2Fback"));
}
