use domain::approval::ApprovalRules;
use domain::policy::Role;
use domain::run::{Command, Event, Facts, Request, RequestStatus, Run, Who, decide};
use domain::{RunId, Timestamp};
use testkit::{NOW, person};

use crate::Store;
use crate::tests::{ALL, begun, store};

/// The gate decides, and the store records: what a portal does.
async fn does(store: &Store, run: Run, command: Command, who: &Who, at: Timestamp) -> Run {
    let role = match who {
        Who::Person(actor) => Some(actor.role),
        Who::Portal => None,
    };
    let facts = Facts { factor: Some("code".to_owned()), ..Facts::alone(at, role) };
    let events: Vec<Event> = decide(Some(&run), &command, who, &facts).unwrap();
    let mut write = store.begin().await.unwrap();
    let (run, _) = write.append(Some(run.clone()), run.id, who, at, &events).await.unwrap();
    write.commit().await.unwrap();
    run
}

/// The testkit's plan has a step that destroys.
fn destroying(run: &Run) -> (u32, Vec<u32>) {
    let place = run.plan.steps.iter().position(|step| step.risk == domain::Risk::Destroys).unwrap();
    (u32::try_from(place).unwrap() + 1, vec![1])
}

async fn asked(store: &Store, at: Timestamp) -> Run {
    let run = begun(store).await;
    let wanted = vec![destroying(&run)];
    let ask = Command::RequestApproval { request: 1, wanted, reason: "corrupt".to_owned(), evidence: Box::default() };
    let operator = run.holder.by.clone();
    does(store, run, ask, &operator, at).await
}

fn lead() -> Who {
    Who::Person(person("Lena", Role::Lead))
}

fn grant() -> Command {
    Command::Grant { request: 1, retry: false, rollback: false, comment: String::new() }
}

#[tokio::test]
async fn a_request_waits_in_the_list_until_it_is_decided() {
    let (store, _folder) = store().await;
    let run = asked(&store, NOW).await;

    let waiting = store.waiting_approvals(NOW, 10, &ALL).await.unwrap();
    assert_eq!((waiting.len(), store.count_waiting(NOW, &ALL).await.unwrap()), (1, 1));
    assert_eq!((waiting[0].run, waiting[0].request, waiting[0].reason.as_str()), (RunId(1), 1, "corrupt"));
    assert!(store.recent_approvals(NOW, 10, &ALL).await.unwrap().is_empty());

    let run = does(&store, run, grant(), &lead(), NOW.plus(60_000)).await;
    assert!(store.waiting_approvals(NOW, 10, &ALL).await.unwrap().is_empty());
    let recent = store.recent_approvals(NOW, 10, &ALL).await.unwrap();
    assert_eq!((recent[0].status, recent[0].decided_by.as_deref()), (RequestStatus::Approved, Some("Lena")));
    assert_eq!(store.usual_decision(&ALL).await.unwrap(), Some(60_000));
    assert_eq!(run.request(1).unwrap().approvals.len(), 1);
}

#[tokio::test]
async fn what_nobody_decides_is_overdue_at_its_time_and_not_before() {
    let (store, _folder) = store().await;
    asked(&store, NOW).await;
    let expires = NOW.plus(ApprovalRules::DEFAULT.decide_within_ms);

    assert_eq!(store.next_expiry(NOW).await.unwrap(), Some(expires));
    assert!(store.overdue_approvals(expires, 10).await.unwrap().is_empty());
    assert_eq!(store.overdue_approvals(expires.plus(1), 10).await.unwrap(), [(RunId(1), 1)]);
    assert_eq!(store.count_waiting(expires, &ALL).await.unwrap(), 0, "it does not wait any more, marked or not");
}

#[tokio::test]
async fn an_earlier_rejection_of_the_same_is_found_whoever_asks() {
    let (store, _folder) = store().await;
    let run = asked(&store, NOW).await;
    let no = Command::Reject { request: 1, reason: "not now".to_owned() };
    does(&store, run, no, &lead(), NOW).await;
    let again = asked(&store, NOW).await;

    let request = again.request(1).unwrap();
    let runs = async |slug: &str, since: i64, request: &Request| {
        let found = store.rejections(request, (&slug.into(), RunId(since)), 5, &ALL).await.unwrap();
        found.iter().map(|row| row.run.0).collect::<Vec<_>>()
    };

    assert_eq!(runs("elsewhere", 9, request).await, [1], "all of it");
    let mut more = request.clone();
    more.covers.push(more.covers[0].clone());
    assert_eq!(runs("elsewhere", 9, &more).await, [1], "a set of it");
    more.covers.clear();
    assert_eq!(runs(again.plan.slug.as_str(), 1, &more).await, [1], "the procedure");
    assert_eq!(runs(again.plan.slug.as_str(), 2, &more).await, [0; 0], "in the last runs only");
}

#[tokio::test]
async fn a_broken_glass_is_listed_until_another_lead_has_reviewed_it() {
    let (store, _folder) = store().await;
    let run = begun(&store).await;
    let glass = Command::BreakGlass { request: 1, wanted: vec![destroying(&run)], reason: "alone".to_owned() };
    let operator = run.holder.by.clone();
    let Who::Person(actor) = &operator else { unreachable!() };
    let alone = Who::Person(domain::policy::Actor { role: Role::Lead, ..actor.clone() });
    let run = does(&store, run, glass, &alone, NOW).await;

    assert_eq!(store.unreviewed_glass(5, &ALL).await.unwrap().len(), 1);
    let mut write = store.begin().await.unwrap();
    assert_eq!(write.unreviewed_glass_of(&actor.id).await.unwrap(), Some(RunId(1)));
    drop(write);
    let review = Command::ReviewGlass { request: 1, comment: "right".to_owned() };
    does(&store, run, review, &lead(), NOW).await;
    assert!(store.unreviewed_glass(5, &ALL).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_list_can_be_made_anew_from_the_events() {
    let (store, _folder) = store().await;
    let run = asked(&store, NOW).await;
    does(&store, run, grant(), &lead(), NOW).await;
    let before = store.recent_approvals(NOW, 10, &ALL).await.unwrap();

    let mut write = store.begin().await.unwrap();
    write.rebuild().await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.recent_approvals(NOW, 10, &ALL).await.unwrap(), before);
}
