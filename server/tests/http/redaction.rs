//! Covering something in stored output over HTTP: two people, a mask of equal length, a chain that stays whole, and no trace.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use domain::frame::{Cursor, Frame};
use domain::policy::Role;
use domain::run::{Event, Redaction, RedactionEnd, Run};
use domain::view::RunView;
use domain::{AttemptId, RunId};
use futures::StreamExt as _;
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use portal::{CheckpointSettings, KeptRecord};
use testkit::FixedClock;
use tower::ServiceExt as _;

use crate::approvals::{Authenticator, Scene};
use crate::site::{PASSWORD, Served, call, page, someone};

/// What should not have been printed. No document, plan or command has it.
const SECRET: &str = "hunter-otter";
const MASKED: &str = "************";

/// Prints it twice, in the second and the third of four lines.
const DOCUMENT: &str = "# Leak

## Steps

1. **Print**

   ```bash
   s=$(echo uhagre-bggre | tr a-z n-za-m); printf \"user olga\\ncalled $s\\nagain $s!\\n\"; echo end
   ```

2. **Wait**

   ```bash
   read -r go
   ```
";

const RUN: RunId = RunId(1);
const PRINTED: AttemptId = AttemptId { run: RUN, step: 1, attempt: 1 };
const OUTPUT: &str = "/runs/1/output/1/1";
const PAGE: &str = "/runs/1?step=1&attempt=1";

impl Scene {
    /// A run whose first step has printed the secret.
    async fn leaked() -> Self {
        Self::leaked_by(DOCUMENT).await
    }

    /// The same by another document.
    async fn leaked_by(document: &str) -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::by_clock_with(clock.clone(), "leak.md", document.as_bytes()).await;
        let ada = site.administrator().await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        let lena = site.person("lena", "Lena", "lead", &ada).await;
        let lars = site.person("lars", "Lars", "lead", &ada).await;
        let scene = Self { site, clock, ada, olga, lena, lars, backup: String::new() };
        scene.done("/api/runs/start", "slug=leak&target=local&key=leak", &scene.olga).await;
        scene.done("/api/runs/run", "run=1&step=1&attempt=1&commands=1", &scene.olga).await;
        scene.site.settled(1).await;
        assert!(scene.site.get(OUTPUT, &scene.olga).await.body.contains(SECRET));
        scene
    }

    /// The same, with the run closed.
    async fn closed() -> Self {
        let scene = Self::leaked().await;
        scene.done("/api/runs/finish", "run=1&verdict=not_reached&comment=it+leaked", &scene.olga).await;
        scene
    }

    /// Ada asks for the secret to be covered wherever it stands.
    async fn asks(&self) {
        self.done("/api/redactions/ask", &ask(&format!("text={SECRET}")), &self.ada).await;
    }

    async fn confirm(&self, cookie: &str, code: &str) -> crate::site::Answer {
        let form = format!("run=1&number=1&decision=confirm&code={code}");
        self.post("/api/redactions/decide", &form, cookie).await
    }

    /// A code that was not used yet.
    fn next_code(&self, authenticator: &Authenticator) -> String {
        self.clock.advance(60_000);
        authenticator.code(self)
    }

    async fn redacted_run(&self) -> Run {
        self.run(1).await
    }

    async fn only_redaction(&self) -> Redaction {
        let [redaction] = self.redacted_run().await.redactions.try_into().unwrap();
        redaction
    }

    /// What came back, byte for byte.
    async fn bytes(&self, path: &str, cookie: &str) -> Vec<u8> {
        let request = page(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        let response = self.site.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    }

    /// What verification finds, and how many outputs hold.
    async fn verified(&self) -> (Vec<String>, u64) {
        let record = KeptRecord::open(&self.site.path("data"), &CheckpointSettings::default(), None).await.unwrap();
        let found = record.verify(|_, _| {}).await.unwrap();
        (found.findings.into_iter().map(|finding| finding.why).collect(), found.outputs)
    }
}

fn ask(what: &str) -> String {
    format!("run=1&step=1&attempt=1&{what}&reason=a+password+was+printed")
}

fn log_of(site: &Served) -> std::path::PathBuf {
    site.path("data/runs/1/1-1/out.log")
}

/// The files below a folder that have some bytes in them.
fn traces(folder: &Path, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(traces(&entry.path(), bytes));
        } else if entry.file_type().unwrap().is_file() {
            let content = std::fs::read(entry.path()).unwrap();
            if content.windows(bytes.len()).any(|window| window == bytes) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_cover_a_secret_and_nothing_of_it_is_left_anywhere() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let before = scene.bytes(OUTPUT, &scene.olga).await;
    assert_eq!(traces(&scene.site.path("data"), SECRET.as_bytes()).len(), 1, "it is where it is looked for");

    scene.asks().await;
    let waiting = scene.site.get(PAGE, &scene.lena).await.body;
    for words in
        ["Ada wants 24 bytes in 2 places covered", "a password was printed", &format!("called {MASKED}"), "Line 3"]
    {
        assert!(waiting.contains(words), "{words}: {waiting}");
    }
    let answer = scene.confirm(&scene.lena, &codes[0]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

    let after = scene.bytes(OUTPUT, &scene.olga).await;
    assert_eq!(String::from_utf8(after.clone()).unwrap(), String::from_utf8(before).unwrap().replace(SECRET, MASKED));
    for cookie in [&scene.olga, &scene.ada] {
        let shown = scene.site.get(PAGE, cookie).await.body;
        assert!(shown.contains(&format!("called {MASKED}")) && !shown.contains(SECRET), "{shown}");
        assert!(shown.contains("24 bytes in 2 places covered on") && shown.contains("by Ada and Lena"), "{shown}");
        assert!(shown.contains("Lena confirmed redaction 1-1"), "{shown}");
    }
    for path in ["/history?words=called", "/audit", "/", "/documents"] {
        assert!(!scene.site.get(path, &scene.ada).await.body.contains(SECRET), "{path}");
    }
    for (path, form) in [("/api/runs/log", "run=1&step=1&attempt=1&from=0"), ("/api/pages/search", "")] {
        let answer = scene.post(path, form, &scene.ada).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        assert!(!answer.body.contains(SECRET), "{path}");
        assert_eq!(answer.body.contains(MASKED), path.ends_with("log"), "{path}");
    }
    assert!(scene.site.get("/audit", &scene.ada).await.body.contains("output redacted"));
    assert!(scene.redacted_run().await.end.is_some(), "the run stays closed");

    let bundle = scene.bytes("/runs/1/evidence", &scene.ada).await;
    let proof = audit::bundle::check(bundle.as_slice(), None).unwrap();
    assert_eq!(proof.outputs.iter().map(|output| output.id).collect::<Vec<_>>(), [PRINTED]);
    assert!(proof.missing.is_empty());
    assert!(!bundle.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()));
    assert_eq!(scene.verified().await, (Vec::new(), 1));
    assert_eq!(traces(&scene.site.path("data"), SECRET.as_bytes()), [""; 0]);
    assert!(scene.site.portal.store().redactions_to_finish().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_asks_and_only_another_person_with_a_second_factor_confirms() {
    let scene = Scene::leaked().await;
    let (adas, olgas, lenas) = (scene.codes("ada").await, scene.codes("olga").await, scene.codes("lena").await);
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;
    for cookie in [&vera, &scene.olga, &scene.lena] {
        let answer = scene.post("/api/redactions/ask", &ask(&format!("text={SECRET}")), cookie).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
        assert!(!scene.site.get(PAGE, cookie).await.body.contains("Cover something in this output"));
    }
    assert!(scene.site.get(PAGE, &scene.ada).await.body.contains("Cover something in this output"));
    scene.asks().await;
    let before = scene.redacted_run().await.version;
    let second = {
        let form = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
        scene.site.send(call("/api/sign-in").body(Body::from(form)).unwrap()).await.cookie()
    };

    let tries = [
        (&scene.ada, adas[0].as_str(), StatusCode::FORBIDDEN, "her own"),
        (&second, &adas[0], StatusCode::FORBIDDEN, "her own from a second session"),
        (&vera, "", StatusCode::FORBIDDEN, "a viewer's"),
        (&scene.olga, &olgas[0], StatusCode::FORBIDDEN, "an operator's"),
        (&scene.lena, "", StatusCode::CONFLICT, "one without a code"),
        (&scene.lena, &olgas[0], StatusCode::UNPROCESSABLE_ENTITY, "one with another person's code"),
    ];
    for (cookie, code, status, which) in tries {
        let answer = scene.confirm(cookie, code).await;
        assert_eq!(answer.status, status, "{which}: {}", answer.body);
        assert_eq!(scene.redacted_run().await.version, before, "{which}");
    }
    scene.role("ada", "administrator").await;
    assert!(scene.site.get(OUTPUT, &scene.olga).await.body.contains(SECRET), "nothing was covered");
    let own = scene.site.get(PAGE, &scene.ada).await.body;
    assert!(own.contains("Take back redaction 1-1") && own.contains("another person has to confirm it"), "{own}");
    assert!(!scene.site.get(PAGE, &scene.olga).await.body.contains("Confirm and cover"));

    assert_eq!(scene.confirm(&scene.lena, &lenas[0]).await.status, StatusCode::OK, "none of that used up her code");
    assert!(!scene.site.get(OUTPUT, &scene.olga).await.body.contains(SECRET));
    assert_eq!(scene.confirm(&scene.lena, &lenas[1]).await.status, StatusCode::CONFLICT, "twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_run_comes_with_what_waits_to_be_covered_in_its_output_for_whoever_decides() {
    let scene = Scene::leaked().await;
    scene.asks().await;
    let came = async |form: &str, cookie: &str| {
        let answer = scene.post("/api/pages/run", form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{form}: {}", answer.body);
        let view: RunView = serde_json::from_str(&answer.body).unwrap();
        view.redaction.map(|redaction| (redaction.number, redaction.places.len()))
    };

    assert_eq!(came("run=1&step=1&attempt=1", &scene.lena).await, Some((1, 2)));
    assert_eq!(came("run=1&step=1", &scene.lena).await, Some((1, 2)), "it is the last attempt");
    assert_eq!(came("run=1&step=2", &scene.lena).await, None, "another output");
    assert_eq!(came("run=1&step=1&attempt=1", &scene.olga).await, None, "she decides nothing");
    let waiting = scene.site.get(PAGE, &scene.lena).await.body;
    assert!(waiting.contains("Confirm and cover, redaction 1-1"), "{waiting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nowhere_in_the_output_is_said_and_nothing_is_recorded() {
    let scene = Scene::leaked().await;
    let before = scene.redacted_run().await.version;
    let head = scene.site.portal.store().chain_head().await.unwrap().seq;

    let long = format!("text={}", "x".repeat(4097));
    for (what, words) in [
        ("text=no-such-otter", "This text is nowhere in the output"),
        ("unit=lines&range=9", "does not have these lines"),
        ("", "Name either the text or where it stands"),
        ("text=otter&range=1", "Name either the text or where it stands"),
        ("unit=bytes&range=x-9", "A place is a number"),
        (&long, "longer than 4,096 bytes"),
    ] {
        let answer = scene.post("/api/redactions/ask", &ask(what), &scene.ada).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}: {}", answer.body);
        assert!(answer.body.contains(words) && !answer.body.contains("no-such-otter"), "{what}: {}", answer.body);
    }

    assert_eq!(scene.redacted_run().await.version, before);
    assert_eq!(scene.site.portal.store().chain_head().await.unwrap().seq, head, "nor among what happened to no run");
    for what in ["unit=bytes&range=5-5", "unit=bytes&range=9-5", "unit=bytes&range=0-5000"] {
        let answer = scene.post("/api/redactions/ask", &ask(what), &scene.ada).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{what}: {}", answer.body);
    }
    assert_eq!(scene.redacted_run().await.version, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_bytes_are_covered_as_they_are_named() {
    let scene = Scene::leaked().await;
    let authenticator = scene.authenticator("lena").await;
    let before = scene.site.get(OUTPUT, &scene.ada).await.body;

    scene.done("/api/redactions/ask", &ask("unit=lines&range=2"), &scene.ada).await;
    let code = scene.next_code(&authenticator);
    assert_eq!(scene.confirm(&scene.lena, &code).await.status, StatusCode::OK);
    scene.done("/api/redactions/ask", &ask("unit=bytes&range=0-4"), &scene.ada).await;
    let code = scene.next_code(&authenticator);
    let second = format!("run=1&number=2&decision=confirm&code={code}");
    scene.done("/api/redactions/decide", &second, &scene.lena).await;

    let after = scene.site.get(OUTPUT, &scene.ada).await.body;
    let (was, is): (Vec<&str>, Vec<&str>) = (before.split('\n').collect(), after.split('\n').collect());
    assert_eq!(
        (is[0], is[1], &is[2..]),
        (was[0].replacen("user", "****", 1).as_str(), &*"*".repeat(was[1].len()), &was[2..])
    );
    let again = scene.post("/api/redactions/ask", &ask("unit=lines&range=2"), &scene.ada).await;
    assert!(again.body.contains("covered already"), "{}", again.body);
    scene.bytes("/runs/1/evidence", &scene.ada).await;
    assert_eq!(scene.verified().await, (Vec::new(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rejected_or_taken_back_covers_nothing_and_can_be_asked_again() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lars").await;
    scene.asks().await;
    let twice = scene.post("/api/redactions/ask", &ask("unit=lines&range=1"), &scene.ada).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    assert!(twice.body.contains("Ada asked at"), "{}", twice.body);

    let reject = format!("run=1&number=1&decision=reject&reason=we+need+it&code={}", codes[0]);
    scene.done("/api/redactions/decide", &reject, &scene.lars).await;
    scene.done("/api/redactions/ask", &ask("unit=lines&range=1"), &scene.ada).await;
    let own = "run=1&number=2&decision=reject&reason=wrong+line";
    scene.done("/api/redactions/decide", own, &scene.ada).await;

    let shown = scene.site.get(PAGE, &scene.ada).await.body;
    for words in
        ["Lars said no to redaction 1-1, by recovery code", "we need it", "Ada took back redaction 1-2", SECRET]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(scene.site.get(OUTPUT, &scene.ada).await.body.contains(SECRET));
}

/// The same rule as for a request for approval.
#[tokio::test(flavor = "multi_thread")]
async fn a_lead_says_no_with_a_reason_and_by_a_second_factor_and_takes_back_their_own_without() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lars").await;
    scene.asks().await;
    let rejects = async |more: &str, cookie: &str| {
        scene.post("/api/redactions/decide", &format!("run=1&number=1&decision=reject&{more}"), cookie).await
    };

    let silent = rejects(&format!("code={}", codes[0]), &scene.lars).await;
    assert_eq!(silent.status, StatusCode::CONFLICT, "{}", silent.body);
    let unproven = rejects("reason=we+need+it", &scene.lars).await;
    assert_eq!(unproven.status, StatusCode::CONFLICT, "{}", unproven.body);
    assert!(unproven.body.contains("takes your second factor"), "{}", unproven.body);
    let wrong = rejects("reason=we+need+it&code=000000", &scene.lars).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert_eq!(scene.only_redaction().await.end, None);
    let proven = rejects(&format!("reason=we+need+it&code={}", codes[0]), &scene.lars).await;
    assert_eq!(proven.status, StatusCode::OK, "a refused rejection has not used the code up: {}", proven.body);
    assert!(matches!(
        scene.only_redaction().await.end,
        Some(RedactionEnd::Rejected { factor, .. }) if factor == "recovery code"
    ));
    let late = rejects(&format!("reason=again&code={}", codes[1]), &scene.lars).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);

    scene.asks().await;
    let own = "run=1&number=2&decision=reject&reason=wrong+line";
    scene.done("/api/redactions/decide", own, &scene.ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_to_be_covered_waits_in_the_inbox_until_it_is_decided() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let viewer = someone(Role::Viewer);
    let mut told = scene.site.portal.watch_waiting(viewer.viewer().unwrap());
    let mut count = async || tokio::time::timeout(Duration::from_mins(1), told.next()).await.unwrap();
    assert_eq!(count().await, Some(0));

    scene.asks().await;

    assert_eq!(count().await, Some(1), "open inboxes are told");
    let inbox = scene.site.get("/approvals", &scene.lena).await.body;
    for words in [
        "(1) Approvals",
        "1 redaction waits for a decision",
        "24 bytes in 2 places of the output of Print on local",
        "a password was printed",
        "/runs/1?step=1&amp;attempt=1#covering",
    ] {
        assert!(inbox.contains(words), "{words}: {inbox}");
    }
    assert!(!inbox.contains("Nothing waits") && !inbox.contains(SECRET), "{inbox}");
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
    assert_eq!(count().await, Some(0));
    let inbox = scene.site.get("/approvals", &scene.lena).await.body;
    assert!(inbox.contains("Nothing waits for a decision") && !inbox.contains("To be covered"), "{inbox}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_open_on_a_closed_run_is_told_and_has_the_covered_output_from_then_on() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let version = scene.redacted_run().await.version;
    let (cursor, otto) = (Cursor { version, ..Cursor::default() }, someone(Role::Viewer));
    let follow = async |cursor| scene.site.portal.watch(otto.viewer().unwrap(), RUN, cursor).await.unwrap();
    let mut open = follow(cursor).await;

    scene.asks().await;
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);

    let told = async {
        while let Some(framed) = open.next().await {
            if let Frame::Event { entry } = framed.frame
                && let Event::OutputRedacted { step, attempt, .. } = entry.event
            {
                return Some((step, attempt));
            }
        }
        None
    };
    assert_eq!(told.await, Some((1, 1)));
    let mut anew = follow(Cursor { version, step: 1, attempt: 1, offset: 0 }).await;
    let output = async {
        while let Some(framed) = anew.next().await {
            if let Frame::Output { text, .. } = framed.frame {
                return text;
            }
        }
        String::new()
    };
    let output = output.await;
    assert!(output.contains(MASKED) && !output.contains(SECRET), "{output}");
}

/// Between the record and the disk there is a moment, and a disk that takes nothing makes it long.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_as_covered_is_shown_to_nobody_also_while_the_disk_still_has_it() {
    let scene = Scene::leaked().await;
    let codes = scene.codes("lena").await;
    let before = std::fs::read_to_string(log_of(&scene.site)).unwrap();
    scene.asks().await;
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
    std::fs::write(log_of(&scene.site), before).unwrap();

    for path in [PAGE, OUTPUT, "/runs/1?step=1&attempt=1&from=0"] {
        let shown = scene.site.get(path, &scene.olga).await.body;
        assert!(shown.contains(MASKED) && !shown.contains(SECRET), "{path}: {shown}");
    }
    let log = scene.post("/api/runs/log", "run=1&step=1&attempt=1&from=0", &scene.olga).await.body;
    assert!(log.contains(MASKED) && !log.contains(SECRET), "{log}");
    let otto = someone(Role::Viewer);
    let cursor = Cursor { version: 0, step: 1, attempt: 1, offset: 0 };
    let frames = scene.site.portal.watch(otto.viewer().unwrap(), RUN, cursor).await.unwrap();
    let outputs = frames.filter_map(async |framed| match framed.frame {
        Frame::Output { text, .. } => Some(text),
        _ => None,
    });
    let output = Box::pin(outputs).next().await.unwrap();
    assert!(output.contains(MASKED) && !output.contains(SECRET), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_has_not_ended_is_not_covered() {
    let scene = Scene::leaked().await;
    scene.done("/api/runs/run", "run=1&step=2&attempt=1&commands=1", &scene.olga).await;

    let form = "run=1&step=2&attempt=1&unit=bytes&range=0-1&reason=why";
    let answer = scene.post("/api/redactions/ask", form, &scene.ada).await;

    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    assert!(answer.body.contains("has not ended"), "{}", answer.body);
    scene.done("/api/runs/stop", "run=1&step=2&attempt=1", &scene.olga).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_was_changed_behind_the_record_is_not_made_good_by_covering_it() {
    let scene = Scene::leaked().await;
    let codes = scene.codes("lena").await;
    scene.asks().await;
    let log = log_of(&scene.site);
    let stored = std::fs::read_to_string(&log).unwrap();
    let changed = stored.replace("olga", "otto");
    std::fs::write(&log, &changed).unwrap();

    let confirmed = scene.confirm(&scene.lena, &codes[0]).await;

    assert_eq!(confirmed.status, StatusCode::CONFLICT, "{}", confirmed.body);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), changed);
    assert_eq!(scene.only_redaction().await.end, None);
    scene.bytes("/runs/1/evidence", &scene.ada).await;
    let (found, _) = scene.verified().await;
    assert!(matches!(&found[..], [why] if why.contains("was changed")), "{found:?}");
    std::fs::write(&log, &stored).unwrap();
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
}

/// What a portal leaves that dies after the record and before, in, or just behind the overwriting.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_and_not_covered_before_a_death_is_covered_at_the_next_start() {
    for half in ["", "called ", "again"] {
        let scene = Scene::closed().await;
        let codes = scene.codes("lena").await;
        let log = log_of(&scene.site);
        let before = std::fs::read_to_string(&log).unwrap();
        scene.asks().await;
        assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
        let after = std::fs::read_to_string(&log).unwrap();
        let done = after.find(half).unwrap() + half.len();
        std::fs::write(&log, format!("{}{}", &after[..done], &before[done..])).unwrap();
        scene.bytes("/runs/1/evidence", &scene.ada).await;
        let store = scene.site.second_store().await;
        let mut write = store.begin().await.unwrap();
        write.note_redaction(RUN, 1).await.unwrap();
        write.commit().await.unwrap();
        store.close().await;
        let (found, _) = scene.verified().await;
        assert!(matches!(&found[..], [why] if why.contains("was not carried out to its end")), "{half}: {found:?}");
        let Scene { site, clock, ada, olga, lena, lars, backup } = scene;

        let site = site.again(clock.clone()).await;

        let scene = Scene { site, clock, ada, olga, lena, lars, backup };
        assert_eq!(std::fs::read_to_string(&log).unwrap(), after, "{half}");
        assert!(scene.site.portal.store().redactions_to_finish().await.unwrap().is_empty());
        assert_eq!(scene.verified().await, (Vec::new(), 1), "{half}");
        assert_eq!(traces(&scene.site.path("data"), SECRET.as_bytes()), [""; 0], "{half}");
    }
}

/// What a shim had put aside has to go as well, and cannot.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_yet_is_recorded_and_said_and_done_when_it_can_be() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let aside = log_of(&scene.site).with_file_name("out.tail");
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("in the way"), "").unwrap();
    scene.asks().await;

    let answer = scene.confirm(&scene.lena, &codes[0]).await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(answer.body.contains("Your confirmation is recorded") && answer.body.contains("goes on trying"));
    assert!(scene.only_redaction().await.covered().is_some());
    assert_eq!(scene.site.portal.store().redactions_to_finish().await.unwrap(), [(RUN, 1)]);
    std::fs::remove_dir_all(&aside).unwrap();
    let site = scene.site.again(scene.clock.clone()).await;
    assert!(site.portal.store().redactions_to_finish().await.unwrap().is_empty());
    assert_eq!(traces(&site.path("data"), SECRET.as_bytes()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_place_the_begin_and_the_end_are_shown_and_how_much_lies_between() {
    let many = DOCUMENT.replace("echo end", "seq 1001 1999");
    let scene = Scene::leaked_by(&many).await;
    scene.codes("lena").await;
    // Three lines before it, then 1001 and 1002.
    scene.done("/api/redactions/ask", &ask("unit=lines&range=6-996"), &scene.ada).await;

    let shown = scene.site.get(PAGE, &scene.lena).await.body;

    let (_, places) = shown.split_once("This is how it will look").unwrap();
    let (places, _) = places.split_once("</pre>").unwrap();
    for words in ["Line 6", "1002\n****", "… 4,475 bytes …", "****\n1994"] {
        assert!(places.contains(words), "{words}: {places}");
    }
    assert!(!places.contains("1003") && !places.contains("1993"), "{places}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_it_is_a_form_and_what_is_to_be_covered_stands_in_no_address() {
    let scene = Scene::leaked().await;
    let codes = scene.codes("lena").await;
    let send = async |path: &str, form: String, cookie: &str| {
        let request = call(path)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("{}{PAGE}", crate::site::ORIGIN));
        scene.site.send(request.body(Body::from(form)).unwrap()).await
    };

    let nowhere = send("/api/redactions/ask", ask("text=no-such-otter"), &scene.ada).await;
    assert!(nowhere.status.is_redirection(), "{}", nowhere.status);
    let location = nowhere.header("location").to_owned();
    assert!(!location.contains("otter"), "{location}");
    let told = scene.site.get(location.trim_start_matches(crate::site::ORIGIN), &scene.ada).await.body;
    assert!(told.contains("This text is nowhere in the output") && !told.contains("no-such-otter"), "{told}");

    let asked = send("/api/redactions/ask", ask(&format!("text={SECRET}")), &scene.ada).await;
    assert_eq!(asked.header("location"), "/runs/1?step=1&attempt=1#covering");
    let form = format!("run=1&number=1&reason=&decision=confirm&code={}", codes[0]);
    let confirmed = send("/api/redactions/decide", form, &scene.lena).await;
    assert_eq!(confirmed.header("location"), "/runs/1?step=1&attempt=1#covering");
    assert!(!scene.site.get(OUTPUT, &scene.lena).await.body.contains(SECRET));
}
