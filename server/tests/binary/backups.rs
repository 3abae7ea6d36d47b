//! `runbook-portal backup` and `restore` as an administrator runs them: while people work, at a full disk, killed, and on what
//! somebody has changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Sender, channel};

use domain::run::Event;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::disk::Disk;
use crate::page::Page;
use crate::process::{Place, Served, binary, complaint, run};
use crate::record::block_on;
use crate::waiting::eventually;

/// Prints until it is told to stop.
const TALKS: &str = "# Talk

## Steps

1. **Talk**

   ```bash
   i=0; until [ -e done ]; do i=$((i+1)); echo \"line $i\"; sleep 0.002; done
   ```
";

const SHORT: &str = "# Short

## Steps

1. **Print**

   ```bash
   seq 1 2000
   ```
";

/// How often a backup is made of a portal at work.
fn backups() -> u32 {
    std::env::var("PORTAL_BACKUPS").ok().and_then(|number| number.parse().ok()).unwrap_or(4)
}

/// A portal's folder, and a folder for backups.
fn place() -> Place {
    let place = Place::empty();
    place.write("runbooks/talk.md", TALKS);
    place.write("runbooks/talk.portal.toml", format!("directory = {:?}\n", place.path("work").to_str().unwrap()));
    place.write("runbooks/short.md", SHORT);
    place.write("work/.keep", "");
    fs::create_dir(place.path("backups")).unwrap();
    place
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command that has to succeed; what it printed.
fn done(place: &Place, arguments: &[&str]) -> String {
    let output = run(place, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}{}", printed(&output), complaint(&output));
    printed(&output)
}

/// Runs a command that has to be refused; the one sentence.
fn refused(place: &Place, arguments: &[&str]) -> String {
    let output = run(place, arguments);
    let sentence = complaint(&output);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}{sentence}", printed(&output));
    assert_eq!((printed(&output).as_str(), sentence.trim_end().lines().count()), ("", 1), "one sentence: {sentence}");
    sentence
}

/// Starts a run and its step; its number.
fn begin(browser: &mut Browser, slug: &str, key: &str) -> u64 {
    let started = browser.call("runs/start", &[("slug", slug), ("target", ""), ("reason", ""), ("key", key)]);
    assert_eq!(started.status(), StatusCode::OK);
    let run = text(started);
    let form = [("run", run.as_str()), ("step", "1"), ("attempt", "1"), ("commands", "1")];
    let ran = browser.call("runs/run", &form);
    assert_eq!(ran.status(), StatusCode::OK, "{}", text(ran));
    run.parse().unwrap()
}

fn end(mut portal: Served) {
    portal.signal(Signal::TERM);
    assert_eq!(portal.wait().code(), Some(0));
}

/// Somebody starts runs and works through them, one after the other, until nobody wants to hear of it any more.
fn work(mut browser: Browser, name: &str, finished: &Sender<u64>) {
    for number in 1.. {
        let run = begin(&mut browser, "short", &format!("{name} {number}"));
        Page::default().follow(&mut browser, run, |_| false);
        if finished.send(run).is_err() {
            return;
        }
    }
}

/// The first line of a database.
async fn integrity(database: &Path) -> String {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let verdict = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    verdict
}

/// Whether the sums of a backup are right by the system's own tool.
fn sums_are_right(backup: &Path) -> bool {
    let mut tool = Command::new("sha256sum");
    tool.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(backup).status().unwrap().success()
}

/// What a backup was made of, as far as this test knows.
struct Made {
    name: String,
    /// Runs that people had worked through before it was begun.
    finished: Vec<u64>,
}

/// The backup is whole, and a portal that is started on it has everything that was finished before it was made.
fn is_good(original: &Place, made: &Made, talked: &str) {
    let backup = original.path(&made.name);
    assert!(sums_are_right(&backup), "{}", made.name);
    let place = place();
    let from = backup.to_str().unwrap();
    assert!(done(&place, &["restore", from, "--check"]).contains(" is whole: the backup of "));
    let said = done(&place, &["restore", from]);
    assert!(said.contains("audit verify --data") && said.contains(" of them not ended)"), "{said}");
    assert_eq!(block_on(integrity(&place.path("data/portal.db"))), "ok");
    let verified = done(&place, &["audit", "verify"]);
    assert!(verified.ends_with("Everything is as it was recorded.\n"), "{verified}");
    let output = place.read("data/runs/1/1-1/out.log");
    assert!(talked.starts_with(&output), "a part of what the step has printed, from its begin on");

    place.write("set-up", "");
    let portal = Served::start(&place);
    let mut browser = Browser::new(&portal.address);
    assert_eq!(browser.sign_in("olga"), StatusCode::OK);
    let mut page = Page::default();
    page.follow(&mut browser, 1, |_| false);
    let interrupted = page.told.iter().any(|entry| matches!(entry.event, Event::AttemptInterrupted { .. }));
    assert!(interrupted, "{:?}", page.told.last());
    assert_eq!(page.output, output);
    for run in &made.finished {
        let shown = text(browser.get(&format!("/runs/{run}/output/1/1")));
        assert!(shown.ends_with("\n2000\n") && shown.lines().count() == 2000, "run {run} of {}", made.name);
    }
    end(portal);
    assert!(done(&place, &["audit", "verify"]).ends_with("Everything is as it was recorded.\n"));
}

#[test]
#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often")]
fn each_backup_of_a_portal_at_work_is_whole_and_the_portal_does_not_notice() {
    let place = place();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    assert_eq!(begin(&mut browser, "talk", "talk"), 1);
    let (sender, finished) = channel();
    let people = ["one", "two"].map(|name| {
        let (browser, sender) = (browser.at(&portal.address), sender.clone());
        std::thread::spawn(move || work(browser, name, &sender))
    });
    let (mut all, mut made) = (Vec::new(), Vec::new());

    for number in 1..=backups() {
        // More was done since the last one.
        all.extend([finished.recv().unwrap(), finished.recv().unwrap()]);
        all.extend(finished.try_iter());
        let name = format!("backups/{number}");
        let said = done(&place, &["backup", &name]);
        assert!(said.starts_with(&format!("{name} is a backup now: ")) && said.lines().count() == 1, "{said}");
        made.push(Made { name, finished: all.clone() });
    }
    drop(finished);
    for person in people {
        person.join().unwrap();
    }
    place.write("work/done", "");
    let mut page = Page::default();
    page.follow(&mut browser, 1, |_| false);

    let lines: Vec<String> = (1..=page.output.lines().count()).map(|line| format!("line {line}")).collect();
    let lines = lines.join("\n") + "\n";
    assert_eq!(page.output, lines, "the step was not disturbed");
    assert_eq!(page.codes(), [Some(0)]);
    end(portal);
    let mut names: Vec<String> = (1..=backups()).map(|number| number.to_string()).collect();
    names.sort();
    assert_eq!(place.names("backups"), names, "nothing else lies there");
    for made in &made {
        is_good(&place, made, &lines);
    }
    println!("{} backups while two people worked through {} runs: each whole", backups(), all.len());
}

#[test]
fn a_portal_that_does_not_run_is_backed_up_as_well_also_one_that_was_killed() {
    let place = place();
    let mut portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let run = begin(&mut browser, "short", "one");
    Page::default().follow(&mut browser, run, |_| false);
    portal.signal(Signal::KILL);
    portal.wait();
    assert!(
        fs::metadata(place.path("data/portal.db-wal")).unwrap().len() > 0,
        "what was written last is in the log only"
    );

    done(&place, &["backup", "backups/killed"]);
    end(Served::start(&place));
    done(&place, &["backup", "backups/stopped"]);

    for name in ["backups/killed", "backups/stopped"] {
        let data = format!("{name}.restored");
        done(&place, &["restore", name, "--data", &data]);
        let verified = done(&place, &["audit", "verify", "--data", &data]);
        assert!(verified.contains(" and 1 output "), "{verified}");
    }
    end(Served::start(&place));
}

/// The portal writes its checkpoints where no backup puts anything back.
const OUTSIDE: &str = "[target.local]\nkind = \"local\"\n\n[audit]\nevery = \"1s\"\ncheckpoints = \"outside\"\n";

#[test]
fn an_old_backup_that_was_put_back_is_named_as_long_as_checkpoints_outside_know_more() {
    let place = place();
    place.write("portal.toml", OUTSIDE);
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    begin(&mut browser, "short", "one");
    done(&place, &["backup", "backups/old"]);
    let run = begin(&mut browser, "short", "two");
    Page::default().follow(&mut browser, run, |_| false);
    end(portal);
    fs::rename(place.path("data"), place.path("data.before")).unwrap();

    let said = done(&place, &["restore", "backups/old"]);
    assert!(said.contains("The checkpoints outside know event ") && said.contains(" is not in this backup"), "{said}");
    let is_named = || {
        let verified = run_verify(&place);
        assert_eq!(verified.status.code(), Some(1));
        printed(&verified)
    };
    let before = is_named();
    assert!(before.contains("the last events were cut off, or an older database was put in its place"), "{before}");

    // What happens from now on has checkpoints of its own, which fit.
    for start in ["the first", "the second"] {
        let portal = Served::start(&place);
        let mut browser = Browser::new(&portal.address);
        assert_eq!(browser.sign_in("olga"), StatusCode::OK);
        eventually("the page says it", || {
            text(browser.get("/audit")).contains("an older database was put in its place")
        });
        end(portal);
        assert!(place.read("portal.log").contains("an older database was put in its place"), "{start} start");
        is_named();
    }

    fs::rename(place.path("outside"), place.path("outside.before")).unwrap();
    let portal = Served::start(&place);
    let mut browser = Browser::new(&portal.address);
    assert_eq!(browser.sign_in("olga"), StatusCode::OK);
    eventually("there is a checkpoint", || {
        place.names("outside").iter().any(|name| Path::new(name).extension() == Some("jsonl".as_ref()))
    });
    assert!(!text(browser.get("/audit")).contains("an older database was put in its place"), "that was what was meant");
    end(portal);
    assert_eq!(run_verify(&place).status.code(), Some(0));
}

fn run_verify(place: &Place) -> Output {
    run(place, &["audit", "verify"])
}

#[test]
fn nothing_is_put_over_what_is_there_and_nothing_is_taken_for_a_backup_that_is_none() {
    let place = place();
    let portal = Served::start(&place);
    done(&place, &["backup", "backups/one"]);

    let running = refused(&place, &["restore", "backups/one"]);
    assert!(running.contains("A portal works with the data folder") && running.contains("/data."), "{running}");
    let again = refused(&place, &["backup", "backups/one"]);
    assert!(again.contains("is there already"), "{again}");
    let inside = refused(&place, &["backup", "data/backup"]);
    assert!(inside.contains("is in the data folder"), "{inside}");
    end(portal);
    let occupied = refused(&place, &["restore", "backups/one"]);
    assert!(occupied.contains("is not empty. Nothing was restored; move what is there aside"), "{occupied}");
    for none in ["data", "runbooks", "backups", "nowhere"] {
        let sentence = refused(&place, &["restore", none, "--data", "restored"]);
        assert!(sentence.contains("is not a whole backup"), "{sentence}");
    }
    let no_data = refused(&place, &["backup", "backups/two", "--data", "nowhere"]);
    assert!(no_data.contains("nowhere/portal.db"), "{no_data}");
    assert!(!place.path("restored").exists());
    assert_eq!(place.names("backups"), ["one"]);
}

#[test]
fn a_backup_that_was_changed_is_refused_by_the_name_of_the_file_and_nothing_of_it_is_put_anywhere() {
    let place = place();
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let run = begin(&mut browser, "short", "one");
    Page::default().follow(&mut browser, run, |_| false);
    done(&place, &["backup", "backups/one"]);
    end(portal);

    let names =
        ["runs/1/1-1/out.log", "runs/1/1-1/exit.json", "portal.db", "keys/audit.key", "SHA256SUMS", "backup.json"];
    for name in names {
        let path = place.path("backups/one").join(name);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(&path, changed).unwrap();

        for last in [&["--check"][..], &["--data", "restored"]] {
            let sentence = refused(&place, &[&["restore", "backups/one"], last].concat());
            assert!(sentence.contains(name) || sentence.contains("SHA256SUMS"), "{name}: {sentence}");
        }
        fs::write(path, whole).unwrap();
    }
    assert!(!place.path("restored").exists());
    done(&place, &["restore", "backups/one", "--data", "restored"]);
}

/// A backup that takes a while, because an attempt has left a large file.
struct Slow {
    place: Place,
    large: PathBuf,
}

impl Slow {
    fn new() -> Self {
        let place = place();
        let portal = Served::start(&place);
        let mut browser = Browser::set_up(&place, &portal);
        let run = begin(&mut browser, "short", "one");
        Page::default().follow(&mut browser, run, |_| false);
        end(portal);
        let large = place.path("data/runs/1/1-1/large");
        fs::File::create(&large).unwrap().set_len(256 << 20).unwrap();
        Self { place, large }
    }

    /// A backup in the middle of the large file, and the folder that it writes into.
    fn begun(&self) -> (Child, PathBuf) {
        let mut command = binary(&self.place.path(""));
        command.args(["backup", "backups/one"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let mut draft = None;
        eventually("it copies the large file", || {
            let name = self.place.names("backups").into_iter().find(|name| name.starts_with(".one.unfinished-"));
            draft = name.map(|name| self.place.path("backups").join(name));
            draft.as_ref().is_some_and(|draft| draft.join("runs/1/1-1/large").exists())
        });
        (child, draft.unwrap())
    }
}

#[test]
fn a_backup_that_is_killed_in_the_middle_is_never_taken_for_one() {
    let slow = Slow::new();
    let (mut child, draft) = slow.begun();

    child.kill().unwrap();
    child.wait().unwrap();

    assert!(!slow.place.path("backups/one").exists());
    let sentence = refused(&slow.place, &["restore", draft.to_str().unwrap(), "--data", "restored"]);
    assert!(sentence.contains("is not a whole backup: there is no backup.json"), "{sentence}");
    assert!(!slow.place.path("restored").exists());
    fs::remove_file(&slow.large).unwrap();
    done(&slow.place, &["backup", "backups/one"]);
    done(&slow.place, &["restore", "backups/one", "--check"]);
}

#[test]
fn a_backup_that_is_stopped_by_a_signal_says_so_and_leaves_nothing() {
    let slow = Slow::new();
    for signal in [Signal::TERM, Signal::INT] {
        let (child, _) = slow.begun();

        kill_process(Pid::from_child(&child), signal).unwrap();
        let ended = child.wait_with_output().unwrap();

        assert_eq!(ended.status.code(), Some(1));
        assert!(complaint(&ended).contains("The backup was stopped. No backup was made, and nothing is left of it."));
        assert_eq!(slow.place.names("backups"), [""; 0]);
    }
}

#[test]
fn a_restore_that_is_killed_in_the_middle_lets_no_portal_start_on_half_of_it() {
    let slow = Slow::new();
    done(&slow.place, &["backup", "backups/one"]);
    let mut command = binary(&slow.place.path(""));
    let mut child = command.args(["restore", "backups/one", "--data", "restored"]).spawn().unwrap();
    let half = slow.place.path("restored/.restoring/runs/1/1-1/large");
    eventually("it copies the large file", || half.exists());

    child.kill().unwrap();
    child.wait().unwrap();

    let (code, sentence) = crate::process::refused(&slow.place, &["--data", "restored"]);
    assert_eq!(code, Some(1), "{sentence}");
    assert!(sentence.contains("or that was broken off. Nothing was started"), "{sentence}");
    let again = refused(&slow.place, &["restore", "backups/one", "--data", "restored"]);
    assert!(again.contains("is not empty"), "{again}");
    fs::remove_dir_all(slow.place.path("restored")).unwrap();
    fs::remove_file(slow.place.path("backups/one/runs/1/1-1/large")).unwrap();
    assert!(refused(&slow.place, &["restore", "backups/one", "--data", "restored"]).contains("large"));
}

#[test]
fn a_full_disk_ends_a_backup_and_a_restore_with_a_sentence_and_nothing_is_left_there() {
    let place = place();
    let Some(_disk) = Disk::mount(place.path("small")) else { return };
    let portal = Served::start(&place);
    let mut browser = Browser::set_up(&place, &portal);
    let run = begin(&mut browser, "short", "one");
    Page::default().follow(&mut browser, run, |_| false);
    place.write("data/runs/1/1-1/large", vec![b'x'; 8 << 20]);

    let on_it = refused(&place, &["backup", "small"]);
    let full = refused(&place, &["backup", "small/one"]);
    assert!(on_it.contains("it is the top of a disk; name a folder on it"), "{on_it}");
    assert!(full.contains("There is no room for the backup") && full.contains("nothing is left of it"), "{full}");
    assert_eq!(place.names("small"), [""; 0]);
    done(&place, &["backup", "backups/one"]);
    let unrestored = refused(&place, &["restore", "backups/one", "--data", "small"]);
    assert!(unrestored.contains("There is no room for the backup"), "{unrestored}");
    assert_eq!(place.names("small"), [""; 0]);
    assert_eq!(browser.get("/readyz").status(), StatusCode::OK, "the portal has not noticed");
}
