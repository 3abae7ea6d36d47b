use domain::redaction::ByteRange;
use domain::run::{Event, Run};
use domain::{AttemptId, Digest, RunId};
use testkit::{NOW, completed};

use crate::Store;
use crate::tests::{ALL, begun, continued, redaction_asked as asked, store};

/// The statements that make the list of what was asked before there was one.
const MIGRATION: &str = include_str!("../../../../migrations/0008_redactions.sql");

fn rejected(number: u32) -> Event {
    Event::RedactionRejected { number, reason: "needed".to_owned(), factor: "code".to_owned() }
}

fn covered(number: u32) -> Event {
    Event::OutputRedacted {
        number,
        step: 1,
        attempt: 1,
        ranges: vec![ByteRange { from: 0, to: 1 }],
        bytes: 9,
        old: Digest::of(b"before"),
        new: Digest::of(b"after"),
        factor: "code".to_owned(),
    }
}

/// A run with an attempt that has ended.
async fn looked(store: &Store) -> Run {
    let run = begun(store).await;
    let id = AttemptId { run: run.id, step: 1, attempt: 1 };
    continued(store, Some(run), &completed(id, &[1, 2]), NOW).await
}

async fn waiting(store: &Store) -> Vec<(i64, u32)> {
    let rows = store.waiting_redactions(10, &ALL).await.unwrap();
    assert_eq!(store.count_waiting_redactions(&ALL).await.unwrap() as usize, rows.len());
    rows.into_iter().map(|(RunId(run), number)| (run, number)).collect()
}

#[tokio::test]
async fn a_redaction_waits_in_the_list_until_it_is_confirmed_or_rejected() {
    let (store, _folder) = store().await;
    let (one, other) = (looked(&store).await, looked(&store).await);
    let other = continued(&store, Some(other), &[asked()], NOW).await;
    let one = continued(&store, Some(one), &[asked()], NOW.plus(1)).await;
    assert_eq!(waiting(&store).await, [(2, 1), (1, 1)], "the one that waits longest first");
    assert_eq!(store.waiting_redactions(1, &ALL).await.unwrap(), [(RunId(2), 1)]);

    let one = continued(&store, Some(one), &[rejected(1), asked()], NOW.plus(2)).await;
    continued(&store, Some(other), &[covered(1)], NOW.plus(2)).await;

    assert_eq!(waiting(&store).await, [(1, 2)]);
    continued(&store, Some(one), &[covered(2)], NOW.plus(3)).await;
    assert_eq!(waiting(&store).await, []);
}

#[tokio::test]
async fn the_list_is_made_from_the_events_by_the_migration_and_whenever_lists_are_made_anew() {
    let (store, _folder) = store().await;
    let (one, other) = (looked(&store).await, looked(&store).await);
    continued(&store, Some(one), &[asked(), rejected(1), asked(), covered(2), asked()], NOW).await;
    continued(&store, Some(other), &[asked()], NOW.plus(1)).await;
    let (_, statements) = MIGRATION.split_once("WHERE open = 1;").unwrap();
    sqlx::raw_sql("DELETE FROM redactions").execute(&store.writer).await.unwrap();

    sqlx::raw_sql(statements).execute(&store.writer).await.unwrap();

    assert_eq!(waiting(&store).await, [(1, 3), (2, 1)]);
    let mut write = store.begin().await.unwrap();
    write.rebuild().await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(waiting(&store).await, [(1, 3), (2, 1)]);
}
