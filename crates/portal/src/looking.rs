//! The dry look: what is there at a target before the first step, and what there is to choose from.
//!
//! It is an aid and no gate: nothing waits for it, and a run can be started whatever it says. Only who may start a run is shown one,
//! because each is a process at the target.

mod choices;
pub(crate) mod health;
mod items;
mod wants;

use std::collections::BTreeMap;

use domain::approval::{EvidenceItem, Standing};
use domain::look::Look;
use domain::plan::{Plan, PlanParameter, PlanTarget};
use domain::policy::{Operator, Sight};
use domain::run::{Holder, Run, Who};
use domain::runbook::ParameterKind;
use domain::{RunId, Slug};

use crate::{Error, Portal};
use items::item;
use wants::Wants;

/// What a look is about.
struct Seen<'p> {
    plan: &'p Plan,
    wants: Wants,
    values: &'p BTreeMap<String, String>,
    /// The run that looks, when there is one already.
    run: Option<RunId>,
    /// For whom it is.
    sight: &'p Sight,
}

impl Portal {
    /// A look at a target for a run that could start there now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a procedure, [`Error::Invalid`] for a target that it may not use.
    pub async fn look_before_start(&self, operator: Operator<'_>, slug: &Slug, target: &str) -> Result<Look, Error> {
        let sight = self.sight(operator.actor()).await?;
        let library = self.library(&sight).await?;
        let (document, procedure) = library.procedure(slug).ok_or(Error::NotFound)?;
        let plan = self.plan_on(document, procedure, self.target(procedure, target)?);
        let values = defaults(&plan);
        let wants = wants::wants(&plan, 1, &plan.directory, &values);
        let seen = Seen { plan: &plan, wants, values: &values, run: None, sight: &sight };
        Box::pin(self.look(operator, seen)).await
    }

    /// A look at the target of a run, for what is still to come in it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a run.
    pub async fn look_in_run(&self, operator: Operator<'_>, run: RunId) -> Result<Look, Error> {
        let sight = self.sight(operator.actor()).await?;
        let state = self.store().run(run, &sight).await?.ok_or(Error::NotFound)?;
        let (plan, values) = (as_it_stands(&state), &state.values);
        let from = state.stands_at().unwrap_or(u32::MAX);
        let wants = wants::wants(&plan, from, &state.directory, values);
        Box::pin(self.look(operator, Seen { plan: &plan, wants, values, run: Some(run), sight: &sight })).await
    }

    async fn look(&self, operator: Operator<'_>, seen: Seen<'_>) -> Result<Look, Error> {
        let who = Who::Person(operator.actor().clone());
        let target = &seen.plan.target;
        let asked = choices::asked(seen.plan, &seen.wants);
        let (wanted, services) = (items::questions(&seen.wants), items::service_questions(&seen.wants));
        let listed: Vec<_> = asked.iter().flat_map(choices::Asked::questions).cloned().collect();
        // Each by a probe of its own: what takes its time takes nothing from the rest.
        let (there, services, listed) = tokio::join!(
            self.ask_lately(&who, target, "look before a run", &wanted),
            self.ask_lately(&who, target, "services of a project", &services),
            self.ask_lately(&who, target, "choices for a value", &listed),
        );
        let place = target.reach.to_string();
        let mut items = items::items(&place, &seen.wants, &there, &services);
        items.push(self.lock_item(target, seen.run, seen.sight).await?);
        items.push(values_item(seen.plan, seen.values));
        let choices = choices::choices(&asked, &listed, self.now());
        Ok(Look { at: self.now(), target: target.name.clone(), place, items, choices })
    }

    /// Whether another run keeps the target to itself.
    async fn lock_item(&self, target: &PlanTarget, own: Option<RunId>, sight: &Sight) -> Result<EvidenceItem, Error> {
        let free =
            || item("Lock", Standing::Good, "free", vec![format!("No other run keeps {} to itself.", target.name)]);
        let Some(id) = self.store().lock_holder(&target.name).await?.filter(|id| Some(*id) != own) else {
            return Ok(free());
        };
        let Some(other) = self.store().run(id, &Sight::EVERYTHING).await? else { return Ok(free()) };
        let usual = self.store().usual(&other.plan.slug, sight).await?.map(|usual| usual.high_ms);
        Ok(Holder::of(&other, usual, sight)
            .map_or_else(free, |holder| item("Lock", Standing::Look, "held", vec![format!("{holder}.")])))
    }
}

/// The plan of a run with the directories in which its steps are now, of those that have their own.
fn as_it_stands(run: &Run) -> Plan {
    let mut plan = run.plan.clone();
    for (step, state) in plan.steps.iter_mut().zip(&run.steps) {
        step.directory.clone_from(&state.directory);
    }
    plan
}

/// The values with which a run of a plan begins.
fn defaults(plan: &Plan) -> BTreeMap<String, String> {
    let parameters = plan.parameters.iter();
    parameters.filter_map(|parameter| Some((parameter.name.clone(), parameter.default.clone()?))).collect()
}

/// Whether every value is there. One that is open is no mistake: the step that uses it waits for it.
fn values_item(plan: &Plan, values: &BTreeMap<String, String>) -> EvidenceItem {
    let asked = || plan.parameters.iter().filter(|parameter| parameter.kind != ParameterKind::Secret);
    let open: Vec<String> =
        asked().filter(|parameter| !values.contains_key(&parameter.name)).map(PlanParameter::label).collect();
    match (open.len(), asked().count()) {
        (0, 0) => item("Values", Standing::Good, "none needed", vec!["No command stands open for a value.".to_owned()]),
        (0, _) => item("Values", Standing::Good, "all filled", vec!["Every value has been given.".to_owned()]),
        (some, _) => {
            let words = format!("{}: a step that uses it waits until it is given.", open.join(", "));
            item("Values", Standing::Look, &format!("{some} open"), vec![words])
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::runbook::Procedure;
    use domain::target::Reach;

    use super::*;
    use crate::planning::{self, Ground};

    /// The plan of the first procedure of a document with its side file.
    pub(crate) fn plan_of(text: &str, side: &str) -> Plan {
        document_of(text, side).1
    }

    /// The first procedure of a document with its side file, and its plan.
    pub(crate) fn document_of(text: &str, side: &str) -> (Procedure, Plan) {
        let document = runbook::read("a.md", text.as_bytes(), Some(("a.portal.toml", side.as_bytes()))).unwrap();
        let target = PlanTarget {
            name: "local".to_owned(),
            reach: Reach::Local,
            production: false,
            interpreter: Vec::new(),
            environment: Vec::new(),
        };
        let ground = Ground { document: &document, target: &target, directory: "/", lowerings: &[] };
        let plan = planning::plan(&document.procedures[0], ground);
        (document.procedures[0].clone(), plan)
    }

    #[test]
    fn an_open_value_is_worth_a_look_and_no_mistake() {
        let side = "[parameter.name]\nplaceholder = \"NAME\"\ntype = \"text\"\n";
        let plan = plan_of("# A\n\n## Steps\n\n```sh\necho NAME\n```\n", side);

        let open = values_item(&plan, &BTreeMap::new());
        let filled = values_item(&plan, &[("name".to_owned(), "x".to_owned())].into());

        assert_eq!((open.standing, open.result.as_str()), (Standing::Look, "1 open"));
        assert_eq!((filled.standing, filled.result.as_str()), (Standing::Good, "all filled"));
    }
}
