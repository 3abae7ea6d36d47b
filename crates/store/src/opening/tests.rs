use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use domain::RunId;
use sqlx::SqliteConnection;
use tempfile::TempDir;
use testkit::NOW;

use super::*;
use crate::Chain;
use crate::tests::{ALL, begun, continued, note};

/// Every file of a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .collect()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    (folder, path)
}

/// A database of ours with one run, closed in good order.
async fn ours() -> (TempDir, PathBuf) {
    let (folder, path) = folder();
    let store = Store::open(&path, NOW).await.unwrap();
    begun(&store).await;
    store.close().await;
    (folder, path)
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

/// The sentence with which a file is refused, when nothing in its folder has changed.
async fn refusal(folder: &TempDir, path: &Path) -> String {
    let before = contents(folder.path());

    let error = Store::open(path, NOW).await.unwrap_err();

    assert!(contents(folder.path()) == before, "a file was changed or made: {error}");
    assert!(matches!(error, Error::Open(_)), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_new_database_has_the_settings_that_keep_it_safe() {
    let (_folder, path) = folder();

    let store = Store::open(&path, NOW).await.unwrap();

    let mut write = store.begin().await.unwrap();
    let mut settings = Vec::new();
    for pragma in [
        "PRAGMA journal_mode",
        "PRAGMA synchronous",
        "PRAGMA foreign_keys",
        "PRAGMA trusted_schema",
        "PRAGMA busy_timeout",
    ] {
        let row = sqlx::query(pragma).fetch_one(write.connection()).await.unwrap();
        let text = sqlx::Row::try_get_unchecked::<String, _>(&row, 0).unwrap();
        settings.push(text);
    }
    assert_eq!(settings, ["wal", "2", "1", "0", "5000"]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_migrations_make_strict_tables_and_are_applied_once() {
    let (_folder, path) = ours().await;

    let store = Store::open(&path, NOW).await.unwrap();

    let loose: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM pragma_table_list WHERE strict = 0 AND schema = 'main' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'",
    )
    .fetch_all(&store.readers)
    .await
    .unwrap();
    let applied: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM _sqlx_migrations").fetch_one(&store.readers).await.unwrap();
    assert!(loose.is_empty(), "{loose:?}");
    assert_eq!(applied, i64::try_from(MIGRATIONS.iter().count()).unwrap());
    assert!(store.run(RunId(1), &ALL).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_not_touched() {
    let (folder, path) = folder();
    let mut other = raw(&path).await;
    sqlx::raw_sql("PRAGMA journal_mode = wal; CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x')")
        .execute(&mut other)
        .await
        .unwrap();
    other.close().await.unwrap();

    let sentence = refusal(&folder, &path).await;

    assert_eq!(
        sentence,
        format!(
            "{} is a database of another program. Nothing was written; name another data folder with --data, or move the file away",
            path.display()
        )
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_not_touched() {
    for bytes in [&b"# Notes\n"[..], &[0xFF; 5000], b"SQLite format 3\0"] {
        let (folder, path) = folder();
        std::fs::write(&path, bytes).unwrap();

        let sentence = refusal(&folder, &path).await;

        assert!(sentence.contains("is not a database of the portal"), "{sentence}");
    }
}

#[tokio::test]
async fn a_database_of_a_newer_portal_is_refused_and_not_touched() {
    let (folder, path) = ours().await;
    let mut newer = raw(&path).await;
    sqlx::raw_sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 1)")
        .execute(&mut newer)
        .await
        .unwrap();
    newer.close().await.unwrap();

    let sentence = refusal(&folder, &path).await;

    assert!(sentence.contains("was written by a newer portal (schema 9999"), "{sentence}");
}

#[tokio::test]
async fn a_schema_that_is_not_the_one_of_its_number_is_refused() {
    let (_folder, path) = ours().await;
    let mut other = raw(&path).await;
    sqlx::raw_sql("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&mut other).await.unwrap();
    other.close().await.unwrap();

    let error = Store::open(&path, NOW).await.unwrap_err().to_string();

    assert!(error.contains("is not the one of this portal"), "{error}");
}

#[tokio::test]
async fn a_database_that_ends_too_early_is_refused_and_not_touched() {
    let (folder, path) = ours().await;
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

    let sentence = refusal(&folder, &path).await;

    assert!(sentence.contains("is damaged (the file ends too early)"), "{sentence}");
}

#[tokio::test]
async fn a_database_with_a_broken_page_is_refused_and_not_touched() {
    let (folder, path) = ours().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let page = 4096;
    for at in (page..bytes.len()).step_by(page) {
        bytes[at..at + 16].fill(0xA5);
    }
    std::fs::write(&path, &bytes).unwrap();

    let sentence = refusal(&folder, &path).await;

    assert!(sentence.contains("is damaged"), "{sentence}");
}

#[tokio::test]
async fn a_place_where_nothing_can_be_written_is_refused_with_its_name() {
    let (folder, path) = folder();
    std::fs::write(&path, b"").unwrap();

    let missing = Store::open(&folder.path().join("not-there/portal.db"), NOW).await.unwrap_err().to_string();
    let system = Store::open(Path::new("/proc/portal.db"), NOW).await.unwrap_err().to_string();
    let below_a_file = Store::open(&path.join("portal.db"), NOW).await.unwrap_err().to_string();
    let is_a_folder = Store::open(folder.path(), NOW).await.unwrap_err().to_string();

    assert!(missing.contains("not-there/portal.db cannot be written"), "{missing}");
    assert!(system.contains("/proc/portal.db cannot be written"), "{system}");
    assert!(below_a_file.contains("portal.db/portal.db cannot be used"), "{below_a_file}");
    assert!(is_a_folder.contains("cannot be used"), "{is_a_folder}");
}

#[tokio::test]
async fn a_portal_that_is_killed_leaves_every_committed_event() {
    let (_folder, path) = folder();
    let store = Store::open(&path, NOW).await.unwrap();
    let run = begun(&store).await;
    continued(&store, Some(run), &[note("the last thing before the end")], NOW).await;

    // What lies on the disk at this moment is what a killed process leaves: the file and its log.
    let left = tempfile::tempdir().unwrap();
    for name in ["portal.db", "portal.db-wal"] {
        std::fs::copy(path.with_file_name(name), left.path().join(name)).unwrap();
    }
    let again = Store::open(&left.path().join("portal.db"), NOW).await.unwrap();

    let run = again.run(RunId(1), &ALL).await.unwrap().unwrap();
    assert_eq!(run.version, 2);
    assert_eq!(run.notes[0].text, "the last thing before the end");
    assert!(matches!(again.verify_chain().await.unwrap(), Chain::Whole(domain::audit::Head { seq: 3, .. })));
}

#[tokio::test]
async fn a_portal_that_is_killed_while_it_makes_the_file_can_be_started_again() {
    let (_folder, path) = folder();
    std::fs::write(&path, b"").unwrap();
    drop(Store::open(&path, NOW).await.unwrap());

    let (_other, marked) = self::folder();
    Place::of(&marked, PATIENCE).begin().await.unwrap();
    let store = Store::open(&marked, NOW).await.unwrap();

    assert!(store.fresh().await.unwrap());
}

#[tokio::test]
async fn who_waits_too_long_is_told_that_the_database_is_busy() {
    let (_folder, path) = ours().await;
    let store = Inspected::patiently(&path, Duration::from_secs(1)).await.unwrap().open(NOW).await.unwrap();

    let held = store.begin().await.unwrap();
    let behind_another_request = store.begin().await.unwrap_err();
    drop(held);
    let mut other = raw(&path).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let behind_another_process = store.begin().await.unwrap_err();
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();

    assert!(matches!(behind_another_request, Error::Busy), "{behind_another_request:?}");
    assert!(matches!(behind_another_process, Error::Busy), "{behind_another_process:?}");
    assert!(store.begin().await.is_ok(), "the portal goes on when the other one is done");
}

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_goes_on_when_there_is_room() {
    let (_folder, path) = ours().await;
    let store = Store::open(&path, NOW).await.unwrap();
    let run = store.run(RunId(1), &ALL).await.unwrap();

    let mut write = store.begin().await.unwrap();
    // SQLite reports the limit exactly as it reports a disk without room.
    sqlx::raw_sql("PRAGMA max_page_count = 1").execute(write.connection()).await.unwrap();
    let by = testkit::who(domain::policy::Role::Operator);
    let large = note(&"a word ".repeat(100_000));
    let refused = write.append(run.clone(), RunId(1), &by, NOW, &[large]).await.unwrap_err();
    drop(write);

    assert!(matches!(refused, Error::Full), "{refused:?}");
    assert_eq!(store.run(RunId(1), &ALL).await.unwrap(), run);
    // There is room again.
    let mut write = store.begin().await.unwrap();
    sqlx::raw_sql("PRAGMA max_page_count = 1000000").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
    let run = continued(&store, run, &[note("there is room again")], NOW).await;
    assert_eq!(store.run(RunId(1), &ALL).await.unwrap(), Some(run));
    assert!(matches!(store.verify_chain().await.unwrap(), Chain::Whole(_)));
}

#[test]
fn a_library_below_the_repaired_one_is_too_old() {
    let versions = ["3.46.0", "3.51.2", "3.6.23", "3.51.3", "3.52.0", "4.0.0"];

    assert_eq!(versions.map(is_new_enough), [false, false, false, true, true, true]);
}
