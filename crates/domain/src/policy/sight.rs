//! Who sees what: the limit of a procedure, held against the groups of whoever looks.

use std::collections::BTreeSet;

use super::{Groups, Role, Verb, allows};
use crate::Slug;
use crate::plan::Plan;

/// For whose eyes something is read.
///
/// Whatever hands out procedures and runs takes one, so that nobody can forget to say for whom they are.
///
/// - What has no limit is seen by everybody.
/// - What is limited to groups is seen by who is in one of them.
/// - Who looks after people sees everything: they could put themselves into any group.
///
/// A run is limited twice: by the limit that its procedure had when it was started, which its plan keeps, and by the one that the
/// procedure of its address has now. It is seen by who fulfils both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The groups of whoever looks; `None` sees everything.
    groups: Option<Groups>,
    /// The procedures that they do not see as the documents are now.
    hidden: BTreeSet<Slug>,
}

impl Sight {
    /// Of the portal itself, for what it does on nobody's behalf.
    pub const EVERYTHING: Self = Self { groups: None, hidden: BTreeSet::new() };

    /// Of a person with a role and these groups. `limits` are those of the procedures as the documents are now.
    pub fn of<'l>(role: Role, groups: Groups, limits: impl IntoIterator<Item = (&'l Slug, &'l Groups)>) -> Self {
        if allows(role, Verb::ManagePeople) {
            return Self::EVERYTHING;
        }
        let mut sight = Self { groups: Some(groups), hidden: BTreeSet::new() };
        let hidden = limits.into_iter().filter(|(_, limit)| !sight.sees(Some(*limit)));
        sight.hidden = hidden.map(|(slug, _)| slug.clone()).collect();
        sight
    }

    /// Whether what has a limit is seen; `None` is no limit. A limit to no group at all is for who sees everything.
    pub fn sees(&self, limit: Option<&Groups>) -> bool {
        match (&self.groups, limit) {
            (None, _) | (_, None) => true,
            (Some(groups), Some(limit)) => !groups.is_disjoint(limit),
        }
    }

    /// Whether a run with this plan is seen.
    pub fn sees_run(&self, plan: &Plan) -> bool {
        self.sees(plan.visible_to.as_ref()) && !self.hidden.contains(&plan.slug)
    }

    /// The groups of whoever looks; `None` when they see everything.
    pub const fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// The procedures that they do not see as the documents are now.
    pub const fn hidden(&self) -> &BTreeSet<Slug> {
        &self.hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::typed_groups;

    fn groups(names: &str) -> Groups {
        typed_groups(names).unwrap()
    }

    fn sight(role: Role, names: &str) -> Sight {
        Sight::of(role, groups(names), [])
    }

    #[test]
    fn every_role_but_the_administrators_sees_what_is_limited_only_by_a_group() {
        let table = [
            // the limit, and whether one sees it in no group, in `dba`, in `dba` and `ops`
            (None, [true, true, true]),
            (Some("dba"), [false, true, true]),
            (Some("ops, platform"), [false, false, true]),
            (Some("platform"), [false, false, false]),
            (Some(""), [false, false, false]),
        ];

        for (limit, expected) in table {
            let limit = limit.map(groups);
            for role in Role::ALL {
                let seen = ["", "dba", "dba, ops"].map(|names| sight(role, names).sees(limit.as_ref()));
                let expected = if role == Role::Administrator { [true; 3] } else { expected };
                assert_eq!(seen, expected, "{role}: {limit:?}");
            }
            assert!(Sight::EVERYTHING.sees(limit.as_ref()));
        }
    }

    #[test]
    fn a_run_is_seen_by_who_fulfils_the_limit_that_it_was_started_with_and_the_present_one() {
        let seen = |names: &str, recorded: Option<&str>, present: Option<&str>| {
            let plan = Plan { visible_to: recorded.map(groups), ..crate::run::tests::stage::plan() };
            let present = present.map(groups);
            let limits = present.iter().map(|limit| (&plan.slug, limit));
            Sight::of(Role::Lead, groups(names), limits).sees_run(&plan)
        };

        assert!(seen("", None, None));
        assert!(!seen("", None, Some("dba")), "limited after it was started");
        assert!(!seen("", Some("dba"), None), "the limit was lifted, or the procedure is gone");
        assert!(!seen("dba", Some("dba"), Some("ops")));
        assert!(!seen("ops", Some("dba"), Some("ops")));
        assert!(seen("dba, ops", Some("dba"), Some("ops")));
        assert!(seen("dba", Some("dba"), Some("dba, ops")));
    }
}
