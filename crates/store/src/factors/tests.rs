use domain::policy::{Actor, Role};
use testkit::{NOW, person};

use super::*;
use crate::tests::{account, store};

fn olga() -> Actor {
    person("olga", Role::Lead)
}

async fn with_olga() -> (Store, tempfile::TempDir) {
    let (store, folder) = store().await;
    account(&store, &olga()).await;
    (store, folder)
}

fn passkey(id: &str) -> StoredPasskey {
    StoredPasskey { id: id.to_owned(), name: "laptop".to_owned(), credential: "{}".to_owned(), since: NOW, used: None }
}

#[tokio::test]
async fn the_code_of_a_time_step_serves_once_and_none_before_it_serves_afterwards() {
    let (store, _folder) = with_olga().await;
    let mut write = store.begin().await.unwrap();
    write.set_authenticator(&olga().id, "sealed", 100, NOW).await.unwrap();

    let mut accepted = Vec::new();
    for step in [100, 101, 101, 99, 103, 102] {
        accepted.push(write.use_step(&olga().id, step).await.unwrap());
    }

    assert_eq!(accepted, [false, true, false, false, true, false]);
    assert!(!write.use_step(&"nobody".into(), 200).await.unwrap());
}

#[tokio::test]
async fn a_recovery_code_serves_once_and_only_its_owner() {
    let (store, _folder) = with_olga().await;
    account(&store, &person("otto", Role::Lead)).await;
    let [one, two] = ["1".repeat(64), "2".repeat(64)];
    let mut write = store.begin().await.unwrap();
    write.set_recovery_codes(&olga().id, &[one.clone(), two.clone()]).await.unwrap();

    assert!(!write.use_recovery_code(&"otto".into(), &one).await.unwrap());
    assert!(write.use_recovery_code(&olga().id, &one).await.unwrap());
    assert!(!write.use_recovery_code(&olga().id, &one).await.unwrap());
    assert_eq!(write.factors(&olga().id).await.unwrap().recovery_codes, 1);
}

#[tokio::test]
async fn a_code_that_was_used_in_a_transaction_that_was_taken_back_is_unused() {
    let (store, _folder) = with_olga().await;
    let mut write = store.begin().await.unwrap();
    write.set_authenticator(&olga().id, "sealed", 100, NOW).await.unwrap();
    write.commit().await.unwrap();

    let mut write = store.begin().await.unwrap();
    assert!(write.use_step(&olga().id, 101).await.unwrap());
    drop(write);

    let mut write = store.begin().await.unwrap();
    assert!(write.use_step(&olga().id, 101).await.unwrap());
}

#[tokio::test]
async fn what_is_shown_at_the_set_up_is_for_its_session_and_for_a_while() {
    let (store, _folder) = with_olga().await;
    let first = StoredOffer { sealed: "first".to_owned(), ends: NOW.plus(1000) };
    let second = StoredOffer { sealed: "second".to_owned(), ..first.clone() };
    let mut write = store.begin().await.unwrap();
    write.set_offer(&olga().id, "session", &first).await.unwrap();
    write.set_offer(&olga().id, "session", &second).await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.offer(&olga().id, "session", NOW).await.unwrap(), Some(second.clone()));
    assert_eq!(store.offer(&olga().id, "other", NOW).await.unwrap(), None);
    assert_eq!(store.offer(&olga().id, "session", NOW.plus(1000)).await.unwrap(), None);
    let mut write = store.begin().await.unwrap();
    assert_eq!(write.offer(&olga().id, "session", NOW).await.unwrap(), Some(second));
    write.clear_offer(&olga().id).await.unwrap();
    assert_eq!(write.offer(&olga().id, "session", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn tries_are_counted_by_what_they_are_at_and_forgotten_when_they_are_old() {
    let (store, _folder) = with_olga().await;
    let mut write = store.begin().await.unwrap();
    for at in [NOW, NOW.plus(10), NOW.plus(20)] {
        write.count_try(&olga().id, Tried::Factor, at).await.unwrap();
    }
    let last = write.count_try(&olga().id, Tried::Password, NOW.plus(30)).await.unwrap();

    let left = write.tries(&olga().id, Tried::Factor, NOW).await.unwrap();

    assert_eq!(left, [NOW.plus(10), NOW.plus(20)]);
    assert_eq!(write.tries(&olga().id, Tried::Password, NOW).await.unwrap(), [NOW.plus(30)]);
    write.take_back_try(last).await.unwrap();
    assert!(write.tries(&olga().id, Tried::Password, NOW).await.unwrap().is_empty());
    write.forget_tries(&olga().id).await.unwrap();
    assert!(write.tries(&olga().id, Tried::Factor, NOW).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_passkey_belongs_to_one_person_who_can_remove_it() {
    let (store, _folder) = with_olga().await;
    account(&store, &person("otto", Role::Lead)).await;
    let otto = PersonId::from("otto");
    let mut write = store.begin().await.unwrap();
    write.insert_passkey(&olga().id, &passkey("a")).await.unwrap();
    write.insert_passkey(&olga().id, &passkey("b")).await.unwrap();

    assert!(matches!(write.insert_passkey(&otto, &passkey("a")).await, Err(Error::Taken)));
    write.passkey_used("a", r#"{"counter":1}"#, NOW.plus(7)).await.unwrap();
    assert_eq!(write.remove_passkey(&otto, "a").await.unwrap(), None);
    assert_eq!(write.remove_passkey(&olga().id, "b").await.unwrap().as_deref(), Some("laptop"));
    write.commit().await.unwrap();

    let used = StoredPasskey { credential: r#"{"counter":1}"#.to_owned(), used: Some(NOW.plus(7)), ..passkey("a") };
    assert_eq!(store.passkeys(&olga().id).await.unwrap(), [used]);
    assert_eq!(store.factors(&olga().id).await.unwrap(), Factors { passkeys: 1, ..Factors::default() });
}

#[tokio::test]
async fn removing_an_authenticator_takes_its_recovery_codes_along() {
    let (store, _folder) = with_olga().await;
    let mut write = store.begin().await.unwrap();
    write.set_authenticator(&olga().id, "sealed", 100, NOW).await.unwrap();
    write.set_recovery_codes(&olga().id, &["1".repeat(64)]).await.unwrap();
    write.insert_passkey(&olga().id, &passkey("a")).await.unwrap();

    assert_eq!(write.authenticator(&olga().id).await.unwrap().as_deref(), Some("sealed"));
    assert!(write.remove_authenticator(&olga().id).await.unwrap());
    assert!(!write.remove_authenticator(&olga().id).await.unwrap());
    assert_eq!(write.remove_passkeys(&olga().id).await.unwrap(), 1);
    assert_eq!(write.factors(&olga().id).await.unwrap(), Factors::default());
}
