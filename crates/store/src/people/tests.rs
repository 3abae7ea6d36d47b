use domain::policy::typed_groups;
use testkit::{NOW, actor, person};

use super::*;
use crate::tests::{account, store};

#[tokio::test]
async fn a_new_database_is_fresh_until_somebody_has_an_account() {
    let (store, _folder) = store().await;
    assert!(store.fresh().await.unwrap());

    account(&store, &actor(Role::Administrator)).await;

    assert!(!store.fresh().await.unwrap());
    let mut write = store.begin().await.unwrap();
    assert_eq!((write.count_people().await.unwrap(), write.count_administrators().await.unwrap()), (1, 1));
}

#[tokio::test]
async fn an_account_is_found_by_login_and_by_id() {
    let (store, _folder) = store().await;
    let olga = person("olga", Role::Operator);
    account(&store, &olga).await;

    let by_login = store.person_by_login("olga").await.unwrap().unwrap();

    assert_eq!(
        (by_login.id.as_str(), by_login.role, by_login.enabled, by_login.hash.as_deref()),
        ("olga", Role::Operator, true, Some("hash"))
    );
    assert_eq!(store.credentials(&olga.id).await.unwrap(), Some(by_login.clone()));
    assert!(!format!("{by_login:?}").contains("hash"), "no hash in a log");
    assert_eq!(store.actor(&olga.id).await.unwrap(), Some(olga));
    assert_eq!(store.person_by_login("' OR '1' = '1").await.unwrap(), None);
    assert_eq!(store.actor(&"nobody".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_login_belongs_to_one_person() {
    let (store, _folder) = store().await;
    account(&store, &person("olga", Role::Operator)).await;

    let mut write = store.begin().await.unwrap();
    let error = write.insert_person(&person("other", Role::Viewer), "olga", "hash", NOW).await.unwrap_err();

    assert!(matches!(error, Error::Taken), "{error:?}");
}

#[tokio::test]
async fn a_changed_account_holds_at_once_for_whoever_decides() {
    let (store, _folder) = store().await;
    let olga = person("olga", Role::Operator);
    account(&store, &olga).await;

    let mut write = store.begin().await.unwrap();
    assert_eq!(write.standing(&olga.id).await.unwrap(), Some(Role::Operator));
    write.set_role(&olga.id, Role::Administrator).await.unwrap();
    assert_eq!(write.standing(&olga.id).await.unwrap(), Some(Role::Administrator));
    assert_eq!(write.count_administrators().await.unwrap(), 1);
    write.set_password(&olga.id, "other hash").await.unwrap();
    write.seen(&olga.id, NOW.plus(5)).await.unwrap();
    write.set_enabled(&olga.id, false).await.unwrap();
    assert_eq!(write.standing(&olga.id).await.unwrap(), None);
    assert_eq!(write.count_administrators().await.unwrap(), 0);
    write.commit().await.unwrap();

    assert_eq!(store.actor(&olga.id).await.unwrap(), None);
    let known = store.credentials(&olga.id).await.unwrap().unwrap();
    assert_eq!((known.role, known.enabled, known.hash.as_deref()), (Role::Administrator, false, Some("other hash")));
}

#[tokio::test]
async fn nobody_is_changed_who_is_not_there() {
    let (store, _folder) = store().await;
    let nobody = PersonId::from("nobody");

    let mut write = store.begin().await.unwrap();
    let changes = [
        write.set_role(&nobody, Role::Lead).await,
        write.set_enabled(&nobody, true).await,
        write.set_password(&nobody, "hash").await,
        write.seen(&nobody, NOW).await,
    ];

    assert!(changes.iter().all(|change| matches!(change, Err(Error::Gone))), "{changes:?}");
    assert_eq!(write.standing(&nobody).await.unwrap(), None);
}

#[tokio::test]
async fn people_are_listed_by_name() {
    let (store, _folder) = store().await;
    for (name, role) in [("otto", Role::Lead), ("anna", Role::Viewer)] {
        account(&store, &person(name, role)).await;
    }
    let mut write = store.begin().await.unwrap();
    write.seen(&"otto".into(), NOW.plus(9)).await.unwrap();
    write.commit().await.unwrap();

    let people = store.people(NOW).await.unwrap();

    let told: Vec<_> =
        people.iter().map(|row| (row.login.as_str(), row.role, row.enabled, row.created, row.seen)).collect();
    assert_eq!(told, [("anna", Role::Viewer, true, NOW, None), ("otto", Role::Lead, true, NOW, Some(NOW.plus(9)))]);
    assert_eq!(store.names().await.unwrap(), [("anna".into(), "anna".to_owned()), ("otto".into(), "otto".to_owned())]);
}

#[tokio::test]
async fn a_person_is_in_the_groups_that_they_were_put_into_last() {
    let (store, _folder) = store().await;
    let (olga, otto) = (person("olga", Role::Operator), person("otto", Role::Lead));
    account(&store, &olga).await;
    account(&store, &otto).await;
    let groups = |names: &str| typed_groups(names).unwrap();

    let mut write = store.begin().await.unwrap();
    assert_eq!(write.set_groups(&olga.id, &groups("dba, platform")).await.unwrap(), groups(""));
    assert_eq!(write.set_groups(&olga.id, &groups("ops, platform")).await.unwrap(), groups("dba, platform"));
    assert_eq!(write.groups_of(&olga.id).await.unwrap(), groups("ops, platform"));
    let nobody = write.set_groups(&"nobody".into(), &groups("ops")).await.unwrap_err();
    write.commit().await.unwrap();

    assert!(matches!(nobody, Error::Gone), "{nobody:?}");
    assert_eq!(store.groups_of(&olga.id).await.unwrap(), groups("ops, platform"));
    assert_eq!(store.groups_of(&otto.id).await.unwrap(), groups(""));
    let listed = store.people(NOW).await.unwrap();
    assert_eq!(listed.into_iter().map(|row| row.groups).collect::<Vec<_>>(), [groups("ops, platform"), groups("")]);
}

#[tokio::test]
async fn for_whom_others_vouch_has_an_account_without_a_password_that_is_found_by_who_they_are_there() {
    let (store, _folder) = store().await;
    let (olga, otto) = (person("olga", Role::Administrator), person("otto", Role::Viewer));
    let provider = "https://id.example.com";
    let mut write = store.begin().await.unwrap();

    write.insert_outside(&olga, "olga", (provider, "7"), NOW).await.unwrap();

    let known = write.person_outside(provider, "7").await.unwrap().unwrap();
    assert_eq!((known.id, known.hash, known.enabled), (olga.id.clone(), None, true));
    assert_eq!(write.person_outside("proxy", "7").await.unwrap(), None);
    assert_eq!(write.person_outside(provider, "olga").await.unwrap(), None);
    assert_eq!(write.count_administrators().await.unwrap(), 0, "nobody signs in by themselves");
    assert!(matches!(write.insert_outside(&otto, "otto", (provider, "7"), NOW).await, Err(Error::Taken)));
    write.commit().await.unwrap();
    assert_eq!(store.source_of(&olga.id).await.unwrap(), Some(Source::Provider));
    assert_eq!(store.people(NOW).await.unwrap()[0].source, Some(Source::Provider));
}

#[tokio::test]
async fn a_login_of_a_local_account_is_taken_for_whom_others_vouch() {
    let (store, _folder) = store().await;
    account(&store, &person("olga", Role::Viewer)).await;
    let mut write = store.begin().await.unwrap();

    let taken = write.insert_outside(&person("other", Role::Lead), "olga", ("proxy", "olga"), NOW).await;

    assert!(matches!(taken, Err(Error::Taken)), "{taken:?}");
    drop(write);
    assert_eq!(store.source_of(&"olga".into()).await.unwrap(), None);
}
