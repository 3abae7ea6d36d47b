use std::collections::BTreeMap;

use domain::plan::PlanTarget;
use domain::policy::{Actor, Role};
use domain::run::{Entry, Event, Who, evolve};
use domain::{Digest, Risk, Timestamp};

use super::*;

const DOCUMENT: &str = "# Work

## Look around

### Steps

1. **Look**
   ```bash
   ls
   ```

2. **Restart**
   ```bash
   docker restart api
   ```

### Expected Outcome
- It answers
";

fn document() -> Document {
    runbook::read("work.md", DOCUMENT.as_bytes(), None).unwrap()
}

fn target() -> PlanTarget {
    PlanTarget {
        name: "local".to_owned(),
        reach: domain::target::Reach::Local,
        production: false,
        interpreter: vec!["bash".to_owned()],
        environment: Vec::new(),
    }
}

fn plan() -> Plan {
    let (document, target) = (document(), target());
    planning::plan(
        &document.procedures[0],
        Ground { document: &document, target: &target, directory: "/srv", lowerings: &[] },
    )
}

fn added(text: &str, reason: &str, after: u32) -> Added {
    Added { text: text.to_owned(), reason: reason.to_owned(), after, place: 0 }
}

/// A run in which these steps were added.
fn run(steps: &[Added]) -> Run {
    let by = Who::Person(Actor::new("olga".into(), "Olga".to_owned(), Role::Operator));
    let start = Event::RunStarted { plan: Box::new(plan()), reason: String::new(), values: BTreeMap::new() };
    let events = steps.iter().map(|added| Event::StepAdded { step: Box::new(step(&plan(), added, &[]).unwrap()) });
    let entries = (1..).zip(std::iter::once(start).chain(events));
    entries
        .map(|(version, event)| Entry { version, at: Timestamp(1), by: by.clone(), event })
        .fold(None, |run, entry| evolve(RunId(1), run, &entry))
        .unwrap()
}

fn diff_of(run: &Run) -> String {
    match patch(run, Some((&document(), DOCUMENT))) {
        Some(Patch::Diff(diff)) => diff,
        other => panic!("{other:?}"),
    }
}

/// The document after a diff: its lines that are kept or added.
fn applied(diff: &str) -> String {
    let mut lines: Vec<&str> = DOCUMENT.split_inclusive('\n').collect();
    let (mut at, mut moved) = (0, 0);
    for line in diff.lines().skip(2) {
        if let Some(hunk) = line.strip_prefix("@@ -") {
            let begins: usize = hunk.split(',').next().unwrap().parse().unwrap();
            at = begins - 1 + moved;
        } else if let Some(new) = line.strip_prefix('+') {
            lines.insert(at, Box::leak(format!("{new}\n").into_boxed_str()));
            (at, moved) = (at + 1, moved + 1);
        } else {
            at += 1;
        }
    }
    lines.concat()
}

#[test]
fn a_text_becomes_a_step_of_its_commands_with_their_classes() {
    let step = step(&plan(), &added("df -h\r\ndocker restart api", "Is the disk full?", 1), &[]).unwrap();

    let classes: Vec<(&str, Risk)> =
        step.commands.iter().map(|command| (command.text.as_str(), command.risk)).collect();
    assert_eq!(classes, [("df -h", Risk::Reads), ("docker restart api", Risk::Disrupts)]);
    assert_eq!(step.risk, Risk::Disrupts);
    assert_eq!(step.title, "Is the disk full?");
}

#[test]
fn a_text_cannot_leave_its_block() {
    let text = "echo '```'\n## Another\n1. **Step**\n````\nrm -rf /";

    let step = step(&plan(), &added(text, "a trick", 1), &[]).unwrap();

    assert_eq!(step.risk, Risk::Destroys);
    assert!(step.commands.iter().any(|command| command.text.contains("rm -rf /")), "{:?}", step.commands);
}

#[test]
fn a_text_without_a_command_is_refused() {
    for text in ["", "  \n ", "# only a comment"] {
        assert!(matches!(step(&plan(), &added(text, "why", 1), &[]), Err(Error::Invalid(_))), "{text:?}");
    }
}

#[test]
fn the_patch_puts_each_added_step_behind_the_one_it_came_after() {
    let run = run(&[added("df -h", "Is the disk full?", 1), added("uptime", "Is it busy?", 2)]);

    let document = runbook::read("work.md", applied(&diff_of(&run)).as_bytes(), None).unwrap();

    let titles: Vec<&str> = document.procedures[0]
        .parts
        .iter()
        .flat_map(domain::runbook::Part::steps)
        .map(|step| step.title.as_str())
        .collect();
    assert_eq!(titles, ["Look", "Is the disk full?", "Restart", "Is it busy?"]);
}

#[test]
fn what_was_added_after_an_added_step_comes_after_it_in_the_document() {
    let run = run(&[added("df -h", "Is the disk full?", 1), added("du -s", "By whom?", 3)]);

    let changed = applied(&diff_of(&run));

    let place = |words: &str| changed.find(words).unwrap_or_else(|| panic!("{words} is not in\n{changed}"));
    assert!(place("Is the disk full?") < place("By whom?") && place("By whom?") < place("Restart"));
}

#[test]
fn a_document_that_has_changed_gets_the_steps_as_markdown() {
    let run = run(&[added("df -h", "Is the disk full?", 1)]);

    let Some(Patch::Markdown(text)) = patch(&run, None) else { panic!("no Markdown") };

    assert_eq!(text, "2. **Is the disk full?**\n   ```bash\n   df -h\n   ```\n");
}

#[test]
fn a_run_without_added_steps_offers_nothing() {
    assert_eq!(patch(&run(&[]), Some((&document(), DOCUMENT))), None);
    assert_eq!(document().digest, Digest::of(DOCUMENT.as_bytes()));
}
