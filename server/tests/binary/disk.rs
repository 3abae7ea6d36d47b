//! The disk is full: what cannot be recorded is not begun, what runs goes on and can be stopped, and room is all it takes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::attempt::AttemptResult;
use domain::run::Event;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};
use crate::waiting::{eventually, processes};

const DOCUMENT: &str = "# Fill

## Steps

1. **Print much**

   ```bash
   until [ -e go ]; do sleep 0.02; done

   seq 1 200000

   sleep 4713
   ```
";

/// The bytes that `seq 1 200000` prints.
const PRINTED: u64 = 1_288_895;

/// A small disk of its own; gone with the test.
pub struct Disk(PathBuf);

impl Disk {
    /// `None`, loudly, where nothing can be mounted.
    pub fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        Self::mounted(&["-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs"], at)
    }

    /// A folder of another disk in a place of its own.
    fn bind(folder: &Path, at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::create_dir_all(&at).unwrap();
        Self::mounted(&["--bind", folder.to_str().unwrap()], at)
    }

    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn mounted(arguments: &[&str], at: PathBuf) -> Option<Self> {
        let mounted = Command::new("mount").args(arguments).arg(&at).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(at));
        }
        eprintln!("SKIPPED: no small disk can be mounted here; it takes root");
        None
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

fn place() -> Place {
    let place = Place::empty();
    place.write("runbooks/fill.md", DOCUMENT);
    place.write("runbooks/fill.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write("work/.keep", "");
    place
}

fn start(browser: &mut Browser, key: &str) -> (StatusCode, String) {
    let answer = browser.call("runs/start", &[("slug", "fill"), ("target", ""), ("reason", ""), ("key", key)]);
    (answer.status(), text(answer))
}

fn run(browser: &mut Browser, run: &str, attempt: &str, commands: &str) -> (StatusCode, String) {
    let form = [("run", run), ("step", "1"), ("attempt", attempt), ("commands", commands)];
    let answer = browser.call("runs/run", &form);
    (answer.status(), text(answer))
}

fn stop(browser: &mut Browser) -> (StatusCode, String) {
    let answer = browser.call("runs/stop", &[("run", "1"), ("step", "1"), ("attempt", "1")]);
    (answer.status(), text(answer))
}

/// Starts the step and fills the disk while it waits; then lets it print.
fn fill_under_a_step(place: &Place, disk: &Disk, browser: &mut Browser) {
    assert_eq!(start(browser, "one").0, StatusCode::OK);
    assert_eq!(run(browser, "1", "1", "1,2,3").0, StatusCode::OK);
    let mut page = Page::default();
    page.follow(browser, 1, |page| page.told.iter().any(|it| matches!(it.event, Event::CommandStarted { .. })));
    disk.fill();
    place.write("work/go", "");
}

/// Nothing that changes something is taken, in plain words.
fn everything_is_refused(browser: &mut Browser) {
    let (status, words) = start(browser, "two");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{words}");
    assert!(words.contains("The disk of the database is full. Nothing was changed"), "{words}");
    let note = browser.call("runs/note", &[("run", "1"), ("step", "0"), ("text", "a note")]);
    assert_eq!(note.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(browser.get("/runs/1").status(), StatusCode::OK, "reading goes on");
}

/// A stop is heard although it cannot be recorded; the answer says so.
fn the_stop_is_heard(place: &Place, browser: &mut Browser) {
    let (status, words) = stop(browser);
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{words}");
    assert!(words.contains("The step was asked to stop") && words.contains("not recorded yet"), "{words}");
    eventually("the command is gone", || !sleeps(place));
}

/// Whether the last command of the step runs.
fn sleeps(place: &Place) -> bool {
    !processes(&place.path("work"), "sleep 4713").is_empty()
}

/// With room again, and without a restart, everything is recorded in its order, and the next run starts.
fn recovers(browser: &mut Browser) -> Page {
    let mut page = Page::default();
    page.follow(browser, 1, |page| page.told.iter().any(|it| matches!(it.event, Event::AttemptEnded { .. })));
    let kinds: Vec<&str> = page.told.iter().map(|entry| entry.event.kind()).collect();
    let at = |kind: &str| kinds.iter().position(|it| *it == kind);
    assert!(at("stop_requested").is_some() && at("stop_requested") < at("attempt_ended"), "{kinds:?}");
    eventually("a new run starts", || start(browser, "three").0 == StatusCode::OK);
    page
}

#[test]
fn a_disk_that_holds_everything_and_is_full_stops_nothing_that_runs_and_recovers_by_itself() {
    let place = place();
    let Some(disk) = Disk::mount(place.path("data")) else { return };
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);

    fill_under_a_step(&place, &disk, &mut browser);
    eventually("the step goes on", || sleeps(&place));
    everything_is_refused(&mut browser);
    the_stop_is_heard(&place, &mut browser);
    disk.make_room();
    let page = recovers(&mut browser);

    let exit = page.told.iter().find_map(|entry| match &entry.event {
        Event::AttemptEnded { exit, .. } => Some(exit.clone()),
        _ => None,
    });
    let exit = exit.unwrap();
    assert_eq!(exit.result, AttemptResult::Stopped);
    assert_eq!(exit.bytes + exit.dropped, PRINTED, "every byte is accounted for");
    assert!(exit.dropped > 0 && exit.cut.is_some(), "the place is known: {exit:?}");
    assert!(text(browser.get("/runs/1?step=1")).contains("were not kept"));
}

#[test]
fn a_full_disk_of_the_database_alone_costs_no_output() {
    let place = place();
    let Some(disk) = Disk::mount(place.path("data")) else { return };
    let Some(_runs) = Disk::bind(&place.path("elsewhere"), place.path("data/runs")) else { return };
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);

    fill_under_a_step(&place, &disk, &mut browser);
    eventually("the step goes on", || sleeps(&place));
    everything_is_refused(&mut browser);
    the_stop_is_heard(&place, &mut browser);
    disk.make_room();
    recovers(&mut browser);

    let output = text(browser.get("/runs/1/output/1/1?download=1"));
    assert!(output.starts_with("1\n2\n") && output.contains("\n200000\n"), "{} bytes", output.len());
}

#[test]
fn a_full_disk_of_the_output_alone_lets_no_step_start_and_says_why() {
    let place = place();
    place.write("work/go", "");
    let Some(disk) = Disk::mount(place.path("data/runs")) else { return };
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    assert_eq!(start(&mut browser, "one").0, StatusCode::OK);

    disk.fill();
    let (status, words) = run(&mut browser, "1", "1", "1");
    disk.make_room();
    let (again, _) = run(&mut browser, "1", "2", "1");

    assert_eq!(status, StatusCode::CONFLICT, "{words}");
    assert!(words.contains("The step was not started"), "{words}");
    assert_eq!(again, StatusCode::OK);
    assert!(text(browser.get("/runs/1?step=1")).contains("was not started"), "the first attempt is in the record");
}
