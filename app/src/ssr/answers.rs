//! How a request is answered: the status of a failure, and to which page a browser goes.
//!
//! A cause of a failure is logged here and stops here.

use domain::frame::Framed;
use domain::policy::Forbidden;
use domain::run::Refusal;
use http::{StatusCode, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

use super::parts;
use crate::AppError;
use crate::base::{inside, portal_path};

/// Gives a failed answer its true HTTP status, for proxies and for the log.
///
/// Leptos answers every failure with 500. Without scripts it answers with a redirect back to the form instead, and that
/// has to stay a redirect.
pub fn answer<T>(outcome: Result<T, AppError>) -> Result<T, AppError> {
    if let Err(error) = &outcome
        && !is_plain_form()
        && let Some(response) = use_context::<ResponseOptions>()
    {
        response.set_status(status(error));
    }
    outcome
}

/// Whether a browser without scripts sent this: it wants a page back.
fn is_plain_form() -> bool {
    parts().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).map_or(&b""[..], |accept| accept.as_bytes());
        accept.windows(9).any(|part| part == b"text/html")
    })
}

/// The HTTP status of an error.
pub fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::SignedOut => StatusCode::UNAUTHORIZED,
        AppError::Denied(_) => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Conflict(_) => StatusCode::CONFLICT,
        AppError::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
        AppError::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Unreachable | AppError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Sends the browser to a page of the portal, with scripts and without.
pub fn go_to(path: &str) {
    leptos_axum::redirect(&portal_path(inside(path)));
}

/// Sends the browser to sign in.
pub fn go_to_sign_in() {
    leptos_axum::redirect(&portal_path("/sign-in"));
}

/// Sends a browser without scripts back to a page. With scripts the page is there and follows by itself.
pub fn back_to(path: &str) {
    if is_plain_form() {
        go_to(path);
    }
}

impl From<portal::Error> for AppError {
    /// The one place where a cause is logged, and where it stops.
    fn from(error: portal::Error) -> Self {
        let sentence = error.sentence();
        match error {
            portal::Error::NotFound | portal::Error::Refused(Refusal::NoRun) => Self::NotFound,
            portal::Error::Forbidden(_)
            | portal::Error::Unwelcome(_)
            | portal::Error::Refused(
                Refusal::Forbidden(_)
                | Refusal::Disabled
                | Refusal::Shaped(_)
                | Refusal::NoGlass
                | Refusal::OwnGlass
                | Refusal::OwnRedaction,
            ) => Self::Denied(sentence),
            portal::Error::Refused(_) | portal::Error::Launch(_) | portal::Error::Moved => Self::Conflict(sentence),
            portal::Error::Invalid(_) | portal::Error::SignIn => Self::Invalid(sentence),
            portal::Error::TooOften(_) => Self::TooOften(sentence),
            portal::Error::Busy(_)
            | portal::Error::Unsure(_)
            | portal::Error::Unrecorded(_)
            | portal::Error::Undone(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a use case was put off");
                Self::Busy(sentence)
            }
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "a use case failed");
                Self::Internal
            }
        }
    }
}

impl From<Forbidden> for AppError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Denied(format!("{forbidden}. Nothing was changed."))
    }
}

/// A frame of a stream, as its line.
pub fn as_line(framed: &Framed) -> Result<String, AppError> {
    let mut line = serde_json::to_string(framed).map_err(|_| AppError::Internal)?;
    line.push('\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_out_of_the_portal() {
        let outside =
            ["https://evil.example", "//evil.example", "/\\evil.example", "", "runs", "/a\nb", "/api/x", "/sign-in"];

        assert!(outside.iter().all(|path| inside(path) == "/"));
        assert!(["/../other", "/runs/%2E%2e/%2e./other"].iter().all(|path| inside(path) == "/"));
        assert_eq!(inside("/runs/7?step=2"), "/runs/7?step=2");
    }
}
