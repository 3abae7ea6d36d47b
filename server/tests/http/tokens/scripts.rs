//! What a script may do by a token, and what takes its person.

use app::AppError;
use app::api::{POLICY, Policy};
use axum::body::Body;
use domain::RunId;
use domain::policy::{Role, Scope, Verb};
use domain::run::RequestStatus;
use domain::view::Session;
use http::{StatusCode, header};

use super::{MAKE, REPORT, RUN, asks, gets, id, made, sends, staffed};
use crate::account::{done, is_in, password, post, refused, view};
use crate::approvals::Scene;
use crate::site::{call, page};

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
