use testkit::NOW;

use super::*;
use crate::tests::{begun, store};

fn wet(service: &str) -> NewSuggestion {
    NewSuggestion {
        alert: "LedgerWet".to_owned(),
        service: service.to_owned(),
        summary: "The ledger is wet".to_owned(),
        labels: [("file".to_owned(), "a.txt".to_owned())].into(),
        firing: ["a".to_owned()].into(),
        since: NOW.minus(60_000),
    }
}

#[tokio::test]
async fn a_suggestion_stands_until_nothing_of_it_fires_and_there_is_one_of_its_name_and_service() {
    let (store, _folder) = store().await;
    let mut write = store.begin().await.unwrap();
    let first = write.open_suggestion(&wet("ledger"), NOW).await.unwrap();
    let other = write.open_suggestion(&wet(""), NOW).await.unwrap();
    let twice = write.open_suggestion(&wet("ledger"), NOW).await.unwrap_err();
    assert!(matches!(twice, Error::Moved), "{twice:?}");
    let mut again = StoredSuggestion { id: first, about: wet("ledger"), heard: NOW.plus(5), times: 7, dismissed: None };
    again.about.firing.insert("b".to_owned());
    write.hear_suggestion(&again).await.unwrap();
    write.close_suggestion(other, NOW.plus(5)).await.unwrap();
    let closed = write.close_suggestion(other, NOW.plus(5)).await.unwrap_err();
    assert!(matches!(closed, Error::Gone), "{closed:?}");
    write.commit().await.unwrap();

    assert_eq!(store.standing_suggestions().await.unwrap(), [again]);
    assert_eq!(store.suggestion(other).await.unwrap().unwrap().about.service, "");
    assert_eq!(store.suggestion(SuggestionId(99)).await.unwrap(), None);
}

#[tokio::test]
async fn a_suggestion_is_dismissed_once_and_stands_on() {
    let (store, _folder) = store().await;
    let mut write = store.begin().await.unwrap();
    let id = write.open_suggestion(&wet("ledger"), NOW).await.unwrap();

    write.dismiss_suggestion(id, NOW.plus(5)).await.unwrap();
    let twice = write.dismiss_suggestion(id, NOW.plus(6)).await.unwrap_err();
    write.commit().await.unwrap();

    assert!(matches!(twice, Error::Gone), "{twice:?}");
    assert_eq!(store.standing_suggestions().await.unwrap()[0].dismissed, Some(NOW.plus(5)));
}

#[tokio::test]
async fn what_is_over_is_forgotten_after_a_thousand_others_unless_a_run_was_started_from_it() {
    let (store, _folder) = store().await;
    let run = begun(&store).await.id;
    let mut write = store.begin().await.unwrap();
    let kept = write.open_suggestion(&wet("ledger"), NOW).await.unwrap();
    write.close_suggestion(kept, NOW).await.unwrap();
    write.link_suggestion(run, kept).await.unwrap();
    let mut first = None;
    for _ in 0..=KEPT {
        let id = write.open_suggestion(&wet("ledger"), NOW).await.unwrap();
        write.close_suggestion(id, NOW).await.unwrap();
        first.get_or_insert(id);
    }
    write.commit().await.unwrap();

    assert_eq!(store.suggestion(first.unwrap()).await.unwrap(), None);
    assert!(store.suggestion(kept).await.unwrap().is_some());
    assert_eq!(store.suggestion_of(run).await.unwrap().map(|by| by.id), Some(kept));
    assert_eq!(store.suggestion_of(RunId(99)).await.unwrap(), None);
    assert_eq!(store.runs_suggested_by(&[kept]).await.unwrap(), [(kept, run)]);
    assert!(store.runs_suggested_by(&[]).await.unwrap().is_empty());
}
