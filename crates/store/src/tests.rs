//! What the tests of this crate share: a database in a folder of its own, and people in it.

use domain::policy::{Actor, Role, Sight};
use domain::redaction::ByteRange;
use domain::run::{Event, Run};
use domain::view::RunRow;
use domain::{Digest, RunId, Timestamp};
use sqlx::{AssertSqlSafe, Row as _};
use tempfile::TempDir;
use testkit::{NOW, actor, plan, start, who};

use crate::{HistoryQuery, Store};

/// Of whoever sees everything.
pub(crate) const ALL: Sight = Sight::EVERYTHING;

/// A new database; the folder goes away with the second value.
pub(crate) async fn store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("portal.db"), NOW).await.unwrap();
    (store, folder)
}

/// A person with an account; the login is the name.
pub(crate) async fn account(store: &Store, person: &Actor) {
    let mut write = store.begin().await.unwrap();
    write.insert_person(person, &person.name, "hash", NOW).await.unwrap();
    write.commit().await.unwrap();
}

/// A run that an operator has just started.
pub(crate) async fn begun(store: &Store) -> Run {
    continued(store, None, &[start(plan(), "it does not answer")], NOW).await
}

/// A run with more events, by an operator.
pub(crate) async fn continued(store: &Store, run: Option<Run>, events: &[Event], at: Timestamp) -> Run {
    let mut write = store.begin().await.unwrap();
    let id = match &run {
        Some(run) => run.id,
        None => write.next_run().await.unwrap(),
    };
    let (run, _) = write.append(run, id, &who(Role::Operator), at, events).await.unwrap();
    write.commit().await.unwrap();
    run
}

/// A note.
pub(crate) fn note(text: &str) -> Event {
    Event::NoteAdded { step: None, text: text.to_owned() }
}

/// Somebody asks for the first byte of the first attempt to be covered.
pub(crate) fn redaction_asked() -> Event {
    Event::RedactionAsked {
        step: 1,
        attempt: 1,
        ranges: vec![ByteRange { from: 0, to: 1 }],
        reason: "a password".to_owned(),
        bytes: 9,
        output: Digest::of(b"before"),
    }
}

/// The runs of a list.
pub(crate) fn numbers(rows: &[RunRow]) -> Vec<i64> {
    rows.iter().map(|row| row.id.0).collect()
}

/// The pages of the history, from the newest run on, for somebody who leafs through it.
pub(crate) async fn pages(store: &Store, limit: u32, sight: &Sight) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut query = HistoryQuery { limit, ..HistoryQuery::default() };
    loop {
        let page = store.history(&query, sight).await.unwrap();
        let Some(last) = page.last() else { return pages };
        query.before = Some(last.id);
        pages.push(numbers(&page));
    }
}

/// How `SQLite` would find the rows of a query.
pub(crate) async fn plan_of(store: &Store, query: &str) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
    let rows = sqlx::raw_sql(explain).fetch_all(&store.readers).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

/// The number of events of everything.
pub(crate) async fn events(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM events").fetch_one(&store.readers).await.unwrap()
}

#[tokio::test]
async fn what_is_not_committed_never_happened() {
    let (store, _folder) = store().await;
    let before = events(&store).await;

    let mut write = store.begin().await.unwrap();
    write.insert_person(&actor(Role::Lead), "lead", "hash", NOW).await.unwrap();
    write.append(None, RunId(1), &who(Role::Operator), NOW, &[start(plan(), "")]).await.unwrap();
    drop(write);

    assert!(store.fresh().await.unwrap());
    assert_eq!(store.run(RunId(1), &ALL).await.unwrap(), None);
    assert_eq!(events(&store).await, before);
}

#[tokio::test]
async fn a_value_is_kept_under_its_name_until_it_is_cleared() {
    let (store, _folder) = store().await;

    let mut write = store.begin().await.unwrap();
    write.set_meta("set_up_token", "one").await.unwrap();
    write.set_meta("set_up_token", "two").await.unwrap();
    assert_eq!(write.meta("set_up_token").await.unwrap().as_deref(), Some("two"));
    write.commit().await.unwrap();

    assert_eq!(store.meta("set_up_token").await.unwrap().as_deref(), Some("two"));
    let mut write = store.begin().await.unwrap();
    write.clear_meta("set_up_token").await.unwrap();
    write.commit().await.unwrap();
    assert_eq!(store.meta("set_up_token").await.unwrap(), None);
}

#[tokio::test]
async fn the_latest_time_is_remembered_whatever_the_clock_shows_afterwards() {
    let (store, _folder) = store().await;
    assert_eq!(store.latest_time().await.unwrap(), Some(NOW), "opening it has looked for old sessions");

    for time in [NOW, NOW.plus(5000), Timestamp(NOW.0 - 1)] {
        let mut write = store.begin().await.unwrap();
        write.note_time(time).await.unwrap();
        write.commit().await.unwrap();
    }

    assert_eq!(store.latest_time().await.unwrap(), Some(NOW.plus(5000)));
}
