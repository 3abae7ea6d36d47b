//! Which targets a procedure may use, and the plan of a run on one.

use domain::plan::Plan;
use domain::runbook::{Document, Procedure};
use domain::view::TargetInfo;

use crate::planning::{self, Ground};
use crate::{Error, Portal, TargetSettings};

impl Portal {
    /// The targets that a procedure may use: those that its side file names, or all of them.
    pub(crate) fn targets_of(&self, procedure: &Procedure) -> Vec<&TargetSettings> {
        let allowed = &procedure.settings.targets;
        self.targets().iter().filter(|target| allowed.is_empty() || allowed.contains(&target.plan.name)).collect()
    }

    /// One target by name among those that a procedure may use; empty takes the first.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`]: there is none of this name, or the document may not use it.
    pub(crate) fn target(&self, procedure: &Procedure, name: &str) -> Result<&TargetSettings, Error> {
        let targets = self.targets_of(procedure);
        let found = targets.iter().find(|target| name.is_empty() || target.plan.name == name);
        found.copied().ok_or_else(|| Error::Invalid(no_target(self.targets(), procedure, name)))
    }

    /// What people see of the targets that a procedure may use.
    pub(crate) fn target_infos(&self, procedure: &Procedure) -> Vec<TargetInfo> {
        let info = |target: &TargetSettings| TargetInfo {
            name: target.plan.name.clone(),
            about: target.about.clone(),
            place: target.plan.reach.to_string(),
            production: target.plan.production,
        };
        self.targets_of(procedure).into_iter().map(info).collect()
    }

    /// The plan of a run that would start now on a target.
    pub(crate) fn plan_on(&self, document: &Document, procedure: &Procedure, target: &TargetSettings) -> Plan {
        let ground =
            Ground { document, target: &target.plan, directory: &target.directory, lowerings: self.lowerings() };
        let mut plan = planning::plan(procedure, ground);
        let also: Vec<String> =
            target.mask_files.iter().filter(|file| !plan.mask_files.contains(file)).cloned().collect();
        plan.mask_files.extend(also);
        plan
    }
}

/// Why there is no such target for a procedure.
fn no_target(all: &[TargetSettings], procedure: &Procedure, name: &str) -> String {
    let allowed = procedure.settings.targets.join(", ");
    let title = &procedure.title;
    if all.iter().any(|target| target.plan.name == name) {
        return format!(
            "\u{201c}{title}\u{201d} may not use the target {name}: its side file allows {allowed}. Nothing was started; choose one of \
             those, or let an author add {name} to `targets` there."
        );
    }
    let configured: Vec<&str> = all.iter().map(|target| target.plan.name.as_str()).collect();
    let wanted = if name.is_empty() { &*allowed } else { name };
    format!(
        "The target {wanted} is not one that the portal's configuration names: it has {}. Nothing was started; choose one of those, or \
         let an administrator add it to portal.toml.",
        configured.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use domain::plan::PlanTarget;
    use domain::target::Reach;

    use super::*;

    fn settings(name: &str) -> TargetSettings {
        let plan = PlanTarget {
            name: name.to_owned(),
            reach: Reach::Local,
            production: false,
            interpreter: Vec::new(),
            environment: Vec::new(),
        };
        TargetSettings { plan, about: String::new(), directory: "/".to_owned(), mask_files: Vec::new() }
    }

    #[test]
    fn a_target_that_a_document_may_not_use_is_another_thing_than_one_that_is_not_there() {
        let side = b"targets = [\"staging\"]\n".as_slice();
        let text = b"# A\n\n## Steps\n\n```sh\nls\n```\n";
        let document = runbook::read("a.md", text, Some(("a.portal.toml", side))).unwrap();
        let told = |name| no_target(&[settings("production"), settings("staging")], &document.procedures[0], name);

        assert!(told("production").contains("may not use the target production: its side file allows staging"));
        assert!(told("prod").contains("The target prod is not one that the portal's configuration names"));
    }
}
