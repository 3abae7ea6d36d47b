//! The health of a procedure over HTTP: from real runs, and from real looks that somebody asked for.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use axum::body::Body;
use domain::health::{Grade, Health};
use domain::target::{Container, Reach, Which};
use domain::view::{HomeView, ProcedureView};
use http::{StatusCode, header};
use portal::TargetSettings;
use tempfile::TempDir;
use testkit::rig::Sshd;
use testkit::{FixedClock, NOW};

use crate::account::{done, post};
use crate::limited::scene::{Vault, says_nothing};
use crate::site::{ORIGIN, Served, at, call, local};

/// What it names is not there, but for one file.
const GONE: &str = "# Shop

## Steps

1. **Look**

   ```bash
   cat /no/such/config.json /etc/passwd
   no-such-program-here --status
   ```
";

/// The second step is one that nobody does.
const GOOD: &str = "# Shop

## Steps

1. **Look**

   ```bash
   echo gold-42
   ```

2. **Ask around**

   - Everybody is well
";

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A portal with an administrator.
struct Desk {
    site: Served,
    ada: String,
    clock: Arc<FixedClock>,
}

impl Desk {
    async fn with(document: &str, targets: Vec<TargetSettings>) -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::with_targets(clock.clone(), ("shop.md", document, ""), targets).await;
        let ada = site.administrator().await;
        Self { site, ada, clock }
    }

    async fn looks(&self, target: &str) {
        done(&self.site, "/api/looks/health", &format!("slug=shop&target={target}"), &self.ada).await;
    }

    async fn health(&self, cookie: &str) -> Health {
        let answer = post(&self.site, "/api/pages/procedure", "slug=shop", cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        serde_json::from_str::<ProcedureView>(&answer.body).unwrap().health
    }

    /// A run that works through its first step and is closed as reached.
    async fn runs(&self, number: u32) {
        let start = format!("slug=shop&target=local&key=run-{number}");
        done(&self.site, "/api/runs/start", &start, &self.ada).await;
        let run = format!("run={number}&step=1&attempt=1&commands=1");
        done(&self.site, "/api/runs/run", &run, &self.ada).await;
        self.site.settled(number).await;
        done(&self.site, "/api/runs/finish", &format!("run={number}&verdict=reached"), &self.ada).await;
    }

    /// How many probes the record knows.
    async fn probes(&self) -> usize {
        let piece = self.site.portal.store().chain_piece(None, 100, true).await.unwrap();
        piece.rows.into_iter().filter(|row| row.kind == "probe").count()
    }
}

fn codes(health: &Health) -> Vec<&str> {
    health.concerns.iter().map(|concern| concern.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_at_the_target_is_found_by_a_look_and_kept_with_its_time() {
    let desk = Desk::with(GONE, vec![local()]).await;

    let before = desk.health(&desk.ada).await;
    let none = desk.probes().await;
    desk.looks("local").await;
    desk.clock.advance(5 * MINUTE);
    let after = desk.health(&desk.ada).await;
    let page = desk.site.get("/procedures/shop", &desk.ada).await.body;

    assert_eq!((before.grade, codes(&before), none), (Grade::Unproven, vec!["never-run"], 0));
    assert_eq!((after.grade, codes(&after)), (Grade::Broken, vec!["tool-missing", "file-missing", "never-run"]));
    let seen = after.concerns[0].seen.as_ref().unwrap();
    assert_eq!((seen.target.as_str(), seen.at), ("local", NOW));
    assert!(after.concerns[1].message.contains("/no/such/config.json"), "{after:?}");
    assert!(page.contains("The program no-such-program-here is not found") && page.contains("5 min ago"), "{page}");
    assert!(page.contains("data-health=\"broken\"") && page.contains("Look now"), "{page}");
    assert_eq!(desk.probes().await, 1, "pages ask nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_a_badge_with_the_worst_that_is_known() {
    let desk = Desk::with(GONE, vec![local()]).await;
    desk.looks("").await;

    let answer = post(&desk.site, "/api/pages/home", "", &desk.ada).await;
    let page = desk.site.get("/", &desk.ada).await.body;

    let home: HomeView = serde_json::from_str(&answer.body).unwrap();
    let mark = &home.procedures[0].health;
    assert_eq!(mark.grade, Grade::Broken);
    assert!(mark.worst.as_ref().unwrap().contains("no-such-program-here"), "{mark:?}");
    assert!(page.contains("data-health=\"broken\""), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_start_nothing_lets_nothing_be_looked_at_and_reads_what_was_found() {
    let desk = Desk::with(GONE, vec![local()]).await;
    let vera = desk.site.person("vera", "Vera", "viewer", &desk.ada).await;

    let refused = post(&desk.site, "/api/looks/health", "slug=shop&target=local", &vera).await;
    let none = desk.probes().await;
    desk.looks("local").await;
    let page = desk.site.get("/procedures/shop", &vera).await.body;

    assert_eq!((refused.status, none), (StatusCode::FORBIDDEN, 0), "{}", refused.body);
    assert_eq!(desk.health(&vera).await.grade, Grade::Broken);
    assert!(page.contains("no-such-program-here is not found") && !page.contains("Look now"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_the_form_looks_and_leads_back_to_its_page() {
    let desk = Desk::with(GONE, vec![local()]).await;
    let request = call("/api/looks/health")
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &desk.ada)
        .header(header::REFERER, format!("{ORIGIN}/procedures/shop"))
        .body(Body::from("slug=shop&target=local"))
        .unwrap();

    let answer = desk.site.send(request).await;

    assert!(answer.status.is_redirection(), "{}", answer.status);
    assert_eq!(answer.header("location"), "/procedures/shop");
    assert_eq!(desk.health(&desk.ada).await.grade, Grade::Broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_of_the_document_as_it_was_and_says_nothing_about_another() {
    let desk = Desk::with(GONE, vec![local()]).await;
    desk.looks("local").await;

    desk.site.write("shop.md", GOOD);

    let health = desk.health(&desk.ada).await;
    assert_eq!((health.looks.len(), codes(&health)), (0, vec!["never-run"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_answer_leaves_nothing_green() {
    let gone = Reach::Container(Container { which: Which::Name("no-such-container-here".to_owned()), user: None });
    let desk = Desk::with(GOOD, vec![local(), at("gone", gone)]).await;
    for number in 1..=2 {
        desk.runs(number).await;
    }
    let before = desk.health(&desk.ada).await;

    desk.looks("gone").await;
    desk.looks("local").await;

    let after = desk.health(&desk.ada).await;
    assert_eq!((before.grade, before.reached), (Grade::Proven, 2));
    assert_eq!((after.grade, codes(&after)), (Grade::Doubtful, vec!["target-silent"]));
    assert_eq!(after.looks.len(), 2, "one at each target");
}

#[tokio::test(flavor = "multi_thread")]
async fn real_runs_prove_a_procedure_for_a_while_and_name_the_step_that_nobody_works_through() {
    let desk = Desk::with(GOOD, vec![local()]).await;
    for number in 1..=3 {
        desk.runs(number).await;
    }

    let now = desk.health(&desk.ada).await;
    desk.clock.advance(40 * DAY);
    // The session is over by then.
    let ada = desk.site.sign_in("ada").await;
    let later = desk.health(&ada).await;

    assert_eq!((now.grade, now.closed, now.reached, now.last_success), (Grade::Proven, 3, 3, Some(NOW)));
    assert_eq!(codes(&now), ["step-never-run"]);
    assert!(now.concerns[0].message.contains("Step 2, Ask around, was never run in the last 3 runs"), "{now:?}");
    assert_eq!((later.grade, codes(&later)), (Grade::Unproven, vec!["old-success", "step-never-run"]));
    assert!(later.concerns[0].message.contains("40 days ago"), "{later:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_a_procedure_may_not_use_is_not_looked_at() {
    let desk = Desk::with(GOOD, vec![local()]).await;

    let refused = post(&desk.site, "/api/looks/health", "slug=shop&target=production", &desk.ada).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert_eq!(desk.probes().await, 0);
}

/// Stands in for a Docker client whose engine has one container.
const DOCKER: &str = "#!/bin/sh\ncase $1 in ps) printf 'api\\tUp 2 hours\\tapi:1\\n' ;; *) exit 1 ;; esac\n";

/// One that cannot read its settings, and repeats them.
const REPEATING: &str =
    "#!/bin/sh\necho 'unexpected character in a variable name near \"PASSWORD=hunter-otter\"' >&2\nexit 1\n";

/// A target with such a client, which is there as long as its folder.
fn with_docker(client: &str) -> (TempDir, TargetSettings) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker");
    std::fs::write(&path, client).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut target = local();
    target.plan.environment = vec![("PATH".to_owned(), format!("{}:/usr/bin:/bin", folder.path().display()))];
    (folder, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_at_the_target_print_is_not_kept_for_everybody_who_reads_what_was_found() {
    let (_folder, target) = with_docker(REPEATING);
    let document = "# Shop\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   docker logs mongo\n   docker compose restart api\n   ```\n";
    let desk = Desk::with(document, vec![target]).await;
    let vera = desk.site.person("vera", "Vera", "viewer", &desk.ada).await;

    desk.looks("local").await;

    let health = desk.health(&vera).await;
    assert_eq!(codes(&health).into_iter().filter(|code| *code == "not-known").count(), 2, "{health:?}");
    let page = desk.site.get("/procedures/shop", &vera).await.body;
    let home = post(&desk.site, "/api/pages/home", "", &vera).await.body;
    for seen in [format!("{health:?}"), page, home] {
        assert!(!seen.contains("hunter-otter"), "{seen}");
    }
    let look = post(&desk.site, "/api/looks/start", "slug=shop&target=local", &desk.ada).await.body;
    assert!(look.contains("hunter-otter"), "who starts a run there is told why: {look}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_commands_name_and_the_engine_does_not_is_told_by_its_name() {
    let (_folder, target) = with_docker(DOCKER);
    let document =
        "# Shop\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   docker logs api\n   docker logs mongo\n   ```\n";
    let desk = Desk::with(document, vec![target]).await;

    desk.looks("local").await;

    let health = desk.health(&desk.ada).await;
    assert_eq!((health.grade, codes(&health)), (Grade::Doubtful, vec!["container-missing", "never-run"]), "{health:?}");
    assert!(health.concerns[0].message.starts_with("The container mongo is not there"), "{health:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_is_looked_at_over_ssh_and_the_last_look_counts() {
    let Some(mut sshd) = Sshd::start() else { return };
    let desk = Desk::with(GONE, vec![at("production", Reach::Ssh(sshd.target()))]).await;

    desk.looks("production").await;
    let there = desk.health(&desk.ada).await;
    sshd.stop_with_sessions();
    desk.clock.advance(MINUTE);
    desk.looks("production").await;
    let gone = desk.health(&desk.ada).await;

    assert_eq!(codes(&there), ["tool-missing", "file-missing", "never-run"], "{there:?}");
    assert_eq!((gone.grade, codes(&gone)), (Grade::Doubtful, vec!["target-silent", "never-run"]), "{gone:?}");
    assert!(gone.concerns[0].message.contains("refuses the connection"), "{gone:?}");
    assert_eq!(gone.looks.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_about_a_limited_procedure_is_for_who_sees_it() {
    let vault = Vault::open().await;
    vault.done("/api/looks/health", "slug=open-the-vault", &vault.ada).await;

    for (cookie, role) in vault.outside() {
        for path in ["/api/pages/home", "/api/pages/search"] {
            says_nothing(&format!("{path} for a {role}"), &vault.post(path, "", cookie).await.body);
        }
        let asked = vault.post("/api/looks/health", "slug=open-the-vault", cookie).await;
        assert_ne!(asked.status, StatusCode::OK, "for a {role}");
    }
    for (cookie, role) in vault.inside() {
        let page = vault.post("/api/pages/procedure", "slug=open-the-vault", cookie).await.body;
        let view: ProcedureView = serde_json::from_str(&page).unwrap();
        assert_eq!(view.health.looks.len(), 1, "for a {role}");
    }
}
