//! A portal with somebody who is signed in, runs, and viewers of their output.

use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use domain::view::LinesView;
use ureq::Agent;

use crate::browser::{Browser, text};
use crate::figures::ms;
use crate::page::Page;
use crate::process::{Place, Served};
use crate::waiting::PATIENCE;

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

/// How much that is, in all.
#[derive(Clone, Copy)]
pub struct Printed {
    pub bytes: u64,
    /// With a last one that has no end.
    pub lines: u64,
}

/// A portal with its person.
pub struct Desk {
    pub browser: Browser,
    keys: u32,
    pub portal: Served,
    /// Where the portal works: it goes last.
    pub place: Place,
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
        let desk = Self { browser, keys: 0, portal, place };
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
    pub fn raw(&mut self, print: &Print, printed: Printed) -> f64 {
        let (run, viewer) = (self.start(print), self.viewer());
        let begun = Instant::now();
        self.trigger(&run);
        assert_eq!(viewer.all(&run), printed.bytes, "complete");
        let took = ms(begun.elapsed());
        self.stands_in_history(&run, printed);
        self.remove_output(&run);
        took
    }

    /// The history has all of it at this moment, for whoever asks for what is stored and waits for nothing.
    pub fn stands_in_history(&mut self, run: &str, printed: Printed) {
        assert_eq!(self.viewer().stored(run), printed.bytes, "complete in history");
        let form = [("run", run), ("step", "1"), ("attempt", "1"), ("line", "1"), ("most", "1")];
        let view: LinesView = serde_json::from_str(&text(self.browser.call("runs/lines", &form))).unwrap();
        assert_eq!((view.length, view.lines), (printed.bytes, printed.lines), "each of its lines can be asked for");
    }

    /// As the floor does, which writes over its own: the next one finds memory.
    pub fn remove_output(&self, run: &str) {
        std::fs::remove_file(self.path(&format!("data/runs/{run}/1-1/out.log"))).unwrap();
    }

    /// From the trigger until a page that follows has the end of the attempt and everything that it is sent of the output.
    pub fn page(&mut self, print: &Print, printed: Printed) -> f64 {
        let run = self.start(print);
        let watching = self.watch(&run, Page::is_whole);
        let begun = Instant::now();
        self.trigger(&run);
        let took = ms(watching.ends(printed) - begun);
        self.stands_in_history(&run, printed);
        self.remove_output(&run);
        took
    }

    /// Somebody at the page of a run, until it has enough. When this comes back, its stream is there.
    pub fn watch(&self, run: &str, enough: fn(&Page) -> bool) -> Watching {
        let (mut browser, number) = (self.another(), run.parse().unwrap());
        let (told, hears) = channel();
        let follows = std::thread::spawn(move || {
            let mut page = Page::default();
            page.follow(&mut browser, number, |page| {
                // The first frame has come. Nobody waits for the others.
                let _ = told.send(());
                enough(page)
            });
            let ended = Instant::now();
            assert!(enough(&page), "the page has what it waits for");
            (page, ended)
        });
        hears.recv().unwrap();
        Watching(follows)
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

/// Somebody at a page.
pub struct Watching(JoinHandle<(Page, Instant)>);

impl Watching {
    /// Waits until they have enough; gives when that was. They have been told of everything by then.
    pub fn ends(self, printed: Printed) -> Instant {
        let (page, ended) = self.0.join().unwrap();
        assert_eq!(page.offset, printed.bytes, "complete");
        ended
    }
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
        self.output(run, "?follow=1")
    }

    /// How many bytes it is.
    pub fn all(&self, run: &str) -> u64 {
        bytes(self.follow(run))
    }

    /// How many bytes are stored now: nothing is waited for.
    pub fn stored(&self, run: &str) -> u64 {
        bytes(self.output(run, ""))
    }

    /// Silence for long is an error.
    fn output(&self, run: &str, how: &str) -> impl Read + use<> {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).timeout_per_read(Some(PATIENCE));
        let agent: Agent = config.build().into();
        let address = format!("{}/runs/{run}/output/1/1{how}", self.address);
        let response = agent.get(address).header("cookie", &self.cookie).call().unwrap();
        assert_eq!(response.status(), 200);
        response.into_body().into_reader()
    }
}

fn bytes(mut output: impl Read) -> u64 {
    let (mut buffer, mut bytes) = (vec![0; 64 << 10], 0);
    loop {
        match output.read(&mut buffer).unwrap() {
            0 => return bytes,
            count => bytes += count as u64,
        }
    }
}
