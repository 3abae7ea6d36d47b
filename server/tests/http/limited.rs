//! What is limited to a group is not there for anybody else: by every address, in every list, on every stream.

use std::time::Duration;

use app::api::{POLICY, Policy, policy};
use axum::body::{Body, BodyDataStream};
use domain::RunId;
use domain::frame::{Cursor, Frame};
use domain::policy::{Role, Sight, allows, typed_groups};
use domain::run::Event;
use futures::StreamExt as _;
use http::{Method, StatusCode, header};
use server::http::routes;
use tower::ServiceExt as _;

use crate::approval_pages::text;
use crate::site::{Answer, Served, call, page, someone};
use crate::tokens::{made, script, sends};

/// Within this a stream has to be over.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Longer than a line takes that is told at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// One procedure for everybody and one for the keepers, whose name stands in the table of contents as well.
const DOCUMENT: &str = "# Operations

- [Restart the shop](#restart-the-shop)
- [Open the vault](#open-the-vault): for the keepers alone

## Restart the shop

### Trigger Conditions

- The shop is shut

### Steps

1. **Stop it**

   ```bash
   docker stop no-such-container || true
   ```

2. **Tidy up**

   ```bash
   rm -r /no/such/cupboard
   ```

## Open the vault

### Trigger Conditions

- The vault stays dark

### Steps

1. **Turn the key**

   ```bash
   echo \"gold-$((6*7)) WORD\"
   ```

2. **Close the shop**

   ```bash
   docker stop no-such-container || true
   ```

3. **Empty it**

   ```bash
   rm -r /no/such/chest
   ```

4. **Wait**

   ```bash
   read -r go
   ```

### Expected Outcome

- The chest is open
";

const SIDE: &str = "[procedure.\"Open the vault\"]
visible_to = [\"keepers\"]

[procedure.\"Open the vault\".parameter.word]
placeholder = \"WORD\"
type = \"text\"
";

/// What nobody outside of the group may read: title, text, commands, values, output, reasons.
const SECRETS: [&str; 10] = [
    "Open the vault",
    "for the keepers alone",
    "The vault stays dark",
    "Turn the key",
    "/no/such/chest",
    "The chest is open",
    "moonstone",
    "gold-42",
    "the hinge is rusty",
    "the chest is full",
];

/// Run 1 is open and holds the lock, its third step waits for an approval; run 2 is closed, and something in its output is to be
/// covered; run 3 is of the other procedure.
struct Vault {
    site: Served,
    ada: String,
    /// Outside of the group: a viewer, an operator, a lead.
    vera: String,
    otto: String,
    lars: String,
    /// Inside: an operator, a lead.
    olga: String,
    lena: String,
}

impl Vault {
    async fn with(document: &str, beside: &str) -> Self {
        let site = Served::with_side_file("operations.md", document, beside).await;
        let ada = site.administrator().await;
        let vera = site.person("vera", "Vera", "viewer", &ada).await;
        let otto = site.person("otto", "Otto", "operator", &ada).await;
        let lars = site.person("lars", "Lars", "lead", &ada).await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        let lena = site.person("lena", "Lena", "lead", &ada).await;
        let vault = Self { site, ada, vera, otto, lars, olga, lena };
        vault.put("olga", "keepers").await;
        vault.put("lena", "keepers, on-call").await;
        vault
    }

    async fn open() -> Self {
        let vault = Self::with(DOCUMENT, SIDE).await;
        let start = "slug=open-the-vault&target=&reason=the+hinge+is+rusty&values[word]=moonstone&key=";
        for key in ["one", "two"] {
            vault.done("/api/runs/start", &format!("{start}{key}"), &vault.olga).await;
        }
        vault.done("/api/runs/start", "slug=restart-the-shop&target=&key=three", &vault.otto).await;
        vault.runs(1, 1, "").await;
        vault.runs(1, 2, "&outage=nobody+is+there").await;
        let ask = "run=1&request=1&wanted[s3.1]=on&reason=the+chest+is+full";
        vault.done("/api/approvals/ask", ask, &vault.olga).await;
        vault.runs(2, 1, "").await;
        let cover = "run=2&step=1&attempt=1&text=gold-42&reason=the+chest+is+full";
        vault.done("/api/redactions/ask", cover, &vault.ada).await;
        vault.done("/api/runs/finish", "run=2&verdict=not_reached&comment=enough", &vault.olga).await;
        vault
    }

    /// Lets Olga run a step to its end.
    async fn runs(&self, run: i64, step: u32, more: &str) {
        let form = format!("run={run}&step={step}&attempt=1&commands=1{more}");
        self.done("/api/runs/run", &form, &self.olga).await;
        let (viewer, cursor) = (someone(Role::Administrator), Cursor { version: 0, step: 0, attempt: 0, offset: 0 });
        let mut frames = self.site.portal.watch(viewer.viewer().unwrap(), RunId(run), cursor).await.unwrap();
        while let Some(framed) = frames.next().await {
            let Frame::Event { entry } = framed.frame else { continue };
            if matches!(entry.event, Event::AttemptEnded { step: ended, .. } if ended == step) {
                return;
            }
        }
        panic!("the stream of run {run} ended before its step {step}");
    }

    async fn post(&self, path: &str, form: &str, cookie: &str) -> Answer {
        self.site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn done(&self, path: &str, form: &str, cookie: &str) {
        let answer = self.post(path, form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
    }

    /// Puts somebody into groups.
    async fn put(&self, login: &str, groups: &str) {
        let person = self.site.portal.store().person_by_login(login).await.unwrap().unwrap().id;
        let form = format!("person={person}&groups={}", groups.replace(' ', "+"));
        self.done("/api/people/groups", &form, &self.ada).await;
    }

    /// Everybody outside of the group, with their roles.
    fn outside(&self) -> [(&String, Role); 3] {
        [(&self.vera, Role::Viewer), (&self.otto, Role::Operator), (&self.lars, Role::Lead)]
    }

    /// Everybody inside, and who sees everything.
    fn inside(&self) -> [(&String, Role); 3] {
        [(&self.olga, Role::Operator), (&self.lena, Role::Lead), (&self.ada, Role::Administrator)]
    }

    async fn versions(&self) -> Vec<u64> {
        let mut versions = Vec::new();
        for run in [1, 2] {
            let run = self.site.portal.store().run(RunId(run), &Sight::EVERYTHING).await.unwrap();
            versions.push(run.unwrap().version);
        }
        versions
    }

    /// Opens a stream; the answer has to be a good one.
    async fn stream(&self, request: http::Request<Body>) -> BodyDataStream {
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().into_data_stream()
    }

    /// The stream of a run's page.
    async fn watch(&self, run: i64, cookie: &str) -> BodyDataStream {
        let form = WATCH.replace("RUN", &run.to_string());
        self.stream(call("/api/runs/watch").header(header::COOKIE, cookie).body(Body::from(form)).unwrap()).await
    }

    /// The numbers that the stream of the inbox tells.
    async fn waiting(&self, cookie: &str) -> BodyDataStream {
        self.stream(call(routes::WAITING).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
    }
}

const WATCH: &str = "run=RUN&cursor[version]=0&cursor[step]=0&cursor[attempt]=0&cursor[offset]=0";

/// The next piece of a stream.
async fn next(stream: &mut BodyDataStream) -> String {
    let piece = tokio::time::timeout(PATIENCE, stream.next()).await.expect("it is told at once");
    String::from_utf8_lossy(&piece.expect("the stream goes on").unwrap()).into_owned()
}

/// Waits for the end of a stream.
async fn is_over(stream: &mut BodyDataStream) -> bool {
    let to_the_end = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(AT_ONCE, to_the_end).await.is_ok()
}

fn says_nothing(what: &str, body: &str) {
    for secret in SECRETS {
        assert!(!body.contains(secret), "{what} tells \u{201c}{secret}\u{201d}: {body}");
    }
}

/// How an address meets what is limited.
enum Meets {
    /// It is asked for one thing by its name; `RUN` and `SLUG` stand for that.
    ByName(&'static str),
    /// It lists, of which what is limited is a part.
    Lists,
    /// It has nothing to do with procedures and runs, or is for who looks after people.
    Nothing,
}

/// Every server function has to be here: one that is not, nobody has thought of.
fn meets(path: &str) -> Meets {
    use Meets::{ByName, Lists, Nothing};
    match path {
        "/api/pages/procedure" | "/api/looks/start" => ByName("slug=SLUG"),
        "/api/pages/run" | "/api/looks/run" => ByName("run=RUN"),
        "/api/pages/approval" | "/api/approvals/cancel" => ByName("run=RUN&request=1"),
        "/api/pages/redaction" => ByName("run=RUN&number=1"),
        "/api/approvals/ask" | "/api/approvals/break-glass" => {
            ByName("run=RUN&request=2&wanted[s3.1]=on&reason=because")
        }
        "/api/approvals/decide" => ByName("run=RUN&request=1&decision=reject&reason=because"),
        "/api/approvals/review" => ByName("run=RUN&request=1&comment=because"),
        "/api/redactions/ask" => ByName("run=RUN&step=1&attempt=1&text=42&reason=because"),
        "/api/redactions/decide" => ByName("run=RUN&number=1&decision=reject&reason=because"),
        "/api/runs/start" => ByName("slug=SLUG&target=&key=another"),
        "/api/runs/watch" => ByName(WATCH),
        "/api/runs/log" => ByName("run=RUN&step=1&attempt=1"),
        "/api/runs/value" => ByName("run=RUN&name=word&value=x"),
        "/api/runs/run" => ByName("run=RUN&step=1&attempt=2&commands=1"),
        "/api/runs/skip-command" => ByName("run=RUN&step=2&command=1&reason=because"),
        "/api/runs/skip-step" => ByName("run=RUN&step=4&reason=because"),
        "/api/runs/complete" => ByName("run=RUN&step=4"),
        "/api/runs/tick" | "/api/runs/untick" => ByName("run=RUN&step=0&item=1"),
        "/api/runs/note" => ByName("run=RUN&step=0&text=because"),
        "/api/runs/finish" => ByName("run=RUN&verdict=reached"),
        "/api/runs/take-over" | "/api/runs/take-lock" | "/api/runs/abort" => ByName("run=RUN&reason=because"),
        "/api/runs/directory" => ByName("run=RUN&path=/"),
        "/api/runs/add-step" => ByName("run=RUN&after=1&place=5&text=ls&reason=because"),
        "/api/runs/input" => ByName("run=RUN&step=1&attempt=1&command=1&number=1&line=x"),
        "/api/runs/keys" => ByName("run=RUN&step=1&attempt=1&command=1&number=1&typed[line]=x"),
        "/api/runs/end-watch" => ByName("run=RUN&step=1&attempt=1&command=1"),
        "/api/runs/stop" => ByName("run=RUN&step=1&attempt=1"),
        "/api/pages/home"
        | "/api/pages/search"
        | "/api/pages/history"
        | "/api/pages/documents"
        | "/api/pages/approvals"
        | "/api/pages/audit"
        | "/api/session"
        | "/api/pages/account" => Lists,
        path if path.starts_with("/api/account/") || path.starts_with("/api/people/") => Nothing,
        // The numbers of the stream of the inbox have a test of their own.
        "/api/approvals/watch"
        | "/api/welcome"
        | "/api/sign-in"
        | "/api/set-up"
        | "/api/sign-out"
        | "/api/pages/own-mail"
        | "/api/pages/people"
        | "/api/pages/deliveries"
        | "/api/audit/verify" => Nothing,
        other => panic!("say here how {other} meets what is limited"),
    }
}

fn is_for(path: &str, role: Role) -> bool {
    matches!(policy(path), Some(Policy::Verb(verb)) if allows(role, verb))
}

/// A form about run 1 or 2 and the limited procedure, or about such as are not there.
fn named(form: &str, run: &str) -> String {
    let slug = if run == "99" { "no-such-procedure" } else { "open-the-vault" };
    form.replace("RUN", run).replace("SLUG", slug)
}

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
    let mut output = vault.stream(follow.body(Body::empty()).unwrap()).await;
    let mut olgas = vault.watch(1, &vault.olga).await;
    next(&mut frames).await;
    next(&mut olgas).await;

    vault.put("lena", "on-call").await;

    assert!(is_over(&mut frames).await, "the stream of the page");
    assert!(is_over(&mut output).await, "the raw output");
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

    assert!(is_over(&mut frames).await);
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
    let password = crate::site::PASSWORD.replace(' ', "+");
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
        vault.stream(script(Method::POST, path, &token).body(Body::from(form)).unwrap()).await
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
    assert!(is_over(&mut frames).await, "she herself sees everything, and the script does not");
}
