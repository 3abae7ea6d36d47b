//! What the portal does when something that it needs is away for a while.

use std::time::Duration;

use axum::body::Body;
use domain::RunId;
use domain::frame::{Cursor, Frame};
use domain::policy::{Actor, Role};
use domain::run::Event;
use futures::StreamExt as _;
use http::{StatusCode, header};
use portal::{NewPerson, Standing};

use crate::site::{PASSWORD, Served, call, someone};

const WAITS_FOR_A_FILE: &str = "# Wait

## Steps

1. **Wait**

   ```bash
   until [ -e go ]; do sleep 0.05; done

   sh -c 'exit 7'
   ```
";

/// In milliseconds.
const DAY: i64 = 24 * 3_600_000;

/// Longer than anybody waits for the database.
const LONG: Duration = Duration::from_secs(6);

fn form(site: &str, body: &str, cookie: &str) -> http::Request<Body> {
    call(site).header(header::COOKIE, cookie).body(Body::from(body.to_owned())).unwrap()
}

/// The code of every command of a run, once its attempt has ended.
async fn codes(site: &Served, viewer: &Actor) -> Vec<Option<i32>> {
    let cursor = Cursor { version: 0, step: 0, attempt: 0, offset: 0 };
    let mut frames = site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();
    let mut codes = Vec::new();
    while let Some(framed) = frames.next().await {
        let Frame::Event { entry } = framed.frame else { continue };
        match entry.event {
            Event::CommandEnded { end, .. } => codes.push(end.code),
            Event::AttemptEnded { .. } => return codes,
            _ => {}
        }
    }
    panic!("the stream ended before the attempt: {codes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_recorded_although_the_database_was_busy_when_it_ended() {
    let site = Served::with_document("wait.md", WAITS_FOR_A_FILE.as_bytes()).await;
    let work = tempfile::tempdir().unwrap();
    site.write("wait.portal.toml", &format!("directory = {:?}\n", work.path().to_str().unwrap()));
    let cookie = site.administrator().await;
    let started = site.send(form("/api/runs/start", "slug=wait&target=local&key=k", &cookie)).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    let ran = site.send(form("/api/runs/run", "run=1&step=1&attempt=1&commands=1,2", &cookie)).await;
    assert_eq!(ran.status, StatusCode::OK, "{}", ran.body);

    let other = site.second_store().await;
    let held = other.begin().await.unwrap();
    std::fs::write(work.path().join("go"), "").unwrap();
    tokio::time::sleep(LONG).await;
    drop(held);

    let ended = tokio::time::timeout(10 * LONG, codes(&site, &someone(Role::Viewer))).await;
    assert_eq!(ended.expect("the end of the step is recorded"), [Some(0), Some(7)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_stopped_while_another_program_holds_the_database_and_it_is_recorded_later() {
    let site = Served::with_document("wait.md", WAITS_FOR_A_FILE.as_bytes()).await;
    let cookie = site.administrator().await;
    site.send(form("/api/runs/start", "slug=wait&target=local&key=k", &cookie)).await;
    let ran = site.send(form("/api/runs/run", "run=1&step=1&attempt=1&commands=1,2", &cookie)).await;
    assert_eq!(ran.status, StatusCode::OK, "{}", ran.body);

    let other = site.second_store().await;
    let held = other.begin().await.unwrap();
    let told = site.send(form("/api/runs/stop", "run=1&step=1&attempt=1", &cookie)).await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{}", told.body);
    assert!(told.body.contains("was asked to stop"), "{}", told.body);
    // It ends while nobody can write: the raw output is followed to the end of the step.
    let followed = site.get("/runs/1/output/1/1?follow=1", &cookie);
    tokio::time::timeout(10 * LONG, followed).await.expect("the step has ended");
    drop(held);

    let ended = tokio::time::timeout(10 * LONG, codes(&site, &someone(Role::Viewer))).await;
    assert_eq!(ended.expect("the end of the step is recorded").len(), 1, "the second command was not run");
    let run = other.run(RunId(1), &domain::policy::Sight::EVERYTHING).await.unwrap().unwrap();
    assert!(run.steps[0].attempts[0].stop.is_some(), "who stopped it is recorded");
}

#[tokio::test]
async fn a_database_that_does_not_answer_sends_nobody_away_to_sign_in() {
    let site = Served::start().await;
    let cookie = site.administrator().await;

    site.portal.store().close().await;
    let page = site.get("/", &cookie).await;
    let asked = site.send(form("/api/pages/home", "", &cookie)).await;

    for answer in [page, asked] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
        assert!(answer.body.contains("The database does not answer"), "{}", answer.body);
        assert_eq!(answer.header("retry-after"), "5");
    }
}

#[tokio::test]
async fn a_clock_that_is_turned_back_gives_no_session_more_time() {
    let clock = std::sync::Arc::new(testkit::FixedClock::default());
    let site = Served::start_by(clock.clone()).await;
    let cookie = site.administrator().await;
    assert_eq!(site.get("/", &cookie).await.status, StatusCode::OK);

    clock.advance(DAY);
    let late = site.get("/", &cookie).await.status;
    clock.advance(-DAY);
    let turned_back = site.get("/", &cookie).await.status;

    assert_eq!([late, turned_back], [StatusCode::SEE_OTHER; 2], "the session has ended after twelve hours unused");
    let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
    let again = site.send(call("/api/sign-in").body(Body::from(form)).unwrap()).await.cookie();
    assert_eq!(site.get("/", &again).await.status, StatusCode::OK, "a new one begins by the same time");
}

#[tokio::test]
async fn documents_that_cannot_be_read_any_more_stay_as_they_were_and_say_so() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let (there, away) = (site.path("runbooks"), site.path("elsewhere"));

    std::fs::rename(&there, &away).unwrap();
    let without = site.get("/documents", &cookie).await;
    std::fs::rename(&away, &there).unwrap();
    let again = site.get("/documents", &cookie).await;

    assert!(
        without.body.contains("cannot be read now") && without.body.contains("/procedures/count"),
        "{}",
        without.body
    );
    assert!(!again.body.contains("cannot be read now") && again.body.contains("/procedures/count"));
}

#[tokio::test]
async fn a_pipe_among_the_documents_is_named_and_holds_nobody_up() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let made = std::process::Command::new("mkfifo").arg(site.path("runbooks/pipe.md")).status().unwrap();
    assert!(made.success());

    let page = site.get("/documents", &cookie).await;

    assert!(page.body.contains("pipe.md") && page.body.contains("no file with text"), "{}", page.body);
    assert!(page.body.contains("/procedures/count"));
}

#[tokio::test]
async fn who_lost_the_right_meanwhile_makes_no_account() {
    let site = Served::start().await;
    site.administrator().await;
    let console = Actor::console();
    let new = |login: &str, role| NewPerson {
        login: login.to_owned(),
        name: login.to_owned(),
        role,
        password: PASSWORD.to_owned(),
        mail: String::new(),
        groups: domain::policy::Groups::new(),
    };
    let made = site.portal.create_person(console.administrator().unwrap(), new("bert", Role::Administrator)).await;
    let bert = site.portal.actor(&made.unwrap()).await.unwrap().unwrap();

    site.portal.set_standing(console.administrator().unwrap(), &bert.id, Standing::Disabled).await.unwrap();
    let refused = site.portal.create_person(bert.administrator().unwrap(), new("eve", Role::Administrator)).await;

    assert!(refused.unwrap_err().sentence().contains("disabled"));
    let people = site.portal.people(console.administrator().unwrap()).await.unwrap().people;
    assert!(!people.iter().any(|person| person.login == "eve"));
}

#[tokio::test]
async fn a_key_starts_one_run_of_one_procedure_and_has_a_length() {
    let site = Served::start().await;
    let cookie = site.administrator().await;
    let start =
        |slug: &str, key: &str| form("/api/runs/start", &format!("slug={slug}&target=local&key={key}"), &cookie);

    let first = site.send(start("count", "once")).await;
    let again = site.send(start("count", "once")).await;
    let other = site.send(start("another", "once")).await;
    let empty = site.send(start("count", "")).await;
    let long = site.send(start("count", &"k".repeat(201))).await;

    assert_eq!((first.status, again.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(first.body, again.body);
    for refused in [other, empty, long] {
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    }
    assert_eq!(site.get("/runs/2", &cookie).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_people_open_a_run_at_once() {
    let site = std::sync::Arc::new(Served::start().await);
    let cookie = site.administrator().await;
    let started = site.send(form("/api/runs/start", "slug=count&target=local&key=k", &cookie)).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);

    let readers = (0..8).map(|_| {
        let (site, cookie) = (std::sync::Arc::clone(&site), cookie.clone());
        tokio::spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..10 {
                statuses.push(site.get("/runs/1", &cookie).await.status);
            }
            statuses
        })
    });
    for reader in readers {
        assert_eq!(reader.await.unwrap(), [StatusCode::OK; 10]);
    }
}
