//! Tokens for scripts: who makes them, what a script may do by one, and when it may not any more.

mod ending;
mod making;
mod scripts;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use domain::policy::Role;
use domain::view::Session;
use domain::{PersonId, Timestamp};
use http::{Method, StatusCode, header};
use testkit::{FixedClock, NOW};

use crate::account::{done, password, view};
use crate::site::{Answer, ORIGIN, Served, call, page, unstated};
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
