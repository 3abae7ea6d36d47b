//! What needs a lead's approval, what it is bound to, and what the portal shows beside the button.
//!
//! A request covers sets of commands by the digest of everything that determines what they do
//! ([`crate::attempt::Work`]). The rules about who may decide and when an approval holds are in [`crate::run::decide`].

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, PlanStep};
use crate::policy::Role;
use crate::{Digest, Risk, Timestamp};

const MINUTE_MS: u64 = 60_000;

/// The administrator's settings about approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRules {
    /// What needs approval beside everything that destroys.
    pub rules: Vec<ApprovalRule>,
    /// Milliseconds after which a request that nobody decided expires.
    pub decide_within_ms: u64,
    /// Milliseconds within which a covered step has to start, from the later of its approval and the end of the step before it.
    pub start_within_ms: u64,
    /// Milliseconds for which the rollback may start after a covered attempt ended badly.
    pub rollback_within_ms: u64,
    /// The role that may start without an approval in an emergency; `None` is nobody.
    pub break_glass: Option<Role>,
}

impl ApprovalRules {
    /// What holds unless it is configured otherwise: requests for 30 minutes, starts within 15, rollbacks within 60, and a
    /// lead alone may break the glass.
    pub const DEFAULT: Self = Self {
        rules: Vec::new(),
        decide_within_ms: 30 * MINUTE_MS,
        start_within_ms: 15 * MINUTE_MS,
        rollback_within_ms: 60 * MINUTE_MS,
        break_glass: Some(Role::Lead),
    };

    /// The digest by which a request remembers under which rules it was made.
    pub fn digest(&self) -> Digest {
        Digest::of_canonical(self)
    }

    /// What commands of a class in a step need at a moment; `None` when they need no approval.
    ///
    /// What destroys needs one lead always, and more where a rule says so.
    pub fn need(&self, plan: &Plan, step: &PlanStep, class: Risk, now: Timestamp) -> Option<Need> {
        let always = (class == Risk::Destroys && !step.scratch).then_some(Need { leads: 1, why: None });
        let rules = self.rules.iter().filter(|rule| rule.is_about(plan, step, class, now));
        let needs = rules.map(|rule| Need { leads: rule.leads.max(1), why: Some(rule.reason.clone()) });
        always.into_iter().chain(needs).max_by_key(|need| need.leads)
    }
}

impl Default for ApprovalRules {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What needs approval although it does not destroy, or that of more leads than one. What a rule leaves open it does not ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ApprovalRule {
    /// The procedure's address.
    pub procedure: Option<String>,
    /// The step's title.
    pub step: Option<String>,
    /// The target's name.
    pub target: Option<String>,
    /// The least class.
    pub class: Option<Risk>,
    /// From and until which minute of the day in UTC; a span may go over midnight.
    pub between: Option<(u32, u32)>,
    /// How many leads have to approve; at least one.
    pub leads: u32,
    /// Why, in a sentence for the operator.
    pub reason: String,
}

impl ApprovalRule {
    fn is_about(&self, plan: &Plan, step: &PlanStep, class: Risk, now: Timestamp) -> bool {
        let agrees = |asked: &Option<String>, is: &str| asked.as_ref().is_none_or(|asked| asked == is);
        agrees(&self.procedure, plan.slug.as_str())
            && agrees(&self.step, &step.title)
            && agrees(&self.target, &plan.target.name)
            && self.class.is_none_or(|least| class >= least)
            && self.between.is_none_or(|span| is_within(span, now.minute_of_day()))
    }
}

fn is_within((from, until): (u32, u32), minute: u32) -> bool {
    if from <= until { (from..until).contains(&minute) } else { minute >= from || minute < until }
}

/// That something needs approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Of how many different leads.
    pub leads: u32,
    /// The rule's sentence; `None` when it needs one because it destroys.
    pub why: Option<String>,
}

impl Need {
    /// Why, in a sentence without its stop: `A lead has to approve this, since it destroys`.
    pub fn words(&self) -> String {
        let who = match self.leads {
            0 | 1 => "A lead has to approve this".to_owned(),
            leads => format!("{leads} leads have to approve this"),
        };
        match &self.why {
            None => format!("{who}, since it destroys"),
            Some(why) => format!("{who}, by a rule: {}", why.trim_end_matches('.')),
        }
    }
}

/// What the portal found out for the person who decides, at one moment, by looking only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When.
    pub at: Timestamp,
    /// What was looked at, in the order in which it is shown.
    pub items: Vec<EvidenceItem>,
}

impl Evidence {
    /// The files that have to be the same at the start as they were when the request was made.
    pub fn bound(&self) -> impl Iterator<Item = &FileIdentity> {
        self.items.iter().filter_map(|item| item.bound.as_ref())
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// What, as a heading: `Backup file`.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
    /// The result in a few words: `7 h old`.
    pub result: String,
    /// What was seen, line by line.
    pub saw: Vec<String>,
    /// The file that the approval is bound to, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<FileIdentity>,
}

/// How a piece of evidence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As one would wish.
    Good,
    /// Worth a second look.
    Look,
    /// It could not be found out.
    Unknown,
}

/// A file as it was: another file of the same name differs in one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// The path as the parameter gives it.
    pub path: String,
    /// Where it leads, every symbolic link followed.
    pub resolved: String,
    /// The number of its device.
    pub device: u64,
    /// Its number on the device.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When its content changed last, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// The SHA-256 of its content, where that was small enough to be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Digest>,
}

/// Something that is not any more as it was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What, in a few words: `directory`, `value of backup`.
    pub what: String,
    /// What was approved.
    pub approved: String,
    /// What it is now.
    pub now: String,
}

/// `the directory was "/srv" and is "/srv/app"`
impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, approved, now } = self;
        match (approved.is_empty(), now.is_empty()) {
            (true, true) => f.write_str(what),
            (true, false) => write!(f, "{what} is new: \u{201c}{now}\u{201d}"),
            (false, true) => write!(f, "{what} was \u{201c}{approved}\u{201d} and is gone"),
            (false, false) => write!(f, "{what} was \u{201c}{approved}\u{201d} and is \u{201c}{now}\u{201d}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp((hour * 60 + minute) * 60_000)
    }

    #[test]
    fn a_span_of_the_day_may_go_over_midnight() {
        let night = (22 * 60, 6 * 60);

        assert!(is_within(night, at(23, 0).minute_of_day()));
        assert!(is_within(night, at(5, 59).minute_of_day()));
        assert!(!is_within(night, at(6, 0).minute_of_day()));
        assert!(is_within((60, 120), at(1, 30).minute_of_day()));
        assert!(!is_within((60, 120), at(2, 0).minute_of_day()));
    }

    #[test]
    fn what_needs_an_approval_says_by_what_rule() {
        let need = |leads, why: Option<&str>| Need { leads, why: why.map(str::to_owned) }.words();

        assert_eq!(need(1, None), "A lead has to approve this, since it destroys");
        assert_eq!(need(2, Some("no outage at night")), "2 leads have to approve this, by a rule: no outage at night");
    }

    #[test]
    fn a_difference_says_what_was_and_what_is() {
        let difference = |approved: &str, now: &str| Difference {
            what: "the directory".to_owned(),
            approved: approved.to_owned(),
            now: now.to_owned(),
        };

        assert_eq!(
            difference("/a", "/b").to_string(),
            "the directory was \u{201c}/a\u{201d} and is \u{201c}/b\u{201d}"
        );
        assert_eq!(difference("", "/b").to_string(), "the directory is new: \u{201c}/b\u{201d}");
        assert_eq!(difference("/a", "").to_string(), "the directory was \u{201c}/a\u{201d} and is gone");
    }
}
