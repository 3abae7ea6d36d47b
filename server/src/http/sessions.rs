//! Sessions: the cookie, and the store behind it.
//!
//! The store keeps a fingerprint of an id, never the id. A session that was ended stays ended: a request that was in flight may
//! save afterwards, and fails then.

use std::collections::HashMap;

use app::ssr::{ADDRESS, AGENT, DeviceCookie, PERSON, PROVEN};
use async_trait::async_trait;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use domain::{PersonId, Timestamp};
use http::{HeaderValue, header};
use portal::Portal;
use serde_json::Value;
use store::{Device, Lifetime, StoredSession};
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::config::SessionLimits;

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub struct Sessions {
    portal: Portal,
    limits: SessionLimits,
}

/// Which cookie carries the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// Bound to this host and to https.
    Secure,
    /// For a browser on the portal's own machine, over plain http.
    ThisMachine,
}

impl Cookie {
    /// The cookie that carries the token of the device, beside that of the session.
    pub const fn of_device(self) -> DeviceCookie {
        match self {
            Self::Secure => DeviceCookie { name: "__Host-portal-device", secure: true },
            Self::ThisMachine => DeviceCookie { name: "portal-device", secure: false },
        }
    }

    /// The cookie that tells the browser that was sent to the identity provider from others.
    pub const fn of_sign_in(self) -> DeviceCookie {
        match self {
            Self::Secure => DeviceCookie { name: "__Host-portal-sign-in", secure: true },
            Self::ThisMachine => DeviceCookie { name: "portal-sign-in", secure: false },
        }
    }
}

/// The layer that gives every request its session.
pub fn layer(sessions: &Sessions, cookie: Cookie) -> SessionManagerLayer<Sessions> {
    let (name, secure) = match cookie {
        Cookie::Secure => ("__Host-portal", true),
        Cookie::ThisMachine => ("portal", false),
    };
    // How long a session really lasts is decided here, at the server; the browser forgets it at the latest moment.
    let longest = Duration::try_from(sessions.limits.absolute).unwrap_or(Duration::DAY);
    SessionManagerLayer::new(sessions.clone())
        .with_name(name)
        .with_secure(secure)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(longest))
}

impl Sessions {
    /// Sessions of a portal.
    pub fn new(portal: Portal, limits: SessionLimits) -> Self {
        Self { portal, limits }
    }

    /// Whether a session has not ended. Asking does not prolong it.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn lives(&self, id: &Id) -> std::result::Result<bool, store::Error> {
        Ok(self.portal.store().session(&id.to_string(), self.portal.expiry_now()).await?.is_some())
    }

    /// Removes sessions that have run out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn forget_old(&self) -> std::result::Result<(), store::Error> {
        let mut write = self.portal.store().begin().await?;
        write.sweep_sessions(self.portal.expiry_now()).await?;
        write.commit().await
    }

    fn idle_end(&self) -> Timestamp {
        self.portal.expiry_now().plus(milliseconds(self.limits.idle))
    }

    fn lifetime(&self) -> Lifetime {
        Lifetime { idle: self.idle_end(), ends: self.portal.expiry_now().plus(milliseconds(self.limits.absolute)) }
    }

    /// A session that is used lives on. Once a minute is enough, and no page waits for it.
    fn prolong(&self, id: String, session: &StoredSession) {
        let end = self.idle_end();
        if end.since(session.lifetime.idle) < PROLONG_AFTER {
            return;
        }
        let (portal, data) = (self.portal.clone(), session.data.clone());
        tokio::spawn(async move {
            if let Err(error) = portal.store().save_session(&id, &data, portal.expiry_now(), end).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a session was not prolonged");
            }
        });
    }
}

const PROLONG_AFTER: u64 = 60_000;

fn milliseconds(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let (person, device) = (person(record)?, device(record));
        let (data, lifetime) = (encoded(record)?, self.lifetime());
        let (id, now) = (record.id.to_string(), self.portal.expiry_now());
        let created = self.portal.store().create_session(&id, &person, &data, &device, now, lifetime).await;
        created.map_err(|error| failed(&error))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let (id, data) = (record.id.to_string(), encoded(record)?);
        let saved = self.portal.store().save_session(&id, &data, self.portal.expiry_now(), self.idle_end()).await;
        saved.map_err(|error| failed(&error))
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let text = id.to_string();
        let found =
            self.portal.store().session(&text, self.portal.expiry_now()).await.map_err(|error| failed(&error))?;
        let Some(session) = found else { return Ok(None) };
        self.prolong(text, &session);
        let data: HashMap<String, Value> =
            serde_json::from_str(&session.data).map_err(|error| Error::Decode(error.to_string()))?;
        let ends = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::milliseconds(session.lifetime.ends.0));
        Ok(Some(Record { id: *id, data, expiry_date: ends }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.portal.store().delete_session(&id.to_string()).await.map_err(|error| failed(&error))?;
        self.portal.tell_people_changed();
        Ok(())
    }
}

/// Whose session it is. Nobody else has one.
fn person(record: &Record) -> Result<PersonId> {
    let person = record.data.get(PERSON).and_then(Value::as_str);
    person.map(PersonId::from).ok_or_else(|| Error::Encode("a session without a person is not kept".to_owned()))
}

/// Where it was begun, as far as that is known.
fn device(record: &Record) -> Device {
    let text = |key| record.data.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let proven = record.data.get(PROVEN).and_then(Value::as_i64).map(Timestamp).unwrap_or_default();
    Device { address: text(ADDRESS), agent: text(AGENT), proven }
}

fn encoded(record: &Record) -> Result<String> {
    serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))
}

fn failed(error: &store::Error) -> Error {
    Error::Backend(error.to_string())
}

/// A browser takes a cookie with the prefix `__Host-` only with these attributes, also to remove it.
pub async fn secure_removals(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let cookies: Vec<HeaderValue> = response.headers().get_all(header::SET_COOKIE).iter().map(completed).collect();
    response.headers_mut().remove(header::SET_COOKIE);
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn completed(cookie: &HeaderValue) -> HeaderValue {
    let Ok(text) = cookie.to_str() else { return cookie.clone() };
    if !text.starts_with("__Host-") || text.contains("Secure") {
        return cookie.clone();
    }
    HeaderValue::from_str(&format!("{text}; HttpOnly; SameSite=Lax; Secure")).unwrap_or_else(|_| cookie.clone())
}
