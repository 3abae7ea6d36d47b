use domain::policy::Role;
use domain::{ActionKey, AttemptId, PersonId};
use testkit::{NOW, completed, plan, start, who};

use super::*;
use crate::tests::{ALL, begun, continued, events, note, store};

const FIRST: RunId = RunId(1);

const LATER: Timestamp = Timestamp(NOW.0 + 1000);

fn by() -> Who {
    who(Role::Operator)
}

fn intent(step: u32, attempt: u32) -> Event {
    Event::AttemptStarted { step, attempt, commands: vec![1], digest: domain::Digest::of(b"work"), approval: None }
}

#[tokio::test]
async fn a_run_comes_back_as_the_sum_of_its_events() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let first = AttemptId { run: FIRST, step: 1, attempt: 1 };

    let run = continued(&store, Some(run), &completed(first, &[1, 2]), NOW.plus(1000)).await;

    assert_eq!(store.run(FIRST, &ALL).await.unwrap().as_ref(), Some(&run));
    let entries = store.entries(FIRST, 0).await.unwrap();
    assert_eq!(domain::run::fold(FIRST, &entries), Some(run));
    assert_eq!(entries.iter().map(|entry| entry.version).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    assert_eq!(store.entries(FIRST, 5).await.unwrap(), entries[5..]);
    assert_eq!(store.run(RunId(2), &ALL).await.unwrap(), None);
}

#[tokio::test]
async fn runs_are_counted_from_one() {
    let (store, _folder) = store().await;

    let numbers = [begun(&store).await.id, begun(&store).await.id, begun(&store).await.id];

    assert_eq!(numbers, [RunId(1), RunId(2), RunId(3)]);
}

#[tokio::test]
async fn nothing_is_appended_to_a_run_that_has_moved_on() {
    let (store, _folder) = store().await;
    let seen = begun(&store).await;
    let now = continued(&store, Some(seen.clone()), &[note("faster")], NOW).await;
    let before = events(&store).await;

    let mut write = store.begin().await.unwrap();
    let late = write.append(Some(seen), FIRST, &by(), NOW, &[note("slower")]).await.unwrap_err();
    drop(write);
    let mut write = store.begin().await.unwrap();
    let twice = write.append(None, FIRST, &by(), NOW, &[start(plan(), "again")]).await.unwrap_err();
    drop(write);

    assert!(matches!(late, Error::Moved), "{late:?}");
    assert!(matches!(twice, Error::Moved), "{twice:?}");
    assert_eq!(store.run(FIRST, &ALL).await.unwrap(), Some(now));
    assert_eq!(events(&store).await, before);
}

#[tokio::test]
async fn no_event_is_no_change() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;

    let mut write = store.begin().await.unwrap();
    let (same, entries) = write.append(Some(run.clone()), FIRST, &by(), NOW, &[]).await.unwrap();

    assert_eq!((same, entries.len()), (run, 0));
}

#[tokio::test]
async fn events_that_do_not_begin_a_run_make_none() {
    let (store, _folder) = store().await;

    let mut write = store.begin().await.unwrap();
    let error = write.append(None, FIRST, &by(), NOW, &[note("of nothing")]).await.unwrap_err();

    assert!(matches!(error, Error::Inconsistent(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_writers_lose_nothing_and_are_never_told_that_the_database_is_locked() {
    const WRITERS: u64 = 16;
    const NOTES: u64 = 8;
    let (store, _folder) = store().await;
    begun(&store).await;

    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..NOTES {
                    insist(&store, &format!("{writer}/{number}")).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }

    let run = store.run(FIRST, &ALL).await.unwrap().unwrap();
    let mut notes: Vec<&str> = run.notes.iter().map(|note| note.text.as_str()).collect();
    notes.sort_unstable();
    notes.dedup();
    assert_eq!(run.version, 1 + WRITERS * NOTES);
    assert_eq!(notes.len() as u64, WRITERS * NOTES);
    assert!(matches!(store.verify_chain().await.unwrap(), crate::Chain::Whole(_)));
}

/// Reads outside the transaction, as a page does, and begins again as long as somebody else was faster.
async fn insist(store: &Store, text: &str) {
    loop {
        let seen = store.run(FIRST, &ALL).await.unwrap();
        let mut write = store.begin().await.unwrap();
        match write.append(seen, FIRST, &by(), NOW, &[note(text)]).await {
            Ok(_) => return write.commit().await.unwrap(),
            Err(Error::Moved) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_attempt_is_open_from_its_intent_to_its_end() {
    let (store, _folder) = store().await;
    let one = begun(&store).await;
    let other = begun(&store).await;

    let one = continued(&store, Some(one), &[intent(1, 1)], NOW).await;
    let interrupted = Event::AttemptInterrupted {
        step: 1,
        attempt: 1,
        reason: "the shim is gone".to_owned(),
        bytes: 0,
        output: None,
        survivors: Vec::new(),
    };
    continued(&store, Some(other), &[intent(2, 1)], NOW).await;
    let both = store.open_attempts().await.unwrap();
    let one = continued(&store, Some(one), &[interrupted], NOW).await;
    let left = store.open_attempts().await.unwrap();

    let first = AttemptId { run: RunId(1), step: 1, attempt: 1 };
    let second = AttemptId { run: RunId(2), step: 2, attempt: 1 };
    assert_eq!(both, [first, second]);
    assert_eq!(left, [second]);
    continued(&store, Some(one), &[intent(1, 2)], NOW).await;
    assert_eq!(store.open_attempts().await.unwrap(), [AttemptId { attempt: 2, ..first }, second]);
}

#[tokio::test]
async fn the_database_itself_refuses_a_second_intent() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let run = continued(&store, Some(run), &[intent(1, 1)], NOW).await;

    for second in [intent(1, 1), intent(2, 1)] {
        let mut write = store.begin().await.unwrap();
        let error = write.append(Some(run.clone()), FIRST, &by(), NOW, &[second]).await.unwrap_err();

        assert!(matches!(error, Error::Inconsistent(_)), "{error:?}");
    }
}

/// Adds an event to run 1 as another version of the portal would.
async fn foreign(store: &Store, kind: &str, v: i64, event: Value) {
    let mut write = store.begin().await.unwrap();
    let version = write.load(FIRST, &ALL).await.unwrap().map_or(1, |run| run.version + 1);
    let by = by();
    let link = Link { stream: "run:1", version, at: LATER, by: Some(&by), kind, v, event: &event };
    chain::extend(write.connection(), link).await.unwrap();
    let stand = sqlx::query("UPDATE runs SET version = $1 WHERE id = 1").bind(crate::stored(version));
    stand.execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn a_run_with_an_unknown_event_can_be_read_and_says_which_it_is() {
    for (kind, v) in [("run_paused_by_weather", 1), ("note_added", 2)] {
        let (store, _folder) = store().await;
        begun(&store).await;
        foreign(&store, kind, v, json!({ "kind": kind, "step": null, "text": "later" })).await;

        let run = store.run(FIRST, &ALL).await.unwrap().unwrap();

        assert_eq!(run.version, 2);
        assert_eq!(
            run.unreadable,
            Some(format!(
                "its event 2 is of a kind that this version of the portal does not know ({kind}, version {v})"
            ))
        );
        assert_eq!(store.entries(FIRST, 0).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_the_portal_finds_is_appended_behind_an_unknown_event_which_stays_as_it_is() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let target = run.plan.target.name.clone();
    let taken = Event::LockTaken { target: target.clone(), from: None, reason: String::new() };
    continued(&store, Some(run), &[taken, intent(1, 1)], NOW).await;
    foreign(&store, "weather_noted", 1, json!({ "kind": "weather_noted", "sun": true })).await;
    let unread = store.run(FIRST, &ALL).await.unwrap().unwrap();
    assert_eq!((unread.touched, unread.version), (LATER, 4), "it is not taken for abandoned");

    let completed = completed(AttemptId { run: FIRST, step: 1, attempt: 1 }, &[1, 2]);
    let ended = continued(&store, Some(unread), &completed[5..], LATER).await;
    assert_eq!(store.open_attempts().await.unwrap(), []);
    assert_eq!(store.lock_holder(&target).await.unwrap(), Some(FIRST));
    let taken_away =
        Event::LockLost { target: target.clone(), to: RunId(2), by: "Lena".to_owned(), reason: "why".to_owned() };
    let last = continued(&store, Some(ended), &[taken_away], LATER).await;

    assert_eq!(store.lock_holder(&target).await.unwrap(), None);
    assert_eq!(store.run(FIRST, &ALL).await.unwrap(), Some(last.clone()));
    assert!(last.unreadable.is_some_and(|why| why.starts_with("its event 4 ")));
    assert!(matches!(store.verify_chain().await.unwrap(), crate::Chain::Whole(_)));
}

#[tokio::test]
async fn who_holds_the_lock_is_not_guessed_where_an_event_is_unknown() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let target = run.plan.target.name.clone();
    continued(&store, Some(run), &[intent(1, 1)], NOW).await;
    foreign(&store, "lock_taken_by_weather", 1, json!({ "kind": "lock_taken_by_weather" })).await;
    // What a later version has done with the lists.
    sqlx::query("UPDATE runs SET holds = target").execute(&store.writer).await.unwrap();

    let unread = store.run(FIRST, &ALL).await.unwrap();
    let completed = completed(AttemptId { run: FIRST, step: 1, attempt: 1 }, &[1, 2]);
    continued(&store, unread, &completed[5..], LATER).await;

    assert_eq!(store.lock_holder(&target).await.unwrap(), Some(FIRST));
}

#[tokio::test]
async fn a_run_whose_beginning_is_unknown_is_an_inconsistency() {
    let (store, _folder) = store().await;
    foreign(&store, "run_imagined", 1, json!({ "kind": "run_imagined" })).await;

    let error = store.run(FIRST, &ALL).await.unwrap_err();

    assert!(matches!(error, Error::Inconsistent(_)), "{error:?}");
}

#[tokio::test]
async fn the_lists_can_be_made_anew_from_the_events() {
    let (store, _folder) = store().await;
    let one = begun(&store).await;
    let other = begun(&store).await;
    let first = AttemptId { run: one.id, step: 1, attempt: 1 };
    continued(&store, Some(one), &completed(first, &[1, 2]), NOW).await;
    continued(&store, Some(other), &[intent(2, 1)], NOW).await;
    let before = (store.open_runs(100, &ALL).await.unwrap(), store.open_attempts().await.unwrap());
    sqlx::raw_sql("UPDATE runs SET title = 'Something else', status = 'failed'; DELETE FROM attempts")
        .execute(&store.writer)
        .await
        .unwrap();

    let mut write = store.begin().await.unwrap();
    write.rebuild().await.unwrap();
    write.commit().await.unwrap();

    assert_eq!((store.open_runs(100, &ALL).await.unwrap(), store.open_attempts().await.unwrap()), before);
}

#[tokio::test]
async fn a_key_starts_one_run() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let (key, person) = (ActionKey::from("form 1"), PersonId::from("operator"));

    let mut write = store.begin().await.unwrap();
    assert_eq!(write.run_by_key(&key).await.unwrap(), None);
    write.remember_key(&key, run.id, &person, NOW).await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.run_by_key(&key).await.unwrap(), Some(run.id));
    let mut write = store.begin().await.unwrap();
    assert_eq!(write.run_by_key(&key).await.unwrap(), Some(run.id));
    let again = write.remember_key(&key, RunId(2), &person, NOW).await.unwrap_err();
    assert!(matches!(again, Error::Moved), "{again:?}");
}

#[tokio::test]
async fn what_happens_to_no_run_stands_in_the_same_chain() {
    let (store, _folder) = store().await;
    let mut write = store.begin().await.unwrap();
    write.audit(None, NOW, "sign_in_refused", json!({ "login": "eve" })).await.unwrap();
    write.audit(Some(&by()), NOW, "signed_in", json!({})).await.unwrap();
    write.commit().await.unwrap();

    let rows: Vec<(i64, String, i64, String)> =
        sqlx::query_as("SELECT seq, stream, version, kind FROM events ORDER BY seq")
            .fetch_all(&store.readers)
            .await
            .unwrap();

    let told: Vec<_> =
        rows.iter().map(|(seq, stream, version, kind)| (*seq, stream.as_str(), *version, kind.as_str())).collect();
    assert_eq!(
        told,
        [(1, "portal", 1, "database_created"), (2, "portal", 2, "sign_in_refused"), (3, "portal", 3, "signed_in")]
    );
    let record: String =
        sqlx::query_scalar("SELECT record FROM events WHERE seq = 3").fetch_one(&store.readers).await.unwrap();
    assert_eq!(
        record,
        format!(
            r#"{{"seq":3,"stream":"portal","version":3,"at":{},"by":{{"who":"person","id":"operator","name":"operator","role":"operator"}},"v":1,"event":{{"kind":"signed_in","body":{{}}}}}}"#,
            NOW.0
        )
    );
}
