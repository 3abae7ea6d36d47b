use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::policy::Sight;
use domain::redaction::ByteRange;
use tempfile::TempDir;
use testkit::{NOW, completed};

use super::*;
use crate::Chain;
use crate::tests::{begun, continued, note, store};

/// A place for a copy, as a path and as text.
fn place() -> (TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portal.db");
    let text = path.to_str().unwrap().to_owned();
    (folder, path, text)
}

/// What lies in a folder.
fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

async fn copied(path: &std::path::Path) -> Store {
    Store::inspect(path).await.unwrap().read().await.unwrap()
}

fn begin() -> Event {
    let digest = Digest::of(b"work");
    Event::AttemptStarted { step: 1, attempt: 1, commands: vec![1], digest, approval: None }
}

#[tokio::test]
async fn a_copy_holds_what_was_recorded_up_to_its_moment_and_nothing_that_came_after() {
    let (store, _folder) = store().await;
    let (folder, path, text) = place();
    let run = begun(&store).await;
    let head = store.chain_head().await.unwrap();

    store.copy_into(&text, || true).await.unwrap();
    continued(&store, Some(run), &[note("later")], NOW).await;

    let copy = copied(&path).await;
    assert_eq!(copy.verify_chain().await.unwrap(), Chain::Whole(head));
    assert_eq!(copy.schema().await.unwrap(), crate::newest_schema());
    assert_eq!(copy.count_runs().await.unwrap(), 1);
    assert_eq!(copy.run(RunId(1), &Sight::EVERYTHING).await.unwrap().unwrap().version, 1);
    copy.close().await;
    assert_eq!(names(&folder), ["portal.db"], "one file, and none beside it, also after it was read");
}

#[tokio::test]
async fn a_copy_can_be_opened_as_the_database_of_a_portal() {
    let (store, _folder) = store().await;
    let (_place, path, text) = place();
    begun(&store).await;
    store.copy_into(&text, || true).await.unwrap();

    let opened = Store::open(&path, NOW).await.unwrap();

    let run = opened.run(RunId(1), &Sight::EVERYTHING).await.unwrap();
    continued(&opened, run, &[note("it goes on")], NOW).await;
    assert!(matches!(opened.verify_chain().await.unwrap(), Chain::Whole(_)));
}

#[tokio::test]
async fn nobody_who_writes_waits_for_a_copy_and_nothing_that_is_not_committed_is_in_it() {
    let (store, _folder) = store().await;
    let (_place, path, text) = place();
    begun(&store).await;
    let head = store.chain_head().await.unwrap();

    let mut write = store.begin().await.unwrap();
    write.audit(None, NOW, "half_done", serde_json::json!({})).await.unwrap();
    store.copy_into(&text, || true).await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(copied(&path).await.chain_head().await.unwrap(), head);
}

#[tokio::test]
async fn a_copy_ends_early_when_it_is_told_to_and_the_database_can_still_be_read() {
    let (store, _folder) = store().await;
    let (_place, _, text) = place();
    let run = begun(&store).await;
    continued(&store, Some(run), &vec![note("a word"); 4_000], NOW).await;
    let asked = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&asked);

    let ended = store.copy_into(&text, move || {
        heard.store(true, Ordering::Relaxed);
        false
    });

    assert!(ended.await.is_err() && asked.load(Ordering::Relaxed));
    assert!(store.run(RunId(1), &Sight::EVERYTHING).await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_holds_something_is_not_overwritten() {
    let (store, _folder) = store().await;
    let (_place, path, text) = place();
    std::fs::write(&path, "a letter").unwrap();

    assert!(store.copy_into(&text, || true).await.is_err());

    assert_eq!(std::fs::read(&path).unwrap(), b"a letter");
}

#[tokio::test]
async fn the_attempts_of_all_runs_are_told_page_by_page_with_those_that_are_open() {
    let (store, _folder) = store().await;
    let id = |run, step, attempt| AttemptId { run: RunId(run), step, attempt };
    for run in 1..=3 {
        let begun = begun(&store).await;
        let events = if run == 2 { vec![begin()] } else { completed(id(run, 1, 1), &[1]) };
        continued(&store, Some(begun), &events, NOW).await;
    }

    let first = store.attempts_behind(None, 2).await.unwrap();
    let rest = store.attempts_behind(Some(first[1].id), 2).await.unwrap();

    let all: Vec<_> = first.iter().chain(&rest).map(|listed| (listed.id, listed.open)).collect();
    assert_eq!(all, [(id(1, 1, 1), false), (id(2, 1, 1), true), (id(3, 1, 1), false)]);
    assert!(store.attempts_behind(Some(rest[0].id), 2).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_covered_is_told_from_a_place_in_the_chain_on() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let id = AttemptId { run: run.id, step: 1, attempt: 1 };
    let ranges = vec![ByteRange { from: 2, to: 5 }];
    let (old, new) = (Digest::of(b"before"), Digest::of(b"after"));
    let (reason, factor) = ("a password".to_owned(), "code".to_owned());
    let asked =
        Event::RedactionAsked { step: 1, attempt: 1, ranges: ranges.clone(), reason, bytes: 9, output: old.clone() };
    let run = continued(&store, Some(run), &[completed(id, &[1]), vec![asked]].concat(), NOW).await;
    let before = store.chain_head().await.unwrap().seq;
    let covered = Event::OutputRedacted {
        number: 1,
        step: 1,
        attempt: 1,
        ranges: ranges.clone(),
        bytes: 9,
        old,
        new: new.clone(),
        factor,
    };
    continued(&store, Some(run), &[covered], NOW).await;

    let told = store.covered_behind(before).await.unwrap();

    assert_eq!(told, [CoveredOutput { id, ranges, new }]);
    assert_eq!(store.covered_behind(0).await.unwrap(), told);
    assert!(store.covered_behind(before + 1).await.unwrap().is_empty());
}
