//! A data folder as a portal leaves it, made by hand, and what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{CheckpointFolder, Signer};
use domain::audit::Checkpoint;
use domain::policy::Sight;
use domain::redaction::ByteRange;
use domain::run::{Event, Run};
use domain::{AttemptId, Digest, RunId};
use store::Store;
use tempfile::TempDir;
use testkit::{FixedClock, NOW, completed, plan, start, who};

use super::draft::Draft;
use super::making::fits_still;
use super::*;
use crate::CheckpointSettings;
use crate::auditing::KeptRecord;

/// What the step of run 1 has printed.
const PRINTED: &[u8] = b"user olga\ncalled hunter-otter\n";

/// The place of what should not have been printed.
const SECRET: ByteRange = ByteRange { from: 17, to: 29 };

const ENDED: AttemptId = AttemptId { run: RunId(1), step: 1, attempt: 1 };
const OPEN: AttemptId = AttemptId { run: RunId(2), step: 1, attempt: 1 };

/// A folder with the data of a portal: a run with an attempt that has ended, and one with an attempt that has not.
struct Scene {
    folder: TempDir,
    store: Store,
    course: Arc<Course>,
}

impl Scene {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let store = Store::open(&folder.path().join("data/portal.db"), NOW).await.unwrap();
        let scene = Self { folder, store, course: Arc::default() };
        scene.write("data/keys/audit.key", &[7; 32]);
        scene.write("data/keys/shim.key", &[8; 32]);
        let events = completed(ENDED, &[1]).into_iter().map(printed).collect::<Vec<_>>();
        scene.append(None, RunId(1), &[vec![start(plan(), "it is down")], events].concat()).await;
        let begun = completed(OPEN, &[1]).into_iter().next().unwrap();
        scene.append(None, RunId(2), &[start(plan(), "again"), begun]).await;
        scene.write("data/runs/1/1-1/out.log", PRINTED);
        scene.write("data/runs/1/1-1/exit.json", b"{}");
        scene.write("data/runs/2/1-1/lock", b"");
        scene.write("data/runs/2/1-1/spec.json", b"{}");
        scene.write("data/runs/2/1-1/out.log", b"line 1\n");
        scene.sign().await;
        scene
    }

    async fn append(&self, run: Option<Run>, id: RunId, events: &[Event]) {
        let mut write = self.store.begin().await.unwrap();
        write.append(run, id, &who(domain::policy::Role::Operator), NOW, events).await.unwrap();
        write.commit().await.unwrap();
    }

    /// Asks for the secret to be covered, and confirms that; nothing is written over.
    async fn cover(&self) {
        let run = self.store.run(RunId(1), &Sight::EVERYTHING).await.unwrap();
        let (ranges, reason, factor) = (vec![SECRET], "a password".to_owned(), "code".to_owned());
        let (bytes, old, new) = (PRINTED.len() as u64, Digest::of(PRINTED), Digest::of(&masked()));
        let asked =
            Event::RedactionAsked { step: 1, attempt: 1, ranges: ranges.clone(), reason, bytes, output: old.clone() };
        let covered = Event::OutputRedacted { number: 1, step: 1, attempt: 1, ranges, bytes, old, new, factor };
        self.append(run, RunId(1), &[asked, covered]).await;
    }

    /// Writes a checkpoint of the present end of the chain.
    async fn sign(&self) {
        let head = self.store.chain_head().await.unwrap();
        let checkpoint = Checkpoint { seq: head.seq, head: Digest::parse(&head.hash).unwrap(), at: NOW };
        let (folder, signer) = (CheckpointFolder::new(self.path("data/checkpoints")), Signer::new([7; 32]));
        folder.prepare(&signer.public()).unwrap();
        folder.append(&signer.sign(checkpoint)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn backup(&self, to: &str) -> Backup {
        Backup {
            data: self.path("data"),
            checkpoints: CheckpointSettings::default(),
            to: self.path(to),
            portal: "0.1.0".to_owned(),
            clock: Arc::new(FixedClock::default()),
            course: Arc::clone(&self.course),
        }
    }

    fn restore(&self, from: &str) -> Restore {
        Restore { from: self.path(from), course: Arc::clone(&self.course) }
    }

    /// Makes a backup that has to succeed.
    async fn backed_up(&self) -> Manifest {
        self.backup("backup").make().await.unwrap()
    }

    /// The sentence with which a backup is refused; nothing lies there then that was not there before.
    async fn refused(&self, to: &str) -> String {
        let before = tree(self.folder.path());
        let sentence = self.backup(to).make().await.unwrap_err().to_string();
        assert_eq!(tree(self.folder.path()), before, "{sentence}");
        sentence
    }

    /// The sentence with which a restore is refused; nothing lies there then that was not there before.
    async fn unrestored(&self, data: &str) -> String {
        let before = tree(self.folder.path());
        let sentence = self.restore("backup").put(&self.path(data)).await.unwrap_err().to_string();
        assert_eq!(tree(self.folder.path()), before, "{sentence}");
        sentence
    }
}

fn masked() -> Vec<u8> {
    let mut masked = PRINTED.to_vec();
    domain::redaction::cover(&mut masked, 0, &[SECRET]);
    masked
}

/// The end of the attempt binds what it has printed.
fn printed(event: Event) -> Event {
    match event {
        Event::AttemptEnded { step, attempt, mut exit } => {
            (exit.bytes, exit.output) = (PRINTED.len() as u64, Digest::of(PRINTED));
            Event::AttemptEnded { step, attempt, exit }
        }
        other => other,
    }
}

/// Every file below a folder with its bytes, but for those that a database that is open has beside it.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.insert(format!("{name}/"), Vec::new());
            files.extend(tree(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else if entry.file_type().unwrap().is_file() && !name.contains("-wal") && !name.contains("-shm") {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

async fn verified(data: &Path) -> (u64, Vec<String>) {
    let record = KeptRecord::open(data, &CheckpointSettings::default(), None).await.unwrap();
    let verification = record.verify(|_, _| {}).await.unwrap();
    (verification.outputs, verification.findings.into_iter().map(|finding| finding.why).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_backed_up_is_restored_byte_for_byte_and_holds_against_its_record() {
    let scene = Scene::new().await;

    let manifest = scene.backed_up().await;
    let read = scene.restore("backup").put(&scene.path("restored")).await.unwrap();

    assert_eq!(read, manifest);
    assert_eq!((manifest.runs, manifest.attempts, manifest.open), (2, 2, 1));
    assert_eq!((manifest.at, &*manifest.time), (NOW, "2026-11-23T21:58:04Z"));
    assert_eq!(manifest.notes, [""; 0]);
    let mut expected = tree(&scene.path("data"));
    let mut restored = tree(&scene.path("restored"));
    assert!(restored.remove("portal.lock").is_some_and(|lock| lock.is_empty()));
    assert_ne!(restored.remove("portal.db"), None);
    expected.remove("portal.db");
    assert_eq!(restored, expected);
    assert_eq!(verified(&scene.path("restored")).await, (1, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_laid_out_as_a_data_folder_for_its_owner_alone_and_its_list_is_that_of_other_tools() {
    let scene = Scene::new().await;

    let manifest = scene.backed_up().await;

    assert_eq!(verified(&scene.path("backup")).await, (1, Vec::new()));
    let files = tree(&scene.path("backup"));
    let sums = String::from_utf8(files["SHA256SUMS"].clone()).unwrap();
    let lines = sums.lines().map(|line| line.split_once("  ").unwrap());
    let listed: BTreeMap<&str, &str> = lines.map(|(sum, name)| (name, sum)).collect();
    for (name, bytes) in files.iter().filter(|(name, _)| !name.ends_with('/')) {
        let sum = (name != "SHA256SUMS").then(|| Digest::of(bytes));
        assert_eq!(listed.get(name.as_str()).copied(), sum.as_ref().map(Digest::as_str), "{name}");
    }
    assert_eq!((manifest.files, listed.len()), (10, 11));
    let (others, _) = sums.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(manifest.sums, Digest::of(format!("{others}\n").as_bytes()));
    let mode = |name: &str| fs::metadata(scene.path("backup").join(name)).unwrap().permissions().mode() & 0o777;
    for name in files.keys() {
        assert_eq!(mode(name), if name.ends_with('/') { 0o700 } else { 0o600 }, "{name}");
    }
    assert_eq!(mode(""), 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_had_not_ended_and_has_no_output_yet_may_have_begun_since() {
    let scene = Scene::new().await;
    fs::remove_dir_all(scene.path("data/runs/2")).unwrap();

    scene.backed_up().await;

    assert_eq!(fs::read(scene.path("backup/runs/2/1-1/out.log")).unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_end_that_came_while_files_were_copied_is_not_put_beside_an_output_that_is_too_short() {
    let scene = Scene::new().await;
    scene.write("data/runs/2/1-1/.exit.json", b"{}");

    scene.backed_up().await;

    assert!(!scene.path("backup/runs/2/1-1/.exit.json").exists(), "a draft is none");
    assert!(scene.path("backup/runs/1/1-1/exit.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_leads_out_of_the_data_folder_and_what_is_left_out_is_said() {
    let scene = Scene::new().await;
    symlink("/etc/passwd", scene.path("data/keys/other.key")).unwrap();
    symlink("/etc", scene.path("data/runs/1/1-1/etc")).unwrap();
    fs::remove_dir_all(scene.path("data/runs/2/1-1")).unwrap();
    symlink("/etc", scene.path("data/runs/2/1-1")).unwrap();

    let manifest = scene.backed_up().await;

    let [keys, first, second] = &manifest.notes[..] else { panic!("{:?}", manifest.notes) };
    assert!(keys.contains("In the folder of keys lie things that no portal has put there (1)"), "{keys}");
    assert!(first.contains("run 1, step 1, attempt 1") && second.contains("run 2, step 1, attempt 1"));
    let names: Vec<String> = tree(&scene.path("backup")).into_keys().collect();
    assert!(!names.iter().any(|name| ["passwd", "etc", "other"].iter().any(|word| name.contains(word))), "{names:?}");
    assert_eq!(fs::read(scene.path("backup/runs/2/1-1/out.log")).unwrap(), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_as_covered_is_covered_in_the_copy_also_while_the_disk_still_has_it() {
    let scene = Scene::new().await;
    scene.write("data/runs/1/1-1/out.tail", b"hunter-otter");
    scene.cover().await;

    let manifest = scene.backed_up().await;

    assert_eq!(manifest.notes, [""; 0]);
    let files = tree(&scene.path("backup"));
    assert_eq!(files["runs/1/1-1/out.log"], masked());
    assert!(files.values().all(|bytes| !bytes.windows(12).any(|window| window == b"hunter-otter")));
    assert_eq!(verified(&scene.path("backup")).await, (1, Vec::new()));
    scene.restore("backup").check().await.unwrap();
    assert_eq!(
        fs::read(scene.path("data/runs/1/1-1/out.log")).unwrap(),
        PRINTED,
        "the portal's own is its own business"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_covered_in_the_copy_is_said() {
    let scene = Scene::new().await;
    scene.cover().await;
    scene.write("data/runs/1/1-1/out.log", b"something else");

    let manifest = scene.backed_up().await;

    let [note] = &manifest.notes[..] else { panic!("{:?}", manifest.notes) };
    assert!(note.contains("the output of run 1, step 1, attempt 1 is recorded as covered and could not be"), "{note}");
}

/// Whether an output that was copied then was covered already nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_does_not_fit_any_more_once_something_was_covered_behind_it() {
    let scene = Scene::new().await;
    let manifest = scene.backed_up().await;
    assert!(fits_still(&scene.store, &manifest).await.unwrap());

    let run = scene.store.run(RunId(2), &Sight::EVERYTHING).await.unwrap();
    scene.append(run, RunId(2), &[Event::NoteAdded { step: None, text: "it is slow".to_owned() }]).await;
    assert!(fits_still(&scene.store, &manifest).await.unwrap(), "whatever else happens does not matter");
    scene.cover().await;

    assert!(!fits_still(&scene.store, &manifest).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_that_lie_elsewhere_are_in_the_backup_and_none_at_all_is_said() {
    let scene = Scene::new().await;
    fs::rename(scene.path("data/checkpoints"), scene.path("elsewhere")).unwrap();
    scene.write("elsewhere/notes.txt", b"of the administrator");
    let elsewhere = CheckpointSettings { folder: Some(scene.path("elsewhere")), ..CheckpointSettings::default() };

    let with = Backup { checkpoints: elsewhere, ..scene.backup("backup") }.make().await.unwrap();
    let without = scene.backup("other").make().await.unwrap();

    assert_eq!(with.notes, [""; 0]);
    assert!(without.notes[0].starts_with("There was no checkpoint in "), "{:?}", without.notes);
    let names: Vec<String> = tree(&scene.path("backup/checkpoints")).into_keys().collect();
    assert_eq!(names, ["2026-11.jsonl", "public-key.pem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_takes_no_place_that_something_has_or_that_would_be_lost_with_the_data() {
    let scene = Scene::new().await;
    scene.write("full/letter", b"to my aunt");
    scene.write("file", b"a letter");

    for (to, words) in [
        ("full", "is there already, and it is not an empty folder"),
        ("file", "is there already"),
        ("nowhere/backup", "in which it would be, cannot be used"),
        ("data/backup", "is in the data folder"),
        ("data/runs/1/backup", "is in the data folder"),
        ("data", "is there already"),
        ("..", "it has no name"),
    ] {
        let sentence = scene.refused(to).await;

        assert!(sentence.contains(words) && sentence.contains("No backup was made"), "{to}: {sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_folder_can_become_a_backup() {
    let scene = Scene::new().await;
    fs::create_dir(scene.path("backup")).unwrap();

    scene.backed_up().await;

    scene.restore("backup").check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_or_a_restore_that_is_stopped_leaves_nothing() {
    let scene = Scene::new().await;
    scene.backed_up().await;

    scene.course.stop();
    let (unmade, unput) = (scene.refused("other").await, scene.unrestored("restored").await);

    assert!(unmade.contains("stopped") && unput.contains("stopped"), "{unmade} {unput}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_not_finished_is_no_backup_and_goes_away() {
    let scene = Scene::new().await;
    let mut draft = Draft::begin(&scene.path("backup"), &scene.course).unwrap();
    draft.add("keys/audit.key", &[7; 32][..]).unwrap();
    let names = || {
        let entries = fs::read_dir(scene.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let unfinished = names().into_iter().find(|name| name.starts_with(".backup.unfinished-")).unwrap();

    let sentence = scene.restore(&unfinished).check().await.unwrap_err().to_string();
    drop(draft);

    assert!(sentence.contains("is not a whole backup: there is no backup.json"), "{sentence}");
    assert_eq!(names(), ["data"]);
}

/// Somebody has changed one thing in a backup, as they could who have no key; what is said has to name it.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_in_a_backup_is_named_and_nothing_of_it_is_restored() {
    let scene = Scene::new().await;
    scene.backed_up().await;
    let whole = tree(&scene.path("backup"));
    let files: Vec<&String> = whole.keys().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(files.len(), 12);

    for name in files {
        let path = scene.path("backup").join(name);
        let mut flipped = whole[name].clone();
        // The lock of an attempt is empty and has no bit that could flip.
        match flipped.first_mut() {
            Some(byte) => *byte ^= 1,
            None => flipped.push(0),
        }
        fs::write(&path, &flipped).unwrap();
        let changed = scene.unrestored("restored").await;
        assert!(changed.contains(&format!("{name} is not as it was")), "{name}: {changed}");

        fs::remove_file(&path).unwrap();
        let gone = scene.unrestored("restored").await;
        assert!(gone.contains(name), "{name}: {gone}");

        symlink("/etc/passwd", &path).unwrap();
        let linked = scene.restore("backup").check().await.unwrap_err().to_string();
        assert!(linked.contains(name), "{name}: {linked}");

        fs::remove_file(&path).unwrap();
        fs::write(&path, &whole[name]).unwrap();
    }
    scene.restore("backup").check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backup_says_about_itself_has_to_fit_what_it_is() {
    let scene = Scene::new().await;
    let manifest = scene.backed_up().await;
    let sums = fs::read_to_string(scene.path("backup/SHA256SUMS")).unwrap();
    let (others, _) = sums.trim_end().rsplit_once('\n').unwrap();
    let says = |manifest: serde_json::Value| {
        let text = manifest.to_string();
        scene.write("backup/backup.json", text.as_bytes());
        let sums = format!("{others}\n{}  backup.json\n", Digest::of(text.as_bytes()));
        scene.write("backup/SHA256SUMS", sums.as_bytes());
    };
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = serde_json::to_value(&manifest).unwrap();
        changed[name] = value;
        changed
    };

    for (name, value, words) in [
        ("format", 2.into(), "was made by a newer portal (0.1.0)"),
        ("schema", 9999.into(), "was made by a newer portal (0.1.0)"),
        ("files", 8.into(), "another number of files"),
        ("bytes", 8.into(), "another number of files or bytes"),
        ("events", 5000.into(), "portal.db is not as it was"),
        ("head", "0".repeat(64).into(), "portal.db is not as it was"),
        ("sums", "0".repeat(64).into(), "SHA256SUMS is not as it was"),
        ("runs", "many".into(), "backup.json is not as it was"),
    ] {
        says(with(name, value));

        let sentence = scene.unrestored("restored").await;

        assert!(sentence.contains(words) && sentence.contains("Nothing was restored"), "{name}: {sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_no_folder_that_something_has_or_in_which_somebody_works() {
    let scene = Scene::new().await;
    scene.backed_up().await;
    scene.write("full/letter", b"to my aunt");
    fs::create_dir(scene.path("used")).unwrap();
    let _lock = crate::settings::take_lock(&scene.path("used")).unwrap();
    scene.write("file", b"a letter");

    for (data, words) in [
        ("full", "is not empty. Nothing was restored; move what is there aside and keep it"),
        ("data", "is not empty"),
        ("used", "A portal works with the data folder"),
        ("file", "cannot be read"),
        ("nowhere/data", "cannot be written"),
    ] {
        let sentence = scene.unrestored(data).await;

        assert!(sentence.contains(words), "{data}: {sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_fills_a_folder_that_is_there_and_empty_and_leaves_it_as_it_is() {
    let scene = Scene::new().await;
    scene.backed_up().await;
    fs::create_dir(scene.path("volume")).unwrap();
    fs::set_permissions(scene.path("volume"), fs::Permissions::from_mode(0o750)).unwrap();

    scene.restore("backup").put(&scene.path("volume")).await.unwrap();

    assert_eq!(fs::metadata(scene.path("volume")).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(verified(&scene.path("volume")).await, (1, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_portal_is_started_on_a_restore_that_was_broken_off() {
    let scene = Scene::new().await;
    scene.write("half/.restoring/keys/audit.key", &[7; 32]);

    let error = crate::settings::open_data(&scene.path("half")).err().unwrap().to_string();

    assert!(error.contains("or that was broken off. Nothing was started"), "{error}");
    assert!(!scene.path("half/portal.lock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_outside_that_knows_more_than_a_backup_is_told() {
    let scene = Scene::new().await;
    let manifest = scene.backed_up().await;
    let outside = CheckpointSettings { folder: Some(scene.path("data/checkpoints")), ..CheckpointSettings::default() };
    assert_eq!(Restore::checkpoint_behind(&manifest, &outside), None);

    let run = scene.store.run(RunId(2), &Sight::EVERYTHING).await.unwrap();
    scene.append(run, RunId(2), &[Event::NoteAdded { step: None, text: "later".to_owned() }]).await;
    scene.sign().await;

    assert_eq!(Restore::checkpoint_behind(&manifest, &outside).unwrap().seq, manifest.events + 1);
    assert_eq!(Restore::checkpoint_behind(&manifest, &CheckpointSettings::default()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_course_tells_how_far_it_is() {
    let scene = Scene::new().await;

    let manifest = scene.backed_up().await;

    assert_eq!((scene.course.files(), scene.course.bytes()), (manifest.files, manifest.bytes));
}
