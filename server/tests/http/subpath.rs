//! The portal below a path of its host: what a browser is told begins with the base, and leads somewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use portal::SystemClock;
use server::http::assets::Assets;
use testkit::FixedClock;

use crate::approvals::{DOCUMENT, SIDE, Scene};
use crate::site::{Answer, HOST, ORIGIN, PASSWORD, Served, call, page, unstated};

/// The path below which the portal is. Its second name is one of the portal's own, which is no reason for confusion.
const BASE: &str = "/ops/runs";

const PUBLIC: &str = "http://127.0.0.1:3000/ops/runs/";

const NOTES: &[u8] = b"# Notes

## Look at it

Before it, [clean it](#clean-it). [The manual](https://example.org/manual) says why.

### Steps

1. **Look**

   ```bash
   ls /
   ```

## Clean it

### Steps

1. **Clean**

   ```bash
   rm -r /no/such/folder
   ```
";

async fn below() -> Served {
    Served::at_address(PUBLIC, &[("notes.md", NOTES)], Arc::new(SystemClock)).await
}

/// A tag of a page with its attributes.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
}

impl Tag {
    fn of(text: &str) -> Self {
        let (name, mut rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let mut attributes = BTreeMap::new();
        while let Some((before, behind)) = rest.split_once("=\"") {
            let (value, behind) = behind.split_once('"').unwrap_or((behind, ""));
            let name = before.rsplit(char::is_whitespace).next().unwrap_or(before);
            attributes.entry(name.to_owned()).or_insert_with(|| unescaped(value));
            rest = behind;
        }
        Self { name: name.to_owned(), attributes }
    }

    fn says(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute).map(String::as_str)
    }
}

/// The tags of a page; what stands in its scripts is none.
fn tags(html: &str) -> Vec<Tag> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let inside = &rest[at + 1..];
        let end = inside.find('>').unwrap_or(inside.len());
        let tag = Tag::of(&inside[..end]);
        rest = &inside[end..];
        if tag.name == "script" {
            rest = rest.find("</script").map_or("", |end| &rest[end..]);
        }
        found.push(tag);
    }
    found
}

fn unescaped(value: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |value, (entity, sign)| value.replace(entity, sign))
}

/// The path inside the portal of what a browser was told. It has to begin with the base.
fn inside(told: &str) -> &str {
    let inside = told.strip_prefix(BASE).filter(|inside| inside.starts_with('/'));
    inside.unwrap_or_else(|| panic!("{told} does not begin with {BASE}/"))
}

/// Where a page or a redirect leads inside the portal: paths with their queries, as a browser asks for them.
fn leads_to(path: &str, answer: &Answer) -> Vec<String> {
    let location = answer.header("location");
    let mut links: Vec<&str> = if location.is_empty() { Vec::new() } else { vec![location] };
    let is_page = answer.header("content-type").starts_with("text/html");
    let tags = if is_page { tags(&answer.body) } else { Vec::new() };
    for tag in &tags {
        links.extend(tag.says("href"));
        links.extend(tag.says("src"));
        match (tag.says("action"), tag.says("method")) {
            (Some(action), Some("post")) => {
                assert!(app::api::policy(inside(action)).is_some(), "{path}: no function answers {action}");
            }
            (Some(action), _) => links.push(action),
            (None, _) => {}
        }
    }
    links.into_iter().filter_map(|link| asked(path, link)).collect()
}

/// What a browser asks for when it follows a link of a page, if that is of this portal.
fn asked(path: &str, link: &str) -> Option<String> {
    let place = link.split('#').next().unwrap_or_default();
    if place.is_empty() || ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        assert!(!link.starts_with(ORIGIN), "{path} has the whole address {link}");
        return None;
    }
    if place.starts_with('?') {
        return Some(format!("{}{place}", path.split('?').next().unwrap_or_default()));
    }
    inside(place);
    Some(place.to_owned())
}

/// Follows every link from some paths on, as one person. Gives what was found.
async fn crawl(site: &Served, cookie: &str, from: &[&str]) -> BTreeSet<String> {
    let is_built = Assets::embedded().paths().next().is_some();
    let start = |path: &&str| (format!("{BASE}{path}"), "the test".to_owned());
    let mut waiting: VecDeque<(String, String)> = from.iter().map(start).collect();
    let mut seen = BTreeSet::new();
    while let Some((path, page)) = waiting.pop_front() {
        let is_file = path.contains("/pkg/") || path.ends_with("/favicon.svg");
        if !seen.insert(path.clone()) || (is_file && !is_built) {
            continue;
        }
        assert!(seen.len() < 1_000, "the pages have no end: {seen:?}");
        let answer = site.get(&path, cookie).await;
        let there = answer.status.is_success() || answer.status.is_redirection();
        assert!(there, "{page} leads to {path}: {} {}", answer.status, answer.body);
        waiting.extend(leads_to(&path, &answer).into_iter().map(|link| (link, path.clone())));
    }
    seen
}

/// A portal with what pages can show: runs that are closed, open and waiting, requests, output, a redaction, findings.
async fn full() -> Scene {
    let clock = Arc::new(FixedClock::default());
    let files: [(&str, &[u8]); 5] = [
        ("restore.md", DOCUMENT.as_bytes()),
        ("restore.portal.toml", SIDE.as_bytes()),
        ("quirks.md", include_bytes!("../../../runbooks/quirks.md").as_slice()),
        ("quirks.portal.toml", include_bytes!("../../../runbooks/quirks.portal.toml").as_slice()),
        ("notes.md", NOTES),
    ];
    let site = Served::at_address(PUBLIC, &files, clock.clone()).await;
    let scene = Scene::of(site, clock).await;
    let closed = scene.approved_and_run().await;
    let form = format!("run={closed}&verdict=not_reached&comment=the+dump+was+empty");
    scene.done("/api/runs/finish", &form, &scene.olga).await;
    std::fs::write(&scene.backup, "the next dump").unwrap();
    let looked = scene.start(&scene.olga).await;
    scene.done("/api/runs/run", &format!("run={looked}&step=1&attempt=1&commands=1"), &scene.olga).await;
    scene.site.settled(u32::try_from(looked).unwrap()).await;
    let ask = format!("run={looked}&step=1&attempt=1&text=latest&reason=a+name+was+printed");
    scene.done("/api/redactions/ask", &ask, &scene.ada).await;
    scene.asked().await;
    scene
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_of_every_page_begins_with_the_base_and_leads_somewhere() {
    let scene = full().await;

    let by_ada = crawl(&scene.site, &scene.ada, &["/"]).await;
    let by_lena = crawl(&scene.site, &scene.lena, &["/"]).await;
    let by_olga = crawl(&scene.site, &scene.olga, &["/"]).await;
    let by_a_stranger = crawl(&scene.site, "", &["/", "/runs/1/evidence", "/set-up?token=x"]).await;

    for path in ["/", "/history", "/documents", "/audit", "/people", "/account", "/approvals", "/approvals/3-1"] {
        assert!(by_ada.contains(&format!("{BASE}{path}")), "{path}: {by_ada:?}");
    }
    for path in ["/procedures/restore", "/procedures/look-at-it", "/runs/1", "/runs/1/evidence", "/runs/2/output/1/1"] {
        assert!(by_lena.contains(&format!("{BASE}{path}")), "{path}: {by_lena:?}");
        assert!(by_olga.contains(&format!("{BASE}{path}")), "{path}: {by_olga:?}");
    }
    assert!(by_a_stranger.contains(&format!("{BASE}/sign-in?next=/")), "{by_a_stranger:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_leads_back_into_the_portal() {
    let site = below().await;
    let ada = site.administrator().await;

    let absent = format!("{BASE}/absent");
    let answer = site.get(&absent, &ada).await;

    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(leads_to(&absent, &answer).contains(&format!("{BASE}/history")), "{}", answer.body);
}

#[tokio::test]
async fn a_proxy_takes_the_base_off_or_leaves_it() {
    let site = below().await;
    let ada = site.administrator().await;

    for path in ["/", "/procedures/look-at-it", "/history?words=x", "/account"] {
        let (left, taken) = (site.get(&format!("{BASE}{path}"), &ada).await, site.get(path, &ada).await);

        assert_eq!((left.status, taken.status), (StatusCode::OK, StatusCode::OK), "{path}");
        assert_eq!(leads_to(path, &left), leads_to(path, &taken), "{path}");
    }
    let bare = site.get(BASE, &ada).await;
    assert_eq!(bare.status, StatusCode::OK);
    assert!(bare.body.contains("Look at it"), "the start page without the slash behind its address: {}", bare.body);
}

#[tokio::test]
async fn what_only_begins_like_the_base_is_not_the_portal() {
    let site = below().await;
    let ada = site.administrator().await;

    for path in ["/ops/runs2/history", "/ops", "/ops/history", "/ops/runs/ops/runs/history"] {
        assert_eq!(site.get(path, &ada).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_base_opens_nothing_to_a_stranger() {
    let site = below().await;
    site.administrator().await;

    for prefix in ["", BASE] {
        let shown = site.get(&format!("{prefix}/people?x=1"), "").await;
        let called = site.send(call(&format!("{prefix}/api/session")).body(Body::empty()).unwrap()).await;
        let output = unstated(Method::GET, &format!("{prefix}/runs/1/output/1/1")).body(Body::empty()).unwrap();

        assert_eq!(shown.status, StatusCode::SEE_OTHER, "{prefix}");
        assert_eq!(shown.header("location"), format!("{BASE}/sign-in?next=/people%3Fx%3D1"), "{prefix}");
        assert_eq!(called.status, StatusCode::UNAUTHORIZED, "{prefix}");
        assert_eq!(site.send(output).await.status, StatusCode::UNAUTHORIZED, "{prefix}");
    }
}

#[tokio::test]
async fn another_site_changes_nothing_below_the_base() {
    let site = below().await;
    let ada = site.administrator().await;

    for origin in ["https://evil.example", "http://127.0.0.1:3000/ops/runs", "http://127.0.0.1:3001", "null"] {
        let request = Request::post(format!("{BASE}/api/runs/start"))
            .header(header::HOST, HOST)
            .header(header::COOKIE, &ada)
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("slug=look-at-it&target=local&key=forged"))
            .unwrap();

        assert_eq!(site.send(request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
}

/// Signs Ada in, with a form or as the page's program does; `next` is the page that she wanted.
async fn signed_in(site: &Served, accept: &str, next: &str) -> Answer {
    let form = format!("login=ada&password={}&next={next}", PASSWORD.replace(' ', "+"));
    let request = call(&format!("{BASE}/api/sign-in"))
        .header(header::ACCEPT, accept)
        .header(header::REFERER, format!("{ORIGIN}{BASE}/sign-in"))
        .body(Body::from(form));
    site.send(request.unwrap()).await
}

#[tokio::test]
async fn signing_in_leads_to_the_page_that_was_wanted_and_never_to_another_application() {
    let site = below().await;
    site.administrator().await;
    let cases = [
        ("/history?words=x", "/ops/runs/history?words=x"),
        ("", "/ops/runs/"),
        ("/../wiki", "/ops/runs/"),
        ("/%252e%252e/wiki", "/ops/runs/"),
        ("//evil.example", "/ops/runs/"),
        ("https://evil.example", "/ops/runs/"),
    ];

    for (next, wanted) in cases {
        let (form, program) = (signed_in(&site, "text/html", next).await, signed_in(&site, "*/*", next).await);

        assert_eq!((form.status, form.header("location")), (StatusCode::FOUND, wanted), "{next}");
        assert_eq!((program.status, program.header("location")), (StatusCode::OK, wanted), "{next}");
        assert!(program.headers.contains_key("serverfnredirect"), "{next}");
    }
}

#[tokio::test]
async fn a_refused_form_leads_back_to_its_page_which_shows_the_error() {
    let site = below().await;
    site.administrator().await;
    let refused = async |referer: &str| {
        let request = call("/api/sign-in")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, referer)
            .body(Body::from("login=ada&password=wrong"))
            .unwrap();
        let answer = site.send(request).await;
        assert!(answer.status.is_redirection(), "{referer}: {}", answer.status);
        answer.header("location").to_owned()
    };

    let back = refused(&format!("{ORIGIN}{BASE}/sign-in?next=/history")).await;
    let shown = site.get(&back, "").await;

    assert!(back.starts_with("/ops/runs/sign-in?next="), "{back}");
    assert!(shown.body.contains("The sign-in name or the password is wrong"), "{}", shown.body);
    for elsewhere in [format!("{ORIGIN}/wiki"), format!("{ORIGIN}/ops/runs2/x"), format!("{ORIGIN}{BASE}/../wiki")] {
        assert_eq!(refused(&elsewhere).await, "/ops/runs/", "{elsewhere}");
    }
}

#[tokio::test]
async fn a_form_that_the_gate_refuses_leads_back_below_the_base() {
    let site = below().await;
    let viewer = site.viewer().await;
    let send = async |cookie: &str| {
        let request = call("/api/runs/start")
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, cookie)
            .header(header::REFERER, format!("{ORIGIN}{BASE}/procedures/look-at-it"))
            .body(Body::from("slug=look-at-it&target=local&key=k"))
            .unwrap();
        site.send(request).await
    };

    let (refused, ended) = (send(&viewer).await, send("").await);

    assert!(refused.header("location").starts_with("/ops/runs/procedures/look-at-it?"), "{:?}", refused.headers);
    assert_eq!(ended.header("location"), "/ops/runs/sign-in?next=/procedures/look-at-it");
}

#[tokio::test]
async fn signing_out_leads_to_signing_in() {
    let site = below().await;
    let ada = site.administrator().await;

    let request = call(&format!("{BASE}/api/sign-out")).header(header::COOKIE, &ada).body(Body::empty()).unwrap();
    let answer = site.send(request).await;

    assert_eq!((answer.status, answer.header("location")), (StatusCode::OK, "/ops/runs/sign-in"));
    assert_eq!(site.get(&format!("{BASE}/history"), &ada).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_cookies_are_those_of_the_whole_host() {
    let site = Served::at_address("https://ops.example.com/runbooks", &[], Arc::new(SystemClock)).await;
    let request = Request::post("/runbooks/api/set-up")
        .header(header::HOST, "ops.example.com")
        .header(header::ORIGIN, "https://ops.example.com")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(site.set_up_form()))
        .unwrap();

    let answer = site.send(request).await;

    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    // A browser takes a name with this prefix with no other path.
    assert!(cookie.starts_with("__Host-portal=") && cookie.split("; ").any(|part| part == "Path=/"), "{cookie}");
}

#[tokio::test]
async fn machines_that_look_after_the_portal_ask_at_the_root_or_below_the_base() {
    let site = below().await;

    for path in ["/healthz", "/readyz", "/ops/runs/healthz", "/ops/runs/readyz"] {
        // They come by whatever address they know.
        let request = Request::get(path).header(header::HOST, "10.0.0.7:3000").body(Body::empty()).unwrap();

        assert_eq!(site.send(request).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_page_says_the_base_to_its_own_program_and_nothing_without_one() {
    let (at_a_path, at_the_root) = (below().await, Served::start().await);
    let shown = async |site: &Served| site.send(page("/sign-in").body(Body::empty()).unwrap()).await.body;

    let (below, root) = (shown(&at_a_path).await, shown(&at_the_root).await);

    assert!(below.contains("<html lang=\"en\" data-base=\"/ops/runs\">"), "{below}");
    assert!(below.contains("(\"/ops/runs\", \"pkg\", \"runbook-portal\""), "{below}");
    assert!(root.contains("<html lang=\"en\">") && root.contains("(\"\", \"pkg\", \"runbook-portal\""), "{root}");
}

#[tokio::test]
async fn portals_with_different_bases_live_in_one_process() {
    let open = async |public: &str| Served::at_address(public, &[("notes.md", NOTES)], Arc::new(SystemClock)).await;
    let sites = [open("http://127.0.0.1:3000/a").await, open("http://127.0.0.1:3000/b").await, Served::start().await];
    let shown = async |site: &Served| site.send(page("/sign-in").body(Body::empty()).unwrap()).await.body;

    let (a, b, root) = tokio::join!(shown(&sites[0]), shown(&sites[1]), shown(&sites[2]));

    assert!(a.contains("action=\"/a/api/sign-in\"") && !a.contains("\"/b/"), "{a}");
    assert!(b.contains("action=\"/b/api/sign-in\"") && !b.contains("\"/a/"), "{b}");
    assert!(root.contains("action=\"/api/sign-in\""), "{root}");
}

/// What writes an address past the base, whether a test opens its page or not.
const PAST_THE_BASE: [&str; 9] = [
    "href=\"/",
    "src=\"/",
    "action=\"/",
    "href=format!(\"/",
    "action=format!(\"/",
    "::url()>",
    "redirect(\"/",
    "leptos::form::ActionForm",
    "NavigateOptions::default()",
];

fn past_the_base(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            past_the_base(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/base.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = (1..).zip(text.lines());
            let wrong = lines.filter(|(_, line)| PAST_THE_BASE.iter().any(|words| line.contains(words)));
            found.extend(wrong.map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim())));
        }
    }
}

#[test]
fn no_page_writes_an_address_past_the_base() {
    let mut found = Vec::new();

    past_the_base(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/src"), &mut found);

    assert!(found.is_empty(), "write these with `portal_path`: {found:#?}");
}
