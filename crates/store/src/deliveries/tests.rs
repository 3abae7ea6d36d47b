use domain::notice::{Channel, Notice};
use domain::policy::Role;
use domain::run::{Event, Who};
use domain::view::DeliveryState;
use domain::{Digest, RunId};
use testkit::{NOW, person, plan, start};

use super::*;
use crate::tests::{ALL, account, begun, store};

fn ops() -> Channel {
    Channel::Webhook("ops".to_owned())
}

/// What is told of a request for approval of nothing.
async fn notice(store: &Store) -> Notice {
    let run = begun(store).await;
    let asked = Event::ApprovalRequested {
        covers: Vec::new(),
        reason: "corrupt".to_owned(),
        evidence: Box::default(),
        expires: NOW.plus(1),
        leads: 1,
        rules: Digest::of(b"rules"),
        start_within_ms: 1,
        rollback_within_ms: 1,
    };
    let mut write = store.begin().await.unwrap();
    let by = Who::Person(person("Olga", Role::Operator));
    let (run, entries) = write.append(Some(run.clone()), run.id, &by, NOW, &[asked]).await.unwrap();
    write.commit().await.unwrap();
    Notice::of(&run, &entries[0]).unwrap().0
}

fn to(key: &str, channel: Channel, person: Option<&str>, notice: &Notice) -> NewDelivery {
    NewDelivery { key: key.to_owned(), channel, person: person.map(PersonId::from), notice: notice.clone(), made: NOW }
}

async fn queue(store: &Store, deliveries: &[NewDelivery]) {
    let mut write = store.begin().await.unwrap();
    for delivery in deliveries {
        write.deliver(delivery).await.unwrap();
    }
    write.commit().await.unwrap();
}

async fn settle(store: &Store, id: i64, now: Timestamp, outcome: Outcome) {
    let mut write = store.begin().await.unwrap();
    write.settle(id, now, &outcome).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn an_event_that_is_not_stored_tells_nobody() {
    let (store, _folder) = store().await;
    let notice = notice(&store).await;

    let mut write = store.begin().await.unwrap();
    write.deliver(&to("one", ops(), None, &notice)).await.unwrap();
    write.append(None, RunId(9), &Who::Portal, NOW, &[start(plan(), "")]).await.unwrap();
    drop(write);

    assert!(store.due_deliveries(&ops(), NOW, 9).await.unwrap().is_empty());
    assert!(store.run(RunId(9), &ALL).await.unwrap().is_none());
}

#[tokio::test]
async fn what_was_sent_and_not_recorded_is_due_again_with_the_same_key() {
    let (store, folder) = store().await;
    let notice = notice(&store).await;
    queue(&store, &[to("one", ops(), None, &notice)]).await;
    let sent = store.due_deliveries(&ops(), NOW, 9).await.unwrap();
    // Sent, and the portal dies before it can say so.
    store.close().await;

    let store = Store::open(&folder.path().join("portal.db"), NOW).await.unwrap();
    let again = store.due_deliveries(&ops(), NOW, 9).await.unwrap();

    assert_eq!((again.len(), again[0].key.as_str(), &again[0].notice), (1, "one", &Some(notice)));
    assert_eq!(again, sent);
}

#[tokio::test]
async fn a_delivery_is_tried_at_its_time_until_it_is_delivered_or_given_up() {
    let (store, _folder) = store().await;
    let notice = notice(&store).await;
    queue(&store, &[to("one", ops(), None, &notice), to("two", ops(), None, &notice)]).await;
    let due = store.due_deliveries(&ops(), NOW, 9).await.unwrap();
    let later = NOW.plus(1_000);

    settle(&store, due[0].id, NOW, Outcome::Later { next: later, error: "it answered 500".to_owned() }).await;
    settle(&store, due[1].id, NOW, Outcome::GivenUp { error: "it answered 404".to_owned() }).await;

    assert!(store.due_deliveries(&ops(), NOW, 9).await.unwrap().is_empty());
    assert_eq!(store.next_delivery(&ops()).await.unwrap(), Some(later));
    let again = store.due_deliveries(&ops(), later, 9).await.unwrap();
    assert_eq!((again.len(), again[0].tries), (1, 1));
    settle(&store, again[0].id, later, Outcome::Delivered).await;
    // What has come to its end stays as it is.
    settle(&store, again[0].id, later, Outcome::GivenUp { error: "late".to_owned() }).await;
    assert_eq!(store.next_delivery(&ops()).await.unwrap(), None);
    let rows = store.last_deliveries(9).await.unwrap();
    let told = |row: &DeliveryRow| (row.state, row.tries, row.at, row.error.clone(), row.channel.clone());
    assert_eq!(told(&rows[1]), (DeliveryState::Delivered, 2, later, String::new(), "ops".to_owned()));
    assert_eq!(told(&rows[0]), (DeliveryState::GivenUp, 1, NOW, "it answered 404".to_owned(), "ops".to_owned()));
    assert_eq!(rows[0].about, Some((RunId(1), 1)));
    assert_eq!(rows[0].what, notice.subject());
}

#[tokio::test]
async fn mail_goes_to_the_address_that_a_person_has_when_it_is_sent() {
    let (store, _folder) = store().await;
    let (lena, lars) = (person("Lena", Role::Lead), person("Lars", Role::Lead));
    account(&store, &lena).await;
    account(&store, &lars).await;
    let notice = notice(&store).await;
    let mut write = store.begin().await.unwrap();
    write.set_mail(&lena.id, Some("lena@example.com")).await.unwrap();
    assert_eq!(write.with_mail().await.unwrap(), [(lena.id.clone(), Role::Lead)], "whoever has none gets none");
    assert!(matches!(write.set_mail(&"nobody".into(), None).await, Err(Error::Gone)));
    write.commit().await.unwrap();
    queue(&store, &[to("one", Channel::Mail, Some("Lena"), &notice)]).await;

    let address = async || store.due_deliveries(&Channel::Mail, NOW, 9).await.unwrap()[0].to.clone().unwrap().address;
    assert_eq!(address().await.as_deref(), Some("lena@example.com"));
    assert_eq!(store.mail_of(&lena.id).await.unwrap().as_deref(), Some("lena@example.com"));
    let mut write = store.begin().await.unwrap();
    write.set_enabled(&lena.id, false).await.unwrap();
    assert!(write.with_mail().await.unwrap().is_empty());
    write.commit().await.unwrap();
    assert_eq!(address().await, None, "a disabled account is told nothing any more");
}

#[tokio::test]
async fn what_waits_for_a_channel_that_was_removed_is_given_up() {
    let (store, _folder) = store().await;
    let notice = notice(&store).await;
    let old = Channel::Webhook("old".to_owned());
    queue(&store, &[to("one", ops(), None, &notice), to("two", old.clone(), None, &notice)]).await;

    let mut write = store.begin().await.unwrap();
    write.give_up_other_channels(&[ops(), Channel::Mail], NOW, "it is gone").await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.next_delivery(&old).await.unwrap(), None);
    assert!(store.next_delivery(&ops()).await.unwrap().is_some());
    assert_eq!(store.last_deliveries(1).await.unwrap()[0].error, "it is gone");
}

#[tokio::test]
async fn what_another_version_wrote_keeps_nobody_from_being_told_the_rest() {
    let (store, _folder) = store().await;
    let notice = notice(&store).await;
    queue(&store, &[to("one", ops(), None, &notice), to("two", ops(), None, &notice)]).await;
    sqlx::query("UPDATE deliveries SET notice = '{\"occasion\":\"landed\"}' WHERE key = 'one'")
        .execute(&store.writer)
        .await
        .unwrap();

    let due = store.due_deliveries(&ops(), NOW, 9).await.unwrap();

    assert_eq!((&due[0].notice, &due[1].notice), (&None, &Some(notice)));
    assert_eq!(store.last_deliveries(9).await.unwrap()[1].about, None);
}

#[tokio::test]
async fn what_came_to_its_end_is_dropped_in_batches_and_what_waits_is_kept() {
    let (store, _folder) = store().await;
    let notice = notice(&store).await;
    let all: Vec<NewDelivery> = (0..6).map(|number| to(&number.to_string(), ops(), None, &notice)).collect();
    queue(&store, &all).await;
    let ids: Vec<i64> = store.last_deliveries(10).await.unwrap().iter().rev().map(|row| row.id).collect();
    for (place, id) in ids.iter().enumerate().take(4) {
        let outcome = if place == 0 { Outcome::GivenUp { error: "gone".to_owned() } } else { Outcome::Delivered };
        settle(&store, *id, NOW.plus(place as u64), outcome).await;
    }
    let later = Outcome::Later { next: NOW, error: "not yet".to_owned() };
    settle(&store, ids[4], NOW, later).await;
    let prune = async |before: Timestamp| {
        let mut write = store.begin().await.unwrap();
        let pruned = write.prune_deliveries(before, 2).await.unwrap();
        write.commit().await.unwrap();
        pruned
    };

    assert_eq!(prune(NOW.plus(3)).await, 2);
    assert_eq!(prune(NOW.plus(3)).await, 1);
    assert_eq!(prune(NOW.plus(3)).await, 0, "the fourth has not been there for long enough");
    let left: Vec<i64> = store.last_deliveries(10).await.unwrap().iter().rev().map(|row| row.id).collect();
    assert_eq!(left, ids[3..], "and what waits stays, however old");
}

#[tokio::test]
async fn what_is_dropped_is_found_by_an_index() {
    let (store, _folder) = store().await;
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {PRUNE}")))
        .bind(0)
        .bind(1)
        .fetch_all(&mut *store.reader().await.unwrap())
        .await
        .unwrap();

    assert!(plan.iter().any(|(.., detail)| detail.contains("deliveries_ended")), "{plan:?}");
}
