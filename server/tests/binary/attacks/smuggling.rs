//! Requests that want to be two, paths that want to be others, and text that wants to be more than text.

use std::os::unix::fs::symlink;

use percent_encoding::NON_ALPHANUMERIC;

use super::{Scene, assert_refused, ran};
use crate::browser::text;

#[test]
fn a17_no_path_leads_to_a_file_that_is_not_of_the_site() {
    let scene = Scene::open();
    let (wire, cookie) = (scene.wire(), scene.cookie());
    let paths = [
        "/pkg/../../../../etc/passwd",
        "/pkg/..%2f..%2f..%2fetc/passwd",
        "/pkg/%2e%2e/%2e%2e/etc/passwd",
        "/pkg/%252e%252e/etc/passwd",
        "/pkg/..\\..\\etc\\passwd",
        "/pkg//etc/passwd",
        "/pkg/\0/etc/passwd",
        "/runs/1/output/../../../../portal.db/1",
        "/runs/..%2f..%2fkeys%2fshim.key/output/1/1",
        "/runs/1%2f..%2f2/evidence",
        "/procedures/..%2f..%2fportal.toml",
        "/procedures/%00",
    ];

    for path in paths {
        let answer = wire.send(&format!("GET {path}"), &[("Cookie", &cookie), ("Accept", "text/html")], "");

        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.contains("root:"), "{path}: {}", answer.body);
    }
}

#[test]
fn a17_a_link_that_somebody_put_in_the_place_of_an_output_is_not_followed() {
    let mut scene = Scene::open();
    let (wire, cookie, run) = (scene.wire(), scene.cookie(), scene.run.clone());
    ran(&mut scene.olga, &run, "1", "1,2");
    scene.place.write("elsewhere/secret", "of somebody else\n".repeat(40));
    let output = scene.place.path("data/runs/1/1-1/out.log");
    std::fs::remove_file(&output).unwrap();
    symlink(scene.place.path("elsewhere/secret"), &output).unwrap();

    for path in ["/runs/1/output/1/1", "/runs/1/output/1/1?download=1", "/runs/1?step=1", "/runs/1/evidence"] {
        let answer = wire.send(&format!("GET {path}"), &[("Cookie", &cookie), ("Accept", "text/html")], "");

        assert!(!answer.body.contains("of somebody else"), "{path}: {}", answer.body);
    }
}

#[test]
fn a20_no_text_becomes_a_header_a_line_of_the_log_or_a_query() {
    let mut scene = Scene::open();
    let (wire, own, run) = (scene.wire(), scene.wire().origin(), scene.run.clone());
    let cookie = scene.cookie();
    let texts = [
        "a\r\nSet-Cookie: portal=stolen",
        "x'; DROP TABLE events; --",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "2026-01-01T00:00:00Z  INFO forged=true\n2026-01-01T00:00:01Z INFO",
    ];

    for hostile in texts {
        let encoded: String = percent_encoding::percent_encode(hostile.as_bytes(), NON_ALPHANUMERIC).to_string();
        let headers = [("Cookie", &*cookie), ("Origin", &*own), ("Content-Type", "application/x-www-form-urlencoded")];
        let note = wire.send("POST /api/runs/note", &headers, &format!("run={run}&step=0&text={encoded}"));
        assert!(note.status < 500, "{hostile:?}: {}", note.body);
        for answer in [
            wire.send("POST /api/sign-in", &headers[1..], &format!("login={encoded}&password=x&next={encoded}")),
            wire.send(&format!("GET /sign-in?next={encoded}"), &[], ""),
            wire.send(&format!("GET /history?words={encoded}"), &headers[..1], ""),
            wire.send("POST /api/pages/history", &headers, &format!("filter[words]={encoded}")),
            wire.send(&format!("GET /{encoded}"), &headers[..1], ""),
        ] {
            assert!(answer.status < 500, "{hostile:?}: {}", answer.body);
            assert!(!answer.head.to_lowercase().contains("stolen"), "{}", answer.head);
        }
    }

    let log = scene.place.read("portal.log");
    assert!(!log.contains('\u{1b}'), "an escape in the log");
    assert!(log.lines().all(|line| !line.starts_with("2026-01-01T00:00:01Z INFO")), "a forged line in the log");
    assert!(scene.events() > 0, "the events are there");
}

#[test]
fn a22_a_request_that_wants_to_be_two_is_one_or_none() {
    let mut scene = Scene::open();
    let (wire, cookie, run) = (scene.wire(), scene.cookie(), scene.run.clone());
    let before = scene.events();
    let host = wire.host().to_owned();
    let inner = format!(
        "POST /api/runs/note HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 31\r\n\r\nrun={run}&step=0&text=smuggled"
    );
    let heads = [
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: 5\r\nContent-Length: 0",
        "Transfer-Encoding: xchunked",
        "Content-Length: +0",
        "Content-Length : 0",
    ];

    for head in heads {
        let bytes = format!(
            "POST /api/welcome HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{head}\r\n\r\n0\r\n\r\n{inner}"
        );
        let answer = wire.raw(bytes.as_bytes());

        assert!(!answer.body.contains("smuggled"), "{head}: {}", answer.body);
    }

    assert_eq!(scene.events(), before, "nothing was recorded");
}

#[test]
fn a22_heads_without_measure_are_refused_and_others_are_answered() {
    let scene = Scene::open();
    let wire = scene.wire();
    let long = "x".repeat(200_000);

    assert_refused("a long path", &wire.send(&format!("GET /{long}"), &[], ""));
    assert_refused("a long header", &wire.send("GET /sign-in", &[("X-Long", &long)], ""));
    let many: Vec<(String, String)> = (0..5_000).map(|number| (format!("X-{number}"), "1".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_refused("many headers", &wire.send("GET /sign-in", &many, ""));

    assert_eq!(wire.send("GET /sign-in", &[], "").status, 200);
}

#[test]
fn a25_an_error_names_its_request_and_nothing_of_the_inside() {
    let mut scene = Scene::open();
    let (wire, cookie) = (scene.wire(), scene.cookie());
    let own = wire.origin();

    for (path, _) in app::api::POLICY {
        for body in ["", "x", "run=99999999999999999999", "run=-1&step=0&cursor=x", "%FF%FE"] {
            let headers =
                [("Cookie", &*cookie), ("Origin", &*own), ("Content-Type", "application/x-www-form-urlencoded")];
            if path.ends_with("sign-out") || path.ends_with("end-others") {
                continue;
            }
            let answer = wire.send(&format!("POST {path}"), &headers, body);

            assert!(answer.status != 500, "{path} {body}: {}", answer.body);
            assert!(answer.header("x-request-id").is_some_and(|number| number.len() == 16), "{path}: {}", answer.head);
            for inside in ["sqlx", "SELECT", "/data/", "panicked", "src/", "Error(", "RunId", "u32"] {
                assert!(!answer.body.contains(inside), "{path} {body} tells {inside}: {}", answer.body);
            }
        }
    }
    assert!(text(scene.olga.call("session", &[])).contains("Olga"), "and the session is as it was");
}
