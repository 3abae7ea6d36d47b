//! A portal with somebody who is signed in, runs, and viewers of their output.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::browser::{Browser, text};
use crate::figures::ms;
use crate::page::Page;
use crate::process::{Place, Served};

/// A procedure of one step: how it is called, what it runs, and whether that is on a terminal.
pub struct Print {
    pub title: &'static str,
    pub script: &'static str,
    pub terminal: Terminal,
}

/// What a step prints to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    Yes,
    No,
}

/// A portal with its person.
pub struct Desk {
    pub place: Place,
    pub portal: Served,
    pub browser: Browser,
    keys: u32,
}

impl Desk {
    /// With these procedures.
    pub fn with(prints: &[&Print]) -> Self {
        let place = Place::empty();
        for print in prints {
            let Print { title, script, terminal } = print;
            let document = format!("# {title}\n\n## Steps\n\n1. **Print**\n\n   ```bash\n   {script}\n   ```\n");
            place.write(&format!("runbooks/{}.md", slug(title)), document);
            if *terminal == Terminal::No {
                let side = format!("[procedure.\"{title}\".step.\"Print\"]\ntty = false\n");
                place.write(&format!("runbooks/{}.portal.toml", slug(title)), side);
            }
        }
        let portal = Served::start(&place);
        let browser = Browser::set_up(&place, &portal);
        let desk = Self { place, portal, browser, keys: 0 };
        desk.settle();
        desk
    }

    /// After its start a portal compresses what browsers load: until then others have one core less.
    fn settle(&self) {
        let mut before = f64::NEG_INFINITY;
        while self.cpu() - before > 0.005 {
            before = self.cpu();
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// Starts a run of a procedure; gives its number. Nothing is printed yet.
    pub fn start(&mut self, print: &Print) -> String {
        self.keys += 1;
        let (slug, key) = (slug(print.title), format!("key-{}", self.keys));
        let form = [("slug", slug.as_str()), ("target", "local"), ("key", key.as_str())];
        text(self.browser.call("runs/start", &form)).trim_matches('"').to_owned()
    }

    /// Runs its step.
    pub fn trigger(&mut self, run: &str) {
        trigger(&mut self.browser, run);
    }

    /// The same person in another browser.
    pub fn another(&self) -> Browser {
        self.browser.at(&self.portal.address)
    }

    pub fn viewer(&self) -> Viewer {
        Viewer { address: self.portal.address.clone(), cookie: self.browser.cookie().unwrap() }
    }

    /// From the trigger until a viewer of the raw output has all of it.
    pub fn raw(&mut self, print: &Print, bytes: u64) -> f64 {
        let (run, viewer) = (self.start(print), self.viewer());
        let begun = Instant::now();
        self.trigger(&run);
        assert_eq!(viewer.all(&run), bytes, "complete");
        let took = ms(begun.elapsed());
        self.remove_output(&run);
        took
    }

    /// As the floor does, which writes over its own: the next one finds memory.
    pub fn remove_output(&self, run: &str) {
        std::fs::remove_file(self.path(&format!("data/runs/{run}/1-1/out.log"))).unwrap();
    }

    /// From the trigger until a page that follows has the end of the attempt and everything that it is sent of the output.
    pub fn page(&mut self, print: &Print) -> f64 {
        let (run, mut browser) = (self.start(print), self.another());
        let (number, mut page) = (run.parse().unwrap(), Page::default());
        std::thread::scope(|scope| {
            let (told, hears) = std::sync::mpsc::channel();
            let follows = scope.spawn(move || {
                page.follow(&mut browser, number, |page| {
                    // The stream is there: its first frames have come.
                    let _ = told.send(());
                    page.is_whole()
                });
                assert!(page.is_whole());
                Instant::now()
            });
            hears.recv().unwrap();
            let begun = Instant::now();
            self.trigger(&run);
            let took = ms(follows.join().unwrap() - begun);
            self.remove_output(&run);
            took
        })
    }

    /// The most memory that the portal has had so far, in MiB.
    #[expect(clippy::cast_precision_loss, reason = "memory of a process")]
    pub fn peak(&self) -> f64 {
        self.memory("VmHWM:") as f64 / 1024.0
    }

    /// Its memory now, in KiB by the name of a line in its status.
    pub fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.portal.pid())).unwrap();
        let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
        found.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The CPU time of the portal so far, in seconds.
    pub fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.portal.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok()).unwrap_or_default();
        f64::from(ticks(11) + ticks(12)) / 100.0
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }
}

pub fn trigger(browser: &mut Browser, run: &str) {
    let form = [("run", run), ("step", "1"), ("attempt", "1"), ("commands", "1")];
    let answer = browser.call("runs/run", &form);
    assert!(answer.status().is_success(), "{}", text(answer));
}

fn slug(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Somebody who reads the raw output.
#[derive(Clone)]
pub struct Viewer {
    address: String,
    cookie: String,
}

impl Viewer {
    /// The output of a run from its first byte to the end of the attempt.
    pub fn follow(&self, run: &str) -> impl Read + use<> {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let agent: Agent = config.into();
        let address = format!("{}/runs/{run}/output/1/1?follow=1", self.address);
        let response = agent.get(address).header("cookie", &self.cookie).call().unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_reader()
    }

    /// How many bytes it is.
    pub fn all(&self, run: &str) -> u64 {
        let mut output = self.follow(run);
        let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
        loop {
            match output.read(&mut buffer).unwrap() {
                0 => return bytes,
                count => bytes += count as u64,
            }
        }
    }
}
