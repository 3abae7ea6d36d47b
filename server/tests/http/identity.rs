//! People whom the proxy names: who is believed, what becomes of it, and what ends with its word.

use std::sync::Arc;

use axum::body::Body;
use domain::identity::{IdentityMap, MapLine, Whom};
use domain::policy::{Role, typed_groups};
use domain::view::{AccountView, PeopleView};
use http::{Method, StatusCode, header};
use portal::SystemClock;
use server::config::{IdentitySettings, ProxyIdentity};
use server::connections::Connection;
use server::http::Surroundings;

use crate::account::{done, is_in, post, refused, view, with_code};
use crate::site::{Answer, PASSWORD, Served, call, page, unstated};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The proxy that is listed.
const PROXY: [u8; 4] = [10, 0, 0, 2];

/// Somebody who is not.
const STRANGER: [u8; 4] = [192, 0, 2, 9];

/// The lines of the map by which these tests let people in.
pub fn map() -> IdentityMap {
    let line = |group: &str, role, groups: &str| MapLine {
        whom: Whom::Group(group.to_owned()),
        role,
        groups: typed_groups(groups).unwrap(),
    };
    IdentityMap {
        lines: vec![
            line("ops", Some(Role::Operator), ""),
            line("leads", Some(Role::Lead), ""),
            line("admins", Some(Role::Administrator), ""),
            line("db", None, "dba"),
            MapLine {
                whom: Whom::Login("chief".to_owned()),
                role: Some(Role::Administrator),
                groups: typed_groups("").unwrap(),
            },
        ],
    }
}

/// A portal behind a proxy that names people, with Ada as its administrator; gives her cookie as well.
async fn served() -> (Served, String) {
    let proxy = ProxyIdentity {
        user: "x-user".parse().unwrap(),
        groups: Some("x-groups".parse().unwrap()),
        secret: "x-secret".parse().unwrap(),
        shared: SECRET.to_owned(),
        sign_out: Some("https://auth.example.com/out".to_owned()),
    };
    let identity = IdentitySettings { map: map(), proxy: Some(proxy), oidc: None };
    let around = Surroundings { proxies: "10.0.0.0/8".parse().unwrap(), identity, ..Surroundings::default() };
    let site = Served::surrounded(around, Arc::new(SystemClock)).await;
    let ada = site.administrator().await;
    (site, ada)
}

/// Asks who is signed in, over a connection, with some headers and a cookie.
async fn asks(site: &Served, connection: [u8; 4], headers: &[(&str, &str)], cookie: &str) -> Answer {
    let mut request = call("/api/session").extension(Connection(connection.into()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    site.send(request.header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

/// The same as the proxy does for somebody.
async fn named(site: &Served, user: &str, groups: &str, cookie: &str) -> Answer {
    asks(site, PROXY, &[("x-user", user), ("x-groups", groups), ("x-secret", SECRET)], cookie).await
}

async fn logins(site: &Served) -> usize {
    site.portal.store().names().await.unwrap().len()
}

#[tokio::test]
async fn whom_the_proxy_names_gets_an_account_a_session_and_the_role_of_their_groups() {
    let (site, ada) = served().await;

    let answer = named(&site, "Olga", "ops,db", "").await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.body.contains("\"operator\""), "{}", answer.body);
    let cookie = answer.cookie();
    assert!(cookie.starts_with("portal="), "{cookie}");
    assert_eq!(named(&site, "Olga", "ops,db", &cookie).await.cookie(), "", "the session goes on");
    let people = site.get("/people", &ada).await;
    assert!(people.body.contains("by the proxy"), "{}", people.body);
    let olga = site.portal.store().person_by_login("olga").await.unwrap().unwrap();
    assert_eq!(olga.hash, None);
    assert_eq!(site.portal.store().groups_of(&olga.id).await.unwrap(), typed_groups("dba").unwrap());
}

#[tokio::test]
async fn a_program_that_keeps_no_cookie_is_recorded_once_in_a_while_for_each_words_of_the_proxy() {
    let (site, ada) = served().await;
    let recorded = async || {
        let audit = post(&site, "/api/pages/audit", "portal_only=true", &ada).await;
        audit.body.matches("\"signed_in\"").count()
    };

    for _ in 0..3 {
        assert!(named(&site, "olga", "ops", "").await.cookie().starts_with("portal="));
    }
    assert_eq!(recorded().await, 1);
    named(&site, "olga", "leads", "").await;
    named(&site, "otto", "ops", "").await;
    assert_eq!(recorded().await, 3);
    assert!(named(&site, "olga", "ops", "").await.body.contains("\"operator\""), "the role follows all the same");
}

#[tokio::test]
async fn a_page_goes_on_to_where_it_was_asked_for() {
    let (site, _) = served().await;
    let request = page("/history").extension(Connection(PROXY.into()));
    let request = request.header("x-user", "olga").header("x-groups", "ops").header("x-secret", SECRET);

    let answer = site.send(request.body(Body::empty()).unwrap()).await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.cookie().contains("portal="), "{}", answer.cookie());
}

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn nobody_is_named_by_a_stranger_without_the_secret_twice_or_in_another_spelling() {
    let (site, _) = served().await;
    let (user, groups, secret) = (("x-user", "olga"), ("x-groups", "admins"), ("x-secret", SECRET));
    let cases: [(_, Headers); 12] = [
        (STRANGER, &[user, groups, secret]),
        (STRANGER, &[user, groups, secret, ("x-forwarded-for", "10.0.0.2")]),
        (PROXY, &[user, groups]),
        (PROXY, &[user, groups, ("x-secret", "0123456789abcdef0123456789abcdeF")]),
        (PROXY, &[user, groups, secret, secret]),
        (PROXY, &[user, user, groups, secret]),
        (PROXY, &[user, groups, groups, secret]),
        (PROXY, &[("x_user", "olga"), groups, secret]),
        (PROXY, &[("x-user", ""), groups, secret]),
        (PROXY, &[("remote-user", "olga"), ("x-remote-user", "olga"), ("x-forwarded-user", "olga"), groups, secret]),
        (PROXY, &[user, groups, ("x_secret", SECRET)]),
        (STRANGER, &[("x-user", "ada"), groups, secret]),
    ];

    for (connection, headers) in cases {
        let answer = asks(&site, connection, headers, "").await;

        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{headers:?}: {}", answer.body);
        assert_eq!(answer.cookie(), "", "{headers:?}");
    }
    assert_eq!(logins(&site).await, 1);
}

#[tokio::test]
async fn whom_no_line_of_the_map_is_about_is_told_so_and_gets_nothing() {
    let (site, _) = served().await;

    let answer = named(&site, "olga", "db,unknown", "").await;
    let request = page("/history").extension(Connection(PROXY.into()));
    let request = request.header("x-user", "olga").header("x-secret", SECRET).body(Body::empty()).unwrap();
    let sent_away = site.send(request).await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("nothing says what you may do here"), "{}", answer.body);
    assert_eq!(sent_away.header("location"), "/sign-in?problem=unmapped&next=/history");
    let told = site.get("/sign-in?problem=unmapped", "").await;
    assert!(told.body.contains("nothing says what you may do here"), "{}", told.body);
    assert_eq!(logins(&site).await, 1);
}

#[tokio::test]
async fn an_account_with_a_password_is_never_taken_over() {
    let (site, ada) = served().await;

    let answer = named(&site, "ada", "admins", "").await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.body.contains("has your sign-in name already"), "{}", answer.body);
    assert!(is_in(&site, &ada).await);
    let audit = post(&site, "/api/pages/audit", "portal_only=true", &ada).await;
    assert!(audit.body.contains("sign_in_refused") && audit.body.contains("taken"), "{}", audit.body);
    for _ in 0..3 {
        named(&site, "ada", "admins", "").await;
    }
    let again = post(&site, "/api/pages/audit", "portal_only=true", &ada).await;
    let count = |body: &str| body.matches("sign_in_refused").count();
    assert_eq!(count(&again.body), count(&audit.body), "once in a while is enough");
}

#[tokio::test]
async fn the_role_follows_the_map_also_downwards() {
    let (site, _) = served().await;
    let first = named(&site, "olga", "leads", "").await;
    assert!(first.body.contains("\"lead\""), "{}", first.body);

    let second = named(&site, "olga", "ops", &first.cookie()).await;

    assert!(second.body.contains("\"operator\""), "{}", second.body);
    assert!(second.cookie().starts_with("portal=") && second.cookie() != first.cookie(), "it is another session");
    assert_eq!(named(&site, "olga", "", &second.cookie()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(logins(&site).await, 2);
}

#[tokio::test]
async fn whom_the_map_gives_nothing_any_more_keeps_nothing_of_what_it_gave() {
    let (site, _) = served().await;
    let first = named(&site, "olga", "admins,db", "").await;
    assert!(first.body.contains("\"administrator\""), "{}", first.body);
    let person = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;

    let none = named(&site, "olga", "", "").await;

    assert_eq!(none.status, StatusCode::FORBIDDEN, "{}", none.body);
    let left = site.portal.store().credentials(&person).await.unwrap().unwrap();
    assert_eq!(left.role, Role::Viewer, "a token of theirs could do no more");
    assert!(site.portal.store().groups_of(&person).await.unwrap().is_empty());
    let sessions = site.portal.store().sessions_of(&person, site.portal.expiry_now()).await.unwrap();
    assert!(sessions.is_empty(), "{}", sessions.len());
    let again = named(&site, "olga", "admins,db", &first.cookie()).await;
    assert!(again.body.contains("\"administrator\""), "{}", again.body);
}

#[tokio::test]
async fn groups_that_the_map_gives_are_not_set_by_hand() {
    let (site, ada) = served().await;
    named(&site, "olga", "ops,db", "").await;
    let person = async |login: &str| site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
    let (olga, own) = (person("olga").await, person("ada").await);

    let form = format!("person={olga}&groups=platform");
    refused(&site, "/api/people/groups", &form, &ada, "says in which groups they are").await;

    assert_eq!(site.portal.store().groups_of(&olga).await.unwrap(), typed_groups("dba").unwrap());
    done(&site, "/api/people/groups", &format!("person={own}&groups=platform"), &ada).await;
}

#[tokio::test]
async fn a_session_ends_when_the_proxy_names_another_or_nobody() {
    let (site, _) = served().await;
    let olga = named(&site, "olga", "ops", "").await.cookie();

    let otto = named(&site, "otto", "leads", &olga).await;
    assert!(otto.body.contains("\"otto\"") && otto.body.contains("\"lead\""), "{}", otto.body);
    let nobody = asks(&site, PROXY, &[("x-secret", SECRET)], &otto.cookie()).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    for cookie in [olga, otto.cookie()] {
        assert!(!is_in(&site, &cookie).await, "it has ended for good");
        let past_the_proxy = asks(&site, STRANGER, &[], &cookie).await;
        assert_eq!(past_the_proxy.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_cookie_that_was_stolen_is_worth_nothing_past_the_proxy() {
    let (site, _) = served().await;
    let olga = named(&site, "olga", "ops", "").await.cookie();

    let stolen = asks(&site, STRANGER, &[("x-user", "olga"), ("x-groups", "ops"), ("x-secret", SECRET)], &olga).await;

    assert_eq!(stolen.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_is_disabled_stays_out_whatever_the_proxy_says() {
    let (site, ada) = served().await;
    let olga = named(&site, "olga", "ops", "").await.cookie();
    let person = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;

    done(&site, "/api/people/disable", &format!("person={person}"), &ada).await;

    for cookie in [&*olga, ""] {
        let answer = named(&site, "olga", "ops", cookie).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.body.contains("is disabled"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_session_by_password_goes_on_whatever_the_proxy_says() {
    let (site, ada) = served().await;

    let answer = named(&site, "olga", "ops", &ada).await;

    assert!(answer.body.contains("\"Ada\""), "{}", answer.body);
    assert_eq!(logins(&site).await, 1);
}

#[tokio::test]
async fn nothing_begins_by_a_request_that_does_not_say_where_it_comes_from() {
    let (site, _) = served().await;
    let request = unstated(Method::POST, "/api/runs/start").extension(Connection(PROXY.into()));
    let request = request.header("x-user", "olga").header("x-groups", "ops").header("x-secret", SECRET);

    let answer = site.send(request.body(Body::from("slug=count&target=local&key=k")).unwrap()).await;

    assert!(matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN), "{}", answer.status);
    assert_eq!(answer.cookie(), "");
    assert_eq!(logins(&site).await, 1);
}

#[tokio::test]
async fn nobody_comes_by_the_proxy_before_there_is_an_administrator_with_a_password() {
    let identity = IdentitySettings {
        map: map(),
        proxy: Some(ProxyIdentity {
            user: "x-user".parse().unwrap(),
            groups: Some("x-groups".parse().unwrap()),
            secret: "x-secret".parse().unwrap(),
            shared: SECRET.to_owned(),
            sign_out: None,
        }),
        oidc: None,
    };
    let around = Surroundings { proxies: "10.0.0.0/8".parse().unwrap(), identity, ..Surroundings::default() };
    let site = Served::surrounded(around, Arc::new(SystemClock)).await;

    let answer = named(&site, "olga", "admins", "").await;

    assert!(answer.body.contains("Nobody has set the portal up yet"), "{}", answer.body);
    assert_eq!(logins(&site).await, 0);
}

#[tokio::test]
async fn the_last_administrator_with_a_password_stays_however_many_the_map_makes() {
    let (site, ada) = served().await;
    let olga = named(&site, "olga", "admins", "").await.cookie();
    let person = site.portal.store().person_by_login("ada").await.unwrap().unwrap().id;
    let by_olga = |path: &str, form: String| {
        let request = call(path).extension(Connection(PROXY.into())).header(header::COOKIE, &olga);
        let request = request.header("x-user", "olga").header("x-groups", "admins").header("x-secret", SECRET);
        site.send(request.body(Body::from(form)).unwrap())
    };

    let demoted = by_olga("/api/people/role", format!("person={person}&role=viewer")).await;
    let disabled = by_olga("/api/people/disable", format!("person={person}")).await;

    for answer in [demoted, disabled] {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("with a password of the portal"), "{}", answer.body);
    }
    let person = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;
    refused(&site, "/api/people/role", &format!("person={person}&role=viewer"), &ada, "map of roles").await;
    done(&site, "/api/people/disable", &format!("person={person}"), &ada).await;
}

/// The page of people, as an administrator gets it.
async fn people(site: &Served, administrator: &str) -> PeopleView {
    serde_json::from_str(&post(site, "/api/pages/people", "", administrator).await.body).unwrap()
}

#[tokio::test]
async fn the_word_of_the_proxy_enrols_no_second_factor_and_makes_no_token_without_a_code_of_an_administrator() {
    let (site, ada) = served().await;
    let lena = named(&site, "lena", "leads", "").await.cookie();
    let person = site.portal.store().person_by_login("lena").await.unwrap().unwrap().id;
    let by_lena = async |path: &str, form: &str| {
        let request = call(path).extension(Connection(PROXY.into())).header(header::COOKIE, &lena);
        let request = request.header("x-user", "lena").header("x-groups", "leads").header("x-secret", SECRET);
        site.send(request.body(Body::from(form.to_owned())).unwrap()).await
    };
    let (offer, token_for) = ("/api/account/authenticator/offer", "/api/account/tokens/make");
    let token = "name=report&role=viewer&days=1&password=";

    for (path, form, says) in [
        (offer, "password=", "takes an enrolment code"),
        (offer, "password=abcd-efgh-abcd-efgh", "The enrolment code is wrong"),
        ("/api/account/passkeys/ask-for-new", "password=", "takes an enrolment code"),
        (token_for, token, "with a second factor only"),
        ("/api/account/password", "old=x&new=grandfather+clock+pelican", "You have no password of the portal"),
    ] {
        let answer = by_lena(path, form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {}", answer.body);
        assert!(answer.body.contains(says), "{path}: {}", answer.body);
    }
    let give = format!("person={person}");
    assert!(site.get("/people", &ada).await.body.contains("Make enrolment code for lena"));
    assert_eq!(by_lena("/api/people/enrolment-code", &give).await.status, StatusCode::FORBIDDEN);
    done(&site, "/api/people/enrolment-code", &give, &ada).await;
    let code = people(&site, &ada).await.made.unwrap().text;
    assert!(people(&site, &ada).await.made.is_none(), "it is shown once");

    let with_it = format!("password={code}");
    assert_eq!(by_lena(offer, &with_it).await.status, StatusCode::OK);
    let twice = by_lena(offer, &with_it).await;
    assert!(twice.body.contains("was used already"), "{}", twice.body);
    let shown: AccountView = serde_json::from_str(&by_lena("/api/pages/account", "").await.body).unwrap();
    let shown = shown.offer.unwrap();
    let switched = by_lena("/api/account/authenticator/switch-on", &with_code(&site, &shown.secret)).await;
    assert_eq!(switched.status, StatusCode::OK, "{}", switched.body);

    let without = by_lena(token_for, token).await;
    assert!(without.body.contains("takes your second factor as well"), "{}", without.body);
    let made = by_lena(token_for, &format!("{token}&code={}", shown.recovery_codes[0])).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert!(!site.get("/people", &ada).await.body.contains("Make enrolment code for lena"), "there is a factor now");
    refused(&site, "/api/people/enrolment-code", &give, &ada, "has a second factor already").await;
    assert!(!is_in(&site, &lena).await, "past the proxy the session is nobody's");
}

#[tokio::test]
async fn an_enrolment_code_is_for_another_person_whom_the_proxy_names() {
    let (site, _) = served().await;
    let olga = named(&site, "olga", "admins", "").await.cookie();
    let by_olga = async |login: &str| {
        let person = site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
        let request = call("/api/people/enrolment-code").extension(Connection(PROXY.into()));
        let request = request.header(header::COOKIE, &olga).header("x-user", "olga").header("x-groups", "admins");
        let request = request.header("x-secret", SECRET).body(Body::from(format!("person={person}"))).unwrap();
        site.send(request).await
    };

    for (login, says) in
        [("olga", "Nobody gives an enrolment code to themselves"), ("ada", "The proxy does not name ada")]
    {
        let answer = by_olga(login).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert!(answer.body.contains(says), "{}", answer.body);
    }
}

#[tokio::test]
async fn nobody_signs_in_with_a_password_to_an_account_that_has_none() {
    let (site, ada) = served().await;
    named(&site, "olga", "ops", "").await;

    for password in ["", "x", &PASSWORD.replace(' ', "+")] {
        let answer = post(&site, "/api/sign-in", &format!("login=olga&password={password}"), "").await;

        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("The sign-in name or the password is wrong"), "{}", answer.body);
    }
    assert!(view(&site, &ada).await.outside.is_none());
}

#[tokio::test]
async fn after_signing_out_the_page_says_that_the_proxy_goes_on_and_where_that_ends() {
    let (site, _) = served().await;
    let olga = named(&site, "olga", "ops", "").await.cookie();
    let with_word = |request: http::request::Builder| {
        let request = request.extension(Connection(PROXY.into())).header(header::COOKIE, &olga);
        request.header("x-user", "olga").header("x-groups", "ops").header("x-secret", SECRET)
    };

    let out = site.send(with_word(call("/api/sign-out")).body(Body::empty()).unwrap()).await;
    let shown = site.send(with_word(page("/sign-in?next=/history")).body(Body::empty()).unwrap()).await;

    assert_eq!(out.status, StatusCode::OK, "{}", out.body);
    assert!(shown.body.contains("says that you are olga"), "{}", shown.body);
    assert!(shown.body.contains("https://auth.example.com/out") && shown.body.contains("Go on as olga"));
    assert!(!shown.cookie().starts_with("portal=") || shown.cookie() == "portal=", "nobody is signed in by that page");
}
