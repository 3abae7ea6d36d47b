//! Targets elsewhere: that a step really runs there, and what a link does to it that breaks.

use std::path::Path;
use std::time::Duration;

use domain::AttemptId;
use domain::attempt::AttemptResult;
use domain::target::Reach;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tempfile::TempDir;
use testkit::rig::{Cut, Process, Sshd};
use testkit::times;

use crate::harness::{Finished, Place, Step, USUAL_LADDER};
use crate::sites::{SHIM, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_step_over_ssh_is_let_in_by_the_server_and_outlives_what_let_it_in() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();

    let end = place.run(Step::new(&["echo one"])).await;

    assert_eq!(end.text(), "one\n");
    assert!(site.log().contains("Accepted publickey"), "{}", site.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_in_a_container_is_among_its_processes() {
    let Some(site) = Site::container() else { return };
    let place = site.place();

    let end = place.run(Step::new(&["tr '\\0' ' ' </proc/1/cmdline"])).await;

    assert_eq!(end.text(), "sleep infinity ");
}

/// A server behind a network that can be cut, and a place for steps there.
struct Remote {
    sshd: Sshd,
    cut: Cut,
    place: Place,
}

/// How a link is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Break {
    /// A client of this machine is killed: the one that holds the connection, or one that uses it.
    Client,
    /// Both ends are told that the connection is broken.
    Reset,
    /// Nothing passes for some time, and nobody is told.
    Dark(Duration),
    /// The server's service is started again; its sessions live on.
    Service,
    /// The same, with all sessions.
    Sessions,
}

pub const LINES: usize = 60;

/// A step that prints a line every 20 ms, keeps count of them at the target, and ends with a code of its own.
pub fn step(count: &Path) -> Step {
    counting_step(count, LINES, "0.02")
}

/// The same with other numbers.
pub fn counting_step(count: &Path, lines: usize, pause: &str) -> Step {
    let script = format!(
        "for i in $(seq {lines}); do echo \"line $i\"; echo $i >>'{}'; sleep {pause}; done; (exit 7)",
        count.display()
    );
    Step::new(&["echo begun", &script])
}

impl Remote {
    fn start() -> Option<Self> {
        let sshd = Sshd::start()?;
        let cut = Cut::before(sshd.address());
        let reach = Reach::Ssh(sshd.target_through(cut.address()));
        let place = Place::at(reach, TempDir::new().unwrap(), SHIM.into(), USUAL_LADDER);
        Some(Self { sshd, cut, place })
    }

    async fn break_link(&mut self, how: Break, random: &mut StdRng) {
        match how {
            Break::Client => {
                let clients = self.clients();
                if !clients.is_empty() {
                    clients[random.random_range(0..clients.len())].kill();
                }
            }
            Break::Reset => self.cut.reset(),
            Break::Dark(time) => {
                self.cut.swallow();
                // This is how long the network is dark, and nothing is waited for.
                tokio::time::sleep(time).await;
                self.cut.pass();
            }
            Break::Service => {
                self.sshd.stop();
                self.sshd.start_again();
            }
            Break::Sessions => {
                self.sshd.stop_with_sessions();
                self.sshd.start_again();
            }
        }
    }

    /// The clients of this machine that belong to the place.
    fn clients(&self) -> Vec<Process> {
        let folder = self.place.folder.path().display().to_string();
        let is_ours =
            |process: &Process| process.name == "ssh" && process.words().iter().any(|word| word.contains(&folder));
        Process::all().into_iter().filter(is_ours).collect()
    }

    /// Waits for a moment of a step: after some lines, or after some bytes on the wire, when it is perhaps not even begun.
    async fn moment(&self, id: AttemptId, random: &mut StdRng) {
        let length = self.place.engine.length(&id);
        if random.random_bool(0.3) {
            let bytes = self.cut.bytes() + random.random_range(0..6_000);
            let ended = async { self.place.inspect_end(id).await };
            let passed = async {
                while self.cut.bytes() < bytes {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! { _ = ended => (), () = passed => () }
        } else {
            let more = length + random.random_range(0..400);
            let mut progress = self.place.engine.follow(&self.place.intent(id)).unwrap();
            let _ = progress.wait_for(|progress| progress.length >= more || progress.done).await;
        }
    }
}

fn anyhow(random: &mut StdRng) -> Break {
    match random.random_range(0..5) {
        0 => Break::Client,
        1 => Break::Reset,
        2 => Break::Dark(Duration::from_millis(random.random_range(50..1500))),
        3 => Break::Service,
        _ => Break::Sessions,
    }
}

/// What the step has done, and what the record says of it.
pub fn assert_ran_once(end: &Finished, count: &Path, story: &str) {
    let numbers: Vec<String> = (1..=LINES).map(|number| number.to_string()).collect();
    let counted = std::fs::read_to_string(count).unwrap_or_default();
    assert_eq!(counted, numbers.join("\n") + "\n", "{story}: at the target");
    assert_eq!(end.text(), format!("begun\nline {}\n", numbers.join("\nline ")), "{story}: in the log");
    assert_eq!((end.result(), end.codes()), (&AttemptResult::Failed { command: 2 }, vec![Some(0), Some(7)]), "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_runs_once_to_its_end_however_often_its_link_breaks() {
    let Some(mut remote) = Remote::start() else { return };
    let seed = times("PORTAL_SEED", rand::random::<u64>());
    let mut random = StdRng::seed_from_u64(seed);
    let (mut breaks, mut not_begun) = (0, 0);
    for round in 0..times("PORTAL_CUTS", 5) {
        let count = remote.place.folder.path().join(format!("count-{round}"));
        let id = remote.place.launch(step(&count)).await;
        let mut story = format!("seed {seed}, round {round}");
        for _ in 0..random.random_range(1..4) {
            remote.moment(id, &mut random).await;
            let how = anyhow(&mut random);
            story = format!("{story}, {how:?} at byte {}", remote.place.engine.length(&id));
            remote.break_link(how, &mut random).await;
            breaks += 1;
        }

        let end = remote.place.end(id).await;

        if matches!(end.result(), AttemptResult::NotStarted { .. }) {
            // The very first connection may not come about. Then nothing was run at all.
            assert!(!count.exists() && end.output.is_empty(), "{story}: {:?}", end.result());
            not_begun += 1;
        } else {
            assert_ran_once(&end, &count, &story);
        }
    }
    eprintln!("{breaks} breaks of the link; {not_begun} steps were not begun because of one");
}

/// Longer than the client waits for a sign of life: it has given the connection up when the network is there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_gone_for_long_costs_a_step_nothing() {
    let Some(mut remote) = Remote::start() else { return };
    let count = remote.place.folder.path().join("count");
    let id = remote.place.launch(step(&count)).await;
    remote.place.wait_for(id, "line 5\n").await;

    let dark = Break::Dark(Duration::from_secs(times("PORTAL_DARK_SECONDS", 20)));
    remote.break_link(dark, &mut StdRng::seed_from_u64(0)).await;

    assert_ran_once(&remote.place.end(id).await, &count, "dark");
}
