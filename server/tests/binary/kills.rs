//! The portal dies without a warning while a step prints: nothing is missing, nothing is repeated, nothing runs twice.

use std::hash::{BuildHasher as _, RandomState};

use rustix::process::Signal;
use serde_json::Value;
use ureq::http::StatusCode;

use crate::browser::{Browser, lines, text};
use crate::process::{Place, Served};

/// How many lines the step prints; about a second of them.
const LINES: u64 = 200;

const DOCUMENT: &str = "# Count

## Steps

1. **Count**

   ```bash
   for i in $(seq 1 200); do echo \"line $i\"; sleep 0.005; done

   echo ran >> counter

   sh -c 'exit 7'
   ```
";

/// How often it is killed: a few times in every test run, many times for a proof.
fn kills() -> usize {
    std::env::var("PORTAL_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(3)
}

/// What a page has of the run.
#[derive(Default)]
struct Page {
    version: u64,
    output: String,
    ended: Vec<i64>,
    over: bool,
}

impl Page {
    /// Follows the run from where the page is, until enough lines are there or the attempt has ended.
    fn follow(&mut self, browser: &mut Browser, run: &str, enough: u64) {
        let (version, offset) = (self.version.to_string(), self.output.len().to_string());
        let cursor = [
            ("run", run),
            ("cursor[version]", &version),
            ("cursor[step]", "1"),
            ("cursor[attempt]", "1"),
            ("cursor[offset]", &offset),
        ];
        for line in lines(browser.call("runs/watch", &cursor)) {
            let Ok(frame) = serde_json::from_str::<Value>(&line) else { return };
            self.take(&frame);
            let drained = self.over && self.output.contains("line 200");
            if drained || self.output.lines().count() as u64 > enough {
                return;
            }
        }
    }

    fn take(&mut self, frame: &Value) {
        match frame["frame"].as_str() {
            Some("output") => {
                assert_eq!(
                    frame["offset"].as_u64(),
                    Some(self.output.len() as u64),
                    "the same byte, no gap and no repetition"
                );
                self.output.push_str(frame["text"].as_str().unwrap());
            }
            Some("event") => {
                let entry = &frame["entry"];
                assert_eq!(entry["version"].as_u64(), Some(self.version + 1), "every event once and in order");
                self.version += 1;
                match entry["event"]["kind"].as_str() {
                    Some("command_ended") => self.ended.push(entry["event"]["end"]["code"].as_i64().unwrap()),
                    Some("attempt_ended") => self.over = true,
                    Some("attempt_interrupted") => panic!("the shim was lost: {entry}"),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often")]
fn a_step_outlives_the_portal_and_is_recorded_to_its_last_byte_and_its_true_exit_code() {
    let place = Place::empty();
    place.write("runbooks/count.md", DOCUMENT);
    place.write("runbooks/count.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write("work/.keep", "");
    let random = RandomState::new();
    let first = Served::start(&place);
    let mut browser = Browser::set_up(&place, &first);
    let mut portal = first;
    let kills = kills();

    for kill in 1..=kills {
        let (run, key) = (kill.to_string(), format!("key-{kill}"));
        let started = browser.call("runs/start", &[("slug", "count"), ("target", ""), ("reason", ""), ("key", &key)]);
        assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
        let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1,2,3")];
        assert_eq!(browser.call("runs/run", &form).status(), StatusCode::OK);
        let mut page = Page::default();

        page.follow(&mut browser, &run, random.hash_one(kill) % LINES);
        portal.signal(Signal::KILL);
        portal.wait();
        portal = Served::start(&place);
        browser = browser.at(&portal.address);
        page.follow(&mut browser, &run, u64::MAX);

        let expected: Vec<String> = (1..=LINES).map(|number| format!("line {number}")).collect();
        assert_eq!(page.output.lines().collect::<Vec<_>>(), expected, "kill {kill}");
        assert_eq!(page.ended, [0, 0, 7], "kill {kill}: the true exit codes");
        let counter = std::fs::read_to_string(place.path("work/counter")).unwrap();
        assert_eq!(counter.lines().count(), kill, "kill {kill}: the step ran once");
    }
    println!("killed {kills} times: every byte, every exit code, each step once");
}
