//! Everybody at once on one request: whatever wins, nothing starts without an approval that holds.
//!
//! `PORTAL_RACES` says how many are run (40 unless it is set).

use domain::policy::Role;
use domain::run::{Event, RequestStatus};
use futures::future::join_all;
use http::StatusCode;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::approvals::Scene;

fn races() -> u32 {
    std::env::var("PORTAL_RACES").ok().and_then(|races| races.parse().ok()).unwrap_or(40)
}

/// Some of `deeds`, in an order that is as good as random, and the same in each run of the test.
///
/// Few of them: with all at once what ends the request would nearly always be there before a start.
fn some_of<T>(mut deeds: Vec<T>, race: u32) -> Vec<T> {
    let mut random = rand::rngs::StdRng::seed_from_u64(u64::from(race));
    deeds.shuffle(&mut random);
    deeds.truncate(random.random_range(2..=5));
    deeds
}

#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often, and what won")]
#[tokio::test(flavor = "multi_thread")]
async fn everybody_at_once_on_one_request_comes_to_one_end() {
    let scene = Scene::open().await;
    let (lena, lars) = (scene.authenticator("lena").await, scene.authenticator("lars").await);
    let mut started = 0;
    let mut kinds = std::collections::BTreeSet::new();

    for race in 0..races() {
        std::fs::write(&scene.backup, "the dump").unwrap();
        scene.role("lena", "lead").await;
        scene.clock.advance(60_000);
        let run = scene.asked().await;
        let approve = format!("run={run}&request=1&decision=approve&code=");
        let by_lena = approve.clone() + &lena.code(&scene);
        let by_lars = approve + &lars.code(&scene);
        let rejected = format!("run={run}&request=1&decision=reject&reason=no&code={}", lars.code(&scene));
        // In one of two races somebody has approved before, so that starts are among what races.
        if race % 2 == 0 {
            scene.done("/api/approvals/decide", &by_lars, &scene.lars).await;
        }
        let run_step = format!("run={run}&step=3&attempt=1&commands=1");
        let deeds = vec![
            ("/api/approvals/decide", by_lena, &scene.lena),
            ("/api/approvals/decide", rejected, &scene.lars),
            ("/api/approvals/cancel", format!("run={run}&request=1"), &scene.olga),
            // Four times: a start has the longest way to the gate, and would seldom be there first.
            ("/api/runs/run", run_step.clone(), &scene.olga),
            ("/api/runs/run", run_step.clone(), &scene.olga),
            ("/api/runs/run", run_step.clone(), &scene.olga),
            ("/api/runs/run", run_step, &scene.olga),
            ("/api/runs/value", format!("run={run}&name=backup&value=/other.dump"), &scene.olga),
            ("/api/people/role", format!("person={}&role=operator", scene.id("lena").await), &scene.ada),
            ("/api/runs/directory", format!("run={run}&path=/tmp"), &scene.olga),
        ];
        let deeds = some_of(deeds, race);
        let answers = join_all(deeds.iter().map(|(path, form, cookie)| scene.post(path, form, cookie))).await;
        for answer in &answers {
            assert!(
                matches!(
                    answer.status,
                    StatusCode::OK | StatusCode::CONFLICT | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY
                ),
                "{}: {}",
                answer.status,
                answer.body
            );
        }

        let state = scene.run(run).await;
        let request = state.request(1).unwrap();
        let entries = scene.site.portal.store().entries(state.id, 0).await.unwrap();
        let place = |wanted: fn(&Event) -> bool| entries.iter().position(|entry| wanted(&entry.event));
        let ends = entries.iter().filter(|entry| is_end(&entry.event)).count();
        assert!(ends <= 1, "race {race}: {ends} ends of one request");
        kinds.extend(entries.iter().map(|entry| entry.event.kind()));
        let starts =
            entries.iter().filter(|entry| matches!(entry.event, Event::AttemptStarted { step: 3, .. })).count();
        assert!(starts <= 1, "race {race}: started twice");
        if let Some(start) = place(|event| matches!(event, Event::AttemptStarted { step: 3, .. })) {
            started += 1;
            let granted = place(|event| matches!(event, Event::ApprovalGranted { .. })).expect("it was approved");
            assert!(granted < start, "race {race}: started before the approval");
            assert!(place(is_end).is_none_or(|end| end > start), "race {race}: started after the request had ended");
            assert_eq!(state.steps[2].attempts[0].digest, request.covers[0].digest(), "race {race}: other work");
            scene.site.settled(u32::try_from(run).unwrap()).await;
        }
        assert!(request.approvers().count() <= 2, "race {race}");
        let status = state.request_status(request, scene.site.portal.expiry_now());
        assert!(starts == 0 || status == RequestStatus::Used || request.end.is_some(), "race {race}: {status:?}");
        // The run gives its target back: whoever comes next would be told that it is held, and never start.
        scene.done("/api/runs/abort", &format!("run={run}&reason=the+race+is+over"), &scene.olga).await;
    }

    println!("{} races: {started} starts, each under an approval that held; events: {kinds:?}", races());
    assert!(started >= races() / 20, "starts are among what wins, not one in a thousand: {started}");
    assert_eq!(scene.site.portal.store().credentials(&scene.id("lars").await).await.unwrap().unwrap().role, Role::Lead);
}

fn is_end(event: &Event) -> bool {
    matches!(
        event,
        Event::ApprovalRejected { .. }
            | Event::ApprovalCancelled { .. }
            | Event::ApprovalExpired { .. }
            | Event::ApprovalVoided { .. }
    )
}
