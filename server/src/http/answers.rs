//! Answers that the portal gives before a page or a server function is asked.

use app::AppError;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::server_fn::error::{FromServerFnError as _, SERVER_FN_ERROR_HEADER};

/// One sentence as plain text.
pub fn sentence(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An error of a server function, in the encoding in which functions answer themselves.
pub fn refused_call(path: &str, status: StatusCode, error: &AppError) -> Response {
    let mut response = Response::new(Body::from(error.ser()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(path) = HeaderValue::from_str(path) {
        headers.insert(SERVER_FN_ERROR_HEADER, path);
    }
    response
}

/// The most bytes of an error of a server function.
const ERROR_LIMIT: usize = 64 * 1024;

/// An answer whose status says what its error is. Leptos answers a form that it cannot read with 500 before any function of the
/// portal is asked.
pub async fn with_true_status(response: Response) -> Response {
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR
        || !response.headers().contains_key(SERVER_FN_ERROR_HEADER)
    {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, ERROR_LIMIT).await else {
        return sentence(parts.status, &AppError::Internal.to_string());
    };
    let error = match AppError::de(body) {
        // The network is what a browser cannot get through; seen from here it is a body that is no text.
        AppError::Unreachable => AppError::not_understood(),
        error => error,
    };
    parts.status = app::ssr::status(&error);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(error.ser()))
}

/// Sends the browser to another page, which it asks for with GET.
pub fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Whether a browser sent this to show the answer as a page: a link, or a form without scripts.
pub fn wants_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
