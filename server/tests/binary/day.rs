//! A whole run through the real binary: from the link on the console to the history.

use serde_json::Value;
use ureq::http::StatusCode;

use crate::browser::{Browser, lines, text};
use crate::process::{Place, Served};

/// The form with which a page asks for everything that happens in a run.
const FROM_THE_BEGINNING: [(&str, &str); 5] =
    [("run", "1"), ("cursor[version]", "0"), ("cursor[step]", "0"), ("cursor[attempt]", "0"), ("cursor[offset]", "0")];

fn start(browser: &mut Browser) {
    let form = [("slug", "count-slowly"), ("target", "local"), ("reason", "a test"), ("key", "key-1")];
    let started = browser.call("runs/start", &form);
    assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
}

fn done(response: ureq::http::Response<ureq::Body>) {
    let status = response.status();
    assert!(status == StatusCode::OK, "{status}: {}", text(response));
}

/// The frames of the run until its attempt has ended.
fn until_the_step_ended(browser: &mut Browser) -> Vec<Value> {
    let stream = browser.call("runs/watch", &FROM_THE_BEGINNING);
    assert_eq!(stream.status(), StatusCode::OK);
    assert_eq!(stream.headers()["cache-control"], "no-store, no-transform");
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    assert!(!stream.headers().contains_key("content-encoding"));
    let mut frames = Vec::new();
    for line in lines(stream) {
        let frame: Value = serde_json::from_str(&line).unwrap();
        let ended = line.contains("attempt_ended");
        frames.push(frame);
        if ended {
            break;
        }
    }
    frames
}

/// The output in the frames, which have to tile it.
fn output(frames: &[Value]) -> String {
    let mut output = String::new();
    for frame in frames.iter().filter(|frame| frame["frame"] == "output") {
        assert_eq!(frame["offset"].as_u64().unwrap(), output.len() as u64, "without a gap and without repetition");
        output.push_str(frame["text"].as_str().unwrap());
    }
    output
}

#[test]
fn an_operator_works_through_a_run_and_finds_it_in_the_history() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);

    start(&mut browser);
    done(browser.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1,2")]));
    let frames = until_the_step_ended(&mut browser);
    done(browser.call("runs/tick", &[("run", "1"), ("step", "2"), ("item", "1")]));
    done(browser.call("runs/tick", &[("run", "1"), ("step", "0"), ("item", "1")]));
    done(browser.call("runs/finish", &[("run", "1"), ("verdict", "reached"), ("comment", "")]));

    let shown = output(&frames);
    assert!(["line 1", "line 2", "line 3"].iter().all(|line| shown.contains(line)), "{shown}");
    let sequence: Vec<u64> = frames.iter().map(|frame| frame["seq"].as_u64().unwrap()).collect();
    assert_eq!(sequence, (1..=frames.len() as u64).collect::<Vec<_>>());
    assert!(text(browser.get("/history")).contains("Count slowly"));
    assert!(text(browser.get("/runs/1")).contains("line 3"));
}

#[test]
fn the_raw_output_is_byte_for_byte_what_the_stream_showed() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    start(&mut browser);
    done(browser.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1,2")]));

    let followed = text(browser.get("/runs/1/output/1/1?follow=1"));
    let shown = output(&until_the_step_ended(&mut browser));
    let download = browser.get("/runs/1/output/1/1?download=1");

    assert!(followed.contains("line 3"));
    assert!(shown.starts_with(&followed) || followed.starts_with(&shown), "{shown:?} {followed:?}");
    assert_eq!(download.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(download.headers()["x-content-type-options"], "nosniff");
    assert!(download.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(text(download), followed);
    assert_eq!(text(browser.get("/runs/1/output/1/1?from=5")), followed[5..]);
    assert_eq!(browser.get("/runs/1/output/1/9").status(), StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/runs/9/output/1/1").status(), StatusCode::NOT_FOUND);
}

#[test]
fn the_page_of_a_long_output_shows_its_end_and_one_without_output_is_a_page_too() {
    let place = Place::empty();
    let document = "# Much\n\n## Steps\n\n1. **Print**\n\n   ```bash\n   seq -f 'number %.0f' 40000\n   ```\n";
    place.write("runbooks/much.md", document);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    done(browser.call("runs/start", &[("slug", "much"), ("target", ""), ("reason", ""), ("key", "key-1")]));

    done(browser.call("runs/run", &[("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1")]));
    let at_once = browser.get("/runs/1").status();
    until_the_step_ended(&mut browser);
    let page = text(browser.get("/runs/1?step=1"));

    assert_eq!(at_once, StatusCode::OK);
    assert!(page.contains("number 40000"), "the last line is on the page");
}

#[test]
fn sending_a_form_twice_starts_one_run() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);

    start(&mut browser);
    start(&mut browser);

    assert_eq!(browser.get("/runs/1").status(), StatusCode::OK);
    assert_eq!(browser.get("/runs/2").status(), StatusCode::NOT_FOUND);
}

#[test]
fn without_scripts_a_form_leads_to_the_page_that_shows_what_came_of_it() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let form = [("slug", "count-slowly"), ("target", "local"), ("reason", ""), ("key", "key-1")];

    let started = browser.submit("runs/start", &form, "/procedures/count-slowly");
    let refused = browser.submit("runs/finish", &[("run", "1"), ("verdict", "splendid")], "/runs/1");

    assert!(started.status().is_redirection());
    assert_eq!(started.headers()["location"], "/runs/1");
    assert!(refused.status().is_redirection());
    let back = refused.headers()["location"].to_str().unwrap().to_owned();
    assert!(back.starts_with("/runs/1?"), "{back}");
    let page = text(browser.get(&back));
    assert!(page.contains("role=\"alert\""), "the page shows the error");
}

#[test]
fn a_stream_ends_when_its_session_ends() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    start(&mut browser);
    let mut other = browser.at(&portal.address);
    let mut frames = lines(browser.call("runs/watch", &FROM_THE_BEGINNING));
    assert!(frames.next().unwrap().contains("\"hello\""));

    let began = std::time::Instant::now();
    done(other.call("sign-out", &[]));
    frames.by_ref().for_each(drop);

    assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(browser.call("session", &[]).status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn a_stream_ends_when_its_person_is_disabled() {
    let place = Place::with_document();
    let portal = Served::start(&place);
    let mut administrator = Browser::set_up(&place, &portal);
    start(&mut administrator);
    let form = [("login", "vera"), ("name", "Vera"), ("role", "viewer"), ("password", crate::browser::PASSWORD)];
    done(administrator.call("people/create", &form));
    let mut viewer = Browser::new(&portal.address);
    assert_eq!(viewer.sign_in("vera"), StatusCode::OK);
    let mut frames = lines(viewer.call("runs/watch", &FROM_THE_BEGINNING));
    assert!(frames.next().unwrap().contains("\"hello\""));
    let people: Value = serde_json::from_str(&text(administrator.call("pages/people", &[]))).unwrap();
    let vera = people["people"].as_array().unwrap().iter().find(|person| person["login"] == "vera").unwrap();

    let began = std::time::Instant::now();
    done(administrator.call("people/disable", &[("person", vera["id"].as_str().unwrap())]));
    frames.by_ref().for_each(drop);

    assert!(began.elapsed() < std::time::Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(viewer.call("session", &[]).status(), StatusCode::UNAUTHORIZED);
    assert_ne!(viewer.sign_in("vera"), StatusCode::OK);
}
