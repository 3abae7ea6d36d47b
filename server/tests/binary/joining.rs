//! Somebody who joins a long output in the middle has at once what is stored until then, and the rest as it is printed.

use std::io::Read as _;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use testkit::times;

use crate::browser::{Browser, text, unpacked};
use crate::long;
use crate::page::Page;
use crate::process::{Place, Served};
use crate::waiting::{PATIENCE, eventually};

/// A step that stands still at its places, until its gate is opened. The length of the log says that it has come there.
struct Halting {
    browser: Browser,
    run: String,
    portal: Served,
    place: Place,
}

impl Halting {
    /// Prints so many lines, and halts after some of them: the gates and their places.
    fn start(lines: usize, halts: &[(&str, usize)]) -> Self {
        let place = Place::empty();
        let (mut commands, mut printed) = (Vec::new(), 0);
        for (gate, after) in halts {
            commands.extend([long::command(printed, *after), long::wait_at(gate)]);
            printed = *after;
        }
        commands.push(long::command(printed, lines));
        long::procedure(&place, &commands.join("; "));
        let gates: Vec<&str> = halts.iter().map(|(gate, _)| *gate).collect();
        long::gates(&place, &gates);
        let portal = Served::start(&place);
        let mut browser = Browser::set_up(&place, &portal);
        let run = long::run(&mut browser, "a-key-of-who-joins", "1");
        Self { browser, run, portal, place }
    }

    fn stored(&self) -> usize {
        let log = self.place.path(&format!("data/runs/{}/1-1/out.log", self.run));
        log.metadata().map_or(0, |log| usize::try_from(log.len()).unwrap())
    }

    /// A script and a page join while the step stands still. When this comes back they have caught up.
    fn join(&self, lines: usize) -> Joined {
        let at = long::bytes(lines);
        eventually("the step has come to the place", || self.stored() >= at);
        let (raw, raw_has) = self.join_raw(at);
        let raw_took = caught_up(at, &raw_has);
        let (page, page_has) = self.join_page(lines);
        let page_took = caught_up(at, &page_has);
        assert_eq!(self.stored(), at, "the step has stood still meanwhile");
        for number in [1, lines / 3, lines] {
            let found = text(self.browser.get(&format!("/runs/{}/output/1/1?lines={number}", self.run)));
            assert_eq!(found, long::line(number), "any line can be looked at");
        }
        eprintln!("\nFIGURES: joined at {at} bytes: a script has them in {raw_took:.1?}, a page in {page_took:.1?}");
        Joined { raw, page }
    }

    fn join_raw(&self, at: usize) -> (JoinHandle<Vec<u8>>, Receiver<usize>) {
        let (browser, run, (told, has)) = (self.browser.at(&self.portal.address), self.run.clone(), channel());
        let reads = std::thread::spawn(move || {
            let mut output = unpacked(browser.follow(&run, 0));
            let mut all = vec![0; at];
            output.read_exact(&mut all).unwrap();
            told.send(all.len()).unwrap();
            output.read_to_end(&mut all).unwrap();
            all
        });
        (reads, has)
    }

    fn join_page(&self, lines: usize) -> (JoinHandle<Page>, Receiver<usize>) {
        let (at, last) = (long::bytes(lines), long::line(lines));
        let (mut browser, run) = (self.browser.at(&self.portal.address), self.run.parse().unwrap());
        let (told, has) = channel();
        let reads = std::thread::spawn(move || {
            let mut page = Page::default();
            page.follow(&mut browser, run, |page| {
                let offset = usize::try_from(page.offset).unwrap();
                if offset >= at && page.output.ends_with(&last) {
                    // Once is enough for who waits for it.
                    let _ = told.send(offset);
                }
                false
            });
            page
        });
        (reads, has)
    }
}

/// Readers that have joined.
struct Joined {
    raw: JoinHandle<Vec<u8>>,
    page: JoinHandle<Page>,
}

impl Joined {
    /// What they have in the end is the whole.
    fn judge(self, printed: &[u8]) {
        let raw = self.raw.join().unwrap();
        assert_eq!(raw.len(), printed.len());
        assert!(raw == printed, "the script has the same to the byte");
        let page = self.page.join().unwrap();
        assert!(page.is_whole(), "the page has come to the end");
        assert!(page.is_true_to(printed), "what the page shows is what is stored there");
        assert!(printed.ends_with(&page.output.as_bytes()[page.output.len() - 1_000..]), "with the end of it");
        assert_eq!(page.codes(), [Some(0)]);
    }
}

/// How long it took until a reader has everything up to a byte, and nothing else.
fn caught_up(at: usize, has: &Receiver<usize>) -> Duration {
    let began = Instant::now();
    assert_eq!(has.recv_timeout(PATIENCE), Ok(at), "what is stored comes without waiting for more");
    began.elapsed()
}

#[test]
fn who_joins_at_half_or_near_the_end_has_at_once_what_is_stored_and_then_the_rest() {
    let lines = long::lines_of(times("PORTAL_JOINED_MEGABYTES", 4));
    let halts = [("half", lines / 2), ("late", lines / 100 * 99)];
    let step = Halting::start(lines, &halts);

    let joined = halts.map(|(gate, after)| {
        let joined = step.join(after);
        long::open(&step.place, gate);
        joined
    });

    let printed = long::printed(lines);
    for joined in joined {
        joined.judge(printed.as_bytes());
    }
    let stored = std::fs::read(step.place.path(&format!("data/runs/{}/1-1/out.log", step.run))).unwrap();
    assert!(stored == printed.as_bytes(), "what was printed is stored, to the byte");
}
