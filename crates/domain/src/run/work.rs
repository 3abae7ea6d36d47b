//! What an attempt at a step does: its commands, and everything that they are given.

use std::collections::{BTreeMap, BTreeSet};

use super::event::Who;
use super::state::{Ground, Run};
use crate::attempt::{Work, WorkCommand};
use crate::plan::{OUTPUT_CAP, PlanCommand};
use crate::steering::can_be_carried;

impl Run {
    /// What an attempt at some commands of a step does now, when this person starts it; `None` when there is no such step.
    ///
    /// The values are put into the environment by name and never into the text of a command.
    pub fn work(&self, step: u32, commands: &[u32], who: &Who) -> Option<Work> {
        let plan = self.plan.step(step)?;
        let chosen: Vec<(u32, &PlanCommand)> =
            commands.iter().filter_map(|number| plan.command(*number).map(|command| (*number, command))).collect();
        let values = self.values_of(step, commands);
        let target = &self.plan.target;
        let environment = target.environment.iter().cloned().chain(self.acting(who)).chain(values).collect();
        let ground = self.ground(step, commands);
        let runs = chosen.iter().filter(|(_, command)| command.by_portal.is_none());
        Some(Work {
            target: target.name.clone(),
            reach: target.reach.clone(),
            interpreter: target.interpreter.clone(),
            pipefail: plan.pipefail,
            tty: plan.tty,
            directory: ground.directory,
            environment,
            commands: runs.map(|(number, command)| command.work(*number)).collect(),
            timeout_ms: plan.timeout_ms,
            output_cap: plan.output_cap.unwrap_or(OUTPUT_CAP),
            interactive: plan.interactive,
            limits: plan.limits,
            secrets: self.secrets_of(step, commands),
            mask_files: self.plan.mask_paths(),
            exports: self.exports(chosen.iter().map(|(_, command)| *command)),
            carried: ground.carried,
        })
    }

    /// The directory in which a step is: its own, when it has one, else that of the run.
    pub fn directory_of(&self, step: u32) -> &str {
        self.step(step).and_then(|state| state.directory.as_deref()).unwrap_or(&self.directory)
    }

    /// The step for which alone a person sets a directory, because it has its own: the one that runs, else what was tried last of
    /// all that has stopped and waits for a person, as a rollback after the step that failed, else the next one to do.
    pub fn apart(&self) -> Option<u32> {
        let waits = (1..).take(self.steps.len()).filter(|step| self.status(*step).needs_a_person());
        let tried = |step: &u32| self.step(*step).and_then(|state| Some(state.attempts.last()?.started.at));
        let step = self.open_attempt().map(|open| open.step).or_else(|| waits.max_by_key(tried));
        let step = step.or_else(|| self.current_step());
        step.filter(|step| self.step(*step).is_some_and(|state| state.directory.is_some()))
    }

    /// The directory that a person sees and sets: that of the step for which it would be, else the run's.
    pub fn next_directory(&self) -> &str {
        self.apart().map_or(&*self.directory, |step| self.directory_of(step))
    }

    /// Where an attempt at some commands begins: where the run stands, or in the step's own directory. The same commands once more
    /// after they have ended badly begin where they began before, unless somebody has moved the run, or the step, meanwhile:
    /// `cd x && make` would find no `x` in `x`.
    pub fn ground(&self, step: u32, commands: &[u32]) -> Ground {
        let here = Ground { directory: self.directory_of(step).to_owned(), carried: self.carried.clone() };
        let last = self.step(step).and_then(|state| state.attempts.last());
        let again = last.filter(|last| last.is_bad() && last.commands == commands && last.left() == here);
        again.map_or(here, |last| last.began.clone())
    }

    /// The secrets that some commands use, each with its version; empty while it is not known.
    pub fn secrets_of(&self, step: u32, commands: &[u32]) -> BTreeMap<String, String> {
        let version = |name: &String| (name.clone(), self.secrets.get(name).cloned().unwrap_or_default());
        self.parameters_of(step, commands).filter(|name| self.plan.is_secret(name)).map(version).collect()
    }

    /// The parameters that some commands use.
    fn parameters_of(&self, step: u32, commands: &[u32]) -> impl Iterator<Item = &String> {
        let plan = self.plan.step(step);
        commands
            .iter()
            .filter_map(move |number| plan?.command(*number))
            .flat_map(|command| &command.placeholders)
            .filter_map(|placeholder| placeholder.parameter.as_ref())
    }

    /// The variables that are kept after an attempt: those that its commands export by name, and those that it got itself.
    fn exports<'c>(&self, commands: impl Iterator<Item = &'c PlanCommand>) -> Vec<String> {
        let got = self.carried.iter().flat_map(|carried| carried.names.clone());
        let got = got.filter(|name| self.may_carry(name));
        self.own_exports(commands).into_iter().chain(got).collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// The variables that commands export by name for later steps.
    pub(super) fn own_exports<'c>(&self, commands: impl IntoIterator<Item = &'c PlanCommand>) -> BTreeSet<String> {
        commands.into_iter().flat_map(|command| &command.exports).filter(|name| self.may_carry(name)).cloned().collect()
    }

    fn may_carry(&self, name: &str) -> bool {
        can_be_carried(name) && self.plan.parameter(name).is_none()
    }

    /// The values that some commands use, of those that are set.
    pub fn values_of(&self, step: u32, commands: &[u32]) -> BTreeMap<String, String> {
        let known = self.parameters_of(step, commands).filter_map(|name| self.values.get_key_value(name));
        known.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The part of the environment that tells a command for whom it works.
    fn acting(&self, who: &Who) -> impl Iterator<Item = (String, String)> + use<> {
        let name = who.name().to_owned();
        let mail = format!("run-{}@runbook-portal.invalid", self.id);
        let names = ["PORTAL_ACTOR", "GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"].map(|key| (key.to_owned(), name.clone()));
        let mails = ["GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"].map(|key| (key.to_owned(), mail.clone()));
        names.into_iter().chain(mails).chain([("PORTAL_RUN".to_owned(), self.id.to_string())])
    }

    /// The names of the parameters that some commands need and that have no value.
    pub fn missing_values(&self, step: u32, commands: &[u32]) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for name in self.parameters_of(step, commands) {
            if !self.values.contains_key(name) && !self.plan.is_secret(name) && !missing.contains(name) {
                missing.push(name.clone());
            }
        }
        missing
    }
}

impl PlanCommand {
    fn work(&self, number: u32) -> WorkCommand {
        WorkCommand { number, script: self.script.clone(), pipeline: self.pipeline.clone(), watch: self.watch }
    }
}
