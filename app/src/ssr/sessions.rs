//! The session of a request: whose it is, how it begins and ends, and what is shown in it once.

use std::sync::{Arc, OnceLock};

use domain::Timestamp;
use domain::policy::Actor;
use domain::view::{MadeCode, MadeToken};
use portal::Portal;
use tower_sessions::Session;

use super::browser::{address, agent};
use super::parts;
use crate::AppError;

/// The key under which a session keeps the id of its person.
pub const PERSON: &str = "person";

/// The key under which a session keeps the address from which it was begun.
pub const ADDRESS: &str = "address";

/// The key under which a session keeps the browser in which it was begun.
pub const AGENT: &str = "agent";

/// The key under which a session keeps what stands for the words of the proxy that named its person: it hangs on them.
pub const NAMED: &str = "named";

/// The key under which a session keeps until when it counts as proven who it is.
pub const PROVEN: &str = "proven";

/// The most characters that are kept of what a browser calls itself.
const AGENT_LIMIT: usize = 256;

/// How a session was begun.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// From which address.
    pub address: String,
    /// By which browser.
    pub agent: String,
    /// What stands for the words of the proxy, where it named the person.
    pub named: Option<String>,
    /// Until when it counts as proven who it is, for whoever has no password to be asked for.
    pub proven: Timestamp,
}

/// In which ways somebody can sign in beside a password; the server puts it into the request.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// What the button for the identity provider says.
    pub provider: Option<String>,
    /// Whom the proxy names.
    pub named: Option<String>,
    /// Where one signs out at the proxy.
    pub sign_out: Option<String>,
}

/// What this request has taken out to show it once. A page that is rendered again for the same request shows it again: nobody has seen
/// it yet.
#[derive(Clone, Default)]
pub struct TakenOut {
    token: Arc<OnceLock<Option<MadeToken>>>,
    code: Arc<OnceLock<Option<MadeCode>>>,
}

/// The token that was just made in a session, for the page that shows it.
pub fn made_token(portal: &Portal, session: &str) -> Option<MadeToken> {
    let take = || portal.take_made_token(session);
    match taken_out() {
        Some(taken) => taken.token.get_or_init(take).clone(),
        None => take(),
    }
}

/// The enrolment code that was just made in a session, for the page that shows it.
pub fn made_code(portal: &Portal, session: &str) -> Option<MadeCode> {
    let take = || portal.take_made_code(session);
    match taken_out() {
        Some(taken) => taken.code.get_or_init(take).clone(),
        None => take(),
    }
}

fn taken_out() -> Option<TakenOut> {
    parts()?.extensions.get::<TakenOut>().cloned()
}

/// Ties the session of this request to a person.
pub async fn sign_in(actor: &Actor) -> Result<(), AppError> {
    let begun = Begun { address: address(), agent: agent(), ..Begun::default() };
    begin(&session()?, actor, begun).await.map_err(session_failed)
}

/// Ties a session to a person. Its id changes, so that nobody who knew the old one is signed in with them, and nothing of what it was
/// before stays in it.
///
/// # Errors
///
/// When it cannot be stored.
pub async fn begin(session: &Session, actor: &Actor, begun: Begun) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.clear().await;
    session.insert(PERSON, actor.id.as_str()).await?;
    session.insert(ADDRESS, begun.address).await?;
    session.insert(AGENT, begun.agent.chars().take(AGENT_LIMIT).collect::<String>()).await?;
    if let Some(words) = begun.named {
        session.insert(NAMED, words).await?;
    }
    session.insert(PROVEN, begun.proven.0).await?;
    // Stored here and not after the answer: who cannot be signed in is told so, on the page.
    session.save().await
}

/// In which ways somebody can sign in beside a password.
pub fn ways() -> Ways {
    parts().and_then(|parts| parts.extensions.get::<Ways>().cloned()).unwrap_or_default()
}

/// The id of the session that asks: it is kept when the others end, and what is shown once is shown in it.
pub fn session_id() -> Result<String, AppError> {
    session()?.id().map(|id| id.to_string()).ok_or(AppError::SignedOut)
}

/// Ends the session at the server.
pub async fn sign_out() -> Result<(), AppError> {
    session()?.flush().await.map_err(session_failed)
}

pub(super) fn session() -> Result<Session, AppError> {
    parts().and_then(|parts| parts.extensions.get::<Session>().cloned()).ok_or_else(|| {
        tracing::error!("no session layer stands before this request");
        AppError::Internal
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err` by name")]
pub(super) fn session_failed(error: tower_sessions::session::Error) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "a session could not be read or written");
    AppError::Busy("Your session could not be kept or read. Nothing else was done; try again in a moment.".to_owned())
}
