//! From a procedure as it was read to the plan of a run: targets chosen, values named, bytes frozen.

use std::collections::BTreeMap;

use domain::check::PlanCheck;
use domain::escalation::Escalation;
use domain::plan::{Plan, PlanCommand, PlanParameter, PlanProse, PlanStep, PlanTarget};
use domain::runbook::{Command, Document, Parameter, PartKind, Procedure, Step, StepKind};
use domain::steering::can_be_carried;
use domain::{Digest, Lowered, Lowering, Risk, lowered};
use runbook::side_file;

/// The tour that is built into the portal. Its scratch step, and only its, may be confirmed by its runner. Its side file
/// belongs to it: another one could put a value into the very command that deletes.
const TOUR: &[u8] = include_bytes!("../../../runbooks/first-tour.md");
const TOUR_SIDE: &[u8] = include_bytes!("../../../runbooks/first-tour.portal.toml");

/// What a plan needs to know besides the procedure.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The document that holds the procedure.
    pub document: &'a Document,
    /// Where it will run.
    pub target: &'a PlanTarget,
    /// Where the first step begins unless the side file says otherwise.
    pub directory: &'a str,
    /// The commands whose class an administrator lowered.
    pub lowerings: &'a [Lowering],
}

/// The worst class of a step after the administrator's rules.
pub fn step_risk(step: &Step, lowerings: &[Lowering]) -> Risk {
    let commands = step.commands().map(|command| Class::of(command, step, lowerings).risk);
    commands.chain(step.settings.risk).max().unwrap_or_default()
}

/// The worst class of a procedure's steps after the administrator's rules; the rollback is not counted.
pub fn risk(procedure: &Procedure, lowerings: &[Lowering]) -> Risk {
    procedure.steps(PartKind::Steps).map(|step| step_risk(step, lowerings)).max().unwrap_or_default()
}

/// The plan of a run that would start now.
pub fn plan(procedure: &Procedure, ground: Ground<'_>) -> Plan {
    let settings = &procedure.settings;
    let in_order = || {
        [PartKind::Steps, PartKind::Rollback]
            .into_iter()
            .flat_map(|part| procedure.steps(part).map(move |step| (part, step)))
    };
    // One way through the whole procedure: what one command puts into a variable, a later one may use.
    let mut secrets = runbook::Secrets::of(&settings.parameters);
    let steps: Vec<PlanStep> =
        in_order().map(|(part, step)| plan_step(part, step, procedure, ground, &mut secrets)).collect();
    let prose = prose(procedure, in_order().map(|(_, step)| step));
    let checks = side_file::checks_of_outcome(procedure);
    let escalation = Escalation::of(procedure, &steps);
    Plan {
        slug: procedure.slug.clone(),
        title: procedure.title.clone(),
        document: ground.document.path.clone(),
        document_digest: ground.document.digest.clone(),
        side_digest: ground.document.side_digest.clone(),
        target: ground.target.clone(),
        directory: settings.directory.clone().unwrap_or_else(|| ground.directory.to_owned()),
        parameters: parameters(procedure, &steps, &checks, &prose),
        steps,
        outcome: procedure.outcome().cloned().collect(),
        checks,
        prose,
        secrets: BTreeMap::new(),
        mask_files: settings.mask_files.clone(),
        visible_to: settings.visible_to.clone(),
        escalation,
    }
}

/// The words that stand for a value in the text of the steps and of the outcome.
fn prose<'p>(procedure: &'p Procedure, steps: impl Iterator<Item = &'p Step>) -> Vec<PlanProse> {
    let of_step = |(number, step): (u32, &Step)| {
        let filled = side_file::filled_in_step(procedure, step);
        filled.into_iter().map(move |placeholder| PlanProse { step: number, placeholder })
    };
    let outcome = side_file::filled_in_outcome(procedure).into_iter();
    outcome.map(|placeholder| PlanProse { step: 0, placeholder }).chain((1..).zip(steps).flat_map(of_step)).collect()
}

/// The parameters that some command, check or text of the plan uses, in the order of the side file. Secrets are not asked of people.
fn parameters(
    procedure: &Procedure,
    steps: &[PlanStep],
    checks: &[PlanCheck],
    prose: &[PlanProse],
) -> Vec<PlanParameter> {
    let in_commands = || steps.iter().flat_map(|step| &step.commands).flat_map(|command| &command.placeholders);
    let in_prose = || prose.iter().map(|prose| &prose.placeholder);
    let in_checks = || steps.iter().flat_map(|step| &step.after).chain(checks).flat_map(|check| &check.placeholders);
    let used = |name: &str| {
        in_commands().chain(in_checks()).chain(in_prose()).any(|filled| filled.parameter.as_deref() == Some(name))
    };
    let mut list: Vec<PlanParameter> = Vec::new();
    for parameter in &procedure.settings.parameters {
        let known = list.iter().any(|other| other.name == parameter.name);
        if used(&parameter.name) && !known {
            list.push(plan_parameter(parameter));
        }
    }
    list
}

fn plan_parameter(parameter: &Parameter) -> PlanParameter {
    PlanParameter {
        name: parameter.name.clone(),
        placeholder: parameter.placeholder.clone(),
        kind: parameter.kind.clone(),
        default: parameter.default.clone(),
        help: parameter.help.clone(),
        example: parameter.example.clone(),
    }
}

fn plan_step(
    part: PartKind,
    step: &Step,
    procedure: &Procedure,
    ground: Ground<'_>,
    secrets: &mut runbook::Secrets,
) -> PlanStep {
    let commands: Vec<PlanCommand> =
        step.commands().map(|command| plan_command(command, step, procedure, ground, secrets)).collect();
    PlanStep {
        part,
        number: step.number,
        title: step.title.clone(),
        line: step.line,
        kind: step.kind,
        risk: commands.iter().map(|command| command.risk).max().unwrap_or_default(),
        content: step.content.clone(),
        scratch: is_tour(ground.document) && step.risk() == Risk::Destroys,
        directory: step.settings.directory.clone(),
        timeout_ms: step.settings.timeout_ms,
        output_cap: step.settings.output,
        limits: step.settings.limits,
        interactive: step.settings.interactive,
        tty: step.settings.tty.unwrap_or(true),
        pipefail: procedure.settings.pipefail,
        after: side_file::checks_after(procedure, step),
        ad_hoc: None,
        commands,
    }
}

fn is_tour(document: &Document) -> bool {
    document.digest == Digest::of(TOUR) && document.side_digest == Some(Digest::of(TOUR_SIDE))
}

fn plan_command(
    command: &Command,
    step: &Step,
    procedure: &Procedure,
    ground: Ground<'_>,
    secrets: &mut runbook::Secrets,
) -> PlanCommand {
    let seen = secrets.follow(&command.text);
    let (script, blocked) = script(command);
    let by_portal = (step.kind == StepKind::Connect && is_ssh(command))
        .then(|| format!("Selects the target: this run works on {}.", ground.target.name));
    let Class { risk, rule, reason, lowered } = Class::of(command, step, ground.lowerings);
    PlanCommand {
        text: command.text.clone(),
        script,
        label: command.label.clone(),
        risk: if by_portal.is_some() { Risk::Reads } else { risk },
        rule,
        reason,
        lowered: lowered.filter(|_| by_portal.is_none()),
        watch: command.watch,
        screen: command.screen,
        choice: command.choice.clone(),
        placeholders: if by_portal.is_some() { Vec::new() } else { command.placeholders.clone() },
        pipeline: command.pipeline.clone(),
        blocked: blocked.or(seen).or_else(|| elsewhere(step)).filter(|_| by_portal.is_none()),
        by_portal,
        exports: exports(command, procedure, secrets),
    }
}

/// The variables that a command leaves for later steps: those that it exports by name, but nothing that steers a shell, no parameter,
/// and nothing that carries a secret.
fn exports(command: &Command, procedure: &Procedure, secrets: &runbook::Secrets) -> Vec<String> {
    let is_parameter = |name: &str| procedure.settings.parameters.iter().any(|parameter| parameter.name == name);
    let mut names = runbook::exports(&command.text);
    names.retain(|name| can_be_carried(name) && !is_parameter(name) && !secrets.carries(name));
    names
}

/// A command's class with the rule that gave it.
struct Class {
    risk: Risk,
    rule: String,
    reason: String,
    lowered: Option<Lowered>,
}

impl Class {
    /// The class that the rules give, lowered by an administrator, or raised by the side file. What the side file raised is
    /// lowered by nobody: the administrator judged the command's text, and not what a document makes of it.
    fn of(command: &Command, step: &Step, lowerings: &[Lowering]) -> Self {
        let rules = if command.raised { &[][..] } else { lowerings };
        let (risk, lowered) = lowered(&command.text, command.risk, rules);
        match step.settings.risk {
            _ if step.settings.interactive => Self {
                risk: Risk::Destroys,
                rule: "interactive".to_owned(),
                reason: "gives its operator a full keyboard, with which anything can be done".to_owned(),
                lowered: None,
            },
            Some(raised) if raised > risk => Self {
                risk: raised,
                rule: "side file".to_owned(),
                reason: format!("the side file raises this step from {} to {}", risk.word(), raised.word()),
                lowered: None,
            },
            _ => Self { risk, rule: command.rule.clone(), reason: command.reason.clone(), lowered },
        }
    }
}

/// The text for the shell: placeholders replaced by references to variables, or why that cannot be done.
fn script(command: &Command) -> (String, Option<String>) {
    let bindings: Vec<(&str, &str)> = command
        .placeholders
        .iter()
        .filter_map(|placeholder| Some((placeholder.text.as_str(), placeholder.parameter.as_deref()?)))
        .collect();
    match runbook::bind(&command.text, &bindings) {
        Ok(script) => (script, None),
        Err(error @ runbook::BindError::Interactive) => {
            (command.text.clone(), Some(format!("This command is not run: {error}")))
        }
        Err(error) => (command.text.clone(), Some(format!("A value cannot be placed in this command: {error}"))),
    }
}

fn elsewhere(step: &Step) -> Option<String> {
    let target = step.settings.target.as_ref()?;
    Some(format!("The side file sends this step to the target {target}, and a run has one target in this version"))
}

fn is_ssh(command: &Command) -> bool {
    command.pipeline.first().is_some_and(|program| program == "ssh")
}

/// The commands that differ between two plans of one procedure: `-` as they were, `+` as they are now.
pub fn changes(was: &Plan, is: &Plan) -> Vec<String> {
    let lines = |plan: &Plan| -> String {
        let steps = plan.steps.iter().filter(|step| step.ad_hoc.is_none());
        steps.flat_map(|step| lines_of(step).collect::<Vec<_>>()).collect::<Vec<_>>().join("\n")
    };
    let (was, is) = (lines(was), lines(is));
    similar::TextDiff::from_lines(&was, &is)
        .iter_all_changes()
        .filter(|change| change.tag() != similar::ChangeTag::Equal)
        .map(|change| format!("{} {}", change.tag(), change.value().trim_end()))
        .collect()
}

/// A step as lines that can be compared: its title, a directory of its own, its commands, its ticks.
fn lines_of(step: &PlanStep) -> impl Iterator<Item = String> + '_ {
    let title = format!("{}. {}", step.number, step.title);
    let commands = step.commands.iter().map(|command| format!("$ {}", command.text.replace('\n', "\n  ")));
    let ticks =
        domain::run::ticks(step.items()).into_iter().map(|item| format!("[ ] {}", domain::runbook::plain(&item.words)));
    let directory = step.directory.iter().map(|directory| format!("directory {directory}"));
    std::iter::once(title).chain(directory).chain(commands).chain(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> PlanTarget {
        PlanTarget {
            name: "local".to_owned(),
            reach: domain::target::Reach::Local,
            production: false,
            interpreter: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Whether the plan of a document in the tour's name has a step that one person may confirm.
    fn has_scratch(document: &[u8], side: &[u8]) -> bool {
        let side = Some(("first-tour.portal.toml", side));
        let document = runbook::read("first-tour.md", document, side).expect("the tour can be read");
        let target = local();
        let ground = Ground { document: &document, target: &target, directory: "/", lowerings: &[] };
        plan(&document.procedures[0], ground).steps.iter().any(|step| step.scratch)
    }

    #[test]
    fn only_the_tour_as_it_is_shipped_has_a_step_that_its_runner_may_confirm() {
        let other = [TOUR_SIDE, b"\n# one comment more\n"].concat();
        let edited = [TOUR, b"\n"].concat();

        assert!(has_scratch(TOUR, TOUR_SIDE));
        assert!(!has_scratch(TOUR, &other), "a side file can put a value into the command that deletes");
        assert!(!has_scratch(&edited, TOUR_SIDE));
    }

    /// The commands of a plan with an administrator's rules.
    fn planned(text: &str, side: &str, lowerings: &[Lowering]) -> Vec<PlanCommand> {
        let side = Some(("a.portal.toml", side.as_bytes()));
        let document = runbook::read("a.md", text.as_bytes(), side).expect("a small document");
        let target = local();
        let ground = Ground { document: &document, target: &target, directory: "/", lowerings };
        let steps = plan(&document.procedures[0], ground).steps;
        steps.into_iter().flat_map(|step| step.commands).collect()
    }

    const SMALL: &str = "# A\n\n## Steps\n\n1. **One**\n\n   ```bash\n   docker system prune -a\n   make check\n   sort WORDS\n   ```\n";

    fn lower(command: &str, class: Risk) -> Lowering {
        Lowering { command: command.to_owned(), class, reason: "practice only".to_owned() }
    }

    #[test]
    fn an_administrator_lowers_an_exact_command_and_the_plan_keeps_what_it_was() {
        let rules = [lower("docker system prune -a", Risk::Reads), lower("make check", Risk::Reads)];

        let commands = planned(SMALL, "", &rules);

        assert_eq!((commands[0].risk, commands[1].risk), (Risk::Disrupts, Risk::Reads));
        let note = commands[0].lowered.as_ref().unwrap();
        assert_eq!((note.from, note.asked, note.reason.as_str()), (Risk::Destroys, Risk::Reads, "practice only"));
        assert_eq!(commands[0].rule, "docker system prune", "the rule that gave the class stays");
        assert_eq!(planned(SMALL, "", &[])[1].lowered, None);
    }

    #[test]
    fn the_directory_of_a_step_is_of_that_step_alone_and_another_one_is_a_change() {
        let target = local();
        let of = |side: &str| {
            let text = format!("{SMALL}\n2. **Two**\n\n   ```bash\n   date\n   ```\n");
            let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes())));
            let document = document.expect("a small document");
            let ground = Ground { document: &document, target: &target, directory: "/srv", lowerings: &[] };
            plan(&document.procedures[0], ground)
        };

        let own = of("[procedure.A.step.One]\ndirectory = \"/srv/checkout\"\n");

        let directories: Vec<_> = own.steps.iter().map(|step| step.directory.as_deref()).collect();
        assert_eq!(directories, [Some("/srv/checkout"), None]);
        assert_eq!(own.directory, "/srv");
        assert_eq!(changes(&of(""), &own), ["+ directory /srv/checkout"]);
    }

    #[test]
    fn what_a_side_file_raises_no_administrator_has_lowered() {
        let by_step = "[procedure.A.step.One]\nrisk = \"destroys\"\n";
        let by_command = "[procedure.A.step.One.command.2]\nrisk = \"destroys\"\n";
        let by_value = "[parameter.words]\nplaceholder = \"WORDS\"\ntype = \"text\"\n";
        let rules = [lower("make check", Risk::Reads), lower("sort WORDS", Risk::Reads)];

        assert_eq!(planned(SMALL, by_step, &rules)[1].risk, Risk::Destroys);
        assert_eq!(planned(SMALL, by_command, &rules)[1].risk, Risk::Destroys);
        assert_eq!(planned(SMALL, by_value, &rules)[2].risk, Risk::Destroys);
        assert!(planned(SMALL, by_step, &rules).iter().all(|command| command.lowered.is_none()));
    }
}
