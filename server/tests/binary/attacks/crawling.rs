//! Everything that the portal answers, found by following its own links: each carries the same protection.

use std::collections::BTreeSet;

use super::Scene;
use super::wire::{Answer, Wire};

/// What every answer carries, and with which value.
const ALWAYS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The addresses of the portal that a page names.
fn links(page: &str) -> BTreeSet<String> {
    let mut links = BTreeSet::new();
    for attribute in ["href=\"", "src=\"", "action=\""] {
        for rest in page.split(attribute).skip(1) {
            let link = rest.split('"').next().unwrap().split('#').next().unwrap().replace("&amp;", "&");
            if link.starts_with('/') {
                links.insert(link);
            }
        }
    }
    links
}

fn assert_protected(path: &str, answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{path}: {}", answer.head);
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{path}: {}", answer.head));
    for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{path}: {policy}");
    }
    let others = policy.replace("'wasm-unsafe-eval'", "");
    assert!(!others.contains("unsafe") && !others.contains('*'), "{path}: {policy}");
    assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    assert_eq!(answer.header("server"), None, "{path}");
    assert!(answer.header("cache-control").is_some(), "{path}");
}

fn crawl(wire: &Wire, cookie: &str) -> BTreeSet<String> {
    let (mut seen, mut next) =
        (BTreeSet::new(), vec!["/".to_owned(), "/sign-in".to_owned(), "/no/such/page".to_owned()]);
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) || path.starts_with("/api/") || seen.len() > 400 {
            continue;
        }
        let answer = wire.send(&format!("GET {path}"), &[("Cookie", cookie), ("Accept", "text/html")], "");
        assert_protected(&path, &answer);
        assert!(answer.status < 500, "{path}: {}", answer.body);
        next.extend(links(&answer.body));
    }
    seen
}

#[test]
fn a19_every_answer_of_a_crawl_is_protected_errors_and_files_included() {
    let scene = Scene::open();
    let (wire, cookie) = (scene.wire(), scene.cookie());

    let seen = crawl(&wire, &cookie);

    for expected in ["/history", "/people", "/account", "/audit", "/documents", "/runs/1", "/procedures/count-slowly"] {
        assert!(seen.iter().any(|path| path.starts_with(expected)), "{expected} is not among {seen:?}");
    }
    assert!(seen.iter().any(|path| path.starts_with("/pkg/")), "{seen:?}");
    for (line, headers) in [
        ("GET /api/runs/watch", vec![]),
        ("POST /api/runs/watch", vec![("Origin", "http://evil.example")]),
        ("POST /api/session", vec![("Origin", &*wire.origin())]),
        ("OPTIONS /", vec![("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")]),
        ("TRACE /", vec![]),
        ("GET /healthz", vec![]),
        ("GET /readyz", vec![]),
        ("GET /metrics", vec![("Via", "1.1 x")]),
        ("GET /healthz/stream", vec![]),
        ("GET /pkg/absent.wasm", vec![]),
    ] {
        assert_protected(line, &wire.send(line, &headers, ""));
    }
}

#[test]
fn a19_nothing_of_a_person_is_kept_by_a_browser_after_signing_out() {
    let scene = Scene::open();
    let (wire, cookie) = (scene.wire(), scene.cookie());

    for path in ["/", "/people", "/account", "/runs/1", "/runs/1/evidence", "/history"] {
        let answer = wire.send(&format!("GET {path}"), &[("Cookie", &cookie)], "");

        assert!(
            answer.header("cache-control").is_some_and(|told| told.contains("no-store")),
            "{path}: {}",
            answer.head
        );
    }
}
