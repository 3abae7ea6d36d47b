//! A short stream that anybody may open: it shows whether something between the portal and a browser holds streams back.
//!
//! It is answered as the stream of a live page is, and says of a request only whether a proxy has brought it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::{StreamExt as _, stream};
use http::{HeaderValue, header};
use serde::{Deserialize, Serialize};
use tokio::time::interval;

use super::{Site, client, streams};
use crate::connections::Connection;

/// So many lines come.
pub const LINES: u32 = 4;

/// So long after each other.
pub const BETWEEN: Duration = Duration::from_millis(250);

/// One line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its place, from 1.
    pub line: u32,
    /// What has brought the request.
    pub proxy: Brought,
}

/// What has brought a request, as far as it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brought {
    /// A proxy that the configuration lists.
    Listed,
    /// A proxy that it does not.
    Unlisted,
    /// Nobody: the request shows no proxy.
    Directly,
}

/// The lines, one after the other.
pub async fn trial(State(site): State<Site>, request: Request) -> Response {
    let proxy = brought(&site, &request);
    let lines = stream::unfold((interval(BETWEEN), 1_u32), move |(mut pace, line)| async move {
        pace.tick().await;
        (line <= LINES).then_some((text(Line { line, proxy }), (pace, line + 1)))
    });
    let mut response = Response::new(Body::from_stream(lines.map(Ok::<_, Infallible>)));
    let kind = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    streams::never_held(response.headers_mut());
    response
}

fn brought(site: &Site, request: &Request) -> Brought {
    let listed = request.extensions().get().is_some_and(|Connection(peer)| site.around().proxies.contains(*peer));
    match (client::was_forwarded(request.headers()), listed) {
        (false, _) => Brought::Directly,
        (true, true) => Brought::Listed,
        (true, false) => Brought::Unlisted,
    }
}

fn text(line: Line) -> Bytes {
    // Numbers and words can always be written.
    let mut text = serde_json::to_vec(&line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}
