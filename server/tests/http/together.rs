//! Several people, several runs, one target.

use std::sync::Arc;

use axum::body::Body;
use futures::future::join_all;
use http::{StatusCode, header};

use crate::site::{Answer, Served, call};

const DISRUPTS: &str = "# Restart

## Restart

### Steps

1. **Look**

   ```bash
   echo looked
   ```

2. **Restart**

   ```bash
   docker restart no-such-container
   ```
";

const MINUTE: i64 = 60_000;

async fn post(site: &Served, path: &str, form: &str, cookie: &str) -> Answer {
    site.send(call(path).header(header::COOKIE, cookie).body(Body::from(form.to_owned())).unwrap()).await
}

async fn done(site: &Served, path: &str, form: &str, cookie: &str) {
    let answer = post(site, path, form, cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{path} {form}: {}", answer.body);
}

/// Starts a run; gives its number.
async fn start(site: &Served, key: usize, cookie: &str) -> u32 {
    let answer = post(site, "/api/runs/start", &format!("slug=restart&target=local&key=k{key}"), cookie).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body.trim().parse().unwrap()
}

fn restart(run: u32) -> String {
    format!("run={run}&step=2&attempt=1&commands=1")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_starts_at_once_one_runs_and_the_others_are_told_who_holds_the_target() {
    let site = Served::with_document("restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let mut runs = Vec::new();
    for key in 0..100 {
        runs.push(start(&site, key, &ada).await);
    }

    let forms: Vec<String> = runs.iter().map(|run| restart(*run)).collect();
    let answers = join_all(forms.iter().map(|form| post(&site, "/api/runs/run", form, &ada))).await;

    let (ran, told): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!((ran.len(), told.len()), (1, 99));
    for answer in told {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
        assert!(answer.body.contains("local is held by run"), "{}", answer.body);
        assert!(answer.body.contains("Ada works in it"), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_takes_the_lock_and_the_run_that_held_it_says_so() {
    let site = Served::with_document("restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let [first, second] = [start(&site, 1, &ada).await, start(&site, 2, &ada).await];
    done(&site, "/api/runs/run", &restart(first), &ada).await;
    site.settled(first).await;

    let page = site.get(&format!("/runs/{second}"), &ada).await;
    assert!(page.body.contains("Another run keeps this target"), "{}", page.body);
    done(&site, "/api/runs/take-lock", &format!("run={second}&reason=an+outage"), &ada).await;

    let page = site.get(&format!("/runs/{first}"), &ada).await;
    assert!(page.body.contains("The lock was taken by"), "{}", page.body);
    let again = post(&site, "/api/runs/run", &format!("run={first}&step=2&attempt=2&commands=1"), &ada).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains(&format!("held by run {second}")), "{}", again.body);
    done(&site, "/api/runs/run", &restart(second), &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_takes_a_lock_once_nothing_has_happened_for_half_an_hour() {
    let clock = Arc::new(testkit::FixedClock::default());
    let site = Served::by_clock_with(clock.clone(), "restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let otto = site.person("otto", "Otto", "operator", &ada).await;
    let [first, second] = [start(&site, 1, &ada).await, start(&site, 2, &otto).await];
    done(&site, "/api/runs/run", &restart(first), &ada).await;
    site.settled(first).await;
    let take = format!("run={second}&reason=Ada+has+left");

    clock.advance(29 * MINUTE);
    let early = post(&site, "/api/runs/take-lock", &take, &otto).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "{}", early.body);
    clock.advance(MINUTE);
    done(&site, "/api/runs/take-lock", &take, &otto).await;

    let page = site.get(&format!("/runs/{first}"), &ada).await;
    assert!(page.body.contains("The lock was taken by"), "{}", page.body);
    done(&site, "/api/runs/run", &restart(second), &otto).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_run_gives_its_target_free() {
    let site = Served::with_document("restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let [first, second] = [start(&site, 1, &ada).await, start(&site, 2, &ada).await];
    done(&site, "/api/runs/run", &restart(first), &ada).await;
    site.settled(first).await;

    done(&site, "/api/runs/abort", &format!("run={first}&reason=wrong+host"), &ada).await;

    done(&site, "/api/runs/run", &restart(second), &ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_operator_takes_the_run_over_before_working_in_it() {
    let site = Served::with_document("restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let otto = site.person("otto", "Otto", "operator", &ada).await;
    let run = start(&site, 1, &ada).await;
    let look = format!("run={run}&step=1&attempt=1&commands=1");

    let told = post(&site, "/api/runs/run", &look, &otto).await;
    assert_eq!(told.status, StatusCode::CONFLICT);
    assert!(told.body.contains("Ada works in this run"), "{}", told.body);
    let page = site.get(&format!("/runs/{run}"), &otto).await;
    assert!(page.body.contains("Take the run over"), "{}", page.body);
    done(&site, "/api/runs/take-over", &format!("run={run}&reason=her+shift+is+over"), &otto).await;

    done(&site, "/api/runs/run", &look, &otto).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_the_document_is_added_classed_and_offered_to_it() {
    let site = Served::with_document("restart.md", DISRUPTS.as_bytes()).await;
    let ada = site.administrator().await;
    let run = start(&site, 1, &ada).await;

    let form = format!("run={run}&after=1&place=3&text=rm+-rf+%2Fvar%2Fcache%2Fx&reason=The+disk+is+full");
    done(&site, "/api/runs/add-step", &form, &ada).await;

    let refused = post(&site, "/api/runs/run", &format!("run={run}&step=3&attempt=1&commands=1"), &ada).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("needs the approval of a lead"), "{}", refused.body);
    done(
        &site,
        "/api/runs/add-step",
        &form.replace("rm+-rf+%2Fvar%2Fcache%2Fx", "echo+added").replace("place=3", "place=4"),
        &ada,
    )
    .await;
    done(&site, "/api/runs/run", &format!("run={run}&step=4&attempt=1&commands=1"), &ada).await;
    site.settled(run).await;
    done(&site, "/api/runs/finish", &format!("run={run}&verdict=reached"), &ada).await;
    let page = site.get(&format!("/runs/{run}"), &ada).await;
    assert!(page.body.contains("For the document"), "{}", page.body);
    assert!(page.body.contains("+   echo added"), "{}", page.body);
}
