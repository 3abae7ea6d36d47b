//! Targets and moments that are stranger than one wishes: nothing runs twice, nothing begins too late, and nobody else is touched.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use domain::AttemptId;
use domain::attempt::{AttemptResult, Outcome};
use engine::Inspection;
use rustix::process::Signal;
use tempfile::TempDir;
use testkit::rig::{Contained, Dockerd, Image, Process, connected_to};

use crate::bare::{READ_ONLY, machine};
use crate::daemon::place;
use crate::harness::{Place, Step};
use crate::resume::kill_shim;
use crate::sites::Site;

/// A command that says where the folder of the attempt is: there stands what is in front of the shell.
const WHERE: &str = "readlink /proc/$PPID/cwd";

/// The folder of an attempt at its target, once the first line of its output says it.
async fn folder_there(place: &Place, id: AttemptId) -> PathBuf {
    place.progress(id, |progress| progress.length > 0).await;
    place.wait_for(id, "\n").await;
    let output = std::fs::read_to_string(place.engine.folder(&id).join("out.log")).unwrap();
    output.lines().next().unwrap().into()
}

async fn a_variable_of_a_step_may_have_any_name(site: &Site) {
    let place = site.place();
    let letters: Vec<String> = ('A'..='Z').chain('a'..='z').map(String::from).collect();
    let step = Step::new(&["pwd", "LC_ALL=C; env | grep '^[A-Za-z]=' | sort"]).directory(place.folder.path());
    let step = letters.iter().fold(step, |step, name| step.variable(name, &format!("/the value of {name}")));

    let end = place.run(step).await;

    let told = letters.iter().fold(String::new(), |told, name| format!("{told}{name}=/the value of {name}\n"));
    assert_eq!(end.text(), format!("{}\n{told}", place.folder.path().display()));
    assert_eq!((end.result(), end.codes()), (&AttemptResult::Completed, vec![Some(0), Some(0)]));
}

at_every_target!(a_variable_of_a_step_may_have_any_name);

/// A folder that looks as if a step had left it more than a week ago.
fn left_behind(base: &Path, name: &str, mark: &str) -> PathBuf {
    let folder = base.join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    assert!(Command::new("mkfifo").arg(folder.join("over")).status().unwrap().success());
    let mark = File::create(folder.join(mark)).unwrap();
    mark.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_fetched_is_removed_a_week_later_and_holds_nobody_up() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let kept = place.folder.path().join("kept");
    std::fs::write(&kept, "").unwrap();
    let first = place.run(Step::new(&[WHERE])).await;
    let base = Path::new(first.text().trim_end()).parent().unwrap().to_owned();
    let old = [left_behind(&base, "ended", "ended"), left_behind(&base, "never", "never")];

    let end = place.run(Step::new(&["pwd"]).directory(place.folder.path())).await;

    assert_eq!(end.result(), &AttemptResult::Completed);
    assert!(old.iter().all(|folder| !folder.exists()), "{old:?}");
    assert!(kept.exists(), "the directory of the step is nobody's to clean");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_prints_is_no_output_of_the_step() {
    let noise = "printf 'Welcome to production\\n\\033]0;title\\007'; printf 'mind the gap ' >&2";
    let Some((sshd, place)) = machine(noise) else { return };
    let go = place.folder.path().join("go");
    let script = format!("seq 10; until [ -e '{}' ]; do sleep 0.05; done; seq 11 20", go.display());

    let id = place.launch(Step::new(&[&script])).await;
    place.wait_for(id, "10\n").await;
    connected_to(sshd.address()).iter().filter(|process| process.name == "ssh").for_each(Process::kill);
    std::fs::write(go, "").unwrap();
    let end = place.end(id).await;

    assert_eq!(end.text(), (1..=20).fold(String::new(), |text, line| format!("{text}{line}\n")));
    assert_eq!(end.result(), &AttemptResult::Completed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_still_on_its_way_when_somebody_stops_never_begins() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let (go, second) = (place.folder.path().join("go"), place.folder.path().join("second"));
    let first = format!("{WHERE}; until [ -e '{}' ]; do sleep 0.05; done", go.display());
    let id = place.launch(Step::new(&[&first, &format!("touch '{}'; sleep 60", second.display())])).await;
    let there = folder_there(&place, id).await;
    let server = std::fs::read_to_string(there.join("server")).unwrap();
    let server = Process::look(server.split(' ').next().unwrap().parse().unwrap()).unwrap();

    // What takes requests there takes none any more, while the log still comes.
    server.signal(Signal::STOP);
    std::fs::write(go, "").unwrap();
    place.progress(id, |progress| progress.marks >= 2).await;
    let end = place.stop(id).await;

    assert!(!second.exists());
    assert_eq!((end.result(), end.codes()), (&AttemptResult::Stopped, vec![Some(0)]));
    server.wait();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_that_a_dead_shim_could_not_carry_out_is_carried_out_by_the_next() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let id = place.launch(Step::new(&["echo begun; sleep 60", "echo second"])).await;
    place.wait_for(id, "begun").await;

    kill_shim(&place, id).await;
    place.engine.resume(place.intent(id), Vec::new(), true).await.unwrap();
    let end = place.end(id).await;

    assert_eq!((end.result(), end.text().as_str()), (&AttemptResult::Stopped, "begun\n"));
    assert!(end.exit.notes.tampered.is_empty(), "{:?}", end.exit.notes.tampered);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_shim_has_judged_is_not_judged_again() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let go = place.folder.path().join("go");
    let after = format!("echo after; until [ -e '{}' ]; do sleep 0.05; done", go.display());
    let step = Step::new(&["while sleep 0.1; do echo tick; done", &after, "echo last"]).watch(1);
    let id = place.launch(step).await;
    place.wait_for(id, "tick").await;
    place.engine.end_watch(&id, 1).await.unwrap();
    place.wait_for(id, "after").await;

    kill_shim(&place, id).await;
    place.engine.resume(place.intent(id), Vec::new(), false).await.unwrap();
    std::fs::write(go, "").unwrap();
    let end = place.end(id).await;

    assert_eq!(end.result(), &AttemptResult::Completed);
    assert_eq!([1, 2, 3].map(|number| end.outcome(number)), [Outcome::Watched, Outcome::Success, Outcome::Success]);
    assert!(end.text().ends_with("after\nlast\n") && !end.text().contains('\u{1b}'), "{}", end.text());
    assert!(end.exit.notes.tampered.is_empty(), "{:?}", end.exit.notes.tampered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_shim_has_died_has_no_more_time_than_before() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    // It would end by itself before a time that began anew is up.
    let id = place.launch(Step::new(&["echo begun; sleep 20"]).timeout(10_000)).await;
    place.wait_for(id, "begun").await;

    kill_shim(&place, id).await;
    // So long nobody watches its time.
    tokio::time::sleep(Duration::from_secs(11)).await;
    place.engine.resume(place.intent(id), Vec::new(), false).await.unwrap();
    let end = place.end(id).await;

    assert_eq!(end.result(), &AttemptResult::TimedOut);
    assert!(end.command(1).duration_ms >= 10_000, "{:?}", end.command(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_target_has_no_room_for_its_output_can_be_stopped_and_says_why_it_is_not_known() {
    let folder = TempDir::new().unwrap();
    let Some(engine) = Dockerd::shared() else { return };
    let options = [&READ_ONLY[..], &["--tmpfs", "/tmp:size=256k"]].concat();
    let Some(contained) = Contained::with(engine, Image::Host, &[folder.path()], &options, &[]) else { return };
    let place = place(engine, &contained, folder.path());
    let (printed, second) = (place.folder.path().join("printed"), place.folder.path().join("second"));
    let first = format!("seq 100000; touch '{}'", printed.display());
    let id = place.launch(Step::new(&[&first, &format!("touch '{}'", second.display())])).await;
    while !printed.exists() {
        tokio::task::yield_now().await;
    }

    place.engine.stop(&id).await.unwrap();
    let found = place.inspect_end(id).await;

    let Inspection::Interrupted { reason } = found else { panic!("{found:?}") };
    assert!(reason.contains("the disk there may be full"), "{reason}");
    assert!(!second.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_program_passes_nobody_off_as_a_part_of_the_step() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let mut innocent = Command::new("sleep").arg("300").spawn().unwrap();
    // Read by lines, the second of this would be a process with the number of somebody else, and a child of one of the step.
    let name = TempDir::new().unwrap().keep().join(format!("a\n{} (b", innocent.id()));
    std::fs::copy("/bin/sleep", &name).unwrap();
    let step = Step::new(&["nohup sh -c '\"$NAME\" 300 & wait' >/dev/null 2>&1 & sleep 0.5; echo left"])
        .variable("NAME", name.to_str().unwrap());

    let end = place.run(step).await;

    let lives = innocent.try_wait().unwrap().is_none();
    innocent.kill().unwrap();
    innocent.wait().unwrap();
    std::fs::remove_dir_all(name.parent().unwrap()).unwrap();
    assert!(lives, "{:?}", end.exit.held);
    assert_eq!((end.result(), end.exit.held.len()), (&AttemptResult::Completed, 2), "{:?}", end.exit.held);
}

/// What is in front of the shell of an attempt there; it ends with this value, and everything below it.
struct Supervised(Process);

impl Supervised {
    fn of(folder: &Path) -> Self {
        let supervisor = std::fs::read_to_string(folder.join("supervisor")).unwrap();
        Self(Process::look(supervisor.split_whitespace().next().unwrap().parse().unwrap()).unwrap())
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        Process::below(self.0.pid).iter().for_each(Process::kill);
        self.0.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_folder_there_is_gone_is_not_said_to_have_never_begun() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let id = place.launch(Step::new(&[&format!("{WHERE}; sleep 300")])).await;
    let there = folder_there(&place, id).await;
    let _supervised = Supervised::of(&there);

    kill_shim(&place, id).await;
    std::fs::remove_dir_all(&there).unwrap();
    place.engine.resume(place.intent(id), Vec::new(), false).await.unwrap();
    let found = place.inspect_end(id).await;

    let Inspection::Interrupted { reason } = found else { panic!("{found:?}") };
    assert!(reason.ends_with("What the step has done is not known."), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_has_the_number_of_a_shell_that_is_gone_is_let_alone() {
    let Some(site) = Site::ssh() else { return };
    let place = site.place();
    let mut innocent = Command::new("sleep").arg("300").process_group(0).spawn().unwrap();
    let id = place.launch(Step::new(&[&format!("{WHERE}; sleep 300")])).await;
    let there = folder_there(&place, id).await;
    let _supervised = Supervised::of(&there);

    // As it is when the shell has ended, and its number has gone round.
    std::fs::write(there.join("shell"), format!("{} 1\n", innocent.id())).unwrap();
    place.engine.stop(&id).await.unwrap();
    let found = place.inspect_end(id).await;

    let lives = innocent.try_wait().unwrap().is_none();
    innocent.kill().unwrap();
    innocent.wait().unwrap();
    assert!(lives, "{found:?}");
}
