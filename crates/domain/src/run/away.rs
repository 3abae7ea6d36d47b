//! The downtime clock: since when a run has taken services away, and until when.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::plan::PlanCommand;

/// A span in which services were away because of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// When the command that took them away was started.
    pub since: Timestamp,
    /// When the command that brought them back had ended; `None` while none has.
    pub until: Option<Timestamp>,
}

/// What a command does to services, as its rule's name tells: `docker-compose stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    TakesAway,
    BringsBack,
}

/// The programs whose verbs are known here. A signal (`kill`) or a number of replicas says nothing certain.
const TOOLS: [&str; 9] = [
    "docker",
    "docker container",
    "docker compose",
    "docker-compose",
    "podman",
    "podman container",
    "podman compose",
    "podman-compose",
    "systemctl",
];

impl Effect {
    pub(super) fn of(command: &PlanCommand) -> Option<Self> {
        let (tool, verb) = command.rule.rsplit_once(' ')?;
        match verb {
            _ if !TOOLS.contains(&tool) => None,
            "stop" | "down" | "pause" => Some(Self::TakesAway),
            "up" | "start" | "restart" | "unpause" => Some(Self::BringsBack),
            _ => None,
        }
    }
}

/// Continues the clock with a command that ended well.
pub(super) fn note(away: &mut Vec<Away>, effect: Effect, began: Timestamp, ended: Timestamp) {
    match (away.last_mut(), effect) {
        (Some(Away { until: None, .. }), Effect::TakesAway) => {}
        (_, Effect::TakesAway) => away.push(Away { since: began, until: None }),
        (Some(last), Effect::BringsBack) if last.until.is_none() => last.until = Some(ended),
        (_, Effect::BringsBack) => {}
    }
}

/// How long services were away in all, in milliseconds, up to a moment.
pub fn downtime(away: &[Away], now: Timestamp) -> u64 {
    away.iter().map(|span| span.until.unwrap_or(now).since(span.since)).sum()
}
