//! A real portal in a folder of its own, and requests to its router.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use domain::frame::{Cursor, Frame};
use domain::plan::PlanTarget;
use domain::policy::{Actor, Role};
use domain::run::Event;
use domain::target::Reach;
use domain::time::Clock;
use domain::{PersonId, RunId};
use futures::StreamExt as _;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use portal::{Portal, SecretSources, Settings, SystemClock, TargetSettings};
use server::config::Networks;
use server::http::assets::Assets;
use server::http::{Site, Surroundings, router};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub const HOST: &str = "127.0.0.1:3000";
pub const ORIGIN: &str = "http://127.0.0.1:3000";
pub const PASSWORD: &str = "four quiet otters swim";

/// What follows a run from its beginning; `RUN` stands for its number.
pub const WATCH: &str = "run=RUN&cursor[version]=0&cursor[step]=0&cursor[attempt]=0&cursor[offset]=0";

/// Within this a stream has to be over whose person may not look any more.
pub const AT_ONCE: Duration = Duration::from_secs(2);

const DOCUMENT: &str = "# Count\n\n## Steps\n\n1. **Count**\n\n   ```bash\n   seq 3\n   ```\n";

/// A portal with its router.
pub struct Served {
    pub portal: Portal,
    pub router: Router,
    pub site: Site,
    token: String,
    folder: TempDir,
    places: Places,
}

/// Where runs of a portal can work.
#[derive(Clone)]
pub struct Places {
    pub targets: Vec<TargetSettings>,
    /// The Docker engine whose containers are among them, as `DOCKER_HOST`.
    pub docker: Option<String>,
    /// By which ways people are told from there.
    pub channels: portal::Channels,
}

impl From<Vec<TargetSettings>> for Places {
    fn from(targets: Vec<TargetSettings>) -> Self {
        Self { targets, docker: None, channels: portal::Channels::default() }
    }
}

/// The target of most tests: this machine.
pub fn local() -> TargetSettings {
    at("local", Reach::Local)
}

/// A target somewhere else.
pub fn at(name: &str, reach: Reach) -> TargetSettings {
    let plan = PlanTarget {
        name: name.to_owned(),
        reach,
        production: false,
        interpreter: vec!["/bin/sh".to_owned()],
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
    };
    TargetSettings { plan, about: String::new(), directory: "/".to_owned(), mask_files: Vec::new() }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The cookies, as a browser sends them back.
    pub fn cookie(&self) -> String {
        let set = self.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        set.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
    }
}

/// Everything is answered within this, also on a busy machine.
const ANSWERED: std::time::Duration = std::time::Duration::from_mins(2);

impl Served {
    pub async fn start() -> Self {
        Self::start_as(None).await
    }

    /// The same behind a proxy with this address.
    pub async fn start_as(public: Option<&str>) -> Self {
        Self::open(&[("count.md", DOCUMENT.as_bytes())], public, Arc::new(SystemClock)).await
    }

    /// The same, with figures for observers on this machine.
    pub async fn observed() -> Self {
        let around = Surroundings { metrics: Networks::this_machine(), ..Surroundings::default() };
        Self::surrounded(around, Arc::new(SystemClock)).await
    }

    /// The same behind listed proxies.
    pub async fn behind(proxies: &str, clock: Arc<dyn Clock>) -> Self {
        let around = Surroundings { proxies: proxies.parse().unwrap(), ..Surroundings::default() };
        Self::surrounded(around, clock).await
    }

    /// The same with these surroundings.
    pub async fn surrounded(around: Surroundings, clock: Arc<dyn Clock>) -> Self {
        let folder = folder_with(&[("count.md", DOCUMENT.as_bytes())]);
        Self::on(folder, vec![local()].into(), around, clock).await
    }

    /// A portal at an address, with these files.
    pub async fn at_address(public: &str, files: &[(&str, &[u8])], clock: Arc<dyn Clock>) -> Self {
        Self::open(files, Some(public), clock).await
    }

    /// The same by another clock.
    pub async fn start_by(clock: Arc<dyn Clock>) -> Self {
        Self::open(&[("count.md", DOCUMENT.as_bytes())], None, clock).await
    }

    /// The same with one document.
    pub async fn by_clock_with(clock: Arc<dyn Clock>, name: &str, document: &[u8]) -> Self {
        Self::open(&[(name, document)], None, clock).await
    }

    /// A portal that has read one document.
    pub async fn with_document(name: &str, document: &[u8]) -> Self {
        Self::open(&[(name, document)], None, Arc::new(SystemClock)).await
    }

    /// A portal that has read one document and the side file beside it.
    pub async fn with_side_file(name: &str, document: &str, side: &str) -> Self {
        Self::by_clock_with_side(Arc::new(SystemClock), name, document, side).await
    }

    /// The same by another clock.
    pub async fn by_clock_with_side(clock: Arc<dyn Clock>, name: &str, document: &str, side: &str) -> Self {
        let beside = name.replace(".md", ".portal.toml");
        let files = [(name, document.as_bytes()), (&*beside, side.as_bytes())];
        Self::open(&files, None, clock).await
    }

    /// The same with other targets.
    pub async fn with_targets(
        clock: Arc<dyn Clock>,
        (name, document, side): (&str, &str, &str),
        places: impl Into<Places>,
    ) -> Self {
        let beside = name.replace(".md", ".portal.toml");
        let files = [(name, document.as_bytes()), (&*beside, side.as_bytes())];
        Self::on(folder_with(&files), places.into(), Surroundings::default(), clock).await
    }

    async fn open(files: &[(&str, &[u8])], public: Option<&str>, clock: Arc<dyn Clock>) -> Self {
        let public_url = public.map(|public| public.parse().unwrap());
        let around = Surroundings { public_url, ..Surroundings::default() };
        Self::on(folder_with(files), vec![local()].into(), around, clock).await
    }

    /// Another portal on the same data, after this one was closed.
    pub async fn again(self, clock: Arc<dyn Clock>) -> Self {
        let (folder, places) = self.closed().await;
        Self::on(folder, places, Surroundings::default(), clock).await
    }

    /// The same, when somebody has opened and closed the data in between as a command at the console does, by a configuration that
    /// knows no way to tell anybody.
    pub async fn after_a_command(self, clock: Arc<dyn Clock>) -> Self {
        let (folder, places) = self.closed().await;
        let bare = Places { channels: portal::Channels::default(), ..places.clone() };
        let opened = Portal::open(settings(&folder, &bare, &Surroundings::default(), clock.clone())).await.unwrap();
        opened.close().await;
        drop(opened);
        Self::on(folder, places, Surroundings::default(), clock).await
    }

    async fn closed(self) -> (TempDir, Places) {
        let Self { portal, router, site, folder, places, .. } = self;
        portal.close().await;
        drop((portal, router, site));
        (folder, places)
    }

    async fn on(folder: TempDir, places: Places, around: Surroundings, clock: Arc<dyn Clock>) -> Self {
        let portal = Portal::open(settings(&folder, &places, &around, clock)).await.unwrap();
        portal.begin_work().await.unwrap();
        let token = portal.set_up_token().await.unwrap().unwrap_or_default();
        let site = Site::new(portal.clone(), Assets::embedded(), around);
        Self { router: router(&site).unwrap(), site, portal, token, folder, places }
    }

    /// A path in the portal's own folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file beside the documents.
    pub fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path("runbooks").join(name), content).unwrap();
    }

    /// Another program that has the portal's database open.
    pub async fn second_store(&self) -> store::Store {
        store::Store::open(&self.path("data/portal.db"), self.portal.now()).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let asked = format!("{} {}", request.method(), request.uri());
        let answer = async {
            let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
            (parts, body.collect().await.unwrap().to_bytes())
        };
        // What is never answered fails by its name, instead of holding everything up.
        let answer = tokio::time::timeout(ANSWERED, answer).await;
        let (parts, body) = answer.unwrap_or_else(|_| panic!("{asked} was not answered"));
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Opens a stream; the answer has to be a good one.
    pub async fn stream(&self, request: Request<Body>) -> BodyDataStream {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().into_data_stream()
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(page(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
    }

    /// What makes the first account.
    pub fn set_up_form(&self) -> String {
        format!("token={}&login=ada&name=Ada&password={}", self.token, PASSWORD.replace(' ', "+"))
    }

    /// Makes the first account: the cookie of its session.
    pub async fn administrator(&self) -> String {
        let answer = self.send(call("/api/set-up").body(Body::from(self.set_up_form())).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.cookie()
    }

    /// Makes the first account, and with it a viewer: the cookie of the viewer's session.
    pub async fn viewer(&self) -> String {
        let administrator = self.administrator().await;
        self.person("vera", "Vera", "viewer", &administrator).await
    }

    /// Lets an administrator make an account: the cookie of its session.
    pub async fn person(&self, login: &str, name: &str, role: &str, administrator: &str) -> String {
        let password = PASSWORD.replace(' ', "+");
        let form = format!("login={login}&name={name}&role={role}&password={password}");
        let create = call("/api/people/create").header(header::COOKIE, administrator).body(Body::from(form)).unwrap();
        assert_eq!(self.send(create).await.status, StatusCode::OK);
        self.sign_in(login).await
    }

    /// Signs in somebody with the usual password and without a second factor; gives the cookie.
    pub async fn sign_in(&self, login: &str) -> String {
        let form = format!("login={login}&password={}", PASSWORD.replace(' ', "+"));
        self.send(call("/api/sign-in").body(Body::from(form)).unwrap()).await.cookie()
    }

    /// Waits until the first attempt of a run has ended.
    pub async fn settled(&self, run: u32) {
        let ended =
            |event| matches!(event, Event::AttemptEnded { .. } | Event::AttemptInterrupted { .. }).then_some(());
        self.until(run, ended).await;
    }

    /// Waits until an attempt of a step has ended.
    pub async fn ended(&self, run: u32, step: u32) {
        let ended = |event| matches!(event, Event::AttemptEnded { step: ended, .. } if ended == step).then_some(());
        self.until(run, ended).await;
    }

    /// Waits for something that happens in a run or has happened; gives what `wanted` makes of it.
    pub async fn until<T>(&self, run: u32, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
        let cursor = Cursor { version: 0, step: 0, attempt: 0, offset: 0 };
        // Also of a run that is limited to a group.
        let viewer = someone(Role::Administrator);
        let mut frames = self.portal.watch(viewer.viewer().unwrap(), RunId(run.into()), cursor).await.unwrap();
        while let Some(framed) = frames.next().await {
            let Frame::Event { entry } = framed.frame else { continue };
            if let Some(found) = wanted(entry.event) {
                return found;
            }
        }
        panic!("the stream of run {run} ended before that");
    }
}

/// The configuration of a portal in a folder.
fn settings(folder: &TempDir, places: &Places, around: &Surroundings, clock: Arc<dyn Clock>) -> Settings {
    Settings {
        data: folder.path().join("data"),
        runbooks: folder.path().join("runbooks"),
        shim: shim(folder, places.docker.as_deref()),
        targets: places.targets.clone(),
        lowerings: Vec::new(),
        approvals: domain::approval::ApprovalRules::DEFAULT,
        secrets: SecretSources::default(),
        public: around.public_url.as_ref().map(|public| public.origin().to_owned()),
        map: around.identity.map.clone(),
        channels: places.channels.clone(),
        checkpoints: portal::CheckpointSettings::default(),
        build: "test".to_owned(),
        clock,
    }
}

/// The binary; where it is to speak with another engine than that of this machine, behind a few words that say so.
fn shim(folder: &TempDir, docker: Option<&str>) -> PathBuf {
    let own = env!("CARGO_BIN_EXE_runbook-portal");
    let Some(docker) = docker else { return own.into() };
    let path = folder.path().join("shim");
    std::fs::write(&path, format!("#!/bin/sh\nexport DOCKER_HOST='{docker}'\nexec '{own}' \"$@\"\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// A folder with files for a portal to read.
fn folder_with(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("runbooks")).unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join("runbooks").join(name), content).unwrap();
    }
    folder
}

/// Whether a stream comes to its end within a time.
pub async fn is_over(stream: &mut BodyDataStream, within: Duration) -> bool {
    let to_the_end = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(within, to_the_end).await.is_ok()
}

/// Somebody with a role, as the gate would know them.
pub fn someone(role: Role) -> Actor {
    Actor::new(PersonId("someone".to_owned()), "Someone".to_owned(), role)
}

/// A page, as a browser asks for it.
pub fn page(path: &str) -> http::request::Builder {
    Request::get(path).header(header::HOST, HOST).header(header::ACCEPT, "text/html")
}

/// A server function, as one of our pages calls it.
pub fn call(path: &str) -> http::request::Builder {
    unstated(Method::POST, path).header(header::ORIGIN, ORIGIN).header("sec-fetch-site", "same-origin")
}

/// A server function, as `curl` calls it: without a word on where it comes from.
pub fn unstated(method: Method, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}
