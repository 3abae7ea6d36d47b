//! What the pages of approvals show to the person who decides.

use axum::body::Body;
use domain::policy::Role;
use futures::StreamExt as _;
use http::{StatusCode, header};

use crate::approvals::Scene;
use crate::site::{Served, call, someone};

/// What a browser would show: the text of a page without its marks.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_others_wrote_deceives_the_lead_who_decides() {
    let scene = Scene::open().await;
    let otto = scene.site.person("otto", "O%D1%82to", "operator", &scene.ada).await;
    let run = scene.start(&otto).await;
    let reason = "harml%E2%80%AEess+wh%D0%B5re+Gr%C3%B6%C3%9Fe+stays";
    let form = format!("run={run}&request=1&wanted[s3.1]=on&reason={reason}");
    scene.done("/api/approvals/ask", &form, &otto).await;

    for (path, who) in [("/approvals".to_owned(), &scene.lena), (format!("/approvals/{run}-1"), &scene.lena)] {
        let page = scene.site.get(&path, who).await;
        let shown = text(&page.body);
        for mark in ["harmlU+202Eess", "whе\u{2009}U+0435re", "Größe stays", "Oт\u{2009}U+0442to"] {
            assert!(shown.contains(mark), "{path} shows {mark}: {shown}");
        }
        assert!(!shown.contains('\u{202e}'), "{path}: {shown}");
    }

    let refused = format!("run={run}&request=1&reason=n%E2%80%AEo");
    scene.done("/api/approvals/cancel", &refused, &otto).await;
    for path in [format!("/approvals/{run}-1"), format!("/runs/{run}")] {
        let page = scene.site.get(&path, &otto).await;
        assert_eq!(page.status, StatusCode::OK);
        let shown = text(&page.body);
        assert!(shown.contains("nU+202Eo"), "{path}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_page_shows_a_request_to_those_who_can_decide_it_and_to_nobody_else() {
    let scene = Scene::open().await;
    let run = scene.asked().await;
    let address = format!("href=\"/approvals/{run}-1\"");
    let shown = async |cookie: &str| scene.site.get("/", cookie).await.body;

    let (hers, asker) = (shown(&scene.lena).await, shown(&scene.olga).await);
    scene.done("/api/approvals/cancel", &format!("run={run}&request=1"), &scene.olga).await;

    assert!(hers.contains(&address) && text(&hers).contains("data is corrupt"), "{}", text(&hers));
    assert!(!asker.contains(&address), "{}", text(&asker));
    let after = shown(&scene.lena).await;
    assert!(!after.contains(&address) && text(&after).contains("Nothing waits for you"), "{}", text(&after));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_sees_where_the_run_stands() {
    let scene = Scene::open().await;
    let run = scene.asked().await;
    scene.done("/api/runs/skip-step", &format!("run={run}&step=1&reason=seen+before"), &scene.olga).await;
    let added = format!("run={run}&after=1&place=5&text=date&reason=what+time+is+it");
    scene.done("/api/runs/add-step", &added, &scene.olga).await;

    let page = scene.site.get(&format!("/approvals/{run}-1"), &scene.lena).await;
    let shown = text(&page.body);
    let (_, course) = shown.split_once("Where the run stands").unwrap();

    assert!(course.contains("1 of 4 steps over, 1 of them skipped; 1 added by hand"), "{course}");
    let places: Vec<usize> = [
        "Look",
        "Olga: seen before",
        "added by hand: what time is it",
        "Stop",
        "the run is here",
        "Replace",
        "asked for",
    ]
    .iter()
    .map(|words| course.find(words).unwrap_or_else(|| panic!("{words}: {course}")))
    .collect();
    assert!(places.is_sorted(), "in the order in which they are meant: {course}");
}

/// A step that destroys and then waits to be let go.
const SLOW: &str = "# Restore\n\n## Restore\n\n### Steps\n\n1. **Replace**\n\n   ```bash\n   rm -rf /no/such/folder; read -r go\n   ```\n";

#[tokio::test(flavor = "multi_thread")]
async fn while_an_approved_step_runs_nobody_is_asked_for_and_both_pages_say_that_it_runs() {
    let scene = Scene::with("restore.md", SLOW, "").await;
    let codes = scene.codes("lena").await;
    scene.done("/api/runs/start", "slug=restore&target=local&key=one", &scene.olga).await;
    scene.done("/api/approvals/ask", "run=1&request=1&wanted[s1.1]=on&reason=now", &scene.olga).await;
    let pages = async || {
        let decision = text(&scene.site.get("/approvals/1-1", &scene.lena).await.body);
        (decision, text(&scene.site.get("/runs/1", &scene.olga).await.body))
    };
    let (waiting, asked) = pages().await;
    assert!(waiting.contains("1 lead needed") && asked.contains("waits for a lead"), "{waiting}{asked}");
    assert_eq!(scene.approve(1, &scene.lena, &codes[0]).await.status, StatusCode::OK);
    let viewer = someone(Role::Viewer);
    let mut counts = scene.site.portal.watch_waiting(viewer.viewer().unwrap());
    counts.next().await;

    scene.done("/api/runs/run", "run=1&step=1&attempt=1&commands=1", &scene.olga).await;

    tokio::time::timeout(std::time::Duration::from_mins(1), counts.next()).await.expect("open pages are told").unwrap();
    let (decision, run) = pages().await;
    assert!(decision.contains("It was approved, and runs: Olga started it"), "{decision}");
    assert!(!decision.contains("lead needed") && !decision.contains("has been started"), "{decision}");
    assert!(run.contains("“Replace” is approved, and runs."), "{run}");
    assert!(!run.contains("Needs a lead") && !run.contains("Ask for approval"), "{run}");
    scene.done("/api/runs/stop", "run=1&step=1&attempt=1", &scene.olga).await;
    scene.site.settled(1).await;
    let (decision, run) = pages().await;
    assert!(decision.contains("What was approved has been started"), "{decision}");
    assert!(run.contains("Needs a lead"), "what was stopped needs a new approval: {run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_lead_is_needed_stands_where_one_asks_and_where_one_decides() {
    let scene = Scene::open().await;
    let run = scene.start(&scene.olga).await;
    let why = "A lead has to approve this, since it destroys";

    let asking = text(&scene.site.get(&format!("/runs/{run}"), &scene.olga).await.body);
    assert!(asking.contains(why), "{asking}");
    assert_eq!(scene.ask(run, 1, &scene.olga).await.status, StatusCode::OK);
    let deciding = text(&scene.site.get(&format!("/approvals/{run}-1"), &scene.lena).await.body);
    assert!(deciding.contains(why), "{deciding}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_still_to_export_is_named_with_its_variables() {
    let document = "# Load\n\n## Load\n\n### Steps\n\n1. **Settings**\n\n   ```bash\n   export DB_HOST=db\n   export DB_NAME=shop\n   ```\n\n\
                    2. **Replace**\n\n   ```bash\n   rm -r /no/such/folder\n   ```\n";
    let site = Served::with_document("load.md", document.as_bytes()).await;
    let ada = site.administrator().await;
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    let post = async |path: &str, form: &str| {
        site.send(call(path).header(header::COOKIE, &olga).body(Body::from(form.to_owned())).unwrap()).await
    };
    let run = post("/api/runs/start", "slug=load&target=local&key=one").await;
    let run = run.body.trim().to_owned();
    let words = "Step 1, “Settings”, is still to run: it exports DB_HOST and DB_NAME";

    let asking = text(&site.get(&format!("/runs/{run}"), &olga).await.body);
    assert!(asking.contains(words) && asking.contains("run it first"), "{asking}");
    let asked = post("/api/approvals/ask", &format!("run={run}&request=1&wanted[s2.1]=on&reason=now")).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let deciding = text(&site.get(&format!("/approvals/{run}-1"), &ada).await.body);
    assert!(deciding.contains(words) && deciding.contains("void as soon as"), "{deciding}");

    assert_eq!(post("/api/runs/run", &format!("run={run}&step=1&attempt=1&commands=1,2")).await.status, StatusCode::OK);
    site.settled(run.parse().unwrap()).await;
    let after = text(&site.get(&format!("/approvals/{run}-1"), &ada).await.body);
    assert!(after.contains("It became void") && after.contains("DB_HOST"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_has_ended_warns_of_nothing_any_more() {
    let document = "# Load\n\n## Load\n\n### Steps\n\n1. **Settings**\n\n   ```bash\n   cd /tmp\n   ```\n\n\
                    2. **Replace**\n\n   ```bash\n   rm -r /no/such/folder\n   ```\n";
    let scene = Scene::with("restore.md", document, "").await;
    scene.done("/api/runs/start", "slug=load&target=local&key=one", &scene.olga).await;
    scene.done("/api/approvals/ask", "run=1&request=1&wanted[s2.1]=on&reason=now", &scene.olga).await;
    let shown = async || text(&scene.site.get("/approvals/1-1", &scene.lena).await.body);

    assert!(shown().await.contains("void as soon as"));
    scene.done("/api/approvals/cancel", "run=1&request=1", &scene.olga).await;

    let after = shown().await;
    assert!(after.contains("taken back") && !after.contains("as soon as"), "{after}");
}
