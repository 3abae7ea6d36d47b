//! One post to a webhook. The address comes from the administrator's secrets alone, and no redirect is followed.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use domain::Timestamp;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::sending::{Failure, root};

/// What is posted.
#[derive(Debug)]
pub(super) struct Post {
    /// Where to: a secret.
    pub url: String,
    /// The delivery's key.
    pub key: String,
    /// What.
    pub body: Vec<u8>,
    /// Proves who sends it, where the receiver looks at that.
    pub signature: Option<String>,
}

/// An address as a webhook has it.
///
/// # Errors
///
/// Why it cannot be used, as the end of a sentence, without the address.
pub(super) fn address(url: &str) -> Result<Uri, String> {
    let wrong = || "its address is not one of the form https://host/path".to_owned();
    let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if plain && matches!(uri.scheme_str(), Some("https" | "http")) { Ok(uri) } else { Err(wrong()) }
}

/// Posts, and says what the receiver made of it. What the receiver writes back is not read.
pub(super) async fn post(post: Post, now: Timestamp) -> Result<(), Failure> {
    let uri = address(&post.url).map_err(Failure::never)?;
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| Failure::later(format!("the certificates of this machine cannot be read ({error})")))?
        .https_or_http()
        .enable_http1()
        .build();
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("runbook-portal/", env!("CARGO_PKG_VERSION")))
        .header("idempotency-key", &post.key);
    if let Some(signature) = &post.signature {
        request = request.header("portal-signature", signature);
    }
    let request = request
        .body(Full::new(Bytes::from(post.body)))
        .map_err(|_| Failure::never("the request could not be made of its address"))?;
    // A connection that stood unused may be gone: each post has its own.
    let client: Client<_, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
    match client.request(request).await {
        Ok(response) => judged(response.status(), response.headers(), now),
        Err(error) if error.is_connect() => {
            Err(Failure::later(format!("there is no connection to it: {}", root(&error))))
        }
        Err(error) => Err(Failure::later(format!("the connection broke off: {}", root(&error)))),
    }
}

/// What an answer means.
fn judged(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Result<(), Failure> {
    let why = format!("it answered {status}");
    let passes = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS);
    if status.is_success() {
        Ok(())
    } else if passes {
        Err(Failure::Later { why, asked_ms: retry_after(headers, now) })
    } else if status.is_redirection() {
        Err(Failure::never(format!("{why}; no redirect is followed, so its address has to be the new one")))
    } else {
        Err(Failure::never(why))
    }
}

/// For how many milliseconds the receiver asks to be left alone: `Retry-After`, as seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = text.split('.').next().and_then(|seconds| seconds.parse::<u64>().ok()) {
        // Whoever writes a fraction means at least that long.
        return Some(seconds.saturating_add(u64::from(text.contains('.'))).saturating_mul(1_000));
    }
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    let at = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    Some(Timestamp(at).since(now))
}

#[cfg(test)]
mod tests {
    use testkit::NOW;

    use super::*;

    fn answer(status: u16, retry_after: Option<&str>) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        if let Some(after) = retry_after {
            headers.insert(header::RETRY_AFTER, after.parse().unwrap());
        }
        judged(StatusCode::from_u16(status).unwrap(), &headers, NOW)
    }

    fn asked(status: u16, retry_after: &str) -> Option<u64> {
        let Err(Failure::Later { asked_ms, .. }) = answer(status, Some(retry_after)) else { panic!("{status}") };
        asked_ms
    }

    #[test]
    fn what_passes_is_tried_again_and_what_never_will_succeed_is_not() {
        for status in [200, 201, 204] {
            assert_eq!(answer(status, None), Ok(()));
        }
        for status in [408, 425, 429, 500, 502, 503, 599] {
            assert!(matches!(answer(status, None), Err(Failure::Later { asked_ms: None, .. })), "{status}");
        }
        for status in [300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 422] {
            assert!(matches!(answer(status, None), Err(Failure::Never { .. })), "{status}");
        }
        let Err(Failure::Never { why }) = answer(404, None) else { panic!() };
        assert_eq!(why, "it answered 404 Not Found");
    }

    #[test]
    fn a_receiver_says_for_how_long_by_seconds_or_by_a_date() {
        assert_eq!(asked(429, "7"), Some(7_000));
        assert_eq!(asked(429, "0.35"), Some(1_000));
        assert_eq!(asked(503, "Mon, 23 Nov 2026 22:00:04 GMT"), Some(120_000));
        assert_eq!(asked(503, "Mon, 23 Nov 2020 22:00:04 GMT"), Some(0));
        assert_eq!(asked(503, "soon"), None);
    }

    #[test]
    fn an_address_is_one_of_the_web_and_is_not_repeated() {
        assert!(address("https://discord.com/api/webhooks/1/secret-token\n").is_ok());
        assert!(address("http://127.0.0.1:8080/hook").is_ok());
        for wrong in [
            "",
            "/secret-token",
            "file:///secret-token",
            "https://user:secret-token@host/",
            "ftp://secret-token/",
            "secret token",
        ] {
            assert!(!address(wrong).unwrap_err().contains("secret"), "{wrong}");
        }
    }
}
