//! Streams: never compressed, never kept by a proxy, and over as soon as the person, or the script, may not look any more.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use domain::policy::Role;
use domain::{PersonId, TokenId};
use futures::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tower_sessions::session::Id;

use super::{Site, routes};

/// How often an open stream looks whether its session or its token has run out. That it was ended is told at once.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What a stream hangs on.
#[derive(Clone, Debug)]
pub enum Watched {
    /// The session of a person.
    Session {
        /// The person.
        person: PersonId,
        /// Their session.
        id: Id,
    },
    /// The token of a script.
    Token {
        /// What names it.
        id: TokenId,
        /// What the script could do when the stream began.
        role: Role,
    },
}

/// Answers a request; if the answer is a stream, it ends with its session or its token.
pub async fn until_over(site: &Site, matched: Option<&str>, request: Request, next: Next) -> Response {
    let watched = request.extensions().get::<Watched>().cloned();
    let response = next.run(request).await;
    let streams = matches!(matched, Some(routes::WATCH | routes::REPLAY | routes::WAITING | routes::OUTPUT));
    let (true, Some(watched)) = (streams, watched) else {
        return response;
    };
    if !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    never_held(&mut parts.headers);
    let over = over(site.clone(), watched);
    let open = site.metrics().stream();
    let pieces = body.into_data_stream().take_until(Box::pin(over)).inspect(move |_| {
        let _counted = &open;
    });
    let body = Body::from_stream(pieces);
    Response::from_parts(parts, body)
}

/// Asks whoever is in between to hand everything on at once, and as it is.
pub fn never_held(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
}

/// Ends when what the stream hangs on is over. A busy database is no reason to end.
async fn over(site: Site, watched: Watched) {
    let mut again = tokio::time::interval(LOOK_AGAIN);
    let mut people = site.portal().people_changed();
    loop {
        tokio::select! {
            _ = again.tick() => {}
            _ = people.changed() => {}
        }
        let goes_on = match &watched {
            Watched::Session { person, id } => session_reads(&site, person, id).await,
            Watched::Token { id, role } => token_stands(&site, id, *role).await,
        };
        if !goes_on {
            return;
        }
    }
}

async fn session_reads(site: &Site, person: &PersonId, id: &Id) -> bool {
    let lives = site.sessions().lives(id).await.unwrap_or(true);
    let reads = match site.portal().actor(person).await {
        Ok(actor) => actor.is_some_and(|actor| actor.viewer().is_ok()),
        Err(_) => true,
    };
    lives && reads
}

/// Whether a token lets its script do what it could. A person sees on the page that their role is another one; a script, which
/// nobody looks at, learns by the end of its stream that it may do less.
async fn token_stands(site: &Site, id: &TokenId, role: Role) -> bool {
    match site.portal().holder_of_token(id).await {
        Ok(holder) => holder.is_some_and(|holder| holder.role >= role),
        Err(_) => true,
    }
}
