//! What the tests of the gate share: a plan with a step of every sort, and a run that goes on by commands.
//!
//! (`testkit` builds the same things for other crates; inside this one its types would be those of another build.)

#![expect(clippy::needless_pass_by_value, reason = "a story reads better when its deeds are written in place")]

use std::collections::BTreeMap;

use crate::attempt::{AttemptResult, CommandEnd, Exit, FORMAT, Input, Key, Limits, Mark, Outcome};
use crate::check::{CheckEnd, CheckId, PlanCheck};
use crate::escalation::{Addressee, Contact, Escalation};
use crate::keyboard::Stroke;
use crate::plan::{AdHoc, Plan, PlanCommand, PlanParameter, PlanStep, PlanTarget};
use crate::policy::{Actor, Role};
use crate::redaction::ByteRange;
use crate::run::{Command, Entry, Event, Facts, Holder, Refusal, Run, Who, decide, evolve};
use crate::runbook::{Check, Choice, Inline, Item, ParameterKind, PartKind, Placeholder, StepContent, StepKind};
use crate::{AttemptId, Digest, Risk, RunId, Timestamp};

pub const NOW: Timestamp = Timestamp(1_795_471_084_000);

pub const RUN: RunId = RunId(12);

/// 1 *Look*: two commands that read, the second with the parameter `branch`. 2 *Restart*: disrupts. 3 *Choose*: alternatives,
/// the second of two commands, and a command after them. 4 *Clear*: destroys. 5 *Ask*: manual with two ticks.
/// 6 *Watch*: a watch and a command after it. 7 *Connect*. 8 in the rollback, *Back*.
pub fn plan() -> Plan {
    let mut steps = vec![
        step(
            1,
            "Look",
            vec![command("docker ps", Risk::Reads), with_value(command("git log X", Risk::Reads), "branch")],
        ),
        step(2, "Restart", vec![command("docker restart api", Risk::Disrupts)]),
        step(
            3,
            "Choose",
            vec![
                option("git revert", 1),
                option("git reset", 2),
                option("git push", 2),
                command("git status", Risk::Reads),
            ],
        ),
        step(4, "Clear", vec![command("rm -rf cache", Risk::Destroys)]),
        PlanStep {
            kind: StepKind::Manual,
            content: vec![tick("The team"), tick("The users")],
            ..step(5, "Ask", vec![])
        },
        step(
            6,
            "Watch",
            vec![PlanCommand { watch: true, ..command("tail -f log", Risk::Reads) }, command("date", Risk::Reads)],
        ),
        PlanStep { kind: StepKind::Connect, ..step(7, "Connect", vec![by_portal("ssh host")]) },
        step(1, "Back", vec![command("docker start api", Risk::Changes)]),
    ];
    if let Some(last) = steps.last_mut() {
        last.part = PartKind::Rollback;
    }
    Plan {
        slug: "restart".into(),
        title: "Restart".to_owned(),
        document: "operations.md".to_owned(),
        document_digest: Digest::of(b"operations.md"),
        side_digest: None,
        target: PlanTarget {
            name: "local".to_owned(),
            reach: crate::target::Reach::Local,
            production: false,
            interpreter: vec!["bash".to_owned()],
            environment: vec![("PATH".to_owned(), "/bin".to_owned())],
        },
        directory: "/srv".to_owned(),
        parameters: vec![PlanParameter {
            name: "branch".to_owned(),
            placeholder: "X".to_owned(),
            kind: ParameterKind::Text { pattern: None },
            default: None,
            help: None,
            example: None,
        }],
        steps,
        outcome: vec![line("It answers")],
        secrets: BTreeMap::new(),
        mask_files: Vec::new(),
        prose: Vec::new(),
        visible_to: None,
        checks: Vec::new(),
        escalation: Escalation { lines: Vec::new(), contacts: vec![keeper()] },
    }
}

pub fn step(number: u32, title: &str, commands: Vec<PlanCommand>) -> PlanStep {
    PlanStep {
        part: PartKind::Steps,
        number,
        title: title.to_owned(),
        line: number,
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

pub fn command(text: &str, risk: Risk) -> PlanCommand {
    PlanCommand {
        text: text.to_owned(),
        script: text.to_owned(),
        label: None,
        risk,
        rule: text.to_owned(),
        reason: text.to_owned(),
        lowered: None,
        watch: false,
        screen: false,
        choice: None,
        placeholders: Vec::new(),
        pipeline: Vec::new(),
        by_portal: None,
        blocked: None,
        exports: Vec::new(),
    }
}

pub fn with_value(command: PlanCommand, parameter: &str) -> PlanCommand {
    let placeholder = Placeholder { text: "X".to_owned(), parameter: Some(parameter.to_owned()) };
    PlanCommand { script: format!("git log \"${parameter}\""), placeholders: vec![placeholder], ..command }
}

pub fn option(text: &str, group: u32) -> PlanCommand {
    let choice = Choice { group, when: format!("Option {group}"), exclusive: true };
    PlanCommand { choice: Some(choice), ..command(text, Risk::Changes) }
}

pub fn by_portal(text: &str) -> PlanCommand {
    PlanCommand { by_portal: Some("Selects the target.".to_owned()), ..command(text, Risk::Reads) }
}

pub fn line(words: &str) -> Item {
    Item { line: 1, words: vec![Inline::Text { text: words.to_owned() }], items: Vec::new() }
}

fn tick(words: &str) -> StepContent {
    StepContent::Item { item: line(words) }
}

pub fn person(name: &str, role: Role) -> Who {
    Who::Person(Actor::new(name.into(), name.to_owned(), role))
}

pub fn facts(standing: Option<Role>) -> Facts {
    Facts::alone(NOW, standing)
}

/// A run that goes on by commands, and everything that it consists of.
#[derive(Clone, Debug)]
pub struct Story {
    pub run: Run,
    pub entries: Vec<Entry>,
    /// The time at which everything happens.
    pub now: Timestamp,
}

impl Story {
    /// A run that Olga, an operator, has just started.
    pub fn of(plan: Plan) -> Self {
        let start = Command::Start { plan: Box::new(plan), reason: "OPS-1".to_owned(), values: BTreeMap::new() };
        let events = decide(None, &start, &person("Olga", Role::Operator), &facts(Some(Role::Operator))).unwrap();
        let entry = Entry { version: 1, at: NOW, by: person("Olga", Role::Operator), event: events[0].clone() };
        Self { run: evolve(RUN, None, &entry).unwrap(), entries: vec![entry], now: NOW }
    }

    pub fn begun() -> Self {
        Self::of(plan())
    }

    /// The facts of this moment; everybody who has approved something is still a lead.
    pub fn facts(&self, standing: Option<Role>) -> Facts {
        let approvers = self.run.requests.iter().flat_map(crate::run::Request::responsible);
        let standings = approvers.map(|approver| (approver.clone(), Role::Lead)).collect();
        Facts { now: self.now, clock: self.now, standings, ..facts(standing) }
    }

    /// Time passes.
    pub fn waits(self, minutes: u64) -> Self {
        Self { now: self.now.plus(minutes * 60_000), ..self }
    }

    /// Olga does something that may be done.
    pub fn does(self, command: Command) -> Self {
        let olga = person("Olga", Role::Operator);
        let events = decide(Some(&self.run), &command, &olga, &self.facts(Some(Role::Operator))).unwrap();
        assert!(!events.is_empty(), "{command:?}");
        self.with(events, &olga)
    }

    /// The shim or the portal reports something.
    pub fn hears(self, command: Command) -> Self {
        let events = decide(Some(&self.run), &command, &Who::Portal, &self.facts(None)).unwrap();
        self.with(events, &Who::Portal)
    }

    /// What Olga is told when she tries something that may not be done.
    pub fn refuses(&self, command: Command) -> Refusal {
        decide(Some(&self.run), &command, &person("Olga", Role::Operator), &self.facts(Some(Role::Operator)))
            .unwrap_err()
    }

    pub fn with(mut self, events: Vec<Event>, by: &Who) -> Self {
        for event in events {
            let entry = Entry { version: self.run.version + 1, at: self.now, by: by.clone(), event };
            self.run = evolve(RUN, Some(self.run), &entry).unwrap();
            self.entries.push(entry);
        }
        self
    }

    /// Starts the next attempt at some commands of a step.
    pub fn runs(self, step: u32, commands: &[u32]) -> Self {
        let attempt = self.attempts(step) + 1;
        self.does(run(step, attempt, commands))
    }

    pub fn attempts(&self, step: u32) -> u32 {
        self.run.step(step).map_or(0, |state| u32::try_from(state.attempts.len()).unwrap())
    }

    /// A command of the open attempt begins.
    pub fn begins(self, command: u32) -> Self {
        let open = self.run.open_attempt().unwrap();
        self.hears(begins(open.step, open.attempt, command))
    }

    /// A command of the open attempt begins and ends.
    pub fn ends(self, command: u32, outcome: Outcome) -> Self {
        let open = self.run.open_attempt().unwrap();
        self.begins(command).hears(ends(open.step, open.attempt, command, outcome))
    }

    /// The open attempt ends.
    pub fn settles(self, result: AttemptResult) -> Self {
        let open = self.run.open_attempt().unwrap();
        self.hears(settle(open.step, open.attempt, result))
    }

    /// An attempt at some commands that all do what they should.
    pub fn succeeds(self, step: u32, commands: &[u32]) -> Self {
        let story =
            commands.iter().fold(self.runs(step, commands), |story, command| story.ends(*command, Outcome::Success));
        story.settles(AttemptResult::Completed)
    }

    pub fn skips(self, step: u32) -> Self {
        self.does(Command::SkipStep { step, reason: "not today".to_owned() })
    }

    pub fn sets(self, name: &str, value: &str) -> Self {
        self.does(Command::SetValue { name: name.to_owned(), value: value.to_owned() })
    }
}

pub fn run(step: u32, attempt: u32, commands: &[u32]) -> Command {
    Command::RunCommands {
        step,
        attempt,
        commands: commands.to_vec(),
        confirmation: None,
        outage: Some("it cannot wait".to_owned()),
    }
}

pub fn confirmed(step: u32, attempt: u32, commands: &[u32], typed: &str) -> Command {
    Command::RunCommands {
        step,
        attempt,
        commands: commands.to_vec(),
        confirmation: Some(typed.to_owned()),
        outage: Some("it cannot wait".to_owned()),
    }
}

pub fn begins(step: u32, attempt: u32, command: u32) -> Command {
    Command::Note { step, attempt, mark: Mark::Started { command, offset: 0, at: NOW.0 } }
}

pub fn ends(step: u32, attempt: u32, command: u32, outcome: Outcome) -> Command {
    let end = CommandEnd { code: Some(0), statuses: vec![0], duration_ms: 40, outcome, explanation: None };
    Command::Note { step, attempt, mark: Mark::Ended { command, offset: 9, at: NOW.0, end } }
}

pub fn settle(step: u32, attempt: u32, result: AttemptResult) -> Command {
    let id = AttemptId { run: RUN, step, attempt };
    let exit = Exit {
        v: FORMAT,
        id,
        digest: Digest::of(b"work"),
        result,
        bytes: 9,
        dropped: 0,
        cut: None,
        output: Digest::of(b""),
        directory: Some("/srv/app".to_owned()),
        at: NOW.0,
        duration_ms: 40,
        survivors: Vec::new(),
        held: Vec::new(),
        notes: Box::default(),
        masked: 0,
        exported: None,
    };
    Command::Settle { step, attempt, exit: Box::new(exit) }
}

/// A step of one command that reads and is not in the document.
pub fn added(text: &str, after: u32) -> PlanStep {
    PlanStep {
        ad_hoc: Some(AdHoc { after, reason: "a surprise".to_owned() }),
        ..step(0, "A look", vec![command(text, Risk::Reads)])
    }
}

pub fn typed(step: u32, attempt: u32, command: u32, text: &str) -> Command {
    Command::SendInput { step, attempt, command, number: 1, input: Input::Line { text: text.to_owned() } }
}

pub fn pressed(step: u32, attempt: u32, command: u32) -> Command {
    Command::SendInput { step, attempt, command, number: 1, input: Input::Key { key: Key::Quit } }
}

pub fn keys(step: u32, attempt: u32, command: u32, text: &str) -> Command {
    let strokes = vec![Stroke::Text(text.to_owned())];
    Command::SendInput { step, attempt, command, number: 1, input: Input::Keys { strokes } }
}

/// Adds the step that `added` makes to a plan like `plan`'s.
pub fn adds(step: PlanStep) -> Command {
    Command::AddStep { place: u32::try_from(plan().steps.len()).unwrap() + 1, step: Box::new(step) }
}

pub fn lose_lock() -> Command {
    Command::LoseLock { to: RunId(13), by: "Lena".to_owned(), reason: "an outage".to_owned() }
}

/// Run 13, in which Otto works and which has held the target for an hour; its last event is `idle` minutes old.
pub fn other(idle: u64) -> Holder {
    let ago = |minutes: u64| Timestamp(NOW.0 - i64::try_from(minutes * 60_000).unwrap());
    Holder {
        run: RunId(13),
        title: Some("Restore".to_owned()),
        target: "local".to_owned(),
        by: "Otto".to_owned(),
        since: ago(60),
        active: ago(idle),
        running: false,
        expected: None,
    }
}

pub fn interrupt(step: u32, attempt: u32) -> Command {
    let (reason, survivors) = ("The shim is gone.".to_owned(), vec!["sleep (pid 7)".to_owned()]);
    Command::Interrupt { step, attempt, reason, bytes: 9, output: None, survivors }
}

/// A check that looks at an address.
pub fn http_check(number: u32) -> PlanCheck {
    let check = Check::Http { url: "http://localhost/health".to_owned(), expect: 200 };
    PlanCheck { number, check, placeholders: Vec::new(), script: None, pipeline: Vec::new(), blocked: None }
}

/// Asks for checks: of the outcome, or after a step.
pub fn checks(ids: &[(Option<u32>, u32)]) -> Command {
    let checks = ids.iter().map(|(step, number)| CheckId { step: *step, number: *number }).collect();
    Command::StartChecks { checks }
}

/// Overrules the check of a line of the outcome.
pub fn overrule(number: u32) -> Command {
    Command::OverruleCheck { check: CheckId { step: None, number }, reason: "the monitor is wrong".to_owned() }
}

/// What the portal says came of a check.
pub fn answered(number: u32, end: CheckEnd) -> Command {
    Command::EndCheck { number, end }
}

/// The one contact of the plan.
pub fn keeper() -> Contact {
    Contact { words: "the keeper".to_owned(), name: "lena".to_owned() }
}

/// The same as somebody whom mail reaches.
pub fn to_keeper() -> Vec<Addressee> {
    let Contact { words, .. } = keeper();
    vec![Addressee { words, name: "Lena".to_owned(), person: Some("Lena".into()), mail: true, webhook: None }]
}

/// Escalates by hand.
pub fn escalate(number: u32) -> Command {
    Command::Escalate { number, to: to_keeper(), text: "It does not start.".to_owned() }
}

/// Asks for the approval of commands.
pub fn ask(request: u32, wanted: &[(u32, &[u32])]) -> Command {
    let wanted = wanted.iter().map(|(step, commands)| (*step, commands.to_vec())).collect();
    Command::RequestApproval { request, wanted, reason: "data is corrupt".to_owned(), evidence: Box::default() }
}

pub fn grant(request: u32) -> Command {
    Command::Grant { request, retry: false, rollback: false, comment: String::new() }
}

/// The output that every attempt of these stories has left.
pub fn output() -> Digest {
    Digest::of(b"")
}

/// Asks for some bytes of an output of nine to be covered.
pub fn ask_redaction(step: u32, attempt: u32, ranges: &[(u64, u64)]) -> Command {
    let ranges = ranges.iter().map(|(from, to)| ByteRange { from: *from, to: *to }).collect();
    Command::AskRedaction { step, attempt, ranges, reason: "a password".to_owned(), bytes: 9, output: output() }
}

/// Confirms it.
pub fn confirm_redaction(number: u32) -> Command {
    Command::ConfirmRedaction { number, old: output(), new: Digest::of(b"covered") }
}
