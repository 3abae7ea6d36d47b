//! Around every request: a number, one line in the log, the headers that every answer has, and a net for panics.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use app::AppError;
use app::ssr::Peer;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::policy::Actor;
use futures::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rand::RngCore as _;

use super::answers::{refused_call, sentence};
use super::{Site, client, routes};
use crate::connections::Connection;

/// A page that has not begun to answer after so long is given up.
const PATIENCE: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who asked for which route; known once the gate has looked, for the line in the log and the figures.
#[derive(Clone, Debug, Default)]
pub struct Asker(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    actor: OnceLock<Actor>,
    route: OnceLock<String>,
}

impl Asker {
    /// Notes who it is.
    pub fn is(&self, actor: &Actor) {
        // The gate looks once in a request.
        drop(self.0.actor.set(actor.clone()));
    }

    /// Notes the route that answers.
    pub fn at(&self, route: &str) {
        drop(self.0.route.set(route.to_owned()));
    }

    fn route(&self) -> Option<&str> {
        self.0.route.get().map(String::as_str)
    }

    fn person(&self) -> &str {
        self.0.actor.get().map_or("-", |actor| actor.id.as_str())
    }

    /// The token by which a script came: what names it, never what lets it in.
    fn token(&self) -> Option<&str> {
        self.0.actor.get()?.token.as_ref().map(|token| token.id.as_str())
    }
}

/// The outermost layer.
pub async fn around(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let number = number();
    let asker = Asker::default();
    let client = client(&site, &request);
    request.extensions_mut().insert(asker.clone());
    request.extensions_mut().insert(Peer(client));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answered = AssertUnwindSafe(tokio::time::timeout(PATIENCE, next.run(request))).catch_unwind().await;
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => given_up(&method, &path),
        Err(_) => failed(&path, &number),
    };
    protect(response.headers_mut(), &site);
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Ok(number) = HeaderValue::from_str(&number) {
        response.headers_mut().insert(REQUEST_ID, number);
    }
    let took = began.elapsed();
    let route = asker.route().or_else(|| site.own_route(&path));
    site.metrics().answered(&method, route, response.status(), took);
    log(&method, &path, &response, took, &Who { asker: &asker, client, number: &number });
    response
}

/// From where a request comes; without a connection, as from nowhere.
fn client(site: &Site, request: &Request) -> IpAddr {
    let Some(Connection(peer)) = request.extensions().get().copied() else {
        return Ipv4Addr::UNSPECIFIED.into();
    };
    client::address(peer, request.headers(), &site.around().proxies)
}

fn number() -> String {
    let mut bytes = [0_u8; 8];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn given_up(method: &Method, path: &str) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let text = if matches!(*method, Method::GET | Method::HEAD) {
        "The portal did not answer in time. Nothing was changed; load the page again."
    } else {
        "The portal did not answer in time. Look whether the change was made before you try again."
    };
    if routes::is_call(path) {
        refused_call(path, status, &AppError::Busy(text.to_owned()))
    } else {
        sentence(status, text)
    }
}

fn failed(path: &str, number: &str) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    if routes::is_call(path) {
        return refused_call(path, status, &AppError::Internal);
    }
    let text = format!(
        "This request failed inside the portal. It has been logged as {number}; tell the administrator when it stays so."
    );
    sentence(status, &text)
}

/// What a page may not do, unless the page said it better: nothing at all.
const NOTHING_ALLOWED: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FEATURES: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

/// The headers of every answer, whoever gave it.
fn protect(headers: &mut HeaderMap, site: &Site) {
    let mut put = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "same-origin");
    put(header::X_FRAME_OPTIONS, "DENY");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(HeaderName::from_static("permissions-policy"), FEATURES);
    if site.public_url().is_some_and(crate::config::PublicUrl::is_https) {
        put(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    let policy = HeaderValue::from_static(NOTHING_ALLOWED);
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// Who asked, for the line in the log.
struct Who<'a> {
    asker: &'a Asker,
    client: IpAddr,
    number: &'a str,
}

fn log(method: &Method, path: &str, response: &Response, elapsed: Duration, who: &Who<'_>) {
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    // The query stays out of the log: it can carry a set-up token or what somebody searched for.
    if routes::is_health(path) {
        tracing::debug!(
            http.status = status,
            elapsed_ms = milliseconds,
            "{method} {path}: {status} in {milliseconds} ms"
        );
    } else {
        tracing::info!(
            http.method = %method,
            http.path = path,
            http.status = status,
            elapsed_ms = milliseconds,
            user.id = who.asker.person(),
            token.id = who.asker.token(),
            client.address = %who.client,
            request.id = who.number,
            "{method} {path}: {status} in {milliseconds} ms"
        );
    }
}
