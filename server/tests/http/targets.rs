//! Looks at targets over HTTP: who may have one, what it says, what there is to choose from, and evidence from elsewhere.

use std::sync::Arc;

use axum::body::Body;
use domain::RunId;
use domain::approval::{EvidenceItem, Standing};
use domain::look::Look;
use domain::policy::Role;
use domain::target::Reach;
use http::{StatusCode, header};
use portal::TargetSettings;
use testkit::FixedClock;
use testkit::rig::{Contained, Image, Sshd};

use crate::approvals::Scene;
use crate::site::{Answer, Places, Served, at, call, local, someone};

const DOCUMENT: &str =
    "# Shop\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   ls BACKUP | grep dump\n   no-such-program-here\n   ```\n";

/// A portal with one operator.
struct Desk {
    site: Served,
    ada: String,
    clock: Arc<FixedClock>,
}

impl Desk {
    async fn with(side: &str, targets: Vec<TargetSettings>) -> Self {
        Self::of(DOCUMENT, side, targets.into()).await
    }

    async fn of(document: &str, beside: &str, places: Places) -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::with_targets(clock.clone(), ("shop.md", document, beside), places).await;
        let ada = site.administrator().await;
        Self { site, ada, clock }
    }

    async fn post(&self, path: &str, form: &str, cookie: &str) -> Answer {
        self.site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
    }

    async fn look(&self, target: &str) -> Look {
        let answer = self.post("/api/looks/start", &format!("slug=shop&target={target}"), &self.ada).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Waits until the first attempt of a step has ended.
    async fn settled(&self, step: u32) {
        use domain::frame::{Cursor, Frame};
        use domain::run::Event;
        use futures::StreamExt as _;

        let cursor = Cursor { version: 0, step: 0, attempt: 0, offset: 0 };
        let viewer = someone(Role::Viewer);
        let mut frames = self.site.portal.watch(viewer.viewer().unwrap(), RunId(1), cursor).await.unwrap();
        while let Some(framed) = frames.next().await {
            let Frame::Event { entry } = framed.frame else { continue };
            if matches!(&entry.event, Event::AttemptEnded { step: of, .. } | Event::AttemptInterrupted { step: of, .. } if *of == step)
            {
                return;
            }
        }
        panic!("the stream ended before step {step}");
    }

    /// How many probes the record knows, with what it says about the last one.
    async fn probes(&self) -> (usize, String) {
        let piece = self.site.portal.store().chain_piece(None, 100, true).await.unwrap();
        let probes: Vec<_> = piece.rows.into_iter().filter(|row| row.kind == "probe").collect();
        (probes.len(), probes.first().map(|row| format!("{:?} {:?}", row.by, row.details)).unwrap_or_default())
    }
}

fn item<'l>(look: &'l Look, name: &str) -> &'l EvidenceItem {
    look.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name}: {look:?}"))
}

/// A folder with two backups, and the side file that lists it.
fn backups() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["new.dump", "notes.txt"] {
        std::fs::write(folder.path().join(name), "0123456789").unwrap();
    }
    let root = folder.path().to_str().unwrap();
    let side = format!(
        "directory = \"{root}\"\n[parameter.backup]\nplaceholder = \"BACKUP\"\ntype = \"backup-file\"\nroot = \"{root}\"\npattern = \"*.dump\"\n"
    );
    (folder, side)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_seen_before_anything_is_started() {
    let (_folder, side) = backups();
    let desk = Desk::with(&side.replacen("directory = \"", "directory = \"/no/such", 1), vec![local()]).await;

    let look = desk.look("local").await;

    assert_eq!((look.target.as_str(), look.place.as_str()), ("local", "this machine"));
    assert_eq!(item(&look, "Target").standing, Standing::Good);
    assert_eq!(item(&look, "Directory").standing, Standing::Look);
    assert!(item(&look, "Programs").saw[0].contains("no-such-program-here"), "{look:?}");
    assert_eq!(item(&look, "Lock").standing, Standing::Good);
    assert_eq!(item(&look, "Values").result, "1 open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_recorded_before_it_begins_and_the_same_question_is_not_asked_twice_at_once() {
    let (_folder, side) = backups();
    let desk = Desk::with(&side, vec![local()]).await;

    desk.look("local").await;
    let (first, told) = desk.probes().await;
    desk.look("local").await;
    let (second, _) = desk.probes().await;
    desk.clock.advance(60_000);
    desk.look("local").await;

    assert_eq!((first, second, desk.probes().await.0), (2, 2, 4), "what has to be there, and what there is to choose");
    assert!(told.contains("Ada") && told.contains("local"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_server_looks_and_offers_what_it_found() {
    let (folder, side) = backups();
    let desk = Desk::with(&side, vec![local()]).await;

    let before = desk.site.get("/procedures/shop", &desk.ada).await.body;
    let none = desk.probes().await.0;
    let page = desk.site.get("/procedures/shop?look=local", &desk.ada).await.body;

    assert!(before.contains("/procedures/shop?look=local#look") && none == 0, "a page by itself asks nobody: {before}");
    assert!(page.contains("no-such-program-here") && page.contains("Before the first step"), "{page}");
    let backup = folder.path().join("new.dump").display().to_string();
    assert!(page.contains(&format!("<option value=\"{backup}\">")), "{page}");
    assert!(page.contains("10 B") && page.contains(" old"), "{page}");
    assert!(!page.contains("notes.txt"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_start_nothing_lets_nothing_be_looked_at() {
    let (_folder, side) = backups();
    let desk = Desk::with(&side, vec![local()]).await;
    let vera = desk.site.person("vera", "Vera", "viewer", &desk.ada).await;

    let refused = desk.post("/api/looks/start", "slug=shop&target=local", &vera).await;
    let page = desk.site.get("/procedures/shop?look=local", &vera).await;

    assert_eq!((refused.status, page.status), (StatusCode::FORBIDDEN, StatusCode::OK));
    assert!(!page.body.contains("Before the first step"), "{}", page.body);
    assert_eq!(desk.probes().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_looked_at_with_its_own_values() {
    let (folder, side) = backups();
    let desk = Desk::with(&side, vec![local()]).await;
    let backup = folder.path().join("new.dump").display().to_string();
    let form = format!("slug=shop&target=&key=k&values[backup]={backup}");
    assert_eq!(desk.post("/api/runs/start", &form, &desk.ada).await.status, StatusCode::OK);

    let page = desk.site.get("/runs/1?look=target", &desk.ada).await.body;

    assert!(page.contains("all filled") && page.contains("no-such-program-here"), "{page}");
    let look: Look = serde_json::from_str(&desk.post("/api/looks/run", "run=1", &desk.ada).await.body).unwrap();
    assert_eq!(item(&look, "Directory").standing, Standing::Good);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_uses_the_targets_that_its_side_file_allows_and_no_other() {
    let targets = || vec![at("production", Reach::Local), at("staging", Reach::Local)];
    let desk = Desk::with("targets = [\"staging\"]\n", targets()).await;

    let refused = desk.post("/api/runs/start", "slug=shop&target=production&key=k", &desk.ada).await;
    let looked = desk.post("/api/looks/start", "slug=shop&target=production", &desk.ada).await;
    let page = desk.site.get("/procedures/shop", &desk.ada).await.body;

    for answer in [refused, looked] {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert!(
            answer.body.contains("may not use the target production: its side file allows staging"),
            "{}",
            answer.body
        );
    }
    assert!(page.contains("<option value=\"staging\"") && !page.contains("<option value=\"production\""), "{page}");
    assert!(page.contains("staging · this machine"), "{page}");
    assert_eq!(desk.probes().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_is_looked_at_over_ssh_and_says_why_when_it_cannot_be_reached() {
    let Some(mut sshd) = Sshd::start() else { return };
    let (_folder, side) = backups();
    let desk = Desk::with(&side, vec![at("production", Reach::Ssh(sshd.target()))]).await;

    let there = desk.look("production").await;
    let page = desk.site.get("/procedures/shop?look=production", &desk.ada).await.body;
    sshd.stop_with_sessions();
    desk.clock.advance(60_000);
    let gone = desk.look("production").await;

    assert_eq!(item(&there, "Directory").standing, Standing::Good, "{there:?}");
    assert_eq!(there.choices_of("backup").unwrap().list.len(), 1, "{there:?}");
    let place = Reach::Ssh(sshd.target()).to_string();
    assert!(there.place == place && page.contains(&place), "{page}");
    let target = item(&gone, "Target");
    assert_eq!(target.standing, Standing::Look);
    assert!(target.saw[0].contains("refuses the connection"), "{gone:?}");
    assert_eq!(item(&gone, "Directory").standing, Standing::Unknown);
    assert!(gone.choices_of("backup").unwrap().problem.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_key_nobody_has_compared_is_refused_with_the_key_that_it_showed() {
    let Some(sshd) = Sshd::start() else { return };
    let unknown = domain::target::Ssh { known_hosts: "/dev/null".to_owned(), ..sshd.target() };
    let desk = Desk::with("", vec![at("production", Reach::Ssh(unknown))]).await;

    let look = desk.look("production").await;

    let told = &item(&look, "Target").saw[0];
    assert!(told.contains("not in known_hosts") && told.contains("SHA256:"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_evidence_of_a_run_elsewhere_is_what_is_there_and_the_file_is_bound_there() {
    let Some(sshd) = Sshd::start() else { return };
    let scene = Scene::at_target(at("production", Reach::Ssh(sshd.target()))).await;
    let codes = scene.codes("lena").await;

    let changed = scene.asked().await;
    let page = scene.site.get(&format!("/approvals/{changed}-1"), &scene.lena).await.body;
    assert_eq!(scene.approve(changed, &scene.lena, &codes[0]).await.status, StatusCode::OK);
    std::fs::write(&scene.backup, "another").unwrap();
    let refused = scene.replace(changed, 1, &scene.olga).await;
    assert!(std::path::Path::new(&scene.backup).exists());
    let same = scene.asked().await;
    assert_eq!(scene.approve(same, &scene.lena, &codes[1]).await.status, StatusCode::OK);
    let started = scene.replace(same, 1, &scene.olga).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    scene.site.settled(u32::try_from(same).unwrap()).await;

    let place = Reach::Ssh(sshd.target()).to_string();
    assert!(page.contains("8 bytes") && page.contains("SHA-256") && page.contains(&place), "{page}");
    assert_ne!(refused.status, StatusCode::OK, "{}", refused.body);
    assert!(refused.body.contains("latest.dump"), "{}", refused.body);
    assert!(!std::path::Path::new(&scene.backup).exists(), "what was approved was done there");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_on_an_approval_while_its_file_cannot_be_looked_at() {
    let Some(mut sshd) = Sshd::start() else { return };
    let scene = Scene::at_target(at("production", Reach::Ssh(sshd.target()))).await;
    let codes = scene.codes("lena").await;
    let run = scene.asked().await;
    assert_eq!(scene.approve(run, &scene.lena, &codes[0]).await.status, StatusCode::OK);

    sshd.stop_with_sessions();
    let refused = scene.replace(run, 1, &scene.olga).await;

    assert_ne!(refused.status, StatusCode::OK, "{}", refused.body);
    assert!(refused.body.contains("refuses the connection"), "{}", refused.body);
    assert!(scene.run(run).await.open_attempt().is_none() && std::path::Path::new(&scene.backup).exists());
}

/// The first step makes a file that is nowhere but in the container, the second prints what stands in it.
const INSIDE: &str = "# Shop\n\n## Steps\n\n1. **Write**\n\n   ```sh\n   printf 'GREETING=quiet-%s\\n' otters-swim > /tmp/inside.env\n   ```\n\n\
    2. **Print**\n\n   ```sh\n   cut -d= -f2 /tmp/inside.env\n   ```\n";

#[tokio::test(flavor = "multi_thread")]
async fn in_a_container_a_run_is_looked_at_and_the_files_there_are_masked() {
    let Some(contained) = Contained::start(Image::Busybox, &[]) else { return };
    let target = TargetSettings {
        mask_files: vec!["/tmp/inside.env".to_owned()],
        ..at("api", Reach::Container(contained.target()))
    };
    let places = Places {
        targets: vec![target],
        docker: Some(contained.engine().host()),
        channels: portal::Channels::default(),
    };
    let desk = Desk::of(INSIDE, "directory = \"/tmp\"\n", places).await;

    let look = desk.look("api").await;
    desk.post("/api/runs/start", "slug=shop&target=api&key=k", &desk.ada).await;
    for step in [1, 2] {
        let form = format!("run=1&step={step}&attempt=1&commands=1");
        let started = desk.post("/api/runs/run", &form, &desk.ada).await;
        assert_eq!(started.status, StatusCode::OK, "{}", started.body);
        desk.settled(step).await;
    }
    let printed = desk.post("/api/runs/log", "run=1&step=2&attempt=1", &desk.ada).await.body;
    let page = desk.site.get("/runs/1", &desk.ada).await.body;

    assert_eq!(item(&look, "Directory").standing, Standing::Good, "{look:?}");
    assert_eq!(item(&look, "Programs").standing, Standing::Good, "{look:?}");
    assert!(printed.contains("[secret GREETING]") && !printed.contains("quiet-otters-swim"), "{printed}");
    assert!(page.contains(&format!("the container {}", contained.name())), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_gone_is_told_and_nothing_is_begun() {
    let Some(contained) = Contained::start(Image::Busybox, &[]) else { return };
    let places = Places {
        targets: vec![at("api", Reach::Container(contained.target()))],
        docker: Some(contained.engine().host()),
        channels: portal::Channels::default(),
    };
    let desk = Desk::of(INSIDE, "", places).await;
    contained.remove();

    let look = desk.look("api").await;

    let target = item(&look, "Target");
    assert_eq!(target.standing, Standing::Look);
    assert!(target.saw[0].contains(contained.name()), "{look:?}");
}
