//! What a person is told when a request fails.

use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

/// Everything a person is told when a request fails.
///
/// Coarse on purpose: a variant exists only where the page does something different about it. Causes stay in the
/// server's log. The texts travel in addresses when a form is sent without scripts: never a secret, never what was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", content = "detail", rename_all = "snake_case")]
pub enum AppError {
    /// Nobody is signed in, or the session has ended.
    #[error("You are not signed in. Nothing was done; sign in to continue.")]
    SignedOut,
    /// The role does not allow it.
    #[error("{0}")]
    Denied(String),
    /// No such thing, or not for this person.
    #[error("There is no such page, or it is not for you.")]
    NotFound,
    /// What was sent does not do.
    #[error("{0}")]
    Invalid(String),
    /// It cannot happen as things stand.
    #[error("{0}")]
    Conflict(String),
    /// Tried too often; the same again helps only after a while.
    #[error("{0}")]
    TooOften(String),
    /// Too much at once.
    #[error("{0}")]
    Busy(String),
    /// The network, not the portal.
    #[error("The portal cannot be reached. Nothing is known to have changed; look at your connection and try again.")]
    Unreachable,
    /// The portal's own fault.
    #[error("This request failed inside the portal. It has been logged; tell the administrator when it stays so.")]
    Internal,
}

impl AppError {
    /// What a script has sent lets nobody in, whatever is wrong with it.
    pub fn no_token() -> Self {
        Self::Denied(
            "This token lets nobody in: it was never made here, was ended, or has expired. Nothing was done; \
             make another one on the account page."
                .to_owned(),
        )
    }

    /// What was sent is no form of the portal's.
    pub fn not_understood() -> Self {
        Self::Invalid("The form was not understood. Nothing was changed; load the page again.".to_owned())
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // An answer that cannot be read is not the portal's: something in between answered for it.
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Deserialization(_) => Self::Unreachable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::not_understood(),
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_proxy_instead_of_an_answer_means_that_the_portal_is_out_of_reach() {
        let told = AppError::de(b"<html><h1>502 Bad Gateway</h1></html>".as_slice().into());

        assert_eq!(told, AppError::Unreachable);
    }

    #[test]
    fn only_what_was_sent_is_called_a_form_that_was_not_understood() {
        let told = AppError::from_server_fn_error(ServerFnErrorErr::MissingArg("step".to_owned()));

        assert!(matches!(told, AppError::Invalid(_)));
    }
}
