use domain::health::Missing;
use domain::policy::{Role, typed_groups};
use domain::run::{Event, Verdict, Who};
use domain::{AttemptId, RunId};
use testkit::{NOW, completed, person, plan, start};

use super::*;
use crate::tests::{ALL, plan_of, store};

/// A run of a procedure that works through its first step, closed after so many seconds, or open.
async fn add(store: &Store, slug: &str, limit: Option<&str>, closed: Option<(Verdict, u64)>) -> RunId {
    let mut plan = plan();
    plan.slug = slug.into();
    plan.visible_to = limit.map(|groups| typed_groups(groups).unwrap());
    let who = Who::Person(person("olga", Role::Operator));
    let mut write = store.begin().await.unwrap();
    let id = write.next_run().await.unwrap();
    let (run, _) = write.append(None, id, &who, NOW, &[start(plan, "")]).await.unwrap();
    let attempt = completed(AttemptId { run: id, step: 1, attempt: 1 }, &[1, 2]);
    let (run, _) = write.append(Some(run), id, &who, NOW, &attempt).await.unwrap();
    if let Some((verdict, seconds)) = closed {
        let end = Event::RunFinished { verdict, comment: String::new() };
        write.append(Some(run), id, &who, NOW.plus(seconds * 1000), &[end]).await.unwrap();
    }
    write.commit().await.unwrap();
    id
}

async fn past_of(store: &Store, slug: &str, sight: &Sight) -> Past {
    store.pasts(&[&slug.into()], sight).await.unwrap().remove(0)
}

#[tokio::test]
async fn the_past_of_a_procedure_is_its_closed_runs_with_the_steps_that_were_worked_through() {
    let (store, _folder) = store().await;
    add(&store, "deploy", None, Some((Verdict::Reached, 60))).await;
    add(&store, "restore", None, Some((Verdict::Reached, 90))).await;
    add(&store, "deploy", None, Some((Verdict::Aborted, 120))).await;
    add(&store, "deploy", None, None).await;

    let past = past_of(&store, "deploy", &ALL).await;

    let run = |verdict, seconds: u64| ClosedRun {
        verdict,
        ended: NOW.plus(seconds * 1000),
        worked: Some(vec!["look".to_owned()]),
    };
    assert_eq!(past.runs, [run(Verdict::Aborted, 120), run(Verdict::Reached, 60)]);
    assert_eq!(past.last_success, Some(NOW.plus(60_000)));
    assert_eq!(past_of(&store, "never", &ALL).await, Past::default());
}

#[tokio::test]
async fn runs_that_somebody_does_not_see_tell_them_nothing() {
    let (store, _folder) = store().await;
    add(&store, "deploy", Some("dba"), Some((Verdict::Reached, 60))).await;
    add(&store, "deploy", None, Some((Verdict::NotReached, 90))).await;
    let none = std::iter::empty();
    let outside = Sight::of(Role::Lead, typed_groups("ops").unwrap(), none);

    let past = past_of(&store, "deploy", &outside).await;

    assert_eq!((past.runs.len(), past.last_success), (1, None));
    assert_eq!(past_of(&store, "deploy", &ALL).await.last_success, Some(NOW.plus(60_000)));
}

/// Closed runs of a procedure straight into the lists, none of which reached its outcome; all of them are of a later time.
async fn many(store: &Store, slug: &str, count: u32) {
    let mut write = store.begin().await.unwrap();
    sqlx::query(
        "INSERT INTO runs (id, version, slug, title, target, by_id, by_name, reason, words, started, ended, verdict, status, step, \
         step_title, steps, risk) \
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2) \
         SELECT (SELECT COALESCE(MAX(id), 0) FROM runs) + n, 1, $1, $1, 'local', 'x', 'X', '', '', $3 + n, $3 + n + 1, 'aborted', 'done', 0, '', \
         1, 'reads' FROM numbers",
    )
    .bind(slug)
    .bind(count)
    .bind(NOW.plus(100_000).0)
    .execute(write.connection())
    .await
    .unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn among_many_runs_the_last_ones_are_looked_at_and_an_old_success_is_found_behind_them() {
    let (store, _folder) = store().await;
    add(&store, "deploy", None, Some((Verdict::Reached, 60))).await;
    many(&store, "deploy", 3_000).await;
    many(&store, "restore", 3_000).await;

    let past = past_of(&store, "deploy", &ALL).await;

    assert_eq!(past.runs.len(), WINDOW as usize);
    assert!(past.runs.iter().all(|run| run.verdict == Verdict::Aborted && run.worked.is_none()), "{past:?}");
    assert_eq!(past.last_success, Some(NOW.plus(60_000)));
    assert_eq!(past_of(&store, "restore", &ALL).await.last_success, None);
}

#[tokio::test]
async fn health_finds_its_runs_by_an_index_and_sorts_nothing() {
    let (store, _folder) = store().await;
    let (slug, limit) = ("restore".into(), typed_groups("dba").unwrap());
    let outside = Sight::of(Role::Lead, typed_groups("platform, ops").unwrap(), [(&slug, &limit)]);
    for sight in [&ALL, &outside] {
        for (query, index) in [(closed(&slug, sight), "runs_closed"), (last_reached(&slug, sight), "runs_usual")] {
            let query = query.sql();
            let found = plan_of(&store, query.as_str()).await;

            assert!(found.contains(index), "{}: {found}", query.as_str());
            assert!(!found.contains("TEMP B-TREE") && !found.contains("SCAN runs"), "{}: {found}", query.as_str());
        }
    }
    for query in [LOOKS, LOOKS_OF] {
        let found = plan_of(&store, query).await;

        assert!(!found.contains("TEMP B-TREE"), "{query}: {found}");
    }
    assert!(plan_of(&store, LOOKS_OF).await.contains("SEARCH health_looks"));
}

fn look(slug: &str, target: &str, seconds: u64) -> StoredLook {
    let found = Found { concerns: vec![Missing::Tool("jq".to_owned()).concern(7)], settled: vec!["x".to_owned()] };
    let sighting = Sighting { target: target.to_owned(), at: NOW.plus(seconds * 1000) };
    StoredLook { slug: slug.into(), document: format!("document {seconds}"), look: KeptLook { sighting, found } }
}

#[tokio::test]
async fn of_the_looks_at_a_target_the_last_one_is_kept() {
    let (store, _folder) = store().await;
    let looks = [
        look("deploy", "prod", 1),
        look("deploy", "staging", 2),
        look("restore", "prod", 3),
        look("deploy", "prod", 4),
    ];

    for look in &looks {
        let mut write = store.begin().await.unwrap();
        write.put_health_look(look).await.unwrap();
        write.commit().await.unwrap();
    }

    let [_, staging, restore, last] = looks;
    assert_eq!(store.health_looks(Some(&"deploy".into())).await.unwrap(), [last.clone(), staging.clone()]);
    assert_eq!(store.health_looks(None).await.unwrap(), [last, staging, restore]);
}
