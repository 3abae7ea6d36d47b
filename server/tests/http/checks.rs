//! Checks of the expected outcome over HTTP: asked of real servers, files, certificates and targets; what stands against a verdict; who may.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::body::Body;
use domain::RunId;
use domain::check::{CheckId, Held};
use domain::policy::Sight;
use domain::run::{Event, Run, Verdict};
use domain::target::Reach;
use http::{StatusCode, header};
use portal::{SystemClock, TargetSettings};
use testkit::rig::{Contained, Image, Secured, Sshd};

use crate::account::{done, post};
use crate::site::{ORIGIN, Places, Served, at, call, local};

const DOCUMENT: &str = "# Shop\n\n## Steps\n\n1. **Start**\n\n   ```bash\n   echo LOGFILE\n   ```\n\n2. **Look**\n\n   ```bash\n   true\n   ```\n\n## Expected outcome\n\n- It answers\n- The users are told\n";

/// A small web server whose answers have the status of the moment.
struct Web {
    url: String,
    status: Arc<AtomicU16>,
}

impl Web {
    fn answering(status: u16) -> Self {
        Self::saying(status, "ok")
    }

    fn saying(status: u16, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let status = Arc::new(AtomicU16::new(status));
        let now = Arc::clone(&status);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let head = format!("HTTP/1.1 {} Said", now.load(Ordering::SeqCst));
                let length = body.len();
                let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
            }
        });
        Self { url, status }
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }
}

/// A portal with a run of one procedure, in which Ada works.
struct Desk {
    site: Served,
    ada: String,
}

impl Desk {
    /// The line "It answers" has this check.
    async fn checking(check: &str) -> Self {
        Self::at(&format!("[procedure.Shop.outcome.\"It answers\"]\n{check}"), vec![local()]).await
    }

    async fn at(settings: &str, places: impl Into<Places>) -> Self {
        let site = Served::with_targets(Arc::new(SystemClock), ("shop.md", DOCUMENT, settings), places).await;
        let ada = site.administrator().await;
        done(&site, "/api/runs/start", "slug=shop&target=&key=one", &ada).await;
        Self { site, ada }
    }

    async fn done(&self, path: &str, form: &str) {
        done(&self.site, path, form, &self.ada).await;
    }

    async fn refused(&self, path: &str, form: &str) -> String {
        let answer = post(&self.site, path, form, &self.ada).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path} {form}: {}", answer.body);
        answer.body
    }

    async fn run(&self) -> Run {
        self.site.portal.store().run(RunId(1), &Sight::EVERYTHING).await.unwrap().unwrap()
    }

    /// Waits until so many checks have their answer; gives the last one.
    async fn answered(&self, wanted: usize) -> (Held, String) {
        let mut seen = 0;
        let answer = |event| {
            let Event::CheckEnded { end, .. } = event else { return None };
            seen += 1;
            (seen == wanted).then_some((end.held, end.sentence))
        };
        self.site.until(1, answer).await
    }

    /// Asks for the check of the line, and waits for what comes of it.
    async fn check(&self) -> (Held, String) {
        let before = self.run().await.checks.len();
        self.done("/api/runs/check", "run=1&step=0&item=1").await;
        self.answered(before + 1).await
    }

    async fn page(&self) -> String {
        let page = self.site.get("/runs/1", &self.ada).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        page.body
    }
}

const REACHED: &str = "run=1&verdict=reached";

fn http(url: &str) -> String {
    format!("check = \"http\"\nurl = \"{url}/health\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_as_reached_asks_the_checks_first_and_is_done_when_they_hold() {
    let web = Web::answering(200);
    let desk = Desk::checking(&http(&web.url)).await;

    let refused = desk.refused("/api/runs/finish", REACHED).await;
    let (held, sentence) = desk.answered(1).await;
    desk.done("/api/runs/finish", REACHED).await;

    assert!(refused.contains("1 check is being asked now") && refused.contains("Nothing was closed"), "{refused}");
    assert_eq!((held, sentence), (Held::Yes, format!("{}/health answered 200.", web.url)));
    let end = desk.run().await.end.unwrap();
    assert_eq!(end.verdict, Verdict::Reached);
    let record = desk.page().await;
    assert!(record.contains("answered 200") && record.contains("1 of 1 checks hold"), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_did_not_hold_hinders_the_verdict_until_it_holds_or_is_overruled() {
    let web = Web::answering(503);
    let desk = Desk::checking(&http(&web.url)).await;

    let (held, sentence) = desk.check().await;
    let refused = desk.refused("/api/runs/finish", REACHED).await;
    web.answers(200);
    let again = desk.check().await;
    web.answers(500);
    let worse = desk.check().await;
    let unreasoned = desk.refused("/api/runs/overrule", "run=1&step=0&item=1&reason=+").await;
    desk.done("/api/runs/overrule", "run=1&step=0&item=1&reason=the+monitor+is+old").await;
    let page = desk.page().await;
    desk.done("/api/runs/finish", REACHED).await;

    assert_eq!((held, sentence), (Held::No, format!("{}/health answered 503, and not 200.", web.url)));
    assert!(refused.contains("did not hold") && refused.contains("overrule"), "{refused}");
    assert_eq!((again.0, worse.0), (Held::Yes, Held::No));
    assert!(unreasoned.contains("Say why"), "{unreasoned}");
    assert!(page.contains("the monitor is old") && page.contains("Overruled by Ada"), "{page}");
    assert_eq!(desk.run().await.checks.len(), 3, "nothing goes out of the record");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_verdict_needs_no_check() {
    let desk = Desk::checking(&http("http://127.0.0.1:9")).await;

    desk.done("/api/runs/finish", "run=1&verdict=not_reached&comment=it+is+slow").await;

    assert_eq!(desk.run().await.checks, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_is_checked_and_how_it_stands_without_scripts() {
    let web = Web::answering(200);
    let desk = Desk::checking(&http(&web.url)).await;

    let procedure = desk.site.get("/procedures/shop", &desk.ada).await.body;
    let before = desk.page().await;
    let form = call("/api/runs/check")
        .header(header::ACCEPT, "text/html")
        .header(header::REFERER, format!("{ORIGIN}/runs/1"))
        .header(header::COOKIE, &desk.ada)
        .body(Body::from("run=1&step=0&item=1"))
        .unwrap();
    let sent = desk.site.send(form).await;
    desk.answered(1).await;
    let after = desk.page().await;

    assert!(procedure.contains("checked: http://") && procedure.contains("ticked by a person"), "{procedure}");
    assert!(before.contains("not checked") && before.contains("Check now"), "{before}");
    assert!(before.contains("/api/runs/check") && before.contains("Check the expected outcome"), "{before}");
    assert!(sent.status.is_redirection(), "{}", sent.status);
    assert_eq!(sent.header("location"), "/runs/1");
    assert!(after.contains("answered 200") && after.contains("Check again"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_checked_before_a_step_ran_is_checked_again() {
    let web = Web::answering(200);
    let desk = Desk::checking(&http(&web.url)).await;

    desk.check().await;
    desk.done("/api/runs/run", "run=1&step=2&attempt=1&commands=1").await;
    desk.site.settled(1).await;
    web.answers(503);
    let refused = desk.refused("/api/runs/finish", REACHED).await;
    let (held, _) = desk.answered(2).await;

    assert!(refused.contains("being asked now"), "{refused}");
    assert_eq!(held, Held::No);
    assert!(desk.refused("/api/runs/finish", REACHED).await.contains("did not hold"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_a_variable_of_the_command_and_never_code() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let side = format!(
        "directory = \"{root}\"\n[parameter.file]\nplaceholder = \"LOGFILE\"\ntype = \"text\"\npattern = \"[^-].*\"\n[procedure.Shop.outcome.\"It answers\"]\ncheck = \"command\"\nrun = \"grep -q ready -- LOGFILE\"\n"
    );
    let desk = Desk::at(&side, vec![local()]).await;
    let name = "x; touch gone; $(touch gone2) 'y";
    std::fs::write(folder.path().join(name), "it is ready\n").unwrap();

    let open = desk.check().await;
    desk.done("/api/runs/value", "run=1&name=file&value=x%3B+touch+gone%3B+%24(touch+gone2)+'y").await;
    let filled = desk.check().await;

    assert_eq!(open.0, Held::Unknown);
    assert!(open.1.contains("There is no value yet for File"), "{}", open.1);
    assert_eq!(filled, (Held::Yes, "The command ended with 0.".to_owned()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_is_said_and_the_portal_stays_up() {
    let desk = Desk::checking("check = \"command\"\nrun = \"tail -f /dev/null\"\n").await;

    desk.done("/api/runs/check", "run=1&step=0&item=1").await;
    let twice = desk.refused("/api/runs/check", "run=1&step=0&item=1").await;
    let meanwhile = desk.page().await;
    let (held, sentence) = desk.answered(1).await;

    assert!(twice.contains("being checked already"), "{twice}");
    assert!(meanwhile.contains("checking"), "{meanwhile}");
    assert_eq!((held, sentence.as_str()), (Held::Unknown, "The command did not end within 8 s, and was given up."));
}

/// Writes one error after the other to a log.
async fn failing(log: PathBuf) {
    let mut pace = tokio::time::interval(Duration::from_millis(200));
    let mut file = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    loop {
        pace.tick().await;
        writeln!(file, "a new error: DB_PASSWORD=quiet-otters-swim").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_watched_for_its_window_and_what_it_says_is_masked() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    std::fs::write(&log, "an old error\n").unwrap();
    let check = format!("check = \"log\"\nrun = \"cat {}\"\npattern = \"error\"\nwindow = \"6s\"\n", log.display());
    let desk = Desk::checking(&check).await;

    let quiet = desk.check().await;
    desk.done("/api/runs/check", "run=1&step=0&item=1").await;
    // Over and over: what was there before the check looked first is not new.
    let writer = tokio::spawn(failing(log.clone()));
    let (held, sentence) = desk.answered(2).await;
    writer.abort();
    std::fs::remove_file(&log).unwrap();
    let gone = desk.check().await;

    assert_eq!(quiet, (Held::Yes, "No new line of the log matched error for 6.0 s.".to_owned()));
    assert_eq!(held, Held::No);
    assert!(sentence.starts_with("A new line of the log matches error: a new error: DB_PASSWORD="), "{sentence}");
    assert!(!sentence.contains("quiet-otters"), "{sentence}");
    assert_eq!(gone.0, Held::Unknown);
    assert!(gone.1.starts_with("The log could not be read"), "{}", gone.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_says_so_in_one_sentence_and_is_never_green() {
    for (check, held, words) in [
        (http("http://127.0.0.1:9"), Held::No, "Nothing answers at http://127.0.0.1:9/health"),
        (
            "check = \"promql\"\nurl = \"http://127.0.0.1:9\"\nquery = \"min(up) == 1\"\n".to_owned(),
            Held::Unknown,
            "Prometheus does not answer at http://127.0.0.1:9",
        ),
        (
            "check = \"certificate\"\nhost = \"127.0.0.1:9\"\n".to_owned(),
            Held::Unknown,
            "Nothing answers at 127.0.0.1:9: no certificate was seen.",
        ),
    ] {
        let desk = Desk::checking(&check).await;

        let (told, sentence) = desk.check().await;

        assert_eq!(told, held, "{sentence}");
        assert!(sentence.starts_with(words), "{sentence}");
        assert!(desk.refused("/api/runs/finish", REACHED).await.contains("It answers"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_about_to_expire_is_said_with_its_date() {
    for (days, held) in [("3", Held::No), ("90", Held::Yes)] {
        let server = Secured::with(days);
        let desk = Desk::checking(&format!("check = \"certificate\"\nhost = \"{}\"\n", server.place)).await;

        let (told, sentence) = desk.check().await;

        assert_eq!(told, held, "{sentence}");
        assert!(sentence.starts_with(&format!("The certificate of {}", server.place)), "{sentence}");
        assert_eq!(sentence.contains("less than 14 days"), held == Held::No, "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_holds_when_it_has_a_result_and_a_broken_one_is_no_result() {
    let some = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}"#;
    let none = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
    let broken = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
    for (status, body, held) in [(200, some, Held::Yes), (200, none, Held::No), (400, broken, Held::Unknown)] {
        let web = Web::saying(status, body);
        let desk =
            Desk::checking(&format!("check = \"promql\"\nurl = \"{}\"\nquery = \"min(up) == 1\"\n", web.url)).await;

        let (told, sentence) = desk.check().await;

        assert_eq!(told, held, "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_ended_well_is_followed_by_its_checks() {
    let web = Web::answering(503);
    let side = format!("[procedure.Shop.step.Look]\nafter = [{{ check = \"http\", url = \"{}/health\" }}]\n", web.url);
    let desk = Desk::at(&side, vec![local()]).await;

    desk.done("/api/runs/run", "run=1&step=2&attempt=1&commands=1").await;
    let (held, _) = desk.answered(1).await;
    let refused = desk.refused("/api/runs/finish", REACHED).await;
    let page = desk.site.get("/runs/1?step=2", &desk.ada).await.body;
    web.answers(200);
    desk.done("/api/runs/check", "run=1&step=2&item=1").await;
    desk.answered(2).await;
    desk.done("/api/runs/finish", REACHED).await;

    assert_eq!(held, Held::No);
    assert!(refused.contains("did not hold"), "{refused}");
    assert!(page.contains("answered 503"), "{page}");
    let run = desk.run().await;
    assert_eq!(run.checks[0].check, CheckId { step: Some(2), number: 1 });
    assert_eq!((run.checks[0].started.by.name(), run.checks[1].started.by.name()), ("the portal", "Ada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_asks_for_no_check_and_only_who_works_in_the_run_overrules() {
    let desk = Desk::checking(&http("http://127.0.0.1:9")).await;
    let vera = desk.site.person("vera", "Vera", "viewer", &desk.ada).await;
    let otto = desk.site.person("otto", "Otto", "operator", &desk.ada).await;

    let by_vera = post(&desk.site, "/api/runs/check", "run=1&step=0&item=1", &vera).await;
    done(&desk.site, "/api/runs/check", "run=1&step=0&item=0", &otto).await;
    desk.answered(1).await;
    let by_otto = post(&desk.site, "/api/runs/overrule", "run=1&step=0&item=1&reason=why", &otto).await;
    let page = desk.site.get("/runs/1", &vera).await.body;

    assert_eq!(by_vera.status, StatusCode::FORBIDDEN, "{}", by_vera.body);
    assert!(by_otto.body.contains("works in this run since"), "{}", by_otto.body);
    assert_eq!(desk.run().await.checks[0].started.by.name(), "Otto");
    assert!(page.contains("did not hold") && !page.contains("Check again"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_asked_where_the_run_works_and_says_when_there_is_no_way() {
    let Some(mut sshd) = Sshd::start() else { return };
    let side = "[procedure.Shop.outcome.\"It answers\"]\ncheck = \"command\"\nrun = \"test -d /\"\n";
    let desk = Desk::at(side, vec![at("production", Reach::Ssh(sshd.target()))]).await;

    let there = desk.check().await;
    sshd.stop_with_sessions();
    let gone = desk.check().await;

    assert_eq!(there, (Held::Yes, "The command ended with 0.".to_owned()));
    assert_eq!(gone.0, Held::Unknown);
    assert!(gone.1.starts_with("The target production could not be asked"), "{}", gone.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_real_container_is_what_docker_says() {
    let Some(contained) = Contained::labelled(Image::Busybox, &[], &["com.docker.compose.service=shop"]) else {
        return;
    };
    let with_docker = |host: String| {
        let mut target: TargetSettings = local();
        target.plan.environment =
            vec![("PATH".to_owned(), std::env::var("PATH").unwrap()), ("DOCKER_HOST".to_owned(), host)];
        target
    };
    let side = |name: &str| {
        format!("[procedure.Shop.outcome.\"It answers\"]\ncheck = \"container\"\ncontainer = \"{name}\"\n")
    };
    let host = contained.engine().host();
    let by_name = Desk::at(&side(contained.name()), vec![with_docker(host.clone())]).await;
    let by_service = Desk::at(&side("shop"), vec![with_docker(host)]).await;
    let down = Desk::at(&side("shop"), vec![with_docker("unix:///no/such/socket".to_owned())]).await;
    let tools = tools();
    let mut bare = local();
    bare.plan.environment = vec![("PATH".to_owned(), tools.path().to_str().unwrap().to_owned())];
    let without = Desk::at(&side("shop"), vec![bare]).await;

    let (running, service) = (by_name.check().await, by_service.check().await);
    let (no_engine, no_program) = (down.check().await, without.check().await);
    contained.remove();
    let missing = by_name.check().await;

    assert_eq!(running.0, Held::Yes, "{}", running.1);
    assert!(running.1.contains("is running; it has no health check of its own"), "{}", running.1);
    assert_eq!(service.0, Held::Yes, "{}", service.1);
    assert_eq!(no_engine.0, Held::Unknown, "{}", no_engine.1);
    assert!(no_program.1.starts_with("The target has no docker"), "{}", no_program.1);
    assert_eq!(missing.0, Held::No);
    assert!(missing.1.starts_with("There is no container and no service"), "{}", missing.1);
}

/// The tools that a look needs, and no `docker` among them.
fn tools() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for tool in ["date", "sed", "timeout", "true"] {
        let found = ["/usr/bin", "/bin"].map(|place| std::path::Path::new(place).join(tool));
        let found = found.iter().find(|path| path.exists()).unwrap();
        std::os::unix::fs::symlink(found, folder.path().join(tool)).unwrap();
    }
    folder
}
