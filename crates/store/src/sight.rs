//! The part of a query that leaves out the runs which somebody may not see.
//!
//! It is the rule of [`Sight::sees_run`] for the database, so that a page of a list is full as long as there is more to see.

use domain::policy::{GroupName, Groups, Sight};
use domain::run::Run;
use sqlx::QueryBuilder;

use crate::Db;

/// The limit of a run as its row keeps it: the names in order with a blank before and behind each, so that each is found by its
/// own name alone. A blank alone limits it to no group.
pub(crate) fn limit(run: &Run) -> Option<String> {
    let spaced = |groups: &Groups| groups.iter().fold(" ".to_owned(), |text, group| text + group.as_str() + " ");
    run.plan.visible_to.as_ref().map(spaced)
}

/// What `LIKE` takes for "a limit with this group in it".
fn pattern(group: &GroupName) -> String {
    format!("% {} %", group.as_str().replace('_', "!_"))
}

/// Narrows a query about `runs` to those that somebody sees. It has a condition already.
pub(crate) fn only_seen(query: &mut QueryBuilder<Db>, sight: &Sight) {
    let Some(groups) = sight.groups() else { return };
    query.push(" AND (runs.visible_to IS NULL");
    for group in groups {
        query.push(" OR runs.visible_to LIKE ").push_bind(pattern(group)).push(" ESCAPE '!'");
    }
    query.push(")");
    if !sight.hidden().is_empty() {
        query.push(" AND runs.slug NOT IN (");
        let mut slugs = query.separated(", ");
        for slug in sight.hidden() {
            slugs.push_bind(slug.as_str().to_owned());
        }
        query.push(")");
    }
}

/// Narrows a query about something of runs, which has the run's number in a column, to what is of runs that somebody sees.
pub(crate) fn only_of_seen(query: &mut QueryBuilder<Db>, run: &'static str, sight: &Sight) {
    if sight.groups().is_none() {
        return;
    }
    query.push(" AND EXISTS (SELECT 1 FROM runs WHERE runs.id = ").push(run);
    only_seen(query, sight);
    query.push(")");
}

#[cfg(test)]
mod tests;
