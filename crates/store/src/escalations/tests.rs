use domain::PersonId;
use domain::escalation::{Addressee, Contact, Due, Line};
use domain::policy::{Role, Sight, typed_groups};
use domain::run::{Because, Event, Run, Verdict};
use testkit::{NOW, actor, plan, start, who};

use crate::Store;
use crate::tests::{ALL, begun, continued, store};

const LENA: &str = "lena";

fn called(person: &str, line: Option<u32>) -> Event {
    let addressee = Addressee {
        words: "team lead".to_owned(),
        name: "Lena".to_owned(),
        person: Some(person.into()),
        mail: true,
        webhook: None,
    };
    let because = if line.is_some() { Because::Started } else { Because::ByHand };
    Event::Escalated { line, to: vec![addressee], because, text: "It stands here.".to_owned() }
}

fn finished() -> Event {
    Event::RunFinished { verdict: Verdict::Aborted, comment: "enough".to_owned() }
}

/// A run whose procedure tells somebody at the start.
async fn by_itself(store: &Store) -> Run {
    let mut plan = plan();
    let to = vec![Contact { words: "team lead".to_owned(), name: LENA.to_owned() }];
    plan.escalation.lines = vec![Line { words: "Notify team lead immediately".to_owned(), due: Due::AtStart, to }];
    continued(store, None, &[start(plan, "")], NOW).await
}

async fn rows(store: &Store, person: &str, sight: &Sight) -> Vec<(i64, u32)> {
    let rows = store.escalated_to(&PersonId(person.to_owned()), 9, sight).await.unwrap();
    rows.into_iter().map(|row| (row.run.0, row.number)).collect()
}

#[tokio::test]
async fn a_person_finds_the_open_runs_into_which_they_are_called_by_the_last_call_for_each() {
    let (store, _folder) = store().await;
    let (one, other) = (begun(&store).await, begun(&store).await);

    let one = continued(&store, Some(one), &[called(LENA, None), called(LENA, None)], NOW).await;
    continued(&store, Some(other), &[called(LENA, None), called("lars", None)], NOW.plus(1)).await;

    assert_eq!(rows(&store, LENA, &ALL).await, [(2, 1), (1, 2)], "the newest first");
    assert_eq!(rows(&store, "lars", &ALL).await, [(2, 2)]);
    assert_eq!(rows(&store, "olga", &ALL).await, []);
    let row = store.escalated_to(&PersonId(LENA.to_owned()), 1, &ALL).await.unwrap().remove(0);
    assert_eq!((row.by.as_str(), row.why.as_str(), row.at), ("operator", "A person decided so.", NOW.plus(1)));
    continued(&store, Some(one), &[finished()], NOW.plus(2)).await;
    assert_eq!(rows(&store, LENA, &ALL).await, [(2, 1)], "a closed run calls nobody");
}

#[tokio::test]
async fn who_works_in_the_run_is_not_called_into_it_any_more() {
    let (store, _folder) = store().await;
    let lead = actor(Role::Lead);
    let run = continued(&store, Some(begun(&store).await), &[called(lead.id.as_str(), None)], NOW).await;
    assert_eq!(rows(&store, lead.id.as_str(), &ALL).await, [(1, 1)]);

    let mut write = store.begin().await.unwrap();
    let over = Event::RunTakenOver { reason: "mine".to_owned() };
    write.append(Some(run), domain::RunId(1), &who(Role::Lead), NOW, &[over]).await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(rows(&store, lead.id.as_str(), &ALL).await, []);
}

#[tokio::test]
async fn nobody_is_called_into_a_run_that_they_do_not_see() {
    let (store, _folder) = store().await;
    let limited = domain::plan::Plan { visible_to: Some(typed_groups("keepers").unwrap()), ..plan() };
    continued(&store, None, &[start(limited, ""), called(LENA, None)], NOW).await;

    let sight = |groups: &str| Sight::of(Role::Lead, typed_groups(groups).unwrap(), []);
    assert_eq!(rows(&store, LENA, &sight("keepers")).await, [(1, 1)]);
    assert_eq!(rows(&store, LENA, &sight("")).await, []);
}

#[tokio::test]
async fn a_run_is_known_from_when_something_is_due_until_somebody_was_told_or_it_is_closed() {
    let (store, _folder) = store().await;
    begun(&store).await;
    let run = by_itself(&store).await;
    let closed = by_itself(&store).await;
    let next = async |now| store.next_escalation(now).await.unwrap();
    let due = async |now| store.escalating_runs(now).await.unwrap();

    let before = NOW.minus(1);
    assert_eq!((due(before).await, next(before).await), (Vec::new(), Some(NOW)));
    assert_eq!(due(NOW).await, [run.id, closed.id], "the first one says nothing of the kind");
    continued(&store, Some(run), &[called(LENA, Some(1))], NOW).await;
    assert_eq!((due(NOW).await, next(NOW).await), (vec![closed.id], None));
    continued(&store, Some(closed), &[finished()], NOW).await;
    assert_eq!((due(NOW.plus(1)).await, next(before).await), (Vec::new(), None));
}

#[tokio::test]
async fn what_was_told_is_not_written_again_by_what_happens_afterwards() {
    let (store, _folder) = store().await;
    let run = continued(&store, Some(begun(&store).await), &[called(LENA, None)], NOW).await;
    // Not what the events say: a row that is written anew would lose it.
    let mut write = store.begin().await.unwrap();
    sqlx::query("UPDATE escalations SET why = 'kept'").execute(write.connection()).await.unwrap();
    write.commit().await.unwrap();

    continued(&store, Some(run), &[called("lars", None)], NOW).await;

    let why = async |person: &str| {
        let rows = store.escalated_to(&PersonId(person.to_owned()), 9, &ALL).await.unwrap();
        rows.into_iter().map(|row| row.why).collect::<Vec<_>>()
    };
    assert_eq!(
        (why(LENA).await, why("lars").await),
        (vec!["kept".to_owned()], vec!["A person decided so.".to_owned()])
    );
}

#[tokio::test]
async fn the_lists_are_made_anew_from_the_events() {
    let (store, _folder) = store().await;
    let told = by_itself(&store).await;
    continued(&store, Some(told), &[called(LENA, Some(1))], NOW).await;
    let waiting = by_itself(&store).await;
    let before = store.escalated_to(&PersonId(LENA.to_owned()), 9, &ALL).await.unwrap();
    assert_eq!(before[0].by, "The portal");

    let mut write = store.begin().await.unwrap();
    write.rebuild().await.unwrap();
    write.commit().await.unwrap();

    assert_eq!(store.escalated_to(&PersonId(LENA.to_owned()), 9, &ALL).await.unwrap(), before);
    assert_eq!(store.escalating_runs(NOW).await.unwrap(), [waiting.id]);
}
