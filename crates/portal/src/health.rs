//! The health of procedures: the looks for it, which are asked for and kept, and what they come to with the history.

use std::collections::HashMap;

use domain::Slug;
use domain::health::{Health, KeptLook, Sighting, health};
use domain::policy::{Operator, Sight};
use domain::run::Who;
use domain::runbook::{Document, Procedure};
use store::StoredLook;

use crate::looking::health::Inquiry;
use crate::{Error, Portal};

impl Portal {
    /// Looks at a target for the health of a procedure, and keeps what was found until the next look there. An empty name is the
    /// first target that the procedure may use.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such a procedure, [`Error::Invalid`] for a target that it may not use.
    pub async fn look_at_health(&self, operator: Operator<'_>, slug: &Slug, target: &str) -> Result<(), Error> {
        let sight = self.sight(operator.actor()).await?;
        let library = self.library(&sight).await?;
        let (document, procedure) = library.procedure(slug).ok_or(Error::NotFound)?;
        let plan = self.plan_on(document, procedure, self.target(procedure, target)?);
        let who = Who::Person(operator.actor().clone());
        let inquiry = Inquiry::of(procedure, &plan);
        let (wanted, services) = (inquiry.questions(), inquiry.service_questions());
        // Each by a probe of its own: what takes its time takes nothing from the rest.
        let (there, of_compose) = Box::pin(async {
            tokio::join!(
                self.ask_lately(&who, &plan.target, "health of a procedure", &wanted),
                self.ask_lately(&who, &plan.target, "services of a project", &services),
            )
        })
        .await;
        let found = inquiry.found(&there, &of_compose);
        let sighting = Sighting { target: plan.target.name.clone(), at: self.now() };
        let look = KeptLook { sighting, found };
        let look = StoredLook { slug: slug.clone(), document: state_of(document), look };
        let mut write = self.store().begin().await?;
        write.put_health_look(&look).await?;
        write.commit().await?;
        Ok(())
    }

    /// How far procedures can be relied on, in their order, by what somebody sees.
    pub(crate) async fn healths(
        &self,
        procedures: &[(&Document, &Procedure)],
        sight: &Sight,
    ) -> Result<Vec<Health>, Error> {
        let slugs: Vec<&Slug> = procedures.iter().map(|(_, procedure)| &procedure.slug).collect();
        let pasts = self.store().pasts(&slugs, sight).await?;
        let one = if let [slug] = slugs.as_slice() { Some(*slug) } else { None };
        let mut kept: HashMap<Slug, Vec<StoredLook>> = HashMap::new();
        for look in self.store().health_looks(one).await? {
            kept.entry(look.slug.clone()).or_default().push(look);
        }
        let now = self.now();
        let each = procedures.iter().zip(pasts).map(|((document, procedure), past)| {
            let looks = kept.remove(&procedure.slug).unwrap_or_default();
            health(procedure, &past, &self.that_fit(looks, document, procedure), now)
        });
        Ok(each.collect())
    }

    /// The looks that are of the document as it is, at targets that the procedure may use.
    fn that_fit(&self, looks: Vec<StoredLook>, document: &Document, procedure: &Procedure) -> Vec<KeptLook> {
        let state = state_of(document);
        let targets = self.targets_of(procedure);
        let is_target = |name: &str| targets.iter().any(|target| target.plan.name == name);
        let fit = looks.into_iter().filter(|look| look.document == state && is_target(&look.look.sighting.target));
        fit.map(|look| look.look).collect()
    }
}

/// What stands for a document and its side file as they are.
fn state_of(document: &Document) -> String {
    match &document.side_digest {
        Some(side) => format!("{} {side}", document.digest),
        None => document.digest.to_string(),
    }
}
