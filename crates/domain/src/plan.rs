//! The plan of a run: everything that was frozen when the run was created.
//!
//! A later edit of the document changes no plan. What is still open are the values of parameters, and the directory,
//! which a connect step or a `cd` may move.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::attempt::Limits;
use crate::check::{CheckId, PlanCheck};
use crate::escalation::Escalation;
use crate::policy::Groups;
use crate::runbook::{Choice, Item, ParameterKind, PartKind, Placeholder, StepContent, StepKind};
use crate::target::Reach;
use crate::{Digest, Lowered, Risk, Slug};

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The procedure's address.
    pub slug: Slug,
    /// The procedure's title.
    pub title: String,
    /// The document's path below the folder of documents.
    pub document: String,
    /// The digest of the document's bytes.
    pub document_digest: Digest,
    /// The digest of the side file's bytes.
    pub side_digest: Option<Digest>,
    /// Where it runs.
    pub target: PlanTarget,
    /// The directory in which the first step begins; absolute.
    pub directory: String,
    /// The values that people give, and the secrets that the portal's configuration has.
    pub parameters: Vec<PlanParameter>,
    /// The steps, then those of the rollback. A step's number in a run is its place here, from 1.
    pub steps: Vec<PlanStep>,
    /// The expected outcome, line by line.
    pub outcome: Vec<Item>,
    /// The checks of the expected outcome, by the numbers of its lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<PlanCheck>,
    /// The version that each secret had, of those that were there when the run was created.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// The files whose values are masked in all output, seen from the directory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mask_files: Vec<String>,
    /// The words that stand for a value in the text around the commands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prose: Vec<PlanProse>,
    /// The groups to which the procedure was limited; `None` means every signed-in person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_to: Option<Groups>,
    /// Whom to tell when.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub escalation: Escalation,
}

/// Words in the text of a step that stand for a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProse {
    /// The step's place in the plan, from 1; 0 for the expected outcome.
    pub step: u32,
    /// The words and their parameter.
    pub placeholder: Placeholder,
}

/// Where a run runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTarget {
    /// Its name, as in the portal's configuration.
    pub name: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Reach::is_local")]
    pub reach: Reach,
    /// Whether a step that disrupts asks for the target's name first.
    pub production: bool,
    /// Program and arguments of the shell.
    pub interpreter: Vec<String>,
    /// The listed environment, in order: nothing else is inherited.
    pub environment: Vec<(String, String)>,
}

/// A value that a person gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanParameter {
    /// Its name, unique in the plan; also the variable that carries the value.
    pub name: String,
    /// The words of the document that it fills.
    pub placeholder: String,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value it begins with.
    pub default: Option<String>,
    /// One sentence for the person who fills it.
    pub help: Option<String>,
    /// A value that shows the form.
    pub example: Option<String>,
}

/// One step of a plan.
#[expect(clippy::struct_excessive_bools, reason = "each is one key of the side file")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// [`PartKind::Steps`] or [`PartKind::Rollback`].
    pub part: PartKind,
    /// The number that the document gives it.
    pub number: u32,
    /// Its title.
    pub title: String,
    /// Its line in the document.
    pub line: u32,
    /// Who does it.
    pub kind: StepKind,
    /// The worst class of its commands.
    pub risk: Risk,
    /// Its text as it was, for reading. The ticks are the items in here, in order.
    pub content: Vec<StepContent>,
    /// Its commands, in order.
    pub commands: Vec<PlanCommand>,
    /// The directory of this step alone, absolute; without one it begins where the run is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Milliseconds after which it is stopped.
    pub timeout_ms: Option<u64>,
    /// Whether it runs under a terminal.
    pub tty: bool,
    /// Whether the shell stops a pipeline at its first failing member.
    pub pipefail: bool,
    /// Whether its runner may confirm it although it destroys: the tour's own scratch step, until approvals exist.
    /// Set only for the document that is built into the portal, byte for byte.
    pub scratch: bool,
    /// Bytes of output that are kept of an attempt; [`OUTPUT_CAP`] when it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_cap: Option<u64>,
    /// What an attempt may use of the machine.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// Whether the operator has a full keyboard in it; it counts as *destroys* then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interactive: bool,
    /// The checks that are asked when it has ended well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<PlanCheck>,
    /// Set when it is not in the document: a person added it in the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ad_hoc: Option<AdHoc>,
}

/// Why a step was added that is not in the document, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdHoc {
    /// The place in the plan of the step that it comes after, from 1; 0 is before the first.
    pub after: u32,
    /// Why it was needed.
    pub reason: String,
}

/// One command of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCommand {
    /// The document's bytes.
    pub text: String,
    /// What the shell gets: the same with placeholders replaced by variable references.
    pub script: String,
    /// The comment above it.
    pub label: Option<String>,
    /// Its class.
    pub risk: Risk,
    /// The words that gave the class.
    pub rule: String,
    /// The rule in a sentence.
    pub reason: String,
    /// Set when an administrator lowered the class: `rule` and `reason` are still those of what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered: Option<Lowered>,
    /// Whether it never ends by itself.
    pub watch: bool,
    /// Whether it draws a full screen.
    pub screen: bool,
    /// The comment that makes it a choice.
    pub choice: Option<Choice>,
    /// The words in it that stand for a value.
    pub placeholders: Vec<Placeholder>,
    /// The program of each member of the pipeline.
    pub pipeline: Vec<String>,
    /// Set when the portal does it itself instead of the shell, as `ssh HOST` in a connect step: what it does, in a sentence.
    pub by_portal: Option<String>,
    /// Set when it cannot run at all, whatever the values: why, in a sentence.
    pub blocked: Option<String>,
    /// The variables that it exports by name and that later steps get.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exports: Vec<String>,
}

/// The most bytes of output that an attempt keeps, unless configured otherwise: 512 MiB.
pub const OUTPUT_CAP: u64 = 512 << 20;

impl Plan {
    /// The digest over all of it.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }

    /// The step at a place, counted from 1.
    pub fn step(&self, step: u32) -> Option<&PlanStep> {
        self.steps.get(usize::try_from(step).ok()?.checked_sub(1)?)
    }

    /// A check of the outcome, or after a step.
    pub fn check(&self, id: CheckId) -> Option<&PlanCheck> {
        let checks = id.step.map_or(Some(&self.checks), |step| self.step(step).map(|step| &step.after))?;
        checks.iter().find(|check| check.number == id.number)
    }

    /// The checks of the outcome.
    pub fn outcome_checks(&self) -> impl Iterator<Item = CheckId> + '_ {
        self.checks.iter().map(|check| CheckId { step: None, number: check.number })
    }

    /// What a step does, as a digest that is the same in every run of this procedure in which it does the same.
    pub fn work_of(&self, step: &PlanStep) -> Digest {
        let scripts: Vec<&str> = step.commands.iter().map(|command| command.script.as_str()).collect();
        Digest::of_canonical(&(&self.slug, &self.target.name, scripts))
    }

    /// Whether a parameter is a secret: named here, and its value known to the portal's configuration alone.
    pub fn is_secret(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|parameter| parameter.kind == ParameterKind::Secret)
    }

    /// The absolute paths of the files whose values are masked.
    pub fn mask_paths(&self) -> Vec<String> {
        let path = |file: &String| match file.strip_prefix('/') {
            Some(_) => file.clone(),
            None => format!("{}/{file}", self.directory.trim_end_matches('/')),
        };
        self.mask_files.iter().map(path).collect()
    }

    /// The names of the secrets that some command uses.
    pub fn secret_names(&self) -> impl Iterator<Item = &str> {
        let secrets = self.parameters.iter().filter(|parameter| parameter.kind == ParameterKind::Secret);
        secrets.map(|parameter| parameter.name.as_str())
    }

    /// The parameter with a name.
    pub fn parameter(&self, name: &str) -> Option<&PlanParameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// What pages and messages call some parameters, by their names.
    pub fn labels(&self, names: &[String]) -> Vec<String> {
        names.iter().map(|name| self.parameter(name).map_or_else(|| name.clone(), PlanParameter::label)).collect()
    }

    /// The words that stand for a value in the text of a step, by its place; 0 for the expected outcome.
    pub fn words_of(&self, step: u32) -> Vec<Placeholder> {
        self.prose.iter().filter(|prose| prose.step == step).map(|prose| prose.placeholder.clone()).collect()
    }

    /// The worst class of all steps, the rollback not counted.
    pub fn risk(&self) -> Risk {
        self.steps.iter().filter(|step| step.is_on_the_way()).map(|step| step.risk).max().unwrap_or_default()
    }
}

impl PlanParameter {
    /// What pages and messages call it: its name as words, `Compose service` for `compose_service`.
    pub fn label(&self) -> String {
        let words = self.name.replace('_', " ");
        let mut characters = words.chars();
        characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
    }
}

impl PlanStep {
    /// The command with a number, counted from 1.
    pub fn command(&self, number: u32) -> Option<&PlanCommand> {
        self.commands.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Whether a run goes through it by itself: the document's own steps, neither the rollback nor what a person added.
    pub fn is_on_the_way(&self) -> bool {
        self.part == PartKind::Steps && self.ad_hoc.is_none()
    }

    /// Its ticks, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.content.iter().filter_map(|content| match content {
            StepContent::Item { item } => Some(item),
            _ => None,
        })
    }
}
