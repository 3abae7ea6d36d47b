//! Requests that claim to be somebody's: from another site, by another method, through a proxy that is none.

use domain::time::Clock as _;
use portal::SystemClock;
use serde_json::json;
use tokio::runtime::Runtime;

use super::wire::{Answer, Wire};
use super::{Scene, assert_refused};
use crate::browser::PASSWORD;
use crate::process::{Place, Served};
use crate::provider::{self, Lie, Provider};
use crate::waiting::eventually;

/// The content types in which a form of another site, or a script there, can send something.
const KINDS: [&str; 5] = [
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/json",
    "application/octet-stream",
];

#[test]
fn a01_no_other_site_changes_anything_in_any_content_type() {
    let mut scene = Scene::open();
    let (wire, cookie, run) = (scene.wire(), scene.cookie(), scene.run.clone());
    let before = scene.events();
    let (host, own) = (wire.host().to_owned(), wire.origin());
    let origins = [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        format!("https://{host}"),
        format!("http://sibling.{host}"),
        format!("{own}.evil.example"),
        format!("{own}/"),
        String::new(),
    ];

    for kind in KINDS {
        for origin in &origins {
            let headers = [("Cookie", &*cookie), ("Content-Type", kind), ("Origin", origin)];
            let answer = wire.send("POST /api/runs/note", &headers, &format!("run={run}&step=0&text=forged"));

            assert_refused(&format!("{kind} from {origin}"), &answer);
        }
        // No browser, and no token.
        let bare = wire.send(
            "POST /api/runs/note",
            &[("Cookie", &cookie), ("Content-Type", kind)],
            &format!("run={run}&step=0&text=x"),
        );
        assert_eq!(bare.status, 403, "{kind}: {}", bare.body);
        let fetched =
            [("Cookie", &*cookie), ("Content-Type", kind), ("Origin", &*own), ("Sec-Fetch-Site", "same-site")];
        assert_eq!(wire.send("POST /api/runs/note", &fetched, &format!("run={run}&step=0&text=x")).status, 403);
    }

    assert_eq!(scene.events(), before, "nothing was recorded");
}

#[test]
fn a02_nothing_is_changed_by_get_head_or_an_override_of_the_method() {
    let mut scene = Scene::open();
    let (wire, cookie, run) = (scene.wire(), scene.cookie(), scene.run.clone());
    let before = scene.events();

    for path in app::api::POLICY.iter().map(|(path, _)| *path) {
        for line in
            [format!("GET {path}?run={run}&step=0&text=x"), format!("HEAD {path}?run={run}"), format!("PUT {path}")]
        {
            for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
                let answer = wire.send(&line, &[("Cookie", &cookie), (name, "POST")], "");

                assert!(matches!(answer.status, 403..=405), "{line}: {} {}", answer.status, answer.body);
            }
        }
    }

    assert_eq!(scene.events(), before, "nothing was recorded");
}

/// Where a portal listens that says another address on the console.
pub(super) fn listens(place: &Place) -> String {
    let said = || place.read("portal.log").split_once("listening on ").map(|(_, rest)| rest.to_owned());
    eventually("the log says where it listens", || said().is_some_and(|rest| rest.contains(' ')));
    format!("http://{}", said().unwrap().split(' ').next().unwrap())
}

#[test]
fn a16_only_the_public_name_is_answered_and_no_header_makes_another_one() {
    let place = Place::with_document();
    let _portal = Served::start_with(&place, &["--public-url", "https://portal.example.com"]);
    let wire = Wire::to(&listens(&place));
    let names = [
        "evil.example",
        "portal.example.com.evil.example",
        "portal.example.com:81",
        "127.0.0.1",
        "",
        "PORTAL.example.com.",
    ];
    let headers =
        ["X-Forwarded-Host", "X-Original-Host", "X-Host", "Forwarded", "X-Forwarded-Server", "X-HTTP-Host-Override"];

    for name in names {
        let answer = wire.send("GET /sign-in", &[("Host", name)], "");
        assert!(matches!(answer.status, 400 | 421), "{name}: {}", answer.status);
        for header in headers {
            let value = if header == "Forwarded" { "host=portal.example.com" } else { "portal.example.com" };
            let answer = wire.send("GET /sign-in", &[("Host", name), (header, value)], "");
            assert!(matches!(answer.status, 400 | 421), "{name} with {header}: {}", answer.status);
        }
    }
    for header in headers {
        let answer = wire.send("GET /", &[("Host", "portal.example.com"), (header, "evil.example")], "");
        assert_eq!(answer.status, 303, "{header}");
        assert!(!answer.head.contains("evil.example"), "{header}: {}", answer.head);
    }
    assert_eq!(wire.send("GET /healthz", &[("Host", "10.0.0.7:3000")], "").status, 200);
}

#[test]
fn a16_no_header_says_who_somebody_is() {
    let scene = Scene::open();
    let wire = scene.wire();
    let names = [
        "X-Forwarded-User",
        "Remote-User",
        "X-Remote-User",
        "X_Forwarded_User",
        "X-Auth-Request-User",
        "Remote_User",
        "X-WEBAUTH-USER",
    ];

    for name in names {
        let answer = wire.send("POST /api/session", &[(name, "olga"), ("Origin", &wire.origin())], "");

        assert_eq!(answer.status, 401, "{name}: {}", answer.body);
    }
}

/// Where a proxy may say who somebody is: how it is listed, and the secret that it has to know.
const NAMING: &str = "[target.local]\nkind = \"local\"\n[proxy]\ntrusted = [\"LISTED\"]\n[identity.proxy]\n\
                      user_header = \"X-User\"\nsecret_header = \"X-Secret\"\nshared_secret = \"proxy\"\n\
                      [[identity.map]]\neverybody = true\nrole = \"administrator\"\n[secret.proxy]\nfile = \"proxy-secret\"\n";

const SHARED: &str = "0123456789abcdef0123456789abcdef";

/// The status of a call with these headers to a portal whose proxy has this address.
fn named_by(listed: &str, headers: &[(&str, &str)]) -> u16 {
    let place = Place::with_document();
    place.write("proxy-secret", SHARED);
    place.write("portal.toml", NAMING.replace("LISTED", listed));
    let portal = Served::start(&place);
    drop(crate::browser::Browser::set_up(&place, &portal));
    let wire = Wire::to(&portal.address);
    let origin = wire.origin();
    let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("Origin", &*origin)]).collect();
    wire.send("POST /api/session", &headers, "").status
}

#[test]
fn a16_only_a_listed_proxy_that_knows_the_secret_says_who_somebody_is() {
    let (user, secret) = (("X-User", "eve"), ("X-Secret", SHARED));

    assert_eq!(named_by("127.0.0.1", &[user, secret]), 200);
    for (listed, headers) in [
        ("10.9.9.9", [user, secret]),
        ("127.0.0.1", [user, ("X-Secret", "0123456789abcdef0123456789abcdeF")]),
        ("127.0.0.1", [user, ("X_Secret", SHARED)]),
        ("127.0.0.1", [("X_User", "eve"), secret]),
    ] {
        assert_eq!(named_by(listed, &headers), 401, "{listed} {headers:?}");
    }
    assert_eq!(named_by("127.0.0.1", &[user, ("X-User", "ada"), secret]), 401);
}

/// The address of a portal that has one, and the host in it.
const PUBLIC: &str = "https://portal.example.com";
const HOST: (&str, &str) = ("Host", "portal.example.com");

/// A portal to which people come from a provider.
struct Provided {
    provider: Provider,
    wire: Wire,
    _portal: Served,
    _place: Place,
    _runtime: Runtime,
}

impl Provided {
    /// With an account of its own, and a provider that knows Olga.
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let provider = runtime.block_on(Provider::open());
        let now = SystemClock.now().0 / 1000;
        let claims = json!({ "sub": "7", "preferred_username": "olga", "name": "Olga", "groups": [], "iat": now, "exp": now + 300 });
        provider.knows(claims);
        let place = Place::with_document();
        let (issuer, client) = (provider.issuer(), provider::CLIENT);
        place.write("oidc-secret", provider::SECRET);
        place.write(
            "portal.toml",
            format!(
                "public_url = \"{PUBLIC}\"\n[target.local]\nkind = \"local\"\n[identity.oidc]\nissuer = \"{issuer}\"\n\
                 client_id = \"{client}\"\nclient_secret = \"oidc\"\nlabel = \"Example\"\n[[identity.map]]\neverybody = true\n\
                 role = \"viewer\"\n[secret.oidc]\nfile = \"oidc-secret\"\n"
            ),
        );
        let portal = Served::start(&place);
        let wire = Wire::to(&listens(&place));
        let (token, password) = (portal.token.as_deref().unwrap(), PASSWORD.replace(' ', "+"));
        let form = format!("token={token}&login=ada&name=Ada&password={password}");
        let headers = [HOST, ("Origin", PUBLIC), ("Content-Type", "application/x-www-form-urlencoded")];
        let made = wire.send("POST /api/set-up", &headers, &form);
        assert_eq!(made.status, 200, "{}", made.body);
        Self { provider, wire, _portal: portal, _place: place, _runtime: runtime }
    }

    /// Somebody goes to the provider, which lets them in: the cookie that knows their browser, and the address by which they come back.
    fn goes(&self) -> (String, String) {
        let answer = self.wire.send("GET /sign-in/with", &[HOST], "");
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let (code, state) = self.provider.lets_in(answer.header("location").unwrap());
        (cookie, format!("/sign-in/back?code={code}&state={state}"))
    }

    fn comes_back(&self, address: &str, cookie: &str) -> Answer {
        self.wire.send(&format!("GET {address}"), &[HOST, ("Cookie", cookie)], "")
    }
}

/// Whether somebody was signed in.
fn is_signed_in(answer: &Answer) -> bool {
    answer.head.contains("__Host-portal=") && answer.header("location") == Some("/")
}

fn assert_not_signed_in(answer: &Answer, why: &str) {
    let location = answer.header("location").unwrap_or_default();
    assert!(location.starts_with(&format!("/sign-in?problem={why}")), "{why}: {}", answer.head);
    assert!(!answer.head.contains("__Host-portal="), "{why}: {}", answer.head);
}

#[test]
fn a16_who_comes_back_from_a_provider_does_so_in_the_browser_that_was_sent_there() {
    let provided = Provided::open();
    let ((own, address), (other, _)) = (provided.goes(), provided.goes());
    let made_up = format!("__Host-portal-sign-in={}", "a".repeat(64));

    for cookie in ["", &*other, &*made_up, "__Host-portal-sign-in="] {
        assert_not_signed_in(&provided.comes_back(&address, cookie), "stale");
    }

    assert!(is_signed_in(&provided.comes_back(&address, &own)), "nobody has used it up");
    assert_not_signed_in(&provided.comes_back(&address, &own), "stale");
}

#[test]
fn a16_a_token_of_another_sign_in_at_the_provider_is_nobodys() {
    let provided = Provided::open();

    for lie in [Lie::Nonce, Lie::NoNonce] {
        provided.provider.lie(lie);
        let (cookie, address) = provided.goes();
        assert_not_signed_in(&provided.comes_back(&address, &cookie), "untrue");
    }

    provided.provider.lie(Lie::None);
    let (cookie, address) = provided.goes();
    assert!(is_signed_in(&provided.comes_back(&address, &cookie)));
}
