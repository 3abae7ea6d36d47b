//! Readers that never read, and one that reads a byte a second: a step takes as long as without them, and the portal keeps little
//! for them.

use domain::run::Event;
use testkit::times;

use crate::browser::Browser;
use crate::long;
use crate::page::Page;
use crate::process::{Place, Served};
use crate::record::folder;
use crate::silent::Reader;
use crate::waiting::{PATIENCE, appears};

/// So many readers are what is promised for; with fewer, beside other tests, nothing is measured.
const MANY: usize = 100;

/// The most memory that a portal takes for them, in MiB.
const MEMORY: u64 = 64;

/// How often the step is measured with them and without them, in turns, for a promise.
const ROUNDS: u32 = 9;

/// A portal with a step that prints when its gate is opened.
struct Desk {
    browser: Browser,
    printed: String,
    runs: u32,
    portal: Served,
    place: Place,
}

impl Desk {
    fn with(megabytes: usize) -> Self {
        let (place, lines) = (Place::empty(), long::lines_of(megabytes));
        // The second command alone is what is measured.
        long::procedure(&place, &format!("{}\n\n   {}", long::wait_at("gate"), long::command(0, lines)));
        let portal = Served::start(&place);
        let browser = Browser::set_up(&place, &portal);
        Self { browser, printed: long::printed(lines), runs: 0, portal, place }
    }

    /// Runs the step beside so many readers; its output has to be whole. Gives how long it printed, in milliseconds.
    fn run(&mut self, readers: usize) -> u64 {
        self.runs += 1;
        let gate = self.place.path("work/gate");
        long::fifo(&gate);
        let run = long::run(&mut self.browser, &format!("key-{}", self.runs), "1,2");
        let readers = self.readers(readers, &run);

        long::open(&self.place, "gate");
        let folder = folder(&self.place, run.parse().unwrap());
        assert!(appears(&folder.join("exit.json"), PATIENCE), "the step waits for nobody");
        let took = self.recorded(&run);
        for reader in readers {
            reader.leave();
        }

        std::fs::remove_file(gate).unwrap();
        let log = folder.join("out.log");
        assert!(std::fs::read(&log).unwrap() == self.printed.as_bytes(), "what was printed is stored, to the byte");
        // Many of them would fill a small disk.
        std::fs::remove_file(log).unwrap();
        took
    }

    /// Half of them are pages, the others scripts, and beside any there is the slow one. All of them are answered.
    fn readers(&self, many: usize, run: &str) -> Vec<Reader> {
        let cookie = self.browser.cookie().unwrap();
        let mut readers: Vec<Reader> = (0..many / 2).map(|_| Reader::page(&self.portal, &cookie, run)).collect();
        readers.extend((many / 2..many).map(|_| Reader::script(&self.portal, &cookie, run)));
        readers.extend((many > 0).then(|| Reader::slow(&self.portal, &cookie, run)));
        readers
    }

    /// How long the second command took, as the history has it.
    fn recorded(&mut self, run: &str) -> u64 {
        let mut page = Page::default();
        page.follow(&mut self.browser, run.parse().unwrap(), |_| false);
        assert_eq!(page.codes(), [Some(0), Some(0)]);
        let took = page.told.iter().find_map(|entry| match &entry.event {
            Event::CommandEnded { command: 2, end, .. } => Some(end.duration_ms),
            _ => None,
        });
        took.unwrap()
    }
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

/// In turns, so that what the machine does besides falls on both: the medians with and without readers.
fn measured(desk: &mut Desk, readers: usize) -> (u64, u64) {
    // The first of all finds its memory first.
    desk.run(0);
    let rounds: (Vec<u64>, Vec<u64>) = (0..ROUNDS).map(|_| (desk.run(readers), desk.run(0))).unzip();
    (median(rounds.0), median(rounds.1))
}

#[test]
fn a_step_waits_for_no_reader_however_slow() {
    let readers = times("PORTAL_DEAD_READERS", 6);
    if readers < MANY {
        // It ends, and its output is whole.
        Desk::with(times("PORTAL_READ_MEGABYTES", 4)).run(readers);
        return;
    }
    let mut desk = Desk::with(times("PORTAL_READ_MEGABYTES", 100));

    let (beside, alone) = measured(&mut desk, readers);

    let memory = desk.portal.peak() / 1024;
    eprintln!(
        "\nFIGURES: {} bytes beside {readers} readers that never read and one of a byte a second: {beside} ms, without them {alone} ms \
         (medians of {ROUNDS}), memory {memory} MiB",
        desk.printed.len()
    );
    assert!(beside * 100 <= alone * 105, "{beside} ms beside them, {alone} ms without");
    assert!(memory <= MEMORY, "{memory} MiB");
}
