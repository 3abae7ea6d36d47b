//! Who has shaped a run, and by what.

use serde::{Deserialize, Serialize};

use crate::run::event::Event;

/// What a person did that shaped a run: whoever did one of these decides nothing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shaped {
    /// They started it.
    Started,
    /// They set a value, the directory, or typed the target's name.
    Set,
    /// They asked for an approval.
    Asked,
    /// They ran something, typed into it, or ended a watch.
    Ran,
    /// They passed over something, or marked it as done.
    Passed,
    /// They took the run over.
    TookOver,
    /// They added a step.
    Added,
    /// They went on into an outage, or broke the glass.
    WentOn,
}

impl Shaped {
    /// How an event of a person shapes a run; `None` for what only looks at it, stops it, or decides.
    pub(super) const fn by(event: &Event) -> Option<Self> {
        Some(match event {
            Event::RunStarted { .. } => Self::Started,
            Event::ValueSet { .. } | Event::TargetConfirmed | Event::DirectorySet { .. } => Self::Set,
            Event::ApprovalRequested { .. } => Self::Asked,
            Event::AttemptStarted { .. }
            | Event::WatchEnded { .. }
            | Event::InputSent { .. }
            | Event::KeysTyped { .. } => Self::Ran,
            Event::CommandSkipped { .. } | Event::StepSkipped { .. } | Event::StepDone { .. } => Self::Passed,
            Event::RunTakenOver { .. } => Self::TookOver,
            Event::StepAdded { .. } => Self::Added,
            Event::OutageAccepted { .. } | Event::GlassBroken { .. } => Self::WentOn,
            _ => return None,
        })
    }

    /// What they did, after "you have".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Started => "started it",
            Self::Set => "set a value in it",
            Self::Asked => "asked for an approval in it",
            Self::Ran => "run a step of it",
            Self::Passed => "passed over a step of it",
            Self::TookOver => "taken it over",
            Self::Added => "added a step to it",
            Self::WentOn => "gone on in it without an approval",
        }
    }
}
