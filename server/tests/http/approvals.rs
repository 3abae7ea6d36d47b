//! Approvals over HTTP: what is asked for, who decides, and that nothing starts otherwise.

use std::sync::Arc;

use axum::body::Body;
use domain::approval::ApprovalRules;
use domain::policy::Sight;
use domain::run::{RequestEnd, RequestStatus, Run};
use domain::{PersonId, RunId};
use http::{StatusCode, header};
use portal::{Sure, TargetSettings};
use testkit::FixedClock;

use crate::approval_pages::text;
use crate::site::{Answer, PASSWORD, Served, call, local, page};

const MINUTE: i64 = 60_000;

/// 1 looks, 2 takes a service away, 3 destroys the folder of its parameter, the rollback destroys, too.
pub const DOCUMENT: &str = "# Restore

## Restore

### Steps

1. **Look**

   ```bash
   ls BACKUP
   ```

2. **Stop**

   ```bash
   docker stop no-such-container || true
   ```

3. **Replace**

   ```bash
   rm -r BACKUP
   ```

### Rollback

```bash
rm -r /no/such/folder
```
";

pub const SIDE: &str = "[procedure.\"Restore\".parameter.backup]
placeholder = \"BACKUP\"
type = \"backup-file\"
root = \"/\"
";

/// A portal, a run of Olga's with a backup as its value, and two leads.
pub struct Scene {
    pub site: Served,
    pub clock: Arc<FixedClock>,
    pub ada: String,
    pub olga: String,
    pub lena: String,
    pub lars: String,
    pub backup: String,
}

/// Somebody's authenticator app.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    /// What it shows now.
    pub fn code(&self, scene: &Scene) -> String {
        let seconds = u64::try_from(scene.site.portal.now().0 / 1000).unwrap();
        totp_rs::Builder::new().with_secret(self.0.clone()).build_noncompliant().generate(seconds).to_string()
    }
}

impl Scene {
    pub async fn open() -> Self {
        Self::with("restore.md", DOCUMENT, SIDE).await
    }

    /// The same people with another document.
    pub async fn with(name: &str, document: &str, beside: &str) -> Self {
        Self::at((name, document, beside), vec![local()]).await
    }

    /// The same people, and the document of most tests, at another target.
    pub async fn at_target(target: TargetSettings) -> Self {
        Self::at(("restore.md", DOCUMENT, SIDE), vec![target]).await
    }

    async fn at(files: (&str, &str, &str), targets: Vec<TargetSettings>) -> Self {
        let clock = Arc::new(FixedClock::default());
        let site = Served::with_targets(clock.clone(), files, targets).await;
        Self::of(site, clock).await
    }

    /// The same people in a portal that is there already.
    pub async fn of(site: Served, clock: Arc<FixedClock>) -> Self {
        let ada = site.administrator().await;
        let olga = site.person("olga", "Olga", "operator", &ada).await;
        let lena = site.person("lena", "Lena", "lead", &ada).await;
        let lars = site.person("lars", "Lars", "lead", &ada).await;
        let backup = site.path("latest.dump").to_str().unwrap().to_owned();
        std::fs::write(&backup, "the dump").unwrap();
        Self { site, clock, ada, olga, lena, lars, backup }
    }

    /// New sessions for everybody.
    pub async fn sign_in_again(&mut self) {
        let people =
            [("ada", &mut self.ada), ("olga", &mut self.olga), ("lena", &mut self.lena), ("lars", &mut self.lars)];
        for (login, cookie) in people {
            *cookie = self.site.sign_in(login).await;
        }
    }

    pub async fn post(&self, path: &str, form: &str, cookie: &str) -> Answer {
        self.site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
    }

    pub async fn done(&self, path: &str, form: &str, cookie: &str) {
        let answer = self.post(path, form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
    }

    /// Starts a run with its value; gives its number.
    pub async fn start(&self, cookie: &str) -> i64 {
        let key = uuid();
        let form = format!("slug=restore&target=&key={key}&values[backup]={}", self.backup);
        let answer = self.post("/api/runs/start", &form, cookie).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body.trim().parse().unwrap()
    }

    pub async fn ask(&self, run: i64, request: u32, cookie: &str) -> Answer {
        let form = format!("run={run}&request={request}&wanted[s3.1]=on&reason=data+is+corrupt");
        self.post("/api/approvals/ask", &form, cookie).await
    }

    /// A run in which the approval of step 3 was asked for.
    pub async fn asked(&self) -> i64 {
        let run = self.start(&self.olga).await;
        let answer = self.ask(run, 1, &self.olga).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        run
    }

    pub async fn approve(&self, run: i64, cookie: &str, code: &str) -> Answer {
        let form = format!("run={run}&request=1&decision=approve&code={code}");
        self.post("/api/approvals/decide", &form, cookie).await
    }

    pub async fn replace(&self, run: i64, attempt: u32, cookie: &str) -> Answer {
        self.post("/api/runs/run", &format!("run={run}&step=3&attempt={attempt}&commands=1"), cookie).await
    }

    /// A run in which Lena has approved step 3, and which has then run it.
    pub async fn approved_and_run(&self) -> i64 {
        let codes = self.codes("lena").await;
        let run = self.asked().await;
        assert_eq!(self.approve(run, &self.lena, &codes[0]).await.status, StatusCode::OK);
        assert_eq!(self.replace(run, 1, &self.olga).await.status, StatusCode::OK);
        self.site.settled(u32::try_from(run).unwrap()).await;
        run
    }

    /// The last events outside of runs, newest first: their places in the chain, and their names.
    async fn outside_of_runs(&self) -> Vec<(u64, String)> {
        let piece = self.site.portal.store().chain_piece(None, 2, true).await.unwrap();
        piece.rows.into_iter().map(|row| (row.seq, row.kind)).collect()
    }

    pub async fn run(&self, run: i64) -> Run {
        self.site.portal.store().run(RunId(run), &Sight::EVERYTHING).await.unwrap().unwrap()
    }

    pub async fn status(&self, run: i64) -> RequestStatus {
        let run = self.run(run).await;
        run.request_status(run.request(1).unwrap(), self.site.portal.expiry_now())
    }

    pub async fn id(&self, login: &str) -> PersonId {
        self.site.portal.store().person_by_login(login).await.unwrap().unwrap().id
    }

    /// Sets a second factor up: codes that work once each.
    pub async fn codes(&self, login: &str) -> Vec<String> {
        self.factor(login).await.1
    }

    /// Sets a second factor up.
    pub async fn authenticator(&self, login: &str) -> Authenticator {
        self.factor(login).await.0
    }

    async fn factor(&self, login: &str) -> (Authenticator, Vec<String>) {
        let actor = self.site.portal.actor(&self.id(login).await).await.unwrap().unwrap();
        let sure = Sure { password: PASSWORD.to_owned(), proof: None };
        let owner = actor.owner().unwrap();
        self.site.portal.offer_authenticator(owner, "a session", sure).await.unwrap();
        let offer = self.site.portal.account(owner, "a session", "127.0.0.1").await.unwrap().offer.unwrap();
        let secret = totp_rs::Secret::try_from_base32(offer.secret.replace(' ', "")).unwrap().as_bytes().to_vec();
        let authenticator = Authenticator(secret);
        let code = authenticator.code(self);
        self.site.portal.switch_on_authenticator(owner, "a session", &code).await.unwrap();
        (authenticator, offer.recovery_codes)
    }

    pub async fn role(&self, login: &str, role: &str) {
        let form = format!("person={}&role={role}", self.id(login).await);
        self.done("/api/people/role", &form, &self.ada).await;
    }
}

/// A key for a form that nobody has sent yet.
fn uuid() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_starts_after_another_person_has_approved_it_and_then_for_real() {
    let scene = Scene::open().await;
    let codes = scene.codes("lena").await;
    let run = scene.asked().await;

    let early = scene.replace(run, 1, &scene.olga).await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    assert!(early.body.contains("A lead has still to approve this"), "{}", early.body);
    let inbox = scene.site.get("/approvals", &scene.lena).await;
    assert!(inbox.body.contains("data is corrupt") && inbox.body.contains("Replace"), "{}", inbox.body);
    let decision = scene.site.get(&format!("/approvals/{run}-1"), &scene.lena).await;
    for words in ["rm -r", "data is corrupt", "Olga", "Backup file", "8 bytes", &scene.backup, "Approve"] {
        assert!(decision.body.contains(words), "{words}: {}", decision.body);
    }
    let answer = scene.approve(run, &scene.lena, &codes[0]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

    let started = scene.replace(run, 1, &scene.olga).await;
    assert_eq!(started.status, StatusCode::OK, "{}", started.body);
    scene.site.settled(u32::try_from(run).unwrap()).await;
    assert!(!std::path::Path::new(&scene.backup).exists());
    let again = scene.replace(run, 2, &scene.olga).await;
    assert!(again.body.contains("that is used"), "{}", again.body);
    let record = scene.site.get(&format!("/runs/{run}"), &scene.lena).await;
    assert!(record.body.contains("Lena"), "{}", record.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_what_they_have_shaped_by_any_way() {
    let scene = Scene::open().await;
    let olgas = scene.codes("olga").await;
    let lenas = scene.codes("lena").await;
    let refused = async |run: i64, cookie: &str, code: &str, status: StatusCode, way: &str| {
        let before = scene.run(run).await.version;
        let events = scene.outside_of_runs().await;
        let answer = scene.approve(run, cookie, code).await;
        assert_eq!(answer.status, status, "{way}: {}", answer.body);
        let told = scene.outside_of_runs().await;
        // Strangers are asked to sign in: what they try is not worth the disk that they could fill with it.
        let newest_before = told.get(usize::from(!cookie.is_empty()));
        assert_eq!(newest_before, events.first(), "{way}: one audit event, and no more: {told:?}");
        let after = scene.run(run).await;
        assert_eq!(after.version, before, "{way} changed the run");
        assert_ne!(
            after.request_status(after.request(1).unwrap(), scene.site.portal.expiry_now()),
            RequestStatus::Approved
        );
    };
    let forbidden = StatusCode::FORBIDDEN;

    // 1 to 3: the person who started it, set its value and asked; as an operator, as a lead since, and in a second session.
    let run = scene.asked().await;
    refused(run, &scene.olga, &olgas[0], forbidden, "an operator's own request").await;
    scene.role("olga", "lead").await;
    refused(run, &scene.olga, &olgas[0], forbidden, "after a promotion").await;
    let second = {
        let form = format!("login=olga&password={}", PASSWORD.replace(' ', "+"));
        scene.site.send(call("/api/sign-in").body(Body::from(form)).unwrap()).await.cookie()
    };
    refused(run, &second, &olgas[0], forbidden, "from a second session").await;
    // 4: with another person's code, and 5: as one who may do everything else.
    refused(run, &scene.lena, &olgas[0], StatusCode::UNPROCESSABLE_ENTITY, "with another person's code").await;
    refused(run, &scene.lena, "", StatusCode::CONFLICT, "without a code").await;
    scene.role("olga", "operator").await;

    // 6 to 13: a lead who has laid a hand on the run before, and lets an operator ask.
    let hands: [(&str, &str, &str); 6] = [
        ("/api/runs/value", "name=backup&value=BACKUP", "a lead who set the value"),
        ("/api/runs/run", "step=1&attempt=1&commands=1", "a lead who ran a step"),
        ("/api/runs/skip-step", "step=1&reason=not+needed", "a lead who passed over a step"),
        ("/api/runs/skip-command", "step=1&command=1&reason=no", "a lead who passed over a command"),
        ("/api/runs/directory", "path=/tmp", "a lead who set the directory"),
        ("/api/runs/add-step", "after=0&place=5&text=date&reason=when", "a lead who added a step"),
    ];
    for (path, form, way) in hands {
        let run = scene.start(&scene.lena).await;
        scene.done(path, &format!("run={run}&{}", form.replace("BACKUP", &scene.backup)), &scene.lena).await;
        if path.ends_with("/run") {
            scene.site.settled(u32::try_from(run).unwrap()).await;
        }
        scene.done("/api/runs/take-over", &format!("run={run}&reason=my+turn"), &scene.olga).await;
        let asked = scene.ask(run, 1, &scene.olga).await;
        assert_eq!(asked.status, StatusCode::OK, "{way}: {}", asked.body);
        refused(run, &scene.lena, &lenas[0], forbidden, way).await;
    }
    // 12: who took it over and gave it back; 13: who asked for the same before, and took that back.
    for (asks, way) in [(false, "a lead who took it over and gave it back"), (true, "a lead who asked before")] {
        let run = scene.start(&scene.olga).await;
        scene.done("/api/runs/take-over", &format!("run={run}&reason=mine"), &scene.lena).await;
        let mut number = 1;
        if asks {
            assert_eq!(scene.ask(run, 1, &scene.lena).await.status, StatusCode::OK);
            number = 2;
        }
        scene.done("/api/runs/take-over", &format!("run={run}&reason=yours"), &scene.olga).await;
        assert_eq!(scene.ask(run, number, &scene.olga).await.status, StatusCode::OK, "{way}");
        let form = format!("run={run}&request={number}&decision=approve&code={}", lenas[0]);
        assert_eq!(scene.post("/api/approvals/decide", &form, &scene.lena).await.status, forbidden, "{way}");
    }

    // 14: by an address, 15: as a viewer, 16: signed out, 17: a request of another run.
    let run = scene.asked().await;
    let get = page(&format!("/api/approvals/decide?run={run}&request=1&decision=approve&code={}", lenas[0]));
    let get = scene.site.send(get.header(header::COOKIE, &scene.lena).body(Body::empty()).unwrap()).await;
    assert!(matches!(get.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED), "{}", get.status);
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;
    refused(run, &vera, &lenas[0], forbidden, "a viewer").await;
    refused(run, "", &lenas[0], StatusCode::UNAUTHORIZED, "a stranger").await;
    let other = scene.start(&scene.olga).await;
    assert_eq!(
        scene.approve(other, &scene.lena, &lenas[0]).await.status,
        StatusCode::CONFLICT,
        "a request of another run"
    );
    // None of that has used up her code.
    assert_eq!(scene.approve(run, &scene.lena, &lenas[0]).await.status, StatusCode::OK);
    assert_eq!(scene.status(run).await, RequestStatus::Approved);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_between_approval_and_start_is_found_and_said() {
    let scene = Scene::open().await;
    let codes = scene.codes("lena").await;
    let mut codes = codes.iter();
    let mut approved = async || {
        std::fs::write(&scene.backup, "the dump").unwrap();
        let run = scene.asked().await;
        assert_eq!(scene.approve(run, &scene.lena, codes.next().unwrap()).await.status, StatusCode::OK);
        run
    };
    let told = async |run: i64, words: &str| {
        let answer = scene.replace(run, 1, &scene.olga).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{words}: {}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        let run = scene.run(run).await;
        assert!(run.steps[2].attempts.is_empty(), "{words}: nothing was started");
        assert!(matches!(run.requests[0].end, Some(RequestEnd::Void { .. })), "{words}: it stays void");
    };

    // The file is replaced by another of the same name and size; or gone; or a link that leads elsewhere.
    let run = approved().await;
    std::fs::remove_file(&scene.backup).unwrap();
    std::fs::write(&scene.backup, "THE DUMP").unwrap();
    told(run, "the file").await;
    let run = approved().await;
    std::fs::remove_file(&scene.backup).unwrap();
    let gone = scene.replace(run, 1, &scene.olga).await;
    assert_eq!(gone.status, StatusCode::CONFLICT);
    assert!(gone.body.contains("could not be looked at: it is not there"), "{}", gone.body);
    assert_eq!(scene.status(run).await, RequestStatus::Approved, "a file that comes back may be the same");
    let run = approved().await;
    std::fs::write(scene.site.path("other.dump"), "the dump").unwrap();
    std::fs::remove_file(&scene.backup).unwrap();
    std::os::unix::fs::symlink(scene.site.path("other.dump"), &scene.backup).unwrap();
    told(run, "other.dump").await;
    std::fs::remove_file(&scene.backup).unwrap();
    // A value, the directory, another person at the wheel, a lead who is none any more.
    let run = approved().await;
    scene.done("/api/runs/directory", &format!("run={run}&path=/tmp"), &scene.olga).await;
    told(run, "void").await;
    let run = approved().await;
    scene.done("/api/runs/value", &format!("run={run}&name=backup&value=/other.dump"), &scene.olga).await;
    told(run, "void").await;
    let run = approved().await;
    let otto = scene.site.person("otto", "Otto", "operator", &scene.ada).await;
    scene.done("/api/runs/take-over", &format!("run={run}&reason=mine"), &otto).await;
    let answer = scene.replace(run, 1, &otto).await;
    assert!(answer.body.contains("void"), "{}", answer.body);
    let run = approved().await;
    scene.role("lena", "operator").await;
    told(run, "Lena, who approved, is operator now").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_document_changes_nothing_that_was_approved() {
    let scene = Scene::open().await;
    let codes = scene.codes("lena").await;
    let run = scene.asked().await;
    assert_eq!(scene.approve(run, &scene.lena, &codes[0]).await.status, StatusCode::OK);

    scene.site.write("restore.md", &DOCUMENT.replace("rm -r BACKUP", "rm -r / BACKUP"));
    let page = scene.site.get(&format!("/runs/{run}"), &scene.olga).await;
    assert!(page.body.contains("newer"), "{}", page.body);
    assert_eq!(scene.replace(run, 1, &scene.olga).await.status, StatusCode::OK);

    scene.site.settled(u32::try_from(run).unwrap()).await;
    let run = scene.run(run).await;
    assert_eq!(run.steps[2].attempts[0].digest, run.requests[0].covers[0].digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_expires_by_itself_and_says_so() {
    let scene = Scene::open().await;
    let codes = scene.codes("lena").await;
    let run = scene.asked().await;

    scene.clock.advance(31 * MINUTE);
    let late = scene.approve(run, &scene.lena, &codes[0]).await;

    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("expired"), "{}", late.body);
    let again = scene.ask(run, 2, &scene.olga).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
}

#[tokio::test]
async fn what_happens_is_recorded_with_the_time_by_which_it_was_allowed() {
    let scene = Scene::open().await;
    scene.clock.goes_on_by(1_000);

    let run = scene.asked().await;

    let state = scene.run(run).await;
    let request = state.request(1).unwrap();
    let time = ApprovalRules::DEFAULT.decide_within_ms;
    assert_eq!(request.expires.since(request.asked.at), time, "the clock was looked at once for both");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_outage_the_operator_waits_or_says_why_not() {
    let scene = Scene::open().await;
    let run = scene.asked().await;
    let stop = format!("run={run}&step=2&attempt=1&commands=1");

    let answer = scene.post("/api/runs/run", &stop, &scene.olga).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.body.contains("the service would be away until a lead decides"), "{}", answer.body);
    scene.done("/api/runs/run", &format!("{stop}&outage=data+is+being+lost"), &scene.olga).await;
    assert_eq!(scene.run(run).await.outage.unwrap().1, "data is being lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_glass_is_marked_for_ever_and_reviewed_before_the_next() {
    let scene = Scene::open().await;
    let codes = scene.codes("lena").await;
    let glass = |run: i64, code: &str| format!("run={run}&request=1&wanted[s3.1]=on&reason=nobody+answers&code={code}");
    let run = scene.start(&scene.olga).await;
    let operator = scene.post("/api/approvals/break-glass", &glass(run, ""), &scene.olga).await;
    assert_eq!(operator.status, StatusCode::FORBIDDEN, "{}", operator.body);

    let run = scene.start(&scene.lena).await;
    scene.done("/api/approvals/break-glass", &glass(run, &codes[0]), &scene.lena).await;
    assert_eq!(scene.replace(run, 1, &scene.lena).await.status, StatusCode::OK);
    scene.site.settled(u32::try_from(run).unwrap()).await;
    let other = scene.start(&scene.lena).await;
    let again = scene.post("/api/approvals/break-glass", &glass(other, &codes[1]), &scene.lena).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("was not reviewed yet"), "{}", again.body);

    let review = format!("run={run}&request=1&comment=it+was+right");
    let own = scene.post("/api/approvals/review", &review, &scene.lena).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN);
    scene.done("/api/approvals/review", &review, &scene.lars).await;
    scene.done("/api/approvals/break-glass", &glass(other, &codes[1]), &scene.lena).await;
    let record = scene.site.get(&format!("/runs/{run}"), &scene.olga).await;
    assert!(record.body.contains("without an approval"), "{}", record.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_says_no_with_a_reason_and_by_a_second_factor() {
    let scene = Scene::open().await;
    let codes = scene.codes("lars").await;
    let run = scene.asked().await;
    let rejects = async |more: &str| {
        let form = format!("run={run}&request=1&decision=reject&{more}");
        scene.post("/api/approvals/decide", &form, &scene.lars).await
    };

    let silent = rejects(&format!("code={}", codes[0])).await;
    assert_eq!(silent.status, StatusCode::CONFLICT, "{}", silent.body);
    let unproven = rejects("reason=wait").await;
    assert_eq!(unproven.status, StatusCode::CONFLICT, "{}", unproven.body);
    assert!(unproven.body.contains("takes your second factor"), "{}", unproven.body);
    let wrong = rejects("reason=wait&code=000000").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert_eq!(scene.status(run).await, RequestStatus::Waiting);
    let proven = rejects(&format!("reason=not+before+noon&code={}", codes[0])).await;
    assert_eq!(proven.status, StatusCode::OK, "a refused rejection has not used the code up: {}", proven.body);
    assert_eq!(scene.status(run).await, RequestStatus::Rejected);

    // Who asks for the same again finds the rejection on the page of the new request.
    let next = scene.asked().await;
    let page = scene.site.get(&format!("/approvals/{next}-1"), &scene.lena).await;
    let shown = text(&page.body);
    assert!(shown.contains("Lars said no to the same") && shown.contains("not before noon"), "{shown}");
}
