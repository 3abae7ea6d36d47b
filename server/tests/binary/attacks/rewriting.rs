//! What a document, its side file or an alert may not do: lower a class, widen a target, choose what a value is.
//! (The record itself is attacked in [`crate::tampering`] and [`crate::backups`].)

use serde_json::{Value, json};
use ureq::http::StatusCode;

use super::wire::Wire;
use super::{Scene, beside_it, documented, first, started};
use crate::browser::{Browser, PASSWORD, text};
use crate::people::done;
use crate::process::Served;

const CLEAN: &str = "# Clean

## Steps

1. **Clear the cache**

   ```bash
   rm -r cache
   ```
";

#[test]
fn a28_no_side_file_lowers_a_class_or_chooses_a_target() {
    let place = documented(CLEAN, "");
    place.write("work/cache/precious", "");
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let step = "[procedure.\"Clean\".step.\"Clear the cache\"";
    let lowered = [
        format!("{step}]\nrisk = \"reads\"\n"),
        format!("{step}.command.1]\nrisk = \"reads\"\n"),
        format!("{step}.command.1]\nrisk = \"disrupts\"\n"),
        format!("{step}]\nrisk = \"changes\"\n{step}.command.1]\nrisk = \"changes\"\n"),
        "[[lower]]\ncommand = \"rm -r cache\"\nclass = \"reads\"\nreason = \"harmless\"\n".to_owned(),
        "[approval]\nbreak_glass = \"operator\"\n".to_owned(),
    ];

    for (number, beside) in lowered.iter().enumerate() {
        beside_it(&place, beside);
        let run = started(&mut olga, "clean", &format!("key {number}"), &[]);
        let answer = olga.call("runs/run", &first(&run, "1", "1"));

        assert_eq!(answer.status(), StatusCode::CONFLICT, "{beside}");
        let said = text(answer);
        assert!(said.contains("needs the approval of a lead"), "{beside}: {said}");
        assert!(place.path("work/cache/precious").exists(), "{beside}");
    }
    let run = (lowered.len() + 1).to_string();
    for widened in ["target = \"evil\"\n", "targets = [\"local\", \"root@evil.example\"]\n"] {
        beside_it(&place, widened);
        for target in ["evil", "root@evil.example"] {
            let form = [("slug", "clean"), ("target", target), ("key", "a-key-of-another-target")];
            let answer = olga.call("runs/start", &form);

            assert!(answer.status().is_client_error(), "{widened} {target}: {}", answer.status());
        }
    }
    assert_eq!(olga.get(&format!("/runs/{run}")).status(), StatusCode::NOT_FOUND, "nothing was started");
}

const RESTART: &str = "# Restart

## Steps

1. **Look**

   ```bash
   echo SERVICE
   ```
";

const SERVICE: &str = "[parameter.service]\nplaceholder = \"SERVICE\"\ntype = \"text\"\npattern = \"[a-z]{2,10}|all\"\n\n\
    [procedure.\"Restart\"]\nalerts = [\"ServiceDown\"]\n";

#[test]
fn a29_the_text_of_an_alert_is_a_value_that_fits_its_pattern_or_nothing() {
    let place = documented(RESTART, SERVICE);
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let labels = [
        "web; rm -rf /",
        "$(id) web",
        "web\nid",
        "\nweb",
        "WEB",
        "w\u{435}b",
        "web\u{202e}",
        "https://evil.example/web",
        "allthewebservers",
        "a)|(.*",
        " ",
    ];

    for label in labels {
        let form = [("slug", "restart"), ("target", ""), ("key", "a-key-of-an-alert"), ("values[service]", label)];
        let answer = olga.call("runs/start", &form);

        assert_eq!(answer.status(), StatusCode::CONFLICT, "{label:?}: {}", text(answer));
        let aimed = [("slug", "restart"), ("target", label), ("key", "a-key-of-an-alert")];
        let aimed = olga.call("runs/start", &aimed);
        assert!(aimed.status().is_client_error(), "{label:?} as a target: {}", aimed.status());
    }
    assert_eq!(olga.get("/runs/1").status(), StatusCode::NOT_FOUND, "nothing was started");
    let run = started(&mut olga, "restart", "one", &[("values[service]", "web")]);
    let set = olga.call("runs/value", &[("run", &*run), ("name", "service"), ("value", "web; id")]);
    assert_eq!(set.status(), StatusCode::CONFLICT, "{}", text(set));
}

#[test]
fn a29_alerts_are_taken_at_one_address_and_from_a_token_or_a_person_alone() {
    let mut scene = Scene::open();
    let (wire, cookie) = (scene.wire(), scene.cookie());
    let before = scene.events();
    let alert = r#"{"status":"firing","alerts":[{"labels":{"alertname":"ServiceDown","service":"web; id"}}]}"#;

    let webhook = ("Content-Type", "application/json");
    for headers in
        [vec![webhook], vec![webhook, ("Authorization", "Bearer rbp_x")], vec![webhook, ("Cookie", &*cookie)]]
    {
        let answer = wire.send("POST /api/alerts", &headers, alert);
        assert!(matches!(answer.status, 401 | 403), "{} {}", answer.status, answer.body);
    }
    for path in ["/api/v2/alerts", "/api/webhook", "/webhook", "/hooks/alertmanager", "/api/suggest"] {
        for headers in [
            vec![("Content-Type", "application/json")],
            vec![("Content-Type", "application/json"), ("Origin", &*wire.origin()), ("Cookie", &*cookie)],
        ] {
            let answer = wire.send(&format!("POST {path}"), &headers, alert);

            assert!(matches!(answer.status, 401 | 403 | 404 | 405), "{path}: {} {}", answer.status, answer.body);
        }
    }

    assert_eq!(scene.events(), before, "nothing was recorded");
}

#[test]
fn a29_a_webhook_suggests_and_does_nothing_else() {
    let place = documented(RESTART, &format!("{SERVICE}from_alert = {{ service = \"service\" }}\n"));
    let portal = Served::start(&place);
    let mut olga = Browser::set_up(&place, &portal);
    let token = token_for(&mut olga, "suggest");
    let bearer = format!("Bearer {token}");
    let headers = [("Content-Type", "application/json"), ("Authorization", &*bearer)];
    let wire = Wire::to(&portal.address);
    let fires = |service: &str| {
        let labels = json!({ "alertname": "ServiceDown", "service": service, "target": "root@evil.example" });
        let body = json!({ "version": "4", "alerts": [{ "status": "firing", "labels": labels }] });
        wire.send("POST /api/alerts", &headers, &body.to_string())
    };

    for service in ["web", "web; rm -rf /", "$(id)", "../../etc/passwd", "w\u{435}b", "<script>alert(1)</script>"] {
        let answer = fires(service);
        assert_eq!(answer.status, 200, "{service}: {}", answer.body);
    }
    let home = text(olga.get("/"));
    assert!(home.contains("ServiceDown of web") && !home.contains("<script>alert"), "{home}");
    for suggestion in 1..=6 {
        let page = text(olga.get(&format!("/procedures/restart?suggestion={suggestion}")));
        assert_eq!(page.contains("value=\"web\""), suggestion == 1, "only the first one fits: {page}");
        assert!(!page.contains("evil.example"), "{page}");
    }

    for (line, body) in [
        ("POST /api/runs/start", "slug=restart&target=&key=k"),
        ("POST /api/pages/home", ""),
        ("POST /api/suggestions/dismiss", "suggestion=1&reason=x"),
        ("GET /runs/1/output/1/1", ""),
        ("GET /", ""),
    ] {
        let form = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", &*bearer)];
        let answer = wire.send(line, &form, body);
        assert_eq!(answer.status, 403, "{line}: {}", answer.body);
    }
    assert_eq!(olga.get("/runs/1").status(), StatusCode::NOT_FOUND, "nothing was started");
}

/// Makes a token; gives its text, as the page of the account shows it.
fn token_for(person: &mut Browser, role: &str) -> String {
    let form = [("name", "alertmanager"), ("role", role), ("days", "1"), ("password", PASSWORD)];
    done(person.call("account/tokens/make", &form));
    let view: Value = serde_json::from_str(&done(person.call("pages/account", &[]))).unwrap();
    view["made"]["text"].as_str().unwrap().to_owned()
}
