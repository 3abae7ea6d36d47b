//! What the portal sees of a target before the first step, and what there is to choose from there.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::approval::EvidenceItem;

/// A look at a target, at one moment, by looking only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The target's name.
    pub target: String,
    /// Where it is.
    pub place: String,
    /// What was looked at, in the order in which it is shown.
    pub items: Vec<EvidenceItem>,
    /// What there is to choose from, for the parameters that list things.
    pub choices: Vec<Choices>,
}

/// What there is to choose from for one parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// The parameter's name.
    pub parameter: String,
    /// The things, in the order in which they are shown.
    pub list: Vec<Pick>,
    /// Whether these are all that there are: nothing else can be meant then.
    pub whole: bool,
    /// Why nothing could be listed, in a sentence.
    pub problem: Option<String>,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pick {
    /// The value.
    pub value: String,
    /// What it is, in a few words: `7 h old, 1.2 GB`.
    pub about: String,
}

impl Look {
    /// What there is to choose from for a parameter.
    pub fn choices_of(&self, parameter: &str) -> Option<&Choices> {
        self.choices.iter().find(|choices| choices.parameter == parameter)
    }
}
