//! What became of the notices to people.

use serde::{Deserialize, Serialize};

use crate::{RunId, Timestamp};

/// What an administrator sees of the notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveriesView {
    /// The portal's time.
    pub now: Timestamp,
    /// The ways by which people are told.
    pub channels: Vec<ChannelInfo>,
    /// The last deliveries, newest first.
    pub rows: Vec<DeliveryRow>,
    /// The names of leads and administrators whom no mail reaches.
    pub without_mail: Vec<String>,
}

/// One way by which people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelInfo {
    /// What it is called: `mail`, or the webhook's name.
    pub name: String,
    /// What it is, in a word: `mail`, `Discord`, `Slack`, `generic webhook`.
    pub kind: String,
    /// Why nobody can be told by it now, as the end of a sentence.
    pub problem: Option<String>,
}

/// One notice on its way to one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// The channel's name.
    pub channel: String,
    /// A person's name; empty when the channel has its own readers.
    pub to: String,
    /// What happened, in a sentence.
    pub what: String,
    /// The run and the request that it is about, where that can be read.
    pub about: Option<(RunId, u32)>,
    /// When it happened.
    pub made: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// How it stands.
    pub state: DeliveryState,
    /// When it was delivered or given up, or will be tried next.
    pub at: Timestamp,
    /// Why the last try did not succeed; empty when there was none, or it did.
    pub error: String,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is tried until it succeeds or a day is over.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

impl DeliveryState {
    /// The state in words.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given up",
        }
    }
}

/// Where mail reaches the person who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnMail {
    /// The address.
    pub address: Option<String>,
    /// Whether this portal sends mail.
    pub sends: bool,
}
