use domain::policy::{Role, typed_groups};
use domain::run::{Event, Run, StepStatus, Who};
use domain::{Digest, Risk};
use testkit::{NOW, person, plan, start};

use super::*;
use crate::tests::{ALL, numbers, pages, plan_of, store};

/// A run of one of two procedures by one of two people, closed after so many seconds, or open.
async fn add(store: &Store, slug: &str, by: &str, reason: &str, closed: Option<(Verdict, u64)>) -> RunId {
    let mut plan = plan();
    plan.slug = slug.into();
    plan.title = format!("Procedure {slug}");
    let who = Who::Person(person(by, Role::Operator));
    let mut write = store.begin().await.unwrap();
    let id = write.next_run().await.unwrap();
    let (run, _) = write.append(None, id, &who, NOW, &[start(plan, reason)]).await.unwrap();
    if let Some((verdict, seconds)) = closed {
        let end = Event::RunFinished { verdict, comment: "so it was".to_owned() };
        write.append(Some(run), id, &who, NOW.plus(seconds * 1000), &[end]).await.unwrap();
    }
    write.commit().await.unwrap();
    id
}

/// Six runs: of `deploy` and `restore`, by Olga and Otto.
async fn six() -> (Store, tempfile::TempDir) {
    let (store, folder) = store().await;
    add(&store, "deploy", "olga", "OPS-1 release", Some((Verdict::Reached, 60))).await;
    add(&store, "restore", "otto", "100% of the data is gone", Some((Verdict::NotReached, 10))).await;
    add(&store, "deploy", "otto", "ÜBUNG for the new team", None).await;
    add(&store, "deploy", "olga", "OPS-2 release", Some((Verdict::Aborted, 5))).await;
    add(&store, "restore", "olga", "the data is 100x slower", None).await;
    add(&store, "restore", "olga", "", Some((Verdict::RolledBack, 600))).await;
    (store, folder)
}

async fn found(store: &Store, query: HistoryQuery) -> Vec<i64> {
    numbers(&store.history(&HistoryQuery { limit: 50, ..query }, &ALL).await.unwrap())
}

#[tokio::test]
async fn the_history_is_narrowed_by_each_of_its_filters() {
    let (store, _folder) = six().await;
    let of = |words: &str| HistoryQuery { words: Some(words.to_owned()), ..HistoryQuery::default() };
    let verdict = |name: &str| HistoryQuery { verdict: Some(name.to_owned()), ..HistoryQuery::default() };

    assert_eq!(found(&store, HistoryQuery::default()).await, [6, 5, 4, 3, 2, 1]);
    let deploys = HistoryQuery { procedure: Some("deploy".into()), ..HistoryQuery::default() };
    assert_eq!(found(&store, deploys.clone()).await, [4, 3, 1]);
    assert_eq!(found(&store, HistoryQuery { person: Some("olga".into()), ..deploys }).await, [4, 1]);
    assert_eq!(found(&store, HistoryQuery { person: Some("otto".into()), ..HistoryQuery::default() }).await, [3, 2]);
    assert_eq!(found(&store, verdict("open")).await, [5, 3]);
    assert_eq!(found(&store, verdict("reached")).await, [1]);
    assert_eq!(found(&store, verdict("not_reached")).await, [2]);
    assert_eq!(found(&store, verdict("' OR 1 = 1 --")).await, Vec::<i64>::new());
    assert_eq!(found(&store, of("ops-")).await, [4, 1]);
    assert_eq!(found(&store, of("RELEASE procedure")).await, [4, 1]);
    assert_eq!(found(&store, of("übung")).await, [3], "letters beyond ASCII have cases too");
    assert_eq!(found(&store, of("100%")).await, [2], "a per cent sign is a per cent sign");
    assert_eq!(found(&store, of("_")).await, Vec::<i64>::new());
    assert_eq!(found(&store, of("!")).await, Vec::<i64>::new());
}

#[tokio::test]
async fn the_pages_of_the_history_tile_it() {
    let (store, _folder) = six().await;

    let pages = pages(&store, 4, &ALL).await;

    assert_eq!(pages, [vec![6, 5, 4, 3], vec![2, 1]]);
}

#[tokio::test]
async fn each_list_has_its_runs_in_its_order() {
    let (store, _folder) = six().await;

    assert_eq!(numbers(&store.open_runs(100, &ALL).await.unwrap()), [5, 3]);
    assert_eq!(numbers(&store.recent(3, &ALL).await.unwrap()), [6, 1, 2], "the one that was closed last comes first");
    assert_eq!(numbers(&store.last_of(&"deploy".into(), 2, &ALL).await.unwrap()), [4, 3]);
    assert_eq!(
        store.procedures(&ALL).await.unwrap(),
        [("deploy".into(), "Procedure deploy".to_owned()), ("restore".into(), "Procedure restore".to_owned())]
    );
}

#[tokio::test]
async fn a_row_says_what_lists_show() {
    let (store, _folder) = six().await;

    let rows = store.last_of(&"restore".into(), 2, &ALL).await.unwrap();

    let open = RunRow {
        id: RunId(5),
        slug: "restore".into(),
        title: "Procedure restore".to_owned(),
        target: "local".to_owned(),
        by: "olga".to_owned(),
        reason: "the data is 100x slower".to_owned(),
        started: NOW,
        ended: None,
        verdict: None,
        status: StepStatus::Waiting,
        step: 1,
        step_title: "Look".to_owned(),
        steps: 6,
        risk: Risk::Destroys,
    };
    let closed = RunRow {
        id: RunId(6),
        reason: String::new(),
        ended: Some(NOW.plus(600_000)),
        verdict: Some(Verdict::RolledBack),
        ..open.clone()
    };
    assert_eq!(rows, [closed, open]);
}

#[test]
fn a_run_stands_where_something_runs() {
    let run = testkit::started(plan());
    let ahead =
        Event::AttemptStarted { step: 2, attempt: 1, commands: vec![1], digest: Digest::of(b"work"), approval: None };
    let run: Run = domain::run::evolve(run.id, Some(run), &testkit::entry(2, ahead)).unwrap();

    let row = crate::projection::row(&run);

    assert_eq!((row.step, row.step_title.as_str(), row.status), (2, "Restart", StepStatus::Running));
}

#[test]
fn a_run_whose_steps_are_all_over_stands_at_none() {
    let mut run = testkit::started(plan());
    for (version, step) in (2..).zip(1..=6) {
        let skip = Event::StepSkipped { step, reason: "not today".to_owned() };
        run = domain::run::evolve(run.id, Some(run), &testkit::entry(version, skip)).unwrap();
    }

    let row = crate::projection::row(&run);

    assert_eq!((row.step, row.step_title.as_str(), row.status), (0, "", StepStatus::Done));
}

#[tokio::test]
async fn usually_is_the_middle_half_of_the_runs_that_reached_their_outcome() {
    let (store, _folder) = store().await;
    let deploy = "deploy".into();
    add(&store, "deploy", "olga", "", Some((Verdict::Aborted, 1))).await;
    add(&store, "restore", "olga", "", Some((Verdict::Reached, 1))).await;
    for seconds in [50, 10] {
        add(&store, "deploy", "olga", "", Some((Verdict::Reached, seconds))).await;
    }
    assert_eq!(store.usual(&deploy, &ALL).await.unwrap(), None, "two runs tell nothing");
    for seconds in [30, 20, 40] {
        add(&store, "deploy", "olga", "", Some((Verdict::Reached, seconds))).await;
    }

    let usual = store.usual(&deploy, &ALL).await.unwrap();

    assert_eq!(usual, Some(Usual { low_ms: 20_000, high_ms: 40_000 }));
}

#[tokio::test]
async fn only_the_last_twenty_runs_tell_what_is_usual() {
    let (store, _folder) = store().await;
    for seconds in std::iter::repeat_n(9_999, 30).chain(std::iter::repeat_n(7, 20)) {
        add(&store, "deploy", "olga", "", Some((Verdict::Reached, seconds))).await;
    }

    assert_eq!(store.usual(&"deploy".into(), &ALL).await.unwrap(), Some(Usual { low_ms: 7_000, high_ms: 7_000 }));
}

#[tokio::test]
async fn every_list_finds_its_rows_by_an_index_and_sorts_nothing() {
    let (store, _folder) = store().await;
    let all = HistoryQuery::default;
    let (slug, limit) = ("restore".into(), typed_groups("dba").unwrap());
    let outside = Sight::of(Role::Lead, typed_groups("platform, ops").unwrap(), [(&slug, &limit)]);
    for sight in [&ALL, &outside] {
        let some = |filter: HistoryQuery| history(&filter, sight);
        let queries = [
            (open(sight, 9), "runs_by_verdict"),
            (recent(sight, 9), "runs_by_end"),
            (last_of(&slug, sight, 9), "runs_of_procedure"),
            (reached(&slug, sight), "runs_usual"),
            (known(sight), "runs_of_procedure"),
            (some(all()), "INTEGER PRIMARY KEY"),
            (some(HistoryQuery { words: Some("one two".to_owned()), ..all() }), "INTEGER PRIMARY KEY"),
            (some(HistoryQuery { procedure: Some("x".into()), ..all() }), "runs_of_procedure"),
            (some(HistoryQuery { person: Some("x".into()), ..all() }), "runs_of_person"),
            (some(HistoryQuery { verdict: Some("open".to_owned()), ..all() }), "runs_by_verdict"),
            (some(HistoryQuery { verdict: Some("reached".to_owned()), ..all() }), "runs_by_verdict"),
        ];

        for (query, index) in queries {
            let query = query.sql();
            let plan = plan_of(&store, query.as_str()).await;

            assert!(plan.contains(index), "{}: {plan}", query.as_str());
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN runs;"), "{}: {plan}", query.as_str());
        }
    }
}
