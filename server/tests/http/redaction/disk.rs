//! The record and the disk: what is covered is what was recorded, also when something is in the way.

use http::StatusCode;

use super::{RUN, SECRET, log_of, traces};
use crate::approvals::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_has_not_ended_is_not_covered() {
    let scene = Scene::leaked().await;
    scene.done("/api/runs/run", "run=1&step=2&attempt=1&commands=1", &scene.olga).await;

    let form = "run=1&step=2&attempt=1&unit=bytes&range=0-1&reason=why";
    let answer = scene.post("/api/redactions/ask", form, &scene.ada).await;

    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
    assert!(answer.body.contains("has not ended"), "{}", answer.body);
    scene.done("/api/runs/stop", "run=1&step=2&attempt=1", &scene.olga).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_was_changed_behind_the_record_is_not_made_good_by_covering_it() {
    let scene = Scene::leaked().await;
    let codes = scene.codes("lena").await;
    scene.asks().await;
    let log = log_of(&scene.site);
    let stored = std::fs::read_to_string(&log).unwrap();
    let changed = stored.replace("olga", "otto");
    std::fs::write(&log, &changed).unwrap();

    let confirmed = scene.confirm(&scene.lena, &codes[0]).await;

    assert_eq!(confirmed.status, StatusCode::CONFLICT, "{}", confirmed.body);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), changed);
    assert_eq!(scene.only_redaction().await.end, None);
    scene.bytes("/runs/1/evidence", &scene.ada).await;
    let (found, _) = scene.verified().await;
    assert!(matches!(&found[..], [why] if why.contains("was changed")), "{found:?}");
    std::fs::write(&log, &stored).unwrap();
    assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
}

/// What a portal leaves that dies after the record and before, in, or just behind the overwriting.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_and_not_covered_before_a_death_is_covered_at_the_next_start() {
    for half in ["", "called ", "again"] {
        let scene = Scene::closed().await;
        let codes = scene.codes("lena").await;
        let log = log_of(&scene.site);
        let before = std::fs::read_to_string(&log).unwrap();
        scene.asks().await;
        assert_eq!(scene.confirm(&scene.lena, &codes[0]).await.status, StatusCode::OK);
        let after = std::fs::read_to_string(&log).unwrap();
        let done = after.find(half).unwrap() + half.len();
        std::fs::write(&log, format!("{}{}", &after[..done], &before[done..])).unwrap();
        scene.bytes("/runs/1/evidence", &scene.ada).await;
        let store = scene.site.second_store().await;
        let mut write = store.begin().await.unwrap();
        write.note_redaction(RUN, 1).await.unwrap();
        write.commit().await.unwrap();
        store.close().await;
        let (found, _) = scene.verified().await;
        assert!(matches!(&found[..], [why] if why.contains("was not carried out to its end")), "{half}: {found:?}");
        let Scene { site, clock, ada, olga, lena, lars, backup } = scene;

        let site = site.again(clock.clone()).await;

        let scene = Scene { site, clock, ada, olga, lena, lars, backup };
        assert_eq!(std::fs::read_to_string(&log).unwrap(), after, "{half}");
        assert!(scene.site.portal.store().redactions_to_finish().await.unwrap().is_empty());
        assert_eq!(scene.verified().await, (Vec::new(), 1), "{half}");
        assert_eq!(traces(&scene.site.path("data"), SECRET.as_bytes()), [""; 0], "{half}");
    }
}

/// What a shim had put aside has to go as well, and cannot.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_yet_is_recorded_and_said_and_done_when_it_can_be() {
    let scene = Scene::closed().await;
    let codes = scene.codes("lena").await;
    let aside = log_of(&scene.site).with_file_name("out.tail");
    std::fs::create_dir(&aside).unwrap();
    std::fs::write(aside.join("in the way"), "").unwrap();
    scene.asks().await;

    let answer = scene.confirm(&scene.lena, &codes[0]).await;

    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.body);
    assert!(answer.body.contains("Your confirmation is recorded") && answer.body.contains("goes on trying"));
    assert!(scene.only_redaction().await.covered().is_some());
    assert_eq!(scene.site.portal.store().redactions_to_finish().await.unwrap(), [(RUN, 1)]);
    std::fs::remove_dir_all(&aside).unwrap();
    let site = scene.site.again(scene.clock.clone()).await;
    assert!(site.portal.store().redactions_to_finish().await.unwrap().is_empty());
    assert_eq!(traces(&site.path("data"), SECRET.as_bytes()), [""; 0]);
}
