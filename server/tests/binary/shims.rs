//! The shim is killed as well: what came of the step is unknown, a person decides, and what still runs can be ended.

use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::run::Event;
use rustix::process::{Pid, Signal, kill_process};
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};
use crate::record::{Acknowledged, COUNTER, Killed, faults, folder, times_run};
use crate::waiting::{PATIENCE, appears, eventually, processes};

/// Says its last words when what it leaves has a session of its own, which its terminal cannot end; 4711 stands in a command
/// line only when that sleeps.
const LEAVES_SOMETHING: &str = "# Leave

## Steps

1. **Leave something**

   ```bash
   echo \"$PORTAL_RUN\" >> counter

   setsid sh -c 'echo \"last words\"; exec sleep $((4700 + 11))' & sleep 4712
   ```
";

const SHORT: &str = "# Short

## Steps

1. **Count**

   ```bash
   echo \"$PORTAL_RUN\" >> counter

   sleep 0.1
   ```
";

/// How often a shim is killed at a random moment.
fn kills() -> u64 {
    testkit::times("PORTAL_SHIM_KILLS", 5)
}

fn place(document: &str) -> Place {
    let place = Place::empty();
    place.write("runbooks/it.md", document);
    place.write("runbooks/it.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write(COUNTER, "");
    place
}

/// Starts a run of the one procedure and its step.
fn begin(browser: &mut Browser, slug: &str, run: u64) {
    let (number, key) = (run.to_string(), format!("key-{run}"));
    let started = browser.call("runs/start", &[("slug", slug), ("target", ""), ("reason", ""), ("key", &key)]);
    assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
    let form = [("run", number.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1,2")];
    let ran = browser.call("runs/run", &form);
    assert_eq!(ran.status(), StatusCode::OK, "{}", text(ran));
}

/// The shim of a run's first attempt, once it is there. A shim that has ended is not found again.
pub fn shim(place: &Place, run: u64) -> Option<Pid> {
    assert!(appears(&folder(place, run).join("out.log"), PATIENCE));
    processes(&folder(place, run), "__shim").first().copied()
}

fn interrupted(page: &Page) -> (String, Vec<String>) {
    let found = page.told.iter().find_map(|entry| match &entry.event {
        Event::AttemptInterrupted { reason, survivors, .. } => Some((reason.clone(), survivors.clone())),
        _ => None,
    });
    found.expect("the attempt is interrupted")
}

/// What the step leaves behind, while it lives.
fn left(place: &Place) -> Option<Pid> {
    processes(&place.path("work"), "sleep 4711").first().copied()
}

/// How the page names them. The step's shell can be among them: it dies with its terminal, at a moment of its own.
fn still_running(survivors: &[String]) -> String {
    format!("still running: {}", survivors.join(", "))
}

#[test]
fn a_step_whose_shim_is_killed_is_interrupted_and_what_it_left_behind_can_be_ended() {
    let place = place(LEAVES_SOMETHING);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser, "leave", 1);
    let mut page = Page::default();
    page.follow(&mut browser, 1, |page| page.output.contains("last words"));
    eventually("the child is there", || left(&place).is_some());
    let child = left(&place).unwrap();

    kill_process(shim(&place, 1).unwrap(), Signal::KILL).unwrap();
    page.follow(&mut browser, 1, |_| false);

    let (reason, survivors) = interrupted(&page);
    assert!(reason.contains("is not known"), "{reason}");
    assert!(survivors.contains(&format!("sleep (pid {})", child.as_raw_nonzero())), "{survivors:?}");
    let shown = text(browser.get("/runs/1?step=1"));
    assert!(shown.contains("last words") && shown.contains(&still_running(&survivors)), "{shown}");
    let stopped = browser.call("runs/stop", &[("run", "1"), ("step", "1"), ("attempt", "1")]);
    assert_eq!(stopped.status(), StatusCode::OK, "{}", text(stopped));
    assert_eq!(left(&place), None);
    assert!(text(browser.get("/runs/1?step=1")).contains("Olga ended what was still running"));
    assert_eq!(times_run(&place, 1), 1, "nothing is tried again");
}

#[test]
fn what_a_step_has_left_behind_can_be_ended_after_the_run_was_closed_and_the_record_says_so() {
    let place = place(LEAVES_SOMETHING);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser, "leave", 1);
    let mut page = Page::default();
    page.follow(&mut browser, 1, |page| page.output.contains("last words"));
    eventually("the child is there", || left(&place).is_some());
    kill_process(shim(&place, 1).unwrap(), Signal::KILL).unwrap();
    page.follow(&mut browser, 1, |_| false);
    let (_, survivors) = interrupted(&page);
    let closed = browser.call("runs/finish", &[("run", "1"), ("verdict", "not_reached"), ("comment", "lost")]);
    assert_eq!(closed.status(), StatusCode::OK, "{}", text(closed));

    let before = text(browser.get("/runs/1?step=1"));
    // As the form is sent without scripts.
    let ended = browser.submit("runs/stop", &[("run", "1"), ("step", "1"), ("attempt", "1")], "/runs/1?step=1");
    let after = text(browser.get("/runs/1?step=1"));

    let form = "action=\"/api/runs/stop\"";
    assert!(before.contains(&still_running(&survivors)) && before.contains(form), "{before}");
    assert!(ended.status().is_redirection());
    assert_eq!(ended.headers()["location"], "/runs/1?step=1");
    assert_eq!(left(&place), None);
    assert!(after.contains("Olga ended what was still running") && !after.contains(form), "{after}");
    assert!(after.contains("the portal ended what step 1 had left behind"), "{after}");
    let again = browser.call("runs/stop", &[("run", "1"), ("step", "1"), ("attempt", "1")]);
    assert!(text(again).contains("Olga closed this run"), "nothing is left to be ended");
}

#[test]
fn a_shim_that_is_killed_at_a_random_moment_leaves_a_true_record() {
    let place = place(SHORT);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let random = RandomState::new();
    let mut acknowledged = Vec::new();

    for run in 1..=kills() {
        begin(&mut browser, "short", run);
        acknowledged.extend([Acknowledged::Started { run }, Acknowledged::Ran { run }]);
        std::thread::sleep(Duration::from_millis(random.hash_one(run) % 200));
        if let Some(shim) = shim(&place, run) {
            // It may have ended by itself meanwhile.
            let _ = kill_process(shim, Signal::KILL);
        }
        let mut page = Page::default();
        page.follow(&mut browser, run, |_| false);
        assert!(page.is_whole(), "run {run} has come to an end");
    }

    assert_eq!(faults(&place, &acknowledged, Killed::Shim), [""; 0]);
}

/// A control group of the test's own, as a service has one; gone with the test.
struct Group(PathBuf);

impl Group {
    /// `None`, loudly, where control groups of version 2 cannot be made.
    #[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
    fn make() -> Option<Self> {
        let made = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].iter().find_map(|mount| {
            let path = Path::new(mount).join(format!("portal-test-{}", std::process::id()));
            std::fs::create_dir(&path).is_ok().then_some(path).filter(|path| path.join("cgroup.kill").exists())
        });
        if made.is_none() {
            eprintln!("SKIPPED: no control group (version 2) can be made here; it takes root and a writable mount");
        }
        made.map(Self)
    }

    fn take(&self, pid: u32) {
        std::fs::write(self.0.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    fn kill(&self) {
        std::fs::write(self.0.join("cgroup.kill"), "1").unwrap();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        eventually("the group is empty", || {
            let below = std::fs::read_dir(&self.0).unwrap().filter_map(Result::ok).map(|entry| entry.path());
            below.filter(|path| path.is_dir()).for_each(|path| drop(std::fs::remove_dir(path)));
            std::fs::remove_dir(&self.0).is_ok()
        });
    }
}

#[test]
fn when_the_whole_group_of_the_service_is_killed_the_step_is_interrupted_and_nothing_is_left_or_tried_again() {
    let Some(group) = Group::make() else { return };
    let place = place(LEAVES_SOMETHING);
    let mut portal = Served::start(&place);
    group.take(portal.pid());
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser, "leave", 1);
    let mut page = Page::default();
    page.follow(&mut browser, 1, |page| page.output.contains("last words"));

    group.kill();
    portal.wait();
    let portal = Served::start(&place);
    let mut browser = browser.at(&portal.address);
    page.follow(&mut browser, 1, |_| false);

    let (reason, survivors) = interrupted(&page);
    assert!(reason.contains("is not known"), "{reason}");
    assert_eq!(survivors, [""; 0]);
    assert!(page.output.contains("last words"), "the last output stays: {}", page.output);
    assert!(text(browser.get("/runs/1?step=1")).contains("last words"));
    let acknowledged = [Acknowledged::Started { run: 1 }, Acknowledged::Ran { run: 1 }];
    assert_eq!(faults(&place, &acknowledged, Killed::Shim), [""; 0]);
    assert_eq!(times_run(&place, 1), 1);
}
