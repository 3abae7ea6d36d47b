//! Readers whose connection breaks again and again while a step prints: what they have put together in the end is what is stored.

use std::io::Read as _;

use rand::Rng as _;
use testkit::times;
use ureq::Agent;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};

/// Prints for some seconds, more than a page is sent at once.
const DOCUMENT: &str = "# Chatter

## Steps

1. **Chatter**

   ```bash
   seq 1 150000 | while read -r n; do echo \"line $n of many, and some more text behind it\"; done
   ```
";

/// A portal at which the step has just been started; its person, and the run.
fn started() -> (Place, Served, Browser, String) {
    let place = Place::empty();
    place.write("runbooks/chatter.md", DOCUMENT);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let form = [("slug", "chatter"), ("target", "local"), ("key", "a-key-of-these-breaks")];
    let run = text(browser.call("runs/start", &form)).trim_matches('"').to_owned();
    let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1")];
    assert!(browser.call("runs/run", &form).status().is_success());
    (place, portal, browser, run)
}

#[test]
fn raw_output_that_is_read_over_broken_connections_is_whole() {
    let (place, portal, browser, run) = started();
    let mut random = rand::rng();
    let mut read: Vec<u8> = Vec::new();
    let breaks = times("PORTAL_DISCONNECTS", 60);

    for _ in 0..breaks {
        let most = random.random_range(1..200_000);
        let mut piece = vec![0; most];
        let mut output = follow(&portal, &browser, &run, read.len());
        let mut count = 0;
        while count < most {
            match output.read(&mut piece[count..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => count += more,
            }
        }
        read.extend_from_slice(&piece[..count]);
    }
    follow(&portal, &browser, &run, read.len()).read_to_end(&mut read).unwrap();

    let stored = std::fs::read(place.path(&format!("data/runs/{run}/1-1/out.log"))).unwrap();
    assert_eq!(read.len(), stored.len());
    assert!(read == stored, "the same to the byte");
}

/// The raw output from a byte on, to the end of the attempt.
fn follow(portal: &Served, browser: &Browser, run: &str, from: usize) -> impl std::io::Read + use<> {
    let agent: Agent = Agent::config_builder().proxy(None).build().into();
    let address = format!("{}/runs/{run}/output/1/1?follow=1&from={from}", portal.address);
    let answer = agent.get(address).header("cookie", browser.cookie().unwrap()).call().unwrap();
    answer.into_body().into_reader()
}

#[test]
fn a_page_whose_connection_breaks_loses_nothing_and_repeats_nothing() {
    let (_place, _portal, mut browser, run) = started();
    let (run, mut random) = (run.parse().unwrap(), rand::rng());
    let mut page = Page::default();

    for _ in 0..times("PORTAL_DISCONNECTS", 60) {
        let mut frames = random.random_range(1..6);
        page.follow(&mut browser, run, |_| {
            frames -= 1;
            frames == 0
        });
        if page.is_whole() {
            break;
        }
    }
    page.follow(&mut browser, run, |_| false);

    assert!(page.is_whole(), "every piece followed the one before");
}
