use domain::policy::{Role, typed_groups};
use domain::run::{Event, Verdict};
use domain::{AttemptId, RunId, Slug};
use testkit::{NOW, completed, plan, start};

use super::*;
use crate::tests::{ALL, continued, numbers, pages, redaction_asked, store};
use crate::{HistoryQuery, Store};

fn groups(names: &str) -> Groups {
    typed_groups(names).unwrap()
}

/// What an operator sees who is in these groups, while one procedure has a limit now.
fn sight(names: &str, present: Option<(&str, &str)>) -> Sight {
    let present = present.map(|(slug, limit)| (Slug::from(slug), groups(limit)));
    Sight::of(Role::Operator, groups(names), present.iter().map(|(slug, limit)| (slug, limit)))
}

/// A run of a procedure with a limit.
async fn add(store: &Store, slug: &str, limit: Option<&str>) -> Run {
    let mut plan = plan();
    (plan.slug, plan.title, plan.visible_to) = (slug.into(), format!("Procedure {slug}"), limit.map(groups));
    continued(store, None, &[start(plan, "why")], NOW).await
}

#[tokio::test]
async fn the_database_leaves_out_exactly_the_runs_that_the_rule_hides() {
    let (store, _folder) = store().await;
    let limits =
        [None, Some(""), Some("a"), Some("b"), Some("a, b"), Some("a-b"), Some("a_b"), Some("axb"), Some("ab")];
    let mut runs = Vec::new();
    for slug in ["deploy", "restore"] {
        for limit in limits {
            runs.push(add(&store, slug, limit).await);
        }
    }
    let present = [None, Some(("restore", "b")), Some(("deploy", "")), Some(("gone", "a"))];
    let query = HistoryQuery { limit: 100, ..HistoryQuery::default() };
    let mut hidden = 0;

    for present in present {
        for names in ["", "a", "b", "a, b", "a_b", "a-b, ab", "c"] {
            let sight = sight(names, present);
            let mut expected: Vec<i64> =
                runs.iter().filter(|run| sight.sees_run(&run.plan)).map(|run| run.id.0).collect();
            expected.reverse();
            hidden += runs.len() - expected.len();

            assert_eq!(numbers(&store.history(&query, &sight).await.unwrap()), expected, "{names} {present:?}");
            assert_eq!(numbers(&store.open_runs(100, &sight).await.unwrap()), expected, "{names} {present:?}");
            for run in &runs {
                let seen = sight.sees_run(&run.plan);
                assert_eq!(store.run(run.id, &sight).await.unwrap().is_some(), seen, "{names} {present:?}");
            }
        }
    }

    assert_eq!(store.history(&query, &ALL).await.unwrap().len(), runs.len());
    assert!(hidden > 100, "{hidden}");
}

#[tokio::test]
async fn a_page_is_full_as_long_as_there_is_more_to_see() {
    let (store, _folder) = store().await;
    for number in 0..40 {
        add(&store, "deploy", (number % 8 > 0).then_some("dba")).await;
    }
    let outside = sight("platform", None);

    let pages = pages(&store, 2, &outside).await;

    assert_eq!(pages, [vec![33, 25], vec![17, 9], vec![1]]);
    assert_eq!(numbers(&store.last_of(&"deploy".into(), 3, &outside).await.unwrap()), [33, 25, 17]);
}

#[tokio::test]
async fn what_is_of_a_hidden_run_is_hidden_in_every_list() {
    let (store, _folder) = store().await;
    let run = add(&store, "restore", Some("dba")).await;
    let id = AttemptId { run: run.id, step: 1, attempt: 1 };
    let run = continued(&store, Some(run), &completed(id, &[1, 2]), NOW).await;
    let run = continued(&store, Some(run), &[redaction_asked()], NOW).await;
    let end = Event::RunFinished { verdict: Verdict::Reached, comment: String::new() };
    let run = continued(&store, Some(run), &[end], NOW.plus(1000)).await;
    let slug = run.plan.slug.clone();

    for (sight, seen) in [(sight("dba", None), 1), (sight("ops", None), 0), (sight("dba", Some(("restore", "ops"))), 0)]
    {
        assert_eq!(store.recent(9, &sight).await.unwrap().len(), seen);
        assert_eq!(store.procedures(&sight).await.unwrap().len(), seen);
        assert_eq!(store.glances(&[&slug], 9, &sight).await.unwrap()[0].0.len(), seen);
        assert_eq!(store.waiting_redactions(9, &sight).await.unwrap().len(), seen);
        assert_eq!(store.count_waiting_redactions(&sight).await.unwrap() as usize, seen);
        assert_eq!(store.seen(&[run.id, RunId(99)], &sight).await.unwrap().len(), seen);
        let mut write = store.begin().await.unwrap();
        assert_eq!(write.load(run.id, &sight).await.unwrap().is_some(), seen == 1);
    }
}

#[tokio::test]
async fn the_limits_can_be_made_anew_from_the_events() {
    let (store, _folder) = store().await;
    for limit in [Some("dba, ops"), None, Some("")] {
        add(&store, "deploy", limit).await;
    }
    let limits = async || -> Vec<Option<String>> {
        sqlx::query_scalar("SELECT visible_to FROM runs ORDER BY id").fetch_all(&store.readers).await.unwrap()
    };
    let before = limits().await;

    let mut write = store.begin().await.unwrap();
    write.rebuild().await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(before, [Some(" dba ops ".to_owned()), None, Some(" ".to_owned())]);
    assert_eq!(limits().await, before);
}
