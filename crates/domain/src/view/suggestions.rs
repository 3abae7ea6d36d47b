//! What fires, and which procedures are suggested by it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{RunId, Slug, SuggestionId, Timestamp};

/// A suggestion that waits for somebody. Its texts are from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestionRow {
    /// Which.
    pub id: SuggestionId,
    /// The name of the alerts.
    pub alert: String,
    /// The service that they are about; may be empty.
    pub service: String,
    /// What they say, in plain words; may be empty.
    pub summary: String,
    /// Since when the first of them fires.
    pub since: Timestamp,
    /// When the portal has last heard of it.
    pub heard: Timestamp,
    /// How often it has.
    pub times: u64,
    /// How many of them fire.
    pub firing: u32,
    /// The procedures that name the alert, as far as whoever looks sees them: address and title.
    pub procedures: Vec<(Slug, String)>,
    /// The runs that were started from it, as far as whoever looks sees them.
    pub runs: Vec<RunId>,
}

/// Where a suggestion leads: the page of one of its procedures, with the form filled by it.
pub fn suggested_address(slug: &Slug, suggestion: SuggestionId) -> String {
    format!("/procedures/{slug}?suggestion={suggestion}#start")
}

/// What a suggestion fills in the form that starts a run. It names no target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefill {
    /// Which suggestion.
    pub id: SuggestionId,
    /// The name of the alerts.
    pub alert: String,
    /// The service that they are about; may be empty.
    pub service: String,
    /// The values that labels gave, by the parameter that takes them.
    pub values: BTreeMap<String, String>,
    /// The parameters that were to have a value from a label, and have none: the name, the label, and why.
    pub left: Vec<(String, String, String)>,
}

/// The suggestion from which a run was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuggestedBy {
    /// Which.
    pub id: SuggestionId,
    /// The name of the alerts.
    pub alert: String,
    /// The service that they are about; may be empty.
    pub service: String,
    /// Since when they fired.
    pub since: Timestamp,
}

/// `LedgerWet of ledger`
pub fn alert_words(alert: &str, service: &str) -> String {
    if service.is_empty() { alert.to_owned() } else { format!("{alert} of {service}") }
}

/// Alerts that came and that no procedure names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnboundAlert {
    /// Their name.
    pub alert: String,
    /// How often a webhook told of them since the portal was started.
    pub times: u64,
    /// When it did last.
    pub heard: Timestamp,
}

/// What there is to know about the webhook of alerts: since the portal was started, in its memory alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertsView {
    /// Alerts that no procedure names, the last one first.
    pub unbound: Vec<UnboundAlert>,
    /// How often a webhook told of such alerts that are not in the list, because there are too many names.
    pub unbound_others: u64,
}

/// The page of an alert: to which rules of Prometheus link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertView {
    /// The portal's time.
    pub now: Timestamp,
    /// The name of the alert.
    pub alert: String,
    /// The procedures that name it: address, title, and what they are for.
    pub procedures: Vec<(Slug, String, String)>,
    /// The suggestions by it that are open.
    pub suggestions: Vec<SuggestionRow>,
}

impl AlertView {
    /// Where the address leads on, when there is one place: the page of the only procedure, filled by the only suggestion.
    pub fn leads_to(&self) -> Option<String> {
        let [(slug, ..)] = self.procedures.as_slice() else { return None };
        match self.suggestions.as_slice() {
            [] => Some(format!("/procedures/{slug}")),
            [only] => Some(suggested_address(slug, only.id)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64) -> SuggestionRow {
        SuggestionRow {
            id: SuggestionId(id),
            alert: "LedgerWet".to_owned(),
            service: String::new(),
            summary: String::new(),
            since: Timestamp(1),
            heard: Timestamp(2),
            times: 1,
            firing: 1,
            procedures: Vec::new(),
            runs: Vec::new(),
        }
    }

    #[test]
    fn an_alert_leads_on_where_there_is_one_place_to_go() {
        let view = |procedures: &[&str], suggestions: &[i64]| AlertView {
            now: Timestamp(3),
            alert: "LedgerWet".to_owned(),
            procedures: procedures.iter().map(|slug| ((*slug).into(), String::new(), String::new())).collect(),
            suggestions: suggestions.iter().map(|id| row(*id)).collect(),
        };

        assert_eq!(view(&["dry"], &[]).leads_to().as_deref(), Some("/procedures/dry"));
        assert_eq!(view(&["dry"], &[7]).leads_to().as_deref(), Some("/procedures/dry?suggestion=7#start"));
        assert_eq!(view(&["dry"], &[7, 8]).leads_to(), None);
        assert_eq!(view(&["dry", "mop"], &[7]).leads_to(), None);
        assert_eq!(view(&[], &[]).leads_to(), None);
    }
}
