//! Secrets by name and version, and the variables that steps leave for later ones.

use std::collections::BTreeMap;

use super::stage::*;
use crate::Digest;
use crate::attempt::{AttemptResult, Carried, Exported};
use crate::plan::Plan;
use crate::policy::Role;
use crate::run::{ChangeKind, Command, Event, Facts, Who, decide};
use crate::runbook::ParameterKind;

/// The first step's second command uses the secret `branch`, known at the start in a version.
fn secret() -> Plan {
    let mut plan = plan();
    plan.parameters[0].kind = ParameterKind::Secret;
    plan.secrets = [("branch".to_owned(), "v1".to_owned())].into();
    plan
}

fn knowing(version: Result<&str, &str>) -> Facts {
    let version = version.map(str::to_owned).map_err(str::to_owned);
    Facts { secrets: [("branch".to_owned(), version)].into(), ..facts(Some(Role::Operator)) }
}

#[test]
fn a_secret_is_in_the_work_by_name_and_version_and_nobody_types_it() {
    let story = Story::of(secret());

    let work = story.run.work(1, &[2], &Who::Portal).unwrap();

    assert_eq!(work.secrets, [("branch".to_owned(), "v1".to_owned())].into());
    assert!(!work.environment.contains_key("branch"));
    assert!(story.run.missing_values(1, &[1, 2]).is_empty());
    let typed = Command::SetValue { name: "branch".to_owned(), value: "hunter2".to_owned() };
    assert_eq!(
        story.refuses(typed).to_string(),
        "Branch: a secret is named in the portal's configuration and never typed. The value was not set"
    );
}

#[test]
fn a_secret_that_has_changed_is_noted_and_makes_other_work() {
    let story = Story::of(secret());
    let olga = person("Olga", Role::Operator);
    let before = story.run.work(1, &[2], &olga).unwrap().digest();

    let same = decide(Some(&story.run), &run(1, 1, &[2]), &olga, &knowing(Ok("v1"))).unwrap();
    let changed = decide(Some(&story.run), &run(1, 1, &[2]), &olga, &knowing(Ok("v2"))).unwrap();

    assert!(matches!(same.as_slice(), [Event::AttemptStarted { digest, .. }] if *digest == before));
    let [Event::SecretChanged { name, version }, Event::AttemptStarted { digest, .. }] = changed.as_slice() else {
        panic!("{changed:?}")
    };
    assert_eq!((name.as_str(), version.as_str()), ("branch", "v2"));
    assert_ne!(*digest, before);
    let digest = digest.clone();
    let story = story.with(changed, &olga);
    assert_eq!(story.run.work(1, &[2], &olga).unwrap().digest(), digest);
    let told = &story.run.changes.last().unwrap().kind;
    assert_eq!(*told, ChangeKind::SecretChanged { name: "branch".to_owned() });
}

#[test]
fn a_secret_that_cannot_be_read_stops_only_what_uses_it() {
    let story = Story::of(secret());
    let olga = person("Olga", Role::Operator);
    let facts = knowing(Err("the file of portal.toml is empty"));

    let refusal = decide(Some(&story.run), &run(1, 1, &[1, 2]), &olga, &facts).unwrap_err();

    assert_eq!(
        refusal.to_string(),
        "The secret branch cannot be used: the file of portal.toml is empty. Nothing was started; tell the administrator"
    );
    assert!(decide(Some(&story.run), &run(1, 1, &[1]), &olga, &facts).is_ok());
}

#[test]
fn a_plan_without_secrets_has_the_digest_that_it_always_had() {
    let text = serde_json::to_string(&plan()).unwrap();

    assert!(!text.contains("secrets") && !text.contains("mask_files") && !text.contains("exports"), "{text}");
}

/// Step 1 exports by name; its shim tells what was kept.
fn exporting(story: Story, step: u32, names: &[&str]) -> Story {
    let exported =
        Exported { names: names.iter().map(|name| (*name).to_owned()).collect(), digest: Digest::of(b"file") };
    let Command::Settle { step, attempt, mut exit } = settle(step, 1, AttemptResult::Completed) else { unreachable!() };
    exit.exported = Some(exported);
    story.hears(Command::Settle { step, attempt, exit })
}

#[test]
fn variables_that_a_step_exports_by_name_come_to_the_later_ones() {
    let mut plan = plan();
    plan.steps[0].commands[0].exports = ["VERSION", "PATH", "branch", "LD_PRELOAD"].map(str::to_owned).to_vec();
    let story = Story::of(plan).runs(1, &[1]);
    assert_eq!(
        story.run.work(1, &[1], &Who::Portal).unwrap().exports,
        ["VERSION"],
        "neither what steers nor a parameter"
    );

    let story = exporting(story, 1, &["VERSION"]);

    let work = story.run.work(2, &[1], &Who::Portal).unwrap();
    let names = vec!["VERSION".to_owned()];
    assert_eq!(work.carried, Some(Carried { step: 1, attempt: 1, names: names.clone(), digest: Digest::of(b"file") }));
    assert_eq!(work.exports, names, "what it got it passes on");
    let story = exporting(story.runs(2, &[1]), 2, &[]);
    assert_eq!(story.run.carried, None, "a step that has unset it leaves nothing");
}

#[test]
fn a_step_whose_shell_could_not_be_asked_leaves_what_was_there() {
    let story = exporting(Story::begun().runs(1, &[1]), 1, &["VERSION"]);
    let carried = story.run.carried.clone();

    let story = story.runs(2, &[1]).settles(AttemptResult::ShellEnded { command: 1, code: Some(0) });

    assert_eq!(story.run.carried, carried);
    assert!(carried.is_some());
}

#[test]
fn files_to_mask_are_looked_for_where_the_run_began() {
    let mut plan = plan();
    plan.mask_files = vec![".env".to_owned(), "/etc/app.env".to_owned()];
    let story = Story::of(plan).succeeds(1, &[1]);

    let work = story.run.work(2, &[1], &Who::Portal).unwrap();

    assert_eq!(work.mask_files, ["/srv/.env", "/etc/app.env"]);
    assert_eq!(story.run.values, BTreeMap::new());
}
