//! Calling people into a run: by hand, and when the procedure says so; who is told, who is not, and nothing twice.

use std::sync::Arc;

use domain::RunId;
use domain::notice::Occasion;
use domain::policy::Sight;
use domain::run::{Because, EscalationRecord, Run};
use domain::view::{DeliveryRow, DeliveryState, HomeView, RunView};
use http::StatusCode;
use portal::{Channels, MailSettings, MailTls, WebhookKind, WebhookSettings};
use testkit::FixedClock;

use crate::account::{done, post};
use crate::approval_pages::text;
use crate::site::{Places, Served, local};

const DOCUMENT: &str = "# Restore

## Steps

1. **Look**

   ```bash
   ls /no/such/PLACE
   ```

2. **Replace**

   ```bash
   rm -r /no/such/thing
   ```

## Escalation

- Notify the team lead immediately
- If a step fails: tell the operations room
- If nobody decides within 15 minutes: call the deputy
- When in doubt ask the senior DBA
";

const SIDE: &str = "[procedure.Restore]
contacts = { \"team lead\" = \"lena\", \"operations room\" = \"#ops\", \"deputy\" = \"lars\", \"senior DBA\" = \"dba-oncall\" }

[procedure.Restore.parameter.place]
placeholder = \"PLACE\"
type = \"text\"
";

const VALUE: &str = "hunter-otter";

const MINUTE: i64 = 60_000;

/// Ways by which nobody is really reached: what goes out is seen in the outbox.
fn channels() -> Channels {
    let mail = MailSettings {
        host: "127.0.0.1".to_owned(),
        port: 9,
        tls: MailTls::None,
        from: "Portal <portal@example.com>".parse().unwrap(),
        login: None,
        values: false,
    };
    let webhook = |name: &str, events: &[Occasion]| WebhookSettings {
        name: name.to_owned(),
        kind: WebhookKind::Slack,
        url: format!("{name}_url"),
        events: events.iter().copied().collect(),
        values: false,
    };
    let webhooks = vec![webhook("ops", &Occasion::ALL), webhook("team", &Occasion::ALL)];
    Channels { mail: Some(mail), webhooks, ..Channels::default() }
}

struct Scene {
    site: Served,
    clock: Arc<FixedClock>,
    ada: String,
    lena: String,
    olga: String,
}

impl Scene {
    async fn open() -> Self {
        Self::with(SIDE, channels()).await
    }

    /// Olga, an operator, works; Lena and Lars are leads, of whom Lena has a mail address.
    async fn with(side: &str, channels: Channels) -> Self {
        let clock = Arc::new(FixedClock::default());
        let places = Places { channels, ..vec![local()].into() };
        let served = Served::with_targets(clock.clone(), ("restore.md", DOCUMENT, side), places).await;
        let ada = served.administrator().await;
        let lena = served.person("lena", "Lena", "lead", &ada).await;
        served.person("lars", "Lars", "lead", &ada).await;
        let olga = served.person("olga", "Olga", "operator", &ada).await;
        done(&served, "/api/account/mail", "mail=lena@example.com", &lena).await;
        Self { site: served, clock, ada, lena, olga }
    }

    /// The worker that does so in life may be faster: what is due is told all the same, and once.
    async fn looks(&self) {
        self.site.portal.escalate_what_is_due().await.unwrap();
    }

    async fn starts(&self, key: &str) {
        let form = format!("slug=restore&target=&reason=OPS-1&key={key}&values[place]={VALUE}");
        done(&self.site, "/api/runs/start", &form, &self.olga).await;
        self.looks().await;
    }

    async fn fails(&self) {
        done(&self.site, "/api/runs/run", "run=1&step=1&attempt=1&commands=1", &self.olga).await;
        self.site.settled(1).await;
        self.looks().await;
    }

    async fn run(&self) -> Run {
        self.site.portal.store().run(RunId(1), &Sight::EVERYTHING).await.unwrap().unwrap()
    }

    async fn escalations(&self) -> Vec<EscalationRecord> {
        self.run().await.escalations
    }

    /// The lines that were told, in order.
    async fn lines(&self) -> Vec<Option<u32>> {
        self.escalations().await.iter().map(|record| record.line).collect()
    }

    /// What is in the outbox, oldest first.
    async fn outbox(&self) -> Vec<DeliveryRow> {
        let mut rows = self.site.portal.store().last_deliveries(50).await.unwrap();
        rows.reverse();
        rows
    }

    async fn home(&self, cookie: &str) -> HomeView {
        serde_json::from_str(&post(&self.site, "/api/pages/home", "", cookie).await.body).unwrap()
    }

    /// Why nothing is sent to a contact, as the page of the run has it.
    async fn problem(&self, words: &str) -> Option<String> {
        let body = post(&self.site, "/api/pages/run", "run=1", &self.olga).await.body;
        let view: RunView = serde_json::from_str(&body).unwrap();
        view.escalation.contacts.into_iter().find(|contact| contact.words == words).unwrap().problem
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_procedure_says_is_immediate_is_told_when_the_run_starts_and_only_to_whom_it_names() {
    let scene = Scene::open().await;

    scene.starts("one").await;

    let told = scene.escalations().await;
    assert_eq!((told.len(), told[0].line, told[0].because), (1, Some(1), Because::Started));
    assert_eq!(told[0].titles(), "team lead (Lena)");
    assert!(told[0].text.contains("Run 1: Restore on local\n") && !told[0].text.contains(VALUE), "{}", told[0].text);
    let outbox = scene.outbox().await;
    let receivers: Vec<(&str, &str)> = outbox.iter().map(|row| (row.channel.as_str(), row.to.as_str())).collect();
    assert_eq!(receivers, [("mail", "Lena")], "no other person and no webhook");
    assert!(outbox[0].what.starts_with("The portal calls team lead (Lena) into"), "{}", outbox[0].what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_reaches_the_webhook_that_the_line_names_and_no_other() {
    let scene = Scene::open().await;
    scene.starts("one").await;

    scene.fails().await;

    assert_eq!(scene.lines().await, [Some(1), Some(2)]);
    let told = scene.escalations().await;
    assert_eq!(told[1].because, Because::Failed { step: 1, attempt: 1 });
    assert!(told[1].text.contains("step 1, \u{201c}Look\u{201d}: failed, exit code"), "{}", told[1].text);
    let channels: Vec<String> = scene.outbox().await.into_iter().map(|row| row.channel).collect();
    assert_eq!(channels, ["mail", "ops"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_time_without_a_decision_a_contact_is_told_and_once_for_each_wait() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    let ask = "run=1&request=1&wanted[s2.1]=on&reason=corrupt";
    done(&scene.site, "/api/approvals/ask", ask, &scene.olga).await;
    scene.looks().await;
    assert_eq!(scene.lines().await, [Some(1)]);

    scene.clock.advance(16 * MINUTE);
    scene.looks().await;
    scene.looks().await;

    assert_eq!(scene.lines().await, [Some(1), Some(3)]);
    let told = scene.escalations().await;
    assert!(matches!(told[1].because, Because::Undecided { request: 1, .. }), "{:?}", told[1].because);
    assert!(told[1].text.contains("Waits for a decision: request 1-1"), "{}", told[1].text);
    // Lars has no mail address: it stands on his start page.
    assert!(!told[1].to[0].is_reached() && told[1].to[0].person.is_some());
    let lars = scene.site.sign_in("lars").await;
    assert_eq!(scene.home(&lars).await.escalations.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_makes_no_wait_after_a_failure_shorter() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    scene.clock.advance(20 * MINUTE);
    scene.looks().await;
    scene.clock.advance(-20 * MINUTE);

    scene.fails().await;
    scene.clock.advance(14 * MINUTE);
    scene.looks().await;
    assert_eq!(scene.lines().await, [Some(1), Some(2)]);

    scene.clock.advance(2 * MINUTE);
    scene.looks().await;
    assert_eq!(scene.lines().await, [Some(1), Some(2), Some(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_told_is_told_again_by_the_next_portal() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    scene.fails().await;
    let (before, outbox) = (scene.escalations().await, scene.outbox().await.len());

    let Scene { site, clock, ada, lena, olga } = scene;
    let scene = Scene { site: site.again(clock.clone()).await, clock, ada, lena, olga };
    scene.looks().await;
    scene.clock.advance(MINUTE);
    scene.looks().await;

    assert_eq!(scene.escalations().await, before);
    assert_eq!(scene.outbox().await.len(), outbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_due_while_no_portal_ran_is_told_by_the_next_one() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    let ask = "run=1&request=1&wanted[s2.1]=on&reason=corrupt";
    done(&scene.site, "/api/approvals/ask", ask, &scene.olga).await;

    let Scene { site, clock, ada, lena, olga } = scene;
    clock.advance(16 * MINUTE);
    let scene = Scene { site: site.again(clock.clone()).await, clock, ada, lena, olga };
    scene.looks().await;

    assert_eq!(scene.lines().await, [Some(1), Some(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_at_the_console_tells_nobody_and_leaves_who_is_due_to_the_next_portal() {
    let scene = Scene::open().await;
    let lars = scene.site.sign_in("lars").await;
    done(&scene.site, "/api/account/mail", "mail=lars@example.com", &lars).await;
    scene.starts("one").await;
    let ask = "run=1&request=1&wanted[s2.1]=on&reason=corrupt";
    done(&scene.site, "/api/approvals/ask", ask, &scene.olga).await;

    let Scene { site, clock, ada, lena, olga } = scene;
    clock.advance(16 * MINUTE);
    let scene = Scene { site: site.after_a_command(clock.clone()).await, clock, ada, lena, olga };
    scene.looks().await;

    assert_eq!(scene.lines().await, [Some(1), Some(3)]);
    let told = scene.escalations().await;
    assert!(told[1].to[0].mail, "the command knew no mail: {:?}", told[1].to);
    let outbox = scene.outbox().await;
    let to_lars = |row: &&DeliveryRow| row.to == "Lars" && row.what.starts_with("The portal calls deputy");
    assert_eq!(outbox.iter().filter(to_lars).count(), 1, "{outbox:?}");
    assert!(outbox.iter().all(|row| row.state == DeliveryState::Waiting), "nothing was given up: {outbox:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_calls_a_contact_with_their_own_words_once_with_each_form() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    let form = "run=1&number=2&contact=team+lead&text=It+hangs.%0D%0ALook+at+it.";

    done(&scene.site, "/api/runs/escalate", form, &scene.olga).await;
    let again = post(&scene.site, "/api/runs/escalate", form, &scene.olga).await;

    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
    let told = scene.escalations().await;
    assert_eq!((told.len(), told[1].line, told[1].text.as_str()), (2, None, "It hangs.\nLook at it."));
    assert_eq!(told[1].stamp.by.name(), "Olga");
    let outbox = scene.outbox().await;
    assert_eq!((outbox.len(), outbox[1].to.as_str()), (2, "Lena"));
    assert!(outbox[1].what.starts_with("Olga calls team lead (Lena) into"), "{}", outbox[1].what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_from_a_page_that_is_behind_is_said_not_to_be_made() {
    let scene = Scene::open().await;
    scene.starts("one").await;

    // The page was made before the portal told the team lead.
    let late = post(&scene.site, "/api/runs/escalate", "run=1&number=1&contact=deputy&text=x", &scene.olga).await;

    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    assert!(late.body.contains("Your call of deputy was not made"), "{}", late.body);
    assert_eq!(scene.lines().await, [Some(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_words_of_their_own_the_portal_writes_the_hand_over() {
    let scene = Scene::open().await;
    scene.starts("one").await;

    done(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=team+lead", &scene.olga).await;

    let told = scene.escalations().await;
    assert!(told[1].text.starts_with("Run 1: Restore on local\nStarted by Olga"), "{}", told[1].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_called_who_is_no_contact_or_by_who_may_not_work_in_runs() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    let vera = scene.site.person("vera", "Vera", "viewer", &scene.ada).await;

    let stranger = post(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=lena&text=x", &scene.olga).await;
    let viewer = post(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=team+lead&text=x", &vera).await;

    assert_eq!((stranger.status, viewer.status), (StatusCode::CONFLICT, StatusCode::FORBIDDEN), "{}", stranger.body);
    assert!(stranger.body.contains("no contact with this name"), "{}", stranger.body);
    assert_eq!(scene.lines().await, [Some(1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_without_a_way_is_said_on_the_pages_and_that_they_were_called_is_recorded() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    let sentence = "dba-oncall has no mail address and no webhook; call dba-oncall.";

    let page = text(&scene.site.get("/runs/1", &scene.olga).await.body);
    let procedure = text(&scene.site.get("/procedures/restore", &scene.olga).await.body);
    assert!(page.contains(sentence) && page.contains("Note that you called senior DBA"), "{page}");
    assert!(procedure.contains(sentence), "{procedure}");
    assert!(procedure.contains("lena, told when the run starts"), "{procedure}");
    assert_eq!((scene.problem("team lead").await, scene.problem("operations room").await), (None, None));
    assert!(scene.problem("deputy").await.unwrap().starts_with("Lars has no mail address and no webhook; call Lars."));

    done(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=senior+DBA", &scene.olga).await;

    let told = scene.escalations().await;
    assert_eq!((told[1].titles().as_str(), told[1].to[0].is_reached()), ("senior DBA (dba-oncall)", false));
    assert_eq!(scene.outbox().await.len(), 1, "nothing is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_called_finds_it_on_the_start_page_until_they_work_in_the_run() {
    let scene = Scene::open().await;
    assert!(scene.home(&scene.lena).await.escalations.is_empty());
    scene.starts("one").await;

    let calls = scene.home(&scene.lena).await.escalations;
    assert_eq!((calls.len(), calls[0].run, calls[0].by.as_str()), (1, RunId(1), "The portal"));
    assert!(scene.home(&scene.olga).await.escalations.is_empty());
    let page = text(&scene.site.get("/", &scene.lena).await.body);
    assert!(page.contains("You are called into Restore on local"), "{page}");
    assert!(page.contains("The run has started, and the procedure says"), "{page}");

    done(&scene.site, "/api/runs/take-over", "run=1&reason=mine", &scene.lena).await;
    assert!(scene.home(&scene.lena).await.escalations.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_stands_in_its_field_as_text_whatever_people_have_written() {
    let scene = Scene::open().await;
    let reason = "%3C%2Ftextarea%3E%3Ci+id%3Dplanted%3E";
    let form = format!("slug=restore&target=&reason={reason}&key=one&values[place]={VALUE}");
    done(&scene.site, "/api/runs/start", &form, &scene.olga).await;

    let page = scene.site.get("/runs/1", &scene.olga).await.body;

    assert!(page.contains("&lt;/textarea>&lt;i id=planted>"), "{page}");
    assert!(!page.contains("<i id=planted>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_see_the_run_is_told_nothing_of_it() {
    let side = SIDE.replace("[procedure.Restore]\n", "[procedure.Restore]\nvisible_to = [\"keepers\"]\n");
    let scene = Scene::with(&side, channels()).await;
    let olga = scene.site.portal.store().person_by_login("olga").await.unwrap().unwrap().id;
    done(&scene.site, "/api/people/groups", &format!("person={olga}&groups=keepers"), &scene.ada).await;

    scene.starts("one").await;

    let told = scene.escalations().await;
    assert_eq!((told.len(), told[0].to[0].person.is_some(), told[0].to[0].mail), (1, false, false));
    assert!(scene.outbox().await.is_empty() && scene.home(&scene.lena).await.escalations.is_empty());
    let problem = scene.problem("team lead").await.unwrap();
    assert_eq!(problem, "Lena does not see this run, so nothing is sent; call Lena.");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_took_the_name_of_a_contact_and_may_not_work_in_runs_is_told_nothing() {
    let scene = Scene::open().await;
    let mallory = scene.site.person("dba-oncall", "Mallory", "viewer", &scene.ada).await;
    done(&scene.site, "/api/account/mail", "mail=mallory@example.com", &mallory).await;
    scene.starts("one").await;
    let before = scene.outbox().await.len();

    let problem = scene.problem("senior DBA").await.unwrap();
    done(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=senior+DBA", &scene.olga).await;

    assert_eq!(problem, "The account dba-oncall may not work in runs, so nothing is sent to it; call dba-oncall.");
    let told = scene.escalations().await;
    assert_eq!((told[1].titles().as_str(), told[1].to[0].person.is_some()), ("senior DBA (dba-oncall)", false));
    assert_eq!(scene.outbox().await.len(), before);
    assert!(scene.home(&mallory).await.escalations.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_told_nothing_of_escalations_is_no_way() {
    let mut ways = channels();
    ways.webhooks[0].events.remove(&Occasion::Escalated);
    let scene = Scene::with(SIDE, ways).await;
    scene.starts("one").await;

    scene.fails().await;

    let told = scene.escalations().await;
    assert_eq!((told.len(), told[1].to[0].webhook.as_deref()), (2, None));
    let problem = scene.problem("operations room").await.unwrap();
    assert_eq!(problem, "#ops has no mail address and no webhook; call #ops.");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_run_that_is_closed_nobody_is_called_any_more() {
    let scene = Scene::open().await;
    scene.starts("one").await;
    done(&scene.site, "/api/runs/finish", "run=1&verdict=aborted&comment=no", &scene.olga).await;

    let late = post(&scene.site, "/api/runs/escalate", "run=1&number=2&contact=team+lead", &scene.olga).await;
    scene.clock.advance(60 * MINUTE);
    scene.looks().await;

    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    assert_eq!(scene.lines().await, [Some(1)]);
    assert!(scene.home(&scene.lena).await.escalations.is_empty());
    let record = text(&scene.site.get("/runs/1", &scene.lena).await.body);
    assert!(record.contains("the portal called team lead (Lena)"), "{record}");
}
