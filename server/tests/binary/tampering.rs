//! Somebody who can write to the data folder changes the past: what they changed is found, and the place is named.

use std::fs;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use domain::audit::{Finding, Head, Part, Verification};
use domain::{AttemptId, Digest, RunId};
use portal::{CheckpointSettings, KeptRecord};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use ureq::http::StatusCode;

use crate::browser::{Browser, text};
use crate::page::Page;
use crate::process::{Place, Served, run};
use crate::record::block_on;
use crate::waiting::eventually;

const CONFIG: &str = "[target.local]\nkind = \"local\"\n\n[audit]\nevery = \"1s\"\n";

/// How often somebody changes something.
fn tamperings() -> u64 {
    testkit::times("PORTAL_TAMPERINGS", 60)
}

/// What a portal has left behind, and what it had left behind earlier.
struct Past {
    place: Place,
    earlier: TempDir,
    /// The hash of every event, in the order of the chain.
    hashes: Vec<String>,
    /// The places of the checkpoints that lie outside.
    checkpoints: Vec<u64>,
    outputs: Vec<AttemptId>,
}

impl Past {
    fn make() -> Self {
        let place = Place::with_document();
        place.write("portal.toml", CONFIG);
        let mut portal = Served::start(&place);
        let mut browser = Browser::set_up(&place, &portal);
        for number in 1..=2 {
            work_through(&mut browser, number);
        }
        end(&mut portal);
        let earlier = tempfile::tempdir().unwrap();
        copy(&place.path("data"), earlier.path());
        let mut portal = Served::start(&place);
        let mut browser = browser.at(&portal.address);
        assert_eq!(browser.sign_in("olga"), StatusCode::OK);
        for number in 3..=4 {
            work_through(&mut browser, number);
        }
        end(&mut portal);
        let hashes = block_on(hashes(&place.path("data")));
        let checkpoints = checkpoints(&place.path("data"));
        assert!(checkpoints.len() >= 2, "{checkpoints:?}");
        let outputs = (1..=4).map(|run| AttemptId { run: RunId(run), step: 1, attempt: 1 }).collect();
        Self { place, earlier, hashes, checkpoints, outputs }
    }

    fn copied(&self) -> TempDir {
        let scratch = tempfile::tempdir().unwrap();
        copy(&self.place.path("data"), scratch.path());
        scratch
    }

    fn events(&self) -> u64 {
        self.hashes.len() as u64
    }
}

fn work_through(browser: &mut Browser, number: u64) {
    let (key, run) = (format!("key {number}"), number.to_string());
    let form = [("slug", "count-slowly"), ("target", ""), ("reason", "to be proven"), ("key", &*key)];
    assert_eq!(browser.call("runs/start", &form).status(), StatusCode::OK);
    let form = [("run", &*run), ("step", "1"), ("attempt", "1"), ("commands", "1,2")];
    assert_eq!(browser.call("runs/run", &form).status(), StatusCode::OK);
    Page::default().follow(browser, number, Page::is_whole);
    for text in ["one", "two"] {
        let form = [("run", &*run), ("step", "1"), ("text", text)];
        assert_eq!(browser.call("runs/note", &form).status(), StatusCode::OK);
    }
}

fn end(portal: &mut Served) {
    portal.signal(Signal::TERM);
    assert_eq!(portal.wait().code(), Some(0));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn database(data: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data.join("portal.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn hashes(data: &Path) -> Vec<String> {
    let mut database = database(data).await;
    sqlx::query_scalar("SELECT hash FROM events ORDER BY seq").fetch_all(&mut database).await.unwrap()
}

async fn change(data: &Path, statements: &'static str, seq: u64) {
    let mut database = database(data).await;
    for statement in statements.split(';').filter(|statement| !statement.trim().is_empty()) {
        sqlx::query(statement).bind(i64::try_from(seq).unwrap()).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
}

fn checkpoint_file(data: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(data.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

fn checkpoints(data: &Path) -> Vec<u64> {
    let text = fs::read_to_string(checkpoint_file(data)).unwrap();
    text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_u64().unwrap()).collect()
}

fn output(data: &Path, id: AttemptId) -> PathBuf {
    data.join("runs").join(id.run.to_string()).join(format!("{}-{}", id.step, id.attempt)).join("out.log")
}

fn verified(data: &Path) -> Verification {
    block_on(async {
        let record = KeptRecord::open(data, &CheckpointSettings::default(), None).await.unwrap();
        record.verify(|_, _| {}).await.unwrap()
    })
}

/// Where verification has to point.
#[derive(Debug)]
enum Expected {
    /// To one of these places in the chain.
    Chain(RangeInclusive<u64>),
    /// To this output.
    Output(AttemptId),
    /// To a checkpoint, or to what it says about the chain.
    Checkpoint,
}

impl Expected {
    fn is_met(&self, findings: &[Finding]) -> bool {
        findings.iter().any(|finding| match self {
            Self::Chain(places) => finding.part == Part::Chain && finding.seq.is_some_and(|seq| places.contains(&seq)),
            Self::Output(id) => finding.part == Part::Outputs && finding.attempt == Some(*id),
            Self::Checkpoint => finding.part == Part::Checkpoints,
        })
    }
}

/// Changes one thing, as somebody would who has the data folder and not the key; says what it was, and where it has to be found.
fn tamper(past: &Past, data: &Path, random: &mut StdRng) -> (&'static str, Expected) {
    let seq = random.random_range(1..=past.events());
    match random.random_range(0..12_u32) {
        0 => flip_record(data, seq, random),
        1 => change_column(data, seq, random),
        2 => {
            block_on(change(data, "DELETE FROM events WHERE seq = $1", seq));
            ("an event is deleted", Expected::Chain(seq..=seq))
        }
        3 => {
            let renumbered = "DELETE FROM events WHERE seq = $1; \
                UPDATE events SET seq = -seq WHERE seq > $1; UPDATE events SET seq = -seq - 1 WHERE seq < 0 AND $1 > 0";
            block_on(change(data, renumbered, seq));
            ("an event is deleted and the others move up", Expected::Chain(seq..=seq))
        }
        4 => {
            let inserted = "UPDATE events SET seq = -seq - 1 WHERE seq > $1; UPDATE events SET seq = -seq WHERE seq < 0 AND $1 > 0; \
                INSERT INTO events SELECT seq + 1, stream || 'x', version, kind, v, at, record, previous, hash FROM events WHERE seq = $1";
            block_on(change(data, inserted, seq));
            ("an event is inserted", Expected::Chain(seq + 1..=seq + 1))
        }
        5 => {
            let seq = seq.min(past.events() - 1);
            let swapped = "UPDATE events SET seq = -1 WHERE seq = $1; UPDATE events SET seq = $1 WHERE seq = $1 + 1; \
                UPDATE events SET seq = $1 + 1 WHERE seq = -1";
            block_on(change(data, swapped, seq));
            ("two events change places", Expected::Chain(seq..=seq))
        }
        6 => {
            let seq = seq.max(2);
            // Also in the lists that are derived from the events, so that only a checkpoint outside knows.
            let cut =
                "DELETE FROM events WHERE seq >= $1; DELETE FROM runs WHERE $1 > 0; DELETE FROM attempts WHERE $1 > 0";
            block_on(change(data, cut, seq));
            ("the tail is cut off", Expected::Chain(seq..=seq))
        }
        7 => rewrite(past, data, seq),
        8 => {
            for name in ["portal.db", "portal.db-wal", "portal.db-shm"] {
                drop(fs::remove_file(data.join(name)));
                if past.earlier.path().join(name).exists() {
                    fs::copy(past.earlier.path().join(name), data.join(name)).unwrap();
                }
            }
            let kept = block_on(hashes(data)).len() as u64;
            ("an older database is put back", Expected::Chain(kept + 1..=kept + 1))
        }
        9 | 10 => change_output(past, data, random),
        _ => {
            let file = checkpoint_file(data);
            flip(&file, random);
            ("a bit of the checkpoints flips", Expected::Checkpoint)
        }
    }
}

fn flip_record(data: &Path, seq: u64, random: &mut StdRng) -> (&'static str, Expected) {
    block_on(async {
        let mut database = database(data).await;
        let seq = i64::try_from(seq).unwrap();
        let mut record: Vec<u8> = sqlx::query_scalar("SELECT CAST(record AS BLOB) FROM events WHERE seq = $1")
            .bind(seq)
            .fetch_one(&mut database)
            .await
            .unwrap();
        let place = random.random_range(0..record.len());
        record[place] ^= 1 << random.random_range(0..8);
        sqlx::query("UPDATE events SET record = CAST($1 AS TEXT) WHERE seq = $2")
            .bind(record)
            .bind(seq)
            .execute(&mut database)
            .await
            .unwrap();
        database.close().await.unwrap();
    });
    ("a bit of a record flips", Expected::Chain(seq..=seq))
}

fn change_column(data: &Path, seq: u64, random: &mut StdRng) -> (&'static str, Expected) {
    let statement = *[
        "UPDATE events SET kind = kind || 'x' WHERE seq = $1",
        "UPDATE events SET at = at + 1 WHERE seq = $1",
        "UPDATE events SET v = v + 1 WHERE seq = $1",
        "UPDATE events SET version = version + 1000 WHERE seq = $1",
        "UPDATE events SET stream = stream || '0' WHERE seq = $1",
        "UPDATE events SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = $1",
        "UPDATE events SET previous = replace(previous, substr(previous, 1, 1), 'x') WHERE seq = $1",
    ]
    .choose(random)
    .unwrap();
    block_on(change(data, statement, seq));
    ("a column changes", Expected::Chain(seq..=seq))
}

/// One record is changed, and every hash from there on is made to fit.
fn rewrite(past: &Past, data: &Path, seq: u64) -> (&'static str, Expected) {
    block_on(async {
        let mut database = database(data).await;
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT seq, record FROM events ORDER BY seq").fetch_all(&mut database).await.unwrap();
        let mut head = Head::beginning();
        for (number, record) in rows {
            let record = if number.unsigned_abs() == seq { record.replacen("\"at\":1", "\"at\":2", 1) } else { record };
            let next = head.then(&Digest::of(record.as_bytes()));
            let at = serde_json::from_str::<serde_json::Value>(&record).unwrap()["at"].as_i64().unwrap();
            sqlx::query("UPDATE events SET record = $1, previous = $2, hash = $3, at = $4 WHERE seq = $5")
                .bind(record)
                .bind(&head.hash)
                .bind(&next.hash)
                .bind(at)
                .bind(number)
                .execute(&mut database)
                .await
                .unwrap();
            head = next;
        }
        assert_ne!(Some(&head.hash), past.hashes.last(), "something has to be changed");
        database.close().await.unwrap();
    });
    // It is somewhere behind the last checkpoint that fits.
    let fitting = past.checkpoints.iter().filter(|checkpoint| **checkpoint < seq).max().copied().unwrap_or_default();
    ("an event is rewritten with all hashes behind it", Expected::Chain(fitting + 1..=fitting + 1))
}

fn change_output(past: &Past, data: &Path, random: &mut StdRng) -> (&'static str, Expected) {
    let id = *past.outputs.choose(random).unwrap();
    let file = output(data, id);
    let what = match random.random_range(0..4_u32) {
        0 => {
            flip(&file, random);
            "a bit of an output flips"
        }
        1 => {
            fs::write(&file, &fs::read(&file).unwrap()[..7]).unwrap();
            "an output is cut"
        }
        2 => {
            fs::write(&file, [fs::read(&file).unwrap(), b"more\n".to_vec()].concat()).unwrap();
            "something is added to an output"
        }
        _ => {
            fs::remove_file(&file).unwrap();
            "an output is deleted"
        }
    };
    (what, Expected::Output(id))
}

fn flip(file: &Path, random: &mut StdRng) {
    let mut bytes = fs::read(file).unwrap();
    let place = random.random_range(0..bytes.len());
    bytes[place] ^= 1 << random.random_range(0..8);
    let opened = fs::OpenOptions::new().write(true).open(file).unwrap();
    opened.write_all_at(&bytes, 0).unwrap();
}

#[test]
#[expect(clippy::print_stderr, reason = "the seed makes a failure happen again")]
fn whatever_is_changed_in_the_data_folder_is_found_and_its_place_is_named() {
    let past = Past::make();
    let untouched = verified(&past.place.path("data"));
    assert_eq!((untouched.findings.as_slice(), untouched.outputs), ([].as_slice(), 4), "{untouched:?}");
    assert_eq!((untouched.events, untouched.proven), (past.events(), past.events()));

    for seed in 0..tamperings() {
        let (scratch, mut random) = (past.copied(), StdRng::seed_from_u64(seed));
        let (what, expected) = tamper(&past, scratch.path(), &mut random);
        let findings = verified(scratch.path()).findings;
        assert!(
            expected.is_met(&findings),
            "seed {seed}: {what}, to be found at {expected:?}, and found: {findings:?}"
        );
    }
    eprintln!("{} tamperings, all found at their place", tamperings());
}

#[test]
fn the_command_says_whether_everything_is_as_it_was_recorded_and_where_it_is_not() {
    let past = Past::make();
    let whole = run(&past.place, &["audit", "verify"]);
    let said = String::from_utf8(whole.stdout).unwrap();
    assert_eq!(whole.status.code(), Some(0), "{said}");
    assert!(said.ends_with("Everything is as it was recorded.\n"), "{said}");

    block_on(change(&past.place.path("data"), "UPDATE events SET at = at + 1 WHERE seq = $1", 5));
    let changed = run(&past.place, &["audit", "verify"]);
    let said = String::from_utf8(changed.stdout).unwrap();

    assert_eq!(changed.status.code(), Some(1), "{said}");
    assert!(said.contains("CHANGED, events: A column of event 5 was changed"), "{said}");
}

#[test]
fn an_older_database_that_is_put_back_is_noticed_when_the_portal_starts() {
    let past = Past::make();
    let data = past.place.path("data");
    for name in ["portal.db", "portal.db-wal", "portal.db-shm"] {
        drop(fs::remove_file(data.join(name)));
        if past.earlier.path().join(name).exists() {
            fs::copy(past.earlier.path().join(name), data.join(name)).unwrap();
        }
    }

    let mut portal = Served::start(&past.place);
    let mut browser = Browser::new(&portal.address);
    assert_eq!(browser.sign_in("olga"), StatusCode::OK);
    let mut page = String::new();
    eventually("the page says it", || {
        page = text(browser.get("/audit"));
        page.contains("an older database was put in its place")
    });
    end(&mut portal);

    assert!(page.contains("checkpoint mismatch"), "it stands among the events for ever");
    assert_eq!(run(&past.place, &["audit", "verify"]).status.code(), Some(1));
}
