//! What an earlier request has in common with another, and how it differs.

use super::stage::*;
use crate::Risk;
use crate::plan::Plan;
use crate::run::{Again, Run, again, compared};

/// Two steps that destroy, *Clear* and *Drop*.
fn two() -> Plan {
    let mut plan = plan();
    plan.steps.truncate(4);
    plan.steps.push(step(5, "Drop", vec![command("dropdb shop", Risk::Destroys)]));
    plan
}

/// The same with a step before them, and one between them.
fn inserted() -> Plan {
    let mut plan = two();
    plan.steps.insert(4, step(5, "Wipe", vec![command("rm -rf logs", Risk::Destroys)]));
    plan.steps.insert(0, step(1, "Greet", vec![command("date", Risk::Reads)]));
    plan
}

fn asks(plan: Plan, steps: &[u32]) -> Run {
    let wanted: Vec<(u32, &[u32])> = steps.iter().map(|step| (*step, &[1][..])).collect();
    Story::of(plan).does(ask(1, &wanted)).run
}

fn differ(before: &Run, now: &Run) -> Vec<String> {
    let found = compared((&before.plan, &before.requests[0]), (&now.plan, &now.requests[0]));
    found.iter().map(ToString::to_string).collect()
}

fn common(before: &Run, now: &Run) -> Option<Again> {
    again((&before.plan, &before.requests[0]), (&now.plan, &now.requests[0]))
}

#[test]
fn an_inserted_step_is_one_difference_and_not_all_of_them() {
    let before = asks(two(), &[4, 5]);

    assert_eq!(differ(&before, &asks(inserted(), &[5, 7])), [""; 0], "what stands elsewhere is what it was");
    assert_eq!(
        differ(&before, &asks(inserted(), &[5, 6, 7])),
        ["step \u{201c}Wipe\u{201d} is new: \u{201c}rm -rf logs\u{201d}"]
    );
    assert_eq!(
        differ(&asks(inserted(), &[5, 6, 7]), &before),
        ["step \u{201c}Wipe\u{201d} was \u{201c}rm -rf logs\u{201d} and is gone"]
    );
}

#[test]
fn a_step_is_known_by_its_title_and_by_what_it_does() {
    let before = asks(two(), &[4, 5]);
    let mut plan = two();
    plan.steps[3].title = "Clear the cache".to_owned();
    plan.steps[4].commands[0].script = "dropdb mail".to_owned();

    assert_eq!(
        differ(&before, &asks(plan, &[4, 5])),
        ["\u{201c}Drop\u{201d}, command 1 was \u{201c}dropdb shop\u{201d} and is \u{201c}dropdb mail\u{201d}"]
    );
}

#[test]
fn a_part_of_what_was_refused_is_found_again() {
    let both = asks(two(), &[4, 5]);
    let bytes = |steps: &[&str]| Some(Again::Bytes { steps: steps.iter().map(ToString::to_string).collect() });

    assert_eq!(common(&both, &asks(two(), &[4, 5])), Some(Again::Same));
    assert_eq!(common(&both, &asks(two(), &[5])), bytes(&["Drop"]));
    let mut elsewhere = inserted();
    elsewhere.slug = "other".into();
    assert_eq!(common(&both, &asks(elsewhere, &[6, 7])), bytes(&["Drop"]), "in another procedure, too");
}

#[test]
fn the_same_step_with_other_commands_is_found_in_its_procedure_only() {
    let before = asks(two(), &[5]);
    let mut changed = two();
    changed.steps[4].commands[0].script = "dropdb mail".to_owned();

    assert_eq!(common(&before, &asks(changed.clone(), &[4, 5])), Some(Again::Steps { steps: vec!["Drop".to_owned()] }));
    assert_eq!(common(&before, &asks(changed.clone(), &[4])), None);
    changed.slug = "other".into();
    assert_eq!(common(&before, &asks(changed, &[5])), None);
}
