//! Covering something in stored output over HTTP: two people, a mask of equal length, a chain that stays whole, and no trace.

mod deciding;
mod disk;
mod showing;

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use domain::run::{Redaction, Run};
use domain::{AttemptId, RunId};
use http::{StatusCode, header};
use http_body_util::BodyExt as _;
use portal::{CheckpointSettings, KeptRecord};
use testkit::FixedClock;
use tower::ServiceExt as _;

use crate::approvals::{Authenticator, Scene};
use crate::site::{Served, call, page};

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
