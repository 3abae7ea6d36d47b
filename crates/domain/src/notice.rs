//! What people are told outside the portal's pages: of which events, who, and in which words.
//!
//! A notice is made of an event and the run as it stands then. It is stored in the transaction that records the event and
//! delivered later; how each channel writes it, and the way there, are not its business.

mod covering;
mod escalated;
mod retry;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use covering::Covering;
pub use escalated::Escalated;
pub use retry::{GIVE_UP_MS, next_try};

use crate::approval::Difference;
use crate::policy::{Role, Verb, allows};
use crate::run::{Entry, Event, Request, Run};
use crate::{PersonId, Risk, RunId, Timestamp};

/// What happened that people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// An approval was asked for.
    Asked,
    /// A lead approved.
    Approved,
    /// A lead said no.
    Rejected,
    /// The request was taken back.
    TakenBack,
    /// Nobody decided in time.
    Expired,
    /// What was approved is not any more as it was.
    Void,
    /// Somebody went on without an approval.
    GlassBroken,
    /// That was reviewed.
    GlassReviewed,
    /// Something in stored output is to be covered.
    RedactionAsked,
    /// Another person confirmed that.
    RedactionConfirmed,
    /// Another person said no to it, or whoever had asked took it back.
    RedactionRejected,
    /// Somebody is called into a run whom its document names for that.
    Escalated,
}

impl Occasion {
    /// All of them, in the order in which the documents list them.
    pub const ALL: [Self; 12] = [
        Self::Asked,
        Self::Approved,
        Self::Rejected,
        Self::TakenBack,
        Self::Expired,
        Self::Void,
        Self::GlassBroken,
        Self::GlassReviewed,
        Self::RedactionAsked,
        Self::RedactionConfirmed,
        Self::RedactionRejected,
        Self::Escalated,
    ];

    /// Its name in the configuration and in what machines are sent.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::TakenBack => "taken_back",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::GlassBroken => "glass_broken",
            Self::GlassReviewed => "glass_reviewed",
            Self::RedactionAsked => "redaction_asked",
            Self::RedactionConfirmed => "redaction_confirmed",
            Self::RedactionRejected => "redaction_rejected",
            Self::Escalated => "escalated",
        }
    }

    /// The occasion of an event, with the number of the request that it is about; `None` when nobody is told.
    fn of(run: &Run, event: &Event) -> Option<(Self, u32)> {
        Some(match event {
            // The request that this event has just added is the last one.
            Event::ApprovalRequested { .. } => (Self::Asked, run.next_request().checked_sub(1)?),
            Event::GlassBroken { .. } => (Self::GlassBroken, run.next_request().checked_sub(1)?),
            Event::ApprovalGranted { request, .. } => (Self::Approved, *request),
            Event::ApprovalRejected { request, .. } => (Self::Rejected, *request),
            Event::ApprovalCancelled { request, .. } => (Self::TakenBack, *request),
            Event::ApprovalExpired { request } => (Self::Expired, *request),
            Event::ApprovalVoided { request, .. } => (Self::Void, *request),
            Event::GlassReviewed { request, .. } => (Self::GlassReviewed, *request),
            _ => return None,
        })
    }
}

/// A way by which people are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Mail to single people.
    Mail,
    /// A webhook by its name in the configuration.
    Webhook(String),
}

impl Channel {
    /// What people call it.
    pub fn name(&self) -> &str {
        match self {
            Self::Mail => "mail",
            Self::Webhook(name) => name,
        }
    }

    /// The channel with this name in the database.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("webhook:") {
            Some(name) => Some(Self::Webhook(name.to_owned())),
            None => (text == "mail").then_some(Self::Mail),
        }
    }
}

/// As it stands in the database: `mail`, `webhook:ops`.
impl std::fmt::Display for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mail => f.write_str("mail"),
            Self::Webhook(name) => write!(f, "webhook:{name}"),
        }
    }
}

/// Who is told by name. A webhook has its own readers and is told in any case, but of an escalation only when it names the webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody who decides requests, but one person: whoever asked cannot decide.
    Deciders {
        /// Who is not told.
        but: Option<PersonId>,
    },
    /// One person.
    One(PersonId),
    /// These people.
    These(Vec<PersonId>),
    /// Nobody.
    Nobody,
}

impl Audience {
    /// Whether a person with a role is among them.
    pub fn includes(&self, person: &PersonId, role: Role) -> bool {
        match self {
            Self::Deciders { but } => allows(role, Verb::Approve) && but.as_ref() != Some(person),
            Self::One(one) => one == person,
            Self::These(these) => these.contains(person),
            Self::Nobody => false,
        }
    }
}

/// What people are told, before any channel has written it its own way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub occasion: Occasion,
    /// In which run.
    pub run: RunId,
    /// The number of the request in the run; of the redaction or the escalation, where it is about one.
    pub request: u32,
    /// The procedure's title.
    pub procedure: String,
    /// The titles of the steps that it is about.
    pub steps: Vec<String>,
    /// Where they run.
    pub target: String,
    /// The worst class of them.
    pub risk: Risk,
    /// Who did it: a name.
    pub by: String,
    /// Who had asked, or had broken the glass: a name.
    pub asked_by: String,
    /// What they had to say; may be empty.
    pub reason: String,
    /// Until when somebody has to do something about it.
    pub until: Option<Timestamp>,
    /// How many leads have still to approve.
    pub missing: u32,
    /// What has changed since the approval, without a value.
    pub changed: Vec<String>,
    /// The same with what was approved and what it is now.
    pub changes: Vec<Difference>,
    /// The values of the run.
    pub values: BTreeMap<String, String>,
    /// Set when it is about covering something in stored output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covering: Option<Covering>,
    /// Set when somebody is called into the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated: Option<Escalated>,
}

impl Notice {
    /// The notice of an event, with who is told by name. `run` is the run as the event has left it.
    pub fn of(run: &Run, entry: &Entry) -> Option<(Self, Audience)> {
        if entry.event.is_about_redaction() {
            return covering::notice(run, entry);
        }
        if let Event::Escalated { .. } = &entry.event {
            return escalated::notice(run, entry);
        }
        let (occasion, number) = Occasion::of(run, &entry.event)?;
        let request = run.request(number)?;
        let plans = || request.steps().filter_map(|covered| run.plan.step(covered.step));
        let notice = Self {
            occasion,
            run: run.id,
            request: number,
            procedure: run.plan.title.clone(),
            steps: plans().map(|plan| plan.title.clone()).collect(),
            target: run.plan.target.name.clone(),
            risk: plans().map(|plan| plan.risk).max().unwrap_or(Risk::Destroys),
            by: entry.by.name().to_owned(),
            asked_by: request.asked.by.name().to_owned(),
            reason: reason(&entry.event).to_owned(),
            until: until(run, request, occasion),
            missing: missing(request),
            changed: changed(run, request, &entry.event),
            changes: changes(&entry.event).to_vec(),
            values: run.values.clone(),
            covering: None,
            escalated: None,
        };
        Some((notice, audience(occasion, request, entry)))
    }

    /// The same without a value of a parameter, and without what has one in it.
    #[must_use]
    pub fn without_values(self) -> Self {
        Self { values: BTreeMap::new(), changes: Vec::new(), ..self }
    }

    /// The path of the page on which one reads more and decides. Looking at it changes nothing.
    pub fn path(&self) -> String {
        match (&self.covering, &self.escalated) {
            (Some(covering), _) => covering.path(self.run),
            (None, Some(_)) => format!("/runs/{}", self.run),
            (None, None) => format!("/approvals/{}-{}", self.run, self.request),
        }
    }

    /// Whether a webhook is told: of an escalation only the one that is named.
    pub fn is_for(&self, webhook: &str) -> bool {
        self.escalated.as_ref().is_none_or(|escalated| escalated.webhooks.iter().any(|named| named == webhook))
    }

    /// The run and the request that it is about, where it is about one or a redaction.
    pub fn about(&self) -> Option<(RunId, u32)> {
        self.escalated.is_none().then_some((self.run, self.request))
    }
}

fn reason(event: &Event) -> &str {
    match event {
        Event::ApprovalRequested { reason, .. }
        | Event::ApprovalRejected { reason, .. }
        | Event::ApprovalCancelled { reason, .. }
        | Event::GlassBroken { reason, .. } => reason,
        Event::ApprovalGranted { comment, .. } | Event::GlassReviewed { comment, .. } => comment,
        _ => "",
    }
}

fn changes(event: &Event) -> &[Difference] {
    match event {
        Event::ApprovalVoided { why, .. } => why,
        _ => &[],
    }
}

/// What has changed, with the name of a parameter wherever its value stands: the path of a file is one.
fn changed(run: &Run, request: &Request, event: &Event) -> Vec<String> {
    let environments = request.covers.iter().map(|covered| &covered.work.environment);
    let parameters = |name: &String| run.plan.parameters.iter().any(|parameter| parameter.name == *name);
    let approved = environments.flatten().filter(|(name, _)| parameters(name));
    let mut values: Vec<(&String, &String)> =
        approved.chain(&run.values).filter(|(_, value)| value.len() > 1).collect();
    values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let hide = |text: String, (name, value): &(&String, &String)| text.replace(value.as_str(), name);
    changes(event).iter().map(|change| values.iter().fold(change.what.clone(), hide)).collect()
}

fn until(run: &Run, request: &Request, occasion: Occasion) -> Option<Timestamp> {
    match occasion {
        Occasion::Asked => Some(request.expires),
        Occasion::Approved if missing(request) > 0 => Some(request.expires),
        Occasion::Approved | Occasion::GlassBroken => run.start_until(request),
        _ => None,
    }
}

fn missing(request: &Request) -> u32 {
    let given = u32::try_from(request.approvals.len()).unwrap_or(u32::MAX);
    if request.end.is_some() { 0 } else { request.leads.saturating_sub(given) }
}

fn audience(occasion: Occasion, request: &Request, entry: &Entry) -> Audience {
    let asker = request.asked.by.id().cloned();
    match occasion {
        Occasion::Asked => Audience::Deciders { but: asker },
        // Also whoever did it: if it was not really they, they are to hear of it first.
        Occasion::GlassBroken => Audience::Deciders { but: None },
        _ => match asker {
            // Nobody is told what they have just done themselves.
            Some(asker) if entry.by.id() != Some(&asker) => Audience::One(asker),
            _ => Audience::Nobody,
        },
    }
}

#[cfg(test)]
mod tests;
