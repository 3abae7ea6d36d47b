//! Tokens for scripts: who makes them, what a script may do by one, and when it may not any more.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::AppError;
use app::api::{POLICY, Policy};
use axum::body::Body;
use domain::policy::{Role, Scope, Verb};
use domain::run::RequestStatus;
use domain::view::{Session, TokenInfo};
use domain::{PersonId, RunId, Timestamp, TokenId};
use futures::StreamExt as _;
use http::{Method, StatusCode, header};
use testkit::{FixedClock, NOW};

use crate::account::{code, done, is_in, password, post, refused, view, with_authenticator};
use crate::approvals::Scene;
use crate::site::{AT_ONCE, Answer, ORIGIN, Served, WATCH, call, is_over, page, unstated};
use server::connections::Connection;

const MAKE: &str = "/api/account/tokens/make";
const REPORT: &str = "name=nightly+report&role=operator&days=90";
const RUN: &str = "slug=count&target=local&key=k";

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Something that comes at all comes within this.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as a script sends it: with a token, and without a word on where it comes from.
pub fn script(method: Method, path: &str, token: &str) -> http::request::Builder {
    unstated(method, path).header(header::AUTHORIZATION, format!("Bearer {token}"))
}

pub async fn sends(site: &Served, path: &str, form: &str, token: &str) -> Answer {
    site.send(script(Method::POST, path, token).body(Body::from(form.to_owned())).unwrap()).await
}

async fn gets(site: &Served, path: &str, token: &str) -> Answer {
    site.send(script(Method::GET, path, token).body(Body::empty()).unwrap()).await
}

/// Makes a token as this form says; gives its text, as the page of the account shows it.
pub async fn made(site: &Served, form: &str, cookie: &str) -> String {
    done(site, MAKE, &format!("{form}&password={}", password()), cookie).await;
    view(site, cookie).await.made.unwrap().text
}

/// For whom a script asks by a token.
async fn asks(site: &Served, token: &str) -> Option<(String, Role)> {
    let answer = sends(site, "/api/session", "", token).await;
    if answer.status == StatusCode::UNAUTHORIZED {
        return None;
    }
    let session: Session = serde_json::from_str(&answer.body).unwrap();
    Some((session.actor.name, session.actor.role))
}

/// A portal with an administrator and an operator: their cookies.
async fn staffed() -> (Served, Arc<FixedClock>, String, String) {
    let clock = Arc::new(FixedClock::default());
    let site = Served::start_by(clock.clone()).await;
    let ada = site.administrator().await;
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    (site, clock, ada, olga)
}

async fn id(site: &Served, login: &str) -> PersonId {
    site.portal.store().person_by_login(login).await.unwrap().unwrap().id
}

#[tokio::test]
async fn a_token_is_shown_once_to_its_session_and_only_its_digest_is_stored() {
    let (site, _, _, olga) = staffed().await;
    let other = site.sign_in("olga").await;
    done(&site, MAKE, &format!("{REPORT}&password={}", password()), &olga).await;

    assert_eq!(view(&site, &other).await.made, None, "it is for the session in which it was made");
    let shown = view(&site, &olga).await;
    let token = shown.made.unwrap();
    assert_eq!(view(&site, &olga).await.made, None);

    assert!(token.text.starts_with("rbp_") && token.text.len() == 47, "{}", token.text);
    let told: Vec<_> = shown.tokens.iter().map(|token| (&*token.name, token.role, token.used)).collect();
    assert_eq!(told, [("nightly report", Role::Operator, None)]);
    assert_eq!(shown.tokens[0].expires, shown.tokens[0].made.plus(90 * DAY.unsigned_abs()));
    site.portal.close().await;
    site.portal.store().close().await;
    let bytes = std::fs::read(site.path("data/portal.db")).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("token_made") && text.contains("nightly report"));
    assert!(!text.contains(&token.text) && !text.contains(&token.text[4..]));
}

#[tokio::test]
async fn without_scripts_a_token_is_made_by_a_form_and_shown_on_the_page_behind_it() {
    let (site, _, _, olga) = staffed().await;
    let form = format!("{REPORT}&password={}", password());
    let plain = call(MAKE)
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("{ORIGIN}/account"))
        .header(header::COOKIE, &olga)
        .body(Body::from(form))
        .unwrap();

    let answer = site.send(plain).await;

    assert_eq!(answer.header("location"), "/account?changed=token");
    assert!(!answer.body.contains("rbp_"), "{}", answer.body);
    let page = site.get("/account?changed=token", &olga).await.body;
    let token = &page[page.find("rbp_").unwrap()..][..47];
    assert_eq!(asks(&site, token).await, Some(("Olga".to_owned(), Role::Operator)));
    assert!(page.contains("Token made") && page.contains("this once"), "{page}");
    let again = site.get("/account?changed=token", &olga).await.body;
    assert!(again.contains("nightly report") && !again.contains("rbp_"), "{again}");
}

#[tokio::test]
async fn a_token_takes_the_password_a_second_factor_as_soon_as_there_is_one_and_no_more_than_its_person_has() {
    let (site, clock, ada, olga) = staffed().await;
    let vera = site.person("vera", "Vera", "viewer", &ada).await;
    let with = |form: &str| format!("{form}&password={}", password());

    refused(&site, MAKE, &format!("{REPORT}&password=wrong"), &olga, "The present password is wrong").await;
    refused(&site, MAKE, &with("name=+&role=viewer&days=90"), &olga, "The name of a token has 1 to 64").await;
    for days in ["0", "366"] {
        let form = with(&format!("name=x&role=viewer&days={days}"));
        refused(&site, MAKE, &form, &olga, "A token holds for 1 to 365 days").await;
    }
    refused(&site, MAKE, &with("name=x&role=viewer&days=-1"), &olga, "The form was not understood").await;
    for role in ["lead", "administrator"] {
        let form = with(&format!("name=x&role={role}&days=1"));
        refused(&site, MAKE, &form, &ada, &format!("You cannot give a token the role {role}")).await;
    }
    refused(&site, MAKE, &with(REPORT), &vera, "You cannot give a token the role operator").await;
    assert!(view(&site, &olga).await.tokens.is_empty() && view(&site, &vera).await.tokens.is_empty());

    let (secret, _) = with_authenticator(&site, &olga).await;
    clock.advance(MINUTE);
    refused(&site, MAKE, &with(REPORT), &olga, "takes your second factor as well").await;
    refused(&site, MAKE, &with(&format!("{REPORT}&code=000000")), &olga, "The code is wrong").await;
    let proven = format!("{REPORT}&code={}", code(&site, &secret));
    done(&site, MAKE, &with(&proven), &olga).await;
    refused(&site, MAKE, &with(&proven), &olga, "The code is wrong, or was used already").await;
    assert_eq!(view(&site, &olga).await.tokens.len(), 1);
}

#[tokio::test]
async fn a_person_has_twenty_tokens_at_most() {
    let (site, _, _, olga) = staffed().await;
    let person = id(&site, "olga").await;
    let mut write = site.portal.store().begin().await.unwrap();
    for number in 0..20 {
        let now = site.portal.expiry_now();
        let token = TokenInfo {
            id: TokenId(number.to_string()),
            name: "one of many".to_owned(),
            role: Role::Viewer,
            scope: Scope::Role,
            made: now,
            expires: now.plus(DAY.unsigned_abs()),
            used: None,
            address: String::new(),
        };
        write.insert_token(&person, &token, &format!("rbp_{number}")).await.unwrap();
    }
    write.commit().await.unwrap();

    let form = format!("{REPORT}&password={}", password());
    refused(&site, MAKE, &form, &olga, "You have 20 tokens").await;

    done(&site, "/api/account/tokens/end", "token=7", &olga).await;
    done(&site, MAKE, &form, &olga).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_and_works_in_runs_without_an_origin_and_the_record_says_by_which_token() {
    let (site, _, _, olga) = staffed().await;
    let token = made(&site, REPORT, &olga).await;

    let started = sends(&site, "/api/runs/start", RUN, &token).await;
    assert_eq!((started.status, started.body.trim()), (StatusCode::OK, "1"), "{}", started.body);
    let ran = sends(&site, "/api/runs/run", "run=1&step=1&attempt=1&commands=1", &token).await;
    assert_eq!(ran.status, StatusCode::OK, "{}", ran.body);
    site.settled(1).await;

    let output = gets(&site, "/runs/1/output/1/1", &token).await;
    assert!(output.status == StatusCode::OK && output.body.contains('3'), "{}", output.body);
    assert_eq!(gets(&site, "/runs/1/evidence", &token).await.status, StatusCode::OK);
    assert_eq!(sends(&site, "/api/pages/run", "run=1", &token).await.status, StatusCode::OK);
    let page = page("/runs/1").header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
    let page = site.send(page).await;
    assert!(page.status == StatusCode::OK && page.body.contains("Count"), "{}", page.body);
    assert!(!page.headers.contains_key("set-cookie"), "a script has no session");
    let run = site.portal.store().run(RunId(1), &domain::policy::Sight::EVERYTHING).await.unwrap().unwrap();
    assert_eq!(run.started.by.name_and_token(), "Olga, by the token nightly report");
    let goes_on = post(&site, "/api/runs/note", "run=1&step=0&text=mine", &olga).await;
    assert_eq!(goes_on.status, StatusCode::OK, "it is her run: {}", goes_on.body);
}

#[tokio::test]
async fn a_script_has_the_lower_of_the_roles_of_its_token_and_its_person() {
    let (site, _, ada, olga) = staffed().await;
    let [reads, works] = [
        made(&site, "name=reads&role=viewer&days=1", &olga).await,
        made(&site, "name=works&role=operator&days=1", &olga).await,
    ];
    let role = async |role: &str| {
        let form = format!("person={}&role={role}", id(&site, "olga").await);
        done(&site, "/api/people/role", &form, &ada).await;
    };
    let has = |role: Role| Some(("Olga".to_owned(), role));

    assert_eq!(asks(&site, &reads).await, has(Role::Viewer));
    assert_eq!(asks(&site, &works).await, has(Role::Operator));
    let told = sends(&site, "/api/runs/start", RUN, &reads).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    let sentence = "This token gives the role viewer; to start a run takes the role operator or above";
    assert!(told.body.contains(sentence), "{}", told.body);
    role("lead").await;
    assert_eq!(asks(&site, &works).await, has(Role::Operator), "a promotion gives its script nothing");
    role("viewer").await;
    assert_eq!(asks(&site, &works).await, has(Role::Viewer));
    assert_eq!(sends(&site, "/api/runs/start", RUN, &works).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_for_suggesting_is_refused_everything_else_and_a_viewer_makes_none() {
    let (site, _, ada, olga) = staffed().await;
    let viewer = site.person("vera", "Vera", "viewer", &ada).await;
    let form = "name=alerts&role=suggest&days=90";
    let token = made(&site, form, &olga).await;

    refused(&site, MAKE, &format!("{form}&password={}", password()), &viewer, "You cannot give a token the role").await;
    for (path, policy) in POLICY {
        let Policy::Verb(verb, _) = policy else { continue };
        let answer = sends(&site, path, "", &token).await;
        assert_ne!(*verb, Verb::Suggest);
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.body);
    }
    for path in ["/", "/procedures/count", "/runs/1/output/1/1", "/runs/1/evidence", "/history", "/alerts/Some"] {
        assert_eq!(gets(&site, path, &token).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let account = view(&site, &olga).await;
    assert_eq!(account.tokens[0].scope, Scope::Suggest);
    assert!(site.get("/account", &olga).await.body.contains("suggests by alerts, and nothing else"));
}

#[tokio::test]
async fn a_session_beside_a_token_counts_for_nothing() {
    let (site, _, ada, olga) = staffed().await;
    let token = made(&site, REPORT, &olga).await;
    let beside = |path: &str, token: &str| {
        let request = call(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        request.header(header::COOKIE, &ada).body(Body::empty()).unwrap()
    };

    let told: Session = serde_json::from_str(&site.send(beside("/api/session", &token)).await.body).unwrap();
    assert_eq!(told.actor.name, "Olga");
    assert_eq!(site.send(beside("/api/pages/people", &token)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(beside("/api/sign-out", &token)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(site.send(beside("/api/session", "rbp_none")).await.status, StatusCode::UNAUTHORIZED);
    assert!(is_in(&site, &ada).await, "and nothing happened to it");
}

#[tokio::test]
async fn another_site_gets_nowhere_with_a_token_either() {
    let (site, _, _, olga) = staffed().await;
    let token = made(&site, REPORT, &olga).await;
    let from = [
        (header::ORIGIN.as_str(), "https://evil.example"),
        (header::ORIGIN.as_str(), "null"),
        (header::ORIGIN.as_str(), "https://127.0.0.1:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];

    for (name, value) in from {
        for (method, path) in [(Method::POST, "/api/runs/start"), (Method::GET, "/runs/1/output/1/1")] {
            let request = script(method, path, &token).header(name, value).body(Body::from(RUN)).unwrap();
            let answer = site.send(request).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name} {value} {path}: {}", answer.body);
        }
    }
    let ours = script(Method::POST, "/api/runs/start", &token).header(header::ORIGIN, ORIGIN);
    let ours = site.send(ours.body(Body::from(RUN)).unwrap()).await;
    assert_eq!((ours.status, ours.body.trim()), (StatusCode::OK, "1"), "no run was started before: {}", ours.body);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_answered_alike() {
    let (site, clock, ada, olga) = staffed().await;
    let otto = site.person("otto", "Otto", "operator", &ada).await;
    let token = made(&site, "name=one&role=operator&days=1", &olga).await;
    let ended = made(&site, "name=ended&role=operator&days=1", &olga).await;
    let named = view(&site, &olga).await.tokens.into_iter().find(|token| token.name == "ended").unwrap().id;
    done(&site, "/api/account/tokens/end", &format!("token={named}"), &olga).await;
    let disabled = made(&site, "name=otto&role=operator&days=1", &otto).await;
    done(&site, "/api/people/disable", &format!("person={}", id(&site, "otto").await), &ada).await;
    assert!(asks(&site, &token).await.is_some());
    let other = token.chars().rev().collect::<String>();
    let unknown = format!("rbp_{}", "A".repeat(43));
    clock.advance(2 * DAY);

    let wrong = ["", "x", "rbp_", &*named.0, &other, &unknown, &token.to_uppercase(), &ended, &disabled, &token];
    let requests = |token: &str| {
        [
            script(Method::POST, "/api/session", token),
            script(Method::POST, "/api/sign-in", token),
            script(Method::GET, "/runs/1/output/1/1", token),
            page("/").header(header::AUTHORIZATION, format!("Bearer {token}")),
            page("/sign-in").header(header::AUTHORIZATION, format!("Bearer {token}")),
            page("/absent").header(header::AUTHORIZATION, format!("Bearer {token}")),
        ]
    };
    for (place, _) in requests("").iter().enumerate() {
        let mut told = Vec::new();
        for token in wrong {
            let request = requests(token).into_iter().nth(place).unwrap();
            let answer = site.send(request.body(Body::empty()).unwrap()).await;
            let scheme = answer.header("www-authenticate").to_owned();
            told.push((answer.status, scheme, answer.body));
        }
        let (status, scheme, body) = &told[0];
        assert_eq!((*status, &**scheme), (StatusCode::UNAUTHORIZED, "Bearer"), "{body}");
        assert!(body.contains("This token lets nobody in"), "{body}");
        assert!(told.iter().all(|other| *other == told[0]), "{told:?}");
    }
}

#[tokio::test]
async fn what_takes_the_person_themselves_is_refused_to_every_script_and_recorded_once() {
    let (site, _, ada, _) = staffed().await;
    let token = made(&site, REPORT, &ada).await;
    let for_scripts = [Verb::Read, Verb::StartRun, Verb::WorkRun, Verb::Stop, Verb::Suggest];
    let seq = async || site.portal.store().chain_head().await.unwrap().seq;
    let mut refused = 0;

    for (path, policy) in POLICY {
        let Policy::Verb(verb, _) = policy else { continue };
        if for_scripts.contains(verb) {
            continue;
        }
        let before = seq().await;
        let answer = sends(&site, path, "", &token).await;

        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}: {}", answer.body);
        assert!(matches!(serde_json::from_str(&answer.body).unwrap(), AppError::Denied(_)), "{path}");
        assert!(answer.body.contains("no token is enough"), "{path}: {}", answer.body);
        assert_eq!(seq().await, before + 1, "{path}: one event");
        refused += 1;
    }
    assert!(refused > 25, "{refused}");
    for path in ["/account", "/people", "/audit"] {
        let request = page(path).header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty()).unwrap();
        assert_eq!(site.send(request).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let audit = site.get("/audit?of=portal", &ada).await.body;
    assert!(audit.contains("Ada, by the token nightly report"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_what_their_script_has_shaped() {
    let scene = Scene::open().await;
    let site = &scene.site;
    let token = made(site, REPORT, &scene.lena).await;
    let codes = scene.codes("lena").await;
    let form = format!("slug=restore&target=&key=by-script&values[backup]={}", scene.backup);

    let run: i64 = sends(site, "/api/runs/start", &form, &token).await.body.trim().parse().unwrap();
    let ask = format!("run={run}&request=1&wanted[s3.1]=on&reason=data+is+corrupt");
    let asked = sends(site, "/api/approvals/ask", &ask, &token).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let glass = format!("run={run}&request=2&wanted[s3.1]=on&reason=nobody+answers&code={}", codes[0]);
    let broken = sends(site, "/api/approvals/break-glass", &glass, &token).await;
    let by_script = format!("run={run}&request=1&decision=approve&code={}", codes[0]);
    let by_script = sends(site, "/api/approvals/decide", &by_script, &token).await;
    let by_herself = scene.approve(run, &scene.lena, &codes[0]).await;

    assert_eq!([broken.status, by_script.status, by_herself.status], [StatusCode::FORBIDDEN; 3]);
    assert!(by_herself.body.contains("You have started it"), "{}", by_herself.body);
    assert_eq!(scene.status(run).await, RequestStatus::Waiting);
    // Another person's run, which her script has taken over and given back.
    let other = scene.start(&scene.olga).await;
    let over = sends(site, "/api/runs/take-over", &format!("run={other}&reason=at+night"), &token).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.body);
    scene.done("/api/runs/take-over", &format!("run={other}&reason=mine"), &scene.olga).await;
    assert_eq!(scene.ask(other, 1, &scene.olga).await.status, StatusCode::OK);
    let approved = scene.approve(other, &scene.lena, &codes[0]).await;
    assert_eq!(approved.status, StatusCode::FORBIDDEN, "{}", approved.body);
}

#[tokio::test]
async fn a_script_of_a_lead_gives_up_no_run_of_somebody_else() {
    let (site, _, ada, olga) = staffed().await;
    let token = made(&site, REPORT, &ada).await;
    assert_eq!(post(&site, "/api/runs/start", RUN, &olga).await.status, StatusCode::OK);
    let form = "run=1&reason=wrong+host";

    let told = sends(&site, "/api/runs/abort", form, &token).await;

    assert_eq!(told.status, StatusCode::FORBIDDEN, "{}", told.body);
    assert!(told.body.contains("no token is enough"), "{}", told.body);
    assert_eq!(post(&site, "/api/runs/abort", form, &ada).await.status, StatusCode::OK, "she may herself");
}

/// Opens the stream of run 1 by a token, does something, and says whether the stream is over within two seconds.
async fn ends_after(site: &Served, token: &str, deed: impl Future<Output = ()>) -> bool {
    let request = script(Method::POST, "/api/runs/watch", token).body(Body::from(WATCH.replace("RUN", "1"))).unwrap();
    let mut frames = site.stream(request).await;
    assert!(frames.next().await.is_some(), "the stream has begun");
    deed.await;
    is_over(&mut frames, AT_ONCE).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_at_once_with_its_token() {
    let (site, _, ada, olga) = staffed().await;
    assert_eq!(post(&site, "/api/runs/start", RUN, &ada).await.status, StatusCode::OK);
    let person = format!("person={}", id(&site, "olga").await);

    let token = made(&site, REPORT, &olga).await;
    let other = made(&site, "name=other&role=viewer&days=1", &olga).await;
    let named =
        async |name: &str| view(&site, &olga).await.tokens.into_iter().find(|token| token.name == name).unwrap().id;
    let end_other = format!("token={}", named("other").await);
    let end = async { done(&site, "/api/account/tokens/end", &end_other, &olga).await };
    assert!(!ends_after(&site, &token, end).await, "another token of the same person was ended");
    assert_eq!(asks(&site, &other).await, None);
    let end_this = format!("token={}", named("nightly report").await);
    let end = async { done(&site, "/api/account/tokens/end", &end_this, &olga).await };
    assert!(ends_after(&site, &token, end).await, "it was ended");

    let token = made(&site, REPORT, &olga).await;
    let end = async { done(&site, "/api/people/end-tokens", &person, &ada).await };
    assert!(ends_after(&site, &token, end).await, "an administrator ended it");

    let token = made(&site, REPORT, &olga).await;
    let demote = async { done(&site, "/api/people/role", &format!("{person}&role=viewer"), &ada).await };
    assert!(ends_after(&site, &token, demote).await, "it may do less");
    let promote = async { done(&site, "/api/people/role", &format!("{person}&role=lead"), &ada).await };
    assert!(!ends_after(&site, &token, promote).await, "it may do more");

    let disable = async { done(&site, "/api/people/disable", &person, &ada).await };
    assert!(ends_after(&site, &token, disable).await, "its person was disabled");
    done(&site, "/api/people/enable", &person, &ada).await;
    assert_eq!(asks(&site, &token).await, None, "it does not come back with the account");
}

#[tokio::test]
async fn an_administrator_alone_ends_the_tokens_of_others_and_the_record_names_each() {
    let (site, _, ada, olga) = staffed().await;
    let lena = site.person("lena", "Lena", "lead", &ada).await;
    let tokens = [made(&site, REPORT, &olga).await, made(&site, "name=deploys&role=viewer&days=7", &olga).await];
    let ids = view(&site, &olga).await.tokens;
    let form = format!("person={}", id(&site, "olga").await);

    let theirs = post(&site, "/api/account/tokens/end", &format!("token={}", ids[0].id), &lena).await;
    assert_eq!(theirs.status, StatusCode::NOT_FOUND, "somebody else's is not there");
    assert_eq!(post(&site, "/api/people/end-tokens", &form, &lena).await.status, StatusCode::FORBIDDEN);
    assert!(asks(&site, &tokens[0]).await.is_some());
    assert!(site.get("/people", &ada).await.body.contains("End 2 tokens of Olga"));
    done(&site, "/api/people/end-tokens", &form, &ada).await;

    assert_eq!((asks(&site, &tokens[0]).await, asks(&site, &tokens[1]).await), (None, None));
    let audit = site.get("/audit?of=portal", &ada).await.body;
    for words in ["token made", "token ended", "nightly report", "deploys", "Olga", &ids[0].expires.iso()] {
        assert!(audit.contains(words), "{words}: {audit}");
    }
    assert_eq!(audit.matches("token ended").count(), 2, "{audit}");
    assert!(!audit.contains("rbp_"), "{audit}");
}

#[tokio::test]
async fn the_last_use_is_kept_once_a_minute_with_its_address() {
    let (site, clock, _, olga) = staffed().await;
    let token = made(&site, REPORT, &olga).await;
    let uses = async |host: u8| {
        let request = script(Method::POST, "/api/session", &token).extension(Connection([192, 0, 2, host].into()));
        assert_eq!(site.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    };
    // No request waits for the record of its use: it is looked for until it is there.
    let kept = async |host: u8| {
        let address = format!("192.0.2.{host}");
        let looked_for = async {
            while view(&site, &olga).await.tokens[0].address != address {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, looked_for).await.unwrap();
    };
    assert_eq!(view(&site, &olga).await.tokens[0].used, None);

    uses(1).await;
    kept(1).await;
    clock.advance(40_000);
    // Were this one kept, the next would not be.
    uses(2).await;
    clock.advance(50_000);
    uses(3).await;
    kept(3).await;

    assert!(view(&site, &olga).await.tokens[0].used.unwrap() >= Timestamp(NOW.0 + 90_000));
}

/// What was logged, in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_the_person_and_the_token_and_never_what_lets_it_in() {
    let (site, _, _, olga) = staffed().await;
    let token = made(&site, REPORT, &olga).await;
    let named = view(&site, &olga).await.tokens[0].id.clone();
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();

    // While there is one log only, what another thread meets first is taken for unwanted everywhere.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    let logging = tracing::subscriber::set_default(log);
    let answer = sends(&site, "/api/session", "", &token).await;
    let refused = sends(&site, "/api/session", "", "rbp_another").await;
    drop(logging);

    assert_eq!((answer.status, refused.status), (StatusCode::OK, StatusCode::UNAUTHORIZED));
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("/api/session: 200")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(&id(&site, "olga").await.0) && line.contains(&named.0), "{line}");
    assert!(!text.contains(&token) && !text.contains("rbp_"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_passes_on_a_password_of_its_own_disturbs_no_session() {
    let (site, _, ada, _) = staffed().await;
    let request = call("/api/session").header(header::COOKIE, &ada).header(header::AUTHORIZATION, "Basic b2xnYTpwdw==");

    assert_eq!(site.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    let foreign = unstated(Method::POST, "/api/runs/start")
        .header(header::COOKIE, &ada)
        .header(header::AUTHORIZATION, "Basic b2xnYTpwdw==")
        .body(Body::from(RUN));
    assert_eq!(site.send(foreign.unwrap()).await.status, StatusCode::FORBIDDEN, "and is no token");
}
