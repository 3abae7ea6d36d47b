//! The binary is replaced and the portal started again while a step runs: the step does not notice, and neither does its record.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::attempt::AttemptResult;
use rustix::process::Signal;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{PROGRAM, Place, Served};
use crate::record::{COUNTER, Killed, faults, folder, times_run, told_by_shim};
use crate::shims::shim;

const COUNTS_UNTIL_TOLD: &str = "# Count

## Steps

1. **Count**

   ```bash
   i=0; until [ -e done ]; do i=$((i+1)); echo \"line $i\"; sleep 0.01; done

   echo \"$PORTAL_RUN\" >> counter

   sh -c 'exit 7'
   ```
";

/// After SIGTERM the portal is gone within this time.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often the binary is replaced during the one step.
fn upgrades() -> u32 {
    testkit::times("PORTAL_UPGRADES", 3)
}

fn place() -> Place {
    let place = Place::empty();
    place.write("runbooks/count.md", COUNTS_UNTIL_TOLD);
    place.write("runbooks/count.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write(COUNTER, "");
    place
}

/// Puts a binary into its place as a package manager does: a new file, renamed over the old one.
fn install(place: &Place) -> PathBuf {
    let (fresh, installed) = (place.path("bin/fresh"), place.path("bin/runbook-portal"));
    std::fs::create_dir_all(place.path("bin")).unwrap();
    std::fs::copy(PROGRAM, &fresh).unwrap();
    std::fs::rename(fresh, &installed).unwrap();
    installed
}

fn begin(browser: &mut Browser) {
    let started = browser.call("runs/start", &[("slug", "count"), ("target", ""), ("reason", ""), ("key", "one")]);
    assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
    let form = [("run", "1"), ("step", "1"), ("attempt", "1"), ("commands", "1,2,3")];
    assert_eq!(browser.call("runs/run", &form).status(), StatusCode::OK);
}

/// Ends the portal as a service manager does.
fn terminate(mut portal: Served) {
    let began = Instant::now();
    portal.signal(Signal::TERM);
    assert_eq!(portal.wait().code(), Some(0));
    assert!(began.elapsed() < FAREWELL, "{:?}", began.elapsed());
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often")]
fn a_step_outlives_many_upgrades_of_the_binary() {
    let place = place();
    let installed = install(&place);
    let mut portal = Served::start_program(&place, &installed, &[], &[]);
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser);
    let shim = shim(&place, 1).unwrap();
    let mut page = Page::default();

    for upgrade in 1..=upgrades() {
        let before = page.output.len();
        page.follow(&mut browser, 1, |page| page.output.len() > before);
        let build = page.build.clone();
        install(&place);
        terminate(portal);
        portal = Served::start_program(&place, &installed, &[], &[]);
        browser = browser.at(&portal.address);

        let running = std::fs::read_link(format!("/proc/{}/exe", shim.as_raw_nonzero())).unwrap();
        assert!(running.to_str().unwrap().ends_with(" (deleted)"), "upgrade {upgrade}: the shim is the old binary");
        let before = page.output.len();
        page.follow(&mut browser, 1, |page| page.output.len() > before);
        assert!(page.output.len() > before, "upgrade {upgrade}: the output goes on");
        // By its build an old tab knows that it is old; here the build is the same.
        assert!(!build.is_empty() && page.build == build);
    }
    std::fs::write(place.path("work/done"), "").unwrap();
    page.follow(&mut browser, 1, |_| false);

    let stored = std::fs::read_to_string(folder(&place, 1).join("out.log")).unwrap();
    let lines: Vec<String> = (1..=stored.lines().count()).map(|number| format!("line {number}")).collect();
    assert_eq!(stored.lines().collect::<Vec<_>>(), lines);
    assert_eq!(page.output, stored, "byte for byte");
    assert_eq!(page.codes(), [Some(0), Some(0), Some(7)]);
    assert_eq!(told_by_shim(&place, 1).unwrap().result, AttemptResult::Failed { command: 3 });
    assert_eq!(times_run(&place, 1), 1);
    let told: Vec<_> = page
        .told
        .iter()
        .map(|entry| crate::record::Acknowledged::Told { run: 1, entry: Box::new(entry.clone()) })
        .collect();
    assert_eq!(faults(&place, &told, Killed::Portal), [""; 0]);
    println!("upgraded {} times during one step of {} lines: byte for byte, exit code 7", upgrades(), lines.len());
}

#[test]
fn a_step_can_still_start_while_the_binary_is_being_replaced() {
    let place = place();
    let installed = install(&place);
    let portal = Served::start_program(&place, &installed, &[], &[]);
    let mut browser = Browser::set_up(&place, &portal);

    std::fs::remove_file(installed).unwrap();
    begin(&mut browser);
    std::fs::write(place.path("work/done"), "").unwrap();
    let mut page = Page::default();
    page.follow(&mut browser, 1, |_| false);

    assert_eq!(page.codes(), [Some(0), Some(0), Some(7)]);
}

#[test]
fn a_terminated_portal_takes_no_new_work_ends_its_streams_and_leaves_the_step_alone() {
    let place = place();
    let mut portal = Served::start_program(&place, Path::new(PROGRAM), &[], &[]);
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser);
    let shim = shim(&place, 1).unwrap();
    let mut other = browser.at(&portal.address);
    let following = std::thread::spawn(move || {
        let mut page = Page::default();
        page.follow(&mut other, 1, |_| false);
        page
    });

    let began = Instant::now();
    portal.signal(Signal::TERM);
    let page = following.join().unwrap();
    let status = portal.wait();
    let refused = browser.try_call("runs/start", &[("slug", "count"), ("target", ""), ("reason", ""), ("key", "two")]);

    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < FAREWELL, "{:?}", began.elapsed());
    assert!(refused.is_err() && !page.is_whole());
    assert!(rustix::process::test_kill_process(shim).is_ok(), "the step is not touched");
    let portal = Served::start(&place);
    browser = browser.at(&portal.address);
    std::fs::write(place.path("work/done"), "").unwrap();
    let mut page = page;
    page.follow(&mut browser, 1, |_| false);
    assert_eq!(page.codes(), [Some(0), Some(0), Some(7)]);
    assert_eq!(times_run(&place, 1), 1);
}
