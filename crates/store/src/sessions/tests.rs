use domain::policy::{Actor, Role};
use testkit::{NOW, person};

use super::*;
use crate::tests::{account, store};

const LIFETIME: Lifetime = Lifetime { idle: Timestamp(NOW.0 + 1000), ends: Timestamp(NOW.0 + 5000) };

fn olga() -> Actor {
    person("olga", Role::Operator)
}

fn device() -> Device {
    Device { address: "10.0.0.7".to_owned(), agent: "Firefox".to_owned(), proven: NOW.plus(5) }
}

/// A database in which Olga is signed in twice, with the ids `one` and `two`.
async fn signed_in() -> (Store, tempfile::TempDir) {
    let (store, folder) = store().await;
    account(&store, &olga()).await;
    for id in ["one", "two"] {
        store.create_session(id, &olga().id, "{}", &device(), NOW, LIFETIME).await.unwrap();
    }
    (store, folder)
}

#[tokio::test]
async fn a_session_comes_back_under_its_id_which_is_not_stored() {
    let (store, _folder) = signed_in().await;

    let session = store.session("one", NOW).await.unwrap().unwrap();

    let expected = StoredSession { person: olga().id, data: "{}".to_owned(), created: NOW, lifetime: LIFETIME };
    assert_eq!(session, expected);
    assert_eq!(store.session("three", NOW).await.unwrap(), None);
    let stored: Vec<String> = sqlx::query_scalar("SELECT id FROM sessions").fetch_all(&store.readers).await.unwrap();
    assert!(stored.iter().all(|id| id.len() == 64 && id != "one"), "{stored:?}");
    assert_eq!(store.session(&stored[0], NOW).await.unwrap(), None, "what stands in the database signs nobody in");
}

#[tokio::test]
async fn a_session_that_has_ended_cannot_be_saved_back_to_life() {
    let (store, _folder) = signed_in().await;
    store.delete_session("one").await.unwrap();

    let late = store.save_session("one", r#"{"late":1}"#, NOW, NOW.plus(1000)).await.unwrap_err();

    assert!(matches!(late, Error::Gone), "{late:?}");
    assert_eq!(store.session("one", NOW).await.unwrap(), None);
    assert!(store.delete_session("one").await.is_ok(), "ending it twice is no error");
}

#[tokio::test]
async fn a_session_that_is_used_lives_on_but_never_past_its_end() {
    let (store, _folder) = signed_in().await;

    store.save_session("one", r#"{"page":2}"#, NOW.plus(900), NOW.plus(9000)).await.unwrap();

    assert_eq!(store.session("one", NOW.plus(4999)).await.unwrap().unwrap().data, r#"{"page":2}"#);
    assert_eq!(store.session("one", NOW.plus(5000)).await.unwrap(), None);
    let after_its_end = store.save_session("one", "{}", NOW.plus(5000), NOW.plus(9000)).await.unwrap_err();
    assert!(matches!(after_its_end, Error::Gone), "{after_its_end:?}");
    assert_eq!(store.session("two", NOW.plus(1000)).await.unwrap(), None, "the unused one ended long before");
    let unused = store.save_session("two", "{}", NOW.plus(1000), NOW.plus(2000)).await.unwrap_err();
    assert!(matches!(unused, Error::Gone), "{unused:?}");
}

#[tokio::test]
async fn an_id_is_used_once() {
    let (store, _folder) = signed_in().await;

    let again = store.create_session("one", &olga().id, "{}", &device(), NOW, LIFETIME).await.unwrap_err();

    assert!(matches!(again, Error::Taken), "{again:?}");
}

#[tokio::test]
async fn who_is_disabled_has_no_session_and_gets_none() {
    let (store, _folder) = signed_in().await;
    let mut write = store.begin().await.unwrap();
    write.set_enabled(&olga().id, false).await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.session("one", NOW).await.unwrap(), None);
    let new = store.create_session("three", &olga().id, "{}", &device(), NOW, LIFETIME).await.unwrap_err();
    assert!(matches!(new, Error::Gone), "{new:?}");
    let nobody = store.create_session("four", &"nobody".into(), "{}", &device(), NOW, LIFETIME).await.unwrap_err();
    assert!(matches!(nobody, Error::Gone), "{nobody:?}");
}

#[tokio::test]
async fn all_other_sessions_of_a_person_end_together() {
    let (store, _folder) = signed_in().await;
    account(&store, &person("otto", Role::Lead)).await;
    store.create_session("of otto", &"otto".into(), "{}", &device(), NOW, LIFETIME).await.unwrap();

    let mut write = store.begin().await.unwrap();
    assert_eq!(write.end_sessions(&olga().id, Some("two")).await.unwrap(), 1);
    write.commit().await.unwrap();

    let mut left = Vec::new();
    for id in ["one", "two", "of otto"] {
        left.push(store.session(id, NOW).await.unwrap().is_some());
    }
    assert_eq!(left, [false, true, true]);
    let mut write = store.begin().await.unwrap();
    assert_eq!(write.end_sessions(&olga().id, None).await.unwrap(), 1);
    write.commit().await.unwrap();
    assert_eq!(store.session("two", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn sessions_that_ran_out_are_swept_away() {
    let (store, folder) = signed_in().await;
    store.save_session("one", "{}", NOW, NOW.plus(3000)).await.unwrap();

    let mut write = store.begin().await.unwrap();
    let swept = write.sweep_sessions(NOW.plus(1000)).await.unwrap();
    write.commit().await.unwrap();
    store.close().await;
    let again = Store::open(&folder.path().join("portal.db"), NOW.plus(3000)).await.unwrap();

    assert_eq!(swept, 1);
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sessions").fetch_one(&again.readers).await.unwrap();
    assert_eq!(left, 0, "a start sweeps too");
    let _ = folder;
}

#[test]
fn a_session_in_a_log_shows_no_data() {
    let session = StoredSession { person: olga().id, data: "secret".to_owned(), created: NOW, lifetime: LIFETIME };

    assert!(!format!("{session:?}").contains("secret"));
}

#[tokio::test]
async fn a_person_sees_their_own_sessions_and_ends_one_by_its_fingerprint() {
    let (store, _folder) = signed_in().await;
    account(&store, &person("otto", Role::Lead)).await;
    store.save_session("two", "{}", NOW.plus(60), NOW.plus(2000)).await.unwrap();

    let listed = store.sessions_of(&olga().id, NOW.plus(70)).await.unwrap();

    let told: Vec<_> =
        listed.iter().map(|one| (&*one.fingerprint, one.created, one.seen, one.device.clone())).collect();
    let [one, two] = [fingerprint("one"), fingerprint("two")];
    assert_eq!(told, [(&*two, NOW, NOW.plus(60), device()), (&*one, NOW, NOW, device())]);
    let counted = |people: Vec<domain::view::PersonRow>| people.iter().map(|row| row.sessions).collect::<Vec<_>>();
    assert_eq!(counted(store.people(NOW).await.unwrap()), [2, 0]);
    assert_eq!(counted(store.people(NOW.plus(1000)).await.unwrap()), [1, 0]);
    assert!(store.sessions_of(&olga().id, NOW.plus(2000)).await.unwrap().is_empty(), "both have run out");
    let mut write = store.begin().await.unwrap();
    assert!(!write.end_session(&"otto".into(), &one).await.unwrap(), "not somebody else's");
    assert!(write.end_session(&olga().id, &one).await.unwrap());
    assert!(!write.end_session(&olga().id, &one).await.unwrap());
    write.commit().await.unwrap();
    assert_eq!(store.session("one", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_is_proven_for_its_person_and_for_a_while() {
    let (store, _folder) = signed_in().await;
    let id = olga().id;

    assert!(store.is_proven("one", &id, NOW).await.unwrap());
    assert!(!store.is_proven("one", &id, NOW.plus(5)).await.unwrap());
    assert!(!store.is_proven("one", &"otto".into(), NOW).await.unwrap());
    assert!(!store.is_proven("three", &id, NOW).await.unwrap());
}
