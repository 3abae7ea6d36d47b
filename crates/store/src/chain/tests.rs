use domain::policy::Role;
use testkit::{NOW, who};

use super::*;
use crate::tests::{begun, continued, note, store};

/// A database with ten events: the first one, then nine of one run.
async fn ten() -> (Store, tempfile::TempDir) {
    let (store, folder) = store().await;
    let mut run = begun(&store).await;
    for number in 2..10 {
        run = continued(&store, Some(run), &[note(&format!("note {number}"))], NOW).await;
    }
    (store, folder)
}

/// What verification says after somebody with a database tool did this.
async fn after(tampering: &'static str) -> (u64, String) {
    let (store, _folder) = ten().await;
    sqlx::raw_sql(tampering).execute(&store.writer).await.unwrap();

    match store.verify_chain().await.unwrap() {
        Chain::Broken(Broken { seq, why }) => (seq, why),
        whole @ Chain::Whole(_) => panic!("nothing was found: {whole:?}"),
    }
}

#[tokio::test]
async fn an_untouched_chain_is_whole_up_to_its_head() {
    let (store, _folder) = ten().await;
    let head: String =
        sqlx::query_scalar("SELECT hash FROM events WHERE seq = 10").fetch_one(&store.readers).await.unwrap();

    let chain = store.verify_chain().await.unwrap();

    assert_eq!(chain, Chain::Whole(Head { seq: 10, hash: head }));
}

#[tokio::test]
async fn a_chain_longer_than_a_piece_is_walked_to_its_end() {
    let (store, _folder) = store().await;
    let mut write = store.begin().await.unwrap();
    for number in 0..PIECE + 10 {
        write.audit(Some(&who(Role::Lead)), NOW, "counted", serde_json::json!({ "number": number })).await.unwrap();
    }
    write.commit().await.unwrap();

    assert!(matches!(store.verify_chain().await.unwrap(), Chain::Whole(Head { seq: 10_011, .. })));
    sqlx::raw_sql("UPDATE events SET record = replace(record, '\"number\":10005', '\"number\":20005')")
        .execute(&store.writer)
        .await
        .unwrap();
    let Chain::Broken(broken) = store.verify_chain().await.unwrap() else { panic!("nothing was found") };
    assert_eq!(broken.seq, 10_007);
}

#[tokio::test]
async fn a_changed_record_is_found_at_its_place() {
    let (seq, why) = after("UPDATE events SET record = replace(record, 'note 4', 'note 5') WHERE seq = 5").await;

    assert_eq!((seq, why.as_str()), (5, "The record of event 5 was changed: its hash does not fit it any more."));
}

#[tokio::test]
async fn a_changed_record_with_a_hash_of_its_own_is_found_at_the_next_one() {
    let (store, _folder) = ten().await;
    let (previous, record): (String, String) =
        sqlx::query_as("SELECT previous, replace(record, 'note 4', 'note 5') FROM events WHERE seq = 5")
            .fetch_one(&store.readers)
            .await
            .unwrap();
    sqlx::query("UPDATE events SET record = $1, hash = $2 WHERE seq = 5")
        .bind(&record)
        .bind(Head { seq: 4, hash: previous }.then(&Digest::of(record.as_bytes())).hash)
        .execute(&store.writer)
        .await
        .unwrap();

    let Chain::Broken(broken) = store.verify_chain().await.unwrap() else { panic!("nothing was found") };

    assert_eq!(broken.seq, 6);
}

#[tokio::test]
async fn a_changed_column_is_found_although_the_record_is_as_it_was() {
    for tampering in [
        "UPDATE events SET kind = 'run_finished' WHERE seq = 5",
        "UPDATE events SET at = at + 1 WHERE seq = 5",
        "UPDATE events SET stream = 'run:2' WHERE seq = 5",
        "UPDATE events SET version = 99 WHERE seq = 5",
        "UPDATE events SET v = 2 WHERE seq = 5",
    ] {
        let (seq, why) = after(tampering).await;

        assert_eq!(
            (seq, why.as_str()),
            (5, "A column of event 5 was changed: it does not say what the record says."),
            "{tampering}"
        );
    }
}

#[tokio::test]
async fn a_deleted_event_is_found() {
    assert_eq!(after("DELETE FROM events WHERE seq = 5").await.0, 5);
    assert_eq!(after("DELETE FROM events WHERE seq = 1").await.0, 1);
    // The others moved up, so that no number is missing.
    assert_eq!(after("DELETE FROM events WHERE seq = 5; UPDATE events SET seq = seq - 1 WHERE seq > 5").await.0, 5);
}

#[tokio::test]
async fn an_inserted_event_is_found() {
    let tampering = "UPDATE events SET seq = -seq - 1 WHERE seq >= 5; UPDATE events SET seq = -seq WHERE seq < 0; \
        INSERT INTO events SELECT 5, stream, 99, kind, v, at, record, previous, hash FROM events WHERE seq = 4";

    assert_eq!(after(tampering).await.0, 5);
}

#[tokio::test]
async fn events_in_another_order_are_found() {
    let tampering = "UPDATE events SET seq = 100 WHERE seq = 5; UPDATE events SET seq = 5 WHERE seq = 6; \
        UPDATE events SET seq = 6 WHERE seq = 100";

    assert_eq!(after(tampering).await.0, 5);
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_while_the_lists_still_know_it() {
    let (seq, why) = after("DELETE FROM events WHERE seq > 8").await;

    assert_eq!((seq, why.as_str()), (9, "Run 1 had 9 events, and their last ones are missing."));
}
