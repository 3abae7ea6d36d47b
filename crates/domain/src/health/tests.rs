use super::*;
use crate::Slug;
use crate::attempt::{AttemptResult, Outcome};
use crate::run::Command;
use crate::run::tests::stage::Story;
use crate::runbook::{Finding, Part, PartContent, ProcedureSettings, StepSettings};

const NOW: Timestamp = Timestamp(1_795_471_084_000);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn step(number: u32, title: &str, kind: StepKind) -> PartContent {
    let step = Step {
        number,
        title: title.to_owned(),
        line: number * 10,
        kind,
        content: Vec::new(),
        settings: StepSettings::default(),
    };
    PartContent::Step { step }
}

fn procedure() -> Procedure {
    let steps = vec![
        step(1, "Connect", StepKind::Connect),
        step(2, "Restart", StepKind::Commands),
        step(3, "Ask around", StepKind::Manual),
    ];
    let part = Part { kind: PartKind::Steps, title: "Steps".to_owned(), line: 5, end_line: 40, content: steps };
    Procedure {
        slug: Slug("restart".to_owned()),
        title: "Restart".to_owned(),
        emoji: None,
        subtitle: None,
        line: 1,
        end_line: 40,
        parts: vec![part],
        settings: ProcedureSettings::default(),
        retired: Vec::new(),
    }
}

fn closed(verdict: Verdict, days_ago: u64, worked: &[&str]) -> ClosedRun {
    let worked = worked.iter().map(|mark| (*mark).to_owned()).collect();
    ClosedRun { verdict, ended: NOW.minus(days_ago * DAY), worked: Some(worked) }
}

/// The past of runs, newest first.
fn past(runs: Vec<ClosedRun>) -> Past {
    let last_success = runs.iter().find(|run| run.verdict == Verdict::Reached).map(|run| run.ended);
    Past { runs, last_success }
}

const ALL: &[&str] = &["connect", "restart", "ask around"];

fn of(runs: Vec<ClosedRun>) -> Health {
    health(&procedure(), &past(runs), &[], NOW)
}

fn told(health: &Health) -> Vec<(&str, &str)> {
    health.concerns.iter().map(|concern| (concern.code.as_str(), concern.message.as_str())).collect()
}

#[test]
fn a_procedure_that_has_just_reached_its_outcome_is_proven() {
    let health = of(vec![closed(Verdict::Reached, 2, ALL), closed(Verdict::Aborted, 3, ALL)]);

    assert_eq!((health.grade, health.closed, health.reached), (Grade::Proven, 2, 1));
    assert_eq!(health.last_success, Some(NOW.minus(2 * DAY)));
    assert!(health.concerns.is_empty(), "{health:?}");
    assert_eq!(health.mark(), HealthMark { grade: Grade::Proven, worst: None });
}

#[test]
fn what_was_never_run_or_not_for_long_is_unproven() {
    let never = of(Vec::new());
    let old = of(vec![closed(Verdict::Reached, 40, ALL)]);
    let month = of(vec![closed(Verdict::Reached, 30, ALL)]);

    assert_eq!((never.grade, told(&never)[0].0), (Grade::Unproven, "never-run"));
    assert_eq!(old.grade, Grade::Unproven);
    assert_eq!(told(&old), [("old-success", "Its last success was 40 days ago: try it before it is needed.")]);
    assert_eq!(month.grade, Grade::Proven);
}

#[test]
fn what_fails_again_and_again_is_doubtful_and_one_failure_is_worth_a_word() {
    let once = of(vec![closed(Verdict::NotReached, 1, ALL), closed(Verdict::Reached, 4, ALL)]);
    let twice = of(vec![
        closed(Verdict::RolledBack, 0, ALL),
        closed(Verdict::NotReached, 1, ALL),
        closed(Verdict::Reached, 4, ALL),
    ]);
    let never = of(vec![closed(Verdict::Aborted, 1, ALL), closed(Verdict::NotReached, 2, ALL)]);
    let first = of(vec![closed(Verdict::NotReached, 1, ALL)]);

    assert_eq!((once.grade, told(&once)[0].0), (Grade::Proven, "failing"));
    let words = "None of its last 2 runs reached the outcome; the last success was 4 days ago.";
    assert_eq!((twice.grade, told(&twice)), (Grade::Doubtful, vec![("failing", words)]));
    let words = "It never succeeded: none of its last 2 closed runs reached the outcome.";
    assert_eq!((never.grade, told(&never)), (Grade::Doubtful, vec![("never-succeeded", words)]));
    assert_eq!((first.grade, told(&first)[0].0), (Grade::Unproven, "never-succeeded"));
}

#[test]
fn a_success_before_all_runs_that_are_looked_at_is_known_all_the_same() {
    let runs: Vec<ClosedRun> = (0..20).map(|day| closed(Verdict::Aborted, day, ALL)).collect();
    let past = Past { runs, last_success: Some(NOW.minus(90 * DAY)) };

    let health = health(&procedure(), &past, &[], NOW);

    let words = "None of its last 20 runs reached the outcome; the last success was 90 days ago.";
    assert_eq!(told(&health), [("failing", words)]);
}

#[test]
fn a_step_that_no_run_works_through_is_named_once_enough_runs_are_known() {
    let without = || closed(Verdict::Reached, 1, &["connect", "restart"]);

    let few = of(vec![without(), without()]);
    let many = of(vec![without(), without(), without()]);
    let unknown = ClosedRun { worked: None, ..without() };
    let older = of(vec![without(), without(), unknown]);

    assert!(few.concerns.is_empty() && older.concerns.is_empty(), "{few:?} {older:?}");
    let words = "Step 3, Ask around, was never run in the last 3 runs.";
    assert_eq!((many.grade, told(&many)), (Grade::Proven, vec![("step-never-run", words)]));
    assert_eq!(many.concerns[0].line, 30);
}

#[test]
fn nobody_misses_the_connecting_that_the_portal_does_itself() {
    let without = || closed(Verdict::Reached, 1, &["restart", "ask around"]);

    let health = of(vec![without(), without(), without()]);

    assert!(health.concerns.is_empty(), "{health:?}");
}

fn kept(missing: &[Missing], settled: &[&str]) -> KeptLook {
    let concerns = missing.iter().map(|missing| missing.concern(20)).collect();
    let settled = settled.iter().map(|code| (*code).to_owned()).collect();
    let sighting = Sighting { target: "prod".to_owned(), at: NOW.minus(300_000) };
    KeptLook { sighting, found: Found { concerns, settled } }
}

#[test]
fn what_a_look_did_not_find_says_where_and_when_and_the_worst_comes_first() {
    let good = past(vec![closed(Verdict::Reached, 1, ALL)]);
    let look = kept(&[Missing::Container("mongo".to_owned()), Missing::Tool("jq".to_owned())], &[]);

    let health = health(&procedure(), &good, &[look], NOW);

    assert_eq!(health.grade, Grade::Broken);
    let codes: Vec<&str> = told(&health).iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["tool-missing", "container-missing"]);
    assert!(told(&health)[1].1.starts_with("The container mongo is not there"), "{health:?}");
    let seen = health.concerns[1].seen.as_ref().unwrap();
    assert_eq!((seen.target.as_str(), seen.at.ago(NOW).as_str()), ("prod", "5 min ago"));
    assert_eq!(health.mark().worst.as_deref(), Some(health.concerns[0].message.as_str()));
}

#[test]
fn a_look_that_nobody_answered_leaves_nothing_green() {
    let good = past(vec![closed(Verdict::Reached, 1, ALL)]);
    let unknown =
        Missing::Unknown { what: "Whether its containers are there".to_owned(), why: "docker said nothing".to_owned() };
    let silent = Missing::Target("prod cannot be reached.".to_owned());

    for missing in [unknown, silent] {
        let health = health(&procedure(), &good, &[kept(&[missing], &[])], NOW);

        assert_eq!(health.grade, Grade::Doubtful, "{health:?}");
    }
}

#[test]
fn retired_software_counts_until_every_look_has_found_a_newer_one_under_its_name() {
    let finding = Finding {
        line: 21,
        level: Level::Warning,
        code: "compose-v1".to_owned(),
        message: "docker-compose is retired.".to_owned(),
        procedure: None,
        file: None,
    };
    let calls = Procedure { retired: vec![finding], ..procedure() };
    let good = past(vec![closed(Verdict::Reached, 1, ALL)]);
    let grade = |looks: &[KeptLook]| health(&calls, &good, looks, NOW).grade;

    assert_eq!(grade(&[]), Grade::Doubtful);
    assert_eq!(grade(&[kept(&[], &["compose-v1"])]), Grade::Proven);
    assert_eq!(grade(&[kept(&[], &["compose-v1"]), kept(&[], &[])]), Grade::Doubtful);
}

#[test]
fn every_missing_thing_has_a_code_of_its_own_and_one_sentence() {
    let name = || "x".to_owned();
    let all = [
        Missing::Target("It is away.".to_owned()),
        Missing::Directory(name()),
        Missing::File(name()),
        Missing::ComposeFile(name()),
        Missing::Service(name()),
        Missing::Container(name()),
        Missing::Tool(name()),
        Missing::Unknown { what: name(), why: name() },
    ];

    let mut codes: Vec<&str> = all.iter().map(Missing::code).collect();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for missing in &all {
        let sentence = missing.sentence();
        assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{sentence}");
        assert_ne!(missing.level(), Level::Note, "{sentence}");
    }
}

#[test]
fn a_step_was_worked_through_when_somebody_ran_or_ticked_something_in_it_and_not_when_it_was_passed_over() {
    let failed = Story::begun().sets("branch", "main").runs(1, &[1, 2]).ends(1, Outcome::Failure);
    let failed = failed.settles(AttemptResult::Failed { command: 1 });
    let tick = Command::Tick { step: Some(5), item: 1, note: String::new() };

    let run = failed.skips(2).does(tick).run;

    assert_eq!(worked(&run), ["look", "ask"]);
    assert_eq!(step_mark(3, "  "), "3");
}
