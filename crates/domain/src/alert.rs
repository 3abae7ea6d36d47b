//! Alerts as an alert manager tells them, and what follows from them.
//!
//! Whoever fires an alert writes its labels and annotations: they are text from outside, read here with every bound that there is,
//! and never more than the name of a suggestion, its plain words, and values that have to fit the pattern of a parameter.
//!
//! The webhook is that of Alertmanager, version 4 (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>).
//! Alerts of one name and one service are one thing: a suggestion, however many of them fire.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{Digest, Timestamp, text};

/// The most alerts that one webhook may have.
pub const MOST: usize = 1_000;

/// The most alerts of one name and service that are told apart. Of more it is not known which of them still fire.
pub const MOST_APART: usize = 100;

/// The most characters of a name and of a service.
const NAME: usize = 200;

/// The most characters of a summary.
const SUMMARY: usize = 300;

/// The most labels of an alert that are looked at.
const LABELS: usize = 64;

/// The most bytes of a label that can become a value.
const VALUE: usize = 1_000;

/// The digits of a digest that tell alerts of one name and service apart.
const MARK: usize = 16;

/// Why a webhook is no webhook, as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It cannot be read.
    #[error("it is no JSON object")]
    NoObject,
    /// It is written in another form.
    #[error("it is not of version 4 of Alertmanager's webhook")]
    Version,
    /// There is nothing in it.
    #[error("it has no list of alerts")]
    NoAlerts,
    /// There is too much in it.
    #[error("it has {0} alerts, and {MOST} are the most; set max_alerts of the receiver")]
    TooMany(usize),
    /// One of them does not say what it is.
    #[error("its alert {0} neither fires nor is resolved, or has labels or annotations that are no texts")]
    Alert(usize),
}

/// A webhook, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// What it tells, by name and service.
    pub told: Vec<Told>,
    /// Alerts that have no name, or one that is too long: nothing can be bound to them.
    pub nameless: u64,
    /// Alerts that Alertmanager left out.
    pub truncated: u64,
}

/// What a webhook tells of the alerts of one name and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The name of the alerts.
    pub name: String,
    /// Their label `service`, or else `job`; may be empty.
    pub service: String,
    /// Since when the first of them fires.
    pub since: Timestamp,
    /// Since when the last of them fires that says so.
    pub latest: Timestamp,
    /// The annotation `summary` of one that fires, or else its `description`, in one line; may be empty.
    pub summary: String,
    /// The labels of the one that fires longest.
    pub labels: BTreeMap<String, String>,
    /// Those that fire, each by its mark.
    pub firing: BTreeSet<String>,
    /// Those that fire no more.
    pub resolved: BTreeSet<String>,
}

impl Webhook {
    /// Reads a webhook that came at a moment.
    ///
    /// # Errors
    ///
    /// Why it is none. Nothing of it counts then.
    pub fn read(body: &[u8], now: Timestamp) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_slice(body).map_err(|_| Malformed::NoObject)?;
        let object = value.as_object().ok_or(Malformed::NoObject)?;
        if object.get("version").and_then(Value::as_str) != Some("4") {
            return Err(Malformed::Version);
        }
        let alerts = object.get("alerts").and_then(Value::as_array).ok_or(Malformed::NoAlerts)?;
        if alerts.len() > MOST {
            return Err(Malformed::TooMany(alerts.len()));
        }
        let truncated = object.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or_default();
        let mut webhook = Self { truncated, ..Self::default() };
        let mut told: BTreeMap<(String, String), Told> = BTreeMap::new();
        for (place, alert) in alerts.iter().enumerate() {
            let alert = Alert::read(alert, now).ok_or(Malformed::Alert(place + 1))?;
            let Some(name) = alert.name() else {
                webhook.nameless += 1;
                continue;
            };
            let key = (name.to_owned(), alert.service());
            let of = told.entry(key).or_insert_with_key(|(name, service)| Told::nothing(name, service, now));
            of.add(alert, now);
        }
        webhook.told = told.into_values().collect();
        Ok(webhook)
    }
}

impl Told {
    fn nothing(name: &str, service: &str, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            service: service.to_owned(),
            since: now,
            latest: Timestamp(i64::MIN),
            summary: String::new(),
            labels: BTreeMap::new(),
            firing: BTreeSet::new(),
            resolved: BTreeSet::new(),
        }
    }

    fn add(&mut self, alert: Alert, now: Timestamp) {
        let mark = alert.mark();
        if alert.state == State::Resolved {
            self.resolved.insert(mark);
            return;
        }
        let since = alert.since.unwrap_or(now);
        self.latest = self.latest.max(alert.since.unwrap_or(self.latest));
        if self.firing.is_empty() || since < self.since {
            self.since = since;
            self.summary = alert.summary;
            self.labels = alert.labels;
        }
        self.firing.insert(mark);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Firing,
    Resolved,
}

/// One alert of a webhook.
struct Alert {
    state: State,
    /// Since when it fires, where it says so and that can be.
    since: Option<Timestamp>,
    summary: String,
    labels: BTreeMap<String, String>,
}

impl Alert {
    fn read(alert: &Value, now: Timestamp) -> Option<Self> {
        let alert = alert.as_object()?;
        let state = match alert.get("status")?.as_str()? {
            "firing" => State::Firing,
            "resolved" => State::Resolved,
            _ => return None,
        };
        let (labels, annotations) = (texts(alert, "labels")?, texts(alert, "annotations")?);
        let summary = ["summary", "description"].iter().find_map(|name| annotations.get(*name));
        let since = alert.get("startsAt").and_then(Value::as_str).and_then(Timestamp::parse);
        Some(Self {
            state,
            since: since.filter(|since| since.0 > 0 && *since <= now),
            summary: summary.map(|summary| text::one_line(summary, SUMMARY)).unwrap_or_default(),
            labels,
        })
    }

    fn name(&self) -> Option<&str> {
        let name = self.labels.get("alertname")?;
        (!name.trim().is_empty() && name.chars().count() <= NAME).then_some(name)
    }

    fn service(&self) -> String {
        let service = ["service", "job"].iter().find_map(|name| self.labels.get(*name));
        service.map(|service| service.chars().take(NAME).collect()).unwrap_or_default()
    }

    /// What tells it from others of its name and service.
    fn mark(&self) -> String {
        let digest = Digest::of_canonical(&self.labels);
        digest.as_str().get(..MARK).unwrap_or_default().to_owned()
    }
}

/// Texts by name. Without any there are none, and what is written as `null` is nothing.
fn texts(alert: &Map<String, Value>, key: &str) -> Option<BTreeMap<String, String>> {
    let texts = match alert.get(key) {
        None | Some(Value::Null) => return Some(BTreeMap::new()),
        Some(value) => value.as_object()?,
    };
    texts.iter().take(LABELS).map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect()
}

/// The labels that procedures ask for, as far as they can become values.
pub fn wanted<'n>(
    labels: &BTreeMap<String, String>,
    names: impl IntoIterator<Item = &'n str>,
) -> BTreeMap<String, String> {
    let found = |name: &str| labels.get(name).filter(|label| !label.is_empty() && label.len() <= VALUE).cloned();
    names.into_iter().filter_map(|name| Some((name.to_owned(), found(name)?))).collect()
}

/// What is known of the alerts of one name and service that have fired and are not all resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Those that fire, each by its mark.
    pub firing: BTreeSet<String>,
    /// When somebody dismissed the suggestion, if somebody did.
    pub dismissed: Option<Timestamp>,
}

/// What follows from what a webhook tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: what was never known to fire is resolved.
    Nothing,
    /// A suggestion is opened.
    Opened(BTreeSet<String>),
    /// It is heard of again.
    Again(BTreeSet<String>),
    /// It was dismissed, and something has begun to fire since: it is over, and another one is opened.
    Renewed(BTreeSet<String>),
    /// Nothing of it fires any more.
    Closed,
}

/// What follows for a suggestion, or for none, from what a webhook tells.
pub fn follows(standing: Option<&Standing>, told: &Told) -> Outcome {
    let before = standing.map(|standing| &standing.firing);
    let all = told.firing.iter().chain(before.into_iter().flatten());
    let firing: BTreeSet<String> =
        all.filter(|mark| !told.resolved.contains(*mark)).take(MOST_APART).cloned().collect();
    // Of those that are too many to be told apart nobody knows which are new.
    let has_new = before.is_some_and(|before| before.len() < MOST_APART && !firing.is_subset(before));
    match standing {
        None if firing.is_empty() => Outcome::Nothing,
        None => Outcome::Opened(firing),
        Some(_) if firing.is_empty() => Outcome::Closed,
        Some(Standing { dismissed: Some(dismissed), .. }) if has_new || told.latest > *dismissed => {
            Outcome::Renewed(firing)
        }
        Some(_) => Outcome::Again(firing),
    }
}

#[cfg(test)]
mod tests;
