//! The portal below a path of its host.
//!
//! A proxy takes the base off before it asks here, or it does not, and both is answered alike: a path that begins with the base
//! loses it, once, before anything looks at the request, and any other is taken as it is. From there on every path is one inside
//! the portal. That is safe because the base decides nothing: who may do what is asked of the path that is left, by the same
//! table, session and origin. And it is clear because no path inside the portal begins like a base; `PublicUrl` refuses such a one.

use app::base::Base;
use axum::Router;
use axum::extract::Request;
use axum::middleware::map_request;
use http::Uri;
use http::uri::PathAndQuery;

/// A router that is asked below the base.
pub fn behind(base: &Base, router: Router) -> Router {
    if base.is_root() {
        return router;
    }
    let base = base.clone();
    let take_off = move |request: Request| {
        let request = without(&base, request);
        async move { request }
    };
    // Around a router of its own: what stands around routes is asked after they were chosen.
    Router::new().fallback_service(router).layer(map_request(take_off))
}

fn without(base: &Base, mut request: Request) -> Request {
    let inside = request.uri().path_and_query().and_then(|path| base.inside(path.as_str()));
    let inside = inside.and_then(|path| PathAndQuery::try_from(&*path).ok());
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = inside.or(parts.path_and_query);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(path: &'static str) -> String {
        without(&Base::new("/ops/runbooks"), Request::get(path).body(Body::empty()).unwrap()).uri().to_string()
    }

    #[test]
    fn the_base_is_taken_off_once_and_the_query_stays() {
        assert_eq!(asked("/ops/runbooks/runs/7?step=2"), "/runs/7?step=2");
        assert_eq!(asked("/ops/runbooks"), "/");
        assert_eq!(asked("/ops/runbooks?x=1"), "/?x=1");
        assert_eq!(asked("/ops/runbooks/ops/runbooks/x"), "/ops/runbooks/x");
        assert_eq!(asked("http://ops.example.com/ops/runbooks/x"), "http://ops.example.com/x");
    }

    #[test]
    fn what_does_not_begin_with_the_base_stays_as_it_is() {
        for path in ["/", "/healthz", "/runs/7?step=2", "/ops/runbooks2/x", "/ops"] {
            assert_eq!(asked(path), path);
        }
    }
}
