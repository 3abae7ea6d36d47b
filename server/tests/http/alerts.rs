//! The webhook of alerts: what it suggests and to whom, and that it does no more.

use std::sync::Arc;

use axum::body::Body;
use domain::policy::Sight;
use domain::view::{AlertView, AuditRow, DocumentsView, HomeView, ProcedureView, RunView, SuggestionRow};
use domain::{RunId, Slug, SuggestionId};
use http::{Method, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use testkit::FixedClock;

use crate::account::{done, post, refused};
use crate::site::{Answer, Served, call, page};
use crate::tokens::{made, script};

const WEBHOOK: &str = "/api/alerts";

const DOCUMENT: &str = "# Operations

## Dry the ledger

### Steps

1. **Look**

   ```bash
   cat FILE
   seq COUNT
   ```

## Open the vault

### Steps

1. **Look**

   ```bash
   true
   ```
";

const SIDE: &str = "[procedure.\"Dry the ledger\"]
alerts = [\"LedgerWet\", \"LedgerGone\"]
from_alert = { file = \"file\", count = \"pages\" }

[procedure.\"Dry the ledger\".parameter.file]
placeholder = \"FILE\"
type = \"text\"
pattern = \"[a-z]{1,20}\"

[procedure.\"Dry the ledger\".parameter.count]
placeholder = \"COUNT\"
type = \"number\"
min = 1
max = 9
default = \"3\"

[procedure.\"Open the vault\"]
visible_to = [\"keepers\"]
alerts = [\"VaultDark\"]
";

/// A portal with an administrator, an operator, and the operator's token for suggesting.
struct Scene {
    site: Served,
    clock: Arc<FixedClock>,
    ada: String,
    olga: String,
    token: String,
}

impl Scene {
    async fn open() -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::by_clock_with_side(clock.clone(), "operations.md", DOCUMENT, SIDE).await;
        let ada = site.administrator().await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        let token = made(&site, "name=alertmanager&role=suggest&days=90", &olga).await;
        Self { site, clock, ada, olga, token }
    }

    async fn tells(&self, body: &Value) -> Answer {
        self.sends(body.to_string()).await
    }

    async fn sends(&self, body: impl Into<Body>) -> Answer {
        let request = script(Method::POST, WEBHOOK, &self.token);
        let mut request = request.body(body.into()).unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        self.site.send(request).await
    }

    async fn shown<T: DeserializeOwned>(&self, path: &str, form: &str, cookie: &str) -> T {
        let answer = post(&self.site, path, form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    async fn home(&self, cookie: &str) -> HomeView {
        self.shown("/api/pages/home", "", cookie).await
    }

    async fn suggestions(&self) -> Vec<SuggestionRow> {
        self.home(&self.olga).await.suggestions
    }

    async fn audited(&self, kind: &str) -> Vec<AuditRow> {
        let piece = self.site.portal.store().chain_piece(None, 1_000, true).await.unwrap();
        piece.rows.into_iter().filter(|row| row.kind == kind).collect()
    }
}

/// An alert with labels, as Alertmanager writes it.
fn alert(status: &str, labels: &Value) -> Value {
    json!({
        "status": status,
        "labels": labels,
        "annotations": { "summary": "The ledger is wet \u{202e}since noon" },
        "startsAt": "2026-11-23T21:00:00.5Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "7f3a",
    })
}

fn webhook(alerts: &[Value]) -> Value {
    json!({
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "portal",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "alerts": alerts,
    })
}

fn wet(labels: &Value) -> Value {
    let mut all = json!({ "alertname": "LedgerWet", "service": "ledger" });
    for (name, value) in labels.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// Lets an alert fire, told by somebody who is signed in.
pub async fn fires(site: &Served, name: &str, service: &str, cookie: &str) {
    let body = webhook(&[alert("firing", &json!({ "alertname": name, "service": service }))]);
    let request = call(WEBHOOK).header(header::COOKIE, cookie).body(Body::from(body.to_string())).unwrap();
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn an_alert_suggests_its_procedure_until_it_is_resolved() {
    let scene = Scene::open().await;
    let firing = webhook(&[alert("firing", &wet(&json!({ "instance": "a" })))]);

    let first = scene.tells(&firing).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let told: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!((&told["opened"], &told["closed"]), (&json!(1), &json!(0)));
    scene.clock.advance(1_000);
    scene.tells(&firing).await;
    scene.tells(&webhook(&[alert("firing", &wet(&json!({ "instance": "b" })))])).await;

    let suggestions = scene.suggestions().await;
    assert_eq!(suggestions.len(), 1, "{suggestions:?}");
    let one = &suggestions[0];
    assert_eq!((&*one.alert, &*one.service, one.times, one.firing), ("LedgerWet", "ledger", 3, 2));
    assert_eq!(one.since.iso(), "2026-11-23T21:00:00Z");
    assert_eq!(one.procedures, [(Slug::from("dry-the-ledger"), "Dry the ledger".to_owned())]);
    let page = scene.site.get("/", &scene.olga).await.body;
    assert!(page.contains("LedgerWet of ledger") && page.contains("/procedures/dry-the-ledger?suggestion=1#start"));
    assert!(!page.contains('\u{202e}'), "nothing hidden reaches a page");

    scene.tells(&webhook(&[alert("resolved", &wet(&json!({ "instance": "a" })))])).await;
    assert_eq!(scene.suggestions().await.len(), 1, "the other one fires on");
    scene.tells(&webhook(&[alert("resolved", &wet(&json!({ "instance": "b" })))])).await;
    assert!(scene.suggestions().await.is_empty());
    let by = scene.audited("suggestion_opened").await.remove(0).by.unwrap();
    assert_eq!(by.name_and_token(), "Olga, by the token alertmanager");
    assert_eq!(scene.audited("suggestion_closed").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_fills_a_value_only_through_the_pattern_of_its_parameter_and_never_names_a_target() {
    let scene = Scene::open().await;
    let fitting = wet(&json!({ "file": "web", "pages": "7", "target": "elsewhere", "directory": "/etc" }));
    scene.tells(&webhook(&[alert("firing", &fitting)])).await;

    let asked = "slug=dry-the-ledger&suggestion=1";
    let view: ProcedureView = scene.shown("/api/pages/procedure", asked, &scene.olga).await;
    let prefill = view.prefill.unwrap();
    let values: Vec<(&str, &str)> = prefill.values.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!((values, prefill.left), (vec![("count", "7"), ("file", "web")], Vec::new()));
    let page = scene.site.get("/procedures/dry-the-ledger?suggestion=1", &scene.olga).await.body;
    assert!(page.contains("Suggested by") && page.contains("value=\"web\""), "{page}");
    assert!(!page.contains("elsewhere") && !page.contains("/etc"), "{page}");

    for (number, (file, pages)) in
        [("web; rm -rf /", "77"), ("$(id)", "0x1"), ("web\nid", "-1"), ("w\u{435}b", "1 2")].into_iter().enumerate()
    {
        let labels = json!({ "alertname": "LedgerGone", "service": number.to_string(), "file": file, "pages": pages });
        scene.tells(&webhook(&[alert("firing", &labels)])).await;
        let asked = format!("slug=dry-the-ledger&suggestion={}", number + 2);
        let view: ProcedureView = scene.shown("/api/pages/procedure", &asked, &scene.olga).await;
        let prefill = view.prefill.unwrap();
        assert!(prefill.values.is_empty() && prefill.left.len() == 2, "{file} {pages}: {prefill:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_started_from_a_suggestion_says_so_for_ever() {
    let scene = Scene::open().await;
    scene.tells(&webhook(&[alert("firing", &wet(&json!({ "file": "web" })))])).await;
    let start = "slug=dry-the-ledger&target=&key=k&values[file]=web&suggestion=1";

    let wrong = start.replace("dry-the-ledger", "open-the-vault");
    let wrong = post(&scene.site, "/api/runs/start", &wrong, &scene.ada).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    let started = post(&scene.site, "/api/runs/start", start, &scene.olga).await;
    assert_eq!((started.status, started.body.trim()), (StatusCode::OK, "1"), "{}", started.body);
    scene.tells(&webhook(&[alert("resolved", &wet(&json!({ "file": "web" })))])).await;

    let view: RunView = scene.shown("/api/pages/run", "run=1", &scene.olga).await;
    assert_eq!(view.suggestion.map(|by| (by.id, by.alert)), Some((SuggestionId(1), "LedgerWet".to_owned())));
    let page = scene.site.get("/runs/1", &scene.olga).await.body;
    assert!(page.contains("Suggested by") && page.contains("LedgerWet of ledger"), "{page}");
    assert_eq!(scene.audited("suggestion_taken").await.len(), 1);
    scene.tells(&webhook(&[alert("firing", &wet(&json!({ "file": "web" })))])).await;
    assert!(scene.suggestions().await[0].runs.is_empty(), "another time of the same alert");
}

#[tokio::test]
async fn nothing_is_ever_started_by_an_alert() {
    let scene = Scene::open().await;
    scene.tells(&webhook(&[alert("firing", &wet(&json!({ "file": "web" })))])).await;

    assert_eq!(scene.site.portal.store().run(RunId(1), &Sight::EVERYTHING).await.unwrap(), None);
    let request = script(Method::POST, "/api/runs/start", &scene.token);
    let form = "slug=dry-the-ledger&target=&key=k&values[file]=web&suggestion=1";
    let answer = scene.site.send(request.body(Body::from(form)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.body);
    assert!(answer.body.contains("This token may suggest procedures and nothing else"), "{}", answer.body);
}

#[tokio::test]
async fn a_suggestion_is_dismissed_with_a_reason_and_comes_back_with_something_new() {
    let scene = Scene::open().await;
    let firing = webhook(&[alert("firing", &wet(&json!({})))]);
    scene.tells(&firing).await;
    let path = "/api/suggestions/dismiss";

    refused(&scene.site, path, "suggestion=1&reason=+", &scene.olga, "Say why the suggestion is dismissed").await;
    done(&scene.site, path, "suggestion=1&reason=a+test", &scene.olga).await;
    refused(&scene.site, path, "suggestion=1&reason=again", &scene.olga, "This suggestion is over").await;
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;
    assert_eq!(post(&scene.site, path, "suggestion=1&reason=x", &vera).await.status, StatusCode::FORBIDDEN);
    assert_eq!(post(&scene.site, path, "suggestion=9&reason=x", &scene.olga).await.status, StatusCode::NOT_FOUND);

    scene.tells(&firing).await;
    assert!(scene.suggestions().await.is_empty(), "it is still the same");
    scene.clock.advance(60_000);
    let mut new = alert("firing", &wet(&json!({ "instance": "new" })));
    new["startsAt"] = json!(scene.site.portal.now().iso());
    scene.tells(&webhook(&[new])).await;
    assert_eq!(scene.suggestions().await.len(), 1);
    let dismissed = scene.audited("suggestion_dismissed").await;
    assert!(dismissed[0].details.contains(&("reason".to_owned(), "a test".to_owned())), "{dismissed:?}");
}

#[tokio::test]
async fn a_suggestion_of_a_limited_procedure_is_for_its_groups_alone() {
    let scene = Scene::open().await;
    let body = webhook(&[alert("firing", &json!({ "alertname": "VaultDark" }))]);
    scene.tells(&body).await;

    assert!(scene.suggestions().await.is_empty());
    assert_eq!(scene.home(&scene.ada).await.suggestions.len(), 1);
    let page: AlertView = scene.shown("/api/pages/alert", "name=VaultDark", &scene.olga).await;
    assert!(page.procedures.is_empty() && page.suggestions.is_empty(), "{page:?}");
    let dismissed = post(&scene.site, "/api/suggestions/dismiss", "suggestion=1&reason=x", &scene.olga).await;
    assert_eq!(dismissed.status, StatusCode::NOT_FOUND, "{}", dismissed.body);
    let documents: DocumentsView = scene.shown("/api/pages/documents", "", &scene.olga).await;
    assert!(documents.alerts.unbound.is_empty(), "a procedure names it");
}

#[tokio::test]
async fn what_is_no_webhook_is_refused_and_said_on_the_page() {
    let scene = Scene::open().await;
    let large = format!("{{\"version\":\"4\",\"alerts\":[],\"x\":\"{}\"}}", "x".repeat(1 << 20));
    let many = webhook(&vec![json!({ "status": "firing" }); 1_001]);
    let cases = [
        (String::new(), StatusCode::UNPROCESSABLE_ENTITY, "it is no JSON object"),
        ("slug=count".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "it is no JSON object"),
        ("[[[[[[".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "it is no JSON object"),
        (json!({ "alerts": [] }).to_string(), StatusCode::UNPROCESSABLE_ENTITY, "it is not of version 4"),
        (json!({ "version": "4" }).to_string(), StatusCode::UNPROCESSABLE_ENTITY, "it has no list of alerts"),
        (webhook(&[json!(7)]).to_string(), StatusCode::UNPROCESSABLE_ENTITY, "its alert 1 neither fires"),
        (many.to_string(), StatusCode::UNPROCESSABLE_ENTITY, "it has 1001 alerts, and 1000 are the most"),
        (large, StatusCode::PAYLOAD_TOO_LARGE, "it is larger than 1 MiB"),
    ];

    for (body, status, why) in cases {
        let answer = scene.sends(body).await;
        assert_eq!(answer.status, status, "{why}: {}", answer.body);
        let problems = scene.home(&scene.olga).await.problems;
        assert!(problems.iter().any(|problem| problem.contains(why)), "{why}: {problems:?}");
        let documents = scene.site.get("/documents", &scene.olga).await.body;
        assert!(documents.contains("The last webhook of alerts was refused"), "{why}");
    }
    assert_eq!(scene.audited("alerts_refused").await.len(), 1, "once in a minute");
    scene.tells(&webhook(&[])).await;
    assert!(scene.home(&scene.olga).await.problems.is_empty(), "a good one has come");
}

#[tokio::test]
async fn alerts_without_a_name_or_a_procedure_are_counted_and_said() {
    let scene = Scene::open().await;
    let odd = json!({ "alertname": "Od\u{200b}d", "service": "50%ff" });
    let body = webhook(&[alert("firing", &json!({})), alert("firing", &odd), json!({ "status": "firing" })]);

    let answer = scene.tells(&body).await;

    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &told["unbound"], &told["left_out"]), (StatusCode::OK, &json!(1), &json!(2)));
    let problems = scene.home(&scene.olga).await.problems;
    assert!(problems[0].starts_with("2 alerts came without a name"), "{problems:?}");
    let page = scene.site.get("/documents", &scene.olga).await.body;
    assert!(page.contains("Alerts that no procedure names") && page.contains("U+200B"), "{page}");
}

#[tokio::test]
async fn ten_thousand_alerts_fill_neither_the_database_nor_the_page() {
    let scene = Scene::open().await;
    let seq = async || scene.site.portal.store().chain_head().await.unwrap().seq;
    let before = seq().await;
    for piece in 0..100 {
        let alerts: Vec<Value> = (0..100)
            .map(|number| json!({ "alertname": "LedgerWet", "service": format!("{piece}-{number}") }))
            .map(|labels| json!({ "status": "firing", "labels": labels }))
            .collect();
        let answer = scene.tells(&webhook(&alerts)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        scene.clock.advance(500);
    }

    let home = scene.home(&scene.olga).await;
    assert_eq!(home.suggestions.len(), 20);
    let problems = home.problems.join("\n");
    assert!(problems.contains("100 suggestions were open, which is the most, so that 9,900 alerts"), "{problems}");
    assert!(problems.contains("80 more suggestions are open than are shown here."), "{problems}");
    assert_eq!(scene.site.portal.store().standing_suggestions().await.unwrap().len(), 100);
    assert!(seq().await - before <= 100, "one event for each that was opened");
}

#[tokio::test]
async fn what_flaps_is_put_off_with_a_word_on_when_to_come_again() {
    let scene = Scene::open().await;
    let mut put_off = None;
    for _ in 0..200 {
        for status in ["firing", "resolved"] {
            let answer = scene.tells(&webhook(&[alert(status, &wet(&json!({})))])).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                put_off.get_or_insert(answer);
            }
        }
    }

    let put_off = put_off.expect("three hundred changes in a minute are the most");
    assert_eq!(put_off.header("retry-after"), "60");
    scene.clock.advance(120_000);
    let again = scene.tells(&webhook(&[alert("firing", &wet(&json!({})))])).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
}

#[tokio::test]
async fn the_link_of_a_rule_leads_through_signing_in_to_the_procedure() {
    let scene = Scene::open().await;
    let stranger = scene.site.send(page("/alerts/LedgerWet").body(Body::empty()).unwrap()).await;
    assert_eq!(stranger.header("location"), "/sign-in?next=/alerts/LedgerWet");

    let leads = async |path: &str| {
        let answer = scene.site.get(path, &scene.olga).await;
        (answer.status.is_redirection(), answer.header("location").to_owned())
    };
    assert_eq!(leads("/alerts/LedgerWet").await, (true, "/procedures/dry-the-ledger".to_owned()));
    scene.tells(&webhook(&[alert("firing", &wet(&json!({})))])).await;
    assert_eq!(leads("/alerts/LedgerWet").await, (true, "/procedures/dry-the-ledger?suggestion=1#start".to_owned()));
    let nobody = scene.site.get("/alerts/No%3Cb%3Esuch", &scene.olga).await;
    assert_eq!(nobody.status, StatusCode::OK);
    assert!(nobody.body.contains("No procedure names this alert") && !nobody.body.contains("No<b>such"));
}

#[tokio::test]
async fn a_suggestion_outlives_the_portal() {
    let scene = Scene::open().await;
    scene.tells(&webhook(&[alert("firing", &wet(&json!({})))])).await;
    let Scene { site, clock, olga, .. } = scene;

    let site = site.again(clock).await;

    let page = site.get("/", &olga).await.body;
    assert!(page.contains("LedgerWet of ledger"), "{page}");
}
