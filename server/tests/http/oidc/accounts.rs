//! Which account somebody has who comes from a provider, and what becomes of it.

use domain::PersonId;
use domain::identity::{Identity, Issuer};
use domain::policy::{Actor, Role};
use http::StatusCode;
use serde_json::json;

use super::{Scene, portal_of, session};
use crate::account::{done, is_in, post};
use crate::provider::Provider;

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
