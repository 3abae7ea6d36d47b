//! The portal is killed without a warning, at moments that are chosen by chance and at those that matter most: nothing that it
//! has acknowledged is lost, nothing is repeated, nothing runs twice, and every step comes to its true end.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::mpsc;
use std::time::Duration;

use domain::run::{Event, Who};
use domain::time::Clock as _;
use domain::{AttemptId, RunId, Timestamp, attempt::AttemptResult};
use portal::SystemClock;
use rustix::process::Signal;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served};
use crate::record::{
    Acknowledged, COUNTER, Killed, Window, block_on, copy_of_database, ends, faults, folder, open, put_back, window,
};
use crate::waiting::{PATIENCE, Unwritten, appears};

/// How many lines the step prints; about half a second of them.
const LINES: u64 = 100;

const DOCUMENT: &str = "# Count

## Steps

1. **Count**

   ```bash
   for i in $(seq 1 100); do echo \"line $i\"; sleep 0.004; done

   echo \"$PORTAL_RUN\" >> counter

   sh -c 'exit 7'
   ```
";

/// A new portal has so long to know what became of a step, in milliseconds.
const SOON: u64 = 5_000;

/// How often it is killed: some times in every test run, many times for a proof.
fn kills() -> u64 {
    testkit::times("PORTAL_KILLS", 20)
}

/// When the portal is killed, seen from the request that starts a step.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After so many milliseconds.
    After(u64),
    /// After so many lines of output have reached a page.
    Printed(u64),
    /// In the instant in which the database's log is written for the first time after the request.
    Journal,
    /// In the instant in which this file or folder of the run appears.
    Appears(&'static str),
}

impl Moment {
    /// One of the moments in turn; where chance has a say, `chance` has it.
    fn nth(number: u64, chance: u64) -> Self {
        match number % 8 {
            0 => Self::Appears("1-1/exit.json"),
            1 => Self::Appears(""),
            2 => Self::Journal,
            3 => Self::Printed(chance % LINES),
            4 => Self::Appears("1-1"),
            5 => Self::Appears("1-1/spec.json"),
            6 => Self::Appears("1-1/out.log"),
            _ => Self::After(chance % 1000),
        }
    }
}

/// A portal that is killed again and again, and what it acknowledged.
struct Rig {
    place: Place,
    portal: Served,
    browser: Browser,
    acknowledged: Vec<Acknowledged>,
    runs: u64,
    random: RandomState,
}

impl Rig {
    fn new() -> Self {
        let place = Place::empty();
        place.write("runbooks/count.md", DOCUMENT);
        place.write("runbooks/count.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
        place.write(COUNTER, "");
        let portal = Served::start(&place);
        let browser = Browser::set_up(&place, &portal);
        Self { place, portal, browser, acknowledged: Vec::new(), runs: 0, random: RandomState::new() }
    }

    fn next_moment(&self) -> Moment {
        Moment::nth(self.runs, self.random.hash_one(self.runs))
    }

    /// Starts a run and its step, follows it, adds notes, and kills the portal at a moment. Gives the page as it was then.
    fn kill(&mut self, moment: Moment) -> Page {
        self.runs += 1;
        let (run, key) = (self.runs, format!("key-{}", self.runs));
        let started =
            self.browser.call("runs/start", &[("slug", "count"), ("target", ""), ("reason", ""), ("key", &key)]);
        assert_eq!(started.status(), StatusCode::OK, "{}", text(started));
        self.acknowledged.push(Acknowledged::Started { run });
        let journal = Unwritten::now(self.place.path("data/portal.db-wal"));
        let (lines, printed) = mpsc::channel();
        let (mut watching, mut acting) = (self.browser.at(&self.portal.address), self.browser.at(&self.portal.address));
        let watcher = std::thread::spawn(move || {
            let mut page = Page::default();
            page.follow(&mut watching, run, |page| {
                // Nobody may wait for it.
                let _ = lines.send(page.output.lines().count() as u64);
                false
            });
            page
        });
        let actor = std::thread::spawn(move || act(&mut acting, run));

        match moment {
            Moment::After(milliseconds) => std::thread::sleep(Duration::from_millis(milliseconds)),
            Moment::Printed(enough) => drop(printed.iter().find(|lines| *lines > enough)),
            Moment::Journal => assert!(journal.wait(PATIENCE), "the intent is written"),
            Moment::Appears(name) => {
                let path = self.place.path("data/runs").join(run.to_string()).join(name);
                assert!(appears(&path, PATIENCE), "{name} appears");
            }
        }
        self.portal.signal(Signal::KILL);
        self.portal.wait();
        let page = watcher.join().unwrap();
        self.acknowledged.extend(actor.join().unwrap());
        self.acknowledged
            .extend(page.told.iter().map(|entry| Acknowledged::Told { run, entry: Box::new(entry.clone()) }));
        page
    }

    /// Starts the portal again and lets the page follow on, until the step has come to an end. Says when it was ready.
    fn restart(&mut self, page: &mut Page) -> Timestamp {
        self.portal = Served::start(&self.place);
        let ready = SystemClock.now();
        self.browser = self.browser.at(&self.portal.address);
        page.follow(&mut self.browser, self.runs, |_| false);
        ready
    }

    /// What does not hold now.
    fn faults(&self) -> Vec<String> {
        faults(&self.place, &self.acknowledged, Killed::Portal)
    }

    /// Kills, starts again, and checks everything. Says in which window the portal died.
    fn round(&mut self, moment: Moment) -> Window {
        let mut page = self.kill(moment);
        let window = window(&self.place, self.runs);
        if window == Window::BeforeIntent {
            // Nothing will happen in this run, and nobody waits for it.
            self.portal = Served::start(&self.place);
            self.browser = self.browser.at(&self.portal.address);
        } else {
            let ready = self.restart(&mut page);
            self.was_settled_soon(ready);
        }
        let context = format!("run {}, killed {moment:?}, {window:?}", self.runs);
        assert_eq!(self.faults(), [""; 0], "{context}");
        if page.codes().len() == 3 {
            let expected: Vec<String> = (1..=LINES).map(|number| format!("line {number}")).collect();
            assert_eq!(page.output.lines().collect::<Vec<_>>(), expected, "{context}: every byte once");
            assert_eq!(page.codes(), [Some(0), Some(0), Some(7)], "{context}: the true exit codes");
        }
        window
    }

    /// The end is recorded soon after the portal is ready, or after the end itself.
    fn was_settled_soon(&self, ready: Timestamp) {
        let (recorded, exited) = ends(&self.place, self.runs).expect("it has come to an end");
        let known = exited.map_or(ready, |exited| exited.max(ready));
        assert!(recorded.since(known) <= SOON, "run {}: recorded {} ms late", self.runs, recorded.since(known));
    }
}

/// Runs the step and then adds notes, until the portal goes away: what it has answered to with "done".
fn act(browser: &mut Browser, run: u64) -> Vec<Acknowledged> {
    let number = run.to_string();
    let form = [("run", number.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1,2,3")];
    let mut acknowledged = Vec::new();
    match browser.try_call("runs/run", &form) {
        Ok(answer) if answer.status() == StatusCode::OK => acknowledged.push(Acknowledged::Ran { run }),
        _ => return acknowledged,
    }
    for note in 1..=30 {
        let text = format!("note {note}");
        match browser.try_call("runs/note", &[("run", &number), ("step", "0"), ("text", &text)]) {
            Ok(answer) if answer.status() == StatusCode::OK => acknowledged.push(Acknowledged::Noted { run, text }),
            _ => break,
        }
    }
    acknowledged
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often, and when")]
fn a_portal_that_is_killed_at_any_moment_loses_nothing_and_runs_nothing_twice() {
    const MATTER_MOST: [(Window, u64); 2] = [(Window::BetweenIntentAndStart, 1), (Window::BetweenExitAndRecord, 0)];
    let mut rig = Rig::new();
    let mut windows = std::collections::BTreeMap::new();

    for _ in 0..kills() {
        let moment = rig.next_moment();
        *windows.entry(rig.round(moment)).or_insert(0_u32) += 1;
    }
    // On a busy machine a kill may come too late for the window that it was meant for: those are tried until they are hit.
    for (wanted, moment) in MATTER_MOST {
        for _ in 0..20 {
            if windows.contains_key(&wanted) {
                break;
            }
            *windows.entry(rig.round(Moment::nth(moment, 0))).or_insert(0) += 1;
        }
        assert!(windows.contains_key(&wanted), "{wanted:?} was never hit: {windows:?}");
    }

    println!("killed {} times: nothing lost, nothing twice, every end true; {windows:?}", rig.runs);
}

#[test]
fn the_rig_sees_a_portal_that_forgets_what_it_has_acknowledged() {
    let mut rig = Rig::new();
    let before = copy_of_database(&rig.place);

    rig.kill(Moment::Appears("1-1/exit.json"));
    put_back(&before, &rig.place);
    rig.portal = Served::start(&rig.place);

    let faults = rig.faults();
    assert!(faults.iter().any(|fault| fault.contains("not in the history: Started")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("not in the history: Told")), "{faults:?}");
}

#[test]
fn the_rig_sees_a_portal_that_runs_a_step_again() {
    let mut rig = Rig::new();

    let mut page = rig.kill(Moment::Appears("1-1/exit.json"));
    let spec: domain::attempt::Spec =
        serde_json::from_slice(&std::fs::read(folder(&rig.place, 1).join("spec.json")).unwrap()).unwrap();
    // What a portal would do that takes an intent for something to be done.
    let again = std::process::Command::new("sh")
        .args(["-c", &spec.work.commands[1].script])
        .current_dir(rig.place.path("work"))
        .env("PORTAL_RUN", "1")
        .status()
        .unwrap();
    assert!(again.success());
    rig.restart(&mut page);

    let faults = rig.faults();
    assert!(faults.iter().any(|fault| fault.contains("ran 2 times")), "{faults:?}");
}

#[test]
fn the_rig_sees_a_portal_that_gives_up_a_step_which_has_ended_well() {
    let mut rig = Rig::new();

    let mut page = rig.kill(Moment::Appears("1-1/out.log"));
    let exit = folder(&rig.place, 1).join("exit.json");
    assert!(appears(&exit, PATIENCE));
    std::fs::remove_file(exit).unwrap();
    rig.restart(&mut page);

    let faults = rig.faults();
    assert!(faults.iter().any(|fault| fault.contains("although the step was not")), "{faults:?}");
}

#[test]
fn the_rig_sees_a_portal_that_makes_an_end_up() {
    let mut rig = Rig::new();

    rig.kill(Moment::Appears("1-1/out.log"));
    block_on(async {
        let store = open(&rig.place.path("data/portal.db")).await;
        let mut write = store.begin().await.unwrap();
        let run = write.load(RunId(1), &domain::policy::Sight::EVERYTHING).await.unwrap();
        let exit = testkit::exit(AttemptId { run: RunId(1), step: 1, attempt: 1 }, AttemptResult::Completed);
        let made_up = Event::AttemptEnded { step: 1, attempt: 1, exit: Box::new(exit) };
        write.append(run, RunId(1), &Who::Portal, SystemClock.now(), &[made_up]).await.unwrap();
        write.commit().await.unwrap();
        store.close().await;
    });

    let faults = rig.faults();
    assert!(faults.iter().any(|fault| fault.contains("not the one that the shim wrote down")), "{faults:?}");
}
