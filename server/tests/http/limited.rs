//! What is limited to a group is not there for anybody else: by every address, in every list, on every stream.

pub mod scene;

use app::api::POLICY;
use axum::body::Body;
use domain::policy::{Role, typed_groups};
use http::{Method, StatusCode, header};
use server::http::routes;

use self::scene::{DOCUMENT, Meets, SIDE, Vault, is_for, meets, named, next, says_nothing};
use crate::approval_pages::text;
use crate::site::{AT_ONCE, PASSWORD, WATCH, is_over, page};
use crate::tokens::{made, script, sends};

#[tokio::test(flavor = "multi_thread")]
async fn every_server_function_answers_outside_of_the_group_as_if_it_were_not_there() {
    let vault = Vault::open().await;
    let before = vault.versions().await;
    let mut looked = 0;

    for (path, _) in POLICY {
        for (cookie, role) in vault.outside() {
            match meets(path) {
                Meets::ByName(form) => {
                    let absent = vault.post(path, &named(form, "99"), cookie).await;
                    for run in ["1", "2"] {
                        let answer = vault.post(path, &named(form, run), cookie).await;
                        let expected = if is_for(path, role) { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
                        assert_eq!(answer.status, expected, "{path} for a {role}: {}", answer.body);
                        assert_eq!((answer.status, &answer.body), (absent.status, &absent.body), "{path}, a {role}");
                        looked += 1;
                    }
                }
                Meets::Lists if is_for(path, role) => {
                    let answer = vault.post(path, "portal_only=false", cookie).await;
                    assert_eq!(answer.status, StatusCode::OK, "{path} for a {role}: {}", answer.body);
                    says_nothing(&format!("{path} for a {role}"), &answer.body);
                    looked += 1;
                }
                Meets::Lists | Meets::Nothing => {}
            }
        }
    }

    assert!(looked > 150, "{looked}");
    assert_eq!(vault.versions().await, before, "nothing has happened in these runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_and_resource_is_not_there_outside_of_the_group() {
    let vault = Vault::open().await;
    let by_name = |path: &str| match path {
        "/procedures/{slug}" => vec!["/procedures/open-the-vault", "/procedures/open-the-vault?look="],
        "/runs/{id}" => vec!["/runs/1", "/runs/2", "/runs/1?step=1&attempt=1", "/runs/2?step=1&attempt=1&from=0"],
        "/approvals/{id}" => vec!["/approvals/1-1"],
        routes::OUTPUT => {
            vec!["/runs/1/output/1/1", "/runs/1/output/1/1?download=1", "/runs/2/output/1/1?follow=1&from=2"]
        }
        routes::EVIDENCE => vec!["/runs/1/evidence", "/runs/2/evidence"],
        _ => Vec::new(),
    };
    let lists = |path: &str| match path {
        "/" => vec!["/"],
        "/history" => vec!["/history", "/history?verdict=open", "/history?words=rusty", "/history?before=3"],
        "/documents" => vec!["/documents"],
        "/alerts/{name}" => vec!["/alerts/VaultDark"],
        "/approvals" => vec!["/approvals"],
        "/audit" => vec!["/audit", "/audit?of=portal"],
        "/account" => vec!["/account"],
        _ => Vec::new(),
    };
    // What names nobody and nothing.
    let other = [
        "/sign-in",
        "/set-up",
        "/people",
        routes::ALIVE,
        routes::READY,
        routes::METRICS,
        routes::TRIAL,
        routes::ALERTS,
        routes::SIGN_IN_WITH,
        routes::SIGN_IN_BACK,
    ];

    for &(path, _) in routes::PAGES.iter().chain(routes::RESOURCES) {
        let (names, lists) = (by_name(path), lists(path));
        assert!(!names.is_empty() || !lists.is_empty() || other.contains(&path), "say here how {path} meets it");
        for (cookie, role) in vault.outside() {
            for address in &names {
                let answer = vault.site.get(address, cookie).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{address} for a {role}: {}", answer.body);
                says_nothing(&format!("{address} for a {role}"), &answer.body);
            }
            for address in &lists {
                let answer = vault.site.get(address, cookie).await;
                let expected =
                    if path == "/audit" && role < Role::Lead { StatusCode::FORBIDDEN } else { StatusCode::OK };
                assert_eq!(answer.status, expected, "{address} for a {role}");
                says_nothing(&format!("{address} for a {role}"), &answer.body);
            }
        }
        for (cookie, role) in vault.inside() {
            // What runs on and on is looked at elsewhere.
            for address in names.iter().filter(|address| !address.contains("follow")) {
                let answer = vault.site.get(address, cookie).await;
                assert_eq!(answer.status, StatusCode::OK, "{address} for a {role}: {}", answer.body);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inside_of_the_group_everything_is_there() {
    let vault = Vault::open().await;
    let expected = [
        ("/api/pages/procedure", "slug=open-the-vault", "Turn the key"),
        ("/api/pages/run", "run=1", "moonstone"),
        ("/api/pages/run", "run=2", "gold-42"),
        ("/api/runs/log", "run=1&step=1&attempt=1", "gold-42"),
        ("/api/runs/lines", "run=1&step=1&attempt=1", "gold-42"),
        ("/api/runs/find", "run=1&step=1&attempt=1&wanted[text]=GOLD&around=1", "\"count\":1"),
        ("/api/runs/text", "run=1&step=1&attempt=1&from=1&to=9", "gold-42"),
        ("/api/pages/approval", "run=1&request=1", "/no/such/chest"),
        ("/api/pages/home", "", "the hinge is rusty"),
        ("/api/pages/search", "", "The vault stays dark"),
        ("/api/pages/history", "", "the hinge is rusty"),
        ("/api/pages/documents", "", "Open the vault"),
        ("/api/pages/approvals", "", "the chest is full"),
    ];

    for (cookie, role) in vault.inside() {
        for (path, form, words) in expected {
            let answer = vault.post(path, form, cookie).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} for a {role}: {}", answer.body);
            assert!(answer.body.contains(words), "{path} for a {role} does not tell \u{201c}{words}\u{201d}");
        }
        let mut frames = vault.watch(1, cookie).await;
        let mut told = String::new();
        while !told.contains("gold-42") {
            told.push_str(&next(&mut frames).await);
        }
    }
    vault.done("/api/runs/note", "run=1&step=0&text=at+work", &vault.olga).await;
    let audit = vault.post("/api/pages/audit", "portal_only=false", &vault.lena).await;
    assert!(!audit.body.contains("\"hidden\":true"), "{}", audit.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_limited_in_parts_shows_the_rest_and_says_so() {
    let vault = Vault::open().await;

    let hers = text(&vault.site.get("/documents", &vault.vera).await.body);
    let olgas = text(&vault.site.get("/documents", &vault.olga).await.body);

    assert!(hers.contains("Restart the shop") && hers.contains("Only a part of this document is for you"), "{hers}");
    assert!(olgas.contains("Text that belongs to no procedure") && !olgas.contains("Only a part"), "{olgas}");
    vault.site.write("operations.portal.toml", &format!("visible_to = [\"keepers\"]\n{SIDE}"));
    let nothing = text(&vault.site.get("/documents", &vault.vera).await.body);
    assert!(!nothing.contains("operations.md") && nothing.contains("No document yet"), "{nothing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_wants_the_target_is_told_who_holds_it_and_not_for_what() {
    let vault = Vault::open().await;
    let told = "local is held by run 1, which is limited to others, since";

    let refused = vault.post("/api/runs/run", "run=3&step=1&attempt=1&commands=1&outage=now", &vault.otto).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(refused.body.contains(told) && refused.body.contains("Olga works in it"), "{}", refused.body);
    let page = vault.site.get("/runs/3", &vault.otto).await.body;
    assert!(text(&page).contains(told) && !page.contains("href=\"/runs/1\""), "{page}");
    let look = vault.post("/api/looks/run", "run=3", &vault.otto).await.body;
    assert!(look.contains(told), "{look}");
    vault.done("/api/approvals/ask", "run=3&request=1&wanted[s2.1]=on&reason=now", &vault.otto).await;
    let decision = vault.site.get("/approvals/3-1", &vault.lars).await.body;
    assert!(text(&decision).contains("Olga, run 1, limited to others (destroys)"), "{}", text(&decision));

    for body in [&refused.body, &page, &look, &decision] {
        says_nothing("the lock", body);
    }
    let hers = vault.site.get("/runs/3", &vault.lena).await.body;
    assert!(text(&hers).contains("Open the vault") && hers.contains("href=\"/runs/1\""), "{hers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_keeps_the_place_of_every_event_and_tells_of_hidden_runs_nothing_else() {
    let vault = Vault::open().await;
    vault.done("/api/runs/start", "slug=restart-the-shop&target=&key=four", &vault.lena).await;
    let told = vault.post("/api/runs/run", "run=4&step=1&attempt=1&commands=1&outage=now", &vault.lena).await;
    assert!(told.body.contains("Open the vault"), "she is told which run holds the target: {}", told.body);
    vault.post("/api/runs/note", "run=1&step=0&text=let+me+in", &vault.otto).await;

    let larss = vault.site.get("/audit", &vault.lars).await.body;
    let adas = vault.site.get("/audit", &vault.ada).await.body;
    let rows = |body: &str| body.matches("<tr").count();

    assert!(text(&larss).contains("about a run that is limited to others"), "{larss}");
    assert!(!larss.contains("href=\"/runs/1\"") && larss.contains("href=\"/runs/3\""), "{larss}");
    assert_eq!(rows(&larss), rows(&adas));
    assert!(!adas.contains("about a run that is limited") && adas.contains("href=\"/runs/1\""), "{adas}");
    let portal = text(&vault.site.get("/audit?of=portal", &vault.ada).await.body);
    assert!(portal.contains("what: run 1"), "that Otto tried is recorded: {portal}");
    says_nothing("what Lena was told", &vault.site.get("/audit?of=portal", &vault.lars).await.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_at_once_when_somebody_leaves_the_group() {
    let vault = Vault::with(DOCUMENT, SIDE).await;
    let start = "slug=open-the-vault&target=&values[word]=moonstone&key=one";
    vault.done("/api/runs/start", start, &vault.olga).await;
    vault.done("/api/runs/run", "run=1&step=4&attempt=1&commands=1", &vault.olga).await;
    let mut frames = vault.watch(1, &vault.lena).await;
    let follow = page("/runs/1/output/4/1?follow=1").header(header::COOKIE, &vault.lena);
    let mut output = vault.site.stream(follow.body(Body::empty()).unwrap()).await;
    let mut olgas = vault.watch(1, &vault.olga).await;
    next(&mut frames).await;
    next(&mut olgas).await;

    vault.put("lena", "on-call").await;

    assert!(is_over(&mut frames, AT_ONCE).await, "the stream of the page");
    assert!(is_over(&mut output, AT_ONCE).await, "the raw output");
    let again = vault.post("/api/runs/watch", &WATCH.replace("RUN", "1"), &vault.lena).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    vault.done("/api/runs/note", "run=1&step=0&text=still+here", &vault.olga).await;
    let mut told = String::new();
    while !told.contains("still here") {
        told.push_str(&next(&mut olgas).await);
    }
    vault.done("/api/runs/stop", "run=1&step=4&attempt=1", &vault.olga).await;
    vault.site.settled(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_when_the_documents_limit_what_they_show() {
    let vault = Vault::with(DOCUMENT, "").await;
    vault.done("/api/runs/start", "slug=restart-the-shop&target=&key=one", &vault.otto).await;
    let mut frames = vault.watch(1, &vault.vera).await;
    next(&mut frames).await;

    vault.site.write("operations.portal.toml", "[procedure.\"Restart the shop\"]\nvisible_to = [\"keepers\"]\n");
    // Whoever looks next has the documents read.
    assert_eq!(vault.site.get("/", &vault.olga).await.status, StatusCode::OK);

    assert!(is_over(&mut frames, AT_ONCE).await);
    assert_eq!(vault.site.get("/runs/1", &vault.vera).await.status, StatusCode::NOT_FOUND, "limited afterwards");
    assert_eq!(vault.site.get("/runs/1", &vault.olga).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_what_waits_is_of_what_one_sees() {
    let vault = Vault::open().await;
    let (mut larss, mut lenas) = (vault.waiting(&vault.lars).await, vault.waiting(&vault.lena).await);

    assert_eq!((next(&mut larss).await.as_str(), next(&mut lenas).await.as_str()), ("0\n", "2\n"));
    vault.put("lars", "keepers").await;
    assert_eq!(next(&mut larss).await, "2\n", "a request and a redaction");
    vault.put("lena", "").await;
    assert_eq!(next(&mut lenas).await, "0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_stays_limited_as_it_was_started_when_the_limit_is_lifted_or_the_procedure_is_gone() {
    let vault = Vault::open().await;
    let seen = async |path: &str, cookie: &str| vault.site.get(path, cookie).await.status == StatusCode::OK;

    let lifted = SIDE.replace("visible_to = [\"keepers\"]\n", "");
    vault.site.write("operations.portal.toml", &lifted);
    assert!(seen("/procedures/open-the-vault", &vault.vera).await);
    assert!(!seen("/runs/1", &vault.vera).await && !seen("/runs/2", &vault.vera).await);
    let procedure = vault.post("/api/pages/procedure", "slug=open-the-vault", &vault.vera).await.body;
    assert!(!procedure.contains("the hinge is rusty") && !procedure.contains("moonstone"), "{procedure}");
    let history = text(&vault.site.get("/history", &vault.vera).await.body);
    assert!(!history.contains("the hinge is rusty"), "{history}");

    vault.site.write("operations.md", DOCUMENT.split("## Open the vault").next().unwrap());
    vault.site.write("operations.portal.toml", "");
    assert!(!seen("/runs/1", &vault.vera).await, "the procedure is gone");
    assert!(seen("/runs/1", &vault.olga).await);
    says_nothing("the history", &vault.site.get("/history", &vault.lars).await.body);

    vault.site.write("operations.md", DOCUMENT);
    vault.site.write("operations.portal.toml", &SIDE.replace("keepers", "on-call"));
    assert!(!seen("/runs/1", &vault.olga).await, "she would have to be in both groups");
    assert!(seen("/runs/1", &vault.lena).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_file_that_cannot_be_read_shows_nobody_more() {
    let vault = Vault::with(DOCUMENT, SIDE).await;
    assert_eq!(vault.site.get("/procedures/restart-the-shop", &vault.vera).await.status, StatusCode::OK);

    vault.site.write("operations.portal.toml", &format!("{SIDE}directory = = 3\n"));

    for slug in ["open-the-vault", "restart-the-shop"] {
        let address = format!("/procedures/{slug}");
        for cookie in [&vault.vera, &vault.olga, &vault.lena] {
            assert_eq!(vault.site.get(&address, cookie).await.status, StatusCode::NOT_FOUND, "{address}");
        }
        assert_eq!(vault.site.get(&address, &vault.ada).await.status, StatusCode::OK, "{address}");
    }
    let told = text(&vault.site.get("/documents", &vault.ada).await.body);
    assert!(told.contains("until then only administrators do"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_puts_people_into_groups_and_the_record_says_so() {
    let vault = Vault::with(DOCUMENT, SIDE).await;
    let otto = vault.site.portal.store().person_by_login("otto").await.unwrap().unwrap().id;
    assert_eq!(vault.site.get("/procedures/open-the-vault", &vault.otto).await.status, StatusCode::NOT_FOUND);

    for cookie in [&vault.otto, &vault.lena] {
        let own = vault.post("/api/people/groups", &format!("person={otto}&groups=keepers"), cookie).await;
        assert_eq!(own.status, StatusCode::FORBIDDEN, "{}", own.body);
    }
    let wrong = vault.post("/api/people/groups", &format!("person={otto}&groups=the.keepers"), &vault.ada).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("A group has 1 to 40") && !wrong.body.contains("the.keepers"), "{}", wrong.body);
    let nobody = vault.post("/api/people/groups", "person=nobody&groups=keepers", &vault.ada).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND, "{}", nobody.body);
    vault.put("otto", "Keepers, night-shift").await;

    assert_eq!(vault.site.get("/procedures/open-the-vault", &vault.otto).await.status, StatusCode::OK);
    let account = text(&vault.site.get("/account", &vault.otto).await.body);
    assert!(account.contains("You are in these groups: keepers, night-shift."), "{account}");
    let people = vault.site.get("/people", &vault.ada).await.body;
    assert!(people.contains("Groups of Otto: keepers, night-shift"), "{people}");
    assert!(text(&people).contains("Known: keepers, night-shift, on-call."), "{people}");
    let audit = text(&vault.site.get("/audit?of=portal", &vault.ada).await.body);
    assert!(audit.contains("groups changed") && audit.contains("to: keepers, night-shift"), "{audit}");
    vault.put("otto", "").await;
    assert_eq!(vault.site.get("/procedures/open-the-vault", &vault.otto).await.status, StatusCode::NOT_FOUND);
    let audit = text(&vault.site.get("/audit?of=portal", &vault.ada).await.body);
    assert!(audit.contains("from: keepers, night-shift") && audit.contains("to: none"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_account_can_be_in_groups_from_the_beginning() {
    let vault = Vault::with(DOCUMENT, SIDE).await;
    let password = PASSWORD.replace(' ', "+");
    let form = format!("login=nina&name=Nina&role=viewer&password={password}&groups=keepers");

    vault.done("/api/people/create", &form, &vault.ada).await;

    let nina = vault.site.sign_in("nina").await;
    assert_eq!(vault.site.get("/procedures/open-the-vault", &nina).await.status, StatusCode::OK);
    let id = vault.site.portal.store().person_by_login("nina").await.unwrap().unwrap().id;
    assert_eq!(vault.site.portal.store().groups_of(&id).await.unwrap(), typed_groups("keepers").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_an_administrator_sees_what_its_own_role_and_their_groups_let_it_see() {
    let vault = Vault::open().await;
    let token = made(&vault.site, "name=nightly&role=operator&days=9", &vault.ada).await;
    let before = vault.versions().await;
    let stream = async |path: &str, form: String| {
        vault.site.stream(script(Method::POST, path, &token).body(Body::from(form)).unwrap()).await
    };

    for (path, _) in POLICY {
        let (Meets::ByName(form), true) = (meets(path), is_for(path, Role::Operator)) else { continue };
        let absent = sends(&vault.site, path, &named(form, "99"), &token).await;
        for run in ["1", "2"] {
            let answer = sends(&vault.site, path, &named(form, run), &token).await;
            // Some things no script does at all.
            assert!([StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&answer.status), "{path}: {}", answer.body);
            assert_eq!((answer.status, &answer.body), (absent.status, &absent.body), "{path}");
        }
    }
    let mut waiting = stream(routes::WAITING, String::new()).await;
    assert_eq!(next(&mut waiting).await, "0\n");
    assert_eq!(vault.versions().await, before, "nothing has happened in these runs");

    vault.put("ada", "keepers").await;
    assert_eq!(next(&mut waiting).await, "2\n");
    let mut frames = stream("/api/runs/watch", WATCH.replace("RUN", "1")).await;
    next(&mut frames).await;
    vault.put("ada", "").await;
    assert!(is_over(&mut frames, AT_ONCE).await, "she herself sees everything, and the script does not");
}
