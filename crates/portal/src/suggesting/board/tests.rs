use std::collections::BTreeSet;

use domain::alert::Told;
use domain::policy::{Role, Scope, Token};
use testkit::{NOW, person};

use super::*;

/// Something of an alert that fires or is resolved, each by its marks.
fn told(name: &str, service: &str, firing: &[&str], resolved: &[&str]) -> Told {
    let set = |marks: &[&str]| marks.iter().map(|mark| (*mark).to_owned()).collect::<BTreeSet<_>>();
    Told {
        name: name.to_owned(),
        service: service.to_owned(),
        since: NOW,
        latest: NOW,
        summary: "The ledger is wet".to_owned(),
        labels: [("file".to_owned(), "a.txt".to_owned()), ("secret".to_owned(), "x".to_owned())].into(),
        firing: set(firing),
        resolved: set(resolved),
    }
}

fn webhook(told: Vec<Told>) -> Webhook {
    Webhook { told, ..Webhook::default() }
}

fn empty() -> Board {
    let mut board = Board::default();
    board.know(Vec::new());
    board
}

/// Procedures name every alert that begins with `Ledger`, and ask for the label `file`.
fn bound(name: &str) -> Option<Wanted> {
    name.starts_with("Ledger").then(|| ["file".to_owned()].into())
}

fn heard(board: &mut Board, told: Vec<Told>, now: Timestamp) -> HeardAlerts {
    let (heard, changes) = board.hear(webhook(told), bound, now, now);
    for change in changes {
        match change {
            Change::Close { id, .. } => board.closed(id),
            Change::Open(new) => {
                let next = board.open().last().map_or(1, |last| last.id.0 + 1);
                board.opened(SuggestionId(next), new, now);
            }
        }
    }
    heard
}

#[test]
fn what_is_told_again_is_one_suggestion_that_counts() {
    let mut board = empty();

    let first = heard(&mut board, vec![told("LedgerWet", "ledger", &["a"], &[])], NOW);
    let second = heard(&mut board, vec![told("LedgerWet", "ledger", &["a", "b"], &[])], NOW.plus(5));

    assert_eq!((first.opened, second.repeated, second.opened), (1, 1, 0));
    let open = board.open();
    assert_eq!((open.len(), open[0].times, open[0].heard, open[0].about.firing.len()), (1, 2, NOW.plus(5), 2));
    assert_eq!(open[0].about.labels.keys().collect::<Vec<_>>(), ["file"], "nobody asks for the other");
    assert_eq!(board.unwritten().count(), 1);
    board.written(NOW.plus(5));
    assert_eq!(board.unwritten().count(), 0);
    let last = heard(&mut board, vec![told("LedgerWet", "ledger", &[], &["a", "b"])], NOW.plus(9));
    assert_eq!((last.closed, board.open().len()), (1, 0));
}

#[test]
fn what_was_dismissed_is_counted_and_not_shown() {
    let mut board = empty();
    heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW);
    board.dismissed(SuggestionId(1), NOW.plus(1));

    let again = heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW.plus(2));

    assert_eq!((again.repeated, again.opened, board.open().len()), (1, 0, 0));
    let new = Told { latest: NOW.plus(3), ..told("LedgerWet", "", &["b"], &[]) };
    assert_eq!(heard(&mut board, vec![new], NOW.plus(4)).opened, 1);
    assert_eq!(board.open().len(), 1);
}

#[test]
fn a_flood_opens_a_hundred_and_the_rest_is_a_number() {
    let mut board = empty();
    let mut sum = HeardAlerts::default();
    for number in 0..10_000_u32 {
        let now = NOW.plus(u64::from(number) * 6);
        let heard = heard(&mut board, vec![told("LedgerWet", &number.to_string(), &["a"], &[])], now);
        sum.opened += heard.opened;
        sum.left_out += heard.left_out;
    }

    assert_eq!((sum.opened, sum.left_out), (100, 9_900));
    assert_eq!(board.open().len(), MOST_OPEN);
    let problems = board.problems(NOW.plus(60_000));
    let told = "100 suggestions were open, which is the most, so that 9,900 alerts";
    assert!(problems[0].starts_with(told), "{problems:?}");
}

#[test]
fn what_flaps_is_put_off_when_it_has_come_and_gone_too_often_in_a_minute() {
    let mut board = empty();
    let mut flap = |now: Timestamp| {
        let on = heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], now);
        let off = heard(&mut board, vec![told("LedgerWet", "", &[], &["a"])], now);
        (on.opened + off.closed, on.put_off + off.put_off)
    };

    let made: u64 = (0..1_000).map(|_| flap(NOW).0).sum();

    assert_eq!(made, u64::from(MOST_CHANGES));
    assert_eq!(flap(NOW.plus(MINUTE_MS - 1)), (0, 1));
    assert_eq!(flap(NOW.plus(MINUTE_MS)), (2, 0));
}

#[test]
fn names_that_no_procedure_knows_are_a_bounded_list_of_numbers() {
    let mut board = empty();
    for number in 0..10_000_u64 {
        let name = format!("Odd{}", number % 500);
        let resolved = told("OddResolved", "", &[], &["a"]);
        heard(&mut board, vec![told(&name, "", &["a"], &[]), resolved], NOW.plus(number));
    }

    let AlertsView { unbound, unbound_others } = board.unbound();

    assert_eq!((unbound.len(), unbound[0].times), (MOST_UNBOUND, 20));
    assert_eq!(unbound.iter().map(|row| row.times).sum::<u64>() + unbound_others, 10_000);
    assert!(board.open().is_empty());
}

#[test]
fn a_suggestion_is_over_when_no_procedure_names_its_alert_any_more() {
    let mut board = empty();
    heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW);

    let (heard, changes) = board.hear(webhook(vec![told("LedgerWet", "", &["a"], &[])]), |_| None, NOW, NOW);

    assert_eq!((heard.unbound, heard.closed, changes.len()), (1, 1, 1));
}

#[test]
fn a_refusal_is_said_until_the_same_token_sends_a_good_one() {
    let mut board = empty();
    let by = |id: &str| {
        let token = Token { id: id.into(), name: id.to_owned(), scope: Scope::Suggest };
        person("olga", Role::Operator).by_token(token, Role::Operator)
    };
    board.refused(&by("one"), "it is no JSON object", NOW);

    board.accepted(&by("two"), &webhook(Vec::new()), NOW);
    assert_eq!(board.problems(NOW).len(), 1);
    assert!(board.problems(NOW)[0].contains("it is no JSON object"), "{:?}", board.problems(NOW));
    board.accepted(&by("one"), &Webhook { nameless: 3, truncated: u64::MAX, ..Webhook::default() }, NOW);
    assert!(board.problems(NOW)[0].starts_with("3 alerts came without a name"), "{:?}", board.problems(NOW));
    assert!(board.problems(NOW.plus(SAID_MS)).is_empty());
}

#[test]
fn counts_are_written_once_in_a_second() {
    let mut board = empty();
    heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW);
    assert!(!board.is_to_be_written(NOW), "nothing is ahead");

    heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW);
    assert!(board.is_to_be_written(NOW));
    board.written(NOW);
    heard(&mut board, vec![told("LedgerWet", "", &["a"], &[])], NOW);

    assert!(!board.is_to_be_written(NOW.plus(WRITTEN_MS - 1)));
    assert!(board.is_to_be_written(NOW.plus(WRITTEN_MS)));
}
