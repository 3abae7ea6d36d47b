//! Plans, in a few words.

use std::collections::BTreeMap;

use domain::attempt::Limits;
use domain::escalation::Escalation;
use domain::plan::{Plan, PlanCommand, PlanParameter, PlanStep, PlanTarget};
use domain::runbook::{Choice, Inline, Item, ParameterKind, PartKind, Placeholder, StepContent, StepKind};
use domain::{Digest, Risk};

/// The plan of a procedure "Restart the service" with a step of every sort, on the target `local`:
///
/// 1. *Look*: two commands that read; the second one has the parameter `branch`.
/// 2. *Restart*: a command that disrupts.
/// 3. *Choose a way*: two alternatives that exclude each other.
/// 4. *Clear*: a command that destroys.
/// 5. *Ask around*: manual, with two ticks.
/// 6. *Watch*: a watch and a command after it.
/// 7. in the rollback, *Go back*: a command that changes.
pub fn plan() -> Plan {
    let mut second = command("git log 'BRANCH'", Risk::Reads);
    second.placeholders = vec![Placeholder { text: "'BRANCH'".to_owned(), parameter: Some("branch".to_owned()) }];
    "git log \"$branch\"".clone_into(&mut second.script);
    let mut steps = vec![
        step(1, "Look", vec![command("docker ps", Risk::Reads), second]),
        step(2, "Restart", vec![command("docker restart api", Risk::Disrupts)]),
        step(3, "Choose a way", vec![alternative("git revert HEAD", 1), alternative("git reset --soft HEAD~1", 2)]),
        step(4, "Clear", vec![command("rm -rf /srv/cache", Risk::Destroys)]),
        manual(5, "Ask around", &["The team knows", "The users know"]),
        step(6, "Watch", vec![watch("tail -f api.log"), command("tail -n 3 api.log", Risk::Reads)]),
        step(1, "Go back", vec![command("docker start api", Risk::Changes)]),
    ];
    if let Some(last) = steps.last_mut() {
        last.part = PartKind::Rollback;
    }
    Plan {
        slug: "restart-the-service".into(),
        title: "Restart the service".to_owned(),
        document: "operations.md".to_owned(),
        document_digest: Digest::of(b"operations.md"),
        side_digest: None,
        target: target(),
        directory: "/srv".to_owned(),
        parameters: vec![parameter("branch")],
        steps,
        outcome: vec![item("The service answers"), item("Nobody complains")],
        secrets: BTreeMap::new(),
        mask_files: Vec::new(),
        prose: Vec::new(),
        visible_to: None,
        checks: Vec::new(),
        escalation: Escalation::default(),
    }
}

fn target() -> PlanTarget {
    PlanTarget {
        name: "local".to_owned(),
        reach: domain::target::Reach::Local,
        production: false,
        interpreter: ["bash", "--noprofile", "--norc"].map(str::to_owned).to_vec(),
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
    }
}

fn parameter(name: &str) -> PlanParameter {
    PlanParameter {
        name: name.to_owned(),
        placeholder: format!("'{}'", name.to_uppercase()),
        kind: ParameterKind::Text { pattern: None },
        default: None,
        help: None,
        example: None,
    }
}

/// A step that runs commands.
pub fn step(number: u32, title: &str, commands: Vec<PlanCommand>) -> PlanStep {
    PlanStep {
        part: PartKind::Steps,
        number,
        title: title.to_owned(),
        line: number * 10,
        kind: StepKind::Commands,
        risk: commands.iter().map(|command| command.risk).max().unwrap_or_default(),
        content: Vec::new(),
        commands,
        timeout_ms: None,
        tty: true,
        pipefail: false,
        scratch: false,
        directory: None,
        ad_hoc: None,
        output_cap: None,
        limits: Limits::default(),
        interactive: false,
        after: Vec::new(),
    }
}

/// A step that a person does, with its ticks.
pub fn manual(number: u32, title: &str, ticks: &[&str]) -> PlanStep {
    let content = ticks.iter().map(|words| StepContent::Item { item: item(words) }).collect();
    PlanStep { kind: StepKind::Manual, content, ..step(number, title, Vec::new()) }
}

/// A line that can be ticked.
pub fn item(words: &str) -> Item {
    Item { line: 1, words: vec![Inline::Text { text: words.to_owned() }], items: Vec::new() }
}

/// A command.
pub fn command(text: &str, risk: Risk) -> PlanCommand {
    PlanCommand {
        text: text.to_owned(),
        script: text.to_owned(),
        label: None,
        risk,
        rule: text.to_owned(),
        reason: format!("{text} {}", risk.word()),
        lowered: None,
        watch: false,
        screen: false,
        choice: None,
        placeholders: Vec::new(),
        pipeline: text.split_whitespace().next().map(str::to_owned).into_iter().collect(),
        by_portal: None,
        blocked: None,
        exports: Vec::new(),
    }
}

/// A command that never ends by itself.
pub fn watch(text: &str) -> PlanCommand {
    PlanCommand { watch: true, ..command(text, Risk::Reads) }
}

/// A command of an alternative that excludes those with other numbers.
pub fn alternative(text: &str, group: u32) -> PlanCommand {
    let choice = Choice { group, when: format!("Option {group}"), exclusive: true };
    PlanCommand { choice: Some(choice), ..command(text, Risk::Changes) }
}
