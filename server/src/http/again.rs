//! A page that does not come is rendered again.
//!
//! What renders pages waits for their data by notifications, and once in some thousand pages on a busy machine one of them is
//! lost (<https://github.com/leptos-rs/leptos/issues/4851>): such a page would never be complete. Asking for a page changes
//! nothing, so it is simply asked for once more. What a page takes out to show it once stays with the request until it is sent.

use std::time::Duration;

use app::ssr::TakenOut;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// A page that is not complete after so long will not be, or its machine is on its knees.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a page is given up before the last try, which has the time that is left.
const GIVEN_UP: u32 = 3;

/// Renders a page, again if need be. Only for requests that change nothing: their body is not kept.
pub async fn rendered(request: Request, next: Next) -> Response {
    let (mut parts, _) = request.into_parts();
    parts.extensions.insert(TakenOut::default());
    for _ in 0..GIVEN_UP {
        let request = Request::from_parts(parts.clone(), Body::empty());
        if let Ok(response) = tokio::time::timeout(PATIENCE, next.clone().run(request)).await {
            return response;
        }
        tracing::warn!(http.path = parts.uri.path(), "a page was not complete in time and is rendered again");
    }
    next.run(Request::from_parts(parts, Body::empty())).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::Router;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_page_that_never_comes_is_asked_for_again() {
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let page = move || {
            let count = Arc::clone(&count);
            async move {
                if count.fetch_add(1, Ordering::Relaxed) == 0 {
                    std::future::pending::<()>().await;
                }
                "here"
            }
        };
        let router = Router::new().route("/", get(page)).layer(from_fn(rendered));

        let answer = router.oneshot(Request::new(Body::empty())).await.expect("a router always answers");

        assert_eq!((answer.status(), asked.load(Ordering::Relaxed)), (StatusCode::OK, 2));
    }
}
