//! The part of the configuration about approvals.

use std::time::Duration;

use domain::Risk;
use domain::approval::{ApprovalRule, ApprovalRules};
use domain::policy::Role;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::parse_span;

/// `[approval]`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ApprovalTable {
    #[serde(default, deserialize_with = "span")]
    decide_within: Option<Duration>,
    #[serde(default, deserialize_with = "span")]
    start_within: Option<Duration>,
    #[serde(default, deserialize_with = "span")]
    rollback_within: Option<Duration>,
    #[serde(default)]
    break_glass: BreakGlass,
    #[serde(default)]
    rule: Vec<RuleTable>,
}

/// The keys of `[approval]`.
pub(super) const KEYS: &[&str] = &["decide_within", "start_within", "rollback_within", "break_glass", "rule"];

/// The keys of `[[approval.rule]]`.
pub(super) const RULE_KEYS: &[&str] = &["procedure", "step", "target", "class", "between", "leads", "reason"];

/// One `[[approval.rule]]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawRule")]
struct RuleTable(ApprovalRule);

#[derive(Deserialize)]
struct RawRule {
    procedure: Option<String>,
    step: Option<String>,
    target: Option<String>,
    class: Option<Risk>,
    between: Option<String>,
    leads: Option<u32>,
    reason: String,
}

/// More leads than that are not found at night.
const MOST_LEADS: u32 = 9;

impl TryFrom<RawRule> for RuleTable {
    type Error = String;

    fn try_from(raw: RawRule) -> Result<Self, String> {
        let RawRule { procedure, step, target, class, between, leads, reason } = raw;
        if reason.trim().is_empty() {
            return Err("a rule of [[approval.rule]] has a reason, which the operator reads".to_owned());
        }
        let leads = leads.unwrap_or(1);
        if !(1..=MOST_LEADS).contains(&leads) {
            return Err(format!("\"leads\" is a number from 1 to {MOST_LEADS}"));
        }
        let between = between.as_deref().map(span_of_day).transpose()?;
        Ok(Self(ApprovalRule { procedure, step, target, class, between, leads, reason: reason.trim().to_owned() }))
    }
}

/// `22:00-06:00` as minutes of the day.
fn span_of_day(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("\"{text}\" is no span of the day; write it in UTC as \"22:00-06:00\"");
    let (from, until) = text.split_once('-').ok_or_else(wrong)?;
    match (minute_of_day(from), minute_of_day(until)) {
        (Some(from), Some(until)) if from != until => Ok((from, until)),
        _ => Err(wrong()),
    }
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u32>().ok()).flatten();
    let (hour, minute) = (two(hour)?, two(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parse_span(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// The role that may go on alone; none is nobody.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct BreakGlass(Option<Role>);

impl Default for BreakGlass {
    fn default() -> Self {
        Self(ApprovalRules::DEFAULT.break_glass)
    }
}

impl TryFrom<String> for BreakGlass {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.as_str() {
            "lead" => Ok(Self(Some(Role::Lead))),
            "administrator" => Ok(Self(Some(Role::Administrator))),
            "nobody" => Ok(Self(None)),
            other => Err(format!("\"{other}\" is none of \"lead\", \"administrator\", \"nobody\"")),
        }
    }
}

impl ApprovalTable {
    /// The settings, with the defaults for what the file leaves out.
    pub(super) fn rules(self) -> ApprovalRules {
        let default = ApprovalRules::DEFAULT;
        let or = |span: Option<Duration>, default: u64| {
            span.map_or(default, |span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
        };
        ApprovalRules {
            rules: self.rule.into_iter().map(|rule| rule.0).collect(),
            decide_within_ms: or(self.decide_within, default.decide_within_ms),
            start_within_ms: or(self.start_within, default.start_within_ms),
            rollback_within_ms: or(self.rollback_within, default.rollback_within_ms),
            break_glass: self.break_glass.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ApprovalRules, String> {
        toml::from_str::<ApprovalTable>(text).map(ApprovalTable::rules).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn what_is_left_out_is_as_documented() {
        assert_eq!(read("").unwrap(), ApprovalRules::DEFAULT);
    }

    #[test]
    fn a_rule_says_what_needs_how_many_leads_and_why() {
        let rules = read(
            "decide_within = \"1h\"\nbreak_glass = \"nobody\"\n[[rule]]\ntarget = \"production\"\nclass = \"disrupts\"\n\
             between = \"22:00-06:00\"\nleads = 2\nreason = \"at night\"\n",
        )
        .unwrap();

        assert_eq!((rules.decide_within_ms, rules.break_glass), (3_600_000, None));
        assert_eq!((rules.rules[0].between, rules.rules[0].leads), (Some((1320, 360)), 2));
    }

    #[test]
    fn a_rule_that_says_nothing_sensible_is_refused() {
        for (text, says) in [
            ("[[rule]]\nleads = 1\nreason = \" \"\n", "a reason"),
            ("[[rule]]\nleads = 0\nreason = \"x\"\n", "from 1 to 9"),
            ("[[rule]]\nbetween = \"22-6\"\nreason = \"x\"\n", "22:00-06:00"),
            ("[[rule]]\nbetween = \"24:00-06:00\"\nreason = \"x\"\n", "22:00-06:00"),
            ("break_glass = \"operator\"\n", "nobody"),
            ("start_within = \"soon\"\n", "soon"),
        ] {
            let refusal = read(text).unwrap_err();
            assert!(refusal.contains(says), "{text}: {refusal}");
        }
    }
}
