//! One's own account: second factor, password, sessions; and what ends at once when somebody may not look any more.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use domain::view::AccountView;
use futures::StreamExt as _;
use http::{StatusCode, header};
use testkit::FixedClock;

use crate::site::{AT_ONCE, Answer, ORIGIN, PASSWORD, Served, WATCH, call, is_over};

const MINUTE: i64 = 60_000;

/// A stream that goes on has said nothing for so long.
const GOES_ON: Duration = Duration::from_millis(300);

pub fn password() -> String {
    PASSWORD.replace(' ', "+")
}

pub async fn post(site: &Served, path: &str, form: &str, cookie: &str) -> Answer {
    site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
}

pub async fn done(site: &Served, path: &str, form: &str, cookie: &str) {
    let answer = post(site, path, form, cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
}

pub async fn refused(site: &Served, path: &str, form: &str, cookie: &str, sentence: &str) {
    let answer = post(site, path, form, cookie).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {form}: {}", answer.body);
    assert!(answer.body.contains(sentence), "{path}: {}", answer.body);
}

pub async fn view(site: &Served, cookie: &str) -> AccountView {
    let answer = post(site, "/api/pages/account", "", cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

async fn sign_in(site: &Served, login: &str, agent: &str) -> String {
    let form = format!("login={login}&password={}", password());
    let request = call("/api/sign-in").header(header::USER_AGENT, agent).body(Body::from(form)).unwrap();
    site.send(request).await.cookie()
}

pub async fn is_in(site: &Served, cookie: &str) -> bool {
    post(site, "/api/session", "", cookie).await.status == StatusCode::OK
}

/// What an authenticator app with this secret shows at this moment of the portal.
pub fn code(site: &Served, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret.replace(' ', "")).unwrap();
    let seconds = u64::try_from(site.portal.now().0 / 1000).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(seconds).to_string()
}

/// The form with what an authenticator app shows.
pub fn with_code(site: &Served, secret: &str) -> String {
    format!("code={}", code(site, secret))
}

/// Sets an authenticator app up; gives its secret and the recovery codes.
pub async fn with_authenticator(site: &Served, cookie: &str) -> (String, Vec<String>) {
    done(site, "/api/account/authenticator/offer", &format!("password={}", password()), cookie).await;
    let offer = view(site, cookie).await.offer.unwrap();
    done(site, "/api/account/authenticator/switch-on", &format!("code={}", code(site, &offer.secret)), cookie).await;
    (offer.secret, offer.recovery_codes)
}

#[tokio::test]
async fn an_authenticator_app_is_set_up_and_removed_with_the_password_and_a_code() {
    let clock = Arc::new(FixedClock::default());
    let site = Served::start_by(clock.clone()).await;
    let ada = site.administrator().await;
    let (offer, remove) = ("/api/account/authenticator/offer", "/api/account/authenticator/remove");
    refused(&site, offer, "password=wrong", &ada, "The present password is wrong").await;
    assert!(view(&site, &ada).await.offer.is_none());

    let (secret, codes) = with_authenticator(&site, &ada).await;

    let shown = view(&site, &ada).await;
    assert!(shown.factors.authenticator && shown.offer.is_none() && codes.len() == 10);
    assert_eq!(shown.factors.recovery_codes, 10);
    let page = site.get("/account", &ada).await;
    assert!(page.body.contains("10 recovery codes"), "{}", page.body);
    assert!(!page.body.contains(&secret) && !page.body.contains(&codes[0]), "they are shown once");
    clock.advance(MINUTE);
    refused(&site, remove, &format!("password={}", password()), &ada, "takes your second factor as well").await;
    refused(&site, remove, &format!("password={}&code=000000", password()), &ada, "The code is wrong").await;
    done(&site, remove, &format!("password={}&code={}", password(), codes[0]), &ada).await;
    assert!(!view(&site, &ada).await.factors.any());
}

#[tokio::test]
async fn without_scripts_the_set_up_is_a_page_with_a_drawing_and_the_codes() {
    let clock = Arc::new(FixedClock::default());
    let site = Served::start_by(clock).await;
    let ada = site.administrator().await;
    let plain = |path: &str, form: String| {
        call(path)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("{ORIGIN}/account"))
            .header(header::COOKIE, &ada)
            .body(Body::from(form))
            .unwrap()
    };

    let begun = site.send(plain("/api/account/authenticator/offer", format!("password={}", password()))).await;
    assert_eq!(begun.header("location"), "/account#second-factor");
    let page = site.get("/account", &ada).await;
    let offer = view(&site, &ada).await.offer.unwrap();
    let shown = [offer.secret.clone(), offer.recovery_codes[9].clone(), format!("d=\"{}\"", offer.qr.path)];
    assert!(shown.iter().all(|part| page.body.contains(part)), "{}", page.body);
    assert!(!page.body.contains(" style="), "the policy for styles refuses it");
    let other = sign_in(&site, "ada", "another browser").await;
    assert!(!site.get("/account", &other).await.body.contains(&offer.secret), "it is for its session");
    let on =
        site.send(plain("/api/account/authenticator/switch-on", format!("code={}", code(&site, &offer.secret)))).await;
    assert_eq!(on.header("location"), "/account?changed=authenticator");
    let page = site.get("/account?changed=authenticator", &ada).await;
    assert!(page.body.contains("Authenticator app switched on"), "{}", page.body);
}

#[tokio::test]
async fn after_five_wrong_codes_the_sentence_says_until_when() {
    let clock = Arc::new(FixedClock::default());
    let site = Served::start_by(clock.clone()).await;
    let ada = site.administrator().await;
    let (secret, _) = with_authenticator(&site, &ada).await;
    clock.advance(MINUTE);
    let remove = "/api/account/authenticator/remove";

    for _ in 0..5 {
        refused(&site, remove, &format!("password={}&code=000000", password()), &ada, "The code is wrong").await;
    }
    let right = format!("password={}&code={}", password(), code(&site, &secret));
    refused(&site, remove, &right, &ada, "5 wrong tries within 5 min").await;

    clock.advance(6 * MINUTE);
    done(&site, remove, &format!("password={}&code={}", password(), code(&site, &secret)), &ada).await;
}

#[tokio::test]
async fn what_changes_an_account_is_in_the_history_and_no_secret_is() {
    let clock = Arc::new(FixedClock::default());
    let site = Served::start_by(clock.clone()).await;
    let ada = site.administrator().await;
    let (secret, codes) = with_authenticator(&site, &ada).await;
    clock.advance(MINUTE);
    let remove = "/api/account/authenticator/remove";
    refused(&site, remove, "password=not+this+one&code=1", &ada, "password is wrong").await;
    done(&site, remove, &format!("password={}&code={}", password(), codes[3]), &ada).await;
    let new = "password=grandfather+clock+pelican";
    done(&site, "/api/account/password", &format!("old={}&{}", password(), new.replace("password", "new")), &ada).await;

    site.portal.close().await;
    site.portal.store().close().await;
    let bytes = std::fs::read(site.path("data/portal.db")).unwrap();
    let text = String::from_utf8_lossy(&bytes);

    for kind in ["authenticator_offered", "authenticator_set", "authenticator_removed", "password_changed"] {
        assert!(text.contains(kind), "{kind}");
    }
    let spelled = secret.replace(' ', "");
    for hidden in [&*spelled, &codes[3], &codes[0], PASSWORD, "grandfather clock pelican", "not this one"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn a_password_takes_the_present_one_and_not_ones_name_and_ends_the_other_sessions() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let first = site.person("olga", "Olga Marin", "operator", &ada).await;
    let second = sign_in(&site, "olga", "another browser").await;
    let path = "/api/account/password";

    refused(&site, path, "old=wrong&new=grandfather+clock+pelican", &first, "present password is wrong").await;
    let old = format!("old={}", password());
    refused(&site, path, &format!("{old}&new=short"), &first, "15 are the fewest").await;
    refused(&site, path, &format!("{old}&new=grandfather+MARIN+pelican"), &first, "name in it").await;
    refused(&site, path, &format!("{old}&new={}", password()), &first, "is the present one").await;
    assert!(is_in(&site, &second).await);
    done(&site, path, &format!("{old}&new=grandfather+clock+pelican"), &first).await;

    assert!(is_in(&site, &first).await && !is_in(&site, &second).await);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_all_others_together() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    let firefox = sign_in(&site, "ada", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0").await;
    let third = sign_in(&site, "ada", "curl/8.5.0").await;

    let sessions = view(&site, &ada).await.sessions;

    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().map(|session| session.this).collect::<Vec<_>>(), [true, false, false]);
    let shown = sessions.iter().find(|session| session.browser() == "Firefox on Linux").unwrap();
    let of_others = post(&site, "/api/account/sessions/end", &format!("session={}", shown.id), &olga).await;
    assert_eq!(of_others.status, StatusCode::NOT_FOUND, "somebody else's is not there");
    assert!(is_in(&site, &firefox).await);
    done(&site, "/api/account/sessions/end", &format!("session={}", shown.id), &ada).await;
    assert!(!is_in(&site, &firefox).await && is_in(&site, &third).await);
    done(&site, "/api/account/sessions/end-others", "", &ada).await;
    assert!(is_in(&site, &ada).await && !is_in(&site, &third).await && is_in(&site, &olga).await);
    let by_handle = format!("portal={}", sessions[0].id);
    assert!(!is_in(&site, &by_handle).await, "what names a session signs nobody in");
}

/// How an open stream of a run ends.
#[derive(Debug, PartialEq, Eq)]
enum Stream {
    Over,
    GoesOn,
}

/// Opens the stream of a run, does something, and looks whether the stream ends at once.
async fn after(site: &Served, run: u32, cookie: &str, deed: impl Future<Output = ()>) -> Stream {
    let form = WATCH.replace("RUN", &run.to_string());
    let request = call("/api/runs/watch").header(header::COOKIE, cookie).body(Body::from(form)).unwrap();
    let mut frames = site.stream(request).await;
    assert!(frames.next().await.is_some(), "the stream has begun");
    deed.await;
    let patience = if is_in(site, cookie).await { GOES_ON } else { AT_ONCE };
    if is_over(&mut frames, patience).await { Stream::Over } else { Stream::GoesOn }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_at_once_with_whatever_ends_its_session() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let started = post(&site, "/api/runs/start", "slug=count&target=local&key=k", &ada).await;
    let run: u32 = started.body.trim().parse().unwrap();
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    let person = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;
    let of_olga = format!("person={person}");

    let second = sign_in(&site, "olga", "another browser").await;
    let named = view(&site, &olga).await.sessions.into_iter().find(|session| !session.this).unwrap().id;
    let end_one = async { done(&site, "/api/account/sessions/end", &format!("session={named}"), &olga).await };
    assert_eq!(after(&site, run, &second, end_one).await, Stream::Over, "one session was ended");

    let third = sign_in(&site, "olga", "another browser").await;
    let others = async { done(&site, "/api/account/sessions/end-others", "", &olga).await };
    assert_eq!(after(&site, run, &third, others).await, Stream::Over, "all others were ended");

    let fourth = sign_in(&site, "olga", "another browser").await;
    let form = format!("old={}&new=grandfather+clock+pelican", password());
    let change = async { done(&site, "/api/account/password", &form, &olga).await };
    assert_eq!(after(&site, run, &fourth, change).await, Stream::Over, "the password was changed");

    let role = format!("{of_olga}&role=viewer");
    let demote = async { done(&site, "/api/people/role", &role, &ada).await };
    assert_eq!(after(&site, run, &olga, demote).await, Stream::GoesOn, "a viewer may read");
    let note = post(&site, "/api/runs/note", &format!("run={run}&step=0&text=x"), &olga).await;
    assert_eq!(note.status, StatusCode::FORBIDDEN, "and the role is gone at once: {}", note.body);

    let end = async { done(&site, "/api/people/end-sessions", &of_olga, &ada).await };
    assert_eq!(after(&site, run, &olga, end).await, Stream::Over, "an administrator ended them");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_ends_at_once_when_its_person_is_disabled() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let started = post(&site, "/api/runs/start", "slug=count&target=local&key=k", &ada).await;
    let run: u32 = started.body.trim().parse().unwrap();
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    let person = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;

    let disable = async { done(&site, "/api/people/disable", &format!("person={person}"), &ada).await };

    assert_eq!(after(&site, run, &olga, disable).await, Stream::Over);
    assert!(!is_in(&site, &olga).await);
}

#[tokio::test]
async fn nobody_but_an_administrator_ends_the_sessions_of_others() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let lead = site.person("lena", "Lena", "lead", &ada).await;
    let person = site.portal.store().person_by_login("ada").await.unwrap().unwrap().id;

    let answer = post(&site, "/api/people/end-sessions", &format!("person={person}"), &lead).await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(is_in(&site, &ada).await);
}

#[tokio::test]
async fn a_question_for_a_passkey_takes_the_password_and_an_answer_that_is_none_adds_nothing() {
    let site = Served::start_as(None).await;
    let ada = site.administrator().await;
    let ask = "/api/account/passkeys/ask-for-new";

    refused(&site, ask, "password=wrong", &ada, "present password is wrong").await;
    refused(&site, "/api/account/passkeys/ask", "", &ada, "You have no passkey").await;
    let question = post(&site, ask, &format!("password={}", password()), &ada).await;
    assert!(question.body.contains("challenge"), "{}", question.body);
    refused(&site, "/api/account/passkeys/add", "name=laptop&made=%7B%7D", &ada, "could not be taken").await;
    refused(&site, "/api/account/passkeys/add", "name=laptop&made=%7B%7D", &ada, "could not be taken").await;

    assert!(!view(&site, &ada).await.factors.any());
}

#[tokio::test]
async fn the_page_to_sign_in_says_what_to_do_about_a_forgotten_password() {
    let site = Served::start().await;

    let page = site.get("/sign-in", "").await;

    assert!(page.body.contains("An administrator can give you another one"), "{}", page.body);
}

#[tokio::test]
async fn a_new_account_can_have_a_mail_address_from_the_beginning() {
    let site = Served::start().await;
    let ada = site.administrator().await;
    let create = async |login: &str, mail: &str| {
        let password = PASSWORD.replace(' ', "+");
        let form = format!("login={login}&name=Olga&role=operator&password={password}&mail={mail}");
        site.send(call("/api/people/create").header(header::COOKIE, &ada).body(Body::from(form)).unwrap()).await
    };

    let wrong = create("otto", "nowhere").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert!(wrong.body.contains("This is no mail address"), "{}", wrong.body);
    assert_eq!(create("olga", "olga%40example.com").await.status, StatusCode::OK);
    let page = site.get("/people", &ada).await.body;
    assert!(page.contains("olga@example.com") && !page.contains("otto"), "{page}");
    let field = page.split('<').find(|mark| mark.contains("id=\"new-mail\"")).unwrap();
    assert!(field.starts_with("input") && field.contains("name=\"mail\""), "the form asks for it: {field}");
}
