//! The evidence of a run: it proves itself with the public key alone, and nothing in it can be changed unseen.

use std::io::Read as _;

use audit::PublicKey;
use audit::bundle::{BadBundle, Proof, check};
use axum::body::Body;
use domain::run::Event;
use http::{StatusCode, header};

use crate::approvals::Scene;
use crate::site::{Answer, Served, call};

/// A run with a step that has ended.
async fn counted() -> (Served, String) {
    let site = Served::start().await;
    let ada = site.administrator().await;
    for key in ["one", "two"] {
        let form = format!("slug=count&target=&reason=to+be+proven&key={key}");
        assert_eq!(post(&site, "/api/runs/start", &form, &ada).await.status, StatusCode::OK);
    }
    post(&site, "/api/runs/run", "run=1&step=1&attempt=1&commands=1", &ada).await;
    site.settled(1).await;
    for form in ["run=2&step=1&text=of+the+other+run", "run=1&step=1&text=it+counted"] {
        let noted = post(&site, "/api/runs/note", form, &ada).await;
        assert_eq!(noted.status, StatusCode::OK, "{}", noted.body);
    }
    (site, ada)
}

async fn post(site: &Served, path: &str, form: &str, cookie: &str) -> Answer {
    site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
}

async fn bundle(site: &Served, cookie: &str) -> Vec<u8> {
    let answer = site.get("/runs/1/evidence", cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body.into_bytes()
}

fn key(site: &Served) -> PublicKey {
    PublicKey::from_pem(&site.portal.audit_key()).unwrap()
}

fn proven(bundle: &[u8], key: &PublicKey) -> Proof {
    check(bundle, Some(key)).unwrap()
}

/// The entries of a tar file.
fn entries(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(bundle);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let (name, mut bytes) = (entry.path().unwrap().display().to_string(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

fn packed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, &**bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// The bundle after somebody has changed one entry.
fn with(bundle: &[u8], name: &str, change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut entries = entries(bundle);
    let (_, bytes) = entries.iter_mut().find(|(entry, _)| entry == name).unwrap();
    change(bytes);
    packed(&entries)
}

/// The lines of the chain after somebody has changed them.
fn with_lines(bundle: &[u8], change: impl Fn(&mut Vec<String>)) -> Vec<u8> {
    with(bundle, "chain.jsonl", |bytes| {
        let mut lines: Vec<String> = String::from_utf8(bytes.clone()).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        *bytes = lines.join("\n").into_bytes();
    })
}

#[tokio::test]
async fn the_bundle_of_a_run_proves_its_events_and_outputs_and_shows_nothing_of_others() {
    let (site, ada) = counted().await;

    let answer = site.get("/runs/1/evidence", &ada).await;
    let proof = proven(answer.body.as_bytes(), &key(&site));

    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"run-1-evidence.tar\"");
    assert_eq!(answer.header("content-type"), "application/x-tar");
    assert_eq!((proof.run.0, proof.trusted, proof.missing.len()), (1, true, 0));
    assert_eq!(proof.outputs.iter().map(|output| output.bytes).collect::<Vec<_>>(), [6]);
    assert_eq!(proof.entries, site.portal.store().entries(proof.run, 0).await.unwrap());
    assert!(answer.body.contains("it counted") && answer.body.contains("1\n2\n3\n"));
    assert!(!answer.body.contains("of the other run"));
}

#[tokio::test]
async fn the_bundle_tells_who_asked_and_who_approved() {
    let scene = Scene::open().await;
    scene.approved_and_run().await;

    let proof = proven(&bundle(&scene.site, &scene.olga).await, &key(&scene.site));

    let told =
        |by: &str, is: fn(&Event) -> bool| proof.entries.iter().any(|entry| entry.by.name() == by && is(&entry.event));
    assert!(told("Olga", |event| matches!(event, Event::ApprovalRequested { .. })));
    assert!(told("Lena", |event| matches!(event, Event::ApprovalGranted { .. })));
    assert!(told("Olga", |event| matches!(event, Event::AttemptStarted { approval: Some(1), .. })));
}

#[tokio::test]
async fn nothing_in_a_bundle_can_be_changed_unseen() {
    let (site, ada) = counted().await;
    let (whole, key) = (bundle(&site, &ada).await, key(&site));
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    let says_another_time = |bytes: &mut Vec<u8>| {
        *bytes = String::from_utf8(bytes.clone()).unwrap().replacen("\"at\":1", "\"at\":2", 1).into_bytes();
    };
    let changed = [
        ("a record", with_lines(&whole, |lines| lines[1] = lines[1].replacen("proven", "praised", 1))),
        ("an event is left out", with_lines(&whole, |lines| drop(lines.remove(2)))),
        ("the last event is left out", with_lines(&whole, |lines| drop(lines.pop()))),
        ("an event is there twice", with_lines(&whole, |lines| lines.insert(2, lines[1].clone()))),
        ("two events change places", with_lines(&whole, |lines| lines.swap(1, 2))),
        ("the place before", with_lines(&whole, |lines| lines[0] = lines[0].replacen("\"seq\":", "\"seq\":1", 1))),
        (
            "an event is shown by its digest alone",
            with_lines(&whole, |lines| {
                let place = lines.iter().position(|line| line.contains("command_started")).unwrap();
                let line: serde_json::Value = serde_json::from_str(&lines[place]).unwrap();
                let digest = domain::Digest::of(line["record"].as_str().unwrap().as_bytes());
                lines[place] = format!("{{\"digest\":\"{digest}\"}}");
            }),
        ),
        ("an output", with(&whole, "outputs/1-1.log", flip)),
        ("an output is cut", with(&whole, "outputs/1-1.log", |bytes| bytes.truncate(2))),
        ("the signature", with(&whole, "checkpoint.json", flip)),
        ("the moment", with(&whole, "checkpoint.json", says_another_time)),
        ("an output that nobody printed", {
            let mut entries = entries(&whole);
            entries.push(("outputs/9-9.log".to_owned(), b"I did it".to_vec()));
            packed(&entries)
        }),
    ];

    for (what, bundle) in changed {
        assert!(check(&*bundle, Some(&key)).is_err(), "{what}");
    }
    assert!(check(&*packed(&entries(&whole)), Some(&key)).is_ok(), "packing alone changes nothing");
}

#[tokio::test]
async fn an_output_that_is_left_out_is_missed_and_another_key_proves_nothing() {
    let (site, ada) = counted().await;
    let whole = bundle(&site, &ada).await;
    let mut without = entries(&whole);
    without.retain(|(name, _)| !name.starts_with("outputs/"));

    let proof = proven(&packed(&without), &key(&site));
    let other = audit::Signer::new([1; 32]).public();

    assert_eq!((proof.outputs.len(), proof.missing.len()), (0, 1));
    assert!(matches!(check(&*whole, Some(&other)), Err(BadBundle::False(_))));
    assert!(!check(&*whole, None).unwrap().trusted, "the key of the bundle itself is for whoever checks to compare");
    assert!(matches!(check(&b"no tar"[..], None), Err(BadBundle::Unreadable(_))));
}

#[tokio::test]
async fn the_evidence_of_no_run_is_not_there() {
    let (site, ada) = counted().await;

    for path in ["/runs/99/evidence", "/runs/x/evidence"] {
        assert_eq!(site.get(path, &ada).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

/// The page of the audit once a verification has come to its end and stands in the list of what happened: its result is there a moment
/// before.
async fn verified(site: &Served, cookie: &str) -> String {
    loop {
        let page = site.get("/audit?of=portal", cookie).await.body;
        if !page.contains("Verifying") && page.contains("verified") {
            return page;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_audit_is_for_leads_and_verifies_what_there_is() {
    let (site, ada) = counted().await;
    let olga = site.person("olga", "Olga", "operator", &ada).await;
    let lena = site.person("lena", "Lena", "lead", &ada).await;

    let denied = site.get("/audit", &olga).await;
    let begun = post(&site, "/api/audit/verify", "", &lena).await;
    let refused = post(&site, "/api/audit/verify", "", &olga).await;
    let page = tokio::time::timeout(std::time::Duration::from_mins(1), verified(&site, &lena)).await.unwrap();

    assert_eq!((denied.status, refused.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert_eq!(begun.status, StatusCode::OK, "{}", begun.body);
    assert!(page.contains("Everything is as it was recorded"), "{page}");
    let places = ["Everything is as it was recorded", "Fingerprint of the public key", "Events, newest first"];
    let places: Vec<usize> = places.iter().map(|words| page.find(words).unwrap()).collect();
    assert!(places.is_sorted(), "what the list is worth comes before the list: {page}");
    assert!(page.contains("verified") && page.contains("Lena"), "who looked is recorded: {page}");
    let id = site.portal.store().person_by_login("olga").await.unwrap().unwrap().id.0;
    assert!(page.contains("person: <!>Olga") && !page.contains(&format!("person: <!>{id}")), "by name: {page}");
}
