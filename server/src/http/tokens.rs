//! Tokens for scripts: what a request carries instead of a session.
//!
//! A browser never sends a token by itself, so that no page of another site can have one sent: such a request need not say where it
//! comes from. It is judged by its token alone; the cookies beside it are taken off at the door.

use app::AppError;
use app::ssr::Peer;
use axum::response::Response;
use domain::policy::Actor;
use http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};

use super::answers::{refused_call, sentence};
use super::{Site, routes};

const SCHEME: &str = "Bearer";

/// What a request carries as its token; `None` when it carries none. Who sends two, or one that is no text, sends one that nobody
/// has.
pub fn carried(headers: &HeaderMap) -> Option<&str> {
    let mut tokens = headers.get_all(header::AUTHORIZATION).iter().filter(|value| is_token(value));
    let token = tokens.next()?;
    Some(if tokens.next().is_some() { "" } else { text(token) })
}

/// What stands in front of a portal may ask for a password of its own, and pass it on: that is no token.
fn is_token(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(SCHEME.as_bytes())
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().ok().and_then(|text| text.get(SCHEME.len()..)).unwrap_or_default().trim()
}

/// The person for whom the script asks that sent this.
///
/// # Errors
///
/// [`Problem::Refused`] when its token lets nobody in.
pub async fn holder(site: &Site, headers: &HeaderMap, extensions: &Extensions) -> Result<Option<Actor>, Problem> {
    let Some(token) = carried(headers) else { return Ok(None) };
    let address = extensions.get::<Peer>().map(Peer::to_string).unwrap_or_default();
    site.portal().by_token(token, &address).await?.map(Some).ok_or(Problem::Refused)
}

/// Why it is not known for whom a script asks.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Its token lets nobody in.
    #[error("the token lets nobody in")]
    Refused,
    /// The database does not answer.
    #[error("the token could not be looked up")]
    Unknown(#[from] portal::Error),
}

/// What a script is told whose token lets nobody in: the same whatever is wrong with it.
pub fn refused(path: &str) -> Response {
    let error = AppError::no_token();
    let mut response = if routes::is_call(path) {
        refused_call(path, StatusCode::UNAUTHORIZED, &error)
    } else {
        sentence(StatusCode::UNAUTHORIZED, &error.to_string())
    };
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried_by(values: &[&'static [u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        carried(&headers).map(str::to_owned)
    }

    #[test]
    fn a_token_stands_behind_its_scheme_however_that_is_written() {
        for value in [b"Bearer rbp_x".as_slice(), b"bearer rbp_x", b"BEARER  rbp_x "] {
            assert_eq!(carried_by(&[value]).as_deref(), Some("rbp_x"));
        }
    }

    #[test]
    fn what_is_no_token_is_not_taken_for_one() {
        let others: [&[&[u8]]; 5] = [&[], &[b"Basic b2xnYTpwdw=="], &[b""], &[b"Bearerrbp_x"], &[b"rbp_x"]];

        for values in others {
            assert_eq!(carried_by(values), None, "{values:?}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_or_is_not_the_only_one_is_one_that_nobody_has() {
        let broken: [&[&[u8]]; 4] =
            [&[b"Bearer"], &[b"Bearer "], &[b"Bearer rbp_\xff"], &[b"Bearer rbp_x", b"Bearer rbp_y"]];

        for values in broken {
            assert_eq!(carried_by(values).as_deref(), Some(""), "{values:?}");
        }
        assert_eq!(carried_by(&[b"Basic b2xnYTpwdw==", b"Bearer rbp_x"]).as_deref(), Some("rbp_x"));
    }
}
