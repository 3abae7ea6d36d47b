//! What makes an approval void, and how that is said.

use super::{LENA, approved, asked, clear, ready};
use crate::approval::{Evidence, EvidenceItem, FileIdentity, Standing};
use crate::attempt::{AttemptResult, Outcome};
use crate::policy::Role;
use crate::run::tests::stage::*;
use crate::run::{Command, Event, Facts, Refusal, RequestEnd, RequestStatus, decide};

#[test]
fn what_changes_after_the_request_makes_it_void_and_says_how() {
    let changes = [
        (
            Command::SetValue { name: "branch".to_owned(), value: "other".to_owned() },
            "the value of branch was \u{201c}main\u{201d} and is \u{201c}other\u{201d}",
        ),
        (
            Command::SetDirectory { path: "/elsewhere".to_owned() },
            "the directory was \u{201c}/srv\u{201d} and is \u{201c}/elsewhere\u{201d}",
        ),
    ];
    for story in [asked(), approved()] {
        for (change, expected) in &changes {
            let moved = story.clone().does(change.clone());
            let Some(RequestEnd::Void { why, .. }) = &moved.run.requests[0].end else { panic!("{change:?}") };
            assert_eq!(why.iter().map(ToString::to_string).collect::<Vec<_>>(), [*expected]);
            assert!(matches!(moved.refuses(clear()), Refusal::Decided { status: RequestStatus::Void, .. }));
        }
        // What does not touch the covered step leaves it alone.
        let same = story.clone().does(Command::AddNote { step: None, text: "so far so good".to_owned() }).skips(2);
        assert!(same.status(1).is_live());
    }
}

#[test]
fn a_step_that_moves_the_directory_makes_the_approval_void() {
    let moved = approved().runs(1, &[1]).ends(1, Outcome::Success).settles(AttemptResult::Completed);

    assert_eq!(moved.status(1), RequestStatus::Void);
}

#[test]
fn a_lead_who_is_none_any_more_has_approved_nothing() {
    let story = approved();
    for (role, word) in [(Some(Role::Operator), "operator"), (None, "disabled")] {
        let mut facts = story.facts(Some(Role::Operator));
        facts.standings = role.map(|role| (LENA.into(), role)).into_iter().collect();

        assert_eq!(story.voids(&clear(), &facts), [format!("Lena, who approved, is {word} now")]);
    }
}

#[test]
fn a_lead_who_has_shaped_the_run_since_has_approved_nothing() {
    let mut story = approved();
    story.run.shapers.insert(LENA.into(), crate::run::Shaped::Ran);

    assert_eq!(
        story.voids(&clear(), &story.facts(Some(Role::Operator))),
        ["Lena, who approved, has run a step of it since"]
    );
}

#[test]
fn other_rules_make_it_void() {
    let story = approved();
    let mut facts = story.facts(Some(Role::Operator));
    facts.rules.start_within_ms += 1;

    assert_eq!(story.voids(&clear(), &facts), ["the rules about approvals have changed"]);
}

fn dump() -> FileIdentity {
    FileIdentity {
        path: "/b/latest.dump".to_owned(),
        resolved: "/b/latest.dump".to_owned(),
        device: 1,
        inode: 7,
        size: 100,
        modified_ns: 5,
        content: None,
    }
}

#[test]
fn another_file_of_the_same_name_makes_it_void() {
    let item = EvidenceItem {
        name: "Backup file".to_owned(),
        standing: Standing::Good,
        result: "7 h old".to_owned(),
        saw: Vec::new(),
        bound: Some(dump()),
    };
    let evidence = Box::new(Evidence { at: NOW, items: vec![item] });
    let ask =
        Command::RequestApproval { request: 1, wanted: vec![(4, vec![1, 2])], reason: "why".to_owned(), evidence };
    let story = ready().does(ask).lead(LENA, grant(1));
    let looking = |found: Result<FileIdentity, String>| {
        let bound = [("/b/latest.dump".to_owned(), found)].into();
        Facts { bound, ..story.facts(Some(Role::Operator)) }
    };
    let olga = person("Olga", Role::Operator);

    let same = decide(Some(&story.run), &clear(), &olga, &looking(Ok(dump()))).unwrap();
    assert!(matches!(same.last(), Some(Event::AttemptStarted { approval: Some(1), .. })));
    for other in [
        FileIdentity { inode: 8, ..dump() },
        FileIdentity { size: 101, ..dump() },
        FileIdentity { modified_ns: 6, ..dump() },
        FileIdentity { device: 2, ..dump() },
        FileIdentity { resolved: "/b/other.dump".to_owned(), ..dump() },
    ] {
        assert!(story.voids(&clear(), &looking(Ok(other)))[0].starts_with("the file /b/latest.dump was"));
    }
    let gone = looking(Err("it is not there".to_owned()));
    let refused = |facts: &Facts| decide(Some(&story.run), &clear(), &olga, facts).unwrap_err();
    assert!(matches!(refused(&gone), Refusal::Unseen { why, .. } if why == "it is not there"));
    assert!(matches!(refused(&story.facts(Some(Role::Operator))), Refusal::Unseen { .. }));
}

#[test]
fn a_part_of_what_was_approved_is_something_else() {
    assert_eq!(approved().refuses(run(4, 1, &[2])), Refusal::Whole);
    assert!(matches!(approved().refuses(run(4, 1, &[1])), Refusal::NeedsApproval { .. }));
}
