//! One's own account.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::factor::Factors;

/// The page of one's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// The portal's time.
    pub now: Timestamp,
    /// Which second factors there are.
    pub factors: Factors,
    /// When the authenticator app was switched on.
    pub authenticator_since: Option<Timestamp>,
    /// The authenticator app that is being set up in this session.
    pub offer: Option<ShownOffer>,
    /// The passkeys, oldest first.
    pub passkeys: Vec<PasskeyInfo>,
    /// Why the portal takes no passkeys under its address; `None` when it does.
    pub no_passkeys: Option<String>,
    /// Where one is signed in, the session that asks first.
    pub sessions: Vec<SessionInfo>,
}

/// What is shown once, while an authenticator app is set up.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownOffer {
    /// The secret, for typing.
    pub secret: String,
    /// The address that apps read.
    pub address: String,
    /// The address as a drawing.
    pub qr: QrCode,
    /// The codes for the day on which the phone is gone.
    pub recovery_codes: Vec<String>,
    /// When it is too late.
    pub ends: Timestamp,
}

impl fmt::Debug for ShownOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownOffer").field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// A QR code, to be drawn on white with a quiet zone of four squares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// Squares in a row.
    pub size: u32,
    /// The dark squares, as the path of an SVG.
    pub path: String,
}

/// A passkey, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyInfo {
    /// Its id.
    pub id: String,
    /// As its owner calls it.
    pub name: String,
    /// When it was added.
    pub since: Timestamp,
    /// When it last proved its owner.
    pub used: Option<Timestamp>,
}

/// A session, as its person sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// What names it. Nobody can sign in with that.
    pub id: String,
    /// When it began.
    pub begun: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
    /// From where it was begun, as the portal saw it.
    pub address: String,
    /// By which browser, in a few words.
    pub agent: String,
    /// Whether it is the one that asks.
    pub this: bool,
}
