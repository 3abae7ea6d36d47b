//! Eight at once on one request (approve, reject, cancel, expire, start, demote, edit, set a value): whatever wins, nothing starts
//! without an approval that holds.
//!
//! `PORTAL_RACES` says how many are run (40 unless it is set).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use domain::approval::ApprovalRules;
use domain::policy::Role;
use domain::run::{Event, RequestStatus};
use futures::future::join_all;
use http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::approvals::{Authenticator, Scene};
use crate::site::Answer;

/// Microseconds within which all of them have begun.
const SPREAD: u64 = 120_000;

/// Milliseconds before the end of a request's time.
const MOMENT: i64 = 1_000;

fn races() -> u32 {
    testkit::times("PORTAL_RACES", 40)
}

/// What one of those who race does, and when: so long after the others began to wait for their moments.
struct Deed<'s> {
    after: Duration,
    what: What<'s>,
}

enum What<'s> {
    Post(&'static str, String, &'s str),
    /// Time goes on.
    Pass(i64),
    /// Somebody writes another file over it.
    Write(PathBuf, String),
}

impl Deed<'_> {
    async fn happen(self, scene: &Scene) -> Option<Answer> {
        // Not to wait for anything: it is what makes one order as likely as another.
        tokio::time::sleep(self.after).await;
        match self.what {
            What::Post(path, form, cookie) => return Some(scene.post(path, &form, cookie).await),
            What::Pass(milliseconds) => scene.clock.advance(milliseconds),
            What::Write(path, text) => std::fs::write(path, text).unwrap(),
        }
        None
    }
}

#[expect(clippy::print_stdout, reason = "whoever asks for the proof wants to see how often, and what won")]
#[tokio::test(flavor = "multi_thread")]
async fn everybody_at_once_on_one_request_comes_to_one_end() {
    let mut scene = Scene::open().await;
    let (lena, lars) = (scene.authenticator("lena").await, scene.authenticator("lars").await);
    let mut random = StdRng::seed_from_u64(4);
    let mut started = 0;
    let mut outcomes = BTreeMap::<_, u32>::new();

    for race in 0..races() {
        // Sessions end within hours, which pass quickly here.
        if race % 16 == 15 {
            scene.sign_in_again().await;
        }
        let run = prepared(&scene, &lars, race).await;
        let deeds = deeds(&scene, run, (&lena, &lars), &mut random).await;
        for answer in join_all(deeds.into_iter().map(|deed| deed.happen(&scene))).await.into_iter().flatten() {
            assert!(UNDERSTOOD.contains(&answer.status), "{}: {}", answer.status, answer.body);
        }
        let (has_started, outcome) = one_end(&scene, run, race).await;
        started += u32::from(has_started);
        *outcomes.entry(outcome).or_default() += 1;
        // The run gives its target back: whoever comes next would be told that it is held, and never start.
        scene.done("/api/runs/abort", &format!("run={run}&reason=the+race+is+over"), &scene.olga).await;
    }

    println!(
        "{} races: {started} starts, each under an approval that held; in the end the requests were {outcomes:?}",
        races()
    );
    assert!(outcomes.len() > 2, "now this wins and now that: {outcomes:?}");
    assert!(started >= races() / 20, "starts are among what wins, not one in a thousand: {started}");
    assert_eq!(scene.site.portal.store().credentials(&scene.id("lars").await).await.unwrap().unwrap().role, Role::Lead);
}

/// What whoever comes too late is told, and nothing else.
const UNDERSTOOD: [StatusCode; 4] =
    [StatusCode::OK, StatusCode::CONFLICT, StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY];

/// Looks whether the request came to one end at most, and whether what started was approved and still held. Says whether
/// something started, and what became of the request.
async fn one_end(scene: &Scene, run: i64, race: u32) -> (bool, &'static str) {
    let state = scene.run(run).await;
    let request = state.request(1).unwrap();
    let entries = scene.site.portal.store().entries(state.id, 0).await.unwrap();
    let count = |wanted: fn(&Event) -> bool| entries.iter().filter(|entry| wanted(&entry.event)).count();
    let place = |wanted: fn(&Event) -> bool| entries.iter().position(|entry| wanted(&entry.event));
    assert!(count(is_end) <= 1, "race {race}: more than one end of one request");
    assert!(count(is_start) <= 1, "race {race}: started twice");
    assert!(request.approvers().count() <= 2, "race {race}");
    let start = place(is_start);
    if let Some(start) = start {
        let granted = place(|event| matches!(event, Event::ApprovalGranted { .. })).expect("it was approved");
        assert!(granted < start, "race {race}: started before the approval");
        let waited = entries[start].at.since(entries[granted].at);
        assert!(waited <= ApprovalRules::DEFAULT.start_within_ms, "race {race}: started after its time");
        assert!(place(is_end).is_none_or(|end| end > start), "race {race}: started after the request had ended");
        assert_eq!(state.steps[2].attempts[0].digest, request.covers[0].digest(), "race {race}: other work");
        scene.site.settled(u32::try_from(run).unwrap()).await;
    }
    let status = state.request_status(request, scene.site.portal.expiry_now());
    assert!(start.is_none() || status == RequestStatus::Used || request.end.is_some(), "race {race}: {status:?}");
    (start.is_some(), status.word())
}

/// A run whose step 3 is asked for. In every second race somebody has approved it, so that starts are among what races; in every
/// fourth its time is nearly up.
async fn prepared(scene: &Scene, lars: &Authenticator, race: u32) -> i64 {
    std::fs::write(&scene.backup, "the dump").unwrap();
    scene.role("lena", "lead").await;
    scene.clock.advance(60_000);
    let run = scene.asked().await;
    if race.is_multiple_of(2) {
        let form = format!("run={run}&request=1&decision=approve&code={}", lars.code(scene));
        scene.done("/api/approvals/decide", &form, &scene.lars).await;
    }
    if race % 4 >= 2 {
        let clocks = ApprovalRules::DEFAULT;
        let left = if race.is_multiple_of(2) { clocks.start_within_ms } else { clocks.decide_within_ms };
        scene.clock.advance(i64::try_from(left).unwrap() - MOMENT);
    }
    run
}

/// One of each of the eight who race, at moments that are as good as random.
async fn deeds<'s>(
    scene: &'s Scene,
    run: i64,
    (lena, lars): (&Authenticator, &Authenticator),
    random: &mut StdRng,
) -> Vec<Deed<'s>> {
    let decide =
        |decision: &str, code: String| format!("run={run}&request=1&decision={decision}&reason=no&code={code}");
    let demote = format!("person={}&role=operator", scene.id("lena").await);
    let start = format!("run={run}&step=3&attempt=1&commands=1");
    let value = format!("run={run}&name=backup&value=/other.dump");
    let whats = [
        What::Post("/api/approvals/decide", decide("approve", lena.code(scene)), &scene.lena),
        What::Post("/api/approvals/decide", decide("reject", lars.code(scene)), &scene.lars),
        What::Post("/api/approvals/cancel", format!("run={run}&request=1"), &scene.olga),
        What::Pass(2 * MOMENT),
        What::Post("/api/people/role", demote, &scene.ada),
        What::Write(scene.backup.clone().into(), "another dump".to_owned()),
        What::Post("/api/runs/value", value, &scene.olga),
    ];
    let mut deeds: Vec<_> = whats.into_iter().map(|what| Deed { after: moment(random, SPREAD), what }).collect();
    // A start has the longest way to the gate, and would seldom be there first.
    let what = What::Post("/api/runs/run", start, &scene.olga);
    deeds.push(Deed { after: moment(random, SPREAD / 4), what });
    deeds
}

fn moment(random: &mut StdRng, spread: u64) -> Duration {
    Duration::from_micros(random.random_range(..=spread))
}

const fn is_start(event: &Event) -> bool {
    matches!(event, Event::AttemptStarted { step: 3, .. })
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
