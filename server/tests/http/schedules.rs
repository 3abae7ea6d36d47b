//! Schedules: what they start, what they leave for a person, and what is said when they start nothing.

use std::sync::Arc;

use domain::policy::{Role, Sight};
use domain::run::{Run, StepStatus};
use domain::view::HomeView;
use domain::{RunId, Timestamp};
use http::StatusCode;
use testkit::{FixedClock, NOW};

use crate::account::{done, post};
use crate::site::{Served, someone};

const DOCUMENT: &str = "# Monitor

## Steps

1. **Look**

   ```bash
   seq COUNT
   ```

2. **Ask**

   - Everybody is well

3. **Look again**

   ```bash
   echo here
   ```

4. **Stop it**

   ```bash
   docker stop no-such-container || true
   ```

5. **Look at last**

   ```bash
   echo there
   ```
";

const PARAMETER: &str =
    "\n[parameter.count]\nplaceholder = \"COUNT\"\ntype = \"number\"\nmin = 1\nmax = 9\ndefault = \"3\"\n";

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The clock shows 21:58:04: it is due in so long.
const UNTIL_TEN: i64 = 116_000;

struct Scene {
    site: Served,
    clock: Arc<FixedClock>,
    ada: String,
}

impl Scene {
    /// A portal with Olga, who has a role, and a procedure with her schedule; more may stand in its table.
    async fn open(cron: &str, role: &str, more: &str) -> Self {
        let settings = format!(
            "[procedure.Monitor]\nschedule = {{ cron = \"{cron}\", zone = \"UTC\", owner = \"olga\" }}\n{more}{PARAMETER}"
        );
        let clock = Arc::new(FixedClock::default());
        let site = Served::by_clock_with_side(clock.clone(), "monitor.md", DOCUMENT, &settings).await;
        let ada = site.administrator().await;
        site.person("olga", "Olga", role, &ada).await;
        let scene = Self { site, clock, ada };
        scene.looks().await;
        scene
    }

    async fn looks(&self) -> Option<Timestamp> {
        self.site.portal.look_at_schedules().await.unwrap()
    }

    /// Time passes, and then it is looked at what is due.
    async fn after(&self, milliseconds: i64) {
        self.clock.advance(milliseconds);
        self.looks().await;
    }

    async fn run(&self, id: i64) -> Option<Run> {
        self.site.portal.store().run(RunId(id), &Sight::EVERYTHING).await.unwrap()
    }

    async fn home(&self) -> HomeView {
        self.site.portal.home(someone(Role::Administrator).viewer().unwrap()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_runs_by_itself_when_it_is_due_and_everything_else_waits_for_a_person() {
    let scene = Scene::open("0 22 * * *", "operator", "").await;
    scene.after(UNTIL_TEN - 1).await;
    assert!(scene.run(1).await.is_none(), "it is not due yet");

    scene.after(1).await;
    scene.site.ended(1, 3).await;

    let run = scene.run(1).await.unwrap();
    let statuses: Vec<StepStatus> = (1..=5).map(|step| run.status(step)).collect();
    let (done_well, waits) = (StepStatus::Done, StepStatus::Waiting);
    assert_eq!(statuses, [done_well, waits, done_well, waits, waits]);
    assert_eq!(run.goes_on_by_itself(), None);
    assert_eq!(run.started.by.name_and_token(), "the schedule of Monitor, for Olga");
    assert_eq!(run.values.get("count").map(String::as_str), Some("3"), "parameters have their defaults");
    assert_eq!(run.reason, "Due Mon 23 Nov 2026, 22:00:00 UTC, by its schedule");
    scene.looks().await;
    assert!(scene.run(2).await.is_none(), "once");
    assert!(scene.home().await.problems.is_empty());

    let over = post(&scene.site, "/api/runs/take-over", "run=1&reason=mine", &scene.ada).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.body);
    done(&scene.site, "/api/runs/tick", "run=1&step=2&item=1", &scene.ada).await;
}

#[tokio::test]
async fn while_the_run_of_the_time_before_is_open_no_other_one_is_started() {
    let scene = Scene::open("0 22 * * *", "operator", "").await;
    scene.after(UNTIL_TEN).await;
    assert!(scene.run(1).await.is_some());

    scene.after(DAY).await;

    assert!(scene.run(2).await.is_none());
    let problems = scene.home().await.problems.join("\n");
    assert!(problems.contains("Run 1, which it has started before, is still open"), "{problems}");
}

#[tokio::test]
async fn what_was_due_while_nobody_looked_is_said_and_not_caught_up() {
    let scene = Scene::open("0 22 * * *", "operator", "").await;

    scene.after(UNTIL_TEN + MINUTE + 1).await;

    assert!(scene.run(1).await.is_none());
    let problems = scene.home().await.problems.join("\n");
    let told = "“Monitor” was due Mon 23 Nov 2026, 22:00:00 UTC by its schedule, and no run was started. The portal was not running";
    assert!(problems.contains(told), "{problems}");
    let page = scene.site.get("/procedures/monitor", &scene.ada).await.body;
    assert!(page.contains("Missed 1 time") && page.contains("due Tue 24 Nov 2026, 22:00:00 UTC"), "{page}");
    scene.after(DAY - MINUTE - 1).await;
    assert!(scene.run(1).await.is_some(), "the next time it is there");
    assert!(scene.home().await.problems.is_empty());
}

#[tokio::test]
async fn a_schedule_has_the_right_of_its_owner_at_that_moment() {
    for (role, more, why) in [
        ("viewer", "", "Its owner olga has the role viewer, and it takes an operator."),
        ("lead", "visible_to = [\"keepers\"]\n", "Its owner olga does not see the procedure."),
    ] {
        let scene = Scene::open("0 22 * * *", role, more).await;
        scene.after(UNTIL_TEN).await;

        let problems = scene.home().await.problems.join("\n");
        assert!(problems.contains(why) && scene.run(1).await.is_none(), "{role}: {problems}");
    }
    let scene = Scene::open("0 22 * * *", "operator", "").await;
    let olga = scene.site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;
    done(&scene.site, "/api/people/disable", &format!("person={olga}"), &scene.ada).await;
    scene.after(UNTIL_TEN).await;
    let problems = scene.home().await.problems.join("\n");
    assert!(problems.contains("Its owner olga has no account, or it is disabled."), "{problems}");
    assert!(scene.run(1).await.is_none());
}

#[tokio::test]
async fn a_schedule_that_is_never_due_is_said_on_the_page() {
    let scene = Scene::open("0 22 30 2 *", "operator", "").await;

    assert_eq!(scene.looks().await, None);
    let problems = scene.home().await.problems.join("\n");
    assert!(problems.contains("The schedule of “Monitor” is never due"), "{problems}");
    let page = scene.site.get("/procedures/monitor", &scene.ada).await.body;
    assert!(page.contains("never due: no month has such a day"), "{page}");
}

#[tokio::test]
async fn a_schedule_that_was_changed_begins_anew_and_one_that_is_gone_is_forgotten() {
    let scene = Scene::open("0 22 * * *", "operator", "").await;
    let side = "[procedure.Monitor]\nschedule = { cron = \"30 23 * * *\", zone = \"UTC\", owner = \"olga\" }\n";
    scene.site.write("monitor.portal.toml", side);

    let due = scene.looks().await.unwrap();
    assert_eq!(due, NOW.plus(5_516_000));
    scene.after(UNTIL_TEN).await;
    assert!(scene.run(1).await.is_none(), "not by the schedule of before");
    scene.site.write("monitor.portal.toml", "");
    assert_eq!(scene.looks().await, None);
    assert!(scene.site.portal.store().schedules().await.unwrap().is_empty());
}
