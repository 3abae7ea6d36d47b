//! Values and forms as they come over HTTP: what does not do is a sentence with its status, and nothing has changed.

use axum::body::Body;
use http::{StatusCode, header};
use serde_json::Value;

use crate::site::{Answer, Served, call};

const DOCUMENT: &str = "# Look\n\n## Steps\n\n1. **Look**\n\n   ```bash\n   ls -d /path/to/folder NAME\n   ```\n";
const SIDE: &str = concat!(
    "[parameter.folder]\nplaceholder = \"/path/to/folder\"\ntype = \"path\"\nroot = \"/srv\"\nexample = \"/srv/app\"\n",
    "[parameter.short_name]\nplaceholder = \"NAME\"\ntype = \"text\"\n",
);

/// A portal with a run that is open.
struct Open {
    site: Served,
    cookie: String,
    run: String,
}

impl Open {
    async fn start() -> Self {
        let site = Served::with_side_file("look.md", DOCUMENT, SIDE).await;
        let cookie = site.administrator().await;
        let mut open = Self { site, cookie, run: String::new() };
        let started = open.post("/api/runs/start", "slug=look&target=local&key=first-key-of-this-test").await;
        assert_eq!(started.status, StatusCode::OK, "{}", started.body);
        started.body.trim_matches('"').clone_into(&mut open.run);
        open
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.post_as(path, body, "application/x-www-form-urlencoded").await
    }

    async fn post_as(&self, path: &str, body: impl Into<Body>, kind: &str) -> Answer {
        let request = call(path).header(header::COOKIE, &self.cookie);
        let mut request = request.body(body.into()).unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        self.site.send(request).await
    }

    async fn set(&self, name: &str, value: &str) -> Answer {
        self.post("/api/runs/value", format!("run={}&name={name}&value={value}", self.run)).await
    }

    /// The events of the run: what changed is there, and nothing else is.
    async fn events(&self) -> usize {
        let run = self.run.parse().unwrap();
        self.site.second_store().await.entries(domain::RunId(run), 0).await.unwrap().len()
    }
}

/// A command that lacks a value has the field for it where it would be run, under its name as words.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_lacks_values_has_their_fields_where_it_would_be_run() {
    let open = Open::start().await;
    let shown = async || open.site.get(&format!("/runs/{}", open.run), &open.cookie).await.body;
    // For the whole step, and for the command alone.
    let fields = |page: &str, name: &str| {
        ["needed", "alone"].map(|place| page.matches(&format!("id=\"{place}-1-{name}\"")).count()) == [1, 1]
    };

    let before = shown().await;
    assert!(fields(&before, "folder") && fields(&before, "short_name"), "{before}");
    assert!(before.contains("Needs a value for Folder, Short name first."), "{before}");

    assert_eq!(open.set("folder", "/srv/app").await.status, StatusCode::OK);
    let after = shown().await;
    assert!(!fields(&after, "folder") && fields(&after, "short_name"), "{after}");
    assert!(after.contains("Needs a value for Short name first."), "{after}");
}

/// The sentence of an error.
fn sentence(answer: &Answer) -> String {
    let error: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("no error: {}", answer.body));
    error["detail"].as_str().unwrap_or_else(|| panic!("no sentence: {}", answer.body)).to_owned()
}

#[tokio::test]
async fn a_value_that_does_not_do_is_refused_with_a_sentence_that_names_its_field() {
    let open = Open::start().await;
    let before = open.events().await;

    for (name, value, told) in [
        ("short_name", "a%00b".to_owned(), "Short name: a value cannot contain a NUL byte."),
        ("short_name", "a%0D%0Ab".to_owned(), "Short name: a value cannot contain a carriage return"),
        ("short_name", "x".repeat(98_305), "Short name: the value has 98,305 bytes, and 98,304 is the most"),
        ("short_name", "-rf".to_owned(), "Short name: a value that begins with a hyphen would be an option to ls"),
        ("folder", "/srv/a%0Ab".to_owned(), "Folder: a path cannot contain line feeds"),
        ("folder", "/srv/../etc".to_owned(), "Folder: a path cannot contain ..; one that fits is /srv/app"),
        ("folder", "/etc".to_owned(), "Folder: the path has to lie beneath /srv/; one that fits is /srv/app"),
        ("folder", String::new(), "Folder: a value is missing"),
        ("other", "x".to_owned(), "This run has no parameter \"other\""),
    ] {
        let answer = open.set(name, &value).await;

        assert_eq!(answer.status, StatusCode::CONFLICT, "{name}: {}", answer.body);
        assert!(sentence(&answer).starts_with(told), "{}", answer.body);
    }
    assert_eq!(open.events().await, before);
}

#[tokio::test]
async fn a_value_with_every_kind_of_character_is_kept_as_it_is() {
    let open = Open::start().await;
    let value = "ü🚀\u{202e}\u{200b}\n'\"\\$(touch x)`%00 é\u{fffd}\u{7f}\t ";
    let encoded = percent_encoding::percent_encode(value.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();

    let answer = open.set("short_name", &encoded).await;

    let run = domain::RunId(open.run.parse().unwrap());
    let stored = open.site.second_store().await.run(run, &domain::policy::Sight::EVERYTHING).await.unwrap().unwrap();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(stored.values.get("short_name").map(String::as_str), Some(value));
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused_with_a_sentence_and_changes_nothing() {
    let open = Open::start().await;
    let before = open.events().await;
    let run = &open.run;

    for (path, body) in [
        ("/api/runs/value", format!("run={run}&name=folder")),
        ("/api/runs/value", String::new()),
        ("/api/runs/value", format!("run={run}&name[]=folder&value=/srv")),
        ("/api/runs/value", "run=one&name=folder&value=/srv".to_owned()),
        ("/api/runs/value", "run=99999999999999999999&name=folder&value=/srv".to_owned()),
        ("/api/runs/value", format!("run={run}&run={run}&name=folder&value=/srv")),
        ("/api/runs/run", format!("run={run}&step=x&attempt=1&commands=1")),
        ("/api/runs/run", format!("run={run}&step=1&attempt=1")),
        ("/api/runs/run", format!("run={run}&step=1&attempt=1&commands=one")),
        ("/api/runs/run", format!("run={run}&step=1&attempt=4294967296&commands=1")),
        ("/api/runs/start", "slug=look".to_owned()),
        ("/api/runs/start", "slug=look&target=local&key=k&values=x".to_owned()),
        ("/api/runs/note", format!("run={run}&step=0")),
        ("/api/runs/finish", format!("run={run}&verdict=splendid")),
        ("/api/runs/log", format!("run={run}&step=1&attempt=one")),
        ("/api/runs/watch", format!("run={run}&cursor=now")),
    ] {
        let answer = open.post(path, body.clone()).await;

        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {body}: {}", answer.body);
        assert!(sentence(&answer).contains("Nothing was"), "{path} {body}: {}", answer.body);
    }
    assert_eq!(open.events().await, before);
}

#[tokio::test]
async fn text_that_is_no_unicode_is_refused_and_changes_nothing() {
    let open = Open::start().await;
    let before = open.events().await;
    let run = &open.run;
    let start = format!("run={run}&name=short_name&value=").into_bytes();

    for odd in [&b"%ED%A0%80"[..], b"%FF%FE", b"%C0%80", b"%ED%BF%BF", b"\xff", b"\xed\xa0\x80"] {
        let answer = open.post("/api/runs/value", [start.as_slice(), odd].concat()).await;

        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd:?}: {}", answer.body);
        assert!(sentence(&answer).contains("Nothing was"), "{odd:?}: {}", answer.body);
    }
    let json = format!(r#"{{"run":{run},"name":"short_name","value":"\ud800"}}"#);
    let answer = open.post_as("/api/runs/value", json, "application/json").await;
    assert!(answer.status.is_client_error(), "{}: {}", answer.status, answer.body);
    assert!(sentence(&answer).contains("Nothing was"), "{}", answer.body);
    assert_eq!(open.events().await, before);
}
