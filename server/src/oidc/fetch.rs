//! Requests to the provider: over https, or to this machine; bounded in time and size; no redirect is followed.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Builder;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::url::form_urlencoded::{Serializer, byte_serialize};
use tokio::sync::Mutex;

use crate::config::is_safe;

/// A provider that has not answered after so long does not.
const PATIENCE: Duration = Duration::from_secs(8);

/// A root that the machine trusts, or trusts no longer, counts after so long at the latest.
const ROOTS_HOLD: Duration = Duration::from_mins(10);

/// The most bytes of an answer.
const LIMIT: usize = 512 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The address is none that can be believed.
    #[error("one of its addresses is not of the form https://host/path")]
    Address,
    /// There is no connection.
    #[error("there is no connection to it ({0})")]
    Connection(String),
    /// It took too long.
    #[error("it did not answer within {} s", PATIENCE.as_secs())]
    Late,
    /// It said no, or led elsewhere.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// The answer is too large, or broke off.
    #[error("its answer broke off, or is larger than {} KiB", LIMIT / 1024)]
    Large,
    /// The answer is no JSON of the right form.
    #[error("its answer cannot be read")]
    Unreadable,
    /// What it says of itself is about another one.
    #[error("it calls itself by another address than the configured issuer, or names addresses that are not https")]
    OfAnother,
    /// It did not answer a moment ago.
    #[error("it did not answer a moment ago")]
    LeftAlone,
    /// Too many wait for it.
    #[error("too many wait for it at this moment")]
    Crowded,
}

/// What stands at an address.
pub(super) async fn get(address: &str) -> Result<Vec<u8>, Failed> {
    ask(request(Method::GET, address), String::new()).await
}

/// What stands at an address for whoever has a token.
pub(super) async fn with_token(address: &str, token: &str) -> Result<Vec<u8>, Failed> {
    let request = request(Method::GET, address).header(header::AUTHORIZATION, format!("Bearer {token}"));
    ask(request, String::new()).await
}

/// The answer to a form, perhaps of somebody with a name and a secret.
pub(super) async fn with_form(
    address: &str,
    form: &[(&str, &str)],
    by: Option<(&str, &str)>,
) -> Result<Vec<u8>, Failed> {
    let mut request = request(Method::POST, address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some((name, secret)) = by {
        // RFC 6749, 2.3.1: both are encoded like a form before they are put together.
        let [name, secret] = [name, secret].map(|part| byte_serialize(part.as_bytes()).collect::<String>());
        let pair = STANDARD.encode(format!("{name}:{secret}"));
        request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
    }
    let body = Serializer::new(String::new()).extend_pairs(form).finish();
    ask(request, body).await
}

async fn ask(request: Builder, body: String) -> Result<Vec<u8>, Failed> {
    let request = request.body(Full::new(Bytes::from(body))).map_err(|_| Failed::Address)?;
    if !is_safe(&request.uri().to_string()) {
        return Err(Failed::Address);
    }
    tokio::time::timeout(PATIENCE, answer(request)).await.map_err(|_| Failed::Late)?
}

fn request(method: Method, address: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(address)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("runbook-portal/", env!("CARGO_PKG_VERSION")))
}

async fn answer(request: Request<Full<Bytes>>) -> Result<Vec<u8>, Failed> {
    let connector = KEPT.connector().await?;
    // A connection that stood unused may be gone: each request has its own.
    let client: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    let response = client.request(request).await.map_err(|error| Failed::Connection(root(&error)))?;
    if response.status() != StatusCode::OK {
        return Err(Failed::Refused(response.status()));
    }
    let body = Limited::new(response.into_body(), LIMIT).collect().await.map_err(|_| Failed::Large)?;
    Ok(body.to_bytes().to_vec())
}

type Connector = HttpsConnector<HttpConnector>;

/// What connects, and when it was made.
struct Kept(Mutex<Option<(Instant, Connector)>>);

static KEPT: Kept = Kept(Mutex::const_new(None));

impl Kept {
    /// What connects, with the roots that the machine trusts. They are hundreds, read from the disk: not on a thread that others wait
    /// for, and not for each request.
    async fn connector(&self) -> Result<Connector, Failed> {
        let mut kept = self.0.lock().await;
        if let Some((made, connector)) = &*kept
            && made.elapsed() < ROOTS_HOLD
        {
            return Ok(connector.clone());
        }
        let made = tokio::task::spawn_blocking(make).await;
        let connector = made.map_err(std::io::Error::other).flatten();
        let connector = connector.map_err(|error| Failed::Connection(error.to_string()))?;
        *kept = Some((Instant::now(), connector.clone()));
        Ok(connector)
    }
}

fn make() -> std::io::Result<Connector> {
    let builder =
        HttpsConnectorBuilder::new().with_provider_and_native_roots(rustls::crypto::ring::default_provider())?;
    Ok(builder.https_or_http().enable_http1().build())
}

/// The first cause of a failure: the last link is what happened, the others are where.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_roots_are_read_once_in_a_while_and_not_for_each_request() {
        let kept = Kept(Mutex::new(None));
        let read_at = async || kept.0.lock().await.as_ref().map(|(made, _)| *made);

        kept.connector().await.unwrap();
        let first = read_at().await.unwrap();
        kept.connector().await.unwrap();
        assert_eq!(read_at().await, Some(first));

        *kept.0.lock().await = Instant::now().checked_sub(ROOTS_HOLD).map(|long_ago| (long_ago, make().unwrap()));
        kept.connector().await.unwrap();
        assert!(read_at().await.unwrap() > first, "they are read again");
    }
}
