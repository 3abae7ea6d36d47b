//! Escalation: whom the document names, and when it says that they are to be told.
//!
//! A line of the escalation part is read conservatively ([`due()`]): three forms are understood, and everything else is for a person to
//! decide, also a line whose condition may be other words of the part. Who is meant by the words of a line says the side file alone
//! ([`Names`]); a line that names nobody whom it binds is never due by itself. By which way somebody is reached is not known here.

mod due;
mod naming;

use serde::{Deserialize, Serialize};

pub use due::due;
pub use naming::Names;

use crate::plan::PlanStep;
use crate::run::ticks;
use crate::runbook::{Item, Part, PartContent, PartKind, Procedure, Prose, plain};
use crate::{PersonId, time};

/// The escalation of a procedure, as it was when the run was created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The lines of the document, then what only the side file says. A line's number is its place here, from 1.
    pub lines: Vec<Line>,
    /// Everybody whom the side file binds.
    pub contacts: Vec<Contact>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What the document says; for what only the side file says, when that is due.
    pub words: String,
    /// When it is due.
    pub due: Due,
    /// Whom it names, of those whom the side file binds.
    pub to: Vec<Contact>,
}

/// Somebody whom the escalation part names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The document's words for them.
    pub words: String,
    /// Who is meant: the name with which a person signs in, the name of a webhook, or somebody whom the portal does not know.
    pub name: String,
}

/// When a line is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "due", rename_all = "snake_case")]
pub enum Due {
    /// When a person decides so.
    ByHand,
    /// When the run starts.
    AtStart,
    /// When a step fails, once in a run.
    AfterFailure {
        /// The places of these steps in the plan, from 1; none means any step.
        steps: Vec<u32>,
    },
    /// When somebody has to decide and nobody has for so long.
    AfterWait {
        /// Milliseconds.
        ms: u64,
    },
}

/// What only the side file says: whom to tell when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// When.
    pub due: Due,
    /// The words of the contacts.
    pub to: Vec<String>,
}

/// Somebody who is told, with the ways by which they are reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addressee {
    /// The document's words for them.
    pub words: String,
    /// The name to show: of the person, else as the side file has it.
    pub name: String,
    /// The person of the portal, when it is one who sees the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Whether mail goes to that person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mail: bool,
    /// The webhook by which they are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
}

impl Escalation {
    /// The escalation of a procedure whose plan has these steps.
    pub fn of(procedure: &Procedure, steps: &[PlanStep]) -> Self {
        let bound = procedure.settings.contacts.iter();
        let contacts: Vec<Contact> =
            bound.map(|(words, name)| Contact { words: words.clone(), name: name.clone() }).collect();
        let names = Names::of(contacts.iter().map(|contact| contact.words.as_str()));
        let parts = procedure.parts.iter().filter(|part| part.kind == PartKind::Escalation);
        let written = parts.flat_map(lines_of).map(|(item, is_alone)| {
            let words = plain(&item.words).trim().to_owned();
            let due = if is_alone { due(&words, steps, &names) } else { Due::ByHand };
            let to = names.in_text(&words).into_iter().filter_map(|place| contacts.get(place).cloned()).collect();
            Line { words, due, to }
        });
        let added = procedure.settings.escalate.iter().map(|rule| {
            let is_meant = |contact: &&Contact| rule.to.contains(&contact.words);
            let to = contacts.iter().filter(is_meant).cloned().collect();
            Line { words: capital(&rule.due.words()), due: rule.due.clone(), to }
        });
        let lines = written.chain(added).collect();
        Self { lines, contacts }
    }

    /// A line by its number, from 1.
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The contact with these words.
    pub fn contact(&self, words: &str) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.words == words)
    }

    /// Whether something of it happens without a person.
    pub fn is_by_itself(&self) -> bool {
        self.lines.iter().any(Line::is_by_itself)
    }
}

impl Line {
    /// Whether it is due without a person, and says whom to tell.
    pub fn is_by_itself(&self) -> bool {
        self.due != Due::ByHand && !self.to.is_empty()
    }
}

impl Due {
    /// When that is, as the end of a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::ByHand => "when a person decides so".to_owned(),
            Self::AtStart => "when the run starts".to_owned(),
            Self::AfterFailure { steps } if steps.is_empty() => "when a step fails".to_owned(),
            Self::AfterFailure { .. } => "when that step fails".to_owned(),
            Self::AfterWait { ms } => format!("after {} without a decision", wait_words(*ms)),
        }
    }
}

impl Addressee {
    /// `senior DBA (Lena)`; the name alone where the words say no more.
    pub fn title(&self) -> String {
        if self.words.eq_ignore_ascii_case(&self.name) {
            self.name.clone()
        } else {
            format!("{} ({})", self.words, self.name)
        }
    }

    /// Whether the portal sends them anything.
    pub fn is_reached(&self) -> bool {
        self.mail || self.webhook.is_some()
    }

    /// `by mail and by the webhook ops`; where a person finds it who is reached by neither.
    pub fn ways(&self) -> String {
        let mail = self.mail.then(|| "by mail".to_owned());
        let webhook = self.webhook.as_ref().map(|name| format!("by the webhook {name}"));
        let ways: Vec<String> = mail.into_iter().chain(webhook).collect();
        match (ways.is_empty(), &self.person) {
            (false, _) => ways.join(" and "),
            (true, Some(_)) => "on their start page".to_owned(),
            (true, None) => "nothing is sent".to_owned(),
        }
    }
}

/// Words of titles that say no more than that this is the escalation.
const TITLE_WORDS: [&str; 20] = [
    "escalation",
    "escalations",
    "escalate",
    "path",
    "procedure",
    "policy",
    "contacts",
    "contact",
    "points",
    "of",
    "who",
    "whom",
    "when",
    "to",
    "call",
    "on",
    "on-call",
    "support",
    "owners",
    "owner",
];

/// The lines of a part, each with whether it stands alone: what else the part says, in a title, in a paragraph or in the line above
/// it, may be the condition of the line.
fn lines_of(part: &Part) -> Vec<(&Item, bool)> {
    let is_bare = is_bare_title(&part.title) && !part.content.iter().any(says_more);
    let lines = part.items().flat_map(|item| {
        let is_alone = is_bare && item.items.is_empty();
        ticks([item]).into_iter().map(move |line| (line, is_alone))
    });
    lines.collect()
}

fn is_bare_title(title: &str) -> bool {
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let words = naming::words_of(title);
    words.iter().all(|word| naming::is_border(word) || is_number(word) || TITLE_WORDS.contains(&word.as_str()))
}

/// Whether something in a part says more than its lines do.
fn says_more(content: &PartContent) -> bool {
    match content {
        PartContent::Prose { prose } => !matches!(prose, Prose::Rule { .. }),
        PartContent::Step { .. } => true,
        PartContent::Item { .. } => false,
    }
}

/// `15 min`, `2 h`; what is no whole minute as other spans.
pub(crate) fn wait_words(ms: u64) -> String {
    match (ms % 3_600_000, ms % 60_000) {
        (0, _) => format!("{} h", ms / 3_600_000),
        (_, 0) => format!("{} min", ms / 60_000),
        _ => time::span(ms),
    }
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
